"""What does a check find out about the ship beside the readings of her sensors? Read from the parts that know it.

Nothing is kept here and nothing is altered: each answer is how it stands when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.checks.api import AlertSeen, Supervised, counts_as_evidence
from daemon.drivers.ssas_listening import SsasPortDriver
from daemon.model import Classification, Fix, LinkState, OpeningKind, Sounder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from daemon.alerts.engine import Engine
    from daemon.alerts.rules.gnss_fusion import Suspicion
    from daemon.computer.clock import Clock
    from daemon.config import Config
    from daemon.drivers.camera_pictures import Pictures
    from daemon.gate import CovertGate
    from daemon.model import Json, Position
    from daemon.mqtt.publisher import Publisher
    from daemon.points.points import Points
    from daemon.supervision.supervise import Supervisor
    from daemon.watch.movements import Movements
    from daemon.watch.watch import Watch

MOVING: Final = frozenset(
    {OpeningKind.DOOR, OpeningKind.LOCK, OpeningKind.MOTION, OpeningKind.LIGHT}
)
"""What moves in service: a contact of these that has not for months may be stuck."""


class ShipNow:
    """How the ship stands when a check asks."""

    def __init__(
        self,
        config: Config,
        *,
        names: Mapping[str, str],
        points: Points,
        engine: Engine,
        watch: Watch,
        publisher: Publisher,
        supervisors: Sequence[Supervisor],
        movements: Movements,
        gate: CovertGate,
        pictures: Pictures,
        suspicion: Callable[[], Suspicion],
        clock: Clock,
    ) -> None:
        """Take the parts that know; ``names`` are of everything that an alert can be about."""
        self._config = config
        self._names = names
        self._points = points
        self._engine = engine
        self._watch = watch
        self._publisher = publisher
        self._supervisors = supervisors
        self._movements = movements
        self._gate = gate
        self._pictures = pictures
        self._suspicion = suspicion
        self._clock = clock
        self._proving = watch.proving
        self._moving = {o.id for o in config.openings if o.kind in MOVING}

    def name_of(self, id_: str) -> str:
        """Return the short name of a device or an opening."""
        return self._names.get(id_, id_.upper())

    def window_opened_by(self) -> tuple[str, ...]:
        """Return who opened the SSAS test window that is open now; none where none is."""
        window = self._gate.window()
        return () if window is None else window.opened_by

    def answers(self, point: str) -> bool:
        """Return whether the device that says a point answers now."""
        reading = self._points.newest(point)
        return reading is not None and any(
            each.device == reading.source and each.status.link is LinkState.UP
            for each in self._supervisors
        )

    def listens_since_s(self, point: str) -> float | None:
        """Return since when the text port that says a point is listened to; None: it is not."""
        for each in self._supervisors:
            if isinstance(each.driver, SsasPortDriver) and each.driver.says(point):
                return each.driver.listens_since_s
        return None

    def open_alerts(self) -> list[AlertSeen]:
        """Return what alerts the stations show now, and at which of them somebody sees and hears it."""
        regime, posts = self._engine.regime, self._watch.stations.posts(self._clock.now_s())
        is_told = self._publisher.facts().connected
        live = [p.station for p in posts if is_told and p.live and p.attended(regime)]
        proving = {station.id for station in live if station.sounder is Sounder.PROGRAM}
        return [
            AlertSeen(
                alert.id,
                alert.source.id,
                alert.title,
                active=not alert.rectified,
                shown_at=tuple(station.id for station in live),
                sounds_at=tuple(
                    station
                    for station in self._watch.annunciator.sounds_at(alert)
                    if station in proving
                ),
            )
            for alert in self._engine.alerts()
            if alert.show is Classification.WATCH
        ]

    def knows_alert(self, alert: str) -> bool:
        """Return whether there can be an alert of that id: of a key that is known, about something on board."""
        return any(
            alert.removeprefix(f"{key}.") in self._names
            for key in self._engine.catalogue
            if alert.startswith(f"{key}.")
        )

    def link(self, device: str) -> Mapping[str, Json] | None:
        """Return how the link of a device stands; None of one that is not there, or of which nobody may know."""
        found = next((each for each in self._supervisors if each.device == device), None)
        if found is None or found.spec.covert:
            return None
        status = found.status
        return {
            "up": status.link is LinkState.UP,
            "for_s": round(self._clock.now_s() - status.since_s, 1),
            "reason": status.reason or "it was not heard yet",
            "may_be_ours": status.may_be_ours,
        }

    def picture(self, device: str) -> bytes | None:
        """Return the newest picture of a camera, made small."""
        kept = self._pictures.newest(device)
        return None if kept is None else kept.jpeg or None

    def contacts(self) -> dict[str, Supervised]:
        """Return every contact of the ship, and when it moved last."""
        found = {}
        for point, wired in self._proving.contacts.items():
            seen = self._proving.seen(point)
            moments = (seen.closed_utc, seen.open_utc, self._movements.moved_utc(point))
            moved = max((at for at in moments if at is not None), default=None)
            found[point] = Supervised(wired.name, moves=point in self._moving, moved_utc=moved)
        return found

    def position_doubt(self) -> str | None:
        """Return why the position cannot be believed; None where nothing keeps anybody from it."""
        return self._suspicion().doubt

    def position_odd(self) -> tuple[str, ...]:
        """Return what speaks against the ship's position now, one indication alone too."""
        return tuple(each.words for each in self._suspicion().findings)

    def own_position(self) -> Position | None:
        """Return where the ship is by a fix that counts as evidence; None while there is none, or it is doubted."""
        if self.position_doubt() is not None:
            return None
        for device in self._config.devices:
            reading = self._points.newest(f"{device.id}.fix")
            if reading is None or not counts_as_evidence(reading, demo=self._config.is_demo):
                continue
            if isinstance(reading.value, Fix):
                return reading.value.position
        return None
