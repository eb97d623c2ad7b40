"""How tests of the whole ship speak: what was told and written, and what they do again and again."""

from __future__ import annotations

import json

from daemon.errors import RecordError
from daemon.record.segment import Segment
from tests.ship import HATCH, ROOT, Ship
from tests.soon import soon

HATCH_ALERT = "alert/door.escape.open.d12"
REAL_DISK_S = 600.0
"""A real disk may take a second of its own, in which a hand-moved clock goes far."""
ATTENDED = {"shown": True, "fresh": True, "sound_armed": True}


async def entries(ship: Ship, type_: str | None = None) -> list[dict]:
    """Return the newest hundred entries, oldest first."""
    said = await ship.control({"do": "log", "count": 100, "type": type_})
    return [json.loads(entry) for entry in said["entries"]]


def told(ship: Ship, name: str) -> list[dict]:
    """Return everything that was ever told on a topic, without its clearing."""
    return [json.loads(m.payload) for m in ship.heard if m.topic == f"{ROOT}{name}" and m.payload]


def alerts(ship: Ship) -> set[str]:
    """Return the open alerts of the picture, without what every demo has."""
    usual = {"data.simulated.ispsd", "station.none.ispsd"}
    return {n.removeprefix("alert/") for n in ship.newest if n.startswith("alert/")} - usual


async def open_hatch(ship: Ship) -> dict:
    await ship.unit.set_input(HATCH, False)
    return await ship.until(lambda: ship.state(HATCH_ALERT))


async def acknowledge(ship: Ship, alert: dict, station: str = "gangway", **person: str) -> dict:
    return await ship.ask(station, "ack", **seen(alert), **person)


async def ask_slowly(ship: Ship, station: str, verb: str, **arguments: object) -> dict:
    """Send a command and let time pass until its reply: one that waits for the disk needs it."""
    id_ = f"slow-{next(ship._ids)}"
    body = {"id": id_, "session": ship.newest["status"]["session"], **arguments}
    await ship._connection.deliver(
        f"{ROOT}cmd/{station}/{verb}", json.dumps(body).encode(), expiry_s=10
    )
    said = f"reply/{station}"

    def replied() -> bool:
        return (ship.state(said) or {}).get("id") == id_

    # Its second begins when the daemon has it: the broker takes real time, of which the clock knows nothing.
    await soon(lambda: replied() or ship.daemon.publisher._commands)
    await ship.until(replied, for_s=5.0)
    return ship.newest[said]


def seen(alert: dict) -> dict[str, object]:
    return {"alert": alert["id"], "instance": alert["instance"], "priority": alert["priority"]}


def failing_appends(monkeypatch) -> dict[str, bool]:
    """Let every append fail while ``broken`` is true."""
    disk = {"broken": True}
    append = Segment.append

    def meet(segment, *args):
        if disk["broken"]:
            raise RecordError("no space left on device")
        return append(segment, *args)

    monkeypatch.setattr(Segment, "append", meet)
    return disk
