"""Keep the stations' picture of now: what is put on the board, and how often.

Contacts are shown at once, measured values at most once a second, unchanged ones again before they expire. What is of
class ``sso`` goes to ``sso/…`` and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon import forms
from daemon.alerts.forms import alert_message
from daemon.model import AlertState, Classification, ContactState, LampState, LinkState
from daemon.stations.messages import (
    crew_message,
    driver_message,
    permit_message,
    point_message,
    ship_message,
)
from daemon.wording import openings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from daemon.alerts.alert import Alert
    from daemon.computer.clock import Clock
    from daemon.model import Json, Opening, Person, Reading
    from daemon.mqtt.showing import Board
    from daemon.mqtt.topics import Topics
    from daemon.points.points import Points
    from daemon.ship.state import ShipState
    from daemon.supervision.supervise import DeviceStatus, Supervisor

ANALOGUE_S = 1.0
"""A value that is not a contact is told at most so often, in seconds."""
REFRESH_SHARE = 1 / 3
"""An unchanged value is told again after this share of its validity."""


class Picture:
    """What every station sees."""

    def __init__(
        self,
        *,
        topics: Topics,
        board: Board,
        watched: Iterable[Opening],
        points: Points,
        clock: Clock,
    ) -> None:
        self._topics = topics
        self._board = board
        self._openings = {opening.id: opening for opening in watched}
        self._named: dict[str, tuple[str, str | None]] = {}
        self._points = points
        self._clock = clock
        self._told_s: dict[str, float] = {}
        self._waiting: dict[str, Reading] = {}
        self._proved: dict[str, bool] = {}
        self._permits: set[str] = set()
        self._crew: Mapping[str, Json] | None = None

    def call(self, points: Iterable[str], *, name: str, kind: str | None = None) -> None:
        """Show points by the short name of what they are of, and say of what kind that is."""
        self._named |= dict.fromkeys(points, (name, kind))

    def reading(self, reading: Reading, *, changed: bool, proved: bool | None = None) -> None:
        """Show a point, if it is time to; ``proved`` says of a contact whether it is."""
        if proved is not None:
            self._proved[reading.point] = proved
        age_s = reading.received_s - self._told_s.get(reading.point, float("-inf"))
        at_once = isinstance(reading.value, ContactState | LampState) or reading.value is None
        if changed and not at_once and age_s < ANALOGUE_S:
            self._waiting[reading.point] = reading
        elif changed or age_s >= self._points.valid_for_s(reading.point) * REFRESH_SHARE:
            self._point(reading)

    def waiting(self, now_s: float) -> None:
        """Show the measured values that had to wait."""
        for point, reading in list(self._waiting.items()):
            if now_s - self._told_s[point] >= ANALOGUE_S:
                self._point(reading)

    def forget(self, points: Iterable[str]) -> None:
        """Take points of class ``sso`` off."""
        for point in points:
            self._waiting.pop(point, None)
            self._told_s.pop(point, None)
            self._board.remove(self._topics.point(point, classification=Classification.SSO))

    def device(self, supervisor: Supervisor) -> None:
        """Show a device and its health."""
        self._board.put(
            self._topics.driver(supervisor.device),
            driver_message(supervisor.status, supervisor.health),
            self._clock.now_s(),
        )

    def covert_device(self, status: DeviceStatus, *, window: bool) -> None:
        """Show whether an SSAS source is being read, and nothing else of it."""
        now_s = self._clock.now_s()
        self._board.put(
            self._topics.driver(status.device, classification=Classification.SSO),
            {
                "open": window and status.link is not LinkState.DOWN,
                "since": forms.milliseconds(now_s),
            },
            now_s,
        )

    def ship(self, ship: ShipState, *, settling: bool) -> None:
        """Show what people have said of the ship, and the permits that run."""
        now_s = self._clock.now_s()
        self._board.put(self._topics.ship(), ship_message(ship, settling=settling), now_s)
        for door in self._permits - ship.permits.keys():
            self._board.remove(self._topics.permit(door))
        for permit in ship.permits.values():
            body = permit_message(permit, name=self._openings[permit.door].name)
            self._board.put(self._topics.permit(permit.door), body, now_s)
        self._permits = set(ship.permits)

    def crew(self, persons: Iterable[Person]) -> None:
        """Show who may take a watch; nothing is told again where nobody came or went."""
        body = crew_message(persons)
        if body != self._crew:
            self._crew = body
            self._board.put(self._topics.crew(), body, self._clock.now_s())

    def station(self, station: str, body: Mapping[str, Json]) -> None:
        """Show a station."""
        self._board.put(self._topics.station(station), body, self._clock.now_s())

    def alert(self, alert: Alert, *, sounds_at: Sequence[str], recorded: int | None) -> None:
        """Show an alert; one that is normal is shown once more and then taken off."""
        if alert.show is Classification.SSO:
            return  # it stands in the record; the SSO's pages read it there
        self._board.put(
            self._topics.alert(alert.id),
            alert_message(alert, sounds_at=sounds_at, recorded=recorded),
            alert.changed_s,
            last=alert.state is AlertState.NORMAL,
        )

    def _point(self, reading: Reading) -> None:
        self._waiting.pop(reading.point, None)
        self._told_s[reading.point] = reading.received_s
        name, kind, word = self._in_words(reading)
        self._board.put(
            self._topics.point(reading.point, classification=reading.classification),
            point_message(
                reading,
                name=name,
                valid_for_s=self._points.valid_for_s(reading.point),
                proved=self._proved.get(reading.point),
                kind=kind,
                word=word,
            ),
            reading.received_s,
        )

    def _in_words(self, reading: Reading) -> tuple[str | None, str | None, str | None]:
        """Return what it is called, of what kind it is, and what a contact says in words."""
        opening = self._openings.get(reading.point)
        if opening is None:
            return *self._named.get(reading.point, (None, None)), None
        value = reading.value
        word = openings.word(opening.kind, value) if isinstance(value, ContactState) else None
        return opening.name, opening.kind.value, word
