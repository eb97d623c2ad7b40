"""What does the company learn of a week? Counts, dates and exceptions: small enough for a thin link.

No movement of a door, no name of a passer-by, no place and nothing of a procedure: whoever has the file at a desk
ashore may lose it there. Who gave an inhibit stays on board too; that the same door was inhibited night after night
does not (the insider's pattern).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.ashore import quiet
from daemon.book import duties
from daemon.book.lines import moment
from daemon.model import Outcome, Readiness
from daemon.papers.release import MOST_DIGEST_BYTES
from daemon.record import codec
from daemon.testing.reasons import WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime, timezone

    from daemon.model import Json, Regime, Ship
    from daemon.record.entry import Entry

VERSION: Final = 1
DAYS: Final = 7
MOST_LISTED: Final = 10
"""Lines of each list; what is left out is counted."""
LONGEST_TEXT: Final = 60
HASH_BYTES: Final = 47
"""Of a proof, in a file."""
PROOFS: Final = 3
"""In a file: of the first entry of the segment, of the sender's key, of the report's own entry."""
BESIDE_BYTES: Final = 3_500
"""Of a file, for what is neither report nor proof: those entries, signatures, a head with some witnesses' lines."""
NOTHING_DUE: Final = frozenset({Readiness.IN_ORDER.value, Readiness.NOT_TESTABLE.value})
"""How a test stands that is due at no time: nothing asks for it, or no clock can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """What a report is made of.

    Attributes:
        flag: The flag profile, and the first digits of the MMSI, as entries have them.
        tests: Every test as the request ``tests`` answers.
        ssas: The ids of the tests that prove an alert from a point of activation to the shore: the SSAS tests.
        covert: The tests of class ``sso``, what they are of, points of activation, in small letters: named nowhere.
        named: The equipment that may be named: of a defect people write what they like.
        shore: Of the newest SSAS test, how many addressees of how many confirmed it; None: that is not on file.
        defects: Those that are open, as the request ``defects`` answers.
        held: Drills and exercises, as they stand in the record (``daemon.record.fold.HELD``).
        certificates: The newest of each paper with a date.
        reviewed: Up to where the record is reviewed and verified.
        eased: Entries of the types of ``daemon.ashore.quiet``, of so long ago that one may run on in this week, in
            the order of the record.
        results: The week's results of tests, by outcome.
        sounded: How many alerts began to sound; None: not known.
        growth: The newest head, and the proof that it grew out of the one told last.
        room: So many bytes the report may take (``room_for``).
    """

    ship: Ship
    flag: str
    software: str
    configuration: str
    now_utc: datetime
    ship_time: timezone
    regime: Regime
    clock: str
    tests: Sequence[Mapping[str, Any]]
    ssas: frozenset[str]
    covert: frozenset[str]
    named: frozenset[str]
    shore: tuple[int, int] | None
    defects: Sequence[Mapping[str, Any]]
    held: Mapping[str, Mapping[str, Json]]
    certificates: Mapping[str, Mapping[str, Json]]
    reviewed: Mapping[str, Mapping[str, Json]]
    eased: Sequence[Entry]
    results: Mapping[str, int]
    sounded: int | None
    newest_seq: int
    copy_age_h: int | None
    growth: Mapping[str, Json] = field(default_factory=dict)
    room: int = MOST_DIGEST_BYTES

    @property
    def begins_utc(self) -> datetime:
        return self.now_utc - timedelta(days=DAYS)


def room_for(size: int) -> int:
    """Return how many bytes a report may take in the file of a segment of so many entries."""
    return MOST_DIGEST_BYTES - BESIDE_BYTES - PROOFS * HASH_BYTES * size.bit_length()


def told(week: Week) -> dict[str, Json]:
    """Return the report, as it stands in the entry of its export; its lists are cut where there is no room for them."""
    said = _said(week)
    lists: list[tuple[Any, str, str]] = [
        (said["tests"], "overdue", "more"),
        (said["defects"], "list", "more"),
        (said["eased"], "list", "more"),
        (said, "papers", "more_papers"),
    ]
    while len(codec.encode(said)) > week.room:
        within, name, more = max(lists, key=lambda each: len(each[0][each[1]]))
        if len(within[name]) <= 1:
            break
        del within[name][-1]
        within[more] += 1
    return said


def _said(week: Week) -> dict[str, Json]:
    return {
        "v": VERSION,
        "from": forms.utc(week.begins_utc),
        "to": forms.utc(week.now_utc),
        "ship": {
            "name": week.ship.name,
            "imo": week.ship.imo_number,
            "call_sign": week.ship.call_sign,
            "mmsi": week.ship.mmsi,
            "flag": week.flag,
        },
        "software": week.software,
        "configuration": week.configuration,
        "situation": week.regime.situation.value,
        "security_level": int(week.regime.level),
        "threat": week.regime.threat,
        "clock": week.clock,
        "tests": _tests(week),
        "ssas": _ssas(week),
        "drill": _training(week, "drill", _drill_limit),
        "exercise": _training(week, "exercise", duties.exercise_limit),
        "defects": _defects(week),
        "eased": _eased(week),
        "results": [{"result": name, "count": count} for name, count in week.results.items()],
        "sounded": week.sounded,
        "papers": _papers(week),
        "more_papers": max(0, len(week.certificates) - MOST_LISTED),
        "record": {
            "newest": week.newest_seq,
            "reviewed_to": _covered(week, "reviewed"),
            "verified_to": _covered(week, "verified"),
            "copy_age_h": week.copy_age_h,
        },
        "growth": dict(week.growth),
    }


def last_ssas(tests: Sequence[Mapping[str, Any]], ssas: frozenset[str]) -> Mapping[str, Any] | None:
    """Return the newest result of the SSAS tests, whatever point it was of; None while there is none."""
    last = (row["last"] for row in tests if row["test"] in ssas and row["last"])
    return max(last, key=lambda said: said["at"], default=None)


def _tests(week: Week) -> dict[str, Json]:
    stands = Counter(str(row["readiness"]) for row in week.tests)
    overdue = [
        {"test": row["test"], "limit": row["limit"]}
        for row in week.tests
        if row["readiness"] == Readiness.OVERDUE.value
        and row["test"] not in week.covert  # counted, and told below
    ]
    return {
        "stands": [{"readiness": name, "count": count} for name, count in sorted(stands.items())],
        "overdue": [*overdue[:MOST_LISTED]],
        "more": max(0, len(overdue) - MOST_LISTED),
    }


def _ssas(week: Week) -> dict[str, Json]:
    """Return the newest SSAS test of all, whatever point it was of, and when the next is due."""
    rows = [row for row in week.tests if row["test"] in week.ssas]
    last = last_ssas(rows, week.ssas)
    due = [
        row["next_due"] or forms.utc(week.now_utc)  # never passed, failed, or asked for by an event
        for row in rows
        if row["next_due"] or row["readiness"] not in NOTHING_DUE
    ]
    confirmed, recipients = week.shore or (None, None)
    return {
        "tests": len(rows),
        "last": None if last is None else {"at": last["at"], "result": last["result"]},
        "confirmed": confirmed,
        "recipients": recipients,
        "next": min(due, default=None),
    }


def _training(
    week: Week, what: str, limit: Callable[[datetime, timezone], datetime]
) -> dict[str, Json]:
    ended = [
        at
        for id_, said in week.held.items()
        if id_.startswith(f"{what}/") and (at := moment(said.get("ended"))) is not None
    ]
    last = max(ended, default=None)
    return {
        "last": None if last is None else forms.utc(last),
        "limit": None if last is None else forms.utc(limit(last, week.ship_time)),
    }


def _drill_limit(last: datetime, _: timezone) -> datetime:
    return duties.months_after(last, duties.DRILL_MONTHS)


def _defects(week: Week) -> dict[str, Json]:
    since = {str(each["defect"]): moment(each["found_at"]) for each in week.defects}
    long = [at for at in since.values() if at is not None and week.now_utc - at > duties.LONG_OPEN]
    named = [each for each in week.defects if not _is_covert(week, each)]
    return {
        "open": len(week.defects),
        "over_7_days": len(long),
        "list": [
            {
                "defect": each["defect"],
                "equipment": each["equipment"] if _may_be_named(week, each) else quiet.UNNAMED,
                "found": each["found_at"],
                "measure": bool(each["measure"]),
                "told": bool(each["told"]),
            }
            for each in named[:MOST_LISTED]
        ],
        "more": max(0, len(named) - MOST_LISTED),
    }


def _is_covert(week: Week, defect: Mapping[str, Any]) -> bool:
    named = (defect.get("test"), defect.get("equipment"))
    return any(str(each).casefold() in week.covert for each in named)


def _may_be_named(week: Week, defect: Mapping[str, Any]) -> bool:
    return str(defect["equipment"]).casefold() in week.named


def _eased(week: Week) -> dict[str, Json]:
    """Return what was inhibited, permitted or out of service, by what it was about, and whether it repeats by night."""
    found = quiet.spans(week.eased, covert=week.covert)
    rows = quiet.rows(found, begins=week.begins_utc, until=week.now_utc, ship_time=week.ship_time)
    return {
        "times": sum(row.times for row in rows),
        "list": [
            {
                "how": row.how,
                "what": row.what[:LONGEST_TEXT],
                "times": row.times,
                "nights": row.nights,
                "repeated": row.is_repeated,
            }
            for row in rows[:MOST_LISTED]
        ],
        "more": max(0, len(rows) - MOST_LISTED),
    }


def _papers(week: Week) -> list[Json]:
    return [
        {
            "name": str(said["name"])[:LONGEST_TEXT],
            "expires": said.get("expires"),
            "window_from": said.get("window_from"),
            "window_until": said.get("window_until"),
            "endorsed": said.get("endorsed"),
        }
        for said in _issc_first(week.certificates.values())[:MOST_LISTED]
    ]


def _issc_first(papers: Collection[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
    """Return papers with the ship's own ahead, the newest ISSC first: a long list is cut at its end."""
    by_date = sorted(papers, key=lambda said: str(said.get("expires") or ""), reverse=True)
    ours = [said for said in by_date if duties.is_issc(str(said["name"]))]
    return [*ours, *(said for said in papers if said not in ours)]


def _covered(week: Week, what: str) -> Json:
    said = week.reviewed.get(what)
    return None if said is None else said.get("up_to")


def counted(results: Iterable[Entry]) -> dict[str, int]:
    """Return how many results of each outcome there are, in the words of paper."""
    return dict(
        sorted(Counter(WORDS[Outcome(str(entry.open["outcome"]))] for entry in results).items())
    )
