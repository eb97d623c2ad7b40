"""What was tested on which day, and about how long does it take whom? For whoever plans the days to come.

A day of continuous supervision that was SAT is no occasion: there is one each day, and nobody has to plan for it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.checks.api import LED
from daemon.control import fields
from daemon.errors import RefusedError
from daemon.papers import glance, moments
from daemon.papers.glance import Wish
from daemon.papers.moments import Period
from daemon.papers.words import NOT_DONE, SAT, objects, result, text
from daemon.record.reader import Query
from daemon.testing.results import MISSED, RESULT
from daemon.testlog import cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from daemon.model import Json
    from daemon.papers.beside import Ship
    from daemon.papers.glance import Glance
    from daemon.papers.source import Found
    from daemon.record.entry import Entry
    from daemon.record.reader import Reader

MOST: Final = 400
"""Results that are looked at for a month."""
MOST_TIMES: Final = 20
"""Results of a test by which is told how long it takes."""
MOST_NAMES: Final = 2


@dataclass(frozen=True, slots=True)
class Past:
    """What was read: occasions, and of each test its newest results."""

    occasions: Glance
    newest: Mapping[str, Sequence[Entry]]


def period(request: Mapping[str, Any]) -> Period:
    """Return which days are asked for.

    Raises:
        RefusedError: They are none.
    """
    found = Period(fields.moment(request, "since"), fields.moment(request, "until"))
    if found.begins >= found.ends:
        raise RefusedError("the period ends before it begins")
    return found


def read(reader: Reader, asked: Period, tests: Iterable[tuple[str, str]], ship: Ship) -> Past:
    """Read it, in one question; ``tests`` are those that people do, each with its equipment.

    Raises:
        RecordError: It cannot be read.
    """
    wish = Wish(types=(RESULT, MISSED), period=asked, most=MOST)
    newest = {
        test: [
            entry
            for entry in reader.page(
                Query(type=RESULT, subject=equipment, newest_first=True, limit=MOST_TIMES)
            ).entries
            if entry.open.get("test") == test
        ]
        for test, equipment in tests
    }
    return Past(glance.take(reader, wish, ship), newest)


def told(found: Past) -> dict[str, Json]:
    """Return it as it goes to the page."""
    ship_time = found.occasions.source.ship_time
    return {
        "occasions": [
            {
                "seq": each.seq,
                "day": f"{ship_time.local(_done(each)):%Y-%m-%d}",
                "at": forms.utc(_done(each)),
                "test": cells.shown(text(each.open, "test")),
                "name": cells.shown(text(each.open, "name") or text(each.open, "equipment")),
                "result": _result(each),
            }
            for each in reversed(found.occasions.rows)
            if not (text(each.open, "day") and _result(each) == SAT)
        ],
        "more": found.occasions.next is not None,
        "usual": [
            {"test": test, **usual}
            for test, entries in found.newest.items()
            if (usual := _usual(entries)) is not None
        ],
    }


def _result(found: Found) -> str:
    return NOT_DONE if found.entry.type == MISSED else result(found.open.get("outcome"))


def _done(found: Found) -> datetime:
    if found.entry.type == MISSED:
        # It ends at a midnight: the day that ended is the one before.
        return found.moment("period_ends") - timedelta(seconds=1)
    return moments.read(found.open.get("done_at")) or found.moment("ended")


def _usual(entries: Sequence[Entry]) -> dict[str, Json] | None:
    """Return about how many minutes a test, or ``each`` of its items, takes, and who does it most; None: nobody did."""
    minutes: list[float] = []
    persons: Counter[str] = Counter()
    each_item = False
    for entry in entries:
        said = entry.open
        if text(said, "mode") not in LED or said.get("outcome") == "skipped":
            continue
        each_item = each_item or len(objects(said.get("items"))) == 1
        began, ended = moments.read(said.get("began")), moments.read(said.get("ended"))
        if began is not None and ended is not None and began <= ended:
            minutes.append((ended - began).total_seconds() / 60)
        if entry.actor.person:
            persons[entry.actor.person] += 1
    if not minutes:
        return None
    return {
        "minutes": max(1, round(median(minutes))),
        "each": each_item,
        "by": [cells.shown(name) for name, _ in persons.most_common(MOST_NAMES)],
    }
