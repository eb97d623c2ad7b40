"""What may stand in ``ispsd.toml``? Every fault of a file is found in one go, with its place and its reason.

No code and no expressions: a configuration is data. Shapes are pydantic models; what needs more than one place to
judge (does the door's device exist, is the input taken twice) is checked after them, and all of it is reported
together.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from daemon import registry
from daemon.clock import SystemClock
from daemon.drivers.api import Contact, DriverContext, TestLamp, Wiring
from daemon.errors import ConfigError, Fault
from daemon.gate import CovertGate
from daemon.model import (
    DoorClass,
    Opening,
    OpeningKind,
    Person,
    Provenance,
    Role,
    SecurityLevel,
    Ship,
    Situation,
    Station,
)
from daemon.mqtt.wire import Broker

if TYPE_CHECKING:
    from daemon.checks.api import CheckConfig, CheckSpec
    from daemon.drivers.api import DriverConfig, DriverSpec

LARGEST_FILE = 1 << 20
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")]
ShortName = Annotated[str, Field(min_length=1, max_length=16)]
Input = Annotated[int, Field(ge=0, le=2047)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ShipSection(_Section):
    """Own ship, as its register has it."""

    name: Annotated[str, Field(min_length=1, max_length=20)]
    """As AIS sends it: at most 20 characters (ITU-R M.1371-5 message 5)."""
    imo_number: Annotated[int, Field(ge=1_000_000, le=9_999_999)]
    mmsi: Annotated[int, Field(ge=200_000_000, le=799_999_999)]
    call_sign: Annotated[str, Field(pattern=r"^[A-Z0-9]{3,7}$")]


class WatchSection(_Section):
    """What the ship is doing when the daemon starts for the first time."""

    situation: Situation
    security_level: SecurityLevel
    ship_time_offset_min: Annotated[int, Field(ge=-12 * 60, le=14 * 60)] = 0
    """Ship's time minus UTC, in minutes."""


class RecordSection(_Section):
    """Where the security record is kept."""

    directory: Path
    key_file: Path
    origin: Literal["ispsd", "demo"] = "ispsd"
    """A demo record can never be mistaken for a ship's; simulated evidence counts in it only."""


class MqttSection(_Section):
    """The ship's broker."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    user: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    """Certificate authority of the broker; with it the connection is TLS."""


class ControlSection(_Section):
    """The local control socket."""

    socket: Path = Path("/run/ispsd/control.sock")


class PersonSection(_Section):
    """One person of the crew list."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    rank: Annotated[str, Field(min_length=1, max_length=20)]
    roles: frozenset[Role]


class StationSection(_Section):
    """One place where alerts are shown."""

    id: Id
    attended_in: frozenset[Situation] = frozenset()
    sso: bool = False


class OpeningSection(_Section):
    """A door or wired seal and its contacts."""

    id: Id
    name: ShortName
    place: Annotated[str, Field(min_length=1, max_length=80)]
    """Where it is; only the SSO sees it."""
    device: Id
    inputs: Annotated[tuple[Input, ...], Field(min_length=1, max_length=2)]
    wiring: Wiring


class DoorSection(OpeningSection):
    """A door."""

    door_class: Annotated[DoorClass, Field(alias="class")]


class SsasChannel(_Section):
    """What may be seen of an SSAS unit. The covert alert loop is not among the choices, and never will be."""

    kind: Literal["test_lamp", "test_relay"]
    point: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,40}$")]
    device: Id
    input: Input
    lit_when: bool = True


class SsasSection(_Section):
    """SSAS equipment, beside its text port, which is a device of kind ``ssas_text``."""

    channels: tuple[SsasChannel, ...] = ()
    window_min: Annotated[float, Field(gt=0, le=90)] = 90.0
    """How long a test window stays open, in minutes."""


class ConfigFile(_Section):
    """The whole file; devices and tests are validated by their own kinds."""

    ship: ShipSection
    watch: WatchSection
    record: RecordSection
    mqtt: MqttSection = MqttSection()
    control: ControlSection = ControlSection()
    ssas: SsasSection = SsasSection()
    person: tuple[PersonSection, ...] = ()
    station: tuple[StationSection, ...] = ()
    door: tuple[DoorSection, ...] = ()
    seal: tuple[OpeningSection, ...] = ()
    device: dict[Id, dict[str, Any]] = {}
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
    points: frozenset[str]
    local: str | None


@dataclass(frozen=True, slots=True)
class Test:
    """One test, ready to be run."""

    __test__ = False

    config: CheckConfig
    spec: CheckSpec


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration that may be used."""

    ship: Ship
    situation: Situation
    security_level: SecurityLevel
    ship_time: timezone
    record: RecordSection
    mqtt: MqttSection
    control: ControlSection
    ssas_window_s: float
    persons: tuple[Person, ...]
    stations: tuple[Station, ...]
    openings: tuple[Opening, ...]
    devices: tuple[Device, ...]
    tests: tuple[Test, ...]
    sha256: str
    """Of the file's bytes: it stands in the record."""

    @property
    def is_demo(self) -> bool:
        """Whether this is a demonstration, whose evidence is simulated."""
        return self.record.origin == "demo"

    def person(self, name: str) -> Person | None:
        """Return the person of that name on the crew list."""
        return next((p for p in self.persons if p.name == name), None)


def load(path: Path) -> Config:
    """Read a configuration.

    Raises:
        ConfigError: With every fault found.
    """
    try:
        raw = path.read_bytes()
    except OSError as err:
        raise _refused(path, Fault("file", err.strerror or str(err))) from err
    if len(raw) > LARGEST_FILE:
        raise _refused(path, Fault("file", f"larger than {LARGEST_FILE} bytes"))
    try:
        tree = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise _refused(path, Fault("file", f"not TOML: {err}")) from err
    return _build(path, tree, hashlib.sha256(raw).hexdigest())


def _refused(path: Path, *faults: Fault) -> ConfigError:
    return ConfigError(str(path), faults)


def _build(path: Path, tree: dict[str, Any], sha256: str) -> Config:
    faults: list[Fault] = []
    file: ConfigFile | None = None
    try:
        file = ConfigFile.model_validate(tree)
    except ValidationError as err:
        faults += _said(err, "", tree)
    parts = _tables(tree, "device")
    devices, device_faults = _devices(parts, file)
    tests, test_faults = _tests(tree.get("test", []))
    faults += device_faults + test_faults
    if file is not None:
        faults += _cross_faults(file, devices, tests)
    if faults or file is None:
        raise _refused(path, *faults)
    return Config(
        ship=Ship(**file.ship.model_dump()),
        situation=file.watch.situation,
        security_level=file.watch.security_level,
        ship_time=timezone(timedelta(minutes=file.watch.ship_time_offset_min)),
        record=file.record,
        mqtt=file.mqtt,
        control=file.control,
        ssas_window_s=file.ssas.window_min * 60,
        persons=tuple(Person(p.name, p.rank, p.roles) for p in file.person),
        stations=tuple(Station(s.id, s.attended_in, s.sso) for s in file.station),
        openings=tuple(_openings(file)),
        devices=tuple(devices),
        tests=tuple(tests),
        sha256=sha256,
    )


def _openings(file: ConfigFile) -> Iterator[Opening]:
    for door in file.door:
        yield Opening(
            door.id, door.name, OpeningKind.DOOR, door.place, door.door_class, door.device
        )
    for seal in file.seal:
        yield Opening(seal.id, seal.name, OpeningKind.SEAL, seal.place, None, seal.device)


def _tables(tree: dict[str, Any], key: str) -> dict[str, Any]:
    value = tree.get(key, {})
    return value if isinstance(value, dict) else {}


def _devices(parts: dict[str, Any], file: ConfigFile | None) -> tuple[list[Device], list[Fault]]:
    kinds = registry.drivers()
    devices: list[Device] = []
    faults: list[Fault] = []
    for id_, part in parts.items():
        place = f"device.{id_}"
        kind = part.get("kind") if isinstance(part, dict) else None
        if kind not in kinds:
            known = ", ".join(sorted(kinds))
            faults.append(Fault(f"{place}.kind", f"no driver {kind!r}; there are {known}"))
            continue
        own = {key: value for key, value in part.items() if key != "local"}
        try:
            config = kinds[kind].config.model_validate(own)
        except ValidationError as err:
            faults += _said(err, place, part)
            continue
        contacts = tuple(
            Contact(o.id, o.inputs, o.wiring)
            for o in ((*file.door, *file.seal) if file else ())
            if o.device == id_
        )
        lamps = tuple(
            TestLamp(c.point, c.input, c.lit_when)
            for c in (file.ssas.channels if file else ())
            if c.device == id_
        )
        try:
            points = _points(id_, kinds[kind], config, contacts, lamps)
        except ValueError as err:
            faults.append(Fault(place, str(err)))
            continue
        devices.append(Device(id_, config, kinds[kind], contacts, lamps, points, part.get("local")))
    return devices, faults


def _points(
    id_: str,
    spec: DriverSpec,
    config: DriverConfig,
    contacts: tuple[Contact, ...],
    lamps: tuple[TestLamp, ...],
) -> frozenset[str]:
    """Return the points of a device, by building its driver, which validates and touches nothing.

    Raises:
        ValueError: The driver refuses what is wired to it.
    """
    clock = SystemClock()
    context = DriverContext(
        device=id_,
        clock=clock,
        gate=CovertGate(clock),
        provenance=Provenance.SIMULATED,
        contacts=contacts,
        test_lamps=lamps,
    )
    return frozenset(point.id for point in spec.build(config, context).points())


def _tests(parts: Any) -> tuple[list[Test], list[Fault]]:
    kinds = registry.checks()
    tests: list[Test] = []
    faults: list[Fault] = []
    for number, part in enumerate(parts if isinstance(parts, list) else []):
        named = part.get("id") if isinstance(part, dict) else None
        place = f'test[{number}] "{named}"' if named else f"test[{number}]"
        kind = part.get("kind") if isinstance(part, dict) else None
        if kind not in kinds:
            known = ", ".join(sorted(kinds))
            faults.append(Fault(f"{place}.kind", f"no check {kind!r}; there are {known}"))
            continue
        try:
            tests.append(Test(kinds[kind].config.model_validate(part), kinds[kind]))
        except ValidationError as err:
            faults += _said(err, place, part)
    return tests, faults


def _cross_faults(file: ConfigFile, devices: list[Device], tests: list[Test]) -> list[Fault]:
    faults = [
        *_twice("person", [p.name for p in file.person]),
        *_twice("station", [s.id for s in file.station]),
        *_twice("door and seal", [o.id for o in (*file.door, *file.seal)]),
        *_twice("test", [t.config.id for t in tests]),
        *_imo_fault(file.ship.imo_number),
        *_broker_fault(file.mqtt),
        *_wiring_faults(file),
        *_input_faults(file, devices),
        *_local_faults(file, devices),
    ]
    if not any(file.watch.situation in s.attended_in for s in file.station):
        faults.append(
            Fault("station", f"no station is attended in situation {file.watch.situation.value}")
        )
    known = _known_points(file, devices)
    for test in tests:
        faults += [
            Fault(f'test "{test.config.id}"', f"listens to point {point!r}, which nothing emits")
            for point in test.spec.points(test.config)
            if known is not None and point not in known
        ]
    return faults


def _known_points(file: ConfigFile, devices: list[Device]) -> frozenset[str] | None:
    """Return every point that can exist; None where a device is faulty, so that this is not said twice."""
    if len(devices) != len(file.device):
        return None
    return frozenset(point for device in devices for point in device.points)


def _twice(what: str, ids: list[str]) -> list[Fault]:
    return [
        Fault(what, f"{id_!r} stands {ids.count(id_)} times")
        for id_ in dict.fromkeys(ids)
        if ids.count(id_) > 1
    ]


def _imo_fault(number: int) -> list[Fault]:
    digits = [int(digit) for digit in str(number)]
    check = sum(digit * (7 - place) for place, digit in enumerate(digits[:6])) % 10
    if check == digits[6]:
        return []
    return [Fault("ship.imo_number", f"{number}: the check digit must be {check}")]


def broker(section: MqttSection) -> Broker:
    """Return the broker of a configuration.

    Raises:
        ValueError: A password has no user, or would cross a network in the clear.
    """
    return Broker(
        host=section.host,
        port=section.port,
        ca_file=section.ca_file,
        user=section.user,
        password_file=section.password_file,
    )


def _broker_fault(section: MqttSection) -> list[Fault]:
    try:
        broker(section)
    except ValueError as err:
        return [Fault("mqtt", str(err))]
    return []


def _wiring_faults(file: ConfigFile) -> list[Fault]:
    return [
        Fault(
            f'"{o.id}".inputs',
            f"wiring {o.wiring.value} wants {wanted} input{'s' * (wanted > 1)}, {len(o.inputs)} given",
        )
        for o in (*file.door, *file.seal)
        if len(o.inputs) != (wanted := 2 if o.wiring is Wiring.DOUBLE else 1)
    ]


def _input_faults(file: ConfigFile, devices: list[Device]) -> list[Fault]:
    faults: list[Fault] = []
    by_id = {device.id: device for device in devices}
    users: dict[tuple[str, int], list[str]] = {}
    wired = [(o.id, o.device, o.inputs) for o in (*file.door, *file.seal)]
    wired += [(c.point, c.device, (c.input,)) for c in file.ssas.channels]
    for who, where, inputs in wired:
        if where not in file.device:
            faults.append(Fault(f'"{who}".device', f"there is no device {where!r}"))
            continue
        if (device := by_id.get(where)) is None:
            continue
        if device.spec.inputs is None:
            faults.append(Fault(f'"{who}".device', f"{where} ({device.spec.kind}) has no inputs"))
            continue
        count = device.spec.inputs(device.config)
        for number in inputs:
            users.setdefault((where, number), []).append(who)
            if number >= count:
                reason = f"{where} has inputs 0 to {count - 1}, not {number}"
                faults.append(Fault(f'"{who}".inputs', reason))
    faults += [
        Fault(f"device.{device} input {number}", f"used by {' and '.join(who)}")
        for (device, number), who in users.items()
        if len(who) > 1
    ]
    return faults


def _local_faults(file: ConfigFile, devices: list[Device]) -> list[Fault]:
    """Refuse a ship's record for devices that can only be simulators (DESIGN: never the ship's key)."""
    if file.record.origin == "demo":
        return []
    return [
        Fault(
            f"device.{device.id}",
            f'{address} is on this computer, as a simulator would be; say local = "why" if it is real',
        )
        for device in devices
        if device.local is None
        for address in _addresses(device.config)
        if address == "localhost" or address.startswith(("127.", "::1", "/dev/pts/"))
    ]


def _addresses(config: BaseModel) -> Iterator[str]:
    for value in config.__dict__.values():
        if isinstance(value, BaseModel):
            yield from _addresses(value)
    for name in ("host", "path", "port"):
        value = getattr(config, name, None)
        if isinstance(value, str | Path):
            yield str(value)


def _said(err: ValidationError, prefix: str, tree: Any) -> Iterator[Fault]:
    """Turn pydantic's findings into faults that an electro-technical officer can read."""
    for finding in err.errors():
        loc = finding["loc"]
        reason = finding["msg"]
        if finding["type"] == "extra_forbidden":
            reason = "there is no such setting"
        elif finding["type"] == "missing":
            reason = "is missing"
        elif loc and loc[0] == "ssas" and finding["type"] == "literal_error":
            reason = (
                f"{finding['input']!r} is refused: an SSAS unit is watched by its test lamp, test relay or text "
                "port only; the covert alert loop is never wired to general inputs"
            )
        yield Fault(_place(prefix, loc, tree), reason)


def _place(prefix: str, loc: tuple[int | str, ...], tree: Any) -> str:
    """Return a path such as ``door[2] "d12".inputs``, with the id of the table where it has one."""
    out = prefix
    here: Any = tree
    for step in loc:
        if isinstance(here, dict):
            here = here.get(str(step))
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            here = None
        out += f"[{step}]" if isinstance(step, int) else f".{step}" if out else str(step)
        if isinstance(step, int) and isinstance(here, dict):
            named = here.get("id") or here.get("name") or here.get("point")
            out += f' "{named}"' if named else ""
    return out
