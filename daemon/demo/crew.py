"""The demo's own devices and its daemon's configuration."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from daemon.assets import asset
from daemon.simulate import processes

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from daemon.mqtt.embedded import EmbeddedBroker
    from daemon.simulate.processes import Simulators


def simulators() -> AbstractAsyncContextManager[Simulators]:
    """Run the demo's devices."""
    return processes.simulators(asset("demo/simulators.toml"))


def write_config(state: Path, devices: Simulators, broker: EmbeddedBroker) -> Path:
    """Write the daemon's configuration for these devices and this broker; return where."""
    login = ""
    if password := broker.passwords.get("ispsd"):
        secret = state / "mqtt-password"
        secret.touch(mode=0o600)
        secret.write_text(password + "\n", "utf-8")
        login = f'user = "ispsd"\npassword_file = "{secret}"'
    text = Template(asset("demo/ispsd.toml").read_text("utf-8")).substitute(
        state=state,
        mqtt_port=broker.port,
        mqtt_login=login,
        io1_port=devices.port("io1"),
        gps1_port=devices.port("gps1"),
        ais_port=devices.port("ais"),
        ssas_path=devices.endpoints["ssas"],
    )
    path = state / "ispsd.toml"
    path.write_text(text, "utf-8")
    return path
