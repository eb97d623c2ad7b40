"""How does the only writer append to a segment and seal it?

Everything here blocks and belongs to the writer thread. A segment is created, or opened and
checked, in one step; after any error it must be closed and opened again, because what a failed
fsync left behind is not known.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from zlib import compress

import apsw

from daemon.errors import RecordError
from daemon.model import Classification, Json
from daemon.record import checkpoint, codec, fold, logbeside, schema, trust, writeahead
from daemon.record.entry import Draft, Entry, Stamp
from daemon.record.merkle import Tree
from daemon.record.sqlite import blob, number, remove_empty_log, store_errors, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from daemon.computer.entropy import Entropy
    from daemon.record.checkpoint import Checkpoint
    from daemon.record.trust import Identity


@dataclass(frozen=True, slots=True)
class Carried:
    """What a new segment takes over from the one before; the default starts a record.

    Attributes:
        tree: Of all entries of the segment before, sealed or not.
        head: Its newest checkpoint.
        lost: A newer head of that segment, which somebody else held; its numbers are not used again.
        endorsement: The old key's word for a new one, in base64.
    """

    number: int = 0
    tree: Tree = field(default_factory=Tree)
    head: Checkpoint | None = None
    next_seq: int = 1
    next_bseq: int = 1
    state: tuple[fold.StateChange, ...] = ()
    cursors: tuple[tuple[str, int], ...] = ()
    lost: Checkpoint | None = None
    endorsement: str | None = None

    @property
    def hole(self) -> int:
        """Return how many numbers the lost entries had that are not used again."""
        return max(0, self.lost.size - self.tree.size) if self.lost else 0

    @property
    def first_seq(self) -> int:
        return self.next_seq + self.hole

    @property
    def first_bseq(self) -> int:
        return self.next_bseq + self.hole


Submission = tuple[Draft, Stamp]
PATIENCE_S: Final = 30.0
"""How long a reader is waited for where a segment is closed for good; a copy of a large one takes seconds."""


class Segment:
    """An open segment with its only writing connection."""

    def __init__(
        self, path: Path, identity: Identity, entropy: Entropy, *, file: Path | None = None
    ) -> None:
        """Prepare; ``create`` and ``open`` make segments that can be used. ``file`` is where one is being made."""
        match = re.fullmatch(r"segment-(\d{4})\.db", path.name)
        if match is None:
            raise RecordError(f"{path}: not the name of a segment")
        self.path = path
        self.number = int(match[1])
        self.tree = Tree()
        self.first_seq = 1
        self.next_bseq = 1
        self.layout = schema.SCHEMA_VERSION
        self.opened_at = ""
        """When its first entry was written."""
        self.software = identity.software
        """Which version of ispsd began it."""
        self.head: Checkpoint | None = None
        self.opening: Entry | None = None
        """The first entry, where this object wrote it."""
        self._identity = identity
        self._entropy = entropy
        self._db = self._connect(file or path)

    @property
    def next_seq(self) -> int:
        return self.first_seq + self.tree.size

    @property
    def unsealed(self) -> int:
        """How many entries stand behind the newest checkpoint."""
        return self.tree.size - (self.head.size if self.head else 0)

    @classmethod
    def create(
        cls,
        directory: Path,
        identity: Identity,
        entropy: Entropy,
        *,
        stamp: Stamp,
        reason: str,
        carried: Carried,
    ) -> Segment:
        """Begin the next segment: tables, first entry and its checkpoint.

        Raises:
            RecordError: The disk refuses, or the segment exists already.
        """
        path = directory / schema.segment_name(carried.number + 1)
        fresh = path.with_name(f".{path.name}.new")
        if not _is_unfinished(path):
            raise RecordError(f"{path}: is there already")
        _remove(fresh)  # one that a power cut left half-made
        segment = cls(path, identity, entropy, file=fresh)
        segment.first_seq, segment.next_bseq = carried.first_seq, carried.first_bseq
        opening = _opening(segment.number, identity, reason=reason, carried=carried)
        try:
            [segment.opening] = segment._write(
                [(opening, stamp)], dict(carried.cursors), schema.STATEMENTS
            )
            segment.opened_at = stamp.at
            segment.seal({})
            segment._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            segment.close(finish=True)
            _remove(path)
            with store_errors(path):
                fresh.replace(path)  # nobody ever sees a segment that is not whole
            _sync_directory(directory)
            segment._db = segment._connect(path)
            segment._go_on()
        except BaseException:
            segment.close()
            with suppress(RecordError):
                _remove(fresh)
            raise
        return segment

    @classmethod
    def open(cls, path: Path, identity: Identity, entropy: Entropy) -> Segment | None:
        """Open a segment and check it; None when its creation never came to an end.

        Raises:
            RecordError: It cannot be read or trusted; nothing has been changed.
        """
        segment = cls(path, identity, entropy)
        try:
            with store_errors(path):
                found = trust.load(segment._db, path, segment.number, identity)
        except BaseException:
            segment.close()
            remove_empty_log(path)
            raise
        if found is None:
            segment.close()
            return None
        try:
            segment._go_on()
        except BaseException:
            segment.close()
            raise
        segment.opened_at, segment.software = found.opened_at, found.software
        segment.tree, segment.head = found.tree, found.head
        segment.first_seq, segment.next_bseq = found.first_seq, found.next_bseq
        segment.layout = found.layout
        return segment

    def append(self, submissions: Sequence[Submission], cursors: Mapping[str, int]) -> list[Entry]:
        """Write entries in one transaction; they are on disk when this returns.

        Raises:
            RecordError: The disk refuses. Close, open again, and see what is there.
        """
        return self._write(submissions, cursors, ())

    def seal(self, cursors: Mapping[str, int]) -> Checkpoint:
        """Sign the head; the same head is not signed twice.

        Raises:
            RecordError: The disk refuses.
        """
        if self.head is not None and not self.unsealed:
            if cursors:
                self.write_cursors(cursors)
            return self.head
        head = checkpoint.sign(
            self._identity.key,
            origin=self._identity.segment_origin(self.number),
            size=self.tree.size,
            root=self.tree.root(),
        )
        with store_errors(self.path), self._transaction():
            self._db.execute(
                "INSERT INTO checkpoint (size, note, peaks) VALUES (?, ?, ?)",
                (head.size, head.note, b"".join(self.tree.peaks)),
            )
            self._write_cursors(cursors)
        self.head = head
        return head

    def cosigned(self, size: int, name: str, line: str) -> None:
        """Keep a witness's signature line under the checkpoint of that size; the first one stays.

        Raises:
            RecordError: The disk refuses, or the segment is of a layout that has no place for it.
        """
        with store_errors(self.path), self._transaction():
            self._db.execute(
                "INSERT INTO cosignature (size, name, line) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (size, name, line),
            )

    def write_cursors(self, cursors: Mapping[str, int]) -> None:
        """Keep the cursors.

        Raises:
            RecordError: The disk refuses.
        """
        with store_errors(self.path), self._transaction():
            self._write_cursors(cursors)

    def entries_from(self, seq: int) -> list[Entry]:
        """Return the entries from a number on."""
        with store_errors(self.path):
            rows = self._db.execute("SELECT body FROM entry WHERE seq >= ? ORDER BY seq", (seq,))
            return [codec.parse(text(body)) for (body,) in rows]

    def tells(self, type_: str, subject: str) -> bool:
        """Tell whether an entry of this type about this subject stands in the segment.

        Raises:
            RecordError: The disk refuses.
        """
        with store_errors(self.path):
            row = self._db.execute(
                "SELECT 1 FROM entry WHERE type = ? AND subject = ? LIMIT 1", (type_, subject)
            ).fetchone()
        return row is not None

    def root_at(self, size: int) -> bytes:
        """Return the root of the first so many entries, from the nearest checkpoint on.

        Raises:
            ValueError: There are not so many.
            RecordError: The disk refuses.
        """
        if size > self.tree.size:
            raise ValueError(f"{size} of {self.tree.size} entries")
        with store_errors(self.path):
            tree = self._tree_below(size)
            rows = self._db.execute(
                "SELECT body FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq",
                (self.first_seq + tree.size, self.first_seq + size),
            )
            for (body,) in rows:
                tree = tree.grown(text(body).encode())
        return tree.root()

    def _tree_below(self, size: int) -> Tree:
        """Return the tree of the nearest checkpoint that signed its peaks; rotten ones are no history."""
        for covered, note, peaks in self._db.execute(
            "SELECT size, note, peaks FROM checkpoint WHERE size <= ? ORDER BY size DESC", (size,)
        ):
            with suppress(ValueError, RecordError):
                tree = Tree.from_peaks(number(covered), blob(peaks))
                if tree.root() == checkpoint.unverified(text(note)).root:
                    return tree
        return Tree()

    def carried(self) -> Carried:
        """Return what the next segment takes over."""
        with store_errors(self.path):
            state = tuple(
                fold.StateChange(text(kind), text(name), codec.parse_object(text(body)))
                for kind, name, body in self._db.execute(
                    "SELECT kind, id, body FROM state ORDER BY kind, id"
                )
            )
            cursors = tuple(
                (text(name), number(value))
                for name, value in self._db.execute("SELECT name, value FROM cursor")
            )
        return Carried(
            self.number, self.tree, self.head, self.next_seq, self.next_bseq, state, cursors
        )

    def rebuild(self) -> None:
        """Fold the state again from the entries alone.

        Raises:
            RecordError: The disk refuses.
        """
        with store_errors(self.path), self._transaction():
            latest: fold.Latest = {}
            self._db.execute("DELETE FROM state")
            rows = self._db.execute(
                "SELECT entry.body, part.body FROM entry LEFT JOIN part "
                "ON part.seq = entry.seq AND part.class = 'sso' ORDER BY entry.seq"
            )
            for body, part in rows:
                carried = codec.parse_object(text(part)) if part is not None else {}
                fold.note(latest, codec.parse(text(body)), carried)
            self._write_state(latest, {})

    def moves_log(self, *, within_s: float = 0.0) -> bool:
        """Move all into the one file, which is then whole without its log; return False where it is being read.

        Raises:
            RecordError: The disk refuses.
        """
        with store_errors(self.path):
            return logbeside.move(self._db, within_s=within_s)

    def close(self, *, finish: bool = False, patience_s: float = PATIENCE_S) -> None:
        """Close; ``finish`` first moves all into the one file, which is then whole without its log.

        Raises:
            RecordError: The disk refuses to finish, or it was being read for as long as ``patience_s``; it is closed
                all the same.
        """
        try:
            if finish and not self.moves_log(within_s=patience_s):
                raise RecordError(f"{self.path}: is being read, so that its log stays beside it")
        finally:
            with store_errors(self.path):
                self._db.close(force=True)

    @staticmethod
    def _connect(path: Path) -> apsw.Connection:
        with store_errors(path):
            db = apsw.Connection(
                str(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
            )
            # What turns out to be damaged is kept as it is: nothing is moved into it until it is trusted.
            db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
        return db

    def _go_on(self) -> None:
        """Prepare for writing what is trusted."""
        with store_errors(self.path):
            self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            self._db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()  # makes the log
        writeahead.lengthen(self.path)

    def _write(
        self, submissions: Sequence[Submission], cursors: Mapping[str, int], before: Sequence[str]
    ) -> list[Entry]:
        seq, next_bseq = self.next_seq, self.next_bseq
        entries: list[Entry] = []
        latest: fold.Latest = {}
        texts: dict[int, str] = {}
        with store_errors(self.path), self._transaction():
            for statement in before:
                self._db.execute(statement)
            for draft, stamp in submissions:
                shown = draft.classification is Classification.WATCH
                entry = self._compose(draft, stamp, seq=seq, bseq=next_bseq if shown else None)
                seq, next_bseq = seq + 1, next_bseq + shown
                fold.note(latest, entry, draft.parts.get(Classification.SSO, {}))
                entries.append(entry)
                if draft.open_text is not None:
                    texts[id(entry.open)] = draft.open_text
            self._db.executemany(
                "INSERT INTO entry (seq, body) VALUES (?, ?)",
                [(entry.seq, entry.body) for entry in entries],
            )
            self._write_state(latest, texts)
            self._write_cursors(cursors)
        self.tree = self.tree.grown_by(entry.body.encode() for entry in entries)
        self.next_bseq = next_bseq
        return entries

    def _compose(self, draft: Draft, stamp: Stamp, *, seq: int, bseq: int | None) -> Entry:
        """Return the entry of a draft; what stands beside an entry is written at once."""
        hashes = {}
        for name, part in draft.parts.items():
            salt, body = self._entropy.salt(), codec.encode(part)
            hashes[name.value] = codec.part_hash(salt, body)
            self._db.execute(
                "INSERT INTO part (seq, class, salt, body) VALUES (?, ?, ?, ?)",
                (seq, name.value, salt, body.decode()),
            )
        entry = codec.compose(
            draft, stamp, segment=self.number, seq=seq, bseq=bseq, part_hashes=hashes
        )
        for reference, evidence in zip(entry.evidence, draft.evidence, strict=True):
            self._db.execute(  # the same bytes twice are kept once
                "INSERT INTO evidence (sha256, seq, media, size, body) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (reference.sha256, seq, reference.media, reference.size, compress(evidence.body)),
            )
        return entry

    def _write_state(self, latest: fold.Latest, texts: Mapping[int, str]) -> None:
        """Write what is true now; ``texts`` has the text of what an entry says, by which object it is."""
        for change, seq in latest.values():
            place = (change.kind, change.id)
            if change.body is None:
                self._db.execute("DELETE FROM state WHERE kind = ? AND id = ?", place)
                continue
            self._db.execute(
                "INSERT INTO state (kind, id, body, seq) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, seq = excluded.seq "
                "WHERE kind <> ? OR excluded.body ->> 'value' > body ->> 'value'",
                (
                    *place,
                    texts.get(id(change.body)) or codec.canonical_text(change.body),
                    seq,
                    fold.HIGHEST,
                ),
            )

    def _write_cursors(self, cursors: Mapping[str, int]) -> None:
        for name, value in cursors.items():
            self._db.execute(
                "INSERT INTO cursor (name, value) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _opening(segment: int, identity: Identity, *, reason: str, carried: Carried) -> Draft:
    state = [{"kind": each.kind, "id": each.id, "body": each.body} for each in carried.state]
    return Draft(
        kind="system",
        type=fold.SEGMENT_OPENED,
        subject=identity.segment_origin(segment),
        classification=Classification.WATCH,
        open={
            "first_seq": carried.first_seq,
            "first_bseq": carried.first_bseq,
            "origin": identity.segment_origin(segment),
            "reason": reason,
            "software": identity.software,
            "configuration_sha256": identity.configuration,
            "key": identity.vkey(),
            "endorsement": carried.endorsement,
            "previous": _previous(carried),
        },
        parts={Classification.SSO: {fold.CARRIED: state}},
    )


def _previous(carried: Carried) -> Json:
    """Return what a segment commits to of the one before (decision 0013)."""
    if not carried.number:
        return None
    head, lost = carried.head, carried.lost
    return {
        "segment": carried.number,
        "size": carried.tree.size,
        "root": carried.tree.root().hex(),
        "note_sha256": None if head is None else head.digest(),
        "sealed": 0 if head is None else head.size,
        "lost": None
        if lost is None
        else {"size": lost.size, "root": lost.root.hex(), "note": lost.note},
    }


def _is_unfinished(path: Path) -> bool:
    """Tell whether nothing was ever written there: no file, or one whose making was interrupted."""
    if not path.exists():
        return True
    with store_errors(path):
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return db.execute("SELECT name FROM sqlite_schema LIMIT 1").fetchone() is None
        finally:
            db.close(force=True)


def _remove(path: Path) -> None:
    """Remove an unfinished segment, its log first: another file's log beside a new one would be read into it."""
    with store_errors(path):
        for tail in ("-wal", "-shm", ""):
            path.with_name(path.name + tail).unlink(missing_ok=True)


def _sync_directory(directory: Path) -> None:
    with store_errors(directory):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
