"""Recording a live port as a test case, at the command line; never while the daemon keeps the watch with it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon import config
from daemon.computer.clock import SystemClock
from daemon.console.asking import DEFAULT_CONFIG, DONE, say
from daemon.control import control
from daemon.errors import IspsdError

if TYPE_CHECKING:
    import argparse

USUAL_S: Final = 60.0
LONGEST_S: Final = 3600.0


def add(commands: Any) -> None:
    """Add the subcommand."""
    capture = commands.add_parser(
        "capture", help="record a live port as a test case, with identities masked"
    )
    capture.add_argument("device", help="its id in the ship's file")
    capture.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="the ship's file")
    capture.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="a new folder, named after the equipment: tests/cases/<maker>_<model>",
    )
    capture.add_argument(
        "--for", type=float, default=USUAL_S, dest="for_s", metavar="SECONDS", help="default 60"
    )
    capture.set_defaults(act=_capture)


def _capture(given: argparse.Namespace) -> int:
    from daemon.capture import case  # noqa: PLC0415 (the other subcommands start faster without the drivers' libraries)
    from daemon.capture.recorder import captured, device_of  # noqa: PLC0415

    if not 0 < given.for_s <= LONGEST_S:
        raise IspsdError(f"--for is a time up to {LONGEST_S:g} s, not {given.for_s:g}")
    if given.out.exists():
        raise IspsdError(f"{given.out}: is there already")
    loaded = config.load(given.config)
    device = device_of(loaded, given.device)
    asyncio.run(_refuse_while_held(loaded.control.socket, device.id))
    taken = asyncio.run(captured(loaded, device, for_s=given.for_s, clock=SystemClock()))
    case.write(given.out, taken.manifest, taken.case.tape, taken.case.readings)
    left = ", ".join(f"{count} {name}" for name, count in taken.left_out.items() if count)
    say(f"{given.out}: {len(taken.case.tape)} on the tape, {len(taken.case.readings)} readings")
    say(
        f"left out: {left or 'nothing'}. Read it through before it goes to anybody: masks are no promise"
    )
    return DONE


async def _refuse_while_held(socket: Path, device: str) -> None:
    if await control.answers(socket):
        raise IspsdError(
            f"ispsd runs and holds {device}: stop it first (systemctl stop ispsd), and tell the watch that "
            "nothing is guarded meanwhile"
        )
