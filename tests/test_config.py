from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemon import config
from daemon.assets import asset
from daemon.drivers.api import Gauge, Wiring
from daemon.drivers.modbus_profile import load_profile
from daemon.errors import ConfigError
from daemon.model import DoorClass, OpeningKind, Situation

THIN = Path(__file__).parent / "data" / "thin_ship.toml"
"""A ship of few parts, of which every fault can be named."""
VOLTAGE = 'battery_wiring = "loop_4_20_ma"\nbattery_v = [0, 32]\nbattery_low_v = 23.0'


def faults(tmp_path: Path, *changes: tuple[str, str]) -> dict[str, str]:
    """Load the sample with some text replaced; return the reasons by place."""
    text = THIN.read_text("utf-8")
    for old, new in changes:
        assert old in text, f"the sample no longer has {old!r}"
        text = text.replace(old, new, 1)
    path = tmp_path / "ispsd.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    return {fault.place: fault.reason for fault in caught.value.faults}


def test_pins_lie_beside_the_records_folder_or_where_it_is_said(tmp_path):
    ship = config.load(THIN)
    assert ship.credentials_file == ship.record.directory.parent / "persons.json"
    path = tmp_path / "ispsd.toml"
    said = '[people]\ncredentials_file = "/srv/pins.json"\n[record]'
    path.write_text(THIN.read_text("utf-8").replace("[record]", said, 1), "utf-8")
    assert config.load(path).credentials_file == Path("/srv/pins.json")


@pytest.mark.parametrize(
    ("said", "escalation"),
    [
        ("", (60.0, 300.0)),
        ("[alerts]\nescalate_after_s = 30\npromote_after_s = 0\n", (30.0, 0.0)),
        ("[alerts]\nescalate_after_s = 300\npromote_after_s = 30\n", (300.0, 30.0)),
    ],
)
def test_what_becomes_of_an_alert_that_nobody_acknowledges_is_the_ships_to_say(
    tmp_path, said, escalation
):
    path = tmp_path / "ispsd.toml"
    path.write_text(THIN.read_text("utf-8").replace("[record]", f"{said}[record]", 1), "utf-8")
    found = config.load(path).escalation
    assert (found.after_s, found.promote_after_s) == escalation


def test_a_thin_ship_loads():
    ship = config.load(THIN)
    assert (ship.ship.name, ship.situation) == ("KESTREL STRAIT", Situation.PORT)
    assert [d.id for d in ship.devices] == ["io1", "gps1", "ais", "ssas"]
    assert not ship.is_demo
    hatch = next(o for o in ship.openings if o.id == "d12")
    assert (hatch.kind, hatch.door_class) == (OpeningKind.DOOR, DoorClass.ESCAPE)
    assert ship.person("R. Menon") is not None
    assert ship.person("Nobody") is None


def test_no_ssas_test_ships_switched_on():
    assert all(not test.spec.needs_window for test in config.load(asset("ispsd.toml")).tests)


def test_every_fault_is_said_in_one_go_with_its_place(tmp_path):
    found = faults(
        tmp_path,
        ("imo_number = 9999993", "imo_number = 9999994"),
        ('kind = "modbus_tcp"', 'kind = "modbus_rtu_over_pigeon"'),
        ('class = "E"', 'class = "X"'),
        ("security_level = 1", "security_level = 4"),
        ('kind = "ais_own_report"', 'kind = "ais_telepathy"'),
        ('ssp_paragraph = "7.6"', ""),
    )
    assert set(found) == {
        "device.io1.kind",
        'door[2] "d12".class',
        "watch.security_level",
        'test[0] "t-ais".kind',
    }
    assert (
        "there are modbus_rtu, modbus_tcp, nmea, onvif_recorder, reach, rtsp_camera, ssas_at, ssas_text"
        in found["device.io1.kind"]
    )


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        (
            ("imo_number = 9999993", "imo_number = 9999994"),
            "ship.imo_number",
            "check digit must be 3",
        ),
        (
            ('device = "io1"\ninputs = [3]', 'device = "io9"\ninputs = [3]'),
            '"d12".device',
            "no device 'io9'",
        ),
        (
            ('device = "io1"\ninputs = [3]', 'device = "ais"\ninputs = [3]'),
            '"d12".device',
            "has no inputs",
        ),
        (("inputs = [3]", "inputs = [16]"), '"d12".inputs', "has inputs 0 to 15, not 16"),
        (("inputs = [3]", "inputs = [2]"), "device.io1 input 2", "used by d03 and d12"),
        (("inputs = [3]", "inputs = [14]"), "device.io1 input 14", "used by d12 and ssas.lamp"),
        (("inputs = [4, 5]", "inputs = [4]"), '"d11".inputs', "wants 2 inputs, 1 given"),
        (("inputs = [3]", "inputs = [3, 8]"), '"d12".inputs', "wants 1 input, 2 given"),
        (
            ('id = "d12"', 'id = "d11"'),
            "door, seal, detector, light and UPS",
            "'d11' stands 2 times",
        ),
        (('name = "J. Santos"', 'name = "R. Menon"'), "person", "'R. Menon' stands 2 times"),
        (('host = "192.168.60.11"', 'host = "127.0.0.1"'), "device.io1", "as a simulator would be"),
        (('situation = "port"', 'situation = "anchor"\n#'), "station", None),
        (
            ('device = "ais"\n\n# An SSAS', 'device = "gps1"\n\n# An SSAS'),
            'test "t-ais"',
            "nothing emits",
        ),
        (("[mqtt]  ", '[mqtt]\npassword_file = "/etc/p"\n#'), "mqtt", "password_file needs user"),
        (("poll_s = 0.1", "poll_s = 0.1\nwrite = true"), "device.io1.write", "no such setting"),
    ],
)
def test_each_kind_of_fault_is_named(tmp_path, change, place, reason):
    if reason is None:
        text = THIN.read_text("utf-8").replace('situation = "port"', 'situation = "yard"', 1)
        text = text.replace('attended_in = ["port", "yard"]', 'attended_in = ["port"]')
        path = tmp_path / "ispsd.toml"
        path.write_text(text, "utf-8")
        with pytest.raises(ConfigError, match="no station is attended in situation yard"):
            config.load(path)
        return
    found = faults(tmp_path, change)
    assert place in found
    assert reason in found[place]


def test_covert_any_other_ssas_channel_is_refused_in_plain_words(tmp_path):
    found = faults(tmp_path, ('kind = "test_lamp"', 'kind = "alert_loop"'))
    reason = found['ssas.channels[0] "ssas.lamp".kind']
    assert "test lamp, test relay or text port only" in reason
    assert "never wired" in reason


def test_covert_an_ssas_test_without_paragraph_flag_and_unit_profile_is_refused(tmp_path):
    text = THIN.read_text("utf-8") + (
        '\n[[test]]\nkind = "ssas_end_to_end"\nid = "t-ssas"\nequipment = "ssas"\nname = "SSAS P1"\n'
        'every = "year"\nactivation_point = "P1"\nmessage = "ssas.message"\nlamp = "ssas.lamp"\n'
        'addressees = [{ name = "CSO", kind = "company" }]\n'
    )
    path = tmp_path / "ispsd.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert {f.place for f in caught.value.faults} == {
        'test[1] "t-ssas".ssp_paragraph',
        'test[1] "t-ssas".flag_profile',
        'test[1] "t-ssas".unit_profile',
    }


def test_a_local_device_is_let_in_with_a_reason_and_the_reason_is_kept(tmp_path):
    text = THIN.read_text("utf-8").replace(
        'host = "192.168.60.11"', 'host = "127.0.0.1"\nlocal = "gateway runs on this computer"'
    )
    path = tmp_path / "ispsd.toml"
    path.write_text(text, "utf-8")
    device = config.load(path).devices[0]
    assert device.local == "gateway runs on this computer"


@pytest.mark.parametrize("local", ["false", "true", '""', '"  "', "2026-11-30"])
def test_a_local_device_gives_its_reason_in_words(tmp_path, local):
    """What is no reason lets no simulator in, and would stand in no entry."""
    found = faults(tmp_path, ('host = "192.168.60.11"', f'host = "127.0.0.1"\nlocal = {local}'))
    assert "is no reason" in found["device.io1.local"]


def test_a_local_line_is_kept_with_its_reason_as_a_device_is(tmp_path):
    bus = """
[bus.b]
local = "{}"
link = {{ kind = "tcp", host = "127.0.0.1", port = 4001 }}
"""
    path = tmp_path / "ispsd.toml"
    text = THIN.read_text("utf-8")
    path.write_text(text + bus.format("the adapter's own server"), "utf-8")
    assert config.load(path).local == {"bus.b": "the adapter's own server"}
    path.write_text(text + bus.format(""), "utf-8")
    with pytest.raises(ConfigError, match=r"bus\.b\.local"):
        config.load(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[ship\n", "not TOML"),
        (b"\xff\xfe", "not TOML"),
        (b"", "ship: is missing"),
        (b"x = 1\n" + b"#" * config.LARGEST_FILE, "larger than"),
        (b"device = 3\ntest = 4\nship = 1\nwatch = 2\nrecord = 3\n", "device"),
        (b"[device]\nio1 = 3\n[[test]]\n", "device.io1.kind"),
        (b"x = " + b"1" * 5000, "not TOML"),
        (b'[device.io1]\nkind = ["nmea"]\n', "device.io1.kind: no driver ['nmea']"),
        (b"[exporter.ha]\nkind = {}\n", "exporter.ha.kind: no exporter {}"),
        (b"[[test]]\nkind = []\n", "test[0].kind: no check []"),
        (
            b'[[test]]\nuse = "t-door"\ndoors = ["d1"]\nssp_paragraph = "1"\nkind = []\n',
            'test[0] "t-door".kind: []',
        ),
    ],
)
def test_what_is_no_configuration_is_refused_with_its_file(tmp_path, content, reason):
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        config.load(tmp_path / "none.toml")


def test_check_prints_all_faults_and_exits_2(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text(THIN.read_text("utf-8").replace("inputs = [3]", "inputs = [99]"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "daemon", "check", str(path)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 2
    assert '"d12".inputs: io1 has inputs 0 to 15, not 99' in done.stderr
    assert "1 fault(s); nothing was started" in done.stderr


def test_run_with_a_broken_file_starts_nothing(tmp_path):
    path = tmp_path / "broken.toml"
    state = tmp_path / "state"
    text = (
        THIN.read_text("utf-8")
        .replace("/var/lib/ispsd", str(state))
        .replace("inputs = [3]", "inputs = [99]")
    )
    path.write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "daemon", "run", "--config", str(path)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert not state.exists()


def test_the_sample_ship_loads_with_her_traps():
    ship = config.load(asset("ispsd.toml"))
    doors = [o for o in ship.openings if o.kind is OpeningKind.DOOR]
    seals = [o for o in ship.openings if o.kind is OpeningKind.SEAL]
    assert (ship.ship.name, len(doors), len(seals)) == ("KESTREL STRAIT", 18, 6)
    by_id = {d.id: d for d in ship.devices}
    generator = next(c for c in by_id["io1"].contacts if c.point == "d14")
    assert generator.wiring is Wiring.NO, "wired the other way round than the rest"
    assert load_profile("advantech-adam-6050").function == 1, "its inputs are coils"
    assert by_id["rtu5"].bus == by_id["rtu6"].bus == "rtu"
    assert {o.id for o in ship.openings if o.kind is OpeningKind.LOCK} == {
        "d05.lock",
        "d06.lock",
        "d11.lock",
    }
    assert sorted(s.point for s in by_id["shell"].side_doors) == ["h01", "h02"]


WITNESS = """
[[witness]]
name = "wheelhouse"
key = "wheelhouse-2.example+b6e46c64+BB9NzDDd4CaTDg+zGfhJ7UhQUu2KH19X5pG7N/EDJF2E"
url = "http://127.0.0.1:8970"
"""


def test_a_witness_is_read_with_its_key_and_place(tmp_path):
    path = tmp_path / "ispsd.toml"
    path.write_text(THIN.read_text("utf-8") + WITNESS, "utf-8")
    [witness] = config.load(path).witnesses
    assert (witness.name, witness.key.name) == ("wheelhouse", "wheelhouse-2.example")
    assert witness.place is not None
    assert (witness.place.host, witness.place.port) == ("127.0.0.1", 8970)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("http://127.0.0.1:8970", "http://witness.example", "to anywhere else want https"),
        ("http://127.0.0.1:8970", "telnet://127.0.0.1", "want http"),
        ("wheelhouse-2.example+", "wheelhouse-3.example+", "mistyped"),
        ("wheelhouse-2.example+", "", "not a public key line"),
    ],
)
def test_a_witness_that_cannot_be_asked_or_believed_is_a_fault(tmp_path, old, new, reason):
    path = tmp_path / "ispsd.toml"
    path.write_text(THIN.read_text("utf-8") + WITNESS.replace(old, new), "utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert any(reason in fault.reason for fault in caught.value.faults), caught.value


def test_two_witnesses_of_one_name_or_key_are_a_fault(tmp_path):
    path = tmp_path / "ispsd.toml"
    path.write_text(THIN.read_text("utf-8") + WITNESS + WITNESS, "utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert {fault.place for fault in caught.value.faults} == {"witness", "witness key"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (("port = 10110", "port = 101100"), "101100: must be 65535 at most"),
        (('kind = "tcp", host', 'kind = "multicast", host'), "'multicast' is none of tcp, serial,"),
        (('kind = "tcp", host', "host"), "kind is missing"),
        (
            (
                'kind = "tcp", host = "192.168.60.21", port = 10110',
                'kind = "serial", port = "COM3"',
            ),
            "'COM3' is not a whole path, which begins with /",
        ),
        (
            (
                'kind = "tcp", host = "192.168.60.21", port = 10110',
                'kind = "serial", port = "/dev/x", baud = 9601',
            ),
            "9601 is none of 1200, 2400, 4800, 9600,",
        ),
        (
            ('name = "STRG GEAR ESC"', 'name = "STEERING GEAR HATCH"'),
            "has 19 characters, 16 at most",
        ),
        (("moxa-iologik-e1210", "e1210"), "there is moxa-iologik-e1210 ("),
        (("inputs = [3]", "inputs = [-3]"), "-3: must be 0 at least"),
        (("[record]", "[alerts]\nescalate_after_s = 29.9\n[record]"), "must be 30 at least"),
        (("[record]", "[alerts]\nescalate_after_s = 301\n[record]"), "must be 300 at most"),
        (("[record]", "[alerts]\nescalate_after_s = nan\n[record]"), "nan"),
        (('feed = "nav"', 'feed = "nav"\nsilent_after_s = inf'), "inf is no number that can be"),
        (('feed = "nav"', 'feed = "nav"\nsilent_after_s = nan'), "nan: must be more than 0"),
        (("[record]", "[alerts]\npromote_after_s = 29\n[record]"), "0 for never, or 30 to 300"),
        (("[record]", "[alerts]\npromote_after_s = 301\n[record]"), "must be 300 at most"),
        (("[record]", "[alerts]\npromote_after_s = -1\n[record]"), "must be 0 at least"),
        (("[record]", "[alerts]\nsilence_s = 60\n[record]"), "there is no such setting"),
    ],
)
def test_a_wrong_value_is_said_in_plain_words_and_nothing_that_follows_from_it(
    tmp_path, changes, said
):
    [reason] = faults(tmp_path, changes).values()
    assert said in reason


@pytest.mark.parametrize(
    ("chain", "place", "reason"),
    [
        ('[annunciation.chain]\nport = ["crow"]', "chain.port", "there is no station 'crow'"),
        (
            '[annunciation.chain]\nport = ["gangway", "office", "gangway"]',
            "chain.port",
            "'gangway' stands 2 times",
        ),
        (
            '[annunciation.raised_chain]\nsea = ["sso", "crow"]',
            "raised_chain.sea",
            "there is no station 'crow'",
        ),
        (
            '[annunciation.chain]\nport = ["sso"]\n[annunciation.raised_chain]\nport = ["sso"]',
            "raised_chain.port",
            "'sso' is in chain already",
        ),
    ],
)
def test_a_chain_names_stations_that_are_there_and_each_once(tmp_path, chain, place, reason):
    found = faults(tmp_path, ("# Devices. Each kind", f"{chain}\n# Devices. Each kind"))
    assert found == {f"annunciation.{place}": reason}


def test_where_no_chain_is_named_it_is_the_usual_one_of_the_stations_that_are_there():
    plan = config.load(THIN).annunciation.plan
    assert plan.chain[Situation.PORT] == ("gangway", "office", "bridge")
    assert plan.raised[Situation.SEA] == ()
    sample = config.load(asset("ispsd.toml")).annunciation.plan
    assert sample.chain[Situation.PORT] == ("gangway", "office", "phone", "bridge")
    assert sample.raised[Situation.SEA] == sample.raised[Situation.ANCHOR] == ("master",)
    assert sample.next_after_s == 180.0


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("next_after_s = 5", "annunciation.next_after_s"),
        ("tones = 3", "annunciation.tones"),
        ("volume_floor = 0", "annunciation.volume_floor"),
        ("gangway_reply_min = [0, 30]", "annunciation.gangway_reply_min"),
    ],
)
def test_what_annunciation_cannot_be_is_named(tmp_path, said, place):
    found = faults(
        tmp_path, ("# Devices. Each kind", f"[annunciation]\n{said}\n# Devices. Each kind")
    )
    assert any(each.startswith(place) for each in found), found


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        (('circuit = "deck"', 'circuit = "hold"'), 'light[0] "lt1".circuit', "gangway"),
        (('wiring = "nc"  # lt1', 'wiring = "double"'), '"lt1".wiring', "one input"),
        (("input = 12", "input = 11"), "device.io2 input 11", "used by lt2 and lt3"),
        (("mains_input = 3", "mains_input = 99"), '"u1".inputs', "inputs 0 to 15, not 99"),
        (("battery_input = 4", "battery_input = 3"), "device.io2 input 3", "u1 and u1.battery"),
        (
            ("battery_input = 4", 'battery_input = 4\nbattery_device = "io9"'),
            '"u1.battery".device',
            "no device 'io9'",
        ),
        (
            ("battery_input = 4", f"battery_input = 4\n{VOLTAGE}"),
            "device.io2",
            "cannot be",
        ),
        (
            ("battery_input = 4", 'battery_input = 4\nbattery_wiring = "loop_4_20_ma"'),
            'ups[0] "u1"',
            "battery_low_v",
        ),
        (("battery_input = 4", "battery_input = 4\nbattery_low_v = 23.0"), 'ups[0] "u1"', "wiring"),
        (
            ("battery_input = 4", f"battery_input = 4\n{VOLTAGE.replace('23.0', '31.5')}"),
            'ups[0] "u1"',
            "must lie between 0 and 32 V",
        ),
        (
            ('contact = "u1.battery"', 'contact = "ssas.lamp"'),
            'test "t-state"',
            "which is SSAS equipment",
        ),
        (('ask = "https"', 'ask = "tcp"'), "device.acs.port", "missing"),
        (('ask = "https"', 'ask = "telnet"'), "device.acs.ask", "http"),
        (
            ('gangway = ["lt3"]', 'gangway = ["lt3", "lt9"]'),
            'test[6] "t-light"',
            "gangway: lt9 is not among the lights",
        ),
        (('id = "lt2"', 'id = "u1"'), "door, seal, detector, light and UPS", "'u1' stands 2 times"),
    ],
)
def test_lights_ups_and_network_units_are_refused_by_place(tmp_path, change, place, reason):
    text = asset("ispsd.toml").read_text("utf-8")
    text = text.replace("input = 10\n\n[[light]]", 'input = 10\nwiring = "nc"  # lt1\n\n[[light]]')
    before, after = change
    assert before in text
    path = tmp_path / "ispsd.toml"
    path.write_text(text.replace(before, after, 1), "utf-8")
    with pytest.raises(ConfigError) as raised:
        config.load(path)
    found = {fault.place: fault.reason for fault in raised.value.faults}
    assert place in found, found
    assert reason in found[place]


def test_a_battery_may_be_told_by_its_voltage_at_another_unit(tmp_path):
    text = asset("ispsd.toml").read_text("utf-8")
    more = f'battery_input = 0\nbattery_device = "io4"\n{VOLTAGE}'
    unit = """
[device.io4]
kind = "modbus_tcp"
host = "192.168.60.14"
profile = "moxa-iologik-e1242-loops"
"""
    path = tmp_path / "ispsd.toml"
    path.write_text(text.replace("battery_input = 4", more, 1) + unit, "utf-8")
    loaded = config.load(path)
    (io4,) = [device for device in loaded.devices if device.id == "io4"]
    (contact,) = io4.contacts
    assert contact.point == "u1.battery"
    assert contact.gauge == Gauge("u1.voltage", "V", 0.0, 32.0, 23.0)
    (battery,) = [o for o in loaded.openings if o.id == "u1.battery"]
    assert (battery.device, battery.of) == ("io4", "u1")
