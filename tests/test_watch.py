"""What a reading becomes for the stations: how often it is told, when it is too old, what waits for the disk."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from daemon.alerts import catalogue, policy
from daemon.alerts.alert import Acknowledgement, Source
from daemon.alerts.engine import Engine
from daemon.alerts.lifecycle import Event
from daemon.alerts.rules.api import Deaf, Moment
from daemon.alerts.rules.openings import OpeningRule
from daemon.assets import asset
from daemon.checks.api import counts_as_evidence
from daemon.gate import CovertGate
from daemon.model import (
    Classification,
    ContactState,
    Fix,
    LampState,
    Motion,
    Position,
    Quality,
    Regime,
    SecurityLevel,
    Situation,
    Station,
)
from daemon.mqtt.topics import Topics
from daemon.points.inbox import Inboxes
from daemon.points.points import Points
from daemon.ship.state import ShipState
from daemon.stations.stations import Stations
from daemon.watch.watch import Watch
from tests.checks.rig import HandJournal
from tests.clocks import ManualClock
from tests.makers import HATCH, SEAL, reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from daemon.alerts.catalogue import AlertKind
    from daemon.model import Reading

OPEN, CLOSED = ContactState.OPEN, ContactState.CLOSED
VALID_S = 30.0
HATCH_ALERT = "alert/door.escape.open.d12"
POINTS = ("d12", "s01", "gps1.motion", "gps1.fix", "ssas.lamp")


@dataclass
class Told:
    """A board that remembers everything that was put on it."""

    everything: list[tuple[str, dict[str, Any], float]] = field(default_factory=list)
    now: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, topic: str, body: Any, up_s: float, *, last: bool = False) -> None:
        name = topic.removeprefix("ispsd/9999993/v1/")
        self.everything.append((name, dict(body), up_s))
        self.now[name] = dict(body)
        if last:
            del self.now[name]

    def remove(self, topic: str) -> None:
        self.now.pop(topic.removeprefix("ispsd/9999993/v1/"), None)

    def of(self, name: str) -> list[dict[str, Any]]:
        return [body for topic, body, _ in self.everything if topic == name]


@dataclass
class Rig:
    """A watch with a clock, a board and a disk that are moved by hand."""

    clock: ManualClock
    gate: CovertGate
    board: Told
    journal: HandJournal
    inboxes: Inboxes
    watch: Watch
    faults: dict[str, bool]

    def sees(self, point: str, value: Any, **how: Any) -> Reading:
        said = reading(point, value, at_s=self.clock.now_s(), **how)
        self.watch.take(said)
        return said

    async def pass_time(self, seconds: float, *, sees: dict[str, Any] | None = None) -> None:
        """Let time pass; some points are seen again four times a second."""
        for _ in range(int(seconds * 4)):
            for point, value in (sees or {}).items():
                self.sees(point, value)
            await self.clock.advance(0.25)

    async def hatch_opens(self) -> dict[str, Any]:
        self.sees("d12", CLOSED)
        await self.clock.advance(1.0)
        self.sees("d12", OPEN)
        await self.clock.advance(0.3)
        return self.board.now[HATCH_ALERT]


@asynccontextmanager
async def watching(
    *, kinds: Callable[[dict[str, AlertKind]], None] = lambda _: None
) -> AsyncIterator[Rig]:
    clock, journal, board, faults = ManualClock(), HandJournal(), Told(), {}
    known = dict(catalogue.load(asset("alerts.toml")))
    kinds(known)
    gate, inboxes = CovertGate(clock), Inboxes(clock)
    watch = Watch(
        topics=Topics("9999993"),
        openings=[HATCH, SEAL],
        ship=ShipState(Situation.PORT, SecurityLevel.ONE, UTC),
        engine=Engine(known, Regime(Situation.PORT, SecurityLevel.ONE)),
        points=Points(dict.fromkeys(POINTS, VALID_S), started_s=clock.now_s()),
        stations=Stations([Station("gangway", frozenset({Situation.PORT}))], Situation.PORT),
        inboxes=inboxes,
        clock=clock,
        gate=gate,
        board=board,
        journal=journal,
        faults=lambda: faults,
    )
    doors = policy.load(asset("policy.toml"))
    watch.follow(
        OpeningRule(opening, bus=None, lock=None, policy=doors, holds=watch.engine.holds)
        for opening in (HATCH, SEAL)
    )
    task = asyncio.ensure_future(watch.run())
    await clock.advance(0.0)
    try:
        yield Rig(clock, gate, board, journal, inboxes, watch, faults)
        assert not task.done(), "the watch ended by itself"
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


BY = Acknowledgement("gangway", "L. Tupou")


async def test_a_contact_is_told_at_once_each_time_and_an_unchanged_one_before_it_expires():
    async with watching() as rig:
        for state in (CLOSED, OPEN, CLOSED):
            rig.sees("d12", state)
        assert [m["value"] for m in rig.board.of("point/d12")] == ["closed", "open", "closed"]
        await rig.pass_time(9.75, sees={"d12": CLOSED})
        assert len(rig.board.of("point/d12")) == 3
        await rig.pass_time(VALID_S, sees={"d12": CLOSED})
        assert len(rig.board.of("point/d12")) == 6, "each third of its validity"


async def test_a_measured_value_is_told_once_a_second_and_the_last_one_is_never_lost():
    async with watching() as rig:
        for quarter in range(20):
            rig.sees("gps1.motion", Motion(float(quarter), None))
            await rig.clock.advance(0.25)
        await rig.pass_time(2.0)
        told = rig.board.of("point/gps1.motion")
        assert 5 <= len(told) <= 7
        assert told[-1]["value"]["sog_kn"] == 19.0
        ups = [up_s for name, _, up_s in rig.board.everything if name == "point/gps1.motion"]
        assert ups == sorted(ups)
        assert told[-1] != told[-2]


async def test_a_value_that_is_too_old_is_shown_as_stale_without_its_value():
    async with watching() as rig:
        rig.sees("d12", CLOSED)
        await rig.clock.advance(VALID_S)
        assert rig.board.now["point/d12"]["quality"] == "good"
        await rig.clock.advance(1.0)
        assert rig.board.now["point/d12"]["quality"] == "stale"
        assert rig.board.now["point/d12"]["value"] is None


async def test_a_point_shows_its_short_name_and_never_its_place():
    async with watching() as rig:
        rig.sees("d12", CLOSED)
        assert rig.board.now["point/d12"]["name"] == "STRG GEAR ESC"
        assert "poop" not in str(rig.board.everything)


async def test_covert_a_private_reading_without_a_window_does_not_exist():
    async with watching() as rig:
        with rig.inboxes.listen(["ssas.lamp"]) as inbox:
            rig.sees("ssas.lamp", LampState.LIT, classification=Classification.SSO)
            assert rig.board.everything[-1][0] != "sso/point/ssas.lamp"
            assert rig.watch.points.newest("ssas.lamp") is None
            assert await inbox.next(until_s=0.0) is None
            rig.gate.open(duration_s=60.0, opened_by=("a", "b"))
            said = rig.sees("ssas.lamp", LampState.LIT, classification=Classification.SSO)
            assert rig.board.now["sso/point/ssas.lamp"]["value"] == "lit"
            assert await inbox.next(until_s=0.0) is said
            rig.watch.forget(["ssas.lamp"])
            assert "sso/point/ssas.lamp" not in rig.board.now
            assert rig.watch.points.newest("ssas.lamp") is None
        assert rig.journal.drafts == []
        assert not [n for n, _, _ in rig.board.everything if "ssas" in n and "sso/" not in n]


async def test_an_alert_is_told_before_it_is_on_disk_and_again_when_it_is():
    async with watching() as rig:
        rig.journal.hangs = True
        alert = await rig.hatch_opens()
        assert (alert["state"], alert["recorded"], alert["sounds_at"]) == ("V", None, ["gangway"])
        rig.journal.write()
        await rig.clock.advance(0.0)
        assert rig.board.now[HATCH_ALERT] == {**alert, "recorded": 1}


async def test_an_entry_that_comes_late_does_not_bring_back_what_has_passed():
    async with watching() as rig:
        rig.journal.hangs = True
        alert = await rig.hatch_opens()
        now_s, now_utc = rig.clock.now_s(), rig.clock.utc()
        change = rig.watch.engine.acknowledge(
            alert["id"], alert["instance"], BY, now_s=now_s, now_utc=now_utc
        )
        assert change is not None
        rig.watch.announce(change)
        rig.journal.write(1)
        await rig.clock.advance(0.0)
        assert rig.board.now[HATCH_ALERT]["state"] == "A"
        assert rig.board.now[HATCH_ALERT]["recorded"] is None
        rig.journal.write()
        await rig.clock.advance(0.0)
        assert rig.board.now[HATCH_ALERT]["recorded"] == 2


async def test_an_entry_of_an_alert_that_is_normal_shows_nothing():
    async with watching() as rig:
        rig.journal.hangs = True
        rig.faults["data.simulated"] = True
        await rig.clock.advance(1.0)
        assert "alert/data.simulated.ispsd" in rig.board.now
        rig.faults["data.simulated"] = False
        await rig.clock.advance(1.0)
        assert "alert/data.simulated.ispsd" not in rig.board.now
        assert rig.board.of("alert/data.simulated.ispsd")[-1]["state"] == "N", "its end is told"
        rig.journal.write()
        await rig.clock.advance(0.0)
        assert "alert/data.simulated.ispsd" not in rig.board.now


async def test_an_entry_that_is_lost_leaves_the_alert_unrecorded():
    async with watching() as rig:
        rig.journal.hangs = True
        await rig.hatch_opens()
        rig.journal.lose()
        await rig.clock.advance(1.0)
        assert rig.board.now[HATCH_ALERT]["recorded"] is None


async def test_sounding_again_is_told_and_is_no_entry():
    async with watching() as rig:
        alert = await rig.hatch_opens()
        assert [d.open["event"] for d in rig.journal.drafts] == ["condition_true"]
        await rig.pass_time(61.0, sees={"d12": OPEN})
        again = rig.board.now[HATCH_ALERT]
        assert (again["escalation"], again["instance"]) == (1, alert["instance"])
        hatch = [d.open["event"] for d in rig.journal.drafts if d.subject == "d12"]
        assert hatch == ["condition_true"]


async def test_an_alarm_that_counts_is_told_and_is_no_entry_and_a_promotion_is_one():
    async with watching() as rig:
        rig.watch.ship.level = SecurityLevel.TWO
        rig.watch.become()
        await rig.hatch_opens()
        for _ in range(38):
            await rig.pass_time(10.0, sees={"d12": OPEN})
        now = rig.board.now[HATCH_ALERT]
        assert (now["priority"], now["state"], now["escalation"]) == ("A", "V", 6)
        hatch = [d.open["event"] for d in rig.journal.drafts if d.subject == "d12"]
        assert hatch == ["condition_true", "promote"]


async def test_who_listens_hears_each_change_after_the_stations_and_before_the_record():
    async with watching() as rig:
        heard = []
        rig.watch.on_change(
            lambda change: heard.append(
                (change.event, HATCH_ALERT in rig.board.now, len(rig.journal.drafts))
            )
        )
        await rig.hatch_opens()
        rig.watch.silence(BY)
        assert heard == [(Event.CONDITION_TRUE, True, 0), (Event.SILENCE, True, 1)]
        await rig.pass_time(91.0, sees={"d12": OPEN})
        events = [event for event, _, _ in heard[2:]]
        assert events.count(Event.REPEAT) == 1, "what is no news for the record is heard too"


async def test_a_listener_with_a_bug_keeps_nobody_from_hearing():
    async with watching() as rig:
        heard = []

        def fails(change):
            raise ZeroDivisionError

        rig.watch.on_change(fails)
        rig.watch.on_change(heard.append)
        alert = await rig.hatch_opens()
        assert alert["sounding"]
        assert len(heard) == 1
        assert [d.open["event"] for d in rig.journal.drafts] == ["condition_true"]


async def test_a_door_that_rests_is_not_asked_each_second_and_is_judged_when_it_moves():
    async with watching() as rig:
        asked = []
        for rule in rig.watch._judging.rules:
            look = rule.look
            rule.look = lambda moment, look=look, rule=rule: (
                asked.append(rule.opening.id),
                look(moment),
            )[1]
        rig.sees("d12", CLOSED)
        await rig.clock.advance(5.0)
        assert asked.count("d12") == 1
        rig.sees("d12", OPEN)
        await rig.clock.advance(5.0)
        assert asked.count("d12") >= 6, "how long it stands open is another matter each second"
        assert rig.board.now[HATCH_ALERT]["state"] == "V"


async def test_silencing_names_who_did_it_and_sounds_again_after_thirty_seconds():
    async with watching() as rig:
        await rig.hatch_opens()
        assert len(rig.watch.silence(BY)) == 1
        assert rig.journal.drafts[-1].actor.person == "L. Tupou"
        await rig.clock.advance(29.9)
        assert rig.board.now[HATCH_ALERT]["sounding"] is False
        await rig.clock.advance(0.1)
        assert rig.board.now[HATCH_ALERT]["sounding"] is True
        assert rig.journal.drafts[-1].actor.person is None, "nobody did that"


@pytest.mark.parametrize(("open_s", "raised"), [(0.3, True), (0.25, False)])
async def test_a_door_counts_as_open_after_its_delay(open_s, raised):
    async with watching() as rig:
        rig.sees("d12", CLOSED)
        await rig.clock.advance(1.0)
        rig.sees("d12", OPEN)
        await rig.clock.advance(open_s)
        rig.sees("d12", CLOSED)
        await rig.clock.advance(1.0)
        assert bool(rig.board.of(HATCH_ALERT)) is raised


async def test_an_alert_for_the_sso_only_is_written_and_on_no_board():
    def private(known: dict[str, AlertKind]) -> None:
        kind = known["data.simulated"]
        known["data.simulated"] = kind.model_copy(update={"show": Classification.SSO})

    async with watching(kinds=private) as rig:
        rig.faults["data.simulated"] = True
        await rig.clock.advance(1.0)
        (draft,) = [d for d in rig.journal.drafts if d.subject == "ispsd"]
        assert draft.classification is Classification.SSO
        assert not [name for name, _, _ in rig.board.everything if "simulated" in name]


async def test_a_bug_of_who_looks_too_takes_neither_the_watch_nor_others_along():
    looked: list[str] = []

    def buggy() -> None:
        looked.append("buggy")
        raise ZeroDivisionError

    async with watching() as rig:
        rig.watch.also_look += [buggy, lambda: looked.append("sound")]
        await rig.clock.advance(3.0)
        assert looked == ["buggy", "sound"] * 3
        assert (await rig.hatch_opens())["sounding"] is True


async def test_every_look_is_progress():
    async with watching() as rig:
        looks = rig.watch.looks
        await rig.clock.advance(10.0)
        assert rig.watch.looks == looks + 10


async def test_an_entry_of_an_older_instance_is_not_shown_over_the_new_one():
    async with watching() as rig:
        rig.journal.hangs = True
        for holds in (True, False, True):
            rig.faults["data.simulated"] = holds
            await rig.clock.advance(1.0)
        shown = rig.board.now["alert/data.simulated.ispsd"]
        assert shown["instance"] == 2
        rig.journal.write(1)
        await rig.clock.advance(0.0)
        assert rig.board.now["alert/data.simulated.ispsd"] == shown
        rig.journal.write()
        await rig.clock.advance(0.0)
        assert rig.board.now["alert/data.simulated.ispsd"]["recorded"] == 3


async def test_a_reading_of_a_point_that_nobody_declared_is_counted_and_hurts_nobody():
    async with watching() as rig:
        before = len(rig.board.everything)
        rig.sees("io1.nobody", 1.0)
        assert rig.watch.points.refused == 1
        assert len(rig.board.everything) == before


class Broken:
    """A rule with a bug, about one door."""

    points = frozenset({"d12"})
    devices: frozenset[str] = frozenset()

    def link(self, device, *, up, now_s, reason):
        raise AssertionError("it has no device")

    def take(self, reading, change):
        raise ZeroDivisionError

    def look(self, moment):
        raise ZeroDivisionError


async def test_a_rule_with_a_bug_is_said_once_and_takes_nobody_along():
    async with watching() as rig:
        rig.watch.follow([Broken(), *rig.watch._judging.rules])
        alert = await rig.hatch_opens()
        assert alert["title"] == "ESC HATCH OPEN"
        await rig.pass_time(3.0)
        faults = [draft for draft in rig.journal.drafts if draft.type == "rule.fault"]
        assert [dict(draft.open) for draft in faults] == [
            {"rule": "Broken", "about": "d12", "reason": "ZeroDivisionError"}
        ]


# --- while GNSS is suspect ---

SUSPECT_NOW = [
    ("gps1.fix", Fix(Position(1.0, 104.0), 1, 9, 0.9)),
    ("gps1.motion", Motion(12.0, 90.0)),
]


@pytest.mark.parametrize(("point", "value"), SUSPECT_NOW, ids=["fix", "motion"])
async def test_while_suspect_nothing_trusts_position(point, value):
    async with watching() as rig:
        with rig.inboxes.listen([point]) as heard:
            rig.sees(point, value)
            gnss = Source("gnss", "GNSS", "gnss")
            rig.watch.engine.condition("gnss.suspect", gnss, active=True, now_s=rig.clock.now_s())
            rig.watch.look()
            await rig.clock.advance(1.0)
            stands = rig.watch.points.newest(point)
            assert stands is not None
            assert stands.quality is Quality.SUSPECT, "what stood is doubted at once"
            rig.sees(point, value)
            await rig.clock.advance(1.0)
            told = [body["quality"] for body in rig.board.of(f"point/{point}")]
            assert told[0] == "good"
            assert set(told[1:]) == {"suspect"}
            said = [await heard.next(until_s=rig.clock.now_s()) for _ in range(3)]
            assert [r.quality.value for r in said if r] == ["good", "suspect", "suspect"]
            assert [counts_as_evidence(r, demo=True) for r in said if r] == [True, False, False]
            rig.watch.engine.condition("gnss.suspect", gnss, active=False, now_s=rig.clock.now_s())
            await rig.clock.advance(1.0)
            rig.sees(point, value)
            stands = rig.watch.points.newest(point)
            assert stands is not None
            assert stands.quality is Quality.GOOD


async def test_a_rule_is_told_that_the_position_is_suspect():
    class Asking(Deaf):
        points = frozenset({"d12"})
        seen: ClassVar[list[bool]] = []

        def take(self, reading: Reading, change: object) -> None:
            pass

        def look(self, moment: Moment) -> list[object]:
            self.seen.append(moment.position_is_suspect)
            return []

    async with watching() as rig:
        rule = Asking()
        rig.watch.follow([rule])  # type: ignore[list-item]
        await rig.pass_time(1.0)
        gnss = Source("gnss", "GNSS", "gnss")
        rig.watch.engine.condition("gnss.suspect", gnss, active=True, now_s=rig.clock.now_s())
        await rig.pass_time(3.0)
        assert (rule.seen[0], rule.seen[-1]) == (False, True)
