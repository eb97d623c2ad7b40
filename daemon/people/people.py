"""Who is this, and may he? Every act of a person goes through here before it counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from daemon.computer import logs
from daemon.errors import RefusedError
from daemon.model import Classification, Role
from daemon.people import authority, personkey
from daemon.people.authority import ASHORE, COMMAND, INSISTS, Act, Ask, Only
from daemon.people.claims import By, Claim
from daemon.people.crew import Member
from daemon.people.lockout import LOCKED_FOR_S, TRIES
from daemon.record.entry import Draft, Proof
from daemon.record.waiting import let_go

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from daemon.model import Person
    from daemon.people.authority import Cell
    from daemon.people.proofs import Proofs
    from daemon.record.entry import Entry
    from daemon.record.journal import Journal

SHOWN_FOR_S: Final = 5.0
"""How long a lock is a condition of ``login.locked``; the alert itself stays for its delay of 15 minutes."""
NEEDS_A_PIN: Final = COMMAND | {Role.OFFICER}
"""Whose acts ask for one."""


class People:
    """Everybody who may act on board."""

    def __init__(
        self,
        persons: Iterable[Person],
        *,
        proofs: Proofs | None = None,
        journal: Journal | None = None,
        now_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Begin with a crew list.

        Args:
            persons: Who is on board as far as the configuration knows.
            proofs: Their PINs; None: nobody has one.
            journal: Where new keys and locks are written.
            now_s: Seconds since boot, for the alert of a lock.
        """
        self.members = {person.name: Member(person) for person in persons}
        self.proofs = proofs
        self._journal = journal
        self._now_s = now_s
        self._locked_s: float | None = None
        self._log = logs.get("people")
        self.had_pins: frozenset[str] = frozenset()
        """Whose PINs the record knows of: a file that was lost is no ship without PINs."""
        self.announced: dict[str, str] = {}
        """The newest key of each person that the record knows of."""
        self.are_known = True
        """Whether the crew list is the record's; until it was read, nobody can prove to have a role."""
        if proofs is not None:
            proofs.on_lock = self._on_lock

    def become(self, members: Iterable[Member]) -> None:
        """Take the crew list that the record has."""
        self.members = {each.person.name: each for each in members}

    def persons(self) -> list[Person]:
        """Return everybody on the crew list."""
        return [each.person for each in self.members.values()]

    def on_board(self) -> list[Person]:
        """Return who may do what the table leaves to everybody on board, as to take a watch."""
        return [person for person in self.persons() if not _is_ashore(person)]

    def of_role(self, role: Role) -> list[Person]:
        """Return who has a role."""
        return [person for person in self.persons() if role in person.roles]

    def find(self, name: str) -> Person | None:
        """Return the person of that name; None where nobody has it."""
        found = self.members.get(name)
        return None if found is None else found.person

    def known(self, name: str) -> Person:
        """Return the person of that name.

        Raises:
            RefusedError: Nobody of that name is on the crew list.
        """
        if (found := self.find(name)) is None:
            raise RefusedError(f"{name!r} is not on the crew list")
        return found

    def aboard(self, name: str) -> Person:
        """Return the person of that name, who does something that the table leaves to everybody on board.

        Raises:
            RefusedError: Nobody of that name is on the crew list, or he is ashore.
        """
        person = self.known(name)
        if _is_ashore(person):
            raise RefusedError(f"{name} does nothing on board: CSO and port state control receive")
        return person

    # What is asked for

    def in_use(self) -> bool:
        """Return whether this ship has PINs; without any, acts that merely ask for one go on without proof."""
        if self.proofs is None:
            return False
        return bool(self.proofs.names() or self.had_pins) or self.proofs.unreadable is not None

    def without_pin(self) -> list[str]:
        """Return whose acts ask for a PIN and who has none."""
        return sorted(
            person.name
            for person in self.persons()
            if person.roles & NEEDS_A_PIN and not (self.proofs and self.proofs.has(person.name))
        )

    async def prove(
        self, claim: Claim, act: Act, *, on_guard: bool = False, has_watch: bool = False
    ) -> By:
        """Return who acts, once he is known, may do this, and has proven himself as the act asks for.

        Args:
            claim: Who he says to be.
            act: What he wants to do.
            on_guard: She is in a threat area, or at security level 2 or 3: some acts hang on that.
            has_watch: He has the watch where he says it (``authority.at_his_post``).

        Raises:
            RefusedError: Unknown, may not, or not proven; the message is for that person, ``wants`` for his terminal.
        """
        person = await self._who(claim)
        at_his_post = authority.at_his_post(person, has_watch=has_watch)
        cell = self._may(at_his_post, act, on_guard=on_guard)
        ask = max(cell.ask, Ask.PIN) if act in INSISTS else cell.ask
        self._must_be_known(ask)
        return await self._proven(person, claim, act, ask)

    async def prove_all(self, claims: Sequence[Claim], act: Act) -> list[By]:
        """Return the persons of an act that takes several, each with his PIN, whatever each alone may.

        Raises:
            RefusedError: One of them is unknown or not proven; ``wants`` names all whose PIN is not there.
        """
        persons = [await self._who(claim) for claim in claims]
        self._must_be_known(Ask.PIN)
        for person in persons:
            if self.proofs is None or not self.proofs.has(person.name):
                raise RefusedError(self._no_pin(person.name, act))
        if any(claim.pin is None for claim in claims):
            names = [claim.name for claim in claims]
            raise RefusedError(
                f"the PINs of {' and '.join(names)} are wanted", wants={"pins": names}
            )
        proven = []
        for person, claim in zip(persons, claims, strict=True):
            cell = authority.cell(act, person.roles)
            ask = Ask.PIN if cell is None else max(cell.ask, Ask.PIN)
            proven.append(await self._proven(person, claim, act, ask))
        return proven

    def _must_be_known(self, ask: Ask) -> None:
        if ask > Ask.NOTHING and not self.are_known:
            raise RefusedError(
                "the crew list has not been read from the record yet, and duties may have changed hands: try again"
            )

    def _may(self, person: Person, act: Act, *, on_guard: bool) -> Cell:
        roles = authority.roles(act)
        By(person).must_be(roles, act.value)
        cell = authority.cell(act, person.roles & roles, on_guard=on_guard)
        if cell is None:  # must_be has refused who never may
            raise RefusedError(f"{person.name} may {act.value} {Only.IN_THREAT}")
        return cell

    async def _who(self, claim: Claim) -> Person:
        if (person := self.find(claim.name)) is None and claim.pin is not None and self.proofs:
            try:
                await self.proofs.check(None, claim.pin)
            except RefusedError as err:
                raise RefusedError(f"{claim.name!r} is not on the crew list") from err
        return person or self.known(claim.name)

    async def _proven(self, person: Person, claim: Claim, act: Act, ask: Ask) -> By:
        name, proofs = person.name, self.proofs
        if ask is Ask.NOTHING:
            return By(person, claim.station)
        if proofs is None or not proofs.has(name):
            if proofs is not None and claim.pin is not None:
                await self._waste(claim.pin)
            if self.in_use() or act in INSISTS or claim.pin is not None:
                raise RefusedError(self._no_pin(name, act))
            return By(person, claim.station)
        if claim.pin is None:
            raise RefusedError(f"the PIN of {name} is wanted to {act.value}", wants={"pin": name})
        await proofs.check(name, claim.pin, station=claim.station)
        if self.find(name) != person:
            raise RefusedError(f"the crew list has just been changed for {name}; see ispsd crew")
        by = By(person, claim.station, Proof.PIN)
        if ask is Ask.SIGNATURE and person.roles & COMMAND:
            signer, is_new = await proofs.signer(name, claim.pin)
            if is_new or self.announced.get(name) != signer.public:
                self.announce(by, signer.public)
            by = replace(by, signer=signer)
        return by

    async def _waste(self, pin: str) -> None:
        """Take as long as for a person who has a PIN."""
        assert self.proofs is not None  # noqa: S101 (asked only where there are any)
        try:
            await self.proofs.check(None, pin)
        except RefusedError:
            return

    def _no_pin(self, name: str, act: Act) -> str:
        if self.proofs is not None and self.proofs.unreadable is not None:
            return f"no PIN can be checked: {self.proofs.unreadable}"
        return (
            f"no PIN is set for {name}, and nobody may {act.value} without one: "
            f'at the computer of ispsd, {name} types: ispsd pin set --by "{name}"'
        )

    # What is written

    def announce(self, by: By, public: str) -> None:
        """Enter a person's new public key: what he signs from now on is held against it."""
        self._announce(
            by.person.name,
            public,
            Draft(
                kind="system",
                type="person.key",
                subject=by.person.name,
                classification=Classification.WATCH,
                actor=by.actor(),
                open={"person": by.person.name, "key": public},
            ),
        )

    def _announce(self, name: str, public: str, draft: Draft) -> None:
        self.announced[name] = public

        def settled(written: asyncio.Future[Entry]) -> None:
            lost = written.cancelled() or written.exception() is not None
            if lost and self.announced.get(name) == public:
                del self.announced[name]  # the next signature has it entered again

        if (written := self._submit(draft)) is not None:
            written.add_done_callback(settled)

    def locks_now(self) -> bool:
        """Return whether somebody's PIN has been locked just now: the condition of ``login.locked``."""
        return self._locked_s is not None and self._now_s() - self._locked_s < SHOWN_FOR_S

    def _on_lock(self, name: str, station: str | None) -> None:
        self._locked_s = self._now_s()
        self._submit(
            Draft(
                kind="system",
                type="login.locked",
                subject=name or "sealed envelope",
                classification=Classification.SSO,
                open={
                    "person": name or None,
                    "station": station,
                    "wrong": TRIES,
                    "minutes": int(LOCKED_FOR_S // 60),
                },
            )
        )

    def _submit(self, draft: Draft) -> asyncio.Future[Entry] | None:
        if self._journal is None:
            return None
        written = self._journal.submit(draft)
        let_go(written)
        return written

    def known_keys(self, found: Mapping[str, str]) -> None:
        """Take the keys that the record knows, and enter those that it does not: a record may be younger than a key."""
        self.announced = dict(found)
        if self.proofs is None:
            return
        for name in self.proofs.names():
            public = self.proofs.public_key(name)
            if public is None or (person := self.find(name)) is None:
                continue
            if self.announced.get(name) != (key := personkey.text(public)):
                self._announce(
                    name,
                    key,
                    Draft(
                        kind="system",
                        type="person.key",
                        subject=person.name,
                        classification=Classification.WATCH,
                        open={"person": person.name, "key": key},
                    ),
                )


def _is_ashore(person: Person) -> bool:
    return bool(person.roles) and person.roles <= ASHORE
