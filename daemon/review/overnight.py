"""What happened since somebody last said *Seen*? The record's entries in at most twenty lines, the worst first.

What belongs together is one line: an alert with how often and by whom it was acknowledged, all use of doors, all steps
of the clock. What has no line is counted, never silently left out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from daemon.papers.words import RESULT, SAT
from daemon.wording.terminal import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from daemon.model import Json

MOST_LINES: Final = 20
MOST_NAMES: Final = 6
LONGEST: Final = 160
OUTCOMES: Final = {outcome: word for outcome, word in RESULT.items() if word != SAT}
_ALERT_RANK: Final = {"A": 0, "W": 1, "C": 5}
_OVER: Final = "N"
_LAST: Final = 99
_STRANGE: Final = (KeyError, TypeError, ValueError, AttributeError)
"""What an entry of another version brings about: it breaks no morning."""


@dataclass(slots=True)
class Group:
    """Entries that are one line.

    Attributes:
        rank: The lowest is read first.
        first: When the first of them was written.
        last: And the last.
        seq: The number of the last.
        said: What each says.
    """

    rank: int
    first: str
    last: str
    seq: int
    said: list[Mapping[str, Any]] = field(default_factory=list)


def lines(entries: Iterable[Mapping[str, Any]]) -> dict[str, Json]:
    """Return the lines and how many groups have none, from entries in their order."""
    groups, strange = _grouped(entries)
    told = []
    for key, group in sorted(groups.items(), key=lambda pair: (pair[1].rank, pair[1].first)):
        try:
            words = _words(key, group)
        except _STRANGE:
            strange.append(group.last)
            continue
        if words:
            told.append((words, group))
    if strange:
        what = "an entry" if len(strange) == 1 else f"{len(strange)} entries"
        unread = Group(_LAST, strange[0], strange[-1], 0)
        told.append((f"{what} of another version: read it in the record", unread))
    shown = told if len(told) <= MOST_LINES else told[: MOST_LINES - 1]
    return {
        "lines": [
            {
                "text": shortened(words, LONGEST),
                "first": group.first,
                "last": group.last,
                "seq": group.seq or None,
                "loud": group.rank <= 1,
            }
            for words, group in shown
        ],
        "more": len(told) - len(shown),
    }


def _grouped(
    entries: Iterable[Mapping[str, Any]],
) -> tuple[dict[tuple[str, ...], Group], list[str]]:
    """Return what belongs together, and when that was written which nobody here can read."""
    groups: dict[tuple[str, ...], Group] = {}
    strange: list[str] = []
    for entry in entries:
        try:
            key, rank = _key(entry), _rank(entry)
        except _STRANGE:
            strange.append(entry["at"])
            continue
        if key is None:
            continue
        group = groups.setdefault(key, Group(rank, entry["at"], entry["at"], entry["seq"]))
        group.rank = min(group.rank, rank)
        group.last, group.seq = entry["at"], entry["seq"]
        who = {"by": entry["actor"]["person"], "about": entry["subject"]}
        group.said.append({**entry["open"], **who})
    return groups, strange


def _key(entry: Mapping[str, Any]) -> tuple[str, ...] | None:
    type_, said = str(entry["type"]), entry["open"]
    if type_ == "alert.changed":
        return type_, str(said["title"]), str(said["name"])
    if type_ == "test.result":
        return (type_, str(said["test"])) if said.get("outcome") in OUTCOMES else None
    if type_ in {"daemon.started", "daemon.stopped"}:
        return ("daemon",)
    return (type_,) if type_ in _SAYS else None


def _rank(entry: Mapping[str, Any]) -> int:
    type_, said = str(entry["type"]), entry["open"]
    if type_ == "alert.changed":
        return _ALERT_RANK.get(str(said["priority"]), 5)
    if type_ == "test.result":
        return 2 if said.get("outcome") == "failed" else 6
    return _RANKS.get(type_, 7)


def _words(key: tuple[str, ...], group: Group) -> str:
    match key[0]:
        case "alert.changed":
            return _alert(key, group.said)
        case "test.result":
            said = group.said[-1]
            return f"{said['name']}, {key[1]}: {OUTCOMES[said['outcome']]}, {said['reason']}"
        case "daemon":
            return _daemon(group.said)
        case type_:
            return _SAYS[type_](group.said)


def _alert(key: tuple[str, ...], said: list[Mapping[str, Any]]) -> str:
    """Return an alert's line; one that only ended in this time was told before."""
    raised = {each["instance"] for each in said if each["event"] == "condition_true"}
    by = {
        str(each["acknowledged_by"]["person"] or each["acknowledged_by"]["station"])
        for each in said
        if each.get("acknowledged_by")
    }
    times = f", {len(raised)} times" if len(raised) > 1 else ""
    over = "over" if said[-1]["state"] == _OVER else "STANDS"
    acknowledged = f", ack. {_names(by)}" if by else ""
    return f"{key[2]}: {key[1]}{times}, {over}{acknowledged}"


def _daemon(said: list[Mapping[str, Any]]) -> str:
    starts = sum("software" in each for each in said)
    stops = len(said) - starts
    if not starts:
        return "ispsd was stopped"
    times = "" if starts == 1 else f" {starts} times"
    unclean = "" if stops >= starts else ", without an orderly stop before"
    return f"ispsd was started{times}{unclean}"


def _clock(said: list[Mapping[str, Any]]) -> str:
    widest = max(said, key=lambda each: abs(int(each["milliseconds"])))
    times = f", {len(said)} times" if len(said) > 1 else ""
    return f"the clock was stepped by {int(widest['milliseconds']) / 1000:+.1f} s{times}"


def _gap(said: list[Mapping[str, Any]]) -> str:
    return f"GAP: {sum(int(each['lost']) for each in said)} entries could not be recorded"


def _days_of_doors(said: list[Mapping[str, Any]]) -> str:
    # A stop writes what the day has counted so far, and the day goes on from there: its newest entry says all of it.
    newest = {str(each["day"]): each["doors"] for each in said}
    return doors(door for day in newest.values() for door in day)


def doors(said: Iterable[Mapping[str, Any]]) -> str:
    """Return how often which doors were used; an empty text where none was."""
    used: Counter[str] = Counter()
    for door in said:
        used[str(door["door"]).upper()] += int(door["cycles"])
    used = +used  # a door that was opened and not closed yet has no cycle
    if not used:
        return ""
    most = ", ".join(f"{door} {count}" for door, count in used.most_common(MOST_NAMES))
    rest = f" and {len(used) - MOST_NAMES} more" if len(used) > MOST_NAMES else ""
    times = "once" if used.total() == 1 else f"{used.total()} times"
    return f"doors used {times}: {most}{rest}"


def _counted(one: str, many: str, name: str) -> Callable[[list[Mapping[str, Any]]], str]:
    def told(said: list[Mapping[str, Any]]) -> str:
        named = list(dict.fromkeys(str(each.get(name) or "?") for each in said))
        return f"{one if len(said) == 1 else many.format(len(said))}: {_names(named)}"

    return told


def _changed(what: str) -> Callable[[list[Mapping[str, Any]]], str]:
    def told(said: list[Mapping[str, Any]]) -> str:
        return f"{what} {said[0]['from']} to {said[-1]['to']}, by {said[-1]['by'] or 'ispsd'}"

    return told


def _names(named: Iterable[str]) -> str:
    every = list(named)
    more = f" and {len(every) - MOST_NAMES} more" if len(every) > MOST_NAMES else ""
    return ", ".join(sorted(every[:MOST_NAMES])) + more


_SAYS: Final[Mapping[str, Callable[[list[Mapping[str, Any]]], str]]] = {
    "record.gap": _gap,
    "clock.stepped": _clock,
    "doors.counted": _days_of_doors,
    "login.locked": _counted("PIN locked", "PINs locked {} times", "person"),
    "command.refused": _counted("commands refused of", "commands refused {} times, of", "station"),
    "driver.fault": _counted("a driver failed", "drivers failed {} times", "about"),
    "test.missed": _counted("test missed", "{} tests missed", "about"),
    "defect.opened": _counted("defect found", "{} defects found", "name"),
    "defect.closed": _counted("defect closed", "{} defects closed", "name"),
    "permit.given": _counted("permit to open", "{} permits to open", "name"),
    "inhibit.given": _counted("inhibited", "inhibited {} times", "name"),
    "out_of_service.begun": _counted("out of service", "{} out of service", "name"),
    "level.changed": _changed("security level"),
    "situation.changed": _changed("situation"),
    "watch.taken": _counted("watch taken by", "watch taken {} times, by", "by"),
}
"""What an entry of each type says in the morning; others are for whoever reads the whole record."""
_RANKS: Final[Mapping[str, int]] = {
    "record.gap": 1,
    "login.locked": 2,
    "level.changed": 2,
    "daemon.started": 3,
    "daemon.stopped": 3,
    "clock.stepped": 3,
    "driver.fault": 3,
    "test.missed": 4,
    "defect.opened": 4,
    "command.refused": 5,
    "situation.changed": 6,
    "out_of_service.begun": 6,
    "inhibit.given": 6,
    "permit.given": 7,
    "defect.closed": 8,
    "doors.counted": 8,
    "watch.taken": 9,
}
