"""What do the counts of some days say? Figures beside the ship's goal, and the list with which to do better; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.alerts.rates import ANSWERED_S, Day
from daemon.model import Situation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from daemon.alerts.alert import Alert
    from daemon.model import Json

HOUR_S: Final = 3600.0
WATCH_H: Final = 4.0
GOAL_PER_WATCH: Final = {
    Situation.SEA.value: 1.0,
    Situation.MANOEUVRING.value: 1.0,
    Situation.PORT.value: 2.0,
}
"""Sounding alerts in four hours at most, on a quiet day. EEMUA 191's six in an hour is a control room's figure; a
bridge has ten other systems."""
GOAL_ADMINISTRATIVE: Final = 0
TOP: Final = 10
STANDS_LONG_S: Final = 24 * HOUR_S
MEDIAN: Final = 0.5
MOST: Final = 0.95


def report(
    days: Mapping[str, Day],
    *,
    standing: Iterable[tuple[Alert, float]],
    titles: Mapping[str, str],
) -> dict[str, Json]:
    """Return everything that ``ispsd rates`` tells.

    Args:
        days: The counts, by UTC day.
        standing: The alerts that have stood for longer than a day, and how many seconds.
        titles: By key, the title of the alert.
    """
    whole = Day()
    for day in days.values():
        whole.add(day)
    sounded = whole.sounded()
    return {
        "days": sorted(days),
        "hours": _hours(sum(whole.situation_s.values())),
        "sounded": sounded,
        "situations": _situations(whole),
        "administrative": whole.administrative,
        "goal_administrative": GOAL_ADMINISTRATIVE,
        "stations": [
            {
                "station": station,
                "hours": _hours(seconds),
                "sounded": whole.sounded_at.get(station, 0),
                "per_hour": _per(whole.sounded_at.get(station, 0), seconds, HOUR_S),
            }
            for station, seconds in sorted(whole.attended_s.items())
        ],
        "floods": [
            {"began": began, "ended": flood.ended, "alerts": flood.alerts}
            for day in days.values()
            for began, flood in sorted(day.floods.items())
        ],
        "top": _top(days, sounded, titles),
        "chattering": _chattering(days, titles),
        "answered": {
            "count": sum(whole.answered),
            "median_s": _within(whole.answered, MEDIAN),
            "most_s": _within(whole.answered, MOST),
        },
        "promoted": whole.promoted,
        "inhibited": whole.inhibited,
        "standing": [
            {"title": alert.title, "name": alert.source.name, "hours": _hours(age_s)}
            for alert, age_s in standing
        ],
    }


def _situations(whole: Day) -> list[Json]:
    return [
        {
            "situation": situation.value,
            "hours": _hours(seconds),
            "sounded": (sounded := whole.sounded_in.get(situation.value, 0)),
            "per_watch": _per(sounded, seconds, WATCH_H * HOUR_S),
            "goal": GOAL_PER_WATCH.get(situation.value),
            "within": _is_within(sounded, seconds, GOAL_PER_WATCH.get(situation.value)),
        }
        for situation in Situation
        if (seconds := whole.situation_s.get(situation.value, 0.0))
        or situation.value in whole.sounded_in
    ]


def _is_within(sounded: int, seconds: float, goal: float | None) -> bool | None:
    """Return whether the goal is kept; None where there is none, or not one whole watch to judge by."""
    if goal is None or seconds < WATCH_H * HOUR_S:
        return None
    return sounded * WATCH_H * HOUR_S <= goal * seconds


def _sources(days: Mapping[str, Day]) -> Day:
    """Return the sources of all days together, however many they are."""
    together = Day()
    for day in days.values():
        for source, said in day.sources.items():
            held = together.sources.setdefault(source, type(said)(said.name))
            held.alarms += said.alarms
            held.warnings += said.warnings
            held.chattered += said.chattered
    return together


def _top(days: Mapping[str, Day], sounded: int, titles: Mapping[str, str]) -> list[Json]:
    sources = _sources(days).sources
    loudest = sorted(sources, key=lambda s: (-(sources[s].alarms + sources[s].warnings), s))
    return [
        {
            **_named(source, sources[source].name, titles),
            "alarms": sources[source].alarms,
            "warnings": sources[source].warnings,
            "share": round((sources[source].alarms + sources[source].warnings) / sounded, 3),
        }
        for source in loudest[:TOP]
        if sources[source].alarms + sources[source].warnings
    ]


def _chattering(days: Mapping[str, Day], titles: Mapping[str, str]) -> list[Json]:
    sources = _sources(days).sources
    often = sorted(
        (s for s in sources if sources[s].chattered), key=lambda s: -sources[s].chattered
    )
    return [
        {**_named(source, sources[source].name, titles), "times": sources[source].chattered}
        for source in often[:TOP]
    ]


def _named(source: str, name: str, titles: Mapping[str, str]) -> dict[str, Json]:
    key, _, id_ = source.partition(" ")
    return {"key": key, "title": titles.get(key, key), "source": id_, "name": name}


def _within(answered: Sequence[int], share: float) -> int | None:
    """Return within how many seconds that share was acknowledged; None where none was, or later than an hour."""
    wanted, reached = share * sum(answered), 0
    for limit_s, count in zip(ANSWERED_S, answered, strict=False):
        reached += count
        if reached and reached >= wanted:
            return limit_s
    return None


def _per(count: int, seconds: float, unit_s: float) -> float | None:
    return None if seconds <= 0 else round(count * unit_s / seconds, 2)


def _hours(seconds: float) -> float:
    return round(seconds / HOUR_S, 1)
