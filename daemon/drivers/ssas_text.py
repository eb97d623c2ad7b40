"""Did the SSAS unit print a *test* message while a test window was open?

A real ship security alert raises nothing on board (SOLAS XI-2/6.2.3, MSC.147(77); invariant 1 of
the design). So the port is not even open outside a test window; inside one, whatever is not a whole
message that says TEST leaves no trace: no counter, no log line, no state. Which words make a
message is data (``config/ssas``). ``FrameAssembler`` finds messages and does no I/O; whether one
may exist is the gate's decision alone.
"""

from __future__ import annotations

import asyncio
import re
import tomllib
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from daemon.assets import asset
from daemon.drivers.api import DriverConfig, DriverContext, DriverSpec, Emit, Health, PointSpec
from daemon.drivers.links import OVERLONG, ByteSource, LineSplitter, Link, opened
from daemon.errors import IspsdError
from daemon.gate import LONGEST_WINDOW_S
from daemon.model import Classification, Quality, Reading, SsasMessage

MOST_LINES = 64
MOST_BYTES = 4096
"""Twice and more what any unit prints."""

Words = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[\x21-\x7e ]+$")]


class TextProfile(BaseModel):
    """The words of one unit's messages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    maker: str
    model: str
    source: str
    """Where this was read."""
    heading: Words
    """Contained in the first line of every message, test or not."""
    test_marker: Words
    real_marker: Words
    after_marker: Words
    """What the line after the marker begins with."""
    ends_with: Words
    """How the last line ends; looked for after ``after_marker``."""
    serial: dict[str, int | str]
    """The port as the unit leaves the factory, by the names of ``SerialLink``."""


def load_profile(name: str) -> TextProfile:
    """Return the text port of ``config/ssas/<name>.toml``.

    Raises:
        ValueError: There is none of that name, it has no text port, or it cannot be used.
    """
    if not _PROFILE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no profile name: lower case, digits, hyphens")
    try:
        path = asset(f"ssas/{name}.toml")
    except IspsdError as err:
        raise ValueError(f"no SSAS profile {name!r}: {err}") from err
    unit = tomllib.loads(path.read_text("utf-8"))
    if "text" not in unit:
        raise ValueError(f"no text port is known of {name!r}: watch its test lamp alone")
    whose = {key: unit[key] for key in ("maker", "model", "source") if key in unit}
    return TextProfile.model_validate({**whose, **unit["text"]})


_PROFILE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class SsasTextConfig(DriverConfig):
    """The text port of one SSAS unit."""

    kind: Literal["ssas_text"]
    profile: Annotated[str, AfterValidator(lambda name: load_profile(name) and name)]
    """Which unit it is: a file of ``config/ssas`` without its ``.toml``."""
    link: Link
    """Where it is wired; a serial port is set as the profile says where nothing else is given."""
    settle_s: Annotated[float, Field(ge=0, le=30)] = 0.5
    """What comes in the first moments is thrown away, in seconds: a converter hands over what it
    had kept from before the window."""

    @model_validator(mode="before")
    @classmethod
    def _set_port_as_profile_says(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("profile"), str):
            return given
        link = given.get("link")
        if not isinstance(link, dict) or link.get("kind") != "serial":
            return given
        return {**given, "link": {**load_profile(given["profile"]).serial, **link}}


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole message.

    Attributes:
        began_s: When the first bytes of its heading had come, in seconds since boot.
        ended_s: When its last byte had come.
        is_test: It says that it is a test and nowhere that it is real.
    """

    lines: tuple[str, ...]
    began_s: float
    ended_s: float
    is_test: bool


class FrameAssembler:
    """Whole messages from the bytes of a text port, whatever noise or cut messages lie between."""

    def __init__(self, profile: TextProfile) -> None:
        self._profile = profile
        self._splitter = LineSplitter()
        self._line_began_s = 0.0
        self._lines: list[str] = []
        """The message so far; empty while none has begun."""
        self._began_s = 0.0
        self._marker: str | None = None

    def feed(self, data: bytes, at_s: float) -> list[Frame]:
        """Return the messages that these bytes, come at this time, complete."""
        line_began_s = self._line_began_s if self._splitter.is_within_line else at_s
        frames = []
        for line in self._splitter.feed(data):
            if self._completes(line, line_began_s):
                frames.append(self._finish(at_s))
            line_began_s = at_s
        self._line_began_s = line_began_s
        return frames

    def _completes(self, line: bytes, began_s: float) -> bool:
        """Take a line; return whether it is the last one of a message."""
        text = _printable(line)
        if self._profile.heading in text:
            self._lines, self._began_s, self._marker = [text], began_s, None
            return False
        if not self._lines:
            return False
        self._lines.append(text)
        if line == OVERLONG or self._is_too_much():
            self._lines = []
            return False
        if self._marker is None:
            if text.startswith(self._profile.after_marker):
                self._marker = self._lines[-2]
            return False
        return text.endswith(self._profile.ends_with)

    def _is_too_much(self) -> bool:
        return len(self._lines) > MOST_LINES or sum(map(len, self._lines)) > MOST_BYTES

    def _finish(self, at_s: float) -> Frame:
        lines = tuple(self._lines)
        self._lines = []
        is_real = any(self._profile.real_marker in " ".join(line.upper().split()) for line in lines)
        is_test = self._marker == self._profile.test_marker and not is_real
        return Frame(lines, self._began_s, at_s, is_test)


def _printable(line: bytes) -> str:
    """Return a line as text; a character that a printer would not print becomes a question mark."""
    return line.translate(_PRINTED).decode("ascii").strip()


_PRINTED = bytes(code if ord(" ") <= code <= ord("~") else ord("?") for code in range(256))


class SsasTextDriver:
    """The text port of one SSAS unit."""

    def __init__(self, config: SsasTextConfig, context: DriverContext) -> None:
        self.health = Health()
        self._config = config
        self._context = context
        self._profile = load_profile(config.profile)
        self._point = f"{context.device}.message"

    def points(self) -> tuple[PointSpec, ...]:
        return (
            PointSpec(self._point, valid_for_s=LONGEST_WINDOW_S, classification=Classification.SSO),
        )

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
        context = self._context
        async with opened(self._config.link) as source:
            await self._let_settle(source)
            frames = FrameAssembler(self._profile)
            while True:
                data = await source.read()
                for frame in frames.feed(data, context.clock.now_s()):
                    self._take(frame, emit)

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

    def _take(self, frame: Frame, emit: Emit) -> None:
        """Emit an admitted message. What is not admitted leaves no trace: add none here."""
        context = self._context
        if not context.gate.admits(
            began_s=frame.began_s, ended_s=frame.ended_s, is_test=frame.is_test
        ):
            return
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


DRIVER = DriverSpec(kind="ssas_text", config=SsasTextConfig, build=SsasTextDriver, covert=True)
