"""What is asked about people at the command line: PINs, crew list, hand-over, sealed envelope."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.console.asking import DONE, asked, asking, does, pin_file, say
from daemon.errors import IspsdError

if TYPE_CHECKING:
    import argparse

LARGEST_CSV_BYTES: Final = 100_000


def add(commands: Any) -> None:
    """Add every subcommand that is about people."""
    _pins(commands)
    _crew(commands)
    _handover(commands)
    _envelope(commands)


def _pins(commands: Any) -> None:
    pin = asking(commands, "pin", "set your own PIN, or reset another's", by=True)
    pin.add_argument("what", choices=["set", "reset"])
    pin.add_argument("whose", nargs="?", help="to reset: the person's name")
    _new_pin_file(pin)
    does(pin, _pin)


def _pin(given: argparse.Namespace) -> dict[str, Any]:
    if given.what == "set":
        if given.whose not in {None, given.by}:
            raise IspsdError("everybody sets his own PIN: --by is whose it is")
        return {"do": "pin.set", "by": given.by}
    if given.whose is None:
        raise IspsdError("whose PIN is reset? ispsd pin reset NAME --by NAME")
    return {"do": "pin.reset", "whose": given.whose, "by": given.by}


def _crew(commands: Any) -> None:
    crew = asking(commands, "crew", "show who is on board, or take joiners and leavers from a file")
    crew.add_argument("what", nargs="?", choices=["import"])
    crew.add_argument("file", nargs="?", type=Path, help="CSV: name,rank,roles,joined,left")
    crew.add_argument("--by", metavar="NAME", help="to import: who, as the crew list has it")
    pin_file(crew)
    crew.set_defaults(act=_show_or_import)


def _show_or_import(given: argparse.Namespace) -> int:
    if given.what is None:
        return _show(given)
    if given.file is None or given.by is None:
        raise IspsdError("ispsd crew import FILE.csv --by NAME")
    answer = asked(given, {"do": "crew.import", "csv": _text(given.file), "by": given.by})
    for what, names in (
        ("joined or changed", answer["joined_or_changed"]),
        ("left", answer["left"]),
        ("on board, not in the file", answer["aboard_but_not_in_file"]),
    ):
        if names:
            say(f"{what}: {', '.join(names)}")
    if not answer["joined_or_changed"] and not answer["left"]:
        say("all of it was known; nothing is entered")
    elif answer["recorded"] is None:
        say("taken, not yet recorded")
    else:
        say(f"recorded; the last is no. {answer['recorded']}")
    return DONE


def _show(given: argparse.Namespace) -> int:
    answer = asked(given, {"do": "crew"})
    for each in answer["persons"]:
        joined = each["joined"] or "first list"
        say(f"{each['name']:<24} {each['rank']:<10} {joined:<12} {', '.join(each['roles'])}")
    say(f"{len(answer['persons'])} on board, {answer['new']} new to this ship's drills")
    if answer["drill_by"] is not None:
        say(f"more than a quarter: drill by {answer['drill_by'][:10]} (ISPS B/13.6)")
    return DONE


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_CSV_BYTES + 1)
    except OSError as err:
        raise IspsdError(f"{path}: {err.strerror}") from err
    if len(raw) > LARGEST_CSV_BYTES:
        raise IspsdError(f"{path}: larger than {LARGEST_CSV_BYTES} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError as err:
        line = raw[: err.start].count(b"\n") + 1
        raise IspsdError(f"{path}: line {line}: is not UTF-8; save it as CSV UTF-8") from err


def _handover(commands: Any) -> None:
    over = asking(commands, "handover", "hand the duty of SSO or Master over; both give their PINs")
    over.add_argument("--role", required=True, choices=["sso", "master"])
    over.add_argument("--from", required=True, dest="giver", metavar="NAME")
    over.add_argument("--to", required=True, dest="taker", metavar="NAME")
    pin_file(over)
    does(over, lambda g: {"do": "handover", "role": g.role, "by": [g.giver, g.taker]})


def _envelope(commands: Any) -> None:
    envelope = asking(
        commands, "envelope", "make the code that resets the Master's PIN, or use it", by=True
    )
    envelope.add_argument("--open", action="store_true", help="the seal was broken: use the code")
    envelope.add_argument("--code-file", type=Path, metavar="FILE", help="where the code stands")
    _new_pin_file(envelope)
    envelope.set_defaults(act=_make_or_open)


def _make_or_open(given: argparse.Namespace) -> int:
    if given.open:
        answer = asked(given, {"do": "envelope.open", "by": given.by})
        say(f"the Master has a new PIN; make a new envelope (no. {answer['recorded']})")
        return DONE
    answer = asked(given, {"do": "envelope.make", "by": given.by})
    say("Write this down now, seal it, and let the Master keep it. It is shown this once:")
    say(f"    {answer['code']}")
    return DONE


def _new_pin_file(parser: Any) -> None:
    parser.add_argument(
        "--new-pin-file", type=Path, metavar="FILE", help="where the new PIN stands (mode 0600)"
    )
