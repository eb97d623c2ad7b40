"""Why can this segment not be gone on with, and was that a disk or a hand? Told in words; nothing is repaired.

What a disk does and what a hand does look different: a disk tears pages and cuts files, and SQLite's own structure no
longer holds; a hand, or a program, leaves a well-formed file in which something else stands than was sealed. What a
flipped bit inside a text leaves is well-formed too, so the words never accuse anybody: they say what was found.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import apsw

from daemon.errors import RecordError

if TYPE_CHECKING:
    from pathlib import Path

MAGIC: Final = b"SQLite format 3\x00"
HEADER_BYTES: Final = 100
"""SQLite file format, section 1.3."""
MOST_PROBLEMS: Final = 3
"""Of those that SQLite lists, in one sentence."""
LONGEST_WORDS: Final = 400


class DamagedError(RecordError):
    """A segment is not what it was: it must be kept as it is, and never be written to again."""


class Finding(StrEnum):
    """What kind of damage it is."""

    MISSING = "missing"
    TRUNCATED = "truncated"
    BIT_ROT = "bit_rot"
    ALTERED = "altered"
    SIGNATURE = "signature"


WORDS: Final = {
    Finding.MISSING: "the file is not there",
    Finding.TRUNCATED: "the file was cut short, as a bad disk, a full one or a broken copy does",
    Finding.BIT_ROT: "pages of the file are damaged, as a bad disk or memory does",
    Finding.ALTERED: (
        "every page of the file is in order, so no disk tore it: what stands in it was changed after it was written"
    ),
    Finding.SIGNATURE: "the file is well-formed, but what seals it is not what this ship's key signed",
}


@dataclass(frozen=True, slots=True)
class Damage:
    """What was found.

    Attributes:
        detail: What made the segment unusable, in the words of whoever found it.
    """

    finding: Finding
    detail: str

    @property
    def words(self) -> str:
        """Return the finding as a sentence for people."""
        return f"{WORDS[self.finding]} ({self.detail})"[:LONGEST_WORDS]


def examine(path: Path, why: str) -> Damage:
    """Say what kind of damage a segment has that cannot be gone on with because of ``why``.

    Raises:
        OSError: The disk does not even let it be read.
    """
    why = why.removeprefix(f"{path}: ")
    try:
        outside = torn(path)
    except FileNotFoundError:
        return Damage(Finding.MISSING, why)
    if outside is not None:
        return outside
    if problems := integrity_problems(path):
        return Damage(Finding.BIT_ROT, f"{why}; {problems}")
    if "signed by this key" in why or "not a checkpoint" in why:
        return Damage(Finding.SIGNATURE, why)
    return Damage(Finding.ALTERED, why)


def integrity_problems(path: Path) -> str | None:
    """Return what SQLite finds wrong with a file's structure; None where it is whole."""
    try:
        with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as db:
            found = db.execute(f"PRAGMA integrity_check({MOST_PROBLEMS})").fetchall()
    except apsw.Error as err:
        return f"{type(err).__name__}: {err}"
    said = [str(row[0]).replace("\n", " ") for row in found]
    return None if said == ["ok"] else "; ".join(said)


def torn(path: Path) -> Damage | None:
    """Return what is wrong with the outside of the file, before anybody looks into its pages.

    Raises:
        OSError: The disk does not let it be read.
    """
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    size = path.stat().st_size
    if len(header) < HEADER_BYTES:
        return Damage(Finding.TRUNCATED, f"{size} bytes are left")
    if not header.startswith(MAGIC):
        return Damage(Finding.BIT_ROT, "its header is gone")
    page = int.from_bytes(header[16:18], "big")
    page = 65536 if page == 1 else page
    pages = int.from_bytes(header[28:32], "big")
    # The header speaks of the file as of its last checkpoint; what is in the log beside it comes later.
    if size < page * pages:
        return Damage(Finding.TRUNCATED, f"{size} of {page * pages} bytes are left")
    return None
