"""Is this security record what its ship signed, every entry of it, and nothing but?

    python -I verify.py RECORD --key FILE_OR_VKEY [--anchor NOTE_FILE]... [--witness FILE_OR_VKEY]... [--json]

RECORD is a segment file, the folder of all segments, or an export in JSON lines, whole or an
excerpt. The key, the anchors (older checkpoints: printed, kept by a second computer, sent ashore)
and the keys of witnesses must come from somewhere else than the record itself. Says PASS (exit 0),
FAIL with the first bad entry (1), or INCONCLUSIVE with what is missing (2), and writes nothing.

One file on purpose, with the standard library and ``cryptography`` only, Python 3.9 or newer: so
that it can be read in one sitting, run on any computer, and shares no mistake with the program that
wrote the record. The format is in ``docs/decisions/0002-entry-and-checkpoint-format.md`` and
``0013-record-format-2.md``; trees are RFC 6962, notes C2SP signed-note, witnesses' lines C2SP
tlog-cosignature.
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
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

EXIT = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 2}
SIGNED_ENTRY = b"ispsd signed entry\n"
LARGEST_ENTRY = 64 * 1024
LARGEST_LINE = 256 * 1024 * 1024
LARGEST_EVIDENCE = 16 * 1024 * 1024
LARGEST_ROW = 64 * 1024 * 1024
LARGEST_NOTE = 8192
LARGEST_KEY_FILE = 64 * 1024
LONGEST_PROOF = 64
MOST_KNOWN_KEYS = 10_000
MOST_SHAPES = 500
MOST_NAMES = 64
"""In an ``open`` whose shape is remembered: thousands take long to learn."""
MOST_REMARKS = 100
MOST_SIGNATURES = 100_000
"""Signatures of persons that are compared with each other: decades of them."""
CLOCK_STEP_S = 60.0
"""A jump of UTC against the time since boot that an entry must explain."""
SAID_S = 600.0
"""The longest between a person's signature and its entry, in seconds."""
EARLIEST = datetime(2020, 1, 1)  # noqa: DTZ001 (UTC, as all here)
"""Before there was such a record, no witness signed one."""

TELL_EVERY = 20_000
"""Entries between two words to somebody who waits."""
HASH_TOGETHER = 1024
"""Leaves that are hashed into the tree at once, where nothing asks for its root before."""

_sha256 = hashlib.sha256


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
_SHA256 = r'"[0-9a-f]{64}"'
_PIECE = rf'\{{"media":{_STRING},"sha256":{_SHA256},"size":{_NUMBER}\}}'
_PART = rf'"[a-z0-9_]+":{_SHA256}'
_ENTRY = re.compile(
    rf'\{{"actor":\{{"person":(null|{_STRING}),"proof":"(none|pin|signature)","station":(?:null|{_STRING})\}},'
    r'"at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3})Z",'
    rf'"boot":({_STRING}),"bseq":(?:null,"class":"sso"|({_NUMBER}),"class":"watch"),'
    rf'"clock":"(synced|holdover|unset)","evidence":(\[\]|\[{_PIECE}(?:,{_PIECE})*\]),'
    rf'"kind":"(\.(?:[1-9]|1[0-4])|system)","open":(\{{.*\}}),"parts":(\{{\}}|\{{{_PART}(?:,{_PART})*\}}),'
    rf'"segment":({_NUMBER}),"seq":({_NUMBER}),"subject":({_STRING}),'
    rf'"type":"([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)","up_ms":({_NUMBER}),"v":([12])\}}'
).fullmatch
"""Versions 1 and 2: the names, their order, the shapes; ``open``, ``parts`` and ``evidence`` are judged apart.

Only ``open`` may be anything: with a second such place, a hostile line of 64 KiB would be tried for minutes."""
_KEY = re.compile(r"[a-z0-9_]+")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_HASH = re.compile(r"[0-9a-f]{64}")
_FIELDS = frozenset(
    {"v", "segment", "seq", "bseq", "at", "clock", "up_ms", "boot"}
    | {"kind", "type", "actor", "subject", "class", "open", "parts", "evidence"}
)
NEWEST_VERSION = 2


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


_PLAIN = rf"(?:{_STRING}|0|-?[1-9][0-9]{{0,14}}|true|false|null)"
_shapes: dict[str, Callable[[str], Any]] = {}
"""A cache of what ``open`` of an entry of some type looks like: its names, in order, and plain values."""


def _check_open(kind_of: str, text: str) -> None:
    """Raise ValueError unless a text is canonical; remember what one of its type looks like."""
    value = read_canonical(text)
    if kind_of in _shapes or len(_shapes) == MOST_SHAPES or len(value) > MOST_NAMES:
        return
    if not any(type(inner) is dict or type(inner) is list for inner in value.values()):
        members = ",".join(f'"{name}":{_PLAIN}' for name in value)
        _shapes[kind_of] = re.compile(rf"\{{{members}\}}").fullmatch


class Entry(NamedTuple):
    """One entry, as it is written; what is rarely asked for is read when it is."""

    person_text: str
    proof: str
    at_text: str
    boot: str
    bseq_text: str | None
    clock: str
    evidence_text: str
    kind: str
    open_text: str
    parts_text: str
    segment_text: str
    seq_text: str
    subject_text: str
    type: str
    up_text: str
    version_text: str

    @property
    def seq(self) -> int:
        return int(self.seq_text)

    @property
    def bseq(self) -> int | None:
        return int(self.bseq_text) if self.bseq_text else None

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.at_text)

    @property
    def segment(self) -> int:
        return int(self.segment_text)

    @property
    def version(self) -> int:
        return int(self.version_text)

    @property
    def person(self) -> str:
        return str(_read(self.person_text))

    @property
    def subject(self) -> str:
        return str(_read(self.subject_text))

    @property
    def open(self) -> dict[str, Any]:
        return dict(_read(self.open_text))

    @property
    def parts(self) -> dict[str, str]:
        return dict(_read(self.parts_text))

    @property
    def evidence(self) -> list[dict[str, Any]]:
        return list(_read(self.evidence_text))


def read_entry(body: Any) -> Entry:
    """Return an entry; raise ValueError with the reason if it is none."""
    if not isinstance(body, str) or len(body) > LARGEST_ENTRY:
        raise ValueError("it is not a text of at most 64 KiB")
    match = _ENTRY(body)
    if match is None:
        _explain(body)
    entry = tuple.__new__(Entry, match.groups())
    if entry.kind not in ("system", ".10") and entry.person_text in ("null", '""'):
        raise ValueError(f"kind {entry.kind} needs a person")
    if len(entry.up_text) > 15:  # noqa: PLR2004 (it may be more than readers of JSON agree on)
        _integer(entry.up_text)
    shape = _shapes.get(entry.type)
    if shape is None or not shape(entry.open_text):
        _check_open(entry.type, entry.open_text)
    if entry.parts_text != "{}":
        read_canonical(entry.parts_text)
    if entry.evidence_text != "[]":
        read_canonical(entry.evidence_text)
    return entry


def _explain(body: str) -> NoReturn:
    """Say why a body is not an entry."""
    value = _read(body)
    if not isinstance(value, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 (what the caller tells apart)
    version = value.get("v")
    if type(version) is int and version > NEWEST_VERSION:
        raise UnclearError(f"entry of version {version}: a newer ispsd wrote it, use its verifier")
    if value.keys() != _FIELDS:
        raise ValueError("its fields are not those of an entry")
    if _canonical(value) != body:
        raise ValueError("it is not written in the canonical form")
    if isinstance(value["parts"], dict):
        _explain_parts(value["parts"])
    if isinstance(value["evidence"], list):
        _explain_evidence(value["evidence"])
    raise ValueError("a field has a value that an entry may not have")


def _explain_parts(parts: dict[str, Any]) -> None:
    for value in parts.values():
        if not isinstance(value, str) or not _HASH.fullmatch(value):
            raise ValueError("a part has no hash")


def _explain_evidence(evidence: list[Any]) -> None:
    for each in evidence:
        if not isinstance(each, dict) or each.keys() != {"sha256", "size", "media"}:
            raise ValueError("a piece of evidence is not named by sha256, size and media")
        if not isinstance(each["sha256"], str) or not _HASH.fullmatch(each["sha256"]):
            raise ValueError("a piece of evidence has no hash")
        if type(each["size"]) is not int or not isinstance(each["media"], str):
            raise ValueError("a piece of evidence has no size or media type")


# ---------------------------------------------------------------- tree


def leaf_hash(body: str) -> bytes:
    """Return the hash of an entry (RFC 6962, 2.1: first byte 0x00)."""
    return _sha256(b"\x00" + body.encode()).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two nodes (RFC 6962, 2.1: first byte 0x01)."""
    return _sha256(b"\x01" + left + right).digest()


class Tree:
    """RFC 6962, section 2.1, as a stack of the roots of perfect subtrees."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def add(self, nodes: list[bytes]) -> None:
        """Add leaves by their hashes, all of a level before the next: as one adds binary numbers."""
        size, left_over = self.size, []
        self.size += len(nodes)
        while nodes:
            if size & 1:
                nodes = [self.peaks.pop(), *nodes]
            if len(nodes) & 1:
                left_over.append(nodes.pop())
            pairs = range(0, len(nodes), 2)
            nodes = [_sha256(b"\x01" + nodes[at] + nodes[at + 1]).digest() for at in pairs]
            size >>= 1
        self.peaks += reversed(left_over)

    def root(self) -> bytes:
        if not self.peaks:
            return _sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_from(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """Return the root to which an inclusion proof leads (RFC 9162, 2.1.3.2); None where it leads nowhere."""
    if not 0 <= index < size:
        return None
    node, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            node = node_hash(sibling, node)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        index, last = index >> 1, last >> 1
    return node if last == 0 else None


# ---------------------------------------------------------------- keys, notes, signatures

SHIP, WITNESS = 1, 4
"""Signature types of C2SP signed-note: Ed25519, and Ed25519 with the time of a witness."""


@dataclass(frozen=True)
class Key:
    """A public key and the name it signs under; a ship's without the segment."""

    name: str
    public: bytes
    kind: int = SHIP

    def id_for(self, name: str) -> bytes:
        return _sha256(name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def short(self) -> str:
        return f"{self.name}+{self.id_for(self.name).hex()}"


def is_signature(public: bytes, signature: bytes, text: bytes) -> bool:
    """Tell whether this Ed25519 key made this signature of this text."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_keys(argument: str, kind: int = SHIP) -> list[Key]:
    """Return the keys of a file, one a line, or of the line itself; raise UnclearError if there is none."""
    lines = [argument]
    try:
        if "\n" not in argument and Path(argument).is_file():
            with Path(argument).open(encoding="utf-8") as file:
                lines = file.read(LARGEST_KEY_FILE).splitlines()
    except (OSError, ValueError) as err:
        raise UnclearError(f"the key cannot be read: {err}") from err
    if not any(line.strip() for line in lines):
        raise UnclearError(f"there is no key in {argument!r}")
    return [read_key(line.strip(), kind) for line in lines if line.strip()]


def read_key(line: str, kind: int = SHIP) -> Key:
    """Return the key of a vkey line; raise UnclearError if it is none."""
    match = re.fullmatch(r"([!-*,-~]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", line)
    try:
        raw = base64.b64decode(match[3], validate=True) if match else b""
    except binascii.Error:
        raw = b""
    if match is None or len(raw) != 33 or raw[0] != kind:  # noqa: PLR2004 (a type and 32 bytes)
        whose = "the key" if kind == SHIP else "the key of a witness"
        raise UnclearError(
            f"{whose} is neither a file nor an Ed25519 vkey (name+id+base64, type {kind})"
        )
    key = Key(match[1], raw[1:], kind)
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
    signatures: tuple[tuple[str, bytes, str], ...]
    """Of each line below it: the name, the bytes, the line."""

    @property
    def prefix(self) -> str:
        return self.origin.rpartition("/")[0]

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the note as the ship wrote it, without the lines of others."""
        own = "".join(line for name, _, line in self.signatures if name == self.origin)
        return _sha256(f"{self.text}\n{own}".encode()).hexdigest()


_NOTE = re.compile(r"(([!-~]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n)\n((?:— [^\n]+\n)+)")
_SIGNATURE = re.compile(r"— ([!-*,-~]+) ([A-Za-z0-9+/]+={0,2})\n")


def read_note(whole: Any) -> Note:
    """Return a checkpoint; raise ValueError if it is none."""
    match = (
        _NOTE.fullmatch(whole) if isinstance(whole, str) and len(whole) <= LARGEST_NOTE else None
    )
    if match is None:
        raise ValueError("it is not a signed checkpoint")
    root = base64.b64decode(match[4])
    if base64.b64encode(root).decode() != match[4]:
        raise ValueError("its root is not written in the canonical form")
    lines = match[5].splitlines(keepends=True)
    return Note(match[1], match[2], int(match[3]), root, tuple(map(read_signature, lines)))


def read_signature(line: Any) -> tuple[str, bytes, str]:
    """Return name, bytes and text of a signature line; raise ValueError if it is none."""
    match = _SIGNATURE.fullmatch(line) if isinstance(line, str) else None
    if match is None:
        raise ValueError("a line below it is no signature")
    signature = base64.b64decode(match[2], validate=True)
    if base64.b64encode(signature).decode() != match[2]:
        raise ValueError("a signature is not written in the canonical form")
    return match[1], signature, line


def signer(note: Note, keys: list[Key]) -> Key | None:
    """Return which of the keys signed a note under the note's own origin."""
    for key in keys:
        if note.prefix != key.name:
            continue
        for name, signature, _ in note.signatures:
            if name == note.origin and signature[:4] == key.id_for(name):
                good = is_signature(key.public, signature[4:], note.text.encode())
                return key if good else None
    return None


class Seen(NamedTuple):
    """Somebody outside held the first entries of a segment: a witness by name, or the holder of an anchor."""

    size: int
    at: datetime | None
    by: str | None = None


def cosignatures(note: Note, witnesses: list[Key], doubts: list[str]) -> list[Seen]:
    """Return which witnesses signed a note and when; raise BadError where one of their lines does not verify.

    A true one of a time that cannot be counts for nothing, and is a doubt.
    """
    found = []
    for name, signature, _ in note.signatures:
        for witness in witnesses:
            if name != witness.name or signature[:4] != witness.id_for(name):
                continue
            time_s = int.from_bytes(signature[4:12], "big")
            text = f"cosignature/v1\ntime {time_s}\n{note.text}".encode()
            if not is_signature(witness.public, signature[12:], text):
                raise BadError(f"the signature of the witness {name} on {_head(note)} is not true")
            at = _time_of(time_s)
            if at is not None:
                found.append(Seen(note.size, at, name))
                continue
            doubt = (
                f"the witness {name} signed {_head(note)} at a time that cannot be ({time_s} seconds since 1970): "
                "its signature counts for nothing"
            )
            if doubt not in doubts and len(doubts) < MOST_REMARKS:
                doubts.append(doubt)
    return found


def _time_of(time_s: int) -> datetime | None:
    """Return a witness's time; None where there was no such record yet, or the calendar has no such day."""
    try:
        at = datetime(1970, 1, 1) + timedelta(seconds=time_s)  # noqa: DTZ001 (UTC, as all here)
    except OverflowError:
        return None
    return at if at >= EARLIEST else None


def _head(note: Note) -> str:
    return f"the checkpoint of {note.origin} at {note.size} entries"


# ---------------------------------------------------------------- what a record is made of


class EntryItem(NamedTuple):
    """One entry; parts and evidence are None where the source may leave them out."""

    body: Any
    parts: dict[str, tuple[bytes, bytes]] | None
    stored_seq: int | None = None
    evidence: dict[str, bytes] | None = None


class NoteItem(NamedTuple):
    """One stored checkpoint, and the witnesses' lines that are kept beside it."""

    note: Any
    size: int | None = None
    peaks: bytes | None = None
    lines: tuple[tuple[str, str], ...] = ()


class WithheldItem(NamedTuple):
    """An entry that its reader may not see: its number and the hash of its leaf."""

    seq: int
    leaf: bytes


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
    "entry_by_person": "CREATE INDEX entry_by_person ON entry (json_extract(body, '$.actor.person'), seq) "
    "WHERE json_extract(body, '$.actor.person') IS NOT NULL",
}
_TRIGGERS = {
    f"{table}_no_{act.lower()}": f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, 'the record is append-only: {table}'); END"
    for table in (*_CORE, "cosignature")
    for act in ("UPDATE", "DELETE")
}
_SCHEMA_2 = {**_TABLES, **_INDEXES, **_TRIGGERS}
SCHEMAS = {
    1: {
        name: sql
        for name, sql in _SCHEMA_2.items()
        if not name.startswith("cosignature") and name != "entry_by_person"
    },
    2: _SCHEMA_2,
    3: {**_TABLES, **_TRIGGERS},
}
"""What stands in a file, by its layout."""
WITH_INDEXES = (1, 2)


class Database:
    """A segment file."""

    whole = True

    def __init__(self, db: sqlite3.Connection, indexes: Indexes) -> None:
        self._db = db
        self._indexes = indexes
        self._layout = self._db.execute("PRAGMA user_version").fetchone()[0]

    def doubts(self) -> list[str]:
        """Return what is strange about its tables; raise UnclearError where they are not ours at all."""
        if self._layout not in SCHEMAS:
            raise UnclearError(f"its layout is {self._layout}: a newer ispsd wrote it, or a hand")
        found = dict(self._db.execute("SELECT name, sql FROM sqlite_master"))
        schema = SCHEMAS[self._layout]
        if any(found.get(name) != schema.get(name) for name in (*_CORE, "cosignature")):
            raise UnclearError(
                "its tables are not those of a security record that this program knows"
            )
        doubts = [f"{name} is not part of a record" for name in found if name not in schema]
        for name, sql in schema.items():
            if found.get(name) != sql:
                doubts.append(
                    f"{name} is {'missing' if name not in found else 'not as we know it'}"
                )
        if self._db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            doubts.append("the file is not marked as a security record")
        return doubts

    def opening(self) -> Any:
        """Return the text of the first entry; None where there is none."""
        row = self._db.execute("SELECT body FROM entry ORDER BY seq LIMIT 1").fetchone()
        return row and row[0]

    def items(self) -> Iterator[EntryItem | NoteItem]:
        """Yield entries and checkpoints, each checkpoint behind the last entry that it covers."""
        if self._layout in WITH_INDEXES:
            self._indexes.begin()
        notes = self._notes()
        parts = iter(
            self._db.execute("SELECT seq, class, salt, body FROM part ORDER BY seq, class")
        )
        note, part = next(notes, None), next(parts, None)
        count = seq = 0
        for seq, body in self._db.execute("SELECT seq, body FROM entry ORDER BY seq"):
            mine = None
            while part is not None and part[0] <= seq:
                if part[0] < seq:
                    raise BadError("a part belongs to no entry", part[0])
                mine = mine or {}
                mine[part[1]] = (part[2], part[3].encode())
                part = next(parts, None)
            yield EntryItem(body, mine, seq)
            count += 1
            while note is not None and note.size <= count:
                yield note
                note = next(notes, None)
        if part is not None:
            raise BadError("a part belongs to no entry", part[0])
        if note is not None:
            raise BadError(
                f"the end is cut off: {note.size} entries were sealed, {count} are there", seq + 1
            )

    def _notes(self) -> Iterator[Any]:
        """Yield the checkpoints, each with the lines of witnesses."""
        query = "SELECT size, name, line FROM cosignature ORDER BY size, name"
        lines = iter(self._db.execute(query) if self._layout > 1 else ())
        line: Any = next(lines, None)
        for size, note, peaks in self._db.execute(
            "SELECT size, note, peaks FROM checkpoint ORDER BY size"
        ):
            mine: list[tuple[str, str]] = []
            while line is not None and line[0] == size:
                mine.append((line[1], line[2]))
                line = next(lines, None)
            yield NoteItem(note, size, peaks, tuple(mine))
        if line is not None:
            raise BadError(f"a witness's signature of {line[0]} entries belongs to no checkpoint")

    def check_evidence_of(self, entry: Entry, item: EntryItem) -> None:  # noqa: ARG002 (an export's has it with it)
        """Raise BadError where the record has not kept what an entry names."""
        for each in entry.evidence:
            row = self._db.execute(
                "SELECT size FROM evidence WHERE sha256 = ?", (each["sha256"],)
            ).fetchone()
            if row is None or row[0] != each["size"]:
                raise BadError("evidence that it names is missing", entry.seq)

    def check_rest(self, segment: Segment) -> None:
        """Hash every piece of evidence again, and hear what SQLite found about the indexes, where there are any."""
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
        if self._layout in WITH_INDEXES and (found := self._indexes.found()):
            segment.doubts.append(
                f"the entries were read, but the file's indexes do not fit them ({found}): a list made with "
                "them may leave entries out"
            )


def unpack(packed: bytes, size: int) -> bytes:
    """Return what was compressed, at most one byte more than it should be; nothing where it is no whole stream."""
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(packed, size + 1)
    except zlib.error:
        return b""
    return raw if stream.eof and not stream.unused_data else b""


def check_evidence(body: bytes, digest: str, size: int, seq: int) -> None:
    """Raise BadError unless these are the bytes that were named."""
    if len(body) != size or _sha256(body).hexdigest() != digest:
        raise BadError("a piece of its evidence was altered or damaged", seq)


class Indexes:
    """Do the indexes of a file say what its entries say? SQLite looks, in a second thread, while we read."""

    def __init__(self, uri: str) -> None:
        self._db = connected(uri, check_same_thread=False)
        self._pool = ThreadPoolExecutor(1)
        self._answer: Future[str] | None = None

    def begin(self) -> None:
        """Begin to look, once the tables are known to be ours."""
        self._answer = self._pool.submit(self._look)

    def _look(self) -> str:
        try:
            [found] = self._db.execute("PRAGMA integrity_check(1)").fetchone()
        except (sqlite3.Error, TypeError, ValueError) as err:
            return str(err)
        return "" if found == "ok" else str(found)

    def found(self) -> str:
        """Return what is wrong; empty where nothing is."""
        return self._answer.result() if self._answer else "nobody has looked"

    def close(self) -> None:
        self._db.interrupt()
        self._pool.shutdown()
        self._db.close()


def connected(uri: str, *, check_same_thread: bool = True) -> sqlite3.Connection:
    """Open a file of whoever: no row of it may take all memory."""
    db = sqlite3.connect(uri, uri=True, check_same_thread=check_same_thread)
    if hasattr(db, "setlimit"):  # Python 3.11
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_ROW)
    db.execute("PRAGMA cell_size_check = ON")
    return db


@contextmanager
def opened_database(path: Path) -> Iterator[Database]:
    """Open a segment file without writing beside it: as it is, or with its log in a copy of both."""
    log = path.with_name(path.name + "-wal")
    if path.with_name(path.name + "-journal").exists():
        raise UnclearError("a rollback journal lies beside the file; a record has none")
    with ExitStack() as copied:
        place, mode = path, "mode=ro&immutable=1"
        if log.exists() and log.stat().st_size:
            # Only then: who is killed while he reads takes no folder away.
            folder = copied.enter_context(tempfile.TemporaryDirectory(prefix="verify-"))
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
        uri = f"{place.absolute().as_uri()}?{mode}"
        db, indexes = connected(uri), Indexes(uri)
        try:
            yield Database(db, indexes)
        finally:
            indexes.close()
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


PROFILES = ("full", "redacted", "psc", "excerpt")
_NUMBERS = {"segment", "first_seq", "size", "entries"}
_HEADER = {"format", "v", "origin", "segment", "first_seq", "size"}


class Export:
    """An export of one segment in JSON lines; what may be left out depends on its profile."""

    FORMAT = "ispsd-record-export"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self.header: dict[str, Any] = {}
        self.withheld = 0
        """Parts and pieces of evidence that are not there to be checked."""

    @property
    def profile(self) -> str | None:
        return self.header.get("profile")

    @property
    def whole(self) -> bool:
        return self.profile == "full"

    @property
    def sha256(self) -> str:
        """Return the hash of the file, once it was read."""
        return self._digest.hexdigest()

    def read_header(self) -> None:
        """Find out what the export says that it is."""
        with self._path.open("rb") as file:
            self.header = self._header(self._text(file.readline(LARGEST_ENTRY)))

    def lines(self) -> Iterator[str]:
        """Yield the lines behind the header."""
        with self._path.open("rb") as file:
            file.readline(LARGEST_ENTRY)
            while raw := file.readline(LARGEST_LINE):
                yield self._text(raw)

    def items(self) -> Iterator[EntryItem | NoteItem | WithheldItem]:
        """Yield what stands in it, in order."""
        count = 0
        for text in self.lines():
            item = self._item(text)
            count += type(item) is not NoteItem
            yield item
        if count != self.header["size"]:
            raise BadError(
                f"the export is cut: it speaks of {self.header['size']} entries, has {count}"
            )

    def check_evidence_of(self, entry: Entry, item: EntryItem) -> None:
        """Raise BadError where evidence that came with an entry is not what it names."""
        named = {each["sha256"]: each["size"] for each in entry.evidence}
        shown = item.evidence or {}
        for digest, raw in shown.items():
            check_evidence(raw, digest, named.get(digest, -1), entry.seq)
        if self.whole and len(shown) != len(named):
            raise BadError("evidence that it names is missing", entry.seq)
        self.withheld += len(named) - len(shown)

    def check_rest(self, segment: Segment) -> None:
        """Raise BadError where the first line says something else than the entries."""
        header = self.header
        said = header["origin"], header["segment"], header["first_seq"]
        if said != (segment.origin, segment.number, segment.first_seq):
            raise BadError("its first line does not fit its entries")
        segment.sha256, segment.withheld = self.sha256, segment.withheld + self.withheld

    def _header(self, text: str) -> dict[str, Any]:
        header = self.read_object(text)
        if header.get("format") != self.FORMAT:
            raise UnclearError("it is neither a segment nor an export of one")
        names, version = header.keys() - {"v"}, header.get("v")
        wanted = _HEADER - {"v"} if version == 1 else (_HEADER | {"profile"}) - {"v"}
        if header.get("profile") == "excerpt":
            wanted = wanted | {"entries"}
        if type(version) is not int or version not in (1, 2) or names != wanted:
            raise UnclearError("an export of a version that this program does not know")
        if any(type(header[name]) is not int for name in wanted & _NUMBERS):
            raise BadError("its first line is not as it should be")
        if version > 1 and header["profile"] not in PROFILES:
            raise UnclearError("an export of a profile that this program does not know")
        return header

    def _item(self, text: str) -> EntryItem | NoteItem | WithheldItem:
        if text.startswith('{"entry":') and text.endswith(('"v":1}}\n', '"v":2}}\n')):
            return EntryItem(text[9:-2], None)  # an entry alone: it is judged as it is written
        line = self.read_object(text)
        if line.keys() == {"checkpoint"}:
            return NoteItem(line["checkpoint"])
        if line.keys() == {"withheld"} and self.profile == "psc":
            return self._withheld(line["withheld"])
        if not {"entry"} <= line.keys() <= {"entry", "parts", "evidence"}:
            raise UnclearError("a line of a kind that this program does not know")
        try:
            parts = {
                name: (_from_hex(part["salt"]), part["body"].encode())
                for name, part in line.get("parts", {}).items()
            }
            shown = {
                digest: _from_base64(encoded)
                for digest, encoded in line.get("evidence", {}).items()
            }
            return EntryItem(_canonical(line["entry"]), parts, None, shown)
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as err:
            raise BadError(f"a line of the export is not as it should be ({err!r})") from err

    @staticmethod
    def _withheld(said: Any) -> WithheldItem:
        if isinstance(said, dict) and said.keys() == {"seq", "leaf"} and type(said["seq"]) is int:
            leaf = said["leaf"]
            if isinstance(leaf, str) and _HASH.fullmatch(leaf):
                return WithheldItem(said["seq"], bytes.fromhex(leaf))
        raise BadError("a line of the export does not say well what it withholds")

    def _text(self, raw: bytes) -> str:
        self._digest.update(raw)
        try:
            return raw.decode()
        except ValueError as err:
            raise BadError(f"a line of the export cannot be read: {err}") from err

    @staticmethod
    def read_object(text: str) -> dict[str, Any]:
        """Return what a line says; it must be canonical too: nobody may read it in two ways."""
        try:
            value = _read(text[:-1])
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
        version: Of its first entry.
        key: The one that signs it, once it is known; None while nothing tells.
        trusted: That key was given, or endorsed by one that is trusted.
        root: Of all its entries.
        sealed: How many of them its newest checkpoint covers.
        vouched_for: The segment that follows commits to all of them, and is sealed.
        head_digest: SHA-256 of that checkpoint, for the segment that follows.
        previous: What it says of the segment before.
        seen: By whom outside its first entries were held, and when.
    """

    place: str = ""
    number: int = 0
    version: int = 0
    origin: str = ""
    key: Key | None = None
    trusted: bool = False
    first_seq: int = 0
    first_bseq: int = 0
    next_bseq: int = 0
    size: int = 0
    root: bytes = b""
    sealed: int = 0
    vouched_for: bool = False
    head_digest: str | None = None
    previous: Any = None
    seen: list[Seen] = field(default_factory=list)
    unexplained_step: tuple[int, float] | None = None
    withheld: int = 0
    withheld_entries: int = 0
    excerpt_of: int = 0
    unchecked_lines: set[str] = field(default_factory=set)
    sha256: str | None = None
    doubts: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        return self.origin.rpartition("/")[0]

    @property
    def hole(self) -> int:
        """Return how many numbers before this segment are of entries that are lost."""
        said = self.previous if self.version > 1 else None
        return max(0, said["lost"]["size"] - said["size"]) if said and said["lost"] else 0


@dataclass
class Given:
    """What came from outside, and what the record has told so far.

    Attributes:
        people: The newest public key of each person.
        complete: Nothing that stood before is missing here or withheld.
        replaced: Keys of the ship in whose place the record has put another.
        signatures: Hashes of the persons' signatures so far, with the entry of each.
    """

    keys: list[Key]
    anchors: list[Note]
    witnesses: list[Key]
    people: dict[str, bytes] = field(default_factory=dict)
    complete: bool = False
    replaced: set[Key] = field(default_factory=set)
    signatures: dict[bytes, int] = field(default_factory=dict)


class Judge:
    """Goes through one segment, entry by entry, in constant memory."""

    def __init__(
        self, given: Given, before: Segment | None, lost_after: Callable[[], Any] = lambda: None
    ) -> None:
        self.segment = Segment()
        self._given = given
        self._before = before
        self._lost_after = lost_after
        """What the segment that follows says came before it."""
        self._anchors: list[Note] = []
        self._due = -1
        """How many entries the next anchor covers."""
        self._next_seq = self._next_bseq = 0
        self._last_known = 0
        self._tree = Tree()
        self._leaves: list[bytes] = []
        """Of entries that are not yet in the tree."""
        self._entry: Entry | None = None
        """The last one that was read, with its times."""
        self._at, self._up_s = datetime(1970, 1, 1), 0.0  # noqa: DTZ001 (UTC, as all here)
        self._segment_text = ""

    def run(self, source: Database | Export) -> Segment:
        """Return what the segment is; raise BadError at the first thing that is wrong."""
        segment, count = self.segment, 0
        for item in source.items():
            if isinstance(item, NoteItem):
                self._check_note(item)
                continue
            if count == self._due:
                self._meet_anchors()
            if isinstance(item, EntryItem):
                self._check_entry(item, source)
            else:
                self._check_withheld(item)
            count += 1
            if len(self._leaves) == HASH_TOGETHER:
                self._grow()
            if count % TELL_EVERY == 0:
                _tell_progress(f"segment {segment.number}: {count} entries read")
        if self._entry is None:
            raise BadError("there is not a single entry")
        self._grow()
        self._meet_anchors()
        segment.size, segment.root = self._tree.size, self._tree.root()
        segment.next_bseq = self._next_bseq
        self._check_end()
        source.check_rest(segment)
        return segment

    def run_excerpt(self, export: Export) -> Segment:
        """Judge single entries by the proofs beside them; the checkpoint to which all lead is the last line."""
        segment, root, index, note = self.segment, None, -1, None
        for text in export.lines():
            if note is not None:
                raise BadError("something stands behind the last line of the excerpt")
            line = export.read_object(text)
            if line.keys() == {"checkpoint"}:
                note = line["checkpoint"]
                continue
            found = self._check_proven(line, export.header, index)
            if root not in (None, found[1]):
                raise BadError(
                    "its proof leads to another tree than those before it", self._next_seq - 1
                )
            index, root = found
            segment.size += 1
        if root is None:
            raise BadError("there is not a single entry")
        if note is None or segment.size != export.header["entries"]:
            raise BadError("the excerpt is cut: lines are missing")
        self._check_proven_note(note, root, export.header["size"])
        segment.excerpt_of, segment.root = segment.sealed, root
        export.check_rest(segment)
        return segment

    def _check_proven(
        self, line: dict[str, Any], header: dict[str, Any], before: int
    ) -> tuple[int, bytes]:
        """Return the index of an entry in its tree, and the root to which its proof leads."""
        if line.keys() != {"entry", "proof"}:
            raise UnclearError("a line of a kind that this program does not know")
        try:
            body = _canonical(line["entry"])
            entry, (index, size, path) = read_entry(body), _read_proof(line["proof"])
        except (ValueError, RecursionError) as err:
            raise BadError(f"an entry of the excerpt was altered or damaged: {err}") from err
        if before < 0:
            if index:
                raise UnclearError("an excerpt without the first entry of its segment")
            self._check_first(entry)
            self._given.complete = False
        root = root_from(leaf_hash(body), index, size, path)
        if root is None or size != header["size"]:
            raise BadError("its proof proves nothing", entry.seq)
        if index <= before or entry.seq != self.segment.first_seq + index:
            raise BadError("it stands in another place than it says", entry.seq)
        if entry.segment != self.segment.number:
            raise BadError("it is of another segment than the first", entry.seq)
        self._check_person(entry)
        self.segment.withheld += len(entry.parts) + len(entry.evidence)
        self._entry, self._next_seq = entry, entry.seq + 1
        return index, root

    def _check_proven_note(self, whole: Any, root: bytes, size: int) -> None:
        segment = self.segment
        try:
            note = read_note(whole)
        except ValueError as err:
            raise BadError(f"the checkpoint of the excerpt was altered or damaged: {err}") from err
        if note.origin != segment.origin or note.size != size:
            raise BadError(f"{_head(note)} stands where that of {segment.origin} at {size} was due")
        self._check_signer(note)
        if note.root != root:
            raise BadError(
                "the entries are not those that the checkpoint covers", segment.first_seq
            )
        segment.sealed = note.size
        self._hear_witnesses(note)
        for anchor in self._anchors:
            if anchor.size != note.size:
                segment.doubts.append(
                    f"an anchor at {anchor.size} entries cannot be compared with an excerpt that was made at {size}"
                )
            elif anchor.root != note.root:
                raise BadError("the entries are not those that the anchor saw", segment.first_seq)
            else:
                seen = cosignatures(anchor, self._given.witnesses, segment.doubts)
                segment.seen += seen or [Seen(size, None)]  # its last entry need not be here

    def _grow(self) -> None:
        leaves, self._leaves = self._leaves, []
        self._tree.add(leaves)

    def _check_entry(self, item: EntryItem, source: Database | Export) -> None:
        try:
            entry = read_entry(item.body)
            at, up_s = datetime.fromisoformat(entry.at_text), int(entry.up_text) / 1000
        except (ValueError, RecursionError) as err:
            raise BadError(
                f"it was altered or damaged: {err}", self._next_seq or item.stored_seq
            ) from err
        seq = int(entry.seq_text)
        if self._entry is None:
            self._check_first(entry)
            self._segment_text = entry.segment_text
        elif seq != self._next_seq:
            raise BadError(
                f"entry {self._next_seq} is missing; entry {seq} stands in its place",
                self._next_seq,
            )
        if item.stored_seq not in (None, seq) or entry.segment_text != self._segment_text:
            raise BadError("it stands in another place than it says", seq)
        if entry.bseq_text is not None:
            if int(entry.bseq_text) != self._next_bseq:
                raise BadError(f"its bseq is {entry.bseq_text}, {self._next_bseq} was due", seq)
            self._next_bseq += 1
        if item.parts or entry.parts_text != "{}":
            self._check_parts(entry, item.parts or {}, source)
        if item.evidence or entry.evidence_text != "[]":
            source.check_evidence_of(entry, item)
        if entry.proof == "signature" or entry.type == "person.key":
            self._check_person(entry)
        self._check_clock(entry, at, up_s)
        self._leaves.append(_sha256(b"\x00" + item.body.encode()).digest())
        self._next_seq = seq + 1
        self._last_known, self._entry, self._at, self._up_s = seq, entry, at, up_s

    def _check_withheld(self, item: WithheldItem) -> None:
        """Take the hash of an entry for the entry; that it is of class sso shows in the others' bseq."""
        if self._entry is None:
            raise BadError("the first entry does not open a segment", item.seq)
        if item.seq != self._next_seq:
            raise BadError(
                f"entry {self._next_seq} is missing; entry {item.seq} stands in its place",
                self._next_seq,
            )
        self._leaves.append(item.leaf)
        self._next_seq += 1
        self.segment.withheld_entries += 1
        self._given.complete = False

    def _check_parts(
        self, entry: Entry, parts: dict[str, tuple[bytes, bytes]], source: Database | Export
    ) -> None:
        if not parts.keys() <= entry.parts.keys() or (
            source.whole and parts.keys() != entry.parts.keys()
        ):
            raise BadError("a part is missing, or there is one that it does not name", entry.seq)
        for name, (salt, body) in parts.items():
            if _sha256(salt + body).hexdigest() != entry.parts[name]:
                raise BadError(f"its part for {name} was altered or damaged", entry.seq)
        self.segment.withheld += len(entry.parts) - len(parts)

    def _check_first(self, entry: Entry) -> None:
        if entry.type != "segment.opened" or entry.bseq is None:
            raise BadError("the first entry does not open a segment", entry.seq)
        shown, previous = entry.open, self._check_origin(entry, entry.bseq)
        if self._before is None:
            self._given.complete = entry.segment == 1
        if entry.version > 1:
            if previous is not None:
                _check_previous(self.segment)
            self._learn_key(shown, entry.seq)
        if self._before is not None:
            check_link(self._before, self.segment)
        if entry.version > 1 and previous is not None and previous["lost"]:
            self._given.complete = False
            self._check_lost(previous, entry.seq)
        self._take_anchors()

    def _check_origin(self, entry: Entry, bseq: int) -> Any:
        """Return what a segment says of the one before it; raise BadError unless it is a beginning."""
        shown, segment = entry.open, self.segment
        if shown.get("first_seq") != entry.seq or shown.get("first_bseq") != bseq:
            raise BadError("the beginning is cut off: it is not the first entry", entry.seq)
        origin, previous = shown.get("origin"), shown.get("previous", False)
        if not isinstance(origin, str) or origin.rpartition("/")[2] != str(entry.segment):
            raise BadError("its origin does not fit its segment", entry.seq)
        if (entry.segment == 1) != (previous is None) or (entry.segment == 1) != (entry.seq == 1):
            raise BadError("it does not say what came before it", entry.seq)
        segment.number, segment.origin, segment.previous = entry.segment, origin, previous
        segment.first_seq, segment.first_bseq = entry.seq, bseq
        segment.version, self._next_bseq = entry.version, bseq
        names = sorted({key.name for key in self._given.keys})
        if names and segment.prefix not in names:
            raise BadError(f"the record is of {origin}, the key of {', '.join(names)}", entry.seq)
        return previous

    def _learn_key(self, shown: dict[str, Any], seq: int) -> None:
        """Find out whose key the segment names, and whether it is to be trusted."""
        segment, before = self.segment, self._before
        try:
            key, endorsement = read_key(shown["key"]), shown["endorsement"]
            word = None if endorsement is None else base64.b64decode(endorsement, validate=True)
        except (UnclearError, KeyError, TypeError, ValueError) as err:
            raise BadError(f"it does not say well which key signs: {err!r}", seq) from err
        if key.name != segment.prefix:
            raise BadError(f"its key is of {key.name}, its origin {segment.origin}", seq)
        segment.key, segment.trusted = key, key in self._given.keys
        elders = [before.key] if before and before.key else self._given.keys
        elders = [elder for elder in elders if elder.name == key.name]
        text = f"ispsd new key\n{key.name}\n{shown['key']}\n"
        text += f"{segment.previous['root']}\n" if segment.previous else ""
        elder = next(
            (e for e in elders if word and is_signature(e.public, word, text.encode())), None
        )
        if (
            word is not None
            and elder is None
            and ((before is not None and before.key) or not segment.previous)
        ):
            raise BadError("the key before did not endorse its key, as it says", seq)
        if elder is not None and elder != key:
            given = elder in self._given.keys and elder not in self._given.replaced
            segment.trusted |= given or (before is not None and before.trusted)
            segment.remarks.append(
                f"a new key signs from here on ({key.short}); the key before endorsed it"
            )
        elif before is not None and before.key == key:
            segment.trusted |= before.trusted
        elif before is not None and before.key is not None:
            segment.remarks.append(
                f"a new key signs from here on ({key.short}), and the key before did NOT endorse it: ask why"
            )
        if self._is_replaced(key):
            segment.trusted = False
        elif self._given.keys and not segment.trusted:
            self._doubt_key(key, seq, endorsed=elder is not None)

    def _doubt_key(self, key: Key, seq: int, *, endorsed: bool) -> None:
        segment, before = self.segment, self._before
        if segment.number == 1:
            raise BadError(f"it is signed by {key.short}, which is not the key that was given", seq)
        if before is not None and (endorsed or before.key == key):
            return  # the doubt is about the key before, and was said there
        segment.doubts.append(
            f"it is signed by another key than was given ({key.short}), and no key that was given endorsed it; "
            "give that key too, from a place that you trust"
        )

    def _is_replaced(self, key: Key) -> bool:
        """Tell whether the record itself has put another key in the place of this one; said where it comes back."""
        before, replaced = self._before, self._given.replaced
        changed = before is not None and before.key is not None and before.key != key
        if changed and before is not None and before.key is not None:
            replaced.add(before.key)
        if key not in replaced:
            return False
        doubt = (
            f"it is signed by a key that the record itself had replaced before ({key.short}): whoever still has "
            "that key may have written it"
        )
        if changed and doubt not in self.segment.doubts:
            self.segment.doubts.append(doubt)
        return True

    def _check_lost(self, previous: dict[str, Any], seq: int) -> None:
        """Doubt what is not here: somebody else held more, or something else, of the segment before."""
        lost, origin = previous["lost"], f"{self.segment.prefix}/{previous['segment']}"
        try:
            note = read_note(lost["note"])
        except ValueError as err:
            raise BadError(f"the head that it calls lost cannot be read: {err}", seq) from err
        if (note.origin, note.size, note.root.hex()) != (origin, lost["size"], lost["root"]):
            raise BadError("the head that it calls lost is of something else", seq)
        before, segment = self._before, self.segment
        elder = before.key if before else None
        gap = before is not None and before.number < previous["segment"]
        known = [each for each in (elder, segment.key, *self._given.keys) if each] if gap else []
        if elder and not signer(note, known or [elder]):
            if not gap:
                raise BadError("the head that it calls lost was not signed by the ship", seq)
            segment.doubts.append(
                f"{_head(note)}, which it calls lost, is signed by a key that is not known here"
            )
        cosignatures(note, self._given.witnesses, self.segment.doubts)
        holders = ", ".join(sorted({n for n, _, _ in note.signatures if n != origin})) or "somebody"
        first, hole = segment.first_seq, segment.hole
        if before is not None and gap:
            end, last = before.first_seq + before.size, previous["segment"]
            all_of = f"segments {before.number + 1} to {last} are"
            which = f"segment {last} is" if last == before.number + 1 else all_of
            segment.doubts.append(
                f"{which} lost, and the numbers {end} to {first - 1} with what they were given to: {holders} held "
                f"the head of segment {last} at {note.size} entries, none of which was found when this was begun"
            )
            return
        gone = f"segment {previous['segment']} had another history"
        if hole:
            gone = f"entries {first - hole} to {first - 1} are lost"
        segment.doubts.append(
            f"{gone}: {holders} held its head at {note.size} entries, {previous['size']} were found "
            "when this segment was begun"
        )

    def _signers(self) -> list[Key]:
        return [self.segment.key] if self.segment.key else self._given.keys

    def _take_anchors(self) -> None:
        """Choose the anchors of this segment; each must be signed by the key of the segment."""
        mine = [note for note in self._given.anchors if note.origin == self.segment.origin]
        for note in mine:
            if self._signers() and signer(note, self._signers()) is None:
                raise BadError(f"the anchor {_head(note)} is not signed by the key of the record")
        self._anchors = sorted((note for note in mine if note.size), key=lambda note: note.size)
        self._due = self._anchors[0].size if self._anchors else -1

    def _check_note(self, item: NoteItem) -> None:
        self._grow()
        segment, tree = self.segment, self._tree
        first_unsealed = segment.first_seq + segment.sealed
        try:
            note = read_note(item.note)
            lines = [(name, read_signature(line.rstrip("\n") + "\n")) for name, line in item.lines]
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
        self._check_signer(note)
        if note.root != tree.root():
            last = segment.first_seq + note.size - 1
            raise BadError(f"an entry from {first_unsealed} to {last} was altered", first_unsealed)
        if item.peaks is not None and item.peaks != b"".join(tree.peaks):
            raise BadError(f"what is kept beside the checkpoint at {note.size} entries was altered")
        segment.sealed, segment.head_digest = note.size, note.digest
        if any(name != line[0] for name, line in lines):
            raise BadError(
                f"a witness's signature of {note.size} entries is kept under another name"
            )
        self._hear_witnesses(note, tuple(line for _, line in lines))

    def _check_signer(self, note: Note) -> None:
        segment, signers = self.segment, self._signers()
        if not signers:
            return
        segment.key = signer(note, signers)
        if segment.key is None:
            whose = "that was given" if segment.version == 1 else "of its segment"
            raise BadError(
                f"the checkpoint at {note.size} entries is not signed by the key {whose}"
            )
        if segment.version == 1 and not self._is_replaced(segment.key):
            segment.trusted = True

    def _hear_witnesses(self, note: Note, more: tuple[tuple[str, bytes, str], ...] = ()) -> None:
        lines = (*note.signatures, *more)
        whole = Note(note.text, note.origin, note.size, note.root, lines)
        self.segment.seen += cosignatures(whole, self._given.witnesses, self.segment.doubts)
        known = {(witness.name, witness.id_for(witness.name)) for witness in self._given.witnesses}
        others = {name for name, signature, _ in lines if (name, signature[:4]) not in known}
        others.discard(note.origin)
        if len(self.segment.unchecked_lines) < MOST_REMARKS:
            self.segment.unchecked_lines |= others

    def _meet_anchors(self) -> None:
        """Compare with the anchors of this size, once the record's own checkpoint of it was looked at."""
        self._grow()
        entry, segment = self._entry, self.segment
        while entry is not None and self._anchors and self._anchors[0].size == self._tree.size:
            note = self._anchors.pop(0)
            if note.root == self._tree.root():
                seen = cosignatures(note, self._given.witnesses, segment.doubts)
                known = (
                    self._next_seq == self._last_known + 1
                )  # that entry is here to tell the time
                segment.seen += seen or [Seen(note.size, entry.at if known else None)]
            elif not self._is_lost(note):
                begin = segment.first_seq + max((seen.size for seen in segment.seen), default=0)
                raise BadError(
                    f"entries {begin} to {entry.seq} are not those that the anchor saw", begin
                )
        self._due = self._anchors[0].size if self._anchors else -1

    def _is_lost(self, note: Note) -> bool:
        """Tell whether the next segment says itself that what this note saw is lost."""
        said = self._lost_after()
        lost = said.get("lost") if isinstance(said, dict) else None
        if not isinstance(lost, dict) or type(lost.get("size")) is not int:
            return False
        number = said.get("segment")
        if type(number) is int and number > self.segment.number:
            return note.size > self._tree.size  # whole segments are lost, and the end of this one
        if note.size == lost["size"]:
            return bool(note.root.hex() == lost.get("root"))
        return bool(self._tree.size < note.size < lost["size"])

    def _check_end(self) -> None:
        segment = self.segment
        for note in self._anchors:
            if note.size > segment.size and not self._is_lost(note):
                raise BadError(
                    f"the end is cut off: an outside anchor covers {note.size} entries of segment "
                    f"{segment.number}, {segment.size} are there",
                    segment.first_seq + segment.size,
                )
        if self._next_seq > self._last_known + 1:
            segment.remarks.append(
                f"entries {self._last_known + 1} to {self._next_seq - 1}, the last ones, are withheld: "
                "whether any of them was for everybody cannot be seen here"
            )

    def _check_person(self, entry: Entry) -> None:
        """Check what a person signed; learn a person's key."""
        if entry.proof == "signature":
            self._check_signed(entry)
        if entry.type == "person.key" and entry.version > 1:
            shown, people = entry.open, self._given.people
            person, key = shown.get("person"), _or_nothing(shown.get("key"))
            people.pop(str(person), None)
            if isinstance(person, str) and key and len(people) < MOST_KNOWN_KEYS:
                people[person] = key

    def _check_signed(self, entry: Entry) -> None:
        shown, people = entry.open, self._given.people
        if entry.version == 1:
            self._doubt_once(
                "version 1 keeps no signature of a person, but entry {} speaks of one", entry
            )
            return
        signed, person = shown.pop("signed", None), entry.person
        if not isinstance(signed, dict) or signed.keys() != {"key", "signature"}:
            raise BadError(f"it says that {person} signed it, and has no signature", entry.seq)
        public, signature = _or_nothing(signed["key"]), _or_nothing(signed["signature"])
        said = {
            "at": shown.get("said_at"),
            "open": shown,
            "person": person,
            "subject": entry.subject,
            "type": entry.type,
        }
        if not is_signature(public, signature, SIGNED_ENTRY + _canonical(said).encode()):
            raise BadError(f"the signature of {person} on it is not true", entry.seq)
        self._weigh_signature(entry, _sha256(signature).digest()[:16], shown.get("said_at"))
        if person not in people and not self._given.complete:
            self._doubt_once(
                "entry {} is signed, but whose key it is stands where it is not seen here", entry
            )
        elif people.get(person) != public:
            raise BadError(
                f"it is signed by a key that is not {person}'s in this record", entry.seq
            )

    def _weigh_signature(self, entry: Entry, digest: bytes, said_at: Any) -> None:
        """Doubt a true signature that may have been given for another entry than this one."""
        signatures = self._given.signatures
        first = signatures.get(digest)
        if first is not None:
            self._doubt_once(
                f"entry {{}} has the signature that entry {first} has already: it was given once",
                entry,
            )
        elif len(signatures) < MOST_SIGNATURES:
            signatures[digest] = entry.seq
        else:
            words = f"more than {MOST_SIGNATURES} entries are signed: the others were not compared with each other"
            if words not in self.segment.doubts:
                self._doubt_once(words, entry)
        apart_s = _apart_s(said_at, entry.at)
        if apart_s is None:
            self._doubt_once("entry {} is signed, but when is not said", entry)
        elif apart_s > SAID_S:
            self._doubt_once(
                f"entry {{}} is of {entry.at_text}Z, and was signed at {said_at}: more than "
                f"{SAID_S / 60:.0f} minutes apart",
                entry,
            )

    def _doubt_once(self, words: str, entry: Entry) -> None:
        if len(self.segment.doubts) < MOST_REMARKS:
            self.segment.doubts.append(words.format(entry.seq))

    def _check_clock(self, entry: Entry, at: datetime, up_s: float) -> None:
        """Note a jump of the wall clock that no entry explains; the order stands without it."""
        before = self._entry
        if before is None:
            return
        if entry.type == "clock.stepped":
            self.segment.unexplained_step = None
            return
        shift_s = (at - self._at).total_seconds()
        if before.boot == entry.boot:
            shift_s -= up_s - self._up_s
            jumped = not -CLOCK_STEP_S <= shift_s <= CLOCK_STEP_S
        else:
            jumped = shift_s < -CLOCK_STEP_S and before.clock == entry.clock == "synced"
        if jumped and self.segment.unexplained_step is None:
            self.segment.unexplained_step = entry.seq, shift_s


def _from_hex(text: Any) -> bytes:
    """Return the bytes; raise ValueError unless this is how we write them."""
    raw = bytes.fromhex(text)
    if raw.hex() != text:
        raise ValueError("a salt is not written in the canonical form")
    return raw


def _from_base64(text: Any) -> bytes:
    """Return the bytes; raise ValueError unless this is how we write them."""
    raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    if base64.b64encode(raw).decode() != text:
        raise ValueError("base64 that is not written in the canonical form")
    return raw


def _or_nothing(text: Any) -> bytes:
    """Return the bytes, none where it is not base64: a signature that cannot be true."""
    try:
        return _from_base64(text)
    except ValueError:
        return b""


def _apart_s(said: Any, at: datetime) -> float | None:
    """Return how far a written moment is from another, in seconds; None where it is none."""
    try:
        if isinstance(said, str) and _MOMENT.fullmatch(said):
            return abs((datetime.fromisoformat(said[:-1]) - at).total_seconds())
    except ValueError:
        pass
    return None


def _read_proof(said: Any) -> tuple[int, int, list[bytes]]:
    """Return index, size of the tree and path; raise ValueError where it is no proof."""
    if not isinstance(said, dict) or said.keys() != {"index", "size", "hashes"}:
        raise ValueError("it has no proof")
    index, size, hashes = said["index"], said["size"], said["hashes"]
    if type(index) is not int or type(size) is not int or not isinstance(hashes, list):
        raise ValueError("it has no proof")
    path = [_from_base64(each) for each in hashes[: LONGEST_PROOF + 1]]
    if len(path) > LONGEST_PROOF or any(len(node) != 32 for node in path):  # noqa: PLR2004 (SHA-256)
        raise ValueError("its proof is of no hashes")
    return index, size, path


_PREVIOUS = {"segment", "size", "root", "note_sha256"}


def _check_previous(segment: Segment) -> None:
    """Raise BadError unless what a segment says of the one before has the shape of version 2."""
    said, seq = segment.previous, segment.first_seq
    if not isinstance(said, dict) or said.keys() != _PREVIOUS | {"sealed", "lost"}:
        raise BadError("it does not say well what came before it", seq)
    numbers, lost = [said["segment"], said["size"], said["sealed"]], said["lost"]
    if lost is not None:
        if not isinstance(lost, dict) or lost.keys() != {"size", "root", "note"}:
            raise BadError("it does not say well what was lost", seq)
        numbers.append(lost["size"])
    if any(type(each) is not int or each < 0 for each in numbers) or said["sealed"] > said["size"]:
        raise BadError("it does not say well how much came before it", seq)
    if said["segment"] != segment.number - 1:
        raise BadError("it does not say well how much came before it", seq)
    if not isinstance(said["root"], str) or not _HASH.fullmatch(said["root"]):
        raise BadError("it does not commit to what came before it", seq)


def check_link(before: Segment, segment: Segment) -> None:
    """Raise BadError unless a segment goes on exactly where the one before ends."""
    if segment.prefix != before.prefix:
        raise BadError(f"it is of {segment.prefix}, the one before of {before.prefix}")
    if segment.number != before.number + 1:
        _check_gap(before, segment)
        return
    head = {
        "segment": before.number,
        "size": before.size,
        "root": before.root.hex(),
        "note_sha256": before.head_digest,
    }
    if segment.version > 1:
        head |= {"sealed": before.sealed, "lost": segment.previous["lost"]}
    elif before.sealed < before.size:
        raise BadError(f"segment {before.number} was not sealed to its end", segment.first_seq)
    hole = segment.hole
    ends = (before.first_seq + before.size + hole, before.next_bseq + hole)
    if (segment.first_seq, segment.first_bseq) != ends or segment.previous != head:
        raise BadError(f"it does not go on where segment {before.number} ends", segment.first_seq)


NOTHING = 0, Tree().root().hex()
"""Size and root of a segment of which nothing was found."""


def _check_gap(before: Segment, segment: Segment) -> None:
    """Raise BadError unless a segment owns up to the loss of all those between, and uses none of their numbers."""
    said, end = segment.previous, before.first_seq + before.size
    owns_up = segment.version > 1 and said["lost"] and (said["size"], said["root"]) == NOTHING
    if segment.number <= before.number or not owns_up:
        raise BadError(f"segment {before.number + 1} is missing", end)
    due = end + segment.hole, before.next_bseq + segment.hole
    if segment.first_seq < due[0] or segment.first_bseq < due[1]:
        raise BadError("it uses numbers of entries that it calls lost", segment.first_seq)


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

    @property
    def remarks(self) -> list[str]:
        return [f"segment {each.number}: {text}" for each in self.segments for text in each.remarks]

    def fail(self, place: str, error: BadError) -> None:
        where = f"entry {error.seq}: " if error.seq is not None else ""
        self.failure, self.first_bad = f"{place}: {where}{error}", error.seq

    def witnessed(self) -> tuple[Seen | None, int]:
        """Return who vouches outside since when, and how many entries none has seen."""
        oldest, unseen = None, 0
        for segment in self.segments:
            unseen += segment.size
            for seen in segment.seen:
                oldest = _older(oldest, seen)
            if segment.seen:
                newest = max(seen.size for seen in segment.seen)
                unseen = 0 if segment.excerpt_of else segment.size - newest
        return oldest, unseen


def _older(one: Seen | None, other: Seen) -> Seen:
    if one is None or one.at is None:
        return other
    return other if other.at is not None and other.at < one.at else one


def verify(
    record: Path, keys: list[Key], anchors: list[Note], witnesses: Iterable[Key] = ()
) -> Verdict:
    """Judge a record, whatever it is given as."""
    verdict = Verdict()
    given = Given(keys, anchors, list(witnesses))
    if not keys:
        verdict.doubts.append("no key was given, so anybody may have signed this")
    place = "anchor"
    try:
        for note in anchors:
            cosignatures(note, given.witnesses, [])  # its doubts are said where it is met
        paths = _files(record)
        for number, path in enumerate(paths, start=1):
            place = path.name
            _judge(path, paths[number] if number < len(paths) else None, given, verdict)
        place = "anchor"
        _weigh_anchors(verdict, given, whole=record.is_dir())
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


def _files(record: Path) -> list[Path]:
    if not record.is_dir():
        return [record]
    found = sorted(record.glob("segment-[0-9][0-9][0-9][0-9].db"))
    if not found:
        raise UnclearError(f"there is no segment in {record}")
    return found


def _judge(path: Path, after: Path | None, given: Given, verdict: Verdict) -> None:
    """Judge one file and its link to the one before."""
    before = verdict.segments[-1] if verdict.segments else None
    judge = Judge(given, before, lambda: _lost_by(after))
    with path.open("rb") as file:
        magic = file.read(16)
    if not magic:
        raise BadError("the file is empty")
    if magic == b"SQLite format 3\0":
        try:
            with opened_database(path) as database:
                verdict.doubts += [f"{path.name}: {doubt}" for doubt in database.doubts()]
                segment = judge.run(database)
        except (sqlite3.Error, TypeError, AttributeError, ValueError, RecursionError) as err:
            raise BadError(f"the file is damaged (a bad disk or copy, or a hand): {err}") from err
    elif magic.startswith(b"{"):
        segment = _judge_export(judge, Export(path))
    else:
        raise BadError("it is neither a segment nor an export of one")
    segment.place = path.name
    verdict.segments.append(segment)
    _weigh_seals(before, segment, last=after is None)
    for each in (before, segment) if before else (segment,):
        verdict.doubts += [f"{each.place}: {doubt}" for doubt in each.doubts]
        each.doubts.clear()


def _judge_export(judge: Judge, export: Export) -> Segment:
    export.read_header()
    return judge.run_excerpt(export) if export.profile == "excerpt" else judge.run(export)


def _lost_by(after: Path | None) -> Any:
    """Return what the segment after says came before it; it is judged when its turn comes."""
    try:
        if after is not None:
            with opened_database(after) as database:
                return read_entry(database.opening()).open["previous"]
    except (BadError, UnclearError, OSError, sqlite3.Error, ValueError, KeyError, TypeError):
        pass
    return None


def _weigh_seals(before: Segment | None, segment: Segment, *, last: bool) -> None:
    """Say what no checkpoint of its own covers; the next segment commits to all entries of the one before."""
    if segment.unexplained_step is not None:
        seq, step_s = segment.unexplained_step
        segment.doubts.append(
            f"the clock was stepped by {step_s:.0f} s at entry {seq} and no entry says why"
        )
    if last and not segment.sealed:
        segment.doubts.append("nothing in it is sealed")
    if before is None or before.sealed == before.size:
        return
    open_end = f"its last {before.size - before.sealed} entries were not sealed"
    if segment.number != before.number + 1:
        before.doubts.append(f"{open_end}, and what followed them is lost")
    elif segment.sealed:
        before.vouched_for = True
        before.remarks.append(f"{open_end}; segment {segment.number}, which is, vouches for them")
    else:
        before.doubts.append(f"{open_end}, and nothing in segment {segment.number} is sealed")


def _weigh_anchors(verdict: Verdict, given: Given, *, whole: bool) -> None:
    first, last = verdict.segments[0], verdict.segments[-1]
    here = {segment.origin for segment in verdict.segments}
    keys = given.keys + [each.key for each in verdict.segments if each.key and each.trusted]
    for note in given.anchors:
        if note.prefix != last.prefix:
            raise BadError(f"it is of {note.origin}, the record of {last.origin}")
        if note.origin in here:
            continue
        number = note.origin.rpartition("/")[2]
        if keys and signer(note, keys) is None:
            verdict.doubts.append(
                f"anchor: {_head(note)} is signed by a key that is not known here"
            )
        elif whole and (not number.isdecimal() or int(number) > last.number):
            raise BadError(f"it saw {note.origin}, which is not here: the end is cut off")
    if whole and first.number > 1:
        verdict.doubts.append(f"segments 1 to {first.number - 1} are not here")
    if verdict.witnessed()[0] is None:
        elsewhere = ", ".join(sorted({note.origin for note in given.anchors} - here))
        verdict.doubts.append(
            f"the anchors that were given are of {elsewhere}, which is not here"
            if elsewhere
            else "no outside anchor was given: a cut or rewritten end would not show"
        )


# ---------------------------------------------------------------- saying it


def report(verdict: Verdict) -> dict[str, Any]:
    """Return the answer for programs."""
    oldest, unseen = verdict.witnessed()
    segments = verdict.segments
    last = segments[-1] if segments else None
    return {
        "verdict": verdict.word,
        "failure": verdict.failure or None,
        "first_bad_entry": verdict.first_bad,
        "doubts": verdict.doubts,
        "remarks": verdict.remarks,
        "origin": last and last.origin,
        "first_entry": segments[0].first_seq if segments else None,
        "entries": sum(segment.size for segment in segments),
        "sealed": sum(_sealed(segment) for segment in segments),
        "unsealed_tail": last.size - _sealed(last) if last else 0,
        "root": last and last.root.hex(),
        "unaltered_since": f"{oldest.at:%Y-%m-%dT%H:%M:%S}Z" if oldest and oldest.at else None,
        "witness": oldest and oldest.by,
        "without_witness": unseen,
        "withheld": sum(segment.withheld for segment in segments),
        "withheld_entries": sum(segment.withheld_entries for segment in segments),
        "excerpt_of": last.excerpt_of or None if last else None,
        "unchecked_witnesses": sorted({n for segment in segments for n in segment.unchecked_lines}),
        "sha256": last and last.sha256,
    }


def _sealed(segment: Segment) -> int:
    return segment.size if segment.vouched_for else min(segment.size, segment.sealed)


def in_words(verdict: Verdict) -> str:
    """Return the answer for people."""
    found = report(verdict)
    lines = [f"{verdict.word}{': ' + verdict.failure if verdict.failure else ''}"]
    if verdict.first_bad is not None:
        lines.append(f"first bad entry: {verdict.first_bad}")
    lines += [f"not proven: {doubt}" for doubt in verdict.doubts]
    if verdict.failure or not verdict.segments:
        return _joined(lines)
    lines += [f"note: {remark}" for remark in verdict.remarks]
    lines += _extent_in_words(verdict, found)
    if found["withheld_entries"]:
        lines.append(
            f"withheld from this export: {found['withheld_entries']} entries; none of them was changed or "
            "removed, and what they say is not seen here"
        )
    if found["withheld"]:
        lines.append(f"withheld from this export: {found['withheld']} parts or pieces of evidence")
    if found["unchecked_witnesses"]:
        names = ", ".join(found["unchecked_witnesses"])
        lines.append(f"signatures of {names} were not looked at; give their keys with --witness")
    if found["sha256"]:
        lines.append(f"SHA-256 of the file: {found['sha256']}")
    return _joined(lines)


def _joined(lines: list[str]) -> str:
    """Return the lines of an answer: what a stranger wrote moves no cursor, and makes no line of its own."""
    return "\n".join(
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
        for line in lines
    )


def _extent_in_words(verdict: Verdict, found: dict[str, Any]) -> list[str]:
    first, count = found["first_entry"], found["entries"]
    oldest, unseen = verdict.witnessed()
    claim = ""
    if oldest is not None:
        claim = "unaltered since an outside anchor was made, whose time is not seen here"
        # An anchor has no time of its own: it was made when the ship's clock said what its last entry says.
        who = (
            f"UTC (seen by {oldest.by})"
            if oldest.by
            else "UTC by the ship's clock (oldest outside anchor)"
        )
        if oldest.at is not None:
            claim = f"unaltered since {oldest.at:%Y-%m-%d %H:%M:%S} {who}"
    if found["excerpt_of"]:
        of = f"{count} of the first {found['excerpt_of']} entries of {found['origin']}"
        lines = [f"an excerpt: {of}; it says nothing of the others"]
        return [*lines, claim] if claim else lines
    lines = [f"{found['origin']}: entries {first} to {first + count - 1}"]
    if claim:
        lines.append(f"{claim}; the last {unseen} entries have no outside witness yet")
    lines.append(f"sealed: {found['sealed']} entries; unsealed tail: {found['unsealed_tail']}")
    return lines


def main(argv: list[str]) -> int:
    """Verify, say it, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="verify.py", description="Is this security record what its ship signed?"
    )
    parser.add_argument("record", type=Path, help="segment file, folder of segments, or export")
    parser.add_argument("--key", action="append", default=[], help="public key: file or vkey line")
    parser.add_argument("--anchor", type=Path, action="append", default=[], metavar="NOTE_FILE")
    parser.add_argument(
        "--witness", action="append", default=[], help="a witness's public key: file or vkey line"
    )
    parser.add_argument("--json", action="store_true", help="answer for programs")
    options = parser.parse_args(argv)
    try:
        keys = [key for argument in options.key for key in read_keys(argument)]
        witnesses = [key for argument in options.witness for key in read_keys(argument, WITNESS)]
        anchors = [_read_anchor(path) for path in options.anchor]
        verdict = verify(options.record, keys, anchors, witnesses)
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
