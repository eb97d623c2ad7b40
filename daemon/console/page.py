"""How does a status look on a page of text? A pure function from what ``gather`` answers to lines.

Nothing shown is older than it says (invariant 13): ages grow with the reader's own clock since the answer came, and a
value past its validity, or an answer that is old itself, is shown as what it *was*. Words carry the meaning; style
only repeats it, and nothing is ever green. Control characters of a device's making never reach the terminal.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from daemon.console import ordering
from daemon.wording.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

WIDTH = 80
OLD_AFTER_S = 5.0
"""An answer that is older is said to be, and nothing of it is shown as true now."""
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


class Style(Enum):
    """How a line stands out, as ANSI writes it (ECMA-48 8.3.117)."""

    PLAIN = ""
    TITLE = "1"
    ALARM = "1;31"
    WARNING = "1;33"
    DIM = "2"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page."""

    text: str
    style: Style = Style.PLAIN


PRIORITIES: Final = {
    "A": ("ALARM", Style.ALARM),
    "W": ("WARNING", Style.WARNING),
    "C": ("CAUTION", Style.PLAIN),
}
STATES: Final = {
    "V": "not acknowledged",
    "S": "silenced",
    "U": "rectified, not ack.",
    "O": "transferred",
    "A": "acknowledged",
}
KINDS: Final = {
    "door": {},
    "seal": {"closed": "intact", "open": "BROKEN"},
    "lock": {"closed": "locked", "open": "NOT LOCKED"},
    "motion": {"closed": "quiet", "open": "MOTION"},
    "tamper": {"closed": "case shut", "open": "CASE OPEN"},
    "light": {"closed": "lit", "open": "not lit"},
    "mains": {"closed": "on mains", "open": "ON BATTERY"},
    "battery": {"closed": "battery good", "open": "BATTERY LOW"},
}
"""What a closed and an open contact mean where it is not a door."""
PARTS: Final = frozenset({"lock", "tamper", "battery"})
"""What has no name of its own."""
ODD: Final = {
    "duplicate_sfi": "two addresses send with one system function id",
    "client_replaced": "several connect to its port by turns",
    "tag_checksum": "TAG blocks are damaged",
}
"""What somebody should look at, of what a device's link noticed; the rest stands in ``driver/<id>``."""
LACKS: Final = {"touch": "a touch", "heard": "a heard-test"}
"""What a page lacks to count as its station's sounder."""
CONTACTS: Final = {"closed": "closed", "open": "OPEN", "line_fault": "LINE FAULT"}


def page(
    status: Mapping[str, Any], *, since_s: float, fault: str | None = None, brief: bool = False
) -> list[Line]:
    """Return the page.

    Args:
        status: The newest answer.
        since_s: How long ago it came, on the reader's own clock.
        fault: Why no newer one came; None where the newest question was answered.
        brief: Count what is as it should be, and name the rest.
    """
    is_old = fault is not None or since_s > OLD_AFTER_S
    brief = brief and not is_old  # nothing of an old answer counts as it should be now
    lines: list[Line] = []
    if is_old:
        words = f"ISPSD DOES NOT ANSWER ({fault or 'no reason known'})"
        lines += [
            *_wrapped(words, Style.ALARM),
            Line(f"What follows is {age(since_s)} old. Use rounds. Call ETO.", Style.ALARM),
        ]
    body = [
        *_head(status, since_s, is_old=is_old),
        *_stations(status["stations"], since_s, is_old=is_old),
        *_alerts(status["alerts"], since_s),
        *_title("DOORS AND SEALS"),
        *_shown(_openings(status["openings"], since_s, is_old=is_old), brief, "closed or at rest"),
        *_title("DEVICES"),
        *_shown(_devices(status["devices"], since_s, is_old=is_old), brief, "up"),
        *_title("TESTS"),
        *_shown(_tests(status, since_s, is_old=is_old), brief, "in order"),
        *_record(status["record"], since_s),
    ]
    lines += [replace(line, style=Style.DIM) for line in body] if is_old else body
    return [replace(line, text=_fit(line.text)) for line in lines]


def nothing(fault: str) -> list[Line]:
    """Return the page while there has not been any answer."""
    return _wrapped(f"ISPSD DOES NOT ANSWER ({fault})", Style.ALARM)


def text(lines: Iterable[Line], *, colour: bool) -> str:
    """Return the page as text for a terminal; without colour it has no escape sequence at all."""
    return "\n".join(
        f"\x1b[{line.style.value}m{line.text}\x1b[0m"
        if colour and line.style is not Style.PLAIN
        else line.text
        for line in lines
    )


def age(seconds: float | None) -> str:
    """Return an age in the largest unit that it fills."""
    if seconds is None:
        return "never"
    for unit_s, unit in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min")):
        if seconds >= unit_s:
            return f"{int(seconds // unit_s)} {unit}"
    return f"{int(seconds)} s"


def _shown(rows: Iterator[Line], brief: bool, words: str) -> Iterator[Line]:  # noqa: FBT001 (passed on)
    """Yield the rows; in brief, those that stand out, and how many others there are."""
    others = 0
    for row in rows:
        if brief and row.style is Style.PLAIN:
            others += 1
        else:
            yield row
    if others:
        yield Line(f"  {others} more {words}")


def _head(status: Mapping[str, Any], since_s: float, *, is_old: bool) -> Iterator[Line]:
    threat = " · THREAT AREA" if status["threat"] else ""
    words = f"{status['ship']} · {status['situation']} · security level {status['security_level']}"
    yield Line(words + threat, Style.TITLE)
    if status["simulated"]:
        yield Line("SIMULATED DATA: do not rely on this page", Style.WARNING)
    local = _ship_time(status, since_s)
    utc = local - timedelta(minutes=status["ship_time_offset_min"])
    hours = status["ship_time_offset_min"] / 60
    yield Line(
        f"{local:%H%M} ship's time (UTC{hours:+g}) · {utc:%Y-%m-%d %H:%M:%S}Z · "
        f"clock {status['clock']}"
    )
    yield from _position(status.get("position", {}))
    for words, stands_out in ordering.lines(status.get("ordered")):
        yield from _wrapped(words, Style.WARNING if stands_out else Style.PLAIN)
    broker = "connected" if status["broker"] else "NOT CONNECTED"
    yield Line(f"answered {age(since_s)} ago · broker {_was(broker, is_old=is_old)}")


def _position(said: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what speaks against the position; nothing where nothing does."""
    words = "; ".join(said.get("indications", ()))
    if said.get("suspect"):
        yield Line(f"POSITION SUSPECT: {words or 'not quiet for ten minutes yet'}", Style.WARNING)
    elif words:
        yield Line(f"position: {words} (one witness alone: no alert)")
    if area := said.get("interference_area"):
        yield Line(f"in a known interference area: {area}")


def _ship_time(status: Mapping[str, Any], since_s: float) -> datetime:
    """Return ship's time as the daemon has it: told by it, and carried on by our own clock."""
    told = datetime.fromisoformat(status["utc"])
    return told + timedelta(seconds=since_s, minutes=status["ship_time_offset_min"])


def _was(words: str, *, is_old: bool) -> str:
    """Return what is true now, or was when the answer came."""
    return f"? was {words}" if is_old else words


def _stations(rows: list[Mapping[str, Any]], since_s: float, *, is_old: bool) -> Iterator[Line]:
    yield from _title("STATIONS", "* alerts sound there now")
    for row in rows:
        who = f"{row['person']}, {_since(row['watch_age_s'], since_s)}" if row["person"] else "-"
        live = "live" if row["live"] else f"NOT LIVE, {_ago(row['alive_age_s'], since_s)}"
        live = _was(live, is_old=is_old)
        sound = "sound armed" if row["sound_armed"] else "sound NOT armed"
        mark = "*" if row["sounds"] else " "
        missing = row["sounds"] and not (row["live"] and row["person"])
        style = Style.WARNING if missing else Style.PLAIN
        yield Line(
            f" {mark}{_cell(row['id'], 10)} {_cell(who, 28)} {_cell(live, 20)} {sound}", style
        )
        if lacks := [LACKS.get(lack, lack) for lack in row.get("lacks", ())]:
            yield Line(f"            its page wants {' and '.join(lacks)}", style)


def _alerts(rows: list[Mapping[str, Any]], since_s: float) -> Iterator[Line]:
    yield from _title(f"ALERTS {len(rows)}")
    for row in rows:
        priority, style = PRIORITIES[row["priority"]]
        is_caution = row["priority"] == "C"  # active or not: nobody acknowledges it
        state = "active" if is_caution else STATES.get(row["state"], row["state"])
        since = age(row["age_s"] + since_s)
        yield Line(
            f"  {priority:<7} {_cell(state, 19)} {since:>6}  {_cell(row['title'], 16)} {row['name']}",
            style,
        )
        where = ", ".join(row.get("sounds_at", ()))
        # The detail names the doors that an action line calls "listed".
        for words in (f"sounds at {where}" if where else "", row["action"], row["detail"]):
            for line in textwrap.wrap(words, WIDTH - 10):
                yield Line(f"          {line}")


def _openings(rows: list[Mapping[str, Any]], since_s: float, *, is_old: bool) -> Iterator[Line]:
    for row in rows:
        seen_s = None if row["age_s"] is None else row["age_s"] + since_s
        words, style = _state(row, seen_s, is_old=is_old)
        name = f"{row['name']} {row['kind']}" if row["kind"] in PARTS else row["name"]
        yield Line(
            f"  {_cell(row['id'], 11)} {_cell(name, 24)} {_cell(words, 20)} {_seen(row, seen_s)}",
            style,
        )
        if (permit := row["permit"]) is not None:
            left_s = permit["left_s"] - since_s
            ends = f"for {age(left_s)} more" if left_s > 0 else "ENDED"
            yield Line(
                f"              permit to open: {permit['person']}, {permit['work']}, {ends}"
            )


def _state(row: Mapping[str, Any], seen_s: float | None, *, is_old: bool) -> tuple[str, Style]:
    """Return the state in words; what is not known now is never shown as if it were."""
    if row["state"] is None and row.get("proved") is False and seen_s is not None:
        return "? NOT PROVED", Style.DIM
    if row["state"] is None or seen_s is None:
        return "? NOT SEEN", Style.WARNING
    words = {**CONTACTS, **KINDS.get(row["kind"], {})}.get(row["state"], row["state"])
    if is_old or row["valid_for_s"] is None or seen_s > row["valid_for_s"]:
        return _was(words, is_old=True), Style.DIM
    if row["quality"] != "good":
        return f"{words} ({row['quality']})", Style.WARNING
    return words, Style.PLAIN if row["state"] == "closed" else Style.WARNING


def _seen(row: Mapping[str, Any], seen_s: float | None) -> str:
    if row["state"] is None:
        return "never seen" if seen_s is None else f"for {age(seen_s)}"
    return f"seen {age(seen_s)} ago"


def _devices(rows: list[Mapping[str, Any]], since_s: float, *, is_old: bool) -> Iterator[Line]:
    for row in rows:
        is_up = row["link"] == "up"
        link = _was(row["link"] if is_up else row["link"].upper(), is_old=is_old)
        since = f"for {age(row['age_s'] + since_s)}"
        good = f"last good {_ago(row['last_good_age_s'], since_s)}"
        yield Line(
            f"  {_cell(row['id'], 12)} {_cell(link, 12)} {_cell(since, 11)} "
            f"{_cell(good, 22)} dropped {row['dropped']}",
            Style.PLAIN if is_up else Style.WARNING,
        )
        if row["reason"]:
            # Whole: what a port hears instead, and what to do, stands at the end of it.
            yield from _wrapped(row["reason"], Style.WARNING, indent=6)
        for what, words in ODD.items():
            if what in row["noticed"]:
                yield Line(f"      {words}: {row['noticed'][what]} times", Style.WARNING)


def _tests(status: Mapping[str, Any], since_s: float, *, is_old: bool) -> Iterator[Line]:
    ship_time, offset_min = _ship_time(status, since_s), status["ship_time_offset_min"]
    for row in status["tests"]:
        readiness = _was(row["readiness"].upper(), is_old=is_old)
        yield Line(
            f"  {_cell(row['id'], 16)} {_cell(row['name'], 18)} "
            f"{_cell(readiness, 20)} {_due(row, ship_time, offset_min)}",
            Style.PLAIN if row["readiness"] == "in order" else Style.WARNING,
        )


def _due(row: Mapping[str, Any], ship_time: datetime, offset_min: int) -> str:
    if row["due"] is None and row["readiness"] in {"in order", "not testable"}:
        return "not asked for here"
    if row["due"] is None:
        return "due now, never done" if row["outcome"] is None else "due now"
    at = datetime.fromisoformat(row["due"]) + timedelta(minutes=offset_min)
    return "due now" if at <= ship_time else f"due {at:%d %b %Y %H%M}"


def _record(record: Mapping[str, Any], since_s: float) -> Iterator[Line]:
    yield from _title("RECORD")
    newest = "none yet" if record["newest"] is None else f"no. {record['newest']}"
    sealed = "no head yet" if record["sealed"] is None else f"head over {record['sealed']} entries"
    yield Line(f"  newest {newest} · {sealed} {record['head'] or ''}")
    if not record["writable"]:
        yield from _wrapped(f"  NOT SAVED: {record['reason']}", Style.ALARM)
    if record["pending"]:
        waits = age(record["pending_age_s"] + since_s)
        yield Line(f"  {record['pending']} NOT YET RECORDED, oldest for {waits}", Style.WARNING)
    if record["lost"]:
        yield Line(f"  {record['lost']} LOST since start: note events by hand", Style.ALARM)


def _title(words: str, beside: str = "") -> Iterator[Line]:
    yield Line("")
    yield Line(f"{words}   {beside}".rstrip(), Style.TITLE)


def _since(seconds: float | None, since_s: float) -> str:
    return "since before start" if seconds is None else f"for {age(seconds + since_s)}"


def _ago(seconds: float | None, since_s: float) -> str:
    return "never" if seconds is None else f"{age(seconds + since_s)} ago"


def _wrapped(words: str, style: Style, *, indent: int = 0) -> list[Line]:
    lines = textwrap.wrap(printable(words), WIDTH - indent)
    return [Line(" " * indent + line, style) for line in lines]


def _cell(words: object, width: int) -> str:
    return f"{_fit(str(words), width):<{width}}"


def _fit(words: str, width: int = WIDTH) -> str:
    words = printable(words)
    return words if len(words) <= width else words[: width - 1] + "…"
