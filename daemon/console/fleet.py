"""``ispsd fleet``: the company's list of its ships, from the files that they mail; no daemon, no network."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.ashore import fleet
from daemon.console.asking import DONE, FAILED, say
from daemon.errors import IspsdError
from daemon.papers import comma
from daemon.record import verify
from daemon.wording.terminal import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

COLUMNS: Final = (
    *("ship", "flag", "report age", "level", "last SSAS test", "next", "drill", "exercise"),
    *("defects > 7 d", "overdue", "inhibits", "config", "record", "ISSC"),
)
TELL_EVERY: Final = 20
"""Files between two words to whoever waits."""


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("fleet", help="list the company's ships from their weekly reports")
    parser.add_argument("folder", type=Path, help="where the files of all ships are kept")
    parser.add_argument(
        "--key",
        action="append",
        required=True,
        metavar="FILE",
        help="public keys of the ships, one a line; again for another file",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="for a spreadsheet")
    form.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(act=_fleet)


def _fleet(given: argparse.Namespace) -> int:
    try:
        keys = [key for argument in given.key for key in verify.read_keys(argument)]
        paths = fleet.files(given.folder)
    except (verify.UnclearError, OSError) as err:
        raise IspsdError(str(err)) from err
    if not given.folder.is_dir():
        raise IspsdError(f"{given.folder}: there is no such folder")
    now_utc = datetime.now(UTC)
    found = fleet.gathered(_told(paths), keys, now_utc=now_utc)
    table = [fleet.cells(row, now_utc=now_utc) for row in found.rows]
    if given.json:
        say(json.dumps(_message(found, table), ensure_ascii=False))
    elif given.csv:
        rows = ([row.get(name, "") for name in COLUMNS] for row in table)
        sys.stdout.buffer.write(comma.written(COLUMNS, rows))
    else:
        for line in _page(found, table):
            say(printable(line))
    for each in found.refused:
        sys.stderr.write(printable(f"REFUSED {each.path}: {each.reason}") + "\n")
    return FAILED if found.refused or any(row.alarms for row in found.rows) else DONE


def _told(paths: list[Path]) -> Iterator[Path]:
    """Yield each, and tell a person at a terminal how far it has come."""
    shown = sys.stderr.isatty()
    for number, path in enumerate(paths, start=1):
        if shown and number % TELL_EVERY == 0:
            sys.stderr.write(f"\rreading {number} of {len(paths)}")
            sys.stderr.flush()
        yield path
    if shown:
        sys.stderr.write("\r\x1b[K")


def _page(found: fleet.Fleet, table: list[dict[str, str]]) -> Iterator[str]:
    widths = {
        name: max([len(name), *(len(row.get(name, "")) for row in table)]) for name in COLUMNS
    }
    yield "  ".join(f"{name.upper():<{widths[name]}}" for name in COLUMNS).rstrip()
    for row, line in zip(found.rows, table, strict=True):
        yield "  ".join(f"{line.get(name, ''):<{widths[name]}}" for name in COLUMNS).rstrip()
        yield from (f"    {words}" for words in row.alarms if words != "REPORT OLD")
    looked = sum(bool(row.alarms) for row in found.rows)
    yield f"{len(found.rows)} ships, {looked} to look at, {len(found.refused)} files refused"


def _message(found: fleet.Fleet, table: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "ships": [
            {
                **line,
                "alarms": list(row.alarms),
                "file": str(row.report.path) if row.report else None,
            }
            for row, line in zip(found.rows, table, strict=True)
        ],
        "refused": [{"file": str(each.path), "reason": each.reason} for each in found.refused],
    }
