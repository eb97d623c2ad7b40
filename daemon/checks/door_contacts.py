"""Is every door's contact proved in its period: seen open and seen closed?

A door that was used is proved by its use, *in service* (``reference/users.md`` 4.6): it needs nobody. A person opens
and closes only the rest, one by one, by phone: that also proves that the station tells of it. One row a ship's day
for all doors that were used. A door that failed when a person tested it is proved by another such test alone: it was
in use when it failed, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from daemon.checks import door_led
from daemon.checks.api import CheckConfig, CheckSpec, Gathered, ItemsVerdict, Mode
from daemon.model import ContactState, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from daemon.checks.api import CheckContext
    from daemon.model import Json, Reading

STEPS: Final = 3
LOOK_S: Final = 30.0
"""The calendar is asked again so often, in seconds: somebody may step the clock."""
_CLEAR: Final = (ContactState.CLOSED, ContactState.OPEN)
PointId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}$")]


class DoorContactsConfig(CheckConfig):
    """The doors of one list."""

    kind: Literal["door_contacts"]
    doors: Annotated[tuple[PointId, ...], Field(min_length=1, max_length=60)]
    """Their points."""
    seen_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    """How soon after the person's word the contact must have changed, in seconds."""
    answer_s: Annotated[float, Field(ge=10, le=3600)] = 300.0
    """How long each answer of a person is waited for, in seconds."""


def judge(config: DoorContactsConfig, gathered: Gathered) -> Verdict:
    """Judge one door that a person opened and closed, or a day of ordinary use."""
    if gathered.item is None:
        return _judge_use(gathered)
    outcome, reason = door_led.judge(gathered, gathered.item, seen_s=config.seen_s)
    item = {"outcome": outcome.value, "reason": reason}
    return ItemsVerdict(outcome, f"{gathered.item}: {reason}", items={gathered.item: item})


def _judge_use(gathered: Gathered) -> Verdict:
    """Judge a day; a door whose contact was not healthy at its end gets no credit."""
    moved = gathered.facts["moved"]
    used = {
        door: each
        for door, each in moved.items()
        if each["cycles"] and gathered.newest(door, *_CLEAR) is not None
    }
    if not used:
        return Verdict(Outcome.INCONCLUSIVE, "no door was used and seen clearly")
    cycles = [int(each["cycles"]) for each in used.values()]
    span = f"{cycles[0]}" if min(cycles) == max(cycles) else f"{min(cycles)}–{max(cycles)}"
    items: dict[str, Mapping[str, Json]] = {
        door: {
            "outcome": Outcome.PASSED.value,
            "cycles": each["cycles"],
            "first": each["first"],
            "last": each["last"],
        }
        for door, each in used.items()
    }
    doors = f"{len(used)} door{'s' if len(used) > 1 else ''}"
    return ItemsVerdict(
        Outcome.PASSED,
        f"in service: {doors}, {span} cycle{'s' if max(cycles) > 1 else ''}",
        items=items,
        mode=Mode.IN_SERVICE,
    )


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def points(config: DoorContactsConfig) -> tuple[str, ...]:
    """Return the doors."""
    return config.doors


async def run(config: DoorContactsConfig, ctx: CheckContext) -> Gathered | None:
    """Wait for the day's end, and gather what was used in it; None where no door was."""
    while (left_s := ctx.day_ends_s() - ctx.clock.now_s()) > 0:
        await ctx.clock.sleep(min(LOOK_S, left_s))
    movements = ctx.services.movements
    moved = None if movements is None else movements(ctx.day)
    if moved is None:
        return None
    in_question = ctx.in_question
    used = {
        door: healthy
        for door in config.doors
        if door not in in_question
        and door in moved
        and moved[door].cycles
        and (healthy := _healthy(ctx, door)) is not None
    }
    if not used:
        return None
    facts: dict[str, Json] = {
        door: {
            "cycles": moved[door].cycles,
            "faults": moved[door].faults,
            "first": _utc(moved[door].first_utc),
            "last": _utc(moved[door].last_utc),
        }
        for door in used
    }
    return Gathered(tuple(used.values()), {"moved": facts})


async def lead(config: DoorContactsConfig, ctx: CheckContext) -> Gathered:
    """Lead a person through opening and closing one door."""
    return await door_led.lead(ctx, config.doors, seen_s=config.seen_s, answer_s=config.answer_s)


def _healthy(ctx: CheckContext, door: str) -> Reading | None:
    reading = ctx.newest(door)
    clear = reading is not None and ctx.accepts(reading) and reading.value in _CLEAR
    return reading if clear else None


CHECK = CheckSpec(
    kind="door_contacts",
    config=DoorContactsConfig,
    run=run,
    judge=judge,
    lead=lead,
    points=points,
    continuous=True,
    items=lambda config: config.doors,
    steps=STEPS,
)
