"""A planned blackout is one caution; what opens is an alert as ever, and behind it one entry says how all stands."""

from __future__ import annotations

import pytest

from daemon.alerts import catalogue
from daemon.alerts.alert import Source
from daemon.assets import asset
from daemon.errors import RefusedError
from daemon.model import (
    ContactState,
    DoorClass,
    Opening,
    OpeningKind,
    Role,
    SecurityLevel,
)
from daemon.orders.blackouts import LONGEST_MIN
from daemon.watch.watch import MOST_NAMED
from tests.makers import reading
from tests.test_orders import HATCH_ALERT, Rig, by, ordering

PLANNED = "alert/blackout.planned.ispsd"
UNIT = Source("io1", "IO1", "io1")
UNIT_LOST = "alert/io.unit_lost.io1"
BLIND = "alert/door.blind_open.e"
UNSEEN = "alert/door.unknown.e"


def plan(rig: Rig, minutes: int = 10, role: Role = Role.OFFICER, begins: str | None = None) -> None:
    rig.orders.blackouts.plan(by(role), minutes=minutes, begins=begins)


def unit(rig: Rig, *, lost: bool) -> None:
    """Say whether the unit is lost, as its rule does each second."""
    rig.watch.engine.condition("io.unit_lost", UNIT, active=lost, now_s=rig.clock.now_s())


def sensor(rig: Rig, key: str, *, active: bool) -> None:
    source = Source("e", "DOOR E", "io1")
    rig.watch.engine.condition(key, source, active=active, now_s=rig.clock.now_s())


def test_what_hangs_on_power_is_explained_and_nothing_else():
    kinds = catalogue.load(asset("alerts.toml"))
    explained = {key for key, kind in kinds.items() if not kind.in_blackout}
    assert explained == {
        *(key for key in kinds if key.startswith(("io.", "light.", "cctv."))),
        *("door.unknown", "sensor.line_fault", "power.battery"),
    }
    assert all(kinds[key].may_inhibit for key in explained)


@pytest.mark.parametrize("role", Role)
async def test_officers_sso_and_master_plan_one(role):
    async with ordering() as rig:
        if role in {Role.OFFICER, Role.SSO, Role.MASTER}:
            plan(rig, role=role)
            assert rig.ship.blackout is not None
            return
        with pytest.raises(RefusedError, match=f"{role.value} may not plan a blackout"):
            plan(rig, role=role)
        assert (rig.ship.blackout, rig.journal.drafts) == (None, [])


@pytest.mark.parametrize("minutes", [LONGEST_MIN + 1, -5])
async def test_it_is_bounded(minutes):
    async with ordering() as rig:
        with pytest.raises(RefusedError, match=f"1 to {LONGEST_MIN} min"):
            plan(rig, minutes)
        plan(rig, LONGEST_MIN)
        with pytest.raises(RefusedError, match="one is planned until 0610 UTC"):
            plan(rig)


async def test_it_is_one_caution_for_the_event():
    async with ordering() as rig:
        plan(rig)
        await rig.pass_time(1.0)
        assert (rig.board.now[PLANNED]["priority"], rig.board.now[PLANNED]["sounding"]) == (
            "C",
            False,
        )
        unit(rig, lost=True)
        sensor(rig, "sensor.line_fault", active=True)
        await rig.pass_time(90.0)
        assert {n for n in rig.board.now if n.startswith("alert/")} - {
            PLANNED,
            "alert/station.none.ispsd",
        } == set()


async def test_what_was_told_before_is_explained_while_it_runs():
    async with ordering() as rig:
        unit(rig, lost=True)
        await rig.pass_time(12.0)
        assert UNIT_LOST in rig.board.now
        plan(rig)
        assert UNIT_LOST not in rig.board.now


async def test_a_door_that_is_seen_to_open_is_an_alert_as_ever():
    async with ordering() as rig:
        plan(rig)
        await rig.pass_time(5.0)
        await rig.opens("e")
        assert rig.board.now[HATCH_ALERT]["sounding"] is True


async def test_what_is_still_lost_a_minute_behind_it_is_told():
    async with ordering() as rig:
        plan(rig, 1)
        await rig.pass_time(5.0)
        unit(rig, lost=True)
        await rig.pass_time(56.0)
        assert PLANNED not in rig.board.now
        assert UNIT_LOST not in rig.board.now, "equipment is still coming back"
        await rig.pass_time(60.0)
        assert rig.board.now[UNIT_LOST]["sounding"] is True


async def test_what_comes_back_as_it_was_is_no_alert_and_what_changed_is_told():
    async with ordering() as rig:
        for door in ("e", "v"):
            rig.sees(door, ContactState.CLOSED)
        await rig.pass_time(1.0)
        plan(rig, 1)
        for door in ("e", "v"):
            rig.watch.take(reading(door, None, at_s=rig.clock.now_s()))
        await rig.pass_time(62.0)
        rig.sees("v", ContactState.CLOSED)
        rig.sees("e", ContactState.OPEN)
        await rig.pass_time(50.0)
        assert BLIND not in rig.board.now, "contacts bounce as their power returns"
        await rig.pass_time(12.0)
        assert BLIND in rig.board.now
        assert UNSEEN not in rig.board.now
        assert not [n for n in rig.board.now if n.startswith("alert/") and n.endswith(".v")]


async def test_one_entry_behind_it_says_how_all_stands():
    async with ordering() as rig:
        rig.sees("e", ContactState.CLOSED)
        plan(rig, 1)
        await rig.pass_time(118.0)
        assert rig.entries("blackout.ended") == []
        await rig.pass_time(5.0)
        ((_, nobody, said),) = rig.entries("blackout.ended")
        assert (nobody, said["how"], said["by"]) == (None, "its time is over", "officer")
        assert said["closed"] == 1
        assert "DOOR V" in said["not_seen"]
        assert rig.ship.blackout is None
        assert rig.board.now["ship"]["blackout"] is None


async def test_one_that_is_to_come_explains_nothing_yet():
    async with ordering() as rig:
        plan(rig, 10, begins="02:12Z")
        unit(rig, lost=True)
        await rig.pass_time(12.0)
        assert UNIT_LOST in rig.board.now
        assert PLANNED not in rig.board.now
        await rig.pass_time(110.0)
        assert PLANNED in rig.board.now
        assert UNIT_LOST not in rig.board.now


async def test_one_that_is_to_come_is_called_off_and_one_that_runs_is_ended():
    async with ordering() as rig:
        with pytest.raises(RefusedError, match="no blackout is planned"):
            rig.orders.blackouts.end(by(Role.OFFICER))
        plan(rig, 10, begins="0300Z")
        rig.orders.blackouts.end(by(Role.OFFICER))
        assert rig.ship.blackout is None
        assert rig.entries("blackout.ended")[0][2]["how"] == "called off by officer"
        plan(rig, 10)
        await rig.pass_time(5.0)
        rig.orders.blackouts.end(by(Role.SSO))
        await rig.pass_time(1.0)
        assert PLANNED not in rig.board.now
        with pytest.raises(RefusedError, match="no blackout is planned"):
            rig.orders.blackouts.end(by(Role.SSO))
        await rig.pass_time(60.0)
        assert rig.ship.blackout is None
        assert len(rig.entries("blackout.ended")) == 2


async def test_security_level_3_knows_no_blackout():
    async with ordering() as rig:
        plan(rig)
        unit(rig, lost=True)
        await rig.pass_time(15.0)
        rig.orders.levels.level(SecurityLevel.THREE, by(Role.OFFICER), told_by="flag")
        await rig.pass_time(2.0)
        assert rig.ship.blackout is None
        assert UNIT_LOST in rig.board.now
        with pytest.raises(RefusedError, match="no blackout is planned at security level 3"):
            plan(rig)


async def test_a_step_of_the_calendar_does_not_move_its_end():
    async with ordering() as rig:
        plan(rig, 1)
        rig.clock.step_utc(-3600.0)
        await rig.pass_time(62.0)
        assert PLANNED not in rig.board.now


async def test_of_a_ship_with_very_many_sensors_the_entry_names_some_and_counts_the_rest():
    """An entry has its bounds: one that was longer took the watch down with it."""
    async with ordering() as rig:
        names = [f"UNDER DECK {number:05}" for number in range(10_000)]
        rig.watch._openings |= {
            name: Opening(name, name, OpeningKind.DOOR, "", DoorClass.STORE, "io1")
            for name in names
        }
        plan(rig, 1)
        await rig.pass_time(122.0)
        ((_, _, said),) = rig.entries("blackout.ended")
        assert said["sensors"] >= len(names)
        assert len(said["not_seen"]) == MOST_NAMED + 1
        assert said["not_seen"][-1] == f"{said['sensors'] - MOST_NAMED} more"
