"""Every act works at once, says whether it is on disk, and a refused one changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from daemon.acts.acts import LONGEST_TEXT
from daemon.alerts.alert import Source
from daemon.errors import RefusedError
from daemon.model import AlertState, Person, Role, Situation
from daemon.people.claims import Claim
from daemon.ssas.window import may_open_window
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
        await refused(
            ship, {**asked, "alert": alert["id"]}, "there is no (latched alert|broken seal)"
        )
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
                "t-ssas-e-p1", Claim("R. Menon"), step=1, text="x" * (LONGEST_TEXT + 1)
            )
        await refused(ship, {**asked, "text": "x" * LONGEST_TEXT}, "waits for no answer now")
        await refused(ship, {**asked, "by": "A. Nobody"}, "not on the crew list")


# --- orders about the ship ---


async def test_a_higher_level_makes_an_acknowledged_warning_sound_as_an_alarm_until_it_is_lower(
    tmp_path,
):
    """Invariant 9: what was acknowledged as a warning is not news again when it is one again."""
    async with sailing(tmp_path) as ship:
        alert = await raised(ship)
        asked = {"alert": alert["id"], "instance": alert["instance"], "priority": "W"}
        assert (await ship.ask("gangway", "ack", person="L. Tupou", **asked))["accepted"]

        async def level(level: int, person: str) -> dict:
            said = {"level": level, "told_by": "port facility", "person": person}
            reply = await ship.ask("bridge", "level", **said)
            await ship.pass_time(1.0)
            return {**reply, "alert": ship.state(HATCH_ALERT)}

        up = await level(3, "J. Santos")
        assert up["recorded"] is not None
        assert (up["alert"]["priority"], up["alert"]["sounding"]) == ("A", True)
        refused_down = await level(1, "J. Santos")
        assert refused_down["accepted"] is False
        assert "J. Santos may not lower the security level" in refused_down["reason"]
        assert refused_down["alert"]["priority"] == "A"
        down = await level(1, "A. Lindqvist")
        assert (down["alert"]["priority"], down["alert"]["state"]) == ("W", "A")
        assert down["alert"]["acknowledged_by"]["person"] == "L. Tupou"


async def test_what_was_ordered_holds_after_a_restart(tmp_path):
    async with ashore(tmp_path) as (ship, broker, feeds):
        async with afloat(ship, broker, feeds):
            for verb, said in (
                ("situation", {"situation": "anchor", "confirm": True}),
                ("level", {"level": 2, "told_by": "flag"}),
                ("threat", {"on": True}),
                ("ship_time", {"offset_min": 345}),
                ("ais_off", {"on": True, "master": "A. Lindqvist"}),
            ):
                reply = await ship.ask("bridge", verb, person="J. Santos", **said)
                assert reply["accepted"], reply
            before = replace(ship.daemon.watch.ship)
        async with afloat(ship, broker, feeds):
            assert ship.daemon.watch.ship == before
            assert ship.daemon.engine.regime.situation is Situation.ANCHOR


async def test_ais_is_off_by_order_of_the_master_only_and_that_is_told(tmp_path):
    async with sailing(tmp_path, feeds=True) as ship:

        async def order(*, on: bool, master: str) -> dict:
            said = {"on": on, "master": master, "person": "J. Santos"}
            return await ship.ask("bridge", "ais_off", **said)

        reply = await order(on=True, master="R. Menon")
        assert (reply["accepted"], reply["reason"]) == (False, "R. Menon is not the Master")
        reply = await order(on=True, master="A. Nobody")
        assert "not on the crew list" in reply["reason"]
        assert (await order(on=True, master="A. Lindqvist"))["accepted"]
        alert = await ship.until(lambda: ship.state("alert/ais.off_by_order.ais"))
        assert (alert["priority"], alert["detail"]) == ("C", "by order of A. Lindqvist")
        assert (await order(on=False, master="nobody asks"))["accepted"]
        await ship.until(lambda: ship.state("alert/ais.off_by_order.ais") is None)


async def test_a_permit_is_given_and_ended_from_a_station_and_the_door_counts_at_once(tmp_path):
    async with sailing(tmp_path) as ship:
        await raised(ship)

        async def permit(minutes: int, person: str = "J. Santos") -> dict:
            said = {"door": "d12", "worker": "R. dela Cruz", "work": "grease", "minutes": minutes}
            return await ship.ask("bridge", "permit", person=person, **said)

        assert "L. Tupou may not give" in (await permit(10, "L. Tupou"))["reason"]
        assert "may permit 1 to 60 min, not 61" in (await permit(61))["reason"]
        assert "there is no permit for d12" in (await permit(0))["reason"]
        assert (await permit(10))["recorded"] is not None
        await ship.until(lambda: ship.state(HATCH_ALERT)["state"] == "U")
        assert (await permit(0))["recorded"] is not None
        await ship.until(lambda: ship.state(HATCH_ALERT)["state"] == "V")


async def test_an_order_that_cannot_be_written_now_counts_and_says_so(tmp_path, monkeypatch):
    """Invariant 5: the act works at once, and nobody is told that it is recorded."""
    async with sailing(tmp_path) as ship:
        with monkeypatch.context() as hung:
            hung.setattr(type(ship.daemon.record), "submit", lambda *_: asyncio.Future())
            acting = asyncio.ensure_future(
                ship.daemon.acts.order("threat", {"on": True}, Claim("J. Santos"))
            )
            await ship.clock.advance(0.0)
            assert ship.daemon.engine.regime.threat
            await ship.clock.advance(1.0)
            reply = await acting
            assert (reply.accepted, reply.recorded) == (True, None)


HUNG = (
    ("situation", {"situation": "sea", "confirm": True}),
    ("level", {"level": 3, "told_by": "flag"}),
    ("port_level", {"level": 2, "told_by": "PFSO"}),
    ("ship_time", {"offset_min": 60}),
    ("ais_off", {"on": True, "master": "A. Lindqvist"}),
    ("interference_area", {"area": "NAVAREA IX", "hours": 4}),
    ("permit", {"door": "d12", "worker": "R. dela Cruz", "work": "grease", "minutes": 10}),
    ("permit", {"door": "d11", "worker": "", "work": "", "minutes": 0}),
    ("inhibit", {"alert": "door.escape.open.d12", "minutes": 10, "reason": "loose"}),
    ("inhibit", {"alert": "door.vital.open.d11", "minutes": 0}),
    ("out_of_service", {"equipment": "d12", "reason": "x", "measure": "y", "hours": 1}),
    ("out_of_service", {"equipment": "d10", "hours": 0}),
    ("blackout", {"minutes": 10}),
    ("level_in_force", {}),
)


@pytest.mark.parametrize(("verb", "said"), HUNG)
async def test_every_order_counts_while_the_disk_hangs_and_is_answered_within_a_second(
    tmp_path, monkeypatch, verb, said
):
    """Invariant 5."""
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        acts, menon, before = ship.daemon.acts, Claim("R. Menon"), ship.daemon.ship
        permit = {"door": "d11", "worker": "D. Kovac", "work": "x", "minutes": 10}
        loose = {"alert": "door.vital.open.d11", "minutes": 10, "reason": "x"}
        await acts.order("permit", permit, menon)
        await acts.order("inhibit", loose, menon)
        await acts.order("level", {"level": 2, "told_by": "flag"}, menon)
        was = replace(
            before, permits={**before.permits}, inhibits={**before.inhibits}, out_of_service={}
        )
        if said == {"equipment": "d10", "hours": 0}:
            said = {"equipment": "d12", "hours": 0}
            out = {"equipment": "d12", "reason": "x", "measure": "y", "hours": 1}
            await acts.order("out_of_service", out, menon)
            was.out_of_service = {**before.out_of_service}
        with monkeypatch.context() as hung:
            hung.setattr(type(ship.daemon.record), "submit", lambda *_: asyncio.Future())
            acting = asyncio.ensure_future(acts.order(verb, said, menon))
            await ship.clock.advance(0.0)
            assert ship.daemon.ship != was
            await ship.clock.advance(1.0)
            assert acting.done()
            assert (acting.result().accepted, acting.result().recorded) == (True, None)


# --- what a latched alert waits for ---


@dataclass
class Latched:
    """A daemon whose engine has one latched alert, and acts on it."""

    ship: Ship
    key: str

    @property
    def alert(self) -> str:
        return f"{self.key}.d11"

    def holds(self, *, active: bool) -> None:
        source, now_s = Source("d11", "STRG GEAR DOOR", "io1"), self.ship.clock.now_s()
        self.ship.daemon.engine.condition(self.key, source, active=active, now_s=now_s)

    async def release(self, person: str, alert: str | None = None) -> dict:
        return await self.ship.control(
            {"do": "release", "alert": alert or self.alert, "note": "looked", "by": person}
        )


@pytest.mark.parametrize(
    ("key", "may", "may_not"),
    [
        ("door.forced", "J. Santos", ("L. Tupou", "D. Kovac")),
        ("sensor.tamper", "D. Kovac", ("L. Tupou", "J. Santos", "A. Lindqvist")),
        ("record.check", "R. Menon", ("J. Santos", "D. Kovac", "A. Lindqvist")),
    ],
)
async def test_a_latched_alert_goes_by_the_act_of_who_may_and_by_nothing_else(
    tmp_path, key, may, may_not
):
    async with sailing(tmp_path) as ship:
        latched = Latched(ship, key)
        latched.holds(active=True)
        await ship.pass_time(1.0)
        with pytest.raises(RefusedError, match="STRG GEAR DOOR is not intact yet"):
            await latched.release(may)
        latched.holds(active=False)
        for person in may_not:
            with pytest.raises(RefusedError, match=f"{person} may not let this alert go"):
                await latched.release(person)
        with pytest.raises(RefusedError, match="that waits for this"):
            await latched.release(may, "door.escape.open.d12")
        await ship.pass_time(60.0)
        assert ship.daemon.engine.find(key, "d11") is not None
        assert (await ship.control({"do": "log", "type": "alert.released"}))["entries"] == []
        assert (await latched.release(may))["recorded"] is not None
        await ship.pass_time(1.0)
        gone = ship.daemon.engine.find(key, "d11")
        assert gone is None or gone.state is AlertState.RECTIFIED_UNACKNOWLEDGED
        (entry,) = (await ship.control({"do": "log", "type": "alert.released"}))["entries"]
        assert may in entry
        # What only the SSO is shown is told to nobody else when it is let go either (invariant 14).
        shown = ship.daemon.engine.catalogue[key].show
        assert f'"class":"{shown.value}"' in entry
        told = [
            m for m in ship.heard if m.topic.endswith("/event") and b"alert.released" in m.payload
        ]
        assert bool(told) is (shown.value == "watch")


async def test_the_act_for_a_latched_alert_is_done_while_it_is_inhibited(tmp_path):
    async with sailing(tmp_path) as ship:
        latched = Latched(ship, "door.forced")
        latched.holds(active=True)
        await ship.pass_time(1.0)
        said = {"alert": latched.alert, "minutes": 1, "reason": "known"}
        assert (await ship.ask("bridge", "inhibit", person="J. Santos", **said))["accepted"]
        with pytest.raises(RefusedError, match="STRG GEAR DOOR is not intact yet"):
            await latched.release("J. Santos")
        latched.holds(active=False)
        with pytest.raises(RefusedError, match=r"L\. Tupou may not let this alert go"):
            await latched.release("L. Tupou")
        assert (await latched.release("J. Santos"))["recorded"] is not None
        await ship.pass_time(65.0)
        assert ship.daemon.engine.find("door.forced", "d11") is None


async def test_silence_of_many_alerts_waits_a_second_for_a_disk_that_hangs_and_no_more(
    tmp_path, monkeypatch
):
    """Invariant 5: a page gives a reply up sooner than twenty seconds."""
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        for number in range(20):
            source, now_s = Source(f"x{number}", "DOOR", "io1"), ship.clock.now_s()
            ship.daemon.engine.condition("door.escape.open", source, active=True, now_s=now_s)
        await ship.pass_time(1.0)
        with monkeypatch.context() as hung:
            hung.setattr(type(ship.daemon.record), "submit", lambda *_: asyncio.Future())
            acting = asyncio.ensure_future(ship.daemon.acts.silence("gangway", person=None))
            await ship.clock.advance(0.0)
            assert not any(a.sounding for a in ship.daemon.engine.alerts())
            await ship.clock.advance(1.0)
            assert acting.done()
            reply = acting.result()
            assert (reply.recorded, reply.extra) == (None, {"silenced": 20})


async def refused(ship: Ship, request: dict, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        await ship.control(request)
