"""What the stations are told as time goes on: the next one is called, the gangway is asked, a late answer ends it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Any

from daemon.alerts import catalogue
from daemon.alerts.annunciation import NEXT_AFTER_S, Plan, Settings
from daemon.alerts.engine import Engine
from daemon.assets import asset
from daemon.gate import CovertGate
from daemon.model import Regime, SecurityLevel, Situation, Station
from daemon.mqtt.topics import Topics
from daemon.points.inbox import Inboxes
from daemon.points.points import Points
from daemon.ship.state import ShipState
from daemon.stations.stations import Stations
from daemon.watch.watch import Watch
from tests.checks.rig import HandJournal
from tests.clocks import ManualClock
from tests.test_watch import Rig, Told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from daemon.alerts.alert import Alert

PORT = Situation.PORT
STATIONS = (
    Station("gangway", frozenset({PORT}), gangway=True),
    Station("office", frozenset()),
    Station("bridge", frozenset({Situation.SEA})),
)
PLAN = Plan(NEXT_AFTER_S, {PORT: ("gangway", "office", "bridge")}, {})
PATH, NO_REPLY = "alert/path.fault.ispsd", "alert/gangway.no_reply.gangway"


@asynccontextmanager
async def watching(level: int = 2, *, restored: tuple[Alert, ...] = ()) -> AsyncIterator[Rig]:
    """A watch in port with three stations, of which those are live that the test says; it begins with these alerts."""
    clock, journal, board, faults = ManualClock(), HandJournal(), Told(), {}
    gate, inboxes = CovertGate(clock), Inboxes(clock)
    regime = Regime(PORT, SecurityLevel(level))
    watch = Watch(
        topics=Topics("9999993"),
        openings=[],
        ship=ShipState(PORT, SecurityLevel(level), UTC),
        engine=Engine(catalogue.load(asset("alerts.toml")), regime),
        points=Points({}, started_s=clock.now_s()),
        stations=Stations(STATIONS, PORT),
        inboxes=inboxes,
        clock=clock,
        gate=gate,
        board=board,
        journal=journal,
        faults=lambda: faults,
        annunciation=Settings(PLAN),
    )
    watch.engine.restore(restored, now_s=clock.now_s())
    watch.show_alerts({alert.id: 1 for alert in restored})
    task = asyncio.ensure_future(watch.run())
    await clock.advance(0.0)
    try:
        yield Rig(clock, gate, board, journal, inboxes, watch, faults)
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def live(rig: Rig, seconds: float, *stations: str) -> None:
    """Let time pass while these stations prove that they live."""
    end_s = rig.clock.now_s() + seconds
    while rig.clock.now_s() < end_s:
        for station in stations:
            rig.watch.stations.alive(
                station, shown=True, fresh=True, sound_armed=True, now_s=rig.clock.now_s()
            )
        await rig.clock.advance(min(10.0, end_s - rig.clock.now_s()))


def gangway(rig: Rig) -> dict[str, Any]:
    return rig.board.now["station/gangway"]


async def test_the_next_station_is_called_at_its_moment_and_what_is_on_disk_stays_known():
    async with watching() as rig:
        await live(rig, 5.0, "gangway", "office", "bridge")
        rig.faults["path.fault"] = True
        await live(rig, 32.0, "gangway", "office", "bridge")
        raised = rig.board.now[PATH]
        assert (raised["sounds_at"], raised["recorded"]) == (["gangway"], 1)
        begins_s = rig.watch.engine.find("path.fault", "ispsd").waits_since_s
        before = begins_s + NEXT_AFTER_S - rig.clock.now_s() - 0.25
        await live(rig, before, "gangway", "office", "bridge")
        assert rig.board.now[PATH]["sounds_at"] == ["gangway"]
        await live(rig, 0.25, "gangway", "office", "bridge")
        assert rig.board.now[PATH]["sounds_at"] == ["gangway", "office"]
        assert rig.board.now[PATH]["recorded"] == 1, "that it sounds again is no entry"
        await live(rig, NEXT_AFTER_S, "gangway", "office", "bridge")
        assert rig.board.now[PATH]["sounds_at"] == ["gangway", "office", "bridge"]


async def test_a_station_that_dies_is_passed_over_without_anything_else_happening():
    async with watching() as rig:
        await live(rig, 5.0, "gangway", "office")
        rig.faults["path.fault"] = True
        await live(rig, 32.0, "gangway", "office")
        assert rig.board.now[PATH]["sounds_at"] == ["gangway"]
        told = len(rig.board.of(PATH))
        await live(rig, 27.0, "office")
        assert rig.board.now[PATH]["sounds_at"] == ["gangway", "office"]
        assert len(rig.board.of(PATH)) == told + 1, "told once"


async def test_an_alert_that_is_over_is_not_told_again():
    async with watching() as rig:
        await live(rig, 5.0, "gangway", "office")
        rig.faults["data.simulated"] = True
        await live(rig, 3.0, "gangway")
        rig.faults["data.simulated"] = False
        await live(rig, 400.0, "office")
        assert "alert/data.simulated.ispsd" not in rig.board.now


async def test_a_gangway_that_does_not_answer_is_an_alert_until_somebody_does():
    async with watching() as rig:
        await live(rig, 1799.0, "gangway")
        assert gangway(rig)["reply_wanted"] is None
        await live(rig, 1.0, "gangway")
        wanted = gangway(rig)["reply_wanted"]
        assert wanted["answer_by_up"] - wanted["asked_up"] == 300.0
        await live(rig, 299.0, "gangway")
        assert NO_REPLY not in rig.board.now
        await live(rig, 2.0, "gangway")
        alert = rig.board.now[NO_REPLY]
        assert (alert["title"], alert["priority"], alert["state"]) == ("GANGWAY NO REPLY", "W", "V")
        rig.watch.annunciator.acted("office", rig.clock.now_s())
        await live(rig, 2.0, "gangway")
        assert rig.board.now[NO_REPLY]["state"] == "V", "the office is not the gangway"
        rig.watch.annunciator.acted("gangway", rig.clock.now_s())
        assert gangway(rig)["reply_wanted"] is None
        await live(rig, 2.0, "gangway")
        assert rig.board.now[NO_REPLY]["state"] == "U"


async def test_at_level_one_the_gangway_is_left_alone():
    async with watching(level=1) as rig:
        await live(rig, 4000.0, "gangway")
        assert gangway(rig)["reply_wanted"] is None


async def test_a_question_that_nobody_had_answered_stands_after_a_restart():
    async with watching() as rig:
        await live(rig, 2200.0, "gangway")
        alert = rig.watch.engine.find("gangway.no_reply", "gangway")
    async with watching(restored=(alert,)) as again:
        await live(again, 5.0, "gangway")
        assert gangway(again)["reply_wanted"] is not None
        assert again.watch.engine.find("gangway.no_reply", "gangway").state.value == "V"


async def test_which_stations_sound_is_told_as_soon_as_the_situation_changes():
    async with watching(level=1) as rig:
        await live(rig, 1.0, "gangway")
        assert gangway(rig)["sounds"] is True
        rig.watch.ship.situation = Situation.SEA
        rig.watch.reconsider()
        assert gangway(rig)["sounds"] is False
        assert rig.board.now["station/bridge"]["sounds"] is True
