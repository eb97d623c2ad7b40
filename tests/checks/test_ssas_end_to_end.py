"""An SSAS test is proven on three legs, each by who saw it; a leg that is not there is never a pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from daemon.checks import ssas_end_to_end
from daemon.checks.api import Attached, Gathered, Services
from daemon.checks.flags import Notice
from daemon.checks.ssas_end_to_end import CHECK, SsasEndToEndConfig, judge, may_start, needs_s
from daemon.checks.ssas_units import load_unit
from daemon.errors import RefusedError
from daemon.gate import LONGEST_WINDOW_S
from daemon.model import Classification, Outcome, Position, Provenance, Quality
from daemon.testing import evidence
from daemon.testing.readiness import SoFar, Test
from tests.checks.rig import rig, running
from tests.checks.ssas_rig import DARK, LIT, MASTER, SSO, Sso, blinks, lamp, lost, message
from tests.checks.ssas_rig import start as begin
from tests.checks.ssas_rig import start_clear as led
from tests.makers import UTC_0210

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from tests.checks.rig import Rig

ACTIVATION_S, SENDING_S, ANSWER_S = 120.0, 30.0 + 5 * 60 * 1.2, 900.0
QUIET_S, CONFIRMATION_S = 120.0, 0.5 * 3600.0
MPA = {"name": "MPA", "kind": "administration"}


def ssas_test(**changed: object) -> Test:
    said: dict[str, object] = {
        "kind": "ssas_end_to_end",
        "id": "t-ssas",
        "equipment": "ssas",
        "name": "SSAS P1",
        "ssp_paragraph": "8.4",
        "every": "year",
        "activation_point": "P1",
        "flag_profile": "singapore",
        "unit_profile": "jrc-jue-95sa-text",
        "addressees": [MPA],
        "confirmation_h": 0.5,
        "message": "ssas.message",
        "lamp": "ssas.lamp",
    }
    return Test(SsasEndToEndConfig(**{**said, **changed}), CHECK)  # type: ignore[arg-type]


PRESSED = ((DARK, 2.5), (LIT, 2.5))
"""A JRC lamp at rest and then pressed, each long enough to be clear."""
SINCE_S = 0.6
"""At most so long ago the press was clear: 2 s after the lamp was lit."""


def begun(**changed: object) -> AbstractAsyncContextManager[Rig]:
    return running(rig(ssas_test(**changed)))


async def start(made: Rig) -> Sso:
    return await led(made, "t-ssas")


async def released(made: Rig, sso: Sso) -> None:
    """Release the buttons; the lamp goes dark, and nothing more comes."""
    assert sso.step() == 4
    await sso.answers(4)
    await sso.rests()
    await made.clock.advance(QUIET_S)


async def sent(made: Rig) -> Sso:
    """Return the person after a press that was seen and sent, with the unit reset."""
    sso = await start(made)
    await sso.shows(*PRESSED)
    await sso.hears(message())
    await released(made, sso)
    assert sso.step() == 6
    return sso


async def test_three_legs_and_the_text_set_back_pass_and_say_who_saw_them():
    async with begun() as made:
        sso = await sent(made)
        await made.clock.advance(1200.0)
        await sso.confirms()
        assert sso.result() == ("passed", "activation seen, sent, confirmed ashore")
        went = datetime.fromisoformat(str(sso.details()["sent"]))
        assert timedelta(minutes=20) <= made.clock.utc() - went < timedelta(hours=1)
        assert sso.details() == {
            "performer": SSO,
            "witness": MASTER,
            "procedure": "JRC JUE-95SA, " + load_unit("jrc-jue-95sa-text").as_of,
            "clear": f"said by {SSO}: yes",
            "activation": "seen by ispsd on ssas.lamp",
            "acceptance": "seen by ispsd on ssas.message",
            "reset": "seen by ispsd on ssas.lamp",
            "shore": f"MPA said by {SSO}: MPA mail 1 of 0224Z",
            "confirmed": 1,
            "recipients": 1,
            "copy": f"said by {SSO}: yes, read out by the CSO",
            "text_set_back": f"said by {MASTER}: print-out of 0230Z",
            "after": f"said by {SSO}: yes",
            "control_unit": f"said by {SSO}: yes, main",
            "sent": went.isoformat(),
            # A survey takes what was sent within the fortnight, however late the last answer came.
            "evidence_valid_until": f"{went + timedelta(days=14):%Y-%m-%d}",
        }


@pytest.mark.parametrize("step", [6, 7, 8, 11])
async def test_an_answer_that_says_neither_yes_nor_no_is_asked_for_again(step):
    said = {6: "mail 4711", 7: "yes, the CSO", 8: "yes", 9: "yes"}
    async with begun() as made:
        sso = await sent(made)
        for number in range(6, 10):
            by = MASTER if number == 8 else SSO
            if number == step:
                with pytest.raises(RefusedError, match="neither yes nor no"):
                    await sso.answers(number, "not received yet, office closed", by=by)
            await sso.answers(number, said[number], by=by)
        if step == 11:
            with pytest.raises(RefusedError, match="neither yes nor no"):
                await sso.answers(10, "not in order: fault lamp 3")
        await sso.answers(10, "no, fault lamp 3")
        assert sso.result()[0] == "failed"


async def test_a_text_port_that_nobody_heard_does_not_accuse_the_unit():
    services = Services(listens_since_s=lambda _: None)
    async with running(rig(ssas_test(), services=services)) as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await made.clock.advance(SENDING_S)
        await sso.answers(4)
        assert sso.result() == ("inconclusive", "activation seen; sending was not seen")


async def test_nothing_is_pressed_while_distress_or_a_security_matter_is_in_hand():
    """The test takes the terminal for up to an hour; that it is free is a person's statement, never a sensor's."""
    async with begun() as made:
        sso = await begin(made, "t-ssas")
        assert sso.step() == 1
        await sso.answers(1, "no")
        assert sso.result() == (
            "inconclusive",
            "held: distress, urgency or a security matter is in hand",
        )


async def test_nobody_who_says_that_nothing_is_in_hand_leaves_it_inconclusive():
    async with begun() as made:
        sso = await begin(made, "t-ssas")
        await made.clock.advance(ANSWER_S)
        assert sso.result() == (
            "inconclusive",
            "nobody said that no distress or security matter is in hand",
        )


async def test_a_press_without_a_test_message_in_time_fails():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await made.clock.advance(SENDING_S - SINCE_S)
        assert made.results() == []
        await made.clock.advance(SINCE_S)
        await sso.answers(4)
        assert sso.result() == ("failed", "activation seen; no test message was sent in time")


async def test_what_was_found_stands_although_the_window_closes_before_the_release():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await made.clock.advance(SENDING_S)
        made.gate.close()
        await made.clock.advance(ANSWER_S)
        assert sso.result() == ("failed", "activation seen; no test message was sent in time")


NOT_AT_REST = "activation not seen: the lamp was not seen at rest first"


@pytest.mark.parametrize(
    ("shows", "how", "reason"),
    [
        pytest.param([], {}, NOT_AT_REST, id="missing"),
        pytest.param([(LIT, 5)], {}, NOT_AT_REST, id="lit from the start"),
        pytest.param(blinks(9), {}, NOT_AT_REST, id="blinking from the start"),
        pytest.param([(DARK, 1), (LIT, 5)], {}, NOT_AT_REST, id="rest too short"),
        pytest.param([(DARK, 5)], {}, "activation not seen", id="never lit"),
        pytest.param([(DARK, 5), (LIT, 1)], {}, "activation not seen", id="lit too short"),
        pytest.param([(DARK, 3), *blinks(9)], {}, "activation not seen", id="blinks unpressed"),
        pytest.param(
            [(DARK, 5), (None, 5), (LIT, 5)], {}, "activation not seen", id="lit while unseen"
        ),
        pytest.param(PRESSED, {"quality": Quality.SUSPECT}, NOT_AT_REST, id="suspect"),
        pytest.param(PRESSED, {"provenance": Provenance.SIMULATED}, NOT_AT_REST, id="simulated"),
        pytest.param(PRESSED, {"provenance": Provenance.REPLAY}, NOT_AT_REST, id="replay"),
    ],
)
async def test_without_evidence_that_counts_it_is_inconclusive(shows, how, reason):
    """The message comes all the same: it counts only after the lamp was seen first."""
    async with begun() as made:
        sso = await start(made)
        began_s = made.clock.now_s()
        await sso.shows(*shows, **how)
        await sso.hears(message())
        await made.clock.advance(ACTIVATION_S - (made.clock.now_s() - began_s) - 0.1)
        assert (sso.step(), made.results()) == (2, [])
        await made.clock.advance(0.2)
        assert sso.result() == ("inconclusive", reason)
        assert sso.details()["acceptance"] == "not seen"


@pytest.mark.parametrize(
    "how",
    [
        {"quality": Quality.SUSPECT},
        {"provenance": Provenance.SIMULATED},
        {"provenance": Provenance.REPLAY},
    ],
)
async def test_a_message_that_does_not_count_is_no_acceptance(how):
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await sso.hears(message(**how))
        assert sso.step() == 3
        await made.clock.advance(SENDING_S)
        await sso.answers(4)
        assert sso.details()["acceptance"] == "not seen"
        assert sso.result()[0] != "passed"


async def test_a_message_from_before_the_lamp_is_not_this_tests():
    async with begun() as made:
        sso = await start(made)
        await sso.shows((DARK, 2.5))
        await sso.hears(message())
        await sso.shows((LIT, 1.5))
        await sso.hears(message())
        await sso.shows((LIT, 1.0))
        assert sso.step() == 3
        await made.clock.advance(SENDING_S)
        await sso.answers(4)
        assert sso.details()["acceptance"] == "not seen"


async def test_a_crash_is_inconclusive_and_never_a_pass(monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(ssas_end_to_end, "confirm", broken)
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await sso.hears(message())
        await released(made, sso)
        assert sso.result() == ("inconclusive", "the check crashed: ZeroDivisionError")


async def test_without_the_shore_it_is_inconclusive_and_nobody_is_led_on():
    async with begun() as made:
        sso = await sent(made)
        await made.clock.advance(CONFIRMATION_S)
        assert sso.result() == ("inconclusive", "sent; no confirmation from ashore")


async def test_the_shore_may_confirm_after_the_window_has_closed():
    """Some flags confirm in office hours; the unit is read no more."""
    async with begun() as made:
        sso = await sent(made)
        made.gate.close()
        await made.clock.advance(CONFIRMATION_S - 60)
        await sso.confirms()
        assert sso.result()[0] == "passed"


TWO = [MPA, {"name": "CSO", "kind": "company"}]


async def test_every_addressee_confirms_or_it_is_no_pass():
    async with begun(addressees=TWO) as made:
        sso = await sent(made)
        await sso.answers(6, "MPA mail 0224Z")
        await made.clock.advance(CONFIRMATION_S)
        assert sso.result() == ("inconclusive", "sent; confirmed by 1 of 2")
        assert (sso.details()["confirmed"], sso.details()["recipients"]) == (1, 2)


async def test_an_addressee_who_has_nothing_fails_it_by_name():
    async with begun(addressees=TWO) as made:
        sso = await sent(made)
        await sso.answers(6, "MPA mail 0224Z")
        await sso.answers(7, "no, CSO called 0300Z")
        await afterwards(sso, "yes, the MPA", first_step=8)
        assert sso.result() == ("failed", "sent; confirmed by 1 of 2, not by CSO")


async def afterwards(
    sso: Sso, copy: str = "yes, MPA", wording: str = "print-out", *said: str, first_step: int = 7
) -> None:
    """Say the last four things; that the text is set back says a second person."""
    after, unit, *_ = (*said, *("yes", "yes, main")[len(said) :])
    for step, text in enumerate((copy, wording, after, unit), start=first_step):
        await sso.answers(step, text, by=MASTER if text == wording else SSO)


async def test_two_of_two_pass():
    async with begun(addressees=TWO) as made:
        sso = await sent(made)
        await sso.confirms(of=2)
        assert sso.result()[0] == "passed"
        assert (sso.details()["confirmed"], sso.details()["recipients"]) == (2, 2)


MAIL = """Subject: SSAS TEST
TEST TEST
KESTREL STRAIT IMO 9999993 9VKS0 MMSI 299000019
LAT,N01 15.84LON,E103 50.40,UTC,22.11.2026 02:05,SOG,
0.0KT,COG,20DEG"""


def file(name: str, text: str | None = None, **how: object) -> Attached:
    said: dict[str, object] = {"at_utc": UTC_0210 + timedelta(hours=1), "is_private": True}
    return Attached(name, "ab" * 32, text=text, **{**said, **how})  # type: ignore[arg-type]


ATTACHED = {
    31: file("mpa.eml", MAIL),
    32: file("photo.jpg"),
    33: file("of-last-year.eml", MAIL, at_utc=UTC_0210 - timedelta(days=300)),
    34: file("on-the-door-log.eml", MAIL, is_private=False),
}
HERE = Position(1 + 15.84 / 60, 103 + 50.40 / 60)


def with_files(position: Position | None = HERE) -> Services:
    async def attached(seq: int) -> Attached | None:
        return ATTACHED.get(seq)

    return Services(attached=attached, own_position=lambda: position)


@pytest.mark.parametrize(
    ("again", "outcome"),
    [
        ("yes, the CSO, by phone", "passed"),
        ("no, another ship's", "failed"),
        (None, "inconclusive"),
    ],
)
async def test_a_position_that_cannot_be_read_is_asked_of_who_has_the_copy(again, outcome):
    typed = " ".join(MAIL.split("\n")).replace("N01 15.84", "one degree north")
    async with running(rig(ssas_test(fix_age_min=30), services=with_files())) as made:
        sso = await sent(made)
        await sso.answers(6, "mail 4711")
        await sso.answers(7, typed)
        assert sso.step() == 7
        assert sso.prompt().startswith("Its position cannot be read here")
        if again is None:
            await made.clock.advance(ANSWER_S)
        else:
            await sso.answers(7, again)
        await sso.answers(8, "print-out", by=MASTER)
        await sso.answers(9, "yes")
        await sso.answers(10, "yes, main")
        assert sso.result()[0] == outcome


async def test_a_confirmation_may_be_a_file_that_is_attached_and_one_that_is_not_is_asked_again():
    async with running(rig(ssas_test(fix_age_min=30), services=with_files())) as made:
        sso = await sent(made)
        await sso.answers(6, "file 30")
        assert sso.step() == 6
        assert sso.prompt().startswith("No file is attached by entry 30.")
        await sso.answers(6, "file no. 31")
        await afterwards(sso, "file 31")
        assert sso.result() == ("passed", "activation seen, sent, confirmed ashore")
        assert sso.details()["shore"] == f"MPA said by {SSO}: file no. 31"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (33, "The file of entry 33 is older than this test."),
        (34, "The file of entry 34 hangs on what watch stations read"),
    ],
)
async def test_a_file_from_before_the_test_or_for_every_station_to_read_is_no_confirmation(
    number, why
):
    async with running(rig(ssas_test(), services=with_files())) as made:
        sso = await sent(made)
        await sso.answers(6, f"file {number}")
        assert sso.step() == 6
        assert sso.prompt().startswith(why)
        await made.clock.advance(CONFIRMATION_S)
        assert sso.result() == ("inconclusive", "sent; no confirmation from ashore")


async def test_a_ship_that_made_way_while_it_was_sent_is_where_the_message_says():
    """At 20 kn she is 3 miles on when an hour later the copy is read."""
    places = iter([HERE, HERE, Position(1.32, 103.84)])
    services = replace(with_files(), own_position=lambda: next(places, Position(1.5, 103.84)))
    async with running(rig(ssas_test(), services=services)) as made:
        sso = await sent(made)
        await sso.answers(6, "file 31")
        await afterwards(sso, "file 31")
        assert sso.result() == ("passed", "activation seen, sent, confirmed ashore")


async def test_the_tester_is_no_second_person():
    async with begun() as made:
        sso = await sent(made)
        await sso.answers(6, "MPA mail")
        await sso.answers(7, "yes, MPA")
        with pytest.raises(RefusedError, match="the confirmation of a second person is wanted"):
            await sso.answers(8, "print-out")


def test_what_the_tester_said_of_the_wording_proves_it_only_where_one_person_is_enough():
    assert judged(two_persons=True) is Outcome.INCONCLUSIVE
    assert judged(two_persons=True, text_set_back={**SAID, "person": MASTER}) is Outcome.PASSED
    assert judged(two_persons=False) is Outcome.PASSED


async def test_a_ship_whose_plan_says_so_has_it_done_by_one_person():
    async with begun(two_persons=False) as made:
        sso = await sent(made)
        for step, text in enumerate(("MPA mail", "yes, MPA", "print-out", "yes", "yes, main"), 6):
            await sso.answers(step, text)
        assert sso.result()[0] == "passed"
        assert "witness" not in sso.details()


# A restart


def after_restart(before: Rig, *, later_s: float, **changed: object) -> Rig:
    """Return the tests of the next start, with what the record kept of the last one's."""
    kept = before.written("test.kept")
    bodies = {each.media: each.body for each in kept[-1].evidence} if kept else {}
    so_far = {}
    if bodies:
        found = evidence.basis(bodies[evidence.BASIS], bodies[evidence.READINGS])
        so_far["t-ssas"] = SoFar(
            found.gathered, kept[-1].parts.get(Classification.SSO, {}).get("witness")
        )
    before.clock.step_utc(later_s)
    made = rig(ssas_test(**changed), clock=before.clock)
    made.tests.take_up(before.kept(), last_seen_utc=before.clock.utc(), so_far=so_far)  # type: ignore[arg-type]
    return made


async def test_a_restart_while_ashore_is_asked_loses_nothing_that_was_found_or_said():
    async with begun(addressees=TWO) as before:
        sso = await sent(before)
        await sso.answers(6, "MPA mail 0224Z")
    async with running(after_restart(before, later_s=600.0, addressees=TWO)) as made:
        sso = Sso(made, "t-ssas")
        assert not made.gate.is_open()
        assert sso.step() == 7
        await sso.answers(7, "CSO mail 0500Z")
        await afterwards(sso, first_step=8)
        assert sso.result() == ("passed", "activation seen, sent, confirmed ashore")
        details = sso.details()
        assert details["activation"] == "seen by ispsd on ssas.lamp"
        assert (
            details["shore"]
            == f"MPA said by {SSO}: MPA mail 0224Z; CSO said by {SSO}: CSO mail 0500Z"
        )
        assert made.results()[0]["began"] == before.written("test.begun")[0].open["began"]


async def test_a_restart_after_the_time_for_confirmations_still_leaves_a_quarter_of_an_hour():
    async with begun() as before:
        await sent(before)
    async with running(after_restart(before, later_s=3 * 86_400.0)) as made:
        sso = Sso(made, "t-ssas")
        await made.clock.advance(ANSWER_S - 1)
        assert (sso.step(), made.results()) == (6, [])
        await made.clock.advance(2)
        assert sso.result() == ("inconclusive", "sent; no confirmation from ashore")


async def test_a_restart_before_the_reset_is_proven_ends_it_as_interrupted():
    async with begun() as before:
        sso = await start(before)
        await sso.shows(*PRESSED)
        await sso.hears(message())
        assert before.written("test.kept") == []
    async with running(after_restart(before, later_s=600.0)) as made:
        assert Sso(made, "t-ssas").result() == (
            "inconclusive",
            "interrupted: ispsd stopped before the test was complete",
        )


@pytest.mark.parametrize(
    ("position", "edit", "reason"),
    [
        (HERE, ("9VKS0", "9VKS1"), "the copy ashore does not have the call sign 9VKS0"),
        (HERE, ("9999993", "9999981"), "has IMO number 9999981, not the ship's 9999993"),
        (HERE, ("TEST", "DEMO"), "does not say TEST"),
        (HERE, ("LAT,N01", "LAT,N02"), "has a position 60.0 nm from ours, limit 1.0 nm"),
        (HERE, ("22.11.2026", "20.11.2026"), "limit 30 min"),
        (HERE, ("LAT,N01 15.84LON,E103 50.40", ""), "has no position"),
    ],
)
async def test_a_copy_that_is_not_as_it_must_be_fails_the_test(monkeypatch, position, edit, reason):
    monkeypatch.setitem(ATTACHED, 31, file("mpa.eml", MAIL.replace(*edit)))
    services = with_files(position)
    async with running(rig(ssas_test(fix_age_min=30), services=services)) as made:
        sso = await sent(made)
        await sso.answers(6, "file 31")
        await afterwards(sso, "file 31")
        outcome, said = sso.result()
        assert outcome == "failed"
        assert reason in str(said)


async def test_a_text_that_nobody_set_back_is_not_a_pass():
    async with begun() as made:
        sso = await sent(made)
        await sso.answers(6, "MPA mail")
        await sso.answers(7, "yes, MPA")
        for _ in range(3):
            await made.clock.advance(ANSWER_S)
        assert sso.result() == ("inconclusive", "confirmed; text not confirmed as set back")


@pytest.mark.parametrize(
    ("answers", "outcome", "reason"),
    [
        (("no", "print-out", "yes"), "failed", "a named person says that the copy ashore is not"),
        (("yes", "no", "yes"), "failed", "confirmed; text is not set back"),
        (("yes", "print-out", "no"), "failed", "another sign on board, or GMDSS is not as before"),
        (
            ("yes", "print-out", "yes", "no, clock 2 h off"),
            "failed",
            "the control unit shows a fault",
        ),
    ],
)
async def test_whatever_a_person_says_is_wrong_fails_it(answers, outcome, reason):
    async with begun() as made:
        sso = await sent(made)
        await sso.answers(6, "MPA mail")
        await afterwards(sso, *answers)
        assert sso.result()[0] == outcome
        assert reason in str(sso.result()[1])


async def test_a_lamp_that_does_not_go_back_to_rest_is_a_unit_that_is_not_reset():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await sso.hears(message())
        await sso.answers(4)
        await sso.shows((LIT, 31))
        await made.clock.advance(QUIET_S)
        await sso.confirms()
        assert sso.result() == ("failed", "sent; not reset: the lamp did not go back to rest")


async def test_a_lamp_that_is_out_of_sight_proves_no_reset():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await sso.hears(message())
        await sso.answers(4)
        await made.clock.advance(QUIET_S)
        await sso.confirms()
        assert sso.result() == ("inconclusive", "sent; reset was not seen")


async def test_a_further_message_after_the_release_is_a_unit_that_is_not_reset():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await sso.hears(message())
        await sso.answers(4)
        await sso.rests()
        await made.clock.advance(QUIET_S - 10)
        await sso.hears(message())
        await sso.confirms()
        assert sso.result() == ("failed", "sent; not reset: a further message came")


async def test_a_port_that_is_lost_after_the_release_proves_no_reset():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await sso.hears(message())
        await sso.answers(4)
        await sso.rests()
        await sso.hears(lost("ssas.message"))
        await made.clock.advance(QUIET_S)
        await sso.confirms()
        assert sso.result() == ("inconclusive", "sent; after the reset the unit was out of sight")


async def test_a_unit_that_shows_nothing_is_answered_for_by_a_named_person():
    async with begun(lamp="", message="") as made:
        sso = await start(made)
        await sso.answers(2)
        await sso.answers(3, "sent mail 0220Z")
        await sso.answers(4)
        await sso.answers(5, "panel dark, seen by C/O")
        await sso.confirms()
        assert sso.result()[0] == "passed"
        assert sso.details()["activation"] == f"said by {SSO}"
        assert sso.details()["acceptance"] == f"said by {SSO}: sent mail 0220Z"
        assert sso.details()["reset"] == f"said by {SSO}: panel dark, seen by C/O"


async def test_nobody_who_says_that_it_was_pressed_leaves_it_inconclusive():
    async with begun(lamp="", message="") as made:
        sso = await start(made)
        await made.clock.advance(ACTIVATION_S)
        assert sso.result() == ("inconclusive", "activation not seen")


async def test_nothing_of_it_is_of_class_watch():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await made.clock.advance(SENDING_S)
        await sso.answers(4)
        first, draft = made.journal.drafts
        assert {first.classification, draft.classification} == {Classification.SSO}
        assert not {"person", "item"} & {*first.open}
        assert (draft.actor.person, draft.kind) == (SSO, ".10")
        assert not {"activation", "acceptance", "shore", "performer"} & {*draft.open}


READINGS = (lamp(LIT), message())
SEEN, SAID = {"point": "ssas.lamp", "reading": 0}, {"person": SSO, "text": "MPA mail"}
DONE = {"person": SSO, "text": ""}
WHOLE: dict[str, object] = {
    "clear": {"person": SSO, "text": "yes"},
    "activation": SEEN,
    "acceptance": {"point": "ssas.message", "reading": 1},
    "watched": True,
    "released": DONE,
    "reset": SEEN,
    "reset_watched": True,
    "further_message": None,
    "confirmations": [{"addressee": "MPA", **SAID}],
    "copy": {"person": SSO, "text": "yes"},
    "text_set_back": SAID,
    "after": {"person": SSO, "text": "yes"},
    "ended": "2026-11-22T02:10:00+00:00",
}


def judged(**changed: object) -> Outcome:
    config = ssas_test().config
    facts = {**WHOLE, **changed}
    return judge(config, Gathered(readings=READINGS, facts=facts)).outcome  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, Outcome.PASSED),
        ({"activation": DONE, "acceptance": SAID}, Outcome.PASSED),
        ({"activation": None}, Outcome.INCONCLUSIVE),
        ({"acceptance": None}, Outcome.FAILED),
        ({"acceptance": None, "watched": False}, Outcome.INCONCLUSIVE),
        ({"acceptance": DONE}, Outcome.INCONCLUSIVE),
        ({"acceptance": {"person": SSO, "text": "no, dead"}}, Outcome.FAILED),
        ({"released": None}, Outcome.INCONCLUSIVE),
        ({"reset": SAID}, Outcome.PASSED),
        ({"reset": DONE}, Outcome.INCONCLUSIVE),
        ({"reset": {"person": SSO, "text": "no"}}, Outcome.FAILED),
        ({"confirmations": []}, Outcome.INCONCLUSIVE),
        ({"confirmations": [{"addressee": "MPA"}]}, Outcome.INCONCLUSIVE),
        ({"copy": None}, Outcome.INCONCLUSIVE),
        ({"copy": SAID | {"findings": ["does not say TEST"]}}, Outcome.FAILED),
        ({"text_set_back": None}, Outcome.INCONCLUSIVE),
        ({"text_set_back": DONE}, Outcome.INCONCLUSIVE),
        ({"after": None}, Outcome.INCONCLUSIVE),
    ],
)
def test_each_leg_is_needed(changed, outcome):
    assert judged(**changed) is outcome


@pytest.mark.parametrize("key", sorted({*WHOLE} - {"watched", "further_message", "ended"}))
def test_nothing_that_is_missing_is_ever_a_pass(key):
    left = {name: said for name, said in WHOLE.items() if name != key}
    verdict = judge(ssas_test().config, Gathered(readings=READINGS, facts=left))  # type: ignore[arg-type]
    assert verdict.outcome is not Outcome.PASSED


@pytest.mark.parametrize(
    ("changed", "points"),
    [
        ({}, ("ssas.lamp", "ssas.message")),
        ({"lamp": ""}, ("ssas.message",)),
        ({"message": ""}, ("ssas.lamp",)),
        ({"lamp": "", "message": ""}, ()),
    ],
)
def test_it_listens_to_what_the_unit_has(changed, points):
    test = ssas_test(**changed)
    assert test.spec.points(test.config) == points


async def test_nobody_who_says_that_it_was_sent_leaves_it_inconclusive():
    """A leg that a person does not supply is a gap, not a finding."""
    async with begun(lamp="", message="") as made:
        sso = await start(made)
        await sso.answers(2)
        await made.clock.advance(SENDING_S)
        await sso.answers(4)
        assert sso.result() == ("inconclusive", "activation seen; sending was not seen")


async def test_a_text_port_that_was_lost_is_no_defect_of_the_transmitter():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await sso.hears(lost("ssas.message"))
        await made.clock.advance(SENDING_S)
        await sso.answers(4)
        assert sso.result() == ("inconclusive", "activation seen; sending was not seen")


async def test_a_lamp_that_is_lost_after_the_press_takes_nothing_from_the_finding():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await sso.hears(lost("ssas.lamp"))
        await made.clock.advance(SENDING_S)
        await sso.answers(4)
        assert sso.result()[0] == "failed"


JRC_LAMP_ALONE: dict[str, object] = {"message": ""}
SAILOR: dict[str, object] = {"message": "", "unit_profile": "sailor-6194"}


async def test_a_jrc_without_a_text_port_shows_by_its_lamp_that_it_sent():
    async with begun(**JRC_LAMP_ALONE) as made:
        sso = await start(made)
        await sso.shows(*PRESSED, *blinks(10))
        assert sso.step() == 3
        await sso.shows((LIT, 2.5))
        await sso.answers(4)
        await sso.rests()
        await sso.confirms()
        assert sso.result()[0] == "passed"
        assert sso.details()["activation"] == "seen by ispsd on ssas.lamp"
        assert sso.details()["acceptance"] == "seen by ispsd on ssas.lamp"


@pytest.mark.parametrize(
    ("shows", "outcome"),
    [
        pytest.param([(LIT, 480)], "failed", id="never blinks"),
        pytest.param([*blinks(10), (DARK, 480)], "failed", id="blinks and goes off"),
        pytest.param(blinks(480), "failed", id="never done"),
        pytest.param([*blinks(10), (None, 480)], "inconclusive", id="out of sight"),
        pytest.param([*blinks(10), (None, 5), (LIT, 480)], "inconclusive", id="done unseen"),
    ],
)
async def test_a_lamp_that_does_not_show_the_end_of_sending_is_no_acceptance(shows, outcome):
    async with begun(**JRC_LAMP_ALONE) as made:
        sso = await start(made)
        await sso.shows(*PRESSED, *shows)
        await sso.answers(4)
        assert sso.result()[0] == outcome
        assert sso.details()["acceptance"] == "not seen"


async def test_a_sailor_shows_the_press_and_a_named_person_says_that_it_was_sent():
    """Its flashing tells that the buttons work, and not that anything was sent."""
    async with begun(**SAILOR) as made:
        sso = await start(made)
        await sso.shows((LIT, 2.5), (DARK, 5), *blinks(25), (DARK, 5), (LIT, 5))
        assert sso.step() == 3
        await sso.answers(3, "SSA test report of 0221Z")
        await sso.answers(4)
        await sso.rests(LIT)
        await sso.confirms()
        assert sso.result()[0] == "passed"
        assert sso.details()["activation"] == "seen by ispsd on ssas.lamp"
        assert sso.details()["acceptance"] == f"said by {SSO}: SSA test report of 0221Z"


async def test_a_sailor_lamp_that_is_dark_from_the_start_is_no_press():
    async with begun(**SAILOR) as made:
        sso = await start(made)
        await sso.shows((DARK, 60), (LIT, 2.5))
        await made.clock.advance(ACTIVATION_S)
        assert sso.result() == ("inconclusive", "activation not seen")


@pytest.mark.parametrize(
    ("changed", "waited_s"),
    [
        ({}, 30 + 5 * 72),
        ({"addressees": [MPA] * 2}, 30 + 17 * 72),
        ({"addressees": [MPA] * 3}, 30 + 29 * 72),
        ({"addressees": [MPA] * 4}, 30 + 41 * 72),
        ({"addressees": [MPA] * 5}, 30 + 53 * 72),
        ({"sending_s": 100}, 100),
    ],
)
async def test_sending_is_waited_for_as_long_as_the_maker_says(changed, waited_s):
    async with begun(**changed) as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await made.clock.advance(waited_s - SINCE_S)
        assert sso.step() == 3
        await made.clock.advance(SINCE_S)
        await sso.answers(4)
        assert sso.result()[0] == "failed"


@pytest.mark.parametrize(("addressees", "minutes"), [(1, 13), (2, 27), (3, 41), (4, 56), (5, 70)])
def test_the_window_that_a_test_needs_follows_from_the_makers_table(addressees, minutes):
    """Waiting for the press, 30 s of hold, a fifth more than the maker says, release, rest and quiet."""
    config = ssas_test(addressees=[MPA] * addressees).config
    assert isinstance(config, SsasEndToEndConfig)
    assert int(needs_s(config) // 60) == minutes
    assert needs_s(config) < LONGEST_WINDOW_S


@pytest.mark.parametrize(
    ("unit", "says"),
    [
        ("jrc-jue-95sa-text", "At P1: hold TEST for 5 s, then press SECURITY as well"),
        ("sailor-6194", "At P1: hold TEST for 5 s, then push the covert button as well"),
    ],
)
async def test_the_person_is_led_in_the_makers_words_with_the_word_that_the_flag_wants(unit, says):
    async with begun(unit_profile=unit, message="") as made:
        sso = await start(made)
        assert sso.prompt().startswith(says)
        assert (
            "for more than 30 s. The message must say TEST. Real alert by mistake?" in sso.prompt()
        )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"flag_profile": "SG 2024-10"}, r"there are denmark, .*singapore"),
        ({"flag_profile": "atlantis"}, "there is no profile 'atlantis'; there are denmark"),
        ({"unit_profile": "noname"}, r"there are iridium-sbd, jrc-jue-95sa-text, sailor-6194"),
        ({"unit_profile": "sailor-6194"}, 'knows of no text port: say message = ""'),
        ({"addressees": [MPA] * 6}, "JRC JUE-95SA has at most 5 addressees"),
    ],
)
def test_a_test_that_does_not_fit_flag_or_unit_is_refused_with_what_there_is(changed, reason):
    with pytest.raises(ValidationError, match=reason):
        ssas_test(**changed)


def test_a_lamp_that_the_maker_does_not_describe_is_refused(tmp_path, monkeypatch):
    unit = (
        'maker = "A"\nmodel = "B"\nsource = "C"\nas_of = "2026-11-29"\n'
        '[test]\npress = "hold"\nrelease = "let go"\n'
    )
    (tmp_path / "ssas").mkdir()
    (tmp_path / "ssas" / "dumb.toml").write_text(unit, "utf-8")
    monkeypatch.setenv("ISPSD_DATA", str(tmp_path))
    with pytest.raises(ValidationError, match="knows of no test lamp"):
        ssas_test(unit_profile="dumb", message="")
    assert ssas_test(unit_profile="dumb", message="", lamp="")


def test_it_may_start_with_notice_in_time_and_else_quotes_the_rule():
    config = ssas_test().config
    assert isinstance(config, SsasEndToEndConfig)
    in_time = Notice(
        flag="singapore",
        sent_utc=UTC_0210 - timedelta(hours=24),
        to="MPA",
        reference="mail",
        entered_by=SSO,
        entered_utc=UTC_0210,
    )
    assert may_start(config, [in_time], UTC_0210) is None
    assert may_start(config, [], UTC_0210) == (
        "no notice is entered (Singapore: 4 h to 2 days' notice; TEST in the subject; "
        "set the wording back afterwards; rule as of 2024-10; verify with your RSO)"
    )
    assert may_start(config, [in_time], UTC_0210 - timedelta(seconds=1)) is not None


def test_what_is_said_to_be_seen_and_has_no_reading_is_not_seen():
    verdict = judge(ssas_test().config, Gathered(facts=WHOLE))  # type: ignore[arg-type]
    assert verdict.outcome is Outcome.INCONCLUSIVE
