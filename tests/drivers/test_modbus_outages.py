"""The worst complaints about other pollers, each as a test that names where it was made."""

import asyncio
import itertools
import struct

import pytest

from daemon.drivers.api import Contact, Wiring
from daemon.drivers.modbus import DRIVER
from daemon.drivers.modbus_frames import Question, read_answer
from daemon.drivers.modbus_unit import LAST_TRANSACTION
from daemon.errors import LinkError
from daemon.model import ContactState, LinkState
from tests.drivers.modbus_gateway import Gateway, Tables
from tests.drivers.modbus_rig import PollClock, Rig, config_for, told
from tests.drivers.watched import OwnClock, Watched, supervised
from tests.soon import soon

CLOSED, OPEN = ContactState.CLOSED, ContactState.OPEN
DOOR = Contact("d01", (0,), Wiring.NC)
NIGHT_S = 13 * 3600.0
TIME_SCALE = 4
"""More than a thousand tries at an interval of 10 s; the wait between two is at its longest from the second on."""
SLOW_POLL_S = 10.0


class Outage:
    """One unit under its supervisor, and when its polls were good."""

    def __init__(self, port, poll_s):
        self.poll_s = poll_s
        self.statuses = []
        self.good_s = []
        self.clock = PollClock()
        own = OwnClock(self.clock)
        self.rig = Rig(port, contacts=(DOOR,), clock=own, poll_s=poll_s)
        self.driver = Watched(self.rig.driver, own)
        config = config_for(port, poll_s=poll_s)
        self.supervisor = supervised(
            self.driver,
            DRIVER,
            self.clock,
            device="io1",
            silent_after_s=DRIVER.silent_after_s(config),
            lost_alert="io.unit_lost",
            emit=self.rig.emitted.append,
            on_status=self.statuses.append,
            longest_back_off_s=DRIVER.longest_back_off_s(config),
        )

    async def pass_s(self, seconds, step_s, *, until=lambda: False):
        """Let time pass while nothing is awaited from the unit, and return what time it is then."""
        end_s = self.clock.now_s() + seconds
        while self.clock.now_s() < end_s and not until():
            await self.clock.advance(step_s)
            await soon(lambda: not self.driver.is_busy)
        return self.clock.now_s()


@pytest.mark.parametrize("poll_s", [1.0, SLOW_POLL_S])
async def test_peers_1_a_server_gone_for_13_h_is_read_again_within_two_intervals_of_its_return(
    poll_s,
):
    """ThingsBoard gateway 2132, Home Assistant 142658: dead until somebody restarted them."""
    tables = Tables.of_inputs(16)
    unit = Gateway({1: tables})
    await unit.start()
    gone_s = NIGHT_S * poll_s / SLOW_POLL_S / TIME_SCALE
    outage = Outage(unit.port, poll_s)
    task = asyncio.create_task(outage.supervisor.run())
    try:
        await outage.pass_s(60.0, 0.1, until=lambda: outage.driver.health.good > 2)
        await unit.stop()
        await outage.pass_s(gone_s, poll_s)
        assert outage.statuses[-1].link is LinkState.DOWN
        good = outage.driver.health.good
        await unit.start()
        began_s = outage.clock.now_s()
        back_s = await outage.pass_s(
            10 * poll_s, poll_s / 8, until=lambda: outage.driver.health.good > good
        )
        assert back_s - began_s <= 2 * poll_s
        assert outage.statuses[-1].link is LinkState.UP
        assert not task.done()
        assert [s.link for s in outage.statuses].count(LinkState.UP) == 2
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await unit.stop()


async def test_peers_3_a_reply_after_its_time_out_never_becomes_the_value_of_the_next_read():
    """grid-x/modbus 78. Every reply is late by one question, from one connection to the next."""
    tables = Tables.of_inputs(16)
    unit = Gateway({1: tables})
    kept = []
    frames = unit._frames

    def late(head, pdu):
        kept.extend(frames(head, pdu))
        if len(kept) > 1:
            yield kept.pop(0)

    async with unit.serving():
        rig = Rig(unit.port, contacts=(DOOR,), timeout_s=0.05)
        async with rig.running():
            unit._frames = late
            tables.bits[2][0] = True
            assert isinstance(await rig.fails(), LinkError)
        for is_closed in (False, True, False):
            tables.bits[2][0] = is_closed
            with pytest.raises(LinkError):
                async with rig.running():
                    pass
        assert told(rig.emitted) == [("d01", OPEN)]


def test_peers_3_the_transaction_number_goes_round_without_ever_fitting_the_question_before():
    def answer(transaction):
        return struct.pack(">HHHBBBB", transaction, 0, 4, 1, 2, 1, 1)

    numbers = [LAST_TRANSACTION - 1, LAST_TRANSACTION, 1, 2]
    for before, now in itertools.pairwise(numbers):
        question = Question(transaction=now, unit=1, function=2, address=0, count=8)
        assert read_answer(question, answer(now)) == b"\x01"
        with pytest.raises(LinkError, match="transaction mismatch"):
            read_answer(question, answer(before))
