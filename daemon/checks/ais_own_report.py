"""Does the ship's AIS report in order, and is it ours?

In order is what VDO proves: own reports at the due rate, on a channel, with the identity of the ship's register
(A.1106(29) 23; rates: ``ais_rates``), while the unit itself says nothing of a fault that stops it, and its own
log of when it was off says nothing that was not ordered. VDO without a channel is position data and proves no
transmission; no text of ours says *transmitting*, since VDO goes on with a cut antenna. Continuous: one result
a ship's day.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from daemon.ais_rates import AT_REST_INTERVAL_S
from daemon.ais_rates import interval_s as due_interval_s
from daemon.checks.ais_off_periods import unordered
from daemon.checks.ais_rate import Rate
from daemon.checks.api import CheckConfig, CheckContext, CheckSpec
from daemon.checks.coverage import Coverage, length
from daemon.model import AisIdentity, AisOffLog, AisReport, EquipmentReport, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from daemon.model import Reading, Ship

REPORTS_MISSED: Final = 3
"""Reports in a row that may be missing: slots are skipped and lines lost."""
SHORTEST_GAP_S: Final = 60.0
"""The same as the alert *own AIS silent* waits at least."""
STOPPING: Final = {1: "Tx malfunction", 2: "antenna VSWR", 6: "general failure"}
"""Alerts of the unit that stop it, or its antenna (IEC 61993-2 table 4), by their ALR number."""
SIZE_M: Final = 2.0
"""AIS has whole metres from the antenna to each side, so that two roundings add up."""
SHIP_TYPES: Final = range(20, 100)
"""ITU-R M.1371-5 table 53; 1 to 19 are reserved, 100 and above no ships'."""
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
    rate: Rate = field(init=False)
    off_log: AisOffLog | None = None
    """When the unit did not transmit, as it says itself; None where nobody asked it."""
    first: list[Reading] = field(default_factory=list)
    newest: deque[Reading] = field(default_factory=lambda: deque(maxlen=KEPT_READINGS))

    def __post_init__(self) -> None:
        self.coverage = Coverage(self.began_s)
        self.due_s = self.config.report_every_s or AT_REST_INTERVAL_S
        self.rate = Rate(self.config.report_every_s)

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
        elif counts and isinstance(said, AisOffLog):
            self._keep(reading)
            self.off_log = said
        elif reading.point.endswith(".own_report"):
            self.coverage.blind(reading.received_s, allowed_s=self.allowed_s)
            self.rate.blind()

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
        allowed_s = max(before_s, self.allowed_s)
        self.coverage.seen(at_s, allowed_s=allowed_s)
        self.rate.seen(said, at_s, allowed_s=allowed_s)

    def _keep(self, reading: Reading) -> None:
        if len(self.first) < KEPT_READINGS:
            self.first.append(reading)
        else:
            self.newest.append(reading)


def judge(
    day: Day, *, now_s: float, standing: Collection[int] = (), off: str | None = None
) -> tuple[Outcome, str]:
    """Judge how it stands now; with nothing to judge, say so.

    Args:
        day: What was heard.
        now_s: Seconds since boot.
        standing: The unit's own alerts, by number.
        off: What of its own log no order explains, in words.
    """
    if (fault := _fault(day, now_s, standing) or off) is not None:
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
    return day.rate.fault()


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
    day: Day,
    *,
    now_s: float,
    standing: Collection[int],
    since: str | None,
    off: str | None = None,
) -> tuple[Outcome, str]:
    """Judge the whole day, when it is over."""
    outcome, reason = judge(day, now_s=now_s, standing=standing, off=off)
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
    return _size_fault(said, ship)


def _size_fault(said: AisIdentity, ship: Ship) -> str | None:
    """Return in what size and type cannot be hers; of a size that the register's file leaves out nothing is said."""
    sizes = (("length", said.length_m, ship.length_m), ("beam", said.beam_m, ship.beam_m))
    for what, sent_m, register_m in sizes:
        if register_m is not None and (sent_m is None or abs(sent_m - register_m) > SIZE_M):
            sent = "not set" if sent_m is None else f"{sent_m} m sent"
            return f"{what} {sent}, register has {register_m:g} m"
    if said.length_m and said.beam_m and said.beam_m >= said.length_m:
        return f"beam {said.beam_m} m sent with length {said.length_m} m"
    if said.ship_type is not None and said.ship_type not in SHIP_TYPES:
        return f"type of ship {said.ship_type} sent, which is none"
    return None


POINTS: Final = ("own_report", "own_identity", "off_log", "alerts")


def points(config: AisOwnReportConfig) -> tuple[str, ...]:
    """Return the points of own report, own static data, the unit's own log and its own alerts."""
    return tuple(f"{config.device}.{what}" for what in POINTS)


async def run(config: AisOwnReportConfig, ctx: CheckContext) -> Verdict:
    """Listen to the transponder until the day ends."""
    day = Day(config, ctx.ship, ctx.clock.now_s())
    began_utc, first_word_s = ctx.clock.utc(), day.began_s + config.watch_s
    with ctx.listen(points(config)) as inbox:
        while (left_s := ctx.day_ends_s() - (now_s := ctx.clock.now_s())) > 0:
            wait_s = min(LOOK_S, left_s, max(first_word_s - now_s, 0.0) or LOOK_S)
            reading = await inbox.next(until_s=now_s + wait_s)
            if reading is not None:
                day.hear(reading, counts=ctx.accepts(reading))
            now_s = ctx.clock.now_s()
            if now_s >= first_word_s:
                off = _off(day, ctx, began_utc)
                said = judge(day, now_s=now_s, standing=_standing(config, ctx), off=off)
                ctx.report(Verdict(*said, day.readings()))
    said = judge_day(
        day,
        now_s=now_s,
        standing=_standing(config, ctx),
        since=ctx.watched_since,
        off=_off(day, ctx, began_utc),
    )
    return Verdict(*said, day.readings())


def _off(day: Day, ctx: CheckContext, began_utc: datetime) -> str | None:
    """Return what of the unit's own log no order explains."""
    if day.off_log is None or ctx.services.ais_off_orders is None:
        return None
    return unordered(day.off_log, ctx.services.ais_off_orders(), watch_began_utc=began_utc)


def _standing(config: AisOwnReportConfig, ctx: CheckContext) -> set[int]:
    """Return the numbers of the unit's own alerts that stand now."""
    reading = ctx.newest(f"{config.device}.alerts")
    if reading is None or not isinstance(reading.value, EquipmentReport):
        return set()
    return {alert.number for alert in reading.value.alerts if alert.active}


CHECK = CheckSpec(
    kind="ais_own_report", config=AisOwnReportConfig, run=run, points=points, continuous=True
)
