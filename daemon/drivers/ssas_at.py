"""Did the satellite modem of a tracker-type SSAS send a *test* while a test window was open?

Source: ISU AT Command Reference (Iridium Communications; +SBDWT, +SBDIX, +SBDD), for the modems 9601,
9602, 9603 and 9522B: echo is on when they leave the factory, so each answer follows its command on
the modem's own line, which is what is listened to. A session sends whatever the modem's one buffer
holds, so only a text that was seen written, whole and undamaged, tells what it is. What is a test is
strict (invariant 1): the text has the word TEST and none with which a text says that it is not one
(data: ``config/ssas``). A binary message (+SBDWB) is never echoed, so nothing is ever known of it.

``AtDialogue`` does no I/O. Whatever it does not understand makes it forget the text: the buffer may
hold another by then.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from daemon.drivers.api import DriverContext, DriverSpec
from daemon.drivers.ssas_lines import PortLine, PortLines
from daemon.drivers.ssas_listening import Frame, SsasPortConfig, SsasPortDriver, as_profile_says
from daemon.drivers.ssas_profiles import PortProfile, read_port

if TYPE_CHECKING:
    from collections.abc import Sequence

HIGHEST_SENT = 4
"""MO status: to 4 the message has gone, from 5 on it has not."""
MOST_ATTEMPTS = 32
"""Of sessions that failed the newest are shown; a tracker tries again for hours."""

Word = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,20}$")]


class AtProfile(PortProfile):
    """The dialogue of one modem."""

    test_word: Word
    """A test's text has this word."""
    real_words: Annotated[tuple[Word, ...], Field(min_length=1)]
    """A text that has one of these is none: ``THIS IS NOT A TEST``."""


def load_profile(name: str) -> AtProfile:
    """Return the modem of ``config/ssas/<name>.toml``.

    Raises:
        ValueError: There is none of that name, it has no modem, or it cannot be used.
    """
    return AtProfile.model_validate(read_port(name, "at", "modem's dialogue"))


class SsasAtConfig(SsasPortConfig):
    """The modem's line of one SSAS unit."""

    kind: Literal["ssas_at"]
    profile: Annotated[str, AfterValidator(lambda name: load_profile(name) and name)]
    """Which modem it is: a file of ``config/ssas`` without its ``.toml``."""

    @model_validator(mode="before")
    @classmethod
    def _set_port_as_profile_says(cls, given: Any) -> Any:
        return as_profile_says(given, lambda name: load_profile(name).serial)

    def reads_as_test(self, text: str) -> bool:
        """Return whether a message of this text would be taken for a test."""
        return is_test(load_profile(self.profile), text)


def is_test(profile: AtProfile, text: str) -> bool:
    """Return whether a text says that it is a test, and nowhere that it is not."""
    words = _WORD.findall(text.upper().translate(_APOSTROPHES))
    is_denied = any(
        word == profile.test_word and after in _DENIALS
        for word, after in itertools.pairwise([*words, ""])
    )
    return (
        profile.test_word in words and not is_denied and set(words).isdisjoint(profile.real_words)
    )


_WORD = re.compile(r"[A-Z0-9]+")
_APOSTROPHES = str.maketrans("", "", "'`")
_DENIALS = frozenset({"0", "00", "N", "F"})
"""Behind the word it is a field that says that it is none: ``TEST=0``."""


class AtDialogue:
    """What a modem was told to send, and whether it went, from the bytes of its line."""

    def __init__(self, profile: AtProfile) -> None:
        self._profile = profile
        self._port = PortLines()
        self._text: str | None = None
        """What the modem was told to keep; None while that is not known."""
        self._began_s = 0.0
        self._awaits: str | None = None
        """Which answer the modem owes."""
        self._attempts: list[str] = []

    def feed(self, data: bytes, at_s: float) -> list[Frame]:
        """Return the messages that these bytes, come at this time, tell to be sent."""
        return [
            self._sent(line)
            for line in self._port.feed(data, at_s)
            if line.text and self._tells_of_sending(line)
        ]

    def idle(self, now_s: float) -> Sequence[Frame]:  # noqa: ARG002 (a modem ends each of its lines)
        """Return nothing: a silence completes no answer."""
        return ()

    def _tells_of_sending(self, line: PortLine) -> bool:
        """Take a line; return whether it says that the text was sent."""
        if not line.is_clean:
            self._forget()
            return False
        written = _WRITE.fullmatch(line.text)
        if written is not None:
            self._begin(line, written["text"])
        elif self._awaits == _TEXT:
            self._text, self._awaits = line.text, _STORED
        elif self._is_as_awaited(line.text):
            self._awaits = _AFTER[self._awaits]
        elif _SESSION.fullmatch(line.text) and self._text is not None and self._awaits is None:
            self._awaits = _STATUS
        elif self._awaits == _STATUS and (status := _SESSION_STATUS.fullmatch(line.text)):
            self._awaits = None
            if int(status["mo"]) <= HIGHEST_SENT:
                return True
            self._attempts = [*self._attempts[1 - MOST_ATTEMPTS :], line.text]
        elif not self._is_harmless(line.text):
            self._forget()
        return False

    def _is_harmless(self, text: str) -> bool:
        """Return whether a line leaves the buffer alone, and is no answer in the place of another."""
        if _UNASKED.fullmatch(text) is not None:
            return True
        return self._awaits is None and _HARMLESS.fullmatch(text) is not None

    def _begin(self, line: PortLine, text: str | None) -> None:
        """Take the command that writes a text; whatever the modem kept is overwritten."""
        self._forget()
        self._began_s = line.began_s
        self._text = text
        self._awaits = _READY if text is None else _OK

    def _is_as_awaited(self, text: str) -> bool:
        return self._awaits in _AFTER and text == self._awaits

    def _sent(self, line: PortLine) -> Frame:
        text = self._text or ""
        lines = (text, *self._attempts, line.text)
        # The buffer still holds it, and another session would send it again: that would be another test.
        self._forget()
        return Frame(lines, self._began_s, line.ended_s, is_test(self._profile, text))

    def _forget(self) -> None:
        self._text, self._awaits, self._attempts = None, None, []


_READY, _TEXT, _STORED, _OK, _STATUS = "READY", "text", "0", "OK", "status"
_AFTER: Final[dict[str | None, str | None]] = {_READY: _TEXT, _STORED: None, _OK: None}
"""What follows the answer to the command that writes: with the text in it, or after ``READY``."""
_WRITE = re.compile(r"AT\+SBDWT(?:=(?P<text>.+))?", re.IGNORECASE)
_SESSION = re.compile(r"AT\+SBDIXA?(?:=[-+0-9.,]*)?", re.IGNORECASE)
_SESSION_STATUS = re.compile(r"\+SBDIX: ?(?P<mo>\d{1,3})(?:, ?-?\d{1,5}){5}", re.ASCII)
"""MO status, MOMSN, MT status, MTMSN, MT length, MT queued."""
_UNASKED = re.compile(r"SBDRING|\+CIEV:[0-9,]*")
"""What a modem says of itself at any time: a message waits ashore; signal or service has changed."""
_HARMLESS = re.compile(
    r"OK|AT|AT\+C(?:SQF?|IER|REG)\b.*|\+C(?:SQF?|REG):.*|AT\+SBDSX?|\+SBDSX?:[-0-9, ]*|AT-MSSTM|-MSSTM:.*",
    re.IGNORECASE,
)
"""Signal, registration, status and time, asked and answered."""


def _driver(config: SsasAtConfig, context: DriverContext) -> SsasPortDriver:
    profile = load_profile(config.profile)
    return SsasPortDriver(config, context, lambda: AtDialogue(profile))


DRIVER = DriverSpec(kind="ssas_at", config=SsasAtConfig, build=_driver, covert=True)
