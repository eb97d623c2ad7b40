"""What have SSO and Master to see to beside the tests? Lines for the worklist, decided from what stands in the record.

Sources: drills at least every three months (ISPS B/13.6), exercises each calendar year and not more than 18 months
apart (B/13.7), certificates by the date printed on them. When a line comes is our own choice.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.book import registers
from daemon.book.defects import is_relied_on
from daemon.book.lines import line, moment, short_day
from daemon.record import fold
from daemon.testing.worklist import ItemState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timezone

    from daemon.book.standing import Standing
    from daemon.model import Json
    from daemon.testing.worklist import Item

DRILL_MONTHS: Final = 3
EXERCISE_MONTHS: Final = 18
REVIEW_AFTER: Final = timedelta(days=8)
"""A week, and a day to do it."""
DRILL_NOTICE: Final = timedelta(days=21)
EXERCISE_NOTICE: Final = timedelta(days=90)
CERTIFICATE_NOTICE: Final = timedelta(days=90)
LONG_OPEN: Final = timedelta(days=7)
"""A defect that is open for longer is read first; the company counts those too."""
PAPERS: Final = {
    "issc": ("ISSC", re.compile(r"\bissc\b|ship security certificate")),
    "cop-sso": (
        "CoP of the SSO",
        re.compile(r"\bcop\b|certificate of proficiency|\bsso\b|ship security officer"),
    ),
}
"""What every ship has by date (ISPS A/19.2, STCW A-VI/5), and how its name in an entry is known; in small letters."""
QUOTA_NOTICE: Final = 80
"""Per cent of the room for evidence."""
_MB: Final = 1024 * 1024


def items(
    standing: Standing,
    *,
    defects: Sequence[Mapping[str, Json]] = (),
    level: int = 1,
    evidence: tuple[int, int],
    now_utc: datetime,
    ship_time: timezone,
    by_calendar: bool = True,
) -> list[Item]:
    """Return what is to be done.

    Args:
        standing: What stands in the record.
        defects: Those that are open, as they stand.
        level: The security level now.
        evidence: Bytes of evidence that are used, and that there may be.
        now_utc: Now.
        ship_time: By which a day begins.
        by_calendar: The clock can be right; what hangs on the day is left out where it cannot.
    """
    found = [*_room(*evidence)]
    if standing.is_known:
        known_utc = now_utc if by_calendar else None
        found += [_defect(each, level, known_utc) for each in defects]
        found += registers.items(standing, known_utc)
    if standing.is_known and by_calendar:
        found += [
            *_drill(standing, now_utc),
            *_exercise(standing, now_utc, ship_time),
            *_papers(standing),
            *_certificates(standing, now_utc, ship_time),
            *_review(standing, now_utc),
        ]
    return found


def months_after(day: datetime, months: int) -> datetime:
    """Return the same day so many months later, or the last day of that month."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return day.replace(
        year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1])
    )


def exercise_limit(last: datetime, ship_time: timezone) -> datetime:
    """Return by when the next exercise is due: within 18 months, and in the calendar year on board after the last."""
    next_year_ends = datetime(last.astimezone(ship_time).year + 2, 1, 1, tzinfo=ship_time)
    return min(months_after(last, EXERCISE_MONTHS), next_year_ends - timedelta(seconds=1))


def is_issc(name: str) -> bool:
    """Return whether a paper of this name is the ship's ISSC."""
    return PAPERS["issc"][1].search(name.lower()) is not None


def is_endorsed(paper: Mapping[str, Any]) -> bool:
    """Return whether a paper has the endorsement for which a window is printed on it; then only its expiry counts."""
    opens, endorsed = paper.get("window_from"), paper.get("endorsed")
    return isinstance(endorsed, str) and (not isinstance(opens, str) or endorsed >= opens)


def _defect(said: Mapping[str, Json], level: int, now_utc: datetime | None) -> Item:
    """Return the line of a defect: what is wrong, what instead, and what is still to be said of it."""
    found_utc = moment(said["found_at"])
    open_for = timedelta(0) if found_utc is None or now_utc is None else now_utc - found_utc
    is_long = open_for > LONG_OPEN
    parts = [f"{said['name']}: {str(said['defect']).upper()}"]
    if is_long:
        parts.append(f"open for {open_for.days} days")
    if said["measure"]:
        parts.append(f"instead: {said['measure']}")
    elif is_relied_on(said, level):
        parts.append(f"NO MEASURE INSTEAD, and security level {level} relies on it")
    else:
        parts.append("NO MEASURE INSTEAD: say what is done")
    if not said["told"]:
        parts.append("nobody told")
    times = f" ({said['times']} times)" if said["times"] != 1 else ""
    parts.append(f"{said['found']}{times}")
    return replace(
        line(
            str(said["defect"]),
            "; ".join(parts),
            ItemState.DEFECT,
            found_utc,
            equipment=str(said["equipment"]),
        ),
        first=is_long or is_relied_on(said, level),
        defect_of=str(said["test"] or said["equipment"]),
    )


def _drill(standing: Standing, now_utc: datetime) -> Iterator[Item]:
    last = _newest(standing, "drill")
    if last is None:
        yield line("drill", "DRILL: none in this record: enter the last one", ItemState.DUE)
        return
    limit = months_after(last, DRILL_MONTHS)
    if now_utc < limit - DRILL_NOTICE:
        return
    state = ItemState.OVERDUE if now_utc > limit else ItemState.DUE
    what = f"DRILL: the last was on {short_day(last)}, the next is due by {short_day(limit)}"
    yield line("drill", what, state, limit - DRILL_NOTICE, limit)


def _exercise(standing: Standing, now_utc: datetime, ship_time: timezone) -> Iterator[Item]:
    last = _newest(standing, "exercise")
    if last is None:
        what = "EXERCISE: none in this record: enter the last one"
        yield line("exercise", what, ItemState.DUE)
        return
    limit = exercise_limit(last, ship_time)
    if now_utc < limit - EXERCISE_NOTICE:
        return
    state = ItemState.OVERDUE if now_utc > limit else ItemState.DUE
    by = short_day(limit.astimezone(ship_time))
    what = f"EXERCISE: the last was on {short_day(last)}, the next is due by {by}"
    yield line("exercise", what, state, limit - EXERCISE_NOTICE, limit)


def _certificates(standing: Standing, now_utc: datetime, ship_time: timezone) -> Iterator[Item]:
    for id_, said in standing.of(fold.CERTIFICATE).items():
        name = f"{said['name']} no. {said['number']}"
        for place, (ahead, over), until in _days(said, now_utc, ship_time):
            is_over = now_utc > until
            state = ItemState.OVERDUE if is_over else ItemState.DUE
            day = short_day(until.astimezone(ship_time))
            what = f"PAPER: {name} {over if is_over else ahead} {day}"
            yield line(f"{place}-{id_}", what, state, until - CERTIFICATE_NOTICE, until)


def _papers(standing: Standing) -> Iterator[Item]:
    """Yield the papers that every ship has, and that nobody has entered: whose days nobody is told of."""
    entered = standing.of(fold.CERTIFICATE)
    for id_, (name, known_by) in PAPERS.items():
        if not any(known_by.search(each) for each in entered):
            what = f"PAPER: no {name} in this record: enter it"
            yield line(f"paper-{id_}", what, ItemState.DUE)


def _days(
    said: Mapping[str, Json], now_utc: datetime, ship_time: timezone
) -> Iterator[tuple[str, tuple[str, str], datetime]]:
    """Yield what the days printed on a paper ask for now: that it expires, and that it wants its endorsement.

    Of each: how its line is named, the words until that day and after it, and the end of the day. Source: ISPS
    A/19.1.1: of the ISSC an intermediate verification between two printed days. A paper without a date printed on it
    asks for nothing.
    """
    ends = _end_of(said.get("expires"), ship_time)
    if ends is not None and now_utc >= ends - CERTIFICATE_NOTICE:
        yield "certificate", ("expires on", "expired on"), ends
    window = _end_of(said.get("window_until"), ship_time)
    if window is None or is_endorsed(said):
        return
    opens = said.get("window_from")
    begins = window - CERTIFICATE_NOTICE
    if isinstance(opens, str):
        begins = datetime.combine(date.fromisoformat(opens), time.min, ship_time).astimezone(UTC)
    if now_utc >= begins:
        yield "certificate-window", ("is to be endorsed by", "was to be endorsed by"), window


def _end_of(printed: Json, ship_time: timezone) -> datetime | None:
    """Return the end of a printed day, by ship's time."""
    if not isinstance(printed, str):
        return None
    return datetime.combine(date.fromisoformat(printed), time.max, ship_time).astimezone(UTC)


def _review(standing: Standing, now_utc: datetime) -> Iterator[Item]:
    covered = standing.covered("reviewed")
    at = standing.covered_at("reviewed")
    if at is None and standing.begins is not None:
        covered, at = standing.begins[0] - 1, standing.begins[1]
    since = moment(at)
    if since is None or now_utc - since < REVIEW_AFTER:
        return
    count = standing.newest_seq - covered
    what = f"RECORD: not reviewed since {short_day(since)} ({count:,} entries, up to no. {standing.newest_seq})"
    yield line("review", what, ItemState.DUE, since + REVIEW_AFTER)


def _room(used: int, quota: int) -> Iterator[Item]:
    if used * 100 < quota * QUOTA_NOTICE:
        return
    percent = 100 * used // quota if quota else 100
    what = f"EVIDENCE: {used // _MB:,} of {quota // _MB:,} MB are used ({percent} %)"
    if used >= quota:
        what += ": no file can be attached, and raw evidence is left out"
    else:
        what += ": archive, or give it more room (evidence_quota_mb)"
    yield line("evidence", what, ItemState.DUE)


def _newest(standing: Standing, what: str) -> datetime | None:
    ended = [
        str(said["ended"])
        for id_, said in standing.of(fold.HELD).items()
        if id_.startswith(f"{what}/")
    ]
    return moment(max(ended, default=None))
