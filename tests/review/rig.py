"""The desk of the SSO's pages with a crew, a clock that is moved by hand, and whatever a test lets a request answer."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from daemon.computer.entropy import Entropy
from daemon.errors import RefusedError
from daemon.model import Person, Role
from daemon.people.people import People
from daemon.people.proofs import Proofs
from daemon.review import registry
from daemon.review.desk import ReviewDesk
from daemon.review.redaction import Redaction
from tests.clocks import ManualClock
from tests.pins import FAST, PIN, give_pins
from tests.soon import soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from daemon.record.entry import Draft
    from daemon.review.page import Page

CREW = (
    Person("A. Lindqvist", "Master", frozenset({Role.MASTER})),
    Person("R. Menon", "C/O", frozenset({Role.SSO, Role.OFFICER})),
    Person("J. Santos", "2/O", frozenset({Role.OFFICER})),
    Person("M. Petrov", "3/O", frozenset({Role.OFFICER, Role.DEPUTY_SSO})),
    Person("D. Kovac", "ETO", frozenset({Role.ETO})),
)


class Made:
    """The desk, and what a test sees of it."""

    def __init__(self, people: People, clock: ManualClock, pages: Mapping[str, Page]) -> None:
        self.people = people
        people._journal = self
        self.clock = clock
        self.drafts: list[Draft] = []
        self.asked: list[dict[str, Any]] = []
        self.to_do: list[dict[str, Any]] = []
        self.refuse: str | None = None
        self.desk = ReviewDesk(
            pages,
            people=people,
            journal=self,
            clock=clock,
            entropy=Entropy(),
            ship={"ship": "KESTREL STRAIT", "imo_number": 9999993, "simulated": True},
            ship_time=lambda: timezone(timedelta(hours=8)),
            redaction=Redaction({"steering gear flat"}, {"STRG GEAR DOOR": "D11"}),
        )
        self.desk.carry_out = self._carry_out
        assert people.proofs is not None
        people.proofs.on_change = self.desk.pin_changed

    def submit(self, draft: Draft) -> asyncio.Future[Any]:
        self.drafts.append(draft)
        written: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        written.set_exception(RefusedError("this record is not there"))
        return written

    def written(self) -> list[str]:
        return [draft.type for draft in self.drafts]

    async def ask(self, do: str, **said: Any) -> Mapping[str, Any]:
        """Ask; a wait that the desk makes on purpose passes at once."""
        asking = asyncio.ensure_future(
            self.desk.requests()[f"review.{do}"]({"do": f"review.{do}", **said})
        )
        await soon(lambda: asking.done() or self.clock.next_due_s() is not None)
        while not asking.done():
            due_s = self.clock.next_due_s()
            await self.clock.advance(0.0 if due_s is None else due_s - self.clock.now_s())
            await asyncio.sleep(0)
        return await asking

    async def _carry_out(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(dict(request))
        if self.refuse is not None:
            raise RefusedError(self.refuse)
        listed = {"worklist": {"items": self.to_do}, "tests": {"tests": []}, "forms": {"forms": []}}
        return listed.get(request["do"], {"recorded": 7})


class Visitor:
    """A browser as the desk knows it."""

    def __init__(self, made: Made, token: str) -> None:
        self.made = made
        self.token = token
        self.csrf = ""

    @classmethod
    async def logged_in(
        cls, made: Made, name: str, pin: str = PIN, *, page: str = "worklist"
    ) -> Visitor:
        visitor = cls(made, (await made.ask("login", name=name, pin=pin))["token"])
        visitor.csrf = (await made.ask("page", token=visitor.token, page=page))["csrf"]
        return visitor

    async def page(self, name: str, **asked: str) -> Mapping[str, Any]:
        return await self.made.ask("page", token=self.token, page=name, asked=asked)

    async def act(self, page: str, act: str, **said: str) -> Mapping[str, Any]:
        return await self.made.ask(
            "act", token=self.token, csrf=self.csrf, page=page, act=act, said=said
        )

    async def psc(self, *, on: bool, pin: str | None = None, page: Any = None) -> Mapping[str, Any]:
        return await self.made.ask(
            "psc", token=self.token, csrf=self.csrf, on=on, pin=pin, page=page
        )


@asynccontextmanager
async def desk(folder: Path, *, more: Mapping[str, Page] | None = None) -> AsyncIterator[Made]:
    """Make the desk; officers, SSO and Master have set their PIN."""
    give_pins(folder / "persons.json")
    clock = ManualClock()
    proofs = Proofs(folder / "persons.json", clock=clock, entropy=Entropy(), hardness=FAST)
    await proofs.open()
    try:
        pages = {**registry.pages(), **(more or {})}
        yield Made(People(CREW, proofs=proofs, now_s=clock.now_s), clock, pages)
    finally:
        proofs.close()
