"""What becomes of a paper that somebody orders on a page? Made apart, told step by step, kept for an hour, then gone.

One is made at a time, in the order in which they were ordered; each has its snapshot from the moment of its order.

The page's own process may not read the record, so the daemon has the paper made (``apart``) and hands it out in pieces,
in the login in which it was ordered and to nobody else. Its entries are those of every export: begun, written or
failed, with the reason.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import shutil
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.computer import logs
from daemon.control import fields
from daemon.errors import IspsdError, RefusedError
from daemon.papers import apart
from daemon.papers.desk import LENT_S, MOST_AT_ONCE
from daemon.papers.order import Order, State
from daemon.papers.steps import Part, Step
from daemon.record.worker import once

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from daemon.computer.clock import Clock
    from daemon.model import Json
    from daemon.papers.desk import ExportDesk

    Making = Callable[..., Awaitable[Mapping[str, Any]]]

PIECE: Final = 1024 * 1024
"""Bytes that one answer hands out at most."""
SWEPT_EVERY_S: Final = 60.0
MADE: Final = "made-"
"""How the folders of finished papers begin, beside the snapshots."""
MEDIA: Final = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
}
NO_SUCH: Final = "there is no such paper in this login, or its hour is over"


class Orders:
    """Papers that are being made for pages, and those that wait to be fetched."""

    def __init__(self, desk: ExportDesk, *, clock: Clock, make: Making = apart.made) -> None:
        """Touch nothing yet.

        Args:
            desk: Asks who may, writes it down, lends snapshots.
            clock: When a paper's hour is over.
            make: Makes a paper, in another process.
        """
        self._desk = desk
        self._clock = clock
        self._make = make
        self._orders: dict[str, Order] = {}
        self._ordering = asyncio.Lock()
        self._log = logs.get("exports")

    def requests(
        self,
    ) -> Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]]]:
        """Return what can be asked here, by the name of the request."""
        return {
            "export.order": self.order,
            "export.progress": self.progress,
            "export.fetch": self.fetch,
            "export.cancel": self.cancel,
        }

    async def order(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Begin to make a paper, and return at once.

        Raises:
            RefusedError: A person who may not, a field that is wrong, too many papers, or a disk that takes no entry.
        """
        login = fields.text(request, "login")
        async with self._ordering:
            return await self._ordered(request, login)

    async def _ordered(self, request: Mapping[str, Any], login: str) -> Mapping[str, Json]:
        await self._make_room(fields.text(request, "by"))
        begun = await self._desk.enter(request)
        self._desk.hold(begun.id)
        folder = self._desk.place / f"{MADE}{begun.seq}-{begun.id}"
        order = Order(begun, login, folder, self._clock.utc())
        self._orders[begun.id] = order
        order.task = asyncio.create_task(self._see_through(order), name=f"paper {begun.seq}")
        return {"id": begun.id, "recorded": begun.seq}

    async def progress(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return how the papers of this login stand, the newest first."""
        return {"orders": [each.told() for each in reversed(self._of(request))]}

    async def fetch(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Return a piece of a finished paper; the last one with the hash of the whole file.

        Raises:
            RefusedError: There is no such paper in this login, or it cannot be read.
        """
        order = self._named(request)
        if order.state is not State.READY or order.said is None:
            raise RefusedError(NO_SUCH)
        number = request.get("file", 0)
        files = order.said["files"]
        offset = fields.number(request, "offset")
        if type(number) is not int or not 0 <= number < len(files):
            raise RefusedError(f"file is 0 to {len(files) - 1}")
        named = files[number]
        if not 0 <= offset <= named["bytes"]:
            raise RefusedError(f"offset is 0 to {named['bytes']}")
        try:
            body = await once(
                "export", partial(_piece, order.folder / Path(str(named["name"])).name, offset)
            )
        except OSError as err:
            raise RefusedError(f"the paper cannot be read: {err.strerror or err}") from err
        said: dict[str, Json] = {
            "name": named["name"],
            "media": MEDIA[str(order.begun.wish["format"])],
            "size": named["bytes"],
            "offset": offset,
            "body": base64.b64encode(body).decode(),
        }
        is_last = offset + len(body) >= named["bytes"]
        return {**said, "sha256": named["sha256"]} if is_last else said

    async def cancel(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        """Break a paper off, or delete one that is finished.

        Raises:
            RefusedError: There is no such paper in this login.
        """
        order = self._named(request)
        if order.task is not None and not order.task.done():
            if not order.is_ending:
                order.state = State.CANCELLED
                order.task.cancel()
            await asyncio.wait({order.task})
        if order.state is State.CANCELLED:
            return {"recorded": order.written}
        await self._forget(order)
        return {}

    async def run(self) -> None:
        """Delete what an earlier run left, then what nobody fetched within its hour, until cancelled."""
        try:
            await self._clear_up()
            while True:
                await self._clock.sleep(SWEPT_EVERY_S)
                now_s = self._clock.now_s()
                for order in tuple(self._orders.values()):
                    if order.ended_s is not None and now_s - order.ended_s > LENT_S:
                        await self._forget(order)
        finally:
            await self._stop()

    async def _stop(self) -> None:
        """End every process; what an order has left says at the next start that it was broken off."""
        running = [each.task for each in self._orders.values() if each.task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _clear_up(self) -> None:
        with suppress(OSError):
            there = await once("export", lambda: set(self._desk.place.glob(f"{MADE}*")))
            # Asked after the disk: an order is known before its folder is there.
            for folder in there - {each.folder for each in self._orders.values()}:
                await once("export", partial(shutil.rmtree, folder, ignore_errors=True))

    # One order

    async def _see_through(self, order: Order) -> None:
        """Have it made, and write how it ended: never without an entry, but where ispsd itself is stopped."""
        try:
            said = await self._made(order)
        except asyncio.CancelledError:
            if order.state is not State.CANCELLED:
                raise  # ispsd stops: its next start finds the snapshot, and says so
            await self._failed(order, State.CANCELLED, f"cancelled by {order.begun.by}")
        except IspsdError as err:
            await self._failed(order, State.FAILED, str(err))
        except Exception as err:  # noqa: BLE001 (told in the log, and an entry)
            self._log.exception("export.fault")
            await self._failed(order, State.FAILED, f"a fault of ispsd: {type(err).__name__}")
        else:
            await self._written(order, said)

    async def _made(self, order: Order) -> Mapping[str, Any]:
        lending = asyncio.ensure_future(self._desk.lend(order.begun.id))
        try:
            await asyncio.shield(lending)
        except asyncio.CancelledError:
            if (
                order.state is State.CANCELLED
            ):  # what is being copied is whole before it is taken away
                await asyncio.wait({lending})
            raise
        order.note(Step(Part.WAITING))
        # A year's paper takes most of the memory that the service has beside the watch: never two at a time, and in
        # the order in which they were ordered, whichever snapshot was made first.
        earlier = itertools.takewhile(lambda each: each is not order, self._orders.values())
        if before := {each.task for each in earlier if each.task and not each.task.done()}:
            await asyncio.wait(before)
        await once("export", partial(order.folder.mkdir, mode=0o700))
        return await self._make(order.asked(), say=order.note)

    async def _written(self, order: Order, said: Mapping[str, Any]) -> None:
        order.is_ending = True
        words = {name: said[name] for name in ("sha256", "bytes", "pages", "verdict")}
        try:
            order.written = await self._desk.end(order.begun.id, "export.written", words)
        except RefusedError as err:
            await self._failed(order, State.FAILED, str(err))
            return
        order.said, order.state = said, State.READY
        self._ended(order)

    async def _failed(self, order: Order, state: State, reason: str) -> None:
        order.is_ending = True
        await once("export", partial(shutil.rmtree, order.folder, ignore_errors=True))
        order.reason = fields.as_writable(reason)
        # Where the snapshot failed, the desk has written it already.
        with suppress(RefusedError):
            order.written = await self._desk.end(
                order.begun.id, "export.failed", {"reason": order.reason}
            )
        order.state = state
        self._ended(order)

    def _ended(self, order: Order) -> None:
        order.ended_s = self._clock.now_s()

    async def _forget(self, order: Order) -> None:
        self._orders.pop(order.begun.id, None)
        await once("export", partial(shutil.rmtree, order.folder, ignore_errors=True))

    # Finding

    async def _make_room(self, by: str) -> None:
        """Let the oldest of this person's that have ended go, where there are too many.

        Raises:
            RefusedError: The others are being made, or are somebody else's.
        """
        while len(self._orders) >= MOST_AT_ONCE:
            own = (
                each
                for each in self._orders.values()
                if each.begun.by == by and each.ended_s is not None
            )
            if (oldest := next(own, None)) is None:
                raise RefusedError(
                    f"{MOST_AT_ONCE} papers are being made or wait for somebody else; try again later"
                )
            await self._forget(oldest)

    def _of(self, request: Mapping[str, Any]) -> list[Order]:
        login, by = fields.text(request, "login"), fields.text(request, "by")
        return [e for e in self._orders.values() if (e.login, e.begun.by) == (login, by)]

    def _named(self, request: Mapping[str, Any]) -> Order:
        id_ = fields.text(request, "id")
        found = next((each for each in self._of(request) if each.begun.id == id_), None)
        if found is None:
            raise RefusedError(NO_SUCH)
        return found


def _piece(path: Path, offset: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        file.seek(offset)
        return file.read(PIECE)
