"""Is each value of the ship's file of its own type, and is what it should be said in plain words?"""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon import config
from daemon.assets import asset
from daemon.errors import ConfigError

THIN = Path(__file__).parent / "data" / "thin_ship.toml"
RECORD = 'directory = "/var/lib/ispsd/record"'
KEY = 'key_file = "/var/lib/ispsd/record-key.pem"'
DAY = "is not a day, as 2026-10-14"


def refusal(old: str, new: str) -> str:
    text = THIN.read_text("utf-8")
    assert old in text, f"the sample no longer has {old!r}"
    with pytest.raises(ConfigError) as caught:
        config.read(text.replace(old, new, 1).encode(), "ispsd.toml")
    [fault] = caught.value.faults
    return f"{fault.place}: {fault.reason}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("port = 1883", "port = true", "mqtt.port: True is not a whole number"),
        ("port = 1883", 'port = "1883"', "mqtt.port: '1883' is not a whole number"),
        ("port = 1883", "port = 1883.5", "mqtt.port: 1883.5 is not a whole number"),
        ("inputs = [3]", "inputs = [true]", "inputs[0]: True is not a whole number"),
        (
            "security_level = 1",
            "security_level = true",
            "watch.security_level: True is none of 1, 2, 3",
        ),
        ("poll_s = 0.1", 'poll_s = "0.1"', "device.io1.poll_s: '0.1' is not a number"),
        ("poll_s = 0.1", "poll_s = 0.1\nunit = true", "device.io1.unit: True is not a whole"),
        ("lit_when = true", "lit_when = 1", "lit_when: 1 is not true or false"),
        ("lit_when = true", 'lit_when = "yes"', "lit_when: 'yes' is not true or false"),
    ],
)
def test_no_value_is_taken_for_another_type(old, new, said):
    assert said in refusal(old, new)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("approved_on = 0", f"approved_on: 0 {DAY}"),
        ('approved_on = "14.10.2026"', f"approved_on: '14.10.2026' {DAY}"),
        ("approved_on = true", f"approved_on: True {DAY}"),
    ],
)
def test_a_day_is_written_as_one(new, said):
    assert said in refusal('ssp_paragraph = "7.6"', f'ssp_paragraph = "7.6"\n{new}')


def test_a_day_is_no_text():
    assert "is not a text" in refusal('ssp_paragraph = "7.6"', "ssp_paragraph = 2026-10-14")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (RECORD, 'directory = ""', "record.directory"),
        (RECORD, 'directory = "record"', "record.directory"),
        (KEY, 'key_file = "record-key.pem"', "record.key_file"),
        (RECORD, f'{RECORD}\ncopy_directory = "copies"', "record.copy_directory"),
        ("port = 1883", 'port = 1883\nca_file = "ca.pem"', "mqtt.ca_file"),
        (
            'socket = "/run/ispsd/control.sock"',
            'socket = "control.sock"',
            "control.socket",
        ),
    ],
)
def test_a_path_does_not_hang_on_where_the_service_begins(old, new, place):
    said = refusal(old, new)
    assert said.startswith(f"{place}: ")
    assert said.endswith("is not a whole path, which begins with /")


@pytest.mark.parametrize("user", ["a:b", "a b", "", "a\\nuser ispsd", "#a"])
def test_the_brokers_lists_can_hold_the_user(user):
    said = refusal("port = 1883", f'port = 1883\nuser = "{user}"')
    assert said.startswith("mqtt.user: ")
    assert "is not a user: letters, digits" in said


def test_a_link_is_a_table():
    said = refusal("link = {", 'link = "/dev/ttyUSB0"  # {')
    assert said == "device.gps1.link: '/dev/ttyUSB0' is not a table"


def test_a_device_that_a_test_names_and_that_is_not_there_is_said_once():
    said = refusal('device = "ais"\n\n# An SSAS', 'device = "aiss"\n\n# An SSAS')
    assert said == ("test \"t-ais\": there is no device, and nothing that is watched, of id 'aiss'")


def test_a_byte_order_mark_is_called_by_its_name():
    with pytest.raises(ConfigError, match="begins with a byte order mark"):
        config.read(b"\xef\xbb\xbf" + THIN.read_bytes(), "ispsd.toml")


def test_what_a_unit_looks_at_first_itself_is_still_taken_from_a_files_texts_and_lists():
    text = asset("ispsd.toml").read_text("utf-8")
    assert text.count('ask = "https"') == 1
    said = text.replace('ask = "https"', 'ask = "https"\nca_file = "/etc/ispsd/acs.pem"')
    ship = config.read(said.encode(), "ispsd.toml")
    [acs] = [device.config for device in ship.devices if device.id == "acs"]
    assert acs.ca_file == Path("/etc/ispsd/acs.pem")


def test_every_value_of_another_type_is_said_beside_every_other_fault():
    text = THIN.read_text("utf-8")
    wrong = text.replace("port = 1883", "port = true").replace(
        "[record]", '[record]\ncolour = "red"', 1
    )
    with pytest.raises(ConfigError) as caught:
        config.read(wrong.encode(), "ispsd.toml")
    assert {fault.place for fault in caught.value.faults} == {"mqtt.port", "record.colour"}
