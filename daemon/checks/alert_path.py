"""Does an alert reach a station that would sound it?

A synthetic alert goes to the broker under ``selftest/`` and must come back in time, while one attended station is live
(ISPS B/9.43). Continuous: one result a ship's day. It proves the way to the broker and the station's proof of life,
which says that the newest heartbeat has come there by the broker; not the loudspeaker: that is ``station_sound``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from daemon.checks.api import CheckConfig, CheckSpec, Gathered
from daemon.model import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.checks.api import CheckContext
    from daemon.model import Json

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


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of the synthetic alerts of a day."""

    sent: int
    back: int
    lost_in_a_row: int
    slowest_s: float
    without_station: int
    proves_now: bool
    """The newest came back in time while an attended station was live and armed."""


def tried(trips: Sequence[Any], *, within_s: float) -> Tried:
    """Count trips: of each after how many seconds it was back, None: never, and whether a station was live."""
    back = [trip_s for trip_s, _ in trips if _is_back(trip_s, within_s)]
    lost = takewhile(lambda trip: not _is_back(trip[0], within_s), reversed(trips))
    return Tried(
        sent=len(trips),
        back=len(back),
        lost_in_a_row=sum(1 for _ in lost),
        slowest_s=max(back, default=0.0),
        without_station=sum(1 for _, is_live in trips if not is_live),
        proves_now=bool(trips) and _is_back(trips[-1][0], within_s) and bool(trips[-1][1]),
    )


def judge(config: AlertPathConfig, gathered: Gathered) -> Verdict:
    """Judge how the path stands now, or the whole day when it is over.

    An alert that comes back while nobody is there to hear it proves nothing.
    """
    facts = gathered.facts
    if facts["trips"] is None:
        return Verdict(Outcome.INCONCLUSIVE, "this daemon sends no synthetic alerts")
    day = tried(facts["trips"], within_s=config.within_s)
    if facts["over"]:
        return _judge_day(day, config=config, since=facts["since"])
    if day.lost_in_a_row >= IN_A_ROW:
        lost = f"{day.lost_in_a_row} synthetic alerts not back in {config.within_s:g} s"
        return Verdict(Outcome.FAILED, lost)
    if not day.back:
        return Verdict(Outcome.INCONCLUSIVE, "no synthetic alert is back yet")
    if not day.proves_now:
        return Verdict(Outcome.INCONCLUSIVE, "no attended station is live and armed")
    return Verdict(Outcome.PASSED, f"back in {day.slowest_s:.1f} s")


def _judge_day(day: Tried, *, config: AlertPathConfig, since: str | None) -> Verdict:
    span = "24 h" if since is None else f"since {since}"
    line = f"{span}, {day.back} of {day.sent} back, slowest {day.slowest_s:.1f} s"
    if not day.sent:
        return Verdict(Outcome.INCONCLUSIVE, f"{span}, nothing was sent")
    if day.lost_in_a_row >= IN_A_ROW or day.back < config.share * day.sent:
        return Verdict(Outcome.FAILED, line)
    if day.without_station > (1 - config.share) * day.sent:
        without = f"{line}; {day.without_station} without a live station"
        return Verdict(Outcome.INCONCLUSIVE, without)
    return Verdict(Outcome.PASSED, line)


def _is_back(trip_s: float | None, within_s: float) -> bool:
    return trip_s is not None and trip_s <= within_s


def points(_: AlertPathConfig) -> tuple[str, ...]:
    """Return none: it listens to no sensor."""
    return ()


async def run(config: AlertPathConfig, ctx: CheckContext) -> Gathered:
    """Send synthetic alerts until the day ends."""
    send, live = ctx.services.alert_path, ctx.services.station_is_live
    if send is None or live is None:
        return Gathered(facts={"trips": None})
    trips: list[Json] = []
    while ctx.day_ends_s() > ctx.clock.now_s():
        trips.append([await send(), live()])
        day = tried(trips, within_s=config.within_s)
        # One alone that was lost is no news: it may have gone before the broker was reached. Nor is it that nobody is
        # there to hear: that is an alert of its own, and counts for the day.
        if day.proves_now or day.lost_in_a_row >= IN_A_ROW:
            ctx.report(Gathered(facts={"trips": list(trips), "over": False}))
        wait_s = AGAIN_S if day.lost_in_a_row == 1 else config.each_s
        await ctx.clock.sleep(max(0.0, min(wait_s, ctx.day_ends_s() - ctx.clock.now_s())))
    return Gathered(facts={"trips": trips, "over": True, "since": ctx.watched_since})


CHECK = CheckSpec(
    kind="alert_path",
    config=AlertPathConfig,
    run=run,
    judge=judge,
    points=points,
    continuous=True,
)
