"""What a ship is made of for a fault: her broker, here or elsewhere, her devices, what her lines pass, her file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from daemon.mqtt.embedded import DEMO_USERS, EmbeddedBroker, embedded_broker
from daemon.simulate import processes
from tests import thin
from tests.faults.capture import Truth
from tests.faults.network import RemoteBroker, network
from tests.faults.subscriber import now_s

if TYPE_CHECKING:
    from contextlib import AsyncExitStack
    from pathlib import Path

    from tests.faults.fault import Setting
    from tests.faults.stage import Stage

MORE_DEVICES = """
[device.io2]
kind = "modbus_tcp"
host = "127.0.0.1"
port = {io2_port}
profile = "moxa-iologik-e1210"
poll_s = 0.1

[device.compass]
kind = "nmea"
feed = "heading"
link = {{ kind = "serial", port = "{compass}" }}

[[door]]
id = "d05"
name = "PAINT LOCKER"
place = "forecastle"
class = "V"
device = "io2"
inputs = [1]
wiring = "no"
"""


async def broker_for(
    setting: Setting, folder: Path, stack: AsyncExitStack
) -> EmbeddedBroker | RemoteBroker:
    """Run the broker until the stack is unwound."""
    if setting.is_remote:
        remote = RemoteBroker(folder, stack.enter_context(network()))
        await remote.start()
        stack.push_async_callback(remote.kill)
        return remote
    users = () if setting.is_open else DEMO_USERS
    return await stack.enter_async_context(embedded_broker("mosquitto", users=users))


def devices_for(setting: Setting, folder: Path) -> Path:
    """Return the file of her devices."""
    if not setting.is_spoilt:
        return thin.DATA / "thin_simulators.toml"
    made = folder / "simulators.toml"
    usual = (thin.DATA / "thin_simulators.toml").read_text("utf-8")
    made.write_text(usual + '\n[[unit]]\nid = "io2"\nkind = "io_unit"\n', "utf-8")
    return made


async def write_config(made: Stage, setting: Setting, stack: AsyncExitStack) -> None:
    """Write the ship's file for what she has."""
    login = ""
    if made.broker.passwords:
        made.password_file.touch(mode=0o600)
        made.password_file.write_text(made.broker.passwords["ispsd"] + "\n", "utf-8")
        login = f'user = "ispsd"\npassword_file = "{made.password_file}"'
    ports = {f"{name}_port": made.devices.port(name) for name in ("io1", "gps1", "ais")}
    more = ""
    if setting.is_spoilt:
        places = await _spoilt(made, stack)
        ports |= {f"{name}_port": places[name] for name in ("gps1", "ais")}
        more = MORE_DEVICES.format(io2_port=places["io2"], compass=places["compass"])
    text = thin.text(
        state=made.state,
        mqtt_login=login,
        mqtt_port=made.broker.port,
        ssas_path=made.devices.endpoints["ssas"],
        **ports,
    )
    if made.network is not None:
        loopback = 'host = "127.0.0.1"'  # that of the broker comes first
        text = text.replace(loopback, f'host = "{made.network.daemon_address}"', 1)
    made.config.write_text(text + more, "utf-8")


async def _spoilt(made: Stage, stack: AsyncExitStack) -> dict[str, str]:
    """Run what her lines pass; return where they are to be reached."""
    wanted = {
        "tcp": {name: int(made.devices.port(name)) for name in ("io2", "gps1", "ais")},
        "serial": ["compass"],
    }
    words = ("-m", "tests.faults.spoiler", json.dumps(wanted))
    made.spoiler = await stack.enter_async_context(processes.child(*words))
    assert made.spoiler.stdout is not None
    places: dict[str, str] = json.loads(await made.spoiler.stdout.readline())
    made.capture.truth.append(Truth("d05", "closed", now_s(), now_s()))
    return places
