"""What does the electro-technical officer ask for while he commissions, and after he has changed a unit?

Loop checks, over MQTT and over the control socket; which contact is proved; a unit that was replaced. Who may: officers
agree, the ETO starts and replaces, SSO and Master may both (the table of acts, ``daemon.people.authority``).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.commissioning.loopcheck import ALL, LONGEST_MIN, LoopCheck
from daemon.control import fields
from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, ContactState, Outcome, Role
from daemon.mqtt.commands import Reply
from daemon.people.authority import COMMAND
from daemon.people.claims import By
from daemon.record import fold
from daemon.record.entry import Draft
from daemon.record.reader import Query
from daemon.record.waiting import let_go, on_disk
from daemon.testing.worklist import Item, ItemState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
    from datetime import datetime

    from daemon.computer.clock import Clock
    from daemon.model import Json
    from daemon.mqtt.commands import Command
    from daemon.people.people import People
    from daemon.points.proving import Proving
    from daemon.record.entry import Entry
    from daemon.record.log import Record
    from daemon.testing.readiness import Test, Tests
    from daemon.watch.watch import Watch

REPLACING: Final = COMMAND | {Role.ETO}
LINE_FAULT: Final = "sensor.line_fault"
AGAIN_S: Final = 1.0
LONGEST_SERIAL: Final = 40
MOST_NAMED: Final = 12
"""Contacts that one line of the worklist names; the rest is counted."""
_WORDS: Final = {
    ContactState.CLOSED: "closed",
    ContactState.OPEN: "open",
    ContactState.LINE_FAULT: "line fault",
}


class Commissioning:
    """Everything about proving what is wired."""

    def __init__(
        self,
        *,
        people: People,
        watch: Watch,
        tests: Tests,
        loop_check: LoopCheck,
        record: Record,
        clock: Clock,
        points_of: Mapping[str, Collection[str]],
    ) -> None:
        """Put the parts together; ``points_of`` has the points of every device but those of SSAS."""
        self._people = people
        self._watch = watch
        self._proving: Proving = watch.proving
        self._tests = tests
        self.loop_check = loop_check
        self._record = record
        self._clock = clock
        self._points_of = points_of

    # At the start

    async def take_up(self) -> None:
        """Take up what the record says was proved, and end the loop check that a stop left on.

        Raises:
            RecordError: The record cannot be read now; until it can, nothing is proved.
        """
        kept = await self._record.state(fold.COMMISSIONED)
        unknown = [p for p in self._proving.contacts if p not in kept]
        tested = {} if not unknown else _passed(await self._record.state(fold.ITEM))
        supervised = (p for p in unknown if self._proving.contacts[p].is_supervised)
        faulted = {
            point: at
            for point in supervised
            if point in tested and (at := await self._line_fault(point)) is not None
        }
        units = await self._record.state(fold.UNIT)
        running = await self._record.state(fold.LOOP_CHECK)
        self._proving.take_up(kept, tested=tested, faulted=faulted)
        for device, body in units.items():
            self._test_again(device, forms.from_utc(str(body["at"])))
        for body in running.values():
            self.loop_check.left_on(body)

    async def run(self) -> None:
        """Look after the loop check until cancelled; take up what the record says as soon as it lets itself be read."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.loop_check.run())
            while not self._proving.is_taken_up:
                await self._clock.sleep(AGAIN_S)
                with suppress(RecordError):
                    await self.take_up()

    async def _line_fault(self, point: str) -> datetime | None:
        """Return when a contact last had an alert of a line fault, among its newest alerts."""
        query = Query(type="alert.changed", subject=point, newest_first=True, limit=200)
        for entry in await self._record.entries(query):
            if entry.open.get("key") == LINE_FAULT:
                return forms.from_utc(str(entry.open["raised"]))
        return None

    # What is to be done

    def to_do(self) -> Iterator[Item]:
        """Yield a line for each device with contacts that are still to be proved."""
        by_device: dict[str, list[str]] = {}
        again: dict[str, str] = {}
        for point, missing in self._proving.to_prove().items():
            device = self._proving.contacts[point].device
            states = ", ".join(_WORDS[state] for state in missing)
            by_device.setdefault(device, []).append(f"{point} ({states})")
            if why := self._proving.why(point):
                again[device] = why
        for device, named in by_device.items():
            more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
            what = f"prove again, {again[device]}" if device in again else "prove"
            text = f"{device}: {what}: still to be seen: {', '.join(named[:MOST_NAMED])}{more}"
            yield Item(f"prove-{device}", device, text[:300], ItemState.NOT_PROVEN, None, None)

    # What people do

    def requests(self) -> dict[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]]]:
        """Return who answers which request of the control socket."""
        return {
            "loop_check": self._loop_check,
            "loop_check.show": self._show,
            "wiring": self._proofs,
            "replaced": self._replaced,
        }

    async def carry_out(self, command: Command) -> Reply:
        """Carry out ``cmd/<station>/loop_check``.

        Raises:
            RefusedError: With the reason, for the person who asked.
        """
        said = command.arguments
        by = By(self._people.aboard(command.person or ""), command.station)
        minutes = said.get("minutes", LONGEST_MIN)
        assert isinstance(minutes, int)  # noqa: S101 (the parser has seen to it)
        return await self._act(str(said["do"]), by, str(said.get("device", ALL)), minutes)

    async def _loop_check(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        by = By(self._people.aboard(fields.claim(request).name))
        device = fields.optional_text(request, "device") or ALL
        minutes = fields.number(request, "minutes") if "minutes" in request else LONGEST_MIN
        reply = await self._act(fields.text(request, "what"), by, device, minutes)
        return {"recorded": reply.recorded, **(reply.extra or {})}

    async def _act(self, what: str, by: By, device: str, minutes: int) -> Reply:
        written: asyncio.Future[Entry] | None = None
        match what:
            case "start":
                self.loop_check.start(device, by, minutes=minutes)
                return Reply(accepted=True, extra={"waits_for": "the watch to agree"})
            case "agree":
                written = self.loop_check.agree(by)
            case "end":
                written = self.loop_check.end(by)
            case _:
                raise RefusedError(f"{what[:40]!r} is none of start, agree, end")
        return Reply(accepted=True, recorded=await on_disk(written, self._clock))

    async def _show(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        return self.loop_check.state()

    async def _proofs(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        contacts = self._proving.contacts.values()
        return {
            "known": self._proving.is_taken_up,
            "contacts": [self._proving.body(wired) for wired in contacts],
        }

    async def _replaced(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """A unit was replaced: nothing that was proved of it holds."""
        device = fields.text(request, "device")
        old, new = _serial(request, "old"), _serial(request, "new")
        by = By(self._people.aboard(fields.claim(request).name))
        by.must_be(REPLACING, "enter that a unit was replaced")
        if device not in self._points_of:
            raise RefusedError(f"there is no device {device[:40]!r} of which this is entered")
        if old == new:
            raise RefusedError("the old and the new serial number are the same")
        reason = fields.text(request, "why") if "why" in request else None
        why = f"unit replaced {self._clock.utc():%d %b %Y}"
        contacts = [w for w in self._proving.contacts.values() if w.device == device]
        self._proving.begin_anew((each.point for each in contacts), why)
        self._watch.show_again(each.point for each in contacts)
        now_utc = self._clock.utc()
        tests = self._test_again(device, now_utc)
        draft = Draft(
            kind=".10",
            type="unit.replaced",
            subject=device,
            classification=Classification.SSO,
            actor=by.actor(),
            open={
                "device": device,
                "old": old,
                "new": new,
                "why": reason,
                "at": forms.utc(now_utc),
                "tests_again": tests,
                "contacts": [self._proving.body(each) for each in contacts],
            },
        )
        written = self._record.submit(draft)
        let_go(written)
        return {
            "recorded": await on_disk(written, self._clock),
            "to_prove": [each.point for each in contacts],
            "tests_again": tests,
        }

    def _test_again(self, device: str, since_utc: datetime) -> list[str]:
        """Let tests of this device's points count from now on only; return their names."""
        points = self._points_of.get(device, ())
        return [
            test.config.id
            for test in self._tests.tests.values()
            if test.classification is Classification.WATCH and self._again(test, points, since_utc)
        ]

    def _again(self, test: Test, points: Collection[str], since_utc: datetime) -> bool:
        items = [item for item in test.spec.items(test.config) if item in points]
        if not items and not any(point in points for point in test.spec.points(test.config)):
            return False
        test.only_since(since_utc, items)
        self._tests.show(test)
        return True


def _passed(items: Mapping[str, Mapping[str, Json]]) -> dict[str, datetime]:
    """Return when each item last passed a test: a door that was seen open and closed."""
    return {
        place.partition("/")[2]: forms.from_utc(str(body["ended"]))
        for place, body in items.items()
        if body["outcome"] == Outcome.PASSED.value
    }


def _serial(request: Mapping[str, Any], name: str) -> str:
    number = fields.text(request, name)
    if len(number) > LONGEST_SERIAL:
        raise RefusedError(f"{name}: a serial number has at most {LONGEST_SERIAL} characters")
    return number
