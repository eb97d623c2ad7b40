"""Which devices share a port, and do they agree on it? Pure: for ``ispsd check``."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from daemon.drivers.links import UdpLink
from daemon.drivers.modbus_unit import UnitConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.config.shape import Config, Device
    from daemon.drivers.links import Link


class _User(NamedTuple):
    """Who opens a port: a device, or a bus for all its units."""

    place: str
    link: Link
    is_bus: bool


def contradictions(config: Config) -> Iterator[str]:
    """Yield what does not fit together on one port or unit; an SSAS unit's port was refused before."""
    by_port: dict[str, list[_User]] = defaultdict(list)
    for user in _users(config):
        by_port[user.link.name].append(user)
    for port, users in by_port.items():
        if len(users) > 1:
            yield from _on_one_port(port, users)
    yield from _units_twice(config)


def _users(config: Config) -> Iterator[_User]:
    for name, link in config.buses.items():
        yield _User(f"bus.{name}", link, is_bus=True)
    for device in config.devices:
        if device.link is not None and not device.spec.covert:
            yield _User(f"device.{device.id}", device.link, is_bus=False)


def _on_one_port(port: str, users: list[_User]) -> Iterator[str]:
    names = " and ".join(user.place for user in users)
    if all(user.is_bus for user in users):
        yield f"{names}: {port}: two buses on one line: the units of one line are one bus"
    elif any(user.is_bus for user in users):
        yield f"{names}: {port}: a bus shares its line with nobody else"
    elif len({user.link for user in users}) > 1 and not _is_multicast(users[0].link):
        yield f"{names}: {port}: one port, and different settings: which are right?"


def _is_multicast(link: Link) -> bool:
    """Return whether each may listen to it for himself."""
    return isinstance(link, UdpLink) and link.group is not None


def _units_twice(config: Config) -> Iterator[str]:
    """Yield units that two devices ask: each answer would be taken for two modules."""
    asked: dict[tuple[str, int], list[str]] = defaultdict(list)
    for device in config.devices:
        if isinstance(device.config, UnitConfig):
            asked[line_of(device, device.config)].append(f"device.{device.id}")
    for (line, unit), those in asked.items():
        if len(those) > 1:
            yield f"{' and '.join(those)}: {line} unit {unit}: one unit, and two devices"


def line_of(device: Device, config: UnitConfig) -> tuple[str, int]:
    """Return on which line a unit is asked, and by which number."""
    if device.bus is not None:
        return f"bus {device.bus}", unit_of(config)
    return f"{getattr(config, 'host', '?')}:{getattr(config, 'port', '?')}", unit_of(config)


def unit_of(config: UnitConfig) -> int:
    """Return by which number a unit is asked: its own setting, else what its maker sets."""
    own: int | None = getattr(config, "unit", None)
    return config.fitted_profile().unit if own is None else own
