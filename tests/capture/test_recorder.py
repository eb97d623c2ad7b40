"""Recording: real ports and stand-ins, refusals, and a tape that gives the same readings again."""

from __future__ import annotations

import asyncio
import json
import tomllib
from contextlib import asynccontextmanager

import pytest

from daemon import config
from daemon.assets import asset
from daemon.capture import case, tape
from daemon.capture.recorder import captured, device_of
from daemon.capture.replay import replayed
from daemon.computer.clock import SystemClock
from daemon.console import capture as console
from daemon.drivers.links import READ_BYTES, TcpLink
from daemon.drivers.modbus_frames import REQUESTS
from daemon.errors import IspsdError
from daemon.simulate import toml
from daemon.simulate.derive import derived
from daemon.simulate.standins import planned, with_names
from simulators.plan import spec_of
from tests.soon import PATIENCE_S, soon


@asynccontextmanager
async def aboard(folder, *units):
    """Yield the sample ship's file as it is where some of her stand-ins run, and those."""
    tree = tomllib.loads(asset("ispsd.toml").read_text("utf-8"))
    tree["ship"] |= {"name": "STELLA POLARIS", "mmsi": 257465000, "call_sign": "LAXY4"}
    own = folder / "own.toml"
    own.write_text(toml.written(tree), "utf-8")
    plan = planned(config.load(own))
    with_names(plan, folder)
    running = {}
    endpoints = {unit["id"]: unit.get("link", "tcp://127.0.0.1:1") for unit in plan.units}
    for unit in plan.units:
        if unit["id"] in units:
            settings = {key: value for key, value in unit.items() if key not in {"id", "kind"}}
            running[unit["id"]] = spec_of(unit["kind"]).build(unit["id"], settings)
            await running[unit["id"]].start()
            endpoints[unit["id"]] = running[unit["id"]].endpoint
    for unit, command in plan.first:
        if unit in running:
            await running[unit].do(command)
    made = derived(tree, plan, endpoints, state=folder, mqtt_port=1)
    (folder / "here.toml").write_text(toml.written(made), "utf-8")
    try:
        yield config.load(folder / "here.toml"), running
    finally:
        for unit in running.values():
            await unit.stop()


async def test_a_talker_on_a_serial_port_becomes_a_case_without_names(tmp_path):
    async with aboard(tmp_path, "gps1") as (ship, _):
        taken = await captured(ship, device_of(ship, "gps1"), for_s=1.2, clock=SystemClock())
    said = b"".join(moment.heard for moment in taken.case.tape)
    assert b"GGA" in said
    assert b"0115.84" not in said
    assert {reading["point"] for reading in taken.case.readings} >= {"case.fix", "case.motion"}
    manifest = tomllib.loads(taken.manifest)
    assert (manifest["kind"], manifest["line"]) == ("nmea", "serial 4800 8N1")
    assert manifest["settings"] == {"feed": "nav"}
    folder = tmp_path / "cases" / "acme_g1"
    case.write(folder, taken.manifest, taken.case.tape, taken.case.readings)
    again = case.load(folder)
    assert again.tape == taken.case.tape
    assert as_json(await replayed(again)) == as_json(again.readings)
    with pytest.raises(IspsdError, match="File exists"):
        case.write(folder, taken.manifest, (), ())


async def test_a_bus_unit_is_asked_by_its_own_driver_and_a_door_that_moved_moves_again(tmp_path):
    async with aboard(tmp_path, "bus-rtu") as (ship, units):
        bus = units["bus-rtu"]
        device = device_of(ship, "rtu5")
        taking = asyncio.ensure_future(captured(ship, device, for_s=1.5, clock=SystemClock()))
        await soon(lambda: bus.asked[5] > 1)
        await bus.do({"do": "set", "id": 5, "input": 3, "on": False})
        taken = await taking
    assert bus.asked.keys() == {5}
    moments = taken.case.tape
    assert len(moments) == 2
    assert {moment.asked[1] for moment in moments} <= set(REQUESTS)  # read functions, and no other
    assert taken.left_out["unchanged answer"] > 0
    states = [r["value"] for r in taken.case.readings if r["value"] == "open"]
    assert len(states) == 1
    assert as_json(await replayed(taken.case)) == as_json(taken.case.readings)


async def test_a_network_unit_is_recorded_through_its_own_port(tmp_path):
    async with aboard(tmp_path, "io3") as (ship, _):
        taken = await captured(ship, device_of(ship, "io3"), for_s=0.5, clock=SystemClock())
    assert tomllib.loads(taken.manifest)["settings"]["profile"] == "advantech-adam-6050"
    assert {each["value"] for each in taken.case.readings} == {"closed"}
    assert all(each["point"].startswith("p") for each in taken.case.readings)


def test_covert_sources_are_never_recorded():
    ship = config.load(asset("ispsd.toml"))
    lamps = [device.id for device in ship.devices if device.test_lamps]
    assert lamps
    for device in ("ssas", *lamps):
        with pytest.raises(IspsdError, match="a covert source is never recorded"):
            device_of(ship, device)


def test_an_unknown_device_is_told_which_there_are_but_not_the_covert_ones():
    with pytest.raises(IspsdError, match="known are io1, io2") as caught:
        device_of(config.load(asset("ispsd.toml")), "io9")
    assert "ssas" not in str(caught.value)


async def test_a_port_that_says_nothing_or_is_not_there_is_no_case(tmp_path):
    async with aboard(tmp_path, "gps1") as (ship, units):
        await units["gps1"].do({"do": "silence"})
        with pytest.raises(IspsdError, match="gps1: nothing came"):
            await captured(ship, device_of(ship, "gps1"), for_s=0.2, clock=SystemClock())
        with pytest.raises(IspsdError, match="Connection refused"):
            await captured(ship, device_of(ship, "io1"), for_s=0.2, clock=SystemClock())


async def test_it_is_refused_while_the_daemon_runs(tmp_path):
    gone = asyncio.Event()

    async def answer(reader, writer):
        await reader.read()
        writer.transport.abort()
        gone.set()

    socket = tmp_path / "control.sock"
    server = await asyncio.start_unix_server(answer, socket)
    try:
        with pytest.raises(IspsdError, match="ispsd runs and holds gps1: stop it first"):
            await console._refuse_while_held(socket, "gps1")
        await gone.wait()
    finally:
        server.close()
        await asyncio.sleep(0)
    await console._refuse_while_held(tmp_path / "none.sock", "gps1")


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("case.toml", "format = 2", "is no case of format 1"),
        ("case.toml", "[", "case.toml"),
        ("tape.jsonl", "{}", "tape.jsonl"),
        ("tape.jsonl", '{"at_ms": 1, "asked": "zz", "answer": ""}', "tape.jsonl"),
        ("readings.jsonl", "[", "readings.jsonl"),
    ],
)
def test_a_folder_that_is_no_case_is_refused_with_the_file(tmp_path, file, text, reason):
    for name, good in (
        ("case.toml", 'format = 1\nkind = "nmea"\n[settings]\n'),
        ("tape.jsonl", ""),
        ("readings.jsonl", ""),
    ):
        (tmp_path / name).write_text(text if name == file else good)
    with pytest.raises(IspsdError, match=reason):
        case.load(tmp_path)


def as_json(readings):
    return json.loads(json.dumps(list(readings)))


async def test_noise_of_nothing_but_line_ends_is_bounded(monkeypatch):
    monkeypatch.setattr(tape, "MOST_LINES", 100)
    link = TcpLink.model_validate({"kind": "tcp", "host": "127.0.0.1", "port": 1})

    async def babble(_, writer):
        writer.write(b"\n" * 4 * READ_BYTES)
        await writer.drain()

    async with tape.serving(babble) as port, asyncio.timeout(PATIENCE_S):
        taken = await tape.listened(
            link.model_copy(update={"port": port}), for_s=600, clock=SystemClock()
        )
    assert 100 <= len(taken) <= 100 + READ_BYTES
