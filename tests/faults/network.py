"""A broker on another computer: a network namespace with two cables, one for the daemon and one for the page."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from daemon.computer.leash import leashed
from daemon.mqtt.embedded import mosquitto_program

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def ip(*words: str) -> None:
    """Run ip(8)."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass(frozen=True, slots=True)
class Network:
    """The other computer.

    Attributes:
        daemon_address: Its address as the daemon reaches it.
        page_address: Its address as the page does.
    """

    name: str
    daemon_address: str
    page_address: str

    def cut(self) -> None:
        """Pull the daemon's cable at the other end."""
        ip("-n", self.name, "link", "set", f"{self.name}a", "down")

    def join(self) -> None:
        """Plug it in again."""
        ip("-n", self.name, "link", "set", f"{self.name}a", "up")


@dataclass(slots=True)
class RemoteBroker:
    """Mosquitto on the other computer, without passwords: one that crosses a network would need TLS."""

    folder: Path
    network: Network
    port: int = 1883
    passwords: Mapping[str, str] = field(default_factory=dict)
    _process: Process | None = None

    async def start(self) -> None:
        """Start it; whoever comes too early tries again."""
        addresses = (self.network.daemon_address, self.network.page_address)
        lines = [
            *("persistence false", "allow_anonymous true", "set_tcp_nodelay true", "user root"),
            *(f"listener {self.port} {each}" for each in addresses),
        ]
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n", "utf-8")
        program = mosquitto_program() or "mosquitto"
        self._process = await asyncio.create_subprocess_exec(
            *leashed("ip", "netns", "exec", self.network.name, program),
            *("-c", str(self.folder / "mosquitto.conf")),
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    stop = kill


@contextmanager
def network() -> Iterator[Network]:
    """Make it, where this user may."""
    if not (os.geteuid() == 0 and shutil.which("ip") and _may()):
        pytest.skip("network namespaces need root and iproute2: the partition is not tried")
    number = secrets.randbelow(250)
    name = f"if{secrets.token_hex(3)}"
    made = Network(name, f"10.201.{number}.2", f"10.202.{number}.2")
    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        for letter, address in (("a", made.daemon_address), ("b", made.page_address)):
            here, there = f"{name}{letter}h", f"{name}{letter}"
            ip("link", "add", here, "type", "veth", "peer", "name", there)
            ip("link", "set", there, "netns", name)
            ip("addr", "add", f"{address[:-1]}1/30", "dev", here)
            ip("link", "set", here, "up")
            ip("-n", name, "addr", "add", f"{address}/30", "dev", there)
            ip("-n", name, "link", "set", there, "up")
        yield made
    finally:
        ip("netns", "del", name)


def _may() -> bool:
    """Return whether a namespace can be made here: root of a container often may not."""
    name = f"if{secrets.token_hex(3)}"
    if subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True).returncode:
        return False
    ip("netns", "del", name)
    return True
