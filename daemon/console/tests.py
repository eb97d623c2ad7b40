"""The equipment tests on the terminal: how each stands and why, what comes in the next months, what differs."""

from __future__ import annotations

import difflib
import json
import textwrap
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.console.asking import DONE, asked, asking, say
from daemon.errors import IspsdError
from daemon.wording.terminal import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

WIDTH: Final = 110
WELL: Final = frozenset({"in order"})


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = asking(commands, "tests", "show every equipment test, how it stands, and why")
    parser.add_argument("test", nargs="?", help="only this one: t-door")
    parser.add_argument("--due", action="store_true", help="only what is not in order")
    parser.add_argument("--until", metavar="DATE", help="what falls due until then: 2027-03-01")
    parser.add_argument("--days", type=int, metavar="N", help="the same for so many days")
    parser.add_argument(
        "--differences",
        action="store_true",
        help="what this ship has otherwise than the catalogue of tests, and by whose word",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(act=_show)


def _show(given: argparse.Namespace) -> int:
    if given.differences:
        answer, page = asked(given, {"do": "tests.differences"}), differences
    elif given.until is not None or given.days is not None:
        until = {"days": given.days} if given.until is None else {"until": given.until}
        answer, page = asked(given, {"do": "tests.coming", **until}), coming
    else:
        answer, page = asked(given, {"do": "tests"}), standing
        _refuse_unknown(given.test, answer)
        answer["tests"] = [row for row in answer["tests"] if _is_wanted(row, given)]
    if given.json:
        say(json.dumps(answer, ensure_ascii=False))
        return DONE
    for line in page(answer):
        say(printable(line))
    return DONE


def _refuse_unknown(test: str | None, answer: Mapping[str, Any]) -> None:
    known = [row["test"] for row in answer["tests"]]
    if test is not None and test not in known:
        near = difflib.get_close_matches(test, known, n=1)
        hint = f"; is {near[0]} meant?" if near else ""
        raise IspsdError(f"there is no test {test!r}: `ispsd tests` names them all{hint}")


def _is_wanted(row: Mapping[str, Any], given: argparse.Namespace) -> bool:
    if given.test is not None and row["test"] != given.test:
        return False
    return not given.due or row["readiness"] not in WELL


def standing(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield how each test stands, and why; times are ship's time where nothing else is said."""
    offset_min = answer["ship_time_offset_min"]
    if answer["warning"]:
        yield from _wrapped(answer["warning"].upper(), 0)
    for row in answer["tests"]:
        yield f"{row['test']:<14} {row['name']:<18} {row['readiness'].upper()}"
        if row["step"]:
            yield from _wrapped(_step(row), 6)
            yield from (f"      seen: {each}" for each in row["seen"])
        yield from _wrapped(row["why"] + (f"; waits: {row['waits']}" if row["waits"] else ""), 6)
        yield from _wrapped(
            f"{row['rule']}; SSP {row['ssp_paragraph']}, interval by {_whose(row)}", 6
        )
        yield from _wrapped("; ".join(_moments(row, offset_min)), 6)


def _whose(row: Mapping[str, Any]) -> str:
    word = (
        f"{row['interval_source']} ({row['source']})" if row["source"] else row["interval_source"]
    )
    on = f", {row['approved_on']}" if row["approved_on"] else ""
    return f"{word}, approved by {row['approved_by']}{on}" if row["approved_by"] else str(word)


def _moments(row: Mapping[str, Any], offset_min: int) -> Iterator[str]:
    def at(moment: str) -> str:
        return _at(moment, offset_min)

    last = row["last"]
    if last is not None:
        number = f" no. {last['seq']}" if last["seq"] else ""
        yield f"last result{number}: {last['result']}, {at(last['at'])}"
    if row["next_due"] is not None:
        yield f"due {at(row['next_due'])}"
    if row["limit"] is not None:
        yield f"overdue {at(row['limit'])}"


def coming(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield what falls due, by ship's day."""
    if answer["warning"]:
        yield from _wrapped(answer["warning"].upper(), 0)
        return
    offset_min = answer["ship_time_offset_min"]
    yield (
        f"TESTS TO COME, {_at(answer['from'], offset_min)} to "
        f"{_at(answer['until'], offset_min)} ship's time, as she is now: "
        f"{answer['situation']}, level {answer['security_level']}"
    )
    for name, words in (("always", "watched all the time"), ("daily", "each day")):
        if answer[name]:
            yield from _wrapped(f"{words}: {', '.join(row['test'] for row in answer[name])}", 0)
    for day in answer["days"]:
        yield f"{datetime.fromisoformat(day['day']):%a %d %b %Y}"
        for row in day["tests"]:
            yield from _wrapped(_due(row, offset_min), 4)
    for row in answer["not_here"]:
        after = f"; after {', '.join(row['after'])}" if row["after"] else ""
        yield from _wrapped(
            f"not asked for here: {row['test']} {row['name']} ({row['asked_for']}{after})", 0
        )


def _due(row: Mapping[str, Any], offset_min: int) -> str:
    if row["due"] is None:
        return f"{row['test']:<14} {row['name']}"
    now = "DUE NOW" if row["now"] else f"from {_at(row['due'], offset_min)}"
    limit = f", overdue {_at(row['limit'], offset_min)}" if row["limit"] else ""
    waits = f"; waits: {row['waits']}" if row["waits"] else ""
    return (
        f"{row['test']:<14} {row['name']:<18} {row['mode']:<9} {now}, "
        f"until {_at(row['period_ends'], offset_min)}{limit}; SSP {row['ssp_paragraph']}{waits}"
    )


def differences(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield what this ship has otherwise than the catalogue."""
    from daemon.checks.catalogue import shown  # noqa: PLC0415 (the list of tests comes faster without)

    if not answer["differences"]:
        yield "no test of this ship is otherwise than in the catalogue"
    for row in answer["differences"]:
        on = f", {row['approved_on']}" if row["approved_on"] else ""
        yield f"{row['test']}: SSP {row['ssp_paragraph']}, approved by {row['approved_by']}{on}"
        for each in row["settings"]:
            yield from _wrapped(
                f"{each['setting']}: {shown(each['now'])}; catalogue: {shown(each['shipped'])}", 6
            )
    for row in answer["own"]:
        yield f"{row['test']} {row['name']}: the ship's own, SSP {row['ssp_paragraph']}"
    names = ", ".join(row["entry"] for row in answer["not_used"] if not row["off"])
    yield from _wrapped(f"in the catalogue, and not on this ship: {names or 'none'}", 0)
    for row in answer["not_used"]:
        if row["off"]:
            yield from _wrapped(f"shipped off: {row['entry']}: {row['off']}", 0)


def _at(moment: str, offset_min: int) -> str:
    """Return a moment in ship's time."""
    return f"{datetime.fromisoformat(moment) + timedelta(minutes=offset_min):%d %b %Y %H%M}"


def _step(row: Mapping[str, Any]) -> str:
    """Return the step of a test that is led: what is to be done, how long it waits, and for whom."""
    left_s, who = row["seconds_left"], row["who"]
    left = "" if left_s is None else f" ({left_s} s left)"
    second = " A second person answers." if who == "witness" else ""
    return f"step {row['step']}: {row['prompt']}{left}{second}"


def _wrapped(words: str, indent: int) -> list[str]:
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_on_hyphens=False,
    )
