"""What may stand in ``ispsd.toml``? The sections as pydantic models, and what a loaded file becomes.

Devices and tests are validated by the models of their own kinds; only what they share stands here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from daemon.alerts.annunciation import (
    NEXT_AFTER_S,
    USUAL_CHAIN,
    USUAL_RAISED,
    Plan,
    Settings,
    Voice,
)
from daemon.alerts.escalation import (
    DEFAULT,
    LONGEST_S,
    SHORTEST_S,
    Escalation,
)
from daemon.alerts.rules.gnss_limits import HIGHEST_ANTENNA_M
from daemon.bam.settings import BamSection
from daemon.computer.paths import WholePath
from daemon.computer.secretfiles import SecretPath, credentials
from daemon.config.alerting import Alterable
from daemon.config.formats import NEWEST
from daemon.config.other_ships import AisSection
from daemon.drivers.api import Contact, Gauge, SideDoor, TestLamp, Wiring
from daemon.drivers.gauges import DEADBAND
from daemon.drivers.links import Link, ReplayLink, TcpLink
from daemon.errors import RecordError
from daemon.model import (
    Classification,
    DoorClass,
    LightCircuit,
    Opening,
    Person,
    Role,
    SecurityLevel,
    Ship,
    Situation,
    Sounder,
    Station,
)
from daemon.record import cosignature
from daemon.web.settings import WebSection
from daemon.witness.post import place
from daemon.witness.standing import Witness
from daemon.wording.lines import LINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timezone

    from daemon.alerts.alterations import Alteration
    from daemon.alerts.rules.areas import AisRules
    from daemon.checks.api import CheckConfig, CheckSpec
    from daemon.checks.catalogue import Difference
    from daemon.drivers.api import DriverConfig, DriverSpec
    from daemon.exporters.api import ExporterConfig, ExporterSpec
    from daemon.record.cosignature import Verifier

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")]
ShortName = Annotated[str, Field(min_length=1, max_length=16), LINE]
Place = Annotated[str, Field(min_length=1, max_length=80), LINE]
Input = Annotated[int, Field(ge=0, le=2047)]
LONGEST_REASON: Final = 200
BROKER_USER: Final = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"
"""What stands in the broker's lists of passwords and rights, where a colon or a blank ends it."""
SIX_BIT: Final = frozenset(map(chr, range(0x20, 0x60))) - {"@"}
"""What an AIS text may hold (ITU-R M.1371-5 table 47); ``@`` ends it."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _ais_has_it(name: str) -> str:
    if other := [each for each in name if not each.isascii() or each.upper() not in SIX_BIT]:
        signs = " ".join(dict.fromkeys(other))
        raise ValueError(f"{name!r}: AIS cannot send {signs}; write it as the AIS set has it")
    return name


class ShipSection(_Section):
    """Own ship, as its register has it."""

    name: Annotated[str, Field(min_length=1, max_length=20), LINE, AfterValidator(_ais_has_it)]
    """As her papers have it; AIS sends it in capital letters, at most 20 (ITU-R M.1371-5 message 5)."""
    imo_number: Annotated[int, Field(ge=1_000_000, le=9_999_999)]
    mmsi: Annotated[int, Field(ge=200_000_000, le=799_999_999)]
    call_sign: Annotated[str, Field(pattern=r"^[A-Z0-9]{3,7}$")]
    length_m: Annotated[float, Field(gt=0, le=600)] | None = None
    """Over all; with it the daily AIS test compares what AIS says of her size."""
    beam_m: Annotated[float, Field(gt=0, le=100)] | None = None


def _is_a_number(level: object) -> object:
    if type(level) is not int and not isinstance(level, SecurityLevel):
        raise ValueError(
            f"{level!r} is none of {', '.join(str(each.value) for each in SecurityLevel)}"
        )
    return level


class WatchSection(_Section):
    """What the ship is doing when the daemon starts for the first time."""

    situation: Situation
    security_level: Annotated[SecurityLevel, BeforeValidator(_is_a_number)]
    ship_time_offset_min: Annotated[int, Field(ge=-12 * 60, le=14 * 60)] = 0
    """Ship's time minus UTC, in minutes."""
    settle_after_boot_s: Annotated[float, Field(ge=0, le=600)] = 60.0
    """After the computer's boot equipment comes back in any order; so long nothing is judged, in seconds."""
    contacts_start_proved: bool | None = None
    """Contacts count as proved before they were seen in every state: a demo's do, unless told otherwise; no ship's."""


class AlertsSection(Alterable):
    """What becomes of alerts that nobody acknowledges; below it, what the ship changes of single alerts."""

    escalate_after_s: Annotated[float, Field(ge=SHORTEST_S, le=LONGEST_S)] = DEFAULT.after_s
    """A warning sounds again, and an alarm counts, each so many seconds."""
    promote_after_s: Annotated[float, Field(ge=0, le=LONGEST_S)] = DEFAULT.promote_after_s
    """At level 2 and 3 and in a threat area a warning becomes an alarm after so many seconds; 0: never."""

    @field_validator("promote_after_s")
    @classmethod
    def _never_or_long_enough(cls, after_s: float) -> float:
        if 0 < after_s < SHORTEST_S:
            raise ValueError(f"0 for never, or {SHORTEST_S:g} to {LONGEST_S:g}")
        return after_s

    def escalation(self) -> Escalation:
        """Return it as the alert engine takes it."""
        return Escalation(self.escalate_after_s, self.promote_after_s)


class RecordSection(_Section):
    """Where the security record is kept."""

    directory: WholePath
    key_file: SecretPath
    origin: Literal["ispsd", "demo"] = "ispsd"
    """A demo record can never be mistaken for a ship's; simulated evidence counts in it only."""
    evidence_quota_mb: Annotated[int, Field(ge=16, le=1024 * 1024)] = 2048
    """How much evidence and how many attachments are kept beside the entries, in all segments together, in MB."""

    @property
    def evidence_quota_bytes(self) -> int:
        return self.evidence_quota_mb * 1024 * 1024

    rotate_entries: Annotated[int, Field(ge=1000, le=5_000_000)] = 250_000
    """Entries after which the next segment begins by itself."""
    rotate_years: Annotated[int, Field(ge=1, le=10)] = 1
    """Years after which it does."""
    copy_directory: WholePath | None = None
    """The second copy's folder, on another disk; an hour's copies and verifies go there."""
    copy_may_share_disk: bool = False
    """A copy on the record's own disk counts; else it is taken for the mount point of a medium that is not there."""
    flag: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")] = "default"
    """Whose retention counts, of retention.toml."""
    keep_years: Annotated[int, Field(ge=1, le=100)] = 10
    """How long the ship keeps a segment on board, where her flag does not ask for more."""

    @property
    def public_key_file(self) -> Path:
        """Return where the public key lies: beside the private one, or beside the record of a handed-over key."""
        if self.key_file.parent == credentials():
            return self.directory.parent / "record-key.pub"
        return self.key_file.with_suffix(".pub")


def _vkey(line: str) -> Verifier:
    try:
        return cosignature.verifier(line, of=cosignature.COSIGNATURE)
    except RecordError as err:
        raise ValueError(str(err)) from err


class WitnessSection(_Section):
    """A second computer on board, or the shore, that signs the heads of the record."""

    name: Id
    key: str
    """Its public key, the line that ``ispsd witness init`` printed there."""
    url: str | None = None
    """Where it is asked, without ``/add-checkpoint``; none: by mail only."""
    ca_file: WholePath | None = None
    """Certificate authority of an https witness; without it those that the system trusts."""

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, line: str) -> str:
        _vkey(line)
        return line

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is not None:
            place(url)
        return url

    def witness(self) -> Witness:
        """Return it, ready to be asked."""
        to = None if self.url is None else place(self.url)
        return Witness(self.name, _vkey(self.key), to, self.ca_file)


class MqttSection(_Section):
    """The ship's broker."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    user: Annotated[str, Field(pattern=BROKER_USER)] | None = None
    password_file: SecretPath | None = None
    ca_file: WholePath | None = None
    """Certificate authority of the broker; with it the connection is TLS."""
    readers: Annotated[frozenset[Id], Field(max_length=20)] = frozenset()
    """Users of dashboards that are no stations: they read what is open, and nothing they send is obeyed."""


class ControlSection(_Section):
    """The local control socket."""

    socket: WholePath = Path("/run/ispsd/control.sock")
    web_user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] | None = None
    """Who serves the SSO's pages (`ispsd web`), where that is not the daemon's own user: he may ask for pages only."""


class PeopleSection(_Section):
    """Where their PINs are kept."""

    credentials_file: WholePath | None = None
    """Hashes and sealed keys, never a PIN; beside the record's folder where nothing is said."""


class PersonSection(_Section):
    """One person of the crew list as it is at the very first start; people change it later."""

    name: Annotated[str, Field(min_length=1, max_length=60), LINE]
    rank: Annotated[str, Field(min_length=1, max_length=20), LINE]
    roles: frozenset[Role]


class StationSection(_Section):
    """One place where alerts are shown."""

    id: Id
    attended_in: frozenset[Situation] = frozenset()
    sso: bool = False
    gangway: bool = False
    """While somebody has the watch here, the gangway door may stand open in port (policy class G)."""
    citadel: bool = False
    """Goes on reading the watch while the curtain is down."""
    sounder: Sounder = Sounder.PAGE
    """What sounds here: the page (armed after a touch and a heard-test), or ``ispsd sound``."""


Chained = Annotated[tuple[Id, ...], Field(max_length=20)]


class ChainSection(_Section):
    """By situation: who hears what nobody acknowledges, one station after the other."""

    sea: Chained | None = None
    manoeuvring: Chained | None = None
    anchor: Chained | None = None
    port: Chained | None = None
    yard: Chained | None = None

    def of(self, situation: Situation) -> tuple[str, ...] | None:
        """Return the stations that are named; None where the file says nothing of this situation."""
        named: tuple[str, ...] | None = getattr(self, situation.value)
        return named


Often = Annotated[int, Field(ge=0, le=240)]


class AnnunciationSection(_Section):
    """Where alerts sound beside the attended stations, and how."""

    next_after_s: Annotated[float, Field(ge=30, le=600)] = NEXT_AFTER_S
    """What nobody acknowledges sounds at one station more each time so long has passed, in seconds."""
    chain: ChainSection = ChainSection()
    """The order in which the stations are called."""
    raised_chain: ChainSection = ChainSection()
    """Who is called behind them at security level 2 and 3 and in a threat area."""
    tones: Annotated[int, Field(ge=1, le=2)] = 1
    """Which of the two sets of tones: the one that no other set on the bridge has."""
    volume_floor: Annotated[int, Field(ge=10, le=100)] = 60
    """No station plays more quietly, in per cent of what its output can; 75 dB(A) at 1 m by day, 65 by night."""

    gangway_reply_min: tuple[Often, Often, Often] = (0, 30, 15)
    """In port the gangway is asked for a reply so often, at security level 1, 2 and 3, in minutes; 0 for never."""

    def settings(self, stations: Iterable[str], *, warning_every_s: float) -> Settings:
        """Return them; where the file names no chain, the usual one of these stations."""
        known = frozenset(stations)
        plan = Plan(
            self.next_after_s,
            {s: _said_or(self.chain.of(s), USUAL_CHAIN[s], known) for s in Situation},
            {s: _said_or(self.raised_chain.of(s), USUAL_RAISED[s], known) for s in Situation},
        )
        voice = Voice(self.tones, self.volume_floor, warning_every_s)
        return Settings(plan, voice, self.gangway_reply_min)


def _said_or(
    said: tuple[str, ...] | None, usual: tuple[str, ...], known: frozenset[str]
) -> tuple[str, ...]:
    return tuple(id_ for id_ in usual if id_ in known) if said is None else said


class OpeningSection(_Section):
    """A door or wired seal and its contacts."""

    id: Id
    name: ShortName
    place: Place
    """Where it is; only the SSO sees it."""
    device: Id
    inputs: Annotated[tuple[Input, ...], Field(min_length=1, max_length=2)]
    wiring: Wiring


class DoorSection(OpeningSection):
    """A door."""

    door_class: Annotated[
        Literal[
            DoorClass.BRIDGE,
            DoorClass.MACHINERY,
            DoorClass.VITAL,
            DoorClass.PERIMETER,
            DoorClass.GANGWAY,
            DoorClass.STORE,
            DoorClass.ESCAPE,
        ],
        Field(alias="class"),
    ]
    """Side doors are sections of their own: their own system watches them."""
    lock_input: Input | None = None
    """On while locked; a door that opens while it is locked was forced."""


class SideDoorSection(_Section):
    """A shell door that its own system watches and tells of by DOR."""

    id: Id
    name: ShortName
    place: Place
    device: Id
    system: Literal["WT", "WS", "FD", "HD", "OT"] = "HD"
    division: Annotated[str, Field(max_length=10)] = ""
    number: Annotated[int, Field(ge=0, le=999)]


class MotionSection(_Section):
    """A motion detector: its relay, and its tamper loop where it has one."""

    id: Id
    name: ShortName
    place: Place
    device: Id
    input: Input
    """On while nothing moves."""
    tamper_input: Input | None = None
    """On while the case is shut."""


class LightSection(_Section):
    """A lighting circuit, seen by a relay in its current or by a light sensor's."""

    id: Id
    name: ShortName
    place: Place
    circuit: LightCircuit
    """What it lights: the gangway's has an alert of its own."""
    device: Id
    input: Input
    wiring: Wiring = Wiring.NC
    """``nc``: on while it burns; ``no``: on while it does not; ``loop_4_20_ma``: the unit's ``closed_ma`` is lit."""


Volts = Annotated[float, Field(ge=0, le=1000)]


class UpsSection(_Section):
    """A UPS that feeds ispsd or its units, by its own relays."""

    id: Id
    name: ShortName
    place: Place
    device: Id
    mains_input: Input
    """On while it is fed: a cut cable says *on battery*."""
    battery_input: Input | None = None
    """On while its battery is good."""
    battery_device: Id | None = None
    """Where that input is; the same as of the mains where it is not said."""
    battery_wiring: Literal[Wiring.NC, Wiring.NO, Wiring.LOOP_4_20_MA] = Wiring.NC
    """``loop_4_20_ma``: a transmitter of the battery's voltage, which is then shown."""
    battery_v: tuple[Volts, Volts] | None = None
    """What the transmitter measures at 4 and at 20 mA, in volts."""
    battery_low_v: Volts | None = None
    """Below it the battery is low, in volts; it is good again 2 % above. The battery's maker says from where on."""
    rated_min: Annotated[int, Field(ge=1, le=1440)] | None = None
    """How long it holds its load by its maker's sheet or its newest load test, in minutes."""

    @model_validator(mode="after")
    def _voltage_is_said(self) -> Self:
        said = (self.battery_v, self.battery_low_v)
        if self.battery_wiring is not Wiring.LOOP_4_20_MA or self.battery_input is None:
            if said != (None, None):
                raise ValueError(
                    'battery_v and battery_low_v want battery_input and battery_wiring = "loop_4_20_ma"'
                )
        elif self.battery_v is None or self.battery_low_v is None:
            raise ValueError("a transmitter wants battery_v, as [0, 32], and battery_low_v")
        elif not (
            self.battery_v[0] < self.battery_low_v
            and self.battery_low_v * (1 + DEADBAND) < self.battery_v[1]
        ):
            raise ValueError(
                f"battery_low_v {self.battery_low_v:g}, and 2 % above, must lie between "
                f"{self.battery_v[0]:g} and {self.battery_v[1]:g} V, which the transmitter measures"
            )
        return self

    @property
    def gauge(self) -> Gauge | None:
        """Return what its battery's loop measures; None where no loop does."""
        if self.battery_v is None or self.battery_low_v is None:
            return None
        return Gauge(f"{self.id}.voltage", "V", *self.battery_v, self.battery_low_v)

    @property
    def battery_at(self) -> str:
        """Return the device of its battery contact."""
        return self.device if self.battery_device is None else self.battery_device


class BusSection(_Section):
    """A line on which several units hang, such as Modbus RTU."""

    link: Link
    local: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON), LINE] | None = None
    """Why a line on this very computer is right on a ship."""


class SsasChannel(_Section):
    """What may be seen of an SSAS unit. The covert alert loop is not among the choices, and never will be."""

    kind: Literal["test_lamp", "test_relay"]
    point: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}$")]
    device: Id
    input: Input
    lit_when: bool = True


class CallSection(_Section):
    """One who is called if a real alert went out by mistake."""

    who: Annotated[str, Field(min_length=1, max_length=60), LINE]
    number: Annotated[str, Field(min_length=3, max_length=60), LINE]
    """Telephone, or what else reaches him at any hour."""
    within_min: Annotated[int, Field(ge=1, le=60)] = 5


class FalseAlertSection(_Section):
    """The false alert card: it belongs to every SSAS test, and is opened by hand only."""

    ssp_paragraph: Annotated[str, Field(min_length=1, max_length=40), LINE]
    call: Annotated[tuple[CallSection, ...], Field(min_length=1, max_length=12)]
    """Whom to call, in this order."""


class SsasSection(_Section):
    """SSAS equipment, beside its text port, which is a device of kind ``ssas_text``."""

    channels: tuple[SsasChannel, ...] = ()
    false_alert: FalseAlertSection | None = None
    window_min: Annotated[float, Field(gt=0, le=90)] = 90.0
    """How long a test window stays open, in minutes."""


class GnssSection(_Section):
    """What is known of the GNSS antennas."""

    antennas_apart_m: Annotated[float, Field(ge=0, le=400)] = 0.0
    """How far the antennas of two receivers stand from each other, in metres."""
    antenna_height_m: Annotated[float, Field(ge=0, le=HIGHEST_ANTENNA_M)] | None = None
    """How high they stand over the water; a fix that lies 30 m off that, or off every ship's, speaks against it."""
    current_kn: Annotated[float, Field(ge=0.5, le=12)] = 2.0
    """The strongest stream of the voyage, in knots: speed over ground and log may differ by so much."""


class ConfigFile(_Section):
    """The whole file; devices and tests are validated by their own kinds."""

    format: Literal[1] = NEWEST
    """In which format the file is; `ispsd migrate` writes the newest."""
    ship: ShipSection
    watch: WatchSection
    alerts: AlertsSection = AlertsSection()
    record: RecordSection
    mqtt: MqttSection = MqttSection()
    control: ControlSection = ControlSection()
    web: WebSection = WebSection()
    witness: tuple[WitnessSection, ...] = ()
    ssas: SsasSection = SsasSection()
    gnss: GnssSection = GnssSection()
    ais: AisSection = AisSection()
    bam: BamSection | None = None
    people: PeopleSection = PeopleSection()
    person: Annotated[tuple[PersonSection, ...], Field(max_length=200)] = ()
    station: tuple[StationSection, ...] = ()
    annunciation: AnnunciationSection = AnnunciationSection()
    door: tuple[DoorSection, ...] = ()
    seal: tuple[OpeningSection, ...] = ()
    side_door: tuple[SideDoorSection, ...] = ()
    motion_detector: tuple[MotionSection, ...] = ()
    light: tuple[LightSection, ...] = ()
    ups: tuple[UpsSection, ...] = ()
    bus: dict[Id, BusSection] = {}
    device: dict[Id, dict[str, Any]] = {}
    exporter: dict[Id, dict[str, Any]] = {}
    test: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """One device, ready to be built.

    Attributes:
        local: Why a device on this very computer is right on a ship (invariant: no simulator behind a ship's key).
    """

    id: str
    config: DriverConfig
    spec: DriverSpec
    contacts: tuple[Contact, ...]
    test_lamps: tuple[TestLamp, ...]
    side_doors: tuple[SideDoor, ...]
    local: str | None

    @property
    def bus(self) -> str | None:
        """Return the bus that it hangs on; None where it has a line of its own."""
        return self.spec.bus(self.config)

    @property
    def link(self) -> Link | None:
        """Return where it is listened to; None for a unit that is asked."""
        link: Link | None = getattr(self.config, "link", None)
        return link

    @property
    def port(self) -> Link | None:
        """Return what is opened for it alone: its link, or the address at which it is asked; None on a bus."""
        host = getattr(self.config, "host", None)
        if self.link is not None or host is None:
            return self.link
        return TcpLink(kind="tcp", host=host, port=getattr(self.config, "port", 0))

    @property
    def is_replayed(self) -> bool:
        """Whether a recording speaks in its place: what it says is then no evidence (invariant 2)."""
        return isinstance(self.link, ReplayLink)


@dataclass(frozen=True, slots=True)
class Test:
    """One test, ready to be run.

    Attributes:
        differences: What the ship's file says otherwise than the catalogue of tests.
    """

    __test__ = False

    config: CheckConfig
    spec: CheckSpec
    differences: tuple[Difference, ...] = ()

    @property
    def classification(self) -> Classification:
        """Return who may read of it."""
        return self.spec.classification_of(self.config)


@dataclass(frozen=True, slots=True)
class Export:
    """One exporter, ready to be built; its name is its section's."""

    name: str
    config: ExporterConfig
    spec: ExporterSpec


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that may be used."""

    ship: Ship
    situation: Situation
    security_level: SecurityLevel
    ship_time: timezone
    settle_after_boot_s: float
    contacts_start_proved: bool
    escalation: Escalation
    alterations: Mapping[str, Alteration]
    record: RecordSection
    mqtt: MqttSection
    control: ControlSection
    web: WebSection
    ais: AisRules
    bam: BamSection | None
    witnesses: tuple[Witness, ...]
    ssas_window_s: float
    false_alert: FalseAlertSection | None
    gnss: GnssSection
    persons: tuple[Person, ...]
    credentials_file: Path
    stations: tuple[Station, ...]
    annunciation: Settings
    openings: tuple[Opening, ...]
    lights: Mapping[str, LightCircuit]
    """What each lighting circuit lights, by its id."""
    ups_rated_min: Mapping[str, int | None]
    """How long each UPS holds, in minutes, by its id; None where nobody says."""
    buses: Mapping[str, Link]
    devices: tuple[Device, ...]
    exporters: tuple[Export, ...]
    tests: tuple[Test, ...]
    sha256: str
    """Of the file's bytes: it stands in the record."""
    written_in: int
    """The format of the file as it was read."""
    tree: Mapping[str, Any]
    """Its tables in the newest format: what two files have otherwise is found there."""
    local: Mapping[str, str] = field(default_factory=dict)
    """Why something on this very computer is right on a ship, by its place: ``device.io1``, ``bus.rtu``, ``bam``."""

    @property
    def is_demo(self) -> bool:
        """Whether this is a demonstration, whose evidence is simulated."""
        return self.record.origin == "demo"

    def person(self, name: str) -> Person | None:
        """Return the person of that name on the crew list."""
        return next((p for p in self.persons if p.name == name), None)
