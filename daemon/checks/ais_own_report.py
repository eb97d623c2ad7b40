"""Does the ship's AIS report in order, and is it ours?

In order is what VDO proves: own reports at the due rate, on a channel, with the identity of the ship's register
(A.1106(29) 23; rates: ITU-R M.1371-5 table 1), while the unit itself says nothing of a fault that stops it. VDO without
a channel is position data and proves no transmission; no text of ours says *transmitting*, since VDO goes on with a
cut antenna. Continuous: one result a ship's day.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from daemon.checks.api import CheckConfig, CheckContext, CheckSpec
from daemon.checks.coverage import Coverage, length
from daemon.model import AisIdentity, AisReport, EquipmentReport, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection

    from daemon.model import Reading, Ship

MOORED_KN: Final = 3.0
MOORED_INTERVAL_S: Final = 180.0
AT_ANCHOR, MOORED = 1, 5
"""Navigation status of ITU-R M.1371-5 table 46."""
REPORTS_MISSED: Final = 3
"""Reports in a row that may be missing: slots are skipped and lines lost."""
SHORTEST_GAP_S: Final = 60.0
"""The same as the alert *own AIS silent* waits at least."""
STOPPING: Final = {1: "Tx malfunction", 2: "antenna VSWR", 6: "general failure"}
"""Alerts of the unit that stop it, or its antenna (IEC 61993-2 table 4), by their ALR number."""
KEPT_READINGS: Final = 100
"""The first and the newest readings of a day that stand as evidence, each."""
LOOK_S: Final = 30.0
"""The calendar is asked again so often, in seconds: somebody may step the clock."""


class AisOwnReportConfig(CheckConfig):
    """One AIS transponder."""

    kind: Literal["ais_own_report"]
    device: str
    """The device that carries its VDO sentences."""
    watch_s: Annotated[float, Field(ge=1, le=3600)] = 540.0
    """How long is watched before the first word, and how long silence may last before it is a defect, in seconds;
    three reports of a moored class A take 9 minutes."""
    report_every_s: Annotated[float, Field(gt=0, le=600)] | None = None
    """How often this unit reports, in seconds, whatever she does; None: as speed and status demand."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.95
    """The share of the day that must be without gap."""


def due_interval_s(report: AisReport) -> float:
    """Return how often a class A must report, in seconds (ITU-R M.1371-5 table 1, without course changes)."""
    speed_kn = report.sog_kn or 0.0
    if report.navigation_status in {AT_ANCHOR, MOORED} and speed_kn <= MOORED_KN:
        return MOORED_INTERVAL_S
    if speed_kn <= 14:  # noqa: PLR2004 (the table's own limits)
        return 10.0
    return 6.0 if speed_kn <= 23 else 2.0  # noqa: PLR2004


@dataclass(slots=True)
class Day:
    """What was heard of own ship since ``began_s``."""

    config: AisOwnReportConfig
    ship: Ship
    began_s: float
    coverage: Coverage = field(init=False)
    due_s: float = field(init=False)
    """How often she must report now."""
    reports: int = 0
    on_channel: int = 0
    mmsi: int | None = None
    """What the newest own report says."""
    identity: AisIdentity | None = None
    first: list[Reading] = field(default_factory=list)
    newest: deque[Reading] = field(default_factory=lambda: deque(maxlen=KEPT_READINGS))

    def __post_init__(self) -> None:
        self.coverage = Coverage(self.began_s)
        self.due_s = self.config.report_every_s or MOORED_INTERVAL_S

    @property
    def allowed_s(self) -> float:
        """The longest silence that is no gap, in seconds."""
        if self.config.report_every_s is not None:
            return REPORTS_MISSED * self.config.report_every_s
        return max(SHORTEST_GAP_S, REPORTS_MISSED * self.due_s)

    def hear(self, reading: Reading, *, counts: bool) -> None:
        """Take a reading; one that does not count as evidence shows that nothing can be known now."""
        said = reading.value
        if counts and isinstance(said, AisReport):
            self._keep(reading)
            self._report(said, reading.received_s)
        elif counts and isinstance(said, AisIdentity):
            self._keep(reading)
            self.identity = said
        elif reading.point.endswith(".own_report"):
            self.coverage.blind(reading.received_s, allowed_s=self.allowed_s)

    def register_fault(self) -> str | None:
        """Return what she says now that is not as the register has it."""
        said = self.identity
        for mmsi in (self.mmsi, said.mmsi if said is not None else None):
            if mmsi not in {None, self.ship.mmsi}:
                return f"MMSI {mmsi} sent, register has {self.ship.mmsi}"
        return None if said is None else identity_fault(said, self.ship)

    def readings(self) -> tuple[Reading, ...]:
        """Return what stands as evidence."""
        return (*self.first, *self.newest)

    def _report(self, said: AisReport, at_s: float) -> None:
        self.mmsi = said.mmsi
        self.reports += 1
        if said.channel is None:
            return
        self.on_channel += 1
        before_s = self.allowed_s
        self.due_s = self.config.report_every_s or due_interval_s(said)
        # A ship that gets under way, or moors, owes meanwhile no more than she did at her slowest.
        self.coverage.seen(at_s, allowed_s=max(before_s, self.allowed_s))

    def _keep(self, reading: Reading) -> None:
        if len(self.first) < KEPT_READINGS:
            self.first.append(reading)
        else:
            self.newest.append(reading)


def judge(day: Day, *, now_s: float, standing: Collection[int] = ()) -> tuple[Outcome, str]:
    """Judge how it stands now; with nothing to judge, say so. ``standing``: the unit's own alerts, by number."""
    if (fault := _fault(day, now_s, standing)) is not None:
        return Outcome.FAILED, fault
    if (doubt := _doubt(day, now_s)) is not None:
        return Outcome.INCONCLUSIVE, doubt
    return Outcome.PASSED, f"{day.reports} own reports, identity as register"


def _fault(day: Day, now_s: float, standing: Collection[int]) -> str | None:
    if (wrong := day.register_fault()) is not None:
        return wrong
    if stops := sorted(set(standing) & set(STOPPING)):
        return f"the unit itself says {stops[0]:03d} {STOPPING[stops[0]]}"
    silent_s = day.coverage.silent_s(now_s)
    if day.on_channel and silent_s > max(day.config.watch_s, day.allowed_s):
        return f"no own report for {length(silent_s)}, one is due each {day.due_s:g} s"
    return None


def _doubt(day: Day, now_s: float) -> str | None:
    blind_s = day.coverage.blind_s(now_s)
    if blind_s > day.config.watch_s:
        return f"the feed is lost for {length(blind_s)}"
    if not day.reports:
        return "no own report that counts was heard"
    if not day.on_channel:
        return "own reports carry no channel: rate cannot be proved"
    return "own static data (message 5) was not heard" if day.identity is None else None


def judge_day(
    day: Day, *, now_s: float, standing: Collection[int], since: str | None
) -> tuple[Outcome, str]:
    """Judge the whole day, when it is over."""
    outcome, reason = judge(day, now_s=now_s, standing=standing)
    day.coverage.end(now_s, allowed_s=day.allowed_s)
    line = day.coverage.words(since=since)
    share = day.coverage.share
    if outcome is not Outcome.PASSED or share is None:
        return outcome, f"{reason}; {line}"
    if share < day.config.share:
        return Outcome.FAILED, f"{line}; at least {day.config.share:.0%} is wanted"
    return outcome, line


def identity_fault(said: AisIdentity, ship: Ship) -> str | None:
    """Return in what the static data are not as the register has them."""
    if said.imo_number != ship.imo_number:
        return f"IMO number {said.imo_number} sent, register has {ship.imo_number}"
    if said.call_sign != ship.call_sign:
        return f"call sign {said.call_sign} sent, register has {ship.call_sign}"
    if said.name != ship.name:
        return f"name {said.name} sent, register has {ship.name}"
    return None


def points(config: AisOwnReportConfig) -> tuple[str, ...]:
    """Return the points of own report, own static data and the unit's own alerts."""
    return tuple(f"{config.device}.{what}" for what in ("own_report", "own_identity", "alerts"))


async def run(config: AisOwnReportConfig, ctx: CheckContext) -> Verdict:
    """Listen to the transponder until the day ends."""
    day = Day(config, ctx.ship, ctx.clock.now_s())
    first_word_s = day.began_s + config.watch_s
    with ctx.listen(points(config)) as inbox:
        while (left_s := ctx.day_ends_s() - (now_s := ctx.clock.now_s())) > 0:
            wait_s = min(LOOK_S, left_s, max(first_word_s - now_s, 0.0) or LOOK_S)
            reading = await inbox.next(until_s=now_s + wait_s)
            if reading is not None:
                day.hear(reading, counts=ctx.accepts(reading))
            now_s = ctx.clock.now_s()
            if now_s >= first_word_s:
                said = judge(day, now_s=now_s, standing=_standing(config, ctx))
                ctx.report(Verdict(*said, day.readings()))
    said = judge_day(day, now_s=now_s, standing=_standing(config, ctx), since=ctx.watched_since)
    return Verdict(*said, day.readings())


def _standing(config: AisOwnReportConfig, ctx: CheckContext) -> set[int]:
    """Return the numbers of the unit's own alerts that stand now."""
    reading = ctx.newest(f"{config.device}.alerts")
    if reading is None or not isinstance(reading.value, EquipmentReport):
        return set()
    return {alert.number for alert in reading.value.alerts if alert.active}


CHECK = CheckSpec(
    kind="ais_own_report", config=AisOwnReportConfig, run=run, points=points, continuous=True
)
