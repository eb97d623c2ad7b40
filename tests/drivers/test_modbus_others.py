"""Servers that others wrote and that share no code with our library: libmodbus (C) and umodbus (Python)."""

import asyncio
import contextlib
import subprocess
import sys

import pytest

from daemon.computer.clock import SystemClock
from daemon.computer.leash import leashed
from daemon.drivers import modbus, modbus_rtu
from daemon.drivers.api import Contact, DriverContext, Wiring
from daemon.drivers.links import SerialLink
from daemon.gate import CovertGate
from daemon.model import ContactState, Provenance
from tests.drivers.modbus_cable import cable
from tests.drivers.modbus_others import BAUD, COUNT, FIRST, UNIT, libmodbus_name
from tests.drivers.modbus_rig import config_for, told
from tests.drivers.modbus_rtu_rig import config_for as rtu_config_for
from tests.needed import needs
from tests.soon import PATIENCE_S, soon

CLOSED, OPEN = ContactState.CLOSED, ContactState.OPEN
CONTACTS = tuple(Contact(f"d{n:02}", (n,), Wiring.NC) for n in (0, 1, 4, 17, 19))
SHOWN = {"d00": CLOSED, "d01": OPEN, "d04": CLOSED, "d17": CLOSED, "d19": OPEN}

WHOSE = ["libmodbus", "umodbus"]


@contextlib.asynccontextmanager
async def server(whose, link):
    """Run a server in its own process; yield what it says first."""
    if whose == "libmodbus":
        needs(libmodbus_name(), "libmodbus5 is not installed (Debian: apt install libmodbus5)")
    process = await asyncio.create_subprocess_exec(
        *leashed(sys.executable, "-m", "tests.drivers.modbus_others", whose, link),
        stdout=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            said = await process.stdout.readline()
        assert said, f"{whose} did not start"
        yield said.decode().strip()
    finally:
        process.kill()
        await process.wait()


@pytest.fixture
def profiles(tmp_path, monkeypatch):
    """One profile for each read function."""
    folder = tmp_path / "devices"
    folder.mkdir()
    for function in (1, 2, 3, 4):
        (folder / f"other-{function}.toml").write_text(
            f'maker = "M"\nmodel = "N"\nfunction = {function}\naddress = {FIRST}\ninputs = {COUNT}\n'
            f'unit = {UNIT}\n[[source]]\nmanual = "Manual"\npage = "1"\n'
        )
    monkeypatch.setenv("ISPSD_DATA", str(tmp_path))


async def read(build, config, *, polls=3, **context):
    """Run a driver on the computer's own clock for some polls; return what it told last, and what it dropped."""
    clock = SystemClock()
    driver = build(
        config,
        DriverContext(
            device="io5",
            clock=clock,
            gate=CovertGate(clock),
            provenance=Provenance.LIVE,
            contacts=CONTACTS,
            **context,
        ),
    )
    emitted = []
    task = asyncio.create_task(driver.run(emitted.append))
    try:
        await soon(lambda: driver.health.good >= polls or task.done())
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return dict(told(emitted)), driver.health.dropped


@pytest.mark.parametrize("whose", WHOSE)
async def test_it_reads_each_function_of_a_tcp_server_that_others_wrote(whose, profiles):
    async with server(whose, "tcp") as port:
        for function in (1, 2, 3, 4):
            config = config_for(int(port), profile=f"other-{function}", poll_s=0.02, timeout_s=2.0)
            assert await read(modbus.build, config) == (SHOWN, {}), function


@pytest.mark.parametrize("whose", WHOSE)
async def test_it_reads_each_function_of_a_serial_server_that_others_wrote(whose, profiles):
    with cable() as (ours, theirs):
        async with server(whose, theirs):
            link = SerialLink(kind="serial", port=ours, baud=BAUD)
            for function in (1, 2, 3, 4):
                config = rtu_config_for(
                    UNIT, profile=f"other-{function}", poll_s=0.05, timeout_s=2.0
                )
                seen = await read(modbus_rtu.build, config, buses={"rtu1": link})
                assert seen == (SHOWN, {}), function


@pytest.mark.parametrize("whose", WHOSE)
async def test_what_such_a_server_does_not_have_is_an_exception_and_no_state(
    whose, tmp_path, monkeypatch
):
    folder = tmp_path / "devices"
    folder.mkdir()
    (folder / "short.toml").write_text(
        'maker = "M"\nmodel = "N"\nfunction = 2\naddress = 120\ninputs = 20\nunit = 5\n'
        '[[source]]\nmanual = "Manual"\npage = "1"\n'
    )
    monkeypatch.setenv("ISPSD_DATA", str(tmp_path))
    async with server(whose, "tcp") as port:
        config = config_for(int(port), profile="short", poll_s=0.02, timeout_s=2.0)
        shown, dropped = await read(modbus.build, config, polls=8)
    # The map ends at 127: the first eight inputs are there and off, and nothing is known of the rest.
    assert shown == {"d00": OPEN, "d01": OPEN, "d04": OPEN, "d17": None, "d19": None}
    assert set(dropped) == {"exception 2"}
