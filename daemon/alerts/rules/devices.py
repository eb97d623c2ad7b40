"""Which devices and buses are lost, and what does nobody see for that?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.alerts.alert import Source
from daemon.alerts.rules.api import Said

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daemon.alerts.rules.api import Moment
    from daemon.model import Reading
    from daemon.points.points import Change

BUS_LOST = "io.bus_lost"
LONGEST_DETAIL = 400


class DeviceRule:
    """One device: lost or not."""

    points: frozenset[str] = frozenset()

    def __init__(self, device: str, *, key: str, bus: str | None, blind: Sequence[str]) -> None:
        """Watch one device's link.

        Args:
            device: Its id.
            key: The alert when it is lost.
            bus: The bus that it hangs on.
            blind: The names of the doors, seals and detectors that nobody sees then.
        """
        self.devices = frozenset({device})
        self.says = frozenset({(key, device)})
        self._key = key
        self._source = Source(device, device.upper(), device, bus)
        self._blind = blind
        self._is_up: bool | None = None
        self._reason = ""

    def take(self, reading: Reading, change: Change | None) -> None:
        """A device's readings say nothing of its link."""

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> None:
        self._is_up, self._reason = up, reason

    def look(self, moment: Moment) -> Iterator[Said]:
        if self._is_up is not None:
            detail = not_monitored(self._blind, self._reason)
            yield Said(self._key, self._source, not self._is_up, detail)


class BusRule:
    """A line on which several units hang: lost when every one of them is."""

    points: frozenset[str] = frozenset()

    def __init__(self, bus: str, devices: Sequence[str], *, blind: Sequence[str]) -> None:
        self.devices = frozenset(devices)
        self.says = frozenset({(BUS_LOST, bus)})
        self._source = Source(bus, bus.upper(), bus)
        self._blind = blind
        self._up: dict[str, bool] = {}

    def take(self, reading: Reading, change: Change | None) -> None:
        """A unit's readings say nothing of its bus."""

    def link(self, device: str, *, up: bool, now_s: float, reason: str) -> None:
        self._up[device] = up

    def look(self, moment: Moment) -> Iterator[Said]:
        if self._up.keys() == self.devices:
            lost = not any(self._up.values())
            yield Said(BUS_LOST, self._source, lost, not_monitored(self._blind))


def not_monitored(names: Sequence[str], reason: str = "") -> str:
    """Return what the loss means: why, and which doors and seals nobody sees now."""
    doors = f"not monitored: {', '.join(names)}" if names else ""
    return "; ".join(part for part in (reason, doors) if part)[:LONGEST_DETAIL]
