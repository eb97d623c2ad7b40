"""What stands in the journal when something crashes: where, and nothing of what was answered."""

from __future__ import annotations

import errno
import io
from datetime import timedelta

import pytest
import structlog

from daemon.computer import logs
from tests.makers import UTC_0210


@pytest.fixture(autouse=True)
def _as_before():
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("json", [True, False])
def test_a_crash_is_written_without_what_was_in_hand(json):
    out = io.StringIO()
    logs.configure(json=json, utc=lambda: UTC_0210, stream=out)
    number_on_the_seal = f"KS{101:04d}"
    try:
        _ = int(number_on_the_seal[:2]) / 2
    except ValueError:
        logs.get("tests").exception("check.crashed", test="t-seal")
    assert "ValueError" in out.getvalue()
    assert number_on_the_seal not in out.getvalue()


class Failing(io.StringIO):
    """A disk that is full, or a journal that is gone."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


@pytest.mark.parametrize("json", [True, False])
def test_a_log_that_takes_nothing_costs_the_line_and_not_who_speaks(json):
    """Invariant 5: what tells the watch of a failure must not end it."""
    logs.configure(json=json, utc=lambda: UTC_0210, stream=Failing())
    logs.get("tests").error("record.not_open", reason="No space left on device")


def test_a_line_is_of_one_moment():
    out, moments = io.StringIO(), iter([UTC_0210 - timedelta(milliseconds=1), UTC_0210])
    logs.configure(json=True, utc=lambda: next(moments), stream=out)
    logs.get("tests").info("link.up")
    assert '"at": "2026-11-22T02:09:59.999Z"' in out.getvalue()
