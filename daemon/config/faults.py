"""What is wrong with a configuration, in words that an electro-technical officer can act on?

pydantic's findings are put into our words; what needs more than one place to judge is checked here: does the door's
device exist, is an input taken twice, does a test listen to a sensor that nothing emits.
"""

from __future__ import annotations

import math
import os
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from daemon.alerts import catalogue
from daemon.assets import asset
from daemon.checks.station_sound import StationSoundConfig
from daemon.computer.clock import SystemClock
from daemon.config import words
from daemon.config.alerting import alteration_faults
from daemon.config.covert import channel_refusal, ssas_faults
from daemon.config.panel import panel_faults
from daemon.drivers.api import DriverContext, Wiring
from daemon.drivers.links import ReplayLink
from daemon.errors import Fault
from daemon.gate import CovertGate
from daemon.model import Classification, Provenance, Situation
from daemon.mqtt.access import OWNER
from daemon.mqtt.wire import Broker
from daemon.wording.lines import folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.config.shape import (
        ConfigFile,
        Device,
        LightSection,
        MotionSection,
        MqttSection,
        OpeningSection,
        RecordSection,
        SideDoorSection,
        Test,
        UpsSection,
    )
    from daemon.drivers.api import PointSpec


PAIRS = frozenset({Wiring.DOUBLE, Wiring.NAMUR})
"""What takes two inputs."""


def cross_faults(file: ConfigFile, devices: list[Device], tests: list[Test]) -> list[Fault]:
    """Return what is wrong although every part for itself is right."""
    faults = [
        *_twice("person", [p.name for p in file.person]),
        *_alike("person", [p.name for p in file.person]),
        *_twice("station", [s.id for s in file.station]),
        *_twice("witness", [w.name for w in file.witness]),
        *_twice("witness key", [w.key for w in file.witness]),
        *_twice("door, seal, detector, light and UPS", [o.id for o in _watched(file)]),
        *_twice("test", [t.config.id for t in tests]),
        *_imo_fault(file.ship.imo_number),
        *_proof_fault(file),
        *_record_faults(file.record),
        *_broker_fault(file.mqtt),
        *_user_faults(file),
        *_chain_faults(file),
        *_sound_faults(file, tests),
        *_wiring_faults(file),
        *_bus_faults(file, devices),
        *_input_faults(file, devices),
        *_local_faults(file, devices),
        *alteration_faults(file),
        *ssas_faults(file, devices, tests),
        *panel_faults(file, devices),
        *_alert_faults(tests),
    ]
    if not any(file.watch.situation in s.attended_in for s in file.station):
        faults.append(
            Fault("station", f"no station is attended in situation {file.watch.situation.value}")
        )
    # A driver names the first thing it refuses, so it is asked only when nothing above is wrong.
    return faults or _point_faults(file, devices, tests)


def _watched(
    file: ConfigFile,
) -> list[OpeningSection | SideDoorSection | MotionSection | LightSection | UpsSection]:
    return [
        *file.door,
        *file.seal,
        *file.side_door,
        *file.motion_detector,
        *file.light,
        *file.ups,
    ]


def _point_faults(file: ConfigFile, devices: list[Device], tests: list[Test]) -> list[Fault]:
    faults: list[Fault] = []
    known: dict[str, tuple[str, Classification]] = {}
    for device in devices:
        try:
            points = _points(device, file)
        except ValueError as err:
            faults.append(Fault(f"device.{device.id}", str(err)))
            continue
        for point in points:
            if point.id in known:
                # One would be shown as the other: an SSAS test lamp as a door.
                owner = known[point.id][0]
                words = f"point {point.id!r} is one of {owner} already: each has a name of its own"
                faults.append(Fault(f"device.{device.id}", words))
            known[point.id] = device.id, point.classification
    if len(devices) < len(file.device):
        return faults  # what the others emit is not known while they are wrong themselves
    owners = {point.partition(".")[0] for point in known} | file.device.keys()
    return faults or list(
        dict.fromkeys(fault for test in tests for fault in _heard_faults(test, known, owners))
    )


def _heard_faults(
    test: Test, known: dict[str, tuple[str, Classification]], owners: set[str]
) -> Iterator[Fault]:
    """Refuse a test that listens to what is not there, or not for it."""
    place = f'test "{test.config.id}"'
    for point in test.spec.points(test.config):
        owner, dot, _ = point.partition(".")
        if dot and point not in known and owner not in owners:
            yield Fault(place, f"there is no device, and nothing that is watched, of id {owner!r}")
        elif reason := _not_for(test, known[point][1] if point in known else None):
            yield Fault(place, f"listens to point {point!r}, {reason}")


def _alert_faults(tests: list[Test]) -> Iterator[Fault]:
    """Refuse a test that waits for an alert of a key that there is not: it could never be SAT."""
    waited = [(test, alert) for test in tests for alert in test.spec.alerts(test.config)]
    keys = tuple(f"{key}." for key in catalogue.load(asset("alerts.toml"))) if waited else ()
    for test, alert in waited:
        if not alert.startswith(keys):
            yield Fault(
                f'test "{test.config.id}"',
                f"waits for {alert!r}: there is no such alert; `ispsd alerts` names them, and the source comes behind",
            )


def _not_for(test: Test, classification: Classification | None) -> str | None:
    """Return why a test cannot listen to a point of that class; None: nothing emits it (invariant 1)."""
    if classification is None:
        return "which nothing emits"
    if classification is Classification.SSO and test.spec.classification is Classification.WATCH:
        return "which is SSAS equipment: only its own tests may look at it"
    return None


def _points(device: Device, file: ConfigFile) -> tuple[PointSpec, ...]:
    """Return the points of a device, by building its driver, which validates and touches nothing.

    Raises:
        ValueError: The driver refuses what is wired to it.
    """
    clock = SystemClock()
    context = DriverContext(
        device=device.id,
        clock=clock,
        gate=CovertGate(clock),
        provenance=Provenance.SIMULATED,
        contacts=device.contacts,
        test_lamps=device.test_lamps,
        side_doors=device.side_doors,
        buses={name: section.link for name, section in file.bus.items()},
    )
    return device.spec.build(device.config, context).points()


def _twice(what: str, ids: list[str]) -> list[Fault]:
    return [
        Fault(what, f"{id_!r} stands {ids.count(id_)} times")
        for id_ in dict.fromkeys(ids)
        if ids.count(id_) > 1
    ]


def _alike(what: str, names: list[str]) -> Iterator[Fault]:
    """Refuse names that differ in case and blanks only: nobody could tell whose entry is whose."""
    spelt: dict[str, str] = {}
    for name in dict.fromkeys(names):
        other = spelt.setdefault(folded(name), name)
        if other != name:
            yield Fault(what, f"{other!r} and {name!r} are written too much alike")


def _imo_fault(number: int) -> list[Fault]:
    digits = [int(digit) for digit in str(number)]
    check = sum(digit * (7 - place) for place, digit in enumerate(digits[:6])) % 10
    if check == digits[6]:
        return []
    return [Fault("ship.imo_number", f"{number}: the check digit must be {check}")]


def _proof_fault(file: ConfigFile) -> list[Fault]:
    if file.record.origin == "demo" or not file.watch.contacts_start_proved:
        return []
    return [Fault("watch.contacts_start_proved", "a ship's contacts are proved one by one")]


def _record_faults(section: RecordSection) -> Iterator[Fault]:
    """Refuse a second copy or a key in the place of the record; links are followed when it is copied, not here."""
    record = Path(os.path.normpath(section.directory))
    if (copies := section.copy_directory) is not None:
        copies = Path(os.path.normpath(copies))
        if copies.is_relative_to(record) or record.is_relative_to(copies):
            reason = f"{copies} and the record's own {record}: neither may lie in the other"
            yield Fault("record.copy_directory", reason)
    if Path(os.path.normpath(section.key_file)) == record:
        yield Fault("record.key_file", f"{record} is the record's folder")


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


def _user_faults(file: ConfigFile) -> list[Fault]:
    """Refuse a station that the broker would take for the daemon, who alone writes state."""
    reason = "is the daemon's own user at the broker; call the station by another name"
    own = file.mqtt.user or OWNER
    return [Fault(f'station "{s.id}".id', reason) for s in file.station if s.id == own]


def _chain_faults(file: ConfigFile) -> list[Fault]:
    """Refuse a station that is called and is not there, is called twice, or whose turn never comes."""
    known = {station.id for station in file.station}
    faults: list[Fault] = []
    section = file.annunciation
    for situation in Situation:
        for name, chain in (("chain", section.chain), ("raised_chain", section.raised_chain)):
            named = chain.of(situation) or ()
            place = f"annunciation.{name}.{situation.value}"
            faults += [
                Fault(place, f"there is no station {id_!r}") for id_ in named if id_ not in known
            ]
            faults += _twice(place, list(named))
        first = section.chain.of(situation) or ()
        then = section.raised_chain.of(situation) or ()
        faults += [
            Fault(f"annunciation.raised_chain.{situation.value}", f"{id_!r} is in chain already")
            for id_ in then
            if id_ in first
        ]
    return faults


def _sound_faults(file: ConfigFile, tests: list[Test]) -> list[Fault]:
    """Refuse a test of the sound of a station that is not there."""
    known = {station.id for station in file.station}
    return [
        Fault(f'test "{test.config.id}".stations', f"there is no station {id_!r}")
        for test in tests
        if isinstance(test.config, StationSoundConfig)
        for id_ in test.config.stations
        if id_ not in known
    ]


def _wiring_faults(file: ConfigFile) -> list[Fault]:
    return [
        Fault(
            f'"{o.id}".inputs',
            f"wiring {o.wiring.value} wants {wanted} input{'s' * (wanted > 1)}, {len(o.inputs)} given",
        )
        for o in (*file.door, *file.seal)
        if len(o.inputs) != (wanted := 2 if o.wiring in PAIRS else 1)
    ] + [
        Fault(f'"{light.id}".wiring', f"a light has one input: no wiring {light.wiring.value}")
        for light in file.light
        if light.wiring in PAIRS
    ]


def _input_faults(file: ConfigFile, devices: list[Device]) -> list[Fault]:
    faults: list[Fault] = []
    by_id = {device.id: device for device in devices}
    users: dict[tuple[str, int], list[str]] = {}
    wired = [(o.id, o.device, o.inputs) for o in (*file.door, *file.seal)]
    wired += [(d.id, d.device, (d.lock_input,)) for d in file.door if d.lock_input is not None]
    wired += [(m.id, m.device, (m.input,)) for m in file.motion_detector]
    wired += [
        (m.id, m.device, (m.tamper_input,))
        for m in file.motion_detector
        if m.tamper_input is not None
    ]
    wired += [(light.id, light.device, (light.input,)) for light in file.light]
    wired += [(u.id, u.device, (u.mains_input,)) for u in file.ups]
    wired += [
        (f"{u.id}.battery", u.battery_at, (u.battery_input,))
        for u in file.ups
        if u.battery_input is not None
    ]
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


def _bus_faults(file: ConfigFile, devices: list[Device]) -> list[Fault]:
    """Refuse a bus that is not there, and a side door on a device that tells of none."""
    faults = [
        Fault(f"device.{device.id}.bus", f"there is no bus {device.bus!r}")
        for device in devices
        if device.bus is not None and device.bus not in file.bus
    ]
    by_id = {device.id: device for device in devices}
    for side in file.side_door:
        if side.device not in file.device:
            faults.append(Fault(f'"{side.id}".device', f"there is no device {side.device!r}"))
        elif (device := by_id.get(side.device)) is None:
            continue
        elif not device.spec.side_doors(device.config):
            faults.append(Fault(f'"{side.id}".device', f"{side.device} tells of no side doors"))
    return faults


def _local_faults(file: ConfigFile, devices: list[Device]) -> list[Fault]:
    """Refuse a ship's record for devices that can only be simulators (DESIGN: never the ship's key)."""
    if file.record.origin == "demo":
        return []
    of_devices = [(f"device.{d.id}", d.config) for d in devices if d.local is None]
    of_buses: list[tuple[str, BaseModel]] = [
        (f"bus.{name}", section) for name, section in file.bus.items() if section.local is None
    ]
    if file.bam is not None and file.bam.local is None:
        of_buses.append(("bam", file.bam))
    return [
        Fault(
            place,
            f'{address} is on this computer, as a simulator would be; say local = "why" if it is real',
        )
        for place, config in (*of_devices, *of_buses)
        for address in _addresses(config)
        if address == "localhost" or address.startswith(("127.", "::1", "/dev/pts/", REPLAY))
    ]


REPLAY = "recording "
"""What speaks in a device's place though it is none."""


def _addresses(config: BaseModel) -> Iterator[str]:
    if isinstance(config, ReplayLink):
        yield f"{REPLAY}{config.path}"
        return
    for value in config.__dict__.values():
        if isinstance(value, BaseModel):
            yield from _addresses(value)
    for name in ("host", "interface", "path", "port"):
        value = getattr(config, name, None)
        if isinstance(value, str | Path | IPv4Address):
            yield str(value)


def said(err: ValidationError, prefix: str, tree: Any) -> Iterator[Fault]:
    """Turn pydantic's findings into faults that an electro-technical officer can read."""
    findings = err.errors()
    for finding in findings:
        loc = finding["loc"]
        if finding["type"] == "too_short" and any(
            other["loc"][: len(loc)] == loc and other is not finding for other in findings
        ):
            continue  # it has too few because some of it is wrong, which is said
        if loc and loc[0] == "ssas" and finding["type"] == "literal_error":
            reason = channel_refusal(finding["input"])
        else:
            reason = words.reason(finding)
        yield Fault(_place(prefix, loc, tree), reason)


def endless(tree: dict[str, Any]) -> Iterator[Fault]:
    """Refuse a number without end, or that is none: no clock comes to it, and no page is told it."""
    left: list[tuple[tuple[int | str, ...], Any]] = [((), tree)]
    while left:
        loc, here = left.pop()
        if isinstance(here, dict | list):
            parts = here.items() if isinstance(here, dict) else enumerate(here)
            left += [((*loc, step), part) for step, part in parts]
        elif isinstance(here, float) and not math.isfinite(here):
            yield Fault(_place("", loc, tree), f"{here} is no number that can be measured")


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
