"""What a GNSS receiver says.

Written from IEC 61162-1: GGA, GNS, GLL, RMC, VTG, ZDA, GSA, GSV. The talker of a receiver of GPS alone
is ``GP``, of one that uses several constellations ``GN``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.voice import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from simulators.ships import Vessel

SATELLITES: dict[str, tuple[tuple[int, int, int, int], ...]] = {
    "GP": (
        (2, 24, 310, 42),
        (8, 37, 282, 44),
        (10, 73, 11, 47),
        (18, 19, 128, 38),
        (23, 36, 68, 43),
        (24, 22, 60, 39),
        (27, 41, 236, 45),
        (28, 11, 165, 37),
        (32, 62, 186, 46),
    ),
    "GA": ((4, 46, 57, 43), (6, 66, 93, 45), (9, 65, 161, 46), (11, 52, 116, 44)),
}
"""Number, elevation, azimuth and signal (dB-Hz) by constellation; all stand still."""
SYSTEM_IDS = {"GP": 1, "GA": 3}
"""NMEA 0183 4.11, table 20."""
PER_SENTENCE = 4
HEIGHT_M = 12.0
"""Of the antenna over the geoid."""


def constellations(talker: str) -> tuple[str, ...]:
    """Return what a receiver with this talker uses."""
    return tuple(SATELLITES) if talker == "GN" else ("GP",)


def in_use(talker: str) -> int:
    """Return how many satellites that is."""
    return sum(len(SATELLITES[system]) for system in constellations(talker))


def gga(
    ship: Vessel | None, utc: datetime, talker: str = "GP", *, height_m: float = HEIGHT_M
) -> str:
    """Return the GGA sentence of a receiver with a fix, or with none."""
    if ship is None:
        return sentence("$", f"{talker}GGA,{utc:%H%M%S}.00,,,,,0,00,99.9,,M,,M,,")
    used = f"{9 if talker == 'GP' else in_use(talker):02d}"
    return sentence(
        "$", f"{talker}GGA,{utc:%H%M%S}.00,{_angles(ship)},1,{used},0.9,{height_m:.1f},M,8.0,M,,"
    )


def gns(ship: Vessel | None, utc: datetime, talker: str = "GN") -> str:
    """Return the GNS sentence of a receiver with a fix, or with none."""
    systems = len(constellations(talker))
    if ship is None:
        return sentence("$", f"{talker}GNS,{utc:%H%M%S}.00,,,,,{'N' * systems},00,99.9,,,,")
    used = in_use(talker)
    return sentence(
        "$",
        f"{talker}GNS,{utc:%H%M%S}.00,{_angles(ship)},{'A' * systems},{used:02d},0.9,12.0,8.0,,",
    )


def gll(ship: Vessel | None, utc: datetime, talker: str = "GP") -> str:
    """Return the GLL sentence of a receiver with a fix, or with none."""
    if ship is None:
        return sentence("$", f"{talker}GLL,,,,,{utc:%H%M%S}.00,V,N")
    return sentence("$", f"{talker}GLL,{_angles(ship)},{utc:%H%M%S}.00,A,A")


def rmc(ship: Vessel | None, utc: datetime, talker: str = "GP") -> str:
    """Return the RMC sentence of a receiver with a fix, or with none."""
    if ship is None:
        return sentence("$", f"{talker}RMC,{utc:%H%M%S}.00,V,,,,,,,{utc:%d%m%y},,,N")
    motion = f"{ship.sog_kn:.1f},{_course(ship)}"
    return sentence("$", f"{talker}RMC,{utc:%H%M%S}.00,A,{_angles(ship)},{motion},{utc:%d%m%y},,,A")


def vtg(ship: Vessel | None, utc: datetime, talker: str = "GP") -> str:  # noqa: ARG001 (as its kind)
    """Return the VTG sentence of a receiver with a fix, or with none."""
    if ship is None:
        return sentence("$", f"{talker}VTG,,T,,M,,N,,K,N")
    kmh = ship.sog_kn * 1.852
    return sentence("$", f"{talker}VTG,{_course(ship)},T,,M,{ship.sog_kn:.1f},N,{kmh:.1f},K,A")


def zda(utc: datetime, talker: str = "GP") -> str:
    """Return the ZDA sentence; the receiver's clock runs on without a fix."""
    return sentence("$", f"{talker}ZDA,{utc:%H%M%S}.00,{utc:%d,%m,%Y},00,00")


def gsa(ship: Vessel | None, talker: str = "GP") -> Iterable[str]:
    """Return the GSA sentences: one for each constellation."""
    for system in constellations(talker):
        used = [number for number, *_ in SATELLITES[system]] if ship is not None else []
        numbers = ",".join([*(f"{number:02d}" for number in used), *[""] * (12 - len(used))])
        dilution = "A,3" if used else "A,1"
        values = "1.6,0.9,1.3" if used else "99.9,99.9,99.9"
        system_id = f",{SYSTEM_IDS[system]}" if talker == "GN" else ""
        yield sentence("$", f"{talker}GSA,{dilution},{numbers},{values}{system_id}")


def gsv(talker: str = "GP", *, down_db: int = 0, uniform: bool = False) -> Iterable[str]:
    """Return the GSV sentences of every constellation.

    Args:
        talker: The receiver's.
        down_db: How much the signals fell.
        uniform: All signals are alike, as those of one transmitter.
    """
    for system in constellations(talker):
        seen = SATELLITES[system]
        total = -(-len(seen) // PER_SENTENCE)
        for part in range(total):
            rows = [
                f"{number:02d},{elevation:02d},{azimuth:03d},{_signal(db_hz - down_db)}"
                for number, elevation, azimuth, signal in seen[part * PER_SENTENCE :][:PER_SENTENCE]
                for db_hz in [UNIFORM_DB_HZ if uniform else signal]
            ]
            yield sentence("$", f"{system}GSV,{total},{part + 1},{len(seen):02d},{','.join(rows)}")


LOWEST_TRACKED_DB_HZ = 20
UNIFORM_DB_HZ = 43


def _signal(cn0_db_hz: int) -> str:
    """Return the signal, nothing for a satellite that is too weak to be tracked."""
    return f"{cn0_db_hz:02d}" if cn0_db_hz >= LOWEST_TRACKED_DB_HZ else ""


def _course(ship: Vessel) -> str:
    return "" if ship.cog_deg is None else f"{ship.cog_deg:.1f}"


def _angles(ship: Vessel) -> str:
    return (
        f"{_angle(ship.lat_deg, 2)},{'N' if ship.lat_deg >= 0 else 'S'},"
        f"{_angle(ship.lon_deg, 3)},{'E' if ship.lon_deg >= 0 else 'W'}"
    )


def _angle(value_deg: float, digits: int) -> str:
    """Return degrees and minutes, as charts have them: ``0115.8400``."""
    degrees, ten_thousandths = divmod(round(abs(value_deg) * 600_000), 600_000)
    return f"{degrees:0{digits}d}{ten_thousandths / 10_000:07.4f}"
