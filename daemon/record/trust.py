"""May this segment be gone on with? What is checked before the first entry is added to it.

The newest checkpoint is trusted once its signature is ours and its root follows from the peaks
beside it; only what stands behind it is hashed again, so a start is as fast at a million entries as
at ten. Whether the sealed entries are still what they were is the verifier's question, which reads
all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.errors import RecordError
from daemon.record import checkpoint, codec, fold, schema
from daemon.record.damage import DamagedError
from daemon.record.merkle import Tree
from daemon.record.sqlite import blob, number, text

if TYPE_CHECKING:
    from pathlib import Path

    import apsw
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

    from daemon.record.checkpoint import Checkpoint
    from daemon.record.entry import Entry

OTHER_KEY = (
    "its newest checkpoint cannot be trusted: it is not signed by this key, but by another one. Put that key back from "
    "its backup (ispsd key restore). If it is lost, let the Master and the SSO begin a new segment with a new key "
    "(ispsd adopt)"
)


class OtherKeyError(RecordError):
    """A segment is in order, but signed with another key than this ship's."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose record this is and what writes it.

    Attributes:
        origin: ``ispsd/<IMO>`` or ``demo/<IMO>``, without the segment.
        software: The version that writes.
        configuration: SHA-256 of the configuration, in hex.
        before: The public key that signed what is there, where that is another one: a lost key's.
    """

    origin: str
    key: Ed25519PrivateKey
    software: str
    configuration: str
    before: Ed25519PublicKey | None = None

    def segment_origin(self, number: int) -> str:
        return f"{self.origin}/{number}"

    def vkey(self) -> str:
        """Return the public key under the prefix, as verifiers of notes read it."""
        return checkpoint.verifier_key(self.origin, self.key.public_key())

    def checks(self) -> Ed25519PublicKey:
        """Return the key under which what is there must be signed."""
        return self.before or self.key.public_key()


@dataclass(frozen=True, slots=True)
class Trusted:
    """Where a segment stands."""

    first_seq: int
    next_bseq: int
    tree: Tree
    head: Checkpoint | None
    layout: int
    opened_at: str
    software: str


def load(db: apsw.Connection, path: Path, segment: int, identity: Identity) -> Trusted | None:
    """Return where a segment stands; None where its creation never came to an end.

    Raises:
        DamagedError: It is not what it was. Nothing was changed.
        RecordError: It is none of this ship's, or signed with another key: people must decide. Nothing was changed.
    """
    if db.execute("SELECT name FROM sqlite_schema LIMIT 1").fetchone() is None:
        return None
    if db.pragma("application_id") != schema.APPLICATION_ID:
        raise RecordError(f"{path}: not a security record of ispsd")
    layout = number(db.pragma("user_version"))
    if not schema.FIRST_VERSION <= layout <= schema.SCHEMA_VERSION:
        raise RecordError(f"{path}: has layout {layout}, known are 1 to {schema.SCHEMA_VERSION}")
    origin = identity.segment_origin(segment)
    first = _first(db, path, origin, identity)
    first_seq = first.seq
    head, sealed = _head(db, path, identity.checks(), origin, says_key="key" in first.open)
    tree = _with_tail(db, path, first_seq, sealed)
    highest = db.execute(
        "SELECT bseq FROM entry WHERE bseq IS NOT NULL ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    assert highest is not None  # noqa: S101 (the first entry has one)
    software = str(first.open.get("software", ""))
    return Trusted(first_seq, number(highest[0]) + 1, tree, head, layout, first.stamp.at, software)


def _first(db: apsw.Connection, path: Path, origin: str, identity: Identity) -> Entry:
    """Return the first entry."""
    row = db.execute("SELECT body FROM entry ORDER BY seq LIMIT 1").fetchone()
    if row is None:
        raise DamagedError(f"{path}: holds no entry, not even its first")
    first = _entry(path, row[0])
    if first.type != fold.SEGMENT_OPENED or first.open.get("origin") != origin:
        found = first.open.get("origin", "no origin")
        raise RecordError(f"{path}: is of {found}, this ship writes {origin}")
    vkey = checkpoint.verifier_key(identity.origin, identity.checks())
    if first.open.get("key", vkey) != vkey:
        raise OtherKeyError(f"{path}: {OTHER_KEY}")
    return first


def _entry(path: Path, body: object) -> Entry:
    try:
        return codec.parse(text(body))
    except RecordError as err:
        raise DamagedError(f"{path}: {err}") from err


def _head(
    db: apsw.Connection, path: Path, key: Ed25519PublicKey, origin: str, *, says_key: bool
) -> tuple[Checkpoint | None, Tree]:
    row = db.execute("SELECT note, peaks FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    if row is None:  # power was lost before the first seal: everything is hashed again
        return None, Tree()
    if not says_key and checkpoint.names_another_key(text(row[0]), key, origin=origin):
        raise OtherKeyError(f"{path}: {OTHER_KEY}")
    try:
        head = checkpoint.opened(text(row[0]), key, origin=origin)
        tree = Tree.from_peaks(head.size, blob(row[1]))
    except (RecordError, ValueError) as err:
        raise DamagedError(f"{path}: its newest checkpoint cannot be trusted: {err}") from err
    if tree.root() != head.root:
        raise DamagedError(f"{path}: its newest checkpoint does not fit its own peaks")
    return head, tree


def _with_tail(db: apsw.Connection, path: Path, first_seq: int, sealed: Tree) -> Tree:
    row = db.execute("SELECT max(seq) FROM entry").fetchone()
    held = number(row[0]) - first_seq + 1 if row else 0
    if held < sealed.size:
        raise DamagedError(f"{path}: was cut: {sealed.size} entries are sealed, {held} are there")
    tree = sealed
    rows = db.execute(
        "SELECT seq, body FROM entry WHERE seq >= ? ORDER BY seq", (first_seq + sealed.size,)
    )
    for seq, body in rows:
        if seq != first_seq + tree.size:
            raise DamagedError(f"{path}: entry {first_seq + tree.size} is missing")
        tree = tree.grown(_entry(path, body).body.encode())
    return tree
