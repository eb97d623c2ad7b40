"""How does a record go on under a new key, where the old one is lost or the computer is another one?

By the word of Master and SSO, and by nothing else: the old key cannot endorse the new one. The record is looked at
under the old *public* key, and only what is in order is gone on from. The first entry of the next segment commits to
the old head and names both persons; a verifier wants the new key given from outside. The daemon must not run: the
folder's lock says so.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from daemon.errors import RecordError
from daemon.model import Classification
from daemon.record import checkpoint, keys, schema
from daemon.record.directory import Directory, take_lock
from daemon.record.entry import Actor, Draft, Proof
from daemon.record.sqlite import store_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from daemon.computer.entropy import Entropy
    from daemon.record.entry import Stamp
    from daemon.record.trust import Identity

ADOPTED: Final = "record.adopted"


@dataclass(frozen=True, slots=True)
class Adoption:
    """What came of it, for people to write down."""

    segment: int
    old_fingerprint: str
    new_fingerprint: str
    size: int


@dataclass(frozen=True, slots=True)
class Order:
    """Who orders it, and why.

    Attributes:
        proof: How both proved to be themselves.
    """

    master: str
    sso: str
    reason: str
    proof: Proof = Proof.NONE


def old_key(record: Path, prefix: str, given: str | None) -> Ed25519PublicKey:
    """Return the public key under which the record that is there must verify.

    Args:
        record: The folder of the segments.
        prefix: The origin without the segment.
        given: A vkey line from outside; None: what the newest segment says of itself.

    Raises:
        RecordError: There is none, or it is another ship's.
    """
    segments = sorted(record.glob(schema.SEGMENT_GLOB))
    if not segments:
        raise RecordError(f"{record}: there is no record to adopt")
    vkey = given or keys.vkey_of(segments[-1])
    if vkey is None:
        raise RecordError(
            f"{segments[-1]}: does not say which key it is signed with; give the public key (--old-key)"
        )
    if vkey.partition("+")[0] != prefix:
        raise RecordError(f"the old key is of {vkey.partition('+')[0]}, this ship is {prefix}")
    try:
        return Ed25519PublicKey.from_public_bytes(keys.public_bytes(vkey))
    except ValueError as err:
        raise RecordError("the old public key is damaged") from err


def bring(source: Path, record: Path) -> None:
    """Copy the segments of another folder, which was written by another computer, to where this one keeps its record.

    Raises:
        RecordError: There is a record already, or the disk refuses.
    """
    if any(record.glob(schema.SEGMENT_GLOB)):
        raise RecordError(f"{record}: there is a record already; it is not written over")
    try:
        record.mkdir(mode=0o750, parents=True, exist_ok=True)
        for path in sorted(source.glob(schema.SEGMENT_GLOB)):
            for tail in ("-wal", ""):  # the log first: without its file it is nothing yet
                part = path.with_name(path.name + tail)
                if part.exists():
                    shutil.copyfile(part, record / part.name)
    except OSError as err:
        raise RecordError(f"{record}: the record cannot be brought here: {err}") from err


def adopt(
    record: Path,
    identity: Identity,
    entropy: Entropy,
    order: Order,
    *,
    old: Ed25519PublicKey,
    stamp: Stamp,
    lock: int | None = None,
) -> Adoption:
    """Begin the next segment under a new key.

    Args:
        record: The folder of the segments.
        identity: With the new key.
        entropy: Salts.
        order: Whose word it is.
        old: The public key under which what is there must verify.
        stamp: Now.
        lock: What ``held`` gave.

    Raises:
        RecordError: A daemon is running on it, it does not verify under the old key, or the disk refuses.
    """
    directory = Directory(record, replace(identity, before=old), entropy, lock=lock)
    try:
        segment = directory.open_to_adopt()
        number, size = segment.number, segment.tree.size
        following = directory.adopt(segment, stamp, reason=_reason(order))
        try:
            following.append([(_draft(order, identity.key, old), stamp)], {})
            following.seal({})
        finally:
            following.close(finish=True)
    finally:
        directory.release()
    return Adoption(
        number + 1,
        checkpoint.fingerprint(old),
        checkpoint.fingerprint(identity.key.public_key()),
        size,
    )


def finish(
    record: Path,
    identity: Identity,
    entropy: Entropy,
    order: Order,
    *,
    given: str | None,
    stamp: Stamp,
    lock: int | None = None,
) -> tuple[Adoption, Ed25519PublicKey | None]:
    """Finish an adoption whose segment was begun already; return what came of it, and the old public key.

    Args:
        record: The folder of the segments.
        identity: With the key that the newest segment names.
        entropy: Salts.
        order: Whose word it is.
        given: The old public key, from outside; None: what the segment before says of itself.
        stamp: Now.
        lock: What ``held`` gave.

    Raises:
        RecordError: A daemon is running on it, it does not verify, or the disk refuses.
    """
    paths = sorted(record.glob(schema.SEGMENT_GLOB))
    vkey = given or (keys.vkey_of(paths[-2]) if paths[1:] else None)
    raw = keys.public_bytes(vkey or "")
    old = Ed25519PublicKey.from_public_bytes(raw) if len(raw) == keys.RAW_BYTES else None
    directory = Directory(record, identity, entropy, lock=lock)
    try:
        segment = directory.open_to_adopt()
        try:
            said = segment.entries_from(segment.first_seq)[0].open.get("previous")
            size = said.get("size") if isinstance(said, dict) else 0
            if not segment.tells(ADOPTED, "record"):
                segment.append([(_draft(order, identity.key, old), stamp)], {})
            segment.seal({})
        finally:
            segment.close(finish=True)
    finally:
        directory.release()
    new = checkpoint.fingerprint(identity.key.public_key())
    return Adoption(segment.number, _print(old), new, size if isinstance(size, int) else 0), old


@contextmanager
def held(record: Path) -> Iterator[int]:
    """Hold the record: no daemon may write it, nor what lies beside it, while two prove to be themselves.

    Raises:
        RecordError: A daemon is running on it, or the folder cannot be made.
    """
    with store_errors(record):
        record.mkdir(mode=0o750, parents=True, exist_ok=True)
        descriptor = take_lock(record)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _print(key: Ed25519PublicKey | None) -> str:
    return "not known" if key is None else checkpoint.fingerprint(key)


def _reason(order: Order) -> str:
    """Return what every station is told; the two persons' own words stand in the SSO's entry only."""
    return f"adopted by {order.master} (Master) and {order.sso} (SSO)"


def _draft(order: Order, new: Ed25519PrivateKey, old: Ed25519PublicKey | None) -> Draft:
    return Draft(
        kind="system",
        type=ADOPTED,
        subject="record",
        actor=Actor(None, order.master, order.proof),
        classification=Classification.SSO,
        open={
            "master": order.master,
            "sso": order.sso,
            "reason": order.reason,
            "old_key": _print(old),
            "new_key": checkpoint.fingerprint(new.public_key()),
            "endorsed": False,
        },
    )
