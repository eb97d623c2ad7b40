"""Is every door's contact proved in its period: seen open and seen closed?

A door that was used is proved by its use, *in service* (``reference/users.md`` 4.6): it needs nobody. A person opens
and closes only the rest, one by one, by phone: that also proves that the station tells of it. One row a ship's day
for all doors that were used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from daemon.checks.api import CheckConfig, CheckSpec, Expects, ItemsVerdict, Mode
from daemon.model import ContactState, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.checks.api import Answer, CheckContext, Inbox, Movement
    from daemon.model import Json, Reading

STEPS: Final = 3
LOOK_S: Final = 30.0
"""The calendar is asked again so often, in seconds: somebody may step the clock."""
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


@dataclass(frozen=True, slots=True)
class Led:
    """What came of opening and closing one door.

    Attributes:
        before: The reading that shows it closed before; None: it was not, or not seen.
        opened: The reading that shows it open, and how long after the person's word that was; None: not in time.
        closed: The same of closing.
    """

    before: Reading | None
    said_open: Answer | None = None
    opened: tuple[Reading, float] | None = None
    said_closed: Answer | None = None
    closed: tuple[Reading, float] | None = None
    told: Answer | None = None


def judge_use(moved: Mapping[str, Movement], healthy: Mapping[str, bool]) -> Verdict | None:
    """Judge a day of ordinary use; None where no door was used clearly."""
    used = {door: m for door, m in moved.items() if m.cycles and healthy.get(door, False)}
    if not used:
        return None
    cycles = [movement.cycles for movement in used.values()]
    span = f"{cycles[0]}" if min(cycles) == max(cycles) else f"{min(cycles)}–{max(cycles)}"
    items: dict[str, Mapping[str, Json]] = {
        door: {
            "outcome": Outcome.PASSED.value,
            "cycles": movement.cycles,
            "first": _utc(movement.first_utc),
            "last": _utc(movement.last_utc),
        }
        for door, movement in used.items()
    }
    doors = f"{len(used)} door{'s' if len(used) > 1 else ''}"
    return ItemsVerdict(
        Outcome.PASSED,
        f"in service: {doors}, {span} cycle{'s' if max(cycles) > 1 else ''}",
        items=items,
        mode=Mode.IN_SERVICE,
    )


def judge_led(door: str, led: Led) -> Verdict:
    """Judge one door that a person opened and closed."""
    outcome, reason = _judge_led(led)
    readings = tuple(each[0] for each in (led.opened, led.closed) if each)
    item = {"outcome": outcome.value, "reason": reason}
    return ItemsVerdict(outcome, f"{door}: {reason}", readings, items={door: item})


def _judge_led(led: Led) -> tuple[Outcome, str]:
    if led.before is None:
        return Outcome.INCONCLUSIVE, "not seen closed before the test"
    for word, said, seen in (
        ("open", led.said_open, led.opened),
        ("closed", led.said_closed, led.closed),
    ):
        if said is None:
            return Outcome.INCONCLUSIVE, f"nobody said that it is {word}"
        if seen is None:
            return Outcome.FAILED, f"not seen {word} in time"
    if led.told is None:
        return Outcome.INCONCLUSIVE, "nobody answered for the station"
    if led.told.text.strip().lower() != "yes":
        return Outcome.FAILED, "seen open and closed, but the station did not tell of it"
    opened_s = led.opened[1] if led.opened is not None else 0.0
    closed_s = led.closed[1] if led.closed is not None else 0.0
    return Outcome.PASSED, f"open {opened_s:.1f} s, closed {closed_s:.1f} s, told"


def _utc(moment: object) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def points(config: DoorContactsConfig) -> tuple[str, ...]:
    """Return the doors."""
    return config.doors


async def run(config: DoorContactsConfig, ctx: CheckContext) -> Verdict | None:
    """Wait for the day's end, and judge what was used in it."""
    began_utc = ctx.clock.utc()
    while (left_s := ctx.day_ends_s() - ctx.clock.now_s()) > 0:
        await ctx.clock.sleep(min(LOOK_S, left_s))
    movements = ctx.services.movements
    moved = None if movements is None else movements(began_utc)
    if moved is None:
        return None
    own = {door: moved[door] for door in config.doors if door in moved}
    return judge_use(own, {door: _is_healthy(ctx, door) for door in own})


async def lead(config: DoorContactsConfig, ctx: CheckContext) -> Verdict:
    """Lead a person through opening and closing one door."""
    door = ctx.item or ""
    name = door.upper()
    before = ctx.newest(door)
    if before is None or not ctx.accepts(before) or before.value is not ContactState.CLOSED:
        return judge_led(door, Led(None))
    with ctx.listen((door,)) as inbox:
        text = f"{name}: open it, and press at once."
        said_open, opened = await _moved(
            ctx, inbox, config, step=1, text=text, state=ContactState.OPEN
        )
        if opened is None:
            return judge_led(door, Led(before, said_open))
        text = f"{name}: close it, and press at once."
        said_closed, closed = await _moved(
            ctx, inbox, config, step=2, text=text, state=ContactState.CLOSED
        )
    if closed is None:
        return judge_led(door, Led(before, said_open, opened, said_closed))
    text = f"{name}: did the attended station show it, and sound where it must? yes or no"
    told = await ctx.prompt(3, text, expects=Expects.YES_OR_NO, for_s=config.answer_s)
    return judge_led(door, Led(before, said_open, opened, said_closed, closed, told))


async def _moved(
    ctx: CheckContext,
    inbox: Inbox,
    config: DoorContactsConfig,
    *,
    step: int,
    text: str,
    state: ContactState,
) -> tuple[Answer | None, tuple[Reading, float] | None]:
    """Return the person's word, and the reading that shows the door in that state no later than allowed."""
    said = await ctx.prompt(step, text, expects=Expects.DONE, for_s=config.answer_s)
    if said is None:
        return None, None
    said_s = ctx.clock.now_s()
    # Of readings before the word the newest counts: it may have moved while the hand went to the phone.
    newest: Reading | None = None
    while (reading := await inbox.next(until_s=said_s + config.seen_s)) is not None:
        newest = reading if ctx.accepts(reading) else None
        if newest is not None and newest.value is state:
            return said, (newest, max(0.0, newest.received_s - said_s))
    return said, None


def _is_healthy(ctx: CheckContext, door: str) -> bool:
    reading = ctx.newest(door)
    return (
        reading is not None
        and ctx.accepts(reading)
        and reading.value in {ContactState.CLOSED, ContactState.OPEN}
    )


CHECK = CheckSpec(
    kind="door_contacts",
    config=DoorContactsConfig,
    run=run,
    lead=lead,
    points=points,
    continuous=True,
    items=lambda config: config.doors,
    steps=STEPS,
)
