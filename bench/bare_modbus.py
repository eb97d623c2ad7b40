"""The bare program: poll a unit, commit each change to disk, publish it. What no daemon can do without.

    python -m bench.bare_modbus UNIT_PORT BROKER_PORT DATABASE

pymodbus reads 16 inputs ten times a second, apsw commits a row (WAL, ``synchronous=FULL``), paho publishes with QoS 1.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import apsw
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient

POLL_S = 0.1
SEAL_CLOSED, SEAL_OPEN = 6, 7
TOPIC = "bare/point"


async def reached(
    unit_port: int, broker_port: int, database: str
) -> tuple[AsyncModbusTcpClient, Client, apsw.Connection]:
    """Return the unit, the broker and the disk, each as bare as it comes."""
    disk = apsw.Connection(database)
    disk.execute("PRAGMA journal_mode = WAL")
    disk.execute("PRAGMA synchronous = FULL")
    disk.execute("CREATE TABLE change (at REAL, body TEXT)")
    broker = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    broker.connect("127.0.0.1", broker_port)
    broker.loop_start()
    unit = AsyncModbusTcpClient("127.0.0.1", port=unit_port, timeout=0.5, retries=0)
    await unit.connect()
    return unit, broker, disk


async def main(unit_port: int, broker_port: int, database: str) -> None:
    unit, broker, disk = await reached(unit_port, broker_port, database)
    before: tuple[bool, bool] | None = None
    due_s = time.monotonic()
    while True:
        answer = await unit.read_discrete_inputs(0, count=16, device_id=1)
        now = answer.bits[SEAL_CLOSED], answer.bits[SEAL_OPEN]
        if now != before:
            before = now
            body = json.dumps({"value": "open" if now[1] else "closed", "at": time.time()})
            disk.execute("INSERT INTO change VALUES (?, ?)", (time.time(), body))
            broker.publish(TOPIC, body, qos=1, retain=True)
        due_s += POLL_S
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
