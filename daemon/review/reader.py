"""What may a page ask for, and in whose name? Reading changes nothing; what is done is done by who is logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime, timezone

    from daemon.model import Json, Role
    from daemon.review.redaction import Redaction

READS: Final = frozenset(
    {
        *("alerts", "crew", "defects", "doors.counted", "entry", "evidence", "forms", "log"),
        *("export.fetch", "export.progress", "loop_check.show", "pins", "rates"),
        *("ready_to_secure", "record.stands", "rejudge", "retention", "seals"),
        *("ssas", "ssas.card", "ssas.notice", "status", "wiring", "worklist"),
        *("testlog", "testlog.one", "testlog.past", "testlog.period"),
        *("tests", "tests.coming", "tests.differences"),
    }
)
"""Requests that change nothing: all that looking at a page can bring about."""


class Reader:
    """Asks for a page what the command line could ask.

    Attributes:
        person: Who is logged in.
        login: What entries call this login.
        roles: What he is on board.
        is_psc: Port state control looks over his shoulder: what A/9.8.1 protects is left out.
        now_utc: When the page is made.
        ship_time: Ship's time then.
    """

    def __init__(
        self,
        carry_out: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]],
        *,
        person: str,
        login: str,
        roles: frozenset[Role],
        redaction: Redaction | None,
        now_utc: datetime,
        ship_time: timezone,
    ) -> None:
        self._carry_out = carry_out
        self._redaction = redaction
        self.person = person
        self.login = login
        self.roles = roles
        self.is_psc = redaction is not None
        self.now_utc = now_utc
        self.ship_time = ship_time

    async def ask(self, do: str, **said: Json) -> Mapping[str, Any]:
        """Return the answer to a request that changes nothing; in PSC mode without the words that it may not show.

        Raises:
            RefusedError: It is refused.
        """
        if do not in READS:
            raise RefusedError(f"a page that is read does not ask for {do}")
        answer = await self._carry_out({"do": do, **said})
        return answer if self._redaction is None else self._redaction.of(answer)


class Doer(Reader):
    """Does what a form is for, and writes it down by name."""

    def __init__(
        self,
        *given: Any,
        write: Callable[[str, str, Mapping[str, Json]], Awaitable[int | None]],
        **more: Any,
    ) -> None:
        super().__init__(*given, **more)
        self._write = write

    async def write(self, type_: str, subject: str, said: Mapping[str, Json]) -> int | None:
        """Make an entry of class sso, by who is logged in; return its number once it is on disk."""
        return await self._write(type_, subject, said)
