"""A broker of our own for the demo and the tests: Mosquitto where it is installed, else iotcore.

Never for a ship: there the broker is a service of its own. The child dies with us, however we die,
because the kernel kills it (prctl(2), PR_SET_PDEATHSIG), and its folder is in a temporary one.
iotcore (rumqttd in a wheel) has no ACL, no users by topic and no retain-as-published.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, TypeAlias

from daemon.computer.leash import leashed
from daemon.errors import LinkError
from daemon.mqtt.access import OWNER, Access, access_list, password_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

Kind: TypeAlias = Literal["mosquitto", "iotcore"]

HOST = "127.0.0.1"
START_S = 10.0
STOP_S = 3.0
POLL_S = 0.02
TRIES = 5
LOWEST_PORT = 16_384
LOCAL_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""What the kernel takes for connections and for ``bind`` to port 0 (ip(7)); 32768 to 60999 where nobody changed it."""
LARGEST_PAYLOAD_BYTES = 256 * 1024
"""iotcore's own limit of 20480 is less than an entry may have, and it hangs up on more."""
QUEUED_MESSAGES = 20_000
"""What Mosquitto keeps for a client that reads slowly, or has just asked for all that is retained. Its own limit of
1000 is less than a large ship has topics, and what is beyond is dropped without a word; bytes are bounded below."""
QUEUED_BYTES = 16 * 1024 * 1024

DEMO_USERS = (OWNER, "bridge", "gangway", "sso")
SSO_USER = "sso"
"""Of the demo's users the one who reads what watch stations may not."""


@dataclass(slots=True)
class EmbeddedBroker:
    """A broker in a child process, on loopback; keeps its ports over stop and start.

    Attributes:
        port: MQTT 5.
        ws_port: MQTT over WebSocket.
        passwords: By user; empty where everybody may do everything.
    """

    kind: Kind
    folder: Path
    port: int
    ws_port: int
    passwords: Mapping[str, str] = field(default_factory=dict)
    _process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Return the child's process id.

        Raises:
            LinkError: It does not run.
        """
        if self._process is None:
            raise LinkError(f"{self.kind} does not run")
        return self._process.pid

    async def start(self) -> None:
        """Start it and return when it accepts connections.

        Raises:
            LinkError: A port is taken, it ended at once or is not there in time.
        """
        for port in (self.port, self.ws_port):
            if not _is_free(port):
                raise LinkError(f"{self.kind}: port {port} of {HOST} is taken")
        log = self.folder / "broker.log"
        with log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *leashed(*self._command()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            async with asyncio.timeout(START_S):
                for port in (self.port, self.ws_port):
                    await self._until_it_accepts(port)
        except (TimeoutError, LinkError) as err:
            await self.kill()
            said = await asyncio.to_thread(log.read_text, errors="replace")
            raise LinkError(
                f"{self.kind} did not start on port {self.port}: {said[-500:]}"
            ) from err

    async def stop(self) -> None:
        """End it in good order, or by force if it does not listen."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(STOP_S):
                    await self._process.wait()
            except TimeoutError:
                pass
        await self.kill()

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._process = None

    def _command(self) -> list[str]:
        if self.kind == "mosquitto":
            return [mosquitto_program() or "mosquitto", "-c", str(self.folder / "mosquitto.conf")]
        config = str(self.folder / "rumqttd.toml")
        return [sys.executable, "-I", "-m", "iotcore", "--config", config, "--log-level", "ERROR"]

    async def _until_it_accepts(self, port: int) -> None:
        while self._process is not None and self._process.returncode is None:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(POLL_S)
                continue
            writer.close()
            await writer.wait_closed()
            return
        raise LinkError("ended at once")


@asynccontextmanager
async def embedded_broker(
    kind: Kind | None = None, *, port: int = 0, ws_port: int = 0, users: tuple[str, ...] = ()
) -> AsyncIterator[EmbeddedBroker]:
    """Run a broker; with ``users`` (Mosquitto only) the demo's ACL and a random password for each.

    A port of 0 is any that is free. Without ``kind`` it is Mosquitto where that is installed.

    Raises:
        LinkError: It cannot be started.
        ValueError: Users for a broker that has no ACL.
    """
    kind = kind or ("mosquitto" if mosquitto_program() else "iotcore")
    if users and kind != "mosquitto":
        raise ValueError(f"{kind} has no ACL: every user may do everything")
    passwords = {user: secrets.token_urlsafe(18) for user in users}
    with TemporaryDirectory(prefix="ispsd-broker-") as folder:
        broker = await _started(kind, Path(folder), port=port, ws_port=ws_port, passwords=passwords)
        try:
            yield broker
        finally:
            await broker.stop()


async def _started(
    kind: Kind, folder: Path, *, port: int, ws_port: int, passwords: Mapping[str, str]
) -> EmbeddedBroker:
    """Start a broker; where a port was ours to choose and was taken meanwhile, choose again."""
    for tries_left in reversed(range(TRIES)):
        broker = EmbeddedBroker(
            kind, folder, port or free_port(), ws_port or free_port(), passwords
        )
        await asyncio.to_thread(_write_config, broker)
        try:
            await broker.start()
        except LinkError:
            if not tries_left or (port and ws_port):
                raise
        else:
            return broker
    raise LinkError(f"{kind} was never started")


def mosquitto_program() -> str | None:
    """Return where Mosquitto is; None where it is not installed."""
    # Debian puts it into sbin, which is not on everybody's path.
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """Return a port of loopback that nobody uses, and that the kernel gives to nobody who asks for any.

    A port of the kernel's own range may be another connection's before it is listened on, and again
    while a broker that keeps its port is stopped.

    Raises:
        LinkError: There is none.
    """
    ephemeral = int(LOCAL_PORTS.read_text("ascii").split()[0])
    candidates = range(LOWEST_PORT, ephemeral) or range(LOWEST_PORT, 65536)
    for _ in candidates:
        port = secrets.choice(candidates)
        if _is_free(port):
            return port
    raise LinkError(f"no port of {HOST} from {candidates[0]} to {candidates[-1]} is free")


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        # As brokers do: what is left of connections that have ended does not count.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError:
            return False
    return True


def _write_config(broker: EmbeddedBroker) -> None:
    if broker.kind == "mosquitto":
        _write_mosquitto(broker)
    else:
        text = "".join(
            f"""
[{section}.1]
name = "{section}"
listen = "{HOST}:{port}"
next_connection_delay_ms = 1
[{section}.1.connections]
connection_timeout_ms = 5000
max_payload_size = {LARGEST_PAYLOAD_BYTES}
max_inflight_count = 100
"""
            for section, port in (("v5", broker.port), ("ws", broker.ws_port))
        )
        (broker.folder / "rumqttd.toml").write_text(
            # Segments stay in memory, for every filter: the default is 10 of 100 MB.
            "id = 0\n[router]\nid = 0\nmax_connections = 1000\nmax_outgoing_packet_count = 200\n"
            f"max_segment_size = 1048576\nmax_segment_count = 10\n{text}",
            encoding="utf-8",
        )


def _write_mosquitto(broker: EmbeddedBroker) -> None:
    lines = [
        "per_listener_settings false",
        "persistence false",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        f"listener {broker.port} {HOST}",
        "set_tcp_nodelay true",
        f"max_queued_messages {QUEUED_MESSAGES}",
        f"max_queued_bytes {QUEUED_BYTES}",
        f"listener {broker.ws_port} {HOST}",
        "protocol websockets",
        "allow_anonymous true",
    ]
    if os.geteuid() == 0:
        # As root it would become another user, whom the kernel's leash does not bind.
        lines.append("user root")
    if broker.passwords:
        access = [Access(user, sso=user == SSO_USER) for user in broker.passwords if user != OWNER]
        passwords = [password_line(*item) for item in broker.passwords.items()]
        for name, text in (
            ("acl", access_list(access, anonymous_reads=True)),
            ("passwords", "\n".join(passwords) + "\n"),
        ):
            file = broker.folder / name
            file.touch(mode=0o600)
            file.write_text(text, encoding="utf-8")
        lines += [
            f"acl_file {broker.folder / 'acl'}",
            f"password_file {broker.folder / 'passwords'}",
        ]
    (broker.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
