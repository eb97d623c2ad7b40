"""A door is proved by its use, or by a person who opens and closes it."""

from __future__ import annotations

from datetime import timedelta

from daemon.checks.api import Movement, Services
from daemon.checks.door_contacts import CHECK
from daemon.model import ContactState
from tests.checks.uniform.stage import MIDNIGHT, Stage, Uniform

OPEN, CLOSED = ContactState.OPEN, ContactState.CLOSED
USED = Movement(3, 0, MIDNIGHT - timedelta(hours=9), MIDNIGHT - timedelta(hours=2))


async def used(stage: Stage) -> None:
    stage.says("d01", CLOSED)
    await stage.begins()
    await stage.day_ends()


async def led(stage: Stage, told: str | None = "yes") -> None:
    stage.says("d01", CLOSED)
    await stage.begins("d01")
    for step, state in ((1, OPEN), (2, CLOSED)):
        await stage.answers(step)
        await stage.passes(0.4)
        stage.says("d01", state)
        await stage.passes(0.0)
    if told is None:
        await stage.passes(300.0)
    else:
        await stage.answers(3, told)


async def not_told(stage: Stage) -> None:
    await led(stage, told="no")


async def nobody_answers_for_the_station(stage: Stage) -> None:
    await led(stage, told=None)


async def does_not_move(stage: Stage) -> None:
    stage.says("d01", CLOSED)
    await stage.begins("d01")
    await stage.answers(1)
    await stage.passes(2.0)


UNIFORM = (
    Uniform(
        check=CHECK,
        config={"doors": ["d01"]},
        services=lambda _: Services(movements=lambda _: {"d01": USED}),
        sat=used,
        unsat={},
        nothing_is_no_row=True,
    ),
    Uniform(
        check=CHECK,
        config={"doors": ["d01"]},
        sat=led,
        unsat={"the station does not tell": not_told, "it does not move": does_not_move},
        unproven={"nobody answers for the station": nobody_answers_for_the_station},
    ),
)
