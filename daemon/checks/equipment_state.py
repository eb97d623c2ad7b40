"""Is equipment there, and does it say nothing of a fault of its own? One row for one piece or for several.

Three ways to know: a unit of the network answers (``network``); a contact is closed, as a UPS's mains (``contact``);
the equipment's own alerts and heartbeat, as a BNWAS, a VDR or a GMDSS terminal tells them (``alerts``; IEC 61162-1 ALR,
ALF, HBT). What it annunciates itself is mirrored here, never sounded. Numbers that are no fault, such as the stages of
a BNWAS or a distress message that was received, are named by ``no_faults``. A security alert is among none of them, and
none is waited for. Continuous: one result a ship's day.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from daemon.checks.api import CheckConfig, CheckSpec, Gathered
from daemon.checks.coverage import length
from daemon.checks.daylong import Sampling, span, through_the_day
from daemon.model import ContactState, EquipmentReport, Outcome, Verdict
from daemon.wording.lines import LINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.checks.api import CheckContext
    from daemon.model import Json, Reading

GOOD: Final = "in order"
LONGEST_WORD: Final = 80
LOST_S: Final = 300.0
"""A unit that has answered and is not reached for so long is lost, in seconds."""
UNHEARD: Final = "not heard of"
WAYS: Final = ("network", "contact", "alerts")
SHARE: Final = 0.95


class Unit(BaseModel):
    """One piece of equipment, and how it is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=24), LINE]
    network: str | None = None
    """A device of kind ``reach``: it answers."""
    contact: str | None = None
    """A contact that is closed while all is well."""
    alerts: str | None = None
    """A device of kind ``nmea`` that tells of the equipment's own alerts."""
    no_faults: Annotated[tuple[int, ...], Field(max_length=60)] = ()
    """Its alerts that are no faults of it, by number."""
    most_min: Annotated[float, Field(ge=0, le=1440)] = 5.0
    """So long a day it may be in fault before it is a defect, in minutes: a power cut is no defect of a UPS."""

    @model_validator(mode="after")
    def _known_in_one_way(self) -> Self:
        if sum(getattr(self, way) is not None for way in WAYS) != 1:
            raise ValueError(f"one of {', '.join(WAYS)} is wanted, and one only")
        if self.no_faults and self.alerts is None:
            raise ValueError("no_faults are of alerts")
        return self

    @property
    def point(self) -> str:
        """Return what tells of it."""
        if self.network is not None:
            return f"{self.network}.reached"
        return f"{self.alerts}.alerts" if self.alerts is not None else str(self.contact)

    def word(self, reading: Reading) -> str | None:
        """Return how it is, in a word; None where the reading says nothing of it."""
        said = reading.value
        if isinstance(said, EquipmentReport):
            return self._reported(said)
        if isinstance(said, ContactState):
            # In line fault it is neither: a cut cable, or a voltage between its two bands.
            return {ContactState.CLOSED: GOOD, ContactState.OPEN: "open"}.get(said)
        return GOOD if self.network is not None and isinstance(said, str) else None

    def _reported(self, said: EquipmentReport) -> str:
        faults = [a for a in said.alerts if a.active and a.number not in self.no_faults]
        if faults:
            return f"says {faults[0].number:03d} {faults[0].text}"[:LONGEST_WORD].rstrip()
        return "says that it is not in order" if said.in_order is False else GOOD


class EquipmentStateConfig(CheckConfig):
    """One piece of equipment or several."""

    kind: Literal["equipment_state"]
    units: Annotated[tuple[Unit, ...], Field(min_length=1, max_length=20)]
    share: Annotated[float, Field(gt=0, le=1)] = SHARE
    """The share of the day in which each must be seen."""


def judge(config: EquipmentStateConfig, gathered: Gathered) -> Verdict:
    """Judge each; the worst of them is the result."""
    facts = gathered.facts
    faults, doubts = [], []
    for unit in config.units:
        tally = facts["units"][unit.point]
        if (fault := _fault(unit, tally, facts)) is not None:
            faults.append(f"{unit.name} {fault}")
        elif (doubt := _doubt(config, tally)) is not None or gathered.newest(unit.point) is None:
            doubts.append(f"{unit.name} {doubt or UNHEARD}")
    if faults:
        return Verdict(Outcome.FAILED, "; ".join(faults)[:300])
    if doubts:
        return Verdict(Outcome.INCONCLUSIVE, "; ".join(doubts)[:300])
    names = ", ".join(unit.name for unit in config.units)
    return Verdict(Outcome.PASSED, f"{span(facts)}, in order: {names}"[:300])


def _fault(unit: Unit, tally: Mapping[str, Any], facts: Mapping[str, Any]) -> str | None:
    """Return what is wrong with it: now, or, when the day is over, for too long in it."""
    wrong = {word: seconds for word, seconds in tally["for_s"].items() if word != GOOD}
    most_s = unit.most_min * 60
    now = tally["now"]
    if now not in {None, GOOD} and tally["now_s"] > most_s:
        return f"{now} for {length(tally['now_s'])}"
    if facts["over"] and sum(wrong.values()) > most_s:
        worst = max(wrong, key=lambda word: wrong[word])
        return f"{worst} for {length(sum(wrong.values()))}"
    link = facts["links"].get(unit.network)
    if link is not None and not link["up"] and link.get("may_be_ours"):
        return None  # a fault of its driver proves nothing of the unit (invariant 2)
    if link is not None and not link["up"] and link["for_s"] > LOST_S:
        return f"not reached for {length(link['for_s'])}: {link['reason']}"
    has_answered = unit.network is not None and bool(tally["for_s"])
    if has_answered and now is None and tally["now_s"] > LOST_S:
        return f"not reached for {length(tally['now_s'])}"
    return None


def _doubt(config: EquipmentStateConfig, tally: Mapping[str, Any]) -> str | None:
    seen_s = sum(tally["for_s"].values())
    if not seen_s:
        return UNHEARD
    all_s = seen_s + tally["unseen_s"]
    if seen_s < config.share * all_s:
        return f"not heard of for {length(tally['unseen_s'])} of {length(all_s)}"
    return None


def points(config: EquipmentStateConfig) -> tuple[str, ...]:
    """Return what tells of each."""
    return tuple(unit.point for unit in config.units)


async def run(config: EquipmentStateConfig, ctx: CheckContext) -> Gathered:
    """Look at each until the day ends."""
    sampling = Sampling(ctx, {unit.point: unit.word for unit in config.units})

    def gathered(over: bool) -> Gathered:  # noqa: FBT001 (the day is over, or not)
        links: dict[str, Json] = {
            unit.network: ctx.services.link(unit.network)
            for unit in config.units
            if unit.network is not None and ctx.services.link is not None
        }
        facts: dict[str, Json] = {
            "units": sampling.facts(),
            "links": links,
            "over": over,
            "since": ctx.watched_since,
        }
        return Gathered(sampling.readings(), facts)

    return await through_the_day(ctx, sampling.look, gathered, partial(judge, config))


CHECK = CheckSpec(
    kind="equipment_state",
    config=EquipmentStateConfig,
    run=run,
    judge=judge,
    points=points,
    continuous=True,
)
