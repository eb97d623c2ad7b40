"""A restart takes up what was open, by the record alone; what is no longer configured ends by an entry."""

from __future__ import annotations

import io
import json
from contextlib import asynccontextmanager

import pytest

from daemon.errors import RecordError
from daemon.fitting import restore
from daemon.model import Classification, Outcome
from daemon.record.entry import Draft
from daemon.record.log import Record
from daemon.record.reader import Query
from tests.record.ship import alert, record
from tests.ship import HATCH, SEAL_OPEN, Ship, afloat, ashore
from tests.ship_talk import entries, failing_appends

HATCH_ALERT = "alert/door.escape.open.d12"


async def open_hatch(ship: Ship) -> dict:
    await ship.pass_time(1.0)
    await ship.unit.set_input(HATCH, False)
    alert = await ship.until(lambda: ship.state(HATCH_ALERT))
    await ship.pass_time(0.5)
    return alert


def without_hatch(text: str) -> str:
    before, _, rest = text.partition('[[door]]\nid = "d12"')
    return before + "[[door]]" + rest.partition("[[door]]")[2]


def without_gangway(text: str) -> str:
    before, _, rest = text.partition('[[station]]\nid = "gangway"')
    return before + "[[station]]" + rest.partition("[[station]]")[2]


@asynccontextmanager
async def two_watches(tmp_path, first, *, edit=lambda text: text):
    """Sail a first watch, then a second over the same record, with an edited file; of two edits one for each."""
    before, edit = edit if isinstance(edit, tuple) else (lambda text: text, edit)
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds, edit=before):
            await first(ship)
        async with afloat(ship, broker, feeds, edit=edit):
            yield ship


async def test_an_alert_of_a_door_that_is_no_longer_configured_ends_by_an_entry(tmp_path):
    async with two_watches(tmp_path, open_hatch, edit=without_hatch) as ship:
        await ship.pass_time(5.0)
        assert ship.state(HATCH_ALERT) is None
        last = [e for e in await entries(ship) if e["subject"] == "d12"][-1]
        assert (last["open"]["state"], last["open"]["event"]) == ("N", "not_configured")


CAMERA = """
[device.{id}]
kind = "rtsp_camera"
name = "{id}"
place = "poop"
url = "rtsp://127.0.0.1:1/{id}"
behind = "sw1"
"""
GYRO = """
[device.gyro]
kind = "nmea"
feed = "{feed}"
link = {{ kind = "tcp", host = "127.0.0.1", port = 1 }}
"""


async def test_what_no_rule_of_another_file_speaks_of_ends_by_an_entry(tmp_path):
    """Of a switch with one camera left, and of a feed of another kind, nobody would ever say that they are back."""
    switch, feed = "alert/cctv.camera.sw1", "alert/feed.nav.gyro"

    def lost(text: str) -> str:
        cameras = CAMERA.format(id="c1") + CAMERA.format(id="c2")
        return text + cameras + GYRO.format(feed="heading")

    def mended(text: str) -> str:
        return text + CAMERA.format(id="c1") + GYRO.format(feed="equipment")

    async def first(ship: Ship) -> None:
        await ship.pass_time(150.0)
        assert ship.state(switch)
        assert ship.state(feed)

    async with two_watches(tmp_path, first, edit=(lost, mended)) as ship:
        await ship.pass_time(5.0)
        assert ship.state(switch) is None
        assert ship.state(feed) is None
        ended = [e for e in await entries(ship) if e["open"].get("event") == "not_configured"]
        assert {e["open"]["id"] for e in ended} == {"cctv.camera.sw1", "feed.nav.gyro"}


async def test_an_alert_of_a_door_that_is_of_another_class_now_ends_by_an_entry(tmp_path):
    """No rule would ever say that it is over; and none could release it, nor inhibit it."""

    def as_store(text: str) -> str:
        hatch, rest = text.partition('id = "d12"')[::2]
        return hatch + 'id = "d12"' + rest.replace('class = "E"', 'class = "S"', 1)

    async with two_watches(tmp_path, open_hatch, edit=as_store) as ship:
        await ship.pass_time(60.0)
        assert ship.state(HATCH_ALERT) is None
        ended = [e for e in await entries(ship) if e["open"].get("event") == "not_configured"]
        assert [e["open"]["id"] for e in ended] == ["door.escape.open.d12"]


async def test_it_ends_once_and_not_at_every_start(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await open_hatch(ship)
        for _ in range(2):
            async with afloat(ship, broker, feeds, edit=without_hatch):
                await ship.pass_time(1.0)
                ended = [
                    e for e in await entries(ship) if e["open"].get("event") == "not_configured"
                ]
                assert len(ended) == 1


async def test_a_station_that_is_no_longer_configured_is_forgotten(tmp_path):
    async def first(ship: Ship) -> None:
        await ship.ask("gangway", "take_watch", person="L. Tupou")

    async with two_watches(tmp_path, first, edit=without_gangway) as ship:
        await ship.pass_time(6.0)
        assert ship.state("station/gangway") is None
        assert ship.state("station/office")["person"] is None


async def test_since_when_somebody_has_the_watch_is_not_claimed_over_a_restart(tmp_path):
    async def first(ship: Ship) -> None:
        await ship.ask("gangway", "take_watch", person="L. Tupou")
        assert ship.state("station/gangway")["since_up"] is not None

    async with two_watches(tmp_path, first) as ship:
        await ship.pass_time(6.0)
        station = ship.state("station/gangway")
        assert (station["person"], station["since_up"], station["live"]) == (
            "L. Tupou",
            None,
            False,
        )


async def test_a_rectified_alert_that_nobody_acknowledged_is_kept_until_somebody_does(tmp_path):
    async def first(ship: Ship) -> None:
        await open_hatch(ship)
        await ship.unit.set_input(HATCH, True)
        await ship.until(lambda: ship.state(HATCH_ALERT)["state"] == "U")
        await ship.pass_time(0.5)

    async with two_watches(tmp_path, first) as ship:
        await ship.pass_time(5.0)
        kept = ship.state(HATCH_ALERT)
        assert (kept["state"], kept["sounding"]) == ("U", False)
        reply = await ship.ask(
            "bridge", "ack", alert=kept["id"], instance=kept["instance"], priority="W"
        )
        assert reply["accepted"]
        await ship.until(lambda: ship.state(HATCH_ALERT) is None, for_s=1.0)


async def test_an_unacknowledged_alert_sounds_on(tmp_path):
    async with two_watches(tmp_path, open_hatch) as ship:
        await ship.pass_time(2.0)
        assert (ship.state(HATCH_ALERT)["state"], ship.state(HATCH_ALERT)["sounding"]) == (
            "V",
            True,
        )


async def test_instances_go_on_from_the_highest_though_all_are_closed(tmp_path):
    highest = 0

    async def first(ship: Ship) -> None:
        nonlocal highest
        alert = await open_hatch(ship)
        await ship.ask("bridge", "ack", alert=alert["id"], instance=alert["instance"], priority="W")
        await ship.unit.set_input(HATCH, True)
        await ship.until(lambda: ship.state(HATCH_ALERT) is None)
        highest = ship.daemon.engine.last_instance
        assert alert["instance"] == highest

    async with two_watches(tmp_path, first) as ship:
        assert ship.daemon.engine.last_instance == highest
        assert (await open_hatch(ship))["instance"] == highest + 1


@pytest.mark.parametrize(
    ("instances", "stopped", "last"),
    [
        ((), True, 0),
        ((5,), True, 5),
        ((5,), False, 105),
        ((999_950,), False, 51),
        ((999_998, 999_999, 1, 2, 999_999), True, 2),
        ((999_998, 999_999, 1, 2), False, 102),
    ],
)
async def test_after_a_kill_the_numbers_leave_room_for_what_was_told_and_never_written(
    tmp_path, instances, stopped, last
):
    of_tests = record(tmp_path)
    await of_tests.start()
    for number in instances:
        of_tests.submit(alert("d12", instance=number))
    if stopped:
        of_tests.submit(
            Draft(
                kind="system",
                type="daemon.stopped",
                subject="ispsd",
                classification=Classification.WATCH,
                open={},
            )
        )
    await of_tests.drained()
    assert await restore._last_instance(of_tests) == last
    await of_tests.stop()


async def test_instances_that_began_again_at_1_go_on_from_the_newest(tmp_path):
    newest = 0

    async def first(ship: Ship) -> None:
        nonlocal newest
        ship.daemon.engine.last_instance = 999_998
        for _ in range(2):
            alert = await open_hatch(ship)
            newest = alert["instance"]
            asked = {"alert": alert["id"], "instance": alert["instance"], "priority": "W"}
            await ship.ask("bridge", "ack", **asked)
            await ship.unit.set_input(HATCH, True)
            await ship.until(lambda: ship.state(HATCH_ALERT) is None)
        await ship.pass_time(0.5)
        assert newest == ship.daemon.engine.last_instance < 10

    async with two_watches(tmp_path, first) as ship:
        assert ship.daemon.engine.last_instance == newest
        assert (await open_hatch(ship))["instance"] == newest + 1


async def test_what_the_disk_never_had_is_not_restored(tmp_path, monkeypatch):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            failing_appends(monkeypatch)
            await ship.unit.do({"do": "inputs", "on": [2, 3, 4, SEAL_OPEN]})
            await ship.until(lambda: ship.state("alert/seal.broken.s01"))
        monkeypatch.undo()
        async with afloat(ship, broker, feeds):
            assert ship.daemon.engine.find("seal.broken", "s01") is None
            blind = await ship.until(lambda: ship.state("alert/door.blind_open.s01"), for_s=2.0)
            assert blind["name"] == "BOND STORE", "found open, by whom nobody saw"


async def test_results_are_restored_the_newest_of_each_test_with_its_entry(tmp_path):
    seqs: list[int] = []

    async def first(ship: Ship) -> None:
        for _ in range(2):
            await ship.control({"do": "window.open", "by": ["R. Menon", "A. Lindqvist"]})
            await ship.give_notice()
            await ship.control({"do": "test.start", "test": "t-ssas-e-p1", "by": "R. Menon"})
            await ship.control({"do": "window.close", "by": ["R. Menon"]})
            await ship.pass_time(1.0)
        said = await ship.control({"do": "log", "type": "test.result"})
        seqs.extend(json.loads(entry)["seq"] for entry in said["entries"])

    async with two_watches(tmp_path, first) as ship:
        last = ship.daemon.tests.tests["t-ssas-e-p1"].last
        assert (last.outcome, last.seq) == (Outcome.INCONCLUSIVE, max(seqs))
        assert ship.state("sso/equipment/ssas")["last"]["seq"] == max(seqs)
        assert len(seqs) == 2


async def test_covert_an_ssas_test_that_a_stop_cut_off_is_entered_for_the_sso_alone(tmp_path):
    async def first(ship: Ship) -> None:
        await ship.control({"do": "window.open", "by": ["R. Menon", "A. Lindqvist"]})
        await ship.give_notice()
        await ship.control({"do": "test.start", "test": "t-ssas-e-p1", "by": "R. Menon"})
        await ship.pass_time(1.0)

    async with two_watches(tmp_path, first) as ship:
        await ship.pass_time(1.0)
        (entry,) = (await ship.control({"do": "log", "type": "test.result"}))["entries"]
        said = json.loads(entry)
        assert said["class"] == "sso"
        assert said["open"]["outcome"] == Outcome.INCONCLUSIVE
        assert said["open"]["reason"].startswith("interrupted: ")
        assert said["actor"]["person"] == "R. Menon"
        assert ship.state("sso/equipment/ssas")["last"]["seq"] == said["seq"]
        opened = [m for m in ship.heard if "/sso/" not in m.topic and b"ssas" in m.payload.lower()]
        assert opened == [], "a window dies with the process, and nothing open tells of it"


def result_of(test: str, equipment: str, outcome: Outcome) -> Draft:
    return Draft(
        kind=".10",
        type="test.result",
        subject=equipment,
        classification=Classification.SSO,
        open={
            "test": test,
            "outcome": outcome.value,
            "ended": "2026-11-22T02:10:00.000Z",
            "reason": "as said",
        },
    )


async def test_a_yearly_result_is_not_forgotten_over_a_thousand_later_ones(tmp_path):
    """An AIS that proves nothing is tried each hour: a thousand results in six weeks."""

    async def first(ship: Ship) -> None:
        record = ship.daemon.record
        record.submit(result_of("t-ssas-e-p1", "ssas", Outcome.PASSED))
        for _ in range(1001):
            record.submit(result_of("t-ais", "ais", Outcome.INCONCLUSIVE))
        await record.drained()

    async with two_watches(tmp_path, first) as ship:
        last = ship.daemon.tests.tests["t-ssas-e-p1"].last
        assert last is not None
        assert (last.outcome, last.seq > 0) == (Outcome.PASSED, True)


async def test_a_record_that_opens_and_cannot_be_read_leaves_the_watch_in_order(
    tmp_path, monkeypatch
):
    async def damaged(_record, _kind):
        raise RecordError("database disk image is malformed")

    monkeypatch.setattr(Record, "state", damaged)
    log = io.StringIO()
    async with ashore(tmp_path) as (ship, broker, feeds), afloat(ship, broker, feeds, log=log):
        assert "database disk image is malformed" in log.getvalue()
        assert (await open_hatch(ship))["state"] == "V"


SEAL_ROUND = """
[[test]]
kind = "seal_round"
id = "t-seal"
equipment = "seals"
name = "SEAL ROUND"
ssp_paragraph = "7.3.3"
every = "week"
groups = [{ name = "stores", numbers = { n01 = "KS0101" } }]
"""


async def test_the_number_of_a_seal_and_the_ships_orders_outlive_a_restart(tmp_path):
    def edit(text: str) -> str:
        return text + SEAL_ROUND

    by = {"by": "R. Menon"}

    def order(verb: str, **said: object) -> dict:
        return {"do": "order", "verb": verb, "said": said, **by}

    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(1.0)
            await ship.control({"do": "seal", "alert": "n01", "number": "KS0200", **by})
            await ship.control(order("situation", situation="anchor"))
            await ship.control(order("level", level=2, told_by="flag"))
            await ship.control(order("threat", on=True))
            await ship.control(order("ship_time", offset_min=540))
            await ship.control(order("ais_off", on=True, master="A. Lindqvist"))
            area = {"area": "NAVAREA IX 412", "hours": 2}
            await ship.control(order("interference_area", **area))
            said = {"door": "d12", "worker": "D. Kovac", "work": "greasing", "minutes": 30}
            await ship.control(order("permit", **said))
            # An episode of GNSS interference that began, and whose lines nobody wrote: it was killed.
            began = {"began": "2026-11-22T02:09:00.000Z", "instance": 3, "indications": []}
            await ship.daemon.record.submit(
                Draft(
                    kind="system",
                    type="gnss.suspected",
                    subject="gnss",
                    classification=Classification.WATCH,
                    open={**began, "causes": ["height"], "sounded": True},
                )
            )
            await ship.pass_time(60.0)
        async with afloat(ship, broker, feeds, edit=edit):
            await ship.pass_time(1.0)
            assert ship.daemon.register.changed() == {"n01": "KS0200"}
            (lost,) = await ship.daemon.record.entries(Query(type="gnss.recorded"))
            assert (lost.open["began"], lost.open["instance"]) == (began["began"], 3)
            assert "lost" in str(lost.open["lost"])
            ((causes, _),) = ship.daemon._alarmed
            assert causes == ["height"], "nor does it sound again too soon"
            shown = ship.state("ship")
            assert (shown["situation"], shown["security_level"]) == ("anchor", 2)
            assert (shown["threat"], shown["ship_time_offset_min"]) == (True, 540)
            assert shown["ais_off_by"] == "A. Lindqvist"
            assert shown["interference_area"] == "NAVAREA IX 412"
            left_s = shown["interference_ends_up"] - ship.clock.now_s()
            assert 118 * 60 < left_s < 119 * 60, "what was left of it"
            permit = ship.state("permit/d12")
            assert 28 * 60 < permit["ends_up"] - ship.clock.now_s() < 29 * 60, "what was left of it"
            orders = ship.daemon.ship.ais_orders
            ((ordered_utc, ended_utc),) = orders.times
            assert orders.known_since_utc < ordered_utc < ship.clock.utc()
            assert ended_utc is None
