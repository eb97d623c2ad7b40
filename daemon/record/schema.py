"""How does a segment lie on disk? One SQLite file, whose bodies are the hashed bytes.

Every query column is generated from the body, so it cannot say anything else. Triggers stop a slip
of the hand; what stops intent is the signature. ``verify.py`` holds its own copy of this schema and
distrusts any other.
"""

from __future__ import annotations

SEGMENT_GLOB = "segment-[0-9][0-9][0-9][0-9].db"
APPLICATION_ID = 0x49535052
"""``ISPR`` in the header of the file (SQLite file format, offset 68)."""
SCHEMA_VERSION = 3
WITH_COSIGNATURES = 2
FIRST_VERSION = 1
"""The first two have indexes, the first no cosignatures; one that is still written is closed and the next begun."""

_GENERATED = {
    "bseq": ("INTEGER", "$.bseq"),
    "at": ("TEXT", "$.at"),
    "kind": ("TEXT", "$.kind"),
    "type": ("TEXT", "$.type"),
    "subject": ("TEXT", "$.subject"),
    "class": ("TEXT", "$.class"),
}

_COLUMNS = "".join(
    f", {name} {affinity} GENERATED ALWAYS AS (json_extract(body, '{path}')) VIRTUAL"
    for name, (affinity, path) in _GENERATED.items()
)

_TABLES = (
    f"CREATE TABLE entry (seq INTEGER PRIMARY KEY, body TEXT NOT NULL{_COLUMNS}) STRICT",
    "CREATE TABLE part (seq INTEGER NOT NULL, class TEXT NOT NULL, salt BLOB NOT NULL, "
    "body TEXT NOT NULL, PRIMARY KEY (seq, class)) STRICT, WITHOUT ROWID",
    "CREATE TABLE evidence (sha256 TEXT PRIMARY KEY, seq INTEGER NOT NULL, media TEXT NOT NULL, "
    "size INTEGER NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL, peaks BLOB NOT NULL) "
    "STRICT",
    "CREATE TABLE cosignature (size INTEGER NOT NULL, name TEXT NOT NULL, line TEXT NOT NULL, "
    "PRIMARY KEY (size, name)) STRICT, WITHOUT ROWID",
    "CREATE TABLE state (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, "
    "seq INTEGER NOT NULL, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID",
    "CREATE TABLE cursor (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
)
_TRIGGERS = tuple(
    f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, 'the record is append-only: {table}'); END"
    for table in ("entry", "part", "evidence", "checkpoint", "cosignature")
    for act in ("UPDATE", "DELETE")
)

STATEMENTS = (
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
    *_TABLES,
    *_TRIGGERS,
)


def segment_name(number: int) -> str:
    """Return the file name of a segment."""
    return f"segment-{number:04d}.db"


def segment_number(name: str) -> int:
    """Return the number of a segment by its file name, as ``SEGMENT_GLOB`` found it."""
    return int(name.removeprefix("segment-").removesuffix(".db"))
