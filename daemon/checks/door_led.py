"""Is one door seen to open and to close again as a person says it, and is the station told of it?

The word comes by phone, so the hand may be quicker than the press: of readings before the word the newest counts. A
door that was shut again by then was opened out of order; where another door moved instead, it was the wrong door or the
wires are crossed, and nobody knows which.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from daemon.checks.api import Expects, Gathered, answer_in, fact_of
from daemon.checks.telling import telling
from daemon.model import ContactState, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daemon.checks.api import CheckContext, Inbox
    from daemon.model import Json, Reading

OPEN, CLOSED, FAULT = ContactState.OPEN, ContactState.CLOSED, ContactState.LINE_FAULT
MOST_NAMED: Final = 3
"""Other doors that are named."""


# Judging


def judge(gathered: Gathered, door: str, *, seen_s: float) -> tuple[Outcome, str]:
    """Judge by the readings that show it closed before, open, and closed again."""
    seen = iter(each for each in gathered.readings if each.point == door)
    before = next(seen, None)
    if before is None or before.value is not CLOSED:
        return Outcome.INCONCLUSIVE, "not seen closed before the test"
    after_s: dict[str, float] = {}
    for state in (OPEN, CLOSED):
        word = state.value
        said, reading = gathered.facts[f"said_{word}"], next(seen, None)
        if answer_in(said["answer"]) is None:
            return Outcome.INCONCLUSIVE, f"nobody said that it is {word}"
        moved = reading is not None and reading.value is state
        after_s[word] = max(0.0, reading.received_s - said["at_s"]) if reading and moved else inf
        if after_s[word] > seen_s:
            return _not_seen(word, said, reading)
    return _of_station(gathered, f"open {after_s['open']:.1f} s, closed {after_s['closed']:.1f} s")


def _not_seen(word: str, said: Mapping[str, Json], reading: Reading | None) -> tuple[Outcome, str]:
    """Judge a door that did not come into its state in time, by what was seen of it instead."""
    if said.get("heard") is False:
        return (
            Outcome.INCONCLUSIVE,
            f"not seen when it was to be {word}: no answer, or none that counts",
        )
    if reading is not None and reading.value is FAULT:
        return Outcome.FAILED, f"line fault, not seen {word} in time"
    if said.get("early") is True:
        return Outcome.INCONCLUSIVE, f"was {word} and was not any more before the word: wrong order"
    if instead := said.get("instead"):
        names = ", ".join(map(str, instead)) if isinstance(instead, list) else str(instead)
        return Outcome.INCONCLUSIVE, f"{names} moved instead: the wrong door, or crossed wires"
    return Outcome.FAILED, f"not seen {word} in time"


def _of_station(gathered: Gathered, seen: str) -> tuple[Outcome, str]:
    told, sounded = answer_in(gathered.facts["told"]), gathered.facts.get("sounded")
    if told is not None and not told.is_yes:
        return Outcome.FAILED, "seen open and closed, but the station did not tell of it"
    if told is not None:
        return Outcome.PASSED, f"{seen}, told"
    if not sounded:
        return Outcome.INCONCLUSIVE, "nobody answered for the station"
    return Outcome.PASSED, f"{seen}, sounded at {', '.join(sounded['sounds_at'])}"


# Leading


async def lead(
    ctx: CheckContext, doors: Iterable[str], *, seen_s: float, answer_s: float
) -> Gathered:
    """Lead a person through opening and closing ``ctx.item``, one of these doors."""
    door = ctx.item or ""
    before = ctx.newest(door)
    if before is None or not ctx.accepts(before) or before.value is not CLOSED:
        return Gathered(item=door)
    with ctx.listen(doors) as inbox:
        async with telling(ctx, door) as told:
            led = _Led(ctx, door, inbox, seen_s=seen_s, answer_s=answer_s)
            readings, facts = await led.go(before, doors)
        return Gathered(tuple(readings), {**facts, "sounded": told.first}, door)


class _Led:
    """One door while it is opened and closed."""

    def __init__(
        self, ctx: CheckContext, door: str, inbox: Inbox, *, seen_s: float, answer_s: float
    ) -> None:
        self._ctx = ctx
        self._door = door
        self._inbox = inbox
        self._seen_s = seen_s
        self._answer_s = answer_s
        self._shut: set[str] = set()
        """The other doors that were seen shut when it began."""

    async def go(
        self, before: Reading, doors: Iterable[str]
    ) -> tuple[list[Reading], dict[str, Json]]:
        """Return the readings that show it, and what was said."""
        ctx, name = self._ctx, self._named(self._door)
        self._shut = {
            id_
            for id_ in doors
            if id_ != self._door and (now := ctx.newest(id_)) is not None and now.value is CLOSED
        }
        readings = [before]
        facts: dict[str, Json] = {}
        for step, verb, state in ((1, "open", OPEN), (2, "close", CLOSED)):
            text = f"{name}: {verb} it, and press at once."
            said, seen = await self._moved(step, text, state)
            facts[f"said_{state.value}"] = said
            readings += [] if seen is None else [seen]
            if seen is None or seen.value is not state:
                return readings, facts
        text = f"{name}: did the attended station show it, and sound where it must? yes or no"
        told = await ctx.prompt(3, text, expects=Expects.YES_OR_NO, for_s=self._answer_s)
        return readings, {**facts, "told": fact_of(told)}

    async def _moved(
        self, step: int, text: str, state: ContactState
    ) -> tuple[dict[str, Json], Reading | None]:
        """Return the person's word, and the reading that shows the door in that state, or in what else it is."""
        ctx = self._ctx
        answer = await ctx.prompt(step, text, expects=Expects.DONE, for_s=self._answer_s)
        said_s = ctx.clock.now_s()
        said: dict[str, Json] = {"answer": fact_of(answer), "at_s": said_s}
        if answer is None:
            return said, None
        was_there = False
        instead: list[Json] = []
        while (reading := await self._inbox.next(until_s=said_s + self._seen_s)) is not None:
            counts = ctx.accepts(reading)
            if reading.point != self._door:
                if counts and reading.value is OPEN and reading.point in self._shut:
                    instead.append(self._named(reading.point))
                    self._shut.discard(reading.point)
                continue
            was_there = was_there or (counts and reading.value is state)
            # What came before the word may be over by now.
            if counts and reading.value is state and self._is(state):
                after_s = max(0.0, reading.received_s - said_s)
                ctx.saw(f"{self._named(self._door)} {state.value} {after_s:.1f} s")
                return said, reading
        newest = ctx.newest(self._door)
        heard = newest is not None and ctx.accepts(newest) and self._answers()
        said |= {"heard": heard, "early": was_there, "instead": instead[:MOST_NAMED]}
        is_fault = heard and newest is not None and newest.value is FAULT
        return said, newest if is_fault else None

    def _is(self, state: ContactState) -> bool:
        newest = self._ctx.newest(self._door)
        return newest is not None and newest.value is state

    def _answers(self) -> bool:
        answers = self._ctx.services.answers
        return answers is None or answers(self._door)

    def _named(self, door: str) -> str:
        name = self._ctx.services.name_of
        return door.upper() if name is None else f"{door.upper()} {name(door)}"
