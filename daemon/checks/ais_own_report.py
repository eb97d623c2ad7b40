"""Does the ship's AIS report in order, and is it ours?

In order is what VDO proves: own reports at the due rate, on a channel, with the identity of the ship's register
(A.1106(29) 23; rates: ``ais_rates``), while the unit itself says that it has no fault that stops it (``ais_alarms``:
that it says nothing is no evidence), and its own log of when it was off says nothing that was not ordered. VDO without
a channel is position data and proves no transmission; no text of ours says *transmitting*, since VDO goes on with a cut
antenna. Continuous: one result a ship's day.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar

from pydantic import Field

from daemon.checks.ais_alarms import FIRST_WITHIN_S, Alarms, stopped, stopped_too_long, unheard
from daemon.checks.ais_off_periods import unordered
from daemon.checks.ais_rate import Counted, Rate
from daemon.checks.ais_register import identity_fault
from daemon.checks.api import CheckConfig, CheckContext, CheckSpec, Gathered
from daemon.checks.coverage import Coverage, length
from daemon.model import (
    AisIdentity,
    AisOffLog,
    AisReport,
    Outcome,
    Ship,
    Verdict,
)
from daemon.navigation.ais_rates import AT_REST_INTERVAL_S
from daemon.navigation.ais_rates import interval_s as due_interval_s

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json, Reading

REPORTS_MISSED: Final = 3
"""Reports in a row that may be missing: slots are skipped and lines lost."""
SHORTEST_GAP_S: Final = 60.0
"""The same as the alert *own AIS silent* waits at least."""
KEPT_READINGS: Final = 100
"""The first and the newest readings of a day that stand as evidence, each."""
_Said = TypeVar("_Said", AisReport, AisIdentity, AisOffLog)
NO_ALARMS: Final = "this unit tells of no alarms of its own (ALR)"
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
    alarms_heard: bool = True
    """Its own alarms (ALR) come on the same line; false: this unit sends none there, and every result says so."""


@dataclass(slots=True)
class Day:
    """What was heard of own ship since ``began_s``."""

    config: AisOwnReportConfig
    began_s: float
    coverage: Coverage = field(init=False)
    due_s: float = field(init=False)
    """How often she must report now."""
    reports: int = 0
    on_channel: int = 0
    identity: Reading | None = None
    """The newest own static data: it comes each six minutes, and the reports between push it out of ``newest``."""
    rate: Rate = field(init=False)
    alarms: Alarms = field(init=False)
    is_deaf: bool = False
    """What came last on the line did not count."""
    is_off: bool = False
    """An order stands by which it is off."""
    is_awaited: bool = False
    """Reports are owed again after an order, and none has come since."""
    off_log: Reading | None = None
    """When the unit did not transmit, as it says itself; None where nobody asked it."""
    first: list[Reading] = field(default_factory=list)
    newest: deque[Reading] = field(default_factory=lambda: deque(maxlen=KEPT_READINGS))

    def __post_init__(self) -> None:
        self.coverage = Coverage(self.began_s)
        self.due_s = self.config.report_every_s or AT_REST_INTERVAL_S
        self.rate = Rate(self.config.report_every_s)
        self.alarms = Alarms(self.began_s)

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
            self.identity = reading
        elif counts and isinstance(said, AisOffLog):
            self.off_log = reading
        elif reading.point.endswith(".own_report"):
            self.is_deaf = True
            self._is_not_judged(reading.received_s)
        if counts:
            self.is_deaf = False

    def ordered(self, *, off: bool, now_s: float) -> None:
        """Take whether an order stands by which it is off: then no report is owed, and none proves anything."""
        if off:
            self._is_not_judged(now_s)
        elif self.is_off:
            # Its silence counts from here on, whatever came before; where the line is cut, nothing is known.
            self.coverage.seen(now_s, allowed_s=self.allowed_s)
            self.is_awaited = True
            if self.is_deaf:
                self._is_not_judged(now_s)
        self.is_off = off

    def gathered(self, facts: Mapping[str, Json]) -> Gathered:
        """Return what stands as evidence.

        Args:
            facts: What is known beside what was heard.
        """
        rate = self.rate.counted()
        heard: dict[str, Json] = {
            "reports": self.reports,
            "on_channel": self.on_channel,
            "awaited": self.is_awaited,
            "due_s": self.due_s,
            "allowed_s": self.allowed_s,
            "coverage": self.coverage.as_fact(),
            "rate": {"came": rate.came, "due": rate.due, "span_s": rate.span_s},
        }
        rare = (each for each in (self.identity, self.off_log) if each is not None)
        return Gathered((*self.first, *self.newest, *rare), {**heard, **facts})

    def _is_not_judged(self, now_s: float) -> None:
        """Take it that from now on nothing can be known of her reports, or none are owed."""
        self.coverage.blind(now_s, allowed_s=self.allowed_s)
        self.rate.blind()

    def _report(self, said: AisReport, at_s: float) -> None:
        self.reports += 1
        if said.channel is None:
            return
        self.on_channel += 1
        self.is_awaited = False
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


def judge(config: AisOwnReportConfig, gathered: Gathered) -> Verdict:
    """Judge how it stands now, or the whole day when it is over; with nothing to judge, say so."""
    day, coverage = gathered.facts, Coverage.of_fact(gathered.facts["coverage"])
    outcome, reason = _judge_now(config, gathered, coverage)
    if not day["over"]:
        return Verdict(outcome, reason)
    coverage.end(day["now_s"], allowed_s=day["allowed_s"])
    line, share = coverage.words(since=day["since"]), coverage.share
    if outcome is not Outcome.PASSED or share is None:
        return Verdict(outcome, f"{reason}; {line}")
    if share < config.share:
        return Verdict(Outcome.FAILED, f"{line}; at least {config.share:.0%} is wanted")
    if (stop := stopped_too_long(day["alarms"], share=config.share)) is not None:
        return Verdict(Outcome.FAILED, f"{stop}; {line}")
    return Verdict(outcome, line if config.alarms_heard else f"{line}; {NO_ALARMS}")


def _judge_now(
    config: AisOwnReportConfig, gathered: Gathered, coverage: Coverage
) -> tuple[Outcome, str]:
    fault = (
        register_fault(gathered)
        or stopped(gathered.facts["standing"])
        or _silence(config, gathered.facts, coverage)
        or Counted(**gathered.facts["rate"]).fault()
        or _off(gathered)
    )
    if fault is not None:
        return Outcome.FAILED, fault
    if _is_ordered_off(gathered.facts["off_orders"]):
        return Outcome.INCONCLUSIVE, "off by order: no own report is owed"
    if (doubt := _doubt(config, gathered, coverage)) is not None:
        return Outcome.INCONCLUSIVE, doubt
    said = f"{gathered.facts['reports']} own reports, identity as register"
    return Outcome.PASSED, said if config.alarms_heard else f"{said}; {NO_ALARMS}"


def register_fault(gathered: Gathered) -> str | None:
    """Return what she says now that is not as the register has it."""
    ship = Ship(**gathered.facts["register"])
    report, identity = _newest(gathered, AisReport), _newest(gathered, AisIdentity)
    for said in (report, identity):
        if said is not None and said.mmsi != ship.mmsi:
            return f"MMSI {said.mmsi} sent, register has {ship.mmsi}"
    return None if identity is None else identity_fault(identity, ship)


def _silence(config: AisOwnReportConfig, day: Mapping[str, Any], coverage: Coverage) -> str | None:
    silent_s = coverage.silent_s(day["now_s"])
    if day["on_channel"] and silent_s > max(config.watch_s, day["allowed_s"]):
        return f"no own report for {length(silent_s)}, one is due each {day['due_s']:g} s"
    return None


def _off(gathered: Gathered) -> str | None:
    """Return what of the unit's own log no order explains."""
    log, orders = _newest(gathered, AisOffLog), gathered.facts["off_orders"]
    if log is None or orders is None:
        return None
    known_since, times = orders
    ordered = [(_moment(begins), None if ends is None else _moment(ends)) for begins, ends in times]
    return unordered(
        log,
        (None if known_since is None else _moment(known_since), ordered),
        watch_began_utc=_moment(gathered.facts["began"]),
    )


def _doubt(config: AisOwnReportConfig, gathered: Gathered, coverage: Coverage) -> str | None:
    day = gathered.facts
    blind_s = coverage.blind_s(day["now_s"])
    if blind_s > config.watch_s:
        return f"the feed is lost for {length(blind_s)}"
    if (lacks := _lacks(day)) is not None:
        return lacks
    if _newest(gathered, AisIdentity) is None:
        return "own static data (message 5) was not heard"
    if not config.alarms_heard:
        return None
    return unheard(day["alarms"], share=config.share if day["over"] else None)


def _lacks(day: Mapping[str, Any]) -> str | None:
    """Return what her reports lack as proof."""
    if not day["reports"]:
        return "no own report that counts was heard"
    if not day["on_channel"]:
        return "own reports carry no channel: rate cannot be proved"
    if day.get("awaited", False):  # kept facts of earlier versions say nothing of it
        return "no own report has come since the order to have it off ended"
    return None


POINTS: Final = ("own_report", "own_identity", "off_log", "alerts")


def points(config: AisOwnReportConfig) -> tuple[str, ...]:
    """Return the points of own report, own static data, the unit's own log and its own alerts."""
    return tuple(f"{config.device}.{what}" for what in POINTS)


async def run(config: AisOwnReportConfig, ctx: CheckContext) -> Gathered:
    """Listen to the transponder until the day ends."""
    day = Day(config, ctx.clock.now_s())
    began_utc, first_word_s = ctx.clock.utc(), day.began_s + config.watch_s
    with ctx.listen(points(config)) as inbox:
        while (left_s := ctx.day_ends_s() - (now_s := ctx.clock.now_s())) > 0:
            wait_s = min(LOOK_S, left_s, max(first_word_s - now_s, 0.0) or LOOK_S)
            reading = await inbox.next(until_s=now_s + wait_s)
            now_s, is_off = ctx.clock.now_s(), _is_ordered_off(_orders(ctx))
            if not is_off:
                day.ordered(off=False, now_s=now_s)
            if reading is not None:
                day.hear(reading, counts=ctx.accepts(reading))
            if is_off:
                day.ordered(off=True, now_s=now_s)
            day.alarms.look(_alarms(config, ctx), now_s)
            if now_s >= first_word_s:
                found = day.gathered(_facts(day, ctx, began_utc, over=False))
                if _is_news(config, day, found, now_s):
                    ctx.report(found)
    return day.gathered(_facts(day, ctx, began_utc, over=True))


def _is_news(config: AisOwnReportConfig, day: Day, found: Gathered, now_s: float) -> bool:
    """Return whether it may be told how it stands: a unit has a minute to say that it has no alarm."""
    if day.alarms.is_heard or not config.alarms_heard or now_s - day.began_s >= FIRST_WITHIN_S:
        return True
    return judge(config, found).outcome is Outcome.FAILED


def _facts(day: Day, ctx: CheckContext, began_utc: datetime, *, over: bool) -> dict[str, Json]:
    """Return what the day is judged by beside what was heard."""
    return {
        "now_s": ctx.clock.now_s(),
        "over": over,
        "since": ctx.watched_since,
        "began": began_utc.isoformat(),
        "register": asdict(ctx.ship),
        "standing": sorted(day.alarms.standing),
        "alarms": day.alarms.as_fact(ctx.clock.now_s()),
        "off_orders": _orders(ctx),
    }


def _is_ordered_off(orders: Any) -> bool:
    """Return whether an order stands by which AIS is off, as the facts have it."""
    return orders is not None and any(ends is None for _, ends in orders[1])


def _orders(ctx: CheckContext) -> Json:
    """Return when AIS was off by order, as far as that is known."""
    if ctx.services.ais_off_orders is None:
        return None
    known_since_utc, times = ctx.services.ais_off_orders()
    return [
        None if known_since_utc is None else known_since_utc.isoformat(),
        [
            [begins.isoformat(), None if ends is None else ends.isoformat()]
            for begins, ends in times
        ],
    ]


def _moment(said: str) -> datetime:
    return datetime.fromisoformat(said)


def _newest(gathered: Gathered, kind: type[_Said]) -> _Said | None:
    """Return what was said last of a kind."""
    return next((r.value for r in reversed(gathered.readings) if isinstance(r.value, kind)), None)


def _alarms(config: AisOwnReportConfig, ctx: CheckContext) -> Reading | None:
    """Return what the unit says of its alarms now, where that counts as evidence."""
    reading = ctx.newest(f"{config.device}.alerts")
    return reading if reading is not None and ctx.accepts(reading) else None


CHECK = CheckSpec(
    kind="ais_own_report",
    config=AisOwnReportConfig,
    run=run,
    judge=judge,
    points=points,
    continuous=True,
)
