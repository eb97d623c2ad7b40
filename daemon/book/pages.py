"""The record as people page through it: what they asked for, what became of it since, and ship's time beside UTC."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.book.amending import AMENDED
from daemon.book.attaching import ATTACHED
from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification
from daemon.record import fold
from daemon.record.entry import KINDS, subject_of
from daemon.record.reader import MOST_ENTRIES, Query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timezone

    from daemon.book.desk import Records
    from daemon.model import Json
    from daemon.record.entry import Entry

DEFAULT_COUNT: Final = 20
LONGEST_PART: Final = 256 * 1024
"""Letters of a part that is shown: the state that a segment begins with may be longer."""
SHIP_TIME: Final = "ship_time.changed"
_SHOWN_CLASSES: Final = frozenset(each.value for each in Classification)


class Pages:
    """Answers ``log``.

    Args:
        record: What is read.
        ship_time: Ship's time of the ship's file, which holds until the record says another.
    """

    def __init__(self, record: Records, ship_time: timezone) -> None:
        self._record = record
        self._ship_time = ship_time

    async def answer(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return a page of entries, the oldest first, with what belongs to each.

        The search is bounded: where ``next`` is a number, it goes on ``before`` (of a ``forward`` page: ``after``) it,
        even where the page is empty.

        Raises:
            RefusedError: A field that is wrong, or a record that cannot be read.
        """
        query = _query(request)
        try:
            # Before the page: whoever follows goes on behind it, and must not miss what came between.
            newest = await self._record.entries(Query(newest_first=True, limit=1))
            page = await self._record.page(query)
            entries = page.entries[::-1] if query.newest_first else page.entries
            amended, attached = await self._since(entries)
            offsets = await self._offsets(entries)
        except RecordError as err:
            raise RefusedError(f"the record cannot be read now: {err}") from err
        return {
            "entries": [entry.body for entry in entries],
            "next": page.next,
            "newest": newest[0].seq if newest else 0,
            "amended_by": amended,
            "attached": attached,
            "offset_min": offsets,
        }

    async def one(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return one entry as ``log`` does, with what it says to the SSO alone.

        Raises:
            RefusedError: There is none of that number, or the record cannot be read.
        """
        seq = fields.number(request, "seq")
        said = await self.answer({"after": seq - 1, "before": seq + 1, "count": 1})
        if not said["entries"]:
            raise RefusedError(f"there is no entry {seq}")
        try:
            part = await self._record.part(seq, Classification.SSO)
        except RecordError as err:
            raise RefusedError(f"the record cannot be read now: {err}") from err
        if part is not None and len(json.dumps(part)) > LONGEST_PART:
            return {**said, "part": {"too_long": "it is more than can be shown here"}}
        return {**said, "part": part}

    async def _since(
        self, entries: Sequence[Entry]
    ) -> tuple[dict[str, Json], dict[str, list[int]]]:
        """Return by which entry each was amended last, and which files were attached to it."""
        by_subject = {subject_of(entry.seq): str(entry.seq) for entry in entries}
        amended: dict[str, Json] = {}
        attached: dict[str, list[int]] = {}
        if not by_subject:
            return amended, attached
        for number, type_, subject in await self._record.about(
            list(by_subject), after=entries[0].seq
        ):
            seq = by_subject[subject]
            if type_ == AMENDED:
                amended[seq] = number
            elif type_ == ATTACHED:
                attached.setdefault(seq, []).append(number)
        return amended, attached

    async def _offsets(self, entries: Sequence[Entry]) -> list[int] | list[None]:
        """Return ship's time minus UTC, in minutes, as it was at each entry; None where that cannot be read."""
        if not entries:
            return []
        try:
            return await self._known_offsets(entries)
        except RecordError:  # of an older segment: these entries were read
            return [None] * len(entries)

    async def _known_offsets(self, entries: Sequence[Entry]) -> list[int]:
        first, last = entries[0].seq, entries[-1].seq
        before = await self._record.entries(
            Query(type=SHIP_TIME, before=first + 1, newest_first=True, limit=1)
        )
        within = await self._record.entries(
            Query(type=SHIP_TIME, after=first, before=last + 1, limit=MOST_ENTRIES)
        )
        now = _minutes(before[0]) if before else await self._before_any()
        changes = {entry.seq: _minutes(entry) for entry in within}
        offsets, due = [], sorted(changes)
        for entry in entries:
            while due and due[0] <= entry.seq:
                now = changes[due.pop(0)]
            offsets.append(now)
        return offsets

    async def _before_any(self) -> int:
        """Return what held before any change that is here: what the oldest segment took over, else the ship's file."""
        oldest = await self._record.entries(Query(limit=1))
        if oldest and oldest[0].seq > 1:
            carried = await self._record.part(oldest[0].seq, Classification.SSO) or {}
            state = carried.get(fold.CARRIED, [])
            for each in state if isinstance(state, list) else []:
                if (each["kind"], each["id"]) == (fold.SHIP, SHIP_TIME):
                    return fields.number(each["body"], "offset_min")
        offset = self._ship_time.utcoffset(None)
        return int(offset.total_seconds() // 60)


def _minutes(entry: Entry) -> int:
    return fields.number(entry.open, "offset_min")


def _query(request: Mapping[str, Any]) -> Query:
    count = request.get("count", DEFAULT_COUNT)
    if not isinstance(count, int) or not 1 <= count <= MOST_ENTRIES:
        raise RefusedError(f"count is 1 to {MOST_ENTRIES}")
    before, after, type_ = (request.get(name) for name in ("before", "after", "type"))
    if not isinstance(before, int | None) or not isinstance(type_, str | None):
        raise RefusedError("before is an entry's number, type a text")
    if not isinstance(after, int | None):
        raise RefusedError("after is an entry's number")
    kind = fields.optional_text(request, "kind")
    if kind is not None and kind not in KINDS:
        raise RefusedError(f"kind is system, or .1 to .14; not {kind[:40]!r}")
    class_ = fields.optional_text(request, "class")
    if class_ is not None and class_ not in _SHOWN_CLASSES:
        raise RefusedError(f"class is watch or sso, not {class_[:40]!r}")
    return Query(
        after=after,
        before=before,
        since=_moment(request, "since"),
        until=_moment(request, "until"),
        kind=kind,
        type=type_,
        subject=fields.optional_text(request, "subject"),
        person=fields.optional_text(request, "person"),
        classification=None if class_ is None else Classification(class_),
        newest_first=request.get("forward") is not True,
        limit=count,
    )


def _moment(request: Mapping[str, Any], field: str) -> str | None:
    if request.get(field) is None:
        return None
    return forms.utc(fields.moment(request, field))
