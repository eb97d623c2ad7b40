"""One alert says nothing for a time, by a person's word: who, for how long, when not, and what comes of its end."""

from __future__ import annotations

import pytest

from daemon.errors import RefusedError
from daemon.model import Classification, ContactState, Role, SecurityLevel
from daemon.orders.inhibits import MOST
from tests.test_orders import HATCH_ALERT, Rig, by, ordering, person

HATCH = "door.escape.open.e"
SHOWN = f"inhibit/{HATCH}"
LONGEST_MIN = {Role.OFFICER: 60, Role.SSO: 480, Role.MASTER: 480}


def inhibit(rig: Rig, role: Role = Role.OFFICER, minutes: int = 60, alert: str = HATCH) -> None:
    rig.orders.inhibits.give(alert, by(role), minutes=minutes, reason="contact loose")


def instance(rig: Rig) -> int:
    return int(rig.board.now[HATCH_ALERT]["instance"])


@pytest.mark.parametrize("role", Role)
async def test_who_may_inhibit_and_for_how_long_is_the_table_of_people(role):
    async with ordering() as rig:
        if role not in LONGEST_MIN:
            with pytest.raises(RefusedError, match=f"{role.value} may not inhibit an alert"):
                inhibit(rig, role, 1)
            assert (rig.ship.inhibits, rig.journal.drafts) == ({}, [])
            return
        longest_min = LONGEST_MIN[role]
        for minutes in (longest_min + 1, -1):
            with pytest.raises(RefusedError, match=f"1 to {longest_min} min"):
                inhibit(rig, role, minutes)
        inhibit(rig, role, longest_min)
        assert rig.ship.inhibits[HATCH].ends_s == rig.clock.now_s() + longest_min * 60.0


async def test_an_alert_that_is_inhibited_is_not_told_and_one_that_is_open_ends():
    async with ordering() as rig:
        await rig.opens("e")
        assert rig.board.now[HATCH_ALERT]["sounding"] is True
        inhibit(rig)
        assert HATCH_ALERT not in rig.board.now
        rig.sees("e", ContactState.CLOSED)
        await rig.pass_time(3.0)
        await rig.opens("e")
        assert HATCH_ALERT not in rig.board.now


async def test_only_that_alert_of_that_source_is_inhibited():
    async with ordering() as rig:
        inhibit(rig, alert="door.vital.open.v")
        await rig.opens("e")
        assert rig.board.now[HATCH_ALERT]["sounding"] is True


@pytest.mark.parametrize("was_told", [True, False])
async def test_when_it_ends_what_still_holds_is_told_anew(was_told):
    async with ordering() as rig:
        if was_told:
            await rig.opens("e")
            before = instance(rig)
        inhibit(rig, minutes=2)
        if not was_told:
            before = 0
            await rig.opens("e")
        await rig.pass_time(110.0)
        assert HATCH_ALERT not in rig.board.now
        await rig.pass_time(11.0)
        assert rig.board.now[HATCH_ALERT]["sounding"] is True
        assert instance(rig) > before
        assert rig.ship.inhibits == {}
        ((_, nobody, said),) = rig.entries("inhibit.ended")
        assert (nobody, said["how"]) == (None, "its time is over")


async def test_when_it_ends_what_no_longer_holds_is_no_news():
    async with ordering() as rig:
        await rig.opens("e")
        inhibit(rig, minutes=1)
        rig.sees("e", ContactState.CLOSED)
        await rig.pass_time(70.0)
        assert HATCH_ALERT not in rig.board.now
        assert len(rig.entries("inhibit.ended")) == 1


async def test_the_calendar_neither_shortens_nor_lengthens_it():
    async with ordering() as rig:
        inhibit(rig, minutes=2)
        rig.clock.step_utc(-86_400.0)
        await rig.pass_time(121.0)
        assert rig.ship.inhibits == {}


async def test_who_may_give_one_may_end_it():
    async with ordering() as rig:
        await rig.opens("e")
        inhibit(rig, Role.SSO, 480)
        with pytest.raises(RefusedError, match="gangway may not inhibit"):
            rig.orders.inhibits.end(HATCH, by(Role.GANGWAY))
        rig.orders.inhibits.end(HATCH, by(Role.OFFICER), reason="mended")
        await rig.pass_time(1.0)
        assert rig.board.now[HATCH_ALERT]["sounding"] is True
        with pytest.raises(RefusedError, match="is not inhibited"):
            rig.orders.inhibits.end(HATCH, by(Role.OFFICER))


async def test_at_security_level_3_nothing_is_inhibited_and_what_was_ends_with_an_entry():
    async with ordering() as rig:
        await rig.opens("e")
        inhibit(rig)
        rig.orders.levels.level(SecurityLevel.THREE, by(Role.OFFICER), told_by="flag")
        rig.orders.look()
        await rig.pass_time(1.0)
        assert rig.board.now[HATCH_ALERT]["priority"] == "A"
        assert [said["how"] for _, _, said in rig.entries("inhibit.ended")] == ["security level 3"]
        with pytest.raises(RefusedError, match="nothing is inhibited at security level 3"):
            inhibit(rig)


NEVER = [
    *("data.simulated.ispsd", "station.none.ispsd", "path.fault.ispsd", "record.check.ispsd"),
    *("record.not_saved.ispsd", "ais.off_by_order.io1", "blackout.planned.ispsd"),
    *("level.below_port.ispsd", "level.not_in_force.ispsd", "maint.loop_check.ispsd"),
]


@pytest.mark.parametrize("alert", NEVER)
async def test_what_tells_of_ispsd_itself_or_of_an_order_is_never_inhibited(alert):
    async with ordering() as rig:
        with pytest.raises(RefusedError, match="cannot be inhibited"):
            inhibit(rig, Role.MASTER, alert=alert)


@pytest.mark.parametrize(
    "alert", ["", "door.escape.open", "door.escape.open.x9", "no.such.key.e", "clock.offset."]
)
async def test_an_alert_that_there_is_none_of_is_refused(alert):
    async with ordering() as rig:
        with pytest.raises(RefusedError, match="there is no alert"):
            inhibit(rig, alert=alert)


@pytest.mark.parametrize(
    ("alert", "words"),
    [
        ("door.store.open.e", "DOOR E never gives STORE OPEN: door.escape.open.e"),
        ("seal.broken.e", "DOOR E never gives SEAL BROKEN: door.escape.open.e"),
        ("door.store.open.s01", "BOND STORE never gives STORE OPEN: seal.broken.s01"),
        ("door.perimeter.open.h", "PILOT DOOR P never gives ACC DOOR OPEN"),
        ("door.store.open.io1", "IO1 never gives STORE OPEN"),
    ],
)
async def test_what_its_source_never_gives_is_refused_and_its_own_alert_is_told(alert, words):
    """Who inhibits a hatch as if it were a store would believe it quiet, and the pages would say so."""
    async with ordering() as rig:
        with pytest.raises(RefusedError) as told:
            inhibit(rig, alert=alert)
        assert str(told.value) == words
        assert rig.ship.inhibits == {}


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ("e", "there is no alert 'e': DOOR E has door.escape.open.e"),
        ("io1", "there is no alert 'io1': IO1 has none open"),
        ("nonsense", "there is no alert 'nonsense': its id is wanted"),
    ],
)
async def test_whoever_names_a_door_is_told_its_alert(about, words):
    async with ordering() as rig:
        with pytest.raises(RefusedError) as told:
            inhibit(rig, alert=about)
        assert str(told.value).startswith(words)


@pytest.mark.parametrize("reason", ["", "   "])
async def test_a_reason_is_wanted(reason):
    async with ordering() as rig:
        with pytest.raises(RefusedError, match="a reason is wanted"):
            rig.orders.inhibits.give(HATCH, by(Role.SSO), minutes=5, reason=reason)


async def test_only_so_many_are_inhibited_at_once():
    async with ordering() as rig:
        keys = ["door.held_open", "door.forced", "door.unknown"]
        alerts = [f"{key}.{door}" for key in keys for door in "emvpgsb"]
        for alert in alerts[:MOST]:
            inhibit(rig, alert=alert)
        assert len(rig.ship.inhibits) == MOST
        with pytest.raises(RefusedError, match=f"{MOST} alerts are inhibited already"):
            inhibit(rig, alert=alerts[MOST])
        inhibit(rig, alert=alerts[0], minutes=5)


async def test_stations_see_until_when_and_never_why():
    """A reason may tell of a sensor's weakness (invariant 14): it is in the entry's part for the SSO."""
    async with ordering() as rig:
        inhibit(rig)
        (given,) = (d for d in rig.journal.drafts if d.type == "inhibit.given")
        assert given.parts[Classification.SSO]["reason"] == "contact loose"
        assert "contact loose" not in str(given.open) + str(rig.board.everything)
        assert given.actor.person == person(Role.OFFICER).name
