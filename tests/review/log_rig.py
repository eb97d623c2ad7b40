"""The SSO's pages over a real record: what the daemon says, and the page that the server makes of it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from daemon.book.attaching import Attaching
from daemon.book.desk import Desk
from daemon.book.pages import Pages
from daemon.computer.entropy import Entropy
from daemon.errors import RefusedError
from daemon.web.review.rendering import Templates, clock_words
from tests.papers.rig import writing
from tests.review.rig import Made, Visitor, desk
from tests.testlog.rig import Ship, log_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from daemon.record.log import Record
    from tests.papers.rig import At

SSO = "R. Menon"
TEMPLATES = Templates()


class Seen:
    """A visitor who looks at pages as a browser would."""

    def __init__(self, visitor: Visitor, made: Made, record: Record, seqs: list[int]) -> None:
        self.visitor = visitor
        self.made = made
        self.record = record
        self.seqs = seqs

    async def said(self, name: str, **asked: Any) -> Any:
        """Return what the daemon says for a page, as it crosses the socket."""
        answer = await self.visitor.page(name, **{key: str(value) for key, value in asked.items()})
        return json.loads(json.dumps(answer, allow_nan=False))

    async def page(self, name: str, **asked: Any) -> str:
        """Return the page itself."""
        answer = await self.said(name, **asked)
        template = "withheld" if answer["said"] is None else name
        return TEMPLATES.made(
            template, palette="day", query="", taken=clock_words(answer), **answer
        )


@asynccontextmanager
async def looking(
    folder: Path,
    entries: Iterable[At],
    *,
    now: datetime,
    name: str = SSO,
    answers: Mapping[str, Callable[..., Any]] | None = None,
    **ship: Any,
) -> AsyncIterator[Seen]:
    """Log in on the pages of a ship whose record holds these."""
    async with (
        writing(folder / "record", entries) as (record, seqs, clock),
        desk(folder) as made,
    ):
        await record.seal()
        clock.move_to(now)
        log = log_of(record, Ship(**ship))
        pages = Pages(record, now.tzinfo)  # type: ignore[arg-type]
        files = Attaching(Desk(people=made.people, record=record, clock=made.clock), Entropy())
        known = {
            **log.requests(),
            "log": pages.answer,
            "entry": pages.one,
            "evidence": files.evidence,
            **(answers or {}),
        }

        async def carry_out(request: Mapping[str, Any]) -> Any:
            made.asked.append(dict(request))
            if (answer := known.get(request["do"])) is None:
                raise RefusedError(f"nobody answers {request['do']} here")
            return await answer(request)

        made.desk.carry_out = carry_out
        made.clock.utc = lambda: now  # type: ignore[method-assign]
        yield Seen(await Visitor.logged_in(made, name, page="log"), made, record, seqs)
