"""Who is heard, where was each last, and how full are the channels? A table that cannot grow.

One message makes a newcomer, the second a target: what bit errors make up, and what somebody who sends random MMSIs
sends once, fills a room of its own and drives no real ship out. Both rooms are bounded; who was heard longest ago goes
first. Nothing is read of a message but its type and MMSI until the table is looked at.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.drivers import ais_fields
from daemon.model import AisCounts, AisKind, AisTarget, AisTraffic

if TYPE_CHECKING:
    from daemon.drivers.ais_fields import Bits
    from daemon.model import Position

MOST_TARGETS: Final = 2000
"""More than the two channels can carry of ships under way: 4500 slots a minute, each six times."""
MOST_NEWCOMERS: Final = 4500
"""All that both channels can bring in a minute: were the room smaller, many would leave it before they come again."""
FORGET_S: Final = 600.0
"""A class A at anchor reports each 3 min, a class B below 2 kn too: three reports, and one minute more."""
SLOTS_PER_MIN: Final = 2250
"""On each channel (ITU-R M.1371-5 annex 2, 3.1.3)."""
SLOT_BITS: Final = 256
NO_DATA_BITS: Final = 88
"""Of a transmission: ramp, training, flags, CRC and buffer (ITU-R M.1371-5 annex 2, 3.2.2)."""
MINUTE_S: Final = 60.0
ACTIVE_SART, TEST_SART = 14, 15
"""Navigational status of an AIS-SART, MOB or EPIRB that is active, and of one under test."""

_KIND_OF_MESSAGE: Final = {
    1: AisKind.CLASS_A,
    2: AisKind.CLASS_A,
    3: AisKind.CLASS_A,
    4: AisKind.BASE_STATION,
    5: AisKind.CLASS_A,
    9: AisKind.AIRCRAFT,
    18: AisKind.CLASS_B,
    19: AisKind.CLASS_B,
    21: AisKind.AID,
    24: AisKind.CLASS_B,
}
"""What of 24 and 27 is not told apart stays what it was heard as before."""
OF_ALL: Final = frozenset({24, 27})
HEARD: Final = frozenset({*_KIND_OF_MESSAGE, *OF_ALL})
"""The messages that the table is made from; the others only fill the channels."""
DISTRESS: Final = range(970_000_000, 975_000_000)
"""970 AIS-SART, 972 man overboard, 974 EPIRB-AIS (ITU-R M.585-8)."""


@dataclass(slots=True)
class _Heard:
    """What was heard of one station."""

    heard_s: float = 0.0
    kind: AisKind | None = None
    bits: Bits | None = None
    """The newest message that says where it is."""
    message_type: int = 0
    position_s: float = 0.0
    name_bits: Bits | None = None
    name_type: int = 0
    name: str = ""
    seen: AisTarget | None = None
    """What was made of it last; made again where it said something since."""


class TargetTable:
    """Every station that was heard lately."""

    def __init__(self) -> None:
        self._targets: OrderedDict[int, _Heard] = OrderedDict()
        self._newcomers: OrderedDict[int, _Heard] = OrderedDict()
        self._slots = {"A": 0, "B": 0}
        self._minute: deque[tuple[float, int, int]] = deque()
        self._first_s: float | None = None

    def __len__(self) -> int:
        return len(self._targets) + len(self._newcomers)

    def occupy(self, channel: str | None, bits: int) -> None:
        """Count the slots of a message of so many bits."""
        if channel is not None:
            self._slots[channel] += (bits + NO_DATA_BITS + SLOT_BITS - 1) // SLOT_BITS

    def hear(self, message_type: int, mmsi: int, bits: Bits, now_s: float) -> None:
        """Take a message of another station; it has the bits of its type."""
        if message_type not in HEARD:
            return
        heard = self._targets.get(mmsi)
        if heard is None:
            heard = self._newcomer(mmsi, now_s)
        else:
            self._targets.move_to_end(mmsi)
        heard.heard_s, heard.seen = now_s, None
        if message_type not in OF_ALL or heard.kind is None:
            heard.kind = _KIND_OF_MESSAGE.get(message_type, AisKind.CLASS_A)
        if message_type in ais_fields.PLACES:
            heard.bits, heard.message_type, heard.position_s = bits, message_type, now_s
        if message_type in ais_fields.NAMES:
            heard.name_bits, heard.name_type = bits, message_type

    def look(self, now_s: float) -> AisTraffic:
        """Return what is heard now; forget what was not for long."""
        for room in (self._targets, self._newcomers):
            while room and now_s - next(iter(room.values())).heard_s > FORGET_S:
                room.popitem(last=False)
        targets = tuple(heard.seen or _made(mmsi, heard) for mmsi, heard in self._targets.items())
        return AisTraffic(self._counts(targets, now_s), targets)

    def _newcomer(self, mmsi: int, now_s: float) -> _Heard:
        """Return the room of a station that was not heard twice before: one more for its second message."""
        heard = self._newcomers.pop(mmsi, None)
        if heard is None or now_s - heard.heard_s > FORGET_S:
            heard = self._newcomers[mmsi] = _Heard()
            if len(self._newcomers) > MOST_NEWCOMERS:
                self._newcomers.popitem(last=False)
            return heard
        self._targets[mmsi] = heard
        if len(self._targets) > MOST_TARGETS:
            self._targets.popitem(last=False)
        return heard

    def _counts(self, targets: tuple[AisTarget, ...], now_s: float) -> AisCounts:
        kinds = Counter(target.kind for target in targets)
        active = sum(
            target.kind is AisKind.DISTRESS and target.navigation_status == ACTIVE_SART
            for target in targets
        )
        load_a, load_b = self._loads(now_s)
        return AisCounts(
            class_a=kinds[AisKind.CLASS_A],
            class_b=kinds[AisKind.CLASS_B],
            base_stations=kinds[AisKind.BASE_STATION],
            aids=kinds[AisKind.AID],
            aircraft=kinds[AisKind.AIRCRAFT],
            distress=active,
            load_a=load_a,
            load_b=load_b,
        )

    def _loads(self, now_s: float) -> tuple[float | None, float | None]:
        """Return the share of slots in use on each channel over the last minute."""
        if self._first_s is None:
            self._first_s = now_s
        self._minute.append((now_s, self._slots["A"], self._slots["B"]))
        self._slots = {"A": 0, "B": 0}
        while now_s - self._minute[0][0] >= MINUTE_S:
            self._minute.popleft()
        if now_s - self._first_s < MINUTE_S:
            return None, None
        used = (sum(each[at] for each in self._minute) for at in (1, 2))
        load_a, load_b = (round(slots / SLOTS_PER_MIN, 2) for slots in used)
        return load_a, load_b


def _made(mmsi: int, heard: _Heard) -> AisTarget:
    """Read what a station said last."""
    position: Position | None = None
    speed_kn: float | None = None
    status: int | None = None
    if heard.bits is not None:
        layout = ais_fields.PLACES[heard.message_type]
        position = ais_fields.position(heard.bits, layout)
        speed_kn = ais_fields.speed_kn(heard.bits, layout)
        status = ais_fields.status(heard.bits, layout)
    if heard.name_bits is not None:
        heard.name = ais_fields.name(heard.name_bits, heard.name_type) or heard.name
        heard.name_bits = None
    kind = AisKind.DISTRESS if mmsi in DISTRESS else heard.kind or AisKind.CLASS_A
    heard.seen = AisTarget(
        mmsi, kind, heard.heard_s, position, heard.position_s, speed_kn, status, heard.name
    )
    return heard.seen
