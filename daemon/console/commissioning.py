"""What the electro-technical officer types: the wiring list, the loop check, a unit that was replaced."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon import config
from daemon.console.asking import DEFAULT_CONFIG, DONE, asked, asking, does, pin_file, say
from daemon.control import control
from daemon.errors import IspsdError
from daemon.wording.terminal import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from daemon.config.wiring import Row
    from daemon.console.asking import Request

PROVED: Final = ("proved_closed", "proved_open", "proved_line_fault", "proved")
TABLE: Final = ("device", "input", "printed", "tag", "name", "wiring", "on_while", "normal")
"""The columns of the list on the screen, before those of the proof."""
LEFT_OUT: Final = "SSAS channels are never in this list"
FOLLOW_S: Final = 0.5
BELL: Final = "\a"


def add(commands: Any) -> None:
    """Add the subcommands of commissioning."""
    listing = commands.add_parser(
        "wiring", help="list what is wired where, and what of it is proved"
    )
    listing.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="the ship's file")
    listing.add_argument("--socket", type=Path, help="the control socket, if not the file's own")
    listing.add_argument(
        "--csv", action="store_true", help="with all columns, for the drawing file"
    )
    listing.set_defaults(act=_wiring)

    check = asking(commands, "loop-check", "move contacts on purpose; each change is told")
    check.add_argument("what", choices=["start", "agree", "end", "show", "follow"])
    scope = check.add_mutually_exclusive_group()
    scope.add_argument("--device", metavar="ID", help="to start: the contacts of one device")
    scope.add_argument("--all", action="store_true", help="to start: every device")
    check.add_argument("--minutes", type=int, help="to start: for how long, 120 at most")
    check.add_argument("--by", metavar="NAME", help="who, as the crew list has it")
    pin_file(check)
    does(check, _loop_check)
    acting = check.get_default("act")
    check.set_defaults(act=lambda given: _shown(given) if _only_looks(given) else acting(given))

    replaced = asking(
        commands, "replaced", "enter that a unit was replaced: prove it again", by=True
    )
    replaced.add_argument("device", help="its id: io1")
    replaced.add_argument("--old", required=True, metavar="SERIAL", help="of the unit taken out")
    replaced.add_argument("--new", required=True, metavar="SERIAL", help="of the unit put in")
    replaced.add_argument("--why", help="what was wrong with the old one")
    does(replaced, _replaced)
    again = asking(
        commands, "restart-driver", "let a driver go that was quarantined by name", by=True
    )
    again.add_argument("device", help="its id: io1")
    does(again, lambda given: {"do": "driver.restart", "device": given.device, "by": given.by})


def _replaced(given: argparse.Namespace) -> Request:
    why = {"why": given.why} if given.why else {}
    said = {"device": given.device, "old": given.old, "new": given.new, "by": given.by}
    return {"do": "replaced", **said, **why}


# The loop check


def _only_looks(given: argparse.Namespace) -> bool:
    return given.what in {"show", "follow"}


def _loop_check(given: argparse.Namespace) -> Request:
    if not given.by:
        raise IspsdError(f'who? ispsd loop-check {given.what} --by "NAME"')
    request: Request = {"do": "loop_check", "what": given.what, "by": given.by}
    if given.what == "start":
        if not given.device and not given.all:
            raise IspsdError("of what? --device ID, or --all")
        request |= {"device": given.device or "all"}
        request |= {} if given.minutes is None else {"minutes": given.minutes}
    return request


def _shown(given: argparse.Namespace) -> int:
    """Show how the loop check stands; or each change as it comes, with the terminal's bell, until it is over."""
    said, told = asked(given, {"do": "loop_check.show"}), 0
    say(_standing(said))
    while True:
        for change in reversed(said["changes"]):
            if change["number"] > told:
                say(_change(change) + (BELL if given.what == "follow" else ""))
                told = change["number"]
        if given.what == "show" or said["state"] == "off":
            return DONE
        sys.stdout.flush()
        time.sleep(FOLLOW_S)
        said = asked(given, {"do": "loop_check.show"})
        if said["state"] == "off":
            say("the loop check is over")


def _standing(said: Mapping[str, Any]) -> str:
    match said["state"]:
        case "off":
            return "no loop check is on"
        case "waiting":
            return f"loop check of {said['scope']} by {said['by']}: waits for the watch to agree"
        case _:
            return f"loop check of {said['scope']} by {said['by']}, agreed by {said['agreed_by']}"


def _change(change: Mapping[str, Any]) -> str:
    state = change["state"].upper().replace("_", " ")
    where = " ".join(part for part in (change["device"], change["inputs"]) if part)
    row = f"{change['number']:>4}  {change['tag']:<11} {state:<10} {change['name']:<16} {where}"
    return printable(row)


# The wiring list


def _wiring(given: argparse.Namespace) -> int:
    from daemon.config import wiring  # noqa: PLC0415 (the other subcommands start faster without the drivers' libraries)
    from daemon.papers.comma import written  # noqa: PLC0415

    ship = config.load(given.config)
    rows = list(wiring.rows(ship))
    proofs, note = _proofs(given.socket or ship.control.socket)
    listed = [{**asdict(row), **_proof(row, proofs)} for row in rows]
    if given.csv:
        columns = (*wiring.COLUMNS, *PROVED)
        sys.stdout.buffer.write(written(columns, [[row[c] for c in columns] for row in listed]))
        sys.stdout.flush()
    else:
        for line in _table(listed):
            say(line)
    for said in (LEFT_OUT, note):
        if said:
            sys.stderr.write(f"{given.config}: {said}\n")
    return DONE


def _proofs(socket: Path) -> tuple[dict[str, Mapping[str, Any]] | None, str]:
    """Return what the daemon knows of each contact; None, and why, where it cannot be asked."""
    try:
        answer = asyncio.run(control.ask(socket, {"do": "wiring"}))
    except (IspsdError, OSError) as err:
        return None, f"what is proved is not known, the daemon was not asked: {err}"
    if not answer["known"]:
        return None, "what is proved is not known: the daemon cannot read its record yet"
    return {each["point"]: each for each in answer["contacts"]}, ""


def _proof(row: Row, proofs: Mapping[str, Mapping[str, Any]] | None) -> dict[str, str]:
    if proofs is None or (said := proofs.get(row.tag)) is None:
        return dict.fromkeys(PROVED, "")
    supervised = said["supervised"]
    return {
        "proved_closed": said["closed"] or "",
        "proved_open": said["open"] or "",
        "proved_line_fault": said["line_fault"] or "" if supervised else "cannot be seen",
        "proved": "yes" if said["proved"] else "no",
    }


def _table(listed: Sequence[Mapping[str, str]]) -> list[str]:
    columns = (*TABLE, "proved")
    rows = [{name: name.replace("_", " ") for name in columns}, *listed]
    widths = {name: max(len(row[name]) for row in rows) for name in columns}
    return ["  ".join(f"{row[c]:<{widths[c]}}" for c in columns).rstrip() for row in rows]
