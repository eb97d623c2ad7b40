"""Every act works at once, says whether it is on disk, and a refused one changes nothing."""

from __future__ import annotations

import pytest

from daemon.acts import LONGEST_TEXT
from daemon.errors import RefusedError
from daemon.model import Person, Role
from daemon.window import may_open_window
from tests.ship import HATCH, SEAL_CLOSED, SEAL_OPEN, Ship, afloat, ashore, sailing

HATCH_ALERT = "alert/door.escape.open.d12"


def person(name: str, *roles: Role) -> Person:
    return Person(name, "", frozenset(roles))


MASTER, SSO = person("Master", Role.MASTER), person("SSO", Role.SSO)
BOTH, DEPUTY = person("Both", Role.MASTER, Role.SSO), person("Deputy", Role.DEPUTY_SSO)
OFFICER = person("Officer", Role.OFFICER)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (MASTER, SSO, None),
        (BOTH, DEPUTY, None),
        (MASTER, MASTER, "two different persons"),
        (BOTH, person("Both", Role.DEPUTY_SSO), "two different persons"),
        (SSO, OFFICER, "one of the two must be the Master"),
        (SSO, DEPUTY, "one of the two must be the Master"),
        (MASTER, OFFICER, "the SSO opens it; Officer is not"),
        (MASTER, DEPUTY, "the SSO opens it; Deputy is not"),
        (BOTH, OFFICER, "deputy named in the SSP opens it too; Officer is not"),
        (BOTH, SSO, "deputy named in the SSP opens it too; SSO is not"),
    ],
)
def test_a_window_takes_master_and_sso_in_any_order_and_two_pairs_of_eyes(first, second, reason):
    for pair in ((first, second), (second, first)):
        said = may_open_window(*pair)
        assert said is None if reason is None else said is not None and reason in said


async def raised(ship: Ship) -> dict:
    await ship.pass_time(1.0)
    await ship.unit.set_input(HATCH, False)
    await ship.until(lambda: ship.state(HATCH_ALERT))
    await ship.pass_time(0.25)
    return ship.state(HATCH_ALERT)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"priority": "A"}, "stale: alert has priority W now, not A"),
        ({"instance": 999}, "stale: alert is at instance"),
        ({"alert": "door.escape.open.d99"}, "no such alert now"),
        ({"alert": "data.simulated.ispsd", "priority": "C", "instance": 1}, "a caution is not"),
    ],
)
async def test_an_acknowledgement_of_something_else_is_refused_and_changes_nothing(
    tmp_path, changed, reason
):
    async with sailing(tmp_path) as ship:
        alert = await raised(ship)
        asked = {"alert": alert["id"], "instance": alert["instance"], "priority": "W", **changed}
        reply = await ship.ask("gangway", "ack", **asked)
        assert reply["accepted"] is False
        assert reason in reply["reason"]
        assert ship.state(HATCH_ALERT) == alert


async def test_a_second_acknowledgement_names_the_first_even_after_a_restart(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            alert = await raised(ship)
            asked = {"alert": alert["id"], "instance": alert["instance"], "priority": "W"}
            first = await ship.ask("gangway", "ack", person="L. Tupou", **asked)
            again = await ship.ask("bridge", "ack", **asked)
            assert again["already"] == {"station": "gangway", "seq": first["recorded"]}
        async with afloat(ship, broker, feeds):
            await ship.pass_time(1.0)
            again = await ship.ask("bridge", "ack", **asked)
            assert (again["accepted"], again["already"]["station"]) == (True, "gangway")
            assert ship.state(HATCH_ALERT)["acknowledged_by"]["person"] == "L. Tupou"


async def test_the_watch_is_taken_by_a_name_of_the_crew_list_only(tmp_path):
    async with sailing(tmp_path) as ship:
        reply = await ship.ask("gangway", "take_watch", person="A. Nobody")
        assert (reply["accepted"], reply["reason"]) == (
            False,
            "'A. Nobody' is not on the crew list",
        )
        assert (
            ship.state("station/gangway") is None or not ship.state("station/gangway")["attended"]
        )
        reply = await ship.ask("gangway", "take_watch", person="L. Tupou")
        assert reply["recorded"] is not None
        assert ship.state("station/gangway")["person"] == "L. Tupou"
        taken = await ship.control({"do": "log", "type": "watch.taken"})
        assert len(taken["entries"]) == 1


async def test_a_seal_is_numbered_only_when_it_is_whole_and_by_somebody_known(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        asked = {"do": "seal", "alert": "seal.broken.s01", "number": "SG 1", "by": "R. Menon"}
        await refused(ship, asked, "there is no latched alert 'seal.broken.s01'")
        alert = await raised(ship)
        await refused(ship, {**asked, "alert": alert["id"]}, "there is no (latched alert|broken seal)")
        await ship.unit.set_input(SEAL_CLOSED, False)
        await ship.unit.set_input(SEAL_OPEN, True)
        await ship.until(lambda: ship.state("alert/seal.broken.s01"))
        await refused(ship, asked, "BOND STORE is not intact yet")
        await ship.unit.set_input(SEAL_CLOSED, True)
        await ship.unit.set_input(SEAL_OPEN, False)
        await ship.pass_time(1.0)
        await refused(ship, {**asked, "by": "A. Nobody"}, "not on the crew list")
        await refused(ship, {**asked, "number": "x" * (LONGEST_TEXT + 1)}, "number has at most 400")
        await ship.pass_time(5.0)
        assert ship.state("alert/seal.broken.s01")["state"] == "V"
        assert (await ship.control({"do": "log", "type": "seal.numbered"}))["entries"] == []
        assert (await ship.control(asked))["recorded"] is not None
        await ship.until(lambda: ship.state("alert/seal.broken.s01")["state"] == "U", for_s=2.0)


async def test_a_window_that_is_not_open_cannot_be_closed_nor_opened_twice(tmp_path):
    async with sailing(tmp_path) as ship:
        close = {"do": "window.close", "by": ["R. Menon"]}
        open_ = {"do": "window.open", "by": ["A. Lindqvist", "R. Menon"]}
        await refused(ship, close, "no test window is open")
        said = await ship.control(open_)
        assert (said["minutes"], said["recorded"] is not None) == (20.0, True)
        await refused(ship, open_, "open already")
        assert (await ship.control(close))["recorded"] is not None
        await refused(ship, close, "no test window is open")
        private = await ship.control({"do": "log", "type": "window.opened"})
        assert '"class":"sso"' in private["entries"][0]
        assert "Lindqvist" in private["entries"][0], "who opened it first is the actor"


async def test_an_answer_has_bounds_and_a_name(tmp_path):
    async with sailing(tmp_path) as ship:
        asked = {"do": "test.answer", "test": "t-ssas-e-p1", "step": 1, "by": "R. Menon"}
        with pytest.raises(RefusedError, match="at most 400 characters"):
            await ship.daemon.acts.answer(
                "t-ssas-e-p1", step=1, person="R. Menon", text="x" * (LONGEST_TEXT + 1)
            )
        await refused(ship, {**asked, "text": "x" * LONGEST_TEXT}, "waits for no answer now")
        await refused(ship, {**asked, "by": "A. Nobody"}, "not on the crew list")


async def refused(ship: Ship, request: dict, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        await ship.control(request)
