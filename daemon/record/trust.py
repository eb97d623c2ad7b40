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
from daemon.record.merkle import Tree
from daemon.record.sqlite import blob, number, text

if TYPE_CHECKING:
    from pathlib import Path

    import apsw
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from daemon.record.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose record this is and what writes it.

    Attributes:
        origin: ``ispsd/<IMO>`` or ``demo/<IMO>``, without the segment.
        software: The version that writes.
        configuration: SHA-256 of the configuration, in hex.
    """

    origin: str
    key: Ed25519PrivateKey
    software: str
    configuration: str

    def segment_origin(self, number: int) -> str:
        return f"{self.origin}/{number}"

    def vkey(self) -> str:
        """Return the public key under the prefix, as verifiers of notes read it."""
        return checkpoint.verifier_key(self.origin, self.key.public_key())


@dataclass(frozen=True, slots=True)
class Trusted:
    """Where a segment stands."""

    first_seq: int
    next_bseq: int
    tree: Tree
    head: Checkpoint | None
    layout: int


def load(db: apsw.Connection, path: Path, segment: int, identity: Identity) -> Trusted | None:
    """Return where a segment stands; None where its creation never came to an end.

    Raises:
        RecordError: It cannot be trusted. Nothing was changed.
    """
    if db.execute("SELECT name FROM sqlite_schema LIMIT 1").fetchone() is None:
        return None
    if db.pragma("application_id") != schema.APPLICATION_ID:
        raise RecordError(f"{path}: not a security record of ispsd")
    layout = number(db.pragma("user_version"))
    if not schema.FIRST_VERSION <= layout <= schema.SCHEMA_VERSION:
        raise RecordError(f"{path}: has layout {layout}, known are 1 to {schema.SCHEMA_VERSION}")
    origin = identity.segment_origin(segment)
    first_seq = _first_seq(db, path, origin)
    head, sealed = _head(db, path, identity.key, origin)
    tree = _with_tail(db, path, first_seq, sealed)
    highest = db.execute("SELECT max(bseq) FROM entry WHERE bseq IS NOT NULL").fetchone()
    assert highest is not None  # noqa: S101 (an aggregate has a row)
    return Trusted(first_seq, number(highest[0]) + 1, tree, head, layout)


def _first_seq(db: apsw.Connection, path: Path, origin: str) -> int:
    row = db.execute("SELECT body FROM entry ORDER BY seq LIMIT 1").fetchone()
    if row is None:
        raise RecordError(f"{path}: holds no entry, not even its first")
    first = codec.parse(text(row[0]))
    if first.type != fold.SEGMENT_OPENED or first.open.get("origin") != origin:
        found = first.open.get("origin", "no origin")
        raise RecordError(f"{path}: is of {found}, this ship writes {origin}")
    return first.seq


def _head(
    db: apsw.Connection, path: Path, key: Ed25519PrivateKey, origin: str
) -> tuple[Checkpoint | None, Tree]:
    row = db.execute("SELECT note, peaks FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    if row is None:  # power was lost before the first seal: everything is hashed again
        return None, Tree()
    try:
        head = checkpoint.opened(text(row[0]), key.public_key(), origin=origin)
        tree = Tree.from_peaks(head.size, blob(row[1]))
    except (RecordError, ValueError) as err:
        raise RecordError(f"{path}: its newest checkpoint cannot be trusted: {err}") from err
    if tree.root() != head.root:
        raise RecordError(f"{path}: its newest checkpoint does not fit its own peaks")
    return head, tree


def _with_tail(db: apsw.Connection, path: Path, first_seq: int, sealed: Tree) -> Tree:
    row = db.execute("SELECT max(seq) FROM entry").fetchone()
    held = number(row[0]) - first_seq + 1 if row else 0
    if held < sealed.size:
        raise RecordError(
            f"{path}: was cut: {sealed.size} entries are sealed, {held} are there. "
            "Keep the file as it is; restore the record from its copy, or adopt it"
        )
    tree = sealed
    rows = db.execute(
        "SELECT seq, body FROM entry WHERE seq >= ? ORDER BY seq", (first_seq + sealed.size,)
    )
    for seq, body in rows:
        if seq != first_seq + tree.size:
            raise RecordError(f"{path}: entry {first_seq + tree.size} is missing")
        tree = tree.grown(text(body).encode())
    return tree
