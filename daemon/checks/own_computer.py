"""Are the clock and the disks of ispsd's own computer as they must be?

Clock: the kernel says that something disciplines it (NTP, PTP; adjtimex), or a GNSS receiver that nothing makes suspect
tells the same time; GNSS alone never sets it (invariant 8). Disks: room for the record and its copy, none of them
mounted read-only, room for evidence. What a disk says of its own health (SMART) needs rights that ispsd does not take.
Source: ISPS A/10.3; IEC 62443 as IACS UR E27 has it (time, storage). Continuous: one result a ship's day.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from daemon.checks.api import CheckConfig, CheckSpec, Gathered
from daemon.checks.daylong import LOOK_S, span, through_the_day
from daemon.model import ClockStatus, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.checks.api import CheckContext
    from daemon.model import Json, Reading

MEGA: Final = 1_000_000
KEPT_OFFSETS: Final = 60
"""The newest, of each half minute: the middle one of half an hour counts, not the one that came late."""
SYNCED: Final = ClockStatus.SYNCED.value


class OwnComputerConfig(CheckConfig):
    """The computer that ispsd runs on."""

    kind: Literal["own_computer"]
    receivers: Annotated[tuple[str, ...], Field(max_length=4)] = ()
    """The GNSS receivers whose time is held against the clock, by their devices."""
    most_off_s: Annotated[float, Field(ge=1, le=60)] = 2.0
    """How far a receiver's time may be from the clock, in seconds: a sentence is up to a second old when it comes."""
    least_free_mb: Annotated[int, Field(ge=50, le=1_000_000)] = 500
    """Room that the record's disk and its copy's must have, in MB."""
    most_evidence: Annotated[float, Field(gt=0, le=1)] = 0.9
    """The share of the room for evidence that may be in use."""


def judge(config: OwnComputerConfig, gathered: Gathered) -> Verdict:
    """Judge clock and disks; the worse of the two is the result."""
    facts = gathered.facts
    found = [_clock(config, gathered), _disks(config, facts)]
    said = "; ".join(words for _, words in found)
    for outcome in (Outcome.FAILED, Outcome.INCONCLUSIVE):
        if bad := [words for each, words in found if each is outcome]:
            return Verdict(outcome, "; ".join(bad))
    return Verdict(Outcome.PASSED, f"{span(facts)}, {said}")


def _clock(config: OwnComputerConfig, gathered: Gathered) -> tuple[Outcome, str]:
    facts = gathered.facts
    looks = facts["clock"]
    is_synced = looks.get(SYNCED, 0) > sum(looks.values()) / 2
    seen = {reading.point.rpartition(".")[0] for reading in gathered.readings}
    told_s = {of: median(each) for of, each in facts["offsets_s"].items() if each and of in seen}
    if looks.get(ClockStatus.UNSET.value, 0):
        return Outcome.FAILED, "the clock was not set"
    if not told_s:
        # A receiver that is there and says nothing proves nothing; one that is not believed is not asked.
        if is_synced and (not config.receivers or facts["is_doubted"]):
            return Outcome.PASSED, "clock synchronised"
        return Outcome.INCONCLUSIVE, "no receiver that is believed tells the time"
    if max(told_s.values()) - min(told_s.values()) > 2 * config.most_off_s:
        return Outcome.INCONCLUSIVE, f"{' and '.join(sorted(told_s))} tell different times"
    offset_s = max(told_s.values(), key=abs)
    if abs(offset_s) > config.most_off_s:
        return Outcome.FAILED, f"clock {offset_s:+.1f} s against GNSS"
    how = "synchronised" if is_synced else "not synchronised"
    return Outcome.PASSED, f"clock {how}, {offset_s:+.1f} s against GNSS"


def _disks(config: OwnComputerConfig, facts: Mapping[str, Any]) -> tuple[Outcome, str]:
    disks = facts["disks"]
    if not disks:
        return Outcome.INCONCLUSIVE, "the disks could not be asked"
    for disk in disks:
        if disk["fault"] is not None:
            return Outcome.INCONCLUSIVE, f"{disk['what']}: {disk['fault']}"
        if disk["read_only"]:
            return Outcome.FAILED, f"{disk['what']}: its disk takes nothing any more"
        if disk["free_bytes"] < config.least_free_mb * MEGA:
            return Outcome.FAILED, f"{disk['what']}: {disk['free_bytes'] // MEGA} MB free"
    used, quota = facts["evidence_bytes"]
    if used > config.most_evidence * quota:
        return Outcome.FAILED, f"evidence takes {used // MEGA} of {quota // MEGA} MB"
    free = min(disk["free_bytes"] for disk in disks)
    return Outcome.PASSED, f"{free // MEGA} MB free"


def points(config: OwnComputerConfig) -> tuple[str, ...]:
    """Return where the receivers tell the time."""
    return tuple(f"{receiver}.time" for receiver in config.receivers)


class Looks:
    """What was seen of clock and disks."""

    def __init__(self, config: OwnComputerConfig, ctx: CheckContext) -> None:
        self._config = config
        self._ctx = ctx
        self._clock: Counter[str] = Counter()
        self._offsets_s: dict[str, list[float]] = {}
        self._readings: dict[str, Reading] = {}
        self._is_doubted = False
        self._disks: Mapping[str, Any] = {}

    async def look(self) -> None:
        """Look at all of it; what a disk that hangs has said before counts no longer."""
        self._look_at_the_clock()
        ask = self._ctx.services.disks
        self._disks = (None if ask is None else await ask()) or {}

    def _look_at_the_clock(self) -> None:
        self._clock[self._ctx.clock.status().value] += 1
        doubt = self._ctx.services.position_doubt
        self._is_doubted = doubt is not None and doubt() is not None
        if self._is_doubted:
            self._offsets_s.clear()  # a receiver that lies of its place lies of the time
            self._readings.clear()
            return
        for receiver, point in zip(self._config.receivers, points(self._config), strict=True):
            reading = self._ctx.newest(point)
            if reading is None or not self._ctx.accepts(reading) or not self._is_fresh(reading):
                continue
            if isinstance(reading.value, str):
                told_utc = datetime.fromisoformat(reading.value)
                offset_s = (reading.received_utc - told_utc).total_seconds()
                kept = self._offsets_s.get(receiver, [])
                self._offsets_s[receiver] = [*kept, round(offset_s, 2)][-KEPT_OFFSETS:]
                self._readings[point] = reading

    def gathered(self, over: bool) -> Gathered:  # noqa: FBT001 (the day is over, or not)
        facts: dict[str, Json] = {
            "clock": dict(self._clock),
            "offsets_s": {of: list(each) for of, each in self._offsets_s.items()},
            "is_doubted": self._is_doubted,
            "disks": self._disks.get("disks", []),
            "evidence_bytes": self._disks.get("evidence_bytes", [0, 1]),
            "over": over,
            "since": self._ctx.watched_since,
        }
        return Gathered(tuple(self._readings.values()), facts)

    def _is_fresh(self, reading: Reading) -> bool:
        return self._ctx.clock.now_s() - reading.received_s <= 2 * LOOK_S


async def run(config: OwnComputerConfig, ctx: CheckContext) -> Gathered:
    """Look at clock and disks until the day ends."""
    looks = Looks(config, ctx)
    return await through_the_day(ctx, looks.look, looks.gathered, partial(judge, config))


CHECK = CheckSpec(
    kind="own_computer",
    config=OwnComputerConfig,
    run=run,
    judge=judge,
    points=points,
    continuous=True,
)
