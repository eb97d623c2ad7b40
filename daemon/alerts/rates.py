"""How often is the watch disturbed, by what, and how soon does it answer? Counted after EEMUA 191; pure.

This is the ship's own look at herself (MSC.1/Circ.1193 paragraph 3), no part of the security record: counts by UTC day,
no person's name, nothing of what an alert said. Times between two things are seconds since boot, days are UTC.

Counted is what begins to sound: an alarm or warning that is raised, raised again before it was acknowledged, or louder
than it was. A repeat is no news, and a caution does not sound.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from daemon.alerts.catalogue import LOUDNESS
from daemon.alerts.lifecycle import Event
from daemon.model import AlertState, Priority, Situation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from daemon.alerts.alert import Alert, AlertChange

WINDOW_S: Final = 600.0
FLOOD_ABOVE: Final = 10
"""More than so many in ten minutes are a flood (EEMUA 191)."""
FLOOD_ENDS_BELOW: Final = 5
CHATTER_TIMES: Final = 3
CHATTER_WITHIN_S: Final = 60.0
"""One alert of one source that begins to sound so often in so short a time chatters."""
ANSWERED_S: Final = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800, 3600)
"""An acknowledgement is counted by the first of these that it was not later than."""
MOST_SOURCES: Final = 200
"""A day names so many; what else sounded is counted together."""
MOST_FLOODS: Final = 50
OTHERS: Final = "others"
LONGEST_TICK_S: Final = 300.0
"""Between two ticks; what lies longer apart was not watched, as while the computer was suspended."""
ADMINISTRATIVE: Final = ("record.", "login.", "maint.", "data.", "clock.")
"""Keys that begin so speak of ispsd's own business. The watch is not to be woken for it."""
NO_LONGER_WAITING: Final = frozenset(
    {AlertState.ACTIVE_ACKNOWLEDGED, AlertState.RESPONSIBILITY_TRANSFERRED, AlertState.NORMAL}
)
MOST_DAYS_HELD: Final = 8
"""Days that could not be kept yet; the disk is full or gone."""


@dataclass(slots=True)
class SourceCount:
    """How often one alert of one source began to sound."""

    name: str
    """As watch stations show the source."""
    alarms: int = 0
    warnings: int = 0
    chattered: int = 0


@dataclass(slots=True)
class Flood:
    """Many alerts in a short time."""

    alerts: int
    ended: str | None = None
    """UTC; None while it goes on, or where ispsd stopped in it."""


@dataclass(slots=True)
class Day:
    """The counts of one UTC day, or what has been added to them."""

    attended_s: dict[str, float] = field(default_factory=dict)
    """By station: how long somebody had the watch there, where alerts sound."""
    sounded_at: dict[str, int] = field(default_factory=dict)
    """By station: how many began to sound there meanwhile."""
    situation_s: dict[str, float] = field(default_factory=dict)
    sounded_in: dict[str, int] = field(default_factory=dict)
    administrative: int = 0
    sources: dict[str, SourceCount] = field(default_factory=dict)
    """By key and source, with a blank between."""
    answered: list[int] = field(default_factory=lambda: [0] * (len(ANSWERED_S) + 1))
    promoted: int = 0
    inhibited: int = 0
    floods: dict[str, Flood] = field(default_factory=dict)
    """By their beginning, UTC."""

    def add(self, other: Day) -> None:
        """Add the counts of another."""
        for mine, theirs in (
            (self.attended_s, other.attended_s),
            (self.situation_s, other.situation_s),
        ):
            for name, seconds in theirs.items():
                mine[name] = mine.get(name, 0.0) + seconds
        for counts, more in (
            (self.sounded_at, other.sounded_at),
            (self.sounded_in, other.sounded_in),
        ):
            for name, count in more.items():
                counts[name] = counts.get(name, 0) + count
        for source, said in other.sources.items():
            held = self.source(source, said.name)
            held.alarms += said.alarms
            held.warnings += said.warnings
            held.chattered += said.chattered
        self.administrative += other.administrative
        self.promoted += other.promoted
        self.inhibited += other.inhibited
        self.answered = [a + b for a, b in zip(self.answered, other.answered, strict=True)]
        for began, flood in other.floods.items():
            known = self.floods.get(began)
            if known is None and len(self.floods) < MOST_FLOODS:
                self.floods[began] = Flood(flood.alerts, flood.ended)
            elif known is not None:
                known.alerts = max(known.alerts, flood.alerts)
                known.ended = flood.ended or known.ended

    def source(self, source: str, name: str) -> SourceCount:
        """Return the count of a source, or of the others where the day names too many already."""
        if source not in self.sources and len(self.sources) >= MOST_SOURCES:
            source, name = OTHERS, OTHERS
        return self.sources.setdefault(source, SourceCount(name))

    def sounded(self) -> int:
        """Return how many began to sound."""
        return sum(self.sounded_in.values())


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a count hangs on beside the alert.

    Attributes:
        now_s: Seconds since boot.
        attended: Stations where alerts sound now and somebody has the watch.
    """

    now_s: float
    now_utc: datetime
    situation: Situation
    attended: Collection[str]


@dataclass(slots=True)
class _Open:
    """An alert that stands."""

    alert: Alert
    since_s: float
    waits_since_s: float | None = None
    """Since when it has waited for an acknowledgement; None where it does not, or nobody knows."""


class Counter:
    """Counts what begins to sound. What it has counted is taken away day by day, to be kept."""

    def __init__(self) -> None:
        self._days: dict[str, Day] = {}
        self._open: dict[str, _Open] = {}
        self._lately: deque[float] = deque()
        self._often: dict[str, deque[float]] = {}
        self._ticked_s: float | None = None
        self._flood: tuple[str, str, Flood] | None = None
        """Its UTC day, its beginning, and itself, while it goes on."""

    # What happens

    def take_up(self, alerts: Iterable[Alert], around: Surroundings) -> None:
        """Know of the alerts that stood when the daemon started; across a boot only UTC tells since when."""
        for alert in alerts:
            age_s = max(0.0, (around.now_utc - alert.raised_utc).total_seconds())
            self._open.setdefault(alert.id, _Open(alert, around.now_s - age_s))

    def hear(self, change: AlertChange, around: Surroundings) -> None:
        """Take a change of an alert."""
        alert, event = change.alert, change.event
        known, was = self._known(alert, around)
        day = self._day(around)
        day.promoted += event is Event.PROMOTE
        day.inhibited += event is Event.MUTE
        if event is Event.ACKNOWLEDGE and known.waits_since_s is not None:
            waited_s = around.now_s - known.waits_since_s
            day.answered[sum(waited_s > limit_s for limit_s in ANSWERED_S)] += 1
        if _begins_to_sound(alert, event, was):
            if known.waits_since_s is None:
                known.waits_since_s = around.now_s
            self._count(alert, day, around)
        elif alert.state in NO_LONGER_WAITING:
            known.waits_since_s = None
        if alert.state is AlertState.NORMAL:
            del self._open[alert.id]

    def _known(self, alert: Alert, around: Surroundings) -> tuple[_Open, Priority | None]:
        """Return what is known of an alert, brought up to date, and the priority that it had; None of a new one."""
        known = self._open.get(alert.id)
        if known is None or known.alert.instance != alert.instance:
            known = self._open[alert.id] = _Open(alert, around.now_s)
            return known, None
        was, known.alert = known.alert.priority, alert
        return known, was

    def tick(self, around: Surroundings) -> None:
        """Count the time that has gone by, in the situation and at the stations of now; end a flood that is over."""
        if self._ticked_s is not None:
            gone_s = around.now_s - self._ticked_s
            if 0 < gone_s <= LONGEST_TICK_S:
                day, where = self._day(around), around.situation.value
                day.situation_s[where] = day.situation_s.get(where, 0.0) + gone_s
                for station in around.attended:
                    day.attended_s[station] = day.attended_s.get(station, 0.0) + gone_s
        self._ticked_s = around.now_s
        self._look_at_flood(around)
        rested = [s for s, times in self._often.items() if around.now_s - times[-1] > WINDOW_S]
        for source in rested:
            del self._often[source]

    def stop(self, around: Surroundings) -> None:
        """Count the last of the time; a flood ends here as far as anybody knows."""
        self.tick(around)
        self._end_flood(around)

    # What was counted

    def taken(self) -> dict[str, Day]:
        """Return what was counted since the last time, by UTC day (``2026-11-22``), and begin anew."""
        taken, self._days = self._days, {}
        if self._flood is not None:  # it goes on, in what is counted from now on
            day, began, flood = self._flood
            self._days[day] = Day(floods={began: flood})
            if day in taken:
                taken[day].floods[began] = Flood(flood.alerts)
        return taken

    def give_back(self, days: dict[str, Day]) -> None:
        """Take back what could not be kept; the oldest day gives way where there are too many."""
        for date, day in days.items():
            self._days.setdefault(date, Day()).add(day)
        while len(self._days) > MOST_DAYS_HELD:
            del self._days[min(self._days)]

    def counted(self) -> dict[str, Day]:
        """Return what was counted since it was last taken; it is still to be taken."""
        return self._days

    def has_news(self) -> bool:
        """Return whether something sounded, was answered, or flooded since it was last taken."""
        return any(
            day.sounded() or any(day.answered) or day.promoted or day.inhibited or day.floods
            for day in self._days.values()
        )

    def standing(self, *, longer_than_s: float, now_s: float) -> list[tuple[Alert, float]]:
        """Return the alerts that have stood longer, and for how many seconds; the oldest first."""
        aged = [(each.alert, now_s - each.since_s) for each in self._open.values()]
        return sorted(
            ((alert, age_s) for alert, age_s in aged if age_s > longer_than_s),
            key=lambda each: -each[1],
        )

    # Inside

    def _day(self, around: Surroundings) -> Day:
        return self._days.setdefault(f"{around.now_utc:%Y-%m-%d}", Day())

    def _count(self, alert: Alert, day: Day, around: Surroundings) -> None:
        source = f"{alert.key} {alert.source.id}"
        count = day.source(source, alert.source.name)
        if alert.priority is Priority.ALARM:
            count.alarms += 1
        else:
            count.warnings += 1
        where = around.situation.value
        day.sounded_in[where] = day.sounded_in.get(where, 0) + 1
        day.administrative += alert.key.startswith(ADMINISTRATIVE)
        for station in around.attended:
            day.sounded_at[station] = day.sounded_at.get(station, 0) + 1
        if source in self._often or len(self._often) < MOST_SOURCES:
            times = self._often.setdefault(source, deque(maxlen=CHATTER_TIMES))
            times.append(around.now_s)
            if len(times) == CHATTER_TIMES and times[-1] - times[0] <= CHATTER_WITHIN_S:
                count.chattered += 1
                times.clear()
                times.append(around.now_s)
        self._look_at_flood(around)
        self._lately.append(around.now_s)
        if self._flood is not None:
            self._flood[2].alerts += 1
        elif len(self._lately) > FLOOD_ABOVE:
            self._begin_flood(around)

    def _look_at_flood(self, around: Surroundings) -> None:
        """End a flood that is over."""
        while self._lately and around.now_s - self._lately[0] > WINDOW_S:
            self._lately.popleft()
        if self._flood is not None and len(self._lately) < FLOOD_ENDS_BELOW:
            self._end_flood(around)

    def _begin_flood(self, around: Surroundings) -> None:
        flood = Flood(len(self._lately))
        date, began = f"{around.now_utc:%Y-%m-%d}", _utc(around.now_utc)
        self._day(around).floods[began] = flood
        self._flood = date, began, flood

    def _end_flood(self, around: Surroundings) -> None:
        if self._flood is not None:
            self._flood[2].ended = _utc(around.now_utc)
            self._flood = None


def _begins_to_sound(alert: Alert, event: Event, was: Priority | None) -> bool:
    """Return whether this is heard as something new."""
    if not alert.sounding:
        return False
    if event is Event.REPRIORITISE:
        return was is None or LOUDNESS.index(alert.priority) > LOUDNESS.index(was)
    return event in {Event.CONDITION_TRUE, Event.HAND_BACK, Event.PROMOTE}


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
