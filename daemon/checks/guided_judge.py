"""Is each step of a guided test as it must be? Pure: what was gathered, held against the ship's file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from daemon.checks.denials import denies, says_neither
from daemon.checks.guided_steps import Wants
from daemon.model import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.checks.api import Gathered
    from daemon.checks.guided_steps import Step
    from daemon.model import Json, Reading

SAME_S: Final = 0.01
"""A moment is kept to the millisecond."""
FAILED, UNPROVEN, PASSED = Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.PASSED


def judge(config: Any, gathered: Gathered) -> Verdict:
    """Judge all steps; the worst counts, and every step that came out so is named."""
    steps: tuple[Step, ...] = config.all_steps
    facts = _facts(gathered.facts.get("steps"))
    moments = {
        place: float(at_s)
        for place, said in facts.items()
        if isinstance(at_s := said.get("at_s"), int | float)
    }
    found = [
        _judge_step(step, place, facts.get(place), moments, gathered.readings)
        for place, step in enumerate(steps, start=1)
    ]
    for worst in (FAILED, UNPROVEN):
        if words := [text for outcome, text in found if outcome is worst]:
            # After a step that nobody answered come steps that were never shown: one reason is enough.
            return Verdict(worst, "; ".join(words if worst is FAILED else words[:1]))
    measured = [text for _, text in found if text]
    many = f"{len(steps)} of {len(steps)} steps"
    return Verdict(PASSED, f"{many}: {', '.join(measured)}" if measured else many)


def _facts(said: Json) -> dict[int, Mapping[str, Json]]:
    facts: dict[int, Mapping[str, Json]] = {}
    for each in said if isinstance(said, list | tuple) else ():
        if isinstance(each, Mapping) and isinstance(each.get("step"), int):
            facts[int(str(each["step"]))] = each
    return facts


def _judge_step(
    step: Step,
    place: int,
    said: Mapping[str, Json] | None,
    moments: Mapping[int, float],
    readings: Sequence[Reading],
) -> tuple[Outcome, str]:
    name = step.named(place)
    if said is None:
        return UNPROVEN, f"{name}: was not come to"
    if step.expects is Wants.POINT:
        found = _of_point(step, name, said, readings)
    elif step.expects is Wants.ALERT:
        found = _of_alert(step, name, said)
    else:
        found = _of_answer(step, name, said)
    if found is None:
        found = _of_time(step, place, moments) if step.is_timed else (PASSED, "")
    return found


def _of_answer(step: Step, name: str, said: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    answer = said.get("answer")
    if not isinstance(answer, Mapping):
        who = "the witness" if step.who.value == "witness" else "nobody"
        words = "did not confirm" if step.who.value == "witness" else "answered"
        return UNPROVEN, f"{name}: {who} {words} in {step.waited_s:g} s"
    text = str(answer["text"]).strip()
    if step.expects is Wants.YES_OR_NO and text.lower() != step.want:
        return FAILED, f"{name}: {text.lower()}"
    if step.expects is Wants.NUMBER:
        return _of_number(step, name, text)
    if step.expects is Wants.REFERENCE:
        return _of_reference(name, text)
    return None


def _of_reference(name: str, text: str) -> tuple[Outcome, str]:
    if denies(text):
        return FAILED, f"{name}: {text}"
    return (UNPROVEN if says_neither(text) else PASSED), f"{name}: {text}"


def _of_number(step: Step, name: str, text: str) -> tuple[Outcome, str]:
    value = number_in(text)
    if value is None:
        return UNPROVEN, f"{name}: {text[:20]!r} is no number"
    unit = f" {step.unit}" if step.unit else ""
    if step.least is not None and value < step.least:
        return FAILED, f"{name}: {value:g}{unit}, at least {step.least:g}{unit}"
    if step.most is not None and value > step.most:
        return FAILED, f"{name}: {value:g}{unit}, at most {step.most:g}{unit}"
    return PASSED, f"{name} {value:g}{unit}"


def number_in(text: str) -> float | None:
    """Return the number that somebody typed, with a comma or a point; None where it is none."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _of_point(
    step: Step, name: str, said: Mapping[str, Json], readings: Sequence[Reading]
) -> tuple[Outcome, str] | None:
    if isinstance(at_s := said.get("at_s"), int | float):
        kept = [r for r in readings if step.shows(r) and abs(r.received_s - at_s) < SAME_S]
        return None if kept else (UNPROVEN, f"{name}: the reading that shows it is not there")
    what = step.state or f"alert {step.number}"
    if said.get("seen") is not True:
        return UNPROVEN, f"{name}: {step.point} is not seen"
    if said.get("was_away") is not True:
        return UNPROVEN, f"{name}: {step.point} was {what} before: wrong order"
    if step.max_s is None:  # nobody said that he did it, so perhaps nobody did
        return UNPROVEN, f"{name}: {step.point} not seen {what} in {step.waited_s:g} s"
    return FAILED, f"{name}: {step.point} not {what} in {step.max_s:g} s"


def _of_alert(step: Step, name: str, said: Mapping[str, Json]) -> tuple[Outcome, str] | None:
    what = "over" if step.over else "told"
    if said.get("known") is not True:
        return UNPROVEN, f"{name}: there is no alert {step.alert}"
    if said.get("was_away") is not True:
        stood = "did not stand" if step.over else "stood"
        return UNPROVEN, f"{name}: {step.alert} {stood} before: wrong order"
    if said.get("at_s") is None:
        if step.max_s is None:
            return UNPROVEN, f"{name}: {step.alert} not {what} in {step.waited_s:g} s"
        return FAILED, f"{name}: {step.alert} not {what} in {step.max_s:g} s"
    if not step.over and not said.get("shown_at"):
        return FAILED, f"{name}: {step.alert} raised, but no station showed it"
    return None


def _of_time(step: Step, place: int, moments: Mapping[int, float]) -> tuple[Outcome, str]:
    name, after = step.named(place), step.after or place - 1
    if place not in moments or after not in moments:
        return UNPROVEN, f"{name}: the time after step {after} is not known"
    took_s = max(0.0, moments[place] - moments[after])
    if step.min_s is not None and took_s < step.min_s:
        return FAILED, f"{name}: after {took_s:.1f} s, not before {step.min_s:g} s"
    if step.max_s is not None and took_s > step.max_s:
        return FAILED, f"{name}: after {took_s:.1f} s, at most {step.max_s:g} s"
    return PASSED, f"{name} {took_s:.1f} s"
