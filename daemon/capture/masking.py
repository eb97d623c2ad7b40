"""How does what a talker said become words that name no ship and no place? Pure: lines in, lines out.

Kept are sentences whose fields are known; identities in them are those of the sample ship, positions are moved by one
offset that is kept nowhere, checksums are right again. Everything else is left out and counted; a line that cannot be
read becomes as many question marks, so that it is still one that cannot be read.

Sources: IEC 61162-1 (sentences), IEC 61162-450 (TAG blocks).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, Final, NamedTuple

from daemon.capture import masking_ais
from daemon.capture.masking_ais import OWN_CALL_SIGN, OWN_IMO, OWN_MMSI, OWN_NAME, Masks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from daemon.model import Ship

LONGEST_UNREAD: Final = 82
KEPT: Final = frozenset(
    {
        *("GGA", "RMC", "GLL", "GNS", "VTG", "GSA", "GSV", "ZDA", "GBS", "GST"),
        *("HDT", "THS", "HDG", "HDM", "ROT", "VBW", "VHW", "VLW"),
        *("ALR", "ALF", "ALC", "ARC", "ACN", "ACK", "HBT", "DOR", "TXT", "TRL"),
        *("DPT", "DBT", "MWV", "MWD", "RSA"),
    }
)
"""What may stay. SSD, VSD, ABM, BBM and the like name ships; WPL and RTE name places; proprietary ones say anything."""
_SENTENCE = re.compile(
    rb"(\\[^\\]{1,128}\\)?([$!])([A-Z0-9]{3,8}),([\x20-\x7e]*)\*([0-9A-Fa-f]{2})"
)
_TAG = re.compile(rb"\\[scngdr]:[A-Za-z0-9-]+(,[scngdr]:[A-Za-z0-9-]+)*\*[0-9A-Fa-f]{1,2}\\")
_LAT = re.compile(r"(\d\d)(\d\d(?:\.\d{1,9})?)", re.ASCII)
_LON = re.compile(r"(\d\d\d)(\d\d(?:\.\d{1,9})?)", re.ASCII)
_NUMBER_IN_TEXT = re.compile(r"(?<![\d.])\d{9}(?![\d.])", re.ASCII)
_ANGLE_IN_TEXT = re.compile(r"\b\d{2,3}[- ]?\d\d(?:\.\d{1,9})?'? ?[NSEW]\b", re.ASCII)
_POSITION_FIELDS: Final = 4
_AIS: Final = frozenset({"VDM", "VDO"})
_AIS_FIELDS: Final = 6
MOST_PARTS: Final = 9
DECIMALS: Final = 4


@dataclass(slots=True)
class Masked:
    """What became of the lines.

    Attributes:
        lines: By their place among those that came; None where one was left out.
        left_out: How many were, by formatter or reason.
    """

    lines: list[bytes | None]
    left_out: Counter[str] = field(default_factory=Counter)


class _Part(NamedTuple):
    """One sentence of an AIS message: where it stands among the lines, and what it says."""

    line: int
    tag: bytes
    address: bytes
    fields: list[str]

    @property
    def formatter(self) -> str:
        return self.address[2:].decode("ascii")


def masked(lines: Iterable[bytes], ship: Ship, masks: Masks) -> Masked:
    """Return lines, which have no ends, without identities."""
    came = list(lines)
    out = Masked([None] * len(came))
    messages = _Messages(masks, out)
    for number, line in enumerate(came):
        read = _SENTENCE.fullmatch(line)
        if read is None or not _is_right(read):
            out.lines[number] = b"?" * min(len(line), LONGEST_UNREAD)
            continue
        tag, start, address, body, _ = read.groups(default=b"")
        formatter = address[2:].decode("ascii")
        fields = body.decode("ascii").split(",")
        if tag and _TAG.fullmatch(tag) is None:
            out.left_out["tag block"] += 1
        elif start == b"!" and formatter in _AIS and len(fields) == _AIS_FIELDS:
            messages.take(_Part(number, tag, address, fields))
        elif start == b"$" and formatter in KEPT and address[:1] != b"P":
            said = ",".join(_anonymous(fields, ship, masks))
            out.lines[number] = tag + _framed(start, address + b"," + said.encode("ascii"))
        else:
            out.left_out[formatter if address[:1] != b"P" else "proprietary"] += 1
    messages.end()
    out.left_out = +out.left_out
    return out


def _is_right(read: re.Match[bytes]) -> bool:
    return reduce(xor, read[3] + b"," + read[4]) == int(read[5], 16)


def _framed(start: bytes, body: bytes) -> bytes:
    return start + body + b"*%02X" % reduce(xor, body)


class _Messages:
    """AIS messages as their parts come; the masked ones go to the places of the parts."""

    def __init__(self, masks: Masks, out: Masked) -> None:
        self._masks = masks
        self._out = out
        self._parts: dict[tuple[str, ...], dict[int, _Part]] = {}

    def take(self, part: _Part) -> None:
        """Take a part of a message; when all are there, put the masked ones in their places."""
        total, number, sequence, channel, _, _ = part.fields
        if not (total.isdecimal() and number.isdecimal()) or not (
            1 <= int(number) <= int(total) <= MOST_PARTS
        ):
            self._out.left_out["AIS"] += 1
            return
        key = (part.formatter, total, sequence, channel)
        parts = self._parts.setdefault(key, {})
        if int(number) in parts:  # of a message whose end was lost
            self._out.left_out["incomplete message"] += len(parts)
            parts.clear()
        parts[int(number)] = part
        if len(parts) == int(total):
            del self._parts[key]
            self._finish([parts[index] for index in sorted(parts)])

    def end(self) -> None:
        """Count the parts whose others never came."""
        self._out.left_out["incomplete message"] += sum(map(len, self._parts.values()))

    def _finish(self, whole: list[_Part]) -> None:
        payload = masking_ais.masked("".join(part.fields[4] for part in whole), self._masks)
        if payload is None:
            self._out.left_out["AIS"] += len(whole)
            return
        for part in whole:
            length = len(part.fields[4])
            piece, payload = payload[:length], payload[length:]
            said = ",".join([*part.fields[:4], piece, part.fields[5]]).encode("ascii")
            self._out.lines[part.line] = part.tag + _framed(b"!", part.address + b"," + said)


def _anonymous(fields: list[str], ship: Ship, masks: Masks) -> list[str]:
    said = list(fields)
    for at in range(len(said) - _POSITION_FIELDS + 1):
        said[at : at + _POSITION_FIELDS] = _moved(said[at : at + _POSITION_FIELDS], masks)
    return [_without_names(_without_stations(each, masks), ship) for each in said]


def _moved(four: list[str], masks: Masks) -> list[str]:
    """Return latitude, N or S, longitude, E or W elsewhere; anything else as it is."""
    lat, lon = _LAT.fullmatch(four[0]), _LON.fullmatch(four[2])
    if lat is None or lon is None or four[1] not in {"N", "S"} or four[3] not in {"E", "W"}:
        return four
    new_lat, new_lon = masks.shift.moved(
        _ten_thousandths(lat) * (1 if four[1] == "N" else -1),
        _ten_thousandths(lon) * (1 if four[3] == "E" else -1),
    )
    return [
        _written(new_lat, 2, four[0]),
        "N" if new_lat >= 0 else "S",
        _written(new_lon, 3, four[2]),
        "E" if new_lon >= 0 else "W",
    ]


def _ten_thousandths(angle: re.Match[str]) -> int:
    return round((int(angle[1]) * 60 + float(angle[2])) * 10**DECIMALS)


def _written(value: int, digits: int, like: str) -> str:
    """Return an angle with as many decimals as the one that it stands for; beyond the fourth they are its own."""
    decimals = len(like.partition(".")[2])
    degrees, rest = divmod(abs(value), 60 * 10**DECIMALS)
    minutes = f"{rest // 10**DECIMALS:02d}"
    if not decimals:
        return f"{degrees:0{digits}d}{minutes}"
    fraction = f"{rest % 10**DECIMALS:0{DECIMALS}d}"[:decimals] + like.partition(".")[2][DECIMALS:]
    return f"{degrees:0{digits}d}{minutes}.{fraction}"


def _without_stations(text: str, masks: Masks) -> str:
    """Return a text in which stations have other numbers, and positions are noughts; who is named by a word stays."""
    text = _NUMBER_IN_TEXT.sub(lambda found: f"{masks.mmsi(int(found[0])):09d}", text)
    return _ANGLE_IN_TEXT.sub(lambda found: re.sub(r"\d", "0", found[0]), text)


def _without_names(text: str, ship: Ship) -> str:
    for theirs, ours in (
        (ship.name, OWN_NAME),
        (ship.call_sign, OWN_CALL_SIGN),
        (str(ship.mmsi), str(OWN_MMSI)),
        (str(ship.imo_number), str(OWN_IMO)),
    ):
        text = re.sub(re.escape(theirs), ours, text, flags=re.IGNORECASE)
    return text


def betrayals(said: Iterable[bytes], ship: Ship) -> Iterator[str]:
    """Yield what still names the ship after all, as letters and digits; the last look before anything is written."""
    everything = b"\n".join(said).upper()
    for name, word, ours in (
        ("name", ship.name, OWN_NAME),
        ("call sign", ship.call_sign, OWN_CALL_SIGN),
        ("MMSI", str(ship.mmsi), str(OWN_MMSI)),
        ("IMO number", str(ship.imo_number), str(OWN_IMO)),
    ):
        if word.upper() != ours and word.upper().encode("ascii", "replace") in everything:
            yield name
