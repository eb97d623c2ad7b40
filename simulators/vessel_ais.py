"""What a class A AIS unit says, bit by bit.

Written from IEC 61162-1 (VDO, VDM, ALR, TRL) and ITU-R M.1371-5 (messages 1, 5 and 18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.voice import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from simulators.ships import Vessel

NO_ARRIVAL = (0, 0, 24, 60)
"""Month, day, hour and minute that are not available."""
PAYLOAD_CHARACTERS = 60
"""Of one sentence of 82."""
ALERT_TEXTS: Mapping[int, str] = {
    1: "AIS: Tx malfunction",
    2: "AIS: Antenna VSWR exceeds limit",
    3: "AIS: Rx channel 1 malfunction",
    4: "AIS: Rx channel 2 malfunction",
    5: "AIS: Rx channel 70 malfunction",
    6: "AIS: general failure",
    7: "AIS: UTC sync invalid",
    8: "AIS: MKD connection lost",
    9: "AIS: GNSS position mismatch",
    10: "AIS: NavStatus incorrect",
    25: "AIS: external EPFS lost",
    26: "AIS: no sensor position in use",
}
"""As makers' manuals have them (Simrad V5035, p. 112)."""


def position_report(ship: Vessel, utc: datetime) -> str:
    """Return the bits of message 1 (ITU-R M.1371-5 annex 8, 3.1)."""
    return "".join(
        (
            _bits(1, 6),
            _bits(0, 2),
            _bits(ship.mmsi, 30),
            _bits(ship.navigation_status, 4),
            _bits(0, 8),  # not turning
            _bits(round(ship.sog_kn * 10), 10),
            _bits(1, 1),
            _bits(round(ship.lon_deg * 600_000), 28),
            _bits(round(ship.lat_deg * 600_000), 27),
            _bits(3600 if ship.cog_deg is None else round(ship.cog_deg * 10), 12),
            _bits(511, 9),  # heading not available
            _bits(utc.second, 6),
            _bits(0, 2 + 3 + 1 + 19),  # manoeuvre, spare, RAIM, communication state
        )
    )


def class_b_report(ship: Vessel, utc: datetime) -> str:
    """Return the bits of message 18 (ITU-R M.1371-5 annex 8, 3.16)."""
    return "".join(
        (
            _bits(18, 6),
            _bits(0, 2),
            _bits(ship.mmsi, 30),
            _bits(0, 8),
            _bits(round(ship.sog_kn * 10), 10),
            _bits(0, 1),
            _bits(round(ship.lon_deg * 600_000), 28),
            _bits(round(ship.lat_deg * 600_000), 27),
            _bits(3600 if ship.cog_deg is None else round(ship.cog_deg * 10), 12),
            _bits(511, 9),
            _bits(utc.second, 6),
            _bits(0, 2),
            _bits(1, 1),  # carrier sense, no display, no DSC; the rest is its state
            _bits(0, 26),
        )
    )


def static_data(ship: Vessel) -> str:
    """Return the bits of message 5 (ITU-R M.1371-5 annex 8, 3.3)."""
    return "".join(
        (
            _bits(5, 6),
            _bits(0, 2),
            _bits(ship.mmsi, 30),
            _bits(2, 2),
            _bits(ship.imo_number, 30),
            _text(ship.call_sign, 7),
            _text(ship.name, 20),
            _bits(71, 8),  # cargo ship, hazard category X
            _bits(250, 9) + _bits(50, 9) + _bits(24, 6) + _bits(24, 6),
            _bits(1, 4),  # GPS
            *(_bits(*part) for part in zip(ship.eta or NO_ARRIVAL, (4, 5, 5, 6), strict=True)),
            _bits(round(ship.draught_m * 10), 8),
            _text(ship.destination, 20),
            _bits(0, 1 + 1),
        )
    )


def _bits(value: int, width: int) -> str:
    return f"{value & ((1 << width) - 1):0{width}b}"


def _text(words: str, characters: int) -> str:
    """Return six-bit text (table 47), filled up with ``@``."""
    return "".join(_bits(ord(letter), 6) for letter in words.ljust(characters, "@")[:characters])


def ais(formatter: str, channel: str, bits: str) -> Iterable[str]:
    """Return the sentences that carry a message."""
    fill = -len(bits) % 6
    bits += "0" * fill
    codes = [int(bits[at : at + 6], 2) for at in range(0, len(bits), 6)]
    # IEC 61162-1 six-bit code: "0" to "W", then "`" to "w".
    payload = "".join(chr(code + (48 if code < 40 else 56)) for code in codes)  # noqa: PLR2004
    parts = [
        payload[at : at + PAYLOAD_CHARACTERS] for at in range(0, len(payload), PAYLOAD_CHARACTERS)
    ]
    sequence = "1" if len(parts) > 1 else ""
    for number, part in enumerate(parts, start=1):
        last = fill if number == len(parts) else 0
        body = f"AI{formatter},{len(parts)},{number},{sequence},{channel},{part},{last}"
        yield sentence("!", body)


def alr(number: int, utc: datetime, *, active: bool, acknowledged: bool) -> str:
    """Return the ALR sentence of one alert of the unit itself."""
    state = f"{'A' if active else 'V'},{'A' if acknowledged else 'V'}"
    text = ALERT_TEXTS.get(number, f"AIS: alert {number}")
    return sentence("$", f"AIALR,{utc:%H%M%S}.00,{number:03d},{state},{text}")


def trl(periods: Sequence[tuple[datetime, datetime, int]]) -> Iterator[str]:
    """Return the unit's log of when it did not transmit (IEC 61162-1 TRL), one sentence for each time."""
    if not periods:
        yield sentence("$", "AITRL,0,,,,,,,")
    for at, (off, on, reason) in enumerate(periods, start=1):
        times = f"{off:%d%m%Y},{off:%H%M%S}.00,{on:%d%m%Y},{on:%H%M%S}.00"
        yield sentence("$", f"AITRL,{len(periods)},{at},0,{times},{reason}")


NO_ALERT = sentence("$", "AIALR,,,V,V,")
"""Says that no alert stands."""
