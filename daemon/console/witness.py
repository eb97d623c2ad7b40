"""A witness at the command line: its own folder and server, the ship's side of mail, and heads to be compared."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.computer import logs, systemd
from daemon.computer.clock import SystemClock
from daemon.console.asking import DONE, FAILED, asked, asking, is_missing, say
from daemon.errors import IspsdError
from daemon.model import ClockStatus
from daemon.record import cosignature
from daemon.record.checkpoint import LONGEST_NOTE
from daemon.record.comparison import Found
from daemon.record.witness import Status
from daemon.record.witness_store import PUBLIC, Store, conflicting
from daemon.witness import heads, mail
from daemon.witness.server import WitnessServer

if TYPE_CHECKING:
    import argparse

LISTEN: Final = "127.0.0.1:8970"
LARGEST_KEY_FILE: Final = 64 * 1024
STATE: Final = Path("/var/lib/ispsd-witness")


def add(commands: Any) -> None:
    """Add the subcommands of a witness, and of a ship that has one."""
    group = commands.add_parser("witness", help="be a witness: cosign the records of ships")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    init = _offline(verbs, "init", "make a witness with a key of its own; print its public key")
    init.add_argument("--name", required=True, help="what it signs as: wheelhouse-2.example")
    init.set_defaults(act=_init)
    trust = _offline(verbs, "trust", "have the heads of a ship cosigned")
    trust.add_argument(
        "key",
        metavar="VKEY_LINE",
        help="the ship's public key, or the file record-key.pub that it stands in",
    )
    trust.add_argument("--new-key", action="store_true", help="the ship has changed her key")
    trust.set_defaults(act=_trust)
    serve = _offline(verbs, "serve", "answer ships over HTTP, until stopped")
    serve.add_argument("--listen", default=LISTEN, metavar="HOST:PORT", help=f"default {LISTEN}")
    serve.set_defaults(act=_serve)
    sign = _offline(verbs, "sign", "answer a request that came by mail")
    sign.add_argument("request", type=Path, metavar="REQUEST_FILE")
    sign.add_argument("--out", type=Path, help="where the answer goes (default: printed)")
    sign.set_defaults(act=_sign)
    _offline(verbs, "list", "show what it knows and what it refused").set_defaults(act=_list)

    request = asking(commands, "witness-request", "write a request for a witness, to be mailed")
    request.add_argument("--out", type=Path, required=True)
    answer = asking(commands, "witness-answer", "take in a witness's answer that came by mail")
    answer.add_argument("answer", type=Path, metavar="FILE")
    for parser in (request, answer):
        parser.add_argument("--witness", metavar="NAME", help="which, where there are several")
    request.set_defaults(act=_request)
    answer.set_defaults(act=_answer)

    compare = asking(
        commands, "compare", "say whether a printed, mailed or kept head is in our history"
    )
    compare.add_argument("note", type=Path, metavar="NOTE_FILE", help="- for standard input")
    compare.set_defaults(act=_compare)


def _offline(verbs: Any, name: str, help_: str) -> Any:
    parser = verbs.add_parser(name, help=help_)
    parser.add_argument("--state", type=Path, default=STATE, help=f"its folder (default {STATE})")
    return parser


def _init(given: argparse.Namespace) -> int:
    say(Store(given.state).init(given.name).line())
    return DONE


def _must_be(store: Store) -> None:
    """Refuse a folder in which no witness is.

    Raises:
        IspsdError: None is there.
    """
    if is_missing(store.folder / PUBLIC):
        raise IspsdError(
            f"{store.folder}: no witness is there; make one: ispsd witness init --name NAME, "
            "or name its folder (--state)"
        )


def _trust(given: argparse.Namespace) -> int:
    store = Store(given.state)
    _must_be(store)
    ship = store.trust(_newest_key(given.key), new_key=given.new_key)
    say(f"heads of {ship.name} are cosigned from now on, signed by key {ship.id().hex()}")
    return DONE


def _newest_key(said: str) -> str:
    """Return the newest public key of a file or of its text, in which every key of the ship has a line."""
    if "+" not in said or _is_file(said):
        said = _text(_read(Path(said), LARGEST_KEY_FILE), Path(said))
    lines = [line.strip() for line in said.splitlines()]
    return next((line for line in reversed(lines) if cosignature.is_key(line)), said)


def _is_file(said: str) -> bool:
    """Return whether these words name a file; a key's own line may be too long to be a name."""
    try:
        return Path(said).is_file()
    except (OSError, ValueError):
        return False


def _serve(given: argparse.Namespace) -> int:
    host, port = _address(given.listen)
    store = Store(given.state)
    _must_be(store)
    clock = SystemClock()
    logs.configure(json=not sys.stderr.isatty(), utc=clock.utc)
    return asyncio.run(_until_stopped(WitnessServer(store, clock=clock), host, port))


async def _until_stopped(server: WitnessServer, host: str, port: int) -> int:
    def started(at: str, on: int) -> None:
        say(f"listening on http://{f'[{at}]' if ':' in at else at}:{on}")
        sys.stdout.flush()
        systemd.notify("READY=1")

    running = asyncio.ensure_future(server.run(host, port, started=started))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        return DONE
    return FAILED


def _sign(given: argparse.Namespace) -> int:
    body = _read(given.request, cosignature.LARGEST_REQUEST)
    clock = SystemClock()
    if clock.status() is ClockStatus.UNSET:
        raise IspsdError("the clock of this computer is not set; a signature would bear its time")
    store = Store(given.state)
    _must_be(store)
    answer = store.answer(body, utc=clock.utc())
    text = mail.answer_file(answer, body.decode(errors="replace").partition("\n\n")[2])
    if given.out is None:
        say(text.rstrip("\n"))
    else:
        _write(given.out, text)
    sys.stderr.write(f"{answer.reason}\n")
    if answer.status == Status.CONFLICT:
        sys.stderr.write(
            "The request begins elsewhere. Mail the answer back all the same: the ship takes it in "
            "(ispsd witness-answer) and says what to do next, mostly to make a new request.\n"
        )
    return DONE if answer.status == Status.SIGNED else FAILED


def _list(given: argparse.Namespace) -> int:
    store = Store(given.state)
    _must_be(store)
    say(store.name().line())
    for ship in store.trusted():
        say(f"trusts   {ship.line()}")
    for origin, head in store.heads().items():
        say(f"cosigned {origin}: {head.size} entries, root {head.root.hex()}")
    refused = store.refused()
    for each in refused:
        say(f"refused  {each['at']} {each['reason']} ({each['ground']}: {each['file']})")
    if conflicting(refused):
        say(
            "A ship's key signed two histories: keep the files of 'two heads of one size' as proof."
        )
    return FAILED if refused else DONE


def _request(given: argparse.Namespace) -> int:
    answer = asked(given, {"do": mail.REQUEST, "witness": given.witness})
    _write(given.out, answer["request"])
    say(f"{given.out}: {answer['origin']}, {answer['old']} to {answer['size']} entries")
    named = "" if given.witness is None else f" --witness {shlex.quote(answer['witness'])}"
    say(
        f"mail it to the witness {answer['witness']}; its answer goes to: "
        f"ispsd witness-answer FILE{named}"
    )
    return DONE


def _answer(given: argparse.Namespace) -> int:
    text = _text(_read(given.answer, cosignature.LARGEST_REQUEST), given.answer)
    answer = asked(given, {"do": mail.ANSWER, "witness": given.witness, "answer": text})
    say(f"{answer['witness']}, {answer['origin']} at {answer['size']}: {answer['told']}")
    return DONE if answer["kept"] else FAILED


def _compare(given: argparse.Namespace) -> int:
    note = _text(_read(given.note, LONGEST_NOTE), given.note)
    answer = asked(given, {"do": heads.REQUEST, "note": note})
    said = answer["sentence"].removeprefix(f"{answer['found']}: ")
    say(f"{answer['found']}: {said}")
    return DONE if answer["found"] in {Found.OURS, Found.LOST} else FAILED


def _address(given: str) -> tuple[str, int]:
    host, colon, port = given.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit() and int(port) <= 65535):  # noqa: PLR2004
        raise IspsdError(f"{given!r} is no HOST:PORT, such as {LISTEN}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _read(path: Path, most: int) -> bytes:
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(most + 1)
        else:
            with path.open("rb") as file:
                content = file.read(most + 1)
    except OSError as err:
        raise IspsdError(f"{path}: {err.strerror or err}") from err
    if len(content) > most:
        raise IspsdError(f"{path}: larger than {most} bytes")
    return content


def _text(content: bytes, path: Path) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as err:
        raise IspsdError(f"{path}: not UTF-8 text") from err


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as err:
        raise IspsdError(f"{path}: {err.strerror or err}") from err
