"""Who is on board and what may each do, which stations are attended, and who reads what? The access list, as it is now.

Of a PIN it says that it is set, or until when it is locked, and never more.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from daemon.model import Role
from daemon.people import authority
from daemon.people.authority import HANDED_OVER, Ask, Cell
from daemon.people.authority import Act as Authority
from daemon.review.page import Act, Page
from daemon.review.typed import Choice, Pin, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.review.reader import Reader

CERTIFICATE: Final = "certificate.entered"
MOST_CERTIFICATES: Final = 200
SHOWN: Final = (Role.SSO.value, Role.MASTER.value, Role.CSO.value)
"""Duties that a pack for port state control names."""
STATION: Final = ("id", "person", "live", "sound_armed", "sounder", "heard", "heard_by", "lacks")
ASKS: Final[Mapping[Ask, str]] = {
    Ask.NOTHING: "yes",
    Ask.PIN: "PIN",
    Ask.SIGNATURE: "PIN, signed",
}
COLUMNS: Final[Mapping[Role, str]] = {
    Role.OFFICER: "Officer",
    Role.GANGWAY: "Gangway",
    Role.ENGINEER: "Engineer",
    Role.ETO: "ETO",
    Role.DEPUTY_SSO: "Deputy SSO",
    Role.SSO: "SSO",
    Role.MASTER: "Master",
}
READS: Final = (
    (
        "Watch stations",
        "doors by their short names, alerts, readiness, entries of class watch without their parts",
    ),
    (
        "SSO's and Master's stations",
        "places, worklist, SSAS due dates and tests, beside what the watch reads",
    ),
    (
        "These pages",
        "SSO, Master, deputy SSO: everything of the record but PINs and keys; each view is an entry",
    ),
    ("PSC mode, PSC pack", "what ISPS A/9.8.1 leaves open: generic names, dates, results"),
    ("Citadel stations", "the watch's topics while the curtain is down"),
    ("CSO, company", "papers and the weekly file that SSO or Master release, each an entry"),
)


async def read(reader: Reader, _: Mapping[str, str]) -> Mapping[str, Json]:
    """Return persons, stations and the table of authority; to port state control who SSO and Master are (A/9.8.1)."""
    crew = await reader.ask("crew")
    if reader.is_psc:
        return {"persons": [_shown(each) for each in crew["persons"] if _is_named(each)]}
    pins, status = await reader.ask("pins"), await reader.ask("status", sso=True)
    papers = await _certificates(reader)
    return {
        "persons": [_person(each, pins["persons"], papers) for each in crew["persons"]],
        "new": crew["new"],
        "drill_by": crew["drill_by"],
        "envelope": pins["envelope"],
        "unreadable": pins["unreadable"],
        "stations": [{name: each[name] for name in STATION} for each in status["stations"]],
        "columns": list(COLUMNS.values()),
        "acts": _table(),
        "reads": [list(each) for each in READS],
        "duties": sorted(HANDED_OVER),
        "names": [each["name"] for each in crew["persons"]],
    }


def _is_named(member: Mapping[str, Any]) -> bool:
    """Return whether a pack for port state control names this person and his duty."""
    return not set(SHOWN).isdisjoint(member["roles"])


def _shown(member: Mapping[str, Any]) -> dict[str, Json]:
    roles: list[Json] = [role for role in member["roles"] if role in SHOWN]
    return {
        "name": member["name"],
        "rank": member["rank"],
        "roles": roles,
        "joined": member["joined"],
    }


def _person(
    member: Mapping[str, Any], pins: Mapping[str, Any], papers: Mapping[str, list[Json]]
) -> dict[str, Json]:
    pin = pins.get(member["name"], {"is_set": False, "locked_until": None})
    return {
        **{name: member[name] for name in ("name", "rank", "roles", "joined", "drilled")},
        "is_set": pin["is_set"],
        "locked_until": pin["locked_until"],
        "papers": papers.get(member["name"].casefold(), []),
    }


async def _certificates(reader: Reader) -> dict[str, list[Json]]:
    """Return the newest paper of each name that a person holds, by the person."""
    page = await reader.ask("log", type=CERTIFICATE, count=MOST_CERTIFICATES)
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for body in page["entries"]:
        said = json.loads(body)["open"]
        if holder := said.get("holder"):
            newest[str(holder).casefold(), str(said["name"]).casefold()] = said
    found: dict[str, list[Json]] = {}
    for (holder, _), said in sorted(newest.items()):
        found.setdefault(holder, []).append(
            {name: said.get(name) for name in ("name", "number", "expires")}
        )
    return found


def _table() -> list[Json]:
    return [
        {"act": act.value, "cells": [_words(authority.TABLE[act].get(role)) for role in COLUMNS]}
        for act in Authority
    ]


def _words(cell: Cell | None) -> str:
    """Return a cell of the table: ``PIN, at most 60 min``; "" for no."""
    if cell is None:
        return ""
    parts = [ASKS[cell.ask]]
    if cell.limit_min is not None:
        hours, minutes = divmod(cell.limit_min, 60)
        parts.append(
            f"at most {hours} h" if not minutes and hours > 1 else f"at most {cell.limit_min} min"
        )
    if cell.only is not None:
        parts.append(cell.only.value)
    return ", ".join(parts)


def handed_over(said: Mapping[str, Any], person: str) -> Mapping[str, Json]:
    """Return the request to hand a duty over: who is logged in gives it."""
    return {
        "role": said["role"],
        "by": [person, said["to"]],
        "pins": [said["pin"], said["pin_of_other"]],
    }


PAGE = Page(
    name="persons",
    title="Persons, stations",
    read=read,
    order=70,
    psc=True,
    acts={
        "reset": Act(do="pin.reset", fields=(Text("whose"), Pin())),
        "handover": Act(
            do="handover",
            fields=(
                Choice("role", tuple(sorted(HANDED_OVER))),
                Text("to"),
                Pin(),
                Pin("pin_of_other"),
            ),
            shape=handed_over,
        ),
    },
)
