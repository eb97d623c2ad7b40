"""How a subcommand becomes one request to the running daemon, and its answer words on the terminal."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from daemon import control

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Request: TypeAlias = dict[str, Any]

DONE, FAILED, UNUSABLE = 0, 1, 2
"""Exit codes of every subcommand; of verify: PASS, FAIL, INCONCLUSIVE."""
DEFAULT_CONFIG = Path("/etc/ispsd/ispsd.toml")
DEFAULT_SOCKET = Path("/run/ispsd/control.sock")


class Parser(argparse.ArgumentParser):
    """A parser that can let options stand between words, as people type them: ``enter drill --by NAME crew=22``."""

    is_mixed = False
    """Set for a subcommand that takes any number of words."""

    def parse_known_args(  # type: ignore[explicit-override]  # typing.override is Python 3.12
        self, args: Any = None, namespace: Any = None
    ) -> Any:
        if not self.is_mixed:
            return super().parse_known_args(args, namespace)
        self.is_mixed = False  # argparse asks itself, for the options and for the words
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.is_mixed = True


def say(line: str) -> None:
    """Print a line for whoever asked."""
    sys.stdout.write(line + "\n")


def asking(commands: Any, name: str, help_: str, *, by: bool = False) -> Any:
    """Add a subcommand that asks a running daemon; ``by`` for an act, which has somebody who does it."""
    parser = commands.add_parser(name, help=help_)
    parser.add_argument("--socket", type=Path, default=DEFAULT_SOCKET, help="the control socket")
    if by:
        parser.add_argument(
            "--by", required=True, metavar="NAME", help="who, as the crew list has it"
        )
    return parser


def does(parser: Any, request: Callable[[argparse.Namespace], Request]) -> None:
    """Have a subcommand send one request and show the answer as it came."""
    parser.set_defaults(act=lambda given: _sent(given, request(given)))


def asked(given: argparse.Namespace, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the daemon's answer.

    Raises:
        IspsdError: No daemon answers, or it refuses.
    """
    return asyncio.run(control.ask(given.socket, request))


def _sent(given: argparse.Namespace, request: Mapping[str, Any]) -> int:
    say(json.dumps(asked(given, request), ensure_ascii=False))
    return DONE
