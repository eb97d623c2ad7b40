"""A person fills in a form, or raises what ispsd detected to a threat, an incident or a breach."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from daemon.book import defects, values, when
from daemon.book.desk import naming
from daemon.book.standing import number_of
from daemon.control import fields
from daemon.errors import RefusedError
from daemon.model import Classification
from daemon.people.authority import Act
from daemon.record import fold
from daemon.record.entry import Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from daemon.book.desk import Desk
    from daemon.book.forms import Form, Forms
    from daemon.book.standing import Standing
    from daemon.model import Json
    from daemon.people.claims import By

RAISED_AS: Final = ("threat", "incident", "breach")
DETECTIONS: Final = frozenset(
    {"alert.changed", "condition.noted", "clock.stepped", "login.locked", "record.behind"}
)
"""Types of entries in which ispsd says what it saw; a permit or a watch is what people did."""
SHIP: Final = "ship"
ZONES: Final = (SHIP, "utc")
MOST_ROWS: Final = 50
"""Entries that are typed as one list: the last ten calls, a register of seals."""
_NUMBER: Final = re.compile(r"def-(\d{1,6})")


class Entering:
    """Takes filled forms."""

    def __init__(
        self,
        forms: Forms,
        desk: Desk,
        standing: Standing,
        tests: Mapping[str, Sequence[str]] | None = None,
        ship_time: Callable[[], tzinfo] = lambda: UTC,
    ) -> None:
        """Take forms.

        Args:
            forms: Which there are.
            desk: Where they are taken.
            standing: Defects that are open, numbers that are given.
            tests: Those of the ship's file with their items, None where nobody knows them.
            ship_time: Ship's time now.
        """
        self._ship_time = ship_time
        self._tests = tests
        self._forms = forms
        self._desk = desk
        self._standing = standing

    async def list_forms(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return every form and what it asks for."""
        return {"forms": [form.told() for form in self._forms.forms.values()]}

    async def enter(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Write an entry from a form.

        Raises:
            RefusedError: A person who may not, or a field that is not as the form wants it.
        """
        form = self._forms.named(fields.text(request, "form"))
        by = await self._desk.who(request, Act.ENTER)
        found = self._filled(form, request)
        done_at = fields.optional_text(request, "done_at")
        if done_at is not None:
            done_at = values.with_zone(done_at, self._zone(request))
        if request.get("warn_late") is True:
            self._warn_late(form, found, done_at)
        return await self._write(form, found, by, done_at=done_at)

    def _warn_late(self, form: Form, found: Mapping[str, Json], done_at: str | None) -> None:
        """Refuse once what would be marked LATE, so that nobody learns of it when it stands in the record.

        Raises:
            RefusedError: It would be; the same without ``warn_late`` is taken.
        """
        now_utc = self._desk.now_utc()
        done = when.done_at(done_at, found, form.done, now_utc=now_utc)
        if now_utc is None or done is None:
            return
        if when.frame(done, now_utc=now_utc, is_trusted=True)["late"] is True:
            raise RefusedError(
                f"done {done[:16]}Z, which is more than 24 hours ago: it would be marked LATE; nothing is entered yet",
                wants={"late": True},
            )

    def _zone(self, request: Mapping[str, Any]) -> tzinfo:
        """Return in which zone a moment is meant that says none itself: with ``zone``, ship's time or UTC."""
        zone = fields.optional_text(request, "zone")
        if zone not in {None, *ZONES}:
            raise RefusedError(f"zone is one of {', '.join(ZONES)}")
        return self._ship_time() if zone == SHIP else UTC

    async def enter_many(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Write several entries from one form, as they are typed into a list: in one transaction, all or none.

        Raises:
            RefusedError: As for ``enter``; the reason names the row.
        """
        form = self._forms.named(fields.text(request, "form"))
        rows = request.get("rows")
        if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS:
            raise RefusedError(f"rows are wanted: 1 to {MOST_ROWS} of them")
        if form.numbers is not None or form.about is not None:
            raise RefusedError(f"{form.name} is entered one by one")
        by = await self._desk.who(request, Act.ENTER)
        filled, faults = [], []
        for number, row in enumerate(rows, 1):
            try:
                filled.append(self._filled(form, {"fields": row}))
            except RefusedError as err:
                faults.append(f"row {number}: {err}")
        if faults:
            raise RefusedError("nothing is entered: " + "; ".join(faults))
        drafts = [self._draft(form, found, by) for found in filled]
        written: list[Json] = [*await self._desk.write_together(drafts, by)]
        return {"recorded": written, "late": [each.open["late"] for each in drafts]}

    async def raise_detection(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Write a threat, an incident or a breach that names what ispsd detected.

        Raises:
            RefusedError: As for ``enter``, or it names no entry of the system's own.
        """
        name = fields.text(request, "as")
        if name not in RAISED_AS:
            raise RefusedError(
                f"a detection is raised as {', '.join(RAISED_AS)}, not {name[:40]!r}"
            )
        by = await self._desk.who(request, Act.ENTER)
        detected = await self._desk.entry(fields.number(request, "seq"))
        if detected.kind != "system" or detected.type not in DETECTIONS:
            raise RefusedError(f"entry {detected.seq} ({detected.type}) is no detection of ispsd's")
        typed = {name: words for name, words in typed_fields(request).items() if words.strip()}
        typed.setdefault("at", detected.stamp.at)
        form = self._forms.named(name)
        found = self._filled(form, {"fields": typed})
        done_at = fields.optional_text(request, "done_at")
        more = {"raised_from": naming(detected)}
        return await self._write(form, found, by, done_at=done_at, more=more)

    def _filled(self, form: Form, request: Mapping[str, Any]) -> dict[str, Json]:
        typed = typed_fields(request)
        if request.get("zone") is not None:
            zone = self._zone(request)
            typed = {
                name: values.in_zone(form.field(name), said, zone) for name, said in typed.items()
            }
        return form.filled(typed, now_utc=self._desk.now_utc())

    async def _write(
        self,
        form: Form,
        found: dict[str, Json],
        by: By,
        *,
        done_at: str | None = None,
        more: Mapping[str, Json] = MappingProxyType({}),
    ) -> Mapping[str, Json]:
        self._check_defect(form, found)
        given = self._give_number(form, found)
        more = {**more, **self._told_before(form, found)}
        try:
            return await self._write_filled(form, found, by, done_at, more)
        except RefusedError:
            if given is not None:
                self._standing.give_back(given)
            raise

    async def _write_filled(
        self,
        form: Form,
        found: Mapping[str, Json],
        by: By,
        done_at: str | None,
        more: Mapping[str, Json],
    ) -> Mapping[str, Json]:
        draft = self._draft(form, found, by, done_at=done_at, more=more)
        seq = await self._desk.write(draft, by)
        said: dict[str, Json] = {"recorded": seq, "late": draft.open["late"]}
        if "late_unknown" in draft.open:
            said["late_unknown"] = draft.open["late_unknown"]
        if form.numbers is not None:
            said[form.numbers] = found[form.numbers]
        return said

    def _draft(
        self,
        form: Form,
        found: Mapping[str, Json],
        by: By,
        *,
        done_at: str | None = None,
        more: Mapping[str, Json] = MappingProxyType({}),
    ) -> Draft:
        now_utc = self._desk.now_utc()
        done = when.done_at(done_at, found, form.done, now_utc=now_utc)
        frame = when.frame(done, now_utc=self._desk.clock.utc(), is_trusted=now_utc is not None)
        shown, private = form.split(found)
        return Draft(
            kind=form.kind,
            type=form.type,
            subject=form.subject_of(found),
            classification=form.classification,
            actor=by.actor(),
            open={**shown, **frame, **more},
            parts={Classification.SSO: private} if private else {},
        )

    def _told_before(self, form: Form, found: Mapping[str, Json]) -> dict[str, Json]:
        """Return who had been told of a defect, where the form says who is told now."""
        if form.about is None or found[form.about] is None:
            return {}
        if form.type != defects.TOLD and not found.get("told"):
            return {}
        opened = self._standing.defects()[str(found[form.about])]
        return defects.told_before(opened, self._standing.of(fold.DEFECT_SAID))

    def _give_number(self, form: Form, found: dict[str, Json]) -> int | None:
        """Give a defect its number, and return it; refuse one that is open already."""
        if form.numbers is None:
            return None
        if found[form.numbers] is None:
            value = self._standing.take_number()
            found[form.numbers] = number_of(value)
            return value
        number = found[form.numbers] = str(found[form.numbers]).lower()
        if number in self._standing.defects():
            raise RefusedError(f"{number} is open already")
        if (read := _NUMBER.fullmatch(number)) is None:
            return None
        self._standing.reserve(int(read[1]))
        return int(read[1])

    def _check_defect(self, form: Form, found: dict[str, Json]) -> None:
        """Refuse what is said of a defect that is not open, and to close one whose test has not passed since."""
        if form.numbers is not None:
            self._check_test(found)
        if form.about is None or found[form.about] is None:
            return
        open_now = self._standing.defects()
        number = found[form.about] = str(found[form.about]).lower()
        if number not in open_now:
            raise RefusedError(f"{number} is not open; open are {', '.join(open_now) or 'none'}")
        defect = open_now[number]
        if form.type == defects.CLOSED and (test := defect.get("test")) is not None:
            of = defect.get("item") or defect.get("equipment")
            raise RefusedError(
                f"{number} was found by {test} ({of}): it is closed when that passes again, and by nobody's word; "
                "where the equipment was removed, SSO and Master say so (ispsd defect --removed)"
            )

    def _check_test(self, found: Mapping[str, Json]) -> None:
        """Refuse a defect by hand that no test could ever close: of an unknown test, or of all items of one."""
        test, named = found.get("test"), found.get("item") or found.get("equipment")
        if test is None or self._tests is None:
            return
        if (items := self._tests.get(str(test))) is None:
            raise RefusedError(f"test: there is no test {str(test)[:40]!r}; leave it away")
        if items and named not in items:
            raise RefusedError(f"item is wanted of {test}: one of {', '.join(items)}")


def typed_fields(request: Mapping[str, Any]) -> dict[str, str]:
    """Return what was typed into the fields.

    Raises:
        RefusedError: It is no table of texts.
    """
    said = request.get("fields")
    if not isinstance(said, dict) or not all(isinstance(each, str) for each in said.values()):
        raise RefusedError("fields are wanted: name and text of each")
    for name, typed in said.items():
        try:
            f"{name}{typed}".encode()
        except UnicodeEncodeError:
            raise RefusedError(f"{name[:40]!r} holds half a character") from None
    return said
