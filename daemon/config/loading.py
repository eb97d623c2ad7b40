"""Read ``ispsd.toml``; find every fault of it in one go."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from daemon.assets import asset
from daemon.checks import catalogue
from daemon.config import formats, openly, reading, registry
from daemon.config.exporters import exporter_faults, exports
from daemon.config.faults import cross_faults, endless, said
from daemon.config.shape import (
    LONGEST_REASON,
    Config,
    ConfigFile,
    Device,
    DoorSection,
    MotionSection,
    Test,
    UpsSection,
)
from daemon.config.validating import validated
from daemon.drivers.api import Contact, SideDoor, TestLamp, Wiring
from daemon.errors import ConfigError, Fault
from daemon.model import DoorClass, Opening, OpeningKind, Person, Ship, Station

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CREDENTIALS = "persons.json"
"""Beside the record's folder: it belongs to the record's ship and computer, and goes into no copy of the record."""


def load(path: Path) -> Config:
    """Read a configuration.

    Raises:
        ConfigError: With every fault found.
    """
    return read(reading.raw(path), str(path))


def read(raw: bytes, name: str) -> Config:
    """Return the configuration that a file holds; one of an older format is read as if it had been migrated.

    Raises:
        ConfigError: With every fault found.
    """
    tree = reading.parsed(raw, name)
    if (fault := formats.fault_of(tree)) is not None:
        # What else is wrong with it cannot be told: another ispsd knows what may stand there.
        raise _refused(name, fault)
    was = formats.format_of(tree)
    formats.migrate(tree)
    return _build(name, tree, hashlib.sha256(raw).hexdigest(), was)


def _refused(name: str, *faults: Fault) -> ConfigError:
    return ConfigError(name, faults)


def _build(name: str, tree: dict[str, Any], sha256: str, written_in: int) -> Config:
    faults: list[Fault] = []
    file: ConfigFile | None = None
    try:
        file = validated(ConfigFile, tree)
    except ValidationError as err:
        faults += said(err, "", tree)
    parts = _tables(tree, "device")
    devices, device_faults = _devices(parts, file)
    tests, test_faults = _tests(tree.get("test", []))
    exporters, export_faults = exports(_tables(tree, "exporter"))
    faults += device_faults + test_faults + export_faults
    named = {fault.place for fault in faults}
    faults += [fault for fault in endless(tree) if fault.place not in named]
    if file is not None:
        faults += [*exporter_faults(file, exporters), *cross_faults(file, devices, tests)]
    if faults or file is None:
        raise ConfigError(name, tuple(faults), shown=openly.shown(faults, tree))
    return Config(
        ship=Ship(**file.ship.model_dump()),
        situation=file.watch.situation,
        security_level=file.watch.security_level,
        ship_time=timezone(timedelta(minutes=file.watch.ship_time_offset_min)),
        settle_after_boot_s=file.watch.settle_after_boot_s,
        contacts_start_proved=file.record.origin == "demo"
        and file.watch.contacts_start_proved is not False,
        escalation=file.alerts.escalation(),
        alterations=file.alerts.alterations,
        record=file.record,
        mqtt=file.mqtt,
        control=file.control,
        web=file.web,
        ais=file.ais.rules(),
        bam=file.bam,
        witnesses=tuple(section.witness() for section in file.witness),
        ssas_window_s=file.ssas.window_min * 60,
        false_alert=file.ssas.false_alert,
        gnss=file.gnss,
        persons=tuple(Person(p.name, p.rank, p.roles) for p in file.person),
        credentials_file=file.people.credentials_file or file.record.directory.parent / CREDENTIALS,
        stations=tuple(
            Station(s.id, s.attended_in, s.sso, s.gangway, s.citadel, s.sounder)
            for s in file.station
        ),
        annunciation=file.annunciation.settings(
            (s.id for s in file.station), warning_every_s=file.alerts.escalate_after_s
        ),
        openings=tuple(_openings(file)),
        lights={light.id: light.circuit for light in file.light},
        ups_rated_min={ups.id: ups.rated_min for ups in file.ups},
        buses={name: section.link for name, section in file.bus.items()},
        devices=tuple(devices),
        exporters=tuple(exporters),
        tests=tuple(tests),
        sha256=sha256,
        written_in=written_in,
        tree=tree,
        local=dict(_local(file, devices)),
    )


def _local(file: ConfigFile, devices: list[Device]) -> Iterator[tuple[str, str]]:
    """Yield what is on this very computer, and why."""
    said = [(f"device.{device.id}", device.local) for device in devices]
    said += [(f"bus.{name}", section.local) for name, section in file.bus.items()]
    said += [("bam", file.bam.local)] if file.bam is not None else []
    yield from ((place, reason) for place, reason in said if reason is not None)


def _openings(file: ConfigFile) -> Iterator[Opening]:
    for door in file.door:
        yield Opening(
            door.id, door.name, OpeningKind.DOOR, door.place, door.door_class, door.device
        )
        if door.lock_input is not None:
            yield _belonging(door, OpeningKind.LOCK)
    for seal in file.seal:
        yield Opening(seal.id, seal.name, OpeningKind.SEAL, seal.place, None, seal.device)
    for side in file.side_door:
        kind, door_class = OpeningKind.SIDE_DOOR, DoorClass.SIDE
        yield Opening(side.id, side.name, kind, side.place, door_class, side.device)
    for motion in file.motion_detector:
        yield Opening(motion.id, motion.name, OpeningKind.MOTION, motion.place, None, motion.device)
        if motion.tamper_input is not None:
            yield _belonging(motion, OpeningKind.TAMPER)
    for light in file.light:
        yield Opening(light.id, light.name, OpeningKind.LIGHT, light.place, None, light.device)
    for ups in file.ups:
        yield Opening(ups.id, ups.name, OpeningKind.MAINS, ups.place, None, ups.device)
        if ups.battery_input is not None:
            yield replace(_belonging(ups, OpeningKind.BATTERY), device=ups.battery_at)


def _belonging(to: DoorSection | MotionSection | UpsSection, kind: OpeningKind) -> Opening:
    """Return the lock of a door, the tamper loop of a detector, the battery of a UPS: a point, ``d05.lock``."""
    return Opening(f"{to.id}.{kind.value}", to.name, kind, to.place, None, to.device, of=to.id)


def _contacts(file: ConfigFile, device: str) -> Iterator[Contact]:
    """Yield every contact that is wired to a device."""
    wired = (*_of_openings(file), *_of_parts(file))
    yield from (contact for where, contact in wired if where == device)


def _of_openings(file: ConfigFile) -> Iterator[tuple[str, Contact]]:
    """Yield the contacts of what stands for itself, each with its device."""
    for opening in (*file.door, *file.seal):
        yield opening.device, Contact(opening.id, opening.inputs, opening.wiring)
    for motion in file.motion_detector:
        yield motion.device, Contact(motion.id, (motion.input,), Wiring.NC)
    for light in file.light:
        is_sensor = light.wiring is Wiring.LOOP_4_20_MA
        yield (
            light.device,
            Contact(light.id, (light.input,), light.wiring, has_between=is_sensor),
        )
    for ups in file.ups:
        yield ups.device, Contact(ups.id, (ups.mains_input,), Wiring.NC)


def _of_parts(file: ConfigFile) -> Iterator[tuple[str, Contact]]:
    """Yield the contacts of what belongs to something else: a lock, a tamper loop, a battery."""
    parts: tuple[tuple[DoorSection | MotionSection, OpeningKind, int | None], ...] = (
        *((door, OpeningKind.LOCK, door.lock_input) for door in file.door),
        *((motion, OpeningKind.TAMPER, motion.tamper_input) for motion in file.motion_detector),
    )
    for of, kind, number in parts:
        if number is not None:
            yield of.device, Contact(f"{of.id}.{kind.value}", (number,), Wiring.NC)
    for ups in file.ups:
        if ups.battery_input is not None:
            point = f"{ups.id}.{OpeningKind.BATTERY.value}"
            yield (
                ups.battery_at,
                Contact(point, (ups.battery_input,), ups.battery_wiring, ups.gauge),
            )


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
        if not isinstance(kind, str) or kind not in kinds:
            known = ", ".join(sorted(kinds))
            faults.append(Fault(f"{place}.kind", f"no driver {kind!r}; there are {known}"))
            continue
        own = {key: value for key, value in part.items() if key != "local"}
        try:
            config = validated(kinds[kind].config, own)
        except ValidationError as err:
            faults += said(err, place, part)
            continue
        contacts = tuple(_contacts(file, id_)) if file else ()
        lamps = tuple(
            TestLamp(c.point, c.input, c.lit_when)
            for c in (file.ssas.channels if file else ())
            if c.device == id_
        )
        side_doors = tuple(
            SideDoor(s.id, s.system, s.division, s.number)
            for s in (file.side_door if file else ())
            if s.device == id_
        )
        local = part.get("local")
        if local is not None and not _is_reason(local):
            faults.append(Fault(f"{place}.local", f"{local!r} is no reason; say why, in words"))
        devices.append(Device(id_, config, kinds[kind], contacts, lamps, side_doors, local))
    return devices, faults


def _is_reason(local: object) -> bool:
    return (
        isinstance(local, str) and 0 < len(local.strip()) <= LONGEST_REASON and local.isprintable()
    )


def _tests(parts: Any) -> tuple[list[Test], list[Fault]]:
    tests: list[Test] = []
    faults: list[Fault] = []
    shipped = catalogue.load(asset(catalogue.FILE))
    for number, part in enumerate(parts if isinstance(parts, list) else []):
        said_of = part if isinstance(part, dict) else {}
        named = said_of.get("id", said_of.get("use"))
        place = f'test[{number}] "{named}"' if named else f"test[{number}]"
        test, wrong = _test(place, said_of, shipped)
        tests += [test] if test is not None else []
        faults += wrong
    return tests, faults


def _test(
    place: str, part: dict[str, Any], shipped: Mapping[str, Mapping[str, Any]]
) -> tuple[Test | None, list[Fault]]:
    kinds, use = registry.checks(), part.get("use")
    entry = shipped.get(use) if isinstance(use, str) else None
    if use is not None and entry is None:
        return None, [Fault(f"{place}.use", catalogue.unknown(use, shipped))]
    whole = part if entry is None else catalogue.used(part, entry)
    kind = whole.get("kind") if entry is None else entry["kind"]
    if not isinstance(kind, str) or kind not in kinds:
        known = ", ".join(sorted(kinds))
        return None, [Fault(f"{place}.kind", f"no check {kind!r}; there are {known}")]
    spec = kinds[kind]
    try:
        config = validated(spec.config, {**whole, "kind": kind})
        if entry is None:
            return Test(config, spec), []
        found = catalogue.differences(config, part, entry)
    except ValidationError as err:
        return None, list(said(err, place, part))
    wrong = catalogue.faults(place, config, found, kind=kind, said_kind=part.get("kind"))
    return Test(config, spec, found), wrong
