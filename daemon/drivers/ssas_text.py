"""Did the SSAS unit print a *test* message while a test window was open?

A real ship security alert raises nothing on board (SOLAS XI-2/6.2.3, MSC.147(77); invariant 1 of
the design). Which words make a message is data (``config/ssas``). ``FrameAssembler`` finds messages
and does no I/O; when the port is listened to, and that nothing else leaves a trace, is in
``ssas_listening``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from daemon.drivers.api import DriverContext, DriverSpec
from daemon.drivers.ssas_lines import PortLine, PortLines
from daemon.drivers.ssas_listening import Frame, SsasPortConfig, SsasPortDriver, as_profile_says
from daemon.drivers.ssas_profiles import PortProfile, Words, read_port

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_LINES = 64
MOST_BYTES = 4096
"""Twice and more what any unit prints."""


class TextProfile(PortProfile):
    """The words of one unit's messages."""

    heading: Words
    """Contained in the first line of every message, test or not."""
    test_marker: Words
    real_marker: Words
    after_marker: Words
    """What the line after the marker begins with."""
    ends_with: Words
    """How the last line ends; looked for after ``after_marker``."""


def load_profile(name: str) -> TextProfile:
    """Return the text port of ``config/ssas/<name>.toml``.

    Raises:
        ValueError: There is none of that name, it has no text port, or it cannot be used.
    """
    return TextProfile.model_validate(read_port(name, "text", "text port"))


class SsasTextConfig(SsasPortConfig):
    """The text port of one SSAS unit."""

    kind: Literal["ssas_text"]
    profile: Annotated[str, AfterValidator(lambda name: load_profile(name) and name)]
    """Which unit it is: a file of ``config/ssas`` without its ``.toml``."""

    @model_validator(mode="before")
    @classmethod
    def _set_port_as_profile_says(cls, given: Any) -> Any:
        return as_profile_says(given, lambda name: load_profile(name).serial)


class FrameAssembler:
    """Whole messages from the bytes of a text port, whatever noise or cut messages lie between."""

    def __init__(self, profile: TextProfile) -> None:
        self._profile = profile
        self._port = PortLines()
        self._lines: list[str] = []
        """The message so far; empty while none has begun."""
        self._began_s = 0.0
        self._marker: str | None = None

    def feed(self, data: bytes, at_s: float) -> list[Frame]:
        """Return the messages that these bytes, come at this time, complete."""
        return [
            self._finish(line.ended_s)
            for line in self._port.feed(data, at_s)
            if self._completes(line)
        ]

    def idle(self, now_s: float) -> Sequence[Frame]:
        """Return the message whose last line has no end, when silence has followed it."""
        line = self._port.waiting(now_s)
        if line is None or not self._is_last(line.text):
            return ()
        self._port.end()
        return (self._finish(line.ended_s),) if self._completes(line) else ()

    def _completes(self, line: PortLine) -> bool:
        """Take a line; return whether it is the last one of a message."""
        if self._profile.heading in line.text:
            self._lines, self._began_s, self._marker = [line.text], line.began_s, None
            return False
        if not self._lines:
            return False
        is_last = self._is_last(line.text)
        self._lines.append(line.text)
        if line.is_overlong or self._is_too_much():
            self._lines = []
            return False
        if self._marker is None and line.text.startswith(self._profile.after_marker):
            self._marker = self._lines[-2]
        return is_last

    def _is_last(self, text: str) -> bool:
        return (
            bool(self._lines)
            and self._marker is not None
            and text.endswith(self._profile.ends_with)
        )

    def _is_too_much(self) -> bool:
        return len(self._lines) > MOST_LINES or sum(map(len, self._lines)) > MOST_BYTES

    def _finish(self, ended_s: float) -> Frame:
        lines = tuple(self._lines)
        self._lines = []
        is_real = any(self._profile.real_marker in " ".join(line.upper().split()) for line in lines)
        is_test = self._marker == self._profile.test_marker and not is_real
        return Frame(lines, self._began_s, ended_s, is_test)


def _driver(config: SsasTextConfig, context: DriverContext) -> SsasPortDriver:
    profile = load_profile(config.profile)
    return SsasPortDriver(config, context, lambda: FrameAssembler(profile))


DRIVER = DriverSpec(kind="ssas_text", config=SsasTextConfig, build=_driver, covert=True)
