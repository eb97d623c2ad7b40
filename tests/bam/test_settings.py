"""The [bam] section: refused with the reason where it cannot work, is shared, or is unfit for a ship."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from daemon import config
from daemon.assets import asset
from daemon.bam.settings import BamSection
from daemon.config.advice import advice
from daemon.errors import ConfigError

SERIAL = {"port": "/dev/ttyS9", "maker": "XXX"}
NETWORK = {
    "group": "239.192.0.17",
    "interface": "172.16.0.5",
    "panel_address": "172.16.0.9",
    "maker": "XXX",
}


def loaded(tmp_path, section: str, *, edit=lambda text: text):
    path = tmp_path / "ispsd.toml"
    path.write_text(edit(asset("ispsd.toml").read_text("utf-8")) + f"\n[bam]\n{section}\n", "utf-8")
    return config.load(path)


def faults(tmp_path, section: str, **how) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, section, **how)
    return str(caught.value)


def test_without_a_section_there_is_no_port():
    assert config.load(asset("ispsd.toml")).bam is None


def test_a_serial_port_and_a_group_by_their_defaults():
    serial = BamSection.model_validate(SERIAL)
    assert (serial.talker, serial.baud, serial.hbt_s, serial.alc_s) == ("U0", 4800, 30.0, 30.0)
    network = BamSection.model_validate(NETWORK)
    assert (network.group_port, network.own_sfi) == (60017, "U00001")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"port": "/dev/ttyS9"}, "numbers from 10000 are a manufacturer's own"),
        ({**SERIAL, "maker": "xx"}, "maker"),
        ({**SERIAL, **NETWORK}, "either port"),
        ({"maker": "XXX"}, "either port"),
        ({**NETWORK, "group": "239.192.0.21"}, "239.192.0.1 to 239.192.0.20"),
        ({**NETWORK, "group": "239.192.0.0"}, "239.192.0.1 to 239.192.0.20"),
        ({**NETWORK, "group": "239.255.0.1"}, "239.192.0.1 to 239.192.0.20"),
        ({**NETWORK, "group": "192.168.1.1"}, "239.192.0.1 to 239.192.0.20"),
        ({k: v for k, v in NETWORK.items() if k != "interface"}, "say interface as well"),
        ({k: v for k, v in NETWORK.items() if k != "panel_address"}, "say panel_address as well"),
        ({**SERIAL, "sfi": "U00002"}, "belongs to a group"),
        ({**SERIAL, "talker": "U"}, "talker"),
        ({**SERIAL, "baud": 300}, "baud"),
        ({**SERIAL, "hbt_s": 61}, "hbt_s"),
        ({**SERIAL, "alc_s": 4}, "alc_s"),
        ({**SERIAL, "category": "C"}, "category"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(said, reason):
    with pytest.raises(ValidationError, match=reason):
        BamSection.model_validate(said)


def test_the_older_layout_wants_no_maker():
    assert BamSection.model_validate({"port": "/dev/ttyS9", "mode": "alr"}).maker is None


def test_a_whole_section_loads(tmp_path):
    made = loaded(tmp_path, 'port = "/dev/ttyS9"\nmaker = "XXX"')
    assert made.bam is not None
    assert made.bam.name == "serial /dev/ttyS9"


def test_invariant_10_a_serial_port_of_a_device_is_refused_under_any_name(tmp_path):
    link = next(
        d
        for d in config.load(asset("ispsd.toml")).devices
        if d.link is not None and d.link.kind == "serial"
    )
    assert link.link is not None
    alias = tmp_path / "alias"
    alias.symlink_to(link.link.port)
    for port in (link.link.port, str(alias)):
        said = faults(tmp_path, f'port = "{port}"\nmaker = "XXX"')
        assert f"is the port of device.{link.id} as well" in said


def test_invariant_10_a_group_that_a_device_listens_to_is_refused(tmp_path):
    device = (
        '\n[device.ecdis]\nkind = "nmea"\nfeed = "equipment"\n'
        'link = { kind = "udp", port = 60017, group = "239.192.0.17", host = "172.16.0.5" }\n'
    )
    section = 'group = "239.192.0.17"\ninterface = "172.16.0.5"\npanel_address = "172.16.0.9"\nmaker = "XXX"'
    assert "device.ecdis as well" in faults(tmp_path, section, edit=lambda text: text + device)
    assert loaded(tmp_path, section).bam is not None


def test_no_station_has_the_panel_s_name(tmp_path):
    said = faults(
        tmp_path,
        'port = "/dev/ttyS9"\nmaker = "XXX"',
        edit=lambda text: text + '\n[[station]]\nid = "cam"\n',
    )
    assert 'station "cam".id' in said


@pytest.mark.parametrize(
    "section",
    [
        'port = "/dev/pts/7"\nmaker = "XXX"',
        'group = "239.192.0.17"\ninterface = "127.0.0.1"\npanel_address = "127.0.0.1"\nmaker = "XXX"',
    ],
)
def test_a_port_on_this_computer_wants_a_reason_on_a_ship(tmp_path, section):
    assert "as a simulator would be" in faults(tmp_path, section)
    assert loaded(tmp_path, section + '\nlocal = "a gateway in this rack"').bam is not None


def test_another_talker_and_a_panel_without_heartbeat_are_doubtful(tmp_path):
    made = loaded(
        tmp_path, 'port = "/dev/ttyUSB0"\nmaker = "XXX"\ntalker = "EI"\nheartbeat_expected = false'
    )
    said = "\n".join(advice(made))
    assert "bam.talker: EI is the talker of other equipment" in said
    assert "bam.heartbeat_expected" in said
    assert "bam.port: /dev/ttyUSB0 may be another adapter" in said
    quiet = loaded(tmp_path, 'port = "/dev/ttyS9"\nmaker = "XXX"\ntalker = "U7"')
    assert not [each for each in advice(quiet) if each.startswith("bam.talker")]
