"""Everything on board that speaks NMEA 0183: what do its sentences say?

Source: IEC 61162-1, -2 and -450. A feed is what a port is read for: ``nav`` (a GNSS receiver), ``ais``
(the pilot or presentation port of a class A unit: VDO is own ship; VDM, the others, proves only that
the unit hears), ``heading`` (a compass), ``log``, ``equipment`` (alerts and heartbeat of a BNWAS, a
VDR, a satellite terminal) or ``doors`` (shell doors). What a feed's sentences say is in its reader. A
line that cannot be read is counted and forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from daemon.drivers.api import DriverConfig, DriverContext, DriverSpec, Emit, Health, PointSpec
from daemon.drivers.links import OVERLONG, LineSplitter, Link, SerialLink
from daemon.drivers.nmea_ais import OWN_REPORT_VALID_S, AisReader
from daemon.drivers.nmea_alerts import REPORT_VALID_S, AlertsReader
from daemon.drivers.nmea_doors import DOOR_VALID_S, DoorsReader
from daemon.drivers.nmea_nav import NavReader
from daemon.drivers.nmea_pick import SOURCE_PATTERN, Picker
from daemon.drivers.nmea_steering import HeadingReader, LogReader
from daemon.drivers.nmea_words import understood
from daemon.drivers.overheard import Overheard
from daemon.drivers.party_line import party_line
from daemon.drivers.sentences import Dropped, SentenceError, parse
from daemon.drivers.tape import TAPED, TAPES, Tapes
from daemon.model import Reading

if TYPE_CHECKING:
    from daemon.drivers.nmea_reader import Reader

SILENT_AFTER_S: Final = {
    "nav": 10.0,
    "ais": 30.0,
    "heading": 10.0,
    "log": 10.0,
    "equipment": 150.0,
    "doors": 150.0,
}
"""Equipment sends its heartbeat, or its list of no alerts, at least once a minute."""
LOST_ALERT: Final = {
    "nav": "feed.nav",
    "ais": "feed.ais",
    "heading": "feed.nav",
    "log": "feed.nav",
}
"""What is mirrored has no alert of ours when it is silent: its points are unknown."""


class NmeaConfig(DriverConfig):
    """One port of one device, or one device of several that share a port."""

    kind: Literal["nmea"]
    link: Link
    feed: Literal["nav", "ais", "heading", "log", "equipment", "doors"]
    talkers: tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]$")], ...] = ()
    """Where others speak on the same port: the talkers that are this device; none means all."""
    sources: tuple[Annotated[str, Field(pattern=SOURCE_PATTERN)], ...] = ()
    """Where a network carries many: the sources of TAG blocks (``s:``, on a shipboard network the system
    function id, ``GP0001``) that are this device; none means all, with or without a TAG block."""
    silent_after_s: Annotated[float, Field(gt=0)] | None = None
    """No good sentence for so long, and the feed is lost; 10 s for ``nav``, ``heading`` and ``log``,
    30 s for ``ais``, 150 s for ``equipment`` and ``doors``."""
    own_report_valid_s: Annotated[float, Field(gt=0)] = OWN_REPORT_VALID_S
    """How long own AIS report is believed, in seconds."""
    report_valid_s: Annotated[float, Field(gt=0)] | None = None
    """How long alerts (120 s) and the state of a shell door (150 s) are believed unrepeated."""

    def silence_s(self) -> float:
        """Return how long this feed may say nothing good."""
        return self.silent_after_s or SILENT_AFTER_S[self.feed]


class NmeaDriver:
    """One listening port."""

    def __init__(self, config: NmeaConfig, context: DriverContext) -> None:
        self.health = Health()
        self._config = config
        self._context = context
        self._picker = self._picks()
        # Of receivers alone.
        self._tape = (
            context.shared.one(TAPES, Tapes).of(context.device) if config.feed == "nav" else None
        )
        self._units = {point.id: point.unit for point in self.points()}

    def points(self) -> tuple[PointSpec, ...]:
        return self._reader().points

    async def run(self, emit: Emit) -> None:
        # A reader knows nothing yet: what was said before a connection broke may no longer be so.
        reader = self._reader()
        self._picker = self._picks()
        link, health = self._config.link, self.health
        set_as = link.setting if isinstance(link, SerialLink) else ""
        other = Overheard(
            expected=self._config.feed,
            set_as=set_as,
            talkers=self._config.talkers,
            sources=self._config.sources,
        )
        line = party_line(link, self._context.shared, self._context.clock)
        health.hint = lambda: other.hint() or line.silence()
        async with line.listened(health) as source:
            lines = LineSplitter()
            while True:
                data, good = await source.read(), health.good
                for each in lines.feed(data):
                    self._take(each, reader, emit)
                if health.good == good:
                    other.hear(data)
                else:
                    other.forget()

    def _picks(self) -> Picker:
        return Picker(self._config.talkers, self._config.sources)

    def _reader(self) -> Reader:
        config, device = self._config, self._context.device
        match config.feed:
            case "nav":
                return NavReader(device)
            case "ais":
                return AisReader(
                    device,
                    own_report_valid_s=config.own_report_valid_s,
                    alerts=AlertsReader(device, config.report_valid_s or REPORT_VALID_S),
                    give_up=lambda: self.health.drop(Dropped.INCOMPLETE),
                )
            case "heading":
                return HeadingReader(device)
            case "log":
                return LogReader(device)
            case "equipment":
                return AlertsReader(device, config.report_valid_s or REPORT_VALID_S)
            case "doors":
                return DoorsReader(self._context.side_doors, config.report_valid_s or DOOR_VALID_S)

    def _take(self, line: bytes, reader: Reader, emit: Emit) -> None:
        context = self._context
        now_s = context.clock.now_s()
        if line == OVERLONG:
            self.health.drop(Dropped.OVERLONG)
            return
        try:
            sentence = self._picker.pick(parse(line), self.health)
            if sentence is None:
                return
            if self._tape is not None and sentence.formatter in TAPED:
                self._tape.take(line, now_s=now_s, now_utc=context.clock.utc())
            read = reader.reads.get(sentence.formatter)
            if read is None:
                # Understood, and nothing of a point: no sign of life of what this feed is there for.
                self.health.notice(understood(sentence))
                return
            seen = read(sentence, now_s)
        except SentenceError as err:
            self.health.drop(err.reason)
            return
        self.health.frame(now_s)
        if not seen:
            return
        now_utc = context.clock.utc()
        for point, value, quality in seen:
            emit(
                Reading(
                    point=point,
                    value=value,
                    unit=self._units[point],
                    quality=quality,
                    provenance=context.provenance,
                    received_utc=now_utc,
                    received_s=now_s,
                    source=context.device,
                )
            )


DRIVER = DriverSpec(
    kind="nmea",
    config=NmeaConfig,
    build=NmeaDriver,
    silent_after_s=NmeaConfig.silence_s,
    lost_alert=lambda config: LOST_ALERT.get(config.feed),
    side_doors=lambda config: config.feed == "doors",
)
