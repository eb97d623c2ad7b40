"""Tell the stations what sounds where, and tell it again when that changes.

An alert that nobody acknowledges goes on to the next station (``alerts.annunciation``) though it has not changed
itself; so it does when a station dies. What is shown follows at once, and when it will change by itself is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from daemon.alerts import annunciation
from daemon.model import AlertState
from daemon.stations import gangwayprompt
from daemon.stations.gangwayprompt import GangwayPrompt
from daemon.stations.messages import station_message

if TYPE_CHECKING:
    from daemon.alerts.alert import Alert
    from daemon.alerts.annunciation import Post, Settings
    from daemon.alerts.engine import Engine
    from daemon.computer.clock import Clock
    from daemon.model import Regime
    from daemon.stations.picture import Picture
    from daemon.stations.stations import Stations

NOBODY: Final = "station.none"
"""The alert that no attended station is live."""
TEST_SOUND_S: Final = 120.0
"""So long after a test sound was asked for somebody may say that he heard it."""


_Around: TypeAlias = "tuple[Regime, tuple[Post, ...]]"


@dataclass(frozen=True, slots=True)
class _Told:
    alert: Alert
    sounds_at: tuple[str, ...]
    recorded: int | None


class Annunciator:
    """What the stations were told of alerts and of themselves."""

    def __init__(
        self,
        *,
        engine: Engine,
        stations: Stations,
        picture: Picture,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self.stations = stations
        self._engine = engine
        self._picture = picture
        self._clock = clock
        self._settings = settings
        self._prompt = GangwayPrompt(settings.reply_every_min, now_s=clock.now_s())
        self._told: dict[str, _Told] = {}
        self._around: _Around = (engine.regime, stations.posts(clock.now_s()))
        """What where anything sounds was last reckoned from, and below when it changes by itself."""
        self._due_s = math.inf
        self._revision = stations.revision
        self._is_resumed = False

    def show(self, alert: Alert, *, recorded: int | None) -> None:
        """Show an alert, and where it sounds; ``recorded`` is the number of its entry, None while it is not on disk."""
        now_s = self._clock.now_s()
        # A thousand alerts at once ask this a thousand times: that a proof of life has run out is seen once a second.
        if self.stations.revision != self._revision or self._engine.regime is not self._around[0]:
            self._look_at_stations(now_s)
        self._show(alert, now_s, recorded=recorded)

    def sounds_at(self, alert: Alert) -> tuple[str, ...]:
        """Return where an alert sounds, as the stations were told last."""
        told = self._told.get(alert.id)
        return () if told is None else told.sounds_at

    def recorded(self, alert: Alert) -> int | None:
        """Return the entry under which this instance of an alert was shown last; None where it has none yet."""
        told = self._told.get(alert.id)
        return None if told is None or told.alert.instance != alert.instance else told.recorded

    def look(self, now_s: float) -> None:
        """Show again what sounds elsewhere by now; ask the gangway, if it is time to."""
        before = self._around
        if self._look_at_stations(now_s) != before or now_s >= self._due_s:
            self._look_at_alerts(now_s)
        self._look_at_gangway(now_s)
        for status in self.stations.status():
            test = status.test_sound
            if test is not None and now_s - test.asked_s > TEST_SOUND_S:
                self.stations.forget_test_sound(status.id)
                self.tell(status.id)

    def next_due_s(self) -> float | None:
        """Return when something changes that nobody does; None for never."""
        asks_s = self._prompt.next_due_s(self._engine.regime) if self.stations.gangways() else None
        due_s = self._due_s if asks_s is None else min(self._due_s, asks_s)
        return None if due_s == math.inf else due_s

    def tell(self, station: str) -> None:
        """Tell how a station stands."""
        now_s = self._clock.now_s()
        status = self.stations.at(station)
        is_asked = station in self.stations.gangways()
        body = station_message(
            status,
            now_s=now_s,
            sounds=station in self.stations.sounding(),
            voice=self._settings.voice,
            asked_s=self._prompt.asked_s if is_asked else None,
            answer_s=self._engine.catalogue[gangwayprompt.KEY].on_delay_s,
        )
        self._picture.station(station, body)

    def tell_stations(self) -> None:
        """Tell how all stations stand."""
        for status in self.stations.status():
            self.tell(status.id)

    def acted(self, station: str, at_s: float) -> None:
        """Take it that somebody did something at a station: at a gangway station that answers the question."""
        gangways = self.stations.gangways()
        if station in gangways and self._prompt.act(at_s):
            self._tell_gangways()

    def _look_at_stations(self, now_s: float) -> _Around:
        """Return what decides where anything sounds at this moment; what was told by another is due to be looked at."""
        around = self._engine.regime, self.stations.posts(now_s)
        self._revision = self.stations.revision
        if around != self._around:
            self._due_s = -math.inf
        self._around = around
        return around

    def _look_at_alerts(self, now_s: float) -> None:
        """Show again what sounds elsewhere, and find out when the next one does."""
        regime, posts = self._around
        self._due_s = math.inf
        for told in list(self._told.values()):
            if not told.alert.sounding:
                continue
            sounds_at = annunciation.sounding_at(
                told.alert, regime, posts, self._settings.plan, now_s
            )
            if sounds_at != told.sounds_at:
                self._show(told.alert, now_s, recorded=told.recorded)
            else:
                self._note_due(told.alert, now_s)

    def _show(self, alert: Alert, now_s: float, *, recorded: int | None) -> None:
        regime, posts = self._around
        sounds_at = annunciation.sounding_at(alert, regime, posts, self._settings.plan, now_s)
        if alert.state is AlertState.NORMAL:
            self._told.pop(alert.id, None)
        else:
            self._told[alert.id] = _Told(alert, sounds_at, recorded)
            self._note_due(alert, now_s)
        self._picture.alert(alert, sounds_at=sounds_at, recorded=recorded)

    def _note_due(self, alert: Alert, now_s: float) -> None:
        regime, posts = self._around
        due_s = annunciation.next_due_s(alert, regime, posts, self._settings.plan, now_s)
        if due_s is not None:
            self._due_s = min(self._due_s, due_s)

    def _look_at_gangway(self, now_s: float) -> None:
        if not self.stations.gangways():
            return
        key, source = gangwayprompt.KEY, gangwayprompt.SOURCE
        if not self._is_resumed:
            self._is_resumed = True
            if self._engine.holds(key, source.id):
                self._prompt.resume(now_s)
        if self.stations.curtain:
            self._prompt.act(now_s)  # a clock asks nobody
        if self._prompt.look(self._engine.regime, now_s):
            self._tell_gangways()
        # The delay of the catalogue is how long an answer is waited for.
        is_asked = self._prompt.asked_s is not None
        self._engine.condition(key, source, active=is_asked, now_s=now_s)

    def _tell_gangways(self) -> None:
        for station in self.stations.gangways():
            self.tell(station)
