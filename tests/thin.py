"""A ship of few parts for tests of processes and for measurements: one I/O unit, a receiver, AIS, an SSAS unit."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from daemon.simulate import processes

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from daemon.mqtt.embedded import EmbeddedBroker
    from daemon.simulate.processes import Simulators

DATA = Path(__file__).parent / "data"
ALL_SHUT = [2, 3, 4, 6]
"""Inputs that are on while every door and seal is closed; DI13 (EMERG GEN ROOM) is wired NO, so it is off."""


def text(**places: object) -> str:
    """Return the ship's file with these places in it; devices that are not named are nowhere."""
    known = {
        "mqtt_login": "",
        "io1_port": 1,
        "gps1_port": 1,
        "ais_port": 1,
        "ssas_path": "/dev/null",
        **places,
    }
    return Template((DATA / "thin_demo.toml").read_text("utf-8")).substitute(known)


def simulators() -> AbstractAsyncContextManager[Simulators]:
    """Run her devices in a process of their own."""
    return processes.simulators(DATA / "thin_simulators.toml")


def write_config(folder: Path, devices: Simulators, broker: EmbeddedBroker) -> Path:
    """Write her file for these devices and this broker; return where."""
    path = folder / "ispsd.toml"
    path.write_text(
        text(
            state=folder,
            mqtt_port=broker.port,
            io1_port=devices.port("io1"),
            gps1_port=devices.port("gps1"),
            ais_port=devices.port("ais"),
            ssas_path=devices.endpoints["ssas"],
        ),
        "utf-8",
    )
    return path
