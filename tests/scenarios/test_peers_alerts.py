"""Complaints about other systems, turned into promises of ours (reference/peers.md 8): those about alerts.

9 is in ``processes/test_kill``, 13 in ``test_peers_devices``, 14 and the end of an inhibit beside the inhibits.
"""

from __future__ import annotations

import json

from daemon.mqtt.commands import VERBS
from tests.voyage import FINE_S, ROOT, sailing

HATCH, PIR = "door.escape.open.d12", "intrusion.detected.m01"


def told(ship, alert: str, *, after: int = 0):
    """Return every message of an alert since the so-manieth that was heard: state, priority, whether it sounds."""
    bodies = [
        json.loads(m.payload)
        for m in ship.heard[after:]
        if m.topic == f"{ROOT}alert/{alert}" and m.payload
    ]
    return [(b["state"], b["priority"], b["sounding"]) for b in bodies]


async def acknowledge(ship, alert: str) -> None:
    shown = ship.newest[f"alert/{alert}"]
    seen = {key: shown[key] for key in ("instance", "priority")}
    reply = await ship.station("gangway", "ack", alert=alert, **seen)
    assert reply["accepted"], reply
    await ship.settle()


async def test_peers_10_an_acknowledged_alarm_that_becomes_a_warning_makes_no_sound(tmp_path):
    """Signal K #2856: the lower priority is taken for a new alert."""
    async with sailing(tmp_path) as ship:
        await ship.order("level", "R. Menon", level=3, told_by="port facility")
        await ship.move("open", "d12")
        await ship.until(lambda: f"alert/{HATCH}" in ship.newest)
        assert ship.newest[f"alert/{HATCH}"]["priority"] == "A"
        await acknowledge(ship, HATCH)
        known = len(ship.heard)
        await ship.order("level", "R. Menon", level=2, told_by="port facility")
        await ship.sail(130.0, grain_s=5.0)
        shown = ship.newest[f"alert/{HATCH}"]
        assert (shown["priority"], shown["state"], shown["acknowledged_by"]["station"]) == (
            "W",
            "A",
            "gangway",
        )
        assert not any(sounds for _, _, sounds in told(ship, HATCH, after=known))


async def test_peers_11_what_is_only_repeated_stays_silent_and_what_is_new_sounds(tmp_path):
    """OpenCPN #5080: a SART that repeats itself alarms again after its acknowledgement."""
    async with sailing(tmp_path) as ship:
        await ship.move("open", "m01")
        await ship.until(lambda: f"alert/{PIR}" in ship.newest)
        first = ship.newest[f"alert/{PIR}"]["instance"]
        await acknowledge(ship, PIR)
        known = len(ship.heard)
        await ship.sail(120.0, grain_s=1.0)  # its unit repeats it ten times a second
        assert not any(sounds for _, _, sounds in told(ship, PIR, after=known))
        await ship.move("close", "m01")
        await ship.until(lambda: f"alert/{PIR}" not in ship.newest)
        await ship.move("open", "m01")
        await ship.until(lambda: f"alert/{PIR}" in ship.newest)
        again = ship.newest[f"alert/{PIR}"]
        assert again["sounding"]
        assert again["instance"] > first


async def test_peers_12_silence_ends_after_30_s_and_a_new_alert_sounds_meanwhile(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.move("open", "d12")
        await ship.until(lambda: f"alert/{HATCH}" in ship.newest)
        assert (await ship.station("bridge", "silence"))["accepted"]
        silenced_s = ship.at_s
        await ship.settle()
        assert not ship.newest[f"alert/{HATCH}"]["sounding"]
        await ship.move("open", "m01")
        await ship.until(lambda: f"alert/{PIR}" in ship.newest)
        assert ship.newest[f"alert/{PIR}"]["sounding"]
        await ship.until(lambda: ship.newest[f"alert/{HATCH}"]["sounding"])
        assert 30.0 <= ship.at_s - silenced_s <= 30.0 + 2 * FINE_S


async def test_peers_12_nobody_can_acknowledge_all(tmp_path):
    async with sailing(tmp_path) as ship:
        for door in ("d12", "m01"):
            await ship.move("open", door)
        await ship.until(lambda: f"alert/{PIR}" in ship.newest and f"alert/{HATCH}" in ship.newest)
        assert [v for v in VERBS if any(w.startswith("ack") for w in v.split("_"))] == ["ack"]
        for alert in ("*", "#", "all", "door.escape.open", f"{HATCH},{PIR}"):
            reply = await ship.station("gangway", "ack", alert=alert, instance=1, priority="W")
            assert not reply["accepted"], alert
        await ship.settle()
        for alert in (HATCH, PIR):
            assert ship.newest[f"alert/{alert}"]["state"] == "V"


async def test_peers_16_of_a_door_that_bangs_twenty_times_and_stays_open_that_is_told(tmp_path):
    """icinga #9449: while it flaps nothing is told, and of how it came to rest neither."""
    async with sailing(tmp_path) as ship:
        for _ in range(20):
            await ship.move("open", "d12")
            await ship.sail(1.0, grain_s=FINE_S)
            await ship.move("close", "d12")
            await ship.sail(1.0, grain_s=FINE_S)
        await ship.move("open", "d12")
        flapped = ship.alerts()
        assert len([a for a in flapped if a.title == "SENSOR CHATTER"]) == 1
        assert len(flapped) <= 3, flapped
        await ship.sail(340.0)  # five quiet minutes end the chatter
        assert ship.newest[f"alert/{HATCH}"]["state"] == "V"
        assert ship.newest[f"alert/{HATCH}"]["sounding"]
        assert ship.newest["point/d12"]["value"] == "open"
