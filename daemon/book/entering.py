"""A person fills in a form, or raises what ispsd detected to a threat, an incident or a breach."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from daemon import fields
from daemon.book import when
from daemon.book.desk import naming
from daemon.errors import RefusedError
from daemon.model import Classification
from daemon.people.authority import Act
from daemon.record.entry import Draft

if TYPE_CHECKING:
    from collections.abc import Mapping

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
_NUMBER: Final = re.compile(r"def-(\d{1,6})")


class Entering:
    """Takes filled forms."""

    def __init__(self, forms: Forms, desk: Desk, standing: Standing) -> None:
        self._forms = forms
        self._desk = desk
        self._standing = standing

    async def list_forms(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return every form and what it asks for."""
        return {
            "forms": [
                {
                    "form": form.name,
                    "says": form.says,
                    "kind": form.kind,
                    "fields": [
                        {
                            "name": field.name,
                            "says": field.says,
                            "wants": field.wants(),
                            "optional": field.optional,
                        }
                        for field in form.fields.values()
                    ],
                }
                for form in self._forms.forms.values()
            ]
        }

    async def enter(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Write an entry from a form.

        Raises:
            RefusedError: A person who may not, or a field that is not as the form wants it.
        """
        form = self._forms.named(fields.text(request, "form"))
        by = await self._desk.who(request, Act.ENTER)
        return await self._write(form, request, by, {})

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
        return await self._write(
            self._forms.named(name),
            {**request, "fields": typed},
            by,
            {"raised_from": naming(detected)},
        )

    async def _write(
        self, form: Form, request: Mapping[str, Any], by: By, more: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        now_utc = self._desk.now_utc()
        found = form.filled(typed_fields(request), now_utc=now_utc)
        self._check_number(form, found)
        typed = fields.optional_text(request, "done_at")
        done = when.done_at(typed, found, form.done, now_utc=now_utc)
        frame = when.frame(done, now_utc=self._desk.clock.utc(), is_trusted=now_utc is not None)
        shown, private = form.split(found)
        seq = await self._desk.write(
            Draft(
                kind=form.kind,
                type=form.type,
                subject=form.subject_of(found),
                classification=form.classification,
                actor=by.actor(),
                open={**shown, **frame, **more},
                parts={Classification.SSO: private} if private else {},
            ),
            by,
        )
        said: dict[str, Json] = {"recorded": seq, "late": frame["late"]}
        if "late_unknown" in frame:
            said["late_unknown"] = frame["late_unknown"]
        if form.numbers is not None:
            said[form.numbers] = found[form.numbers]
        return said

    def _check_number(self, form: Form, found: dict[str, Json]) -> None:
        """Give a defect its number; refuse one that is open already, or that is not."""
        open_now = self._standing.defects()
        if form.numbers is not None:
            if found[form.numbers] is None:
                found[form.numbers] = f"def-{self._standing.next_defect():03d}"
            number = str(found[form.numbers])
            if number in open_now:
                raise RefusedError(f"{number} is open already")
            if (read := _NUMBER.fullmatch(number)) is not None:
                self._standing.defect_given(int(read[1]))
        if form.about is not None and found[form.about] not in open_now:
            known = ", ".join(open_now) or "none"
            raise RefusedError(f"{found[form.about]} is not open; open are {known}")


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
