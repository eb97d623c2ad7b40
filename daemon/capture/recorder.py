"""From a device of the ship's file to a test case folder: recorded, masked, replayed once, and only then written.

Refused are covert sources: the text port of an SSAS unit, and a unit to which an SSAS test lamp is wired (invariant 1).
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from daemon.capture import masking
from daemon.capture.case import FORMAT, Case, Moment
from daemon.capture.masking_ais import Masks, Shift
from daemon.capture.replay import replayed
from daemon.capture.tape import LOOPBACK, Relay, listened
from daemon.drivers.api import DriverContext, Shared
from daemon.drivers.links import SerialLink, TcpLink
from daemon.errors import IspsdError, LinkError
from daemon.gate import CovertGate
from daemon.model import Provenance

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from daemon.computer.clock import Clock
    from daemon.config import Config
    from daemon.config.shape import Device
    from daemon.drivers.links import Link

LEAST_LAT, MOST_LAT, MOST_LON = 300_000, 1_800_000, 107_000_000
"""Half a degree to three of latitude, so that speeds stay what they were; any longitude. In 1/10000 min."""
RETRY_S: Final = 1.0
PLACES: Final = {"link", "host", "port", "bus"}
"""Settings that say where a device is: no part of a case."""
MASKED: Final = "own MMSI, IMO number, call sign and name; other stations; positions; destinations; ids of doors"


@dataclass(frozen=True, slots=True)
class Captured:
    """A case that is ready to be written.

    Attributes:
        left_out: How many lines or exchanges were, by reason.
    """

    manifest: str
    case: Case
    left_out: Mapping[str, int]


def device_of(config: Config, device_id: str) -> Device:
    """Return the device that may be recorded.

    Raises:
        IspsdError: There is none of that id, or it is a covert source.
    """
    device = next((each for each in config.devices if each.id == device_id), None)
    if device is None:
        known = ", ".join(each.id for each in config.devices if not each.spec.covert)
        raise IspsdError(f"no device {device_id!r}; known are {known}")
    if device.spec.covert or device.test_lamps:
        raise IspsdError(
            f"{device_id}: SSAS equipment hangs on it, and a covert source is never recorded"
        )
    return device


async def captured(config: Config, device: Device, *, for_s: float, clock: Clock) -> Captured:
    """Record a device for so long.

    Raises:
        IspsdError: It cannot be reached, said nothing, or would still be named.
    """
    began_utc = clock.utc()
    link: Link | None = getattr(device.config, "link", None)
    if link is not None:
        tape, left_out = _masked(await listened(link, for_s, clock), config)
    else:
        link = _line_of(config, device)
        tape, left_out = await _asked(device, link, for_s, clock)
    if not tape:
        raise IspsdError(f"{device.id}: nothing came in {for_s:g} s that could be recorded")
    manifest = _manifest(device, link, began_utc, for_s, left_out)
    case = Case(manifest, tuple(tape), ())
    return Captured(
        _written(manifest), replace(case, readings=tuple(await replayed(case))), left_out
    )


def _masked(tape: list[Moment], config: Config) -> tuple[list[Moment], Counter[str]]:
    draw = secrets.SystemRandom()
    lat = draw.randint(LEAST_LAT, MOST_LAT) * draw.choice((-1, 1))
    masks = Masks(config.ship.mmsi, Shift(lat, draw.randint(-MOST_LON, MOST_LON)))
    bare = [moment.heard.rstrip(b"\r\n") for moment in tape]
    done = masking.masked(bare, config.ship, masks)
    kept = [
        Moment(moment.at_ms, line + moment.heard[len(was) :])
        for moment, was, line in zip(tape, bare, done.lines, strict=True)
        if line
    ]
    if named := list(masking.betrayals((moment.heard for moment in kept), config.ship)):
        raise IspsdError(f"not written: {', '.join(named)} of the ship would still be in it")
    return kept, done.left_out


def _line_of(config: Config, device: Device) -> SerialLink | TcpLink:
    if device.bus is not None:
        link = config.buses[device.bus]
        if isinstance(link, SerialLink | TcpLink):
            return link
    settings = device.config.model_dump()
    if "host" in settings:
        return TcpLink(kind="tcp", host=settings["host"], port=settings["port"])
    raise IspsdError(f"{device.id}: a {device.spec.kind} cannot be recorded")


async def _asked(
    device: Device, link: SerialLink | TcpLink, for_s: float, clock: Clock
) -> tuple[list[Moment], Counter[str]]:
    """Let the device's own driver ask it through a relay."""
    relay = Relay(link, clock)
    async with relay.listening():
        place = {} if device.bus is not None else {"host": LOOPBACK, "port": relay.port}
        config = device.config.model_copy(update=place)
        near = TcpLink(kind="tcp", host=LOOPBACK, port=relay.port)
        context = DriverContext(
            device=device.id,
            clock=clock,
            gate=CovertGate(clock),
            provenance=Provenance.LIVE,
            contacts=device.contacts,
            buses={} if device.bus is None else {device.bus: near},
            shared=Shared(),
        )
        asking = asyncio.ensure_future(_ask_on(device.spec.build(config, context), clock))
        await clock.sleep(for_s)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    if not relay.tape and relay.fault is not None:
        raise relay.fault
    return relay.tape, Counter(relay.left_out)


async def _ask_on(driver: Any, clock: Clock) -> None:
    while True:
        try:
            await driver.run(lambda _: None)
        except LinkError:
            await clock.sleep(RETRY_S)


def _manifest(
    device: Device, link: Link, began_utc: datetime, for_s: float, left_out: Mapping[str, int]
) -> dict[str, Any]:
    settings = device.config.model_dump(mode="json", exclude_unset=True, exclude=PLACES | {"kind"})
    line = f"serial {link.setting}" if isinstance(link, SerialLink) else link.kind
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "kind": device.spec.kind,
        "line": line,
        "began_utc": began_utc.isoformat(timespec="seconds"),
        "seconds": for_s,
        "recorded_by": f"ispsd {version('ispsd')}",
        "masked": MASKED,
        "settings": settings,
        "left_out": {name: count for name, count in left_out.items() if count},
    }
    if device.contacts:
        manifest["contact"] = [
            {"point": f"p{n}", "inputs": list(each.inputs), "wiring": each.wiring.value}
            for n, each in enumerate(device.contacts, 1)
        ]
    if device.side_doors:
        manifest["side_door"] = [
            {
                "point": f"p{n}",
                "system": each.system,
                "division": each.division,
                "number": each.number,
            }
            for n, each in enumerate(device.side_doors, 1)
        ]
    return manifest


def _written(manifest: Mapping[str, Any]) -> str:
    """Return the manifest as TOML: plain values first, then tables; JSON's values are TOML's."""
    lines = ["# A test case recorded from a live port, without identities: docs/integrator.md."]
    plain = {key: value for key, value in manifest.items() if not isinstance(value, dict | list)}
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in plain.items()]
    for key, value in manifest.items():
        for table in (
            [value] if isinstance(value, dict) else value if isinstance(value, list) else []
        ):
            lines += ["", f"[{key}]" if isinstance(value, dict) else f"[[{key}]]"]
            lines += [
                f"{json.dumps(name)} = {json.dumps(each, ensure_ascii=False)}"
                for name, each in table.items()
                if each is not None
            ]
    return "\n".join(lines) + "\n"
