"""Does the text of an SSAS unit say what it must, and nothing for which the flag would take a test for more?

Source: MSC.1/Circ.1190 annex 3 (name, IMO number, call sign, MMSI, position, date and time of it); a flag's words are
in ``config/flags``. The text as it is programmed is read before the test, the copy that came ashore after it. Nothing
is read from the unit: a person types the text, or attaches it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from daemon.model import Position
from daemon.navigation import geodesy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.checks.flags import FlagProfile
    from daemon.model import Ship

CLOCKS_APART: Final = timedelta(minutes=5)
"""A position's time may lie a little ahead of ours: clocks differ."""
LINE_END: Final = " | "
"""Stands for a line's end where a text is handed over as one line."""

_LABELLED: Final = {
    "IMO number": re.compile(r"\bIMO(?:\s*(?:NO|NUMBER|NR))?[\s.:#,-]*(\d{7})\b"),
    "MMSI": re.compile(r"\bMMSI(?:\s*(?:NO|NUMBER|NR))?[\s.:#,-]*(\d{9})\b"),
}
_ANGLE: Final = r"(\d{1,3})[\s°:-]+(\d{1,2}(?:\.\d+)?)\s*['′]?"
_LATITUDE: Final = (
    re.compile(rf"\b([NS])\s*{_ANGLE}"),
    re.compile(rf"{_ANGLE}\s*([NS])(?![A-Z])"),
)
_LONGITUDE: Final = (
    re.compile(rf"([EW])\s*{_ANGLE}"),
    re.compile(rf"{_ANGLE}\s*([EW])(?![A-Z])"),
)
_MOMENTS: Final = (
    (re.compile(r"\b(\d{2}\.\d{2}\.\d{4})[ T,]+(\d{2}:\d{2})"), "%d.%m.%Y %H:%M"),
    (re.compile(r"\b(\d{4}-\d{2}-\d{2})[ T,]+(\d{2}:\d{2})"), "%Y-%m-%d %H:%M"),
    (re.compile(r"\b(\d{1,2} [A-Z]{3} \d{4})[ T,]+(\d{2}:?\d{2})"), "%d %b %Y %H:%M"),
)


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
    plain = _plain(text)
    return [
        *_missing_words(plain, flag),
        *_register_findings(plain, ship),
        *_forbidden(plain, flag),
        *_encoding(text, flag),
    ]


def lint_copy(text: str, wanted: Wanted) -> list[str]:
    """Return what is wrong with the copy that came ashore; nothing where all is right.

    Forbidden words are the programmed text's matter: a unit's own heading may have them.
    """
    plain = _plain(text)
    return [
        *_missing_words(plain, wanted.flag),
        *_register_findings(plain, wanted.ship),
        *_position_findings(plain, wanted),
        *_time_findings(plain, wanted),
        *(["has no course and speed"] if _lacks_motion(plain, wanted.flag) else []),
    ]


def position_in(text: str) -> Position | None:
    """Return the position in a text; None where there is none, or it cannot be one."""
    plain = _plain(text)
    lat, lon = _angle(plain, _LATITUDE, 90.0), _angle(plain, _LONGITUDE, 180.0)
    return None if lat is None or lon is None else Position(lat, lon)


def moment_in(text: str) -> datetime | None:
    """Return the UTC date and time in a text; None where there is none."""
    plain = _plain(text)
    for pattern, form in _MOMENTS:
        if (found := pattern.search(plain)) is not None:
            clock = found[2] if ":" in found[2] else f"{found[2][:2]}:{found[2][2:]}"
            try:
                return datetime.strptime(f"{found[1].title()} {clock}", form).replace(tzinfo=UTC)
            except ValueError:
                return None
    return None


def _plain(text: str) -> str:
    return " ".join(text.upper().split())


def _has(plain: str, words: str) -> bool:
    return re.search(rf"(?<![A-Z0-9]){re.escape(_plain(words))}(?![A-Z0-9])", plain) is not None


def _missing_words(plain: str, flag: FlagProfile) -> Iterator[str]:
    for words in flag.message_says:
        if not _has(plain, words):
            yield f"does not say {words}"


def _register_findings(plain: str, ship: Ship) -> Iterator[str]:
    for what, own in (("ship's name", ship.name), ("call sign", ship.call_sign)):
        if not _has(plain, own):
            yield f"does not have the {what} {own}"
    for what, number in (("IMO number", ship.imo_number), ("MMSI", ship.mmsi)):
        others = {found for found in _LABELLED[what].findall(plain) if found != str(number)}
        if others:
            yield f"has {what} {', '.join(sorted(others))}, not the ship's {number}"
        elif not re.search(rf"(?<!\d){number}(?!\d)", plain):  # also as "IMO9999993"
            yield f"does not have the {what} {number}"


def _forbidden(plain: str, flag: FlagProfile) -> Iterator[str]:
    for words in flag.message_never_says:
        if _has(plain, words):
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


def _position_findings(plain: str, wanted: Wanted) -> Iterator[str]:
    position = position_in(plain)
    if position is None:
        yield "has no position"
    elif wanted.own is not None:
        metres = geodesy.distance_m(position, wanted.own)
        if metres > wanted.within_m:
            yield f"has a position {metres / 1852:.1f} nm from ours, limit {wanted.within_m / 1852:.1f} nm"


def _time_findings(plain: str, wanted: Wanted) -> Iterator[str]:
    moment = moment_in(plain)
    if moment is None:
        yield "has no date and time of the position"
        return
    age = wanted.sent_utc - moment
    if age > timedelta(minutes=wanted.fix_age_min) or age < -CLOCKS_APART:
        words = "before" if age > timedelta(0) else "after"
        minutes = abs(age.total_seconds()) / 60
        yield f"has a position of {minutes:.0f} min {words} the sending, limit {wanted.fix_age_min:.0f} min"


def _lacks_motion(plain: str, flag: FlagProfile) -> bool:
    has_speed = re.search(r"\d\s*KTS?\b|\bKNOTS\b|\bSPEED\b|\bSOG\b", plain)
    has_course = re.search(r"\bCOG\b|\bCOURSE\b|\d\s*DEG\b", plain)
    return flag.message_has_motion and not (has_speed and has_course)


def _angle(plain: str, patterns: tuple[re.Pattern[str], ...], most: float) -> float | None:
    for number, pattern in enumerate(patterns):
        for found in pattern.finditer(plain):
            side, degrees, minutes = (
                found.groups() if number == 0 else (found[3], found[1], found[2])
            )
            value = int(degrees) + float(minutes) / 60
            if float(minutes) < 60 and value <= most:  # noqa: PLR2004 (minutes of arc)
                return -value if side in "SW" else value
    return None
