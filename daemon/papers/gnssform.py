"""What do the shipping centres want to know of GNSS interference? Their form, filled from the record, else left blank.

Source: the fields of the NATO Shipping Centre's and the Marshall Islands' reports (position and time, track, beginning
and end, systems and how, direction, secondary means and their accuracy, communications, summary). Nothing is invented:
what no entry says is a line to write on.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.navigation.geodesy import written
from daemon.papers import moments
from daemon.papers.layout import Blank, Column, Facts, Sheet, Signatures, Table, Title, Words
from daemon.papers.source import EPISODE
from daemon.papers.words import counted, result, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from daemon.papers.source import Found, Source

SUSPECT: Final = "gnss.suspect"
ADDRESSEES: Final = (
    "Flag administration",
    "NATO Shipping Centre",
    "USCG Navigation Center (NAVCEN)",
    "UKMTO or JMIC, by area",
    "Company (CSO)",
)
WATCHING: Final = "gnss"
"""The kind of the test that watches the receivers and enters a result each day."""
MOST_LINES: Final = 5000
"""Lines of one piece of evidence that are looked at for positions."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that the position could not be believed: from raised to ended.

    Attributes:
        kept: What was kept of it: raw sentences, positions, indications with their moments.
    """

    entries: tuple[Found, ...]
    kept: tuple[Found, ...] = ()

    @property
    def began(self) -> datetime:
        return self.kept[0].moment("began") if self.kept else self.entries[0].moment("raised")

    @property
    def ended(self) -> datetime | None:
        last = self.entries[-1]
        rectified = [e for e in self.entries if e.open.get("state") in {"U", "N"}]
        return rectified[0].at if rectified else None if last.open.get("state") != "N" else last.at

    @property
    def indications(self) -> list[str]:
        """What was seen, each thing once, as it was first said."""
        said: dict[str, None] = {}
        for each in self.kept:
            for one in each.open.get("indications", ()):
                after_s = one.get("after_s", 0)
                said.setdefault(f"{text(one, 'seen')} (after {after_s} s)")
        if said:
            return list(said)
        for each in self.entries:
            for part in text(each.open, "detail").split("; "):
                said.setdefault(part)
        return [part for part in said if part]


def occurrences(alerts: Sequence[Found], kept: Sequence[Found] = ()) -> list[Occurrence]:
    """Return what the alert entries tell, oldest first, each with what was kept of it."""
    by_instance: dict[object, list[Found]] = {}
    for each in alerts:
        if each.open.get("key") == SUSPECT:
            by_instance.setdefault(each.open.get("instance"), []).append(each)
    of: dict[object, list[Found]] = {}
    for each in kept:
        of.setdefault(each.open.get("instance"), []).append(each)
    return [
        Occurrence(tuple(entries), tuple(of.get(instance, ())))
        for instance, entries in by_instance.items()
    ]


def sheets(
    source: Source, evidence: Callable[[str], bytes | None], title: str
) -> tuple[Sheet, ...]:
    """Return one form an occurrence; one that says so where there was none."""
    found = occurrences(source.by_type["alert.changed"], source.by_type.get(EPISODE, ()))
    if not found:
        return (_nothing(source, title),)
    return tuple(_sheet(each, source, evidence, title) for each in found)


def _nothing(source: Source, title: str) -> Sheet:
    """Return the sheet that says what was watched, and that no position was suspect."""
    ship, kinds = source.particulars, source.particulars.kinds
    watched: dict[str, Counter[str]] = {}
    for each in source.in_period("test.result"):
        if kinds.get(text(each.open, "test")) == WATCHING and text(each.open, "day"):
            name = text(each.open, "name") or text(each.open, "equipment")
            watched.setdefault(name, Counter())[result(each.open.get("outcome"))] += 1
    rows = tuple(
        (
            name,
            counted(sum(days.values()), "day"),
            ", ".join(f"{count} {word}" for word, count in days.items()),
        )
        for name, days in watched.items()
    )
    said = (
        "Suspect positions: none in this period. No entry of the security record that was made in it says that the "
        "receivers showed a position that could not be believed."
    )
    return Sheet(
        (
            Title(title),
            Facts(
                (
                    (
                        "Ship, IMO no., call sign, MMSI",
                        " · ".join(filter(None, (ship.ship, ship.imo, ship.call_sign, ship.mmsi))),
                    ),
                    ("Period, UTC", source.period.words()),
                )
            ),
            Words(said),
            Table(
                title="What was watched",
                columns=(Column("Equipment", 4), Column("Supervised", 2), Column("Result", 4)),
                rows=rows,
                empty="no day of supervision of the receivers is entered in this period",
            ),
        )
    )


def _sheet(
    each: Occurrence, source: Source, evidence: Callable[[str], bytes | None], title: str
) -> Sheet:
    ship = source.particulars
    first = [place for found in each.kept for place in _places(found, "first")]
    last = [place for found in each.kept for place in _places(found, "last")]
    if not first:
        said = [fix for found in each.entries for fix in _positions(found, evidence)]
        first, last = said[:1], said[1:][-1:]
    ended = each.ended
    numbers = ", ".join(str(found.seq) for found in (*each.entries, *each.kept))
    facts: tuple[tuple[str, Any], ...] = (
        (
            "Ship, IMO no., call sign, MMSI",
            " · ".join(filter(None, (ship.ship, ship.imo, ship.call_sign, ship.mmsi))),
        ),
        ("Flag", None),
        ("1  Date-time group", dtg(each.began)),
        ("    Position then, as the receivers said", "; ".join(first) or None),
        ("2  Track: from", "; ".join(first) or None),
        ("    Track: to", "; ".join(last) or None),
        ("3  Began, UTC / ship's time", moments.both(each.began, source.ship_time, with_year=True)),
        ("    Ended", moments.both(ended, source.ship_time, with_year=True) if ended else None),
        ("4  Systems affected and how", "; ".join(each.indications) or None),
        ("5  Assessed direction, area of the source", None),
        ("6  Secondary means used", None),
        ("    their accuracy against GNSS", None),
        ("7  Communications affected", None),
        ("Raw sentences kept", "; ".join(_raw(found) for found in each.kept) or None),
        ("Entries of the security record", numbers),
    )
    return Sheet(
        (
            Title(title),
            Words("Filled from the security record; blank lines are for what no entry says. "
                  "An indication is what the receivers showed on board, not a finding of who or what caused it."),
            Facts(facts),
            Blank("8  Summary of events", 5),
            Facts((("Sent to", " · ".join(ADDRESSEES)), ("Sent at, by", None))),
            Signatures(("Master",)),
        )
    )  # fmt: skip


def dtg(moment: datetime) -> str:
    """Return a date-time group: ``220210Z NOV 26``."""
    return f"{moment:%d%H%M}Z {moments.MONTHS[moment.month - 1].upper()} {moment.year % 100:02d}"


def _positions(found: Found, evidence: Callable[[str], bytes | None]) -> Iterable[str]:
    for reference in found.entry.evidence:
        body = evidence(reference.sha256) or b""
        for line in body.splitlines()[:MOST_LINES]:
            if (fix := _position(line)) is not None:
                yield fix


def _places(found: Found, which: str) -> Iterable[str]:
    """Return where each receiver put the ship, first or last in an episode."""
    for said in found.open.get(which, ()):
        lat, lon = said["lat_microdeg"] / 1e6, said["lon_microdeg"] / 1e6
        yield f"{written(lat, lon, decimals=3)} ({text(said, 'receiver').upper()}, {text(said, 'at')[:19]}Z)"


def _raw(found: Found) -> str:
    """Return what there is of raw sentences, by the entry that holds them and how they begin."""
    if lost := text(found.open, "lost"):
        return f"entry {found.seq}: {lost}"
    lines = sum(each.get("lines", 0) for each in found.open.get("kept", ()))
    names = ", ".join(each.sha256[:16] for each in found.entry.evidence) or "none, no room was left"
    why = text(found.open, "cut_short")
    return f"entry {found.seq}: {lines} lines of ±10 min, SHA-256 {names} …" + (
        f", {why}" if why else ""
    )


def _position(line: bytes) -> str | None:
    """Return the position of a line of evidence; None where it has none."""
    try:
        said = json.loads(line)
        at = said["value"]["position"]
        lat, lon = float(at["lat_deg"]), float(at["lon_deg"])
    except (ValueError, KeyError, TypeError):
        return None
    return f"{written(lat, lon, decimals=3)} ({text(said, 'source').upper()}, {text(said, 'received')[:19]}Z)"
