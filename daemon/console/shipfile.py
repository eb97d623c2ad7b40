"""The ship's file itself: whether it is in order, and what helps an editor with it."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon import config
from daemon.config.advice import advice
from daemon.console.asking import DEFAULT_CONFIG, DONE, say
from daemon.model import OpeningKind

if TYPE_CHECKING:
    import argparse

THE_FILE: Final = f"the ship's file (default: {DEFAULT_CONFIG})"
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
    check.set_defaults(act=_check)

    schema = commands.add_parser(
        "schema", help="print the JSON Schema of the ship's file, for editors"
    )
    schema.set_defaults(act=_schema)


def _check(given: argparse.Namespace) -> int:
    loaded = config.load(given.config)
    kinds = Counter(opening.kind for opening in loaded.openings)
    watched = ", ".join(f"{kinds[kind]} {words}" for kind, words in COUNTED.items() if kinds[kind])
    say(
        f"{given.config}: in order. {loaded.ship.name}: {len(loaded.devices)} devices, "
        f"{watched or 'nothing watched'}, {len(loaded.tests)} tests"
    )
    for text in advice(loaded, checking=True):
        sys.stderr.write(f"{given.config}: mind: {text}\n")
    return DONE


def _schema(given: argparse.Namespace) -> int:  # noqa: ARG001 (it asks for nothing)
    from daemon.config import schema  # noqa: PLC0415 (the other subcommands need no schema)

    sys.stdout.write(schema.text())
    return DONE
