"""What may people do, and what happens when they do it?

Every act works at once; then it is written, and the answer says whether that has happened (invariant 5). A refused
act changes nothing. Acts on watch stations come over MQTT; what SSO and Master do comes through the control socket.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from daemon.alerts.alert import Acknowledgement
from daemon.alerts.lifecycle import TO_ACKNOWLEDGE
from daemon.alerts.rules.openings import FORCED, SEAL, TAMPER
from daemon.checks.api import Answer, Mode, Who
from daemon.control.fields import LONGEST_TEXT
from daemon.errors import RefusedError
from daemon.model import Classification, DoorClass, Priority, Role
from daemon.mqtt.commands import Command, Reply
from daemon.orders.ordering import OFFICERS
from daemon.people import authority
from daemon.people.authority import ENGINE_DOORS, Act, Only
from daemon.people.claims import By, Claim
from daemon.record.entry import Actor, Draft
from daemon.record.waiting import number_of, on_disk
from daemon.ssas.window import may_open_window
from daemon.testing.session import Aborted

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from daemon.computer.clock import Clock
    from daemon.model import Json, Person
    from daemon.orders.table import Orders
    from daemon.people.people import People
    from daemon.record.entry import Entry
    from daemon.record.journal import Journal
    from daemon.ssas.window import Window
    from daemon.testing.readiness import Test, Tests
    from daemon.testing.sealregister import SealRegister
    from daemon.watch.watch import Watch

MAY_RELEASE = {
    FORCED: OFFICERS,
    TAMPER: frozenset({Role.SSO, Role.ETO}),
    "record.check": frozenset({Role.SSO}),
}
"""Who does the act that a latched alert waits for; a seal waits for its new number."""


READ_SSO = "not now: sso/test shows what is waited for; at ispsd's computer the reason is told"
"""Why something about a test of class ``sso`` was refused, on a topic that everybody reads."""


class Acts:
    """The acts of this version."""

    def __init__(
        self,
        *,
        people: People,
        watch: Watch,
        tests: Tests,
        orders: Orders,
        register: SealRegister,
        window: Window,
        clock: Clock,
        journal: Journal,
        sso_stations: Collection[str] = (),
    ) -> None:
        """Put the parts together; ``sso_stations`` are those that may read ``sso/…``."""
        self._sso_stations = frozenset(sso_stations)
        self._people = people
        self._watch = watch
        self._tests = tests
        self.window = window
        self._clock = clock
        self._journal = journal
        self._orders = orders
        self._register = register
        self._acknowledged: dict[tuple[str, int], tuple[str, asyncio.Future[Entry]]] = {}

    async def carry_out(self, command: Command) -> Reply:
        """Carry out what a watch station asks for over MQTT.

        Raises:
            RefusedError: With the reason, for the person who asked.
        """
        match command.verb:
            case "ack":
                return await self.acknowledge(
                    command.station,
                    alert=command.alert or "",
                    instance=command.instance or 0,
                    priority=command.priority,
                    person=command.person,
                )
            case "silence":
                return await self.silence(command.station, person=command.person)
            case "start_test" | "answer" | "abort_test":
                return await self._assist(command)
            case _:
                return await self._ordered(command)

    async def _ordered(self, command: Command) -> Reply:
        """Carry out an order of a station, or say what stands in the way of one."""
        said = command.arguments
        if command.verb == "ready_to_secure":
            return self._orders.ready_to_secure(said)
        if command.alert is not None:
            said = {**said, "alert": command.alert}
        return await self.order(command.verb, said, _claim(command))

    async def order(self, verb: str, said: Mapping[str, Any], claim: Claim) -> Reply:
        """Carry out an order about the ship, from a station or from the control socket.

        Raises:
            RefusedError: With the reason, for the person who asked.
        """
        return await self._orders.carry_out(verb, said, claim)

    async def _assist(self, command: Command) -> Reply:
        """Start, go on with or break off an assisted test from a station that may read of it.

        Those of class ``sso`` exist at the SSO's stations only, and SSAS tests at no station.
        """
        said: Mapping[str, Any] = command.arguments
        test = str(said["test"])
        known = self._tests.tests.get(test)
        if known is None or not self._may_read_of(known, command.station):
            raise RefusedError(f"there is no test {test!r}")
        if known.classification is Classification.WATCH:
            return await self._led(command, test)
        # Every station reads what any station is told: the reply says yes or no, sso/test the rest.
        try:
            reply = await self._led(command, test)
        except RefusedError as err:
            raise RefusedError(READ_SSO, wants=err.wants) from err
        reason = None if reply.accepted else READ_SSO
        return Reply(accepted=reply.accepted, reason=reason)

    async def _led(self, command: Command, test: str) -> Reply:
        """Start, go on with or break off a test that exists at that station."""
        said: Mapping[str, Any] = command.arguments
        claim = _claim(command)
        if command.verb == "start_test":
            remaining = said.get("remaining") is True
            return await self.start_test(test, claim, item=said.get("item"), remaining=remaining)
        if command.verb == "abort_test":
            return await self.abort_test(test, claim, reason=str(said["reason"]))
        text = str(said.get("text", ""))
        return await self.answer(test, claim, step=int(said["step"]), text=text)

    def _may_read_of(self, test: Test, station: str) -> bool:
        if test.classification is Classification.WATCH:
            return True
        return station in self._sso_stations and not test.spec.needs_window

    async def acknowledge(
        self,
        station: str,
        *,
        alert: str,
        instance: int,
        priority: Priority | None,
        person: str | None,
    ) -> Reply:
        """Acknowledge one alert, one instance of it, at the priority that was seen.

        Raises:
            RefusedError: It is another instance or priority by now, or nothing to acknowledge, or this person may not.
        """
        self._may_acknowledge(alert, person, station)
        now_s, now_utc = self._clock.now_s(), self._clock.utc()
        open_now = {a.id: a for a in self._watch.engine.alerts()}
        seen = open_now.get(alert)
        if seen is not None and priority is not None and seen.priority is not priority:
            raise RefusedError(f"stale: alert has priority {seen.priority} now, not {priority}")
        by = Acknowledgement(station, person)
        change = self._watch.engine.acknowledge(alert, instance, by, now_s=now_s, now_utc=now_utc)
        if change is None:
            return Reply(accepted=True, already=self._who_did(alert, instance))
        written = self._watch.announce(change)
        if written is not None:
            self._remember(alert, instance, station, written)
        return Reply(accepted=True, recorded=await on_disk(written, self._clock))

    def _may_acknowledge(self, alert: str, person: str | None, station: str) -> None:
        """Refuse a person to whom the table says no; a station alone, and a name that nobody has, is one press as ever.

        Raises:
            RefusedError: This person does not acknowledge this.
        """
        if (known := self._at_his_post(person, station)) is None:
            return
        By(known).must_be(authority.roles(Act.ACKNOWLEDGE), Act.ACKNOWLEDGE.value)
        cell = authority.cell(Act.ACKNOWLEDGE, known.roles)
        if cell is None or cell.only is not Only.MACHINERY:
            return
        seen = next((a for a in self._watch.engine.alerts() if a.id == alert), None)
        if seen is not None and self._orders.door_class(seen.source.id) is not DoorClass.MACHINERY:
            raise RefusedError(f"{known.name} may {Act.ACKNOWLEDGE} {Only.MACHINERY}")

    def _at_his_post(self, person: str | None, station: str) -> Person | None:
        """Return whom the table knows by that name at a station; None for no name, and for one that nobody has."""
        if person is None or (known := self._people.find(person)) is None:
            return None
        has_watch = self._watch.stations.has_watch(station, known.name)
        return authority.at_his_post(known, has_watch=has_watch)

    async def acknowledge_newest(self, station: str, *, alert: str, person: str) -> Reply:
        """Acknowledge an alert as it stands now: for who reads it at this computer.

        Args:
            station: Where.
            alert: Its id, key or title, or the id or the short name of what it is about.
            person: Who.

        Raises:
            RefusedError: There is nothing to acknowledge, or more than one, or the name is unknown.
        """
        known = self._people.known(person)
        waiting = [a for a in self._watch.engine.alerts() if a.state in TO_ACKNOWLEDGE]
        named = [a for a in waiting if alert in {a.id, a.key, a.title, a.source.id, a.source.name}]
        if len(named) != 1:
            which = ", ".join(a.id for a in named or waiting) or "none"
            count = f"{len(named)} alerts" if named else "no alert that waits"
            raise RefusedError(f"{alert!r} names {count}; to acknowledge: {which}")
        (seen,) = named
        return await self.acknowledge(
            station,
            alert=seen.id,
            instance=seen.instance,
            priority=seen.priority,
            person=known.name,
        )

    async def silence(self, station: str, *, person: str | None) -> Reply:
        """Silence everything that sounds for 30 s.

        Raises:
            RefusedError: The person named may not.
        """
        if (known := self._at_his_post(person, station)) is not None:
            By(known).must_be(authority.roles(Act.SILENCE), Act.SILENCE.value)
        written = self._watch.silence(Acknowledgement(station, person))
        # The last is on disk after the others: a disk that hangs keeps the answer for a second, however many they are.
        seq = await on_disk(written[-1], self._clock) if written else None
        return Reply(accepted=True, recorded=seq, extra={"silenced": len(written)})

    async def release(self, alert: str, *, note: str, person: str) -> Reply:
        """Let a latched alert go: the act that it waits for was done, by this person.

        Raises:
            RefusedError: No such alert, it waits for another act, its condition holds, or the person may not.
        """
        known = self._people.known(person)
        # By its name, for what is inhibited is not open, and the act may be done meanwhile.
        key = next((key for key in MAY_RELEASE if alert.startswith(f"{key}.")), "")
        if (roles := MAY_RELEASE.get(key)) is None:
            raise RefusedError(f"there is no alert {alert!r} that waits for this")
        By(known).must_be(roles, "let this alert go")
        self._watch.engine.release(alert, now_s=self._clock.now_s())
        self._watch.look()
        return await self._write(
            Draft(
                kind="system",
                type="alert.released",
                subject=alert,
                classification=self._watch.engine.catalogue[key].show,
                actor=Actor(person=known.name),
                open={"alert": alert, "act": self._watch.engine.catalogue[key].latch, "note": note},
            )
        )

    async def new_seal(self, alert: str, *, number: str, person: str) -> Reply:
        """Let a broken seal's alert go: it was inspected and sealed again under this number.

        A numbered seal without a sensor is named by its id, and has only its new number to be entered.

        Raises:
            RefusedError: No such alert or seal, the seal is not whole, no number, or the name is unknown.
        """
        known = self._people.aboard(person)
        if not 0 < len(number) <= LONGEST_TEXT:
            raise RefusedError("the new seal's number is wanted")
        if alert in self._register:
            return await self._renumber(alert, number, known)
        if not alert.startswith(f"{SEAL}."):
            raise RefusedError(f"there is no broken seal {alert!r}")
        self._watch.engine.release(alert, now_s=self._clock.now_s())
        self._watch.look()
        return await self._write(
            Draft(
                kind=".10",
                type="seal.numbered",
                subject=alert,
                classification=Classification.WATCH,
                actor=Actor(person=known.name),
                open={"alert": alert, "number": number},
            )
        )

    async def _renumber(self, seal: str, number: str, person: Person) -> Reply:
        """Enter the new number of a seal that no sensor watches; what numbers are out is the SSO's to know."""
        By(person).must_be(OFFICERS, "enter the number of a seal")
        if re.fullmatch(r"[A-Za-z0-9/-]{1,20}", number) is None:
            raise RefusedError("a seal's number has 1 to 20 letters, digits, dashes and slashes")
        self._register.change(seal, number)
        return await self._write(
            Draft(
                kind=".10",
                type="seal.renumbered",
                subject=seal,
                classification=Classification.SSO,
                actor=Actor(person=person.name),
                open={"seal": seal, "number": number},
            )
        )

    async def open_window(self, first: Claim, second: Claim, *, test: str | None = None) -> Reply:
        """Open an SSAS test window: two different persons, one of them the Master, each with his PIN.

        For a test it is as long as that one needs.

        Raises:
            RefusedError: The two may not, or have not proven themselves, or one is open already.
        """
        # Whether the two are the right ones is told before anybody types a PIN.
        if reason := may_open_window(*(self._people.known(each.name) for each in (first, second))):
            raise RefusedError(reason)
        known = None if test is None else self._tests.tests.get(test)
        if test is not None and known is None:
            raise RefusedError(f"there is no test {test[:40]!r}")
        one, other = await self._people.prove_all((first, second), Act.WINDOW)
        minutes, written = self.window.open(one, other, known)
        return Reply(
            accepted=True,
            recorded=await on_disk(written, self._clock),
            extra={"minutes": round(minutes, 2)},
        )

    async def close_window(self, person: str) -> Reply:
        """Close the test window before its time."""
        written = self.window.close(self._people.aboard(person))
        return Reply(accepted=True, recorded=await on_disk(written, self._clock))

    async def notice(
        self,
        flag: str,
        claim: Claim,
        *,
        sent_utc: datetime,
        to: str,
        reference: str,
        occasion: str = "",
        planned_utc: datetime | None = None,
    ) -> Reply:
        """Enter that a flag was told of an SSAS test; the answer says where it is not valid, with the rule quoted.

        Raises:
            RefusedError: The person may not, or has not proven himself, or the notice cannot be.
        """
        by = await self._people.prove(claim, Act.NOTICE)
        reason, written = self.window.notice(
            flag,
            by,
            sent_utc=sent_utc,
            to=to,
            reference=reference,
            occasion=occasion,
            planned_utc=planned_utc,
        )
        extra: dict[str, Json] = {} if reason is None else {"not_valid": reason}
        return Reply(accepted=True, recorded=await on_disk(written, self._clock), extra=extra)

    async def start_test(
        self, test: str, claim: Claim, *, item: str | None = None, remaining: bool = False
    ) -> Reply:
        """Start a test because a person asks for it; of a group, one item, or one after the other what remains.

        Raises:
            RefusedError: The person may not, or has not proven himself, or the test cannot start now.
        """
        known = self._tests.tests.get(test)
        if known is not None and (reason := self.window.refusal(known, self._tests.tests.values())):
            raise RefusedError(reason)
        covert = known is not None and known.spec.needs_window
        by = await self._people.prove(claim, Act.START_SSAS if covert else Act.START_TEST)
        cell = authority.cell(Act.START_TEST, by.person.roles)
        is_limited = not covert and cell is not None and cell.only is Only.OWN_DOORS
        items: tuple[str, ...] = () if item is None else (item,)
        if remaining:
            if item is not None:
                raise RefusedError("one item, or all that remain: not both")
            items = self._tests.remaining(test)
            if is_limited:
                items = tuple(each for each in items if self._is_engine_door(each))
            if not items:
                raise RefusedError(f"nothing remains of {test} in this period")
        if is_limited and not (items and all(map(self._is_engine_door, items))):
            raise RefusedError(f"{by.person.name} may {Act.START_TEST} {Only.OWN_DOORS}")
        first, *others = items or (None,)
        started = self._tests.start(
            test, by.person.name, item=first, then=tuple(filter(None, others)), proof=by.proof
        )
        told: dict[str, Json] = {"steps": started.spec.steps_of(started.config)}
        if remaining:
            told["items"] = list(items)
        return Reply(accepted=True, extra=told)

    def _is_engine_door(self, item: str) -> bool:
        return self._orders.door_class(item) in ENGINE_DOORS

    async def skip(self, test: str, claim: Claim, *, reason: str) -> Reply:
        """Take the SSO's or the Master's word that a test cannot be done now.

        Raises:
            RefusedError: The person may not, or has not proven himself, or the test cannot be skipped.
        """
        by = await self._people.prove(claim, Act.NOT_DONE)
        written = self._tests.skip(test, by.person.name, reason, proof=by.proof)
        return Reply(accepted=True, recorded=await on_disk(written, self._clock))

    async def answer(self, test: str, claim: Claim, *, step: int, text: str) -> Reply:
        """Give a person's answer to the step that an assisted test shows.

        Whoever is on board may help. A witness proves himself as he would to start a test.

        Raises:
            RefusedError: The test does not wait for that answer, or not of that person.
        """
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise RefusedError(
                f"an answer has at most {LONGEST_TEXT} characters, all of them printable"
            )
        by = By(self._people.aboard(claim.name), claim.station)
        if self._wants_witness(test, step):
            if self._tests.tests[test].spec.needs_window:
                by = await self._people.prove(claim, Act.WITNESS_SSAS)
            elif authority.cell(Act.WITNESS_TEST, by.person.roles):
                by = await self._people.prove(claim, Act.WITNESS_TEST)
        mine = Answer(by.person.name, text, claim.station, by.proof.value)
        before = self._tests.answer(test, step, mine)
        return Reply(accepted=True) if before is None else _too_late(step, mine, before)

    def _wants_witness(self, test: str, step: int) -> bool:
        known = self._tests.tests.get(test)
        progress = None if known is None or known.session is None else known.session.progress
        return progress is not None and progress.step == step and progress.who is Who.WITNESS

    async def abort_test(self, test: str, claim: Claim, *, reason: str) -> Reply:
        """Break off a test: whoever began it by his name, the SSO and the Master with what proves them.

        Raises:
            RefusedError: It is not under way, no reason is given, or the person may not.
        """
        if not reason.strip():
            raise RefusedError("a reason is wanted")
        if claim.name == self._tests.led(test).person:
            by = By(self._people.aboard(claim.name), claim.station)
        else:
            by = await self._people.prove(claim, Act.ABORT_TEST)
        self._tests.abort(test, Aborted(by.person.name, 0, reason.strip(), by.station, by.proof))
        return Reply(accepted=True)

    def tests(self) -> list[dict[str, Json]]:
        """Return every test and how it stands, for the control socket only: SSAS is among them."""
        return [
            {
                "test": test.config.id,
                "equipment": test.config.equipment,
                "name": test.config.name,
                "mode": Mode(test.spec.mode).value,
                "readiness": self._tests.readiness(test),
                "outcome": None if test.last is None else test.last.outcome.value,
                "reason": None if test.last is None else test.last.reason,
                "seq": None if test.last is None else test.last.seq,
                "remaining": list(self._tests.remaining(test.config.id)),
                **self._led_now(test),
            }
            for test in self._tests.tests.values()
        ]

    def _led_now(self, test: Test) -> dict[str, Json]:
        """Return how far a test is that runs now."""
        session = test.session
        progress = None if session is None else session.progress
        left_s = None
        if progress is not None and progress.ends_s is not None:
            left_s = max(0, round(progress.ends_s - self._clock.now_s()))
        return {
            "running": session is not None,
            "item": None if session is None else session.item,
            "step": None if progress is None else progress.step,
            "prompt": None if progress is None else progress.prompt,
            "who": None if progress is None else progress.who.value,
            "seconds_left": left_s,
            "seen": [] if session is None else list(session.seen),
        }

    def _remember(
        self, alert: str, instance: int, station: str, written: asyncio.Future[Entry]
    ) -> None:
        open_ids = {a.id for a in self._watch.engine.alerts()}
        self._acknowledged = {
            key: value for key, value in self._acknowledged.items() if key[0] in open_ids
        }
        self._acknowledged[alert, instance] = (station, written)

    def _who_did(self, alert: str, instance: int) -> dict[str, Json]:
        station, written = self._acknowledged.get((alert, instance), (None, None))
        if station is None:
            by = next(a.acknowledged_by for a in self._watch.engine.alerts() if a.id == alert)
            station = by.station if by is not None else None
        return {"station": station, "seq": number_of(written)}

    async def _write(self, draft: Draft) -> Reply:
        """Write what was done; return the answer, which says whether it is on disk."""
        written = self._journal.submit(draft)
        return Reply(accepted=True, recorded=await on_disk(written, self._clock))


def _too_late(step: int, mine: Answer, before: Answer) -> Reply:
    """Return what is told to whoever answers a step that was answered before."""
    already = {"station": before.station, "seq": None}
    if mine.text.strip().lower() == before.text.strip().lower():
        return Reply(accepted=True, already=already)
    where = "" if before.station is None else f" at {before.station}"
    reason = f"step {step} was answered before, by {before.person}{where}"
    return Reply(accepted=False, reason=reason, already=already)


def _claim(command: Command) -> Claim:
    return Claim(command.person or "", command.pin, command.station)
