"""Sign-off of a period: what is new since the last review, what of it must be looked at, and the two who sign.

The SSO reviews up to the entry that stands on his page, no further; the Master verifies what was reviewed. Both are the
requests of the command line, which decide who may and sign (``daemon.book.reviewing``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from daemon.papers.words import result
from daemon.people import authority
from daemon.review.page import Act, Page
from daemon.review.typed import Number, Pin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.review.reader import Reader

HISTORY: Final = 24
"""Sign-offs that are listed, of each kind."""
WORDS: Final = {"period.reviewed": "Reviewed", "period.verified": "Verified"}


async def read(reader: Reader, _: Mapping[str, str]) -> Mapping[str, Json]:
    """Return what there is to sign, and what was signed before."""
    period = await reader.ask("testlog.period")
    return {
        **period,
        "count": max(0, period["last"] - period["first"] + 1),
        "to_verify": max(0, period["reviewed"] - period["verified"]),
        "may_review": authority.cell(authority.Act.REVIEW, reader.roles) is not None,
        "may_verify": authority.cell(authority.Act.VERIFY, reader.roles) is not None,
        "history": await _history(reader),
    }


async def _history(reader: Reader) -> list[Json]:
    """Return the sign-offs, newest first."""
    found: list[dict[str, Any]] = []
    for type_ in WORDS:
        answer = await reader.ask("log", type=type_, count=HISTORY)
        found += [json.loads(body) for body in answer["entries"]]
    return [_signed(each) for each in sorted(found, key=lambda e: int(e["seq"]), reverse=True)]


def _signed(entry: Mapping[str, Any]) -> dict[str, Json]:
    said = entry["open"]
    head = said.get("checkpoint")
    return {
        "seq": entry["seq"],
        "at": entry["at"],
        "what": WORDS[entry["type"]],
        "by": entry["actor"].get("person"),
        "proof": entry["actor"].get("proof"),
        "first": said.get("from"),
        "up_to": said.get("up_to"),
        "results": [
            f"{each['count']} {result(each['outcome'])}"
            for each in said.get("results", ())
            if isinstance(each, dict)
        ],
        "same_person": said.get("same_person") is True,
        "root": head.get("root") if isinstance(head, dict) else None,
        "size": head.get("size") if isinstance(head, dict) else None,
    }


SIGNED: Final = (Number("up_to", least=1, most=10**9 - 1), Pin())
PAGE = Page(
    name="signoff",
    title="Review and sign-off",
    read=read,
    acts={
        "review": Act(do="review", fields=SIGNED),
        "verify": Act(do="countersign", fields=SIGNED),
    },
    order=60,
)
