"""The whole chain, from a contact on the wire to the entry on disk."""

from __future__ import annotations

import errno
import json

from daemon.control import control
from tests.ship import GEAR_CLOSED, HATCH, ROOT, sailing

HATCH_ALERT = "alert/door.escape.open.d12"


async def test_a_door_that_opens_is_told_recorded_acknowledged_and_rectified(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        assert ship.state("point/d12")["value"] == "closed"
        await ship.ask("gangway", "take_watch", person="L. Tupou")
        await ship.unit.set_input(HATCH, False)
        alert = await ship.until(lambda: ship.state(HATCH_ALERT))
        assert (alert["title"], alert["priority"], alert["state"]) == ("ESC HATCH OPEN", "W", "V")
        await ship.pass_time(0.25)
        assert ship.state(HATCH_ALERT)["recorded"] is not None
        reply = await ship.ask(
            "gangway",
            "ack",
            alert=alert["id"],
            instance=alert["instance"],
            priority="W",
            person="L. Tupou",
        )
        assert reply["accepted"], reply
        again = await ship.ask(
            "bridge", "ack", alert=alert["id"], instance=alert["instance"], priority="W"
        )
        assert again["already"] == {"station": "gangway", "seq": reply["recorded"]}
        assert ship.state(HATCH_ALERT)["sounding"] is False
        await ship.unit.set_input(HATCH, True)
        await ship.until(lambda: ship.state(HATCH_ALERT) is None)
        entries = (await control.ask(ship.folder / "control.sock", {"do": "log", "count": 50}))[
            "entries"
        ]
        told = [json.loads(e) for e in entries]
        assert [e["open"]["state"] for e in told if e["subject"] == "d12"] == ["V", "A", "N"]
        events = [json.loads(m.payload) for m in ship.heard if m.topic == f"{ROOT}event"]
        assert [e["bseq"] for e in events] == list(range(1, len(events) + 1))


async def test_a_systemd_that_cannot_be_told_for_a_while_ends_neither_watch_nor_stop(
    tmp_path, monkeypatch
):
    told, deaf = [], [True]

    def notify(*lines):
        if deaf[0] and lines[0] in {"WATCHDOG=1", "STOPPING=1"}:
            raise OSError(errno.ENOBUFS, "No buffer space available")
        told.append(lines[0])

    monkeypatch.setenv("WATCHDOG_USEC", "4000000")
    monkeypatch.setattr("daemon.computer.systemd.notify", notify)
    async with sailing(tmp_path) as ship:
        await ship.pass_time(5.0)
        assert ship.state("point/d12")["value"] == "closed"
        assert "WATCHDOG=1" not in told
        deaf[0] = False
        await ship.pass_time(2.0)
        assert "WATCHDOG=1" in told
        deaf[0] = True
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        answer = await control.ask(ship.folder / "control.sock", {"do": "log", "count": 50})
        types = [json.loads(each)["type"] for each in answer["entries"]]
    assert "daemon.stopped" in types


async def test_a_cut_cable_is_neither_open_nor_closed(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.pass_time(1.0)
        await ship.unit.set_input(GEAR_CLOSED, False)
        await ship.until(lambda: ship.state("alert/sensor.line_fault.d11"))
        assert ship.state("point/d11")["value"] == "line_fault"
        assert ship.state("alert/door.vital.open.d11") is None
