"""Which simulator stands in for which device, and how does it begin? Pure: a configuration in, a plan out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from daemon.drivers.modbus import ModbusConfig
from daemon.drivers.modbus_reach import Part, blocks
from daemon.drivers.modbus_rtu import ModbusRtuConfig
from daemon.drivers.nmea import NmeaConfig
from daemon.drivers.onvif_recorder import OnvifRecorderConfig
from daemon.drivers.reach import ReachConfig
from daemon.drivers.rtsp_camera import RtspCameraConfig
from daemon.drivers.ssas_at import SsasAtConfig
from daemon.drivers.ssas_text import SsasTextConfig
from daemon.model import ContactState, Situation
from daemon.simulate import levels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from daemon.bam.settings import BamSection
    from daemon.config import Config
    from daemon.config.shape import Device
    from daemon.drivers.modbus_profile import Profile
    from daemon.drivers.modbus_unit import UnitConfig

Command: TypeAlias = "tuple[str, dict[str, Any]]"
"""A simulator's id and what it is told."""

LOOPBACK: Final = "127.0.0.1"
FEEDS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "nav": ("vessel", {"sends": ["gnss"]}),
    "ais": ("vessel", {"sends": ["ais"]}),
    "heading": ("heading", {}),
    "log": ("log", {}),
    "equipment": ("equipment", {"every_s": 5}),
    "doors": ("side_doors", {"every_s": 5}),
}
"""The simulator of each NMEA feed. Mirrored equipment repeats itself sooner than in life, so that it is soon seen."""
OUTLETS: Final[Mapping[str, dict[str, Any]]] = {
    "tcp": {},
    "serial": {"serial": True},
    "udp": {"to": "127.0.0.1:0"},
    "tcp_server": {},
    "replay": {},
}
"""How the stand-in talks, by the kind of the real link."""
NAVIGATION_STATUS: Final = {
    Situation.SEA: 0,
    Situation.MANOEUVRING: 0,
    Situation.ANCHOR: 1,
    Situation.PORT: 5,
    Situation.YARD: 5,
}
"""ITU-R M.1371-5 table 48."""
SERIAL_KINDS: Final = frozenset({"rtu_line", "ssas_unit"})
PANEL: Final = "bam"
"""The stand-in of the central alert panel of ``[bam]``, and how it is called in a scenario."""
PANEL_KIND: Final = "central_alert_panel"
LONGEST_DIVISION = 3
"""What the simulator of shell doors can say."""
MOVES: Final = {
    "open": ContactState.OPEN,
    "close": ContactState.CLOSED,
    "cut": ContactState.LINE_FAULT,
}


@dataclass(slots=True)
class Plan:
    """The stand-ins of a ship.

    Attributes:
        units: The simulators' own file, one table each.
        first: What they are told before anybody looks.
        of_device: The simulator of each device, and what its commands need besides, such as a unit's id on a bus.
        of_bus: The simulator of each bus.
        moves: For each door or seal and each of ``MOVES``: what its simulators are told.
        left_out: Devices without a stand-in, and why.
        notes: What an integrator should know.
    """

    units: list[dict[str, Any]] = field(default_factory=list)
    first: list[Command] = field(default_factory=list)
    of_device: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    of_bus: dict[str, str] = field(default_factory=dict)
    moves: dict[str, dict[str, list[Command]]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def planned(config: Config) -> Plan:
    """Return the stand-ins of every device."""
    plan = Plan()
    for device in config.devices:
        match device.config:
            case ModbusConfig() as unit:
                _add_io_unit(plan, device, unit)
            case ModbusRtuConfig() as unit:
                _add_to_bus(plan, device, unit)
            case NmeaConfig() as feed:
                _add_feed(plan, device, feed, config)
            case SsasTextConfig() as text:
                _add_ssas(plan, device, text)
            case ReachConfig():
                plan.units.append({"id": device.id, "kind": "web_unit"})
                plan.of_device[device.id] = (device.id, {})
            case RtspCameraConfig():
                plan.units.append({"id": device.id, "kind": "camera"})
                plan.of_device[device.id] = (device.id, {})
            case OnvifRecorderConfig():
                plan.units.append({"id": device.id, "kind": "recorder"})
                plan.of_device[device.id] = (device.id, {})
            case SsasAtConfig():
                plan.units.append({"id": device.id, "kind": "ssas_modem"})
                plan.of_device[device.id] = (device.id, {})
            case _:
                plan.left_out[device.id] = f"there is no simulator of a {device.spec.kind}"
    return plan if config.bam is None else with_panel(plan, config.bam)


def with_names(plan: Plan, folder: Path) -> None:
    """Give each serial line a name of its own in a folder, as ``by-path`` does: it stays the same when unplugged."""
    for unit in plan.units:
        is_panels_line = unit["kind"] == PANEL_KIND and "group" not in unit
        if unit.get("serial") or unit["kind"] in SERIAL_KINDS or is_panels_line:
            unit["link"] = str(folder / f"serial-{unit['id']}")


def _add_io_unit(plan: Plan, device: Device, unit: ModbusConfig) -> None:
    profile = unit.fitted_profile()
    plan.units.append(
        {
            "id": device.id,
            "kind": "io_unit",
            "unit": profile.unit if unit.unit is None else unit.unit,
            **_places(profile, unit),
        }
    )
    _add_inputs(plan, device, profile, (device.id, {}))


def _add_to_bus(plan: Plan, device: Device, unit: ModbusRtuConfig) -> None:
    profile = unit.fitted_profile()
    name = plan.of_bus.setdefault(unit.bus, f"bus-{unit.bus}")
    line = next((each for each in plan.units if each["id"] == name), None)
    if line is None:
        line = {"id": name, "kind": "rtu_line", "units": []}
        plan.units.append(line)
    line["units"].append({"id": unit.unit, **_places(profile, unit)})
    _add_inputs(plan, device, profile, (name, {"id": unit.unit}))


def _places(profile: Profile, unit: UnitConfig) -> dict[str, Any]:
    """Return where the stand-in has its inputs; counters, latches and the like are there, and stand at 0."""
    tables = list(blocks(profile, counters=unit.counters, latches=unit.latches))
    zeros = [[b.function, b.address, b.count] for b in tables if b.part is not Part.STATES]
    return {
        "function": profile.function,
        "address": profile.address,
        "inputs": levels.bits(profile),
        **({"zeros": zeros} if zeros else {}),
    }


def _add_inputs(
    plan: Plan, device: Device, profile: Profile, place: tuple[str, dict[str, Any]]
) -> None:
    """Begin with every contact closed and every test lamp dark; know how each contact moves."""
    name, also = plan.of_device[device.id] = place
    rest = levels.at_rest(device.contacts, device.test_lamps, profile)
    plan.first.append((name, {"do": "inputs", **also, "on": rest}))
    for contact in device.contacts:
        plan.moves[contact.point] = {
            move: [
                (name, {"do": "set", **also, "input": number, "on": on})
                for number, on in levels.of_contact(contact, state, profile).items()
            ]
            for move, state in MOVES.items()
        }


def _add_feed(plan: Plan, device: Device, feed: NmeaConfig, config: Config) -> None:
    kind, settings = FEEDS[feed.feed]
    too_long = [door for door in device.side_doors if len(door.division) > LONGEST_DIVISION]
    if too_long:
        plan.left_out[device.id] = (
            f"division {too_long[0].division!r} is longer than its simulator can say"
        )
        return
    unit = {"id": device.id, "kind": kind, **settings, **OUTLETS[feed.link.kind]}
    if feed.talkers and feed.feed != "ais":
        unit["talker"] = feed.talkers[0]
    if feed.sources:
        unit["source"] = feed.sources[0]
    if feed.feed == "nav":
        receivers = sum(1 for each in plan.units if each.get("sends") == ["gnss"])
        unit["antenna_north_m"] = config.gnss.antennas_apart_m * receivers
    if feed.feed == "doors":
        unit["doors"] = [
            {
                "name": door.point,
                "system": door.system,
                "division": door.division,
                "number": door.number,
            }
            for door in device.side_doors
        ]
    plan.units.append(unit)
    plan.of_device[device.id] = (device.id, {})
    _begin_feed(plan, device, feed, config)


def _begin_feed(plan: Plan, device: Device, feed: NmeaConfig, config: Config) -> None:
    for door in device.side_doors:
        verbs = {"open": "open", "close": "close", "cut": "fault"}
        plan.moves[door.point] = {
            move: [(device.id, {"do": verb, "door": door.point})] for move, verb in verbs.items()
        }
    if feed.feed == "ais":
        status = NAVIGATION_STATUS[config.situation]
        plan.first.append((device.id, {"do": "status", "value": status}))
        identity = {
            "do": "identity",
            "mmsi": config.ship.mmsi,
            "imo_number": config.ship.imo_number,
            "name": config.ship.name_sent,
            "call_sign": config.ship.call_sign,
        }
        plan.first.append((device.id, identity))


def with_panel(plan: Plan, bam: BamSection) -> Plan:
    """Return a plan with a panel where the ship's is: on a serial line, or in the same group on this computer alone."""
    if PANEL in plan.of_device:
        notes = [
            *plan.notes,
            "the panel of [bam] is left out: there is one, or a device of that name",
        ]
        return replace(plan, notes=notes)
    unit: dict[str, Any] = {"id": PANEL, "kind": PANEL_KIND, "mode": bam.mode.value, "hbt_s": 10}
    if bam.group is not None:
        unit |= {"group": str(bam.group), "udp_port": bam.group_port, "interface": LOOPBACK}
    said = f"type {PANEL} acknowledge, {PANEL} silence or {PANEL} transfer for the panel of [bam]"
    return replace(
        plan,
        units=[*plan.units, unit],
        of_device={**plan.of_device, PANEL: (PANEL, {})},
        notes=[*plan.notes, said],
    )


def _add_ssas(plan: Plan, device: Device, text: SsasTextConfig) -> None:
    if not text.profile.startswith("jrc-"):
        plan.left_out[device.id] = f"no simulator prints as a {text.profile}"
        return
    plan.units.append({"id": device.id, "kind": "ssas_unit"})
    plan.of_device[device.id] = (device.id, {})
