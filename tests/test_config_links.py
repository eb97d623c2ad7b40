"""What a ship's file may say of links, and what a recording in the place of a device can never be."""

from __future__ import annotations

import asyncio
import tomllib

import pytest

from daemon import config
from daemon.app import Daemon
from daemon.checks.api import counts_as_evidence
from daemon.config.advice import advice
from daemon.errors import ConfigError
from daemon.model import Provenance
from daemon.simulate.derive import derived, mapped
from daemon.simulate.standins import planned
from simulators.ships import OWN_SHIP
from simulators.vessel_gnss import gga
from tests import thin
from tests.clocks import ManualClock
from tests.soon import PATIENCE_S

THIN = thin.DATA / "thin_ship.toml"
TCP = 'link = { kind = "tcp", host = "192.168.60.21", port = 10110 }'
REPLAY = 'link = { kind = "replay", path = "/var/log/gps1.nmea" }'
SERVER = 'link = { kind = "tcp_server", port = 10110 }'


def ship_with(tmp_path, link: str) -> config.Config:
    path = tmp_path / "ispsd.toml"
    path.write_text(THIN.read_text("utf-8").replace(TCP, link, 1), "utf-8")
    return config.load(path)


def faults(tmp_path, link: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        ship_with(tmp_path, link)
    return {fault.place: fault.reason for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("link", "address"),
    [
        (REPLAY, "recording /var/log/gps1.nmea"),
        (SERVER, "127.0.0.1"),
        ('link = { kind = "udp", port = 10110, host = "127.0.0.1" }', "127.0.0.1"),
    ],
)
def test_what_only_this_computer_can_send_wants_a_reason_on_a_ship(tmp_path, link, address):
    reason = faults(tmp_path, link)["device.gps1"]
    assert reason.startswith(f"{address} is on this computer, as a simulator would be")
    ship = ship_with(tmp_path, f'{link}\nlocal = "multiplexer software of the maker"')
    assert ship.devices[1].local == "multiplexer software of the maker"


def test_a_port_on_a_network_says_who_may_connect(tmp_path):
    link = 'link = { kind = "tcp_server", port = 10110, host = "192.168.60.5" }'
    [(place, reason)] = faults(tmp_path, link).items()
    assert place.startswith("device.gps1.link")
    assert place.endswith("senders")
    assert reason == 'say who may connect to 192.168.60.5: senders = ["address of the device"]'
    assert ship_with(tmp_path, link.replace(" }", ', senders = ["192.168.60.21"] }'))


def test_check_says_that_a_recording_is_no_evidence(tmp_path):
    ship = ship_with(tmp_path, f'{REPLAY}\nlocal = "training"')
    [said] = [text for text in advice(ship) if "gps1" in text]
    assert said == (
        "device.gps1: a recording speaks in its place: nothing it says is evidence, in any record"
    )
    assert not any("gps1" in text for text in advice(config.load(THIN)))


def test_check_says_that_a_group_is_joined_on_whichever_network(tmp_path):
    group = 'link = { kind = "udp", port = 60004, group = "239.192.0.4" }'
    assert [text for text in advice(ship_with(tmp_path, group)) if "239.192.0.4" in text]
    said = group.replace(" }", ', host = "192.168.60.5" }')
    assert not [text for text in advice(ship_with(tmp_path, said)) if "239.192.0.4" in text]


async def test_a_recording_is_evidence_in_no_record_not_even_a_demos(tmp_path):
    """Invariant 2: no pass without evidence."""
    log = tmp_path / "gps1.nmea"
    clock = ManualClock()
    log.write_text(f"{gga(OWN_SHIP, clock.utc())}\n", "ascii")
    text = thin.text(state=tmp_path, mqtt_port=1, io1_port=1, gps1_port=1)
    link = 'link = { kind = "tcp", host = "127.0.0.1", port = 1 }'
    path = tmp_path / "demo.toml"
    path.write_text(text.replace(link, REPLAY.replace("/var/log/gps1.nmea", str(log)), 1), "utf-8")
    loaded = config.load(path)
    assert loaded.is_demo
    assert any("gps1" in said for said in advice(loaded))
    daemon = Daemon(loaded, clock=clock)
    [supervisor] = [each for each in daemon.supervisors if each.device == "gps1"]
    readings = []
    running = asyncio.create_task(supervisor.driver.run(readings.append))
    async with asyncio.timeout(PATIENCE_S):
        while not readings:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert readings[0].provenance is Provenance.REPLAY
    assert not counts_as_evidence(readings[0], demo=True)
    [other] = [each for each in daemon.supervisors if each.device == "ais"]
    assert other._provenance is Provenance.SIMULATED
    # What the supervisor says of it when it is lost comes from no live device either.
    assert supervisor._provenance is Provenance.REPLAY


@pytest.mark.parametrize(
    ("link", "real"), [(REPLAY, "/var/log/gps1.nmea"), (SERVER, "tcp_server port 10110")]
)
def test_simulate_puts_a_stand_in_behind_every_link(tmp_path, link, real):
    plan = planned(ship_with(tmp_path, f'{link}\nlocal = "training"'))
    tree = tomllib.loads((tmp_path / "ispsd.toml").read_text("utf-8"))
    units = {unit for unit, _ in plan.of_device.values() if unit is not None}
    endpoints = dict.fromkeys(units, "tcp://127.0.0.1:40001")
    out = derived(tree, plan, endpoints, state=tmp_path, mqtt_port=1)
    assert out["device"]["gps1"]["link"] == {"kind": "tcp", "host": "127.0.0.1", "port": 40001}
    assert {row.name: row.real for row in mapped(tree, plan, endpoints)}["gps1"] == real
