"""What Master and SSO do to the record itself: segments, keys, copies, archive, adoption.

Some of it needs no daemon, and adoption must not have one.
"""

from __future__ import annotations

import asyncio
import getpass
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon import config
from daemon.computer.clock import SystemClock
from daemon.computer.entropy import Entropy
from daemon.console.asking import (
    DEFAULT_CONFIG,
    DONE,
    FAILED,
    asked,
    asking,
    does,
    pin_file,
    pin_of,
    say,
)
from daemon.control.fields import LONGEST_TEXT
from daemon.errors import IspsdError, RecordError, RefusedError
from daemon.model import Role
from daemon.people import crew
from daemon.people.proofs import Proofs
from daemon.record import adoption, codec, fold, keys
from daemon.record.checkpoint import fingerprint
from daemon.record.entry import Proof, Stamp
from daemon.record.reader import Reader
from daemon.record.schema import SEGMENT_GLOB
from daemon.record.trust import Identity

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from daemon.config import Config
    from daemon.model import Person

TWO = "twice: the Master and the SSO"


def add(commands: Any) -> None:
    """Add the subcommands."""
    _segments(commands)
    _keys(commands)
    _adopting(commands)


def _segments(commands: Any) -> None:
    rotate = asking(commands, "rotate", "begin the next segment of the record", by=True)
    rotate.add_argument("--reason", required=True)
    does(rotate, lambda g: {"do": "rotate", "by": g.by, "reason": g.reason})

    archive = asking(commands, "archive", "move old segments to another place", by=True)
    archive.add_argument("--to", required=True, type=Path, metavar="DIR")
    archive.add_argument("--before", required=True, type=int, metavar="SEGMENT")
    does(
        archive,
        lambda g: {"do": "archive", "by": g.by, "to": str(g.to.absolute()), "before": g.before},
    )

    retention = asking(commands, "retention", "say how long the record is kept, and by whose word")
    does(retention, lambda _: {"do": "retention"})

    test = asking(commands, "restore-test", "fetch the second copy back and verify it", by=True)
    test.set_defaults(act=_restore_test)


def _restore_test(given: argparse.Namespace) -> int:
    answer = asked(given, {"do": "restore_test", "by": given.by})
    said = "PASS" if answer["verdict"] == "PASS" else "FAIL"
    say(f"{said}: {answer['words']}")
    if answer["head"]:
        origin, size = answer["head"].split("\n")[:2]
        say(f"head: {origin}, {size} entries; copied {answer['copied'] or 'before this start'}")
    return DONE if said == "PASS" else FAILED


def _keys(commands: Any) -> None:
    key = commands.add_parser("key", help="the key that signs the record")
    acts = key.add_subparsers(required=True, metavar="ACT")

    show = acts.add_parser("show", help="show the fingerprint of the key")
    show.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    show.set_defaults(act=_show)

    rotate = asking(acts, "rotate", "let a new key take over, with the word of the old one")
    rotate.add_argument("--by", action="append", required=True, metavar="NAME", help=TWO)
    pin_file(rotate)
    rotate.add_argument("--reason", required=True)
    does(rotate, lambda g: {"do": "key.rotate", "by": g.by, "reason": g.reason})

    backup = asking(acts, "backup", "write the key, encrypted, into a file", by=True)
    backup.add_argument("file", type=Path)
    backup.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    backup.set_defaults(act=_back_up)

    restore = acts.add_parser("restore", help="put the key back from its backup")
    restore.add_argument("file", type=Path)
    restore.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    restore.set_defaults(act=_restore)


def _show(given: argparse.Namespace) -> int:
    section = config.load(given.config).record
    say(fingerprint(keys.load(section.key_file).public_key()))
    return DONE


def _back_up(given: argparse.Namespace) -> int:
    section = config.load(given.config).record
    first = _passphrase("Passphrase for the backup: ")
    if _passphrase("The same again: ") != first:
        raise RefusedError("the two passphrases differ; nothing was written")
    print_ = fingerprint(keys.back_up(section.key_file, given.file, first).public_key())
    say(
        f"{given.file}: the key {print_}. Keep it and its passphrase apart, and not on this computer"
    )
    try:
        asked(given, {"do": "key.backed_up", "by": given.by, "fingerprint": print_})
    except IspsdError as err:
        say(f"NOT RECORDED: {err}. Enter the backup by hand in the log")
        return FAILED
    return DONE


def _restore(given: argparse.Namespace) -> int:
    section = config.load(given.config).record
    key = keys.put_back(given.file, _passphrase("Passphrase of the backup: "), section.key_file)
    raw = key.public_key().public_bytes_raw()
    segments = sorted(section.directory.glob(SEGMENT_GLOB))
    signs = keys.vkey_of(segments[-1]) if segments else None
    say(f"{section.key_file}: the key {fingerprint(key.public_key())}")
    if signs is not None and keys.public_bytes(signs) != raw:
        say(f"{segments[-1].name} is signed with another key: the daemon will refuse it")
        return FAILED
    return DONE


def _passphrase(prompt: str) -> str:
    """Ask at the terminal, without an echo; a program gives it as one line."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.readline(keys.LONGEST_PASSPHRASE + 1).rstrip("\n")


def _adopting(commands: Any) -> None:
    adopt = commands.add_parser(
        "adopt", help="go on with a record under a new key: a lost key, or another computer"
    )
    adopt.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    adopt.add_argument(
        "--record", type=Path, metavar="DIR", help="the record, where it is not in its place yet"
    )
    adopt.add_argument("--old-key", metavar="VKEY", help="the old public key, as kept ashore")
    adopt.add_argument("--by", action="append", required=True, metavar="NAME", help=TWO)
    pin_file(adopt)
    adopt.add_argument("--reason", required=True)
    adopt.set_defaults(act=_adopt)


def _adopt(given: argparse.Namespace) -> int:
    loaded = config.load(given.config)
    section = loaded.record
    if section.key_file.exists():
        raise RefusedError(
            f"{section.key_file}: the key is there. Adopt is for a key that is lost; to change it, ispsd key rotate. "
            "A new computer's own key, which signed nothing yet, may be moved away"
        )
    order = _order(_aboard(loaded, given.record or section.directory), given.by, given.reason)
    with adoption.held(section.directory) as lock:  # before PINs: their file has one writer as well
        order = asyncio.run(_proven(loaded, order, given))
        return _adopted(loaded, order, given, lock)


def _adopted(loaded: Config, order: adoption.Order, given: argparse.Namespace, lock: int) -> int:
    section = loaded.record
    prefix = f"{section.origin}/{loaded.ship.imo_number}"
    clock = SystemClock()
    stamp = Stamp(
        at=codec.utc_text(clock.utc()),
        clock=clock.status(),
        up_ms=int(clock.now_s() * 1000),
        boot=clock.boot_id(),
    )
    software = version("ispsd")
    old: keys.PublicKey | None
    key = keys.begun_under_next(section.key_file, section.directory)
    if key is not None:  # interrupted behind its first segment: this key is the only one that fits
        identity = Identity(prefix, key, software, loaded.sha256)
        done, old = adoption.finish(
            section.directory,
            identity,
            Entropy(),
            order,
            given=given.old_key,
            stamp=stamp,
            lock=lock,
        )
        say("an adoption that was interrupted is finished")
        return _told(loaded, done, old, key.public_key())
    if given.record is not None and given.record.resolve() != section.directory.resolve():
        adoption.bring(given.record, section.directory)
    old = adoption.old_key(section.directory, prefix, given.old_key)
    key = keys.prepare_next(section.key_file, record=section.directory, signs=None)
    identity = Identity(prefix, key, software, loaded.sha256)
    done = adoption.adopt(
        section.directory, identity, Entropy(), order, old=old, stamp=stamp, lock=lock
    )
    return _told(loaded, done, old, key.public_key())


def _told(
    loaded: Config, done: adoption.Adoption, old: keys.PublicKey | None, new: keys.PublicKey
) -> int:
    """Let the new key take its place, have verifiers find both, and say what people write down."""
    section = loaded.record
    keys.promote(section.key_file)
    prefix = f"{section.origin}/{loaded.ship.imo_number}"
    for each in (*_earlier(section.directory), old, new):  # a verifier begins with the first
        if each is not None:
            keys.add_public(section.public_key_file, name=prefix, key=each)
    say(f"segment {done.segment} begins behind {done.size} entries of segment {done.segment - 1}")
    say(f"old key {done.old_fingerprint}")
    say(f"new key {done.new_fingerprint}: tell the company and everybody who verifies this ship")
    return DONE


def _earlier(record: Path) -> Iterator[keys.PublicKey]:
    """Yield the keys that the segments name, the first one first."""
    for path in sorted(record.glob(SEGMENT_GLOB)):
        if (vkey := keys.vkey_of(path)) is not None:
            yield keys.PublicKey.from_public_bytes(keys.public_bytes(vkey))


async def _proven(
    loaded: Config, order: adoption.Order, given: argparse.Namespace
) -> adoption.Order:
    """Have both prove to be themselves where PINs are kept on this computer; on a new one there are none yet.

    Raises:
        IspsdError: A PIN is not there or wrong, or nobody can tell.
    """
    proofs = Proofs(loaded.credentials_file, clock=SystemClock(), entropy=Entropy())
    await proofs.open()
    try:
        if proofs.unreadable is not None:
            raise RefusedError(f"no PIN can be checked: {proofs.unreadable}")
        if not proofs.names():
            return order
        files = dict(zip(given.by, given.pin_file, strict=False))
        for name in given.by:
            if not proofs.has(name):
                raise RefusedError(f"{name} has no PIN, and others on this ship have")
            await proofs.check(name, pin_of(name, files.get(name)))
    finally:
        proofs.close()
    return replace(order, proof=Proof.PIN)


def _aboard(loaded: Config, record: Path) -> dict[str, Person]:
    """Return who is on the crew list: the record's own, where it has one, for duties change hands.

    Raises:
        RecordError: The record cannot be read.
    """
    if not any(record.glob(SEGMENT_GLOB)):
        return {person.name: person for person in loaded.persons}
    reader = Reader(record)
    try:
        listed = reader.state(fold.CREW)
    finally:
        reader.close()
    try:
        members = [crew.member(body) for body in listed.values()]
    except (ValueError, KeyError, TypeError) as err:
        raise RecordError(f"{record}: its crew list cannot be read: {err}") from err
    return {each.person.name: each.person for each in members} or {
        person.name: person for person in loaded.persons
    }


def _order(aboard: Mapping[str, Person], named: list[str], reason: str) -> adoption.Order:
    """Return whose word it is.

    Raises:
        RefusedError: Not a Master and an SSO of the crew list, who are two persons.
    """
    if not 0 < len(reason) <= LONGEST_TEXT or not reason.isprintable():
        raise RefusedError("the reason is wanted, in one printable line")
    persons = [aboard.get(name) for name in named]
    two = len(persons) == 2 and persons[0] != persons[1]  # noqa: PLR2004 (Master and SSO)
    for first, second in (persons, persons[::-1]) if two else ():
        if first is None or second is None:
            break
        if Role.MASTER in first.roles and Role.SSO in second.roles:
            return adoption.Order(first.name, second.name, reason)
    raise RefusedError("it takes two persons of the crew list: the Master and the SSO")
