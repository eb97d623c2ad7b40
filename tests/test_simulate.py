"""A ship's own file becomes one whose every device is a stand-in, and nothing in it reaches the ship any more."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from daemon import config
from daemon.assets import asset
from daemon.drivers.api import Contact, DriverConfig, SideDoor, TestLamp, Wiring
from daemon.drivers.contacts import LINES, contact_state, line_state, loop_state
from daemon.drivers.modbus_profile import Profile
from daemon.drivers.modbus_unit import UnitConfig
from daemon.errors import IspsdError
from daemon.model import ContactState
from daemon.simulate import levels, lines, session, toml
from daemon.simulate.derive import NOBODY, derived, mapped
from daemon.simulate.standins import Plan, _places, planned
from simulators.plan import load_units

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.config import Config

PROFILE: dict[str, Any] = {
    "maker": "Nobody",
    "model": "Nothing",
    "function": 2,
    "address": 0,
    "inputs": 16,
    "source": ({"manual": "none", "page": "1"},),
}
LOOPS = {
    **PROFILE,
    "function": 4,
    "inputs": 8,
    "loops": {
        "counts_full": 65535,
        "ma_at_zero": 4.0,
        "ma_at_full": 20.0,
        "closed_ma": (11.0, 13.0),
        "open_ma": (5.0, 7.0),
    },
}
HEAD = """\
[ship]
name = "KESTREL STRAIT"
imo_number = 9999993
mmsi = 299000777
call_sign = "9VKS0"
[watch]
situation = "anchor"
security_level = 1
[record]
directory = "{folder}/var/record"
key_file = "{folder}/var/key.pem"
[mqtt]
host = "10.1.1.1"
user = "ispsd"
password_file = "/etc/ispsd/mqtt"
ca_file = "/etc/ispsd/ca.pem"
[control]
socket = "/run/ispsd/control.sock"
[gnss]
antennas_apart_m = 11
[[station]]
id = "bridge"
attended_in = ["anchor"]
"""
DEVICES = """\
[device.io1]
kind = "modbus_tcp"
host = "10.1.1.2"
profile = "advantech-adam-6050"
unit = 9
[bus.aft]
link = { kind = "serial", port = "/dev/ttyS1", baud = 19200, parity = "E" }
[bus.net]
link = { kind = "tcp", host = "10.1.1.3", port = 4001 }
[device.r5]
kind = "modbus_rtu"
bus = "aft"
unit = 5
profile = "waveshare-rtu-relay-d"
[device.r6]
kind = "modbus_rtu"
bus = "aft"
unit = 6
profile = "waveshare-rtu-relay-d"
[device.r7]
kind = "modbus_rtu"
bus = "net"
unit = 7
profile = "waveshare-rtu-relay-d"
[device.gps1]
kind = "nmea"
feed = "nav"
link = { kind = "serial", port = "/dev/ttyS2", baud = 4800 }
local = "a reason"
[device.gps2]
kind = "nmea"
feed = "nav"
talkers = ["GN"]
link = { kind = "tcp", host = "10.1.1.4", port = 4002 }
[device.ais]
kind = "nmea"
feed = "ais"
link = { kind = "tcp", host = "10.1.1.4", port = 4003 }
[device.gyro]
kind = "nmea"
feed = "heading"
link = { kind = "udp", port = 10120, sender = "10.1.1.5" }
[device.speed]
kind = "nmea"
feed = "log"
sources = ["VD0001", "VD0002"]
link = { kind = "udp", port = 10121 }
[device.bnwas]
kind = "nmea"
feed = "equipment"
link = { kind = "udp", port = 10122 }
[device.shell]
kind = "nmea"
feed = "doors"
link = { kind = "udp", port = 10123 }
[device.ssas]
kind = "ssas_text"
profile = "jrc-jue-95sa-text"
link = { kind = "tcp", host = "10.1.1.6", port = 4004 }
[device.tracker]
kind = "ssas_at"
profile = "iridium-sbd"
link = { kind = "tcp", host = "10.1.1.7", port = 4005 }
[[door]]
id = "d1"
name = "D1"
place = "here"
class = "P"
device = "io1"
inputs = [1]
wiring = "nc"
lock_input = 2
[[door]]
id = "d2"
name = "D2"
place = "here"
class = "V"
device = "io1"
inputs = [3]
wiring = "no"
[[door]]
id = "d3"
name = "D3"
place = "here"
class = "V"
device = "r5"
inputs = [0, 1]
wiring = "double"
[[motion_detector]]
id = "m1"
name = "M1"
place = "here"
device = "r6"
input = 4
tamper_input = 5
[[side_door]]
id = "h1"
name = "H1"
place = "hull"
device = "shell"
number = 4
[[ssas.channels]]
kind = "test_lamp"
point = "ssas.lamp"
device = "io1"
input = 11
lit_when = false
"""


def ship(folder: Path, devices: str = DEVICES) -> tuple[Path, Config]:
    path = folder / "ispsd.toml"
    path.write_text(HEAD.format(folder=folder) + devices, "utf-8")
    return path, config.load(path)


def endpoints(plan: Plan) -> dict[str, str]:
    """What each simulator would say: where it is."""
    ports = count(40001)
    found = {}
    for unit in plan.units:
        is_line = unit["kind"] in {"rtu_line", "ssas_unit", "ssas_modem"} or unit.get("serial")
        scheme = "udp" if "to" in unit else "tcp"
        found[unit["id"]] = "/dev/pts/7" if is_line else f"{scheme}://127.0.0.1:{next(ports)}"
    return found


def derive(folder: Path) -> tuple[dict[str, Any], Plan, dict[str, str]]:
    path, ours = ship(folder)
    plan = planned(ours)
    where = endpoints(plan)
    tree = tomllib.loads(path.read_text("utf-8"))
    return derived(tree, plan, where, state=folder / "state", mqtt_port=1999), plan, where


# ---------------------------------------------------------------- levels


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("wiring", [Wiring.NC, Wiring.NO, Wiring.DOUBLE])
@pytest.mark.parametrize("state", [ContactState.CLOSED, ContactState.OPEN])
def test_the_driver_reads_the_state_that_the_inputs_were_set_to(wiring, state, inverted):
    profile = Profile.model_validate({**PROFILE, "inverted": inverted})
    inputs = (3, 8) if wiring is Wiring.DOUBLE else (3,)
    set_to = levels.of_contact(Contact("d1", inputs, wiring), state, profile)
    assert set(set_to) == set(inputs)
    assert contact_state([set_to[n] is not inverted for n in inputs], wiring) is state


def test_a_cut_cable_leaves_no_input_on_and_only_double_wiring_can_tell():
    profile = Profile.model_validate(PROFILE)
    seen = {}
    for wiring, inputs in ((Wiring.NC, (0,)), (Wiring.NO, (0,)), (Wiring.DOUBLE, (0, 1))):
        contact = Contact("d1", inputs, wiring)
        set_to = levels.of_contact(contact, ContactState.LINE_FAULT, profile)
        assert not any(set_to.values())
        seen[wiring] = contact_state(list(set_to.values()), wiring)
    assert seen == {
        Wiring.NC: ContactState.OPEN,
        Wiring.NO: ContactState.CLOSED,
        Wiring.DOUBLE: ContactState.LINE_FAULT,
    }


@pytest.mark.parametrize("state", list(ContactState))
def test_a_supervised_loop_carries_the_current_of_its_state(state):
    profile = Profile.model_validate(LOOPS)
    assert profile.loops is not None
    set_to = levels.of_contact(Contact("d1", (2,), Wiring.LOOP_4_20_MA), state, profile)
    assert sorted(set_to) == list(range(32, 48)), "the third word"
    word = sum(1 << bit - 32 for bit, on in set_to.items() if on)
    current_ma = profile.loops.current_ma(word)
    if state is ContactState.LINE_FAULT:
        assert word == 0
    else:
        assert loop_state(current_ma, profile.loops.bands) is state


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("state", list(ContactState))
def test_a_line_with_resistors_has_the_resistance_of_its_state(line, state):
    lines = {"ohm_per_count": 1.0, "counts_full": 65535, "line": line}
    profile = Profile.model_validate({**PROFILE, "function": 4, "inputs": 2, "resistances": lines})
    assert profile.resistances is not None
    set_to = levels.of_contact(Contact("d1", (1,), Wiring.RESISTANCE), state, profile)
    word = sum(1 << bit - 16 for bit, on in set_to.items() if on)
    assert line_state(profile.resistances.ohm(word), profile.resistances.bands) is state


@pytest.mark.parametrize("state", list(ContactState))
def test_a_namur_input_tells_its_state_and_its_line(state):
    profile = Profile.model_validate(PROFILE)
    set_to = levels.of_contact(Contact("d1", (4, 5), Wiring.NAMUR), state, profile)
    assert contact_state(list(set_to.values()), Wiring.NAMUR) is state


def test_the_tables_beside_the_inputs_are_there_and_stand_at_0():
    """So that a unit with counters or line status can be proved without one."""
    unit = UnitConfig.model_validate(
        {"kind": "x", "profile": "moxa-iologik-e1210", "counters": True}
    )
    assert _places(unit.fitted_profile(), unit)["zeros"] == [[4, 16, 32]]
    loops = UnitConfig.model_validate({"kind": "x", "profile": "moxa-iologik-e1242-loops"})
    assert _places(loops.fitted_profile(), loops)["zeros"] == [[4, 576, 4]]
    plain = UnitConfig.model_validate({"kind": "x", "profile": "moxa-iologik-e1210"})
    assert "zeros" not in _places(plain.fitted_profile(), plain)


def test_at_rest_all_is_closed_and_every_test_lamp_dark():
    contacts = [Contact("d1", (1,), Wiring.NC), Contact("d2", (2,), Wiring.NO)]
    lamps = [TestLamp("ssas.lamp", 4, lit_when=True), TestLamp("ssas.relay", 5, lit_when=False)]
    plain, inverted = (
        Profile.model_validate({**PROFILE, "inverted": inverted, "inputs": 8})
        for inverted in (False, True)
    )
    assert levels.at_rest(contacts, lamps, plain) == [1, 5]
    assert levels.at_rest(contacts, lamps, inverted) == [0, 2, 3, 4, 6, 7]


# ---------------------------------------------------------------- stand-ins


def test_every_kind_of_device_has_its_stand_in(tmp_path):
    plan = planned(ship(tmp_path)[1])
    assert plan.left_out == {}
    units = {unit["id"]: unit for unit in plan.units}
    assert units["io1"] == {
        "id": "io1",
        "kind": "io_unit",
        "unit": 9,
        "function": 1,
        "address": 0,
        "inputs": 12,
    }
    place = {"function": 2, "address": 0, "inputs": 8}
    assert units["bus-aft"]["units"] == [{"id": 5, **place}, {"id": 6, **place}]
    assert units["bus-net"]["units"] == [{"id": 7, **place}]
    assert units["gps1"] == {
        "id": "gps1",
        "kind": "vessel",
        "sends": ["gnss"],
        "serial": True,
        "antenna_north_m": 0.0,
    }
    assert (units["gps2"]["talker"], units["gps2"]["antenna_north_m"]) == ("GN", 11.0)
    assert (units["gyro"]["kind"], units["gyro"]["to"]) == ("heading", "127.0.0.1:0")
    kinds = [units[name]["kind"] for name in ("ais", "speed", "bnwas", "shell", "ssas", "tracker")]
    assert kinds == ["vessel", "log", "equipment", "side_doors", "ssas_unit", "ssas_modem"]
    assert units["shell"]["doors"] == [{"name": "h1", "system": "HD", "division": "", "number": 4}]


def test_every_simulator_takes_its_settings(tmp_path):
    plan = planned(ship(tmp_path)[1])
    path = tmp_path / "units.toml"
    path.write_text(toml.written({"unit": plan.units}), "utf-8")
    assert list(load_units(path)) == [unit["id"] for unit in plan.units]
    assert {unit["id"]: unit["source"] for unit in plan.units if "source" in unit} == {
        "speed": "VD0001"
    }


def test_it_begins_with_everything_closed_and_own_ais_as_the_ship_lies(tmp_path):
    first = planned(ship(tmp_path)[1]).first
    assert ("io1", {"do": "inputs", "on": [1, 2, 11]}) in first
    assert ("bus-aft", {"do": "inputs", "id": 5, "on": [0]}) in first
    assert ("bus-aft", {"do": "inputs", "id": 6, "on": [4, 5]}) in first
    identity = next(said for unit, said in first if unit == "ais" and said["do"] == "identity")
    assert identity["mmsi"] == 299000777
    assert {"name", "call_sign", "imo_number"} < identity.keys()
    assert ("ais", {"do": "status", "value": 1}) in first, "at anchor"


async def test_every_first_command_and_every_move_is_one_that_its_simulator_knows(tmp_path):
    plan = planned(ship(tmp_path)[1])
    path = tmp_path / "units.toml"
    path.write_text(toml.written({"unit": plan.units}), "utf-8")
    units = load_units(path)
    moves = [c for of_door in plan.moves.values() for told in of_door.values() for c in told]
    assert set(plan.moves) == {"d1", "d1.lock", "d2", "d3", "m1", "m1.tamper", "h1"}
    for name, command in [*plan.first, *moves]:
        await units[name].do(command)


def test_a_kind_without_a_simulator_is_left_out_and_said(tmp_path):
    class StarConfig(DriverConfig):
        pass

    _, ours = ship(tmp_path)
    star = replace(ours.devices[0], id="star", config=StarConfig(kind="star"))
    far = replace(
        next(d for d in ours.devices if d.id == "shell"),
        side_doors=(SideDoor("h1", "HD", "PORTSIDE", 4),),
    )
    sailor = next(d for d in ours.devices if d.id == "ssas")
    other = sailor.config.model_copy(update={"profile": "sailor-6194"})
    plan = planned(replace(ours, devices=(star, far, replace(sailor, config=other))))
    assert set(plan.left_out) == {"star", "shell", "ssas"}
    assert "no simulator" in plan.left_out["star"]
    assert "PORTSIDE" in plan.left_out["shell"]
    assert "sailor-6194" in plan.left_out["ssas"]
    assert plan.units == []


# ---------------------------------------------------------------- the derived file


def test_nothing_of_the_derived_file_reaches_the_ship(tmp_path):
    tree, _, _ = derive(tmp_path)
    text = toml.written(tree)
    for theirs in ("10.1.1.", "/dev/ttyS", "/run/ispsd", "/etc/ispsd", "/var/", "10120", "sender"):
        assert theirs not in text, theirs
    assert tree["record"] == {
        "directory": str(tmp_path / "state/record"),
        "key_file": str(tmp_path / "state/record-key.pem"),
        "origin": "demo",
    }
    assert tree["mqtt"] == {"host": "127.0.0.1", "port": 1999}
    assert tree["control"] == {"socket": str(tmp_path / "state/control.sock")}


def test_a_ships_witness_is_never_asked_about_a_play(tmp_path):
    tree = {"watch": {}, "witness": [{"name": "shore"}]}
    plan = Plan()
    assert "witness" not in derived(tree, plan, {}, state=tmp_path, mqtt_port=1)


def test_the_pins_of_the_ships_people_are_not_for_play(tmp_path):
    path, ours = ship(tmp_path)
    plan = planned(ours)
    theirs = {"people": {"credentials_file": "/var/lib/ispsd/persons.json"}}
    tree = {**tomllib.loads(path.read_text("utf-8")), **theirs}
    out = derived(tree, plan, endpoints(plan), state=tmp_path / "state", mqtt_port=1999)
    assert "people" not in out


def test_each_device_gets_its_stand_ins_address_and_keeps_the_rest(tmp_path):
    tree, _, where = derive(tmp_path)
    device = tree["device"]
    port = int(where["io1"].rpartition(":")[2])
    assert (device["io1"]["host"], device["io1"]["port"]) == ("127.0.0.1", port)
    assert (device["io1"]["unit"], device["io1"]["profile"]) == (9, "advantech-adam-6050")
    assert device["gps1"]["link"] == {"kind": "serial", "port": "/dev/pts/7", "baud": 4800}
    assert "local" not in device["gps1"]
    assert device["gps2"]["link"]["kind"] == "tcp"
    assert device["gyro"]["link"] == {
        "kind": "udp",
        "host": "127.0.0.1",
        "port": int(where["gyro"].rpartition(":")[2]),
    }
    line = {"kind": "serial", "port": "/dev/pts/7", "baud": 9600}
    assert device["ssas"]["link"] == line, "its simulator has a serial port only"
    assert tree["bus"]["net"]["link"] == line
    assert tree["bus"]["aft"]["link"] == {
        "kind": "serial",
        "port": "/dev/pts/7",
        "baud": 19200,
        "parity": "E",
    }


def test_the_derived_file_is_in_order_and_simulated(tmp_path):
    tree, _, _ = derive(tmp_path)
    path = tmp_path / "derived.toml"
    path.write_text(toml.written(tree), "utf-8")
    loaded, own = config.load(path), ship(tmp_path)[1]
    assert loaded.is_demo
    assert loaded.openings == own.openings
    assert (loaded.settle_after_boot_s, own.settle_after_boot_s) == (
        0,
        60,
    )  # nothing booted with us
    assert [d.contacts for d in loaded.devices] == [d.contacts for d in own.devices]


def test_the_ships_file_itself_is_not_changed(tmp_path):
    path, ours = ship(tmp_path)
    tree = tomllib.loads(path.read_text("utf-8"))
    before = json.dumps(tree)
    plan = planned(ours)
    derived(tree, plan, endpoints(plan), state=tmp_path, mqtt_port=1)
    assert json.dumps(tree) == before


def test_a_device_that_is_left_out_is_pointed_at_nobody_or_refused(tmp_path):
    path, ours = ship(tmp_path)
    tree = tomllib.loads(path.read_text("utf-8"))
    nothing = Plan(left_out={device.id: "a reason" for device in ours.devices})
    out = derived(tree, nothing, {}, state=tmp_path, mqtt_port=1)
    nobody = {"kind": "tcp", "host": "127.0.0.1", "port": NOBODY}
    assert out["device"]["gps1"]["link"] == out["bus"]["aft"]["link"] == nobody
    assert (out["device"]["io1"]["host"], out["device"]["io1"]["port"]) == ("127.0.0.1", NOBODY)
    tree["device"]["cam"] = {"kind": "horn", "line": "10.1.1.9"}
    with pytest.raises(IspsdError, match=r"device\.cam: cannot be kept off its real address"):
        derived(tree, nothing, {}, state=tmp_path, mqtt_port=1)


def test_the_table_says_what_stands_in_for_what(tmp_path):
    _, plan, where = derive(tmp_path)
    tree = tomllib.loads((tmp_path / "ispsd.toml").read_text("utf-8"))
    plan.left_out["gyro"] = "a reason"
    rows = {row.name: row for row in mapped(tree, plan, where)}
    assert rows["io1"].real == "10.1.1.2:502"
    assert rows["io1"].stand_in == where["io1"]
    assert (rows["bus aft"].real, rows["bus aft"].stand_in) == ("/dev/ttyS1", "/dev/pts/7")
    assert (rows["r6"].real, rows["r6"].stand_in) == ("bus aft unit 6", "/dev/pts/7 unit 6")
    assert rows["speed"].real == "udp port 10121"
    assert rows["gyro"].stand_in == "NOTHING: a reason"


@pytest.mark.parametrize(("ask", "real"), [("https", "10.1.1.8:443"), ("http", "10.1.1.8:80")])
def test_the_table_has_the_port_at_which_a_unit_is_asked(tmp_path, ask, real):
    _, plan, where = derive(tmp_path)
    tree = tomllib.loads((tmp_path / "ispsd.toml").read_text("utf-8"))
    tree["device"] = {"acs": {"kind": "reach", "host": "10.1.1.8", "ask": ask}}
    plan.left_out["acs"] = "a reason"
    assert {row.name: row.real for row in mapped(tree, plan, where)}["acs"] == real


def test_the_sample_ship_can_be_simulated_whole():
    plan = planned(config.load(asset("ispsd.toml")))
    assert plan.left_out == {}


# ---------------------------------------------------------------- what is typed


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("", []),
        ("# a remark", []),
        ("open d1", [("io1", {"do": "set", "input": 1, "on": False})]),
        (
            "open d3",
            [
                ("bus-aft", {"do": "set", "id": 5, "input": 0, "on": False}),
                ("bus-aft", {"do": "set", "id": 5, "input": 1, "on": True}),
            ],
        ),
        ("close d1.lock", [("io1", {"do": "set", "input": 2, "on": True})]),
        ("cut h1", [("shell", {"do": "fault", "door": "h1"})]),
        ("io1 set 3 off", [("io1", {"do": "set", "input": 3, "on": False})]),
        ("r6 set 0 on", [("bus-aft", {"do": "set", "id": 6, "input": 0, "on": True})]),
        ("r6 fault fault=dead", [("bus-aft", {"do": "fault", "id": 6, "fault": "dead"})]),
        ("bus-aft unplug", [("bus-aft", {"do": "unplug"})]),
        ("ais ais on=false", [("ais", {"do": "ais", "on": False})]),
        ("gyro heading deg=271.5", [("gyro", {"do": "heading", "deg": 271.5})]),
    ],
)
def test_a_line_is_what_the_simulators_are_told(tmp_path, line, commands):
    assert lines.commands(line, planned(ship(tmp_path)[1])) == commands


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("open d9", "no door 'd9'; known are d1, "),
        ("io9 set 3 off", "no simulator 'io9'; known are io1, "),
        ("io1", "a device and what it does"),
        ("io1 set 3", "'3' is not name=value"),
        ("io1 fault =x", "'=x' is not name=value"),
    ],
)
def test_a_line_that_cannot_be_understood_is_said(tmp_path, line, reason):
    with pytest.raises(ValueError, match=reason):
        lines.commands(line, planned(ship(tmp_path)[1]))


# ---------------------------------------------------------------- where it may not be


@pytest.mark.parametrize("where", ["var/record", "var", ".", "var/record/below"])
def test_it_never_runs_where_the_ships_record_or_key_lies(tmp_path, where):
    _, ours = ship(tmp_path)
    with pytest.raises(IspsdError, match="the ship's own record or key"):
        session.refuse_ships_own(ours, tmp_path / where)


def test_it_never_runs_where_anything_but_an_earlier_simulation_lies(tmp_path):
    _, ours = ship(tmp_path)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    session.refuse_ships_own(ours, theirs)  # empty
    session.refuse_ships_own(ours, tmp_path / "new")
    (theirs / "record.db").touch()
    with pytest.raises(IspsdError, match="is not empty"):
        session.refuse_ships_own(ours, theirs)
    (theirs / session.DERIVED).write_text("[ship]\n", "utf-8")
    with pytest.raises(IspsdError, match="is not empty"):
        session.refuse_ships_own(ours, theirs)
    (theirs / session.DERIVED).write_text(f"{session.MARK}\n[ship]\n", "utf-8")
    session.refuse_ships_own(ours, theirs)
