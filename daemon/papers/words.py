"""Which words stand on paper? Those of the forms that people know, never the code's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from daemon.model import ClockStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

SAT, UNSAT, NOT_PROVEN, NOT_DONE = "SAT", "UNSAT", "NOT PROVEN", "NOT DONE"
RESULT: Final[Mapping[str, str]] = {
    "passed": SAT,
    "failed": UNSAT,
    "inconclusive": NOT_PROVEN,
    "skipped": NOT_DONE,
}
HOW: Final[Mapping[str, str]] = {
    "automatic": "A",
    "assisted": "P",
    "manual": "M",
    "in_service": "S",
}
SITUATION: Final[Mapping[str, str]] = {
    "sea": "at sea",
    "manoeuvring": "manoeuvring",
    "anchor": "at anchor",
    "port": "in port",
    "yard": "in yard",
}
CLOCK: Final[Mapping[ClockStatus, str]] = {
    ClockStatus.SYNCED: "synchronised with UTC",
    ClockStatus.HOLDOVER: "plausible, not synchronised",
    ClockStatus.UNSET: "not set: its times cannot be relied on",
}
PRIVATE: Final[Mapping[str, str]] = {
    "clear": "    No distress or security matter in hand",
    "activation": "1  Activation",
    "acceptance": "2  Test message sent",
    "reset": "    Unit reset",
    "shore": "3  Confirmed ashore",
    "copy": "    Copy ashore complete, with TEST",
    "text_set_back": "    Message text set back",
    "confirmed": "    Recipients who confirmed",
    "recipients": "    Recipients",
    "after": "    No other sign on board, GMDSS as before",
    "evidence_valid_until": "    Evidence for a survey until",
    "performer": "Done by",
    "witness": "Witness",
}
"""What the legs of an SSAS test are called on paper."""
SEEN: Final = re.compile(r"seen by ispsd on \S+")
CATEGORY: Final[Mapping[str, str]] = {
    ".1": "A/10.1.1 training, drills and exercises",
    ".2": "A/10.1.2 security threats and incidents",
    ".3": "A/10.1.3 breaches of security",
    ".4": "A/10.1.4 changes in security level",
    ".5": "A/10.1.5 communications on direct security of the ship",
    ".6": "A/10.1.6 internal audits and reviews",
    ".7": "A/10.1.7 review of the security assessment",
    ".8": "A/10.1.8 review of the security plan",
    ".9": "A/10.1.9 amendments to the security plan",
    ".10": "A/10.1.10 maintenance, calibration and testing of security equipment",
    ".11": "XI-2/9.2.1 level held at port interface",
    ".12": "XI-2/9.2.1 special measures",
    ".13": "XI-2/9.2.1 ship-to-ship activity",
    ".14": "XI-2/9.2.1 other",
    "system": "of the system itself",
}


def result(outcome: object) -> str:
    """Return an outcome in the words of the log; one that is not known proves nothing."""
    return RESULT.get(str(outcome), NOT_PROVEN)


def seen(said: str) -> str:
    """Return who saw a leg of a test, without the name of the input on which a machine saw it."""
    return "seen by ispsd itself" if SEEN.fullmatch(said) else said


def number(said: object) -> int | None:
    """Return a whole number that an entry may hold; None where it holds something else."""
    return said if isinstance(said, int) and not isinstance(said, bool) else None


def texts(said: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """Return these members as text; "" where one is missing or is none."""
    return tuple(str(said[name]) if isinstance(said.get(name), str | int) else "" for name in names)


def text(said: Mapping[str, Any], name: str) -> str:
    """Return one member as text; "" where it is missing or is none."""
    return texts(said, name)[0]


def objects(said: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list; what is none is left out."""
    return [each for each in said if isinstance(each, dict)] if isinstance(said, list) else []


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"
