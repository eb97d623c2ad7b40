"""Will the serial ports of a ship's file still be the same after the next boot, and is each one device's own?

What udev names them (``/dev/serial/by-path``, ``/dev/serial/by-id``) is told by its rules 60-serial.rules: by-path
is the socket, by-id the adapter's own maker, model and serial number, where it has one.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from daemon.drivers.links import SerialLink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.config.shape import Config
    from daemon.drivers.links import Link

UNSTABLE = re.compile(r"/dev/tty(USB|ACM)\d+")
"""Given by the kernel in the order in which adapters answer: another at the next boot."""
SHARED_ID = re.compile(
    r"usb-(?:(?:1a86|QinHeng_Electronics)_USB[\w.-]*?Serial"
    r"|Prolific_Technology_Inc\._USB-Serial_Controller(?:_D)?"
    r"|FTDI_[^-]*UART"
    r"|Silicon_Labs_CP210\d[^-]*_0001)-if.*"
)
"""By-id names of adapters without a serial number (CH340, PL2303, unprogrammed FT232R), or with the one that all
have as delivered (CP2102): two of them have one name."""
TWO_WIRES: Final = (
    "opening a port may pulse DTR and RTS for some milliseconds, though both are set low: let leads to equipment have "
    "two wires, receive and ground, and no handshake; an RS-485 adapter that switches by RTS is one that receives then"
)


def port_advice(config: Config, *, covert: bool) -> Iterator[str]:
    """Yield what is likely to fail of the serial ports, and what opening one does; of SSAS only with ``covert``."""
    links = _serial(config, covert=covert)
    for place, link in links:
        yield from _unstable(place, link.port)
    yield from _one_adapter(links)
    if links:
        yield f"serial: {TWO_WIRES}"


def _serial(config: Config, *, covert: bool) -> list[tuple[str, SerialLink]]:
    found: list[tuple[str, Link | None]] = [
        *((f"bus.{name}.link", link) for name, link in config.buses.items()),
        *(
            (f"device.{each.id}.link", each.link)
            for each in config.devices
            if covert or not each.spec.covert
        ),
    ]
    if config.bam is not None:
        found.append(("bam.port", config.bam.serial))
    return [(place, link) for place, link in found if isinstance(link, SerialLink)]


def _unstable(place: str, port: str) -> Iterator[str]:
    name = port.rpartition("/")[2]
    if UNSTABLE.fullmatch(port):
        yield (
            f"{place}: {port} may be another adapter after the next boot; take its name below /dev/serial/by-path "
            "(ls -l /dev/serial/by-path)"
        )
    elif "/by-id/" in port and SHARED_ID.fullmatch(name):
        yield (
            f"{place}: {name} is the name of every adapter of this kind, which have no serial number of their own; "
            "take its name below /dev/serial/by-path, which is the socket's"
        )


def _one_adapter(links: list[tuple[str, SerialLink]]) -> Iterator[str]:
    """Yield names that lead to one device file on this computer, as it is wired now."""
    names: dict[str, set[str]] = defaultdict(set)
    for _, link in links:
        if os.path.lexists(link.port):
            names[os.path.realpath(link.port)].add(link.port)
    for device, ports in sorted(names.items()):
        if len(ports) > 1:
            yield f"{', '.join(sorted(ports))}: all of them are {device} now, one adapter under several names"
