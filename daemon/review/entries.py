"""How is a form of the book filled in on a page? The same act wherever a form is drawn: ``enter`` of the command line.

The form's own definition (``config/book.toml``) says which fields there are; what each takes is decided where the entry
is made, and a refusal comes back with a reason for each field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.book.entering import ZONES
from daemon.errors import RefusedError
from daemon.papers.words import CATEGORY
from daemon.review.page import Act
from daemon.review.typed import Choice, Pin, Text, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.review.reader import Reader

MOST_FIELDS: Final = 40
LONGEST: Final = 4000
"""Characters of a field; its form bounds it closer."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Fields that a form of the book names: ``field.scenario`` is its ``scenario``; lines become one."""

    name: str = "field"

    def read(self, typed: Mapping[str, str]) -> Json:
        begin = f"{self.name}."
        found: dict[str, Json] = {}
        for name, said in typed.items():
            if name.startswith(begin) and (one := " ".join(said.split())):
                if len(one) > LONGEST:
                    raise RefusedError(f"{words(name)} has at most {LONGEST} characters")
                found[name.removeprefix(begin)] = one
        if len(found) > MOST_FIELDS:
            raise RefusedError(f"a form has at most {MOST_FIELDS} fields")
        return found


def entered(said: Mapping[str, Any], _: str) -> Mapping[str, Json]:
    """Return the request; that it would be marked LATE is said first, until it is ticked."""
    asked = {name: value for name, value in said.items() if name not in {"field", "late"}}
    return {**asked, "fields": said["field"], "warn_late": "late" not in said}


ENTER: Final = Act(
    do="enter",
    fields=(
        Text("form", longest=40),
        Filled(),
        Choice("zone", ZONES),
        Text("done_at", wanted=False, longest=40),
        Choice("late", ("yes",), wanted=False),
        Pin(),
    ),
    shape=entered,
)


async def listed(reader: Reader) -> dict[str, Mapping[str, Any]]:
    """Return every form by its name."""
    return {form["form"]: form for form in (await reader.ask("forms"))["forms"]}


def drawn(forms: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Any]:
    """Return a form as a template draws it: whether it says itself when it was done, which moments it has.

    Raises:
        RefusedError: There is none of that name.
    """
    if (form := forms.get(name)) is None:
        raise RefusedError("there is no such form", wants={"page": True})
    is_timed = any(field["is"] in {"moment", "told"} for field in form["fields"])
    category = CATEGORY.get(form["kind"], form["kind"])
    return {
        **form,
        "category": category,
        "says_when": bool(form["done"]),
        "is_timed": is_timed or not form["done"],
    }


def given(form: Mapping[str, Any], asked: Mapping[str, str]) -> dict[str, Json]:
    """Return what an address fills in already, of the form's own fields, each no longer than its form takes."""
    names = {field["name"] for field in form["fields"] if field["is"] in {"text", "choice"}}
    return {name: said[:LONGEST] for name, said in asked.items() if name in names}
