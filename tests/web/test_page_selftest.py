"""The page answers the synthetic alert at once, shows it to nobody, and says by it nothing of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.soon import soon as until
from tests.web.hand import answered, shown
from tests.web.rig import FRESH, soon

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.web.hand import Hand

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCUMENT = "document.body.innerText.replaceAll(/[0-9]+/g, '')"
"""What stands on the page, without ages."""


def nonces(heard: Iterable[dict]) -> list[str]:
    return [said["selftest"] for said in heard if "selftest" in said]


async def synthetic(hand: Hand, nonce: str, *, retain: bool = False, **body: object) -> None:
    await hand.tell(f"selftest/{nonce}", retain=retain, **{"synthetic": True, **body})


async def test_a_page_answers_a_synthetic_alert_at_once_and_nobody_sees_or_hears_it(chromium):
    async with shown(chromium) as (hand, screen, broker), answered(broker, "alive") as heard:
        await screen.page.click("#header .ship")
        await soon(screen, "!document.querySelector('#watch .touch:not([hidden])')", "it is armed")
        await screen.pulses()
        before = await screen.page.evaluate(DOCUMENT)
        await synthetic(hand, "n1")
        await until(lambda: nonces(heard))
        (answer,) = [said for said in heard if "selftest" in said]
        proof = {name: answer[name] for name in ("selftest", "session", "shown", "fresh")}
        assert proof == {"selftest": "n1", "session": "s1", "shown": True, "fresh": True}
        assert answer["sound_armed"] is True
        assert await screen.page.evaluate(DOCUMENT) == before
        assert await screen.pulses() == []


async def test_what_is_no_synthetic_alert_of_now_is_not_answered_and_of_a_flood_one_a_second(
    chromium,
):
    async with shown(chromium) as (hand, _, broker), answered(broker, "alive") as heard:
        await synthetic(hand, "old", session="s0")
        await synthetic(hand, "none", synthetic=False)
        await hand.send("selftest/nonsense", b"[[[", retain=False)
        await hand.send("selftest/empty", b"", retain=False)
        for number in range(50):
            await synthetic(hand, f"n{number}")
        await until(lambda: nonces(heard))
        assert nonces(heard)[0] == "n0"
        assert len(nonces(heard)) < 10


async def test_what_the_broker_had_kept_is_not_answered(chromium):
    async with shown(chromium) as (hand, screen, broker), answered(broker, "alive") as heard:
        await synthetic(hand, "kept", retain=True)
        await until(lambda: nonces(heard))
        heard.clear()
        await screen.page.reload()
        await soon(screen, "window.told", "the snapshot")
        await hand.beat()
        await soon(screen, FRESH, "a true picture")
        await synthetic(hand, "last")
        await until(lambda: nonces(heard))
        assert nonces(heard) == ["last"]
