"""The demo's fourteen months: marked in every entry, in order for the verifier, and nothing falsely due behind them."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from daemon import config, forms
from daemon.demo import history, past, routine
from daemon.errors import IspsdError
from daemon.model import Classification
from daemon.record import fold, keys
from daemon.record.entry import Draft
from daemon.record.log import Record
from daemon.record.reader import Query
from tests.clocks import FixedEntropy, ManualClock
from tests.processes.rig import verified

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.config import Config
    from daemon.demo.papers import Event

NOW = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)
MOMENTS = [
    NOW,
    datetime(2026, 12, 31, 16, 0, 1, tzinfo=UTC),  # a second into the ship's new year
    datetime(2027, 2, 28, 15, 59, 59, tzinfo=UTC),
    datetime(2028, 2, 29, 3, 0, tzinfo=UTC),
    datetime(2026, 11, 22, 16, 0, 5, tzinfo=UTC),  # Monday has just begun
    datetime(2026, 11, 28, 2, 4, 30, tzinfo=UTC),  # Saturday 1004, while the sound is tested
]
SHIP = """\
[ship]
name = "KESTREL STRAIT"
imo_number = 9999993
mmsi = 299000019
call_sign = "9VKS0"
[watch]
situation = "port"
security_level = 1
ship_time_offset_min = 480
[record]
directory = "{folder}/record"
key_file = "{folder}/record-key.pem"
origin = "{origin}"
[[station]]
id = "gangway"
attended_in = ["port"]
[device.io1]
kind = "modbus_tcp"
host = "10.0.0.1"
profile = "moxa-iologik-e1210"
[device.ais]
kind = "nmea"
feed = "ais"
link = {{ kind = "tcp", host = "10.0.0.2", port = 10111 }}
[[door]]
id = "d12"
name = "STRG GEAR ESC"
place = "poop"
class = "E"
device = "io1"
inputs = [3]
wiring = "nc"
[[door]]
id = "d17"
name = "BOSUN STORE"
place = "forecastle"
class = "S"
device = "io1"
inputs = [4]
wiring = "nc"
[[test]]
kind = "ais_own_report"
id = "t-ais"
equipment = "ais-1"
name = "AIS SET"
ssp_paragraph = "7.6.2"
every = "day"
device = "ais"
[[test]]
kind = "door_contacts"
id = "t-door"
equipment = "doors"
name = "DOORS"
ssp_paragraph = "7.3.2"
every = "month"
doors = ["d12", "d17"]
"""


def ship(folder: Path, *, origin: str = "demo") -> Config:
    path = folder / "ispsd.toml"
    path.write_text(SHIP.format(folder=folder, origin=origin), "utf-8")
    return config.load(path)


async def written(folder: Path, **how: object) -> int:
    return await history.write_history(
        ship(folder),
        until_utc=NOW,
        software="26.1",
        **how,  # type: ignore[arg-type]
    )


def reopened(folder: Path, *, utc: datetime = NOW + timedelta(seconds=3)) -> Record:
    """Open the record as the demo's daemon does: another boot, the computer's own clock."""
    return Record(
        folder / "record",
        origin="demo/9999993",
        key=keys.load(folder / "record-key.pem"),
        clock=ManualClock(utc=utc),
        entropy=FixedEntropy(),  # type: ignore[arg-type]
        software="26.1",
        configuration="c0" * 32,
    )


def results(events: list[Event], test: str) -> list[Event]:
    return [e for e in events if e.draft.type == "test.result" and e.draft.open["test"] == test]


# ---------------------------------------------------------------- the plan


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_nothing_is_later_than_now_and_no_test_is_falsely_due(tmp_path, now):
    ours = ship(tmp_path)
    events = past.plan(ours, until_utc=now)
    assert max(event.at for event in events) < now
    assert [e.at for e in events] == sorted(e.at for e in events)
    local = now.astimezone(ours.ship_time)
    for each in routine.ROUTINES:
        done = results(events, each.id)
        assert done, each.id
        if each.every is not None:
            assert done[-1].at >= past.period_begins(each.every, local), each.id


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_the_newest_result_of_every_test_is_sat_but_of_what_is_broken(tmp_path, now):
    events = past.plan(ship(tmp_path), until_utc=now)
    for each in routine.ROUTINES:
        newest = results(events, each.id)[-1].draft.open
        assert newest["outcome"] == ("failed" if each.id == "t-cctv-look" else "passed"), newest


def test_fourteen_months_hold_what_a_ship_has_done(tmp_path):
    events = past.plan(ship(tmp_path), until_utc=NOW)
    types = Counter(event.draft.type for event in events)
    assert (types["drill.held"], types["exercise.held"], types["port.call"]) == (5, 1, 10)
    assert (types["defect.opened"], types["defect.closed"]) == (3, 2)
    assert types["sensor.proved"] == 2
    ports = [e.draft.open["port"] for e in events if e.draft.type == "port.call"]
    assert ports[::-1] == [
        *("SGSIN", "LKCMB", "OMSLL", "AEJEA", "EGPSD", "GRPIR", "ITGIT", "ESALG", "MAPTM", "NLRTM")
    ]
    assert NOW - events[0].at >= timedelta(days=420)
    days = [event.draft.open["day"] for event in results(events, "t-path")]
    assert len(days) == len(set(days)) == past.DAYS, "one row a ship's day"
    assert days[-1] == "2026-11-21"


def test_the_open_defect_is_the_camera_with_a_measure_and_the_cso_told(tmp_path):
    events = past.plan(ship(tmp_path), until_utc=NOW)
    closed = {e.draft.open["defect"] for e in events if e.draft.type == "defect.closed"}
    (still,) = [
        e.draft.open
        for e in events
        if e.draft.type == "defect.opened" and e.draft.open["defect"] not in closed
    ]
    assert (still["equipment"], still["measure"]) == ("c03", "patrol of the poop every hour")
    assert still["told"][1]["who"] == "CSO P. Okafor"


def test_drills_are_less_than_three_months_apart(tmp_path):
    events = past.plan(ship(tmp_path), until_utc=NOW)
    held = [e.at for e in events if e.draft.type == "drill.held"] + [NOW]
    assert max(b - a for a, b in itertools.pairwise(held)) <= timedelta(days=92)


def test_every_entry_says_that_nothing_of_it_happened(tmp_path):
    for event in past.plan(ship(tmp_path), until_utc=NOW):
        said = event.draft.open
        assert said["simulated"] is True
        marked = said["reason"].startswith("DEMO: ") if "reason" in said else said["generated"]
        assert marked, event


def test_ssas_and_broken_sensors_are_for_the_sso_alone(tmp_path):
    for event in past.plan(ship(tmp_path), until_utc=NOW):
        body = json.dumps([event.draft.subject, event.draft.type, dict(event.draft.open)]).lower()
        if "ssas" in body or "defect" in body or "window" in body:
            assert event.draft.classification is Classification.SSO, event


def test_the_same_moment_gives_the_same_past(tmp_path):
    ours = ship(tmp_path)
    assert past.plan(ours, until_utc=NOW) == past.plan(ours, until_utc=NOW)


def test_a_test_left_due_was_not_done_in_the_period_that_runs(tmp_path):
    ours = ship(tmp_path)
    events = past.plan(ours, until_utc=NOW, left_due=("t-ais",))
    midnight = past.period_begins("day", NOW.astimezone(ours.ship_time))
    assert midnight - timedelta(days=1) <= results(events, "t-ais")[-1].at < midnight
    assert results(events, "t-gnss")[-1].at >= midnight


def test_a_test_of_the_ships_file_keeps_its_own_names(tmp_path):
    events = past.plan(ship(tmp_path), until_utc=NOW)
    draft = results(events, "t-ais")[-1].draft
    assert (draft.subject, draft.open["equipment"]) == ("ais-1", "ais-1")
    assert (draft.open["name"], draft.open["ssp_paragraph"]) == ("AIS SET", "7.6.2")
    assert draft.open["situation"] == "port"
    at_sea = next(e for e in results(events, "t-ais") if e.at < NOW - timedelta(days=60))
    assert at_sea.draft.open["situation"] == "sea"


def test_a_test_of_several_doors_says_of_each_how_it_went(tmp_path):
    of_doors = [e.draft.open for e in results(past.plan(ship(tmp_path), until_utc=NOW), "t-door")]
    (bad,) = [said for said in of_doors if said["outcome"] == "failed"]
    passed, failed = {"item": "d12", "outcome": "passed"}, {"item": "d17", "outcome": "failed"}
    assert bad["items"] == [passed, failed]
    assert of_doors[-1]["items"] == [passed, {**failed, "outcome": "passed"}]


# ---------------------------------------------------------------- in the record


async def test_the_verifier_passes_it_and_what_the_daemon_writes_behind_it(tmp_path):
    said: list[str] = []
    count = await written(tmp_path, say=said.append)
    assert count > 1000
    made = len(past.plan(ship(tmp_path), until_utc=NOW))
    assert said[-1].startswith(f"{made} of {made} entries")
    key = keys.load(tmp_path / "record-key.pem")
    keys.write_public(tmp_path / "key.pub", name="demo/9999993", key=key.public_key())
    record = reopened(tmp_path)
    await record.start()
    await record.submit(
        Draft(
            kind="system",
            type="daemon.started",
            subject="ispsd",
            classification=Classification.WATCH,
        )
    )
    head = await record.seal()
    await record.stop()
    assert int(head.origin.rpartition("/")[2]) == 2, "she changed to the next segment after a year"
    code, words = await verified(tmp_path / "record", tmp_path / "key.pub", head.note)
    assert (code, words.splitlines()[0]) == (0, "PASS"), words


async def test_the_daemon_finds_the_last_results_and_tells_no_station_of_the_past(tmp_path):
    await written(tmp_path)
    record = reopened(tmp_path)
    await record.start()
    last = await record.state(fold.RESULT)
    assert {each.id for each in routine.ROUTINES} == set(last)
    assert last["t-ais"]["ended"].startswith("2026-11-21T16:00:0")
    items = await record.state(fold.ITEM)
    assert {name: said["outcome"] for name, said in items.items()} == {
        "t-door/d12": "passed",
        "t-door/d17": "passed",
    }
    assert await record.state(fold.ALERT) == {}
    assert await record.state(fold.STATION) == {}
    cursor = await record.cursor("event")
    (event,) = await record.events(cursor, 10)
    assert event.type == "history.ended"
    first = await record.entries(Query(limit=2))
    assert [entry.type for entry in first] == ["segment.opened", "history.generated"]
    assert {entry.stamp.clock.value for entry in first} == {"holdover"}
    await record.stop()


async def test_each_entry_stands_at_its_own_time(tmp_path):
    await written(tmp_path)
    rows = [
        json.loads(body)
        for path in sorted((tmp_path / "record").glob("*.db"))
        for (body,) in sqlite3.connect(path).execute("SELECT body FROM entry")
    ]
    of_tests = [row for row in rows if row["type"] == "test.result"]
    assert [row["at"] for row in of_tests] == [row["open"]["ended"] for row in of_tests]
    assert {row["boot"] for row in rows} == {"generated"}


async def test_all_but_the_last_days_was_reviewed_by_the_sso_and_verified_by_the_master(tmp_path):
    count = await written(tmp_path)
    record = reopened(tmp_path)
    await record.start()
    found = await record.entries(Query(type="period.reviewed"))
    seen = await record.state(fold.REVIEWED)
    await record.stop()
    periods = [(entry.open["from"], entry.open["up_to"]) for entry in found]
    assert periods[0][0] == 1
    assert all(later[0] == earlier[1] + 1 for earlier, later in itertools.pairwise(periods))
    assert seen["reviewed"]["up_to"] == seen["verified"]["up_to"] == periods[-1][1] < count
    assert NOW - forms.from_utc(str(seen["reviewed"]["up_to_at"])) < timedelta(days=8)


async def test_a_record_that_exists_is_left_alone(tmp_path):
    count = await written(tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "record").glob("*.db")}
    assert count > 0
    assert await written(tmp_path) == 0
    assert {path: path.read_bytes() for path in (tmp_path / "record").glob("*.db")} == before


async def test_what_was_broken_off_is_begun_again(tmp_path):
    class PowerCutError(Exception):
        pass

    def cut(_: str) -> None:
        raise PowerCutError

    with pytest.raises(PowerCutError):
        await written(tmp_path, say=cut)
    assert not (tmp_path / "record").exists()
    assert await written(tmp_path) > 1000
    assert not (tmp_path / "record.new").exists()


async def test_a_ships_record_gets_no_history(tmp_path):
    ours = ship(tmp_path, origin="ispsd")
    with pytest.raises(IspsdError, match="a ship's record gets no generated history"):
        await history.write_history(ours, until_utc=NOW, software="26.1")
    assert not (tmp_path / "record").exists()
    assert not (tmp_path / "record-key.pem").exists()


async def test_a_disk_that_refuses_is_said_and_leaves_no_half_record(tmp_path):
    (tmp_path / "record.new").write_text("a file where the folder should be", "utf-8")
    with pytest.raises(IspsdError):
        await written(tmp_path)
    assert not (tmp_path / "record").exists()
