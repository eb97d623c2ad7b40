"""Fourteen months of a ship's life as a list of entries with their times: a pure plan, the same for the same moment.

Every entry says that it is simulated; those that no daemon would write say besides that they were generated. Nothing
lies after the moment that the plan is made for, and every test has been done in the period that runs then, unless it is
left due on purpose.
"""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from daemon.demo import papers, routine
from daemon.demo.papers import MORNING, Done
from daemon.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from daemon.config import Config
    from daemon.demo.papers import Event
    from daemon.demo.routine import Defect, Incident, Routine

DAYS = 425
"""Fourteen months."""
SEED = 9999993


def plan(config: Config, *, until_utc: datetime, left_due: Collection[str] = ()) -> list[Event]:
    """Return everything that happened until a moment, oldest first.

    ``left_due`` are tests that have not been done yet in the period that runs at that moment.
    """
    until = until_utc.astimezone(config.ship_time)
    begins = datetime.combine(until.date() - timedelta(days=DAYS), MORNING, config.ship_time)
    known = {test.config.id: test for test in config.tests}
    chance = random.Random(SEED)  # noqa: S311 (spreads minutes, guards nothing)
    events = [papers.beginning(begins, until), *papers.commissioning(config, begins)]
    events += [papers.certificate(paper, begins) for paper in routine.PAPERS]
    events += [papers.drill(drill, until) for drill in routine.DRILLS]
    events += [papers.call(call, until) for call in routine.CALLS]
    for each in routine.ROUTINES:
        moments = _moments(each, begins, until, chance, stops_before_now=each.id in left_due)
        for done in _outcomes(each, moments, until):
            events += papers.entries(each, done, known.get(each.id), until)
        events += [
            event
            for defect in routine.DEFECTS
            if defect.test == each.id
            for event in papers.defect(defect, _found(moments, defect, until), until)
        ]
    return sorted((e for e in events if e.at < until), key=lambda event: event.at)


def period_begins(every: str, at: datetime) -> datetime:
    """Return when the calendar period began that holds a moment."""
    midnight = datetime.combine(at.date(), time(), at.tzinfo)
    match every:
        case "day":
            return midnight
        case "week":
            return midnight - timedelta(days=midnight.weekday())
        case "month":
            return midnight.replace(day=1)
        case "quarter":
            return midnight.replace(month=midnight.month - (midnight.month - 1) % 3, day=1)
        case _:
            return midnight.replace(month=1, day=1)


def _moments(
    each: Routine,
    begins: datetime,
    until: datetime,
    chance: random.Random,
    *,
    stops_before_now: bool,
) -> list[datetime]:
    """Return when a test was done, oldest first; once at least in the period that runs, if it is to be."""
    days = [begins.date() + timedelta(days=number) for number in range(1, DAYS + 1)]
    late_s = 9 if each.every == "day" else 9 * 60
    moments = [
        datetime.combine(day, time(*each.at), until.tzinfo)
        + timedelta(seconds=chance.randint(1, late_s))
        for day in days
        if each.falls_on(day)
    ]
    moments = [at for at in moments if at < until]
    if each.every is None:
        return moments
    period = period_begins(each.every, until)
    if stops_before_now:
        return [at for at in moments if at < period]
    if not moments or moments[-1] < period:
        hour, minute = each.at
        usual = period + timedelta(hours=hour, minutes=minute)
        moments.append(usual if period < usual < until else period + (until - period) / 2)
    return moments


def _outcomes(each: Routine, moments: Sequence[datetime], until: datetime) -> list[Done]:
    done = {at: Done(at, Outcome.PASSED, each.said) for at in moments}
    for incident in routine.INCIDENTS:
        if incident.test == each.id:
            at = _hit(moments, incident, until)
            done[at] = Done(at, incident.outcome, incident.said)
    for defect in routine.DEFECTS:
        if defect.test == each.id and defect.closed_after_days is not None:
            found = _found(moments, defect, until)
            at = found + timedelta(days=defect.closed_after_days)
            said = f"re-test after {defect.id.upper()}: {each.said}"
            done[at] = Done(at, Outcome.PASSED, said)
    return list(done.values())


def _found(moments: Sequence[datetime], defect: Defect, until: datetime) -> datetime:
    incident = next(each for each in routine.INCIDENTS if each.test == defect.test)
    return _hit(moments, incident, until)


def _hit(moments: Sequence[datetime], incident: Incident, until: datetime) -> datetime:
    since = until - timedelta(days=incident.days_ago)
    return next((at for at in moments if at >= since), moments[-1])
