"""The bare program for many inputs: poll a unit, commit each change to disk, publish it.

    python -m bench.bare_inputs UNIT_PORT BROKER_PORT DATABASE COUNT

As ``bench.bare_modbus``, with a topic for each input: pymodbus reads all ten times a second, apsw commits a row a
change (WAL, ``synchronous=FULL``), paho publishes with QoS 1.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from bench.bare_modbus import POLL_S, reached


async def main(unit_port: int, broker_port: int, database: str, count: int) -> None:
    unit, broker, disk = await reached(unit_port, broker_port, database)
    before: list[bool | None] = [None] * count
    due_s = time.monotonic()
    while True:
        now = (await unit.read_discrete_inputs(0, count=count, device_id=1)).bits[:count]
        if now != before:
            for number, (was, state) in enumerate(zip(before, now, strict=True)):
                if was is not state:
                    body = json.dumps({"value": "closed" if state else "open", "at": time.time()})
                    disk.execute("INSERT INTO change VALUES (?, ?)", (time.time(), body))
                    broker.publish(f"bare/{number}", body, qos=1, retain=True)
            before = now
        due_s += POLL_S
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
