"""An SSAS test whose three legs, reset, copy and wording are proven, by ispsd or by named persons."""

from __future__ import annotations

from daemon.checks.ssas_end_to_end import CHECK
from daemon.model import SsasMessage
from tests.checks.ssas_plays import DARK, FLAG_TEST, LINES, LIT, shows
from tests.checks.uniform.stage import Stage, Uniform

SAID = {
    6: "MPA mail 0224Z",
    7: "CSO mail 0226Z",
    8: "yes, read out by the CSO",
    9: "print-out of 0230Z",
    10: "yes",
    11: "yes, main",
}
WITNESS, WITNESSED = "A. Lindqvist", 9
NOT_SAID = {**SAID, 7: None}


async def sat(stage: Stage) -> None:
    await _tested(stage, SAID)


async def nothing_is_sent(stage: Stage) -> None:
    await _pressed(stage)
    await stage.passes(10.0)
    await stage.answers(4)


async def it_does_not_reset(stage: Stage) -> None:
    await _sent(stage)
    await stage.answers(4)
    await shows(stage, LIT, 10.5)
    await _say(stage, SAID)


async def one_addressee_has_nothing(stage: Stage) -> None:
    await _tested(stage, {**SAID, 7: "no"})


async def the_copy_is_wrong(stage: Stage) -> None:
    await _tested(stage, {**SAID, 8: "TEST TEST, KESTREL STRAIT, no position"})


async def the_wording_stays(stage: Stage) -> None:
    await _tested(stage, {**SAID, 9: "no"})


async def the_unit_shows_a_fault(stage: Stage) -> None:
    await _tested(stage, {**SAID, 11: "no, its clock is two hours off"})


async def one_addressee_does_not_answer(stage: Stage) -> None:
    await _tested(stage, NOT_SAID)


async def distress_is_in_hand(stage: Stage) -> None:
    await stage.begins()
    await stage.answers(1, "no")


async def nobody_says_that_it_is_clear(stage: Stage) -> None:
    await stage.begins()
    await stage.passes(60.0)


async def _pressed(stage: Stage) -> None:
    await stage.begins()
    await stage.answers(1, "yes")
    await shows(stage, DARK, 3.0)
    await shows(stage, LIT, 3.0)


async def _sent(stage: Stage) -> None:
    await _pressed(stage)
    stage.says("ssas.message", SsasMessage(LINES))
    await stage.passes(0.0)


async def _tested(stage: Stage, said: dict[int, str | None]) -> None:
    await _sent(stage)
    await stage.passes(60.0 if stage.rig.results() else 0.0)
    await stage.answers(4)
    await shows(stage, DARK, 3.0)
    await stage.passes(5.0)
    await _say(stage, said)


async def _say(stage: Stage, said: dict[int, str | None]) -> None:
    for step, text in said.items():
        if text is None:
            await stage.passes(72.0)
            return
        if step == WITNESSED:
            await stage.answers(step, text, by=WITNESS)
        else:
            await stage.answers(step, text)


UNIFORM = Uniform(
    check=CHECK,
    config={
        **FLAG_TEST,
        "activation_point": "P1",
        "lamp": "ssas.lamp",
        "message": "ssas.message",
        "activation_s": 10.0,
        "sending_s": 10.0,
        "reset_s": 10.0,
        "quiet_s": 5.0,
        "answer_s": 60.0,
        "confirmation_h": 0.02,
    },
    sat=sat,
    unsat={
        "nothing is sent": nothing_is_sent,
        "it does not reset": it_does_not_reset,
        "one addressee has nothing": one_addressee_has_nothing,
        "the copy is wrong": the_copy_is_wrong,
        "the wording stays": the_wording_stays,
        "the unit shows a fault": the_unit_shows_a_fault,
    },
    unproven={
        "one addressee does not answer": one_addressee_does_not_answer,
        "distress is in hand": distress_is_in_hand,
        "nobody says that it is clear": nobody_says_that_it_is_clear,
    },
    needs=("ssas.lamp",),
)
