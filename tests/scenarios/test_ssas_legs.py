"""A JRC and a SAILOR, each tested end to end on a whole ship: proven, and not in each leg, the reset and the wording.

The simulated units move their test lamp as their makers' manuals say, through the I/O unit's input; the JRC prints, the
SAILOR has no port that does, so that a named person answers for its sending.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from daemon.errors import RefusedError
from daemon.model import Classification
from simulators.ssas_unit import SsasUnitSimulator
from tests.ship import LAMP, ROOT, Ship, afloat, ashore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TEST, SSO = "t-ssas-e-p1", "R. Menon"
BOTH = [SSO, "A. Lindqvist"]
SHORTENED = 10
"""The simulated unit's stages: 3 s of lamp, half a minute of blinking."""
WAITS = "activation_s = 20\nsending_s = 60\nanswer_s = 60\nreset_s = 10\nquiet_s = 10\nconfirmation_h = 0.02"
CONFIRMED = {
    6: "MPA mail 0224Z",
    7: "yes, the MPA read it out",
    8: "print-out 0230Z",
    9: "yes",
    10: "yes, main",
}
WITNESSED = 8
"""That the text is set back says the Master, as the second person."""
PROVEN = "activation seen, sent, confirmed ashore"
makers = pytest.mark.parametrize("maker", ["jrc", "sailor"])


@asynccontextmanager
async def aboard(folder: Path, maker: str, *, dawdles_s: int = 60) -> AsyncIterator[Ship]:
    """Sail with a unit of this maker whose lamp is wired to the I/O unit, and its test in the ship's file."""

    def edit(text: str) -> str:
        if maker == "sailor":
            text = text.replace("jrc-jue-95sa-text", "sailor-6194", 2)
            text = text.replace('profile = "sailor-6194"', 'profile = "jrc-jue-95sa-text"', 1)
            text = text.replace('message = "ssas.message"', 'message = ""')
        text = text.replace("window_min = 20", "window_min = 3.9")
        waits = WAITS.replace("answer_s = 60", f"answer_s = {dawdles_s}")
        return text.replace('lamp = "ssas.lamp"', f'lamp = "ssas.lamp"\n{waits}')

    async with ashore(folder) as (ship, broker, feeds):
        await ship.ssas.stop()
        settings = {"maker": maker, "speed": SHORTENED, "link": str(folder / "ssas-port")}
        ship.ssas = SsasUnitSimulator("ssas", settings, ship.clock)
        ship.ssas.on_lamp = lambda lit: ship.unit.set_input(LAMP, lit)
        await ship.ssas.start()
        try:
            async with afloat(ship, broker, feeds, edit=edit):
                yield ship
        finally:
            await ship.ssas.stop()


def step(ship: Ship) -> int | None:
    running = [body for name, body in ship.newest.items() if name.startswith("sso/test/")]
    return running[0]["step"] if running and running[0]["state"] != "done" else None


async def answer(ship: Ship, number: int, text: str = "") -> None:
    by = BOTH[number == WITNESSED]
    said = {"test": TEST, "step": number, "text": text, "by": by}
    await ship.control({"do": "test.answer", **said})


async def begun(ship: Ship) -> None:
    """Give notice, open a window for the test, start it, say that nothing else is in hand; wait for the press."""
    await ship.pass_time(1.0)
    await ship.give_notice()
    await ship.control({"do": "window.open", "by": BOTH, "test": TEST})
    await ship.control({"do": "test.start", "test": TEST, "by": SSO})
    await ship.until(lambda: step(ship) == 1)
    await answer(ship, 1, "yes")
    await ship.until(lambda: step(ship) == 2)
    await ship.pass_time(4.0)


async def pressed(ship: Ship, maker: str, told: str = "SSA test report 0221Z") -> None:
    """Press, and let it be sent; for a SAILOR a named person says whether it was."""
    await ship.ssas.do({"do": "test"} if maker == "sailor" else {"do": "test", "addressees": 1})
    await ship.until(lambda: step(ship) == 3)
    if maker == "sailor":
        await answer(ship, 3, told)
    await ship.until(lambda: step(ship) == 4, for_s=90.0)


async def reset(ship: Ship) -> None:
    await ship.pass_time(12.0)
    await answer(ship, 4)
    await ship.until(lambda: step(ship) == 6, for_s=40.0)


async def sent(ship: Ship, maker: str) -> None:
    """Go as far as the release of the buttons: what follows is said from ashore."""
    await begun(ship)
    await pressed(ship, maker)
    await reset(ship)


async def confirmed(ship: Ship, **changed: str) -> None:
    for number, text in (CONFIRMED | {int(key[1:]): said for key, said in changed.items()}).items():
        await ship.until(lambda number=number: step(ship) == number)
        await answer(ship, number, text)


async def result(ship: Ship, *, for_s: float = 30.0) -> tuple[str, str]:
    def last() -> dict[str, str] | None:
        return (ship.state("sso/equipment/ssas") or {}).get("last")

    found = await ship.until(last, for_s=for_s)
    open_topics = {m.topic: m.payload for m in ship.heard if "/sso/" not in m.topic}
    assert not [name for name in open_topics if "ssas" in name]
    assert b"ssas" not in b"".join(open_topics.values()).lower()
    return found["outcome"], found["reason"]


@makers
async def test_a_whole_test_is_sat(tmp_path, maker):
    async with aboard(tmp_path, maker) as ship:
        await sent(ship, maker)
        await confirmed(ship)
        assert await result(ship) == ("passed", PROVEN)
        seq = ship.state("sso/equipment/ssas")["last"]["seq"]
        legs = await ship.daemon.record.part(seq, Classification.SSO)
        by_ispsd = "seen by ispsd on ssas.message"
        assert legs["activation"] == "seen by ispsd on ssas.lamp"
        assert legs["acceptance"] == (
            by_ispsd if maker == "jrc" else f"said by {SSO}: SSA test report 0221Z"
        )
        assert legs["reset"] == "seen by ispsd on ssas.lamp"
        assert (legs["confirmed"], legs["recipients"]) == (1, 1)
        until = ship.clock.utc() + timedelta(days=14)
        assert legs["evidence_valid_until"] == f"{until:%Y-%m-%d}"


@makers
async def test_leg_1_no_lamp_is_no_activation(tmp_path, maker):
    async with aboard(tmp_path, maker) as ship:
        await begun(ship)
        assert await result(ship) == ("inconclusive", "activation not seen")


@makers
async def test_leg_2_nothing_sent_is_unsat(tmp_path, maker):
    async with aboard(tmp_path, maker) as ship:
        await begun(ship)
        if maker == "sailor":
            await pressed(ship, maker, told="no, transceiver says failed")
            why = "activation seen; a named person says that nothing was sent"
        else:
            # Let go within 30 s: nothing goes out.
            await ship.ssas.do({"do": "press", "seconds": 20})
            await ship.until(lambda: step(ship) == 4, for_s=90.0)
            why = "activation seen; no test message was sent in time"
        await answer(ship, 4)
        assert await result(ship) == ("failed", why)


@makers
async def test_leg_3_an_addressee_who_has_nothing_is_unsat(tmp_path, maker):
    async with aboard(tmp_path, maker) as ship:
        await sent(ship, maker)
        await confirmed(ship, s6="no, nothing at 0300Z")
        assert await result(ship) == ("failed", "sent; confirmed by 0 of 1, not by MPA")


@makers
async def test_leg_3_no_word_from_ashore_proves_nothing(tmp_path, maker):
    async with aboard(tmp_path, maker) as ship:
        await sent(ship, maker)
        why = ("inconclusive", "sent; no confirmation from ashore")
        assert await result(ship, for_s=100.0) == why


@makers
async def test_a_unit_that_stays_in_test_is_unsat(tmp_path, maker):
    async with aboard(tmp_path, maker) as ship:
        await begun(ship)
        await pressed(ship, maker)
        await ship.pass_time(12.0)
        await ship.ssas.do({"do": "press", "seconds": 60})  # somebody holds on to it
        await ship.pass_time(1.0)
        await answer(ship, 4)
        await ship.until(lambda: step(ship) == 6, for_s=40.0)
        await confirmed(ship)
        why = "sent; not reset: the lamp did not go back to rest"
        assert await result(ship) == ("failed", why)


@makers
async def test_a_wording_that_is_not_set_back_is_unsat(tmp_path, maker):
    async with aboard(tmp_path, maker) as ship:
        await sent(ship, maker)
        await confirmed(ship, s8="no, the unit still says TEST")
        assert await result(ship) == ("failed", "confirmed; text is not set back")


@makers
async def test_a_window_that_closes_on_the_way_leaves_it_not_proven(tmp_path, maker):
    async with aboard(tmp_path, maker) as ship:
        await begun(ship)
        await ship.control({"do": "window.close", "by": [SSO]})
        why = "the test window closed before the test was complete"
        assert await result(ship) == ("inconclusive", why)


async def test_peers_26_a_test_before_its_notice_is_refused_with_the_rule_quoted(tmp_path):
    async with aboard(tmp_path, "jrc") as ship:
        await ship.pass_time(1.0)
        start = {"do": "test.start", "test": TEST, "by": SSO}
        rule = r"Singapore: 4 h to 2 days' notice; .*rule as of 2024-10; verify with your RSO"
        with pytest.raises(RefusedError, match=rf"no notice is entered \({rule}"):
            await ship.control(start)
        an_hour_ago = ship.clock.utc() - timedelta(hours=1)
        notice = {"do": "notice", "flag": "singapore", "to": "MPA", "reference": "mail", "by": SSO}
        await ship.control({**notice, "sent": an_hour_ago.isoformat()})
        with pytest.raises(RefusedError, match=rf"1 h 00 min before, too late \({rule}"):
            await ship.control(start)


async def test_peers_26_a_booking_after_the_fact_is_not_valid_with_panamas_rule_quoted(tmp_path):
    async with aboard(tmp_path, "jrc") as ship:
        await ship.pass_time(1.0)
        now = ship.clock.utc()
        notice = {"do": "notice", "flag": "panama", "to": "portal", "reference": "4711", "by": SSO}
        planned = (now - timedelta(hours=2)).isoformat()
        an_hour_ago = (now - timedelta(hours=1)).isoformat()
        told = await ship.control({**notice, "sent": an_hour_ago, "planned": planned})
        assert told["not_valid"].startswith("a notice that is sent or entered after the start")
        assert "Panama: booked by the CSO in the portal at least 24 h ahead" in told["not_valid"]
        assert told["recorded"] is not None
        booked = {
            "sent": (now - timedelta(days=2)).isoformat(),
            "planned": (now + timedelta(days=1)).isoformat(),
        }
        assert "not_valid" not in await ship.control({**notice, **booked})


async def test_peers_27_a_window_that_is_forgotten_closes_by_itself_and_a_frame_1_s_later_is_no_test(
    tmp_path,
):
    """In the middle of a test, too: sent, and nobody comes to release the buttons."""
    async with aboard(tmp_path, "jrc", dawdles_s=3600) as ship:
        await begun(ship)
        await pressed(ship, "jrc")
        window = ship.daemon.gate.window()
        assert window is not None
        await ship.pass_time(window.until_s - ship.clock.now_s() + 1.0)
        assert not ship.daemon.gate.is_open()
        heard = len(ship.heard)
        await ship.ssas.do({"do": "test"})
        why = "the test window closed before the test was complete"
        assert await result(ship) == ("inconclusive", why)
        await ship.pass_time(2.0)
        assert ship.state("sso/point/ssas.message") is None
        assert ship.state("sso/point/ssas.lamp") is None
        later = [m for m in ship.heard[heard:] if m.topic == f"{ROOT}sso/point/ssas.message"]
        assert all(not m.payload for m in later)


async def test_a_test_that_the_rest_of_the_window_cannot_hold_is_not_begun(tmp_path):
    async with aboard(tmp_path, "jrc") as ship:
        await ship.pass_time(1.0)
        await ship.give_notice()
        await ship.control({"do": "window.open", "by": BOTH})
        await ship.pass_time(30.0)
        why = "the test window has only 3 min, and t-ssas-e-p1 needs 4 min"
        with pytest.raises(RefusedError, match=why):
            await ship.control({"do": "test.start", "test": TEST, "by": SSO})
