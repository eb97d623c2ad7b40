"""How is a Modbus TCP unit reached, alone or beside others behind one gateway?

A gateway that closes idle connections is no failure: the connection is opened again, quietly, when it is needed. A
connection that several units share dies with any wrong answer, as one of a single unit does, and the next unit that
asks opens another: what one unit did costs its neighbours no state.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING

from daemon.drivers.modbus_line import TcpLine
from daemon.errors import LinkError

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from daemon.computer.clock import Clock
    from daemon.drivers.modbus_frames import Question, Refusal

IDLE_S = 1.0
"""A connection that was not used for so long, in seconds, may be closed by the other side; it is no loss."""


class TcpRoad:
    """The way to one unit, over a connection of its own."""

    def __init__(self, host: str, port: int, clock: Clock, *, settle_s: float = 0.0) -> None:
        self._host = host
        self._port = port
        self._clock = clock
        self._settle_s = settle_s
        self._line: TcpLine | None = None
        self._used_s = 0.0

    @property
    def is_broken(self) -> bool:
        """Whether the connection has failed, so that nothing can be asked on it."""
        return self._line is not None and self._line.is_broken

    async def open(self) -> None:
        """Connect, unless there is a connection that is whole.

        Raises:
            LinkError: Nobody there, or not in time.
        """
        if self._line is not None:
            return
        self._line = await TcpLine.open(self._host, self._port)
        self._used_s = self._clock.now_s()
        if self._settle_s:
            await self._clock.sleep(self._settle_s)

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Return nothing to wait for: the connection is this unit's alone."""
        return nullcontext()

    async def ask(self, question: Question, *, timeout_s: float) -> bytes | Refusal:
        """Return the answer to the question.

        Raises:
            LinkError: None came in time, or something else did; nothing more can be asked on this connection.
        """
        is_idle = self._clock.now_s() - self._used_s >= IDLE_S
        if self._line is not None and is_idle and self._line.is_hung_up:
            await self._open_quietly()
        try:
            return await self._ask(question, timeout_s)
        except LinkError:
            # The other side may close at the very moment at which it is asked; reading twice does no harm.
            if self._line is None or not (is_idle and self._line.is_hung_up):
                raise
        await self._open_quietly()
        return await self._ask(question, timeout_s)

    def close(self) -> None:
        """Close the connection; whatever is still on it is lost."""
        if self._line is not None:
            self._line.close()
            self._line = None

    async def _ask(self, question: Question, timeout_s: float) -> bytes | Refusal:
        await self.open()
        assert self._line is not None  # noqa: S101 (it was opened in the line above)
        answer = await self._line.ask(question, timeout_s=timeout_s)
        self._used_s = self._clock.now_s()
        return answer

    async def _open_quietly(self) -> None:
        self.close()
        await self.open()


class SharedRoad:
    """One connection of several units behind a gateway: one question at a time, first come, first served."""

    def __init__(self, host: str, port: int, clock: Clock, *, settle_s: float = 0.0) -> None:
        self._road = TcpRoad(host, port, clock, settle_s=settle_s)
        self._turn = asyncio.Lock()
        self._users = 0

    def join(self) -> UnitOnRoad:
        """Return the share of one unit."""
        self._users += 1
        return UnitOnRoad(self)

    def leave(self) -> None:
        """Count a unit no longer; after the last one the connection is closed."""
        self._users -= 1
        if self._users == 0:
            self._road.close()

    def turn(self) -> asyncio.Lock:
        """Return what to hold while asking."""
        return self._turn

    async def ask(self, question: Question, *, timeout_s: float) -> bytes | Refusal:
        """Return the answer to the question; to be called by who has the turn.

        Raises:
            LinkError: The gateway cannot be reached, or the unit does not answer, or not rightly.
        """
        await self._road.open()
        try:
            return await self._road.ask(question, timeout_s=timeout_s)
        except LinkError as err:
            err.costs_others = True
            raise
        except asyncio.CancelledError:
            self._road.close()  # its answer may still come
            raise
        finally:
            if self._road.is_broken:
                self._road.close()


class UnitOnRoad:
    """One unit's share of a connection, for one run."""

    def __init__(self, road: SharedRoad) -> None:
        self._road = road

    def turn(self) -> asyncio.Lock:
        return self._road.turn()

    async def ask(self, question: Question, *, timeout_s: float) -> bytes | Refusal:
        return await self._road.ask(question, timeout_s=timeout_s)

    def close(self) -> None:
        self._road.leave()
