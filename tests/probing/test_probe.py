"""Does ``ispsd check --probe`` say of each place what is there, and never look at a covert one?"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
import tty
from typing import TYPE_CHECKING, Any

import pytest

from daemon import cli, config
from daemon.computer.clock import SystemClock
from daemon.computer.leash import leashed
from daemon.console import shipfile
from daemon.probing import all as probing
from daemon.probing.devices import at_rest
from daemon.probing.finding import OTHERWISE, Finding, advice
from daemon.simulate import toml
from tests import thin
from tests.brokers import address, free_port, mosquitto
from tests.drivers.modbus_cable import cable
from tests.drivers.modbus_others import BAUD, COUNT, FIRST, UNIT
from tests.drivers.test_modbus_others import WHOSE, server

if TYPE_CHECKING:
    from pathlib import Path

HIDDEN = "ssas-port-that-nobody-opens"
AUDITED = """\
import sys
seen = []
sys.addaudithook(lambda event, args: seen.append((event, repr(args))) if event in {
    "open", "os.open", "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname"} else None)
from daemon import cli
code = cli.main(sys.argv[1:])
import json
print("AUDIT", json.dumps(seen))
sys.exit(code)
"""
"""Runs the command and then prints everything that it opened, connected to or resolved."""


def written(folder: Path, **sections: Any) -> Path:
    """Write a ship of few parts: what she has beside herself is given."""
    base = tomllib.loads(thin.text(state=folder, mqtt_port=1))
    tree = {key: base[key] for key in ("ship", "watch", "record", "mqtt", "control", "person")}
    tree |= {"station": base["station"]} | sections
    path = folder / "ispsd.toml"
    path.write_text(toml.written(tree), "utf-8")
    return path


def door(device: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"d{number:02}-{device}",
        "name": f"DOOR {number}",
        "place": "aft",
        "class": "V",
        "device": device,
        "inputs": [number],
        "wiring": "nc",
        **more,
    }


async def probe(
    path: Path, *, within_s: float = 10.0, secrets: Path | None = None
) -> dict[str, Finding]:
    """Probe a ship in this process; return what was found by place, the broker left out."""
    looked = probing.found(
        config.load(path),
        within_s=within_s,
        secrets=secrets or path.parent,
        clock=SystemClock(),
        waiting=lambda *_: None,
    )
    return {found.place: found async for found in looked if found.place != "broker"}


async def command(*words: str, code: str = "") -> tuple[int, str, str]:
    """Run ``ispsd check --probe`` in a process of its own; return its exit code and what it said."""
    how = ("-c", code) if code else ("-m", "daemon")
    process = await asyncio.create_subprocess_exec(
        *leashed(sys.executable, *how, "check", "--probe", *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_ship_that_answers_everywhere_is_in_order_line_by_line(tmp_path):
    async with mosquitto() as broker, thin.simulators() as devices:
        path = thin.write_config(tmp_path, devices, broker)
        code, out, err = await command(str(path), "--within", "20")
    assert code == cli.DONE, out + err
    lines = out.splitlines()
    assert lines[1] == shipfile.UNPROBED
    assert {line.split()[0]: line.split()[1] for line in lines[2:-1]} == dict.fromkeys(
        ("ais", "broker", "gps1", "io1"), "ok"
    )
    assert lines[-1] == "4 places tried, 0 wrong"


async def test_a_covert_source_is_never_opened_asked_or_resolved_and_changes_no_line(tmp_path):
    """Invariant 1. What is compared is all that the command prints; what is looked for, all that it opens."""
    base = tomllib.loads(thin.text(state=tmp_path, mqtt_port=1))
    lamp = {"kind": "test_lamp", "point": "ssas.lamp", "input": 1}
    io1 = {**base["device"]["io1"], "port": free_port(), "timeout_s": 0.2}
    printer = {**base["device"]["ssas"], "link": {"kind": "serial", "port": f"/dev/{HIDDEN}"}}
    by_name = {
        **base["device"]["ssas"],
        "link": {"kind": "tcp", "host": f"{HIDDEN}.invalid", "port": 4001},
    }
    said = {}
    for what, devices, channels in (
        ("without", {"io1": io1}, []),
        (
            "with",
            {"io1": io1, "ssas": printer, "ssas2": by_name},
            [{**lamp, "device": "io1", "input": 9}],
        ),
    ):
        folder = tmp_path / what
        folder.mkdir()
        path = written(folder, device=devices, door=[door("io1", 2)], ssas={"channels": channels})
        code, out, err = await command(str(path), "--within", "1", code=AUDITED)
        assert code == cli.FAILED, err
        shown, _, audit = out.partition("AUDIT ")
        opened = " ".join(" ".join(each) for each in json.loads(audit))
        assert "127.0.0.1" in opened, "the audit sees what is connected to"
        assert HIDDEN not in opened
        said[what] = (sorted(shown.replace(what, "").splitlines()), sorted(err.splitlines()))
    assert said["with"] == said["without"]


@pytest.fixture
def profiles(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    (folder / "devices").mkdir(parents=True)
    for name, first in (("other", FIRST), ("nowhere", 1000)):
        (folder / "devices" / f"{name}.toml").write_text(
            f'maker = "M"\nmodel = "N"\nfunction = 2\naddress = {first}\ninputs = {COUNT}\n'
            f'unit = {UNIT}\n[[source]]\nmanual = "Manual"\npage = "1"\n'
        )
    monkeypatch.setenv("ISPSD_DATA", str(folder))


@pytest.mark.parametrize("whose", WHOSE)
async def test_units_on_a_bus_are_asked_in_turn_and_the_dead_one_is_named(
    whose, profiles, tmp_path
):
    with cable() as (ours, theirs):
        async with server(whose, theirs):
            unit = {"kind": "modbus_rtu", "bus": "b", "profile": "other", "timeout_s": 0.5}
            link = {"kind": "serial", "port": ours, "baud": BAUD}
            path = written(
                tmp_path,
                bus={"b": {"link": link}},
                device={"alive": {**unit, "unit": UNIT}, "dead": {**unit, "unit": UNIT + 1}},
                door=[door("alive", 0), door("dead", 1)],
            )
            found = await probe(path)
    assert found["alive"].is_ok
    # uModbus answers for units that it is not: it does not have what they are asked for.
    wrong, do = {
        "libmodbus": ("no answer", "its power"),
        "umodbus": ("exception 2", "another profile"),
    }[whose]
    assert wrong in str(found["dead"].wrong)
    assert f"unit {UNIT + 1}" in found["dead"].line()
    assert f"Do: {do}" in found["dead"].line()


@pytest.mark.parametrize("whose", WHOSE)
async def test_a_unit_that_refuses_what_its_profile_reads_is_wrong(whose, profiles, tmp_path):
    async with server(whose, "tcp") as port:
        unit = {"kind": "modbus_tcp", "host": "127.0.0.1", "port": int(port), "unit": UNIT}
        path = written(
            tmp_path,
            device={"right": {**unit, "profile": "other"}},
            door=[door("right", 0)],
        )
        assert (await probe(path))["right"].is_ok
        path = written(
            tmp_path,
            device={"wrong": {**unit, "profile": "nowhere"}},
            door=[door("wrong", 0)],
        )
        found = (await probe(path))["wrong"]
    assert "exception" in str(found.wrong)
    assert "profile" in found.line()


async def test_a_port_that_another_program_holds_asks_whether_ispsd_runs(tmp_path):
    device, port = os.openpty()
    name = os.ttyname(port)
    holder = await asyncio.create_subprocess_exec(
        *leashed(
            sys.executable,
            "-c",
            f"import serial, signal; port = serial.Serial('{name}', exclusive=True); "
            "print('held', flush=True); signal.pause()",
        ),
        stdout=subprocess.PIPE,
    )
    await holder.stdout.readline()
    link = {"kind": "serial", "port": name}
    path = written(tmp_path, device={"gps": {"kind": "nmea", "feed": "nav", "link": link}})
    try:
        found = (await probe(path))["gps"]
    finally:
        holder.kill()
        await holder.wait()
        os.close(device)
        os.close(port)
    assert "has the port" in str(found.wrong)
    assert "is ispsd running? Stop it, or ask `ispsd status`" in found.line()


async def test_what_is_heard_instead_and_what_is_not_heard_at_all_is_said(tmp_path):
    """A port that hears noise, and a port and a group to which nobody sends."""
    device, port = os.openpty()
    tty.setraw(port)
    noise = {"kind": "serial", "port": os.ttyname(port)}
    quiet = {"kind": "udp", "port": free_port()}
    group = {"kind": "udp", "port": free_port(), "group": "239.192.0.9", "host": "127.0.0.1"}
    path = written(
        tmp_path,
        device={
            name: {"kind": "nmea", "feed": "nav", "link": link}
            for name, link in (("noise", noise), ("quiet", quiet), ("group", group))
        },
    )
    looking = asyncio.ensure_future(probe(path, within_s=1.0))
    while not looking.done():
        os.write(device, b"\xff\xfe\x80" * 20)
        await asyncio.sleep(0.02)
    found = looking.result()
    os.close(device)
    os.close(port)
    assert "wrong baud rate?" in str(found["noise"].wrong)
    assert "no datagram has come to the port" in str(found["quiet"].wrong)
    assert "IGMP snooping" in str(found["group"].wrong)


async def test_one_that_is_silent_delays_nobody(tmp_path):
    """The one that answers is told before the one that says nothing has had its time."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    gnss = b"$GPGGA,120000.00,0116.0000,N,10350.0000,E,1,08,1.0,10.0,M,,M,,*"
    body = gnss[1:-1]
    sum_ = 0
    for byte in body:
        sum_ ^= byte
    line = gnss + b"%02X\r\n" % sum_
    links = {name: {"kind": "udp", "port": free_port()} for name in ("dumb", "good")}
    path = written(
        tmp_path,
        device={
            name: {"kind": "nmea", "feed": "nav", "link": link} for name, link in links.items()
        },
    )
    looking = probing.found(
        config.load(path),
        within_s=2.0,
        secrets=tmp_path,
        clock=SystemClock(),
        waiting=lambda *_: None,
    )

    async def sends() -> None:
        while True:
            udp.sendto(line, ("127.0.0.1", links["good"]["port"]))
            await asyncio.sleep(0.05)

    sending = asyncio.ensure_future(sends())
    order = [(each.place, each.is_ok) async for each in looking]
    sending.cancel()
    udp.close()
    assert [each for each in order if each[0] != "broker"] == [("good", True), ("dumb", False)]


async def test_the_broker_is_entered_with_the_password_that_lies_where_init_puts_it(tmp_path):
    async with mosquitto(users=("ispsd",)) as broker:
        secrets = tmp_path / "credentials"
        secrets.mkdir()
        right = address(broker, "ispsd").password_file.read_text("utf-8")
        login = {"user": "ispsd", "password_file": "credential:mqtt-password"}
        path = written(tmp_path, mqtt={"port": broker.port, **login})
        for password, ok in ((right, True), ("wrong\n", False), (None, False)):
            (secrets / "mqtt-password").unlink(missing_ok=True)
            if password is not None:
                (secrets / "mqtt-password").write_text(password, "utf-8")
            (found,) = [
                each
                async for each in probing.found(
                    config.load(path),
                    within_s=5.0,
                    secrets=secrets,
                    clock=SystemClock(),
                    waiting=lambda *_: None,
                )
            ]
            assert (found.place, found.is_ok) == ("broker", ok), found.line()
            assert right.strip() not in found.line()


async def test_the_folder_of_the_second_copy_is_written_to_and_left_as_it_was(tmp_path):
    copy = tmp_path / "copy"
    record = {
        "directory": str(tmp_path / "record"),
        "key_file": str(tmp_path / "key.pem"),
        "origin": "demo",
        "copy_directory": str(copy),
    }
    path = written(tmp_path, record=record | {"copy_may_share_disk": True})
    assert "No such file" in str((await probe(path))["second copy"].wrong)
    copy.mkdir()
    if os.geteuid() == 0:
        assert "belongs to root" in str((await probe(path))["second copy"].wrong)
        (tmp_path / "record").mkdir()
        os.chown(tmp_path / "record", 12345, 12345)
        os.chown(copy, 54321, 54321)
        assert "belongs to user 54321" in str((await probe(path))["second copy"].wrong)
        os.chown(copy, 12345, 12345)
    found = (await probe(path))["second copy"]
    assert found.is_ok
    assert "the service writes below /srv/ispsd-copy only" in found.seen
    assert list(copy.iterdir()) == []
    (tmp_path / "record").mkdir(exist_ok=True)
    path = written(tmp_path, record=record)
    assert "record's own disk" in str((await probe(path))["second copy"].wrong)


async def test_the_panels_port_is_opened_and_nothing_is_sent(tmp_path):
    device, port = os.openpty()
    tty.setraw(port)
    os.set_blocking(device, False)
    path = written(tmp_path, bam={"port": os.ttyname(port), "maker": "XYZ"})
    assert (await probe(path))["bam"].is_ok
    with pytest.raises(BlockingIOError):
        os.read(device, 1)
    os.close(device)
    os.close(port)


async def test_while_ispsd_runs_nothing_is_touched_and_it_says_what_to_do(tmp_path):
    unit = socket.create_server(("127.0.0.1", 0))
    unit.setblocking(False)
    io1 = {
        "kind": "modbus_tcp",
        "host": "127.0.0.1",
        "port": unit.getsockname()[1],
        "profile": "moxa-iologik-e1210",
    }
    path = written(tmp_path, device={"io1": io1}, door=[door("io1", 0)])
    running = await asyncio.start_unix_server(
        lambda _, writer: writer.close(), tmp_path / "control.sock"
    )
    code, out, err = await command(str(path))
    running.close()
    assert (code, out) == (cli.FAILED, "")
    assert "ispsd runs and holds the ports" in err
    assert "`ispsd status`" in err
    with pytest.raises(BlockingIOError):
        unit.accept()
    unit.close()


async def test_a_file_with_faults_is_exit_2_and_nothing_is_tried(tmp_path):
    path = tmp_path / "ispsd.toml"
    path.write_text("[ship]\n", "utf-8")
    code, out, err = await command(str(path))
    assert (code, out) == (cli.UNUSABLE, "")
    assert "nothing was started" in err


async def test_an_adapter_that_wedges_the_system_call_does_not_hold_the_command(tmp_path):
    """A dead USB adapter keeps open(2) for ever; the command ends all the same, and says which."""
    link = {"kind": "serial", "port": "/dev/ttyWEDGED"}
    path = written(tmp_path, device={"gps": {"kind": "nmea", "feed": "nav", "link": link}})
    code = (
        "import sys, threading\nfrom daemon import cli\nfrom daemon.drivers import ports\n"
        "ports._open_serial_now = lambda link: threading.Event().wait()\nsys.exit(cli.main(sys.argv[1:]))"
    )
    done, out, err = await command(str(path), "--within", "1", code=code)
    assert done == cli.FAILED, err
    assert re.search(r"^gps +WRONG .*nothing good heard for 1 s", out, re.MULTILINE)


async def test_who_has_had_enough_of_a_wedged_adapter_is_not_held_by_it_either(tmp_path):
    link = {"kind": "serial", "port": "/dev/ttyWEDGED"}
    path = written(tmp_path, device={"gps": {"kind": "nmea", "feed": "nav", "link": link}})
    code = (
        "import sys, threading\nfrom daemon import cli\nfrom daemon.drivers import ports\n"
        "def wedged(link):\n    print('WEDGED', flush=True)\n    threading.Event().wait()\n"
        "ports._open_serial_now = wedged\nsys.exit(cli.main(sys.argv[1:]))"
    )
    process = await asyncio.create_subprocess_exec(
        *leashed(sys.executable, "-c", code, "check", "--probe", str(path), "--within", "60"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while b"WEDGED" not in (line := await process.stdout.readline()):
        assert line, (await process.stderr.read()).decode()
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == cli.FAILED
    assert err.decode() == ""


def test_how_what_was_given_up_ends_is_not_told(tmp_path, monkeypatch):
    told = []

    async def refused():
        raise ConnectionRefusedError(111, "Connection refused")

    async def given_up(given, loaded):
        dialling = asyncio.ensure_future(refused())
        dialling.add_done_callback(lambda each: each.exception())
        return cli.FAILED

    monkeypatch.setattr(shipfile, "_probed", given_up)
    monkeypatch.setattr(logging.getLogger("asyncio"), "error", lambda *said, **_: told.append(said))
    given = argparse.Namespace(within=5.0)
    assert shipfile._probe(given, config.load(written(tmp_path))) == cli.FAILED
    gc.collect()
    assert told == []


def test_a_secret_where_this_user_may_not_look_is_looked_for_where_it_is_kept(
    tmp_path, monkeypatch
):
    def is_not_shown(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "handed over"))
    monkeypatch.setattr(type(tmp_path), "exists", is_not_shown)
    path = tmp_path / "handed over" / "secrets_mqtt-password"
    assert at_rest(path, tmp_path / "kept") == tmp_path / "kept" / "mqtt-password"


@pytest.mark.parametrize(
    ("reason", "do"),
    [
        ("python3 (process 7) has the port", "is ispsd running?"),
        ("Address already in use", "is ispsd running?"),
        ("Connection refused", "the port number"),
        ("refuses: it has no such function (exception 1)", "another profile"),
        ("no answer in 0.3 s", "its power"),
        ("something that was never heard of", OTHERWISE),
    ],
)
def test_each_reason_says_what_to_do(reason, do):
    assert do in advice(reason)
