"""How is the text port of an SSAS unit listened to, inside a test window and at no other time?

Invariant 1 of the design: outside a window the port is not even open; inside one, whatever is not a
whole frame that says it is a test leaves no trace: no counter, no log line, no state, and no timer
that would not have run without it. What makes a frame is the kind's own (``Frames``, no I/O);
whether one may exist is the gate's decision alone. Nothing is ever written to the port.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol

from pydantic import AfterValidator, Field

from daemon.drivers.api import DriverConfig, DriverContext, Emit, Health, PointSpec
from daemon.drivers.links import ByteSource, Link, opened
from daemon.gate import LONGEST_WINDOW_S
from daemon.model import Classification, Quality, Reading, SsasMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LOOK_S = 1.0
"""How often a line without an end is looked at: always, so that no timer tells that one is there."""
LIVE_LINKS: Final = frozenset({"serial", "tcp", "tcp_server", "udp"})
"""What was recorded proves no test."""


def _live(link: Link) -> Link:
    if link.kind not in LIVE_LINKS:
        raise ValueError(f"an SSAS unit is listened to live; {link.kind} proves no test")
    return link


class SsasPortConfig(DriverConfig):
    """The text port of one SSAS unit."""

    link: Annotated[Link, AfterValidator(_live)]
    """Where it is wired; a serial port is set as the profile says where nothing else is given."""
    settle_s: Annotated[float, Field(ge=0, le=30)] = 0.5
    """What comes in the first moments is thrown away, in seconds: a converter hands over what it
    had kept from before the window."""


def as_profile_says(given: Any, serial_of: Callable[[str], Mapping[str, int | str]]) -> Any:
    """Return a device's settings with its serial port set as its profile says."""
    if not isinstance(given, dict) or not isinstance(given.get("profile"), str):
        return given
    link = given.get("link")
    if not isinstance(link, dict) or link.get("kind") != "serial":
        return given
    return {**given, "link": {**serial_of(given["profile"]), **link}}


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole message, or one message and what became of it.

    Attributes:
        began_s: When its first bytes had come, in seconds since boot.
        ended_s: When its last byte had come.
        is_test: It says that it is a test and nowhere that it is real.
    """

    lines: tuple[str, ...]
    began_s: float
    ended_s: float
    is_test: bool


class Frames(Protocol):
    """Frames from the bytes of one port."""

    def feed(self, data: bytes, at_s: float) -> Sequence[Frame]:
        """Return the frames that these bytes, come at this time, complete."""
        ...

    def idle(self, now_s: float) -> Sequence[Frame]:
        """Return the frames that a silence until now completes."""
        ...


class SsasPortDriver:
    """The text port of one SSAS unit."""

    def __init__(
        self, config: SsasPortConfig, context: DriverContext, frames: Callable[[], Frames]
    ) -> None:
        """Take the port; ``frames`` makes what finds frames, anew for each time that it is opened."""
        self.health = Health()
        self._config = config
        self._context = context
        self._frames = frames
        self._point = f"{context.device}.message"
        self.listens_since_s: float | None = None
        """Since when, in seconds since boot, everything that comes is heard; None: nothing would be."""

    def points(self) -> tuple[PointSpec, ...]:
        return (
            PointSpec(self._point, valid_for_s=LONGEST_WINDOW_S, classification=Classification.SSO),
        )

    def says(self, point: str) -> bool:
        """Return whether this port is where a point comes from."""
        return point == self._point

    async def run(self, emit: Emit) -> None:
        while True:
            await self._context.gate.wait_open()
            await self._listen_until_closed(emit)

    async def _listen_until_closed(self, emit: Emit) -> None:
        listening = asyncio.ensure_future(self._listen(emit))
        closing = asyncio.ensure_future(self._context.gate.wait_closed())
        try:
            await asyncio.wait({listening, closing}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()  # it ends only by a LinkError, which the supervisor wants
        finally:
            listening.cancel()
            closing.cancel()
            # Only when both have ended is the port closed.
            await asyncio.gather(listening, closing, return_exceptions=True)

    async def _listen(self, emit: Emit) -> None:
        async with opened(self._config.link) as source:
            # Whoever comes to us late hands over then what he had kept from before the window.
            await source.connected()
            await self._let_settle(source)
            frames = self._frames()
            self.listens_since_s = self._context.clock.now_s()
            looking = asyncio.ensure_future(self._look_for_silence(frames, emit))
            try:
                while True:
                    data = await source.read()
                    self._take(frames.feed(data, self._context.clock.now_s()), emit)
            finally:
                self.listens_since_s = None
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)

    async def _look_for_silence(self, frames: Frames, emit: Emit) -> None:
        clock = self._context.clock
        while True:
            await clock.sleep(LOOK_S)
            self._take(frames.idle(clock.now_s()), emit)

    async def _let_settle(self, source: ByteSource) -> None:
        """Throw away what was kept from before; more than any one buffer on the way may hold."""
        dropping = asyncio.ensure_future(_drop_all(source))
        try:
            await self._context.clock.sleep(self._config.settle_s)
        finally:
            dropping.cancel()
            # Should the link be lost meanwhile, the next read says so.
            await asyncio.gather(dropping, return_exceptions=True)
        source.discard()

    def _take(self, frames: Sequence[Frame], emit: Emit) -> None:
        """Emit what is admitted. What is not admitted leaves no trace: add none here."""
        context = self._context
        for frame in frames:
            if not context.gate.admits(
                began_s=frame.began_s, ended_s=frame.ended_s, is_test=frame.is_test
            ):
                continue
            self.health.frame(frame.ended_s)
            emit(
                Reading(
                    point=self._point,
                    value=SsasMessage(frame.lines),
                    quality=Quality.GOOD,
                    provenance=context.provenance,
                    received_utc=context.clock.utc(),
                    received_s=frame.ended_s,
                    source=context.device,
                    classification=Classification.SSO,
                )
            )


async def _drop_all(source: ByteSource) -> None:
    while True:
        await source.read()
