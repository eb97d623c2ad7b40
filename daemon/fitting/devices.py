"""Build the drivers of the ship's devices, and say what they read; nothing is opened yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.drivers.api import DriverContext, Shared
from daemon.fitting import equipment
from daemon.model import Classification, Provenance
from daemon.points.points import Points
from daemon.supervision.supervise import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.config import Config, Device
    from daemon.drivers.api import Driver
    from daemon.gate import Gate
    from daemon.model import Reading
    from daemon.stations.picture import Picture
    from daemon.supervision.supervise import DeviceStatus


class Devices:
    """The ship's devices, each with its driver."""

    def __init__(self, config: Config, *, clock: Clock, gate: Gate) -> None:
        """Build the drivers.

        Raises:
            ValueError: A driver cannot be built here.
        """
        self._config = config
        self._clock = clock
        self._gate = gate
        self.shared = Shared()
        self._drivers = [(device, self._driver(device)) for device in config.devices]
        self._specs = {spec.id: spec for _, driver in self._drivers for spec in driver.points()}
        self.points_of = {
            device.id: [
                spec.id for spec in driver.points() if spec.classification is Classification.WATCH
            ]
            for device, driver in self._drivers
            if not device.spec.covert
        }
        """Of each device that is no source of SSAS, the points that the watch may see."""
        self.covert_points = tuple(
            id_ for id_, spec in self._specs.items() if spec.classification is Classification.SSO
        )

    def points(self) -> Points:
        """Return what is to hold the newest reading of each point."""
        valid = {id_: spec.valid_for_s for id_, spec in self._specs.items()}
        return Points(valid, started_s=self._clock.now_s())

    def supervised(
        self,
        *,
        entropy: Entropy,
        emit: Callable[[Reading], None],
        on_status: Callable[[DeviceStatus], None],
    ) -> list[Supervisor]:
        """Return who keeps each device running."""
        return [
            Supervisor(
                device=device.id,
                driver=driver,
                spec=device.spec,
                silent_after_s=device.spec.silent_after_s(device.config),
                lost_alert=device.spec.lost_alert(device.config),
                provenance=self._provenance(device),
                clock=self._clock,
                entropy=entropy,
                emit=emit,
                on_status=on_status,
                longest_back_off_s=device.spec.longest_back_off_s(device.config),
            )
            for device, driver in self._drivers
        ]

    def name(self, picture: Picture) -> None:
        """Say what is shown of cameras, recorders and gauges by which name."""
        names = {opening.id: opening.name for opening in self._config.openings}
        for device in self._config.devices:
            if (kind := device.spec.unit_is(device.config)) is not None:
                called = equipment.device_name(device)
                picture.call(self.points_of[device.id], name=called, kind=kind)
            for contact in device.contacts:
                if contact.gauge is not None:
                    picture.call([contact.gauge.point], name=names[contact.point])

    def _driver(self, device: Device) -> Driver:
        context = DriverContext(
            device=device.id,
            clock=self._clock,
            gate=self._gate,
            provenance=self._provenance(device),
            contacts=device.contacts,
            test_lamps=device.test_lamps,
            side_doors=device.side_doors,
            buses=self._config.buses,
            shared=self.shared,
        )
        return device.spec.build(device.config, context)

    def _provenance(self, device: Device) -> Provenance:
        if device.is_replayed:
            return Provenance.REPLAY
        return Provenance.SIMULATED if self._config.is_demo else Provenance.LIVE
