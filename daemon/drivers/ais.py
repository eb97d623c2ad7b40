"""What does an AIS unit say of its own ship, and what does it hear of others?

Source: ITU-R M.1371-5 (messages), IEC 61162-1 (VDM, VDO). pyais reads the bits; whether there are
as many as the message has is checked here, because it makes a wrong MMSI of a truncated payload.
No I/O: ``AisFeed`` is given sentences and the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pyais import bit_vector
from pyais.exceptions import AISBaseException
from pyais.messages import MSG_CLASS, MessageType1, MessageType5

from daemon.drivers.ais_fields import place, text
from daemon.drivers.sentences import Dropped, SentenceError
from daemon.model import AisIdentity, AisReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyais import ANY_MESSAGE
    from pyais.bit_vector import int_bit_vector

    from daemon.drivers.ais_targets import TargetTable
    from daemon.drivers.sentences import Sentence

OwnShip: TypeAlias = AisReport | AisIdentity

MOST_PARTS = 5
"""Slots, and so sentences, of the longest message."""
MOST_OPEN_MESSAGES = 8
"""Messages of which parts are awaited; a unit sends the parts of one in a row."""
PART_LIMIT_S = 5.0
"""Five full sentences take 0.9 s at 4800 Bd; what is missing after this long never comes."""
TOO_LONG_BITS = 5
"""Wrong fill counts are common: so many bits too many are no fault (as gpsd takes it)."""

MESSAGE_BITS: dict[int, tuple[int, int]] = {
    1: (168, 168),
    2: (168, 168),
    3: (168, 168),
    4: (168, 168),
    5: (424, 424),
    6: (88, 1008),
    7: (72, 168),
    8: (56, 1008),
    9: (168, 168),
    10: (72, 72),
    11: (168, 168),
    12: (72, 1008),
    13: (72, 168),
    14: (40, 1008),
    15: (88, 168),
    16: (96, 168),
    17: (80, 816),
    18: (168, 168),
    19: (312, 312),
    20: (72, 160),
    21: (272, 360),
    22: (168, 168),
    23: (160, 160),
    24: (160, 168),
    25: (40, 168),
    26: (60, 1064),
    27: (96, 168),
}
"""Fewest and most bits by message type (ITU-R M.1371-5 annex 8); 15, 16 and 27 also come padded to
a whole slot."""


@dataclass(slots=True)
class _Partial:
    """A message of which the first parts have come."""

    began_s: float
    payload: str
    parts: int = 1


class AisFeed:
    """Messages of one AIS unit, put together from its sentences."""

    def __init__(self, give_up: Callable[[], None], others: TargetTable | None = None) -> None:
        """Remember no message.

        Args:
            give_up: Called for each message that never became whole.
            others: Hears what other stations say; without it that is only checked and counted.
        """
        self._give_up = give_up
        self._others = others
        self._open: dict[tuple[str, ...], _Partial] = {}

    def take(self, sentence: Sentence, now_s: float) -> OwnShip | None:
        """Return what own ship says, None for a part, another ship or another message.

        Raises:
            SentenceError: The message cannot be read.
        """
        if sentence.formatter not in {"VDM", "VDO"}:
            raise SentenceError(Dropped.UNSUPPORTED)
        total, number, channel, payload, fill = _parameters(sentence)
        if total > 1:
            whole = self._join(sentence, total, number, payload, now_s)
            if whole is None:
                return None
            payload = whole
        message_type, bits = whole_message(payload, fill)
        if self._others is not None:
            self._others.occupy(channel, len(bits))
        if sentence.formatter == "VDO":
            return _own_ship(_read(message_type, bits), channel)
        if self._others is not None:
            self._others.hear(message_type, bits.get(*MMSI), bits, now_s)
        return None

    def _join(
        self, sentence: Sentence, total: int, number: int, payload: str, now_s: float
    ) -> str | None:
        """Return the whole payload when this is its last part."""
        self._forget_old(now_s)
        # The channel is no part of the key: some units leave it out after the first sentence.
        source = (sentence.tag.source if sentence.tag else None) or ""
        key = (source, sentence.talker, sentence.formatter, sentence.fields[0], sentence.fields[2])
        known = self._open.pop(key, None)
        if known is not None and known.parts != number - 1:
            self._give_up()
            known = None
        if number == 1:
            self._open[key] = _Partial(now_s, payload)
            return None
        if known is None:
            raise SentenceError(Dropped.INCOMPLETE)
        known.payload += payload
        known.parts = number
        if number == total:
            return known.payload
        self._open[key] = known
        return None

    def _forget_old(self, now_s: float) -> None:
        old = [key for key, known in self._open.items() if now_s - known.began_s > PART_LIMIT_S]
        if not old and len(self._open) >= MOST_OPEN_MESSAGES:
            old = [next(iter(self._open))]
        for key in old:
            del self._open[key]
            self._give_up()


def _parameters(sentence: Sentence) -> tuple[int, int, str | None, str, int]:
    """Return parts, number of this one, channel, payload and fill bits of a VDM or VDO."""
    try:
        total_text, number_text, _, channel, payload, fill_text = sentence.fields
        total, number, fill = _PARTS[total_text], _PARTS[number_text], _FILL_BITS[fill_text]
    except (ValueError, KeyError) as err:
        raise SentenceError(Dropped.MALFORMED) from err
    if number > total:
        raise SentenceError(Dropped.MALFORMED)
    return total, number, _CHANNELS.get(channel), payload, fill


_PARTS = {str(number): number for number in range(1, MOST_PARTS + 1)}
_FILL_BITS = {str(bits): bits for bits in range(6)}
_CHANNELS = {"A": "A", "B": "B", "1": "A", "2": "B"}
"""Anything else is no channel: it must not pass for proof of a transmission."""


MMSI = (8, 30)
"""Where every message has it: from which bit, how many."""


def decode(payload: str, fill_bits: int) -> ANY_MESSAGE:
    """Return the message of a whole payload.

    Raises:
        SentenceError: Too few or too many bits for its type, a type that is not read, no payload.
    """
    return _read(*whole_message(payload, fill_bits))


def whole_message(payload: str, fill_bits: int) -> tuple[int, int_bit_vector]:
    """Return the type and the bits of a payload that has as many as its type wants.

    Raises:
        SentenceError: Too few or too many bits for its type, a type that is not read, no payload.
    """
    armoured = payload.encode("ascii")
    if armoured.translate(None, _ARMOUR):
        raise SentenceError(Dropped.MALFORMED)
    if not armoured:
        raise SentenceError(Dropped.TRUNCATED)
    bits = bit_vector(armoured, fill_bits)
    message_type = bits.get(0, 6)
    if message_type not in MESSAGE_BITS:
        raise SentenceError(Dropped.UNSUPPORTED)
    fewest, most = MESSAGE_BITS[message_type]
    if len(bits) < fewest:
        raise SentenceError(Dropped.TRUNCATED)
    if len(bits) > most + TOO_LONG_BITS:
        raise SentenceError(Dropped.MALFORMED)
    return message_type, bits


def _read(message_type: int, bits: int_bit_vector) -> ANY_MESSAGE:
    try:
        return MSG_CLASS[message_type].from_vector(bits)
    except (AISBaseException, ValueError) as err:
        raise SentenceError(Dropped.MALFORMED) from err


_ARMOUR = bytes((*range(ord("0"), ord("W") + 1), *range(ord("`"), ord("w") + 1)))
"""The 64 characters of a payload (IEC 61162-1, six-bit code)."""


def _own_ship(message: ANY_MESSAGE, channel: str | None) -> OwnShip | None:
    """Return what a message from our own unit says of us; a base station's is not one of ours."""
    if isinstance(message, MessageType1):  # and its subclasses, 2 and 3
        return AisReport(
            mmsi=message.mmsi,
            message_type=message.msg_type,
            channel=channel,
            position=place(message.lat, message.lon),
            sog_kn=None if message.speed >= SPEED_NOT_AVAILABLE_KN else message.speed,
            navigation_status=int(message.status),
            heading_deg=None if message.heading >= FULL_CIRCLE_DEG else float(message.heading),
        )
    if isinstance(message, MessageType5):
        return AisIdentity(
            mmsi=message.mmsi,
            imo_number=message.imo,
            name=text(message.shipname),
            call_sign=text(message.callsign),
            ship_type=int(message.ship_type) or None,
            length_m=message.to_bow + message.to_stern or None,
            beam_m=message.to_port + message.to_starboard or None,
            draught_m=message.draught or None,
            destination=text(message.destination) or None,
            eta=_arrival(message),
        )
    return None


FULL_CIRCLE_DEG = 360
"""511 says that no heading is available."""


def _arrival(message: MessageType5) -> str | None:
    """Return the time of arrival; None where a part of it is not available (0, 0, 24, 60) or is no time."""
    month, day, hour, minute = message.month, message.day, message.hour, message.minute
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60):  # noqa: PLR2004 (a calendar's)
        return None
    return f"{month:02d}-{day:02d} {hour:02d}:{minute:02d}"


SPEED_NOT_AVAILABLE_KN = 102.3
"""Raw 1023; 102.2 is "102.2 kn or more"."""
