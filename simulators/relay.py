"""A serial cable that is no faster than its baud rate: what a pty, which has no speed, cannot show.

Bytes that go in at one end come out at the other as a UART would bring them: one character after another, each as
long as its bits, both ways at once. With ``to`` the far end is an existing port, such as another simulator's pty;
without it a pty of its own (``far``). Alone: ``python -m simulators.relay --baud 9600 --link /tmp/near --to
/dev/pts/5``, JSON lines on standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tty
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from simulators.api import SimulatorSpec, only, whole
from simulators.misread import HIGHEST_BAUD, misread
from simulators.pty_ports import opened, path_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from daemon.computer.clock import Clock
    from simulators.api import Settings
    from simulators.pty_ports import Pty

READ_BYTES = 4096
MOST_WAITING_BYTES = 64 * 1024
"""A cable holds nothing; this is what a sender may be ahead of it before bytes are lost."""
SHORTEST_TICK_S = 0.002
"""Characters of one tick go out together: a process is not woken for each at 115200 baud."""


class Relay:
    """One cable.

    Attributes:
        carried: Bytes that came out, by direction: ``near`` is what the near end got.
    """

    def __init__(
        self,
        baud: int,
        *,
        character_bits: int = 10,
        link: Path | None = None,
        to: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Take nothing yet; ``link`` is the path of a symbolic link to the near end, if one is wanted."""
        self._baud = baud
        self._character_s = character_bits / baud
        self._link = link
        self._to = to
        self._clock = clock or SystemClock()
        self._near: Pty | None = None
        self._far: Pty | int | None = None
        """The pty of the far end, or the existing port there."""
        self._carrying: list[asyncio.Task[None]] = []
        self._read_baud: int | None = None
        self.carried = {"near": 0, "far": 0}

    @property
    def endpoint(self) -> str:
        if self._near is None:
            raise RuntimeError("the cable is not started")
        return self._near.endpoint

    @property
    def far(self) -> str:
        """Return the port at the other end."""
        if self._far is None:
            raise RuntimeError("the cable is not started")
        return os.ttyname(self._far) if isinstance(self._far, int) else self._far.endpoint

    async def start(self) -> None:
        self._near = opened(self._link)
        near = self._near.unit
        if self._to is None:
            self._far = opened()
            far = self._far.unit
        else:
            self._far = far = os.open(self._to, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(far)
        self._carrying = [
            asyncio.create_task(self._carry(near, far, "far")),
            asyncio.create_task(self._carry(far, near, "near")),
        ]

    async def stop(self) -> None:
        if self._near is None or self._far is None:
            return
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)
        self._near.close()
        if isinstance(self._far, int):
            os.close(self._far)
        else:
            self._far.close()
        self._near = self._far = None

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "baud":
                only(command, "do", "read_baud")
                self._read_baud = whole(command, "read_baud", low=50, high=HIGHEST_BAUD)
            case "clear":
                only(command, "do")
                self._read_baud = None
            case "unplug" | "plug" as verb:
                only(command, "do")
                if verb == "unplug":
                    await self.stop()
                elif self._near is None:
                    await self.start()
            case verb:
                raise ValueError(f"do is baud, clear, unplug or plug, not {verb!r}")

    async def _carry(self, source: int, sink: int, towards: str) -> None:
        """Carry bytes one way, each in its time, until cancelled or hung up."""
        waiting: deque[int] = deque()
        came = asyncio.Event()
        loop = asyncio.get_running_loop()

        def take() -> None:
            try:
                data = os.read(source, READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                loop.remove_reader(source)
            waiting.extend(data[: MOST_WAITING_BYTES - len(waiting)])
            came.set()

        loop.add_reader(source, take)
        try:
            while True:
                came.clear()
                if not waiting:
                    await came.wait()
                await self._play_out(waiting, sink, towards)
        finally:
            loop.remove_reader(source)

    async def _play_out(self, waiting: deque[int], sink: int, towards: str) -> None:
        """Bring out what waits, in ticks of whole characters; late by one tick at most, never early."""
        began_s, out = self._clock.now_s(), 0
        while waiting:
            at_once = max(1, int(SHORTEST_TICK_S / self._character_s))
            due_s = began_s + (out + min(at_once, len(waiting))) * self._character_s
            await self._clock.sleep(due_s - self._clock.now_s())
            ripe = max(1, int((self._clock.now_s() - began_s) / self._character_s + 1e-9) - out)
            words = bytes(waiting.popleft() for _ in range(min(ripe, len(waiting))))
            out += len(words)
            self.carried[towards] += len(words)
            if self._read_baud is not None:
                words = misread(words, sent_baud=self._baud, read_baud=self._read_baud)
            with suppress(OSError):  # full for want of a reader, or hung up: the words are lost
                os.write(sink, words)


def build(name: str, settings: Settings) -> Relay:
    """Return a cable from ``baud``, ``character_bits``, ``link`` and ``to``.

    Raises:
        ValueError: A setting is wrong; the message says which.
    """
    del name
    only(settings, "baud", "character_bits", "link", "to")
    return Relay(
        whole(settings, "baud", low=50, high=HIGHEST_BAUD, default=9600),
        character_bits=whole(settings, "character_bits", low=9, high=12, default=10),
        link=path_of(settings),
        to=path_of(settings, "to"),
    )


SIMULATOR = SimulatorSpec(kind="relay", build=build)


def main() -> int:
    """Run one cable alone."""
    from simulators.runner import alone  # noqa: PLC0415 (the runner is not needed inside it)

    parser = argparse.ArgumentParser(prog="python -m simulators.relay", description=__doc__)
    parser.add_argument("--baud", type=int, default=9600)
    parser.add_argument("--link")
    parser.add_argument("--to")
    given = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    return alone(SIMULATOR, given)


if __name__ == "__main__":
    sys.exit(main())
