"""A test lamp that answers to its button alone, with nothing sent and nothing received ashore."""

from __future__ import annotations

from daemon.checks.ssas_lamp import CHECK
from daemon.model import SsasMessage
from tests.checks.ssas_plays import DARK, LINES, LIT, shows
from tests.checks.uniform.stage import Stage, Uniform


async def sat(stage: Stage) -> None:
    await _checked(stage)


async def a_message_is_sent(stage: Stage) -> None:
    await stage.begins()
    stage.says("ssas.message", SsasMessage(LINES))
    await _checked(stage, begin=False, received=None)


async def the_lamp_stays_dark(stage: Stage) -> None:
    await stage.begins()
    await shows(stage, DARK, 2.5)
    await shows(stage, DARK, 5.0)
    await stage.answers(2)
    await shows(stage, DARK, 10.5)


async def something_came_ashore(stage: Stage) -> None:
    await _checked(stage, received="yes", ashore="CSO by phone: the MPA has a message")


async def nobody_asked_the_shore(stage: Stage) -> None:
    await _checked(stage, received=None)
    await stage.passes(600.0)


async def _checked(
    stage: Stage,
    *,
    begin: bool = True,
    received: str | None = "no",
    ashore: str = "CSO by phone, nothing received",
) -> None:
    if begin:
        await stage.begins()
    await shows(stage, DARK, 2.5)
    await shows(stage, LIT, 5.0)
    await shows(stage, DARK, 3.0)
    await stage.passes(600.0 if stage.rig.results() else 0.0)
    if stage.rig.results():
        return
    await stage.answers(2)
    await stage.passes(60.0)
    if received is not None:
        await stage.answers(4, received)
        await stage.answers(5, ashore)


UNIFORM = Uniform(
    check=CHECK,
    config={
        "unit_profile": "jrc-jue-95sa-text",
        "lamp": "ssas.lamp",
        "message": "ssas.message",
    },
    sat=sat,
    unsat={
        "a message is sent": a_message_is_sent,
        "the lamp stays dark": the_lamp_stays_dark,
        "something came ashore": something_came_ashore,
    },
    unproven={"nobody asked the shore": nobody_asked_the_shore},
    needs=("ssas.lamp",),
)
