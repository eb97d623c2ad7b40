"""``kill -9`` of the whole daemon under the demo's load: what was told as recorded is on disk (invariant 4)."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from daemon.control import control
from daemon.errors import IspsdError
from tests.pins import PIN, with_pins
from tests.processes.berth import GEN_ROOM, HATCH, SEAL_CLOSED, SEAL_OPEN, alongside
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.processes.berth import Berth
    from tests.processes.rig import Notes, Witness

KILLS = 20
HATCH_ALERT, ROOM_ALERT = "door.escape.open.d12", "door.vital.open.d14"
STATIONS = {
    "bridge": "J. Santos",
    "gangway": "L. Tupou",
    "office": "A. Lindqvist",
    "sso": "R. Menon",
}

MOMENTS = (
    ("on_told", "", 120, 0.0),
    ("on_told", "alert/", 4, 4.0),
    ("on_sent", "", 80, 4.0),
)
"""When a life ends: after which messages, how many of them at most, and how many milliseconds later at most."""


class Load:
    """Doors, stations and the SSO, all at once and as fast as they are answered."""

    def __init__(self, berth: Berth) -> None:
        self._berth = berth
        self._witness = berth.witness
        self._socket = berth.folder / "control.sock"
        self._one_at_a_time = asyncio.Lock()
        self.recorded: list[tuple[dict[str, Any], int]] = []
        """Requests of the control socket, and the entry that the answer named."""
        self.sealed: list[int] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep it up for as long as one life of the daemon."""
        works = (
            self._for_ever(self._doors),
            self._for_ever(self._acknowledgements),
            self._for_ever(self._sso),
            *(self._for_ever(self._take_watch, *who) for who in STATIONS.items()),
        )
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            yield
            # A load that failed would be none, and the test would hold for the wrong reason.
            assert [task.exception() for task in tasks if task.done()] == []
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _for_ever(self, work: Callable[..., Awaitable[None]], *arguments: str) -> None:
        await self._witness.session()
        while True:
            await work(*arguments)

    def doors_are_told(self) -> bool:
        """Return whether the alerts of both doors stand and are recorded."""
        alerts = [self._witness.newest.get(f"alert/{name}") for name in (HATCH_ALERT, ROOM_ALERT)]
        return all(alert is not None and alert["recorded"] for alert in alerts)

    async def _doors(self) -> None:
        """Hatch and generator room stand open until that is recorded, then open and shut in turn."""
        await self._set(HATCH, on=False)
        await self._set(GEN_ROOM, on=True)
        await self._witness.until(self.doors_are_told)
        for on in (True, False):
            await self._set(HATCH, on=on)
            await self._set(GEN_ROOM, on=on)
            await asyncio.sleep(0.4)  # the alert's delay of 0.3 s, and a poll

    async def _set(self, number: int, *, on: bool) -> None:
        # A load that ends with its life still reads the answer, or the next one would get it.
        await asyncio.shield(self._set_in_turn(number, on=on))

    async def _set_in_turn(self, number: int, *, on: bool) -> None:
        async with self._one_at_a_time:
            await self._berth.devices.do("io1", "set", input=number, on=on)

    async def _take_watch(self, station: str, person: str) -> None:
        await self._witness.ask(station, "take_watch", person=person)
        await asyncio.sleep(0.03)  # 20 in 10 s are allowed: let them last for most of a life

    async def _acknowledgements(self) -> None:
        alert = await self._witness.until(self._unacknowledged)
        asked = {key: alert[key] for key in ("instance", "priority")}
        await self._witness.ask("gangway", "ack", alert=alert["id"], person="L. Tupou", **asked)
        await asyncio.sleep(0)

    def _unacknowledged(self) -> dict[str, Any] | None:
        alerts = (body for name, body in self._witness.newest.items() if name.startswith("alert/"))
        return next((body for body in alerts if body["state"] in {"V", "U"}), None)

    async def _sso(self) -> None:
        """A window that opens and closes (entries that are no events), a seal broken and numbered, a signed head."""
        await self._ask({"do": "window.open", "by": ["R. Menon", "A. Lindqvist"]})
        await self._ask({"do": "window.close", "by": ["R. Menon"]})
        alert = {"do": "seal", "alert": "seal.broken.s01", "number": "A-0815", "by": "R. Menon"}
        for opened in (True, False):
            await self._set(SEAL_CLOSED, on=not opened)
            await self._set(SEAL_OPEN, on=opened)
            await asyncio.sleep(0.1)  # one poll of the unit
        await self._ask(alert)
        if (answer := await self._ask({"do": "seal.record"})) is not None:
            self.sealed.append(answer["size"])

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Ask; a daemon that is killed meanwhile, or that refuses, has said nothing."""
        with suppress(IspsdError, OSError, ValueError):
            answer = await control.ask(self._socket, with_pins(request))
            if (seq := answer.get("recorded")) is not None:
                self.recorded.append((request, seq))
            return answer
        await asyncio.sleep(0.01)
        return None


class Deadly:
    """Kills a daemon at a moment that chance chooses: the chance is the same in every run of the test."""

    def __init__(self, seen: Witness, chance: random.Random) -> None:
        self._witness = seen
        self._chance = chance

    async def strike(self, process: Process) -> None:
        """Kill it after so many messages that said *recorded*, of alerts alone or of all, or so many commands."""
        hook, topics, most, soon_ms = self._chance.choice(MOMENTS)
        count, left_ms = self._chance.randint(1, most), self._chance.uniform(0.0, soon_ms)
        moment = asyncio.Event()

        def counted(topic: str) -> None:
            nonlocal count
            count -= topic.startswith(topics)
            if count == 0:
                moment.set()

        setattr(self._witness, hook, counted)
        async with asyncio.timeout(PATIENCE_S):
            await moment.wait()
        await asyncio.sleep(left_ms / 1000)
        process.kill()
        assert await process.wait() == -9
        setattr(self._witness, hook, lambda _: None)


def assert_told_is_stored(notes: Notes, load: Load, record: dict[int, bytes]) -> None:
    """Fail where somebody was told of an entry that does not stand in the record as it was told."""
    for bseq, came in notes.events.items():
        for seq, entry in came:
            assert record[seq] == entry
            assert json.loads(entry)["bseq"] == bseq
    for station, reply in notes.replies:
        entry = json.loads(record[reply["recorded"]])
        wanted = {"take_watch": "watch.taken", "ack": "alert.changed"}[reply["verb"]]
        assert (entry["type"], entry["actor"]["station"]) == (wanted, station)
    for alert in notes.alerts:
        entry = json.loads(record[alert["recorded"]])["open"]
        told = ("id", "instance", "state", "revision", "acknowledged_by")
        assert {key: entry[key] for key in told} == {key: alert[key] for key in told}
    for request, seq in load.recorded:
        entry = json.loads(record[seq])
        assert entry["type"] == {"seal": "seal.numbered"}.get(
            request["do"], request["do"].replace("open", "opened").replace("close", "closed")
        )


async def doors_are_seen_closed(seen: Witness) -> None:
    """Wait before anything moves: what is found open was not opened."""
    for point in ("point/d12", "point/d14"):
        await seen.until(lambda p=point: seen.newest.get(p, {}).get("value") == "closed")


@pytest.mark.timeout("120")
async def test_twenty_kills_lose_nothing_that_a_subscriber_saw_as_recorded(tmp_path: Path) -> None:
    lives = 0
    async with alongside(tmp_path) as berth:
        seen, load = berth.witness, Load(berth)
        deadly = Deadly(seen, random.Random(2026_11_22))
        while lives < KILLS:
            async with berth.daemon() as process:
                if not lives:
                    await doors_are_seen_closed(seen)
                async with load.running():
                    if not lives:
                        await seen.until(load.doors_are_told)
                    await deadly.strike(process)
            lives += 1
            assert_told_is_stored(seen.notes, load, berth.stored())
            await berth.verify(seen.notes.newest_head())
        killed = seen.newest["status"]["session"]
        async with berth.daemon():
            await seen.session(other_than=killed)
        last = max(berth.stored())
        await seen.until(lambda: any(seq == last for [(seq, _), *_] in seen.notes.events.values()))
        record = berth.stored()
        assert_told_is_stored(seen.notes, load, record)
        await berth.verify(*seen.notes.heads.values())
        assert_load_was_one(seen.notes, load)
        assert_events_are_whole(seen.notes, record)
        types = [json.loads(body)["type"] for body in record.values()]
        assert types.count("daemon.started") == KILLS + 1
        assert types.count("daemon.stopped") == 1


def assert_load_was_one(notes: Notes, load: Load) -> None:
    """Fail where a part of the load never came to be recorded: then the test would hold for the wrong reason."""
    assert notes.told > 20 * KILLS
    assert {reply["verb"] for _, reply in notes.replies} == {"take_watch", "ack"}
    assert {alert["id"] for alert in notes.alerts} >= {
        HATCH_ALERT,
        ROOM_ALERT,
        "seal.broken.s01",
    }
    assert {request["do"] for request, _ in load.recorded} == {
        "window.open",
        "window.close",
        "seal",
    }
    assert len(notes.heads) > 5
    assert set(load.sealed) <= set(notes.heads)


def assert_events_are_whole(notes: Notes, record: dict[int, bytes]) -> None:
    """Fail unless every entry for watch stations came as an event, in order but for what came twice."""
    entries = [json.loads(body) for body in record.values()]
    assert sorted(notes.events) == [e["bseq"] for e in entries if e["bseq"] is not None]
    firsts = list(dict.fromkeys(notes.order))
    assert firsts == sorted(firsts)


@pytest.mark.timeout("60")
async def test_open_alerts_and_acknowledgements_survive_a_kill(tmp_path: Path) -> None:
    hatch, room = f"alert/{HATCH_ALERT}", f"alert/{ROOM_ALERT}"
    async with alongside(tmp_path) as berth:
        seen, newest = berth.witness, berth.witness.newest

        def on_disk(name: str, state: str) -> dict[str, Any] | None:
            body = newest.get(name)
            return body if body and body["state"] == state and body["recorded"] else None

        async with berth.daemon() as process:
            first = await seen.session()
            await doors_are_seen_closed(seen)
            await berth.devices.do("io1", "set", input=HATCH, on=False)
            alert = await seen.until(lambda: on_disk(hatch, "V"))
            asked = {key: alert[key] for key in ("instance", "priority")}
            await seen.ask("gangway", "ack", alert=alert["id"], person="L. Tupou", **asked)
            before = {hatch: await seen.until(lambda: on_disk(hatch, "A"))}
            await berth.devices.do("io1", "set", input=GEN_ROOM, on=True)
            before[room] = await seen.until(lambda: on_disk(room, "V"))
            process.kill()
            await process.wait()
        async with berth.daemon():
            await seen.session(other_than=first)
            same = ("id", "instance", "state", "acknowledged_by", "raised_utc")
            for name, body in before.items():
                assert {key: newest[name][key] for key in same} == {key: body[key] for key in same}
            assert newest[hatch]["sounding"] is False
            assert newest[room]["sounding"] is True
            await berth.devices.do("io1", "set", input=HATCH, on=True)
            await berth.devices.do("io1", "set", input=GEN_ROOM, on=False)
            await seen.until(lambda: hatch not in newest and on_disk(room, "U"))
        written = [json.loads(body) for body in berth.stored().values()]
        states = [e["open"]["state"] for e in written if e["open"].get("id") == alert["id"]]
        assert states == ["V", "A", "N"], "the restart made no entry of what had not changed"


@pytest.mark.timeout("60")
async def test_inhibits_permits_out_of_service_and_a_blackout_survive_a_kill(
    tmp_path: Path,
) -> None:
    """Each has the same end afterwards, and a hatch that is inhibited says nothing."""
    hatch = f"alert/{HATCH_ALERT}"
    ordered = (f"inhibit/{HATCH_ALERT}", "sso/out_of_service/d14", "permit/d11", "equipment/d14")
    async with alongside(tmp_path) as berth:
        seen, newest = berth.witness, berth.witness.newest
        async with berth.daemon() as process:
            first = await seen.session()
            await doors_are_seen_closed(seen)
            await _order_everything(tmp_path / "control.sock")
            await seen.until(lambda: all(name in newest for name in ordered))
            before = {name: newest[name] for name in (*ordered, "ship")}
            process.kill()
            await process.wait()
        async with berth.daemon():
            await seen.session(other_than=first)
            await berth.devices.do("io1", "set", input=HATCH, on=False)
            await seen.until(lambda: newest.get("point/d12", {}).get("value") == "open")
            # Another door goes all its way to an alert: the hatch had the time to.
            await berth.devices.do("io1", "set", input=SEAL_CLOSED, on=False)
            await berth.devices.do("io1", "set", input=SEAL_OPEN, on=True)
            await seen.until(lambda: any(name.startswith("alert/seal.") for name in newest))
            assert hatch not in newest
            for name in ordered:
                ends = ("ends_utc", "by", "reason", "person", "readiness")
                assert {k: newest[name].get(k) for k in ends} == {
                    k: before[name].get(k) for k in ends
                }, name
            planned, was = newest["ship"]["blackout"], before["ship"]["blackout"]
            assert {k: planned[k] for k in ("begins_utc", "ends_utc", "by")} == {
                k: was[k] for k in ("begins_utc", "ends_utc", "by")
            }


async def _order_everything(socket: Path) -> None:
    """Give one order of each kind that ends by itself; each is answered when it is on disk."""
    inhibit = {"alert": HATCH_ALERT, "minutes": 60, "reason": "contact loose"}
    permit = {"door": "d11", "worker": "D. Kovac", "work": "greasing", "minutes": 30}
    for verb, said in (
        ("inhibit", inhibit),
        ("permit", permit),
        ("blackout", {"minutes": 60, "begins": f"{_in_two_hours():%H%M}Z"}),
    ):
        request = {"do": "order", "verb": verb, "said": said, "by": "J. Santos"}
        assert (await control.ask(socket, request))["recorded"] is not None
    out = {"do": "out_of_service", "equipment": "d14", "hours": 4}
    out |= {"reason": "rewiring", "measure": "man at the door", "by": ["R. Menon", "A. Lindqvist"]}
    out |= {"pins": [PIN, PIN]}
    assert (await control.ask(socket, out))["recorded"] is not None


def _in_two_hours() -> datetime:
    return datetime.now(UTC) + timedelta(hours=2)


LATER_MS = (None, 0.0, 1.0, 3.0)
"""How long after an acknowledgement was sent the daemon dies; None: once it has answered."""


@pytest.mark.timeout("120")
async def test_peers_9_an_acknowledgement_is_there_whole_or_not_at_all_and_what_is_known_stays_so(
    tmp_path: Path,
) -> None:
    """Signal K #2856: after a crash everything alarms again, acknowledged or not."""
    hatch, killed = f"alert/{HATCH_ALERT}", None
    async with alongside(tmp_path) as berth:
        seen, alert, is_there = berth.witness, None, False
        for later_ms in LATER_MS:
            async with berth.daemon() as process:
                killed = await seen.session(other_than=killed)
                if alert is not None:
                    await _goes_on(berth, hatch, alert, is_there=is_there)
                alert = await _opened(berth, HATCH, hatch, before=alert is None)
                asked = {key: alert[key] for key in ("instance", "priority")}
                asking = asyncio.ensure_future(
                    seen.ask("gangway", "ack", alert=alert["id"], person="L. Tupou", **asked)
                )
                if later_ms is None:
                    assert (await asking)["recorded"] is not None
                else:
                    await asyncio.sleep(later_ms / 1000)
                process.kill()
                await process.wait()
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            is_there = _acknowledgement(berth, alert)
            assert is_there or later_ms is not None, "what was answered as recorded is there"
        async with berth.daemon():
            await seen.session(other_than=killed)
            await _goes_on(berth, hatch, alert, is_there=is_there)


async def _goes_on(berth: Berth, name: str, alert: dict[str, Any], *, is_there: bool) -> None:
    """Fail unless the alert is as it was before the kill, and stays so; then end it."""
    now, by = berth.witness.newest[name], {"station": "gangway", "person": "L. Tupou"}
    wanted = ("A", by) if is_there else ("V", None)
    assert now["instance"] == alert["instance"]
    assert (now["state"], now["acknowledged_by"]) == wanted
    # Another door goes all its way to an alert and back: this one had the same time to alarm again.
    await _over(berth, GEN_ROOM, f"alert/{ROOM_ALERT}")
    now = berth.witness.newest[name]
    assert (now["sounding"], now["instance"]) == (not is_there, alert["instance"])
    await _over(berth, HATCH, name)


async def _opened(berth: Berth, number: int, name: str, *, before: bool = False) -> dict[str, Any]:
    """Open a door; return its alert, as soon as that is recorded."""
    if before:
        await doors_are_seen_closed(berth.witness)
    await berth.devices.do("io1", "set", input=number, on=number == GEN_ROOM)
    newest = berth.witness.newest

    def told() -> dict[str, Any] | None:
        body = newest.get(name)
        return body if body and body["state"] in "VA" and body["recorded"] is not None else None

    alert: dict[str, Any] = await berth.witness.until(told)
    return alert


async def _over(berth: Berth, number: int, name: str) -> None:
    """Open a door where it is not, acknowledge its alert where nobody did, and shut it again."""
    seen = berth.witness
    alert = await _opened(berth, number, name)
    if alert["state"] == "V":
        asked = {key: alert[key] for key in ("instance", "priority")}
        reply = await seen.ask("gangway", "ack", alert=alert["id"], person="L. Tupou", **asked)
        assert reply["accepted"], reply
    await berth.devices.do("io1", "set", input=number, on=number != GEN_ROOM)
    await seen.until(lambda: name not in seen.newest)


def _acknowledgement(berth: Berth, alert: dict[str, Any]) -> bool:
    """Return whether the record has the acknowledgement of an alert; fail where it has a part of one."""
    entries = [json.loads(body) for body in berth.stored().values()]
    of_alert = [e for e in entries if e["open"].get("id") == alert["id"]]
    found = [
        e
        for e in of_alert
        if e["open"]["instance"] == alert["instance"] and e["open"]["event"] == "acknowledge"
    ]
    for entry in found:
        assert entry["open"]["state"] == "A"
        assert entry["open"]["acknowledged_by"] == {"station": "gangway", "person": "L. Tupou"}
        assert (entry["actor"]["station"], entry["actor"]["person"]) == ("gangway", "L. Tupou")
    assert len(found) <= 1
    return bool(found)
