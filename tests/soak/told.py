"""What was a subscriber told: which alerts came, where they sounded, when they ended; was an event missed? Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.soak.story import Expected

OVER = frozenset({"N", "U"})
"""States in which the condition is gone: normal, and rectified - unacknowledged (docs/alerts.md)."""
USUAL = frozenset({"SIMULATED DATA"})
"""What stands in every simulated watch."""
TABLE = ("raised", "title", "name", "priority", "sounds at", "ended")


@dataclass(slots=True)
class Told:
    """One alert as it was told; times in seconds after the story's beginning."""

    title: str
    name: str
    priority: str
    raised_s: float
    sounds_at: tuple[str, ...] | None = None
    ended_s: float | None = None
    then: list[str] = field(default_factory=list)
    detail: str = ""

    def differs(self, expected: Expected) -> str | None:
        """Return what is otherwise than expected; None where this is that alert."""
        if (self.title, self.name, self.priority) != (
            expected.title,
            expected.name,
            expected.priority,
        ):
            return "another alert"
        is_told = expected.sounds_at is not None and self.sounds_at is not None
        where = sorted(self.sounds_at or ()) == sorted(expected.sounds_at or ())
        wrong = [
            _outside("raised", self.raised_s, expected.raised_s),
            _outside("ended", self.ended_s, expected.ended_s),
            tuple(self.then) != expected.then and f"then {self.then}, not {expected.then}",
            is_told and not where and f"sounds at {self.sounds_at}, not {expected.sounds_at}",
            expected.detail not in self.detail and f"{expected.detail!r} is not in {self.detail!r}",
        ]
        return next((each for each in wrong if each), None)

    def __str__(self) -> str:
        ended = "stands" if self.ended_s is None else f"ended {self.ended_s:.1f}"
        then = "".join(f" then {each}" for each in self.then)
        words = f"{self.priority}{then} {self.title} {self.name} at {self.sounds_at}"
        return f"{words} raised {self.raised_s:.1f} {ended}: {self.detail}"


def _outside(what: str, at_s: float | None, span_s: tuple[float, float] | None) -> str | None:
    """Return that something was not when it should be, or was though it should not."""
    if at_s is None or span_s is None:
        return None if at_s is span_s else f"{what} at {at_s}, not {span_s}"
    low_s, high_s = span_s
    return (
        None
        if low_s <= at_s <= high_s
        else f"{what} at {at_s:.1f} s, not {low_s:g} to {high_s:g} s"
    )


def alerts(
    messages: Iterable[tuple[float, str, Mapping[str, Any] | None]],
    *,
    raised_s: Callable[[str], float],
) -> list[Told]:
    """Return the alerts that ``alert/…`` messages told of, in the order in which they came.

    Args:
        messages: When each came, the alert's id, its body; None where the topic was cleared.
        raised_s: Makes seconds of the story of a body's ``raised_utc``: who was away is told late.
    """
    seen: list[Told] = []
    open_now: dict[str, tuple[int, Told]] = {}
    for at_s, id_, body in messages:
        held = open_now.get(id_)
        if body is None or body["state"] == "N":
            if held is not None:
                _end(held[1], at_s)
                del open_now[id_]
            continue
        if body["title"] in USUAL:
            continue
        is_over = body["state"] in OVER
        is_same = held is not None and held[0] == body["instance"]
        # The same condition once more, before anybody had seen that it was over, is told under its number.
        if held is None or not is_same or (held[1].ended_s is not None and not is_over):
            if held is not None:
                _end(held[1], at_s)
            held = open_now[id_] = (body["instance"], _begun(body, raised_s))
            seen.append(held[1])
        told = held[1]
        if body["priority"] != (told.then[-1] if told.then else told.priority):
            told.then.append(body["priority"])
        if is_over:
            _end(told, at_s)
    return seen


def _begun(body: Mapping[str, Any], raised_s: Callable[[str], float]) -> Told:
    return Told(
        body["title"],
        body["name"],
        body["priority"],
        raised_s(body["raised_utc"]),
        tuple(body["sounds_at"]),
        detail=body["detail"],
    )


def _end(told: Told, at_s: float) -> None:
    if told.ended_s is None:
        told.ended_s = at_s


def compared(seen: Sequence[Told], expected: Sequence[Expected]) -> list[str]:
    """Return every difference: what did not come as it should, and what came beside; nothing where all is well."""
    left = list(seen)
    faults = []
    for each in expected:
        found = next((told for told in left if told.differs(each) is None), None)
        if found is not None:
            left.remove(found)
            continue
        near = [
            f"{told.differs(each)}"
            for told in left
            if told.title == each.title and told.name == each.name
        ]
        faults.append(f"expected: {each}" + (f"; but {near[0]}" if near else ""))
    return faults + [f"not expected: {told}" for told in left]


def missed(
    numbers: Sequence[tuple[float, int]],
    away: Sequence[tuple[float, float]] = (),
    begun: Sequence[float] = (),
) -> list[str]:
    """Return where numbers of events are missing, or came in another order.

    Args:
        numbers: When each event came, and its ``bseq``.
        away: From when until when nobody could be told: what was told to a broker that died then is asked for by
            ``replay`` (docs/mqtt.md), and no fault of what is told.
        begun: When the daemon began anew: it tells again what it does not know to be told (*at least once*), before
            anything that is new.
    """
    faults = []
    newest: int | None = None
    newest_s = grown_s = 0.0
    for at_s, number in numbers:
        if newest is not None and number > newest + 1:
            if not any(newest_s <= until_s and from_s <= at_s for from_s, until_s in away):
                faults.append(f"events {newest + 1} to {number - 1} were not told, at {at_s:.1f} s")
        elif (
            newest is not None
            and number <= newest
            and not (
                any(grown_s <= from_s <= at_s for from_s in begun)
                or any(from_s <= at_s for from_s, _ in away)
            )
        ):
            faults.append(f"event {number} was told again at {at_s:.1f} s, after {newest}")
        if newest is None or number > newest:
            newest, grown_s = number, at_s
        newest_s = at_s
    return faults


def table(seen: Iterable[Told], clock: Callable[[float], str]) -> list[tuple[str, ...]]:
    """Return the rows that a person reads; the first are the names of the columns."""
    rows = [TABLE]
    for told in sorted(seen, key=lambda each: each.raised_s):
        sounds_at = "?" if told.sounds_at is None else " ".join(told.sounds_at) or "-"
        ended = "stands" if told.ended_s is None else clock(told.ended_s)
        priority = "".join([told.priority, *(f" then {each}" for each in told.then)])
        rows.append((clock(told.raised_s), told.title, told.name, priority, sounds_at, ended))
    return rows
