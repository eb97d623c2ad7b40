"""An SSAS test is proven on three legs, each by who saw it; a leg that is not there is never a pass."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from daemon.checks import ssas_end_to_end
from daemon.checks.api import Answer
from daemon.checks.flags import Notice
from daemon.checks.ssas_end_to_end import CHECK, Legs, SsasEndToEndConfig, judge, may_start
from daemon.model import Classification, Outcome, Provenance, Quality
from daemon.readiness import Test
from tests.checks.rig import rig, running
from tests.checks.ssas_rig import DARK, LIT, SSO, blinks, lamp, lost, message
from tests.checks.ssas_rig import start as led
from tests.makers import UTC_0210

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from tests.checks.rig import Rig
    from tests.checks.ssas_rig import Sso

ACTIVATION_S, SENDING_S, ANSWER_S = 120.0, 30.0 + 53 * 60 * 1.2, 900.0


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


async def test_three_legs_and_the_text_set_back_pass_and_say_who_saw_them():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
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
        await sso.shows(*PRESSED)
        await made.clock.advance(SENDING_S - SINCE_S)
        assert made.results() == []
        await made.clock.advance(SINCE_S)
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
        assert (sso.step(), made.results()) == (1, [])
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
        assert sso.step() == 2
        await made.clock.advance(SENDING_S)
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
        assert sso.step() == 2
        await made.clock.advance(SENDING_S)
        assert sso.details()["acceptance"] == "not seen"


async def test_a_crash_is_inconclusive_and_never_a_pass(monkeypatch):
    def broken(_legs):
        raise ZeroDivisionError

    monkeypatch.setattr(ssas_end_to_end, "judge", broken)
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await sso.hears(message())
        for step, text in ((3, "MPA mail"), (4, ""), (5, "")):
            await sso.answers(step, text)
        assert sso.result() == ("inconclusive", "the check crashed: ZeroDivisionError")


async def test_without_the_shore_it_is_inconclusive_and_nobody_is_led_on():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await sso.hears(message())
        await made.clock.advance(ANSWER_S)
        assert sso.result() == ("inconclusive", "sent; no confirmation from ashore")


async def test_a_text_that_nobody_set_back_is_not_a_pass():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await sso.hears(message())
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
        await sso.shows(*PRESSED)
        await made.clock.advance(SENDING_S)
        first, draft = made.journal.drafts
        assert {first.classification, draft.classification} == {Classification.SSO}
        assert not {"person", "item"} & {*first.open}
        assert (draft.actor.person, draft.kind) == (SSO, ".10")
        assert not {"activation", "acceptance", "shore", "performer"} & {*draft.open}


SEEN_LAMP, SEEN_MESSAGE = lamp(LIT), message()
MAIL, DONE = Answer(SSO, "MPA mail"), Answer(SSO)


@pytest.mark.parametrize(
    ("legs", "outcome"),
    [
        (Legs(SEEN_LAMP, SEEN_MESSAGE, MAIL, DONE), Outcome.PASSED),
        (Legs(DONE, MAIL, MAIL, DONE), Outcome.PASSED),
        (Legs(None, SEEN_MESSAGE, MAIL, DONE), Outcome.INCONCLUSIVE),
        (Legs(SEEN_LAMP, None, MAIL, DONE), Outcome.FAILED),
        (Legs(SEEN_LAMP, None, MAIL, DONE, watched=False), Outcome.INCONCLUSIVE),
        (Legs(DONE, DONE, MAIL, DONE), Outcome.INCONCLUSIVE),
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
        await sso.shows(*PRESSED)
        await sso.hears(lost("ssas.message"))
        await made.clock.advance(SENDING_S)
        assert sso.result() == ("inconclusive", "activation seen; sending was not seen")


async def test_a_lamp_that_is_lost_after_the_press_takes_nothing_from_the_finding():
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await sso.hears(lost("ssas.lamp"))
        await made.clock.advance(SENDING_S)
        assert sso.result()[0] == "failed"


JRC_LAMP_ALONE: dict[str, object] = {"message": "", "addressees": 1}
SAILOR: dict[str, object] = {"message": "", "unit_profile": "sailor-6194"}


async def test_a_jrc_without_a_text_port_shows_by_its_lamp_that_it_sent():
    async with begun(**JRC_LAMP_ALONE) as made:
        sso = await start(made)
        await sso.shows(*PRESSED, *blinks(10))
        assert sso.step() == 2
        await sso.shows((LIT, 2.5))
        for step, text in ((3, "MPA mail 0224Z"), (4, ""), (5, "")):
            await sso.answers(step, text)
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
        assert sso.result()[0] == outcome
        assert sso.details()["acceptance"] == "not seen"


async def test_a_sailor_shows_the_press_and_a_named_person_says_that_it_was_sent():
    """Its flashing tells that the buttons work, and not that anything was sent."""
    async with begun(**SAILOR) as made:
        sso = await start(made)
        await sso.shows((LIT, 2.5), (DARK, 5), *blinks(25), (DARK, 5), (LIT, 5))
        assert sso.step() == 2
        await sso.answers(2, "SSA test report of 0221Z")
        assert sso.step() == 3
        for step, text in ((3, "MPA mail 0224Z"), (4, ""), (5, "")):
            await sso.answers(step, text)
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
        ({"addressees": 1}, 30 + 5 * 72),
        ({"addressees": 5}, 30 + 53 * 72),
        ({}, 30 + 53 * 72),
        ({"sending_s": 100}, 100),
    ],
)
async def test_sending_is_waited_for_as_long_as_the_maker_says(changed, waited_s):
    async with begun(**changed) as made:
        sso = await start(made)
        await sso.shows(*PRESSED)
        await made.clock.advance(waited_s - SINCE_S)
        assert made.results() == []
        await made.clock.advance(SINCE_S)
        assert sso.result()[0] == "failed"


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
        ({"addressees": 6}, "JRC JUE-95SA has at most 5 addressees"),
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
        "set the wording back afterwards; rule as of 2024-10)"
    )
    assert may_start(config, [in_time], UTC_0210 - timedelta(seconds=1)) is not None
