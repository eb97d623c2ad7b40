"""An SSAS test is proven on three legs, each by who saw it; a leg that is not there is never a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from daemon.checks import ssas_end_to_end
from daemon.checks.api import Answer
from daemon.checks.ssas_end_to_end import CHECK, Legs, SsasEndToEndConfig, judge
from daemon.model import Classification, LampState, Outcome, Provenance, Quality, SsasMessage
from daemon.readiness import Test
from tests.checks.rig import rig, running
from tests.makers import reading

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from daemon.model import Reading
    from tests.checks.rig import Rig

ACTIVATION_S, SENDING_S, ANSWER_S = 120.0, 1020.0, 900.0
SSO = "R. Menon"
OPENED_BY = ("A. Lindqvist", SSO)
LINES = ("SHIP SECURITY MESSAGE", "TEST TEST")


def ssas_test(**changed: object) -> Test:
    said: dict[str, object] = {
        "kind": "ssas_end_to_end",
        "id": "t-ssas",
        "equipment": "ssas",
        "name": "SSAS P1",
        "ssp_paragraph": "8.4",
        "every": "year",
        "activation_point": "P1",
        "flag_profile": "SG 2024-10",
        "unit_profile": "jrc-jue-95sa-text",
        "message": "ssas.message",
        "lamp": "ssas.lamp",
    }
    return Test(SsasEndToEndConfig(**{**said, **changed}), CHECK)  # type: ignore[arg-type]


def lamp(state: LampState | None, **how: object) -> Reading:
    said: dict[str, object] = {"classification": Classification.SSO, **how}
    return reading("ssas.lamp", state, **said)  # type: ignore[arg-type]


def message(**how: object) -> Reading:
    said: dict[str, object] = {"classification": Classification.SSO, **how}
    return reading("ssas.message", SsasMessage(LINES), **said)  # type: ignore[arg-type]


PRESSED = (lamp(LampState.DARK), lamp(LampState.LIT))


class Sso:
    """The person who is led through the test."""

    def __init__(self, made: Rig) -> None:
        self.rig = made

    def step(self) -> int | None:
        session = self.rig.test("t-ssas").session
        return None if session is None or session.progress is None else session.progress.step

    async def hears(self, *readings: Reading) -> None:
        self.rig.hears(*readings)
        await self.rig.clock.advance(0.0)

    async def answers(self, step: int, text: str = "") -> None:
        self.rig.tests.answer("t-ssas", step, Answer(SSO, text))
        await self.rig.clock.advance(0.0)

    def result(self) -> tuple[object, object]:
        (result,) = self.rig.results()
        return result["outcome"], result["reason"]

    def details(self) -> dict[str, object]:
        return dict(self.rig.journal.drafts[-1].parts[Classification.SSO])


def begun(**changed: object) -> AbstractAsyncContextManager[Rig]:
    return running(rig(ssas_test(**changed)))


async def start(made: Rig) -> Sso:
    made.gate.open(duration_s=5400.0, opened_by=OPENED_BY)
    made.tests.start("t-ssas", SSO)
    await made.clock.advance(0.0)
    return Sso(made)


async def test_three_legs_and_the_text_set_back_pass_and_say_who_saw_them():
    async with begun() as made:
        sso = await start(made)
        await sso.hears(*PRESSED)
        assert sso.step() == 2
        await sso.hears(message())
        for step, text in ((3, "MPA mail 0224Z"), (4, ""), (5, "")):
            assert sso.step() == step
            await sso.answers(step, text)
        assert sso.result() == ("passed", "activation seen, sent, confirmed ashore")
        assert sso.details() == {
            "performer": SSO,
            "activation": "seen by ispsd on ssas.lamp",
            "acceptance": "seen by ispsd on ssas.message",
            "shore": f"said by {SSO}: MPA mail 0224Z",
            "text_set_back": f"said by {SSO}",
        }


async def test_a_press_without_a_test_message_in_time_fails():
    async with begun() as made:
        sso = await start(made)
        await sso.hears(*PRESSED)
        await made.clock.advance(SENDING_S - 0.1)
        assert made.results() == []
        await made.clock.advance(0.1)
        assert sso.result() == ("failed", "activation seen; no test message was sent in time")


@pytest.mark.parametrize(
    "lamps",
    [
        pytest.param([], id="missing"),
        pytest.param([lamp(LampState.DARK)], id="never lit"),
        pytest.param([lamp(LampState.LIT)], id="lit from the start"),
        pytest.param([lamp(LampState.DARK), lamp(None)], id="unknown"),
        pytest.param([lamp(LampState.DARK), lamp(None, quality=Quality.STALE)], id="stale"),
        pytest.param(
            [lamp(LampState.DARK), lamp(LampState.LIT, quality=Quality.SUSPECT)], id="suspect"
        ),
        *(
            pytest.param([lamp(LampState.DARK), lamp(LampState.LIT, provenance=how)], id=str(how))
            for how in (Provenance.SIMULATED, Provenance.REPLAY)
        ),
    ],
)
async def test_without_evidence_that_counts_it_is_inconclusive(lamps):
    """The message comes all the same: it counts only after the lamp was seen first."""
    async with begun() as made:
        sso = await start(made)
        await sso.hears(*lamps, message())
        await made.clock.advance(ACTIVATION_S - 0.1)
        assert (sso.step(), made.results()) == (1, [])
        await made.clock.advance(0.1)
        assert sso.result() == ("inconclusive", "activation not seen")
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
        await sso.hears(*PRESSED, message(**how))
        assert sso.step() == 2
        await made.clock.advance(SENDING_S)
        assert sso.details()["acceptance"] == "not seen"
        assert sso.result()[0] != "passed"


async def test_a_message_from_before_the_lamp_is_not_this_tests():
    async with begun() as made:
        sso = await start(made)
        await sso.hears(lamp(LampState.DARK), message(), lamp(LampState.LIT))
        assert sso.step() == 2


async def test_a_crash_is_inconclusive_and_never_a_pass(monkeypatch):
    def broken(_legs):
        raise ZeroDivisionError

    monkeypatch.setattr(ssas_end_to_end, "judge", broken)
    async with begun() as made:
        sso = await start(made)
        await sso.hears(*PRESSED, message())
        for step, text in ((3, "MPA mail"), (4, ""), (5, "")):
            await sso.answers(step, text)
        assert sso.result() == ("inconclusive", "the check crashed: ZeroDivisionError")


async def test_without_the_shore_it_is_inconclusive_and_nobody_is_led_on():
    async with begun() as made:
        sso = await start(made)
        await sso.hears(*PRESSED, message())
        await made.clock.advance(ANSWER_S)
        assert sso.result() == ("inconclusive", "sent; no confirmation from ashore")


async def test_a_text_that_nobody_set_back_is_not_a_pass():
    async with begun() as made:
        sso = await start(made)
        await sso.hears(*PRESSED, message())
        await sso.answers(3, "MPA mail")
        await sso.answers(4)
        await made.clock.advance(ANSWER_S)
        assert sso.result() == ("inconclusive", "confirmed; text not confirmed as set back")


async def test_a_unit_that_shows_nothing_is_answered_for_by_a_named_person():
    async with begun(lamp="", message="") as made:
        sso = await start(made)
        await sso.answers(1)
        await sso.answers(2, "sent mail 0220Z")
        await sso.answers(3, "MPA mail 0224Z")
        await sso.answers(4)
        await sso.answers(5)
        assert sso.result()[0] == "passed"
        assert sso.details()["activation"] == f"said by {SSO}"
        assert sso.details()["acceptance"] == f"said by {SSO}: sent mail 0220Z"


async def test_nobody_who_says_that_it_was_pressed_leaves_it_inconclusive():
    async with begun(lamp="", message="") as made:
        sso = await start(made)
        await made.clock.advance(ACTIVATION_S)
        assert sso.result() == ("inconclusive", "activation not seen")


async def test_nothing_of_it_is_of_class_watch():
    async with begun() as made:
        sso = await start(made)
        await sso.hears(*PRESSED)
        await made.clock.advance(SENDING_S)
        (draft,) = made.journal.drafts
        assert draft.classification is Classification.SSO
        assert (draft.actor.person, draft.kind) == (SSO, ".10")
        assert not {"activation", "acceptance", "shore", "performer"} & {*draft.open}


SEEN_LAMP, SEEN_MESSAGE = lamp(LampState.LIT), message()
MAIL, DONE = Answer(SSO, "MPA mail"), Answer(SSO)


@pytest.mark.parametrize(
    ("legs", "outcome"),
    [
        (Legs(SEEN_LAMP, SEEN_MESSAGE, MAIL, DONE), Outcome.PASSED),
        (Legs(DONE, MAIL, MAIL, DONE), Outcome.PASSED),
        (Legs(None, SEEN_MESSAGE, MAIL, DONE), Outcome.INCONCLUSIVE),
        (Legs(SEEN_LAMP, None, MAIL, DONE), Outcome.FAILED),
        (Legs(SEEN_LAMP, SEEN_MESSAGE, None, DONE), Outcome.INCONCLUSIVE),
        (Legs(SEEN_LAMP, SEEN_MESSAGE, DONE, DONE), Outcome.INCONCLUSIVE),
        (Legs(SEEN_LAMP, SEEN_MESSAGE, MAIL, None), Outcome.INCONCLUSIVE),
        (Legs(None, None, None, None), Outcome.INCONCLUSIVE),
    ],
)
def test_each_leg_is_needed(legs, outcome):
    assert judge(legs).outcome is outcome


def test_what_ispsd_saw_itself_is_the_evidence():
    assert judge(Legs(SEEN_LAMP, SEEN_MESSAGE, MAIL, DONE)).readings == (SEEN_LAMP, SEEN_MESSAGE)
    assert judge(Legs(DONE, MAIL, MAIL, DONE)).readings == ()


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
        await sso.answers(1)
        await made.clock.advance(SENDING_S)
        assert sso.result() == ("inconclusive", "activation seen; sending was not seen")


async def test_a_text_port_that_was_lost_is_no_defect_of_the_transmitter():
    async with begun() as made:
        sso = await start(made)
        await sso.hears(*PRESSED, reading("ssas.message", None, classification=Classification.SSO))
        await made.clock.advance(SENDING_S)
        assert sso.result() == ("inconclusive", "activation seen; sending was not seen")


async def test_a_lamp_that_is_lost_after_the_press_takes_nothing_from_the_finding():
    async with begun() as made:
        sso = await start(made)
        await sso.hears(*PRESSED, lamp(None))
        await made.clock.advance(SENDING_S)
        assert sso.result()[0] == "failed"
