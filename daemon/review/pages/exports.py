"""Which papers can be made, how far has each come, where is it fetched? ``ispsd export`` with a browser.

The daemon has a paper made in a process of its own and keeps it for an hour, for this person in this login.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.errors import RefusedError
from daemon.model import Role
from daemon.papers import release, spans
from daemon.papers.steps import Part
from daemon.review.page import Act, File, Page
from daemon.review.typed import Choice, Number, Pin, Text, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.review.reader import Reader

WHATS: Final[Mapping[str, str]] = {
    "test-log": "Equipment test log",
    "psc": "Port state control pack",
    "rso": "Security audit pack (company, RSO)",
    "test": "Record of one test",
    "drills": "Drill log",
    "gnss": "GNSS interference report",
    "digest": "The week for the company",
}
FORMATS: Final[Mapping[str, str]] = {
    "pdf": "PDF, for people",
    "csv": "CSV, for a spreadsheet",
    "jsonl": "JSON lines, for the verifier",
}

MOST_LATELY: Final = 10
PARTS: Final[Mapping[Part, str]] = {
    Part.SNAPSHOT: "snapshot",
    Part.WAITING: "its turn",
    Part.READING: "entries read",
    Part.VERIFYING: "verified",
    Part.SETTING: "pages set",
    Part.WRITING: "written",
}


async def read(reader: Reader, _: Mapping[str, str]) -> Mapping[str, Json]:
    """Return what can be ordered, and how the orders of this login stand."""
    orders = await reader.ask("export.progress", by=reader.person, login=reader.login)
    crew = (await reader.ask("crew"))["persons"]
    return {
        "orders": orders["orders"],
        "is_running": any(each["state"] == "running" for each in orders["orders"]),
        "whats": {what: WHATS.get(what, what) for what in release.WHATS},
        "formats": dict(FORMATS),
        "parts": {part.value: PARTS[part] for part in Part},
        "lately": await _lately(reader),
        "masters": [each["name"] for each in crew if Role.MASTER.value in each["roles"]],
    }


async def _lately(reader: Reader) -> list[Json]:
    """Return the newest releases of the record, whoever ordered them and however, each with how it ended."""
    ends: dict[object, Mapping[str, Any]] = {}
    for type_ in ("export.written", "export.failed"):
        page = await reader.ask("log", type=type_, count=2 * MOST_LATELY)
        for body in page["entries"]:
            entry = json.loads(body)
            ends[entry["open"]["export"]] = entry
    begun = await reader.ask("log", type="record.exported", count=MOST_LATELY)
    return [_ended(json.loads(body), ends) for body in reversed(begun["entries"])]


def _ended(begun: Mapping[str, Any], ends: Mapping[object, Mapping[str, Any]]) -> dict[str, Json]:
    said, end = begun["open"], ends.get(begun["seq"])
    told: Mapping[str, Any] = {} if end is None else end["open"]
    return {
        "seq": begun["seq"],
        "at": begun["at"],
        "person": begun["actor"]["person"],
        **{name: said.get(name) for name in ("what", "format", "to_whom", "consent")},
        "ended": None if end is None else end["seq"],
        "sha256": told.get("sha256"),
        "reason": told.get("reason"),
    }


def order(said: Mapping[str, Any], _: str) -> Mapping[str, Json]:
    """Return the request for a paper: days become moments, the last one with all of it."""
    begins, ends = said.get("from"), said.get("to")
    return {
        **said,
        "from": None if begins is None else forms.utc(spans.moment(begins)),
        "to": None if ends is None else forms.utc(spans.end(ends)),
    }


async def paper(reader: Reader, asked: Mapping[str, str]) -> File:
    """Return a piece of a finished paper.

    Raises:
        RefusedError: There is none of that name in this login.
    """
    file, offset = (number(asked.get(name, "0")) for name in ("file", "offset"))
    if file is None or offset is None:
        raise RefusedError("there is no such paper")
    piece = await reader.ask(
        "export.fetch",
        by=reader.person,
        login=reader.login,
        id=asked.get("id", ""),
        file=file,
        offset=offset,
    )
    body = base64.b64decode(piece["body"])
    return File(piece["name"], piece["media"], body, piece["size"])


PAGE = Page(
    name="exports",
    title="Papers",
    read=read,
    order=80,
    files={"paper": paper},
    acts={
        "order": Act(
            do="export.order",
            in_login=True,
            fields=(
                Choice("what", release.WHATS),
                Choice("format", release.FORMATS),
                Text("from", wanted=False, longest=40),
                Text("to", wanted=False, longest=40),
                Text("to_whom"),
                Text("consent", wanted=False),
                Number("seq", wanted=False, least=1),
                Pin(),
            ),
            shape=order,
        ),
        "cancel": Act(do="export.cancel", in_login=True, fields=(Text("id", longest=40),)),
    },
)
