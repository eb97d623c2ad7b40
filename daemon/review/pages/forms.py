"""What do people write into the record? Every form of the book, drawn from its own definition; drill and crew first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.review import entries
from daemon.review.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.review.reader import Reader

FIRST: Final = ("drill", "port-call", "stowaway-search", "declaration-of-security", "repair")
"""What is filled in most, behind the change of the crew, which is a page of its own."""


async def read(reader: Reader, asked: Mapping[str, str]) -> Mapping[str, Json]:
    """Return the list of forms, or one to be filled in."""
    known = await entries.listed(reader)
    order = [*(name for name in FIRST if name in known), *(n for n in known if n not in FIRST)]
    named = asked.get("form", "")
    form = None if not named else entries.drawn(known, named)
    change = await reader.ask("crew") if named == "drill" else None
    return {
        "forms": [{w: known[n][w] for w in ("form", "says", "kind")} for n in order],
        "form": form,
        "given": {} if form is None else entries.given(form, asked),
        "crew": None
        if change is None
        else {"crew": len(change["persons"]), "new": change["new"], "drill_by": change["drill_by"]},
    }


PAGE = Page(
    name="forms",
    title="Forms",
    read=read,
    order=60,
    document=lambda _: "forms",
    acts={"enter": entries.ENTER},
)
