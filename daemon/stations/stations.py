"""Which stations are attended, live and able to sound?

ISPS B/9.43 asks for a continuously attended place. A station is live while its page proves every 10 s that it is shown
and fresh, and its sounder that it can sound: one client may say both, or the page and ``ispsd sound`` each its own. For
each situation the configuration names the stations of which at least one must be attended and live.

A page in a browser is mute until somebody has touched it, and cannot know whether its speaker is plugged in: it counts
as armed only after a touch since it was loaded and with a heard-test that is not older than ten days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from daemon.alerts.annunciation import Post
from daemon.errors import RefusedError
from daemon.model import Sounder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from daemon.model import Situation, Station

LIVE_FOR_S = 25.0
"""Two proofs may be lost before a station counts as gone."""
BACK_WITHIN_S = 15.0
"""So long each client of a station has to speak again after nobody was heard of: ispsd has started, or its broker was
gone. Who speaks first is chance, and no cabin is called because the bridge has not spoken yet."""
HEARD_FOR_S = 10 * 86400.0
"""A heard-test counts for so long: done each week, with three days' grace."""


class Teller(StrEnum):
    """Which client of a station says that it is alive."""

    PAGE = "page"
    """The page: whether it is shown and fresh."""
    PROGRAM = "program"
    """The sounder: whether what it hears is fresh, and its output takes what it plays."""


class Lack(StrEnum):
    """Why a station that says that it can sound does not count as armed."""

    TOUCH = "touch"
    HEARD = "heard"


@dataclass(frozen=True, slots=True)
class Heard:
    """Somebody stood there and heard the test sound.

    Attributes:
        at_utc: When, for the eye.
        ends_s: Until when it counts, in seconds since boot.
    """

    person: str
    at_utc: datetime
    ends_s: float


@dataclass(frozen=True, slots=True)
class TestSound:
    """A test sound that a person there has asked for.

    Attributes:
        nonce: What tells it from any other; the answer names it.
        asked_s: When, in seconds since boot: one that is older than some seconds is not played.
    """

    __test__ = False

    nonce: str
    asked_s: float


@dataclass(frozen=True, slots=True)
class StationStatus:
    """How one station stands.

    Attributes:
        person: Who took the watch there; None for nobody.
        since_s: Seconds since boot when that person took it; None where it was before this boot.
        since_utc: The same by the calendar; None where nobody knows.
        last_alive_s: When it last proved anything, in seconds since boot.
        sounder: What makes its sound.
        touched_s: When its page was last touched, in seconds since boot; None: not since it was loaded.
        heard: The newest heard-test; None: never.
        test_sound: The newest test sound that was asked for.
    """

    id: str
    person: str | None = None
    since_s: float | None = None
    since_utc: datetime | None = None
    last_alive_s: float | None = None
    shown: bool = False
    fresh: bool = False
    said_armed: bool = False
    sounder: Sounder = Sounder.PROGRAM
    shown_s: float | None = None
    """When its page last spoke, in seconds since boot; and its sounder below."""
    sounder_s: float | None = None
    touched_s: float | None = None
    heard: Heard | None = None
    test_sound: TestSound | None = None

    def lacks(self, now_s: float) -> tuple[Lack, ...]:
        """Return what its page lacks to count as a sounder."""
        if self.sounder is not Sounder.PAGE:
            return ()
        is_heard = self.heard is not None and now_s < self.heard.ends_s
        lacks = ((self.touched_s is None, Lack.TOUCH), (not is_heard, Lack.HEARD))
        return tuple(lack for is_so, lack in lacks if is_so)

    def sound_armed(self, now_s: float) -> bool:
        """Return whether an alert would be heard there now, as far as can be known."""
        spoke = self.sounder_s is not None and now_s - self.sounder_s <= LIVE_FOR_S
        return self.said_armed and spoke and not self.lacks(now_s)

    def live(self, now_s: float) -> bool:
        """Return whether an alert would be seen and heard there now."""
        spoke = self.shown_s is not None and now_s - self.shown_s <= LIVE_FOR_S
        return spoke and self.shown and self.fresh and self.sound_armed(now_s)


class Stations:
    """Every station of the ship."""

    def __init__(self, stations: Iterable[Station], situation: Situation) -> None:
        self._stations = {station.id: station for station in stations}
        self.situation = situation
        self._status = {
            station.id: StationStatus(station.id, sounder=station.sounder)
            for station in self._stations.values()
        }
        self._last: tuple[str, str] | None = None
        self._heard_anew_s = float("-inf")
        """When somebody was heard of again after nobody was."""
        self.curtain = False
        """Only stations of the citadel show and sound anything."""
        self.revision = 0
        """Grows whenever anything is said of a station."""

    def alive(
        self,
        station: str,
        *,
        shown: bool,
        fresh: bool,
        sound_armed: bool,
        now_s: float,
        of: Teller | None = None,
        touched_s: float | None = None,
    ) -> StationStatus:
        """Take the proof of life of a station.

        Args:
            station: Which.
            shown: Its page is on the screen.
            fresh: What it shows, or sounds, is fresh.
            sound_armed: Its sound works.
            now_s: Seconds since boot.
            of: Which of its clients says so; None: the only one.
            touched_s: When its page was last touched; None: not since it was loaded.
        """
        known = self._known(station)
        if not any(_was_heard(status, now_s) for status in self._status.values()):
            self._heard_anew_s = now_s
        become = replace(known, last_alive_s=now_s)
        is_sounder = of is None or of.value == known.sounder.value
        if of is not Teller.PROGRAM:
            become = replace(become, shown=shown, fresh=fresh, shown_s=now_s, touched_s=touched_s)
        if is_sounder:
            # A program that hears nothing new cannot sound what is new, whatever its output does.
            become = replace(become, said_armed=sound_armed and fresh, sounder_s=now_s)
        return self._become(become)

    def take_watch(
        self, station: str, person: str, *, since_s: float | None, since_utc: datetime | None = None
    ) -> StationStatus:
        """Note who has the watch at a station."""
        known = self._known(station)
        return self._become(replace(known, person=person, since_s=since_s, since_utc=since_utc))

    def has_watch(self, station: str | None, person: str) -> bool:
        """Return whether a person has the watch at a station; False where there is no such station."""
        status = None if station is None else self._status.get(station)
        return status is not None and status.person == person

    def leave_watch(self, station: str) -> StationStatus:
        """Note that nobody has the watch at a station."""
        known = self._known(station)
        return self._become(replace(known, person=None, since_s=None, since_utc=None))

    def hear(
        self, station: str, person: str, *, at_utc: datetime, now_utc: datetime, now_s: float
    ) -> StationStatus:
        """Note that somebody heard the test sound there; it never counts for longer than ten days from now."""
        left_s = (at_utc + timedelta(seconds=HEARD_FOR_S) - now_utc).total_seconds()
        ends_s = now_s + min(left_s, HEARD_FOR_S)
        known = self._known(station)
        return self._become(replace(known, heard=Heard(person, at_utc, ends_s), test_sound=None))

    def ask_test_sound(self, station: str, nonce: str, *, now_s: float) -> StationStatus:
        """Have the test sound played once at a station."""
        return self._become(replace(self._known(station), test_sound=TestSound(nonce, now_s)))

    def forget_test_sound(self, station: str) -> StationStatus:
        """Let a test sound be wanted no longer."""
        return self._become(replace(self._known(station), test_sound=None))

    def at(self, station: str) -> StationStatus:
        """Return how one station stands.

        Raises:
            RefusedError: There is none of that name.
        """
        return self._known(station)

    def status(self) -> tuple[StationStatus, ...]:
        """Return every station."""
        return tuple(self._status.values())

    def posts(self, now_s: float) -> tuple[Post, ...]:
        """Return every station as annunciation sees it.

        One that is attended counts as live for as long as it may still be about to say so.
        """
        stands = zip(self._stations.values(), self._status.values(), strict=True)
        if self.curtain:
            return tuple(
                _behind_curtain(station, status, self.situation, now_s)
                for station, status in stands
            )
        return tuple(
            Post(
                station,
                live=status.live(now_s)
                or (self.situation in station.attended_in and self._is_awaited(status, now_s)),
                armed=status.sound_armed(now_s),
            )
            for station, status in stands
        )

    def draw_curtain(self, *, down: bool, now_s: float) -> None:
        """Let the curtain down, or raise it: then each station has its time to say that it is alive."""
        self.curtain = down
        self.revision += 1
        if not down:
            self._heard_anew_s = now_s

    def _is_awaited(self, status: StationStatus, now_s: float) -> bool:
        """Return whether a client of a station has not spoken since somebody did, and there is time yet."""
        anew_s = self._heard_anew_s
        spoke_s = (status.shown_s, status.sounder_s)
        return now_s - anew_s <= BACK_WITHIN_S and any(s is None or s < anew_s for s in spoke_s)

    def sounding(self) -> tuple[str, ...]:
        """Return the stations where alerts sound at once in this situation; the others show them silently."""
        return tuple(
            id_
            for id_, station in self._stations.items()
            if (station.citadel if self.curtain else self.situation in station.attended_in)
        )

    def attended(self, now_s: float) -> dict[str, str]:
        """Return who has the watch at each station of this situation that is live."""
        each = (self._status[id_] for id_ in self.sounding())
        return {s.id: s.person for s in each if s.person is not None and s.live(now_s)}

    def one_is_attended(self, now_s: float) -> bool:
        """Return whether at least one attended station of this situation is live."""
        attended = self.attended(now_s)
        self._last = next(iter(attended.items()), self._last)
        return bool(attended)

    def nobody(self, now_s: float) -> str:
        """Return why no station is attended and live, in words: how each stands, and who was last."""
        each = [_in_words(self._status[id_], now_s) for id_ in self.sounding()]
        last = "" if self._last is None else f"last: {self._last[1]} at {self._last[0]}"
        return "; ".join(filter(None, [*each, last]))

    def gangways(self) -> frozenset[str]:
        """Return the gangway stations."""
        return frozenset(id_ for id_, station in self._stations.items() if station.gangway)

    def gangway_is_attended(self, now_s: float) -> bool:
        """Return whether somebody has the watch at a live gangway station."""
        return not self.curtain and any(
            self._status[id_].person is not None and self._status[id_].live(now_s)
            for id_ in self.gangways()
        )

    def _known(self, station: str) -> StationStatus:
        try:
            return self._status[station]
        except KeyError:
            raise RefusedError(f"there is no station {station!r}") from None

    def _become(self, status: StationStatus) -> StationStatus:
        self._status[status.id] = status
        self.revision += 1
        return status


def _behind_curtain(
    station: Station, status: StationStatus, situation: Situation, now_s: float
) -> Post:
    """Return a station as it stands while the curtain is down: one that shows a clock tells nobody anything."""
    attended = frozenset({situation}) if station.citadel else frozenset()
    return Post(
        replace(station, attended_in=attended),
        live=station.citadel and status.live(now_s),
        armed=station.citadel and status.sound_armed(now_s),
    )


def _was_heard(status: StationStatus, now_s: float) -> bool:
    """Return whether a station has proved anything lately."""
    return status.last_alive_s is not None and now_s - status.last_alive_s <= LIVE_FOR_S


def _in_words(status: StationStatus, now_s: float) -> str:
    if status.person is None:
        return f"{status.id}: nobody has the watch"
    if status.live(now_s):
        return f"{status.id}: {status.person}"
    why = "not heard of" if status.last_alive_s is None else "not live"
    return f"{status.id}: {status.person}, {why}"
