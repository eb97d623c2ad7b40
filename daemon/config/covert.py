"""Is what is named as an SSAS source one that may be watched, and could it take a real alert for a test?

Invariant 1 of the design: an SSAS unit is watched by its test lamp, test relay or text port, and whatever cannot be
told from a real alert is treated as one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from daemon.checks.flags import (
    addressee_fault,
    interval_fault,
    load_flag,
    occasion_fault,
    trigger_fault,
    yearly_fault,
)
from daemon.checks.ssas_settings import FlagTestConfig
from daemon.config.sharing import line_of
from daemon.drivers.links import SerialLink, TcpServerLink, UdpLink
from daemon.drivers.modbus_unit import UnitConfig
from daemon.drivers.ssas_at import SsasAtConfig
from daemon.errors import Fault
from daemon.model import Classification, Regime, SecurityLevel, Situation
from daemon.testing import schedule

if TYPE_CHECKING:
    from daemon.config.shape import ConfigFile, Device, Test
    from daemon.drivers.links import Link

SLOWEST_LAMP_POLL_S: Final = 0.25
"""With a poll's delay that stays below the longest gap over which a lamp's blinking is clear
(``daemon.checks.lamp_patterns.LONGEST_GAP_S``)."""


def channel_refusal(kind: Any) -> str:
    """Return why a kind of SSAS channel is refused."""
    return (
        f"{kind!r} is refused: an SSAS unit is watched by its test lamp, test relay or text "
        "port only; the covert alert loop is never wired to general inputs"
    )


def ssas_faults(file: ConfigFile, devices: list[Device], tests: list[Test]) -> list[Fault]:
    """Return what is wrong with SSAS tests and with the units that they watch."""
    faults = [
        *_source_faults(devices, tests),
        *_naming_faults(file, devices, tests),
        *_lone_faults(devices),
        *_slow_faults(devices, tests),
        *_wording_faults(file, devices),
        *_rule_faults(tests),
        *_yearly_faults(tests),
        *_window_faults(file, tests),
    ]
    # Of a play, all that is left out is at one address, where nobody is.
    if file.record.origin != "demo":
        faults += [*_sharing_faults(file, devices), *_unit_faults(file, devices)]
    return faults


def _slow_faults(devices: list[Device], tests: list[Test]) -> list[Fault]:
    """Refuse a test whose lamp is on a unit that is asked too seldom: it would go ashore, its lamp never seen."""
    looked_at = {point for test in tests for point in test.spec.points(test.config)}
    return [
        Fault(
            f"device.{device.id}",
            f"poll_s is {poll_s:g}: a unit with a test lamp, which blinks twice a second, is asked every "
            f"{SLOWEST_LAMP_POLL_S:g} s at least",
        )
        for device in devices
        if any(lamp.point in looked_at for lamp in device.test_lamps)
        and (poll_s := float(getattr(device.config, "poll_s", 0.0))) > SLOWEST_LAMP_POLL_S
    ]


def _rule_faults(tests: list[Test]) -> list[Fault]:
    """Refuse an interval or an addressee that the flag's rule does not have."""
    faults: list[Fault] = []
    for test in tests:
        if not isinstance(test.config, FlagTestConfig) or not test.spec.needs_window:
            continue
        profile = load_flag(test.config.flag_profile)
        reasons = (
            addressee_fault(profile, [each.kind for each in test.config.addressees]),
            interval_fault(profile, _longest_days(test), occasion=test.config.occasion),
            trigger_fault(profile, test.config.after),
            occasion_fault(profile, test.config.occasion),
        )
        place = f'test "{test.config.id}"'
        faults += [Fault(place, f"{each} ({profile.quoted})") for each in reasons if each]
    return faults


def _yearly_faults(tests: list[Test]) -> list[Fault]:
    """Refuse a plan without the test that a flag wants once a year on an occasion of its own."""
    sent: dict[str, list[Test]] = {}
    for test in tests:
        if isinstance(test.config, FlagTestConfig) and test.spec.needs_window:
            sent.setdefault(test.config.flag_profile, []).append(test)
    faults = []
    for flag, of_flag in sent.items():
        profile = load_flag(flag)
        yearly = [(getattr(each.config, "occasion", ""), _longest_days(each)) for each in of_flag]
        if reason := yearly_fault(profile, yearly):
            faults.append(Fault(f'test "{of_flag[0].config.id}"', f"{reason} ({profile.quoted})"))
    return faults


def _longest_days(test: Test) -> int | None:
    """Return after how many days at the latest the test is overdue, whatever the ship does; None: never."""
    limits = [
        schedule.plan_of(test.config, test.spec, Regime(situation, level)).limit
        for situation in Situation
        for level in SecurityLevel
    ]
    days = [limit.days for limit in limits if limit is not None]
    return max(days) if len(days) == len(limits) else None


def _window_faults(file: ConfigFile, tests: list[Test]) -> list[Fault]:
    """Refuse a test that no window of the ship can hold, and one without its false alert card."""
    covert = [test for test in tests if test.spec.needs_window]
    faults = [
        Fault(
            f'test "{test.config.id}"',
            f"it needs {needs_s / 60:.0f} min of a test window, and [ssas] window_min is "
            f"{file.ssas.window_min:g}",
        )
        for test in covert
        if test.spec.window_s is not None
        and (needs_s := test.spec.window_s(test.config)) > file.ssas.window_min * 60
    ]
    if covert and file.ssas.false_alert is None:
        reason = "is missing: every SSAS test has its false alert card, whom to call and how"
        faults.append(Fault("ssas.false_alert", reason))
    return faults


def _source_faults(devices: list[Device], tests: list[Test]) -> list[Fault]:
    """Refuse a test whose evidence would come from anything but an SSAS unit: a door, a GMDSS terminal's alerts."""
    lamps = {lamp.point for device in devices for lamp in device.test_lamps}
    units = tuple(f"{device.id}." for device in devices if device.spec.covert)
    return [
        Fault(
            f'test "{test.config.id}"',
            f"{point!r} is no SSAS source: name a test lamp of [ssas] or the port of an SSAS unit",
        )
        for test in tests
        if test.spec.needs_window
        for point in test.spec.points(test.config)
        if point not in lamps and not point.startswith(units)
    ]


def _naming_faults(file: ConfigFile, devices: list[Device], tests: list[Test]) -> list[Fault]:
    """Refuse SSAS equipment under a name that something open has: that would show what becomes of it."""
    openings = (
        *(each.id for each in (*file.door, *file.seal)),
        *(each.id for each in file.side_door),
        *(each.id for each in file.motion_detector),
        *(each.id for each in file.light),
        *(each.id for each in file.ups),
    )
    taken = {
        **{t.config.equipment: f'that of test "{t.config.id}"' for t in tests if not _is_ssas(t)},
        **dict.fromkeys(openings, "an opening"),
        **dict.fromkeys(file.bus, "a bus"),
        **{device.id: "a device" for device in devices if not device.spec.covert},
    }
    return [
        Fault(
            f'test "{test.config.id}"',
            f"equipment {test.config.equipment!r} is {taken[test.config.equipment]} too: "
            "SSAS equipment has a name that nothing else has",
        )
        for test in tests
        if _is_ssas(test) and test.config.equipment in taken
    ]


def _is_ssas(test: Test) -> bool:
    return test.classification is Classification.SSO


def _wording_faults(file: ConfigFile, devices: list[Device]) -> list[Fault]:
    """Refuse a unit for which every text that names this ship, a real alert's too, would read as a test."""
    names = f"{file.ship.name} {file.ship.call_sign}"
    return [
        Fault(
            f"device.{device.id}",
            f"a real alert of {file.ship.name} would read as a test on this port: watch the unit otherwise",
        )
        for device in devices
        if isinstance(device.config, SsasAtConfig) and device.config.reads_as_test(names)
    ]


def _sharing_faults(file: ConfigFile, devices: list[Device]) -> list[Fault]:
    """Refuse whoever opens an SSAS unit's port beside its own driver: he would read it outside a test window."""
    openers = [(f"bus.{name}", bus.link) for name, bus in file.bus.items()]
    openers += [(f"device.{each.id}", link) for each in devices if (link := each.port)]
    return [
        Fault(
            f"device.{device.id}",
            f"{own.name} is the port of {place} as well: an SSAS unit shares its port with nobody",
        )
        for device in devices
        if device.spec.covert and (own := device.port) is not None
        for place, other in openers
        if place != f"device.{device.id}" and _are_one_port(own, other)
    ]


def _unit_faults(file: ConfigFile, devices: list[Device]) -> list[Fault]:
    """Refuse a second device that asks a unit with a test lamp: to it the lamp is an input like any other."""
    units = [
        (device, _asked_at(device, device.config, file))
        for device in devices
        if isinstance(device.config, UnitConfig)
    ]
    return [
        Fault(
            f"device.{device.id}",
            f"{other.id} asks the same unit: one that has an SSAS test lamp is one device",
        )
        for device, unit in units
        if device.test_lamps
        for other, others_unit in units
        if other is not device and others_unit == unit
    ]


def _lone_faults(devices: list[Device]) -> list[Fault]:
    """Refuse a unit that is there for the SSAS alone: all that is shown of a unit would be shown of the SSAS."""
    return [
        Fault(
            f"device.{device.id}",
            "carries nothing but SSAS test lamps: it would be asked, and its loss be told, outside a test window. "
            "Wire them to a unit that carries doors, seals or detectors as well",
        )
        for device in devices
        if device.test_lamps and not (device.contacts or device.side_doors)
    ]


def _asked_at(device: Device, config: UnitConfig, file: ConfigFile) -> tuple[str, int]:
    """Return where a unit is asked, and by which number: two buses may be one line."""
    line, unit = line_of(device, config)
    bus = None if device.bus is None else file.bus.get(device.bus)
    return (line if bus is None else _port(bus.link)).lower(), unit


def _port(link: Link) -> str:
    """Return what is opened; several names may lead to one device file on this computer."""
    return os.path.realpath(link.port) if isinstance(link, SerialLink) else link.name


def _are_one_port(one: Link, other: Link) -> bool:
    """Return whether two links open one port; an address that is none means all of ours."""
    if isinstance(one, UdpLink | TcpServerLink) and isinstance(other, UdpLink | TcpServerLink):
        hosts = {one.host, other.host}
        is_one_host = len(hosts) == 1 or any(host.is_unspecified for host in hosts)
        return (one.kind, one.port) == (other.kind, other.port) and is_one_host
    return _port(one).lower() == _port(other).lower()
