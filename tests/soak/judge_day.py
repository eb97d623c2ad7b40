"""Was a simulated day as it should be? Pure: it is told what is left of the day and says what was wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.soak import told
from tests.soak.flat import Bound, judged
from tests.soak.judge import Report, record_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.soak.story import Story

HOUR_S = 3600.0
WATCH_S = 4 * HOUR_S
WARM_UP_S = 6 * HOUR_S
"""By then every device, page and test has been there once, and what remembers hours is full."""
MOST_SOUNDING = {"port": 2}
"""In a watch of four hours of life on board (DESIGN 7); elsewhere, and while she is under way, one."""
ADMINISTRATIVE = ("TEST", "DUE", "DRILL", "CERTIFICATE", "REVIEW", "COPY", "LOGIN", "SSAS")
MOST_ROWS = 12
"""Of the equipment test log in a ship's day (DESIGN 8), beside changes of outcome."""
MOST_CHANGES = 6
"""Of the outcome of one test in a day; after them only what is worse (decision 0010)."""
WORSE = {"passed": 0, "skipped": 0, "inconclusive": 1, "failed": 2}
COLUMNS = ("test", "equipment", "name", "mode", "outcome", "reason", "began", "ended")
OUTCOMES = frozenset({"passed", "failed", "inconclusive", "skipped"})
DEFECTS = frozenset({"defect.opened", "defect.closed", "defect.again"})
SHIP_TIME = timedelta(hours=8)

BOUNDS = {
    "objects": Bound(
        3000.0,
        "what this watcher keeps: about 150 entries and alerts of twenty objects each; one object a poll, if kept, "
        "would be 3000 in five hours",
    ),
    "rss_kib": Bound(
        6 * 1024.0,
        "kB in 18 h: steps when something happens for the first time. At 8 MiB a day the MemoryMax of ispsd.service "
        "(1 GiB) lasts four months",
    ),
    "descriptors": Bound(0.5, "whole numbers: less than one in all"),
    "tasks": Bound(0.5, "whole numbers: less than one in all"),
    "threads": Bound(0.5, "whole numbers: less than one in all"),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process costs at one moment of the day."""

    at_s: float
    objects: int
    rss_kib: int
    descriptors: int
    tasks: int
    threads: int


@dataclass(slots=True)
class Seen:
    """What a day has left.

    Attributes:
        alerts: Of the record, with where each sounded as a subscriber was told it.
        untold: Alerts of the record that the subscriber never heard of, and the other way round.
        rows: The equipment test log.
        numbers: When each event came, and its ``bseq``.
        covert: What was otherwise after the unit had sent in earnest.
        verifier: Its exit code and words, with the head of noon as anchor.
    """

    story: Story
    alerts: list[told.Told] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    entries: dict[str, int] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[tuple[float, int]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    covert: list[str] = field(default_factory=list)
    verifier: tuple[int, str] = (1, "")
    faults: list[str] = field(default_factory=list)


def report(seen: Seen) -> Report:
    """Judge a day."""
    made = Report(alerts=seen.alerts)
    made.faults += told.compared(seen.alerts, seen.story.alerts)
    made.faults += seen.untold
    made.faults += told.missed(seen.numbers) or ([] if seen.numbers else ["no event was told"])
    made.faults += [f"after a real security alert: {each}" for each in seen.covert]
    made.faults += record_faults(seen.verifier)
    made.faults += _budget(seen)
    made.faults += [
        f"{each.title} {each.name} is paperwork" for each in seen.alerts if _is_paperwork(each)
    ]
    made.faults += _entries(seen.entries, seen.story.entries)
    made.faults += _rows(seen.rows)
    made.faults += seen.faults
    made.verdicts = [
        judged(
            name,
            [(sample.at_s, float(getattr(sample, name))) for sample in seen.samples],
            warm_up_s=WARM_UP_S,
            bound=bound,
        )
        for name, bound in BOUNDS.items()
    ]
    made.faults += [str(each) for each in made.verdicts if not each.is_flat]
    return made


def _is_paperwork(alert: told.Told) -> bool:
    return any(word in alert.title.split() for word in ADMINISTRATIVE)


def _budget(seen: Seen) -> Iterator[str]:
    """Yield watches of four hours in which life on board sounded more often than it may."""
    of_faults = [each for each in seen.story.alerts if each.is_fault]
    situations = [(0.0, str(seen.story.start.get("situation", "port")))]
    situations += [
        (step.at_s, step.said["situation"])
        for step in seen.story.steps
        if step.said.get("order") == "situation"
    ]
    watches: Counter[tuple[int, str]] = Counter()
    for alert in seen.alerts:
        if alert.priority == "C" or any(alert.differs(each) is None for each in of_faults):
            continue
        situation = [name for at_s, name in situations if at_s <= alert.raised_s][-1]
        watches[int((seen.story.begins_s + alert.raised_s) // WATCH_S), situation] += 1
    for (watch, situation), count in watches.items():
        if count > MOST_SOUNDING.get(situation, 1):
            yield f"{count} alerts sounded in the watch from {watch * 4 % 24:02}:00 ({situation})"


def _entries(found: Mapping[str, int], expected: Mapping[str, int]) -> Iterator[str]:
    for type_ in sorted((found.keys() | expected.keys()) - DEFECTS):
        if found.get(type_, 0) != expected.get(type_, 0):
            yield f"{found.get(type_, 0)} entries {type_}, not {expected.get(type_, 0)}"
    if found.get("defect.opened", 0) != found.get("defect.closed", 0):
        yield f"a defect stands though all was mended: {found}"


def _rows(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what an inspector would find wrong with the equipment test log."""
    for row in rows:
        if missing := [column for column in COLUMNS if not row.get(column)]:
            yield f"a row without {', '.join(missing)}: {dict(row)}"
        if row["outcome"] not in OUTCOMES:
            yield f"an outcome {row['outcome']!r}"
    of_day: Counter[str] = Counter()
    changes: Counter[tuple[str, str]] = Counter()
    before: dict[str, str] = {}
    last = {(row["test"], row["day"]): number for number, row in enumerate(rows) if "day" in row}
    for number, row in enumerate(rows):
        day = row.get("day") or _ships_day(row["ended"])
        test, outcome = row["test"], row["outcome"]
        if "day" in row and last[test, row["day"]] != number:
            # What watches all day has one row of its day, and one a change of outcome.
            is_worse = WORSE.get(outcome, 0) > WORSE.get(before.get(test, outcome), 0)
            changes[test, day] += changes[test, day] < MOST_CHANGES or not is_worse
        else:
            of_day[day] += 1
        before[test] = outcome
    for day, count in of_day.items():
        if count > MOST_ROWS:
            yield f"{count} rows of {day}, beside changes of outcome"
    for (test, day), count in changes.items():
        if count > MOST_CHANGES:
            yield f"{test} changed its outcome {count} times on {day}"


def _ships_day(ended: str) -> str:
    """Return the ship's day in which a test ended."""
    return f"{datetime.fromisoformat(ended) + SHIP_TIME:%Y-%m-%d}"
