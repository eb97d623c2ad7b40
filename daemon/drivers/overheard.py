"""What is it that a port hears, when nothing of it is what was expected there?

A feed that hears the wrong device, or the right one at the wrong speed, is silent to us: the reason of the
outage then says in plain words what does come. Pure: bytes in, words out; bounded, and never raises. What
is said is the kind of what was heard, never a word of it: text that is no sentence is not spoken of at all,
for it may be the printer port of an SSAS unit on the wrong plug (invariant 1).

Sources: IEC 61162-1 (sentences, 8N1), MODBUS over Serial Line V1.02, 2.5.1 (frames).
"""

from __future__ import annotations

import re
from collections import Counter
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, Final

from daemon.drivers.byte_source import LOW_SEVEN_BITS
from daemon.drivers.modbus_rtu_frames import is_intact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_BYTES = 2048
"""The newest that are kept: two seconds at 9600 Bd, several sentences at any speed."""
FEWEST_BYTES = 32
"""Of less nothing is said: one burst of noise is no wrong speed."""
MOST_NAMED = 3
FAMILIES: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "nav": (
        "GNSS",
        frozenset({"GGA", "RMC", "GLL", "GNS", "VTG", "GSA", "GSV", "ZDA", "GBS", "GST", "DTM"}),
    ),
    "ais": ("AIS", frozenset({"VDM", "VDO", "ABK", "ABM", "BBM", "SSD", "VSD", "TRL"})),
    "heading": ("compass", frozenset({"HDT", "THS", "HDG", "HDM", "ROT"})),
    "log": ("speed log", frozenset({"VBW", "VHW", "VLW"})),
    "equipment": ("alert", frozenset({"ALR", "ALF", "ALC", "ARC", "ACN", "HBT"})),
    "doors": ("shell door", frozenset({"DOR"})),
    "depth": ("echo sounder", frozenset({"DPT", "DBT", "DBS", "DBK"})),
    "wind": ("weather", frozenset({"MWV", "MWD", "VWR", "XDR", "MTW"})),
    "radar": ("radar", frozenset({"TTM", "TLL", "TLB", "OSD", "RSD"})),
    "steering": ("steering", frozenset({"RSA", "HTC", "HTD", "APB", "XTE"})),
}
"""By feed, where we have one: what it is called, and the formatters of IEC 61162-1 that tell it."""
_SENTENCE = re.compile(rb"([$!])([A-Z0-9]{3,8}),([\x20-\x7e]{0,200}?)\*([0-9A-Fa-f]{2})")
_SOURCE = re.compile(rb"[\\,]s:([!-)+\-./0-\[\]-~]{1,15})[,*]")
_START = re.compile(rb"[$!][A-Z]{2}[A-Z]{3},")
_PLAIN = frozenset(range(0x20, 0x7F)) | frozenset(b"\r\n\t")
FEWEST_STARTS = 2
FEWEST_PLAIN_SHARE = 0.95
"""Read at half its speed a sentence is four letters in five, and never a whole beginning of one."""
READ_REQUEST_BYTES = 8
_MODBUS_FUNCTIONS = frozenset({1, 2, 3, 4, 5, 6, 15, 16})
_TEXT = re.compile(rb"[\x20-\x7e\r\n]{8,}")
"""Eight bytes of inputs that all look like letters are 64 contacts: no unit that we ask has so many."""
FEWEST_DAMAGED = 4
"""Damaged answers without a good one among them: RS-485 loses a frame now and then."""
FEWEST_FRAMES = 2
"""One could be chance: a CRC is right once in 65536."""


class Overheard:
    """The newest bytes that came since the last good one. Fed by one driver."""

    def __init__(
        self,
        *,
        expected: str,
        set_as: str = "",
        talkers: Iterable[str] = (),
        sources: Iterable[str] = (),
    ) -> None:
        """Take what the port is there for.

        Args:
            expected: A feed of ``FAMILIES``.
            set_as: How the serial port is set, such as "38400 8N1"; empty for a link without a speed.
            talkers: Those that alone are listened to; none means all.
            sources: The same of the sources that TAG blocks name.
        """
        self._sources = tuple(sources)
        self._expected = expected
        self._set_as = set_as
        self._talkers = frozenset(talkers)
        self._sample = bytearray()

    def hear(self, data: bytes) -> None:
        """Keep bytes that brought nothing good."""
        self._sample += data[-MOST_BYTES:]
        if len(self._sample) > MOST_BYTES:
            del self._sample[:-MOST_BYTES]

    def forget(self) -> None:
        """Something good came: what was before it explains nothing."""
        self._sample.clear()

    def hint(self) -> str | None:
        """Return what is heard in plain words; None where there is nothing that would help."""
        sample = bytes(self._sample)
        said = explain(sample, expected=self._expected, set_as=self._set_as, talkers=self._talkers)
        if said is None and self._sources and (heard := sentences(sample)):
            return _of_sources(heard, sample, self._sources)
        return said


class OverheardOnBus:
    """What a Modbus RTU line hears instead of answers, since the last good one.

    A damaged answer may hold the test lamp of an SSAS unit: kept is that there was one, and of all bytes only
    stretches of text, which no unit's inputs are.
    """

    def __init__(self, *, set_as: str = "") -> None:
        """Take how the serial port is set; empty for a serial server, which alone knows it."""
        self._set_as = set_as
        self._damaged = 0
        self._text = bytearray()

    def answer(self, received: bytes) -> None:
        """Note what came in the place of an answer; nothing, or a whole frame of another, is no damage."""
        self._damaged += bool(received) and not is_intact(received)
        self.unasked(received)

    def unasked(self, received: bytes) -> None:
        """Note what came without being asked."""
        for stretch in _TEXT.findall(received):
            self._text += stretch
        del self._text[:-MOST_BYTES]

    def forget(self) -> None:
        """Something good came."""
        self._damaged = 0
        self._text.clear()

    def hint(self) -> str | None:
        """Return what is heard in plain words; None where there is nothing that would help."""
        if heard := sentences(bytes(self._text)):
            return f"hears NMEA sentences ({_named(heard)}), expected Modbus: cables swapped?"
        if self._damaged >= FEWEST_DAMAGED:
            return f"bytes come but no frame: wrong baud rate or parity?{_setting(self._set_as)}"
        return None


def explain(
    sample: bytes, *, expected: str, set_as: str = "", talkers: frozenset[str] = frozenset()
) -> str | None:
    """Return what a sample is that has nothing good in it; arguments as of ``Overheard``."""
    if len(sample) < FEWEST_BYTES:
        return None
    heard = sentences(sample)
    if heard:
        return _of_sentences(heard, expected, talkers)
    if units := modbus_units(sample):
        named = ", ".join(map(str, units[:MOST_NAMED]))
        return f"hears Modbus frames (unit {named}), expected {_words(expected)}: cables swapped?"
    return _of_noise(sample, set_as)


def _of_noise(sample: bytes, set_as: str) -> str | None:
    if sentences(sample.translate(LOW_SEVEN_BITS)):
        return f"hears sentences with a parity bit: a port of 7E1 or 7O1?{_setting(set_as)}"
    if len(_START.findall(sample)) >= FEWEST_STARTS:
        return (
            "sentences come, but every checksum is wrong: noise on the lead, or two talkers on it?"
        )
    # Text with a parity bit is text: an SSAS unit prints 7E1 as well as 8N1.
    if _plain_share(sample.translate(LOW_SEVEN_BITS)) < FEWEST_PLAIN_SHARE:
        return f"bytes come but no sentence: wrong baud rate?{_setting(set_as)}"
    return None


def sentences(sample: bytes) -> Counter[str]:
    """Return how often each address (talker and formatter) came in a sentence whose checksum is right."""
    heard: Counter[str] = Counter()
    for start, address, fields, checksum in _SENTENCE.findall(sample):
        del start
        if reduce(xor, address + b"," + fields) == int(checksum, 16):
            heard[address.decode("ascii")] += 1
    return heard


def modbus_units(sample: bytes) -> list[int]:
    """Return the unit ids of the Modbus RTU frames in a sample, the smallest first; none where it has hardly any."""
    units: Counter[int] = Counter()
    at = 0
    while at < len(sample) - 4:
        end = _frame_end(sample, at)
        if end is None:
            at += 1
        else:
            units[sample[at]] += 1
            at = end
    return sorted(units) if units.total() >= FEWEST_FRAMES else []


def _frame_end(sample: bytes, at: int) -> int | None:
    """Return where the request, answer or exception ends that begins here; None where there is none."""
    unit, function, third = sample[at : at + 3]
    if not 1 <= unit <= 247:  # noqa: PLR2004 (MODBUS over Serial Line 2.2)
        return None
    if function & 0x80:
        lengths: tuple[int, ...] = (5,) if function & 0x7F in _MODBUS_FUNCTIONS else ()
    elif function in _MODBUS_FUNCTIONS:
        lengths = (READ_REQUEST_BYTES, 5 + third)
    else:
        return None
    for length in lengths:
        if at + length <= len(sample) and is_intact(sample[at : at + length]):
            return at + length
    return None


def _of_sentences(heard: Counter[str], expected: str, talkers: frozenset[str]) -> str | None:
    own = Counter({address: n for address, n in heard.items() if address[:2] in talkers})
    if talkers and not own:
        # Others may well be on the same line: that they speak is no swapped cable.
        missing = ", ".join(sorted(talkers))
        return f"hears {_named(heard)}, but nothing of talker {missing}: see talkers in the file"
    heard = own or heard
    families = _families(heard)
    if expected in families:
        return None
    if not families:
        return f"hears {_named(heard)}, expected {_words(expected)}: is it the right port?"
    first = next(iter(families))
    return (
        f"hears {FAMILIES[first][0]} sentences ({_named(families[first])}), "
        f"expected {_words(expected)}: cables swapped?"
    )


def _of_sources(heard: Counter[str], sample: bytes, sources: tuple[str, ...]) -> str:
    others = sorted({source.decode("ascii") for source in _SOURCE.findall(sample)})
    named = f"of {', '.join(others[:MOST_NAMED])}" if others else "without any source"
    missing = ", ".join(sources)
    return (
        f"hears {_named(heard)} {named}, but nothing of source {missing}: see sources in the file"
    )


def _families(heard: Counter[str]) -> dict[str, Counter[str]]:
    """Return what was heard by its family, the one that spoke most first."""
    families: dict[str, Counter[str]] = {}
    for address, count in heard.items():
        formatter = address[2:]
        for family, (_, formatters) in FAMILIES.items():
            if formatter in formatters:
                families.setdefault(family, Counter())[address] = count
    # Any equipment tells of its own alerts: they alone do not say which it is.
    ordered = sorted(families.items(), key=lambda each: (each[0] == "equipment", -each[1].total()))
    return dict(ordered)


def _named(heard: Counter[str]) -> str:
    return ", ".join(address for address, _ in heard.most_common(MOST_NAMED))


def _words(expected: str) -> str:
    return FAMILIES[expected][0]


def _setting(set_as: str) -> str:
    return f" {set_as} set" if set_as else ""


def _plain_share(sample: bytes) -> float:
    return sum(byte in _PLAIN for byte in sample) / len(sample)
