"""The navigation receiver and the AIS unit: what do their sentences say of own ship?

Source: IEC 61162-1 and -2. A feed is either ``nav`` (a GNSS receiver: GGA, RMC) or ``ais`` (the
pilot or presentation port of a class A unit: VDO is own ship; VDM, the others, proves only that the
unit hears). A line that cannot be read is counted and forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from pydantic import Field

from daemon.drivers.ais import AisFeed
from daemon.drivers.api import DriverConfig, DriverContext, DriverSpec, Emit, Health, PointSpec
from daemon.drivers.links import OVERLONG, LineSplitter, Link, opened
from daemon.drivers.sentences import Dropped, SentenceError, parse, read_fix, read_motion
from daemon.model import AisReport, Quality, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.drivers.sentences import Sentence
    from daemon.model import Value

NAV_VALID_S = 10.0
"""GGA and RMC come once a second."""
OWN_REPORT_VALID_S = 540.0
"""Three reports of a moored class A unit, one in 3 min (ITU-R M.1371-5 annex 1 table 1)."""
IDENTITY_VALID_S = 900.0
"""Static data come every 6 min."""
SILENT_AFTER_S: Final = {"nav": 10.0, "ais": 30.0}


class NmeaConfig(DriverConfig):
    """One port of one navigation receiver or AIS unit."""

    kind: Literal["nmea"]
    link: Link
    feed: Literal["nav", "ais"]
    silent_after_s: Annotated[float, Field(gt=0)] | None = None
    """No good sentence for so long, and the feed is lost; 10 s for ``nav``, 30 s for ``ais``."""
    own_report_valid_s: Annotated[float, Field(gt=0)] = OWN_REPORT_VALID_S
    """How long own AIS report is believed, in seconds."""

    def silence_s(self) -> float:
        """Return how long this feed may say nothing good."""
        return self.silent_after_s or SILENT_AFTER_S[self.feed]


Seen: TypeAlias = tuple[str, "Value | None", Quality]
"""The last part of the point's name, what was seen, how good it is."""
Read: TypeAlias = "Callable[[Sentence, float], Seen | None]"
"""Reads a sentence that came at a time; None where it says nothing that is a point."""


class NmeaDriver:
    """One listening port."""

    def __init__(self, config: NmeaConfig, context: DriverContext) -> None:
        self.health = Health()
        self._config = config
        self._context = context

    def points(self) -> tuple[PointSpec, ...]:
        valid_s = (
            {"fix": NAV_VALID_S, "motion": NAV_VALID_S}
            if self._config.feed == "nav"
            else {
                "own_report": self._config.own_report_valid_s,
                "own_identity": IDENTITY_VALID_S,
            }
        )
        return tuple(PointSpec(f"{self._context.device}.{name}", s) for name, s in valid_s.items())

    async def run(self, emit: Emit) -> None:
        async with opened(self._config.link) as source:
            lines = LineSplitter()
            read = read_nav if self._config.feed == "nav" else self._ais_reader()
            while True:
                for line in lines.feed(await source.read()):
                    self._take(line, read, emit)

    def _ais_reader(self) -> Read:
        """Return a reader that knows no part of a message yet."""
        feed = AisFeed(give_up=lambda: self.health.drop(Dropped.INCOMPLETE))

        def read_ais(sentence: Sentence, now_s: float) -> Seen | None:
            own_ship = feed.take(sentence, now_s)
            if own_ship is None:
                return None
            name = "own_report" if isinstance(own_ship, AisReport) else "own_identity"
            return name, own_ship, Quality.GOOD

        return read_ais

    def _take(self, line: bytes, read: Read, emit: Emit) -> None:
        context = self._context
        now_s = context.clock.now_s()
        if line == OVERLONG:
            self.health.drop(Dropped.OVERLONG)
            return
        try:
            seen = read(parse(line), now_s)
        except SentenceError as err:
            self.health.drop(err.reason)
            return
        self.health.frame(now_s)
        if seen is None:
            return
        name, value, quality = seen
        emit(
            Reading(
                point=f"{context.device}.{name}",
                value=value,
                quality=quality,
                provenance=context.provenance,
                received_utc=context.clock.utc(),
                received_s=now_s,
                source=context.device,
            )
        )


def read_nav(sentence: Sentence, _now_s: float) -> Seen:
    """Read a sentence of a GNSS receiver.

    Raises:
        SentenceError: It cannot be read, or is not one that is read here.
    """
    if sentence.formatter == "GGA":
        return ("fix", *read_fix(sentence))
    if sentence.formatter == "RMC":
        return ("motion", *read_motion(sentence))
    raise SentenceError(Dropped.UNSUPPORTED)


DRIVER = DriverSpec(
    kind="nmea",
    config=NmeaConfig,
    build=NmeaDriver,
    silent_after_s=NmeaConfig.silence_s,
    lost_alert=lambda config: f"feed.{config.feed}",
)
