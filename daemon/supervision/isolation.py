"""How is a driver that hangs kept from hanging the watch for ever? Noted, held at the next start, let go by name."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from daemon.computer import logs
from daemon.control import fields
from daemon.errors import RefusedError
from daemon.model import Classification
from daemon.people.authority import Act
from daemon.record.entry import SYSTEM, Actor, Draft
from daemon.record.waiting import let_go, on_disk
from daemon.record.worker import Worker
from daemon.supervision.hangwatch import TRACE, HangWatch
from daemon.supervision.quarantine import CAUGHT, FILE, LET_GO, REASON, Note, Notes, caught

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from daemon.computer.clock import Clock
    from daemon.model import Json
    from daemon.people.people import People
    from daemon.record.entry import Entry
    from daemon.record.journal import Journal
    from daemon.supervision.supervise import Supervisor

_T = TypeVar("_T")
READ_S: Final = 2.0
"""A disk that takes longer has no notes: the watch begins without them."""
OF_WATCHDOG: Final = 0.5
"""The share of the watchdog's patience after which the loop counts as hung: there must be time to write it down."""


class Isolation:
    """Holds drivers, and lets them go."""

    def __init__(
        self,
        place: Path,
        supervisors: Sequence[Supervisor],
        *,
        progress: Callable[[], int],
        people: People,
        journal: Journal,
        clock: Clock,
    ) -> None:
        """Touch nothing yet.

        Args:
            place: The folder of the notes.
            supervisors: Of every device.
            progress: A number that grows while the watch goes on.
            people: Who may let a driver go.
            journal: Where it is written.
            clock: Seconds since boot, and which boot.
        """
        self._notes = Notes(place / FILE)
        self._trace = place / TRACE
        self._supervisors = {each.device: each for each in supervisors}
        self._progress = progress
        self._people = people
        self._journal = journal
        self._clock = clock
        self._run = f"{os.getpid()}-{clock.now_s():.0f}"
        self._disk = Worker("hangs")
        self._hang_watch: HangWatch | None = None
        self._log = logs.get("isolation")

    async def begin(self) -> None:
        """Hold what has hung the watch too often, and look from now on; before any driver runs."""
        self._hang_watch = self._watching()
        notes = await self._on_disk(self._read) or []
        now_s, boot = self._clock.now_s(), self._clock.boot_id()
        held = caught(notes, boot=boot, run=self._run, now_s=now_s)
        fresh = []
        for device, note in held.items():
            if (supervisor := self._supervisors.get(device)) is not None:
                supervisor.hold(REASON)
                self._say_held(supervisor, note)
                if note.what != CAUGHT:
                    fresh.append(self._note(CAUGHT, device, note.where))
        if fresh:
            await self._on_disk(lambda: self._notes.add(*fresh))
        if self._hang_watch is not None:
            self._hang_watch.start()

    def _read(self) -> list[Note]:
        """Return the notes, that of how the last run ended among them."""
        if self._hang_watch is not None:
            self._hang_watch.take_up_trace()
        return self._notes.read()

    def _say_held(self, supervisor: Supervisor, note: Note) -> None:
        """Say that a driver is held, the first time in the record too."""
        device = supervisor.device
        if not supervisor.spec.covert:
            self._log.error("driver.quarantined", device=device, where=note.where)
        if note.what != CAUGHT:
            let_go(self._written("driver.quarantined", device, {"where": note.where}, SYSTEM))

    async def _on_disk(self, act: Callable[[], _T]) -> _T | None:
        """Return what comes of it; None where the disk does not answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(READ_S):
                return await self._disk.call(act)
        return None

    def _watching(self) -> HangWatch | None:
        """Return who looks, not begun yet; None where no watchdog ends what hangs."""
        period_us = int(os.environ.get("WATCHDOG_USEC", "0"))
        if not period_us:
            return None
        return HangWatch(
            self._notes,
            progress=self._progress,
            drivers={name: each.driver for name, each in self._supervisors.items()},
            after_s=period_us / 1e6 * OF_WATCHDOG,
            now_s=self._clock.now_s,
            run=self._run,
            boot=self._clock.boot_id(),
            trace=self._trace,
        )

    def end(self) -> None:
        """Look no more: what has stopped in order makes no progress, and does not hang."""
        if self._hang_watch is not None:
            self._hang_watch.stop()
        self._disk.finish()

    def requests(
        self,
    ) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]]]:
        """Return what can be asked here, by the name of the request."""
        return {"driver.restart": self._restart}

    async def _restart(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Let a driver go.

        Raises:
            RefusedError: There is no such device, its driver is not held, or the person may not.
        """
        device = fields.text(request, "device")
        by = await self._people.prove(fields.claim(request), Act.OUT_OF_SERVICE)
        supervisor = self._supervisors.get(device)
        if supervisor is None:
            raise RefusedError(f"there is no device {device[:40]!r}")
        if not supervisor.let_go():
            raise RefusedError(f"the driver of {device} is not quarantined")
        note = self._note(LET_GO, device, "")
        await self._on_disk(lambda: self._notes.add(note))
        written = self._written("driver.let_go", device, {}, by.actor())
        return {"recorded": await on_disk(written, self._clock)}

    def _note(self, what: str, device: str, where: str) -> Note:
        now_s, boot = self._clock.now_s(), self._clock.boot_id()
        return Note(what, (device,), self._run, boot, now_s, where)

    def _written(
        self, type_: str, device: str, said: dict[str, Json], actor: Actor
    ) -> asyncio.Future[Entry]:
        covert = self._supervisors[device].spec.covert
        return self._journal.submit(
            Draft(
                kind="system",
                type=type_,
                subject=device,
                classification=Classification.SSO if covert else Classification.WATCH,
                actor=actor,
                open={"device": device, **said},
            )
        )
