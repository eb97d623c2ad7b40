"""Do the ship's GNSS receivers agree, without jump or gap, and does nothing speak against them?

Source: SOLAS V/19.2.1.6 asks for a receiver; alone on board a false position shows only by what does not fit: two
receivers that part, or one that moves faster than the ship can. Continuous: one result a ship's day.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from daemon.checks.api import CheckConfig, CheckContext, CheckSpec, Gathered
from daemon.checks.coverage import Coverage, length
from daemon.checks.wording import kind_of
from daemon.model import Fix, Motion, Outcome, Verdict
from daemon.navigation.geodesy import KNOT_M_S, distance_m

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json, Reading

FASTEST_KN: Final = 40.0
"""Where a receiver says no speed, the ship is not faster than this."""
SAME_MOMENT_S: Final = 2.0
"""Fixes of two receivers that lie no farther apart in time are compared."""
GAP_S: Final = 30.0
"""The same as the alert *nav feed lost* waits."""
QUIET_S: Final = 600.0
"""So long after a jump a receiver counts as steady again, in seconds."""
KEPT_READINGS: Final = 100
"""The newest readings of a day that stand as evidence, half of them of each receiver; those of jumps and disagreements
stand first, as many at most."""
LOOK_S: Final = 30.0
MOST_KINDS: Final = 20
"""Kinds of indications of one day."""


class GnssConfig(CheckConfig):
    """One or two receivers."""

    kind: Literal["gnss"]
    receivers: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]
    """The devices, by their ids."""
    antennas_apart_m: Annotated[float, Field(ge=0, le=400)] = 0.0
    agree_within_m: Annotated[float, Field(gt=0, le=1000)] = 50.0
    """Beside the distance of the antennas."""
    disagree_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """How long they may disagree before it is a defect, in seconds."""
    jump_m: Annotated[float, Field(gt=0, le=10_000)] = 100.0
    """A fix that lies farther from the one before than the ship can have moved, by this, is a jump."""
    watch_s: Annotated[float, Field(ge=1, le=3600)] = 60.0
    """How long is watched before the first word, and how long a receiver may say nothing, in seconds."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.95
    """The share of the day in which each receiver must have a fix."""


@dataclass(slots=True)
class Receiver:
    """What one receiver said."""

    coverage: Coverage
    fix: Reading | None = None
    """The newest fix; None while there is none that counts."""
    newest: deque[Reading] = field(default_factory=lambda: deque(maxlen=KEPT_READINGS // 2))
    speed_kn: float | None = None

    def reach_m(self, seconds: float) -> float:
        """Return how far the ship can have moved in a time, as this receiver knows her."""
        speed_kn = FASTEST_KN if self.speed_kn is None else self.speed_kn
        return speed_kn * KNOT_M_S * seconds


@dataclass(slots=True)
class Day:
    """What the receivers said since ``began_s``."""

    config: GnssConfig
    began_s: float
    receivers: dict[str, Receiver] = field(init=False)
    farthest_m: float | None = None
    """The greatest distance between the two, at one moment."""
    apart_since_s: float | None = None
    """Since when they disagree."""
    longest_apart_s: float = 0.0
    jumps: int = 0
    last_jump: tuple[float, str] | None = None
    doubt: str | None = None
    """Why the position cannot be believed now."""
    doubted_s: float = 0.0
    """How long it could not be."""
    alone: dict[str, float] = field(default_factory=dict)
    """What spoke against it, alone or not, and for how long: few words, by what they are without their figures."""
    _looked_s: float | None = None
    odd: deque[Reading] = field(default_factory=lambda: deque(maxlen=KEPT_READINGS))

    def __post_init__(self) -> None:
        self.receivers = {id_: Receiver(Coverage(self.began_s)) for id_ in self.config.receivers}

    def hear(self, reading: Reading, *, counts: bool) -> None:
        """Take a reading; a fix that does not count shows that nothing can be known now."""
        id_, _, what = reading.point.rpartition(".")
        receiver = self.receivers[id_]
        if what == "motion":
            said = reading.value
            receiver.speed_kn = said.sog_kn if counts and isinstance(said, Motion) else None
        elif counts and isinstance(reading.value, Fix):
            receiver.newest.append(reading)
            receiver.coverage.seen(reading.received_s, allowed_s=GAP_S)
            self._look_for_jump(id_, receiver, reading)
            receiver.fix = reading
            self._compare(reading)
        else:
            receiver.coverage.blind(reading.received_s, allowed_s=GAP_S)
            receiver.fix = None

    def look(self, doubt: str | None, odd: tuple[str, ...], now_s: float) -> None:
        """Take what the ship's own watch over the receivers says now."""
        since_s = 0.0 if self._looked_s is None else now_s - self._looked_s
        self._looked_s = now_s
        if self.doubt is not None:
            self.doubted_s += since_s
        self.doubt = doubt
        for words in odd:
            kind = kind_of(words)
            if kind in self.alone or len(self.alone) < MOST_KINDS:
                self.alone[kind] = self.alone.get(kind, 0.0) + since_s

    def gathered(self, now_s: float, *, over: bool = False, since: str | None = None) -> Gathered:
        """Return what stands as evidence now, or when the day is over."""
        facts: dict[str, Json] = {
            "now_s": now_s,
            "over": over,
            "since": since,
            "receivers": {id_: each.coverage.as_fact() for id_, each in self.receivers.items()},
            "farthest_m": self.farthest_m,
            "apart_since_s": self.apart_since_s,
            "longest_apart_s": self.longest_apart_s,
            "jumps": self.jumps,
            "last_jump": self.last_jump,
            "doubt": self.doubt,
            "doubted_s": self.doubted_s,
            "indications": [
                {"seen": kind, "for_s": round(seconds)} for kind, seconds in self.alone.items()
            ],
        }
        newest = (reading for each in self.receivers.values() for reading in each.newest)
        return Gathered((*self.odd, *newest), facts)

    def _look_for_jump(self, id_: str, receiver: Receiver, reading: Reading) -> None:
        if receiver.fix is None:
            return
        between_s = max(0.0, reading.received_s - receiver.fix.received_s)
        moved_m = _apart_m(receiver.fix, reading)
        if moved_m > self.config.jump_m + receiver.reach_m(between_s):
            self.jumps += 1
            self.last_jump = (
                reading.received_s,
                f"{id_} jumped {moved_m:.0f} m in {between_s:.0f} s",
            )
            self.odd += (receiver.fix, reading)

    def _compare(self, reading: Reading) -> None:
        fixes = [r.fix for r in self.receivers.values() if r.fix is not None]
        if len(fixes) < 2:  # noqa: PLR2004 (it takes two to agree)
            self.apart_since_s = None
            return
        between_s = abs(fixes[0].received_s - fixes[1].received_s)
        if between_s > SAME_MOMENT_S:
            return
        apart_m = _apart_m(*fixes)
        self.farthest_m = max(self.farthest_m or 0.0, apart_m)
        moved_m = max(receiver.reach_m(between_s) for receiver in self.receivers.values())
        if apart_m <= self.config.agree_within_m + self.config.antennas_apart_m + moved_m:
            self.apart_since_s = None
            return
        if self.apart_since_s is None:
            self.apart_since_s = reading.received_s
        self.longest_apart_s = max(self.longest_apart_s, reading.received_s - self.apart_since_s)
        self.odd += fixes


def judge(config: GnssConfig, gathered: Gathered) -> Verdict:
    """Judge how the receivers stand now, or the whole day when it is over; with nothing to judge, say so."""
    day = gathered.facts
    covers = {id_: Coverage.of_fact(said) for id_, said in day["receivers"].items()}
    now = _judge_now(config, gathered, covers)
    if not day["over"]:
        return Verdict(*now)
    details = {"indications": day["indications"]} if day["indications"] else {}
    return Verdict(*_judge_day(config, day, covers, now), details=details)


def _judge_now(
    config: GnssConfig, gathered: Gathered, covers: Mapping[str, Coverage]
) -> tuple[Outcome, str]:
    day = gathered.facts
    now_s = day["now_s"]
    if day["doubt"] is not None:
        return Outcome.FAILED, f"GNSS SUSPECT: {day['doubt']}"
    if (fault := _fault(config, day)) is not None:
        return Outcome.FAILED, fault
    for id_, coverage in covers.items():
        unseen_s = coverage.silent_s(now_s) or coverage.blind_s(now_s)
        if gathered.newest(f"{id_}.fix") is None or unseen_s > config.watch_s:
            return Outcome.INCONCLUSIVE, f"{id_}: no fix that counts for {length(unseen_s)}"
    if len(covers) > 1 and day["farthest_m"] is None:
        return Outcome.INCONCLUSIVE, "the receivers were never heard at one moment"
    return Outcome.PASSED, _agreement(day)


def _judge_day(
    config: GnssConfig,
    day: Mapping[str, Any],
    covers: Mapping[str, Coverage],
    now: tuple[Outcome, str],
) -> tuple[Outcome, str]:
    outcome, reason = now
    for coverage in covers.values():
        coverage.end(day["now_s"], allowed_s=GAP_S)
    worst = min(covers.values(), key=lambda c: -1.0 if c.share is None else c.share)
    since = day["since"]
    jumped = day["jumps"]
    jumps = "no jump" if not jumped else f"{jumped} jump{'s' if jumped > 1 else ''}"
    if outcome is not Outcome.PASSED or worst.share is None:
        return outcome, f"{reason}; {_seen(worst, since)}, {jumps}"
    line = f"{_agreement(day)}, {_seen(worst, since)}, {jumps}"
    if (fault := _fault_of_day(config, day, worst.share)) is not None:
        return Outcome.FAILED, f"{line}{fault}"
    id_, rarest = min(covers.items(), key=lambda each: each[1].share_of_all)
    if rarest.share_of_all < config.share:
        # Nobody knows whether it was there, so the day is no defect of the receiver's; nor is it proven.
        had = f"{id_} had a fix that counts for {math.floor(rarest.share_of_all * 100)}%"
        line = f"{_agreement(day)}, {_seen(rarest, since)}, {jumps}"
        return Outcome.INCONCLUSIVE, f"{line}; {had}, at least {config.share:.0%} is wanted"
    return outcome, line


def _seen(coverage: Coverage, since: str | None) -> str:
    """Return what of the day was seen; where there was no gap, none is spoken of."""
    if coverage.gaps or coverage.share is None:
        return coverage.words(since=since)
    return coverage.span(since=since)


def _fault(config: GnssConfig, day: Mapping[str, Any]) -> str | None:
    now_s, jump, apart_since_s = day["now_s"], day["last_jump"], day["apart_since_s"]
    if jump is not None and now_s - jump[0] < QUIET_S:
        return str(jump[1])
    if apart_since_s is not None and now_s - apart_since_s > config.disagree_s:
        return f"receivers disagree by {day['farthest_m']:.0f} m"
    return None


def _fault_of_day(config: GnssConfig, day: Mapping[str, Any], share: float) -> str | None:
    """Return what was wrong in the day, though it is over now, as the end of its line."""
    if day["jumps"] and day["last_jump"] is not None:
        return f": {day['last_jump'][1]}"
    if day["doubted_s"] > 0:
        return f"; suspect for {length(day['doubted_s'])}"
    if day["longest_apart_s"] > config.disagree_s:
        return f"; disagreed for {length(day['longest_apart_s'])}"
    if share < config.share:
        return f"; at least {config.share:.0%} is wanted"
    return None


def _agreement(day: Mapping[str, Any]) -> str:
    if len(day["receivers"]) == 1:
        return "1 receiver"
    return f"2 receivers agree within {day['farthest_m'] or 0.0:.0f} m"


def _apart_m(a: Reading, b: Reading) -> float:
    if not isinstance(a.value, Fix) or not isinstance(b.value, Fix):
        raise TypeError(f"{a.point}, {b.point}: not two fixes")
    return distance_m(a.value.position, b.value.position)


def points(config: GnssConfig) -> tuple[str, ...]:
    """Return the points of fix and motion of each receiver."""
    return tuple(f"{id_}.{what}" for id_ in config.receivers for what in ("fix", "motion"))


async def run(config: GnssConfig, ctx: CheckContext) -> Gathered:
    """Listen to the receivers until the day ends."""
    day = Day(config, ctx.clock.now_s())
    first_word_s = day.began_s + config.watch_s
    with ctx.listen(points(config)) as inbox:
        while (left_s := ctx.day_ends_s() - (now_s := ctx.clock.now_s())) > 0:
            wait_s = min(LOOK_S, left_s, max(first_word_s - now_s, 0.0) or LOOK_S)
            reading = await inbox.next(until_s=now_s + wait_s)
            if reading is not None:
                day.hear(reading, counts=ctx.accepts(reading))
            now_s = ctx.clock.now_s()
            day.look(*_watched(ctx), now_s)
            if now_s >= first_word_s:
                ctx.report(day.gathered(now_s))
    return day.gathered(now_s, over=True, since=ctx.watched_since)


def _watched(ctx: CheckContext) -> tuple[str | None, tuple[str, ...]]:
    """Return what the ship's watch over the receivers says; nothing where there is none."""
    doubt, odd = ctx.services.position_doubt, ctx.services.position_odd
    return (None if doubt is None else doubt()), (() if odd is None else odd())


CHECK = CheckSpec(
    kind="gnss", config=GnssConfig, run=run, judge=judge, points=points, continuous=True
)
