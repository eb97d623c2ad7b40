"""The Modbus driver on real sockets."""

import asyncio
import contextlib
import itertools
import socket

import pytest
from pydantic import ValidationError
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from structlog.testing import capture_logs

from daemon.config import registry
from daemon.drivers.api import Contact, Wiring
from daemon.drivers.modbus import DRIVER
from daemon.drivers.modbus_frames import MismatchError
from daemon.drivers.modbus_pace import Cadence, Told
from daemon.errors import LinkError
from daemon.model import ContactState, LinkState, Provenance, Quality
from daemon.supervision.supervise import Supervisor
from simulators.io_unit import SIMULATOR, IoUnit
from tests.clocks import FixedEntropy, ManualClock, StandingTimers
from tests.drivers.modbus_rig import (
    DOORS,
    LAMP,
    POLL_S,
    PollClock,
    Rig,
    config_for,
    told,
)
from tests.soon import PATIENCE_S, soon

CLOSED, OPEN, FAULT = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT


@pytest.fixture
async def unit():
    unit = IoUnit()
    await unit.set_input(0, True)
    await unit.set_input(4, True)
    await unit.start()
    yield unit
    await unit.stop()


async def test_every_contact_is_told_at_the_first_poll(unit):
    async with Rig(unit.port).running() as rig:
        assert told(rig.emitted) == [("d01", CLOSED), ("d02", CLOSED), ("d04", CLOSED)]
        first = rig.emitted[0]
        assert (first.quality, first.provenance, first.source) == (
            Quality.GOOD,
            Provenance.LIVE,
            "io1",
        )
        assert (first.received_s, first.received_utc) == (rig.clock.now_s(), rig.clock.utc())


async def test_a_change_is_told_at_the_next_poll_and_nothing_else_is(unit):
    async with Rig(unit.port).running() as rig:
        assert await rig.poll(3) == []
        await unit.set_input(0, False)
        assert told(await rig.poll()) == [("d01", OPEN)]
        assert await rig.poll() == []


async def test_a_double_contact_that_contradicts_itself_is_a_line_fault_not_closed(unit):
    async with Rig(unit.port).running() as rig:
        await unit.set_input(4, False)
        assert told(await rig.poll()) == [("d04", FAULT)]
        await unit.set_input(4, True)
        await unit.set_input(5, True)
        assert await rig.poll() == []
        await unit.set_input(4, False)
        assert told(await rig.poll()) == [("d04", OPEN)]


@pytest.mark.parametrize("poll_s", [0.125, 1.0, 4.0, 10.0])
async def test_an_unchanged_point_is_told_thrice_while_it_is_valid(unit, poll_s):
    rig = Rig(unit.port, poll_s=poll_s)
    valid_for_s = {point.id: point.valid_for_s for point in rig.driver.points()}
    assert set(valid_for_s.values()) == {max(15.0, 5 * poll_s)}
    async with rig.running():
        await rig.poll(round(2 * valid_for_s["d01"] / poll_s), every_s=poll_s)
    for point, longest_s in valid_for_s.items():
        times_s = [reading.received_s for reading in rig.emitted if reading.point == point]
        gaps_s = [later - earlier for earlier, later in itertools.pairwise(times_s)]
        assert max(gaps_s) <= longest_s / 3


async def test_an_unchanged_point_is_told_seldom(unit):
    async with Rig(unit.port, contacts=DOORS[:1], timeout_s=0.2).running() as rig:
        assert 20 <= len(await rig.poll(800)) <= 25  # in 100 s: not at each of 800 polls


async def test_only_reads_of_discrete_inputs_ever_go_over_the_wire(unit):
    async with Rig(unit.port).running() as rig:
        await rig.poll(50)
        await unit.misbehave("exception", code=4)
        await rig.poll(20)
        await unit.misbehave(None)
        await rig.poll(50)
    assert dict(unit.asked) == {2: 121}


async def test_after_a_stall_the_next_poll_is_at_its_own_time_and_none_is_made_up_for():
    unit = IoUnit(clock=(unit_clock := ManualClock()))
    await unit.start()
    try:
        async with Rig(unit.port, timeout_s=2.0).running() as rig:
            await rig.poll(10)
            await unit.misbehave("late", by_s=1.0)
            await rig.clock.advance(POLL_S)
            await soon(lambda: unit.asked.total() == 12)
            await rig.clock.advance(0.9)  # 7.2 poll times
            await unit.misbehave(None)
            await unit_clock.advance(1.0)
            await rig.slept()
            assert rig.driver.health.latency_s == pytest.approx(0.9)
            assert rig.clock.asked_for[-1] == pytest.approx(8 * POLL_S - 0.9)
            await rig.poll(every_s=rig.clock.asked_for[-1])
            assert unit.asked.total() == 13
            assert rig.driver.health.latency_s == 0.0
    finally:
        await unit.stop()


def test_the_cadence_does_not_drift():
    cadence = Cadence(start_s=1000.0, poll_s=0.1)
    poll = 0
    for _ in range(100_000):
        poll = cadence.after(poll, cadence.due_s(poll) + 0.03)
    assert cadence.due_s(poll) == pytest.approx(1000.0 + 10_000.0, abs=1e-6)


@pytest.mark.parametrize(
    ("now_s", "poll"), [(1000.0, 1), (1000.125, 1), (1000.126, 2), (1000.95, 8), (1001.0, 8)]
)
def test_the_next_poll_is_the_first_that_is_not_yet_missed(now_s, poll):
    assert Cadence(start_s=1000.0, poll_s=0.125).after(0, now_s) == poll


def test_what_becomes_unknown_is_told_like_any_change():
    pace = Told(repeat_after_s=5.0, longest_gap_s=0.5)
    assert pace.due((CLOSED, OPEN), 0.0) == [0, 1]
    assert pace.due((None, OPEN), 1.0) == [0]
    assert pace.due((None, OPEN), 4.5) == []
    assert pace.due((None, OPEN), 4.6) == [0, 1]


async def test_a_unit_that_hangs_is_a_lost_link_when_the_time_out_is_over_and_not_before(unit):
    async with Rig(unit.port, timeout_s=0.05).running() as rig:
        await unit.misbehave("hang")
        with pytest.MonkeyPatch.context() as patch:
            timers = StandingTimers(patch)
            await rig.clock.advance(POLL_S)
            await soon(lambda: unit.asked.total() == 2)
            await timers.move(0.049)
            assert not rig.task.done()
            await timers.move(0.002)
            assert rig.task.done()
        error = rig.task.exception()
        assert type(error) is LinkError
        assert "no answer in 0.05 s" in str(error)
        assert len(rig.emitted) == 3


MISMATCHES = {
    "wrong_transaction": "transaction",
    "zero_transaction": "transaction",
    "previous": "transaction",
    "wrong_protocol": "protocol",
    "wrong_unit": "unit",
    "zero_unit": "unit",
    "wrong_function": "function",
    "wrong_byte_count": "byte count",
    "short_frame": "length",
    "twice": "end",
}


@pytest.mark.parametrize(("fault", "field"), MISMATCHES.items())
async def test_an_answer_that_does_not_match_closes_the_line_and_is_no_state(unit, fault, field):
    async with Rig(unit.port).running() as rig:
        await rig.poll()
        before = len(rig.emitted)
        await unit.set_input(0, False)  # what it would tell, were it believed
        await unit.misbehave(fault)
        error = await rig.fails()
        assert isinstance(error, MismatchError)
        assert error.reason == field
        assert rig.emitted[before:] == []
        assert rig.driver.health.dropped == {f"{field} mismatch": 1}
        assert rig.driver.health.good == 2
        await nobody_is_connected(unit)


async def test_an_answer_without_its_end_is_a_lost_link_and_no_state(unit):
    async with Rig(unit.port, timeout_s=0.05).running() as rig:
        await unit.set_input(0, False)
        await unit.misbehave("cut_frame")
        assert isinstance(await rig.fails(), LinkError)
        assert len(rig.emitted) == 3
        await nobody_is_connected(unit)


async def test_a_late_answer_dies_with_its_connection():
    clock = PollClock()
    unit = IoUnit(clock=clock)
    await unit.start()
    try:
        rig = Rig(unit.port, contacts=DOORS[:1], timeout_s=0.05)
        async with rig.running():
            await unit.set_input(0, True)
            await unit.misbehave("late", by_s=30.0)
            assert isinstance(await rig.fails(), LinkError)
            await unit.set_input(0, False)
            await unit.misbehave(None)
        async with rig.running():  # what the supervisor does next
            await clock.advance(31.0)  # the late answer goes out now: closed, which was true once
            await rig.poll(5)
        assert told(rig.emitted) == [("d01", OPEN), ("d01", OPEN)]
    finally:
        await unit.stop()


async def test_an_answer_kept_for_an_older_connection_does_not_fit_the_next(unit):
    """A gateway may queue what a serial unit said too late and give it to whoever asks next."""
    rig = Rig(unit.port, timeout_s=0.05)
    async with rig.running():
        await unit.misbehave("hang")
        await rig.fails()
    before = len(rig.emitted)
    await unit.misbehave("previous")
    with pytest.raises(MismatchError, match="transaction"):
        async with rig.running():
            pass
    assert len(rig.emitted) == before


async def test_bytes_that_nobody_asked_for_end_the_connection():
    visitors = []

    async def visit(reader, writer):
        visitors.append(writer)
        request = await reader.readexactly(12)
        writer.write(request[:5] + bytes.fromhex("05 01 02 02 0000"))

    async with listening(visit) as port, Rig(port).running() as rig:
        visitors[0].write(b"\x00")
        await soon(visitors[0].transport.is_closing)  # our end has hung up
        error = await rig.fails()
        assert isinstance(error, MismatchError)
        assert error.reason == "unasked"


async def test_an_answer_in_pieces_is_put_together():
    async def visit(reader, writer):
        while request := await reader.read(12):
            for byte in request[:5] + bytes.fromhex("05 01 02 02 0100"):
                writer.write(bytes([byte]))
                await writer.drain()

    async with listening(visit) as port, Rig(port, contacts=DOORS[:1]).running() as rig:
        await rig.poll(2)
        assert told(rig.emitted) == [("d01", CLOSED)]
        assert rig.driver.health.good == 3


@pytest.mark.parametrize(
    ("code", "name"), [(1, "1"), (2, "2"), (4, "4"), (11, "11"), (99, "other")]
)
async def test_a_refusal_makes_the_points_unknown_and_keeps_the_link(unit, code, name):
    async with Rig(unit.port).running() as rig:
        await unit.misbehave("exception", code=code)
        refused = await rig.poll()
        assert told(refused) == [("d01", None), ("d02", None), ("d04", None)]
        assert {reading.quality for reading in refused} == {Quality.UNKNOWN}
        assert rig.driver.health.dropped == {f"exception {name}": 1}
        assert rig.driver.health.last_good_s == rig.clock.now_s()
        await unit.misbehave(None)
        assert told(await rig.poll()) == [("d01", CLOSED), ("d02", CLOSED), ("d04", CLOSED)]
        assert rig.driver.health.good == 2


async def test_a_refusal_is_logged_once_an_outage(unit):
    with capture_logs() as logs:
        async with Rig(unit.port).running() as rig:
            await unit.misbehave("exception", code=6)
            await rig.poll(5)
            await unit.misbehave(None)
            await rig.poll(5)
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("unit.refused", "warning"),
        ("unit.answers", "info"),
    ]
    assert logs[0]["reason"] == "exception 6"


async def test_a_wrong_unit_id_is_a_refusal_of_the_whole_unit(unit):
    async with Rig(unit.port, unit=9).running() as rig:
        assert {reading.value for reading in rig.emitted} == {None}
        assert rig.driver.health.dropped == {"exception 11": 1}


async def test_a_unit_that_is_not_there_is_a_link_error(unit):
    await unit.stop()
    with pytest.raises(LinkError, match="refused"):
        await Rig(unit.port).driver.run(lambda _: None)


async def test_a_unit_that_does_not_take_the_connection_is_a_link_error_in_time(monkeypatch):
    monkeypatch.setattr("daemon.drivers.modbus_line.CONNECT_TIMEOUT_S", 0.05)
    with contextlib.ExitStack() as sockets:
        full = sockets.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # more than its queue takes; Linux then answers no SYN
            queued = sockets.enter_context(socket.socket())
            queued.setblocking(False)
            queued.connect_ex(full.getsockname())
        with pytest.raises(LinkError, match=r"no connection in 0\.05 s"):
            await Rig(full.getsockname()[1]).driver.run(lambda _: None)


async def test_a_connection_that_the_unit_closes_is_a_link_error(unit):
    async with Rig(unit.port).running() as rig:
        await unit.drop()
        assert "the connection was lost" in str(await rig.fails())


async def test_unplugged_and_plugged_in_again_under_the_supervisor(unit):
    rig = Rig(unit.port)
    statuses: asyncio.Queue = asyncio.Queue()
    supervisor = Supervisor(
        device="io1",
        driver=rig.driver,
        spec=DRIVER,
        silent_after_s=DRIVER.silent_after_s(config_for(unit.port)),
        lost_alert="io.unit_lost",
        provenance=Provenance.LIVE,
        clock=rig.clock,
        entropy=FixedEntropy(),
        emit=rig.emitted.append,
        on_status=statuses.put_nowait,
    )
    task = asyncio.create_task(supervisor.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert (await statuses.get()).link is LinkState.UP
            await unit.do({"do": "unplug"})
            while statuses.empty():
                await rig.clock.advance(POLL_S)
            assert (await statuses.get()).link is LinkState.DOWN
            assert told(rig.emitted[-3:]) == [("d01", None), ("d02", None), ("d04", None)]
            await unit.set_input(0, False)
            await unit.do({"do": "plug"})
            while statuses.empty():
                await rig.clock.advance(POLL_S)
            assert (await statuses.get()).link is LinkState.UP
            assert ("d01", OPEN) in told(rig.emitted[-3:])
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_dead_unit_does_not_delay_the_other(unit):
    dead = IoUnit()
    await dead.start()
    try:
        clock = PollClock()
        alive, hung = Rig(unit.port, clock=clock), Rig(dead.port, timeout_s=2.0)
        async with hung.running(), alive.running():
            await dead.misbehave("hang")
            with pytest.MonkeyPatch.context() as patch:
                StandingTimers(patch)  # whoever waited for the other's time-out would wait for ever
                await hung.clock.advance(POLL_S)
                await soon(lambda: dead.asked.total() == 2)
                await alive.poll(20)
                assert alive.driver.health.good == 21
                assert not hung.task.done()
            assert hung.driver.health.good == 1
    finally:
        await dead.stop()


@pytest.mark.parametrize("moment", ["between polls", "while asking", "while connecting"])
async def test_cancelled_it_closes_its_socket_and_leaves_no_task(unit, moment):
    before = asyncio.all_tasks()
    rig = Rig(unit.port, timeout_s=2.0)
    if moment == "while connecting":
        task = asyncio.create_task(rig.driver.run(rig.emitted.append))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with rig.running():
            if moment == "while asking":
                await unit.misbehave("hang")
                async with asyncio.timeout(PATIENCE_S):
                    asked = asyncio.create_task(unit.requests(1))
                    await rig.clock.advance(POLL_S)
                    await asked
            assert rig.task is not None
            rig.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await rig.task
    await nobody_is_connected(unit)
    await soon(lambda: asyncio.all_tasks() <= before)


async def test_health_counts_polls_and_how_long_they_took(unit):
    async with Rig(unit.port).running() as rig:
        await rig.poll(4)
        health = rig.driver.health
        assert (health.good, health.dropped, health.latency_s) == (5, {}, 0.0)
        assert health.last_good_s == rig.clock.now_s()


async def test_the_transaction_number_goes_round_without_zero(unit):
    rig = Rig(unit.port)
    rig.driver._transaction = 0xFFFE
    async with rig.running():
        await rig.poll(2)
        assert rig.driver._transaction == 2  # 65535, 1, 2
        assert rig.driver.health.good == 3


@pytest.mark.parametrize("function", [1, 2, 3, 4])
async def test_it_reads_a_unit_that_another_library_simulates(function, tmp_path, monkeypatch):
    """Interoperability: not our simulator, and each of the four read functions."""
    profile = tmp_path / "devices" / "other.toml"
    profile.parent.mkdir()
    profile.write_text(
        f'maker = "M"\nmodel = "N"\nfunction = {function}\naddress = 48\ninputs = 20\n'
        '[[source]]\nmanual = "Manual"\npage = "1"\n'
    )
    monkeypatch.setenv("ISPSD_DATA", str(tmp_path))
    on = {0, 4, 17}
    bits = [SimData(48, values=[n in on for n in range(32)], datatype=DataType.BITS)]
    words = [SimData(48, values=[0x0011, 0x0002], datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(
        SimDevice(1, simdata=(bits, bits, words, words)), address=("127.0.0.1", 0)
    )
    await server.serve_forever(background=True)
    try:
        port = server.transport.sockets[0].getsockname()[1]
        contacts = (*DOORS, Contact("d17", (17,), Wiring.NC), Contact("d19", (19,), Wiring.NC))
        async with Rig(port, profile="other", contacts=contacts).running() as rig:
            await rig.poll(3)
            assert [state for _, state in told(rig.emitted)] == [
                CLOSED,
                CLOSED,
                CLOSED,
                CLOSED,
                OPEN,
            ]
    finally:
        await server.shutdown()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "io1.local"),
        ("host", ""),
        ("port", 0),
        ("port", 65536),
        ("unit", 256),
        ("unit", -1),
        ("poll_s", 0.019),
        ("poll_s", 10.1),
        ("timeout_s", 0.049),
        ("timeout_s", 2.1),
        ("profile", "no-such-unit"),
        ("profile", "../ispsd"),
        ("write", True),
    ],
)
def test_a_setting_out_of_bounds_is_refused_by_name(field, value):
    given = {"kind": "modbus_tcp", "host": "192.168.60.11", "profile": "moxa-iologik-e1210"}
    with pytest.raises(ValidationError) as caught:
        DRIVER.config.model_validate(given | {field: value})
    assert [fault["loc"] for fault in caught.value.errors()] == [(field,)]


@pytest.mark.parametrize(
    ("field", "value"),
    [("poll_s", 0.02), ("poll_s", 10), ("timeout_s", 2), ("port", 65535), ("unit", 0)],
)
def test_the_bounds_themselves_are_allowed(field, value):
    given = {"kind": "modbus_tcp", "host": "::1", "profile": "moxa-iologik-e1210"}
    assert getattr(DRIVER.config.model_validate(given | {field: value}), field) == value


@pytest.mark.parametrize(
    ("poll_s", "timeout_s", "silent_after_s"), [(0.1, 0.4, 5.0), (1.5, 0.5, 5.0), (10, 2, 32.0)]
)
def test_silence_is_told_after_three_polls_but_not_before_five_seconds(
    poll_s, timeout_s, silent_after_s
):
    config = config_for(502, poll_s=poll_s, timeout_s=timeout_s)
    assert DRIVER.silent_after_s(config) == pytest.approx(silent_after_s)


def test_the_registry_finds_the_driver_and_its_facts():
    spec = registry.drivers()["modbus_tcp"]
    config = config_for(502)
    assert spec is DRIVER
    assert (spec.inputs(config), spec.lost_alert(config), spec.covert) == (
        16,
        "io.unit_lost",
        False,
    )


def test_a_door_and_a_test_lamp_on_one_input_are_refused():
    door = Contact("d99", (LAMP.input,), Wiring.NC)
    with pytest.raises(ValueError, match="p1_lamp: input 14 is already that of d99"):
        Rig(502, contacts=(door,), lamps=(LAMP,), clock=object())


async def nobody_is_connected(unit: IoUnit) -> None:
    await soon(lambda: unit.visitors == 0)


@contextlib.asynccontextmanager
async def listening(visit):
    tasks = []

    async def take(reader, writer):
        tasks.append(asyncio.current_task())
        try:
            await visit(reader, writer)
            await reader.read()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_supervised_loops_are_read_as_closed_open_or_line_fault():
    unit = SIMULATOR.build("io5", {"analogue": 4})
    await unit.start()
    contacts = (
        Contact("d12", (0,), Wiring.LOOP_4_20_MA),
        Contact("d16", (3,), Wiring.LOOP_4_20_MA),
    )
    try:
        await unit.do({"do": "current", "input": 0, "ma": 16.0})
        await unit.do({"do": "current", "input": 3, "ma": 8.0})
        rig = Rig(unit.port, profile="moxa-iologik-e1242-loops", contacts=contacts)
        async with rig.running():
            assert told(rig.emitted) == [("d12", CLOSED), ("d16", OPEN)]
            await unit.do({"do": "current", "input": 0, "ma": 0.0})  # the cable is cut
            assert told(await rig.poll()) == [("d12", FAULT)]
            await unit.do({"do": "current", "input": 3, "ma": 22.0})  # and the other shorted
            assert told(await rig.poll()) == [("d16", FAULT)]
    finally:
        await unit.stop()


async def test_the_bands_of_a_device_are_its_own():
    unit = SIMULATOR.build("io5", {"analogue": 4})
    await unit.start()
    contacts = (Contact("d12", (0,), Wiring.LOOP_4_20_MA),)
    try:
        await unit.do({"do": "current", "input": 0, "ma": 16.0})
        own = {"closed_ma": [7, 9], "open_ma": [15, 17]}
        rig = Rig(unit.port, profile="moxa-iologik-e1242-loops", contacts=contacts, **own)
        async with rig.running():
            assert told(rig.emitted) == [("d12", OPEN)]
    finally:
        await unit.stop()


async def test_a_modular_unit_is_asked_for_what_is_on_its_rail():
    unit = IoUnit(inputs=24)
    await unit.set_input(23, True)
    await unit.start()
    contacts = (Contact("d1", (23,), Wiring.NC),)
    try:
        rig = Rig(unit.port, profile="wago-750-352", inputs=24, contacts=contacts)
        async with rig.running():
            assert told(rig.emitted) == [("d1", CLOSED)]
        assert DRIVER.inputs(config_for(unit.port, profile="wago-750-352", inputs=24)) == 24
    finally:
        await unit.stop()
