"""How does a record leave the ship so that it can still be verified? One segment as JSON lines.

The first line says what it is; then one line an entry, and each checkpoint behind the last entry
that it covers, with the witnesses' signatures below the ship's. What a reader may not see is left
out in such a way that what is left still verifies: parts and evidence by the hashes that the entry
holds of them, whole entries by the hash of their leaf (decision 0013). An excerpt has single
entries, each with the proof that it stands in the tree of the checkpoint in the last line.
"""

from __future__ import annotations

import base64
import zlib
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import apsw

from daemon.errors import RecordError
from daemon.model import Classification
from daemon.record import codec, proofs, subtrees
from daemon.record.checkpoint import LONGEST_NOTE
from daemon.record.merkle import leaf_hash
from daemon.record.sqlite import blob, number, store_errors, text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from daemon.record.entry import Entry

FORMAT = "ispsd-record-export"
EXPORT_VERSION = 2
TELL_EVERY = 1000
"""Entries between two words to whoever waits."""
PERSON_KEY = "person.key"


class Profile(StrEnum):
    """Who is to read an export, and so what it holds."""

    FULL = "full"
    """Everything."""
    REDACTED = "redacted"
    """All entries, without parts and evidence."""
    PSC = "psc"
    """For port state control: as redacted, and of entries of class sso (ISPS Code A/9.8.1) the hash alone."""
    EXCERPT = "excerpt"
    """Chosen entries with their proofs, without parts and evidence."""


def silent(done: int, total: int) -> None:
    """Tell nobody."""


def lines(
    segment: Path,
    *,
    profile: Profile,
    entries: Collection[int] | None = None,
    progress: Callable[[int, int], None] = silent,
) -> Iterator[bytes]:
    """Yield the lines of an export, each with its newline, from a segment or a copy of one.

    Memory is bounded whatever the segment's size; an excerpt takes 32 bytes for every thousandth entry.

    Args:
        segment: The file; one that is being written is read as it was when this began.
        profile: What is left out.
        entries: Of an excerpt, the numbers (``seq``) that are wanted; the first entry of the segment and the
            keys with which persons signed come along, for without them nobody can tell whose signatures these are.
        progress: Told every now and then how many entries of how many are done.

    Raises:
        RecordError: It cannot be read, or an entry of an excerpt is not there or not sealed yet.
    """
    if (profile is Profile.EXCERPT) != (entries is not None):
        raise ValueError("an excerpt, and nothing else, is of chosen entries")
    with store_errors(segment):
        db = apsw.Connection(str(segment), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            db.execute("BEGIN")
            source = _Source(db, progress)
            yield from source.whole(profile) if entries is None else source.excerpt(entries)
        finally:
            db.close(force=True)


class _Source:
    """A segment, read in one transaction."""

    def __init__(self, db: apsw.Connection, progress: Callable[[int, int], None]) -> None:
        self._db = db
        self._progress = progress
        row = db.execute(
            "SELECT body, (SELECT count(*) FROM entry) FROM entry ORDER BY seq"
        ).fetchone()
        if row is None:
            raise RecordError("the segment holds no entry")
        self._first = codec.parse(text(row[0]))
        self._size = number(row[1])
        self._cosigned = number(db.pragma("user_version")) > 1

    def whole(self, profile: Profile) -> Iterator[bytes]:
        """Yield all entries, or what stands for them, and all checkpoints."""
        yield self._header(profile, self._size)
        notes = iter(self._db.execute("SELECT size, note FROM checkpoint ORDER BY size"))
        note = next(notes, None)
        bodies = self._db.execute("SELECT body FROM entry ORDER BY seq")
        for count, (body,) in enumerate(bodies, start=1):
            yield self._entry(text(body), profile)
            while note is not None and number(note[0]) == count:
                yield self._checkpoint(count, text(note[1]))
                note = next(notes, None)
            if count % TELL_EVERY == 0 or count == self._size:
                self._progress(count, self._size)

    def excerpt(self, wanted: Collection[int]) -> Iterator[bytes]:
        """Yield the first entry, those that are wanted, and the checkpoint to which their proofs lead."""
        chosen = {self._first.seq: self._first}
        for seq in sorted(wanted):
            chosen[seq] = self._one(seq)
        for key in self._keys_of([e for e in chosen.values() if "signed" in e.open]):
            chosen[key.seq] = key
        size, note = self._head(max(chosen) - self._first.seq + 1)
        yield self._header(Profile.EXCERPT, size, entries=len(chosen))
        trees = subtrees.Subtrees(self._leaves, size, self._progress)
        for seq, entry in sorted(chosen.items()):
            index = seq - self._first.seq
            path = proofs.inclusion(index, size, trees.root)
            hashes = [base64.b64encode(node).decode() for node in path]
            proof = {"index": index, "size": size, "hashes": hashes}
            yield _line({"entry": codec.parse_object(entry.body), "proof": proof})
        yield self._checkpoint(size, note)

    def _header(self, profile: Profile, size: int, **more: int) -> bytes:
        return _line(
            {
                "format": FORMAT,
                "v": EXPORT_VERSION,
                "profile": profile.value,
                "origin": self._first.open["origin"],
                "segment": self._first.segment,
                "first_seq": self._first.seq,
                "size": size,
                **more,
            }
        )

    def _entry(self, body: str, profile: Profile) -> bytes:
        entry = codec.parse_object(body)
        if profile is Profile.PSC and entry["class"] == Classification.SSO.value:
            leaf = leaf_hash(body.encode()).hex()
            return _line({"withheld": {"seq": entry["seq"], "leaf": leaf}})
        line: dict[str, Any] = {"entry": entry}
        if profile is Profile.FULL:
            line |= _beside(self._db, line["entry"])
        return _line(line)

    def _checkpoint(self, size: int, note: str) -> bytes:
        """Return the ship's note with the lines of witnesses below, as many as a note may hold."""
        if self._cosigned:
            query = "SELECT line FROM cosignature WHERE size = ? ORDER BY name"
            for (line,) in self._db.execute(query, (size,)):
                more = note + text(line).rstrip("\n") + "\n"
                note = more if len(more) <= LONGEST_NOTE else note
        return _line({"checkpoint": note})

    def _one(self, seq: int) -> Entry:
        row = self._db.execute("SELECT body FROM entry WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise RecordError(f"entry {seq} is not in segment {self._first.segment}")
        return codec.parse(text(row[0]))

    def _keys_of(self, signed: Sequence[Entry]) -> list[Entry]:
        """Return where this segment says whose keys these entries are signed with: what it said last before each."""
        if not signed:
            return []
        rows = self._db.execute("SELECT body FROM entry WHERE type = ? ORDER BY seq", (PERSON_KEY,))
        keys = [codec.parse(text(body)) for (body,) in rows]
        before = (
            [k for k in keys if k.seq < each.seq and k.open.get("person") == each.actor.person]
            for each in signed
        )
        return [found[-1] for found in before if found]

    def _head(self, least: int) -> tuple[int, str]:
        """Return the newest checkpoint of so many entries at least, one that a witness has signed if there is any."""
        query = "SELECT size, note FROM checkpoint WHERE size >= ? ORDER BY size DESC LIMIT 1"
        if self._cosigned:
            query = (
                "SELECT size, note FROM checkpoint WHERE size >= ? ORDER BY "
                "size IN (SELECT size FROM cosignature) DESC, size DESC LIMIT 1"
            )
        row = self._db.execute(query, (least,)).fetchone()
        if row is None:
            last = self._first.seq + least - 1
            raise RecordError(f"entry {last} is not sealed yet; seal the record, then export")
        return number(row[0]), text(row[1])

    def _leaves(self, begin: int, end: int) -> Iterator[bytes]:
        first = self._first.seq
        rows = self._db.execute(
            "SELECT body FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq",
            (first + begin, first + end),
        )
        return (leaf_hash(text(body).encode()) for (body,) in rows)


def _beside(db: apsw.Connection, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the parts and the evidence that an entry names."""
    found: dict[str, Any] = {}
    if entry["parts"]:
        rows = db.execute("SELECT class, salt, body FROM part WHERE seq = ?", (entry["seq"],))
        found["parts"] = {
            text(name): {"salt": blob(salt).hex(), "body": body} for name, salt, body in rows
        }
    if entry["evidence"]:
        found["evidence"] = {each["sha256"]: _evidence(db, each) for each in entry["evidence"]}
    return found


def _evidence(db: apsw.Connection, named: dict[str, Any]) -> str:
    row = db.execute("SELECT body FROM evidence WHERE sha256 = ?", (named["sha256"],)).fetchone()
    if row is None:
        raise RecordError(f"evidence {named['sha256']} is missing")
    try:
        return base64.b64encode(zlib.decompress(blob(row[0]))).decode()
    except zlib.error as err:
        raise RecordError(f"evidence {named['sha256']} is damaged: {err}") from err


def _line(value: dict[str, Any]) -> bytes:
    return codec.encode(value) + b"\n"
