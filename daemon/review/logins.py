"""Who is logged in on the SSO's pages, and what of it is written? Known here only.

Each login and logout, and what is read in it, is an entry of class ``sso`` by who is logged in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.control import fields
from daemon.errors import RefusedError
from daemon.model import Classification
from daemon.people.claims import By
from daemon.record.entry import Draft, Proof
from daemon.record.waiting import let_go, on_disk
from daemon.review.login import PAGE, Login
from daemon.review.sessions import MOST_SEEN, Sessions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.model import Json
    from daemon.people.people import People
    from daemon.record.journal import Journal
    from daemon.review.sessions import Session

LOGGED_IN: Final = "sso.login"
LOGGED_OUT: Final = "sso.logout"
VIEWED: Final = "sso.viewed"


class Logins:
    """Begins and ends logins, and writes what was done in each."""

    def __init__(self, people: People, journal: Journal, clock: Clock, entropy: Entropy) -> None:
        self._people = people
        self._journal = journal
        self._clock = clock
        self._login = Login(people, clock)
        self._sessions = Sessions(entropy.salt)

    async def begin(self, request: Mapping[str, Any]) -> str:
        """Begin a login; return its token, once the entry is on disk.

        Raises:
            RefusedError: Always in the same words.
        """
        person = await self._login.person(request)
        self.end(request.get("token"), "logged in again")
        token, session, put_out = self._sessions.begin(person, self._clock.now_s())
        for each in put_out:
            self._told_out(each, "too many logins")
        await self.write(session, LOGGED_IN, person.name, {"login": session.id})
        return token

    def known(self, request: Mapping[str, Any]) -> Session:
        """Return whose login it is.

        Raises:
            RefusedError: Nobody's, or not any more.
        """
        self.sweep()
        session = self._sessions.find(request.get("token"), self._clock.now_s())
        if session is None:
            raise _again()
        if self._people.find(session.person.name) != session.person:
            self._drop(session, "the crew list was changed")
            raise _again()
        return session

    def acting(self, request: Mapping[str, Any]) -> Session:
        """Return whose login it is, whose own form was sent.

        Raises:
            RefusedError: Nobody's, or another page made the form.
        """
        session = self.known(request)
        if not session.may_act(request.get("csrf")):
            raise RefusedError("this form is not of this login; nothing was done")
        return session

    async def prove(self, session: Session, typed: object) -> None:
        """Let who is logged in prove anew that it is he.

        Raises:
            RefusedError: The PIN is wrong.
        """
        proofs = self._people.proofs
        assert proofs is not None  # noqa: S101 (nobody logs in without any)
        pin = fields.pin(typed or "", "PIN")
        await proofs.check(session.person.name, pin or "", station=PAGE)

    # Ending

    def end(self, token: object, how: str) -> None:
        """End the login of a token, where there is one."""
        if (session := self._sessions.end(token)) is not None:
            self._told_out(session, how)

    def end_all_of(self, name: str, how: str) -> None:
        """End every login of a person."""
        for session in self._sessions.of(name):
            self._drop(session, how)

    def sweep(self) -> None:
        """End what is over."""
        for session, how in self._sessions.sweep(self._clock.now_s()):
            self._told_out(session, how)

    def _drop(self, session: Session, how: str) -> None:
        self._sessions.drop(session)
        self._told_out(session, how)

    def _told_out(self, session: Session, how: str) -> None:
        self._submit(session, LOGGED_OUT, session.person.name, {"login": session.id, "how": how})

    # Writing

    def viewed(self, session: Session, document: str) -> None:
        """Enter that a document was read, the first time in a login.

        Raises:
            RefusedError: So many were read in it that it has ended.
        """
        if document in session.seen:
            return
        if len(session.seen) >= MOST_SEEN:
            self._drop(session, "too many documents")
            raise _again()
        session.seen.add(document)
        said: dict[str, Json] = {"document": document, "login": session.id, "psc": session.is_psc}
        self._submit(session, VIEWED, document, said)

    async def write(
        self, session: Session, type_: str, subject: str, said: Mapping[str, Json]
    ) -> int | None:
        """Make an entry by who is logged in; return its number once it is on disk."""
        return await on_disk(self._submit(session, type_, subject, said), self._clock)

    def _submit(self, session: Session, type_: str, subject: str, said: Mapping[str, Json]) -> Any:
        written = self._journal.submit(
            Draft(
                kind="system",
                type=type_,
                subject=subject,
                classification=Classification.SSO,
                actor=By(session.person, PAGE, Proof.PIN).actor(),
                open=said,
            )
        )
        let_go(written)
        return written


def _again() -> RefusedError:
    return RefusedError("log in again", wants={"login": True})
