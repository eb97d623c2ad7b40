"""Who is on board? The crew list, as the record has it, and how much of it has changed since the last drill.

Source: ISPS B/13.6: where more than 25 % of the crew has been changed with people who took part in no drill on this
ship within the last three months, a drill is held within one week.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from daemon.errors import RefusedError
from daemon.model import Person, Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from daemon.model import Json

COLUMNS: Final = ("name", "rank", "roles", "joined", "left")
LARGEST_CSV: Final = 40_000
"""Characters; a request of the control socket holds that, and a crew of two hundred takes half of it."""
MOST_ROWS: Final = 300
MOST_FAULTS: Final = 20
LONGEST_NAME: Final = 60
LONGEST_RANK: Final = 20
MONTHS: Final = 3
WITHIN: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
QUARTER: Final = 4


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on board.

    Attributes:
        joined: The day; None for who stood on the list at the very first start.
        drilled: The last drill of this ship that this person took part in.
    """

    person: Person
    joined: date | None = None
    drilled: datetime | None = None

    def body(self) -> dict[str, Json]:
        """Return the member as entries have it."""
        return {
            "name": self.person.name,
            "rank": self.person.rank,
            "roles": cast("list[Json]", sorted(role.value for role in self.person.roles)),
            "joined": None if self.joined is None else self.joined.isoformat(),
            "drilled": None if self.drilled is None else self.drilled.isoformat(),
        }


def member(body: Mapping[str, Json]) -> Member:
    """Return the member of an entry.

    Raises:
        ValueError: It is none of ours; KeyError and TypeError likewise.
    """
    joined, drilled, roles = body["joined"], body["drilled"], body["roles"]
    if not isinstance(roles, list):
        raise TypeError("roles are a list")
    return Member(
        Person(str(body["name"]), str(body["rank"]), frozenset(Role(str(r)) for r in roles)),
        None if joined is None else date.fromisoformat(str(joined)),
        None if drilled is None else datetime.fromisoformat(str(drilled)),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a crew list to be imported.

    Attributes:
        left: The day; None for who is on board.
    """

    line: int
    person: Person
    joined: date
    left: date | None

    def has_left(self, latest: date) -> bool:
        """Tell whether somebody has left by a day."""
        return self.left is not None and self.left <= latest


def read_csv(text: str) -> list[Row]:
    """Return the rows of a crew list.

    Raises:
        RefusedError: With every line that is wrong, and why.
    """
    if len(text) > LARGEST_CSV:
        raise RefusedError(f"a crew list has at most {LARGEST_CSV} characters")
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows: list[Row] = []
    faults: list[str] = []
    try:
        heading = [cell.strip().lower() for cell in next(lines, [])]
        if tuple(heading) != COLUMNS:
            raise RefusedError(f"line 1: the columns are {','.join(COLUMNS)}")
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            try:
                rows.append(_row(lines.line_num, [cell.strip() for cell in cells]))
            except ValueError as err:
                faults.append(f"line {lines.line_num}: {err}")
            if len(rows) > MOST_ROWS:
                raise RefusedError(f"a crew list has at most {MOST_ROWS} rows")
    except csv.Error as err:
        faults.append(f"line {lines.line_num}: {err}")
    faults += _twice(rows)
    if not rows and not faults:
        faults.append("line 2: nobody is in it")
    refuse(faults)
    return rows


def refuse(faults: Collection[str]) -> None:
    """Refuse an import with what is wrong in it.

    Raises:
        RefusedError: Anything is.
    """
    if faults:
        named = list(faults)[:MOST_FAULTS]
        if len(faults) > len(named):
            named.append(f"and {len(faults) - len(named)} more")
        raise RefusedError("nothing is imported: " + "; ".join(named))


def _row(line: int, cells: list[str]) -> Row:
    if len(cells) != len(COLUMNS):
        raise ValueError(f"{len(cells)} columns, not {len(COLUMNS)}")
    name, rank, roles, joined, left = cells
    for what, said, longest in (("name", name, LONGEST_NAME), ("rank", rank, LONGEST_RANK)):
        if not 0 < len(said) <= longest or not said.isprintable():
            raise ValueError(f"the {what} has 1 to {longest} printable characters")
    person = Person(
        name, rank, frozenset(_role(word) for word in re.split(r"[\s;+]+", roles) if word)
    )
    row = Row(line, person, _day("joined", joined), _day("left", left) if left else None)
    if row.left is not None and row.left < row.joined:
        raise ValueError("left before joined")
    return row


def _role(word: str) -> Role:
    try:
        return Role(word.lower())
    except ValueError:
        known = ", ".join(role.value for role in Role)
        raise ValueError(f"{word[:20]!r} is no role; there are {known}") from None


def _day(what: str, said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise ValueError(f"{what}: {said[:20]!r} is no day; want 2026-11-22") from None


def _twice(rows: list[Row]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for row in rows:
        if row.person.name in seen:
            yield f"line {row.line}: {row.person.name} stands in line {seen[row.person.name]} too"
        seen.setdefault(row.person.name, row.line)


@dataclass(frozen=True, slots=True)
class Change:
    """How much of the crew is new to this ship's drills.

    Attributes:
        crew: How many are on board.
        new: How many of them joined within three months and took part in no drill here since three months.
        drill_by: By when a drill is to be held: a week after the day since which more than a quarter is new, because
            others joined or because old hands left; None where no more than a quarter is.
    """

    crew: int
    new: int
    drill_by: datetime | None


@dataclass(frozen=True, slots=True)
class Gone:
    """Somebody who left; with the drills until then."""

    member: Member
    left: date


def gone(body: Mapping[str, Json]) -> Gone | None:
    """Return who left, as the record's state has it; None where that does not say when he joined, as of old."""
    if "joined" not in body:
        return None
    return Gone(member({**body, "roles": []}), date.fromisoformat(str(body["left"])))


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill that was held here.

    Attributes:
        names: Who took part; None where nobody said: then all who were on board.
    """

    held: datetime
    names: frozenset[str] | None = None


def held(body: Mapping[str, Json]) -> Drill:
    """Return a drill as the record's state has it."""
    names = body.get("names")
    at = datetime.fromisoformat(str(body["ended"]))
    return Drill(at, frozenset(map(str, names)) if isinstance(names, list) else None)


def drilled(
    members: Iterable[Member], held: datetime | None, names: Collection[str] | None = None
) -> list[Member]:
    """Return the members with the last drill noted for those who were on board by then, or who are named.

    Only the day of joining is known: who joined on the day of the drill may have come after it, so it is not counted
    as his, and a drill comes rather too early than too late.
    """
    if held is None:
        return list(members)
    return [
        replace(each, drilled=held)
        if _took_part(each, held, names) and (each.drilled is None or each.drilled < held)
        else each
        for each in members
    ]


def _took_part(member: Member, held: datetime, names: Collection[str] | None) -> bool:
    if names is not None:
        return member.person.name in names
    return member.joined is None or member.joined < held.date()


def change(members: Iterable[Member], now: datetime, left: Iterable[Gone] = ()) -> Change:
    """Count who is new; ``members`` have their drills noted, ``left`` are those who were on board lately."""
    crew, former = list(members), list(left)
    new = _new(crew, now)
    if new * QUARTER <= len(crew):
        return Change(len(crew), new, None)
    tipped, begins = now, _months_before(now, MONTHS)
    while (day := tipped - DAY) >= begins:
        aboard = [*_aboard(crew, former, day.date())]
        if _new(aboard, day) * QUARTER <= len(aboard):
            break
        tipped = day
    by = datetime(tipped.year, tipped.month, tipped.day, tzinfo=UTC) + WITHIN
    return Change(len(crew), new, by)


def _new(aboard: Iterable[Member], now: datetime) -> int:
    begins = _months_before(now, MONTHS)
    return sum(
        each.joined is not None
        and each.joined >= begins.date()
        and (each.drilled is None or each.drilled < begins)
        for each in aboard
    )


def _aboard(crew: Iterable[Member], former: Iterable[Gone], day: date) -> Iterator[Member]:
    """Yield who was on board at the end of a day."""
    for each in (*crew, *(gone.member for gone in former if gone.left > day)):
        if each.joined is None or each.joined <= day:
            yield each


def _months_before(now: datetime, months: int) -> datetime:
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    day = now.day
    while True:
        try:
            return now.replace(year=year, month=month + 1, day=day)
        except ValueError:
            day -= 1


def listed(body: Mapping[str, Any]) -> list[Member]:
    """Return the members of a whole list."""
    return [member(each) for each in body["persons"]]
