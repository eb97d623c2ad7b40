"""The list of what is broken: how each defect stands, what was done about it, and equipment that is no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.book import defects, when
from daemon.control import fields
from daemon.errors import RefusedError
from daemon.model import Classification, Role
from daemon.people.authority import COMMAND, Act
from daemon.record import fold
from daemon.record.entry import Draft
from daemon.record.reader import Query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.book.defects import Relied
    from daemon.book.desk import Desk
    from daemon.book.standing import Standing
    from daemon.model import Json
    from daemon.people.claims import By
    from daemon.record.entry import Entry

MOST_ENTRIES: Final = 100
"""Entries about one defect in an answer."""


class DefectList:
    """Shows defects, and takes the word of two that equipment was removed."""

    def __init__(self, desk: Desk, standing: Standing, relied: Relied) -> None:
        self._desk = desk
        self._standing = standing
        self._relied = relied

    def open_now(self) -> list[dict[str, Json]]:
        """Return the open defects as they stand, by number."""
        return [self._stands(opened) for opened in self._standing.defects().values()]

    def _stands(self, opened: Mapping[str, Json]) -> dict[str, Json]:
        return defects.standing(opened, self._standing.of(fold.DEFECT_SAID), self._relied)

    async def show(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return every open defect, or one of them with what was said of it.

        Raises:
            RefusedError: There is no such open defect, or the record cannot be read.
        """
        named = fields.optional_text(request, "defect")
        if named is None:
            return {"defects": [*self.open_now()]}
        opened = self._opened(named)
        number = str(opened["defect"])
        about = await self._desk.entries(
            Query(subject=number, newest_first=True, limit=MOST_ENTRIES)
        )
        return {
            "defects": [self._stands(opened)],
            "entries": [_line(each) for each in reversed(about)],
        }

    async def remove(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Close a defect because its equipment is on board no more: SSO and Master together, with the reason.

        Raises:
            RefusedError: Not these two, not proven, no reason, or no such open defect.
        """
        claims = fields.claims(request, count=2)
        reason = fields.text(request, "reason")
        self._opened(fields.text(request, "defect"))
        by, other = await self._desk.two(claims, Act.ENTER)
        must_be_sso_and_master(by, other)
        async with self._desk.turn:
            opened = self._opened(fields.text(request, "defect"))
            now_utc = self._desk.now_utc()
            done = when.done_at(None, {}, (), now_utc=now_utc)
            frame = when.frame(done, now_utc=self._desk.clock.utc(), is_trusted=now_utc is not None)
            said: dict[str, Json] = {
                **{name: opened.get(name) for name in ("defect", "test", "item", "equipment")},
                "name": opened.get("name"),
                "by": f"equipment removed: {reason}",
                "removed_by": [by.person.name, other.person.name],
            }
            draft = Draft(
                kind=defects.KIND,
                type=defects.CLOSED,
                subject=str(opened["equipment"]).lower(),
                classification=Classification.SSO,
                actor=by.actor(),
                open={**said, **frame},
            )
            return {"recorded": await self._desk.write(draft, by), "defect": opened["defect"]}

    def _opened(self, named: str) -> Mapping[str, Json]:
        open_now, number = self._standing.defects(), named.lower()
        if number not in open_now:
            raise RefusedError(f"{number} is not open; open are {', '.join(open_now) or 'none'}")
        return open_now[number]


def must_be_sso_and_master(by: By, other: By) -> None:
    """Refuse two who are not the SSO and the Master; where one is both, the deputy SSO is the other.

    Raises:
        RefusedError: They are not, or they are the same person.
    """
    if by.person.name == other.person.name:
        raise RefusedError("two different persons are wanted")
    if not by.person.roles & COMMAND:
        raise RefusedError(f"{by.person.name} is neither SSO nor Master")
    may_join = COMMAND | {Role.DEPUTY_SSO}
    if not by.person.roles | other.person.roles >= COMMAND or not other.person.roles & may_join:
        raise RefusedError(
            "the SSO and the Master are wanted, both; of one who is both, the deputy SSO too"
        )


def _line(entry: Entry) -> dict[str, Json]:
    return {
        "seq": entry.seq,
        "at": entry.stamp.at,
        "type": entry.type,
        "person": entry.actor.person,
        "said": dict(entry.open),
    }
