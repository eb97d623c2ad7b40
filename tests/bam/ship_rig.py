"""A whole ship with a panel on her bridge: real broker, real pty or multicast, a hand-moved clock."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from simulators.central_alert_panel import CentralAlertPanel
from tests.ship import HATCH, afloat, ashore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.ship import Ship

HATCH_OPEN = "alert/door.escape.open.d12"
GROUP = "239.192.0.17"


def with_bam(settings: str) -> Any:
    return lambda text: f'{text}\n[bam]\nmaker = "XXX"\n{settings}\n'


def on_serial(panel: CentralAlertPanel) -> str:
    return f'port = "{panel.endpoint}"'


def on_network(port: int) -> str:
    return f'group = "{GROUP}"\nudp_port = {port}\ninterface = "127.0.0.1"\npanel_address = "127.0.0.1"'


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def bridge(
    folder: Path, *, network: bool = False, more: str = "", **panels: Any
) -> AsyncIterator[tuple[Ship, CentralAlertPanel]]:
    """Run the ship with her panel."""
    async with ashore(folder) as (ship, broker, ends):
        port = free_port() if network else 0
        given = {"group": GROUP, "udp_port": port} if network else {}
        panel = CentralAlertPanel("bam", {**given, **panels}, ship.clock)
        await panel.start()
        settings = on_network(port) if network else on_serial(panel)
        try:
            async with afloat(ship, broker, ends, edit=with_bam(f"{settings}\n{more}")):
                yield ship, panel
                assert panel.faults == {}
        finally:
            await panel.stop()


async def open_hatch(ship: Ship) -> dict[str, Any]:
    """Open the escape hatch; return its alert as the stations see it."""
    await ship.unit.set_input(HATCH, False)
    return await ship.until(lambda: ship.state(HATCH_OPEN))


def hatch_on(panel: CentralAlertPanel) -> Any:
    """Return the hatch's alert as the panel shows it."""
    return next((a for a in panel.alerts.values() if a.title == "ESC HATCH OPEN"), None)
