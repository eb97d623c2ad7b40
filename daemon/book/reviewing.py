"""The SSO reviews the record up to an entry, the Master verifies what was reviewed: two names, each over a signed head.

A review says what stood in the period, by kind and result, and which head of the record covers it; the next begins
where it ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.book.desk import naming
from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification
from daemon.people.authority import Act
from daemon.record.entry import Draft
from daemon.record.reader import MOST_ENTRIES, Query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.book.desk import Desk
    from daemon.book.standing import Standing
    from daemon.model import Json
    from daemon.people.claims import By
    from daemon.record.entry import Entry

REVIEWED: Final = "reviewed"
VERIFIED: Final = "verified"
SUBJECT: Final = "record"


class Reviewing:
    """Takes reviews and what verifies them."""

    def __init__(self, desk: Desk, standing: Standing) -> None:
        self._desk = desk
        self._standing = standing

    async def review(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Write that the SSO has reviewed the record up to an entry.

        Raises:
            RefusedError: A person who may not, nothing new to review, or a record that cannot be sealed.
        """
        by = await self._desk.who(request, Act.REVIEW)
        async with self._desk.turn:
            return await self._review(request, by)

    async def _review(self, request: Mapping[str, Any], by: By) -> Mapping[str, Json]:
        last = await self._last(fields.number(request, "up_to"), REVIEWED)
        begin = self._begin(REVIEWED)
        head = await self._head()
        counts = await self._counts(begin, last.seq)
        said: dict[str, Json] = {
            "from": begin,
            "up_to": last.seq,
            "up_to_at": last.stamp.at,
            "checkpoint": head,
            **counts,
        }
        return await self._write("period.reviewed", said, by)

    async def verify(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Write that the Master has verified the record up to an entry which the SSO has reviewed.

        Raises:
            RefusedError: A person who may not, no review that covers it, or a record that cannot be sealed.
        """
        by = await self._desk.who(request, Act.VERIFY)
        async with self._desk.turn:
            return await self._verify(request, by)

    async def _verify(self, request: Mapping[str, Any], by: By) -> Mapping[str, Json]:
        last = await self._last(fields.number(request, "up_to"), VERIFIED)
        review = await self._covering(last.seq)
        said: dict[str, Json] = {
            "from": self._begin(VERIFIED),
            "up_to": last.seq,
            "up_to_at": last.stamp.at,
            "review": naming(review),
            "reviewed_by": review.actor.person,
            "same_person": review.actor.person == by.person.name,
            "checkpoint": await self._head(),
        }
        return await self._write("period.verified", said, by)

    def _begin(self, what: str) -> int:
        covered = self._standing.covered(what)
        if covered:
            return covered + 1
        return 1 if self._standing.begins is None else self._standing.begins[0]

    async def _last(self, up_to: int, what: str) -> Entry:
        """Return the last entry of the period."""
        if not self._standing.is_known:
            raise RefusedError("the record has not been read yet; try again in a minute")
        covered = self._standing.covered(what)
        if up_to <= covered:
            raise RefusedError(f"the record is {what} up to no. {covered} already")
        return await self._desk.entry(up_to)

    async def _covering(self, up_to: int) -> Entry:
        """Return the review in whose period an entry lies."""
        covered = self._standing.covered(REVIEWED)
        if up_to > covered:
            reviewed = f"only up to no. {covered}" if covered else "not at all"
            raise RefusedError(f"no review covers no. {up_to}: the SSO has reviewed {reviewed}")
        before = None
        while True:
            query = Query(
                type="period.reviewed", before=before, newest_first=True, limit=MOST_ENTRIES
            )
            found = await self._desk.entries(query)
            for entry in found:
                if fields.number(entry.open, "from") <= up_to <= fields.number(entry.open, "up_to"):
                    return entry
            if not found:
                raise RefusedError(f"no review covers no. {up_to}")
            before = found[-1].seq

    async def _head(self) -> Mapping[str, Json]:
        """Sign the head; it covers all that is on disk."""
        head = await self._desk.seal()
        return {"origin": head.origin, "size": head.size, "root": head.root.hex()}

    async def _counts(self, first: int, last: int) -> dict[str, Json]:
        try:
            kinds, results = await self._desk.record.counts(first, last)
        except RecordError as err:
            raise RefusedError(f"the record cannot be read now: {err}") from err
        return {
            "entries": sum(kinds.values()),
            "kinds": [{"kind": kind, "count": count} for kind, count in kinds.items()],
            "results": [{"outcome": name, "count": count} for name, count in results.items()],
        }

    async def _write(self, type_: str, said: Mapping[str, Json], by: By) -> Mapping[str, Json]:
        seq = await self._desk.write(
            Draft(
                kind="system",
                type=type_,
                subject=SUBJECT,
                classification=Classification.SSO,  # its counts tell of entries that the watch does not see
                actor=by.actor(),
                open=said,
            ),
            by,
        )
        try:
            await self._desk.seal()
        except RefusedError:
            return {"recorded": seq, "sealed": False, **said}
        return {"recorded": seq, "sealed": seq is not None, **said}
