"""Is this head, which somebody else held, a head of our own history?

A printed, mailed or retained checkpoint is older than the record at hand, or the record has forgotten something: a
disk that was restored from a copy, a computer that was cloned, entries that were rewritten. The tree says which.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from daemon.errors import RecordError
from daemon.record import checkpoint, codec, cosignature, growth
from daemon.record.sqlite import store_errors, text
from daemon.record.witness import ORIGIN

if TYPE_CHECKING:
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.cosignature import Verifier
    from daemon.record.entry import Entry
    from daemon.record.growth import Asked
    from daemon.record.reader import Reader


class Found(StrEnum):
    """How a head stands to our history."""

    OURS = "in our history"
    NEWER = "newer than ours"
    """The ship's key signed more entries than this record has."""
    LOST = "known as lost"
    """Newer, and the segment that followed says so itself."""
    OTHER = "of another history"
    """The ship's key signed another root for as many entries as we have too: two histories."""
    ARCHIVED = "of a segment that is archived"
    """Its entries are elsewhere, and go further than the head: only there can it be compared."""
    NOT_SIGNED = "not signed by this ship"
    """Not ours, and no proof of anything: anybody can write such a note."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found.

    Attributes:
        head: The head that was compared.
        ours: How many entries its segment has here; 0: there is no such segment.
        sentence: For people.
    """

    found: Found
    head: Checkpoint
    ours: int
    sentence: str


async def compare(record: Asked, note: str, ship: Verifier) -> Comparison:
    """Compare a signed note with the record.

    Args:
        record: Open.
        note: As it was printed, mailed or retained; carriage returns and spaces at its ends do not matter.
        ship: Our prefix and the key that signs now.

    Raises:
        RecordError: Not a checkpoint of this ship, or the record cannot be read now.
    """
    note = tidy(note)
    origin = note.partition("\n")[0]
    named = ORIGIN.fullmatch(origin)
    if not checkpoint.is_checkpoint(note) or named is None:
        raise RecordError(
            "not a head of a record: want origin, size, root, a blank line, signatures"
        )
    if named[1] != ship.name:
        raise RecordError(f"a head of {named[1]}; this ship is {ship.name}")
    segment, head = int(named[2]), checkpoint.unverified(note)
    if head.size == 0:
        raise RecordError("a head of no entries says nothing")
    reach = await record.ask(partial(growth.extent, segment))
    ours = reach.size if reach else 0
    if reach is None and (elsewhere := await _archived(record, head, segment)) is not None:
        return elsewhere
    if (
        0 < head.size <= ours
        and (await growth.tree(record, segment, head.size)).root() == head.root
    ):
        sentence = f"in our history: the first {head.size} of the {ours} entries of {origin}"
        return Comparison(Found.OURS, head, ours, sentence)
    if not await _is_signed(record, head, segment, ship):
        sentence = f"not in our history, and not signed by {ship.name}: it proves nothing"
        return Comparison(Found.NOT_SIGNED, head, ours, sentence)
    if head.size <= ours:
        sentence = f"the ship's key signed another history of {head.size} entries of {origin}"
        return Comparison(Found.OTHER, head, ours, sentence)
    if (says := await record.ask(partial(_confessed, segment, head.size))) is not None:
        sentence = f"newer than what is here, as segment {says} itself says: entries are lost"
        return Comparison(Found.LOST, head, ours, sentence)
    sentence = f"the ship's key signed {head.size} entries of {origin}; here are {ours}: entries are missing"
    return Comparison(Found.NEWER, head, ours, sentence)


async def _archived(record: Asked, head: Checkpoint, segment: int) -> Comparison | None:
    """Compare a head with what was kept of a segment that is elsewhere; None where that says nothing for it."""
    kept = await record.ask(lambda reader: reader.archived_head(segment))
    if kept is None:
        return None
    last = checkpoint.unverified(kept)
    if (head.size, head.root) == (last.size, last.root):
        sentence = (
            f"in our history: the head of {head.origin}, {head.size} entries, which are archived"
        )
        return Comparison(Found.OURS, head, last.size, sentence)
    if head.size < last.size:
        sentence = (
            f"of {head.origin}, whose {last.size} entries are archived: compare it with the archive"
        )
        return Comparison(Found.ARCHIVED, head, last.size, sentence)
    return None


def tidy(note: str) -> str:
    """Return a note as it was signed: without what editors, mail and typing put around it."""
    lines = [line.rstrip() for line in note.strip().replace("\r\n", "\n").split("\n")]
    tidied = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"
    return tidied if "\n\n" in tidied else tidied + "\n"  # typed without its signature


async def _is_signed(record: Asked, head: Checkpoint, segment: int, ship: Verifier) -> bool:
    """Tell whether the ship signed it: with the key of now, or with that of the segment."""
    keys = [ship]
    first = await record.ask(partial(opening, segment))
    if first is not None and isinstance(line := first.open.get("key"), str):
        keys.append(cosignature.verifier(line, of=checkpoint.ED25519))
    for key in keys:
        try:
            checkpoint.opened(head.note, key.key, origin=head.origin)
        except RecordError:
            continue
        return True
    return False


def opening(segment: int, reader: Reader) -> Entry | None:
    """Return the first entry of a segment; None where that is not here.

    Raises:
        RecordError: The disk refuses.
    """
    found = reader.segment(segment)
    if found is None:
        return None
    path, db = found
    with store_errors(path):
        row = db.execute("SELECT body FROM entry ORDER BY seq LIMIT 1").fetchone()
    return codec.parse(text(row[0])) if row else None


def _confessed(segment: int, size: int, reader: Reader) -> int | None:
    """Return which segment says in its first entry that these entries are lost; None: none does.

    Behind a hole of whole segments the next one names the head of the last that is lost, and all before it are too.
    """
    following = reader.following(segment)
    first = None if following is None else opening(following, reader)
    previous = None if first is None else first.open.get("previous")
    if not isinstance(previous, dict) or not isinstance(lost := previous.get("lost"), dict):
        return None
    last, known = previous.get("segment"), lost.get("size")
    if not isinstance(last, int) or not isinstance(known, int):
        return None
    is_known = known >= size if last == segment else last > segment
    return following if is_known else None
