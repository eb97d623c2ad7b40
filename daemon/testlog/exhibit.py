"""What is there to see of one test? Its row, its steps, its evidence drawn and listed, and what stands over its entry.

Pure, and apart from the loop: a day of readings takes a while to read. Nothing in the evidence is believed: what cannot
be read is shown as bytes, and says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon import forms
from daemon.errors import RecordError
from daemon.exhibits import contacts, measured, pieces, tapes, told, track
from daemon.exhibits.told import Clocked
from daemon.papers import logtable, making, moments, onetest, testlog
from daemon.papers.moments import Period
from daemon.papers.view import View
from daemon.papers.words import number, objects, text
from daemon.record import checkpoint
from daemon.record.merkle import leaf_hash
from daemon.testing import evidence
from daemon.testlog import cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from daemon.exhibits.figure import Figure
    from daemon.model import Json, Reading
    from daemon.papers.glance import Glance
    from daemon.papers.source import Found
    from daemon.papers.testlog import Around
    from daemon.record.entry import EvidenceReference
    from daemon.record.reader import Head
    from daemon.testing.evidence import Basis

MOST_PIECES: Final = 16
"""Pieces of evidence that are opened for one page."""
LARGEST_PIECE: Final = 2 * 1024 * 1024
"""Bytes of one of them; what is larger is fetched."""
MOST_DRAWN: Final = 20_000
"""Readings that are looked at for figures."""
TOO_LARGE: Final = "too much to show here: fetch it"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept beside an entry, as far as it was read; None: it is not in this record."""

    bodies: Mapping[str, bytes | None]
    faults: Mapping[str, str]


def opened(found: Found) -> list[EvidenceReference]:
    """Return which pieces are worth reading for a page."""
    small = [each for each in found.entry.evidence if each.size <= LARGEST_PIECE]
    return small[:MOST_PIECES]


@dataclass(frozen=True, slots=True)
class Episode:
    """A time in which the position was suspect, with the receivers' raw lines."""

    found: Found
    kept: Kept


def watched(found: Found) -> Period | None:
    """Return when a test was going on, as its entry says it; None where it does not."""
    began, ended = (moments.read(found.open.get(name)) for name in ("began", "ended"))
    return None if began is None or ended is None or began >= ended else Period(began, ended)


def shown(
    glance: Glance, kept: Kept, head: Head | None, episodes: Sequence[Episode] = ()
) -> dict[str, Json]:
    """Return everything that the page shows of the one entry that was read."""
    around = making.around(glance.source, View.FULL)
    [found] = glance.rows
    row = testlog.one(found, around)
    basis, readings, why = _basis(found, kept)
    return {
        "seq": found.seq,
        "name": text(found.open, "name") or text(found.open, "equipment"),
        "test": text(found.open, "test"),
        "result": row.result,
        "columns": [each.name for each in logtable.COLUMNS],
        "cells": cells.row(logtable.cells(row, around, with_year=True)),
        "facts": [
            [label, cells.told(cell)] for label, cell in onetest.facts(found, around) if cell
        ],
        "items": [cells.table(each) for each in onetest.items(found)],
        "amended": [cells.row(each) for each in onetest.amended(row.amendments).rows],
        "steps": []
        if basis is None
        else [each.told() for each in told.steps(basis, _clocked(found))],
        "unread": why,
        "figures": [each.told() for each in _figures(readings)],
        "evidence": [_piece(each, kept) for each in found.entry.evidence],
        "episodes": [_episode(each) for each in episodes],
        "entry": _entry(found, head),
        "files": [_file(each) for each in glance.later if each.entry.type == "attachment.added"],
        "defects": _defects(found, around),
    }


def readings_in(body: bytes) -> Iterator[Reading]:
    """Yield the readings of a piece; a line that is none is left out, it is listed as it stands."""
    for line in body.splitlines()[:MOST_DRAWN]:
        try:
            yield evidence.reading(evidence.plain(line))
        except (ValueError, TypeError, KeyError, RecursionError):
            continue


def _basis(found: Found, kept: Kept) -> tuple[Basis | None, list[Reading], str]:
    """Return what the test was judged by, the readings, and why the first cannot be read."""
    by_media = {each.media: kept.bodies.get(each.sha256) for each in found.entry.evidence}
    lines = by_media.get(evidence.READINGS) or b""
    readings = list(readings_in(lines))
    document = by_media.get(evidence.BASIS)
    if document is None:
        return None, readings, ""
    try:
        # Its readings are read one by one above: one that cannot be read hides no step.
        return evidence.basis(document, b""), readings, ""
    except (RecordError, RecursionError) as err:
        return None, readings, f"what it was judged by cannot be read: {err}"[:300]


def _figures(readings: Sequence[Reading]) -> Iterator[Figure]:
    for draw in (contacts.figure, track.figure):
        if (figure := draw(readings)) is not None:
            yield figure
    yield from measured.figures(readings)


def _episode(episode: Episode) -> dict[str, Json]:
    found, said = episode.found, episode.found.open
    names = [text(each, "receiver") for each in objects(said.get("kept")) if each.get("lines")]
    pieces_ = found.entry.evidence
    # One piece a receiver, in the order in which the entry names them.
    tapes_ = list(zip(names, pieces_, strict=False)) if len(names) == len(pieces_) else []
    readings = [
        reading
        for name, each in tapes_
        if (body := episode.kept.bodies.get(each.sha256)) is not None
        for reading in tapes.readings(body, name)
    ]
    return {
        "seq": found.seq,
        "began": text(said, "began"),
        "indications": [
            f"{cells.shown(text(each, 'seen'))}, after {number(each.get('after_s')) or 0} s"
            for each in objects(said.get("indications"))
        ],
        "why_less": cells.shown(text(said, "lost") or text(said, "cut_short")),
        "figures": [each.told() for each in _figures(readings)],
        "evidence": [_piece(each, episode.kept) for each in pieces_],
    }


def _piece(reference: EvidenceReference, kept: Kept) -> dict[str, Json]:
    if reference.sha256 in kept.bodies:
        return pieces.told(reference, kept.bodies[reference.sha256])
    note = kept.faults.get(reference.sha256, TOO_LARGE)
    said = pieces.told(reference, b"")
    return {**said, "note": note}


def _clocked(found: Found) -> Clocked:
    stamp = found.entry.stamp
    return Clocked(forms.from_utc(stamp.at), stamp.up_ms / 1000)


def _entry(found: Found, head: Head | None) -> dict[str, Json]:
    entry = found.entry
    covering: dict[str, Json] | None = None
    if head is not None:
        signed = checkpoint.unverified(head.note)
        covering = {
            "origin": signed.origin,
            "size": signed.size,
            "root": signed.root.hex(),
            "place": head.place,
            "note": head.note,
        }
    return {
        "seq": entry.seq,
        "leaf": leaf_hash(entry.body.encode()).hex(),
        "segment": entry.segment,
        "at": entry.stamp.at,
        "class": entry.classification.value,
        "proof": entry.actor.proof.value,
        "head": covering,
    }


def _file(found: Found) -> dict[str, Json]:
    return {
        "seq": found.seq,
        "what": text(found.open, "what"),
        "name": text(found.open, "name"),
        "sha256": text(found.open, "sha256"),
        "by": found.entry.actor.person or "",
        "size": sum(each.size for each in found.entry.evidence),
    }


def _defects(found: Found, around: Around) -> list[Json]:
    return [
        {
            "id": each.id.upper(),
            "seq": each.opened.seq,
            "open": each.closed is None,
            "opened": each.opened.seq > found.seq,
            "closed_by": None if each.closed is None else each.closed.seq,
        }
        for each in around.defects.defects
        if each.is_of(found) or _closes(each.closed, found.seq)
    ]


def _closes(closed: Found | None, seq: int) -> bool:
    named = None if closed is None else closed.open.get("retest")
    return isinstance(named, dict) and number(named.get("seq")) == seq
