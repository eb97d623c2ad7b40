"""A unit that stays up without its main supply, on a battery as rated, and is as before when it is back."""

from __future__ import annotations

from daemon.checks.ssas_power import CHECK
from tests.checks.ssas_plays import FLAG_TEST
from tests.checks.uniform.stage import Stage, Uniform

GOOD = {1: "", 2: "yes", 3: "24 h, service report of 2026-10", 4: "yes"}


async def sat(stage: Stage) -> None:
    await _led(stage, GOOD)


async def it_goes_dead(stage: Stage) -> None:
    await _led(stage, {**GOOD, 2: "no"})


async def a_weak_battery(stage: Stage) -> None:
    await _led(stage, {**GOOD, 3: "23,9 h by test"})


async def it_does_not_come_back(stage: Stage) -> None:
    await _led(stage, {**GOOD, 4: "no"})


async def nobody_isolates_it(stage: Stage) -> None:
    await _led(stage, {})


async def no_hours_are_named(stage: Stage) -> None:
    await _led(stage, {1: "", 2: "yes", 3: "as last year"})
    await stage.passes(3600.0 * 2)


async def minutes_are_no_hours(stage: Stage) -> None:
    await _led(stage, {1: "", 2: "yes", 3: "30 min by test"})
    await stage.passes(3600.0 * 2)


async def a_year_is_no_hours(stage: Stage) -> None:
    await _led(stage, {**GOOD, 3: "2026-10 service report: 6 h"})


async def nobody_says_that_it_is_back(stage: Stage) -> None:
    await _led(stage, {1: "", 2: "yes", 3: "24 h, report"})


async def _led(stage: Stage, said: dict[int, str]) -> None:
    await stage.begins()
    for step, text in said.items():
        await stage.answers(step, text)
    await stage.passes(3600.0 * (4 - len(said)))


UNIFORM = Uniform(
    check=CHECK,
    config={**FLAG_TEST, "rated_h": 24},
    sat=sat,
    unsat={
        "it goes dead": it_goes_dead,
        "a weak battery": a_weak_battery,
        "the hours stand behind a year": a_year_is_no_hours,
        "it does not come back": it_does_not_come_back,
    },
    unproven={
        "nobody isolates it": nobody_isolates_it,
        "no hours are named": no_hours_are_named,
        "minutes are named": minutes_are_no_hours,
        "nobody says that it is back": nobody_says_that_it_is_back,
    },
)
