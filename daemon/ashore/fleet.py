"""What does the company see of sixty ships? One line a ship, the oldest report first, silence above all.

A ship that says nothing looks like a ship in order, so the age of what is known of her leads the list; a ship whose key
is here and who never reported stands above all. What was refused is named with its reason, and never left out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from daemon.ashore.reading import MissingReportError, RefusedFileError, Report, grew, read
from daemon.book import duties
from daemon.errors import IspsdError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from daemon.record.verify import Key

OLD_AFTER: Final = timedelta(days=8)
AHEAD: Final = timedelta(hours=1)
"""A report may be dated so far ahead of this computer."""
DAYS_A_MONTH: Final = 30.4
MOST_FILES: Final = 20_000
SUFFIX: Final = ".jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One ship.

    Attributes:
        age: Of her newest report; None: there is none.
        alarms: What somebody has to see to, in words; nothing: none.
        record: What is known of her record.
    """

    ship: str
    flag: str = ""
    age: timedelta | None = None
    report: Report | None = None
    alarms: tuple[str, ...] = ()
    record: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is not believed."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every ship, the one that one must look at first on top, and what was refused."""

    rows: tuple[Row, ...]
    refused: tuple[Refused, ...]


def files(folder: Path) -> list[Path]:
    """Return the files of a folder and the folders in it that may be reports.

    Raises:
        OSError: It cannot be read.
        IspsdError: There are more than are read at once; which of them are the newest no name says.
    """
    found = sorted(each for each in folder.rglob(f"*{SUFFIX}") if each.is_file())
    if len(found) > MOST_FILES:
        raise IspsdError(
            f"{folder}: {len(found)} files, more than {MOST_FILES}: list a folder of fewer"
        )
    return found


def gathered(paths: Iterable[Path], keys: Sequence[Key], *, now_utc: datetime) -> Fleet:
    """Read reports and return the list.

    Args:
        paths: The files.
        keys: Of the company's ships: one without a report is listed, too.
        now_utc: For ages; of this computer.
    """
    refused: list[Refused] = []
    by_ship: dict[str, list[Report]] = defaultdict(list)
    for path in paths:
        try:
            report = read(path, keys)
            # What cannot be shown is refused, and not the list.
            cells(_row([report], now_utc), now_utc=now_utc)
        except RefusedFileError as err:
            refused.append(Refused(path, str(err)))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as err:
            refused.append(Refused(path, f"its report is not as ships write them: {err!r}"))
        else:
            by_ship[report.prefix].append(report)
    # By her record and not by her dates: a clock that was wrong once is neither a shrunk record nor the newest report.
    rows = [
        _row(sorted(found, key=lambda each: (each.place[0], each.seq)), now_utc)
        for found in by_ship.values()
    ]
    silent = sorted({key.name for key in keys} - by_ship.keys())
    rows += [Row(ship=name, alarms=("NO REPORT",)) for name in silent]
    rows.sort(key=lambda row: (row.age is not None, -(row.age or timedelta()), row.ship))
    return Fleet(tuple(rows), tuple(refused))


def _row(reports: Sequence[Report], now_utc: datetime) -> Row:
    """Return a ship's row: her newest report, and whether all of them tell of one record that only grew."""
    newest = reports[-1]
    age = now_utc - newest.made_utc
    alarms = []
    if age > OLD_AFTER:
        alarms.append("REPORT OLD")
    if age < -AHEAD:
        alarms.append("DATED IN THE FUTURE")
    record = "first report"
    for before, after in pairwise(reports):
        try:
            fault = grew(before, after)
        except LookupError as err:
            record = f"not compared: {err}"
            if isinstance(err, MissingReportError):
                alarms.append(f"A REPORT IS MISSING before {after.made_utc:%d %b}: ask for it")
            continue
        record = f"grown since {before.made_utc:%d %b}"
        if fault is not None:
            record = f"ALTERED: {fault}"
            alarms.insert(0, f"RECORD: {fault}")
    return Row(
        ship=newest.said["ship"]["name"],
        flag=newest.said["ship"]["flag"],
        age=age,
        report=newest,
        alarms=tuple(alarms),
        record=record,
    )


def cells(row: Row, *, now_utc: datetime) -> dict[str, str]:
    """Return what the list shows of a ship, by the name of the column."""
    if row.report is None:
        return {"ship": row.ship, "report age": "NONE"}
    said = row.report.said
    age_d = (row.age or timedelta()) / timedelta(days=1)
    return {
        "ship": row.ship,
        "flag": row.flag,
        "report age": f"{age_d:.1f} d" + (" OLD" if "REPORT OLD" in row.alarms else ""),
        "level": f"{said['security_level']}{' threat' if said['threat'] else ''}",
        "last SSAS test": _ssas(said["ssas"]),
        "next": _day(said["ssas"].get("next")),
        "drill": _left(said["drill"], now_utc, days_a_unit=1, unit="d"),
        "exercise": _left(said["exercise"], now_utc, days_a_unit=DAYS_A_MONTH, unit="mo"),
        "defects > 7 d": f"{said['defects']['over_7_days']} of {said['defects']['open']}",
        "overdue": str(_standing(said, "overdue")),
        "inhibits": _eased(said["eased"]),
        "config": said["configuration"][:8],
        "record": f"to {said['record']['newest']}, {row.record}",
        "ISSC": _issc(said["papers"], now_utc),
    }


def _ssas(said: Mapping[str, Any]) -> str:
    last = said.get("last")
    if not isinstance(last, dict):
        return "NONE"
    shore = said.get("confirmed")
    confirmed = f" {shore}/{said.get('recipients')}" if isinstance(shore, int) else " not on file"
    return f"{_day(last.get('at'))} {last.get('result')}{confirmed}"


def _left(said: Mapping[str, Any], now_utc: datetime, *, days_a_unit: float, unit: str) -> str:
    limit = said.get("limit")
    if not isinstance(limit, str):
        return "NONE"
    days = (datetime.fromisoformat(limit) - now_utc) / timedelta(days=1)
    return f"{days / days_a_unit:.0f} {unit}" if days >= 0 else f"OVER {-days:.0f} d"


def _standing(said: Mapping[str, Any], readiness: str) -> int:
    return sum(
        each["count"] for each in said["tests"]["stands"] if each.get("readiness") == readiness
    )


def _eased(said: Mapping[str, Any]) -> str:
    # The same thing may stand there inhibited and permitted.
    repeated = dict.fromkeys(
        str(each["what"]).upper() for each in said["list"] if each.get("repeated") is True
    )
    return f"{said['times']}" + (f" REPEATED {', '.join(repeated)}" if repeated else "")


def _issc(papers: Sequence[Mapping[str, Any]], now_utc: datetime) -> str:
    ours = [each for each in papers if duties.is_issc(str(each.get("name", "")))]
    if not ours:
        return "NOT ENTERED"
    # An interim one that is over stays in the record beside the one that followed it.
    paper = max(ours, key=lambda each: str(each.get("expires") or ""))
    window = None if duties.is_endorsed(paper) else paper.get("window_until")
    until = window or paper.get("expires")
    if not isinstance(until, str):
        return "no date"
    left = (date.fromisoformat(until) - now_utc.astimezone(UTC).date()).days
    return f"{until}" + (" OVER" if left < 0 else "")


def _day(said: object) -> str:
    return f"{datetime.fromisoformat(said):%d %b %y}" if isinstance(said, str) else "-"
