"""What has the SSO to know at 0800? One screen: the night, what runs on, what is due, what is broken, who vouches.

*Seen* is an entry by name; the next morning begins where it ended. What came after the page was made is not seen.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.errors import RefusedError
from daemon.review import calendar, overnight
from daemon.review.page import Act, Page
from daemon.review.typed import Number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from daemon.model import Json
    from daemon.review.reader import Doer, Reader

SEEN: Final = "morning.seen"
FIRST_LOOK: Final = timedelta(hours=24)
"""How far the first look of all goes back."""
A_PAGE: Final = 1000
MOST_PAGES: Final = 10
MOST_DUE: Final = 10
TO_DO: Final = ("overdue", "missed", "not done", "not proven", "due")
"""Of the worklist; the others are shown by themselves."""


async def read(reader: Reader, asked: Mapping[str, str]) -> Mapping[str, Json]:
    """Return what the page says; ``night=before`` asks again for the night that was seen last."""
    seen = await _seen(reader)
    before = asked.get("night") == "before" and bool(seen)
    begin = seen[1:] if before else seen
    entries, newest, is_cut = await _night(reader, begin[0] if begin else None)
    if before:
        entries = [each for each in entries if each["seq"] <= seen[0]["up_to"]]
    status = await reader.ask("status", sso=True)
    return {
        "seen": seen[0] if seen else None,
        "before": before,
        "since": begin[0]["at"] if begin else forms.utc(reader.now_utc - FIRST_LOOK),
        "newest": newest,
        "cut": is_cut,
        "night": overnight.lines(entries),
        "doors": overnight.doors((await reader.ask("doors.counted"))["doors"]),
        "alerts": [_alert(each) for each in status["alerts"]],
        "runs": [*_runs(reader, status)],
        "watch": [_watch(each) for each in status["stations"]],
        **await _due(reader),
        "defects": (await reader.ask("defects"))["defects"],
        "record": await reader.ask("record.stands"),
    }


async def _seen(reader: Reader) -> list[dict[str, Any]]:
    """Return the last two times that somebody said *Seen*, the newest first."""
    said = await reader.ask("log", type=SEEN, count=2)
    found = [json.loads(entry) for entry in reversed(said["entries"])]
    return [
        {"by": each["actor"]["person"], "at": each["at"], "up_to": each["open"]["up_to"]}
        for each in found
    ]


async def _night(
    reader: Reader, since: Mapping[str, Any] | None
) -> tuple[list[dict[str, Any]], int, bool]:
    """Return what was written since, the number of the last, and whether more was written than is read here."""
    begin: dict[str, Json] = (
        {"since": forms.utc(reader.now_utc - FIRST_LOOK)}
        if since is None
        else {"after": since["up_to"]}
    )
    entries: list[dict[str, Any]] = []
    newest = 0 if since is None else int(since["up_to"])
    for _ in range(MOST_PAGES):
        said = await reader.ask("log", **begin, forward=True, count=A_PAGE)
        entries += [json.loads(entry) for entry in said["entries"]]
        if said["next"] is None:
            return entries, max(newest, int(said["newest"])), False
        newest = int(said["next"])
        begin = {**begin, "after": newest}
    return entries, newest, True


def _alert(said: Mapping[str, Any]) -> Json:
    return {name: said[name] for name in ("priority", "title", "name", "state", "action")}


def _runs(reader: Reader, status: Mapping[str, Any]) -> Iterator[Json]:
    """Yield permits, inhibits and what else people have ordered that ends by itself."""
    for door in status["openings"]:
        if (permit := door["permit"]) is not None:
            ends = forms.utc(reader.now_utc + timedelta(seconds=permit["left_s"]))
            yield _line("permit", door["name"], f"{permit['person']}, {permit['work']}", ends)
    ordered = status["ordered"]
    for each in ordered["inhibits"]:
        what = f"{each['title']} {each['name']}"
        yield _line("inhibited", what, f"{each['by']}: {each['reason']}", each["ends"])
    for each in ordered["out_of_service"]:
        why = f"{each['reason']}; instead: {each['measure']}"
        yield _line("out of service", each["name"], why, each["ends"])
    if (blackout := ordered["blackout"]) is not None:
        yield _line("blackout", "planned", str(blackout["by"]), blackout["ends"])


def _line(kind: str, what: str, why: str, ends: str) -> Json:
    return {"kind": kind, "what": what, "why": why, "ends": ends}


def _watch(station: Mapping[str, Any]) -> Json:
    return {name: station[name] for name in ("id", "person", "live", "sound_armed")}


async def _due(reader: Reader) -> dict[str, Json]:
    """Return what is to be done today: what the worklist has, and what falls due before the ship's day ends."""
    items = (await reader.ask("worklist"))["items"]
    due = [each for each in items if each["state"] in TO_DO]
    coming = await reader.ask("tests.coming", until=calendar.today(reader).isoformat())
    later = [
        {"name": test["name"], "test": test["test"], "due": test["due"]}
        for day in coming["days"]
        for test in day["tests"]
        if not test.get("now") and test["due"] is not None and test["mode"] != "automatic"
    ]
    return {"due": due[:MOST_DUE], "more_due": max(0, len(due) - MOST_DUE), "later": later}


async def seen(doer: Doer, said: Mapping[str, Json]) -> Mapping[str, Json]:
    """Write that the night was seen, up to the entry that the page showed last.

    Raises:
        RefusedError: There is no such entry, or somebody has seen as much already.
    """
    up_to = said["up_to"]
    newest = (await doer.ask("log", count=1))["newest"]
    before = await _seen(doer)
    if not isinstance(up_to, int) or up_to > newest:
        raise RefusedError(f"there is no entry {up_to} yet")
    if before and up_to <= before[0]["up_to"]:
        raise RefusedError(f"seen by {before[0]['by']} already")
    begin: Json = before[0]["up_to"] if before else None
    return {"recorded": await doer.write(SEEN, "record", {"up_to": up_to, "after": begin})}


PAGE = Page(
    name="morning",
    title="Morning",
    read=read,
    acts={"seen": Act(fields=(Number("up_to", least=1),), run=seen)},
    order=10,
)
