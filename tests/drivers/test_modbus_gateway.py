"""Several units behind one gateway; connections that idle gateways close; two clients at once."""

import asyncio

import pytest
from structlog.testing import capture_logs

from daemon.drivers.api import Contact, DriverContext, Shared, Wiring
from daemon.drivers.modbus import DRIVER, build
from daemon.errors import LinkError
from daemon.gate import CovertGate
from daemon.model import ContactState, LinkState, Provenance
from tests.drivers.modbus_gateway import Gateway, Tables
from tests.drivers.modbus_rig import POLL_S, PollClock, Rig, config_for, told
from tests.drivers.watched import OwnClock, Watched, supervised
from tests.soon import soon

CLOSED, OPEN = ContactState.CLOSED, ContactState.OPEN
DOOR = Contact("d01", (0,), Wiring.NC)
IDLE_POLL_S = 5.0


class Fleet:
    """Drivers of several units of one gateway, under supervisors, on one clock."""

    def __init__(self, port, units, *, one_connection=True, **config):
        self.clock = PollClock()
        self.emitted = []
        self.statuses = []
        shared = Shared()
        self.drivers = {}
        for unit in units:
            own = OwnClock(self.clock)
            context = DriverContext(
                device=f"io{unit}",
                clock=own,
                gate=CovertGate(self.clock),
                provenance=Provenance.LIVE,
                contacts=(Contact(f"d{unit}", (0,), Wiring.NC),),
                shared=shared,
            )
            given = config_for(port, unit=unit, one_connection=one_connection, **config)
            self.drivers[unit] = Watched(build(given, context), own)

    def start(self):
        config = config_for(1)
        return [
            asyncio.create_task(
                supervised(
                    driver,
                    DRIVER,
                    self.clock,
                    device=f"io{unit}",
                    silent_after_s=DRIVER.silent_after_s(config),
                    lost_alert="io.unit_lost",
                    emit=self.emitted.append,
                    on_status=self.statuses.append,
                    longest_back_off_s=DRIVER.longest_back_off_s(config),
                ).run()
            )
            for unit, driver in self.drivers.items()
        ]

    def down(self):
        return {s.device for s in self.statuses if s.link is LinkState.DOWN}


async def ended(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def three():
    return {unit: Tables.of_inputs(16) for unit in (1, 2, 255)}


async def test_units_behind_one_gateway_share_a_connection_and_keep_their_own_inputs():
    units = three()
    units[2].bits[2][0] = True
    async with Gateway(units).serving() as gateway:
        fleet = Fleet(gateway.port, units)
        tasks = fleet.start()
        try:
            await soon(lambda: all(d.health.good for d in fleet.drivers.values()))
            assert gateway.connections == 1
            assert set(told(fleet.emitted)) == {("d1", OPEN), ("d2", CLOSED), ("d255", OPEN)}
        finally:
            await ended(tasks)
        await soon(lambda: gateway.visitors == 0)


@pytest.mark.parametrize("fault", ["is_dead", "is_mute"])
async def test_a_dead_unit_behind_a_gateway_is_that_unit_alone(fault):
    """Exception 11 or plain silence: the others go on, on a new connection where it had to be closed."""
    units = three()
    async with Gateway(units).serving() as gateway:
        fleet = Fleet(
            gateway.port, units, timeout_s=1.0
        )  # the others answer within it on a busy computer too
        tasks = fleet.start()
        try:
            await soon(lambda: all(d.health.good for d in fleet.drivers.values()))
            setattr(units[2], fault, True)
            await soon_polling(fleet, lambda: "io2" in fleet.down())
            good = fleet.drivers[1].health.good
            await soon_polling(fleet, lambda: fleet.drivers[1].health.good >= good + 20)
            assert fleet.down() == {"io2"}
            asked = gateway.asks(2).total()
            await soon_polling(fleet, lambda: fleet.drivers[255].health.good >= good + 40)
            assert gateway.asks(2).total() - asked <= 6, (
                "a try costs the others time, so it is made seldom"
            )
            setattr(units[2], fault, False)
            await soon_polling(fleet, lambda: fleet.statuses[-1].link is LinkState.UP)
            assert fleet.statuses[-1].device == "io2"
        finally:
            await ended(tasks)


async def soon_polling(fleet, condition):
    """Let time pass, and none while an answer is awaited, until it is so."""
    for _ in range(3000):
        if condition():
            return
        await fleet.clock.advance(POLL_S)
        await soon(lambda: not any(driver.is_busy for driver in fleet.drivers.values()))
    raise AssertionError("not in time")


async def test_without_being_told_so_each_unit_has_a_connection_of_its_own():
    units = three()
    async with Gateway(units).serving() as gateway:
        fleet = Fleet(gateway.port, units, one_connection=False)
        tasks = fleet.start()
        try:
            await soon(lambda: all(d.health.good for d in fleet.drivers.values()))
            assert gateway.connections == 3
        finally:
            await ended(tasks)


@pytest.mark.parametrize("unit_id", [0, 1, 255])
async def test_a_unit_id_is_asked_as_it_is_set(unit_id):
    async with (
        Gateway({unit_id: Tables.of_inputs(16)}).serving() as unit,
        Rig(unit.port, contacts=(DOOR,), unit=unit_id).running() as rig,
    ):
        await rig.poll(2)
        assert rig.driver.health.good == 3
        assert {ask[0] for ask in unit.asked} == {unit_id}


async def test_two_clients_at_once_are_no_trouble():
    tables = Tables.of_inputs(16)
    async with Gateway({1: tables}).serving() as unit:
        ours, theirs = Rig(unit.port, contacts=(DOOR,)), Rig(unit.port, contacts=(DOOR,))
        async with ours.running(), theirs.running():
            for rig in (ours, theirs, ours):
                await rig.poll(3)
            assert (ours.driver.health.dropped, theirs.driver.health.dropped) == ({}, {})
            assert unit.connections == 2


async def test_a_connection_that_was_idle_may_be_closed_and_is_opened_again_quietly():
    """A gateway that closes idle connections between two slow polls: no line in the log, no point unknown."""
    tables = Tables.of_inputs(16)
    with capture_logs() as logs:
        async with (
            Gateway({1: tables}).serving() as unit,
            Rig(unit.port, contacts=(DOOR,), poll_s=IDLE_POLL_S).running() as rig,
        ):
            for _ in range(3):
                unit.hang_up()
                await soon(lambda: unit.visitors == 0)
                await rig.poll(every_s=IDLE_POLL_S)
            assert unit.connections == 4
            assert rig.driver.health.good == 4
            assert {value for _, value in told(rig.emitted)} == {OPEN}
            assert rig.driver.health.dropped == {}
    assert logs == []


async def test_a_connection_closed_at_the_moment_of_the_question_is_asked_again():
    """It had been idle, so what comes back to the question is that it is gone."""
    tables = Tables.of_inputs(16)
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=(DOOR,), poll_s=IDLE_POLL_S).running() as rig,
    ):
        answer, hung_up = tables.answer, []

        def once(pdu):
            if not hung_up:
                hung_up.append(True)
                unit.hang_up()
                return None
            return answer(pdu)

        tables.answer = once
        await rig.poll(every_s=IDLE_POLL_S)
        assert rig.driver.health.good == 2
        assert unit.connections == 2


async def test_a_gateway_that_closes_again_and_again_is_lost():
    tables = Tables.of_inputs(16)
    async with Gateway({1: tables}).serving() as unit:
        rig = Rig(unit.port, contacts=(DOOR,), poll_s=IDLE_POLL_S)
        async with rig.running():
            tables.answer = lambda _: unit.hang_up()
            await rig.clock.advance(IDLE_POLL_S)
            await asyncio.wait({rig.task}, timeout=5)
            error = rig.task.exception()
        assert isinstance(error, LinkError)
        assert "the connection was lost" in str(error)
        assert unit.connections == 2, "once quietly, and no more"


async def test_a_unit_that_wants_a_pause_and_time_to_settle_gets_them(tmp_path, monkeypatch):
    profile = tmp_path / "devices" / "odd.toml"
    profile.parent.mkdir()
    profile.write_text(
        'maker = "M"\nmodel = "N"\nfunction = 2\naddress = 0\ninputs = 16\nmost_bits = 8\n'
        'pause_s = 0.03\nsettle_s = 0.5\n[[source]]\nmanual = "Manual"\npage = "1"\n'
    )
    monkeypatch.setenv("ISPSD_DATA", str(tmp_path))
    async with Gateway({1: Tables.of_inputs(16)}).serving() as unit:
        rig = Rig(unit.port, contacts=(DOOR,), profile="odd")
        task = asyncio.create_task(rig.driver.run(rig.emitted.append))
        try:
            await soon(lambda: rig.clock.asked_for == [0.5])
            assert unit.asked == []
            await rig.clock.advance(0.5)
            await soon(lambda: len(unit.asked) == 1 and len(rig.clock.asked_for) >= 3)
            assert rig.clock.asked_for[-1] == pytest.approx(0.03)
            await rig.clock.advance(0.03)
            await soon(lambda: rig.driver.health.good == 1)
            assert set(unit.asks()) == {(2, 0, 8), (2, 8, 8)}
        finally:
            await ended([task])
