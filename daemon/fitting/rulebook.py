"""Which rules watch this ship? One rule for each thing of the configuration that can be wrong."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from daemon.alerts.rules.cctv import CamerasRule, RecorderRule
from daemon.alerts.rules.clock import ClockRule
from daemon.alerts.rules.devices import BusRule, DeviceRule
from daemon.alerts.rules.gnss import OF_COMPASS, OF_LOG, GnssRule
from daemon.alerts.rules.gnss_fusion import Suspicion
from daemon.alerts.rules.gnss_limits import Antennas
from daemon.alerts.rules.lights import LightsRule
from daemon.alerts.rules.lines import LineRule
from daemon.alerts.rules.openings import OPENED, OpeningRule
from daemon.alerts.rules.other_ships import OtherShipsRule
from daemon.alerts.rules.own_ais import OwnAisRule
from daemon.alerts.rules.own_id import OwnIdRule
from daemon.alerts.rules.power import PowerRule
from daemon.drivers.onvif_recorder import OnvifRecorderConfig
from daemon.drivers.rtsp_camera import RtspCameraConfig
from daemon.model import OpeningKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from daemon.alerts.policy import Policy
    from daemon.alerts.rules.api import Holds, Rule
    from daemon.config import Config

LINES = frozenset({OpeningKind.LOCK, OpeningKind.LIGHT, OpeningKind.MAINS, OpeningKind.BATTERY})
"""What else hangs on a line that can be cut or shorted."""


def rules(
    config: Config,
    *,
    policy: Policy,
    points: Collection[str],
    valid_for_s: Callable[[str], float],
    holds: Holds,
) -> Iterator[Rule]:
    """Yield every rule of a ship.

    Args:
        config: What there is.
        policy: What each class of door must be.
        points: Every point that the drivers may emit.
        valid_for_s: How long a point's value is believed, in seconds.
        holds: Which alerts stood when the daemon last stopped.
    """
    yield from _openings(config, policy, holds)
    yield from _devices(config)
    yield from _lines(config)
    yield from _lights(config, points)
    yield from _power(config)
    yield from _cameras(config)
    for point in points:
        device, _, name = point.rpartition(".")
        if name == "own_report":
            yield OwnAisRule(device, ship=config.ship, valid_for_s=valid_for_s(point), holds=holds)
        elif name == "traffic":
            yield OwnIdRule(device, ship=config.ship)
            yield OtherShipsRule(
                device,
                receivers=[p.rpartition(".")[0] for p in points if p.endswith(".fix")],
                ship=config.ship,
                rules=config.ais,
                holds=holds,
            )
        elif name == "time":
            yield ClockRule(device)
    if receivers := [point.rpartition(".")[0] for point in points if point.endswith(".fix")]:
        yield _gnss(config, receivers, points)


def _gnss(config: Config, receivers: list[str], points: Collection[str]) -> GnssRule:
    """Return the rule of all receivers, with all that can be held against them."""
    known = config.gnss
    return GnssRule(
        receivers,
        antennas=Antennas(known.antennas_apart_m, known.antenna_height_m, known.current_kn),
        ais=[point.rpartition(".")[0] for point in points if point.endswith(".own_report")],
        others=[p for p in points if p.rpartition(".")[2] in {OF_LOG, OF_COMPASS}],
    )


def suspicion(rules: Iterable[Rule]) -> Callable[[], Suspicion]:
    """Return what says how far the position can be believed; a ship without receivers has nothing against it."""
    for rule in rules:
        if isinstance(rule, GnssRule):
            return lambda: rule.suspicion
    return Suspicion


def recall(
    rules: Iterable[Rule],
    alarmed: Iterable[tuple[list[str], float]],
    *,
    resumed_s: float | None = None,
) -> None:
    """Tell the GNSS rule for what it sounded before the daemon started, and when, in seconds since boot.

    ``resumed_s`` is now, where its alert stands still, as loud as it was.
    """
    for rule in rules:
        if isinstance(rule, GnssRule):
            for causes, alarmed_s in alarmed:
                rule.recall(causes, alarmed_s=alarmed_s)
            if resumed_s is not None:
                rule.resume(now_s=resumed_s)


def _openings(config: Config, policy: Policy, holds: Holds) -> Iterator[Rule]:
    buses = {device.id: device.bus for device in config.devices}
    locks = {o.of: o.id for o in config.openings if o.kind is OpeningKind.LOCK}
    for opening in config.openings:
        if opening.kind in OPENED:
            yield OpeningRule(
                opening,
                bus=buses.get(opening.device),
                lock=locks.get(opening.id),
                policy=policy,
                holds=holds,
            )


def _lines(config: Config) -> Iterator[Rule]:
    buses = {device.id: device.bus for device in config.devices}
    for opening in config.openings:
        if opening.kind in LINES:
            yield LineRule(opening, bus=buses.get(opening.device))


def _lights(config: Config, points: Collection[str]) -> Iterator[Rule]:
    lights = [o for o in config.openings if o.kind is OpeningKind.LIGHT]
    if lights:
        yield LightsRule(
            lights,
            circuits=config.lights,
            buses={device.id: device.bus for device in config.devices},
            fixes=[point for point in points if point.endswith(".fix")],
        )


def _power(config: Config) -> Iterator[Rule]:
    buses = {device.id: device.bus for device in config.devices}
    batteries = {o.of: o.id for o in config.openings if o.kind is OpeningKind.BATTERY}
    for ups in config.openings:
        if ups.kind is OpeningKind.MAINS:
            yield PowerRule(
                ups,
                battery=batteries.get(ups.id),
                bus=buses.get(ups.device),
                rated_min=config.ups_rated_min[ups.id],
            )


def _cameras(config: Config) -> Iterator[Rule]:
    together: dict[str | None, dict[str, str]] = defaultdict(dict)
    for device in config.devices:
        if isinstance(device.config, RtspCameraConfig):
            together[device.config.behind][device.id] = device.config.name
        elif isinstance(device.config, OnvifRecorderConfig):
            said = device.config
            yield RecorderRule(device.id, name=said.name, late_s=said.late_s, behind=said.behind)
    for id_, name in together.pop(None, {}).items():
        yield CamerasRule({id_: name})
    for behind, cameras in together.items():
        yield CamerasRule(cameras, behind=behind)


def _devices(config: Config) -> Iterator[Rule]:
    blind: dict[str, list[str]] = defaultdict(list)
    hanging: dict[str, list[str]] = defaultdict(list)
    for opening in config.openings:
        if opening.of is None:
            blind[opening.device].append(opening.name)
    for device in config.devices:
        if device.spec.covert or (key := device.spec.lost_alert(device.config)) is None:
            continue
        yield DeviceRule(device.id, key=key, bus=device.bus, blind=blind[device.id])
        if device.bus is not None:
            hanging[device.bus].append(device.id)
    for bus, devices in hanging.items():
        if len(devices) > 1:
            names = [name for device in devices for name in blind[device]]
            yield BusRule(bus, devices, blind=names)
