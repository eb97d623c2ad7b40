"""Is the port of the bridge alert management its own, and is it fit for a ship? For ``ispsd check``.

Invariant 10 of the design: it is the one thing that ispsd writes to, and no device shares it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from daemon.bam.settings import STATION
from daemon.drivers.links import SerialLink, UdpLink
from daemon.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.bam.settings import BamSection
    from daemon.config.shape import Config, ConfigFile, Device
    from daemon.drivers.links import Link


def panel_faults(file: ConfigFile, devices: list[Device]) -> list[Fault]:
    """Return what is wrong with ``[bam]`` beside the rest of the file."""
    if file.bam is None:
        return []
    others = [(f"bus.{name}", bus.link) for name, bus in file.bus.items()]
    others += [(f"device.{device.id}", link) for device in devices if (link := device.port)]
    faults = [
        Fault(
            "bam",
            f"{file.bam.name} is the port of {place} as well: the panel's port is shared with no device",
        )
        for place, link in others
        if _are_one(file.bam, link)
    ]
    faults += [
        Fault(
            f'station "{station.id}".id',
            "is how the panel of [bam] stands in the record; call the station by another name",
        )
        for station in file.station
        if station.id == STATION
    ]
    return faults


def panel_advice(config: Config) -> Iterator[str]:
    """Yield what is allowed of ``[bam]``, and hardly meant."""
    if config.bam is None:
        return
    talker = config.bam.talker
    if not (talker[0] == "U" and talker[1].isdigit()):
        yield (
            f"bam.talker: {talker} is the talker of other equipment; for ship security there is none, and U0 to U9 "
            "are the ship's own"
        )
    if not config.bam.heartbeat_expected:
        yield "bam.heartbeat_expected: without its heartbeat nobody sees that the panel is lost"


def _are_one(bam: BamSection, link: Link) -> bool:
    """Return whether a device listens where the panel is spoken to; several names may lead to one device file."""
    if isinstance(link, SerialLink):
        return bam.port is not None and os.path.realpath(bam.port) == os.path.realpath(link.port)
    if isinstance(link, UdpLink):
        return bam.group_port == link.port and link.group in {None, bam.group} and bam.port is None
    return False
