"""The GNSS rule under a ship whose sensors a test moves second by second."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta

from daemon.alerts.rules.api import Moment
from daemon.alerts.rules.gnss import GnssRule
from daemon.alerts.rules.gnss_limits import Antennas
from daemon.forms import utc
from daemon.model import AisReport, Fix, Heading, Motion, Position, Situation, Sky
from tests.alerts.rig import regime
from tests.makers import UTC_0210, reading

METRES_A_DEGREE = 6_371_008.8 * math.pi / 180
NOW = regime(Situation.SEA)


@dataclass
class Receiver:
    """What one receiver says from now on."""

    north_m: float = 0.0
    sog_kn: float = 0.0
    cog_deg: float | None = None
    quality: int = 1
    satellites: int = 9
    hdop: float = 0.9
    height_m: float | None = 0.0
    mean_db_hz: float | None = 43.0
    sigma_db: float | None = 3.5
    fast_s: float = 0.0
    moves: bool = True
    """Its position trembles by centimetres, as of every receiver that computes one."""


@dataclass
class Ship:
    """Two receivers, an AIS unit, log and compass; all agree until somebody says otherwise."""

    names: tuple[str, ...] = ("gps1", "gps2")
    antennas: Antennas = field(default_factory=lambda: Antennas(apart_m=11.0))
    now_s: float = 0.0
    sog_kn: float = 0.0
    """Of the true ship, due north."""
    water_kn: float | None = None
    heading_deg: float | None = None
    vdo_north_m: float | None = 0.0
    clock_is_synced: bool = True

    def __post_init__(self) -> None:
        self.gps = {name: Receiver(north_m=11.0 * at) for at, name in enumerate(self.names)}
        self.rule = GnssRule(
            self.names,
            antennas=self.antennas,
            ais=["ais"],
            others=["log.water_speed", "gyro.heading"],
        )
        for name in (*self.names, "ais"):
            self.rule.link(name, up=True, now_s=0.0, reason="")
        self.way_m = 0.0

    def say(self, point: str, value: object, at_s: float | None = None) -> None:
        said = reading(point, value, at_s=self.now_s if at_s is None else at_s)  # type: ignore[arg-type]
        self.rule.take(said, None)

    def second(self) -> None:
        """Let a second pass in which everything is said."""
        self.now_s += 1.0
        self.way_m += self.sog_kn * 1852 / 3600
        for name, gps in self.gps.items():
            tremble_m = 0.05 * (round(self.now_s) % 7) if gps.moves else 0.0
            way_m = self.way_m if gps.moves else 0.0
            place = Position(1.0 + (gps.north_m + way_m + tremble_m) / METRES_A_DEGREE, 104.0)
            has_fix = gps.quality > 0
            fix = Fix(place, gps.quality, gps.satellites, gps.hdop, gps.height_m)
            self.say(f"{name}.fix", fix if has_fix else None)
            motion = Motion(gps.sog_kn or self.sog_kn, gps.cog_deg)
            self.say(f"{name}.motion", motion if has_fix else None)
            self.say(f"{name}.sky", Sky(10, 9, gps.mean_db_hz, 1.6, 10, gps.sigma_db))
            told = UTC_0210 + timedelta(seconds=self.now_s - 1000.0 + gps.fast_s)
            self.say(f"{name}.time", utc(told))
        if self.water_kn is not None:
            self.say("log.water_speed", float(self.water_kn))
        if self.heading_deg is not None:
            self.say("gyro.heading", Heading(self.heading_deg, "A"))
        if self.vdo_north_m is not None and self.now_s % 10 == 0:
            place = Position(1.0 + (self.vdo_north_m + self.way_m) / METRES_A_DEGREE, 104.0)
            self.say("ais.own_report", AisReport(299000019, 1, "A", place, 0.0, 0))

    def words(self) -> list[str]:
        """Return what speaks against the position now."""
        moment = Moment(self.now_s, UTC_0210, NOW, {}, clock_is_synced=self.clock_is_synced)
        list(self.rule.look(moment))
        return [finding.words for finding in self.rule.suspicion.findings]

    def pass_s(self, seconds: int) -> list[str]:
        """Let time pass; return what speaks against the position at its end."""
        found: list[str] = []
        for _ in range(seconds):
            self.second()
            found = self.words()
        return found
