"""May this head be cosigned? What a witness decides, given what it knows; nothing here touches a disk.

The rules and the numbers of the answers are those of add-checkpoint in https://c2sp.org/tlog-witness. Each segment of
a ship's record is a log of its own, under a prefix whose keys a person has chosen to trust.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final

from daemon.errors import RecordError
from daemon.record import checkpoint, cosignature, proofs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.record.checkpoint import Checkpoint
    from daemon.record.cosignature import Request, Verifier

ORIGIN: Final = re.compile(r"((?:ispsd|demo)/[0-9]{7})/([1-9][0-9]{0,3})")
PREFIX: Final = re.compile(r"(?:ispsd|demo)/[0-9]{7}")


class Status(IntEnum):
    """The answers of a witness (HTTP, RFC 9110 section 15)."""

    SIGNED = 200
    MALFORMED = 400
    NOT_SIGNED_BY_THE_LOG = 403
    UNKNOWN_LOG = 404
    CONFLICT = 409
    NOT_GROWN = 422


class Ground(StrEnum):
    """Why a refused head is kept."""

    TWO_HEADS = "two heads of one size"
    """Proof: the ship's key signed both."""
    NOT_PROVEN = "growth not proven"
    """A genuine head whose proof fails: either two histories, or somebody else sent it with a proof that is none."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a witness answers.

    Attributes:
        reason: In words, for people.
        head: What is to be stored, then signed; None unless ``status`` is SIGNED.
        size: What the witness knows, to be told; None unless ``status`` is CONFLICT.
        keep: Why the refused head is kept as proof; None where it need not be.
        refused: The head that is kept.
    """

    status: Status
    reason: str
    head: Checkpoint | None = None
    size: int | None = None
    keep: Ground | None = None
    refused: Checkpoint | None = None


def decide(
    asked: Request,
    *,
    trusted: Mapping[str, Sequence[Verifier]],
    heads: Mapping[str, Checkpoint],
) -> Decision:
    """Decide on one request.

    Args:
        asked: The request.
        trusted: By prefix, the keys that were trusted, the newest last.
        heads: By origin, what this witness cosigned last; of one ship at least.
    """
    origin = asked.note.partition("\n")[0]
    named = ORIGIN.fullmatch(origin)
    if named is None:
        return Decision(Status.UNKNOWN_LOG, f"no log of a ship: {origin[:40]!r}")
    if not trusted.get(named[1]):
        return Decision(Status.UNKNOWN_LOG, f"nobody told this witness to trust {named[1]}")
    known = heads.get(origin)
    head = _signed(asked.note, origin, _keys(trusted[named[1]], heads, origin))
    if isinstance(head, Decision):
        return head
    if asked.old > head.size:
        return Decision(
            Status.MALFORMED, f"old {asked.old} is larger than the checkpoint, {head.size}"
        )
    return _compared(asked, head, known)


def segment(origin: str) -> int:
    """Return which segment of a ship's record a log is."""
    return int(origin.rpartition("/")[2])


def prefix_of(origin: str) -> str:
    """Return the prefix of a log's origin: whose ship it is."""
    return origin.rpartition("/")[0]


def signed_by(note: str, origin: str, keys: Sequence[Verifier]) -> Verifier | None:
    """Return which of these keys signed a checkpoint; None: none of them."""
    for key in keys:
        try:
            checkpoint.opened(note, key.key, origin=origin)
        except RecordError:
            continue
        return key
    return None


def _keys(
    trusted: Sequence[Verifier], heads: Mapping[str, Checkpoint], origin: str
) -> Sequence[Verifier]:
    """Return the keys that may sign this log.

    A segment has one key. A later segment may have a newer key, never an older one: who stole the key that was
    replaced cannot go on with it.
    """
    if origin in heads:
        key = signed_by(heads[origin].note, origin, trusted)
        return () if key is None else (key,)
    earlier = [
        other
        for other in heads
        if prefix_of(other) == prefix_of(origin) and segment(other) < segment(origin)
    ]
    if not earlier:
        return trusted
    newest = max(earlier, key=segment)
    key = signed_by(heads[newest].note, newest, trusted)
    return () if key is None else trusted[trusted.index(key) :]


def _signed(note: str, origin: str, keys: Sequence[Verifier]) -> Checkpoint | Decision:
    key = signed_by(note, origin, keys)
    if key is not None:
        return checkpoint.opened(note, key.key, origin=origin)
    if not checkpoint.is_checkpoint(note):
        return Decision(Status.MALFORMED, "not a checkpoint: origin, size, root, signatures")
    return Decision(
        Status.NOT_SIGNED_BY_THE_LOG, f"not signed by a key that is trusted for {origin}"
    )


def _compared(asked: Request, head: Checkpoint, known: Checkpoint | None) -> Decision:
    size = known.size if known else 0
    if known is not None and head.size == size and head.root != known.root:
        return Decision(
            Status.CONFLICT,
            f"the ship's key signed two different heads of {head.origin} at {size} entries",
            size=size,
            keep=Ground.TWO_HEADS,
            refused=head,
        )
    if asked.old != size:
        return Decision(Status.CONFLICT, f"this witness knows {size} entries", size=size)
    if known is None:
        if asked.proof:
            return Decision(Status.NOT_GROWN, "from nothing there is nothing to prove")
        return Decision(Status.SIGNED, "the first head of this log", head=head)
    if proofs.check_consistency(size, known.root, head.size, head.root, asked.proof):
        return Decision(Status.SIGNED, f"grown from {size} to {head.size}", head=head)
    return Decision(
        Status.NOT_GROWN,
        f"it is not proven that {head.origin} grew from the {size} entries that this witness knows to {head.size}",
        keep=Ground.NOT_PROVEN,
        refused=head,
    )


def normal_note(head: Checkpoint, cosigned: str) -> str:
    """Return a head as it is kept: the log's own signature lines, and this witness's."""
    lines = head.note.partition("\n\n")[2].splitlines(keepends=True)
    own = "".join(line for line in lines if line.startswith(f"— {head.origin} "))
    return f"{cosignature.body_of(head.note)}\n{own}{cosigned}"
