"""The demo's ship: the sample ship with a stand-in for every device, and a few changes that a demo needs."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon import config
from daemon.assets import asset
from daemon.mqtt.embedded import free_port
from daemon.simulate import processes, toml
from daemon.simulate.derive import derived
from daemon.simulate.standins import planned

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from daemon.mqtt.embedded import EmbeddedBroker
    from daemon.simulate.processes import Simulators
    from daemon.simulate.standins import Plan

FASTER = {"report_every_s": 2}
"""Of the simulated AIS unit, in seconds."""


@dataclass(frozen=True, slots=True)
class Crew:
    """The ship before anything runs.

    Attributes:
        tree: Her file, changed for the demo.
        plan: What stands in for her devices.
        state: The folder of the demo.
    """

    tree: dict[str, Any]
    plan: Plan
    state: Path

    def simulators(self) -> AbstractAsyncContextManager[Simulators]:
        """Run her devices."""
        units = self.state / "units.toml"
        units.write_text(toml.written({"unit": self.plan.units}), "utf-8")
        return processes.simulators(units)

    async def begin(self, devices: Simulators) -> None:
        """Let every door be closed and every lamp dark before anybody looks."""
        for unit, command in self.plan.first:
            await tell(devices, unit, command)

    async def move(self, devices: Simulators, verb: str, door: str) -> None:
        """Open, close or cut a door, seal or detector."""
        for unit, command in self.plan.moves[door][verb]:
            await tell(devices, unit, command)

    def write_config(
        self,
        devices: Simulators,
        broker: EmbeddedBroker,
        witness: Mapping[str, str] | None = None,
        *,
        ws_port: int | None = None,
    ) -> Path:
        """Write the daemon's configuration for these devices, this broker and this witness; return where.

        ``ws_port`` is where pages reach the broker, if that is not its own.
        """
        tree = derived(
            self.tree, self.plan, devices.endpoints, state=self.state, mqtt_port=broker.port
        )
        if password := broker.passwords.get("ispsd"):
            secret = self.state / "mqtt-password"
            secret.touch(mode=0o600)
            secret.write_text(password + "\n", "utf-8")
            tree["mqtt"] |= {"user": "ispsd", "password_file": str(secret)}
        if witness is not None:
            tree["witness"] = [dict(witness)]
        tree["web"] = {"port": free_port(), "broker": f"ws://127.0.0.1:{ws_port or broker.ws_port}"}
        path = self.state / "ispsd.toml"
        path.write_text(toml.written(tree), "utf-8")
        return path


def muster(state: Path) -> Crew:
    """Return the demo's ship, whose files go into this folder."""
    tree = tomllib.loads(asset("ispsd.toml").read_text("utf-8"))
    _lay_over(tree, tomllib.loads(asset("demo/changes.toml").read_text("utf-8")))
    sketch = state / "ship.toml"
    sketch.write_text(toml.written(tree), "utf-8")
    plan = planned(config.load(sketch))
    for unit in plan.units:
        if unit.get("sends") == ["ais"]:
            unit.update(FASTER)
    return Crew(tree, plan, state)


async def tell(devices: Simulators, unit: str, command: Mapping[str, Any]) -> None:
    """Have a simulator do what a plan says."""
    said = dict(command)
    await devices.do(unit, said.pop("do"), **said)


def _lay_over(tree: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict):
            _lay_over(tree.setdefault(key, {}), value)
        elif isinstance(value, list) and isinstance(tree.get(key), list):
            tree[key] = [*tree[key], *value]
        else:
            tree[key] = value
