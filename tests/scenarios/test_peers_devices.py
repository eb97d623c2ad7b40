"""Complaints about other systems, turned into promises of ours (reference/peers.md 8): those about devices.

4 and 5 are in ``drivers/test_serial_life``; 1 to 3 beside the Modbus drivers.
"""

from __future__ import annotations

from tests.voyage import sailing


async def test_peers_7_a_driver_with_a_bug_is_restarted_recorded_and_told(tmp_path, monkeypatch):
    """ThingsBoard #2132: the poller dies, the process looks alive."""
    async with sailing(tmp_path) as ship:
        (gps1,) = [each for each in ship.daemon.supervisors if each.device == "gps1"]
        monkeypatch.setattr(gps1.driver, "_take", lambda *_: 1 / 0)
        await ship.until(lambda: ship.newest["driver/gps1"]["link"] == "down", for_s=10)
        assert ship.newest["driver/gps1"]["reason"] == "driver fault: ZeroDivisionError"
        (fault,) = ship.of_type("driver.fault")
        assert (fault.subject, fault.open["reason"]) == ("gps1", "driver fault: ZeroDivisionError")
        await ship.sail(34.0)  # the alert's delay is 30 s
        assert ship.newest["status"]["state"] == "degraded"
        assert ship.newest["driver/gps2"]["link"] == "up"
        monkeypatch.undo()
        await ship.sail(50.0)
        assert ship.newest["driver/gps1"]["link"] == "up"
        assert (
            len(ship.of_type("driver.fault")) == 1
        )  # once an outage, however often it was retried


async def test_peers_13_a_door_found_open_after_blindness_is_a_caution_of_its_own(tmp_path):
    """alarmo #1139: unavailable, then open, is taken for an intrusion."""
    async with sailing(tmp_path) as ship:
        await ship.type("io1 unplug")
        await ship.sail(12.0)
        await ship.move("open", "d13")
        await ship.sail(16.0)
        await ship.type("io1 plug")
        await ship.sail(45.0)
        (found,) = [alert for alert in ship.alerts() if alert.title == "BLIND, NOW OPEN"]
        assert found.priority == "C"
        assert "blind" in found.detail
        raised = {alert.title for alert in ship.alerts()}
        assert raised <= {"DOOR UNIT LOST", "BLIND, NOW OPEN", "DOOR NOT SEEN"}
