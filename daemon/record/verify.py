"""Is this security record what its ship signed, every entry of it, and nothing but?

    python -I verify.py RECORD --key FILE_OR_VKEY [--anchor NOTE_FILE]... [--json]

RECORD is a segment file, the folder of all segments, or an export in JSON lines. The key and the
anchors (older checkpoints: printed, kept by a second computer, sent ashore) must come from
somewhere else than the record itself. Says PASS (exit 0), FAIL with the first bad entry (1), or
INCONCLUSIVE with what is missing (2), and writes nothing.

One file on purpose, with the standard library and ``cryptography`` only, Python 3.9 or newer: so
that it can be read in one sitting, run on any computer, and shares no mistake with the program that
wrote the record. The format is in ``docs/decisions/0002-entry-and-checkpoint-format.md``; trees are
RFC 6962, notes are C2SP signed-note.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import shutil
import sqlite3
import sys
import tempfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXIT = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 2}
NEWEST_VERSION = 2
LARGEST_ENTRY = 64 * 1024
LARGEST_LINE = 256 * 1024 * 1024
LARGEST_EVIDENCE = 16 * 1024 * 1024
LARGEST_NOTE = 8192
MOST_KNOWN_KEYS = 10_000
CLOCK_STEP_S = 60.0
"""A jump of UTC against the time since boot that an entry must explain."""

TELL_EVERY = 20_000
"""Entries between two words to somebody who waits."""


class BadError(Exception):
    """Something is proven to be wrong."""

    def __init__(self, text: str, seq: int | None = None) -> None:
        super().__init__(text)
        self.seq = seq


class UnclearError(Exception):
    """Something cannot be judged by this program."""


# ---------------------------------------------------------------- entries

_STRING = r'"[^"\\\x00-\x1f]*(?:\\(?:["\\bfnrt]|u00(?:0[0-7bef]|1[0-9a-f]))[^"\\\x00-\x1f]*)*"'
_NUMBER = r"(?:0|[1-9][0-9]{0,15})"
_ENTRY = re.compile(
    rf'\{{"actor":\{{"person":(null|{_STRING}),"proof":"(?:none|pin|signature)","station":(?:null|{_STRING})\}},'
    r'"at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3})Z",'
    rf'"boot":({_STRING}),"bseq":(null|{_NUMBER}),"class":"(watch|sso)",'
    r'"clock":"(synced|holdover|unset)","evidence":(\[.*\]),'
    r'"kind":"(\.(?:[1-9]|1[0-4])|system)","open":(\{.*\}),"parts":(\{.*\}),'
    rf'"segment":({_NUMBER}),"seq":({_NUMBER}),"subject":{_STRING},'
    rf'"type":"([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)","up_ms":({_NUMBER}),"v":[12]\}}'
)
"""Version 1, whole: the names, their order, the shapes. ``open``, ``parts`` and ``evidence`` are judged apart."""
_KEY = re.compile(r"[a-z0-9_]+")
_HASH = re.compile(r"[0-9a-f]{64}")
_FIELDS = frozenset(
    {"v", "segment", "seq", "bseq", "at", "clock", "up_ms", "boot"}
    | {"kind", "type", "actor", "subject", "class", "open", "parts", "evidence"}
)


def _no_float(text: str) -> NoReturn:
    raise ValueError(f"the number {text} is not an integer")


def _integer(text: str) -> int:
    value = int(text) if len(text) <= 17 else 2**53  # noqa: PLR2004 (a sign and 16 digits)
    if not -(2**53) < value < 2**53:
        raise ValueError(f"the number {text} is too large")
    return value


_read = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float, parse_int=_integer).decode
_canonical = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode
_known_keys: set[str] = set()
"""A cache: nearly all entries use the same few names."""


def read_canonical(text: str) -> Any:
    """Return what a text says; it must be the canonical one for it (RFC 8785, without floats)."""
    value = _read(text)
    if _canonical(value) != text:
        raise ValueError("it is not written in the canonical form")
    _check_keys(value)
    return value


def _check_keys(value: Any) -> None:
    if type(value) is dict:
        if not value.keys() <= _known_keys:
            _learn_keys(value)
        value = value.values()
    for inner in value:
        if type(inner) is dict or type(inner) is list:
            _check_keys(inner)


def _learn_keys(value: dict[str, Any]) -> None:
    for key in value:
        if not _KEY.fullmatch(key):
            raise ValueError(f"the name {key!r} may not be used")
    if len(_known_keys) < MOST_KNOWN_KEYS:
        _known_keys.update(value)


@dataclass
class Entry:
    """What is needed of one entry."""

    seq: int
    bseq: int | None
    at: datetime
    up_s: float
    boot: str
    clock: str
    type: str
    segment: int
    open: dict[str, Any]
    parts: dict[str, str]
    evidence: list[dict[str, Any]]


def read_entry(body: Any) -> Entry:
    """Return an entry; raise ValueError with the reason if it is none."""
    if not isinstance(body, str) or len(body) > LARGEST_ENTRY:
        raise ValueError("it is not a text of at most 64 KiB")
    match = _ENTRY.fullmatch(body)
    if match is None:
        _explain(body)
    (
        person,
        at,
        boot,
        bseq,
        readers,
        clock,
        evidence,
        kind,
        shown,
        parts,
        segment,
        seq,
        kind_of,
        up,
    ) = match.groups()
    if person in ("null", '""') and kind not in (".10", "system"):
        raise ValueError(f"kind {kind} needs a person")
    if (bseq == "null") != (readers == "sso"):
        raise ValueError("its bseq does not fit its class")
    return Entry(
        int(seq),
        None if bseq == "null" else int(bseq),
        datetime.fromisoformat(at),
        _integer(up) / 1000,
        boot,
        clock,
        kind_of,
        int(segment),
        read_canonical(shown),
        {} if parts == "{}" else _read_parts(parts),
        [] if evidence == "[]" else _read_evidence(evidence),
    )


def _explain(body: str) -> NoReturn:
    """Say why a body is not an entry of version 1."""
    value = _read(body)
    if not isinstance(value, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 (what the caller tells apart)
    version = value.get("v")
    if type(version) is int and version > NEWEST_VERSION:
        raise UnclearError(f"entry of version {version}: a newer ispsd wrote it, use its verifier")
    if value.keys() != _FIELDS:
        raise ValueError("its fields are not those of version 1")
    if _canonical(value) != body:
        raise ValueError("it is not written in the canonical form")
    raise ValueError("a field has a value that version 1 does not allow")


def _read_parts(text: str) -> dict[str, str]:
    parts = read_canonical(text)
    for value in parts.values():
        if not isinstance(value, str) or not _HASH.fullmatch(value):
            raise ValueError("a part has no hash")
    return dict(parts)


def _read_evidence(text: str) -> list[dict[str, Any]]:
    listed = read_canonical(text)
    for each in listed:
        if not isinstance(each, dict) or each.keys() != {"sha256", "size", "media"}:
            raise ValueError("a piece of evidence is not named by sha256, size and media")
        if not isinstance(each["sha256"], str) or not _HASH.fullmatch(each["sha256"]):
            raise ValueError("a piece of evidence has no hash")
        if type(each["size"]) is not int or not isinstance(each["media"], str):
            raise ValueError("a piece of evidence has no size or media type")
    return list(listed)


# ---------------------------------------------------------------- tree, keys, notes


class Tree:
    """RFC 6962, section 2.1, as a stack of the roots of perfect subtrees."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        node, size = hashlib.sha256(b"\x00" + leaf).digest(), self.size
        while size & 1:
            node = hashlib.sha256(b"\x01" + self.peaks.pop() + node).digest()
            size >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = hashlib.sha256(b"\x01" + peak + root).digest()
        return root


@dataclass(frozen=True)
class Key:
    """A public key and the name it signs under, without the segment."""

    name: str
    public: bytes

    def id_for(self, name: str) -> bytes:
        return hashlib.sha256(name.encode() + b"\n\x01" + self.public).digest()[:4]


def read_keys(argument: str) -> list[Key]:
    """Return the keys of a file, one a line, or of the line itself; raise UnclearError if there is none."""
    lines = [argument]
    try:
        if "\n" not in argument and Path(argument).is_file():
            lines = Path(argument).read_text("utf-8").splitlines()[:100]
    except (OSError, UnicodeDecodeError) as err:
        raise UnclearError(f"the key cannot be read: {err}") from err
    return [_read_key(line.strip()) for line in lines if line.strip()]


def _read_key(line: str) -> Key:
    match = re.fullmatch(r"([!-*,-~]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", line)
    try:
        raw = base64.b64decode(match[3], validate=True) if match else b""
    except binascii.Error:
        raw = b""
    if match is None or len(raw) != 33 or raw[0] != 1:  # noqa: PLR2004 (a type and 32 bytes)
        raise UnclearError("the key is neither a file nor an Ed25519 vkey (name+id+base64)")
    key = Key(match[1], raw[1:])
    if key.id_for(key.name).hex() != match[2]:
        raise UnclearError(f"the key of {key.name} is damaged: its id does not fit it")
    return key


@dataclass(frozen=True)
class Note:
    """A checkpoint as it is written, not yet believed."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes], ...]
    whole: str


_NOTE = re.compile(r"(([!-~]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n)\n((?:— [^\n]+\n)+)")


def read_note(whole: Any) -> Note:
    """Return a checkpoint; raise ValueError if it is none."""
    match = (
        _NOTE.fullmatch(whole) if isinstance(whole, str) and len(whole) <= LARGEST_NOTE else None
    )
    if match is None:
        raise ValueError("it is not a signed checkpoint")
    signatures = []
    for line in match[5].splitlines():
        name, _, encoded = line[2:].rpartition(" ")
        signatures.append((name, base64.b64decode(encoded, validate=True)))
    root = base64.b64decode(match[4])
    return Note(match[1], match[2], int(match[3]), root, tuple(signatures), whole)


def is_signed(note: Note, keys: list[Key]) -> bool:
    """Tell whether one of the keys signed a note under the note's own origin."""
    for key in keys:
        if note.origin.rpartition("/")[0] != key.name:
            continue
        for name, signature in note.signatures:
            if name != note.origin or signature[:4] != key.id_for(name):
                continue
            try:
                Ed25519PublicKey.from_public_bytes(key.public).verify(
                    signature[4:], note.text.encode()
                )
            except InvalidSignature:
                return False
            return True
    return False


# ---------------------------------------------------------------- what a record is made of


@dataclass
class EntryItem:
    """One entry; parts and evidence are None where the source may leave them out."""

    body: Any
    parts: dict[str, tuple[bytes, bytes]] | None
    stored_seq: int | None = None


@dataclass
class NoteItem:
    """One stored checkpoint."""

    note: Any
    size: int | None = None
    peaks: bytes | None = None


SCHEMA_VERSION = 2
APPLICATION_ID = 0x49535052
_TABLES = {
    "entry": "CREATE TABLE entry (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, "
    "bseq INTEGER GENERATED ALWAYS AS (json_extract(body, '$.bseq')) VIRTUAL, "
    "at TEXT GENERATED ALWAYS AS (json_extract(body, '$.at')) VIRTUAL, "
    "kind TEXT GENERATED ALWAYS AS (json_extract(body, '$.kind')) VIRTUAL, "
    "type TEXT GENERATED ALWAYS AS (json_extract(body, '$.type')) VIRTUAL, "
    "subject TEXT GENERATED ALWAYS AS (json_extract(body, '$.subject')) VIRTUAL, "
    "class TEXT GENERATED ALWAYS AS (json_extract(body, '$.class')) VIRTUAL) STRICT",
    "part": "CREATE TABLE part (seq INTEGER NOT NULL, class TEXT NOT NULL, salt BLOB NOT NULL, "
    "body TEXT NOT NULL, PRIMARY KEY (seq, class)) STRICT, WITHOUT ROWID",
    "evidence": "CREATE TABLE evidence (sha256 TEXT PRIMARY KEY, seq INTEGER NOT NULL, "
    "media TEXT NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID",
    "checkpoint": "CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL, "
    "peaks BLOB NOT NULL) STRICT",
    "cosignature": "CREATE TABLE cosignature (size INTEGER NOT NULL, name TEXT NOT NULL, "
    "line TEXT NOT NULL, PRIMARY KEY (size, name)) STRICT, WITHOUT ROWID",
    "state": "CREATE TABLE state (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, "
    "seq INTEGER NOT NULL, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID",
    "cursor": "CREATE TABLE cursor (name TEXT PRIMARY KEY, value INTEGER NOT NULL) "
    "STRICT, WITHOUT ROWID",
}
_CORE = ("entry", "part", "evidence", "checkpoint")
_INDEXES = {
    "entry_by_bseq": "CREATE UNIQUE INDEX entry_by_bseq ON entry (bseq) WHERE bseq IS NOT NULL",
    "entry_of_sso": "CREATE INDEX entry_of_sso ON entry (seq) WHERE bseq IS NULL",
    "entry_by_at": "CREATE INDEX entry_by_at ON entry (at)",
    "entry_by_type": "CREATE INDEX entry_by_type ON entry (type, seq)",
    "entry_by_subject": "CREATE INDEX entry_by_subject ON entry (subject, seq)",
    "entry_by_kind": "CREATE INDEX entry_by_kind ON entry (kind, seq)",
}
_TRIGGERS = {
    f"{table}_no_{act.lower()}": f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, 'the record is append-only: {table}'); END"
    for table in (*_CORE, "cosignature")
    for act in ("UPDATE", "DELETE")
}
SCHEMA = {**_TABLES, **_INDEXES, **_TRIGGERS}
SCHEMA_1 = {name: sql for name, sql in SCHEMA.items() if not name.startswith("cosignature")}


class Database:
    """A segment file."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def doubts(self) -> list[str]:
        """Return what is strange about its tables; raise UnclearError where they are not ours at all."""
        found = dict(self._db.execute("SELECT name, sql FROM sqlite_master"))
        if any(found.get(name) != SCHEMA[name] for name in _CORE):
            raise UnclearError(
                "its tables are not those of a security record that this program knows"
            )
        layout = self._db.execute("PRAGMA user_version").fetchone()[0]
        schema = SCHEMA_1 if layout == 1 else SCHEMA
        doubts = [f"{name} is not part of a record" for name in found if name not in schema]
        for name, sql in schema.items():
            if found.get(name) != sql:
                doubts.append(
                    f"{name} is {'missing' if name not in found else 'not as we know it'}"
                )
        if self._db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            doubts.append("the file is not marked as a security record")
        if layout not in (1, SCHEMA_VERSION):
            doubts.append("its layout is of another version")
        return doubts

    def items(self) -> Iterator[EntryItem | NoteItem]:
        """Yield entries and checkpoints, each checkpoint behind the last entry that it covers."""
        notes = iter(self._db.execute("SELECT size, note, peaks FROM checkpoint ORDER BY size"))
        parts = iter(
            self._db.execute("SELECT seq, class, salt, body FROM part ORDER BY seq, class")
        )
        note, part = next(notes, None), next(parts, None)
        count = seq = 0
        for seq, body in self._db.execute("SELECT seq, body FROM entry ORDER BY seq"):
            mine = {}
            while part is not None and part[0] <= seq:
                if part[0] < seq:
                    raise BadError("a part belongs to no entry", part[0])
                mine[part[1]] = (part[2], part[3].encode())
                part = next(parts, None)
            yield EntryItem(body, mine, seq)
            count += 1
            while note is not None and note[0] <= count:
                yield NoteItem(note[1], note[0], note[2])
                note = next(notes, None)
        if part is not None:
            raise BadError("a part belongs to no entry", part[0])
        if note is not None:
            raise BadError(
                f"the end is cut off: {note[0]} entries were sealed, {count} are there", seq + 1
            )

    def check_evidence_of(self, entry: Entry) -> None:
        """Raise BadError where the record has not kept what an entry names."""
        for each in entry.evidence:
            row = self._db.execute(
                "SELECT size FROM evidence WHERE sha256 = ?", (each["sha256"],)
            ).fetchone()
            if row is None or row[0] != each["size"]:
                raise BadError("evidence that it names is missing", entry.seq)

    def check_evidence(self) -> None:
        """Hash every piece again."""
        rows = self._db.execute("SELECT sha256, seq, media, size, length(body) FROM evidence")
        for digest, seq, media, size, stored in rows:
            if not 0 <= size <= LARGEST_EVIDENCE or stored > LARGEST_EVIDENCE + 65536:
                raise BadError("a piece of evidence is too large", seq)
            query = "SELECT body FROM evidence WHERE sha256 = ?"
            packed = self._db.execute(query, (digest,)).fetchone()[0]
            check_evidence(unpack(packed, size), digest, size, seq)
            body = self._db.execute("SELECT body FROM entry WHERE seq = ?", (seq,)).fetchone()
            named = _read(body[0])["evidence"] if body else []
            if {"sha256": digest, "size": size, "media": media} not in named:
                raise BadError("a piece of evidence is kept that its entry does not name", seq)


def unpack(packed: bytes, size: int) -> bytes:
    """Return what was compressed, at most one byte more than it should be."""
    try:
        return zlib.decompressobj().decompress(packed, size + 1)
    except zlib.error:
        return b""


def check_evidence(body: bytes, digest: str, size: int, seq: int) -> None:
    """Raise BadError unless these are the bytes that were named."""
    if len(body) != size or hashlib.sha256(body).hexdigest() != digest:
        raise BadError("a piece of its evidence was altered or damaged", seq)


@contextmanager
def opened_database(path: Path) -> Iterator[Database]:
    """Open a segment file without writing beside it: as it is, or with its log in a copy of both."""
    log = path.with_name(path.name + "-wal")
    if path.with_name(path.name + "-journal").exists():
        raise UnclearError("a rollback journal lies beside the file; a record has none")
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        place, mode = path, "mode=ro&immutable=1"
        if log.exists() and log.stat().st_size:
            place, mode = Path(folder) / path.name, "mode=rw"
            before = _times(path), _times(log)
            shutil.copyfile(log, place.with_name(log.name))
            shutil.copyfile(path, place)
            if before != (_times(path), _times(log)):
                raise UnclearError(
                    "the record was being written while it was read; stop ispsd, or export"
                )
        else:
            _check_whole(path)
        db = sqlite3.connect(f"{place.absolute().as_uri()}?{mode}", uri=True)
        try:
            db.execute("PRAGMA cell_size_check = ON")
            yield Database(db)
        finally:
            db.close()


def _times(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _check_whole(path: Path) -> None:
    """Compare the length of the file with its header (SQLite file format, 1.3)."""
    with path.open("rb") as file:
        header = file.read(100)
    page = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    if path.stat().st_size < pages * (65536 if page == 1 else page):
        raise BadError("the file is cut off: a copy that was not finished, or damage")


class Export:
    """An export of one segment in JSON lines; parts and evidence may be left out, entries not."""

    FORMAT = "ispsd-record-export"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.withheld = 0
        """Parts and pieces of evidence that are not there to be checked."""

    def doubts(self) -> list[str]:
        return []

    def items(self) -> Iterator[EntryItem | NoteItem]:
        with self._path.open("rb") as file:
            header = self._line(file.readline(LARGEST_ENTRY))
            if header.get("format") != self.FORMAT:
                raise UnclearError("it is neither a segment nor an export of one")
            if header.get("v") != 1 or header.keys() != {
                "format", "v", "origin", "segment", "first_seq", "size",
            }:  # fmt: skip
                raise UnclearError("an export of a version that this program does not know")
            count = 0
            while raw := file.readline(LARGEST_LINE):
                line = self._line(raw)
                if line.keys() == {"checkpoint"}:
                    yield NoteItem(line["checkpoint"])
                    continue
                yield self._entry(line)
                count += 1
            if count != header["size"]:
                raise BadError(
                    f"the export is cut: it speaks of {header['size']} entries, has {count}"
                )

    def check_evidence_of(self, entry: Entry) -> None:
        """Nothing: what came with the entry was checked with it."""

    def check_evidence(self) -> None:
        """Nothing, as above."""

    def _entry(self, line: dict[str, Any]) -> EntryItem:
        if not {"entry"} <= line.keys() <= {"entry", "parts", "evidence"}:
            raise UnclearError("a line of a kind that this program does not know")
        try:
            body = _canonical(line["entry"])
            parts = {
                name: (bytes.fromhex(part["salt"]), part["body"].encode())
                for name, part in line.get("parts", {}).items()
            }
            entry = line["entry"]
            named = {each["sha256"]: each["size"] for each in entry["evidence"]}
            shown = {
                digest: base64.b64decode(text, validate=True)
                for digest, text in line.get("evidence", {}).items()
            }
            self.withheld += len(entry["parts"]) - len(parts) + len(named) - len(shown)
            seq = entry["seq"]
            for digest, raw in shown.items():
                check_evidence(raw, digest, named.get(digest, -1), seq)
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as err:
            raise BadError(f"a line of the export is not as it should be ({err!r})") from err
        return EntryItem(body, parts)

    @staticmethod
    def _line(raw: bytes) -> dict[str, Any]:
        """Return one line, which must be canonical too: nobody may read it in two ways."""
        try:
            text = raw.decode()
            value = _read(text.removesuffix("\n"))
            if isinstance(value, dict) and _canonical(value) + "\n" == text:
                return value
        except (ValueError, RecursionError) as err:
            raise BadError(f"a line of the export cannot be read: {err}") from err
        raise BadError("a line of the export is cut off or not in the canonical form")


# ---------------------------------------------------------------- judging


@dataclass
class Segment:
    """What is found out about one segment.

    Attributes:
        anchored: For each anchor that fits, how many entries it covers and the time of the last.
        note_digests: SHA-256 of the newest checkpoint, for the segment that follows.
    """

    number: int = 0
    origin: str = ""
    first_seq: int = 0
    first_bseq: int = 0
    next_bseq: int = 0
    size: int = 0
    sealed: int = 0
    root: bytes = b""
    head_digest: str = ""
    previous: Any = None
    last_at: datetime | None = None
    anchored: list[tuple[int, datetime]] = field(default_factory=list)
    unexplained_step: tuple[int, float] | None = None
    withheld: int = 0


class Judge:
    """Goes through one segment, entry by entry, in constant memory."""

    def __init__(self, keys: list[Key], anchors: Iterable[Note]) -> None:
        self.segment = Segment()
        self._keys = keys
        self._anchors = sorted(anchors, key=lambda note: note.size)
        self._next_bseq = 0
        self._tree = Tree()
        self._before: Entry | None = None

    def run(self, source: Database | Export) -> Segment:
        """Return what the segment is; raise BadError at the first thing that is wrong."""
        segment = self.segment
        for item in source.items():
            if isinstance(item, NoteItem):
                self._check_note(item)
            else:
                entry = self._check_entry(item, whole=isinstance(source, Database))
                if entry.evidence:
                    source.check_evidence_of(entry)
                if self._tree.size % TELL_EVERY == 0:
                    _tell_progress(f"segment {segment.number}: {self._tree.size} entries read")
        self._meet_anchors()
        source.check_evidence()
        if self._before is None:
            raise BadError("there is not a single entry")
        segment.size, segment.next_bseq = self._tree.size, self._next_bseq
        segment.last_at = self._before.at
        for note in self._anchors:
            if note.size > segment.size:
                raise BadError(
                    f"the end is cut off: an outside anchor covers {note.size} entries of segment "
                    f"{segment.number}, {segment.size} are there",
                    segment.first_seq + segment.size,
                )
        if isinstance(source, Export):
            segment.withheld = source.withheld
        return segment

    def _check_entry(self, item: EntryItem, *, whole: bool) -> Entry:
        self._meet_anchors()
        before = self._before
        expected = before.seq + 1 if before else None
        try:
            entry = read_entry(item.body)
        except (ValueError, RecursionError) as err:
            raise BadError(
                f"it was altered or damaged: {err}", expected or item.stored_seq
            ) from err
        if before is None:
            self._check_first(entry)
        elif entry.seq != expected:
            raise BadError(
                f"entry {expected} is missing; entry {entry.seq} stands in its place", expected
            )
        if item.stored_seq not in (None, entry.seq) or entry.segment != self.segment.number:
            raise BadError("it stands in another place than it says", entry.seq)
        if entry.bseq not in (None, self._next_bseq):
            raise BadError(f"its bseq is {entry.bseq}, {self._next_bseq} was due", entry.seq)
        self._next_bseq += entry.bseq is not None
        if item.parts or entry.parts:
            _check_parts(entry, item.parts or {}, whole=whole)
        if before is not None:
            self._check_clock(before, entry)
        self._tree.add(item.body.encode())
        self._before = entry
        return entry

    def _check_first(self, entry: Entry) -> None:
        shown, segment = entry.open, self.segment
        if entry.type != "segment.opened" or entry.bseq is None:
            raise BadError("the first entry does not open a segment", entry.seq)
        if shown.get("first_seq") != entry.seq or shown.get("first_bseq") != entry.bseq:
            raise BadError("the beginning is cut off: it is not the first entry", entry.seq)
        origin, previous = shown.get("origin"), shown.get("previous", False)
        if not isinstance(origin, str) or origin.rpartition("/")[2] != str(entry.segment):
            raise BadError("its origin does not fit its segment", entry.seq)
        if (entry.segment == 1) != (previous is None) or (entry.segment == 1) != (entry.seq == 1):
            raise BadError("it does not say what came before it", entry.seq)
        segment.number, segment.origin, segment.previous = entry.segment, origin, previous
        segment.first_seq, segment.first_bseq = entry.seq, entry.bseq
        self._next_bseq = entry.bseq
        self._anchors = [note for note in self._anchors if note.origin == origin]
        names = sorted({key.name for key in self._keys})
        if names and origin.rpartition("/")[0] not in names:
            raise BadError(f"the record is of {origin}, the key of {', '.join(names)}", entry.seq)

    def _check_note(self, item: NoteItem) -> None:
        segment, tree = self.segment, self._tree
        first_unsealed = segment.first_seq + segment.sealed
        try:
            note = read_note(item.note)
        except ValueError as err:
            raise BadError(
                f"the checkpoint at {tree.size} entries was altered or damaged: {err}"
            ) from err
        if note.origin != segment.origin:
            raise BadError(f"a checkpoint of {note.origin} stands in {segment.origin}")
        if note.size != tree.size or item.size not in (None, note.size):
            raise BadError(f"a checkpoint of {note.size} entries stands behind {tree.size}")
        if note.size <= segment.sealed:
            raise BadError(f"the checkpoints are out of order at {note.size} entries")
        if self._keys and not is_signed(note, self._keys):
            raise BadError(
                f"the checkpoint at {note.size} entries is not signed by the key that was given"
            )
        if note.root != tree.root():
            last = segment.first_seq + note.size - 1
            raise BadError(f"an entry from {first_unsealed} to {last} was altered", first_unsealed)
        if item.peaks is not None and item.peaks != b"".join(tree.peaks):
            raise BadError(f"what is kept beside the checkpoint at {note.size} entries was altered")
        segment.sealed, segment.root = note.size, note.root
        segment.head_digest = hashlib.sha256(note.whole.encode()).hexdigest()

    def _meet_anchors(self) -> None:
        """Compare with the anchors of this size, once the record's own checkpoint of it was looked at."""
        entry, segment = self._before, self.segment
        while entry is not None and self._anchors and self._anchors[0].size == self._tree.size:
            if self._anchors.pop(0).root != self._tree.root():
                begin = segment.first_seq + (segment.anchored[-1][0] if segment.anchored else 0)
                raise BadError(
                    f"entries {begin} to {entry.seq} are not those that the anchor saw", begin
                )
            segment.anchored.append((self._tree.size, entry.at))

    def _check_clock(self, before: Entry, entry: Entry) -> None:
        """Note a jump of the wall clock that no entry explains; the order stands without it."""
        if entry.type == "clock.stepped":
            self.segment.unexplained_step = None
            return
        if before.boot == entry.boot:
            shift_s = (entry.at - before.at).total_seconds() - (entry.up_s - before.up_s)
            jumped = abs(shift_s) > CLOCK_STEP_S
        else:
            shift_s = (entry.at - before.at).total_seconds()
            jumped = shift_s < -CLOCK_STEP_S and before.clock == entry.clock == "synced"
        if jumped and self.segment.unexplained_step is None:
            self.segment.unexplained_step = entry.seq, shift_s


def _check_parts(entry: Entry, parts: dict[str, tuple[bytes, bytes]], *, whole: bool) -> None:
    if not parts.keys() <= entry.parts.keys() or (whole and parts.keys() != entry.parts.keys()):
        raise BadError("a part is missing, or there is one that it does not name", entry.seq)
    for name, (salt, body) in parts.items():
        if hashlib.sha256(salt + body).hexdigest() != entry.parts[name]:
            raise BadError(f"its part for {name} was altered or damaged", entry.seq)


@dataclass
class Verdict:
    """The answer, and what it rests on."""

    failure: str = ""
    first_bad: int | None = None
    doubts: list[str] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)

    @property
    def word(self) -> str:
        return "FAIL" if self.failure else "INCONCLUSIVE" if self.doubts else "PASS"

    def fail(self, place: str, error: BadError) -> None:
        where = f"entry {error.seq}: " if error.seq is not None else ""
        self.failure, self.first_bad = f"{place}: {where}{error}", error.seq

    def witnessed(self) -> tuple[datetime | None, int]:
        """Return since when an outside anchor vouches, and how many entries none has seen."""
        oldest, unseen = None, 0
        for segment in self.segments:
            unseen += segment.size
            if segment.anchored:
                oldest = oldest or segment.anchored[0][1]
                unseen = segment.size - segment.anchored[-1][0]
        return oldest, unseen


def verify(record: Path, keys: list[Key], anchors: list[Note]) -> Verdict:
    """Judge a record, whatever it is given as."""
    verdict = Verdict()
    if not keys:
        verdict.doubts.append("no key was given, so anybody may have signed this")
    place = "anchor"
    try:
        _check_signatures(anchors, keys)
        for path in _files(record):
            place = path.name
            _judge(path, keys, anchors, verdict)
        place = "anchor"
        _weigh_anchors(verdict, anchors, whole=record.is_dir())
    except BadError as err:
        verdict.fail(place, err)
    except UnclearError as err:
        verdict.doubts.append(f"{place}: {err}")
    except OSError as err:
        verdict.doubts.append(f"{place}: cannot be read: {err}")
    return verdict


def _tell_progress(words: str) -> None:
    """Show a person at a terminal that it goes on; empty words take the line away."""
    if sys.stderr.isatty():
        print(
            f"\r{words:<60}\r" if not words else f"\r{words:<60}",
            end="",
            file=sys.stderr,
            flush=True,
        )


def _check_signatures(anchors: list[Note], keys: list[Key]) -> None:
    for note in anchors:
        if keys and not is_signed(note, keys):
            raise BadError(f"{note.origin} is not signed by the key that was given")


def _files(record: Path) -> list[Path]:
    if not record.is_dir():
        return [record]
    found = sorted(record.glob("segment-[0-9][0-9][0-9][0-9].db"))
    if not found:
        raise UnclearError(f"there is no segment in {record}")
    return found


def _judge(path: Path, keys: list[Key], anchors: list[Note], verdict: Verdict) -> None:
    """Judge one file and its link to the one before."""
    judge = Judge(keys, anchors)
    with path.open("rb") as file:
        magic = file.read(16)
    if not magic:
        raise BadError("the file is empty")
    if magic == b"SQLite format 3\0":
        try:
            with opened_database(path) as database:
                verdict.doubts += [f"{path.name}: {doubt}" for doubt in database.doubts()]
                segment = judge.run(database)
        except (sqlite3.Error, TypeError, AttributeError, RecursionError) as err:
            raise BadError(f"the file is damaged (a bad disk or copy, or a hand): {err}") from err
    elif magic.startswith(b"{"):
        segment = judge.run(Export(path))
    else:
        raise BadError("it is neither a segment nor an export of one")
    if not segment.sealed:
        verdict.doubts.append(f"{path.name}: nothing in it is sealed")
    if segment.unexplained_step is not None:
        seq, step_s = segment.unexplained_step
        verdict.doubts.append(
            f"{path.name}: the clock was stepped by {step_s:.0f} s at entry {seq} and no entry says why"
        )
    if verdict.segments:
        _check_link(verdict.segments[-1], segment)
    verdict.segments.append(segment)


def _check_link(before: Segment, segment: Segment) -> None:
    """Raise BadError unless a segment goes on exactly where the one before ends."""
    if segment.number != before.number + 1:
        raise BadError(f"segment {before.number + 1} is missing", before.first_seq + before.size)
    head = {
        "segment": before.number,
        "size": before.size,
        "root": before.root.hex(),
        "note_sha256": before.head_digest,
    }
    ends = (before.first_seq + before.size, before.next_bseq)
    previous = segment.previous
    if isinstance(previous, dict) and "sealed" in previous:  # version 2
        head |= {"sealed": before.sealed, "lost": None}
    if (segment.first_seq, segment.first_bseq) != ends or previous != head:
        raise BadError(f"it does not go on where segment {before.number} ends", segment.first_seq)


def _weigh_anchors(verdict: Verdict, anchors: list[Note], *, whole: bool) -> None:
    first, last = verdict.segments[0], verdict.segments[-1]
    ship = last.origin.rpartition("/")[0]
    for note in anchors:
        name, _, number = note.origin.rpartition("/")
        if name != ship:
            raise BadError(f"it is of {note.origin}, the record of {last.origin}")
        if whole and (not number.isdecimal() or int(number) > last.number):
            raise BadError(f"it saw {note.origin}, which is not here: the end is cut off")
    if whole and first.number > 1:
        verdict.doubts.append(f"segments 1 to {first.number - 1} are not here")
    if verdict.witnessed()[0] is None:
        verdict.doubts.append("no outside anchor was given: a cut or rewritten end would not show")


# ---------------------------------------------------------------- saying it


def report(verdict: Verdict) -> dict[str, Any]:
    """Return the answer for programs."""
    oldest, unseen = verdict.witnessed()
    segments = verdict.segments
    return {
        "verdict": verdict.word,
        "failure": verdict.failure or None,
        "first_bad_entry": verdict.first_bad,
        "doubts": verdict.doubts,
        "origin": segments[-1].origin if segments else None,
        "first_entry": segments[0].first_seq if segments else None,
        "entries": sum(segment.size for segment in segments),
        "sealed": sum(segment.sealed for segment in segments),
        "unsealed_tail": segments[-1].size - segments[-1].sealed if segments else 0,
        "unaltered_since": oldest and f"{oldest:%Y-%m-%dT%H:%M:%S}Z",
        "without_witness": unseen,
        "withheld": sum(segment.withheld for segment in segments),
    }


def in_words(verdict: Verdict) -> str:
    """Return the answer for people."""
    found = report(verdict)
    lines = [f"{verdict.word}{': ' + verdict.failure if verdict.failure else ''}"]
    if verdict.first_bad is not None:
        lines.append(f"first bad entry: {verdict.first_bad}")
    lines += [f"not proven: {doubt}" for doubt in verdict.doubts]
    if verdict.failure or not verdict.segments:
        return "\n".join(lines)
    first, count = found["first_entry"], found["entries"]
    lines.append(f"{found['origin']}: entries {first} to {first + count - 1}")
    oldest, unseen = verdict.witnessed()
    if oldest is not None:
        since = f"{oldest:%Y-%m-%d %H:%M:%S} UTC"
        claim = f"unaltered since {since} (oldest outside anchor)"
        lines.append(f"{claim}; the last {unseen} entries have no outside witness yet")
    lines.append(f"sealed: {found['sealed']} entries; unsealed tail: {found['unsealed_tail']}")
    if found["withheld"]:
        lines.append(f"withheld from this export: {found['withheld']} parts or pieces of evidence")
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    """Verify, say it, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="verify.py", description="Is this security record what its ship signed?"
    )
    parser.add_argument("record", type=Path, help="segment file, folder of segments, or export")
    parser.add_argument("--key", action="append", default=[], help="public key: file or vkey line")
    parser.add_argument("--anchor", type=Path, action="append", default=[], metavar="NOTE_FILE")
    parser.add_argument("--json", action="store_true", help="answer for programs")
    options = parser.parse_args(argv)
    try:
        keys = [key for argument in options.key for key in read_keys(argument)]
        anchors = [_read_anchor(path) for path in options.anchor]
        verdict = verify(options.record, keys, anchors)
    except UnclearError as err:
        verdict = Verdict(doubts=[str(err)])
    except Exception as err:  # noqa: BLE001 (a crash of the verifier must never look like a pass)
        verdict = Verdict(doubts=[f"this program could not go on: {err!r}"])
    _tell_progress("")
    print(json.dumps(report(verdict), indent=2) if options.json else in_words(verdict))
    return EXIT[verdict.word]


def _read_anchor(path: Path) -> Note:
    try:
        with path.open(encoding="utf-8") as file:
            return read_note(file.read(LARGEST_NOTE + 1))
    except (OSError, ValueError) as err:
        raise UnclearError(f"the anchor {path} cannot be read: {err}") from err


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
