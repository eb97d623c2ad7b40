"""Is every contact healthy: seen, its line whole, and not stuck?

Source: ISPS A/7.2.4, B/9.43. A line whose contacts contradict each other, or whose ohms or milliamperes lie in no band,
is a line fault: the drivers' judgement, by profile. A contact that has not moved for long may be stuck, or
its door may not have been used: somebody has to look, so it is not proved, and no defect. Over all contacts of the
ship, which nobody can forget to list; an SSAS channel is none. Continuous: one result a ship's day.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from daemon.checks.api import CheckConfig, CheckSpec, Gathered
from daemon.checks.coverage import length
from daemon.checks.daylong import Sampling, few, span, through_the_day, utc_fact
from daemon.model import ContactState, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.checks.api import CheckContext
    from daemon.model import Json, Reading

FAULT: Final = ContactState.LINE_FAULT.value


class ContactSupervisionConfig(CheckConfig):
    """All contacts of the ship."""

    kind: Literal["contact_supervision"]
    leave_out: tuple[str, ...] = ()
    """Contacts that are not looked at, by their ids."""
    fault_s: Annotated[float, Field(ge=30, le=3600)] = 60.0
    """So long a line may be in fault in a day, in seconds: a change-over contact is whenever its door moves."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.95
    """The share of the day in which each must be seen."""
    stuck_days: Annotated[int, Field(ge=1, le=400)] = 92
    """A door, lock, detector or light that has not moved for so many days is to be looked at."""


def judge(config: ContactSupervisionConfig, gathered: Gathered) -> Verdict:
    """Judge every contact; the worst of them is the result."""
    facts = gathered.facts
    contacts: Mapping[str, Any] = facts["contacts"] or {}
    if not contacts:
        return Verdict(Outcome.INCONCLUSIVE, "there is no contact to look at")
    if faulty := {c["name"]: s for c in contacts.values() if (s := _fault_s(c)) > config.fault_s}:
        worst = ", ".join(f"{name} {length(seconds)}" for name, seconds in list(faulty.items())[:4])
        return Verdict(Outcome.FAILED, f"{few(faulty)}: line fault", details={"line_fault": worst})
    unseen = [
        contact["name"]
        for point, contact in contacts.items()
        if not _is_seen(contact, config.share) or gathered.newest(point) is None
    ]
    if unseen:
        said = f"{len(unseen)} of {len(contacts)} contacts not seen or not proved"
        return Verdict(Outcome.INCONCLUSIVE, said, details={"not_seen": few(unseen, 20)})
    still = [c["name"] for c in contacts.values() if _is_stuck(c, facts["at"], config.stuck_days)]
    if still:
        said = (
            f"{len(still)} of {len(contacts)} contacts have not moved for {config.stuck_days} days"
        )
        return Verdict(Outcome.INCONCLUSIVE, said, details={"not_moved": few(still, 20)})
    return Verdict(Outcome.PASSED, f"{span(facts)}, {len(contacts)} contacts, no line fault")


def _fault_s(contact: Mapping[str, Any]) -> float:
    return float(contact["for_s"].get(FAULT, 0.0))


def _is_seen(contact: Mapping[str, Any], share: float) -> bool:
    seen_s = sum(contact["for_s"].values())
    return bool(seen_s) and seen_s >= share * (seen_s + contact["unseen_s"])


def _is_stuck(contact: Mapping[str, Any], at: str, days: int) -> bool:
    """Return whether it has not moved for long; one that moves seldom, or whose past nobody knows, is not stuck."""
    moved = contact["moved"]
    if not contact["moves"] or moved is None:
        return False
    return (datetime.fromisoformat(at) - datetime.fromisoformat(moved)).days >= days


def points(_: ContactSupervisionConfig) -> tuple[str, ...]:
    """Return none: the ship says which contacts there are."""
    return ()


def _word(reading: Reading) -> str | None:
    return reading.value.value if isinstance(reading.value, ContactState) else None


async def run(config: ContactSupervisionConfig, ctx: CheckContext) -> Gathered:
    """Look at every contact until the day ends."""
    service = ctx.services.contacts
    known = {} if service is None else dict(service())
    looked_at = [point for point in known if point not in config.leave_out]
    sampling = Sampling(ctx, dict.fromkeys(looked_at, _word))

    def gathered(over: bool) -> Gathered:  # noqa: FBT001 (the day is over, or not)
        now = {} if service is None else service()
        tallies = sampling.facts()
        contacts: dict[str, Json] = {
            point: {
                "name": contact.name,
                "moves": contact.moves,
                "moved": _utc(now[point].moved_utc),
                **tallies[point],
            }
            for point, contact in known.items()
            if point in tallies
        }
        facts: dict[str, Json] = {
            "contacts": contacts,
            "at": utc_fact(ctx.clock.utc()),
            "over": over,
            "since": ctx.watched_since,
        }
        return Gathered(sampling.readings(), facts)

    return await through_the_day(ctx, sampling.look, gathered, partial(judge, config))


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else utc_fact(moment)


CHECK = CheckSpec(
    kind="contact_supervision",
    config=ContactSupervisionConfig,
    run=run,
    judge=judge,
    points=points,
    continuous=True,
)
