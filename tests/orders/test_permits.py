"""A permit to open: given while the door stands open in alert, extended, and over while ispsd was off."""

from __future__ import annotations

import pytest

from daemon.alerts.alert import Acknowledgement
from daemon.errors import RefusedError
from daemon.model import Role
from tests.ship import HATCH, Ship, afloat, ashore
from tests.ship_talk import alerts, entries
from tests.test_orders import HATCH_ALERT, Rig, by, ordering

EXPIRED = "alert/permit.expired.e"


def permit(rig: Rig, minutes: int) -> None:
    rig.orders.permits.give(
        "e", by(Role.OFFICER), worker="R. dela Cruz", work="paint", minutes=minutes
    )


async def test_a_permit_that_is_given_while_the_door_is_open_in_alert_ends_the_alert():
    async with ordering() as rig:
        await rig.opens("e")
        before = rig.board.now[HATCH_ALERT]
        assert before["sounding"] is True
        permit(rig, 30)
        await rig.pass_time(3.0)
        # Nobody acknowledged it: it is over, and waits to have been seen (row 9).
        assert (rig.board.now[HATCH_ALERT]["state"], rig.board.now[HATCH_ALERT]["sounding"]) == (
            "U",
            False,
        )


async def test_an_acknowledged_alert_is_gone_with_the_permit():
    async with ordering() as rig:
        await rig.opens("e")
        shown = rig.board.now[HATCH_ALERT]
        rig.watch.engine.acknowledge(
            shown["id"],
            shown["instance"],
            Acknowledgement("gangway", None),
            now_s=rig.clock.now_s(),
            now_utc=rig.clock.utc(),
        )
        permit(rig, 30)
        await rig.pass_time(3.0)
        assert HATCH_ALERT not in rig.board.now


async def test_a_permit_is_extended_by_another_and_its_alert_goes():
    async with ordering() as rig:
        permit(rig, 1)
        await rig.opens("e")
        await rig.pass_time(62.0)
        assert rig.board.now[EXPIRED]["sounding"] is True
        permit(rig, 60)
        await rig.pass_time(3.0)
        assert rig.board.now[EXPIRED]["state"] == "U"
        assert rig.ship.permits["e"].ends_s == rig.clock.now_s() - 3.0 + 3600.0


async def test_who_may_not_end_anothers_permit_does_not_replace_it_by_his_own():
    async with ordering() as rig:
        permit(rig, 30)
        before = dict(rig.ship.permits)
        own = {"worker": "eto", "work": "contact", "minutes": 5}
        with pytest.raises(RefusedError, match=r"eto may not end the permit of R\. dela Cruz"):
            rig.orders.permits.give("e", by(Role.ETO), **own)
        with pytest.raises(RefusedError, match="eto may not end"):
            rig.orders.permits.end("e", by(Role.ETO))
        assert (rig.ship.permits, rig.entries("permit.ended")) == (before, [])
        rig.orders.permits.end("e", by(Role.MASTER))
        for _ in range(2):
            rig.orders.permits.give("e", by(Role.ETO), **own)
        assert len(rig.entries("permit.ended")) == 1, "his own is extended"


async def test_a_permit_that_another_worker_gets_ends_the_one_that_ran_with_its_entry():
    async with ordering() as rig:
        permit(rig, 30)
        await rig.opens("e")
        rig.orders.permits.give("e", by(Role.MASTER), worker="A. Cook", work="dry", minutes=5)
        assert rig.ship.permits["e"].person == "A. Cook"
        written = [
            (draft.type, draft.open["person"], draft.actor.person)
            for draft in rig.journal.drafts
            if draft.type.startswith("permit.")
        ]
        assert written == [
            ("permit.given", "R. dela Cruz", "officer"),
            ("permit.ended", "R. dela Cruz", "master"),
            ("permit.given", "A. Cook", "master"),
        ]
        await rig.pass_time(3.0)
        assert rig.board.now["permit/e"]["person"] == "A. Cook"
        assert rig.entries("alert.changed") == [], "the open door was under a permit all the while"


async def _permitted(ship: Ship, *, is_open: bool) -> None:
    await ship.pass_time(1.0)
    said = {"door": "d12", "worker": "R. dela Cruz", "work": "paint", "minutes": 5}
    await ship.control({"do": "order", "verb": "permit", "said": said, "by": "J. Santos"})
    if is_open:
        await ship.unit.set_input(HATCH, False)
    await ship.pass_time(2.0)


async def test_a_permit_that_was_over_while_ispsd_was_off_ends_once_at_the_start(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await _permitted(ship, is_open=False)
        ship.clock.step_utc(600.0)
        for _ in range(2):
            async with afloat(ship, broker, feeds):
                await ship.pass_time(3.0)
                assert ship.state("permit/d12") is None
                assert len(await entries(ship, "permit.ended")) == 1


async def test_and_a_door_that_is_still_open_then_is_told(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            await _permitted(ship, is_open=True)
            assert alerts(ship) == set()
        ship.clock.step_utc(600.0)
        async with afloat(ship, broker, feeds):
            await ship.pass_time(3.0)
            assert alerts(ship) == {"permit.expired.d12"}
            assert ship.state("permit/d12")["person"] == "R. dela Cruz"
