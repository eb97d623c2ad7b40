"""Told, acknowledged, in force (A/7.5, A/7.6), and the port's level beside the ship's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from daemon import forms
from daemon.errors import RefusedError
from daemon.model import Role, SecurityLevel, Situation
from tests.makers import UTC_0210
from tests.ship import afloat, ashore
from tests.test_orders import Rig, by, ordering

ONE, TWO, THREE = SecurityLevel
NOT_SET = "alert/level.not_in_force.ispsd"
BELOW = "alert/level.below_port.ispsd"
HOUR_S = 3600.0


def set_level(rig: Rig, level: SecurityLevel, role: Role = Role.SSO, **how: str) -> None:
    rig.orders.levels.level(level, by(role), told_by="port facility", **how)


async def long(rig: Rig, seconds: float) -> None:
    """Let a long time pass in one stride, and look."""
    await rig.clock.advance(seconds)
    await rig.pass_time(1.0)


@pytest.mark.parametrize(
    ("said", "told_utc"),
    [
        ("02:00Z", UTC_0210.replace(minute=0)),
        ("0210Z", UTC_0210),
        ("2350Z", UTC_0210.replace(hour=23, minute=50) - timedelta(days=1)),
    ],
)
async def test_a_level_is_written_with_when_the_ship_was_told_and_when_she_acknowledged(
    said, told_utc
):
    async with ordering() as rig:
        set_level(rig, TWO, notified=said)
        ((_, _, entry),) = rig.entries("level.changed")
        assert entry["notified"] == forms.utc(told_utc)
        assert entry["acknowledged"] == forms.utc(UTC_0210)


@pytest.mark.parametrize("said", ["25:00Z", "0260Z", "02:10", "now", "", "02:10Z "])
async def test_a_time_that_is_none_is_refused_and_the_level_stays(said):
    async with ordering() as rig:
        with pytest.raises(RefusedError, match="is no time of day in UTC"):
            set_level(rig, TWO, notified=said)
        assert (rig.ship.level, rig.journal.drafts) == (ONE, [])


async def test_who_does_not_say_that_measures_are_in_force_is_told_after_an_hour():
    async with ordering() as rig:
        set_level(rig, TWO)
        await long(rig, HOUR_S - 3.0)
        assert NOT_SET not in rig.board.now
        await rig.pass_time(3.0)
        assert (rig.board.now[NOT_SET]["priority"], rig.board.now[NOT_SET]["name"]) == ("C", "SHIP")
        rig.orders.levels.in_force(TWO, by(Role.SSO))
        await rig.pass_time(1.0)
        assert NOT_SET not in rig.board.now
        ((_, _, said),) = rig.entries("level.in_force")
        assert (said["level"], said["told_by"]) == (2, "port facility")
        assert said["acknowledged"] == forms.utc(UTC_0210)


async def test_who_says_it_in_time_is_not_asked():
    async with ordering() as rig:
        set_level(rig, THREE)
        rig.orders.levels.in_force(THREE, by(Role.OFFICER))
        await long(rig, 2 * HOUR_S)
        assert NOT_SET not in rig.board.now


async def test_a_next_level_has_an_hour_of_its_own():
    async with ordering() as rig:
        set_level(rig, TWO)
        await long(rig, HOUR_S - 10.0)
        set_level(rig, THREE)
        await long(rig, HOUR_S - 10.0)
        assert NOT_SET not in rig.board.now
        await rig.pass_time(12.0)
        assert rig.board.now[NOT_SET]["priority"] == "W"


@pytest.mark.parametrize(("before", "after"), [(TWO, THREE), (THREE, TWO)])
async def test_a_next_level_does_not_go_on_with_the_alert_of_the_level_before(before, after):
    async with ordering() as rig:
        set_level(rig, before)
        await long(rig, HOUR_S + 10.0)
        assert rig.board.now[NOT_SET]["detail"] == f"level {before}, told by port facility"
        written = len(rig.journal.drafts)
        set_level(rig, after)
        events = [
            (d.open["event"], d.open["priority"])
            for d in rig.journal.drafts[written:]
            if d.type == "alert.changed"
        ]
        assert events == [("condition_false", "C" if before is TWO else "W")]
        await long(rig, HOUR_S - 10.0)
        assert rig.board.now.get(NOT_SET, {}).get("state") in {None, "U"}
        await rig.pass_time(12.0)
        alert = rig.board.now[NOT_SET]
        assert (alert["priority"], alert["detail"]) == (
            "W" if after is THREE else "C",
            f"level {after}, told by port facility",
        )


@pytest.mark.parametrize("is_open", [False, True])
async def test_who_is_told_of_the_same_level_again_puts_off_nothing(is_open):
    """Else whoever enters it each hour is never told that its measures are not set."""
    async with ordering() as rig:
        set_level(rig, TWO)
        await long(rig, HOUR_S + (2.0 if is_open else -10.0))
        assert (NOT_SET in rig.board.now) is is_open
        set_level(rig, TWO, Role.OFFICER)
        await rig.pass_time(12.0)
        assert rig.board.now[NOT_SET]["instance"] == 1
        assert rig.entries("level.changed")[-1][2]["acknowledged"] == forms.utc(UTC_0210)


async def test_measures_that_are_in_force_stay_so_when_the_same_level_is_told_again(tmp_path):
    said = {"do": "order", "by": "R. Menon"}
    level = {**said, "verb": "level", "said": {"level": 2, "told_by": "flag"}}
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await ship.control(level)
            await ship.control({**said, "verb": "level_in_force", "said": {}})
            await ship.control(level)
            before = ship.daemon.ship.level_command
            assert before.in_force_utc is not None
        async with afloat(ship, broker, feeds):
            assert ship.daemon.ship.level_command == before


async def test_at_level_1_nothing_is_owed():
    async with ordering(level=2) as rig:
        set_level(rig, ONE)
        await long(rig, 2 * HOUR_S)
        assert NOT_SET not in rig.board.now
        assert rig.board.now["ship"]["level_in_force"] is True
        assert list(rig.orders.to_do()) == []


@pytest.mark.parametrize("role", Role)
async def test_an_officer_the_sso_and_the_master_say_what_is_in_force_and_the_ports_level(role):
    async with ordering() as rig:
        set_level(rig, TWO)
        acts = (
            lambda: rig.orders.levels.in_force(None, by(role)),
            lambda: rig.orders.levels.port_level(TWO, by(role), told_by="PFSO"),
        )
        for act in acts:
            if role in {Role.OFFICER, Role.SSO, Role.MASTER}:
                act()
                wanted = "system" if role is Role.OFFICER else ".4"
                assert rig.journal.drafts[-1].kind == wanted
            else:
                with pytest.raises(RefusedError, match=f"{role.value} may not"):
                    act()


async def test_another_level_than_the_ships_is_not_said_to_be_in_force():
    async with ordering() as rig:
        with pytest.raises(RefusedError, match="has not been changed"):
            rig.orders.levels.in_force(None, by(Role.SSO))
        set_level(rig, TWO)
        with pytest.raises(RefusedError, match="is at security level 2, not 3"):
            rig.orders.levels.in_force(THREE, by(Role.SSO))
        rig.orders.levels.in_force(TWO, by(Role.SSO))
        with pytest.raises(RefusedError, match="in force since 0210 UTC already"):
            rig.orders.levels.in_force(TWO, by(Role.SSO))


@pytest.mark.parametrize(
    ("situation", "ship", "port", "told"),
    [
        (Situation.PORT, ONE, TWO, True),
        (Situation.PORT, TWO, TWO, False),
        (Situation.PORT, THREE, TWO, False),
        (Situation.ANCHOR, ONE, TWO, False),
        (Situation.PORT, ONE, None, False),
    ],
)
async def test_a_level_below_the_ports_is_told_in_port(situation, ship, port, told):
    async with ordering() as rig:
        rig.orders.ship.situation(situation, by(Role.SSO))
        set_level(rig, ship)
        if port is not None:
            rig.orders.levels.port_level(port, by(Role.OFFICER), told_by="PFSO")
        await rig.pass_time(2.0)
        assert (BELOW in rig.board.now) is told


async def test_it_goes_when_the_ships_level_is_raised():
    async with ordering() as rig:
        rig.orders.levels.port_level(TWO, by(Role.OFFICER), told_by="PFSO")
        await rig.pass_time(2.0)
        assert rig.board.now[BELOW]["detail"] == "port at level 2, ship at 1"
        set_level(rig, TWO)
        await rig.pass_time(2.0)
        assert rig.board.now[BELOW]["state"] == "U", "nobody acknowledged it yet"


async def test_at_sea_the_ports_level_is_forgotten():
    async with ordering() as rig:
        rig.orders.levels.port_level(TWO, by(Role.OFFICER), told_by="PFSO")
        rig.orders.ship.situation(Situation.SEA, by(Role.OFFICER))
        assert rig.ship.port_level is None
        with pytest.raises(RefusedError, match="at sea there is no port"):
            rig.orders.levels.port_level(TWO, by(Role.OFFICER), told_by="PFSO")
        rig.orders.ship.situation(Situation.PORT, by(Role.OFFICER))
        assert rig.board.now["ship"]["port_level"] is None


async def test_what_is_owed_is_on_the_worklist():
    async with ordering() as rig:
        set_level(rig, TWO)
        assert "say when its measures are in force" in next(iter(rig.orders.to_do())).what
        rig.orders.levels.in_force(TWO, by(Role.SSO))
        assert list(rig.orders.to_do()) == []
