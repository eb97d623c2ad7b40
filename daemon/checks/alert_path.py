"""Does an alert reach a station that would sound it?

A synthetic alert goes to the broker under ``selftest/`` and must come back in time, while one attended station is live
(ISPS B/9.43). Continuous: one result a ship's day. It proves the way to the broker and the station's proof of life, not
the loudspeaker: that is ``station_sound``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from daemon.checks.api import CheckConfig, CheckSpec
from daemon.model import Outcome, Verdict

if TYPE_CHECKING:
    from daemon.checks.api import CheckContext

IN_A_ROW: Final = 2
"""Synthetic alerts that are lost one after the other make a defect; one is tried again."""
AGAIN_S: Final = 10.0


class AlertPathConfig(CheckConfig):
    """The path from ispsd to its stations."""

    kind: Literal["alert_path"]
    each_s: Annotated[float, Field(ge=10, le=3600)] = 300.0
    """How often a synthetic alert is sent, in seconds."""
    within_s: Annotated[float, Field(gt=0, le=30)] = 2.0
    """How soon it must be back, in seconds."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.95
    """The share of a day's synthetic alerts that must be back in time."""


@dataclass(slots=True)
class Day:
    """What was tried."""

    sent: int = 0
    back: int = 0
    lost_in_a_row: int = 0
    slowest_s: float = 0.0
    without_station: int = 0

    def take(self, trip_s: float | None, *, within_s: float, station_is_live: bool) -> None:
        """Take one synthetic alert: after how long it was back, None where it never was."""
        self.sent += 1
        self.without_station += not station_is_live
        if trip_s is None or trip_s > within_s:
            self.lost_in_a_row += 1
            return
        self.back += 1
        self.lost_in_a_row = 0
        self.slowest_s = max(self.slowest_s, trip_s)


def judge(day: Day, *, within_s: float) -> tuple[Outcome, str] | None:
    """Judge how the path stands now; None while one alone was lost, which may have gone before the broker was reached.

    That nobody is there to hear is an alert of its own, and counts for the day.
    """
    if day.lost_in_a_row >= IN_A_ROW:
        return Outcome.FAILED, f"{day.lost_in_a_row} synthetic alerts not back in {within_s:g} s"
    if not day.back:
        return None
    return Outcome.PASSED, f"back in {day.slowest_s:.1f} s"


def judge_day(day: Day, *, config: AlertPathConfig, since: str | None) -> tuple[Outcome, str]:
    """Judge the whole day, when it is over."""
    span = "24 h" if since is None else f"since {since}"
    line = f"{span}, {day.back} of {day.sent} back, slowest {day.slowest_s:.1f} s"
    if not day.sent:
        return Outcome.INCONCLUSIVE, f"{span}, nothing was sent"
    if day.lost_in_a_row >= IN_A_ROW or day.back < config.share * day.sent:
        return Outcome.FAILED, line
    if day.without_station > (1 - config.share) * day.sent:
        return Outcome.INCONCLUSIVE, f"{line}; {day.without_station} without a live station"
    return Outcome.PASSED, line


def points(_: AlertPathConfig) -> tuple[str, ...]:
    """Return none: it listens to no sensor."""
    return ()


async def run(config: AlertPathConfig, ctx: CheckContext) -> Verdict:
    """Send synthetic alerts until the day ends."""
    send, live = ctx.services.alert_path, ctx.services.station_is_live
    if send is None or live is None:
        return Verdict(Outcome.INCONCLUSIVE, "this daemon sends no synthetic alerts")
    day = Day()
    while ctx.day_ends_s() > ctx.clock.now_s():
        day.take(await send(), within_s=config.within_s, station_is_live=live())
        if (found := judge(day, within_s=config.within_s)) is not None:
            ctx.report(Verdict(*found))
        wait_s = AGAIN_S if day.lost_in_a_row == 1 else config.each_s
        await ctx.clock.sleep(max(0.0, min(wait_s, ctx.day_ends_s() - ctx.clock.now_s())))
    return Verdict(*judge_day(day, config=config, since=ctx.watched_since))


CHECK = CheckSpec(
    kind="alert_path", config=AlertPathConfig, run=run, points=points, continuous=True
)
