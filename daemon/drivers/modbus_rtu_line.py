"""One bus with several Modbus RTU units on it: one question at a time, silence before each.

Whoever wants to ask holds the turn; turns are given in the order in which they were asked for. What
comes without being asked, too late, or as anything but the answer, is thrown away before the next
question goes out: no unit's words can become those of another.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from daemon.drivers.links import SerialLink
from daemon.drivers.modbus_rtu_frames import (
    QUESTION_BYTES,
    answer_bytes,
    question_frame,
    read_answer,
    why_not,
)
from daemon.drivers.modbus_rtu_port import open_port
from daemon.drivers.overheard import OverheardOnBus
from daemon.errors import LinkError

if TYPE_CHECKING:
    from daemon.computer.clock import Clock
    from daemon.drivers.links import TcpLink
    from daemon.drivers.modbus_frames import Question, Refusal
    from daemon.drivers.modbus_rtu_port import Port

SILENT_CHARACTERS = 3.5
SHORTEST_SILENCE_S = 0.005
"""MODBUS over Serial Line 2.5.1.1 asks for 1.75 ms above 19200 baud; an adapter keeps less time."""
DRAIN_S = 0.05
"""After a question that got no answer: an FTDI adapter holds bytes back for 16 ms, a server longer."""
LONGEST_NOISE_S = 0.5
"""A line that is not silent for so long is babbling."""
FIRST_BACK_OFF_S = 1.0
LONGEST_BACK_OFF_S = 5.0


class NoAnswerError(LinkError):
    """The unit said nothing at all in its time; every other unit of the bus has waited for it."""

    costs_others = True


class BusLine:
    """The line that all units of one bus share.

    Attributes:
        openings: How often the port was opened: what one opening left behind may still come in it,
            but never in another.
    """

    def __init__(self, name: str, link: SerialLink | TcpLink, clock: Clock) -> None:
        self.openings = 0
        self._name = name
        self._link = link
        self._clock = clock
        self._character_s = _character_s(link)
        self._silence_s = max(SHORTEST_SILENCE_S, SILENT_CHARACTERS * self._character_s)
        self._turn = asyncio.Lock()
        self._users = 0
        self._port: Port | None = None
        self._last_byte_s = -math.inf
        self._clear_at_s = -math.inf
        """Until then an answer to a question that was given up may still come."""
        self._shut: LinkError | None = None
        self._shut_until_s = -math.inf
        self._back_off_s = FIRST_BACK_OFF_S
        self._other = OverheardOnBus(set_as=link.setting if isinstance(link, SerialLink) else "")

    def hint(self) -> str | None:
        """Return what the line hears instead of answers, in plain words."""
        return self._other.hint()

    def join(self) -> None:
        """Count a unit that asks on this line from now on."""
        self._users += 1

    def leave(self) -> None:
        """Count it no longer; after the last one the port is closed."""
        self._users -= 1
        if self._users == 0:
            self._close()

    def turn(self) -> asyncio.Lock:
        """Return what to hold while asking; first come, first served."""
        return self._turn

    async def ask(self, question: Question, *, timeout_s: float) -> bytes | Refusal:
        """Return the answer; to be called by who has the turn.

        Raises:
            NoAnswerError: Nothing came in time.
            MismatchError: Something came, but not the answer.
            LinkError: The port cannot be opened, or is gone, or is never silent.
        """
        port = await self._opened()
        try:
            await self._silence(port)
            wire_s = (QUESTION_BYTES + answer_bytes(question)) * self._character_s
            self._clear_at_s = self._clock.now_s() + wire_s + timeout_s + DRAIN_S
            received = await port.ask(
                question_frame(question),
                is_whole=lambda received: read_answer(question, received) is not None,
                timeout_s=wire_s + timeout_s,
                clock=self._clock,
            )
        except LinkError as err:
            self._close()
            raise LinkError(f"bus {self._name}: {err}") from err
        self._last_byte_s = self._clock.now_s()
        answer = read_answer(question, received)
        if answer is not None:
            self._clear_at_s = -math.inf
            self._other.forget()
            return answer
        self._other.answer(received)
        if not received:
            raise NoAnswerError(f"no answer in {timeout_s:g} s")
        raise why_not(question, received)

    async def _opened(self) -> Port:
        """Return the port, opened by whoever comes first; one failure is that of all who ask."""
        if self._port is not None:
            return self._port
        if self._shut is not None and self._clock.now_s() < self._shut_until_s:
            raise LinkError(str(self._shut), retry_within_s=self._shut.retry_within_s)
        try:
            self._port = await open_port(self._link)
        except LinkError as err:
            self._other.forget()
            self._shut = LinkError(f"bus {self._name}: {err}", retry_within_s=err.retry_within_s)
            self._shut_until_s = self._clock.now_s() + self._back_off_s
            self._back_off_s = min(LONGEST_BACK_OFF_S, self._back_off_s * 2)
            raise self._shut from err
        self._shut = None
        self._back_off_s = FIRST_BACK_OFF_S
        self._last_byte_s = self._clock.now_s()
        self.openings += 1
        return self._port

    async def _silence(self, port: Port) -> None:
        """Throw away what comes until the line is silent and nothing more is to be expected."""
        patience_until_s = max(self._clock.now_s(), self._clear_at_s) + LONGEST_NOISE_S
        while True:
            now_s = self._clock.now_s()
            if unasked := port.discard():
                self._other.unasked(unasked)
                self._last_byte_s = now_s
            wait_s = max(self._last_byte_s + self._silence_s, self._clear_at_s) - now_s
            if wait_s <= 0:
                return
            if now_s > patience_until_s:
                raise LinkError("the line is never silent")
            await self._clock.sleep(wait_s)

    def _close(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None


def _character_s(link: SerialLink | TcpLink) -> float:
    """Return how long one character takes; 0 where only the serial server knows."""
    if not isinstance(link, SerialLink):
        return 0.0
    return (1 + link.data_bits + (link.parity != "N") + link.stop_bits) / link.baud
