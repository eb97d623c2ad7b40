"""A check hears its own points from the moment it listens, in order, and in bounded memory."""

from __future__ import annotations

import asyncio

from daemon.points.inbox import LONGEST, Inboxes
from tests.clocks import ManualClock
from tests.makers import reading


async def test_readings_come_in_order_of_those_points_only_and_from_now_on():
    clock = ManualClock()
    inboxes = Inboxes(clock)
    inboxes.offer(reading("a", 0.0))
    with inboxes.listen(["a", "b"]) as inbox:
        said = [reading("a", 1.0), reading("c", 2.0), reading("b", 3.0), reading("a", 4.0)]
        for each in said:
            inboxes.offer(each)
        heard = [await inbox.next(until_s=clock.now_s() + 1.0) for _ in range(3)]
        assert heard == [said[0], said[2], said[3]]


async def test_it_waits_until_its_time_has_come_and_not_longer():
    clock = ManualClock()
    with Inboxes(clock).listen(["a"]) as inbox:
        waiting = asyncio.ensure_future(inbox.next(until_s=clock.now_s() + 10.0))
        await clock.advance(9.9)
        assert not waiting.done()
        await clock.advance(0.1)
        assert waiting.done()
        assert await waiting is None
        assert await inbox.next(until_s=clock.now_s()) is None


async def test_a_reading_wakes_who_waits_and_another_point_does_not():
    clock = ManualClock()
    inboxes = Inboxes(clock)
    with inboxes.listen(["a"]) as inbox:
        waiting = asyncio.ensure_future(inbox.next(until_s=clock.now_s() + 10.0))
        inboxes.offer(reading("b", 1.0))
        await clock.advance(5.0)
        assert not waiting.done()
        said = reading("a", 2.0)
        inboxes.offer(said)
        await clock.advance(0.0)
        assert waiting.done()
        assert await waiting is said


async def test_what_came_before_the_end_is_read_after_it():
    clock = ManualClock()
    inboxes = Inboxes(clock)
    with inboxes.listen(["a"]) as inbox:
        said = reading("a", 1.0)
        inboxes.offer(said)
        assert await inbox.next(until_s=clock.now_s() - 1.0) is said


async def test_a_flood_drops_the_oldest():
    clock = ManualClock()
    inboxes = Inboxes(clock)
    with inboxes.listen(["a"]) as inbox:
        for number in range(LONGEST + 2):
            inboxes.offer(reading("a", float(number)))
        heard = []
        while (said := await inbox.next(until_s=clock.now_s())) is not None:
            heard.append(said.value)
        assert (len(heard), heard[0], heard[-1]) == (LONGEST, 2.0, LONGEST + 1.0)


async def test_a_closed_inbox_hears_nothing_and_two_do_not_share():
    clock = ManualClock()
    inboxes = Inboxes(clock)
    with inboxes.listen(["a"]) as first:
        with inboxes.listen(["a"]) as second:
            inboxes.offer(reading("a", 1.0))
        inboxes.offer(reading("a", 2.0))
        heard = [await inbox.next(until_s=0.0) for inbox in (first, first, second, second)]
    assert [said and said.value for said in heard] == [1.0, 2.0, 1.0, None]
