"""Which stations are attended, live and able to sound?

ISPS B/9.43 asks for a continuously attended place. A station is live while its page or sounder proves every 10 s that
it is shown, fresh and sound-armed. For each situation the configuration names the stations of which at least one must
be attended and live.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from daemon.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.model import Situation, Station

LIVE_FOR_S = 25.0
"""Two proofs may be lost before a station counts as gone."""


@dataclass(frozen=True, slots=True)
class StationStatus:
    """How one station stands.

    Attributes:
        person: Who took the watch there; None for nobody.
        since_s: Seconds since boot when that person took it; None where it was before this boot.
    """

    id: str
    person: str | None = None
    since_s: float | None = None
    last_alive_s: float | None = None
    shown: bool = False
    fresh: bool = False
    sound_armed: bool = False

    def live(self, now_s: float) -> bool:
        """Return whether an alert would be seen and heard there now."""
        return (
            self.last_alive_s is not None
            and now_s - self.last_alive_s <= LIVE_FOR_S
            and self.shown
            and self.fresh
            and self.sound_armed
        )


class Stations:
    """Every station of the ship."""

    def __init__(self, stations: Iterable[Station], situation: Situation) -> None:
        self._stations = {station.id: station for station in stations}
        self.situation = situation
        self._status = {id_: StationStatus(id_) for id_ in self._stations}

    def alive(
        self, station: str, *, shown: bool, fresh: bool, sound_armed: bool, now_s: float
    ) -> StationStatus:
        """Take the proof of life of a station."""
        return self._become(
            replace(
                self._known(station),
                last_alive_s=now_s,
                shown=shown,
                fresh=fresh,
                sound_armed=sound_armed,
            )
        )

    def take_watch(self, station: str, person: str, *, since_s: float | None) -> StationStatus:
        """Note who has the watch at a station."""
        return self._become(replace(self._known(station), person=person, since_s=since_s))

    def status(self) -> tuple[StationStatus, ...]:
        """Return every station."""
        return tuple(self._status.values())

    def sounding(self) -> tuple[str, ...]:
        """Return the stations where alerts sound in this situation; the others show them silently."""
        return tuple(
            id_ for id_, station in self._stations.items() if self.situation in station.attended_in
        )

    def one_is_attended(self, now_s: float) -> bool:
        """Return whether at least one attended station of this situation is live."""
        return any(
            self._status[id_].person is not None and self._status[id_].live(now_s)
            for id_ in self.sounding()
        )

    def gangway_is_attended(self, now_s: float) -> bool:
        """Return whether somebody has the watch at a live gangway station."""
        return any(
            station.gangway
            and self._status[id_].person is not None
            and self._status[id_].live(now_s)
            for id_, station in self._stations.items()
        )

    def _known(self, station: str) -> StationStatus:
        try:
            return self._status[station]
        except KeyError:
            raise RefusedError(f"there is no station {station!r}") from None

    def _become(self, status: StationStatus) -> StationStatus:
        self._status[status.id] = status
        return status
