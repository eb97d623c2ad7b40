"""The same driver over other lines: a serial server, and units that another library simulates."""

import asyncio
import contextlib
import os
import tty

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from daemon.computer.clock import SystemClock
from daemon.drivers.api import Contact, DriverContext, Wiring
from daemon.drivers.links import SerialLink, TcpLink
from daemon.drivers.modbus_frames import Question
from daemon.drivers.modbus_rtu import build
from daemon.drivers.modbus_rtu_line import BusLine, NoAnswerError
from daemon.drivers.modbus_rtu_port import open_port
from daemon.errors import LinkError
from daemon.gate import CovertGate
from daemon.model import ContactState, Provenance
from simulators.rtu_line import crc
from tests.drivers.modbus_cable import cable
from tests.drivers.modbus_rig import told
from tests.drivers.modbus_rtu_rig import DOORS, config_for
from tests.soon import soon

CLOSED, OPEN = ContactState.CLOSED, ContactState.OPEN
ANSWER = bytes.fromhex("05 02 01 09")


def tcp_to(port):
    return TcpLink(kind="tcp", host="127.0.0.1", port=port)


@contextlib.asynccontextmanager
async def polling(link, **config):
    """Run one unit on the computer's own clock until it has polled thrice; yield what it told."""
    clock = SystemClock()
    context = DriverContext(
        device="rtu5",
        clock=clock,
        gate=CovertGate(clock),
        provenance=Provenance.LIVE,
        contacts=config.pop("contacts", DOORS),
        buses={"rtu1": link},
    )
    emitted = []
    driver = build(config_for(5, **{"poll_s": 0.05, "timeout_s": 2.0, **config}), context)
    task = asyncio.create_task(driver.run(emitted.append))
    try:
        await soon(lambda: driver.health.good >= 3 or task.done())
        yield emitted, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def other_units():
    on = {0, 3}
    bits = [SimData(0, values=[n in on for n in range(32)], datatype=DataType.BITS)]
    words = [SimData(0, values=[0x0009, 0], datatype=DataType.REGISTERS)]
    return SimDevice(5, simdata=(bits, bits, words, words))


async def test_it_reads_rtu_over_tcp_from_a_unit_that_another_library_simulates():
    server = ModbusTcpServer(other_units(), framer=FramerType.RTU, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        port = server.transport.sockets[0].getsockname()[1]
        async with polling(tcp_to(port)) as (emitted, _):
            assert told(emitted) == [("d11", CLOSED), ("d12", CLOSED)]
    finally:
        await server.shutdown()


@pytest.mark.parametrize("baud", [9600, 115200])
async def test_it_reads_a_serial_unit_that_another_library_simulates(baud):
    with cable() as (ours, theirs):
        server = ModbusSerialServer(other_units(), port=theirs, baudrate=baud)
        await server.serve_forever(background=True)
        try:
            link = SerialLink(kind="serial", port=ours, baud=baud, parity="E")
            async with polling(link) as (emitted, _):
                assert told(emitted) == [("d11", CLOSED), ("d12", CLOSED)]
        finally:
            await server.shutdown()


@contextlib.asynccontextmanager
async def serving(talk):
    """Yield the port of a serial server; each visit is what ``talk`` makes of it."""

    async def visit(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await talk(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_an_answer_in_pieces_is_put_together():
    async def talk(reader, writer):
        while True:
            await reader.readexactly(8)
            for byte in ANSWER + crc(ANSWER):
                writer.write(bytes([byte]))
                await writer.drain()

    async with serving(talk) as port, polling(tcp_to(port)) as (emitted, _):
        assert told(emitted) == [("d11", CLOSED), ("d12", CLOSED)]


async def test_a_serial_server_that_hangs_up_is_a_lost_bus():
    async def talk(reader, writer):
        await reader.readexactly(8)

    async with serving(talk) as port, polling(tcp_to(port)) as (emitted, task):
        await soon(task.done)
        assert "bus rtu1: tcp 127.0.0.1" in str(task.exception())
        assert emitted == []


async def test_a_serial_server_that_hangs_up_between_questions_is_a_lost_bus():
    async def talk(reader, writer):
        await reader.readexactly(8)
        writer.write(ANSWER + crc(ANSWER))
        await writer.drain()

    async with serving(talk) as port, polling(tcp_to(port)) as (emitted, task):
        await soon(task.done)
        assert isinstance(task.exception(), LinkError)
        assert str(task.exception()).startswith("bus rtu1: tcp 127.0.0.1")
        assert emitted == []


async def test_a_flood_is_no_answer_and_takes_no_memory():
    async def talk(reader, writer):
        while True:
            writer.write(b"\x55" * 65536)
            await writer.drain()

    async with serving(talk) as port:
        line = BusLine("rtu1", tcp_to(port), SystemClock())
        line.join()
        try:
            async with line.turn():
                with pytest.raises(LinkError, match="never silent"):
                    await line.ask(question(), timeout_s=0.2)
        finally:
            line.leave()


async def test_a_flood_that_begins_with_the_question_is_cut_at_the_longest_frame():
    async def talk(reader, writer):
        await reader.readexactly(8)
        while True:
            writer.write(b"\x55" * 65536)
            await writer.drain()

    async with serving(talk) as port:
        opened = await open_port(tcp_to(port))
        received = await opened.ask(
            bytes(8), is_whole=lambda _: False, timeout_s=0.1, clock=SystemClock()
        )
        opened.close()
        assert 256 < len(received) <= 256 + 4096


def question():
    return Question(transaction=1, unit=5, function=2, address=0, count=8)


async def test_nobody_there_is_a_link_error_that_names_the_line(unused_tcp_port):
    with pytest.raises(LinkError, match=f"tcp 127.0.0.1:{unused_tcp_port}: .*[Rr]efused"):
        await open_port(tcp_to(unused_tcp_port))


async def test_a_name_that_no_name_server_can_carry_is_a_link_error():
    with pytest.raises(LinkError, match="tcp "):
        await open_port(TcpLink(kind="tcp", host="x" * 200, port=502))


async def test_a_silent_serial_server_is_a_unit_without_an_answer():
    async def talk(reader, writer):
        await reader.read()

    async with serving(talk) as port, polling(tcp_to(port), timeout_s=0.05) as (_, task):
        assert isinstance(task.exception(), NoAnswerError)


async def test_a_port_that_hung_up_is_a_link_error_whatever_is_done_with_it():
    line, port = os.openpty()
    tty.setraw(port)
    opened = await open_port(SerialLink(kind="serial", port=os.ttyname(port), baud=9600))
    os.close(line)
    os.close(port)
    with pytest.raises(LinkError):
        opened.discard()
    with pytest.raises(LinkError):
        await opened.ask(bytes(8), is_whole=lambda _: False, timeout_s=1, clock=SystemClock())
    opened.close()


async def test_a_port_that_takes_no_more_bytes_is_a_link_error():
    line, port = os.openpty()
    tty.setraw(port)
    opened = await open_port(SerialLink(kind="serial", port=os.ttyname(port), baud=9600))
    try:
        with pytest.raises(LinkError, match="serial /dev/pts"):
            fill(opened)
    finally:
        opened.close()
        os.close(line)
        os.close(port)


def fill(opened):
    for _ in range(100_000):
        opened._send(bytes(8))  # nobody reads at the other end


async def test_a_contact_of_a_holding_register_unit_is_read_over_rtu(tmp_path, monkeypatch):
    """Words, and an input that reads 0 while it is on."""
    profile = tmp_path / "devices" / "other.toml"
    profile.parent.mkdir()
    profile.write_text(
        'maker = "M"\nmodel = "N"\nfunction = 3\naddress = 0\ninputs = 20\ninverted = true\n'
        '[[source]]\nmanual = "Manual"\npage = "1"\n'
    )
    monkeypatch.setenv("ISPSD_DATA", str(tmp_path))
    contacts = (Contact("d1", (0,), Wiring.NC), Contact("d2", (1,), Wiring.NC))
    server = ModbusTcpServer(other_units(), framer=FramerType.RTU, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        port = server.transport.sockets[0].getsockname()[1]
        async with polling(tcp_to(port), profile="other", contacts=contacts) as (emitted, _):
            assert told(emitted) == [("d1", OPEN), ("d2", CLOSED)]
    finally:
        await server.shutdown()
