"""An entry as one line for a person: number, UTC and ship's time, what it says in words, who did it."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from daemon.wording.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PAPER: Final = {
    "passed": "SAT",
    "failed": "UNSAT",
    "inconclusive": "NOT PROVEN",
    "skipped": "NOT DONE",
}
"""An outcome in the words of the test log."""
ALERT: Final = {
    "V": "not acknowledged",
    "S": "silenced",
    "A": "acknowledged",
    "O": "responsibility transferred",
    "U": "rectified, not acknowledged",
    "N": "over",
}
FRAME: Final = frozenset(
    {
        "done_at",
        "entered_at",
        "late",
        "late_unknown",
        "said_at",
        "signed",
        "generated",
        "simulated",
        "head",
    }
)
"""Members that are shown otherwise, or that say nothing of the matter."""
RAISED: Final = "raised_from"
STRUCK, PLAIN = "\x1b[9m", "\x1b[0m"
MOST_LETTERS: Final = 300
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def line(
    entry: Mapping[str, Any],
    *,
    offset_min: int | None,
    amended_by: Mapping[str, int],
    attached: Mapping[str, Sequence[int]],
    colour: bool,
) -> str:
    """Return the line.

    Args:
        entry: As it stands in the record.
        offset_min: Ship's time minus UTC when it was written, in minutes; None where nobody knows.
        amended_by: By number of an entry, that of its newest amendment.
        attached: By number of an entry, those of the files attached to it.
        colour: The terminal can strike through.
    """
    said, seq = entry["open"], str(entry["seq"])
    try:
        told = _WORDS.get(entry["type"])
        words = in_words(said) if told is None else told(said)
    except (
        KeyError,
        TypeError,
        AttributeError,
    ):  # of another version: it says at least what it holds
        words = in_words(said)
    words = printable(words if len(words) <= MOST_LETTERS else words[: MOST_LETTERS - 1] + "…")
    if (by := amended_by.get(seq)) is not None:
        words = f"{STRUCK}{words}{PLAIN}" if colour else f"~~{words}~~"
        words += f" amended: no. {by}"
    if said.get("late") is True:
        words = f"LATE (done {_moment(said['done_at'])}) {words}"
    if files := attached.get(seq):
        words += f" · {'file' if len(files) == 1 else 'files'}: no. {', '.join(map(str, files))}"
    if "evidence_left_out" in said:
        words += " · EVIDENCE LEFT OUT, no room"
    actor = entry["actor"]
    who = printable(actor["person"] or actor["station"] or "ispsd")
    at = _moment(entry["at"], seconds=True)
    return (
        f"{seq:>6}  {at}  {ship_time(entry['at'], offset_min)}  {entry['kind']:<6}  "
        f"{entry['type']:<16} {words}  [{who}]"
    )


def ship_time(at: str, offset_min: int | None) -> str:
    """Return ship's time of a moment, with its day of the month: ``22 10:10 +8``."""
    if offset_min is None:
        return "?? ??:?? ?  "
    there = datetime.fromisoformat(at) + timedelta(minutes=offset_min)
    sign, minutes = ("-" if offset_min < 0 else "+"), abs(offset_min)
    zone = f"{sign}{minutes // 60}" + (f":{minutes % 60:02d}" if minutes % 60 else "")
    return f"{there:%d %H:%M} {zone:<3}"


def whole(answer: Mapping[str, Any]) -> list[str]:
    """Return an entry with everything that it says, a line a member."""
    entry = json.loads(answer["entries"][0])
    seq = str(entry["seq"])
    actor = entry["actor"]
    at, there = _moment(entry["at"], seconds=True), ship_time(entry["at"], answer["offset_min"][0])
    who = actor["person"] or actor["station"] or "ispsd"
    rows = [
        f"no. {seq}  {at}  {there}  clock {entry['clock']}",
        f"{entry['kind']} {entry['type']}, about {entry['subject']}, class {entry['class']}",
        f"by {who}, proof: {actor['proof']}",
    ]
    rows += [f"  {_named(name)}: {in_words(value)}" for name, value in entry["open"].items()]
    private = (answer["part"] or {}).items()
    rows += [f"  {_named(name)}: {in_words(value)} (SSO and Master)" for name, value in private]
    rows += [
        f"  evidence: {each['media']}, {each['size']} bytes, sha256 {each['sha256']}"
        for each in entry["evidence"]
    ]
    if (by := answer["amended_by"].get(seq)) is not None:
        rows.append(f"  amended: no. {by}")
    rows += [f"  file: no. {each}" for each in answer["attached"].get(seq, [])]
    return [printable(row) for row in rows]


def in_words(said: Any, *, deep: int = 3) -> str:
    """Return any members as words, never as JSON; what lies deeper than can be read is counted."""
    if isinstance(said, dict | list):
        return f"{len(said)} things" if deep == 0 else _several(said, deep - 1)
    if said is None:
        return "-"
    if isinstance(said, bool):
        return "yes" if said else "no"
    if isinstance(said, str) and _MOMENT.fullmatch(said):
        return _moment(said)
    return str(said)


def _several(said: dict[str, Any] | list[Any], deep: int) -> str:
    if isinstance(said, list):
        return ", ".join(_inside(each, deep) for each in said)
    return "; ".join(
        f"{_named(name)}: {_inside(value, deep)}" if name != RAISED else f"raised from {_at(value)}"
        for name, value in said.items()
        if name not in FRAME and value not in (None, "", [], {})
    )


def _at(said: Any) -> str:
    """Return an entry that another names, by its number."""
    return f"no. {said['seq']}" if isinstance(said, dict) and "seq" in said else in_words(said)


def _named(name: str) -> str:
    return name.replace("_", " ")


def _inside(said: Any, deep: int) -> str:
    words = in_words(said, deep=deep)
    return f"({words})" if isinstance(said, dict) else words


def _defect_changed(said: Mapping[str, Any]) -> str:
    named = ("measure", "spare", "repair", "remark")
    parts = [f"{name}: {said[name]}" for name in named if said.get(name)]
    parts += [f"told: {each['who']}" for each in said.get("told") or ()]
    return " · ".join((str(said["defect"]), *parts))


def _moment(at: str, *, seconds: bool = False) -> str:
    return f"{at[:10]} {at[11 : 19 if seconds else 16]}Z"


def _alert(said: Mapping[str, Any]) -> str:
    """Return an alert's change; a caution is active or over, and nobody acknowledges it (docs/alerts.md)."""
    is_active = said["priority"] == "C" and said["state"] == "A"
    state = "active" if is_active else ALERT[said["state"]]
    return f"{said['title']} · {said['name']} · {state} ({said['event'].replace('_', ' ')})"


def _amended(said: Mapping[str, Any]) -> str:
    changes = [
        f"{name.replace('_', ' ')}: {in_words(said['was'][name])} → {in_words(value)}"
        for name, value in said["now"].items()
    ]
    what = "; ".join(changes) or "what only the SSO may read"
    return f"amends no. {said['amends']['seq']} · {what} · {said['reason']}"


def _counted(said: Mapping[str, Any]) -> str:
    results = [
        f"{row['count']} {PAPER.get(row['outcome'], row['outcome'])}" for row in said["results"]
    ]
    return f"no. {said['from']} to {said['up_to']} reviewed · " + " · ".join(
        [f"{said['entries']} entries", *results]
    )


def _held(said: Mapping[str, Any]) -> str:
    return (
        f"{said['scenario']} · {said['crew_took_part']} of {said['crew']} · "
        f"led by {said['rank']} {said['led_by']} · ended {_moment(said['ended'])}"
    )


def _round(said: Mapping[str, Any]) -> str:
    words = {"late": "passed_late", "missed": "missed", "seen": "seen"}
    parts = [f"{word}: {said[name]}" for word, name in words.items() if said.get(name)]
    points = f"{said['in_window']} of {said['points']} points in their window"
    return " · ".join((f"{said['route']} · {points}", *parts))


def _call(said: Mapping[str, Any]) -> str:
    departed = "there now" if said["departed"] is None else f"to {_moment(said['departed'])}"
    return (
        f"{said['port']} {said['facility']} · {_moment(said['arrived'])} {departed} · "
        f"ship's level {said['ship_level']}, port's {said['port_level']} · "
        f"DoS {in_words(said['declaration_of_security'])} · "
        f"stowaway search {in_words(said['stowaway_search'])}"
    )


_Words: TypeAlias = "Callable[[Mapping[str, Any]], str]"
_WORDS: Final[Mapping[str, _Words]] = {
    "alert.changed": _alert,
    "test.result": lambda said: (
        f"{said['name']} {said['test']} · {PAPER[said['outcome']]} · {said['reason']}"
    ),
    "watch.taken": lambda said: (
        f"watch taken at {said['station']}"
        + (f", {said['relieved']} relieved" if said.get("relieved") else "")
    ),
    "watch.ended": lambda said: f"watch ended at {said['station']}: {said['person']} left the ship",
    "station.heard": lambda said: f"test sound heard at {said['station']}",
    "permit.given": lambda said: (
        f"{said['name']} · {said['person']}, {said['work']} · {said['minutes']} min"
    ),
    "permit.ended": lambda said: f"{said.get('name', said['door'])} · {said['person']}",
    "threat.changed": lambda said: f"threat area {'entered' if said['on'] else 'left'}",
    "ais.order": lambda said: (
        f"AIS off by order of {said['by_order_of']}" if said["off"] else "AIS on again"
    ),
    "interference_area.changed": lambda said: (
        f"interference area {said['area']} · "
        + (f"{said['hours']} h" if said["hours"] else "ended")
    ),
    "situation.changed": lambda said: f"{said['from']} to {said['to']}",
    "level.changed": lambda said: (
        f"security level {said['from']} to {said['to']}, told by {said['told_by']}"
    ),
    "level.in_force": lambda said: (
        f"measures of security level {said['level']} in force {_moment(said['in_force'])}, "
        f"acknowledged {_moment(said['acknowledged'])}"
    ),
    "port_level.changed": lambda said: (
        f"port's security level {said['to']}, told by {said['told_by']}; ship's {said['ship']}"
    ),
    "inhibit.given": lambda said: f"{said['title']} {said['name']} · {said['minutes']} min",
    "inhibit.ended": lambda said: f"{said['title']} {said['name']} · {said['how']}",
    "curtain.changed": lambda said: f"curtain {'down' if said['down'] else 'up'}",
    "visitor_view.changed": lambda said: (
        f"visitor view on until {_moment(said['ends'])}" if said["on"] else "visitor view off"
    ),
    "blackout.planned": lambda said: f"{_moment(said['begins'])} to {_moment(said['ends'])}",
    "out_of_service.begun": lambda said: (
        f"{said['name']} · {said['reason']} · instead: {said['measure']} · {said['hours']} h"
    ),
    "out_of_service.proposed": lambda said: (
        f"{said['name']} · {said['reason']} · instead: {said['measure']} · {said['hours']} h"
    ),
    "out_of_service.checked": lambda said: f"{said['name']} · {said['found']}",
    "out_of_service.ended": lambda said: f"{said['name']} · {said['how']}",
    "tests.planned": lambda said: f"{len(said['tests'])} tests in the plan",
    "drill.held": _held,
    "exercise.held": _held,
    "port.call": _call,
    "port.arrived": lambda said: (
        f"{said['port']} {said['facility']} · {_moment(said['arrived'])} · "
        f"ship's level {said['ship_level']}, port's {said['port_level']} · "
        f"DoS {in_words(said['declaration_of_security'])}"
    ),
    "port.departed": lambda said: (
        f"{said['port']} · {_moment(said['departed'])} · "
        f"stowaway search {in_words(said['stowaway_search'])}"
    ),
    "declaration.agreed": lambda said: (
        f"{said['with_whom']} · {_moment(said['from'])} to {_moment(said['until'])} · "
        f"levels {said['ship_level']} and {said['other_level']}"
    ),
    "round.done": _round,
    "seal.fitted": lambda said: f"{said['seal']} no. {said['number']} · {said['fitted_by']}",
    "seal.removed": lambda said: (
        f"{said['seal']} no. {said['number']} · {said['removed_by']} · {said['why']}"
    ),
    "defect.opened": lambda said: (
        f"{said['defect']} {said['name']} · {said['found']} · "
        f"instead: {said['measure'] or 'nothing yet'}"
    ),
    "defect.again": lambda said: (
        f"{said['defect']} found again, {said['times']} times · {said['found']}"
    ),
    "defect.changed": _defect_changed,
    "defect.closed": lambda said: f"{said['defect']} {said['name']} · closed: {said['by']}",
    "entry.amended": _amended,
    "attachment.added": lambda said: (
        f"file to no. {said['to']['seq']} · {said['what']} · {said['name'] or 'no name'}"
    ),
    "period.reviewed": _counted,
    "crew.listed": lambda said: f"{len(said['persons'])} persons on board",
    "duty.handed_over": lambda said: (
        f"duty of {_named(said['role'])}: {said['from']} to {said['to']}"
    ),
    "person.key": lambda said: f"the key with which {said['person']} signs from now on",
    "record.exported": lambda said: (
        f"{said['what']} for {said['to_whom']} · {_moment(said['from'])} to {_moment(said['to'])} · "
        f"as {said['format']}" + (f" · consent of {said['consent']}" if said["consent"] else "")
    ),
    "segment.opened": lambda said: (
        f"segment {said['origin'].rpartition('/')[2]} begins · {said['reason']}"
    ),
    "period.verified": lambda said: (
        f"no. {said['from']} to {said['up_to']} verified, as reviewed by {said['reviewed_by']}"
    ),
}
