"""Keep the output fed: silence, and the signals as they become due; know whether it takes them.

A silent sounder is the worst that can fail, so it never counts as armed by itself: only while the output has just taken
more than its buffers hold, and only an output that somebody could hear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from daemon.computer import logs
from daemon.sound.outputs import HUNG_S, OutputError
from daemon.sound.tones import BYTES_A_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.computer.clock import Clock
    from daemon.sound.outputs import Output

CHUNK_S: Final = 0.1
CHUNK_BYTES: Final = round(CHUNK_S * BYTES_A_SECOND)
PROVEN_BYTES: Final = BYTES_A_SECOND
"""An output that was just opened counts when it has played for a second."""
LEAD_S: Final = 0.5
"""An output that takes samples faster than they sound is not given more than so much at once."""
FORGOTTEN: Final = 0.99
"""A clock of its own that runs a little fast is no lead: so much of it counts from chunk to chunk."""
FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 30.0
LOG = logs.get("sound.player")


class Player:
    """Plays what it is told to."""

    def __init__(
        self,
        open_output: Callable[[], Output],
        next_signal: Callable[[], bytes],
        goes_on: Callable[[], bool] = lambda: True,
        *,
        lost: Callable[[], None] = lambda: None,
        clock: Clock,
    ) -> None:
        """Feed an output.

        Args:
            open_output: Makes a new one, after each failure.
            next_signal: Returns the samples that begin now, empty for silence; asked while nothing plays.
            goes_on: Returns whether the signal that is being played is still wanted; asked for each piece of it.
            lost: Called when an output has failed: what it took last was not heard.
            clock: Time.
        """
        self._open_output = open_output
        self._next_signal = next_signal
        self._goes_on = goes_on
        self._lost = lost
        self._clock = clock
        self._pending = b""
        self._taken = 0
        self._taken_s: float | None = None
        self._heard = False
        self.progress = 0
        """Grows with everything that an output took, and with every try at one: what the watchdog is fed from."""
        self.reason: str | None = "not tried yet"
        """Why nothing is played; None while it is."""

    def armed(self) -> bool:
        """Return whether what is played now would be heard."""
        return (
            self._heard
            and self._taken >= PROVEN_BYTES
            and self._taken_s is not None
            and self._clock.now_s() - self._taken_s <= HUNG_S
        )

    async def run(self) -> None:
        """Play until cancelled; an output that fails is tried again."""
        retry_s = FIRST_RETRY_S
        while True:
            try:
                async with self._open_output() as output:
                    self._heard = output.heard
                    await self._feed(output)
            except OutputError as err:
                if self._taken >= PROVEN_BYTES:
                    retry_s = FIRST_RETRY_S
                self._failed(str(err), retry_s)
            await self._clock.sleep(retry_s)
            retry_s = min(2 * retry_s, LONGEST_RETRY_S)

    async def _feed(self, output: Output) -> None:
        lead_s = 0.0
        while True:
            before_s = self._clock.now_s()
            taken = await output.give(self._next_chunk())
            self.progress += 1
            now_s = self._clock.now_s()
            if taken > self._taken:
                self._taken, self._taken_s = taken, now_s
            if self._taken >= PROVEN_BYTES and self.reason is not None:
                self.reason = None
                LOG.info("output.playing", heard=output.heard)
            lead_s = max(0.0, lead_s * FORGOTTEN + CHUNK_S - (now_s - before_s))
            if lead_s > LEAD_S:
                await self._clock.sleep(lead_s - LEAD_S)

    def _next_chunk(self) -> bytes:
        if self._pending and not self._goes_on():
            self._pending = b""
        if not self._pending:
            self._pending = self._next_signal()
        chunk, self._pending = self._pending[:CHUNK_BYTES], self._pending[CHUNK_BYTES:]
        return chunk.ljust(CHUNK_BYTES, b"\0")

    def _failed(self, reason: str, retry_s: float) -> None:
        """Say so, the first time of an outage aloud; the rest of what was being played is not played later."""
        tell = LOG.debug if self.reason == reason else LOG.warning
        tell("output.failed", reason=reason, retry_s=retry_s)
        self.progress += 1
        self._taken, self._taken_s, self._pending, self.reason = 0, None, b"", reason
        self._lost()
