"""What stands in the journal when something crashes: where, and nothing of what was answered."""

from __future__ import annotations

import io

import pytest
import structlog

from daemon import logs
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
