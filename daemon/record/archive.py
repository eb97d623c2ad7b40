"""Which closed segments may leave the ship's disk, and what stays of them? The head, the hash and the place.

Whole segments only, never the newest, never before flag and ship have had them long enough. A segment is copied and
verified where it goes; then its head is kept, then the entry says so, and only then is the file removed.
"""

from __future__ import annotations

import json
import os
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import apsw

from daemon.errors import RecordError, RefusedError
from daemon.record import codec, copying, logbeside, schema
from daemon.record.sqlite import number, store_errors, text

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.record.retention import Retention

KEEP_YEARS: Final = 10
INCIDENT_KINDS: Final = (".2", ".3")
"""Threats and incidents, breaches (ISPS Code A/10.1.2 and .3)."""
HEADS: Final = "archived.jsonl"
"""In the record's folder: one line for each segment that is elsewhere."""
FEBRUARY: Final = 2
LEAP_DAY: Final = 29


@dataclass(frozen=True, slots=True)
class Closed:
    """A segment that nobody writes to any more."""

    number: int
    path: Path
    first_seq: int
    last_seq: int
    last_utc: datetime
    has_incidents: bool
    head: str


def closed_before(record: Path, before: int) -> list[Closed]:
    """Return the segments below a number, the oldest first.

    Raises:
        RefusedError: The newest would be among them, or there is none.
        RecordError: One cannot be read.
    """
    paths = sorted(record.glob(schema.SEGMENT_GLOB))
    if not paths or before > _number(paths[-1]):
        raise RefusedError("the newest segment stays; begin a new one first (ispsd rotate)")
    found = [_closed(path) for path in paths if _number(path) < before]
    if not found:
        raise RefusedError(f"no segment below {before} is here")
    return found


def keep_until_utc(segment: Closed, flag: Retention, keep_years: int) -> datetime:
    """Return when a segment may be archived."""
    years = flag.incident_years if segment.has_incidents else flag.years
    last = segment.last_utc
    day = 28 if (last.month, last.day) == (FEBRUARY, LEAP_DAY) else last.day
    return last.replace(year=last.year + max(years, keep_years), day=day)


def refuse_too_early(
    segments: list[Closed], flag: Retention, keep_years: int, now_utc: datetime
) -> None:
    """Refuse unless every one of them was kept long enough.

    Raises:
        RefusedError: One was not; the message says until when, and why.
    """
    for segment in segments:
        until_utc = keep_until_utc(segment, flag, keep_years)
        if now_utc < until_utc:
            raise RefusedError(
                f"segment {segment.number} is kept until {until_utc:%Y-%m-%d}: {flag.name} asks for "
                f"{flag.incident_years if segment.has_incidents else flag.years} years "
                f"({flag.source}), this ship for {keep_years}"
            )


def keep_head(record: Path, segment: Closed, *, sha256: str, place: str) -> None:
    """Add what stays of a segment to the file of heads; it is on disk when this returns.

    Raises:
        RecordError: The disk refuses.
    """
    line = {
        "segment": segment.number,
        "first_seq": segment.first_seq,
        "last_seq": segment.last_seq,
        "head": segment.head,
        "sha256": sha256,
        "place": place,
    }
    path = record / HEADS
    with store_errors(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def archived_head(record: Path, segment: int) -> str | None:
    """Return the head of a segment that is elsewhere; None where nothing is known of it.

    Raises:
        RecordError: The disk refuses.
    """
    path = record / HEADS
    with store_errors(path):
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
    for line in lines:
        with suppress(ValueError):
            said = json.loads(line)
            if isinstance(said, dict) and said.get("segment") == segment:
                return str(said.get("head"))
    return None


def remove(segment: Closed) -> None:
    """Remove a segment that is elsewhere, with what SQLite left beside it.

    Raises:
        RecordError: The disk refuses.
    """
    with store_errors(segment.path):
        for tail in ("-wal", "-shm", ""):
            segment.path.with_name(segment.path.name + tail).unlink(missing_ok=True)


def _closed(path: Path) -> Closed:
    if logbeside.stands_beside(path):
        raise RecordError(f"{path}: a log stands beside it: ispsd takes it in at its next start")
    with store_errors(path), closing(_reading(path)) as db:
        first = db.execute("SELECT min(seq) FROM entry").fetchone()
        last = db.execute("SELECT body FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
        marks = ", ".join("?" for _ in INCIDENT_KINDS)
        incidents = db.execute(
            f"SELECT 1 FROM entry WHERE kind IN ({marks}) LIMIT 1",  # noqa: S608 (our own words)
            INCIDENT_KINDS,
        ).fetchone()
    head = copying.head_of(path)
    if first is None or last is None or head is None:
        raise RecordError(f"{path}: is not sealed, so it cannot be archived")
    entry = codec.parse(text(last[0]))
    return Closed(
        _number(path),
        path,
        number(first[0]),
        entry.seq,
        datetime.fromisoformat(entry.stamp.at),
        incidents is not None,
        head,
    )


def _number(path: Path) -> int:
    return int(path.stem.removeprefix("segment-"))


def _reading(path: Path) -> apsw.Connection:
    name = path.absolute().as_uri() + "?immutable=1"
    return apsw.Connection(name, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
