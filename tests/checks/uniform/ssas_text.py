"""A programmed text that says what register and flag want, and recipients as the SSP has them."""

from __future__ import annotations

from daemon.checks.ssas_text import CHECK
from tests.checks.ssas_plays import FLAG_TEST
from tests.checks.uniform.stage import Stage, Uniform

TEXT = "TEST | KESTREL STRAIT IMO 9999993 | 9VKS0 | MMSI 299000019"


async def sat(stage: Stage) -> None:
    await _read(stage, TEXT, "yes")


async def another_ships_number(stage: Stage) -> None:
    await _read(stage, TEXT.replace("299000019", "299000020"), "yes")


async def nothing_of_it(stage: Stage) -> None:
    await _read(stage, "no test at all", "yes")


async def another_recipient(stage: Stage) -> None:
    await _read(stage, TEXT, "no")


async def nobody_types_it(stage: Stage) -> None:
    await stage.begins()
    await stage.passes(1800.0)


async def nobody_looks_at_the_recipients(stage: Stage) -> None:
    await stage.begins()
    await stage.answers(1, TEXT)
    await stage.passes(1800.0)


async def _read(stage: Stage, text: str, recipients: str) -> None:
    await stage.begins()
    await stage.answers(1, text)
    await stage.answers(2, recipients)


UNIFORM = Uniform(
    check=CHECK,
    config=FLAG_TEST,
    sat=sat,
    unsat={
        "another ship's number": another_ships_number,
        "nothing of what must be there": nothing_of_it,
        "another recipient": another_recipient,
    },
    unproven={
        "nobody types it": nobody_types_it,
        "nobody looks at the recipients": nobody_looks_at_the_recipients,
    },
)
