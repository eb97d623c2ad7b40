"""Does an alert reach a station that would sound it?

A synthetic alert goes to the broker under ``selftest/`` and must come back in time, while one attended station is live
(ISPS B/9.43), and each page and sounder there that knows how must answer it: whatever it says of itself, one that hears
its heartbeats and not its alerts is found so. Continuous: one result a ship's day. It does not prove the loudspeaker:
that is ``station_sound``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from daemon.checks.api import CheckConfig, CheckSpec, Gathered, Unanswered
from daemon.model import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.checks.api import CheckContext
    from daemon.model import Json

IN_A_ROW: Final = 2
"""Synthetic alerts that are lost, or not answered, one after the other make a defect; one is tried again."""
AGAIN_S: Final = 10.0


class AlertPathConfig(CheckConfig):
    """The path from ispsd to its stations."""

    kind: Literal["alert_path"]
    each_s: Annotated[float, Field(ge=10, le=3600)] = 300.0
    """How often a synthetic alert is sent, in seconds."""
    within_s: Annotated[float, Field(gt=0, le=30)] = 2.0
    """How soon it must be back, in seconds."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.95
    """The share of a day's synthetic alerts that must be back in time, and of those that a station must answer."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How one page or sounder has answered the synthetic alerts of a day.

    Attributes:
        newest: After how many seconds it answered the newest, or why not (``Unanswered``); None: it was not asked.
        answered: How many it answered.
        missed: How many it did not, though it spoke after they were sent.
        missed_in_a_row: How many of those have come one after the other until now.
    """

    who: str
    newest: float | str | None
    answered: int
    missed: int
    missed_in_a_row: int

    @property
    def asked(self) -> int:
        """Return how many it has answered or not: one that was gone, or never could, is not asked."""
        return self.answered + self.missed

    @property
    def is_deaf(self) -> bool:
        """Return whether it says that it is live and does not answer any more; one that is gone says nothing."""
        return self.newest == Unanswered.MISSED and self.missed_in_a_row >= IN_A_ROW


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of the synthetic alerts of a day."""

    sent: int
    back: int
    lost_in_a_row: int
    slowest_s: float
    without_station: int
    proves_now: bool
    """The newest came back in time while an attended station was live and armed, and all answered that must."""
    answers: tuple[Answers, ...]
    """Of each page and sounder that was asked, in their order."""

    def deaf(self) -> list[str]:
        """Return who says that it is live and does not answer any more."""
        return [each.who for each in self.answers if each.is_deaf]

    def newest(self, *how: str) -> list[str]:
        """Return who has not answered the newest in one of these ways."""
        return [each.who for each in self.answers if each.newest in how]

    @property
    def is_tried_again(self) -> bool:
        """Return whether one alone was lost, or not answered: that may be chance."""
        return self.lost_in_a_row == 1 or any(
            each.newest == Unanswered.MISSED and each.missed_in_a_row == 1 for each in self.answers
        )


def tried(trips: Sequence[Any], *, within_s: float) -> Tried:
    """Count trips: of each after how many seconds it was back, None: never; whether a station was live; its answers."""
    back = [trip[0] for trip in trips if _is_back(trip[0], within_s)]
    lost = takewhile(lambda trip: not _is_back(trip[0], within_s), reversed(trips))
    answers = _answers([_answers_in(trip) for trip in trips])
    newest = [each.newest for each in answers if each.newest is not None]
    is_heard = Unanswered.MISSED not in newest and any(n != Unanswered.SILENT for n in newest)
    return Tried(
        sent=len(trips),
        back=len(back),
        lost_in_a_row=sum(1 for _ in lost),
        slowest_s=max(back, default=0.0),
        without_station=sum(1 for trip in trips if not trip[1]),
        proves_now=bool(trips)
        and _is_back(trips[-1][0], within_s)
        and bool(trips[-1][1])
        and (is_heard or not newest),
        answers=answers,
    )


def _answers_in(trip: Sequence[Any]) -> Mapping[str, float | str]:
    """Return the answers of a trip; none where it was tried before stations could."""
    return trip[2] if len(trip) > 2 else {}  # noqa: PLR2004 (when, live, answers)


def _answers(each: Sequence[Mapping[str, float | str]]) -> tuple[Answers, ...]:
    return tuple(
        _answers_of(who, [a[who] for a in each if who in a], newest=each[-1].get(who))
        for who in sorted({who for answers in each for who in answers})
    )


def _answers_of(who: str, said: Sequence[float | str], *, newest: float | str | None) -> Answers:
    counted = [a == Unanswered.MISSED for a in said if a == Unanswered.MISSED or _is_number(a)]
    in_a_row = sum(1 for _ in takewhile(bool, reversed(counted)))
    return Answers(who, newest, counted.count(False), counted.count(True), in_a_row)


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
    return _judge_now(day, within_s=config.within_s)


def _judge_now(day: Tried, *, within_s: float) -> Verdict:
    if day.lost_in_a_row >= IN_A_ROW:
        lost = f"{day.lost_in_a_row} synthetic alerts not back in {within_s:g} s"
        return Verdict(Outcome.FAILED, lost)
    if deaf := day.deaf():
        return Verdict(Outcome.FAILED, _deaf(deaf))
    if not day.back:
        return Verdict(Outcome.INCONCLUSIVE, "no synthetic alert is back yet")
    if not day.proves_now:
        unheard = ", ".join(day.newest(Unanswered.MISSED, Unanswered.SILENT))
        why = f"not answered by {unheard}" if unheard else "no attended station is live and armed"
        return Verdict(Outcome.INCONCLUSIVE, why)
    answered = [each.who for each in day.answers if _is_number(each.newest)]
    by = f", answered by {', '.join(answered)}" if answered else ""
    return Verdict(Outcome.PASSED, f"back in {day.slowest_s:.1f} s{by}{_never(day)}")


def _judge_day(day: Tried, *, config: AlertPathConfig, since: str | None) -> Verdict:
    span = "24 h" if since is None else f"since {since}"
    if not day.sent:
        return Verdict(Outcome.INCONCLUSIVE, f"{span}, nothing was sent")
    counts = [
        f"{each.who} answered {each.answered} of {each.asked}" for each in day.answers if each.asked
    ]
    line = f"{span}, {day.back} of {day.sent} back, slowest {day.slowest_s:.1f} s"
    line = "; ".join([line, *counts])
    few = [each for each in day.answers if each.answered < config.share * each.asked]
    if deaf := day.deaf():
        return Verdict(Outcome.FAILED, f"{_deaf(deaf)}; {line}")
    is_lost = day.lost_in_a_row >= IN_A_ROW or day.back < config.share * day.sent
    if is_lost or any(each.missed >= IN_A_ROW for each in few):
        return Verdict(Outcome.FAILED, line)
    if few:
        return Verdict(Outcome.INCONCLUSIVE, line)
    if day.without_station > (1 - config.share) * day.sent:
        without = f"{line}; {day.without_station} without a live station"
        return Verdict(Outcome.INCONCLUSIVE, without)
    return Verdict(Outcome.PASSED, f"{line}{_never(day)}")


def _deaf(who: Sequence[str]) -> str:
    return (
        f"{', '.join(who)}: live and armed, but {IN_A_ROW} synthetic alerts in a row not answered"
    )


def _never(day: Tried) -> str:
    """Say whose answer nobody can ask for, though it may be that no alert would reach it."""
    return "".join(
        f"; {who}: alive and armed; does not answer the self-test"
        for who in day.newest(Unanswered.NEVER)
    )


def _is_number(answer: object) -> bool:
    return isinstance(answer, int | float)


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
        began_s = ctx.clock.now_s()
        trip = await send()
        trips.append([trip.back_s, live(), *([dict(trip.answers)] if trip.answers else [])])
        day = tried(trips, within_s=config.within_s)
        # One alone that was lost is no news: it may have gone before the broker was reached. Nor is it that nobody is
        # there to hear: that is an alert of its own, and counts for the day.
        if day.proves_now or day.lost_in_a_row >= IN_A_ROW or day.deaf():
            ctx.report(Gathered(facts={"trips": list(trips), "over": False}))
        now_s = ctx.clock.now_s()
        # How long stations took to answer makes no look rarer than the ship's file says.
        wait_s = AGAIN_S if day.is_tried_again else began_s + config.each_s - now_s
        await ctx.clock.sleep(max(0.0, min(wait_s, ctx.day_ends_s() - now_s)))
    return Gathered(facts={"trips": trips, "over": True, "since": ctx.watched_since})


CHECK = CheckSpec(
    kind="alert_path",
    config=AlertPathConfig,
    run=run,
    judge=judge,
    points=points,
    continuous=True,
)
