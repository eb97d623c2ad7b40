"""A person corrects what was entered: by a new entry that names the old one, which stays as it was.

Only what people said can be amended: their own forms, and the words and the outcome of a test. What a machine saw stays
as it was seen, and no amendment makes a test a pass (invariant 2): that takes the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.book import values
from daemon.book.desk import naming
from daemon.book.entering import typed_fields
from daemon.book.values import Field, Is
from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, Outcome
from daemon.people.authority import Act
from daemon.record.entry import Draft, subject_of
from daemon.record.reader import MOST_ENTRIES, Query
from daemon.testing.results import RESULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.book.desk import Desk
    from daemon.book.forms import Form, Forms
    from daemon.model import Json
    from daemon.people.claims import By
    from daemon.record.entry import Entry

AMENDED: Final = "entry.amended"
RESULT_FIELDS: Final[Mapping[str, Field]] = {
    "reason": Field(name="reason", is_=Is.TEXT, says="what was seen"),
    "outcome": Field(
        name="outcome",
        is_=Is.CHOICE,
        says="how it ended",
        of=tuple(each.value for each in Outcome if each is not Outcome.PASSED),
    ),
}
"""What of a test's result can be amended."""


class Amending:
    """Takes amendments."""

    def __init__(self, forms: Forms, desk: Desk) -> None:
        self._forms = forms
        self._desk = desk

    async def amend(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Write an amendment.

        Raises:
            RefusedError: A person who may not, an entry that is no person's, or nothing that changes.
        """
        reason = fields.text(request, "reason")
        typed = typed_fields(request)
        by = await self._desk.who(request, Act.AMEND)
        async with self._desk.turn:
            return await self._amend(fields.number(request, "seq"), reason, typed, by)

    async def _amend(
        self, seq: int, reason: str, typed: Mapping[str, str], by: By
    ) -> Mapping[str, Json]:
        original, newest = await self._chain(seq)
        form = self._forms.of_type(original.type)
        known = RESULT_FIELDS if form is None else form.fields
        shown_now, was_private = await self._now(original, newest)
        was_open = {name: value for name, value in shown_now.items() if name in known}
        was = {**was_open, **was_private}
        now = self._changed(original.type, form, typed, was)
        private = now.keys() & was_private.keys()
        said = {name: now.get(name, value) for name, value in was_open.items()}
        shown: dict[str, Json] = {
            "amends": naming(newest),
            "original": original.seq,
            "type": original.type,
            "reason": reason,
            **_side_by_side(was, now, now.keys() - private),
            "said": said,
        }
        part = _side_by_side(was, now, private)
        written = await self._desk.write(
            Draft(
                kind=original.kind,
                type=AMENDED,
                subject=subject_of(original.seq),
                classification=original.classification,
                actor=by.actor(),
                open=shown,
                parts={Classification.SSO: part} if private else {},
            ),
            by,
        )
        return {
            "recorded": written,
            "amends": newest.seq,
            "original": original.seq,
            "is_test": form is None,
        }

    async def _chain(self, seq: int) -> tuple[Entry, Entry]:
        """Return the entry that is corrected, and what speaks for it now: itself, or its newest amendment."""
        named = await self._desk.entry(seq)
        if named.type == AMENDED:
            named = await self._desk.entry(fields.number(named.open, "original"))
        if self._forms.of_type(named.type) is None and named.type != RESULT:
            raise RefusedError(
                f"entry {named.seq} ({named.type}) is no form of a person's and no test result: it stands"
            )
        if named.type != RESULT and named.actor.person is None:
            raise RefusedError(
                f"entry {named.seq} ({named.type}) was written by no person: it stands"
            )
        query = Query(type=AMENDED, subject=subject_of(named.seq), newest_first=True, limit=1)
        newest = await self._desk.entries(query)
        return named, newest[0] if newest else named

    async def _now(self, original: Entry, newest: Entry) -> tuple[dict[str, Json], dict[str, Json]]:
        """Return what the entry says as amended so far: to everybody of its class, and to the SSO alone."""
        shown = dict(original.open)
        if newest is not original:
            said = newest.open["said"]
            if not isinstance(said, dict):
                raise RefusedError(f"entry {newest.seq} does not say what it amends")
            shown = said
        private = await self._part(original)
        before = None
        changes: list[Mapping[str, Json]] = []
        while private:
            query = Query(
                type=AMENDED,
                subject=subject_of(original.seq),
                before=before,
                newest_first=True,
                limit=MOST_ENTRIES,
            )
            found = await self._desk.entries(query)
            changes += [
                (await self._part(each)).get("now", {})  # type: ignore[misc]
                for each in found
                if each.parts
            ]
            if len(found) < MOST_ENTRIES:
                break
            before = found[-1].seq
        for change in reversed(changes):
            private.update(change)
        return shown, private

    async def _part(self, entry: Entry) -> dict[str, Json]:
        if Classification.SSO.value not in entry.parts:
            return {}
        try:
            found = await self._desk.record.part(entry.seq, Classification.SSO)
        except RecordError as err:
            raise RefusedError(f"the record cannot be read now: {err}") from err
        if found is None:
            raise RefusedError(f"what entry {entry.seq} says to the SSO is not in this record")
        return found

    def _changed(
        self, type_: str, form: Form | None, typed: Mapping[str, str], was: Mapping[str, Json]
    ) -> dict[str, Json]:
        """Return the fields that are changed, with their new values."""
        known = RESULT_FIELDS if form is None else form.fields
        now: dict[str, Json] = {}
        for name, words in typed.items():
            if (field := known.get(name)) is None:
                names = ", ".join(known)
                raise RefusedError(f"of {type_} can be amended: {names}; not {name[:40]!r}")
            if form is None and words.strip() == Outcome.PASSED.value:
                raise RefusedError("no amendment makes a test a pass: do the test again")
            now[name] = values.value_of(field, words, now_utc=self._desk.now_utc())
        values.check_together(known, {**was, **now})
        for name in [name for name, value in now.items() if was.get(name) == value]:
            del now[name]
        if not now:
            raise RefusedError("nothing would change: give the fields and what they should say")
        if form is not None and form.about in now:
            raise RefusedError(f"{form.about} says which one it is about; enter it anew")
        if form is not None and form.numbers in now:
            raise RefusedError(f"{form.numbers} is its number, and stays")
        return now


def _side_by_side(
    was: Mapping[str, Json], now: Mapping[str, Json], names: set[str]
) -> dict[str, Json]:
    ordered = [name for name in now if name in names]
    return {
        "was": {name: was.get(name) for name in ordered},
        "now": {name: now[name] for name in ordered},
    }
