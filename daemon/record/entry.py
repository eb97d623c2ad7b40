"""What is one line of the security record, to the byte?

An entry is canonical JSON (RFC 8785) with exactly the fields of version 2, which are those of version 1, see
``docs/decisions/0002-entry-and-checkpoint-format.md`` and ``0013-record-format-2.md``. No floats: what a number
means must not depend on who prints it. The bytes that are stored are the bytes that are hashed, so everything here
is about making them once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from daemon.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Classification, ClockStatus, Json

ENTRY_VERSION = 2
READ_VERSIONS = frozenset({1, 2})
LARGEST_ENTRY_BYTES = 64 * 1024
LARGEST_PART_BYTES = 4 * 1024 * 1024
LARGEST_EVIDENCE_BYTES = 16 * 1024 * 1024
MOST_EVIDENCE = 64
LARGEST_INTEGER = 2**53 - 1
"""RFC 7493 2.2: beyond it, readers of JSON disagree."""
DEEPEST = 8

KINDS = frozenset(f".{number}" for number in range(1, 15)) | {"system"}
"""ISPS Code A/10.1 .1 to .10, our own .11 to .14, and what concerns the system itself."""
MACHINE_KINDS = frozenset({".10", "system"})
"""What needs no person: maintenance, calibration and testing (.10), and the system's own."""


class EntryError(RecordError):
    """A draft that cannot become an entry: a mistake in the caller, named with its place."""


class Proof(StrEnum):
    """How a person proved to be himself."""

    NONE = "none"
    PIN = "pin"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a person at a station, or the system where both are None."""

    station: str | None = None
    person: str | None = None
    proof: Proof = Proof.NONE


SYSTEM = Actor()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Raw bytes that an entry rests on: frames, registers, a photograph."""

    media: str
    """Media type (RFC 6838), lower case."""
    body: bytes = field(repr=False)

    def reference(self) -> EvidenceReference:
        return EvidenceReference(sha256(self.body).hexdigest(), len(self.body), self.media)


@dataclass(frozen=True, slots=True)
class EvidenceReference:
    """How an entry names its evidence."""

    sha256: str
    size: int
    media: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the caller knows of an entry; the record adds time and numbers.

    Attributes:
        classification: Who may read ``open``; an entry of class ``sso`` has no ``bseq`` and is
            never an event.
        open: What everybody of that class may read; JSON without floats.
        parts: What only a class may read, hashed into the entry with a salt and stored beside it.
        open_text: The canonical text of ``open``, once it was checked; nobody else sets it.
    """

    kind: str
    type: str
    subject: str
    classification: Classification
    actor: Actor = SYSTEM
    open: Mapping[str, Json] = field(default_factory=dict)
    parts: Mapping[Classification, Mapping[str, Json]] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    open_text: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When something was submitted, on both clocks."""

    at: str
    clock: ClockStatus
    up_ms: int
    boot: str


@dataclass(frozen=True, slots=True)
class SealedPart:
    """What an entry says to one class only, as it stands beside it: the entry names the SHA-256 of salt and body."""

    salt: bytes
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as it stands in the record.

    Attributes:
        seq: Its number over all segments, as printed on paper.
        bseq: Its number among the entries that watch stations may read; None for class ``sso``.
        parts: For each class, the SHA-256 of salt and part.
        body: The stored text; its UTF-8 bytes are the leaf.
    """

    segment: int
    seq: int
    bseq: int | None
    stamp: Stamp
    kind: str
    type: str
    actor: Actor
    subject: str
    classification: Classification
    open: Mapping[str, Json]
    parts: Mapping[str, str]
    evidence: tuple[EvidenceReference, ...]
    body: str = field(repr=False)


def subject_of(seq: int) -> str:
    """Return the subject of what is said of an entry: whoever asks for it finds all of that."""
    return f"entry-{seq}"
