"""What is broken, since when, what is done instead, who knows, and what closes it? ``ispsd defect`` with a browser.

A defect that a test found is closed when that test passes again, and by nobody's word; so there is no act for it here
but that SSO and Master together say that its equipment is on board no more.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from daemon.errors import RefusedError
from daemon.papers import view
from daemon.review import entries
from daemon.review.page import Act, Page
from daemon.review.typed import Choice, Pin, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.review.reader import Reader

CHANGED: Final = "defect-changed"
FORMS: Final = (CHANGED, "defect-told", "repair", "defect-closed")
"""What people enter about one defect; the last of a defect alone that no test has found."""
CLOSED: Final = "defect.closed"
MOST_CLOSED: Final = 50


async def read(reader: Reader, asked: Mapping[str, str]) -> Mapping[str, Json]:
    """Return the open defects, or one with all that was said of it; closed ones where they are asked for."""
    number = asked.get("defect", "")
    if number and not reader.is_psc:
        with suppress(RefusedError):  # it has been closed: the list says so
            return await _one(reader, number, asked)
    found = (await reader.ask("defects"))["defects"]
    closed = await _closed(reader) if asked.get("closed") == "1" else None
    said: dict[str, Json] = {
        "defects": [_psc(each) if reader.is_psc else each for each in found],
        "one": None,
        "closed": closed,
    }
    return said


async def _one(reader: Reader, number: str, asked: Mapping[str, str]) -> Mapping[str, Json]:
    found = await reader.ask("defects", defect=number)
    [defect] = found["defects"]
    named = asked.get("form", CHANGED)
    allowed = FORMS if defect["test"] is None else FORMS[:-1]
    form = entries.drawn(await entries.listed(reader), named if named in allowed else CHANGED)
    known: dict[str, Json] = {
        name: defect[name] for name in ("defect", "equipment", "name", "test") if defect.get(name)
    }
    fields = {field["name"] for field in form["fields"]}
    return {
        "defects": [defect],
        "one": number,
        "closed": None,
        "entries": found["entries"],
        "forms": list(allowed),
        "form": form,
        "given": {name: value for name, value in known.items() if name in fields},
    }


async def _closed(reader: Reader) -> list[Json]:
    page = await reader.ask("log", type=CLOSED, count=MOST_CLOSED)
    found = []
    for body in reversed(page["entries"]):
        entry: Mapping[str, Any] = json.loads(body)
        said = entry["open"]
        retest = said.get("retest")
        closed: dict[str, Json] = {
            "seq": entry["seq"],
            "at": entry["at"],
            "defect": said.get("defect"),
            "equipment": said.get("equipment"),
            "name": said.get("name"),
            "by": said.get("by"),
            "retest": retest.get("seq") if isinstance(retest, dict) else None,
            "person": entry["actor"]["person"],
        }
        found.append(
            _psc(closed) | {"seq": entry["seq"], "at": entry["at"]} if reader.is_psc else closed
        )
    return [*found]


def _psc(defect: Mapping[str, Any]) -> dict[str, Json]:
    """Return what a pack for port state control says of a defect: no words of the ship's own (ISPS A/9.8.1)."""
    told: list[Json] = [
        {"who": each.get("who"), "at": each.get("at")} for each in defect.get("told") or ()
    ]
    return {
        "defect": defect["defect"],
        "equipment": generic(str(defect.get("equipment") or "")),
        "found_at": defect.get("found_at"),
        "has_measure": bool(defect.get("measure")),
        "told": told,
        "retest": defect.get("retest"),
    }


def generic(id_: str) -> str:
    """Return equipment as a paper for port state control calls it."""
    id_ = id_.casefold()
    if "ssas" in id_:
        return "SSAS"
    return view.generic(id_) or "Equipment"


def removed(said: Mapping[str, Any], person: str) -> Mapping[str, Json]:
    """Return the request of two that equipment is on board no more."""
    return {
        "defect": said["defect"],
        "reason": said["reason"],
        "by": [person, said["other"]],
        "pins": [said["pin"], said["pin_of_other"]],
    }


def document(asked: Mapping[str, str]) -> str:
    """Return what is read, as its entry names it."""
    number = asked.get("defect", "")[:20]
    return (
        f"defect {number}"
        if number
        else "closed defects"
        if asked.get("closed") == "1"
        else "defects"
    )


PAGE = Page(
    name="defects",
    title="Defects",
    read=read,
    order=50,
    psc=True,
    document=document,
    acts={
        "enter": Act(
            do=entries.ENTER.do,
            fields=(Choice("form", FORMS), *entries.ENTER.fields[1:]),
            shape=entries.ENTER.shape,
        ),
        "removed": Act(
            do="defect.removed",
            fields=(
                Text("defect", longest=20),
                Text("reason"),
                Text("other"),
                Pin(),
                Pin("pin_of_other"),
            ),
            shape=removed,
            to="defects",
        ),
    },
)
