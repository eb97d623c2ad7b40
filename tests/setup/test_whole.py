"""Do the pieces fit: ``ispsd init``, the Mosquitto that it set up, ``ispsd run`` with what systemd would hand over?"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from daemon.mqtt.connection import Connection
from tests import thin
from tests.processes.berth import HATCH
from tests.processes.rig import PATIENCE_S, Witness, verified
from tests.setup.rig import CITADEL, LOGIN, broker_of, computer, run_words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from daemon.simulate.processes import Simulators
    from tests.setup.rig import Computer

ROOT = "ispsd/9999993/v1/"
FOR_SSO = ("sso/worklist", "sso/equipment/ssas")


def handed_over(made: Computer) -> Path:
    """Make the folder that systemd makes of LoadCredential=secrets:/etc/ispsd/credentials."""
    folder = made.root / "run/credentials/ispsd.service"
    folder.mkdir(parents=True, exist_ok=True)
    for each in (made.etc / "ispsd/credentials").iterdir():
        shutil.copy(each, folder / f"secrets_{each.name}")
    return folder


def file_to_run(made: Computer, devices: Simulators) -> Path:
    """Write the ship's file again with the devices' addresses, and with its places below the root."""
    text = thin.text(
        state=made.state,
        mqtt_port=made.ports["mqtt"],
        mqtt_login=LOGIN,
        io1_port=devices.port("io1"),
        gps1_port=devices.port("gps1"),
        ais_port=devices.port("ais"),
        ssas_path=devices.endpoints["ssas"],
    )
    path = made.root / "ispsd.toml"
    path.write_text(text + CITADEL, "utf-8")
    return path


@asynccontextmanager
async def daemon(made: Computer, config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with (made.root / "daemon.log").open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL", *run_words(config)),
            stderr=errors,
            env={**os.environ, "CREDENTIALS_DIRECTORY": str(handed_over(made))},
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def station(made: Computer, user: str, *, tls: bool) -> AsyncIterator[Witness]:
    """Watch as one of the stations does."""
    broker = made.as_user(user, tls=tls)
    connection = Connection(broker, client_id=user, payload_limit_bytes=256 * 1024)
    await connection.connect()
    seen = Witness(connection)
    listening = asyncio.ensure_future(seen.listen())
    try:
        await connection.subscribe("#")
        yield seen
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await connection.disconnect()


async def test_the_daemon_runs_on_what_init_made_and_each_station_sees_what_is_its(
    capsys: Any,
) -> None:
    with computer() as made:
        assert await asyncio.to_thread(made.init, "--yes", "--install") == 0
        made_key = (made.state / "record-key.pem").read_bytes()
        async with thin.simulators() as devices, broker_of(made):
            await devices.do("io1", "inputs", on=thin.ALL_SHUT)
            config = file_to_run(made, devices)
            async with (
                daemon(made, config) as process,
                station(made, "gangway", tls=True) as gangway,
                station(made, "sso", tls=False) as sso,
            ):
                session = await gangway.session()
                await sso.until(lambda: all(name in sso.newest for name in FOR_SSO))
                await gangway.until(lambda: shut(gangway, session))
                await devices.do("io1", "set", input=HATCH, on=False)
                await gangway.until(lambda: on_disk(gangway))
                alert = gangway.newest["alert/door.escape.open.d12"]
                asked = {name: alert[name] for name in ("instance", "priority")}
                reply = await gangway.ask(
                    "gangway", "ack", alert=alert["id"], person="L. Tupou", **asked
                )
                assert reply["accepted"]
                assert reply["recorded"] > alert["recorded"]
                await sso.until(lambda: on_disk(sso, state="A"))
                assert not [name for name in gangway.newest if name.startswith(("sso/", "cmd/"))]
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(PATIENCE_S):
                    assert await process.wait() == 0
                await gangway.until(lambda: gangway.newest["status"]["state"] == "stopped")
                head = await gangway.until(lambda: gangway.notes.heads)
        assert (made.state / "record-key.pem").read_bytes() == made_key
        code, words = await verified(
            made.state / "record", made.state / "record-key.pub", head[max(head)]
        )
        assert code == 0, words
        log = [json.loads(line) for line in (made.root / "daemon.log").read_text().splitlines()]
        assert not [each for each in log if each["level"] == "error"]


def shut(seen: Witness, session: str) -> bool:
    point = seen.newest.get("point/d12", {})
    return point.get("session") == session and point["value"] == "closed"


def on_disk(seen: Witness, *, state: str = "V") -> bool:
    alert = seen.newest.get("alert/door.escape.open.d12", {})
    return alert.get("recorded") is not None and alert["state"] == state
