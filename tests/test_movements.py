"""Doors are counted by the day, clearly seen movements only, and what was written goes on after a restart."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from daemon.model import Classification, ContactState, Provenance, Quality
from daemon.points.inbox import Inboxes
from daemon.watch.movements import Door, Movements
from tests.checks.rig import SHIP_TIME, HandJournal
from tests.clocks import ManualClock
from tests.makers import UTC_0210, reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)
FIVE = {"cycles": 5, "faults": 0, "first": None, "last": None}
O, C, X = ContactState.OPEN, ContactState.CLOSED, ContactState.LINE_FAULT  # noqa: E741


@asynccontextmanager
async def counting_runs(counts: Movements, clock: ManualClock) -> AsyncIterator[None]:
    task = asyncio.ensure_future(counts.run())
    await clock.advance(0.0)
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})


class Ship:
    def __init__(
        self, clock: ManualClock | None = None, *, doors: tuple[str, ...] = ("d01", "d02")
    ) -> None:
        self.clock = clock or ManualClock()
        self.inboxes = Inboxes(self.clock)
        self.journal = HandJournal()
        self.ship_time: timezone = SHIP_TIME
        self.counts = Movements(
            doors,
            others=("d05.lock",),
            demo=False,
            ship_time=lambda: self.ship_time,
            clock=self.clock,
            inboxes=self.inboxes,
            journal=self.journal,
        )

    async def moves(self, door: str, *states: ContactState | None) -> None:
        for state in states:
            said = reading(door, state, at_s=self.clock.now_s())
            self.inboxes.offer(said)
            await self.clock.advance(1.0)

    def written(self) -> list[dict[str, object]]:
        return [dict(draft.open) for draft in self.journal.drafts]

    def cycles(self, moment: datetime) -> dict[str, int] | None:
        moved = self.counts.of_day(moment.astimezone(self.ship_time).date())
        return None if moved is None else {door: m.cycles for door, m in moved.items() if m.cycles}


async def test_what_a_loop_check_moves_is_no_use_in_service():
    ship = Ship()
    async with counting_runs(ship.counts, ship.clock):
        for state in (C, O, C):
            ship.inboxes.offer(reading("d01", state, provenance=Provenance.TEST))
            await ship.clock.advance(1.0)
        assert ship.cycles(UTC_0210) == {}
        await ship.moves("d01", C, O, C)
        assert ship.cycles(UTC_0210) == {"d01": 1}


@pytest.mark.parametrize(
    ("states", "cycles", "faults"),
    [
        ([], 0, 0),
        ([C, C], 0, 0),
        ([C, O], 0, 0),
        ([C, O, C], 1, 0),
        ([O, C, O], 1, 0),
        ([C, O, C, O, C], 2, 0),
        ([C, O, X, C], 0, 1),
        ([C, O, X, C, O], 0, 1),
        ([C, X, O, C], 0, 1),
        ([C, None, None, O, C], 0, 1),
        ([X, C, O, C], 1, 0),
        ([C, X, C, O, C], 1, 1),
    ],
)
def test_a_cycle_is_leaving_a_state_and_coming_back_seen_all_the_while(states, cycles, faults):
    door = Door()
    for state in states:
        door.take(reading("d01", state), counts=True)
    assert (door.moved.cycles, door.moved.faults) == (cycles, faults)


@pytest.mark.parametrize(
    "how",
    [
        {"quality": Quality.SUSPECT},
        {"provenance": Provenance.SIMULATED},
        {"provenance": Provenance.REPLAY},
    ],
)
async def test_what_is_no_evidence_is_not_counted(how):
    ship = Ship()
    async with counting_runs(ship.counts, ship.clock):
        for state in (C, O, C):
            ship.inboxes.offer(reading("d01", state, **how))
            await ship.clock.advance(1.0)
        assert ship.cycles(UTC_0210) == {}


async def test_one_entry_a_ships_day_for_the_sso_alone():
    ship = Ship(ManualClock(utc=MIDNIGHT - timedelta(minutes=5)))
    async with counting_runs(ship.counts, ship.clock):
        await ship.moves("d01", C, O, C)
        await ship.clock.advance(297.0)
        (draft,) = ship.journal.drafts
        assert (draft.kind, draft.type) == ("system", "doors.counted")
        assert draft.classification is Classification.SSO
        assert draft.open == {
            "day": "2026-11-22",
            "doors": [
                {
                    "door": "d01",
                    "cycles": 1,
                    "faults": 0,
                    "first": "2026-11-22T02:10:00.000Z",
                    "last": "2026-11-22T02:10:00.000Z",
                }
            ],
            "moved": [{"point": "d01", "at": "2026-11-22T02:10:00.000Z"}],
        }
        assert ship.cycles(MIDNIGHT - timedelta(seconds=1)) == {"d01": 1}, "yesterday is kept"
        assert ship.cycles(MIDNIGHT) == {}
        assert ship.cycles(MIDNIGHT - timedelta(days=2)) is None
        await ship.moves("d01", O, C)
        assert ship.cycles(MIDNIGHT) == {"d01": 1}, "how it stands goes over midnight"
        await ship.clock.advance(3600.0)
        assert len(ship.journal.drafts) == 1


async def test_a_stop_writes_what_was_counted_and_the_day_goes_on_after_it():
    ship = Ship()
    async with counting_runs(ship.counts, ship.clock):
        await ship.moves("d01", C, O, C)
    (body,) = ship.written()
    again = Ship(ship.clock)
    again.counts.take_up(body)  # type: ignore[arg-type]
    async with counting_runs(again.counts, again.clock):
        await again.moves("d01", C, O, C)
        assert again.cycles(again.clock.utc()) == {"d01": 2}
        first = again.counts.of_day(UTC_0210.date())
        assert first is not None
        assert first["d01"].first_utc == UTC_0210


async def test_a_stop_without_movement_writes_nothing():
    ship = Ship()
    async with counting_runs(ship.counts, ship.clock):
        await ship.moves("d01", C, C)
    assert ship.written() == []


@pytest.mark.parametrize(
    "body",
    [
        None,
        {"day": "2026-11-21", "doors": [{"door": "d01", **FIVE}]},
        {"day": "2026-11-22", "doors": [{"door": "d77", **FIVE}]},
        {"day": "2026-11-22", "doors": {}},
        {"day": "2026-11-22", "doors": ["d01"]},
    ],
)
async def test_what_is_not_of_today_or_not_of_this_ship_is_not_taken_up(body):
    ship = Ship()
    ship.counts.take_up(body)
    assert ship.cycles(UTC_0210) == {}


async def test_a_clock_that_is_stepped_over_midnight_turns_the_day():
    ship = Ship()
    async with counting_runs(ship.counts, ship.clock):
        await ship.moves("d01", C, O, C)
        ship.clock.step_utc(86_400.0)
        await ship.clock.advance(31.0)
        assert [body["day"] for body in ship.written()] == ["2026-11-22"]
        assert ship.cycles(ship.clock.utc()) == {}


async def test_a_day_that_has_begun_goes_on_though_clocks_are_retarded_to_the_day_before():
    ship = Ship(ManualClock(utc=MIDNIGHT - timedelta(minutes=5)))
    async with counting_runs(ship.counts, ship.clock):
        await ship.moves("d01", C, O, C)
        await ship.clock.advance(600.0)
        await ship.moves("d02", C, O, C)
        ship.ship_time = timezone(timedelta(hours=7))
        await ship.clock.advance(31.0)
        assert [body["day"] for body in ship.written()] == ["2026-11-22"]
    again = Ship(ship.clock)
    again.ship_time = ship.ship_time
    again.counts.take_up(ship.written()[-1])  # type: ignore[arg-type]
    async with counting_runs(again.counts, again.clock):
        await again.moves("d02", O, C, O)
        await again.clock.advance(7200.0)
        assert again.written() == [], "the day that began before is not over at the second midnight"
        await again.clock.advance(86_400.0)
    days = [*ship.written(), *again.written()]
    used = [(body["day"], [(d["door"], d["cycles"]) for d in body["doors"]]) for body in days]  # type: ignore[attr-defined]
    assert used == [
        ("2026-11-22", [("d01", 1)]),
        ("2026-11-23", [("d02", 1)]),
        ("2026-11-23", [("d02", 2)]),
    ]


async def test_what_was_counted_goes_on_after_a_clock_was_wrong_by_days():
    ship = Ship()
    async with counting_runs(ship.counts, ship.clock):
        await ship.moves("d01", C, O, C)
        for days in (9, -9):
            ship.clock.step_utc(days * 86_400.0)
            await ship.clock.advance(31.0)
        await ship.moves("d01", O, C)
        assert ship.cycles(ship.clock.utc()) == {"d01": 2}
    assert [body["day"] for body in ship.written()] == ["2026-11-22", "2026-12-01", "2026-11-22"]


async def test_counts_of_so_many_days_are_remembered():
    ship = Ship()
    async with counting_runs(ship.counts, ship.clock):
        for _ in range(5):
            ship.clock.step_utc(86_400.0)
            await ship.clock.advance(31.0)
    known = [ship.cycles(UTC_0210 + timedelta(days=day)) for day in range(6)]
    assert known == [None, None, {}, {}, {}, {}]


async def test_when_a_door_moved_last_is_known_after_days_and_restarts():
    ship = Ship(ManualClock(utc=MIDNIGHT - timedelta(minutes=5)))
    async with counting_runs(ship.counts, ship.clock):
        await ship.moves("d01", C, O, C)
        await ship.clock.advance(400.0)
    body = ship.written()[-1]
    again = Ship(ManualClock(utc=MIDNIGHT + timedelta(days=3)))
    assert again.counts.moved_utc("d01") is None
    again.counts.take_up(body)  # type: ignore[arg-type]
    assert again.counts.moved_utc("d01") == UTC_0210
    assert again.counts.moved_utc("d02") is None
    again.counts.take_up({"day": "2026-11-22", "doors": [], "moved": ["d01"]})
    assert again.counts.moved_utc("d01") == UTC_0210


async def test_of_a_lock_only_when_it_moved_last_is_kept_and_no_count():
    ship = Ship(ManualClock(utc=MIDNIGHT - timedelta(minutes=5)))
    async with counting_runs(ship.counts, ship.clock):
        await ship.moves("d05.lock", C, O, C)
        assert ship.counts.moved_utc("d05.lock") == UTC_0210
        await ship.clock.advance(400.0)
    body = ship.written()[-1]
    assert body["doors"] == []
    assert ship.cycles(MIDNIGHT - timedelta(seconds=1)) == {}, "in-service credit is a door's"
    again = Ship(ManualClock(utc=MIDNIGHT + timedelta(days=90)))
    again.counts.take_up(body)  # type: ignore[arg-type]
    assert again.counts.moved_utc("d05.lock") == UTC_0210


async def test_a_stop_writes_that_a_lock_has_moved():
    ship = Ship()
    async with counting_runs(ship.counts, ship.clock):
        await ship.moves("d05.lock", C, O)
    (body,) = ship.written()
    assert [each["point"] for each in body["moved"]] == ["d05.lock"]  # type: ignore[attr-defined]


async def test_a_door_may_have_an_id_that_is_no_key_of_an_entry():
    ship = Ship(doors=("bridge-inner",))
    async with counting_runs(ship.counts, ship.clock):
        await ship.moves("bridge-inner", C, O, C)
    (body,) = ship.written()
    again = Ship(ship.clock, doors=("bridge-inner",))
    again.counts.take_up(body)  # type: ignore[arg-type]
    assert again.counts.moved_utc("bridge-inner") == UTC_0210


async def test_what_an_older_ispsd_wrote_of_when_a_door_moved_is_taken_up():
    ship = Ship()
    moved = {"d01": "2026-11-22T02:10:00.000Z"}
    ship.counts.take_up({"day": "2026-11-20", "doors": [], "moved": moved})  # type: ignore[arg-type, dict-item]
    assert ship.counts.moved_utc("d01") == UTC_0210
