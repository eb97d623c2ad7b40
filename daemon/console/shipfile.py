"""The ship's file itself: whether it is in order, and what helps an editor with it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon import config
from daemon.computer import logs, systemd
from daemon.computer.clock import SystemClock
from daemon.config import formats
from daemon.config.carrying import packed
from daemon.console.asking import (
    DEFAULT_CONFIG,
    DEFAULT_SOCKET,
    DONE,
    FAILED,
    THE_FILE,
    say,
    socket_of,
)
from daemon.control import control
from daemon.errors import ConfigError, Fault, IspsdError
from daemon.model import OpeningKind
from daemon.setup import files, keeping
from daemon.wording.terminal import printable

if TYPE_CHECKING:
    import argparse

    from daemon.config import Config

USUAL_S: Final = 60.0
"""Equipment that reports its alerts does so once a minute."""
SHORTEST_S: Final = 1.0
LONGEST_S: Final = 600.0
RELOADED_S: Final = 45.0
AGAIN_S: Final = 0.2
MOST_PACKED: Final = control.LONGEST_LINE - 8 * 1024
"""Bytes of a request that the file may have; the rest of it is its name."""
ASKED_S: Final = 5.0
THREADS: Final = "probe"
MOST_THREADS: Final = 64
"""Ports are opened in threads: those that hang must not keep the others."""
THREADS_S: Final = 2.0
SECRETS: Final = Path("/etc/ispsd/credentials")
UNPROBED: Final = (
    "SSAS equipment, if there is any, is not probed: it is read in a test window and nowhere else"
)
COUNTED: Final = {
    OpeningKind.DOOR: "doors",
    OpeningKind.SEAL: "seals",
    OpeningKind.SIDE_DOOR: "side doors",
    OpeningKind.MOTION: "motion detectors",
    OpeningKind.LIGHT: "lights",
    OpeningKind.MAINS: "UPS",
}


def add(commands: Any) -> None:
    """Add the subcommands."""
    check = commands.add_parser("check", help="say everything that is wrong with a configuration")
    check.add_argument("config", type=Path, nargs="?", default=DEFAULT_CONFIG, help=THE_FILE)
    check.add_argument(
        "--probe",
        action="store_true",
        help="try every device, the broker and the second copy's folder as well; not while ispsd runs",
    )
    check.add_argument(
        "--within",
        type=float,
        default=USUAL_S,
        metavar="SECONDS",
        help=f"with --probe: how long a device may take to say something (default {USUAL_S:g})",
    )
    check.set_defaults(act=_check)

    migrate = commands.add_parser(
        "migrate", help="bring the ship's file to the newest format, comments and order kept"
    )
    migrate.add_argument("config", type=Path, nargs="?", default=DEFAULT_CONFIG, help=THE_FILE)
    migrate.add_argument("--dry-run", action="store_true", help="say what would be changed")
    migrate.set_defaults(act=_migrate)

    reload = commands.add_parser(
        "reload", help="have the running ispsd take the ship's file as it is now; or say why not"
    )
    reload.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=THE_FILE)
    reload.add_argument("--socket", type=Path, help="the control socket (default: the file's)")
    reload.set_defaults(act=lambda given: asyncio.run(_reload(given)))

    schema = commands.add_parser(
        "schema", help="print the JSON Schema of the ship's file, for editors"
    )
    schema.set_defaults(act=_schema)


def _check(given: argparse.Namespace) -> int:
    from daemon.config.advice import advice  # noqa: PLC0415 (see _probed)

    loaded = config.load(given.config)
    if given.probe:
        return _probe(given, loaded)
    kinds = Counter(opening.kind for opening in loaded.openings)
    watched = ", ".join(f"{kinds[kind]} {words}" for kind, words in COUNTED.items() if kinds[kind])
    say(
        f"{given.config}: in order. {loaded.ship.name}: {len(loaded.devices)} devices, "
        f"{watched or 'nothing watched'}, {len(loaded.tests)} tests"
    )
    for text in advice(loaded, checking=True):
        sys.stderr.write(f"{given.config}: mind: {text}\n")
    return DONE


def _probe(given: argparse.Namespace, loaded: Config) -> int:
    """Try what the file names; a thread that a wedged adapter holds does not hold the command."""
    if not SHORTEST_S <= given.within <= LONGEST_S:
        raise IspsdError(f"--within: {SHORTEST_S:g} to {LONGEST_S:g} s, not {given.within:g}")
    logs.configure(json=False, utc=SystemClock().utc, level="error")
    loop = asyncio.new_event_loop()
    pool = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix=THREADS)
    loop.set_default_executor(pool)
    probing = loop.create_task(_probed(given, loaded))
    # Whoever has had enough of it is not held by such a thread either.
    loop.add_signal_handler(signal.SIGINT, probing.cancel)
    try:
        code = loop.run_until_complete(probing)
    except asyncio.CancelledError:
        code = FAILED
    finally:
        loop.run_until_complete(_end_what_is_left())
        loop.close()
    pool.shutdown(wait=False, cancel_futures=True)
    if _are_stuck():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


async def _end_what_is_left() -> None:
    """End what was given up, such as a broker that was being dialled: how it ends is of no interest any more."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if not left:
        return
    for task in left:
        task.cancel()
    ended, _ = await asyncio.wait(left, timeout=THREADS_S)
    for task in ended:
        if not task.cancelled():
            task.exception()


def _are_stuck() -> bool:
    """Return whether a thread does not end: Python would wait for it for ever."""
    for thread in threading.enumerate():
        if thread.name.startswith(THREADS):
            thread.join(THREADS_S)
            if thread.is_alive():
                return True
    return False


async def _probed(given: argparse.Namespace, loaded: Config) -> int:
    from daemon.probing.all import found  # noqa: PLC0415 (the other subcommands start faster without it)

    if await control.answers(loaded.control.socket):
        raise IspsdError(
            "ispsd runs and holds the ports; a probe would take its units' time. Ask `ispsd status` how each device "
            "stands; or stop it first (systemctl stop ispsd), and tell the watch that nothing is guarded meanwhile"
        )
    say(f"{given.config}: in order; trying what it names, {given.within:g} s at most for each")
    say(UNPROBED)
    wrong = places = 0
    async for finding in found(
        loaded,
        within_s=given.within,
        secrets=SECRETS,
        clock=SystemClock(),
        waiting=_say_waiting,
    ):
        say(printable(finding.line()))
        sys.stdout.flush()
        places, wrong = places + 1, wrong + (not finding.is_ok)
    say(f"{places} places tried, {wrong} wrong")
    return FAILED if wrong else DONE


def _say_waiting(names: list[str], left_s: float) -> None:
    sys.stderr.write(f"waiting for {', '.join(names)}; {left_s:.0f} s at most\n")


def _migrate(given: argparse.Namespace) -> int:
    from daemon.config.migrating import migrated  # noqa: PLC0415 (see _schema)

    path = given.config
    raw = files.read(path)
    try:
        done = migrated(str(path), raw.decode())
    except UnicodeDecodeError as err:
        raise ConfigError(str(path), (Fault("file", f"not TOML: {err}"),)) from err
    if not done.changes:
        say(f"{path}: is of format {done.was} already; nothing was changed")
        return DONE
    for change in done.changes:
        say(printable(f"{path}: {change}"))
    if given.dry_run:
        say("nothing was written")
        return DONE
    kept = keeping.rewritten(
        path.resolve(), done.text.encode(), was=raw, kept_as=f"format-{done.was}"
    )
    say(f"{path}: written in the newest format; the old one is {kept}")
    say(f"now: ispsd check {path}")
    return DONE


async def _reload(given: argparse.Namespace) -> int:
    raw = files.read(given.config)
    socket = given.socket or _socket_of(raw, str(given.config))
    # `systemctl reload` has the journal read what is said here.
    for_a_log = systemd.is_journal(sys.stderr)
    content = packed(raw)
    if len(content) > MOST_PACKED:
        raise IspsdError(
            f"{given.config}: even packed, {len(content)} bytes are more than a running ispsd can be handed "
            f"({MOST_PACKED}): systemctl restart ispsd takes it"
        )
    request = {"do": "reload", "file": str(given.config), "packed": content}
    answer = await control.ask(socket, {**request, "for_a_log": for_a_log})
    if answer["same"]:
        say(f"{given.config}: ispsd runs with it already; nothing was done")
        return DONE
    for line in answer["changes"]:
        say(printable(f"  {line}"))
    for _ in range(round(RELOADED_S / AGAIN_S)):
        if await _runs_with(socket, answer["sha256"]):
            say(f"{given.config}: ispsd runs with it")
            if answer["of_pages"]:
                say("its pages run with the old one: systemctl restart ispsd-web")
            return DONE
        await asyncio.sleep(AGAIN_S)
    raise IspsdError(
        f"the file was taken, and {RELOADED_S:g} s later ispsd does not answer with it: journalctl -u ispsd"
    )


def _socket_of(raw: bytes, name: str) -> Path:
    """Return where the file says that ispsd is spoken to, whatever else is wrong with it."""
    try:
        tree = formats.parsed(name, raw.decode("utf-8", "replace"))
    except ConfigError:
        return DEFAULT_SOCKET
    return socket_of(tree) or DEFAULT_SOCKET


async def _runs_with(socket: Path, sha256: str) -> bool:
    try:
        async with asyncio.timeout(ASKED_S):
            answer = await control.ask(socket, {"do": "configuration"})
    except (IspsdError, TimeoutError):
        return False  # between the two
    return bool(answer["sha256"] == sha256)


def _schema(given: argparse.Namespace) -> int:  # noqa: ARG001 (it asks for nothing)
    from daemon.config import schema  # noqa: PLC0415 (the other subcommands need no schema)

    sys.stdout.write(schema.text())
    return DONE
