"""The command ``ispsd``: what it can do, and its exit codes.

0 done (verify: PASS) · 1 failed or refused (verify: FAIL) · 2 a configuration or a command line that cannot be used
(verify: INCONCLUSIVE).
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import daemon
from daemon import config
from daemon.computer import logs, systemd
from daemon.config import reading
from daemon.console.asking import (
    DEFAULT_CONFIG,
    DONE,
    FAILED,
    THE_FILE,
    UNUSABLE,
    Parser,
    is_missing,
    socket_of,
)
from daemon.errors import ConfigError, IspsdError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "acts": (
        *("ack", "silence", "take-watch"),
        *("situation", "threat", "ship-time", "ais", "interference"),
        *("curtain", "visitor-view", "palette", "permit", "end-permit"),
        *("worklist", "start", "answer", "abort", "not-done", "reseal", "release"),
    ),
    "timed": ("level", "port-level", "inhibit", "out-of-service", "blackout", "secure"),
    "tests": ("tests",),
    "ssas": ("ssas", "false-alert-card", "window", "notice", "notice-text"),
    "alerts": ("alerts",),
    "book": (
        *("forms", "enter", "seals", "raise", "amend", "attach", "evidence"),
        *("review", "countersign"),
    ),
    "capture": ("capture",),
    "commissioning": ("wiring", "loop-check", "replaced", "restart-driver"),
    "defects": ("defect",),
    "doctor": ("doctor",),
    "export": ("export", "digest"),
    "fleet": ("fleet",),
    "log": ("log", "entry"),
    "people": ("pin", "crew", "handover", "envelope"),
    "rates": ("rates",),
    "record": ("rotate", "archive", "retention", "restore-test", "key", "adopt"),
    "rejudge": ("rejudge",),
    "setup": ("init",),
    "shipfile": ("check", "migrate", "reload", "schema"),
    "sound": ("sound", "heard", "test-sound"),
    "topics": ("topics",),
    "web": ("web",),
    "witness": ("witness", "witness-request", "witness-answer", "compare"),
}
"""The modules of ``daemon.console``, and the subcommands that each adds with ``add(commands)``.

A module is imported when one of its subcommands is asked for, or the list of all: nobody waits for what he did not ask.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["verify"]:
        from daemon.record import verify  # noqa: PLC0415 (it shares nothing with the daemon, not even this module)

        return verify.main(words[1:])
    if fault := _foreign_package():
        print(f"ispsd: {fault}", file=sys.stderr)
        return UNUSABLE
    given = _parser(words).parse_args(words)
    try:
        result: int = given.act(given)
        sys.stdout.flush()
    except ConfigError as err:
        told = "\n".join(err.in_a_log()) if systemd.is_journal(sys.stderr) else str(err)
        print(f"{told}\n{len(err.faults)} fault(s); nothing was started", file=sys.stderr)
        return UNUSABLE
    except IspsdError as err:
        print(f"ispsd: {err}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        result = FAILED
    except BrokenPipeError:
        # Whoever read the list, as `| head` does, had enough of it.
        _forget_output()
        result = FAILED
    except OSError as err:
        if given.act is _run:
            raise  # the daemon looks after its files itself: this is a bug, and its place is wanted
        if err.filename is None:
            _forget_output()
            print(f"ispsd: {err.strerror or err}", file=sys.stderr)
        else:
            print(f"ispsd: {err.filename}: {err.strerror}", file=sys.stderr)
        result = FAILED
    return result


def _forget_output() -> None:
    """Let what is still buffered go nowhere: it can no longer be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _foreign_package() -> str | None:
    """Say so when ``import daemon`` found python-daemon or another package of that name."""
    if getattr(daemon, "__doc__", None) and "ispsd" in str(daemon.__doc__):
        return None
    return f"the package daemon is {daemon.__file__}, not ispsd's: install into a virtual environment of its own"


def _parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of what is typed; where no subcommand is recognised, that of all."""
    parser = argparse.ArgumentParser(
        prog="ispsd", description="Watches a ship's security equipment."
    )
    parser.add_argument("--version", action=_Version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

    run = commands.add_parser("run", help="run the daemon")
    run.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=THE_FILE)
    run.add_argument("--log-level", choices=["debug", "info", "warning"], default="info")
    run.set_defaults(act=_run)

    status = commands.add_parser("status", help="show how everything stands, until Ctrl-C")
    status.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=THE_FILE)
    status.add_argument("--socket", type=Path, help="the control socket, without its configuration")
    status.add_argument("--once", action="store_true", help="once, and no more")
    status.add_argument("--json", action="store_true", help="once, for programs")
    status.add_argument("--sso", action="store_true", help="with what the SSO alone may see")
    status.set_defaults(act=_status)

    commands.add_parser(
        "verify", help="verify a record, trusting nobody", add_help=False
    )  # its words are verify.py's own, see main

    demo = commands.add_parser("demo", help="a ship's night in the terminal")
    demo.add_argument("--keep", action="store_true", help="go on after the story, until Ctrl-C")
    demo.add_argument(
        "--state",
        type=Path,
        help="where the demo's record is kept (default: a new temporary folder)",
    )
    demo.set_defaults(act=_demo)

    simulate = commands.add_parser("simulate", help="run a ship's own file on simulated devices")
    simulate.add_argument("config", type=Path, help="the ship's file")
    simulate.add_argument(
        "--state", type=Path, help="where its record is kept (default: a new temporary folder)"
    )
    simulate.add_argument("--scenario", type=Path, help="what happens when (TOML)")
    simulate.add_argument("--keep", action="store_true", help="go on after the scenario")
    simulate.set_defaults(act=_simulate)

    asked = words[0] if words else ""
    if asked not in {*commands.choices, "--version"}:
        for group in [each for each, names in GROUPS.items() if asked in names] or GROUPS:
            importlib.import_module(f"daemon.console.{group}").add(commands)
    return parser


class _Version(argparse.Action):
    """Print the version and exit; it is looked for only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(
            option_strings, dest, nargs=0, help="show program's version number and exit"
        )

    def __call__(  # type: ignore[explicit-override]  # typing.override is Python 3.12
        self, parser: argparse.ArgumentParser, *_: Any
    ) -> None:
        from importlib.metadata import version  # noqa: PLC0415 (it takes as long as all else here)

        print(f"ispsd {version('ispsd')}")
        parser.exit()


def _run(given: argparse.Namespace) -> int:
    from daemon import app  # noqa: PLC0415 (the other subcommands start faster without the drivers' libraries)
    from daemon.computer.clock import SystemClock  # noqa: PLC0415

    loaded = config.load(given.config)
    clock = SystemClock()
    logs.configure(json=not sys.stderr.isatty(), utc=clock.utc, level=given.log_level)
    return asyncio.run(app.run(loaded, clock=clock, path=given.config))


def _status(given: argparse.Namespace) -> int:
    from daemon.computer.clock import SystemClock  # noqa: PLC0415 (see _run)
    from daemon.console import live  # noqa: PLC0415

    if given.socket is None and given.config == DEFAULT_CONFIG and is_missing(DEFAULT_CONFIG):
        raise IspsdError("no ispsd is installed here; give --socket or --config")
    path = given.socket or socket_of(reading.tree(given.config))
    if path is None:
        path = config.load(given.config).control.socket  # refuses the file, with all its faults
    clock = SystemClock()
    if given.once or given.json or not sys.stdout.isatty():
        asking = live.once(path, sso=given.sso, as_json=given.json, colour=_colour(), clock=clock)
        print(asyncio.run(asking))
    else:
        asyncio.run(live.until_stopped(path, sso=given.sso, colour=_colour(), clock=clock))
    return DONE


def _colour() -> bool:
    """Return whether styles are wanted: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _demo(given: argparse.Namespace) -> int:
    from daemon.demo import play  # noqa: PLC0415 (see _run)

    if given.state is not None:
        given.state.mkdir(parents=True, exist_ok=True)
        given.state = given.state.resolve()
    return asyncio.run(play.run(state=given.state, keep=given.keep))


def _simulate(given: argparse.Namespace) -> int:
    from daemon.simulate import session  # noqa: PLC0415 (see _run)

    return asyncio.run(
        session.run(given.config, state=given.state, scenario=given.scenario, keep=given.keep)
    )
