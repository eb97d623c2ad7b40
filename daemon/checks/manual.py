"""What did a named person find who tested a thing that ispsd cannot see: a metal detector, a UHF set, a searchlight?

The columns are those of forms that ships use for ISPS A/10.1.10: result, remark, method, who did it, who witnessed it,
the number of the test piece. When, at which security level, in which situation and by which paragraph of the plan stand
in every entry, and an UNSAT opens its defect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from daemon.checks.api import (
    CheckConfig,
    CheckSpec,
    Expects,
    Gathered,
    Mode,
    Who,
    answer_in,
    fact_of,
    result_of,
)
from daemon.checks.denials import denies, says_neither
from daemon.model import Outcome, Verdict
from daemon.wording.lines import LINE

if TYPE_CHECKING:
    from daemon.checks.api import Answer, CheckContext
    from daemon.model import Json

OUTCOMES: Final = {
    "SAT": Outcome.PASSED,
    "UNSAT": Outcome.FAILED,
    "NOT DONE": Outcome.SKIPPED,
}


class ManualConfig(CheckConfig):
    """One thing that a person tests."""

    kind: Literal["manual"]
    what: Annotated[str, Field(min_length=1, max_length=200), LINE]
    """What is done, and when it is SAT: ``Test piece found 3 of 3 times``."""
    answer_s: Annotated[float, Field(ge=60, le=7200)] = 3600.0
    """How long each step of the form stays open, in seconds."""
    serial: Annotated[str, Field(min_length=1, max_length=60), LINE] | None = None
    """Whose number is asked for: ``the test piece``; None: none is."""
    performed_by_other: bool = False
    """Somebody else did it, a surveyor or a maker's service: the form asks who, and for the paper that says so."""
    witnessed: bool = False
    """A second person confirms what the first says."""


def judge(config: ManualConfig, gathered: Gathered) -> Verdict:
    """Judge by what the person says; what the form asks for beside the result belongs to a SAT."""
    facts = gathered.facts
    answer = answer_in(facts["result"])
    if answer is None:
        return Verdict(Outcome.INCONCLUSIVE, "no result was entered")
    word, remark = result_of(answer.text)
    if word not in OUTCOMES:
        return Verdict(Outcome.INCONCLUSIVE, f"{answer.text[:40]!r} is no result")
    outcome = OUTCOMES[word]
    serial, other = answer_in(facts.get("serial")), answer_in(facts.get("performed_by"))
    witness = answer_in(facts.get("witness"))
    said = f"said by {answer.person}"
    reason = f"{said}: {remark}" if remark else said
    details: dict[str, Json] = {"method": config.what, "remarks": remark or None}
    details["performed_by"] = answer.person if other is None else other.text
    if other is not None:
        reason += f"; done by {other.text}" if _is_named(other) else f"; who did it: {other.text}"
    if serial is not None:
        details["serial"] = serial.text
        reason += f"; {config.serial} {serial.text}"
    if witness is not None:
        details["witness"] = witness.person
    if outcome is Outcome.PASSED and (lack := _lack(config, serial, other, witness)) is not None:
        return Verdict(Outcome.INCONCLUSIVE, f"{reason}; {lack}", details=details)
    return Verdict(outcome, reason, details=details)


def _lack(
    config: ManualConfig, serial: Answer | None, other: Answer | None, witness: Answer | None
) -> str | None:
    """Return what is missing for a SAT; None: nothing is."""
    if config.serial is not None and (serial is None or denies(serial.text)):
        return f"the number of {config.serial} was not entered"
    if config.performed_by_other and other is None:
        return "who did it was not entered"
    if other is not None and not _is_named(other):
        return "nobody is named who did it"
    if config.witnessed and witness is None:
        return "no witness confirmed it"
    if config.witnessed and witness is not None and witness.text.strip().lower() != "yes":
        return f"the witness {witness.person} does not confirm it"
    return None


def _is_named(other: Answer) -> bool:
    """Return whether an answer names who did it: *no* names nobody, nor does *none*."""
    return not denies(other.text) and not says_neither(other.text)


def points(_: ManualConfig) -> tuple[str, ...]:
    """Return none: nobody sees it but the person."""
    return ()


def steps(config: ManualConfig) -> int:
    """Return how many steps the form has."""
    return 1 + (config.serial is not None) + config.performed_by_other + config.witnessed


async def run(config: ManualConfig, ctx: CheckContext) -> Gathered:
    """Ask for the result, then for what the record has beside it."""
    text = f"{config.name}: {config.what}. SAT, UNSAT or NOT DONE, and a remark."
    answer = await ctx.prompt(1, text, expects=Expects.RESULT, for_s=config.answer_s)
    facts: dict[str, Json] = {"result": fact_of(answer)}
    if answer is None or result_of(answer.text)[0] == "NOT DONE":
        return Gathered(facts=facts)
    said = result_of(answer.text)[0]
    asked: list[tuple[str, str, Expects, Who]] = []
    if config.serial is not None:
        asked.append(("serial", f"The number of {config.serial}.", Expects.NUMBER, Who.TESTER))
    if config.performed_by_other:
        who = "Who did it: name, company, and the paper that says so."
        asked.append(("performed_by", who, Expects.REFERENCE, Who.TESTER))
    if config.witnessed:
        text = f"Witness: was it {said} as {answer.person} says? yes or no."
        asked.append(("witness", text, Expects.YES_OR_NO, Who.WITNESS))
    for step, (name, words, expects, who_) in enumerate(asked, 2):
        given = await ctx.prompt(step, words, expects=expects, for_s=config.answer_s, who=who_)
        facts[name] = fact_of(given)
        if given is None:
            break
    return Gathered(facts=facts)


CHECK = CheckSpec(
    kind="manual",
    config=ManualConfig,
    run=run,
    judge=judge,
    points=points,
    mode=Mode.MANUAL,
    steps=1,
    count_steps=steps,
)
