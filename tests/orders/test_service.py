"""Equipment out of service: who proposes, who takes, who is needed too, and what happens just before it ends."""

from __future__ import annotations

import pytest

from daemon.alerts.alert import Source
from daemon.errors import RefusedError
from daemon.model import Classification, ContactState, Role
from daemon.orders.equipment import LONGEST_H, Equipment, Found, Terms
from daemon.orders.service import MOST_PROPOSALS
from daemon.people.claims import By
from daemon.record.entry import Proof
from daemon.testing.worklist import ItemState
from tests.makers import reading
from tests.test_orders import HATCH_ALERT, Rig, by, ordering, person

TERMS = Terms("contact loose", "patrol each hour", 24)
HATCH = Equipment("e", "DOOR E")
VITAL = Equipment("v", "DOOR V", vital=True)
SSAS = Equipment("ssas", "SSAS", covert=True)
NOT_SEEN = Found("is not seen", is_healthy=False)


def proven(role: Role) -> By:
    return By(person(role), proof=Proof.PIN)


def take_out(rig: Rig, hours: int = 24) -> None:
    rig.orders.service.take_out(HATCH, by(Role.SSO), Terms("loose", "patrol", hours))


async def long(rig: Rig, seconds: float) -> None:
    await rig.clock.advance(seconds)
    rig.watch.look()


@pytest.mark.parametrize("role", Role)
async def test_only_sso_and_master_take_equipment_out_of_service(role):
    async with ordering() as rig:
        if role in {Role.SSO, Role.MASTER}:
            rig.orders.service.take_out(HATCH, by(role), TERMS)
            assert rig.ship.out_of_service["e"].ends_s == rig.clock.now_s() + 24 * 3600.0
            return
        with pytest.raises(RefusedError, match=f"{role.value} may not take equipment out"):
            rig.orders.service.take_out(HATCH, by(role), TERMS)
        assert (rig.ship.out_of_service, rig.journal.drafts) == ({}, [])


@pytest.mark.parametrize("role", Role)
async def test_the_eto_proposes_and_that_changes_nothing(role):
    async with ordering() as rig:
        await rig.opens("e")
        if role not in {Role.ETO, Role.SSO, Role.MASTER}:
            with pytest.raises(RefusedError, match=f"{role.value} may not"):
                rig.orders.service.propose(HATCH, by(role), TERMS)
            return
        rig.orders.service.propose(HATCH, by(role), TERMS)
        assert rig.board.now[HATCH_ALERT]["sounding"] is True
        assert rig.ship.out_of_service == {}
        assert rig.orders.service.terms_of(HATCH) == TERMS
        rig.orders.service.take_out(HATCH, by(Role.SSO), TERMS)
        assert HATCH_ALERT not in rig.board.now
        assert rig.ship.proposals == {}


async def test_a_proposal_can_be_dropped_by_who_may_propose():
    async with ordering() as rig:
        rig.orders.service.propose(HATCH, by(Role.ETO), TERMS)
        with pytest.raises(RefusedError, match="officer may not"):
            rig.orders.service.put_back(HATCH, by(Role.OFFICER))
        rig.orders.service.put_back(HATCH, by(Role.ETO))
        with pytest.raises(RefusedError, match="nothing is proposed"):
            rig.orders.service.terms_of(HATCH)
        assert rig.journal.drafts[-1].type == "out_of_service.dropped"


async def test_proposals_are_bounded():
    async with ordering() as rig:
        for number in range(MOST_PROPOSALS):
            item = Equipment(f"x{number}", "X")
            rig.orders.service.propose(item, by(Role.ETO), TERMS)
        with pytest.raises(RefusedError, match=f"{MOST_PROPOSALS} proposals wait"):
            rig.orders.service.propose(HATCH, by(Role.ETO), TERMS)


async def test_covert_a_proposal_for_the_ssas_takes_no_other_its_place():
    """A watch station could count them otherwise."""
    async with ordering() as rig:
        rig.orders.service.propose(SSAS, by(Role.ETO), TERMS)
        for number in range(MOST_PROPOSALS):
            item = Equipment(f"d{number}", f"D{number}")
            rig.orders.service.propose(item, by(Role.ETO), TERMS)


@pytest.mark.parametrize("item", [VITAL, SSAS])
async def test_what_is_vital_and_the_ssas_need_the_master_too_each_with_proof(item):
    async with ordering() as rig:
        service = rig.orders.service
        with pytest.raises(RefusedError, match="needs the Master too"):
            service.take_out(item, proven(Role.SSO), TERMS)
        with pytest.raises(RefusedError, match="needs the Master too"):
            service.take_out(item, proven(Role.SSO), TERMS, master=proven(Role.DEPUTY_SSO))
        for first, second in (
            (by(Role.SSO), proven(Role.MASTER)),
            (proven(Role.SSO), by(Role.MASTER)),
            (by(Role.MASTER), None),
        ):
            with pytest.raises(RefusedError, match="with a PIN"):
                service.take_out(item, first, TERMS, master=second)
        with pytest.raises(RefusedError, match="two different persons"):
            service.take_out(item, proven(Role.MASTER), TERMS, master=proven(Role.MASTER))
        assert rig.ship.out_of_service == {}
        service.take_out(item, proven(Role.SSO), TERMS, master=proven(Role.MASTER))
        taken = rig.ship.out_of_service[item.id]
        assert (taken.by, taken.with_master, taken.covert) == ("sso", "master", item.covert)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (Terms("", "patrol", 1), "the reason is wanted, and the measure"),
        (Terms("loose", " ", 1), "the reason is wanted, and the measure"),
        (Terms("loose", "patrol", 0), f"1 to {LONGEST_H} h"),
        (Terms("loose", "patrol", LONGEST_H + 1), f"1 to {LONGEST_H} h"),
    ],
)
async def test_reason_measure_and_an_end_are_wanted(terms, reason):
    async with ordering() as rig:
        for act in (rig.orders.service.take_out, rig.orders.service.propose):
            with pytest.raises(RefusedError, match=reason):
                act(HATCH, by(Role.SSO), terms)
        assert (rig.ship.out_of_service, rig.ship.proposals) == ({}, {})


async def test_an_alert_of_what_is_out_of_service_is_not_told_until_it_is_back():
    async with ordering() as rig:
        take_out(rig)
        await rig.opens("e")
        await rig.opens("v")
        assert HATCH_ALERT not in rig.board.now
        assert "alert/door.vital.open.v" in rig.board.now, "other doors are as ever"
        rig.orders.service.put_back(HATCH, by(Role.MASTER))
        await rig.pass_time(1.0)
        assert rig.board.now[HATCH_ALERT]["sounding"] is True
        with pytest.raises(RefusedError, match="is not out of service"):
            rig.orders.service.put_back(HATCH, by(Role.MASTER))


async def test_a_device_that_is_out_of_service_explains_its_doors_and_silences_none_that_opens():
    """Of a unit the loss is muted: that its doors are not seen is explained by it all the same."""
    async with ordering() as rig:
        for door in ("e", "v"):
            rig.sees(door, ContactState.CLOSED)
        await rig.pass_time(1.0)
        unit = Equipment("io1", "IO1")
        rig.orders.service.take_out(unit, by(Role.SSO), TERMS)
        source = Source("io1", "IO1", "io1")
        rig.watch.engine.condition("io.unit_lost", source, active=True, now_s=rig.clock.now_s())
        for door in ("e", "v"):
            rig.watch.take(reading(door, None, at_s=rig.clock.now_s()))
        await rig.pass_time(90.0)
        assert [n for n in rig.board.now if n.startswith("alert/") and "station" not in n] == []
        rig.watch.engine.condition("io.unit_lost", source, active=False, now_s=rig.clock.now_s())
        rig.sees("e", ContactState.CLOSED)
        await rig.pass_time(1.0)
        rig.sees("e", ContactState.OPEN)
        await rig.pass_time(1.0)
        assert rig.board.now[HATCH_ALERT]["sounding"] is True


async def test_everything_about_it_is_the_ssos_to_read():
    async with ordering() as rig:
        rig.orders.service.propose(HATCH, by(Role.ETO), TERMS)
        take_out(rig, 1)
        await long(rig, 3100.0)
        await long(rig, 500.0)
        types = [d for d in rig.journal.drafts if d.type.startswith("out_of_service.")]
        assert [d.type.partition(".")[2] for d in types] == [
            "proposed",
            "begun",
            "checked",
            "ended",
        ]
        assert {(d.classification, d.kind) for d in types} == {(Classification.SSO, ".10")}


@pytest.mark.parametrize("found", [Found("is seen closed", is_healthy=True), NOT_SEEN])
async def test_the_sensor_is_looked_at_once_ten_minutes_before_it_ends(found):
    async with ordering() as rig:
        rig.found = found
        take_out(rig, 1)
        await long(rig, 3000.0 - 1.0)
        assert rig.entries("out_of_service.checked") == []
        await long(rig, 1.0)
        await long(rig, 30.0)
        ((_, _, said),) = rig.entries("out_of_service.checked")
        assert (said["found"], said["healthy"]) == (found.words, found.is_healthy)
        (item,) = rig.orders.to_do()
        wanted = ItemState.OUT_OF_SERVICE if found.is_healthy else ItemState.NOT_PROVEN
        assert (item.state, found.words in item.what) == (wanted, not found.is_healthy)


async def test_it_ends_by_itself_once_and_what_still_holds_is_told():
    async with ordering() as rig:
        await rig.opens("e")
        take_out(rig, 1)
        assert HATCH_ALERT not in rig.board.now
        await long(rig, 3599.0)
        assert "e" in rig.ship.out_of_service
        await long(rig, 1.0)
        assert rig.ship.out_of_service == {}
        await rig.pass_time(3.0)
        assert rig.board.now[HATCH_ALERT]["sounding"] is True
        ((_, nobody, said),) = rig.entries("out_of_service.ended")
        assert (nobody, said["how"]) == (None, "its time is over")


async def test_taken_again_it_is_looked_at_again():
    async with ordering() as rig:
        take_out(rig, 1)
        await long(rig, 3100.0)
        take_out(rig, 1)
        await long(rig, 3100.0)
        assert len(rig.entries("out_of_service.checked")) == 2


async def test_to_a_watch_station_there_is_no_ssas():
    async with ordering() as rig:
        service = rig.orders.service
        service._equipment = {"ssas": SSAS, "e": HATCH}
        refusals = []
        for id_ in ("ssas", "nothing"):
            with pytest.raises(RefusedError) as refused:
                service.equipment(id_, open_only=True)
            refusals.append(str(refused.value).replace(id_, "it"))
        assert refusals[0] == refusals[1]
        assert service.equipment("ssas", open_only=False) is SSAS


async def test_a_door_that_is_out_of_service_is_named_and_not_judged_when_securing():
    async with ordering(asks_twice=True) as rig:
        for door in rig.ordering.openings:
            rig.sees(door, ContactState.CLOSED)
        take_out(rig)
        extra = rig.orders.ready_to_secure({"level": 3}).extra
        assert extra == {
            "ready": False,
            "in_the_way": [{"id": "e", "name": "DOOR E", "why": "out of service"}],
        }
