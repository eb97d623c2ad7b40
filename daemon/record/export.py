"""How does a record leave the ship so that it can still be verified? One segment as JSON lines.

The first line says what it is; then one line an entry, and each checkpoint behind the last entry
that it covers. Entries are never left out, parts and evidence may be: the entry holds their hashes,
so what is withheld can neither be guessed nor exchanged.
"""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any

import apsw

from daemon.errors import RecordError
from daemon.record import codec
from daemon.record.sqlite import blob, number, store_errors, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = "ispsd-record-export"
EXPORT_VERSION = 1


def lines(segment: Path, *, redacted: bool) -> Iterator[bytes]:
    """Yield the lines of an export, each with its newline, from a segment or a copy of one.

    Args:
        segment: The file; one that is being written is read as it was when this began.
        redacted: Leave out all parts and evidence.

    Raises:
        RecordError: It cannot be read.
    """
    with store_errors(segment):
        db = apsw.Connection(str(segment), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            db.execute("BEGIN")
            yield from _lines(db, redacted=redacted)
        finally:
            db.close(force=True)


def _lines(db: apsw.Connection, *, redacted: bool) -> Iterator[bytes]:
    row = db.execute("SELECT body, (SELECT count(*) FROM entry) FROM entry ORDER BY seq").fetchone()
    if row is None:
        raise RecordError("the segment holds no entry")
    first = codec.parse(text(row[0]))
    yield _line(
        {
            "format": FORMAT,
            "v": EXPORT_VERSION,
            "origin": first.open["origin"],
            "segment": first.segment,
            "first_seq": first.seq,
            "size": number(row[1]),
        }
    )
    notes = iter(db.execute("SELECT size, note FROM checkpoint ORDER BY size"))
    note = next(notes, None)
    bodies = db.execute("SELECT body FROM entry ORDER BY seq")
    for count, (body,) in enumerate(bodies, start=1):
        line: dict[str, Any] = {"entry": codec.parse_object(text(body))}
        if not redacted:
            line |= _beside(db, line["entry"])
        yield _line(line)
        while note is not None and number(note[0]) == count:
            yield _line({"checkpoint": note[1]})
            note = next(notes, None)


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
