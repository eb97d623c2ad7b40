"""What an officer orders at a station's page, and what of the ship he finds at a glance."""

from __future__ import annotations

import pytest

from tests.soon import soon as until
from tests.web.hand import answered, beating, shown
from tests.web.rig import soon

pytestmark = pytest.mark.asyncio(loop_scope="module")

LAXER = "this relaxes the watch on CO2 ROOM; if it is meant, say so once more (confirm)"
OK = "dialog.asked .ok"
MANY = 34


def without_envelope(said):
    return [{k: v for k, v in each.items() if k not in {"id", "session"}} for each in said]


async def press(screen, words):
    await screen.page.click(f"#panels button:text-is('{words}')")


async def test_what_relaxes_the_watch_is_asked_twice_and_what_stands_in_the_way_is_said(chromium):
    refused = {"accepted": False, "reason": LAXER, "extra": {"wants": {"confirm": True}}}
    found = [{"id": "d12", "name": "STRG GEAR ESC", "why": "open"}]
    async with shown(chromium) as (hand, screen, broker):
        await hand.tell(
            "crew",
            persons=[
                {"name": "L. Tupou", "rank": "AB"},
                {"name": "A. Lindqvist", "rank": "Master"},
            ],
        )
        page = screen.page
        async with answered(
            broker, "situation", refused, {"extra": {"in_the_way": found}}
        ) as heard:
            await press(screen, "situation …")
            await page.click(OK)
            assert await page.locator(OK).count() == 1, "nothing is chosen by leaving it"
            await page.select_option("dialog.asked [name=situation]", "sea")
            await page.select_option("dialog.asked [name=person]", "A. Lindqvist")
            await page.click(OK)
            await soon(
                screen,
                "document.querySelector('dialog.asked h2')?.textContent.includes('relaxes')",
                "why",
            )
            await page.click(OK)
            await soon(
                screen,
                "document.querySelector('section.ship .answer').textContent === "
                "'done · no. 41 · in the way: STRG GEAR ESC: open'",
                "what stands in the way",
            )
        order = {"person": "A. Lindqvist", "situation": "sea"}
        assert without_envelope(heard) == [order, {**order, "confirm": True}]


async def test_a_level_that_asks_for_a_pin_is_sent_again_with_it_and_the_pin_is_nowhere_on_the_page(
    chromium,
):
    refused = {"accepted": False, "reason": "PIN", "extra": {"wants": {"pin": "L. Tupou"}}}
    async with shown(chromium) as (_, screen, broker):
        page = screen.page
        async with answered(broker, "level", refused) as heard:
            await press(screen, "security level …")
            await page.select_option("dialog.asked [name=level]", "2")
            await page.fill("dialog.asked [name=told_by]", "port facility")
            await page.click(OK)
            await soon(
                screen, "!!document.querySelector('dialog.asked [name=pin]')", "the question"
            )
            assert await page.get_attribute("dialog.asked [name=pin]", "type") == "password"
            await page.fill("dialog.asked [name=pin]", "314159")
            await page.click(OK)
            await until(lambda: len(heard) == 2)
            await soon(
                screen, "document.querySelector('section.ship .answer').textContent !== ''", "done"
            )
        order = {"person": "L. Tupou", "level": 2, "told_by": "port facility"}
        assert without_envelope(heard) == [order, {**order, "pin": "314159"}]
        assert "314159" not in await page.content()
        assert "314159" not in await page.evaluate("JSON.stringify(localStorage)")


async def test_an_alert_is_inhibited_where_it_stands_and_told_again_where_that_is_said(chromium):
    async with shown(chromium) as (hand, screen, broker):
        page = screen.page
        await hand.alert("a")
        await soon(screen, "document.querySelectorAll('ol.alerts > li').length === 1", "the alert")
        assert not await page.is_visible("ol.alerts .inhibit"), "on request alone"
        await page.click("ol.alerts .more")
        async with answered(broker, "inhibit") as heard:
            await page.click("ol.alerts .inhibit")
            await page.fill("dialog.asked [name=minutes]", "30")
            await page.fill("dialog.asked [name=reason]", "contact loose")
            await page.click(OK)
            await until(lambda: heard)
            ends = {"ends_up": hand.up + 1800, "ends_utc": "2026-11-22T02:40:00.000Z"}
            await hand.tell(
                "inhibit/a",
                alert="a",
                title="ESC HATCH OPEN",
                name="STRG GEAR ESC",
                by="L. Tupou",
                **ends,
            )
            await soon(screen, "!!document.querySelector('.panel.inhibit li')", "the inhibit")
            row = (await screen.text(".panel.inhibit li")).replace("\n", " ")
            assert "inhibited: 30 min left, until 0240Z" in row or "inhibited: 29 min left" in row
            await page.click(".panel.inhibit li button")
            await page.click(OK)
            await until(lambda: len(heard) == 2)
        assert without_envelope(heard) == [
            {"person": "L. Tupou", "alert": "a", "minutes": 30, "reason": "contact loose"},
            {"person": "L. Tupou", "alert": "a", "minutes": 0},
        ]


async def test_whether_she_is_ready_to_secure_is_a_question_that_needs_nobody(chromium):
    async with shown(chromium) as (hand, screen, broker):
        await hand.station("gangway", person=None)
        async with answered(
            broker,
            "ready_to_secure",
            {"recorded": None, "extra": {"ready": True, "in_the_way": []}},
        ) as heard:
            await press(screen, "ready to secure?")
            await soon(
                screen,
                "document.querySelector('section.ship .answer').textContent === 'nothing stands in the way'",
                "the answer",
            )
        assert without_envelope(heard) == [{}]
        await press(screen, "situation …")
        await soon(
            screen,
            "document.querySelector('section.ship .answer').textContent === 'take the watch first'",
            "whose watch it is",
        )


async def test_doors_stand_by_kind_and_name_and_what_is_not_closed_first(chromium):
    async with shown(chromium, None) as (hand, screen, broker):
        await hand.point("d02", name="WING P", source="io2")
        await hand.point("d01", name="BOSUN STORE", source="io3")
        await hand.point("d09", name="ZINC STORE", value="open", word="open")
        await hand.point("d01.lock", name="BOSUN STORE", kind="lock", word="locked")
        await hand.point("s01", name="HOLD ACC", kind="seal", word="whole")
        await hand.point("lt1", name="DECK LTS P", kind="light", word="lit")
        await soon(screen, "document.querySelectorAll('.contacts li').length === 6", "all")
        heads = await screen.page.locator("#contacts h3").all_text_contents()
        assert heads == ["doors 4 · 1 open", "seals 1", "lights 1"]
        wanted = ["d09", "d01", "d01.lock", "d02", "s01", "lt1"]
        where = "[...document.querySelectorAll('.contacts li')].map((row) => row.dataset.point)"
        assert await screen.page.evaluate(where) == wanted
        assert await screen.text("[data-point='d01'] .unit") == "io3"
        await broker.kill()
        await soon(screen, "document.body.dataset.stale === 'true'", "the banner")
        assert await screen.page.evaluate(where) == wanted, "what is only old keeps its place"


@pytest.mark.parametrize("size", [(1024, 768), (390, 844)], ids=["screen", "phone"])
async def test_what_of_the_alerts_is_not_seen_is_said_and_one_press_shows_it(chromium, size):
    async with shown(chromium) as (hand, screen, _), beating(hand):
        page = screen.page
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        for number in range(MANY):
            await hand.alert(f"c{number:02}", priority="C", title="DOOR HELD OPEN")
        await hand.alert("top", priority="A", title="RESTR AREA OPEN", name="CO2 ROOM")
        await soon(
            screen,
            f"document.querySelectorAll('ol.alerts > li').length === {MANY + 1}",
            "the alerts",
        )
        strip = "document.querySelector('.strip')"
        await soon(
            screen,
            f"!{strip}.hidden && {strip}.textContent.includes('more alerts')",
            "that there are more",
        )
        await page.click(".strip")
        seen = "(() => {{ const r = document.querySelector(`[data-alert='{}']`).getBoundingClientRect();"
        seen += "const foot = document.querySelector('body > footer').getBoundingClientRect().top;"
        seen += "return r.top >= 0 && r.bottom <= foot + 1; })()".replace("}", "}}")
        await soon(screen, seen.format(f"c{MANY - 1}"), "the last")
        if size[0] > 1000:
            assert await page.evaluate(seen.format("top")), "the topmost stays in sight"
        else:
            await soon(
                screen,
                f"{strip}.textContent.includes('ALARM · RESTR AREA OPEN · CO2 ROOM')",
                "its name",
            )
            await page.click(".strip")
            await soon(screen, seen.format("top"), "the topmost")


async def test_why_ispsd_is_degraded_stands_on_the_page_and_not_behind_a_pointer(chromium):
    async with shown(chromium) as (hand, screen, _):
        ship = {"name": "KESTREL STRAIT", "imo": 9999993}
        reasons = ["record: cannot be written", "io1: no answer"]
        await hand.tell("status", state="degraded", version="26.1", ship=ship, reasons=reasons)
        await soon(
            screen, "document.querySelectorAll('.panel.ispsd li').length === 2", "the reasons"
        )
        assert await screen.page.locator(".panel.ispsd li").all_inner_texts() == reasons


async def test_whoever_goes_by_keys_keeps_his_place_when_a_row_moves(chromium):
    async with shown(chromium) as (hand, screen, _):
        await hand.alert("a", priority="W")
        await hand.alert("b", priority="W", raised_utc="2026-11-22T02:00:00.000Z")
        ids = "[...document.querySelectorAll('ol.alerts > li')].map((row) => row.dataset.alert).join()"
        await soon(screen, f"{ids} === 'a,b'", "the alerts")
        await screen.page.focus("[data-alert='b'] .more")
        await hand.alert("b", priority="A", raised_utc="2026-11-22T02:00:00.000Z")
        await soon(screen, f"{ids} === 'b,a'", "another order")
        assert await screen.page.evaluate("document.activeElement.matches('[data-alert=b] .more')")
