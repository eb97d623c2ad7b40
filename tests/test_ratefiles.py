"""Counts beside the record: whole or not at all, bounded in size and age; what is damaged is set aside and named."""

from __future__ import annotations

import json
import stat
from datetime import date

import pytest

from daemon.alertbook.ratefiles import KEPT_DAYS, LARGEST_FILE, RateFiles
from daemon.alerts.rates import Day, Flood, SourceCount
from daemon.record import durable

TODAY = date(2026, 11, 22)
NAME = "2026-11-22"


def a_day(**more) -> Day:
    return Day(
        attended_s={"gangway": 60.0},
        situation_s={"port": 60.0},
        sounded_in={"port": 1},
        sources={"door.escape.open d12": SourceCount("STRG GEAR ESC", warnings=1)},
        floods={"2026-11-22T02:10:00Z": Flood(12, "2026-11-22T02:30:00Z")},
        **more,
    )


def files(tmp_path) -> RateFiles:
    return RateFiles(tmp_path / "alert-rates")


def test_what_was_added_is_read_again_and_adds_up(tmp_path):
    kept = files(tmp_path)
    kept.add({NAME: a_day()}, today=TODAY)
    assert files(tmp_path).read([NAME, "2026-11-21"]) == {NAME: a_day()}
    kept.add({NAME: a_day()}, today=TODAY)
    assert files(tmp_path).read([NAME])[NAME].sounded_in == {"port": 2}


def test_only_ispsd_may_read_it(tmp_path):
    files(tmp_path).add({NAME: a_day()}, today=TODAY)
    folder = tmp_path / "alert-rates"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / f"{NAME}.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\x00" * 4096,
        b"[]",
        b'{"v": 2}',
        b'{"v": 1, "promoted": "1"}',
        b'{"v": 1, "promoted": -1}',
        b'{"v": 1, "attended_s": {"gangway": NaN}}',
        b'{"v": 1, "answered": [1]}',
        b'{"v": 1, "person": "R. Menon"}',
        b" " * (LARGEST_FILE + 1),
        b"[" * 100_000,
        json.dumps({"v": 1, "sounded_in": {str(n): 1 for n in range(100)}}).encode(),
    ],
    ids=range(13),
)
def test_a_damaged_file_is_set_aside_and_its_day_begins_anew(tmp_path, content):
    kept = files(tmp_path)
    kept.add({NAME: a_day()}, today=TODAY)
    path = tmp_path / "alert-rates" / f"{NAME}.json"
    path.write_bytes(content)
    assert kept.damaged() == []
    kept.add({NAME: a_day()}, today=TODAY)
    assert kept.read([NAME]) == {NAME: a_day()}
    assert kept.damaged() == [f"{NAME}.json.damaged"]
    assert path.with_name(f"{NAME}.json.damaged").read_bytes() == content


def test_so_many_days_are_kept_whatever_the_clock_says(tmp_path, monkeypatch):
    monkeypatch.setattr("daemon.alertbook.ratefiles.KEPT_DAYS", 5)
    kept = files(tmp_path)
    days = [date.fromordinal(TODAY.toordinal() - back) for back in range(8)]
    kept.add({f"{day:%Y-%m-%d}": Day() for day in days}, today=None)
    names = sorted(path.stem for path in (tmp_path / "alert-rates").iterdir())
    assert names == ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21", NAME]


def test_old_days_go_where_the_clock_can_be_trusted(tmp_path):
    kept = files(tmp_path)
    edge = date.fromordinal(TODAY.toordinal() - KEPT_DAYS)
    older = date.fromordinal(edge.toordinal() - 1)
    kept.add({f"{edge:%Y-%m-%d}": Day(), f"{older:%Y-%m-%d}": Day()}, today=None)
    assert len(list((tmp_path / "alert-rates").iterdir())) == 2
    kept.add({NAME: Day()}, today=TODAY)
    names = sorted(path.stem for path in (tmp_path / "alert-rates").iterdir())
    assert names == [f"{edge:%Y-%m-%d}", NAME]


def test_a_disk_that_refuses_leaves_what_was_there_and_says_what_was_not_added(
    tmp_path, monkeypatch
):
    kept = files(tmp_path)
    kept.add({NAME: a_day()}, today=TODAY)
    real = durable.put

    def full(path, content):
        if path.stem == "2026-11-23":
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(durable, "put", full)
    days = {NAME: a_day(), "2026-11-23": a_day(), "2026-11-24": a_day()}
    with pytest.raises(OSError, match="No space left"):
        kept.add(days, today=TODAY)
    assert list(days) == ["2026-11-23", "2026-11-24"]
    assert kept.read([NAME])[NAME].sounded_in == {"port": 2}
    assert kept.read(["2026-11-23"]) == {}


def test_a_full_day_fits_into_its_file(tmp_path):
    kept = files(tmp_path)
    day = Day()
    for number in range(1000):
        day.source(f"{'k' * 40} {'s' * 60}{number}", "N" * 16).alarms += 10**6
    kept.add({NAME: day}, today=TODAY)
    assert (tmp_path / "alert-rates" / f"{NAME}.json").stat().st_size < LARGEST_FILE / 2
    assert kept.read([NAME]) == {NAME: day}
