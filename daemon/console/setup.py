"""``ispsd init``: make what a ship needs before the first watch, and say what is still to be done."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon import config as ship_file
from daemon.assets import asset
from daemon.computer.clock import SystemClock
from daemon.console.asking import DEFAULT_CONFIG, DONE, FAILED, say
from daemon.control import control
from daemon.errors import IspsdError
from daemon.setup import certificates, checklist, files, installing, making
from daemon.setup.certificates import checked_address
from daemon.setup.checklist import ENTRIES_THAT_COUNT, Asked, State
from daemon.setup.files import SetupError
from daemon.setup.making import Wish
from daemon.setup.places import SETUP, Places

if TYPE_CHECKING:
    import argparse

    from daemon.config import Config
    from daemon.setup.making import Made

ROOT = Path("/")
MOST = 1000
"""Entries of one type that are looked at: more than a ship makes of these."""


def add(commands: Any) -> None:
    """Add ``init``."""
    init = commands.add_parser("init", help="make keys, passwords and the broker's files")
    init.add_argument("--config", type=Path, help=f"the ship's file (default: {DEFAULT_CONFIG})")
    init.add_argument(
        "--root", type=Path, default=ROOT, help="for packagers: the root of another system"
    )
    init.add_argument(
        "--to", type=Path, help=f"where everything is made and kept (default: /{SETUP})"
    )
    init.add_argument(
        "--address",
        action="append",
        default=[],
        help="what stations on other computers call this one; again for another",
    )
    init.add_argument(
        "--days",
        type=int,
        default=certificates.SERVER_DAYS,
        help="how long a new certificate is good (Apple's devices: at most 825)",
    )
    init.add_argument(
        "--new-password",
        action="append",
        default=[],
        metavar="STATION",
        help="another password for a station whose tablet was lost",
    )
    init.add_argument("--yes", action="store_true", help="do not ask whether it is this ship")
    init.add_argument("--install", action="store_true", help="copy the files into /etc too")
    init.add_argument("--check", action="store_true", help="make nothing: say what is to be done")
    init.set_defaults(act=_init)


def _init(given: argparse.Namespace) -> int:
    root = given.root.resolve()
    places = Places(root, given.to.resolve() if given.to else root / SETUP)
    path = given.config or places.at(DEFAULT_CONFIG)
    loaded = ship_file.load(path)
    _show_ship(loaded, path)
    if given.check:
        return _show_checklist(loaded, places)
    if not given.yes and not _is_right(loaded):
        return FAILED
    made = making.make(loaded, places, _wish(given), now_utc=SystemClock().utc())
    _show_made(made)
    _put_schema(path.parent)
    if given.install:
        for installed in installing.install(loaded, places):
            say(f"installed  {installed}")
    _show_checklist(loaded, places)
    return DONE


def _wish(given: argparse.Namespace) -> Wish:
    try:
        addresses = tuple(checked_address(address) for address in given.address)
    except ValueError as err:
        raise IspsdError(f"--address: {err}") from err
    if not 1 <= given.days <= certificates.AUTHORITY_DAYS:
        raise IspsdError(f"--days: 1 to {certificates.AUTHORITY_DAYS}")
    return Wish(addresses, given.days, tuple(given.new_password))


def _show_ship(loaded: Config, path: Path) -> None:
    ship = loaded.ship
    say(
        f"{path}: {ship.name}, IMO {ship.imo_number} (its check digit is right), MMSI {ship.mmsi}, {ship.call_sign}"
    )
    for role, persons in checklist.persons_by_role(loaded):
        if persons:
            say(f"  {role:<12} {', '.join(f'{p.rank} {p.name}' for p in persons)}")
    for person in loaded.persons:
        if not person.roles:
            say(f"  {'no role':<12} {person.rank} {person.name}")


def _is_right(loaded: Config) -> bool:
    if not sys.stdin.isatty():
        say("nobody to ask whether this is the ship: look at the lines above, then give --yes")
        return False
    ship = loaded.ship
    sys.stdout.write(f"Is this computer on board {ship.name}, IMO {ship.imo_number}? (yes/no) ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _show_made(made: Made) -> None:
    for path in made.fresh:
        say(f"made       {path}")
    if not made.fresh:
        say("everything was there; nothing was made")
    for user in sorted(made.gone):
        say(f"taken away the password of {user}, which is no station any more")
    say(f"record key {made.key.fingerprint}   ({made.key.public_path})")
    say(f"authority  SHA-256 {made.certified.authority_fingerprint}")


def _put_schema(folder: Path) -> None:
    """Put the schema beside the ship's file, for editors; where it cannot be, nothing is missing but their help."""
    schema = asset("ispsd.schema.json").read_bytes()
    path = folder / "ispsd.schema.json"
    try:
        fresh = files.replace(path, schema, mode=files.READABLE)
    except SetupError as err:
        say(f"no help for editors: {err}")
    else:
        if fresh:
            say(f"made       {path} (for editors of the ship's file)")


def _show_checklist(loaded: Config, places: Places) -> int:
    asked = asyncio.run(_asked(places.at(loaded.control.socket)))
    found = list(checklist.lines(loaded, places, asked=asked, now_utc=SystemClock().utc()))
    say("")
    for line in found:
        say(f"[{line.state.value:<5}] {line.text}")
        for how in line.how:
            say(f"          {how}")
    return FAILED if any(line.state is State.TO_DO for line in found) else DONE


async def _asked(socket: Path) -> Asked | None:
    """Return what the running daemon's record says; None where none runs."""
    newest: dict[tuple[str, str], int] = {}
    try:
        for type_ in ENTRIES_THAT_COUNT:
            answer = await control.ask(socket, {"do": "log", "type": type_, "count": MOST})
            for entry in map(json.loads, answer["entries"]):
                about = type_, entry["subject"]
                newest[about] = max(entry["seq"], newest.get(about, 0))
    except IspsdError:
        return None
    return Asked(newest, await _aboard(socket))


async def _aboard(socket: Path) -> tuple[str, ...] | None:
    """Return who needs a PIN of the crew that the record knows; None where it knows none but the file's."""
    try:
        persons = (await control.ask(socket, {"do": "crew"}))["persons"]
    except IspsdError:
        return None
    return tuple(p["name"] for p in persons if checklist.needs_pin(p["roles"]))
