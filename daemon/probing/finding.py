"""What was found at one place, and what is to be done about it? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HELD: Final = ("has the port", "address already in use", "resource temporarily unavailable")
"""How a link says that somebody else has it open; in small letters."""
ADVICE: Final = (
    (HELD, "held by another program; is ispsd running? Stop it, or ask `ispsd status`"),
    (("refuses",), "another profile, or another unit id"),
    (("refused",), "nothing listens there: the port number, the mode of the unit or server"),
    (("permission denied",), "run it as root, or as a member of that group"),
    (("adapter out", "no such device"), "plug it in, or name the port where it is now"),
    (
        ("mismatch", "no rtsp", "no onvif", "no http"),
        "something else answers: address, port number",
    ),
    (("authori", "401"), "user and password of that unit"),
    (
        ("password_file",),
        "`ispsd init --install` puts the daemon's there; a unit's is put there by hand",
    ),
    (("not told",), "another profile, or the inputs that are wired"),
    (
        ("no answer", "no connection", "no route", "unreachable", "no whole"),
        "its power, cable, address or unit id, the switch",
    ),
    (("sentence", "baud", "parity", "hears"), "the plug, the speed, the feed"),
    (("nothing good heard",), "is it on, and its output? The lead, polarity of A and B"),
)
"""What is to be done, by words of the reason; the first that fits."""
OTHERWISE: Final = "look for these words in docs/integrator.md, When it does not"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found at one place.

    Attributes:
        place: Its name in the ship's file.
        what: What it is, and where: ``nmea, serial /dev/ttyS1``.
        wrong: What is wrong; None where it is in order.
        seen: What was seen of it, where it is in order.
    """

    place: str
    what: str
    wrong: str | None = None
    seen: str = ""
    advice: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.wrong is None

    def line(self) -> str:
        """Return it in one line: ok, or what is wrong and what to do."""
        if self.wrong is None:
            return f"{self.place:<12} ok     {self.what}: {self.seen}"
        return f"{self.place:<12} WRONG  {self.what}: {self.wrong}. Do: {self.advice or advice(self.wrong)}"


def advice(wrong: str) -> str:
    """Return what is to be done about a reason."""
    small = wrong.lower()
    return next((do for words, do in ADVICE if any(w in small for w in words)), OTHERWISE)
