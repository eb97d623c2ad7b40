"""How a subcommand becomes one request to the running daemon, and its answer words on the terminal.

A PIN is never an argument, which others could read in the list of processes: it is typed where nobody sees it, or read
from a file, and only when the daemon says that one is wanted.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from daemon.console.line import in_words
from daemon.control import control
from daemon.errors import IspsdError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Request: TypeAlias = dict[str, Any]

DONE, FAILED, UNUSABLE = 0, 1, 2
"""Exit codes of every subcommand; of verify: PASS, FAIL, INCONCLUSIVE."""
DEFAULT_CONFIG = Path("/etc/ispsd/ispsd.toml")
DEFAULT_SOCKET = Path("/run/ispsd/control.sock")
THE_FILE: Final = f"the ship's file (default: {DEFAULT_CONFIG})"
LONGEST_PIN_FILE: Final = 256
"""Bytes; only its first line counts."""
IDS: Final = frozenset({"id", "alert", "door"})
"""Members of a thing of a list that name it to programs; a name stands beside them."""
MOST_ROUNDS: Final = 3
"""Questions that one request may come back with: a PIN, a new one, a confirmation."""


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
    # No shortened options: --pin would be --pin-file, with a PIN where others read it.
    parser = commands.add_parser(name, help=help_, allow_abbrev=False)
    parser.add_argument("--socket", type=Path, default=DEFAULT_SOCKET, help="the control socket")
    if by:
        parser.add_argument(
            "--by", required=True, metavar="NAME", help="who, as the crew list has it"
        )
        pin_file(parser)
    return parser


def pin_file(parser: Any) -> None:
    """Let PINs come from files: of two persons two, in the order in which they are named."""
    parser.add_argument(
        "--pin-file",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="where the PIN stands (mode 0600), if one is wanted; it is asked for otherwise",
    )


def order(verb: str, by: str, **said: Any) -> Request:
    """Return the request for an order about the ship; what is None is not said."""
    return {"do": "order", "verb": verb, "said": members(**said), "by": by}


def members(**said: Any) -> Request:
    """Return members of a request; what is None is not said."""
    return {name: value for name, value in said.items() if value is not None}


def does(parser: Any, request: Callable[[argparse.Namespace], Request]) -> None:
    """Have a subcommand send one request and show the answer in words, or to programs as it came."""
    parser.add_argument("--json", action="store_true", help="the answer as it came, for programs")
    parser.set_defaults(act=lambda given: _sent(given, request(given)))


def asked(given: argparse.Namespace, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the daemon's answer; what it wants beside the request is asked of the person at the terminal.

    Raises:
        IspsdError: No daemon answers, or it refuses, or what it wants is not there.
    """
    must_be_here(given)
    said = dict(request)
    for _ in range(MOST_ROUNDS):
        try:
            return asyncio.run(control.ask(given.socket, said))
        except RefusedError as err:
            wants = {name: of for name, of in err.wants.items() if name not in said}
            if not wants:
                raise
            said |= _supplied(given, wants, err)
    return asyncio.run(control.ask(given.socket, said))


def must_be_here(given: argparse.Namespace) -> None:
    """Refuse to ask where none was ever installed.

    Raises:
        IspsdError: None was, and no other socket is named.
    """
    if given.socket == DEFAULT_SOCKET and is_missing(DEFAULT_SOCKET) and is_missing(DEFAULT_CONFIG):
        raise IspsdError("no ispsd is installed here; give --socket")


def _sent(given: argparse.Namespace, request: Mapping[str, Any]) -> int:
    answer = asked(given, request)
    rows = [json.dumps(answer, ensure_ascii=False)] if given.json else answered(request, answer)
    for row in rows:
        say(row)
    return DONE


def answered(request: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """Return an answer in words: of an act a line, and one a thing of each list; of a question one a member."""
    told = {k: said for k, said in answer.items() if k != "recorded" and said is not None}
    if "by" not in request:
        return [f"{_named(name)}: {_value(said)}" for name, said in told.items()]
    listed = {name: said for name, said in told.items() if isinstance(said, list)}
    more = [f"{_named(name)}: {_value(said)}" for name, said in told.items() if name not in listed]
    match answer.get("recorded", ""):
        case "":  # nothing is written yet
            done = "done"
        case None if "waits_for" in answer:  # somebody else speaks first
            done = "done"
        case None:
            done = "done; not yet on disk"
        case seq:
            done = f"done · no. {seq} on disk"
    rows = [" · ".join([done, *more])]
    for name, things in listed.items():
        rows += [f"{_named(name)}:", *(f"  {_thing(each)}" for each in things)] if things else []
    return rows


def _named(name: str) -> str:
    return name.replace("_", " ")


def _thing(said: Any) -> str:
    """Return one thing of a list: what it is and how it stands, without what only programs call it."""
    if not isinstance(said, dict):
        return in_words(said)
    return " · ".join(
        f"until {in_words(value)}" if name == "ends_utc" else in_words(value)
        for name, value in said.items()
        if name not in IDS
    )


def _value(said: Any) -> str:
    if isinstance(said, float):
        return f"{said:g}"
    return in_words(said)


def socket_of(tree: Mapping[str, Any]) -> Path | None:
    """Return where a ship's file says that ispsd is spoken to, whatever else is wrong in it; None: it says no place."""
    control = tree.get("control", {})
    said = control.get("socket", str(DEFAULT_SOCKET)) if isinstance(control, dict) else None
    return Path(said) if isinstance(said, str) else None


def is_missing(path: Path) -> bool:
    """Return whether there is no such file; one in a folder that may not be read is not missing."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _supplied(
    given: argparse.Namespace, wants: Mapping[str, Any], refusal: RefusedError
) -> Request:
    """Return what was wanted, from files or from the terminal.

    Raises:
        IspsdError: There is neither; the refusal is its reason.
    """
    files = list(getattr(given, "pin_file", ()))
    more: Request = {}
    if (
        len(wants) > 1
    ):  # the old one first: whoever mistyped it reads so before he thinks of a new one
        wants = {name: of for name, of in wants.items() if name != "new_pin"}
    for name, of in wants.items():
        match name:
            case "pin":
                more["pin"] = _one(files[:1], f"PIN of {of}: ", refusal)
            case "pins":
                more["pins"] = [
                    _one(files[at : at + 1], f"PIN of {each}: ", refusal)
                    for at, each in enumerate(of)
                ]
            case "code":
                code_file = getattr(given, "code_file", None)
                more["code"] = _one([code_file] if code_file else [], "Code: ", refusal)
            case "new_pin":
                more["new_pin"] = _new(given, str(of), refusal)
            case "confirm":
                more["confirm"] = _confirmed(given, refusal)
            case _:
                raise refusal
    return more


def _one(files: list[Path], prompt: str, refusal: RefusedError) -> str:
    return read_pin(files[0]) if files else _typed(prompt, refusal)


def pin_of(name: str, file: Path | None) -> str:
    """Return somebody's PIN, from a file or as he types it, where there is no daemon to ask for it.

    Raises:
        IspsdError: There is neither.
    """
    wanted = RefusedError(f"the PIN of {name} is wanted: at a terminal, or by --pin-file")
    return _one([file] if file else [], f"PIN of {name}: ", wanted)


def _new(given: argparse.Namespace, name: str, refusal: RefusedError) -> str:
    """Return a new PIN: typed twice, since nobody sees it."""
    if (file := getattr(given, "new_pin_file", None)) is not None:
        return read_pin(file)
    say(str(refusal))
    first = _typed(f"New PIN of {name}: ", refusal)
    if _typed("The same again: ", refusal) != first:
        raise IspsdError("the two are not the same; nothing has changed")
    return first


def _confirmed(given: argparse.Namespace, refusal: RefusedError) -> bool:
    if getattr(given, "confirm", False):
        return True
    if not sys.stdin.isatty():
        raise IspsdError(f"{refusal}: at a terminal, or with --confirm")
    say(str(refusal))
    sys.stdout.write("Is it meant? Type yes: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise IspsdError("nothing has changed")
    return True


def _typed(prompt: str, refusal: RefusedError) -> str:
    if not sys.stdin.isatty():
        raise refusal
    return getpass.getpass(prompt)


def read_pin(path: Path) -> str:
    """Return the PIN that stands in a file which nobody else may read.

    Raises:
        IspsdError: It cannot be read, or others can; what stands in it is in no message.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as err:
        raise IspsdError(f"{path}: {err.strerror}") from err
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or stat.S_IMODE(status.st_mode) & 0o077:
            raise IspsdError(f"{path}: a PIN stands in a plain file of mode 0600")
        first, _, _ = os.read(descriptor, LONGEST_PIN_FILE).partition(b"\n")
    finally:
        os.close(descriptor)
    try:
        return first.decode().rstrip("\r")
    except UnicodeDecodeError:
        raise IspsdError(f"{path}: is not text") from None
