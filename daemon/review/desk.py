"""How are the SSO's pages made and used? Every request of the page's server begins with ``review.`` and ends here.

A page is made of what the command line could ask; an act is a request of the command line in the name of who is logged
in.
"""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.control import fields
from daemon.errors import RefusedError
from daemon.review import typed
from daemon.review.logins import Logins
from daemon.review.page import LARGEST_FILE
from daemon.review.reader import Doer, Reader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import timezone

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.model import Json
    from daemon.people.people import People
    from daemon.record.journal import Journal
    from daemon.review.page import Act, Page
    from daemon.review.redaction import Redaction
    from daemon.review.sessions import Session

    CarryOut = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]]

PREFIX: Final = "review."
SWEPT_EVERY_S: Final = 60.0
PSC_MODE: Final = "sso.psc_mode"


class ReviewDesk:
    """Answers the server of the SSO's pages."""

    def __init__(
        self,
        pages: Mapping[str, Page],
        *,
        people: People,
        journal: Journal,
        clock: Clock,
        entropy: Entropy,
        ship: Mapping[str, Json],
        ship_time: Callable[[], timezone],
        redaction: Redaction,
    ) -> None:
        """Touch nothing yet.

        Args:
            pages: By name, in the order in which they are listed.
            people: Who may.
            journal: Where it is written.
            clock: Ends of logins.
            entropy: Tokens.
            ship: What every page says of the ship.
            ship_time: Ship's time now.
            redaction: Takes out what port state control may not see.
        """
        self._pages = pages
        self._clock = clock
        self._ship = ship
        self._ship_time = ship_time
        self._redaction = redaction
        self._logins = Logins(people, journal, clock, entropy)
        self.carry_out: CarryOut = _nobody
        """Carries out what the command line could ask; set once that is put together."""

    def requests(self) -> Mapping[str, CarryOut]:
        """Return what can be asked here, by the name of the request."""
        return {
            f"{PREFIX}login": self._log_in,
            f"{PREFIX}logout": self._log_out,
            f"{PREFIX}page": self._show,
            f"{PREFIX}fetch": self._fetch,
            f"{PREFIX}act": self._act,
            f"{PREFIX}psc": self._psc,
        }

    async def run(self) -> None:
        """End logins that are over, until cancelled."""
        while True:
            await self._clock.sleep(SWEPT_EVERY_S)
            self._logins.sweep()

    # Logging in and out

    async def _log_in(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Begin a login.

        Raises:
            RefusedError: Always in the same words.
        """
        token = await self._logins.begin(request)
        return {"token": token, "page": next(iter(self._pages))}

    async def _log_out(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        self._logins.acting(request)
        self._logins.end(request.get("token"), "logged out")
        return {}

    def pin_changed(self, name: str) -> None:
        """End every login of a person whose PIN is another now: whoever knew the old one is out."""
        self._logins.end_all_of(name, "the PIN was changed")

    async def _psc(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Enter PSC mode, or leave it with the PIN of who is logged in; return the page that comes then.

        That is the one on which it was pressed, where it may be shown, else the first.

        Raises:
            RefusedError: The PIN is wrong.
        """
        session = self._logins.acting(request)
        on = request.get("on") is True
        there = [page.name for page in self._pages.values() if page.psc or not on]
        stood = request.get("page")
        to: dict[str, Json] = {"page": stood if stood in there else there[0] if there else ""}
        if on == session.is_psc:
            return to
        if not on:
            await self._proven(session, request)
        session.is_psc = on
        said: dict[str, Json] = {"login": session.id, "on": on}
        await self._logins.write(session, PSC_MODE, session.person.name, said)
        return to

    async def _proven(self, session: Session, request: Mapping[str, Any]) -> None:
        """Refuse who does not prove anew to be who is logged in."""
        try:
            await self._logins.prove(session, request.get("pin"))
        except RefusedError as err:
            session.flash = {"refused": str(err), "act": "psc", "typed": {}}
            raise

    # Reading

    async def _show(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return what a page says, and all that stands around it.

        Raises:
            RefusedError: Nobody is logged in, there is no such page, or it cannot be read.
        """
        session = self._logins.known(request)
        frame = self._frame(session)
        page = self._page(request)
        asked = typed.texts(request.get("asked"), "asked")
        if session.is_psc and not page.psc:
            return {**frame, "page": page.name, "title": page.title, "said": None}
        said = await page.read(self._reader(session), asked)
        if session.is_psc:
            said = self._redaction.of(said)
        self._logins.viewed(session, page.read_as(asked))
        flash, session.flash = session.flash, {}
        return {**frame, "page": page.name, "title": page.title, "said": said, "flash": flash}

    async def _fetch(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return bytes that a page hands out.

        Raises:
            RefusedError: Nobody is logged in, or there is no such thing.
        """
        session = self._logins.known(request)
        page = self._page(request)
        asked = typed.texts(request.get("asked"), "asked")
        fetch = page.files.get(fields.text(request, "file"))
        if fetch is None or session.is_psc:
            raise RefusedError("there is no such file", wants={"page": True})
        found = await fetch(self._reader(session), asked)
        if len(found.body) > LARGEST_FILE:
            raise RefusedError(
                f"{found.name} has {len(found.body)} bytes, more than a page can have"
            )
        self._logins.viewed(session, f"{page.read_as(asked)} {found.name}")
        body = base64.b64encode(found.body).decode()
        size = len(found.body) if found.size is None else found.size
        return {"name": found.name, "media": found.media, "body": body, "size": size}

    def _page(self, request: Mapping[str, Any]) -> Page:
        name = request.get("page") or next(iter(self._pages))
        if (page := self._pages.get(str(name))) is None:
            raise RefusedError("there is no such page", wants={"page": True})
        return page

    def _frame(self, session: Session) -> dict[str, Json]:
        return {
            **self._ship,
            "person": session.person.name,
            "roles": sorted(role.value for role in session.person.roles),
            "csrf": session.csrf,
            "psc": session.is_psc,
            "pages": [
                {"name": page.name, "title": page.title}
                for page in self._pages.values()
                if page.listed and (page.psc or not session.is_psc)
            ],
            "utc": forms.utc(self._clock.utc()),
            "clock": self._clock.status().value,
            "ship_time_offset_min": forms.offset_min(self._ship_time()),
            "flash": session.flash,
        }

    def _reader(self, session: Session) -> Reader:
        return Reader(self.carry_out, **self._of(session))

    def _of(self, session: Session) -> dict[str, Any]:
        return {
            "person": session.person.name,
            "login": session.id,
            "roles": session.person.roles,
            "redaction": self._redaction if session.is_psc else None,
            "now_utc": self._clock.utc(),
            "ship_time": self._ship_time(),
        }

    # Acting

    async def _act(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Do what a form is for; what became of it is said on the next page.

        Raises:
            RefusedError: It is refused, or no act of that page.
        """
        session = self._logins.acting(request)
        if session.is_psc:
            raise RefusedError("nothing can be done in PSC mode")
        page = self._page(request)
        name = fields.text(request, "act")
        if (act := page.acts.get(name)) is None:
            raise RefusedError("there is no such act on this page", wants={"page": True})
        given = typed.texts(request.get("said"), "said")
        try:
            answer = await self._done(session, act, given)
        except RefusedError as err:
            again = typed.shown_again(act.fields, given)
            wants: dict[str, Json] = {
                word: err.wants[word] for word in ("fields", "late") if word in err.wants
            }
            session.flash = {"refused": str(err), "act": name, "typed": again}
            session.flash |= {"wants": wants} if wants else {}
            raise
        session.flash = {"done": _outcome(answer), "act": name, "answer": dict(answer)}
        return {"page": act.to or page.name}

    async def _done(
        self, session: Session, act: Act, given: Mapping[str, str]
    ) -> Mapping[str, Json]:
        said = typed.read(act.fields, given)
        if act.run is not None:
            doer = Doer(
                self.carry_out, write=partial(self._logins.write, session), **self._of(session)
            )
            return await act.run(doer, said)
        person = session.person.name
        asked = dict(act.shape(said, person))
        by = asked.get("by")
        if not isinstance(by, list) or by[:1] != [person]:
            asked["by"] = person
        if act.in_login:
            asked["login"] = session.id
        return await self.carry_out({**asked, "do": act.do})


def _outcome(answer: Mapping[str, Json]) -> str:
    """Return what an act came to."""
    if "recorded" not in answer or "waits_for" in answer:
        return "done"
    seq = answer["recorded"]
    return "done; not yet on disk" if seq is None else f"done · no. {seq} on disk"


async def _nobody(_: Mapping[str, Any]) -> Mapping[str, Json]:
    raise RefusedError("ispsd is starting")
