"""ThingsBoard's gateway, from PyPI in an environment of its own: ``make bench-peers``.

It publishes nothing until something answers its question for the limits of its session, as ThingsBoard itself would:
``answered`` does, and there are none. Its packets go out at once (``minPackSendDelayMS`` 1, not 50): at its fastest.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from bench.peers.product import NotMeasuredError, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

HOME = Path(__file__).parent / ".thingsboard"
TELEMETRY = "v1/gateway/telemetry"
ASKS, ANSWERS = "v1/devices/me/rpc/request/", "v1/devices/me/rpc/response/"
NO_LIMITS = {
    "maxPayloadSize": 65536,
    "maxInflightMessages": 100,
    "rateLimits": {},
    "gatewayRateLimits": {},
}
DEVICE = "unit"
MOST_BITS = 16
"""Of one tag: of a longer one it reads all and tells the first 16 (``decode_from_registers`` takes two bytes)."""


def version() -> str:
    """Return its version, empty where it is not installed."""
    for found in HOME.glob("lib/python3*/site-packages/thingsboard_gateway-*.dist-info"):
        number = re.search(r"thingsboard_gateway-(.+)\.dist-info", found.name)
        return number[1] if number else ""
    return ""


@asynccontextmanager
async def polling(
    folder: Path, *, unit_port: int, broker_port: int, inputs: int, single: bool
) -> AsyncIterator[int]:
    """Run it on a unit's discrete inputs, ten times a second; give its process id.

    A tag has as many of them as one can, which is cheapest, or each has its own (``single``), as a ship's doors would.
    """
    if not version():
        raise NotMeasuredError("thingsboard-gateway is not installed (make bench-peers)")
    _configure(folder, unit_port, broker_port, tags(inputs, single=single))
    env = {**os.environ, "TB_GW_CONFIG_DIR": str(folder), "HOME": str(folder)}
    python = str(HOME / "bin" / "python")
    words = ("-c", "from thingsboard_gateway.tb_gateway import main; main()")
    with answered(broker_port):
        async with running(folder / "gateway.log", python, *words, env=env, cwd=folder) as pid:
            yield pid


@contextmanager
def answered(broker_port: int) -> Iterator[None]:
    """Answer its question, as its platform would."""

    def answer(client: Client, _: object, message: MQTTMessage) -> None:
        number = message.topic.removeprefix(ASKS)
        client.publish(ANSWERS + number, json.dumps(NO_LIMITS), qos=1)

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = answer
    client.connect("127.0.0.1", broker_port)
    client.subscribe(ASKS + "+", 1)
    client.loop_start()
    try:
        yield
    finally:
        client.disconnect()
        client.loop_stop()


def changes(_topic: str, payload: bytes) -> dict[int, bool]:
    """Return what a message of telemetry says of inputs, by number."""
    said: dict[int, bool] = {}
    for device in json.loads(payload).values():
        for each in device:
            for tag, value in each.get("values", {}).items():
                first = int(tag.removeprefix("i"))
                bits = value if isinstance(value, list) else [value]
                said |= {first + number: bool(bit) for number, bit in enumerate(bits)}
    return said


def tags(inputs: int, *, single: bool) -> list[dict[str, object]]:
    """Return the tags, each named after its first input; the last one has full length, too: less is an error to it."""
    count = 1 if single else MOST_BITS
    firsts = range(inputs) if single else [*range(0, inputs - count, count), inputs - count]
    return [
        {
            "tag": f"i{first}",
            "type": "bits",
            "functionCode": 2,
            "address": first,
            "objectsCount": count,
            "bitTargetType": "bool",
        }
        for first in firsts
    ]


def _configure(
    folder: Path, unit_port: int, broker_port: int, tags: list[dict[str, object]]
) -> None:
    unit = {
        "host": "127.0.0.1",
        "port": unit_port,
        "type": "tcp",
        "method": "socket",
        "unitId": 1,
        "deviceName": DEVICE,
        "timeout": 1,
        "byteOrder": "BIG",
        "wordOrder": "BIG",
        "retries": 0,
        "pollPeriod": 100,
        "reportStrategy": {"type": "ON_CHANGE"},
        "attributes": [],
        "timeseries": tags,
        "attributeUpdates": [],
        "rpc": [],
    }
    (folder / "modbus.json").write_text(json.dumps({"master": {"slaves": [unit]}}), "utf-8")
    gateway = {
        "thingsboard": {
            "host": "127.0.0.1",
            "port": broker_port,
            "remoteShell": False,
            "remoteConfiguration": False,
            "statistics": {"enable": False},
            "checkConnectorsConfigurationInSeconds": 3600,
            "minPackSendDelayMS": 1,
            "security": {"type": "accessToken", "accessToken": "bench"},
            "qos": 1,
            "checkingDeviceActivity": {"checkDeviceInactivity": False},
        },
        "storage": {"type": "memory", "read_records_count": 100, "max_records_count": 100_000},
        "grpc": {"enabled": False},
        "connectors": [
            {"name": "modbus", "type": "modbus", "configuration": "modbus.json"},
        ],
    }
    (folder / "tb_gateway.json").write_text(json.dumps(gateway), "utf-8")
    (folder / "logs").mkdir()
    shipped = next(HOME.glob("lib/python3*/site-packages/thingsboard_gateway/config/logs.json"))
    shutil.copy(shipped, folder / "logs.json")
