"""Which tests stand in the equipment test log? One row an occurrence, continuous supervision one row a day.

Source: ISPS A/10.1.10; the columns are those of forms that ships use (``docs/sso.md``, Papers). Pure: from entries to
rows. A period that ended without the test is a row too: NOT DONE.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.papers import moments, nexttime
from daemon.papers.view import is_ssas
from daemon.papers.words import (
    HOW,
    NOT_DONE,
    SITUATION,
    counted,
    number,
    objects,
    result,
    seen,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from daemon.papers.amendments import Amendment
    from daemon.papers.calls import Calls
    from daemon.papers.defects import Defects
    from daemon.papers.source import Found, Source
    from daemon.papers.view import Names

LATE_AFTER: Final = timedelta(hours=24)
"""Entered later than this after it was done: LATE."""
SYSTEM: Final = "ispsd"
MISSED: Final = "test.missed"
_SPAN: Final = re.compile(r"(?:24 h|since \d\d:\d\d)(?: \(watched [0-9:]+\))?(?=,|$)", re.ASCII)
"""What of a day was watched, as a check of the whole day begins its words (``Coverage.span``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the log.

    Attributes:
        done: When it ended; when the period ended in which it was not done.
        entered: When the entry was made.
        day: The ship's day of continuous supervision; None: one occurrence.
        amendments: What was changed later, oldest first.
        last_seq: Of several days drawn together, the newest entry.
    """

    seq: int
    done: datetime
    began: datetime | None
    entered: datetime
    day: str | None
    equipment: str
    test: str
    how: str
    where: str
    result: str
    evidence: str
    by: str
    witness: str
    remarks: str
    next: str
    simulated: bool
    is_ssas: bool
    found: Found
    amendments: tuple[Amendment, ...] = field(default=())
    last_seq: int | None = None
    days: int = 1

    @property
    def result_now(self) -> str:
        """The result as it was amended last: what is counted."""
        amended = [each.new for each in self.amendments if each.column == "result"]
        return amended[-1] if amended else self.result

    @property
    def late(self) -> bool:
        """Whether a person entered it too late; a period that ended without a test is ispsd's own to say."""
        return self.found.entry.type != MISSED and is_late(self.entered, self.done)


def is_late(entered: datetime, done: datetime) -> bool:
    """Return whether something was entered too late after it was done."""
    return entered - done > LATE_AFTER


@dataclass(frozen=True, slots=True)
class Around:
    """What a row must know beside its own entry."""

    source: Source
    names: Names
    calls: Calls
    defects: Defects
    amendments: Mapping[int, tuple[Amendment, ...]]
    plans: Mapping[str, str]
    """By test, how often it is done."""


def rows(around: Around) -> list[Row]:
    """Return the rows of the period, newest first."""
    found = around.source.in_period("test.result", MISSED)
    made = [
        _missed(each, around) if each.entry.type == MISSED else _result(each, around)
        for each in found
    ]
    return made[::-1]


def one(found: Found, around: Around) -> Row:
    """Return the row of one entry."""
    return _missed(found, around) if found.entry.type == MISSED else _result(found, around)


def _result(found: Found, around: Around) -> Row:
    said, psc = found.open, around.names.is_psc
    done = moments.read(said.get("done_at")) or found.moment("ended")
    outcome = result(said.get("outcome"))
    person = found.entry.actor.person or text(found.private, "performer")
    ship_time = around.source.ship_time
    return Row(
        seq=found.seq,
        done=done,
        began=moments.read(said.get("began")),
        entered=found.at,
        day=text(said, "day") or None,
        equipment=around.names.equipment(found),
        test=around.names.test(found),
        how=HOW.get(text(said, "mode"), "–"),
        where=_where(found, done, around),
        result=outcome,
        evidence=_evidence(found, outcome, psc=psc),
        by=_by(person, found, around),
        witness=_by(_witness(found), found, around) if _witness(found) else "",
        remarks=_remarks(found, outcome, around),
        next=nexttime.words(
            around.plans.get(text(said, "test"), ""),
            ship_time.local(done),
            outcome,
            text(said, "mode"),
        ),
        simulated=said.get("simulated") is True,
        is_ssas=is_ssas(found),
        found=found,
        amendments=around.amendments.get(found.seq, ()),
    )


def _missed(found: Found, around: Around) -> Row:
    said = found.open
    ends = found.moment("period_ends")
    missed = number(said.get("items_missed"))
    count = f"{counted(missed, 'item')} not tested" if missed else "–"
    begins = moments.read(said.get("period_begins"))
    ship_time = around.source.ship_time
    span = f"{moments.short_day(ship_time.local(begins))} to " if begins else "to "
    about = f"period {span}{moments.short_day(ship_time.local(ends - timedelta(seconds=1)))}"
    reason = "" if around.names.is_psc else text(said, "reason")
    return Row(
        seq=found.seq,
        done=ends,
        began=begins,
        entered=found.at,
        day=None,
        equipment=around.names.equipment(found),
        test=around.names.test(found),
        how="–",
        where=_where(found, ends, around),
        result=NOT_DONE,
        evidence=count,
        by=SYSTEM,
        witness="",
        remarks="; ".join(filter(None, (about, reason))),
        next=nexttime.words(
            around.plans.get(text(said, "test"), ""),
            ship_time.local(ends - timedelta(seconds=1)),
            NOT_DONE,
            "",
        ),
        simulated=said.get("simulated") is True,
        is_ssas=is_ssas(found),
        found=found,
        amendments=around.amendments.get(found.seq, ()),
    )


def _where(found: Found, moment: datetime, around: Around) -> str:
    """Return port, position or situation, and the ship's security level."""
    port = around.calls.port_at(moment) or text(found.open, "position")
    place = port or SITUATION.get(text(found.open, "situation"), "–")
    level = number(found.open.get("security_level"))
    return place if level is None else f"{place} L{level}"


def _evidence(found: Found, outcome: str, *, psc: bool) -> str:
    said = found.open
    parts = [] if psc or outcome == NOT_DONE else [text(said, "reason")]
    parts += [_items(objects(said.get("items")), psc=psc)]
    if psc and text(said, "day"):
        # The span alone, as the check told it: what is behind it may name what is not for everybody.
        span = _SPAN.match(text(said, "reason"))
        parts.append("supervision" if span is None else span[0])
    readings = number(said.get("readings"))
    if readings:
        parts.append(f"{counted(readings, 'value')} kept")
    if found.private and not psc and is_ssas(found):
        parts += _legs(found.private)
    return "; ".join(filter(None, parts)) or "–"


def _items(items: list[Mapping[str, Any]], *, psc: bool) -> str:
    """Return how many of several items were SAT, and which were not."""
    if not items:
        return ""
    sat = sum(each.get("outcome") == "passed" for each in items)
    words = f"{sat} of {len(items)} SAT"
    if psc or sat == len(items):
        return words
    others = (
        f"{text(e, 'item').upper()} {result(e.get('outcome'))}"
        for e in items
        if e.get("outcome") != "passed"
    )
    return f"{words}: {', '.join(others)}"


def _legs(private: Mapping[str, Any]) -> list[str]:
    """Return who saw which leg of an SSAS test."""
    legs = (
        ("activation", "1"),
        ("acceptance", "2"),
        ("shore", "3"),
        ("reset", "reset"),
        ("text_set_back", "text set back"),
    )
    return [f"{label}: {seen(said)}" for name, label in legs if (said := text(private, name))]


def _witness(found: Found) -> str:
    return text(found.open, "witness") or text(found.private, "witness")


def _by(name: str, found: Found, around: Around) -> str:
    if not name:
        return SYSTEM
    return around.names.short(around.source.particulars.ranked(name, found.seq))


def _remarks(found: Found, outcome: str, around: Around) -> str:
    parts = []
    if outcome == NOT_DONE and not around.names.is_psc:
        parts.append(text(found.open, "reason"))
    parts += around.defects.remarks(found)
    if (said := text(found.open, "remarks")) and not around.names.is_psc:
        parts.append(said)
    return "; ".join(filter(None, parts)) or "–"
