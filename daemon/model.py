"""The words of ispsd as types: what every part of it may pass to another.

Frozen and slotted. Units are in the names (``_s`` seconds, ``_kn`` knots, ``_deg`` degrees); ``_utc`` is wall
time, ``received_s`` and ``up_s`` are seconds since the computer booted. Nothing here does anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""What can stand in a message or an entry."""


class Quality(StrEnum):
    """How far a value can be trusted."""

    GOOD = "good"
    SUSPECT = "suspect"
    """Seen, but something speaks against it."""
    STALE = "stale"
    """Was good; older than it may be."""
    UNKNOWN = "unknown"


class Provenance(StrEnum):
    """Where a value comes from; only ``LIVE`` is evidence on a ship."""

    LIVE = "live"
    TEST = "test"
    SIMULATED = "simulated"
    REPLAY = "replay"


class ContactState(StrEnum):
    """What a door or seal contact says. ``LINE_FAULT`` is neither closed nor open: cut, shorted, contradictory."""

    CLOSED = "closed"
    OPEN = "open"
    LINE_FAULT = "line_fault"


class LampState(StrEnum):
    """The test lamp of a unit, as seen through its dry contact."""

    LIT = "lit"
    DARK = "dark"


class Classification(StrEnum):
    """Who may read: every watch station, or only stations with the SSO's credential."""

    WATCH = "watch"
    SSO = "sso"


@dataclass(frozen=True, slots=True)
class Position:
    """A point on WGS 84."""

    lat_deg: float
    """North positive."""
    lon_deg: float
    """East positive."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A GNSS fix (IEC 61162-1 GGA)."""

    position: Position
    fix_quality: int
    """GGA field 6; never 0 here, 0 is no fix."""
    satellites: int | None
    hdop: float | None
    altitude_m: float | None = field(default=None, compare=False)
    """Of the antenna over the geoid (GGA field 9); its last digit is no news of where she is."""
    of_day_s: float | None = field(default=None, compare=False)
    """At which second of the UTC day it was so (GGA field 1): two receivers are held together by that."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Speed and course over ground (IEC 61162-1 RMC)."""

    sog_kn: float | None
    cog_deg: float | None


@dataclass(frozen=True, slots=True)
class Heading:
    """True heading (IEC 61162-1 THS, HDT)."""

    true_deg: float
    mode: str | None
    """THS field 2: A autonomous, E estimated, M manual, S simulator, V not valid; None from HDT, which has none."""


@dataclass(frozen=True, slots=True)
class Sky:
    """What a GNSS receiver sees of its satellites (IEC 61162-1 GSA, GSV), all constellations together."""

    in_view: int | None
    in_use: int | None
    mean_cn0_db_hz: float | None
    """Over the satellites whose signal is tracked."""
    pdop: float | None
    tracked: int | None = field(default=None, compare=False)
    """How many satellites' signals that is."""
    cn0_sigma_db: float | None = field(default=None, compare=False)
    """Their standard deviation; None under two."""


@dataclass(frozen=True, slots=True)
class EquipmentAlert:
    """One alert that a piece of equipment annunciates itself (IEC 61162-1 ALR, ALF)."""

    number: int
    instance: int | None
    text: str
    active: bool
    acknowledged: bool
    priority: str | None
    """A, W, C or E as ALF has it; None from ALR, which has none."""


@dataclass(frozen=True, slots=True)
class EquipmentReport:
    """What a piece of equipment says of itself: mirrored, never sounded here."""

    in_order: bool | None
    """HBT field 2; None where it sends none."""
    alerts: tuple[EquipmentAlert, ...]
    """Those that stand, by number and instance."""


@dataclass(frozen=True, slots=True)
class AisReport:
    """One own-ship dynamic report (VDO; ITU-R M.1371 messages 1, 2, 3)."""

    mmsi: int
    message_type: int
    channel: str | None
    """A or B as sent; None where the unit leaves the field empty: position data, not proof of a transmission."""
    position: Position | None
    sog_kn: float | None
    navigation_status: int
    heading_deg: float | None = None
    """True heading; None where no compass is connected."""


@dataclass(frozen=True, slots=True)
class AisIdentity:
    """Own-ship static and voyage data (VDO; ITU-R M.1371 message 5); None where the unit says *not available*."""

    mmsi: int
    imo_number: int
    name: str
    call_sign: str
    ship_type: int | None = None
    """ITU-R M.1371-5 table 53: 70 to 79 cargo, 80 to 89 tanker."""
    length_m: int | None = None
    """Bow to stern, as the place of the antenna adds up."""
    beam_m: int | None = None
    draught_m: float | None = None
    destination: str | None = None
    eta: str | None = None
    """Estimated time of arrival in UTC as it is sent, without a year: ``11-22 14:30``."""


class AisKind(StrEnum):
    """What sends AIS, by its messages and its MMSI (ITU-R M.1371-5, M.585-8)."""

    CLASS_A = "class_a"
    CLASS_B = "class_b"
    BASE_STATION = "base_station"
    AID = "aid"
    """An aid to navigation."""
    AIRCRAFT = "aircraft"
    """A search and rescue aircraft."""
    DISTRESS = "distress"
    """AIS-SART (970), man overboard (972), EPIRB-AIS (974)."""


@dataclass(frozen=True, slots=True)
class AisTarget:
    """Another station, as it was heard last; everything in it is its own word."""

    mmsi: int
    kind: AisKind
    heard_s: float
    """Seconds since boot when it was heard last."""
    position: Position | None
    position_s: float
    """Seconds since boot when it said where it is."""
    sog_kn: float | None
    navigation_status: int | None
    """None from what has none, as class B."""
    name: str


@dataclass(frozen=True, slots=True)
class AisCounts:
    """How many stations are heard, and how full the channels are."""

    class_a: int
    class_b: int
    base_stations: int
    aids: int
    aircraft: int
    distress: int
    """SART, man overboard and EPIRB that are active; one under test does not count."""
    load_a: float | None
    """Share of the 2250 slots a minute that were heard in use on channel A; None before a minute was heard."""
    load_b: float | None


@dataclass(frozen=True, slots=True)
class AisTraffic:
    """What an AIS unit hears of others. Only the counts are told; the targets are for the rules on board."""

    counts: AisCounts
    targets: tuple[AisTarget, ...] = field(compare=False)
    """Somebody always moves: only other counts are another picture, and told."""


@dataclass(frozen=True, slots=True)
class AisOffPeriod:
    """One time in which the unit did not transmit (IEC 61162-1 TRL)."""

    off: str | None
    """When it stopped, in UTC, ISO 8601 to the second; None where the unit does not know."""
    on: str | None
    """When it went on."""
    reason: int | None
    """1 power off, 2 silent mode, 3 by channel management, 4 equipment malfunction, 5 invalid configuration."""


@dataclass(frozen=True, slots=True)
class AisOffLog:
    """The unit's own log of when it did not transmit, the newest ten times at most."""

    periods: tuple[AisOffPeriod, ...]


class CameraState(StrEnum):
    """What the newest picture of a camera shows, as far as a machine can tell."""

    LIVE = "live"
    """Something is seen, and it is not the picture that was there before."""
    FROZEN = "frozen"
    """The same picture to the last bit, look after look: no sensor gives that."""
    COVERED = "covered"
    """Lit, and nothing to be told apart."""
    DARK = "dark"
    """Nothing is seen, where the camera has light of its own or the place is lit."""
    NIGHT = "night"
    """Nothing is seen, where it may be dark."""
    NOT_DECODED = "not_decoded"
    """A whole picture came, and this computer cannot unpack it."""


@dataclass(frozen=True, slots=True)
class CameraView:
    """What one look at a camera brought; never the picture itself."""

    state: CameraState
    codec: str
    """``jpeg``, ``h264`` or ``h265``."""
    width: int | None
    """In points; None, with all that follows but the time, of a picture that was not decoded."""
    height: int | None
    brightness: float | None
    """0 (black) to 255 (white), the mean of the picture."""
    contrast: float | None
    """The standard deviation of brightness over 64 × 36 fields of the picture."""
    unchanged_looks: int
    """How many looks before this one had the same picture to the last bit."""
    waited_s: float
    """From asking for the stream to the whole picture, in seconds."""


@dataclass(frozen=True, slots=True)
class SsasMessage:
    """The text of an SSAS *test* message. There is no type for any other: it cannot be expressed."""

    lines: tuple[str, ...]


Value: TypeAlias = (
    ContactState
    | LampState
    | Fix
    | Motion
    | Heading
    | Sky
    | EquipmentReport
    | AisReport
    | AisIdentity
    | AisTraffic
    | AisOffLog
    | CameraView
    | SsasMessage
    | float
    | str
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One value of one sensor, with everything needed to trust it or not.

    Raises:
        ValueError: A value where there can be none, or none where there must be one: quality good or suspect
            has a value, stale or unknown has none.
    """

    point: str
    value: Value | None
    unit: str | None = None
    quality: Quality
    provenance: Provenance
    received_utc: datetime
    received_s: float
    """Seconds since boot when it was received."""
    source: str
    """The device that said it."""
    classification: Classification = Classification.WATCH

    def __post_init__(self) -> None:
        has_value = self.value is not None
        if has_value is not (self.quality in {Quality.GOOD, Quality.SUSPECT}):
            raise ValueError(f"{self.point}: quality {self.quality} with value {self.value!r}")


class LinkState(StrEnum):
    """How a device's link stands."""

    CONNECTING = "connecting"
    UP = "up"
    DOWN = "down"
    QUARANTINED = "quarantined"


class Priority(StrEnum):
    """MSC.302(87) 6.2, without the emergency alarm: ispsd never originates one."""

    ALARM = "A"
    WARNING = "W"
    CAUTION = "C"


class AlertState(StrEnum):
    """The six states of a bridge alert, with the letters of IEC 61162-1 ALF."""

    NORMAL = "N"
    ACTIVE_UNACKNOWLEDGED = "V"
    ACTIVE_SILENCED = "S"
    ACTIVE_ACKNOWLEDGED = "A"
    """For a caution: active."""
    RESPONSIBILITY_TRANSFERRED = "O"
    RECTIFIED_UNACKNOWLEDGED = "U"


class SecurityLevel(IntEnum):
    """ISPS Code A/2.1.9 to 2.1.11."""

    ONE = 1
    TWO = 2
    THREE = 3


class Situation(StrEnum):
    """What the ship is doing; set by a person, never derived."""

    SEA = "sea"
    MANOEUVRING = "manoeuvring"
    ANCHOR = "anchor"
    PORT = "port"
    YARD = "yard"


class Outcome(StrEnum):
    """How a test ended. Only ``PASSED`` is a pass; on paper: SAT, UNSAT, NOT PROVEN, NOT DONE."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"


class Readiness(StrEnum):
    """How a piece of equipment stands, in the words that are shown."""

    IN_ORDER = "in order"
    TEST_DUE = "test due"
    OVERDUE = "overdue"
    DEFECT = "defect"
    UNDER_TEST = "under test"
    OUT_OF_SERVICE = "out of service"
    NOT_TESTABLE = "not testable"


class ClockStatus(StrEnum):
    """How far the computer's UTC can be trusted at this moment."""

    SYNCED = "synced"
    HOLDOVER = "holdover"
    """Plausible, but nothing disciplines it."""
    UNSET = "unset"


class Role(StrEnum):
    """What a person is on board (or ashore)."""

    OFFICER = "officer"
    GANGWAY = "gangway"
    ENGINEER = "engineer"
    ETO = "eto"
    SSO = "sso"
    DEPUTY_SSO = "deputy_sso"
    MASTER = "master"
    CSO = "cso"
    """Ashore: reads, receives, does nothing on board."""
    PSC = "psc"
    """A port state control officer: receives what is released to him."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person of the crew list."""

    name: str
    rank: str
    roles: frozenset[Role]


class Sounder(StrEnum):
    """What makes the sound at a station."""

    PAGE = "page"
    """The page itself, in a browser: which is mute until somebody has touched it, and cannot know that it is heard."""
    PROGRAM = "program"
    """``ispsd sound`` or another program, which proves that its output takes what it plays."""


@dataclass(frozen=True, slots=True)
class Station:
    """A place where alerts are shown, and in some situations sounded."""

    id: str
    attended_in: frozenset[Situation]
    sso: bool = False
    """May read ``sso/…``."""
    gangway: bool = False
    """Whoever has the watch here sees everybody who passes the gangway door."""
    citadel: bool = False
    """May read ``citadel/…``, which goes on while the curtain is down."""
    sounder: Sounder = Sounder.PROGRAM


@dataclass(frozen=True, slots=True)
class Regime:
    """What the ship is doing and how careful she must be: what policy and priorities hang on.

    Attributes:
        threat: The overlay of a threat area, by command only.
        night: 2200 to 0600 ship's time.
        gangway_attended: Somebody has the watch at a live gangway station.
    """

    situation: Situation
    level: SecurityLevel
    threat: bool = False
    night: bool = False
    gangway_attended: bool = False

    @property
    def on_guard(self) -> bool:
        """Whether the ship is at security level 2 or 3, or in a threat area."""
        return self.threat or self.level > SecurityLevel.ONE


@dataclass(frozen=True, slots=True)
class Permit:
    """A permit to open: suppresses *opened* and *held open* of one door until it ends."""

    door: str
    person: str
    """Who works there."""
    work: str
    ends_utc: datetime
    """When it ends, for the eye."""
    ends_s: float
    """When it ends, in seconds since boot: what counts (invariant 8)."""
    entered_by: str


@dataclass(frozen=True, slots=True)
class InterferenceArea:
    """A known GNSS interference area that the ship is in: GNSS SUSPECT is a caution there."""

    name: str
    """As the navigational warning has it."""
    ends_utc: datetime
    ends_s: float
    """When it ends, in seconds since boot: what counts (invariant 8)."""
    entered_by: str


@dataclass(frozen=True, slots=True)
class Ship:
    """Own ship as its register has it: what AIS must say."""

    name: str
    imo_number: int
    mmsi: int
    call_sign: str
    length_m: float | None = None
    """Over all; None where the register's file does not say."""
    beam_m: float | None = None

    @property
    def name_sent(self) -> str:
        """Return the name as AIS sends it, which has no small letters."""
        return self.name.upper()


class OpeningKind(StrEnum):
    """What a monitored opening is, for its words and its rule."""

    DOOR = "door"
    SEAL = "seal"
    SIDE_DOOR = "side_door"
    """A shell door that its own system watches (IEC 61162-1 DOR): mirrored, never sounded here."""
    MOTION = "motion"
    """A motion detector: open means that it sees something move."""
    LOCK = "lock"
    """The lock contact of a door: closed means locked."""
    TAMPER = "tamper"
    """The tamper loop of a sensor: open means that somebody opened its case."""
    LIGHT = "light"
    """The current relay or lux switch of a lighting circuit: closed means that it burns."""
    MAINS = "mains"
    """The mains contact of a UPS: open means that it runs on its battery."""
    BATTERY = "battery"
    """The battery contact of a UPS: open means that its battery is low or gone."""


class LightCircuit(StrEnum):
    """What a lighting circuit lights (ISPS B/9.46): which alert it is when it is out."""

    DECK = "deck"
    GANGWAY = "gangway"
    OVERSIDE = "overside"


class DoorClass(StrEnum):
    """Door classes of the policy table."""

    BRIDGE = "B"
    MACHINERY = "M"
    VITAL = "V"
    PERIMETER = "P"
    GANGWAY = "G"
    STORE = "S"
    ESCAPE = "E"
    SIDE = "H"


@dataclass(frozen=True, slots=True)
class Opening:
    """Whatever is watched by a contact: a door, its lock, a wired seal, a motion detector, a light, a UPS.

    Attributes:
        id: The point's id, lower case: ``d12``.
        name: The short name that watch pages show.
        place: Where it is; class ``sso``, never on a watch page.
        door_class: None for what is no door.
        device: The device whose inputs carry its contacts.
        of: The door whose lock, the detector whose tamper loop or the UPS whose battery this is; None for what stands
            for itself.
    """

    id: str
    name: str
    kind: OpeningKind
    place: str
    door_class: DoorClass | None
    device: str
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is concluded of a test.

    Attributes:
        reason: One line for the log: what was seen against what was wanted.
        readings: What was seen where nobody judged it, as of a test that was broken off.
        details: What only the SSO may read (class ``sso``).
    """

    outcome: Outcome
    reason: str
    readings: tuple[Reading, ...] = ()
    details: Mapping[str, Json] = field(default_factory=dict)
