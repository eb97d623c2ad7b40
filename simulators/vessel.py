"""A GNSS receiver and a class A AIS unit of a moored ship, as a TCP serial server hands them on.

Written from IEC 61162-1 (GGA, RMC, VDO, VDM) and ITU-R M.1371-5 (messages 1 and 5). One unit sends
what it is told to: ``sends = ["gnss"]`` for the receiver, ``["ais"]`` for the AIS unit.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING

from daemon.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, flag, only, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from daemon.clock import Clock

MOST_UNSENT_BYTES = 64 * 1024
"""A client that does not read is cut off, as a serial server does it."""
MOST_GARBAGE_LINES = 1000
STATIC_EVERY_S = 6
"""ITU-R M.1371-5 has 6 min; a demo cannot wait for that."""
OTHERS_EVERY_S = 3
PAYLOAD_CHARACTERS = 60
"""Of one sentence of 82."""


@dataclass(frozen=True, slots=True)
class Vessel:
    """A ship as AIS describes her."""

    mmsi: int
    lat_deg: float
    lon_deg: float
    imo_number: int = 0
    name: str = ""
    call_sign: str = ""
    sog_kn: float = 0.0
    navigation_status: int = 5
    """ITU-R M.1371-5 table 48: 5 is moored, 0 under way using engine, 1 at anchor."""


OWN_SHIP = Vessel(
    299000019, 1.264, 103.840, imo_number=9999993, name="KESTREL STRAIT", call_sign="9VKS0"
)
OTHERS = (
    Vessel(299000101, 1.2512, 103.8233, sog_kn=9.4, navigation_status=0),
    Vessel(299000102, 1.2437, 103.8471, navigation_status=1),
    Vessel(299000103, 1.2688, 103.8365),
)


class VesselSimulator:
    """One TCP port and what comes out of it."""

    def __init__(self, unit_id: str, settings: Settings, clock: Clock | None = None) -> None:
        """Take the settings: ``sends``, ``host``, ``port`` (0: any free one), ``report_every_s``.

        Raises:
            ValueError: Names what is wrong.
        """
        only(settings, "sends", "host", "port", "report_every_s")
        self._id = unit_id
        self._clock = clock or SystemClock()
        self._sends = _sends(settings.get("sends"))
        self._host = str(settings.get("host", "127.0.0.1"))
        self._port = whole(settings, "port", low=0, high=65535, default=0)
        self._report_every_s = whole(settings, "report_every_s", low=1, high=600, default=2)
        self._own_ship = OWN_SHIP
        self._has_fix = True
        self._is_transmitting = True
        self._is_silent = False
        self._reports = 0
        self._server: asyncio.Server | None = None
        self._visits: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._sending: asyncio.Task[None] | None = None

    @property
    def endpoint(self) -> str:
        return f"tcp://{self._host}:{self._port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._visit, self._host, self._port)
        # Kept, so that a unit that was stopped comes back at the same place.
        self._port = self._server.sockets[0].getsockname()[1]
        self._sending = asyncio.create_task(self._send_for_ever(), name=f"vessel {self._id}")

    async def stop(self) -> None:
        if self._server is None or self._sending is None:
            return
        self._server.close()
        self._sending.cancel()
        self._drop()
        # Server.wait_closed does not wait for its visitors on Python 3.11.
        await asyncio.gather(self._sending, *self._visits, return_exceptions=True)
        await self._server.wait_closed()
        self._server = self._sending = None

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "ais":
                only(command, "do", "on")
                self._is_transmitting = flag(command, "on")
            case "gnss":
                only(command, "do", "on")
                self._has_fix = flag(command, "on")
            case "silence" | "resume" as verb:
                only(command, "do")
                self._is_silent = verb == "silence"
            case "identity":
                only(command, "do", "mmsi")
                mmsi = whole(command, "mmsi", low=0, high=999_999_999)
                self._own_ship = replace(self._own_ship, mmsi=mmsi)
            case "garbage":
                only(command, "do", "lines")
                count = whole(command, "lines", low=1, high=MOST_GARBAGE_LINES)
                self._send(GARBAGE[number % len(GARBAGE)] for number in range(count))
            case "drop":
                only(command, "do")
                self._drop()
            case unknown:
                raise ValueError(
                    f"a vessel cannot do {unknown!r}; known are ais, gnss, silence, resume, "
                    "identity, garbage, drop"
                )

    async def _send_for_ever(self) -> None:
        second = 0
        while True:
            if not self._is_silent:
                self._send(line.encode("ascii") for line in self._sentences(second))
            await self._clock.sleep(1.0)
            second += 1

    def _sentences(self, second: int) -> Iterable[str]:
        """Return what is said in this second, counted from the start."""
        utc = self._clock.utc()
        if "gnss" in self._sends:
            yield gga(self._own_ship if self._has_fix else None, utc)
            yield rmc(self._own_ship if self._has_fix else None, utc)
        if "ais" not in self._sends:
            return
        if self._is_transmitting and second % self._report_every_s == 0:
            self._reports += 1
            yield from ais("VDO", "AB"[self._reports % 2], position_report(self._own_ship, utc))
        if self._is_transmitting and second % STATIC_EVERY_S == 0:
            yield from ais("VDO", "A", static_data(self._own_ship))
        if second % OTHERS_EVERY_S == 0:
            for other in OTHERS:
                yield from ais("VDM", "B", position_report(other, utc))

    def _send(self, lines: Iterable[bytes]) -> None:
        data = b"".join(line + b"\r\n" for line in lines)
        for writer in self._visits.values():
            if writer.transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
                writer.transport.abort()
            else:
                writer.write(data)

    def _drop(self) -> None:
        for writer in self._visits.values():
            writer.transport.abort()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.current_task()
        assert visit is not None
        self._visits[visit] = writer
        try:
            while await reader.read(1024):
                """A listener has nothing to say; whatever it says is thrown away."""
        except ConnectionError:
            """It has gone, one way or the other."""
        finally:
            del self._visits[visit]
            writer.close()


def _sends(given: object) -> frozenset[str]:
    if isinstance(given, list) and given and all(item in ("gnss", "ais") for item in given):
        return frozenset(given)
    raise ValueError(f'sends is a list of "gnss" and "ais", not {given!r}')


GARBAGE = (
    b"\x00\xff\xfe$GPG\x80\x81",
    b"$GPGGA,021000.00,0115.8400,N,10350.4000,E,1,09,0.9,12.0,M,8.0,M,,*00",
    b"$GPRMC,021000.00,A,0115.84",
    b"!AIVDO,1,1,,A,14Q",
    b"$" + b"9" * 2000,
)
"""Noise, a wrong checksum, cut sentences, a line without an end."""


def sentence(start: str, body: str) -> str:
    """Return a sentence with its checksum, without its CR LF."""
    return f"{start}{body}*{reduce(xor, body.encode('ascii')):02X}"


def gga(ship: Vessel | None, utc: datetime) -> str:
    """Return the GGA sentence of a receiver with a fix, or with none."""
    if ship is None:
        return sentence("$", f"GPGGA,{utc:%H%M%S}.00,,,,,0,00,99.9,,M,,M,,")
    return sentence("$", f"GPGGA,{utc:%H%M%S}.00,{_angles(ship)},1,09,0.9,12.0,M,8.0,M,,")


def rmc(ship: Vessel | None, utc: datetime) -> str:
    """Return the RMC sentence of a receiver with a fix, or with none."""
    if ship is None:
        return sentence("$", f"GPRMC,{utc:%H%M%S}.00,V,,,,,,,{utc:%d%m%y},,,N")
    return sentence("$", f"GPRMC,{utc:%H%M%S}.00,A,{_angles(ship)},0.0,,{utc:%d%m%y},,,A")


def _angles(ship: Vessel) -> str:
    return (
        f"{_angle(ship.lat_deg, 2)},{'N' if ship.lat_deg >= 0 else 'S'},"
        f"{_angle(ship.lon_deg, 3)},{'E' if ship.lon_deg >= 0 else 'W'}"
    )


def _angle(value_deg: float, digits: int) -> str:
    """Return degrees and minutes, as charts have them: ``0115.8400``."""
    degrees, ten_thousandths = divmod(round(abs(value_deg) * 600_000), 600_000)
    return f"{degrees:0{digits}d}{ten_thousandths / 10_000:07.4f}"


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
            _bits(3600, 12),  # course over ground not available
            _bits(511, 9),  # heading not available
            _bits(utc.second, 6),
            _bits(0, 2 + 3 + 1 + 19),  # manoeuvre, spare, RAIM, communication state
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
            _bits(0, 4) + _bits(0, 5) + _bits(24, 5) + _bits(60, 6),  # no time of arrival
            _bits(132, 8),
            _text("SGSIN", 20),
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


SIMULATOR = SimulatorSpec(kind="vessel", build=VesselSimulator)
