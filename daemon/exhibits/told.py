"""What did people say in a test, and when? Answers as its evidence has them, step by step.

The facts of a check are its own; what is looked for in them is what every answer is made of: a person and what he said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.exhibits.axis import LATEST_S, utc_words
from daemon.exhibits.figure import shown
from daemon.wording.terminal import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.model import Json
    from daemon.testing.evidence import Basis

MOST_STEPS: Final = 200
DEEPEST: Final = 8
LONGEST_TEXT: Final = 400
ANSWER: Final = frozenset({"person", "text", "station", "proof"})
AT: Final = "at_s"


@dataclass(frozen=True, slots=True)
class Clocked:
    """How seconds since boot become a time: by the entry itself, which has both."""

    at_utc: datetime
    up_s: float

    def words(self, at_s: object) -> str:
        """Return a moment in words; "" for what is none."""
        if not isinstance(at_s, int | float) or isinstance(at_s, bool) or not 0 <= at_s < LATEST_S:
            return ""
        try:
            return utc_words(self.at_utc - timedelta(seconds=self.up_s - at_s))
        except OverflowError:
            return ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step, as the page shows it.

    Attributes:
        asked: What the person was told to do; "" where the evidence does not have it.
        said: What came of it.
    """

    name: str
    asked: str
    said: str
    who: str
    where: str
    at: str

    def told(self) -> dict[str, Json]:
        return {
            "name": shown(self.name),
            "asked": _cut(self.asked),
            "said": _cut(self.said),
            "who": shown(self.who),
            "where": shown(self.where),
            "at": self.at,
        }


def steps(basis: Basis, clocked: Clocked) -> list[Step]:
    """Return the steps that stand in the facts, in their order."""
    found: list[Step] = []
    asked = _asked(basis.config)
    for path, said in _every(basis.gathered.facts, ()):
        if len(found) == MOST_STEPS:
            break
        found.append(_step(path, said, asked, clocked))
    return found


def _every(
    facts: object, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield what holds an answer, or is a numbered step of its own, with the way to it."""
    if len(path) > DEEPEST:
        return
    if isinstance(facts, Mapping):
        if isinstance(facts.get("step"), int) or _answers(facts):
            yield path, facts
            return
        for name, each in facts.items():
            if _is_answer(each):
                yield (*path, str(name)), {"answer": each}
            else:
                yield from _every(each, (*path, str(name)))
    elif isinstance(facts, list | tuple):
        for place, each in enumerate(facts, start=1):
            yield from _every(each, (*path, str(place)))


def _step(
    path: tuple[str, ...], said: Mapping[str, Any], asked: Mapping[int, str], clocked: Clocked
) -> Step:
    number = said.get("step")
    name, words = _named(path, said), ""
    if isinstance(number, int):
        name, words = f"step {number}", asked.get(number, "")
    answer, at = _answers(said), clocked.words(said.get(AT))
    if answer is None:
        return Step(name, words, "seen by ispsd" if at else "not seen", "", "", at)
    station, proof = answer["station"], str(answer["proof"])
    return Step(
        name,
        words,
        str(answer["text"]).strip() or "done",
        str(answer["person"]) + ("" if proof == "none" else f" ({proof})"),
        "ship's computer" if station is None else f"station {station}",
        at,
    )


def _named(path: tuple[str, ...], said: Mapping[str, Any]) -> str:
    """Return a name for what has none: the words that lead to it, or what it says it is of."""
    for key in ("group", "item", "point", "station"):
        if isinstance(said.get(key), str):
            return str(said[key])
    return " ".join(path).replace("_", " ") or "answer"


def _answers(said: Mapping[str, Any]) -> Mapping[str, Any] | None:
    each = said.get("answer")
    return each if isinstance(each, Mapping) and _is_answer(each) else None


def _is_answer(said: object) -> bool:
    return isinstance(said, Mapping) and set(said) >= ANSWER


def _asked(config: Mapping[str, Any]) -> dict[int, str]:
    """Return what each step asked for, where the steps of a test stand in its settings one by one."""
    each = config.get("steps")
    if not isinstance(each, list) or config.get("each"):
        return {}
    return {
        place: str(step["text"])
        for place, step in enumerate(each, start=1)
        if isinstance(step, Mapping) and isinstance(step.get("text"), str)
    }


def _cut(text: str) -> str:
    return printable(shortened(text, LONGEST_TEXT))
