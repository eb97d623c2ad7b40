"""What ``ispsd check`` doubts about ports, and that every listening driver takes every link."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from daemon import config
from daemon.assets import asset
from daemon.computer.clock import SystemClock
from daemon.config import registry, sharing
from daemon.drivers import links
from daemon.drivers.api import DriverContext
from daemon.errors import ConfigError
from daemon.gate import CovertGate
from daemon.model import Provenance

PORT = "/dev/serial/by-path/platform-xhci-usb-0:2:1.0-port0"
SAMPLE = asset("ispsd.toml").read_text("utf-8")
GYRO = 'kind = "udp", port = 10120'
LOG = 'kind = "udp", port = 10121'


def doubts(tmp_path: Any, *changes: tuple[str, str]) -> list[str]:
    text = SAMPLE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "ispsd.toml"
    path.write_text(text, "utf-8")
    return list(sharing.contradictions(config.load(path)))


def serial(port: str, baud: int) -> str:
    return f'kind = "serial", port = "{port}", baud = {baud}'


RTU = SAMPLE.partition("[bus.rtu]")[2].partition('port = "')[2].partition('"')[0]
SSAS = "/dev/serial/by-path/platform-xhci-usb-0:3:1.0-port0"
SECOND_BUS = ("[bus.rtu]", f"[bus.two]\nlink = {{ {serial(RTU, 19200)} }}\n[bus.rtu]")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([(GYRO, serial(PORT, 9600))], "device.gps1 and device.gyro: .* different settings"),
        ([(GYRO, LOG + ', sender = "192.168.60.9"')], "device.gyro and device.log: udp .*10121"),
        ([SECOND_BUS], "bus.two and bus.rtu: .* two buses on one line"),
        ([(GYRO, serial(RTU, 9600))], "bus.rtu and device.gyro: .* shares its line with nobody"),
        ([("192.168.60.13", "192.168.60.11")], "device.io1 and device.io3: .*:502 unit 1"),
        ([("unit = 6\n", "unit = 5\n")], "device.rtu5 and device.rtu6: bus rtu unit 5"),
    ],
)
def test_what_cannot_be_meant_is_told_by_name(tmp_path, changes, words):
    (said,) = doubts(tmp_path, *changes)
    assert re.search(words, said)


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [(GYRO, LOG)],
        [(GYRO, serial(PORT, 4800))],
        [(GYRO, LOG + ', group = "239.192.0.1"'), (LOG + " }", LOG + ', group = "239.192.0.2" }')],
    ],
)
def test_a_party_line_is_no_contradiction(tmp_path, changes):
    assert doubts(tmp_path, *changes) == []


TWIN = 'kind = "modbus_rtu"\nbus = "two"\nunit = 5\nprofile = "waveshare-rtu-relay-d"\n'
SSAS_LINK = f'kind = "serial", port = "{SSAS}"'
SERVED = 'host = "192.168.60.1", senders = ["192.168.60.9"]'


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ([(GYRO, serial(SSAS, 4800))], ["device.gyro"]),
        ([(f'"{RTU}"', f'"{SSAS}"')], ["bus.rtu"]),
        ([(SSAS_LINK, GYRO)], ["device.gyro"]),
        ([(SSAS_LINK, GYRO + ', host = "192.168.60.1"')], ["device.gyro"]),
        ([(SSAS_LINK, 'kind = "tcp", host = "192.168.60.11", port = 502')], ["device.io1"]),
        (
            [
                (SSAS_LINK, 'kind = "tcp_server", port = 4001, ' + SERVED),
                (GYRO, 'kind = "tcp_server", port = 4001, ' + SERVED),
            ],
            ["device.gyro"],
        ),
    ],
)
def test_covert_nobody_else_opens_the_port_of_an_ssas_unit(tmp_path, changes, names):
    # Whoever did would read, count and tell of a real alert's text outside any test window.
    with pytest.raises(ConfigError) as caught:
        doubts(tmp_path, *changes)
    assert [fault.place for fault in caught.value.faults] == ["device.ssas"]
    for name, fault in zip(names, caught.value.faults, strict=True):
        assert f"the port of {name} as well" in fault.reason


def test_covert_a_unit_with_a_test_lamp_is_one_device(tmp_path):
    # The other device would take the lamp's input for a door's, and a capture of it would hold the lamp.
    with pytest.raises(ConfigError) as caught:
        doubts(tmp_path, ("192.168.60.11", "192.168.60.12"))
    (fault,) = caught.value.faults
    assert (fault.place, "io1 asks the same unit" in fault.reason) == ("device.io2", True)


def test_covert_two_buses_on_one_line_do_not_make_two_units_of_one_with_a_test_lamp(tmp_path):
    lamp = ('device = "io2"\ninput = 14\nlit_when', 'device = "rtu5"\ninput = 5\nlit_when')
    again = ("[device.rtu6]", f"[device.twin]\n{TWIN}\n[device.rtu6]")
    with pytest.raises(ConfigError) as caught:
        doubts(tmp_path, SECOND_BUS, lamp, again)
    (fault,) = caught.value.faults
    assert (fault.place, "twin asks the same unit" in fault.reason) == ("device.rtu5", True)


def test_covert_the_port_of_an_ssas_unit_is_known_by_each_of_its_names(tmp_path):
    names = [tmp_path / "by-path", tmp_path / "by-id"]
    for name in names:
        name.symlink_to(tmp_path / "ttyUSB0")
    with pytest.raises(ConfigError) as caught:
        doubts(tmp_path, (f'"{SSAS}"', f'"{names[0]}"'), (GYRO, serial(str(names[1]), 4800)))
    (fault,) = caught.value.faults
    assert (fault.place, "the port of device.gyro" in fault.reason) == ("device.ssas", True)


def test_covert_another_port_is_another_port(tmp_path):
    assert doubts(tmp_path, (SSAS_LINK, 'kind = "tcp_server", port = 10120, ' + SERVED)) == []
    assert doubts(tmp_path, (SSAS_LINK, 'kind = "udp", port = 10199')) == []


LINKS: dict[type, dict[str, Any]] = {
    links.TcpLink: {"kind": "tcp", "host": "192.168.60.21", "port": 4001},
    links.SerialLink: {"kind": "serial", "port": PORT},
    links.UdpLink: {"kind": "udp", "port": 10110, "sender": str(IPv4Address("192.168.60.9"))},
    links.TcpServerLink: {"kind": "tcp_server", "port": 4010},
    links.ReplayLink: {"kind": "replay", "path": "/var/lib/ispsd/feed.nmea"},
}
NEEDS: dict[str, dict[str, Any]] = {
    "nmea": {"feed": "nav"},
    "ssas_text": {"profile": "jrc-jue-95sa-text"},
    "ssas_at": {"profile": "iridium-sbd"},
}


def kinds_of_link() -> list[type]:
    return list(get_args(get_args(links.Link)[0]))


LISTENING = [spec for spec in registry.drivers().values() if "link" in spec.config.model_fields]


@pytest.mark.parametrize("link", kinds_of_link(), ids=lambda each: each.__name__)
@pytest.mark.parametrize("spec", LISTENING, ids=lambda spec: spec.kind)
def test_any_link_for_any_driver_that_listens(spec, link):
    if spec.covert and link is links.ReplayLink:
        with pytest.raises(ValidationError, match="link"):
            spec.config.model_validate({"kind": spec.kind, **NEEDS[spec.kind], "link": LINKS[link]})
        return  # a recording proves nothing of an SSAS unit
    made = spec.config.model_validate({"kind": spec.kind, **NEEDS[spec.kind], "link": LINKS[link]})
    assert isinstance(made.link, link)
    clock = SystemClock()
    context = DriverContext(
        device="x", clock=clock, gate=CovertGate(clock), provenance=Provenance.SIMULATED
    )
    assert spec.build(made, context).points()


def test_every_driver_that_has_no_line_of_its_own_listens():
    own = {"modbus_tcp", "modbus_rtu", "onvif_recorder", "reach", "rtsp_camera"}
    assert {spec.kind for spec in LISTENING} | own == registry.drivers().keys()
