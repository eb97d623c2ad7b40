"""The SSAS tests that the sample ship's file shows in its comments, switched on: led through the whole daemon."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from daemon.assets import asset
from tests.pins import PIN
from tests.voyage import FINE_S, SAMPLE, sailing

if TYPE_CHECKING:
    from tests.voyage import Voyage

SSO, MASTER = "R. Menon", "A. Lindqvist"
LAMP = ("io2", 14)


def switched_on(tree: dict[str, Any]) -> None:
    """Take the hash signs away from the tests at the end of the file."""
    text = asset(SAMPLE).read_text("utf-8")
    _, _, commented = text.partition("# [[test]]\n")
    lines = ("# [[test]]\n" + commented).splitlines()
    tree["test"] += tomllib.loads(
        "\n".join(line.removeprefix("# ").removeprefix("#") for line in lines)
    )["test"]


async def ready(ship: Voyage) -> None:
    """Notice of yesterday, and a window that SSO and Master open."""
    sent = ship.clock.utc() - timedelta(days=1)
    notice = {"do": "notice", "flag": "singapore", "sent": sent.isoformat(), "by": SSO}
    await ship.ask(
        {**notice, "to": "MPA", "reference": "mail of yesterday, subject TEST", "pin": PIN}
    )
    await ship.ask({"do": "window.open", "by": [SSO, MASTER]})


async def at_step(ship: Voyage, test: str, step: int) -> None:
    for _ in range(400):
        rows = {row["test"]: row for row in (await ship.ask({"do": "tests"}))["tests"]}
        if rows[test]["step"] == step:
            return
        await ship.sail(0.5, grain_s=FINE_S)
    raise AssertionError(f"{test} does not come to step {step}: {rows[test]}")


async def lamp(ship: Voyage, *, lit: bool, for_s: float) -> None:
    unit, number = LAMP
    await ship.type(f"{unit} set {number} {'on' if lit else 'off'}")
    await ship.sail(for_s, grain_s=FINE_S)


async def answer(ship: Voyage, test: str, step: int, text: str = "", *, by: str = SSO) -> None:
    said = {"do": "test.answer", "test": test, "step": step, "text": text, "by": by}
    await ship.ask(said if by == SSO else {**said, "pin": PIN})


def last(ship: Voyage, test: str) -> dict[str, Any]:
    rows = [entry for entry in ship.of_type("test.result") if entry.open["test"] == test]
    assert rows, f"no result of {test}"
    assert '"class":"sso"' in rows[-1].body
    return dict(rows[-1].open)


async def short_press(ship: Voyage, test: str) -> dict[str, Any]:
    """Do a lamp check to its end; return the entry of its result."""
    await ship.ask({"do": "test.start", "test": test, "by": SSO})
    await at_step(ship, test, 2)
    await lamp(ship, lit=True, for_s=5.0)
    await lamp(ship, lit=False, for_s=4.0)
    await answer(ship, test, 2)
    await at_step(ship, test, 4)
    await answer(ship, test, 4, "no")
    await at_step(ship, test, 5)
    await answer(ship, test, 5, "CSO by phone 0215Z")
    await ship.sail(2.0, grain_s=FINE_S)
    return last(ship, test)


async def test_the_lamp_check_sees_a_short_press_and_nothing_sent(tmp_path):
    async with sailing(tmp_path, change=switched_on, pins=True) as ship:
        await ready(ship)
        test = "t-ssas-l"
        said = await short_press(ship, test)
        assert (said["outcome"], said["reason"]) == (
            "passed",
            "lamp as the maker says, nothing sent",
        )
        await ship.ask({"do": "window.close", "by": [SSO]})
        assert ship.alerts() == []
        assert not [name for name in ship.newest if "ssas" in name and not name.startswith("sso/")]


async def test_end_to_end_is_proved_on_three_legs(tmp_path):
    async with sailing(tmp_path, change=switched_on, pins=True) as ship:
        await ready(ship)
        test = "t-ssas-e-p1"
        await ship.ask({"do": "test.start", "test": test, "by": SSO})
        await at_step(ship, test, 1)
        await answer(ship, test, 1, "yes")
        await at_step(ship, test, 2)
        await ship.sail(4.0, grain_s=FINE_S)
        await lamp(ship, lit=True, for_s=4.0)
        await at_step(ship, test, 3)
        await ship.type("ssas test")
        await at_step(ship, test, 4)
        await lamp(ship, lit=False, for_s=1.0)
        await answer(ship, test, 4)
        for step, by, text in (
            (6, SSO, "MPA by mail 0224Z"),
            (7, SSO, "CSO by mail 0226Z"),
            (8, SSO, "yes, read out by the CSO"),
            (9, MASTER, "print-out of 0230Z"),
            (10, SSO, "yes"),
            (11, SSO, "yes, main"),
        ):
            await at_step(ship, test, step)
            await answer(ship, test, step, text, by=by)
        await ship.sail(2.0, grain_s=FINE_S)
        said = last(ship, test)
        assert (said["outcome"], said["reason"]) == (
            "passed",
            "activation seen, sent, confirmed ashore",
        )
        assert ship.alerts() == []
