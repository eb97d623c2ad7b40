"""What is asked about people on duty: their PINs, the Master's sealed envelope, who hands over to whom.

Everything here comes through the control socket and is an entry of class ``sso``.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.control import fields
from daemon.errors import RefusedError
from daemon.model import Role
from daemon.people import personkey, pins
from daemon.people.authority import COMMAND, HANDED_OVER, Act
from daemon.people.claims import By
from daemon.people.credentials import ENVELOPE
from daemon.people.lockout import TRIES
from daemon.people.writing import DUTIES
from daemon.record.entry import Proof
from daemon.testing.worklist import Item, ItemState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from daemon.model import Json, Person
    from daemon.people.crew import Member
    from daemon.people.people import People
    from daemon.people.proofs import Proofs
    from daemon.people.writing import Writing

    Answer = Mapping[str, Json]
    State = Callable[[str], Awaitable[Mapping[str, Mapping[str, Json]]]]

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without the letters that look like digits, as the code is read from paper."""
GROUPS, GROUP = 4, 5
"""20 of 32 letters: 100 bits, which nobody guesses."""


class Duties:
    """Who is on duty, and able to prove it."""

    def __init__(self, *, people: People, proofs: Proofs, writing: Writing) -> None:
        self._people = people
        self._proofs = proofs
        self._writing = writing

    def requests(self) -> dict[str, Callable[[Mapping[str, Any]], Awaitable[Answer]]]:
        """Return what answers each request about people."""
        return {
            "pins": self._pins,
            "pin.set": self._set_pin,
            "pin.reset": self._reset_pin,
            "envelope.make": self._make_envelope,
            "envelope.open": self._open_envelope,
            "handover": self._hand_over,
        }

    def to_do(self) -> Iterator[Item]:
        """Yield what is to be done about people."""
        if self._proofs.unreadable is not None:
            yield self._item(
                "pins", f"PINS: nobody can prove himself: {self._proofs.unreadable}"[:300]
            )
            return
        for name, until in self._proofs.locked().items():
            whose = name or "the sealed envelope"
            yield self._item(
                "pins", f"LOGIN LOCKED: {TRIES} wrong ones for {whose}, until {until:%H:%M} UTC"
            )
        for name in self._people.without_pin():
            yield self._item("pins", f"no PIN is set for {name}")
        if self._people.in_use() and not self._proofs.has(ENVELOPE):
            yield self._item(
                "envelope", "the Master's sealed envelope is to be made: ispsd envelope"
            )

    # PINs

    async def _pins(self, _: Mapping[str, Any]) -> Answer:
        """Who has set a PIN, and whose is locked until when; of the PINs themselves nothing is ever said."""
        locked = self._proofs.locked()
        return {
            "persons": {
                person.name: {
                    "is_set": self._proofs.has(person.name),
                    "locked_until": None
                    if person.name not in locked
                    else forms.utc(locked[person.name]),
                }
                for person in self._people.persons()
            },
            "envelope": self._proofs.has(ENVELOPE),
            "unreadable": self._proofs.unreadable,
        }

    async def _set_pin(self, request: Mapping[str, Any]) -> Answer:
        """A person sets his own PIN; with the one before, where there is one."""
        claim = fields.claim(request)
        person = self._people.aboard(claim.name)
        new = fields.pin(request.get("new_pin"), "new_pin")
        has = self._proofs.has(person.name)
        if has and claim.pin is None:
            raise RefusedError(
                f"the PIN that {person.name} has now is wanted, then the new one: {pins.rule(person.roles)}",
                wants={"pin": person.name, "new_pin": person.name},
            )
        if has and claim.pin is not None and new is None:
            # So that nobody types a new one twice before he reads that the old one was wrong.
            await self._proofs.check(person.name, claim.pin)
        _wanted_new(person, new)
        assert new is not None  # noqa: S101 (refused above)
        pins.check(new, person.roles)
        if has and claim.pin is not None:
            await self._proofs.check(person.name, claim.pin)
            if new == claim.pin:
                raise RefusedError("that is the PIN that is set already")
        return await self._new_pin(person, new, old=claim.pin if has else None)

    async def _new_pin(self, person: Person, new: str, *, old: str | None) -> Answer:
        signs = bool(person.roles & COMMAND)
        public = await self._proofs.set(person.name, new, old=old, signs=signs)
        # Nobody can prove anything by a first PIN: it is whoever sits at ispsd's own computer that says so.
        by = By(person, proof=Proof.NONE if old is None else Proof.PIN)
        if public is not None:
            self._people.announce(by, personkey.text(public))
        said: dict[str, Json] = {"person": person.name, "first": old is None}
        return {
            "recorded": await self._writing.on_disk(
                self._writing.submit("pin.set", person.name, by, said)
            )
        }

    async def _reset_pin(self, request: Mapping[str, Any]) -> Answer:
        """The SSO resets another's, the Master the SSO's; he sets his new one himself, with two prompts."""
        whose = self._people.known(fields.text(request, "whose"))
        claim = fields.claim(request)
        resetting = self._people.known(claim.name)
        if not _may_reset(resetting, whose) and resetting.roles & COMMAND:
            raise RefusedError(
                f"{resetting.name} may not reset the PIN of {whose.name}: the SSO resets others', the "
                "Master the SSO's, and the Master's own is reset by the code in the sealed envelope"
            )
        by = await self._people.prove(claim, Act.RESET_PIN)
        if not self._proofs.has(whose.name):
            raise RefusedError(f"no PIN is set for {whose.name}")
        await self._proofs.forget(whose.name)
        written = self._writing.submit("pin.reset", whose.name, by, {"person": whose.name})
        return {"recorded": await self._writing.on_disk(written)}

    # The sealed envelope

    async def _make_envelope(self, request: Mapping[str, Any]) -> Answer:
        by = await self._people.prove(fields.claim(request), Act.ENVELOPE)
        letters = "".join(secrets.choice(ALPHABET) for _ in range(GROUPS * GROUP))
        await self._proofs.set(ENVELOPE, letters, old=None, signs=False)
        written = self._writing.submit("envelope.made", "envelope", by, {})
        code = "-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP))
        return {"code": code, "recorded": await self._writing.on_disk(written)}

    async def _open_envelope(self, request: Mapping[str, Any]) -> Answer:
        """Whoever is on board and has broken the seal gives the Master a new PIN; the code counts no more."""
        opener = self._people.aboard(fields.text(request, "by"))
        masters = self._people.of_role(Role.MASTER)
        if not self._proofs.has(ENVELOPE) or len(masters) != 1:
            raise RefusedError(
                "no sealed envelope is made, or there is not one Master on the crew list"
            )
        (master,) = masters
        code, new = (
            fields.pin(request.get("code"), "code"),
            fields.pin(request.get("new_pin"), "new_pin"),
        )
        if code is None:
            raise RefusedError(
                f"the code in the envelope is wanted, then a new PIN for {master.name}",
                wants={"code": True, "new_pin": master.name},
            )
        letters = "".join(letter for letter in code.upper() if letter in ALPHABET)
        if new is None:
            await self._proofs.check(ENVELOPE, letters, what="code of the envelope")
        _wanted_new(master, new)
        assert new is not None  # noqa: S101 (refused above)
        pins.check(new, master.roles)
        await self._proofs.check(ENVELOPE, letters, what="code of the envelope")
        said: dict[str, Json] = {"person": master.name, "opened_by": opener.name}
        self._writing.submit("envelope.opened", "envelope", By(opener), said)
        answer = await self._new_pin(master, new, old=None)
        await self._proofs.forget(ENVELOPE)
        return answer

    # Duties

    async def _hand_over(self, request: Mapping[str, Any]) -> Answer:
        """One gives the duty of SSO or Master to another, each with his PIN; the giver signs."""
        giving, taking = fields.claims(request, count=2)
        role = HANDED_OVER.get(fields.text(request, "role"))
        if role is None:
            raise RefusedError(f"role is one of {', '.join(HANDED_OVER)}")
        giver, taker = self._people.known(giving.name), self._people.aboard(taking.name)
        if role not in giver.roles:
            raise RefusedError(f"{giver.name} is not {role.value}")
        if role in taker.roles:
            raise RefusedError(f"{taker.name} is {role.value} already")
        by, _ = await self._people.prove_all((giving, taking), Act.HAND_OVER)
        members = self._people.members
        # Another may have changed the list while the PINs were checked.
        if (
            not {giver.name, taker.name} <= members.keys()
            or role not in members[giver.name].person.roles
        ):
            raise RefusedError("the crew list has just been changed; see ispsd crew")
        after = (
            _with(members[giver.name], members[giver.name].person.roles - {role}),
            _with(members[taker.name], members[taker.name].person.roles | {role}),
        )
        draft = self._writing.draft(
            "duty.handed_over",
            role.value,
            by,
            {
                "role": role.value,
                "from": giver.name,
                "to": taker.name,
                "proof": Proof.PIN.value,
                "persons": [each.body() for each in after],
            },
            kind=DUTIES,
        )
        written = self._writing.take(by.sign(draft))
        for each in after:
            members[each.person.name] = each
        return {"recorded": await self._writing.on_disk(written)}

    def _item(self, id_: str, what: str) -> Item:
        return Item(id_, "people", what, ItemState.DUE, None, None)


def _wanted_new(person: Person, new: str | None) -> None:
    """Refuse where a new PIN is not there, and say what it must be.

    Raises:
        RefusedError: It is not there.
    """
    if new is None:
        raise RefusedError(
            f"a new PIN for {person.name} is wanted: {pins.rule(person.roles)}",
            wants={"new_pin": person.name},
        )


def _may_reset(by: Person, whose: Person) -> bool:
    """Return whether the table lets one reset the PIN of the other: nobody alone may become the Master."""
    if by.name == whose.name:
        return False
    as_sso = Role.SSO in by.roles and Role.MASTER not in whose.roles
    as_master = Role.MASTER in by.roles and Role.SSO in whose.roles
    return as_sso or as_master


def _with(member: Member, roles: frozenset[Role]) -> Member:
    return replace(member, person=replace(member.person, roles=roles))
