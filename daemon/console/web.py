"""``ispsd web``: the page of the watch stations."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon import config as ship_file
from daemon.computer import systemd
from daemon.console.asking import DEFAULT_CONFIG, DONE, say
from daemon.errors import IspsdError

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add ``web``."""
    web = commands.add_parser("web", help="serve the page of the watch stations, until stopped")
    web.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        help=f"the ship's file (default: {DEFAULT_CONFIG})",
    )
    web.set_defaults(act=_web)


def _web(given: argparse.Namespace) -> int:
    try:
        from daemon.web.server import PageServer, ShipFacts  # noqa: PLC0415 (aiohttp is an optional extra)
    except ImportError as err:
        raise IspsdError("the page needs the extra 'web': pip install 'ispsd[web]'") from err
    loaded = ship_file.load(given.config)
    facts = ShipFacts(
        loaded.ship.name,
        loaded.ship.imo_number,
        tuple(station.id for station in loaded.stations),
        loaded.is_demo,
    )
    server = PageServer(loaded.web, facts, control=loaded.control.socket)
    asyncio.run(_until_stopped(server))
    return DONE


async def _until_stopped(server: Any) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    task = asyncio.ensure_future(server.run(started=_started))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def _started(address: str) -> None:
    systemd.notify("READY=1")
    say(f"the page is at {address}")
    sys.stdout.flush()
