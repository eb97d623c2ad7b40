"""What is the configuration of a ship whose devices are all simulated? The ship's own, with other addresses.

Pure: the file as it was read goes in, a new one comes out. Whatever could reach the ship (a device's address, her
broker, her control socket, her record and key) is replaced; a device that cannot be kept off its address is refused.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from daemon.drivers.reach import PORTS
from daemon.errors import IspsdError
from daemon.simulate.standins import LOOPBACK, PANEL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from daemon.simulate.standins import Plan

NOBODY: Final = 1
"""A port of loopback on which nobody listens (tcpmux)."""
BUS_BAUD: Final = 9600
MODBUS_PORT: Final = 502


class Mapped(NamedTuple):
    """One device or bus, where it is on the ship, and what stands in for it."""

    name: str
    real: str
    stand_in: str


def derived(
    tree: Mapping[str, Any],
    plan: Plan,
    endpoints: Mapping[str, str],
    *,
    state: Path,
    mqtt_port: int,
) -> dict[str, Any]:
    """Return the configuration to run.

    Args:
        tree: The ship's file, valid.
        plan: Its stand-ins.
        endpoints: Where each simulator is reached, as it says.
        state: The folder of the simulated record.
        mqtt_port: The broker, on loopback.

    Raises:
        IspsdError: A device has an address that is not known as one.
    """
    out = deepcopy(dict(tree))
    out["record"] = {
        "directory": str(state / "record"),
        "key_file": str(state / "record-key.pem"),
        "origin": "demo",
    }
    out.pop("people", None)  # the PINs of the ship's own people are not for play
    out["mqtt"] = {"host": LOOPBACK, "port": mqtt_port}
    out["control"] = {"socket": str(state / "control.sock")}
    out.pop("web", None)  # nor is anything served under the ship's certificate
    out.pop("witness", None)  # a witness signs ships' records, and no play
    for name, each in list(out.get("exporter", {}).items()):
        if (
            each.get("host", LOOPBACK) != LOOPBACK
        ):  # what is simulated leaves this computer to nobody
            del out["exporter"][name]
    # Simulated devices did not come on with this computer, however lately it was booted.
    out["watch"] = {"settle_after_boot_s": 0, **out["watch"]}
    if "bam" in out:
        _move_panel(out, plan, endpoints)
    for name, bus in out.get("bus", {}).items():
        bus.pop("local", None)
        unit = plan.of_bus.get(name)
        bus["link"] = (
            _nowhere() if unit is None else {**_line(bus["link"]), "port": endpoints[unit]}
        )
    for name, device in out.get("device", {}).items():
        device.pop("local", None)
        unit, _ = plan.of_device.get(name, (None, {}))
        _move(name, device, None if unit is None else endpoints[unit])
    return out


def mapped(tree: Mapping[str, Any], plan: Plan, endpoints: Mapping[str, str]) -> list[Mapped]:
    """Return what stands in for what, in the order of the file."""
    rows = [
        Mapped(f"bus {name}", _address(bus), endpoints.get(plan.of_bus.get(name, ""), "nothing"))
        for name, bus in tree.get("bus", {}).items()
    ]
    if "bam" in tree:
        real = tree["bam"].get("port") or f"udp {tree['bam'].get('group')}"
        rows.append(Mapped("panel", real, endpoints.get(PANEL, "nothing")))
    for name, device in tree.get("device", {}).items():
        if name in plan.left_out:
            rows.append(Mapped(name, _address(device), f"NOTHING: {plan.left_out[name]}"))
            continue
        unit, also = plan.of_device[name]
        place = f" unit {also['id']}" if also else ""
        rows.append(Mapped(name, _address(device) + place, endpoints[unit] + place))
    return rows


def _move_panel(out: dict[str, Any], plan: Plan, endpoints: Mapping[str, str]) -> None:
    """Give the port of the panel its stand-in; a group is kept, and joined on this computer alone."""
    bam = out["bam"]
    bam.pop("local", None)
    if (
        (unit := plan.of_device.get(PANEL)) is None
        or unit[0] != PANEL
        or PANEL in out.get("device", {})
    ):
        del out["bam"]
    elif "group" in bam:
        bam |= {"interface": LOOPBACK, "panel_address": LOOPBACK}
    else:
        bam["port"] = endpoints[PANEL]


def _move(name: str, device: dict[str, Any], endpoint: str | None) -> None:
    """Give a device its stand-in's address, or one at which nobody is."""
    if "link" in device:
        link = device["link"]
        device["link"] = _nowhere() if endpoint is None else _link(link, endpoint)
    elif "url" in device:
        _move_url(device, endpoint)
    elif "host" in device:
        port = NOBODY if endpoint is None else _port(endpoint)
        device |= {"host": LOOPBACK, "port": port}
        if device["kind"] == "reach":
            device["ask"] = "http"  # its stand-in speaks no TLS
            device.pop("ca_file", None)
    elif "bus" not in device:
        raise IspsdError(f"device.{name}: cannot be kept off its real address")


def _move_url(device: dict[str, Any], endpoint: str | None) -> None:
    """Let the stand-in of a camera be asked, and nobody's password be told to it."""
    parts = urlsplit(device["url"])
    port = NOBODY if endpoint is None else _port(endpoint)
    device["url"] = urlunsplit(parts._replace(netloc=f"{LOOPBACK}:{port}"))
    for secret in ("user", "password_file"):
        device.pop(secret, None)


def _link(link: Mapping[str, Any], endpoint: str) -> dict[str, Any]:
    if endpoint.startswith("tcp://"):
        return {"kind": "tcp", "host": LOOPBACK, "port": _port(endpoint)}
    if endpoint.startswith("udp://"):
        return {"kind": "udp", "host": LOOPBACK, "port": _port(endpoint)}
    return {**_line(link), "port": endpoint}


def _line(link: Mapping[str, Any]) -> dict[str, Any]:
    """Return a serial link as the ship has it, or an ordinary one in place of another kind."""
    return dict(link) if link["kind"] == "serial" else {"kind": "serial", "baud": BUS_BAUD}


def _nowhere() -> dict[str, Any]:
    return {"kind": "tcp", "host": LOOPBACK, "port": NOBODY}


def _port(endpoint: str) -> int:
    return int(endpoint.rpartition(":")[2])


def _address(section: Mapping[str, Any]) -> str:
    link = section.get("link", section)
    if "url" in section:
        return str(section["url"])
    if "bus" in section:
        return f"bus {section['bus']}"
    if "host" in link:
        usual = PORTS.get(link.get("ask", ""), MODBUS_PORT)
        return f"{link['host']}:{link.get('port', usual)}"
    if link.get("kind") == "replay":
        return str(link["path"])
    is_ours = link.get("kind") in {"udp", "tcp_server"}  # a port of this computer
    return f"{link['kind']} port {link['port']}" if is_ours else str(link.get("port", "?"))
