"""Does the clock of whole watches wait for answers that come in real time?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from tests.strides import StridingClock


async def test_an_answer_that_comes_late_on_loopback_comes_before_its_time_out():
    clock = StridingClock(utc=datetime(2026, 11, 22, tzinfo=UTC), now_s=1000.0)
    came = asyncio.Event()
    began_s = clock.now_s()

    async def asked():
        with clock.hoping(0.4):
            await came.wait()
        return clock.now_s() - began_s

    asking = asyncio.ensure_future(asked())
    asyncio.get_running_loop().call_later(0.01, came.set)
    await clock.stride(began_s + 60.0, grain_s=2.0)
    assert await asking < 0.4
    clock.close()


async def test_who_never_answers_holds_time_up_once():
    clock = StridingClock(utc=datetime(2026, 11, 22, tzinfo=UTC), now_s=1000.0)

    async def asked():
        with clock.hoping(0.4):
            await asyncio.Event().wait()

    asking = asyncio.ensure_future(asked())
    for _ in range(5):
        await clock.stride(1060.0, grain_s=2.0)
    assert clock.now_s() == 1010.0
    asking.cancel()
    clock.close()
