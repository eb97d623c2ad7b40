"""Why does a test stand as it does: since when, by which rule, by whose word, and what stands in its way?

For the SSO and whoever does the test; of class ``sso``, since SSAS tests are among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.checks import catalogue, intervals
from daemon.checks.intervals import NEVER
from daemon.model import Outcome, Readiness
from daemon.testing import schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timezone

    from daemon.model import Json, Regime
    from daemon.testing.standing import Test

WORDS: Final = {
    Outcome.PASSED: "SAT",
    Outcome.FAILED: "UNSAT",
    Outcome.INCONCLUSIVE: "NOT PROVEN",
    Outcome.SKIPPED: "NOT DONE",
}

CLOCK: Final = "the computer's clock is not set, or earlier than the newest result"
_STANDS: Final = {
    Readiness.UNDER_TEST: "it is being tested now",
    Readiness.OUT_OF_SERVICE: "its equipment is out of service",
}


def told(
    test: Test,
    stands: Readiness,
    *,
    now_utc: datetime,
    ship_time: timezone,
    regime: Regime,
    waits: str | None,
) -> dict[str, Json]:
    """Return everything that is known of why a test stands as it does."""
    config, past, last = test.config, test.past, test.newest_word
    next_utc = schedule.next_due_utc(test.plan, past, ship_time=ship_time)
    limit_utc = schedule.overdue_utc(test.plan, past)
    return {
        "why": why(test, stands, now_utc=now_utc, ship_time=ship_time),
        "waits": waits,
        "rule": rule(test, regime),
        "ssp_paragraph": config.ssp_paragraph,
        "interval_source": config.interval_source.value,
        "source": config.source,
        "clause": config.clause,
        "sat_when": config.sat_when,
        "use": config.use,
        "approved_by": config.approved_by,
        "approved_on": None if config.approved_on is None else f"{config.approved_on:%Y-%m-%d}",
        "last": None
        if last is None
        else {
            "seq": last.seq or None,
            "result": WORDS[last.outcome],
            "at": forms.utc(last.ended_utc),
        },
        "passed": None if past.passed_utc is None else forms.utc(past.passed_utc),
        "next_due": None if next_utc is None else forms.utc(next_utc),
        "limit": None if limit_utc is None else forms.utc(limit_utc),
    }


def why(test: Test, stands: Readiness, *, now_utc: datetime, ship_time: timezone) -> str:
    """Return in one sentence why it stands so."""

    def at(moment: datetime) -> str:
        return f"{moment.astimezone(ship_time):%d %b %Y %H%M}"

    if stands is Readiness.NOT_TESTABLE:
        is_here = test.plan.every != NEVER
        return CLOCK if is_here else "nothing asks for it here, and it was never passed"
    if stands is Readiness.DEFECT:
        found = test.proven
        when = "" if found is None else f" on {at(found.ended_utc)}{_number(found.seq)}"
        return f"it failed{when}, and has not passed since"
    if stands is Readiness.IN_ORDER and test.past.passed_utc is not None:
        return f"passed {at(test.past.passed_utc)}"
    since = schedule.begins_utc(test.plan, test.past, now_utc=now_utc, ship_time=ship_time)
    return _STANDS.get(stands) or next(_why_due(test, since, at))


def _why_due(test: Test, since: datetime, at: Callable[[datetime], str]) -> Iterator[str]:
    """Yield why it is due; the first counts."""
    past, last = test.past, test.last
    if test.unsigned is not None and test.awaits_signature:
        yield f"said to be not done, for the SSO or the Master to sign: {test.unsigned.reason}"
    if schedule.is_asked(past) and past.asked_utc is not None and past.asked_by is not None:
        yield f"{past.asked_by.value} on {at(past.asked_utc)}, and not passed since"
    if last is not None and last.outcome in {Outcome.INCONCLUSIVE, Outcome.SKIPPED}:
        yield f"{WORDS[last.outcome]} on {at(last.ended_utc)}: {last.reason}"
    elif past.passed_utc is None:
        yield "never passed" if past.tested_utc is None else "tested, and not passed yet"
    elif not test.is_proven:
        yield "a unit of it was replaced or repaired since it passed"
    else:
        yield f"passed {at(past.passed_utc)}, and not since its period began on {at(since)}"


def rule(test: Test, regime: Regime) -> str:
    """Return how often it is asked for now, and what else asks for it."""
    config, plan = test.config, test.plan
    if plan.every == NEVER:
        often = "no calendar"
    elif intervals.is_period(plan.every):
        often = f"once each {plan.every}" + ("" if plan.at is None else f" from {plan.at}")
    else:
        often = f"each {plan.every}" if plan.every.endswith("days") else plan.every
    if test.plan.continuous:
        often = "all the time, one result a day"
    said = [f"{often} ({regime.situation.value}, level {regime.level:d})"]
    if plan.limit is not None:
        said.append(f"limit {plan.limit.days} days")
    if plan.grace_days:
        said.append(f"{plan.grace_days} days of grace")
    if config.after:
        said.append("after " + ", ".join(event.value for event in config.after))
    if config.only_in:
        said.append("only in " + ", ".join(each.value for each in config.only_in))
    return "; ".join(said)


def elsewhere(test: Test) -> str:
    """Return where else, and how often, its calendar asks for it."""
    config = test.config
    everywhere = catalogue.shown(list(dict.fromkeys(config.every)))
    single = [
        f"{catalogue.shown(list(dict.fromkeys(said)))} in {situation.value}"
        for situation, said in config.every_in.items()
    ]
    return ", ".join([everywhere, *single])


def _number(seq: int) -> str:
    return f" (no. {seq})" if seq else ""
