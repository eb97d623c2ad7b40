"""How the demo puts what it reads into words."""

from __future__ import annotations

import json
import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH: Final = 100
MARGIN: Final = 24
"""The clock and the chapter stand in it."""

HOW = {"automatic": "A", "assisted": "P", "manual": "M", "in_service": "S"}
"""Automatic, person led, manual, in service: as the equipment test log has it."""


def utc_now() -> str:
    """Return the wall clock for the margin."""
    return f"{datetime.now(UTC):%H:%M:%S}Z"


def told(at: str, chapter: str, line: str) -> str:
    """Return a line of the story, broken where a terminal of 100 columns ends; a command, which is indented, is not."""
    indent = " " * MARGIN
    if line.startswith("  "):  # somebody copies it
        return f"{at}  {chapter:<12} {line}"
    rows = textwrap.wrap(
        line,
        WIDTH,
        initial_indent=f"{at}  {chapter:<12} ",
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(rows)


def on_disk(seq: int | None) -> str:
    """Return whether it is recorded."""
    return "not yet recorded" if seq is None else f"no. {seq} on disk"


def contact(point: Mapping[str, Any]) -> str:
    """Return what a door's contact says, as its page has it."""
    said: str | None = point["word"] or point["value"]
    return said or "NOT SEEN"


def on_paper(outcome: str) -> str:
    """Return an outcome in the words of the test log."""
    return {
        "passed": "SAT",
        "failed": "UNSAT",
        "inconclusive": "NOT PROVEN",
        "skipped": "NOT DONE",
    }[outcome]


def counted(news: list[str]) -> str:
    """Return how many messages came, by name where there were any."""
    return f"{len(news)} new messages" + (f" ({', '.join(sorted(set(news)))})" if news else "")


def log_row(raw: str) -> str:
    """Return one result as a row of the equipment test log."""
    entry = json.loads(raw)
    said = entry["open"]
    who = entry["actor"]["person"] or "ispsd"
    ended = said["ended"]
    return (
        f"{entry['seq']:>5} {ended[8:10]} {ended[11:16]}Z {said['name']:<16.16} {HOW[said['mode']]} "
        f"{on_paper(said['outcome']):<10} {said['reason']} ({who})"
    )
