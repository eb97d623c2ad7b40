"""A lamp check passes when the lamp did as its maker says and nothing was sent, each by who saw it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from daemon.assets import asset
from daemon.checks import ssas_lamp
from daemon.checks.api import Gathered, Services
from daemon.checks.ssas_lamp import CHECK, SsasLampConfig, judge
from daemon.errors import RefusedError
from daemon.model import Classification, Outcome, Provenance, Quality
from daemon.testing.readiness import Test
from tests.checks.rig import rig, running
from tests.checks.ssas_rig import DARK, LIT, SSO, blinks, lamp, lost, message
from tests.checks.ssas_rig import start as led

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from tests.checks.rig import Rig
    from tests.checks.ssas_rig import Sso

WATCH_S, ANSWER_S = 60.0, 600.0
ASHORE = "CSO by mail 0231Z: nothing received"


def lamp_test(**changed: object) -> Test:
    said: dict[str, object] = {
        "kind": "ssas_lamp",
        "id": "t-ssas-l",
        "equipment": "ssas",
        "name": "SSAS LAMP",
        "ssp_paragraph": "8.4",
        "every": "month",
        "unit_profile": "jrc-jue-95sa-text",
        "message": "ssas.message",
        "lamp": "ssas.lamp",
    }
    return Test(SsasLampConfig(**{**said, **changed}), CHECK)  # type: ignore[arg-type]


def begun(**changed: object) -> AbstractAsyncContextManager[Rig]:
    return running(rig(lamp_test(**changed)))


async def start(made: Rig) -> Sso:
    return await led(made, "t-ssas-l")


async def nothing_came(sso: Sso) -> None:
    await sso.answers(4, "no")
    await sso.answers(5, ASHORE)


JRC_PRESS = ((LIT, 5.0), (DARK, 3.0))
SAILOR_PRESS = ((DARK, 5.0), (LIT, 3.0))
SAILOR: dict[str, object] = {"unit_profile": "sailor-6194", "message": ""}


@pytest.mark.parametrize(
    ("unit", "rest", "press"), [({}, DARK, JRC_PRESS), (SAILOR, LIT, SAILOR_PRESS)]
)
async def test_a_lamp_that_does_as_its_maker_says_with_nothing_sent_passes(unit, rest, press):
    async with begun(**unit) as made:
        sso = await start(made)
        assert (sso.step(), sso.prompt()) == (1, "Press nothing: the lamp is looked at.")
        await sso.shows((rest, 2.5))
        assert sso.step() == 2
        assert sso.prompt().startswith("Hold TEST alone for 5 s and let go; touch no alert button.")
        await sso.shows(*press)
        await sso.answers(2)
        assert sso.step() == 3
        await made.clock.advance(WATCH_S)
        assert sso.step() == 4
        await nothing_came(sso)
        assert sso.result() == ("passed", "lamp as the maker says, nothing sent")
        assert sso.details() == {
            "performer": SSO,
            "at_rest": "seen by ispsd on ssas.lamp",
            "pressed": "seen by ispsd on ssas.lamp",
            "rest_again": "seen by ispsd on ssas.lamp",
            "pressed_by": f"said by {SSO}",
            "ashore": f"nothing, said by {SSO}: {ASHORE}",
        }


@pytest.mark.parametrize("when", ["before", "while pressed", "after", "at the last step"])
async def test_a_message_that_was_sent_is_a_failure_whenever_it_comes(when):
    async with begun() as made:
        sso = await start(made)

        async def said_at(moment: str) -> None:
            if moment == when:
                await sso.hears(message())

        await said_at("before")
        await sso.shows((DARK, 2.5))
        await said_at("while pressed")
        await sso.shows(*JRC_PRESS)
        await sso.answers(2)
        await said_at("after")
        if not made.results():
            await made.clock.advance(WATCH_S)
            await said_at("at the last step")
            await nothing_came(sso)
        assert sso.result() == ("failed", "a message was sent")


async def test_a_blink_is_a_failure_whatever_follows():
    async with begun() as made:
        sso = await start(made)
        await sso.shows((DARK, 2.5), *JRC_PRESS, (LIT, 3), *blinks(10), (DARK, 3))
        await sso.answers(2)
        await made.clock.advance(WATCH_S)
        await nothing_came(sso)
        assert sso.result() == (
            "failed",
            "the lamp blinked, as when an alert button is pressed too",
        )


@pytest.mark.parametrize(
    ("shows", "outcome", "reason"),
    [
        pytest.param([(DARK, 8)], "failed", "TEST was pressed and the lamp stayed dark", id="dead"),
        pytest.param([(LIT, 5)], "failed", "the lamp did not go back to rest", id="stuck"),
        pytest.param(
            [(LIT, 1), (DARK, 3)],
            "inconclusive",
            "the lamp did not show a press of some seconds clearly",
            id="too short",
        ),
        pytest.param(
            [(None, 5), (DARK, 3)],
            "inconclusive",
            "the lamp was out of sight for a while",
            id="out of sight",
        ),
        pytest.param(
            [(LIT, 5), *blinks(9)],
            "failed",
            "the lamp blinked, as when an alert button is pressed too",
            id="blinks",
        ),
    ],
)
async def test_a_lamp_that_does_otherwise_does_not_pass(shows, outcome, reason):
    async with begun() as made:
        sso = await start(made)
        await sso.shows((DARK, 2.5), *shows)
        await sso.answers(2)
        last = shows[-1][0]
        await sso.shows((last, 11))
        assert sso.result() == (outcome, reason)


@pytest.mark.parametrize(
    ("shows", "how"),
    [
        pytest.param([], {}, id="missing"),
        pytest.param([(LIT, 11)], {}, id="lit from the start"),
        pytest.param(blinks(11), {}, id="blinking from the start"),
        pytest.param([(DARK, 11)], {"quality": Quality.SUSPECT}, id="suspect"),
        pytest.param([(DARK, 11)], {"provenance": Provenance.SIMULATED}, id="simulated"),
        pytest.param([(DARK, 11)], {"provenance": Provenance.REPLAY}, id="replay"),
    ],
)
async def test_without_rest_seen_first_nobody_is_told_to_press(shows, how):
    async with begun() as made:
        sso = await start(made)
        await sso.shows(*shows, **how)
        await made.clock.advance(11.0)
        assert sso.result() == ("inconclusive", "the lamp was not seen at rest first")


async def test_a_press_that_nobody_answers_for_is_inconclusive():
    async with begun() as made:
        sso = await start(made)
        await sso.shows((DARK, 2.5), *JRC_PRESS)
        await made.clock.advance(ANSWER_S + WATCH_S)
        assert sso.step() == 4
        await nothing_came(sso)
        assert sso.result() == ("inconclusive", "nobody said that TEST was pressed")


async def test_nobody_who_says_that_nothing_came_ashore_leaves_it_inconclusive():
    async with begun() as made:
        sso = await start(made)
        await sso.shows((DARK, 2.5), *JRC_PRESS)
        await sso.answers(2)
        await made.clock.advance(WATCH_S)
        with pytest.raises(RefusedError, match="yes or no is wanted"):
            await sso.answers(4, "No, nothing received - CSO 0231Z")
        await sso.answers(4, "no")
        with pytest.raises(RefusedError, match="reference is wanted"):
            await sso.answers(5, " ")
        await made.clock.advance(ANSWER_S)
        assert sso.result() == ("inconclusive", "nobody said that nothing was received ashore")


async def test_a_text_port_that_was_lost_may_have_hidden_a_message():
    async with begun() as made:
        sso = await start(made)
        await sso.shows((DARK, 2.5), *JRC_PRESS)
        await sso.answers(2)
        await sso.hears(lost("ssas.message"))
        await made.clock.advance(WATCH_S)
        await nothing_came(sso)
        assert sso.result()[0] == "inconclusive"
        assert "text port was lost" in str(sso.result()[1])


async def test_what_came_ashore_is_a_failure_whoever_says_so():
    async with begun() as made:
        sso = await start(made)
        await sso.shows((DARK, 2.5), *JRC_PRESS)
        await sso.answers(2)
        await made.clock.advance(WATCH_S)
        await sso.answers(4, "yes")
        await sso.answers(5, "CSO 0231Z: MPA received an ALERT from us")
        assert sso.result() == (
            "failed",
            "a named person says that something was received ashore",
        )
        assert "something, said by" in str(sso.details()["ashore"])


@pytest.mark.parametrize("since_s", [None, 1e9], ids=["never", "only after the press"])
async def test_a_text_port_that_nobody_heard_proves_no_silence(since_s):
    services = Services(listens_since_s=lambda _: since_s)
    async with running(rig(lamp_test(), services=services)) as made:
        sso = await start(made)
        await sso.shows((DARK, 2.5), *JRC_PRESS)
        await sso.answers(2)
        await made.clock.advance(WATCH_S)
        await nothing_came(sso)
        assert sso.result()[0] == "inconclusive"
        assert "text port" in str(sso.result()[1])


async def test_a_crash_is_inconclusive_and_never_a_pass(monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(ssas_lamp, "message_until", broken)
    async with begun() as made:
        sso = await start(made)
        await sso.shows((DARK, 2.5), *JRC_PRESS)
        await sso.answers(2)
        assert sso.result() == ("inconclusive", "the check crashed: ZeroDivisionError")


async def test_covert_it_runs_only_inside_a_window_and_nothing_of_it_is_of_class_watch():
    async with begun() as made:
        with pytest.raises(RefusedError, match="only inside a test window"):
            made.tests.start("t-ssas-l", SSO)
        sso = await start(made)
        await sso.shows((DARK, 2.5))
        made.gate.close()
        await made.clock.advance(1.0)
        assert sso.result()[0] == "inconclusive"
        first, draft = made.journal.drafts
        assert {first.classification, draft.classification} == {Classification.SSO}
        assert not {"person", "item"} & {*first.open}
        assert not {"at_rest", "pressed", "ashore", "performer"} & {*draft.open}


READINGS = (lamp(LIT),)
SEEN, DONE = {"point": "ssas.lamp", "reading": 0}, {"person": SSO, "text": ""}
GOOD: dict[str, object] = {
    "at_rest": SEEN,
    "done": DONE,
    "pressed": SEEN,
    "blinked": None,
    "rest_again": SEEN,
    "states": ["dark", "lit"],
    "in_sight": True,
    "message": None,
    "port_was_there": True,
    "received": {"person": SSO, "text": "no"},
    "ashore": {"person": SSO, "text": ASHORE},
}


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, Outcome.PASSED),
        ({"at_rest": None}, Outcome.INCONCLUSIVE),
        ({"done": None}, Outcome.INCONCLUSIVE),
        ({"pressed": None, "states": ["dark"]}, Outcome.FAILED),
        ({"pressed": None, "states": ["dark", "lit"]}, Outcome.INCONCLUSIVE),
        ({"pressed": None, "in_sight": False}, Outcome.INCONCLUSIVE),
        ({"rest_again": None}, Outcome.FAILED),
        ({"rest_again": None, "in_sight": False}, Outcome.INCONCLUSIVE),
        ({"blinked": SEEN}, Outcome.FAILED),
        ({"message": SEEN}, Outcome.FAILED),
        ({"message": SEEN, "at_rest": None}, Outcome.FAILED),
        ({"port_was_there": False}, Outcome.INCONCLUSIVE),
        ({"ashore": None}, Outcome.INCONCLUSIVE),
        ({"ashore": DONE}, Outcome.INCONCLUSIVE),
        ({"ashore": {"person": SSO, "text": "no"}}, Outcome.INCONCLUSIVE),
        ({"ashore": {"person": SSO, "text": "nobody could say"}}, Outcome.INCONCLUSIVE),
        ({"received": None}, Outcome.INCONCLUSIVE),
        ({"received": {"person": SSO, "text": "yes"}}, Outcome.FAILED),
        ({"received": {"person": SSO, "text": "yes"}, "ashore": None}, Outcome.FAILED),
    ],
)
def test_each_step_is_needed(changed, outcome):
    gathered = Gathered(readings=READINGS, facts={**GOOD, **changed})  # type: ignore[arg-type]
    assert judge(lamp_test().config, gathered).outcome is outcome  # type: ignore[arg-type]


@pytest.mark.parametrize("key", sorted({*GOOD} - {"blinked", "message", "states", "in_sight"}))
def test_nothing_that_is_missing_is_ever_a_pass(key):
    left = {name: said for name, said in GOOD.items() if name != key}
    verdict = judge(lamp_test().config, Gathered(readings=READINGS, facts=left))  # type: ignore[arg-type]
    assert verdict.outcome is not Outcome.PASSED


@pytest.mark.parametrize("quiet", ["", "quiet_s = 19.9"])
def test_a_unit_that_may_send_at_a_short_press_has_no_lamp_check(tmp_path, monkeypatch, quiet):
    text = asset("ssas/jrc-jue-95sa-text.toml").read_text("utf-8")
    (tmp_path / "ssas").mkdir()
    (tmp_path / "ssas" / "hasty.toml").write_text(text.replace("quiet_s = 30", quiet), "utf-8")
    monkeypatch.setenv("ISPSD_DATA", str(tmp_path))
    with pytest.raises(ValidationError, match="press of less than 20 s sends nothing"):
        lamp_test(unit_profile="hasty")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"unit_profile": "noname"}, "there are iridium-sbd, jrc-jue-95sa-text, sailor-6194"),
        ({"unit_profile": "sailor-6194"}, "knows of no text port"),
        ({"lamp": ""}, "lamp"),
    ],
)
def test_a_lamp_check_that_does_not_fit_the_unit_is_refused(changed, reason):
    with pytest.raises(ValidationError, match=reason):
        lamp_test(**changed)


def test_a_unit_whose_lamp_is_not_described_has_no_lamp_check(tmp_path, monkeypatch):
    text = asset("ssas/sailor-6194.toml").read_text("utf-8")
    lampless = text.replace('[lamp]\nat_rest = "lit"\nwhen_pressed = "dark"\n', "")
    (tmp_path / "ssas").mkdir()
    (tmp_path / "ssas" / "dumb.toml").write_text(lampless, "utf-8")
    monkeypatch.setenv("ISPSD_DATA", str(tmp_path))
    with pytest.raises(ValidationError, match="knows of no test lamp"):
        lamp_test(unit_profile="dumb", message="")


@pytest.mark.parametrize(
    ("changed", "points"),
    [({}, ("ssas.lamp", "ssas.message")), ({"message": ""}, ("ssas.lamp",))],
)
def test_it_listens_to_what_the_unit_has(changed, points):
    test = lamp_test(**changed)
    assert test.spec.points(test.config) == points


def test_what_is_said_to_be_seen_and_has_no_reading_is_not_seen():
    verdict = judge(lamp_test().config, Gathered(facts=GOOD))  # type: ignore[arg-type]
    assert verdict.outcome is Outcome.INCONCLUSIVE
