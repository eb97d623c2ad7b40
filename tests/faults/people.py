"""What people do aboard: an officer who opens doors and acknowledges, a page that is alive, the ship's computer."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from daemon.control import control
from daemon.errors import IspsdError
from tests.faults.capture import Capture, Look, Round, Truth
from tests.faults.subscriber import now_s
from tests.processes.berth import GEN_ROOM, HATCH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from daemon.simulate.processes import Simulators
    from tests.faults.fault import Way
    from tests.faults.subscriber import Subscriber

START_S = 45.0
PATIENCE_S = 8.0
"""How long an officer waits for what must come in a second."""
ALIVE_S = 5.0
LOOK_S = 1.0
BETWEEN_ROUNDS_S = 28.0
"""A door that goes three times in a minute is an alert of its own, and there are two."""
DOORS = {
    "d12": ("door.escape.open.d12", HATCH, False),
    "d14": ("door.vital.open.d14", GEN_ROOM, True),
}
"""By point: its alert, its input, and how that stands while it is open."""
CREW = {"bridge": "J. Santos", "gangway": "L. Tupou", "office": "A. Lindqvist", "sso": "R. Menon"}
MOST_ACTS = 2000
"""More than the room holds that the record's log has beforehand (4 MB)."""
BETWEEN_ACTS_S = 0.05
GANGWAY = {"station": "gangway", "person": "L. Tupou"}


class People:
    """Everybody aboard; what they do and see is noted, and judged by others."""

    def __init__(
        self, capture: Capture, page: Subscriber, devices: Simulators, socket: Path
    ) -> None:
        self.capture, self.page, self.devices, self.socket = capture, page, devices, socket
        self._turn = 0
        self.dead: str | None = None
        """The session of the daemon that was killed last: what the page still has of it is no picture."""

    def note(self, words: str) -> None:
        """Put something into the report."""
        self.capture.notes.append(words)

    async def move(self, point: str, *, is_open: bool) -> float:
        """Open or shut a door; return when it began to move."""
        _, number, on = DOORS[point]
        began_s = now_s()
        await self.devices.do("io1", "set", input=number, on=on if is_open else not on)
        state = "open" if is_open else "closed"
        self.capture.truth.append(Truth(point, state, began_s, now_s()))
        return began_s

    async def round(self, way: Way, when: str) -> Round:
        """Open a door, acknowledge its alert, shut it; everything is noted, nothing is judged."""
        self._turn += 1
        point = sorted(DOORS)[self._turn % 2]
        alert = DOORS[point][0]
        done = Round(alert, way, now_s(), when)
        self.capture.rounds.append(done)
        done.opened_s = await self.move(point, is_open=True)
        if await self._until(way, alert, lambda state: state in "VU"):
            done.told_s = done.asked_s = now_s()
            await self._acknowledge(way, alert, done)
            if done.accepted and await self._until(way, alert, lambda state: state == "A"):
                done.quiet_s = now_s()
        done.shut_s = await self.move(point, is_open=False)
        if done.told_s and await self._until(way, alert, lambda state: state == "N"):
            done.gone_s = now_s()
        return done

    async def rounds(self, lasts_s: float, way: Way = "page") -> None:
        """Go round for so long; once at least."""
        ends_s = now_s() + lasts_s
        while True:
            begun_s = now_s()
            await self.round(way, "during")
            if (next_s := begun_s + BETWEEN_ROUNDS_S) > ends_s - PATIENCE_S:
                break
            await asyncio.sleep(max(0.0, next_s - now_s()))
        await asyncio.sleep(max(0.0, ends_s - now_s()))

    async def _acknowledge(self, way: Way, alert: str, done: Round) -> None:
        if way == "page":
            body = self.page.newest.get(f"alert/{alert}", {})
            asked = {"alert": alert, "person": GANGWAY["person"]}
            asked |= {key: body.get(key) for key in ("instance", "priority")}
            said = await self.page.say("gangway", "ack", **asked)
        else:
            said = await self.ask(
                {"do": "ack", "alert": alert, "station": "gangway", "by": GANGWAY["person"]}
            )
            if said is not None and said.get("recorded") is not None:
                self.capture.confirmed.append((said["recorded"], f"acknowledgement of {alert}"))
        done.answered_s = now_s()
        done.accepted = said is not None and said.get("accepted", True)
        done.recorded = None if said is None else said.get("recorded")

    async def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Ask the control socket; None where it does not answer, or refuses."""
        with suppress(IspsdError, OSError, ValueError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                return await control.ask(self.socket, request)
        return None

    async def _until(self, way: Way, alert: str, holds: Callable[[str], bool]) -> bool:
        """Return whether an alert's state came in time; ``N`` where there is none."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                if way == "page":
                    await self.until_page(lambda: holds(self._state(alert)))
                    return True
                while not holds(await self._state_here(alert)):  # noqa: ASYNC110 (another process is asked)
                    await asyncio.sleep(0.1)
                return True
        return False

    async def until_page(self, holds: Callable[[], Any]) -> None:
        while not holds():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.page.news(), 1.0)

    def _state(self, alert: str) -> str:
        return str(self.page.newest.get(f"alert/{alert}", {"state": "N"})["state"])

    async def _state_here(self, alert: str) -> str:
        said = await self.ask({"do": "status"})
        if said is None:
            return "?"
        return next((each["state"] for each in said["alerts"] if each["id"] == alert), "N")

    async def use_up_room(self) -> None:
        """Have so much written that the room which the record's log has already is used up."""
        for number in range(MOST_ACTS):
            # At the computer: a station may send twenty commands in ten seconds.
            said = await self._permit(1 - number % 2)
            assert said is not None, "a permit was not answered, or refused"
            if said.get("recorded") is None:
                if number:
                    self.note(f"{number} acts found room in the log still")
                return
        raise AssertionError(f"{MOST_ACTS} acts were recorded: the disk is not full")

    async def ask_again(self) -> None:
        """Ask for the events that are missing, as a page does: what died in a broker's memory is in the record."""
        came = self.page.notes.events
        missing = [bseq for bseq in range(1, max(came)) if bseq not in came]
        if not missing:
            return
        self.capture.asked_again.update(missing)
        self.note(f"{len(missing)} events that the broker had lost asked for again")
        first, count = missing[0], missing[-1] - missing[0] + 1
        await self.page.say("gangway", "replay", from_bseq=first, limit=count)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self.until_page(lambda: all(bseq in came for bseq in missing))

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Have stations and SSO ask as fast as they are answered."""
        async with beside(*(self._for_ever(*who) for who in CREW.items()), self._seals()):
            yield

    async def _for_ever(self, station: str, person: str) -> None:
        while True:
            await self.page.say(station, "take_watch", person=person)
            await asyncio.sleep(BETWEEN_ACTS_S)

    async def _seals(self) -> None:
        """Do at the control socket what writes: the SSO's word on a seal, with what each answer confirmed."""
        number = 0
        while True:
            number += 1
            await self._permit(number % 30)
            await asyncio.sleep(BETWEEN_ACTS_S)

    async def _permit(self, minutes: int) -> dict[str, Any] | None:
        """Give a permit, or end it with no minutes; return the answer, None where there is none."""
        said = {"door": "d11", "worker": "D. Kovac", "work": "greasing", "minutes": minutes}
        found = await self.ask({"do": "order", "verb": "permit", "by": "J. Santos", "said": said})
        if found is not None and found.get("recorded") is not None:
            self.capture.confirmed.append((found["recorded"], "permit"))
        return found

    async def complete(self) -> None:
        """Return when the page has the whole picture of a living session, in which each door was seen.

        One that moves before it was seen in a session is found open, and not opened (invariant 3).
        """

        def whole() -> bool:
            status, snapshot = (self.page.newest.get(name, {}) for name in ("status", "snapshot"))
            alive = status.get("state") in {"ready", "degraded"} and status["session"] != self.dead
            beats = self.page.newest.get("heartbeat", {}).get("session")
            seen = (self.page.newest.get(f"point/{door}", {}) for door in DOORS)
            return (
                alive
                and status["session"] == snapshot.get("session") == beats
                and all(
                    point.get("session") == beats and point["quality"] == "good" for point in seen
                )
            )

        async with asyncio.timeout(START_S):
            await self.until_page(whole)

    async def alive(self) -> None:
        """Be a page at the gangway that is shown, fresh and sound-armed, and somebody who has the watch there."""
        while True:
            if self.page.newest.get("station/gangway", {}).get("attended") is False:
                await self.page.say("gangway", "take_watch", person=GANGWAY["person"])
            await self.page.say("gangway", "alive", shown=True, fresh=True, sound_armed=True)
            await asyncio.sleep(ALIVE_S)

    async def look(self) -> None:
        """Look at the ship's own computer each second."""
        while True:
            said = await self.ask({"do": "status"})
            alerts = None if said is None else tuple(each["id"] for each in said["alerts"])
            self.capture.looks.append(Look(now_s(), alerts))
            await asyncio.sleep(LOOK_S)

    async def _acknowledge_what_is_over(self) -> None:
        """Press at what is rectified and waits for that alone: a warning does not go before (MSC.302(87))."""
        for name, body in list(self.page.newest.items()):
            if name.startswith("alert/") and body["state"] == "U":
                asked = {key: body[key] for key in ("instance", "priority")}
                said = await self.page.say(
                    "gangway", "ack", alert=body["id"], person=GANGWAY["person"], **asked
                )
                if said is not None and said["accepted"]:
                    self.note(f"{body['title']} acknowledged after it was over")


@asynccontextmanager
async def beside(*works: Awaitable[None]) -> AsyncIterator[None]:
    """Let work go on beside the block; where it failed the block would hold for the wrong reason."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        failed = [task.exception() for task in tasks if task.done() and not task.cancelled()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert failed == [], failed
