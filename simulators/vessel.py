"""A GNSS receiver and a class A AIS unit of a ship.

One unit sends what it is told to: ``sends = ["gnss"]`` for the receiver, ``["ais"]`` for the AIS unit. A
ship with two receivers has two units, each with its antenna's place. What they say is in
``vessel_gnss`` and ``vessel_ais``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from daemon.computer.clock import SystemClock
from simulators.api import Settings, SimulatorSpec, flag, only, whole
from simulators.outlets import OUTLET_SETTINGS
from simulators.ships import OTHERS, OWN_SHIP
from simulators.vessel_ais import NO_ALERT, ais, alr, position_report, static_data, trl
from simulators.vessel_gnss import HEIGHT_M, gga, gll, gns, gsa, gsv, rmc, vtg, zda
from simulators.vessel_others import Others
from simulators.vessel_voyage import bound, off_periods
from simulators.voice import TalkingUnit, Voice, formatters, number, talker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from daemon.computer.clock import Clock
    from simulators.ships import Vessel

STATIC_EVERY_S = 6
"""ITU-R M.1371-5 has 6 min; a demo cannot wait for that."""
OTHERS_EVERY_S = 3
ALERTS_EVERY_S = 30
"""An alert that stands is said again, and where none stands that is said (IEC 61993-2: 60 s)."""
FORMATTERS = ("GGA", "GNS", "GLL", "RMC", "VTG", "ZDA", "GSA", "GSV")
USUAL_FORMATTERS = ("GGA", "RMC")
FARTHEST_M = 1_000_000.0
KNOWN = (
    "ais, gnss, identity, voyage, status, sog, jump, shift, signal, time_step, alr, target, trl, "
    "frozen, uniform, one_point, height, time_drift"
)


class VesselSimulator(TalkingUnit):
    """One receiver or AIS unit, or both on one port."""

    def __init__(self, unit_id: str, settings: Settings, clock: Clock | None = None) -> None:
        """Take the settings: an outlet's, what is sent, how often, and where the antenna stands.

        Raises:
            ValueError: Names what is wrong.
        """
        only(
            settings,
            "sends",
            "report_every_s",
            "talker",
            "sentences",
            "antenna_north_m",
            "antenna_east_m",
            *OUTLET_SETTINGS,
        )
        self._clock = clock or SystemClock()
        self._sends = _sends(settings.get("sends"))
        self._formatters = formatters(settings, FORMATTERS, usual=USUAL_FORMATTERS)
        self._talker = talker(settings, "GP")
        self._report_every_s = whole(settings, "report_every_s", low=1, high=600, default=2)
        self._antenna_m = (
            number(settings, "antenna_north_m", low=-500, high=500, default=0),
            number(settings, "antenna_east_m", low=-500, high=500, default=0),
        )
        self._own_ship = OWN_SHIP
        self._moved_s = self._clock.now_s()
        self._drift_m_per_s = (0.0, 0.0)
        self._drift_until_s = self._moved_s
        self._fast_s = 0.0
        self._down_db = 0
        self._signals_are_uniform = False
        self._frozen: Vessel | None = None
        self._is_at_one_point = False
        self._height_m = HEIGHT_M
        self._drift_ppm, self._drift_since_s = 0.0, self._moved_s
        self._has_fix = True
        self._is_transmitting = True
        self._others = Others()
        self._alerts: dict[int, tuple[bool, bool]] = {}
        self._alerts_due_s = 0.0
        self._reports = 0
        self._voice = Voice(unit_id, settings, self._clock, self._sentences)

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "ais":
                only(command, "do", "on")
                self._is_transmitting = flag(command, "on")
            case "gnss":
                only(command, "do", "on")
                self._has_fix = flag(command, "on")
            case "target" | "voyage" | "trl":
                self._tell_ais(command)
            case "identity":
                self._own_ship = _renamed(self._own_ship, command)
            case "status":
                only(command, "do", "value")
                status = whole(command, "value", low=0, high=15)
                self._own_ship = replace(self._own_ship, navigation_status=status)
            case "signal" | "uniform" | "time_step" | "time_drift":
                self._disturb(command)
            case "frozen" | "one_point" | "height":
                self._displace(command)
            case "alr":
                self._alert(command)
            case "sog" | "jump" | "shift":
                self._move(command)
            case _:
                await self._voice.obey(command, known=KNOWN)

    def _tell_ais(self, command: Mapping[str, object]) -> None:
        """Change whom the AIS unit hears, what people set on it, or what it says of when it was off."""
        match command["do"]:
            case "target":
                now_s = self._clock.now_s()
                self._others.obey(command, self._where(now_s), now_s)
            case "voyage":
                self._own_ship = bound(self._own_ship, command)
            case _:
                self._voice.say(trl(off_periods(command, self._utc())))

    def _disturb(self, command: Mapping[str, object]) -> None:
        """Change what reaches the antenna: how strong the signals are, and what time they tell."""
        match command["do"]:
            case "signal":
                only(command, "do", "down_db")
                self._down_db = whole(command, "down_db", low=0, high=60)
            case "uniform":
                only(command, "do", "on")
                self._signals_are_uniform = flag(command, "on")
            case "time_step":
                only(command, "do", "seconds")
                self._fast_s += number(command, "seconds", low=-1e9, high=1e9)
            case _:
                only(command, "do", "ppm")
                now_s = self._clock.now_s()
                self._fast_s += self._drifted_s(now_s)
                self._drift_ppm = number(command, "ppm", low=-1e6, high=1e6)
                self._drift_since_s = now_s

    def _displace(self, command: Mapping[str, object]) -> None:
        """Change where the receiver believes its antenna is, though it did not move so."""
        match command["do"]:
            case "frozen":
                only(command, "do", "on")
                now = self._where(self._clock.now_s())
                self._frozen = now if flag(command, "on") else None
            case "one_point":  # wherever the antenna stands
                only(command, "do", "on")
                self._is_at_one_point = flag(command, "on")
            case _:
                only(command, "do", "m")
                self._height_m = number(command, "m", low=-1000, high=20_000)

    def _drifted_s(self, now_s: float) -> float:
        return self._drift_ppm * 1e-6 * (now_s - self._drift_since_s)

    def _alert(self, command: Mapping[str, object]) -> None:
        only(command, "do", "id", "on", "acknowledged")
        alert, active = whole(command, "id", low=0, high=999), flag(command, "on")
        acknowledged = flag(command, "acknowledged") if "acknowledged" in command else not active
        self._alerts[alert] = active, acknowledged
        self._voice.say([alr(alert, self._utc(), active=active, acknowledged=acknowledged)])
        if not active and acknowledged:
            del self._alerts[alert]

    def _move(self, command: Mapping[str, object]) -> None:
        now_s = self._clock.now_s()
        self._own_ship, self._moved_s = self._where(now_s), now_s
        if command["do"] == "sog":
            only(command, "do", "kn", "cog_deg")
            kn = number(command, "kn", low=0, high=102)
            cog_deg = (
                number(command, "cog_deg", low=0, high=359.9) if "cog_deg" in command else None
            )
            self._own_ship = replace(self._own_ship, sog_kn=kn, cog_deg=cog_deg)
            return
        only(command, "do", "north_m", "east_m", *(["over_s"] if command["do"] == "shift" else []))
        way_m = [
            number(command, name, low=-FARTHEST_M, high=FARTHEST_M, default=0)
            for name in ("north_m", "east_m")
        ]
        if command["do"] == "jump":
            self._own_ship = self._own_ship.moved(*way_m)
            return
        over_s = number(command, "over_s", low=1, high=86_400)
        self._drift_m_per_s = way_m[0] / over_s, way_m[1] / over_s
        self._drift_until_s = now_s + over_s

    def _where(self, now_s: float) -> Vessel:
        """Return own ship where she is now: under way along her course, and as far as she drifted."""
        drift_s = max(0.0, min(now_s, self._drift_until_s) - self._moved_s)
        drift_m = (each * drift_s for each in self._drift_m_per_s)
        way_m = self._own_ship.way_m(now_s - self._moved_s)
        return self._own_ship.moved(*map(sum, zip(drift_m, way_m, strict=True)))

    def _utc(self) -> datetime:
        """Return what the unit's own clock says."""
        fast_s = self._fast_s + self._drifted_s(self._clock.now_s())
        return self._clock.utc() + timedelta(seconds=fast_s)

    def _sentences(self, second: int) -> Iterable[str]:
        """Return what is said in this second, counted from the start."""
        own_ship, utc = self._where(self._clock.now_s()), self._utc()
        if "gnss" in self._sends:
            antenna_m = (0.0, 0.0) if self._is_at_one_point else self._antenna_m
            yield from self._of_receiver((self._frozen or own_ship).moved(*antenna_m), utc)
        if "ais" in self._sends:
            yield from self._of_ais_unit(own_ship, utc, second)

    def _of_receiver(self, antenna: Vessel, utc: datetime) -> Iterable[str]:
        fix = antenna if self._has_fix else None
        for formatter in self._formatters:
            if formatter == "GGA":
                yield gga(fix, utc, self._talker, height_m=self._height_m)
            elif formatter in _FIX_SENTENCES:
                yield _FIX_SENTENCES[formatter](fix, utc, self._talker)
            elif formatter == "ZDA":
                yield zda(utc, self._talker)
            elif formatter == "GSA":
                yield from gsa(fix, self._talker)
            else:
                yield from gsv(
                    self._talker, down_db=self._down_db, uniform=self._signals_are_uniform
                )

    def _of_ais_unit(self, own_ship: Vessel, utc: datetime, second: int) -> Iterable[str]:
        if self._is_transmitting and second % self._report_every_s == 0:
            self._reports += 1
            yield from ais("VDO", "AB"[self._reports % 2], position_report(own_ship, utc))
        if self._is_transmitting and second % STATIC_EVERY_S == 0:
            yield from ais("VDO", "A", static_data(own_ship))
        if second % OTHERS_EVERY_S == 0:
            for other in OTHERS:
                yield from ais("VDM", "B", position_report(other, utc))
            yield from self._others.say(utc, self._clock.now_s())
        if self._clock.now_s() >= self._alerts_due_s:
            self._alerts_due_s = self._clock.now_s() + ALERTS_EVERY_S
            for alert, (active, acknowledged) in self._alerts.items():
                yield alr(alert, utc, active=active, acknowledged=acknowledged)
            if not self._alerts:
                yield NO_ALERT


_FIX_SENTENCES = {"GNS": gns, "GLL": gll, "RMC": rmc, "VTG": vtg}


def _sends(given: object) -> frozenset[str]:
    if isinstance(given, list) and given and all(item in ("gnss", "ais") for item in given):
        return frozenset(given)
    raise ValueError(f'sends is a list of "gnss" and "ais", not {given!r}')


def _renamed(ship: Vessel, command: Mapping[str, object]) -> Vessel:
    """Return the ship under another identity; what is not named stays."""
    only(command, "do", "mmsi", "imo_number", "name", "call_sign")
    mmsi = whole(command, "mmsi", low=0, high=999_999_999, default=ship.mmsi)
    imo = whole(command, "imo_number", low=0, high=9_999_999, default=ship.imo_number)
    name, call_sign = (
        str(command.get("name", ship.name)),
        str(command.get("call_sign", ship.call_sign)),
    )
    for text in (name, call_sign):
        if not text.isascii() or not text.isprintable() or text != text.upper():
            raise ValueError(f"a name is capital letters, digits and signs, not {text!r}")
    return replace(ship, mmsi=mmsi, imo_number=imo, name=name, call_sign=call_sign)


SIMULATOR = SimulatorSpec(kind="vessel", build=VesselSimulator)
