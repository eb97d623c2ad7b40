"""Read the tables of ``paper.md``: what people agreed on, in their own form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PAPER = Path(__file__).with_name("paper.md").read_text("utf-8")
COUNTED_BY_THE_RULE = {
    *("by policy", "by rule", "3 in 60 s", "3 reports, min 60 s", "2 reports", "24 h", "-"),
}
"""Delays that the rule keeps itself, so that the catalogue has none."""
LASTS_BY_ITSELF = {"no", "order ended", "ends by itself 2 h", "cannot be removed"}
"""No latch: the condition itself lasts so long (the order stands, the simulator is there)."""


def rows(first_heading: str) -> Iterator[dict[str, str]]:
    """Yield the rows of the table whose first column has this heading."""
    lines = PAPER[PAPER.index(f"| {first_heading} |") :].partition("\n\n")[0].splitlines()
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    for row in body:
        yield dict(zip(head, row, strict=True))


DOORS = {row["class"][0]: row for row in rows("class")}
ALERTS = {row["key"].strip("`"): row for row in rows("key")}


def door(letter: str, situation: str, level: int, *, night: bool, attended: bool) -> str:
    """Return what the paper says that a door must be, outside a threat area."""
    cell = DOORS[letter][situation]
    if cell == "as P":
        return door("P", situation, level, night=night, attended=attended)
    while_attended = "free while gangway station attended, else "
    cells = cell.removeprefix(while_attended).removesuffix(" ×3").split(" / ")
    if level == 1 and attended and cell.startswith(while_attended):
        return "free"
    word = cells[0] if len(cells) == 1 else cells[level - 1]
    by_day, _, by_night = word.removesuffix(")").partition(" (night ")
    return by_night if night and by_night else by_day.removesuffix(" only")


def threat(letter: str) -> str:
    """Return what the paper says that a door must be in a threat area."""
    return DOORS[letter]["threat"]


def letters(key: str, situation: str) -> str:
    """Return the letters of levels 1, 2 and 3."""
    if situation == "yard":  # where nothing is told, but what cannot be removed stays
        return "CCC" if ALERTS[key]["latch"] == "cannot be removed" else "LLL"
    column = "sea" if situation == "manoeuvring" else situation
    return ALERTS[key][column].replace("–", "-")


def seconds(delay: str) -> float:
    """Return a delay of the paper."""
    if delay in COUNTED_BY_THE_RULE or delay == "0":
        return 0.0
    number, unit = delay.split()
    return float(number) * {"s": 1.0, "min": 60.0, "h": 3600.0}[unit]


def latch(key: str) -> str:
    """Return the act that an alert waits for; empty where it goes with its condition."""
    said = ALERTS[key]["latch"]
    return "" if said in LASTS_BY_ITSELF else said
