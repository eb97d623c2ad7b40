"""A computer on which ``ispsd init`` was run, below a root of its own, and the Mosquitto that reads what it made."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import sys
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from daemon import cli
from daemon.mqtt.embedded import free_port, mosquitto_program
from daemon.mqtt.wire import Broker
from daemon.setup.broker import TLS_PORT, TLS_WEBSOCKET_PORT, WEBSOCKET_PORT
from tests import thin
from tests.needed import needs
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

CITADEL = '\n[[station]]\nid = "citadel"\ncitadel = true\n'
LOGIN = 'user = "ispsd"\npassword_file = "credential:mqtt-password"'
DEBIANS_OWN = """\
pid_file {var}/mosquitto.pid
persistence true
persistence_location {var}/
log_dest file {var}/mosquitto.log
include_dir {etc}/conf.d
"""
"""/etc/mosquitto/mosquitto.conf of Debian 12, with other places."""


@dataclass(slots=True)
class Computer:
    """A root directory with ispsd and the broker installed in it.

    Attributes:
        ports: Of the broker, by what it listens for.
    """

    root: Path
    config: Path
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def setup(self) -> Path:
        return self.root / "var/lib/ispsd-setup"

    @property
    def state(self) -> Path:
        return self.root / "var/lib/ispsd"

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    def init(self, *words: str) -> int:
        """Run ``ispsd init`` for this computer; return its exit code."""
        return cli.main(["init", "--config", str(self.config), "--root", str(self.root), *words])

    def password_file(self, user: str) -> Path:
        if user == "ispsd":
            return self.setup / "credentials/mqtt-password"
        return self.setup / f"stations/{user}.password"

    def as_user(self, user: str | None, *, tls: bool = False) -> Broker:
        """Return how to reach the broker as somebody; on loopback, or as from another computer."""
        return Broker(
            port=self.ports["tls" if tls else "mqtt"],
            ca_file=self.setup / "stations/ispsd-ca.crt" if tls else None,
            user=user,
            password_file=None if user is None else self.password_file(user),
        )

    def everything(self) -> dict[str, tuple[int, bytes | None]]:
        """Return mode and content of every file and folder, by path."""
        return {
            str(path.relative_to(self.root)): (
                path.lstat().st_mode,
                path.read_bytes() if path.is_file() else None,
            )
            for path in sorted(self.root.rglob("*"))
        }


@contextmanager
def computer(*, text: str | None = None) -> Iterator[Computer]:
    """Make an empty computer with a ship's file; the broker's user may pass through its root."""
    with TemporaryDirectory(prefix="ispsd-init-") as folder:
        root = Path(folder) / "root"
        root.mkdir()
        Path(folder).chmod(0o711)
        config = Path(folder) / "ispsd.toml"
        port = free_port()
        ship = thin.text(state="/var/lib/ispsd", mqtt_port=port, mqtt_login=LOGIN) + CITADEL
        config.write_text(text or ship, "utf-8")
        yield Computer(root, config, {"mqtt": port})


@asynccontextmanager
async def broker_of(made: Computer) -> AsyncIterator[None]:
    """Run Mosquitto as Debian runs it, with what was installed; as its own user where that is possible."""
    program = mosquitto_program()
    needs(program, "mosquitto is not installed (Debian: apt install mosquitto)")
    assert program is not None
    main = _with_places_of(made)
    process = await asyncio.create_subprocess_exec(
        *_as_mosquitto(), program, "-c", str(main), stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            for port in made.ports.values():
                await _until_it_listens(port, process)
        yield
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _with_places_of(made: Computer) -> Path:
    etc, var = made.etc / "mosquitto", made.root / "var/mosquitto"
    var.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(var, "mosquitto", "mosquitto")
    installed = etc / "conf.d/ispsd.conf"
    text = (made.setup / "mosquitto/ispsd.conf").read_text("utf-8")
    text = text.replace("/etc/mosquitto", str(etc))
    for name, port in (("tls", TLS_PORT), ("ws", WEBSOCKET_PORT), ("wss", TLS_WEBSOCKET_PORT)):
        made.ports.setdefault(name, free_port())
        assert f"listener {port}" in text
        text = text.replace(f"listener {port}", f"listener {made.ports[name]}")
    installed.write_text(text, "utf-8")
    main = etc / "mosquitto.conf"
    main.write_text(DEBIANS_OWN.format(var=var, etc=etc), "utf-8")
    main.chmod(0o644)
    return main


def _as_mosquitto() -> tuple[str, ...]:
    """Return what runs a command as the broker's user, and ends it with us."""
    if os.geteuid() != 0:
        return ("setpriv", "--pdeathsig", "KILL")
    user = pwd.getpwnam("mosquitto")
    who = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    return ("setpriv", *who, "--pdeathsig", "KILL")


async def _until_it_listens(port: int, process: asyncio.subprocess.Process) -> None:
    while process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        await writer.wait_closed()
        return
    assert process.stderr is not None
    raise AssertionError(f"mosquitto ended: {(await process.stderr.read()).decode()}")


def run_words(config: Path) -> tuple[str, ...]:
    """Return the words that run the daemon on a file."""
    return (sys.executable, "-m", "daemon", "run", "--config", str(config))
