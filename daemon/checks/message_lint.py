"""Does the text of an SSAS unit say what it must, and nothing for which the flag would take a test for more?

Source: MSC.1/Circ.1190 annex 3 (name, IMO number, call sign, MMSI, position, date and time of it); a flag's words are
in ``config/flags``. The text as it is programmed is read before the test, the copy that came ashore after it. Nothing
is read from the unit: a person types the text, or attaches it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from daemon.checks.message_reading import (
    has_marks_of_position,
    has_marks_of_time,
    moment_in,
    place_in,
    plain,
)
from daemon.navigation import geodesy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from daemon.checks.flags import FlagProfile
    from daemon.model import Position, Ship

CLOCKS_APART: Final = timedelta(minutes=5)
"""A position's time may lie a little ahead of ours: clocks differ."""
LINE_END: Final = " | "
"""Stands for a line's end where a text is handed over as one line."""

_LABELLED: Final = {
    "IMO number": re.compile(r"\bIMO(?:\s*(?:NO|NUMBER|NR))?[\s.:#,-]*(\d{7})\b"),
    "MMSI": re.compile(r"\bMMSI(?:\s*(?:NO|NUMBER|NR))?[\s.:#,-]*(\d{9})\b"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a copy is compared with.

    Attributes:
        own: Where the ship was when the test was sent; None where that is not known.
    """

    ship: Ship
    flag: FlagProfile
    own: Position | None
    sent_utc: datetime
    within_m: float
    fix_age_min: float


def lint_programmed(text: str, ship: Ship, flag: FlagProfile) -> list[str]:
    """Return what is wrong with the text as it stands in the unit for a test; nothing where all is right."""
    plain_text = plain(text)
    return [
        *_missing_words(plain_text, flag),
        *_register_findings(plain_text, ship),
        *_forbidden(plain_text, flag),
        *_encoding(text, flag),
    ]


def lint_copy(text: str, wanted: Wanted) -> list[str]:
    """Return what is wrong with the copy that came ashore; nothing where all is right.

    Forbidden words are the programmed text's matter: a unit's own heading may have them.
    """
    plain_text = plain(text)
    return [
        *_missing_words(plain_text, wanted.flag),
        *_register_findings(plain_text, wanted.ship),
        *_position_findings(plain_text, wanted),
        *_time_findings(plain_text, wanted),
        *(["has no course and speed"] if _lacks_motion(plain_text, wanted.flag) else []),
    ]


def unread_in(text: str) -> list[str]:
    """Return what a copy seems to say and cannot be read here: a person has to."""
    found = []
    if place_in(text) is None and has_marks_of_position(text):
        found.append("position")
    if moment_in(text) is None and has_marks_of_time(text):
        found.append("date and time")
    return found


def _has(plain_text: str, words: str) -> bool:
    wanted = re.escape(plain(words))
    return re.search(rf"(?<![A-Z0-9]){wanted}(?![A-Z0-9])", plain_text) is not None


def _missing_words(plain_text: str, flag: FlagProfile) -> Iterator[str]:
    for words in flag.message_says:
        if not _has(plain_text, words):
            yield f"does not say {words}"


def _register_findings(plain_text: str, ship: Ship) -> Iterator[str]:
    for what, own in (("ship's name", ship.name), ("call sign", ship.call_sign)):
        if not _has(plain_text, own):
            yield f"does not have the {what} {own}"
    for what, number in (("IMO number", ship.imo_number), ("MMSI", ship.mmsi)):
        others = {found for found in _LABELLED[what].findall(plain_text) if found != str(number)}
        if others:
            yield f"has {what} {', '.join(sorted(others))}, not the ship's {number}"
        elif not re.search(rf"(?<!\d){number}(?!\d)", plain_text):  # also as "IMO9999993"
            yield f"does not have the {what} {number}"


def _forbidden(plain_text: str, flag: FlagProfile) -> Iterator[str]:
    for words in flag.message_never_says:
        if _has(plain_text, words):
            yield f"says {words}, for which {flag.flag} takes a test for more than it is"


def _encoding(text: str, flag: FlagProfile) -> Iterator[str]:
    if any(not each.isprintable() and not each.isspace() for each in text):
        yield "has signs that cannot be printed"
    if not flag.message_encodings:
        return
    for encoding in flag.message_encodings:
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            continue
        return
    yield f"cannot be sent as {' or '.join(flag.message_encodings)}"


def _position_findings(plain_text: str, wanted: Wanted) -> Iterator[str]:
    found = place_in(plain_text)
    if found is None:
        if not has_marks_of_position(plain_text):
            yield "has no position"
    elif wanted.own is not None:
        metres = geodesy.distance_m(found.position, wanted.own)
        if metres > wanted.within_m:
            yield f"has a position {metres / 1852:.1f} nm from ours, limit {wanted.within_m / 1852:.1f} nm"


def _time_findings(plain_text: str, wanted: Wanted) -> Iterator[str]:
    place = place_in(plain_text)
    moment = moment_in(plain_text, None if place is None else place.span)
    if moment is None:
        if not has_marks_of_time(plain_text):
            yield "has no date and time of the position"
        return
    age = wanted.sent_utc - moment
    if age > timedelta(minutes=wanted.fix_age_min) or age < -CLOCKS_APART:
        side = "before" if age > timedelta(0) else "after"
        minutes = abs(age.total_seconds()) / 60
        yield f"has a position of {minutes:.0f} min {side} the sending, limit {wanted.fix_age_min:.0f} min"


def _lacks_motion(plain_text: str, flag: FlagProfile) -> bool:
    has_speed = re.search(r"\d\s*KTS?\b|\bKNOTS\b|\bSPEED\b|\bSOG\b", plain_text)
    has_course = re.search(r"\bCOG\b|\bCOURSE\b|\d\s*DEG\b", plain_text)
    return flag.message_has_motion and not (has_speed and has_course)
