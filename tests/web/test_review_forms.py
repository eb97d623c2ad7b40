"""Forms, crew, defects and persons with a real browser, on a real ship: what is typed becomes the entry of its form."""

from __future__ import annotations

import pytest

from tests.pins import PIN
from tests.ship_talk import entries
from tests.web.axe import AXE, violations
from tests.web.review import enter_psc_mode, log_in, visited

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

DRILL = {
    "scenario": "stowaway search",
    "began": "2026-11-02T08:10",
    "ended": "2026-11-02T09:00",
    "crew_took_part": "23",
    "crew": "22",
    "crew_changed_by_more_than_a_quarter": "no",
    "led_by": "R. Menon",
    "rank": "C/O",
    "lessons": "search cards renewed,\nlocker 4 added",
}


async def newest(ship, type_):
    said = await entries(ship, type_)
    return said[-1] if said else None


async def fill(page, said):
    for name, typed in said.items():
        field = page.locator(f'[name="field.{name}"]')
        if await field.evaluate("each => each.tagName") == "SELECT":
            await field.select_option(typed)
        else:
            await field.fill(typed)


async def send(page, label="Enter it in the record", pin=PIN):
    form = page.locator("form.sheet").filter(has=page.get_by_role("button", name=label))
    await form.get_by_label("Your PIN").fill(pin)
    await form.get_by_role("button", name=label).click()


async def test_a_drill_is_corrected_beside_its_field_told_to_be_late_and_then_entered(
    tmp_path, chromium
):
    async with visited(tmp_path, chromium) as (ship, address, page):
        await log_in(page)
        await page.goto(f"{address}sso/forms")
        await page.get_by_role("link", name="drill", exact=True).click()
        await page.get_by_text("took part in no drill here").wait_for()
        await fill(page, DRILL)
        await send(page)
        reason = page.locator("#wrong-crew_took_part")
        assert "crew_took_part (23) is more than crew (22)" in await reason.inner_text()
        assert await page.locator('[name="field.scenario"]').input_value() == "stowaway search"
        assert await page.locator('[name="field.began"]').input_value() == "2026-11-02T08:10"
        assert await page.get_by_label("Your PIN").input_value() == ""
        if AXE.exists():
            assert await violations(page) == []
        await fill(page, {"crew_took_part": "20"})
        await send(page)
        await page.get_by_text("it would be marked LATE; nothing is entered yet").wait_for()
        assert await newest(ship, "drill.held") is None
        await page.get_by_label("Enter it, marked LATE").check()
        await send(page)
        await page.get_by_text("on disk").wait_for()
        entry = await newest(ship, "drill.held")
        assert entry["actor"]["person"] == "R. Menon"
        assert (entry["open"]["began"], entry["open"]["ended"]) == (
            "2026-11-02T00:10:00.000Z", "2026-11-02T01:00:00.000Z",
        )  # fmt: skip
        assert (entry["open"]["crew_took_part"], entry["open"]["late"]) == (20, True)
        said = await ship.control({"do": "entry", "seq": entry["seq"]})
        assert said["part"] == {"lessons": "search cards renewed, locker 4 added"}


async def test_a_defect_is_entered_gets_a_measure_and_shows_port_state_control_no_words(
    tmp_path, chromium
):
    async with visited(tmp_path, chromium) as (ship, address, page):
        await log_in(page)
        await page.goto(f"{address}sso/defects")
        await page.get_by_role("link", name="Enter a defect").click()
        said = {"equipment": "x01", "name": "HAND DETECTOR", "found": "battery is dead"}
        await fill(page, said)
        await send(page)
        await page.get_by_text("on disk").wait_for()
        number = (await newest(ship, "defect.opened"))["open"]["defect"]
        await page.goto(f"{address}sso/defects")
        row = page.locator("tbody tr").filter(has_text="battery is dead")
        for words in (number.upper(), "X01 HAND DETECTOR", "NO MEASURE", "NOBODY"):
            assert words in await row.inner_text()
        await row.get_by_role("link").click()
        assert await page.locator('[name="field.defect"]').input_value() == number
        told = "CSO P. Okafor @ 2026-11-22T10:00"
        await fill(page, {"measure": "body search by hand", "means": "others", "told": told})
        await send(page)
        await page.get_by_text("on disk").wait_for()
        entry = await newest(ship, "defect.changed")
        assert entry["open"]["told"] == [{"who": "CSO P. Okafor", "at": "2026-11-22T02:00:00.000Z"}]
        if AXE.exists():
            assert await violations(page) == []
        await page.get_by_role("link", name="All defects").click()
        shown = await page.locator("tbody tr").filter(has_text=number.upper()).inner_text()
        assert "body search by hand (others)" in shown
        assert "CSO P. Okafor 22 Nov 1000 (0200Z)" in shown
        await enter_psc_mode(page)
        await page.goto(f"{address}sso/defects")
        text = await page.locator("main").inner_text()
        assert "Search equipment X01" in text
        assert "in force" in text
        for words in ("body search", "battery", "HAND DETECTOR"):
            assert words not in text
        await page.goto(f"{address}sso/defects?defect={number}")
        assert "battery" not in await page.locator("main").inner_text()


async def test_a_crew_change_counts_for_the_drill_and_a_pin_is_reset(tmp_path, chromium):
    async with visited(tmp_path, chromium) as (ship, address, page):
        await log_in(page)
        await page.goto(f"{address}sso/crew")
        before = len((await ship.control({"do": "crew"}))["persons"])
        assert f"0 of {before} on board" in await page.locator(".quarter").inner_text()
        joined = page.locator('form[action^="/sso/crew/joined"]')
        await joined.get_by_label("Name").fill("N. Newcomer")
        await joined.get_by_label("Rank").fill("AB")
        await joined.get_by_label("Duties").fill("gangway")
        await joined.get_by_label("Joined").fill("2026-11-20")
        await joined.get_by_label("Your PIN").fill(PIN)
        await joined.get_by_role("button").click()
        await page.get_by_text("Joined or changed: N. Newcomer").wait_for()
        assert f"1 of {before + 1} on board" in await page.locator(".quarter").inner_text()
        left = page.locator('form[action^="/sso/crew/left"]')
        await left.get_by_label("Name").select_option("N. Newcomer")
        await left.get_by_label("Your PIN").fill(PIN)
        await left.get_by_role("button").click()
        await page.get_by_text("Left: N. Newcomer").wait_for()
        assert (await newest(ship, "crew.left"))["open"]["name"] == "N. Newcomer"

        await page.goto(f"{address}sso/persons")
        row = page.locator("tbody tr").filter(has_text="J. Santos").first
        assert (await row.locator("td").last.inner_text()) == "set"
        reset = page.locator('form[action^="/sso/persons/reset"]')
        await reset.get_by_label("Whose").select_option("J. Santos")
        await reset.get_by_label("Your PIN").fill(PIN)
        await reset.get_by_role("button").click()
        await page.get_by_text("on disk").wait_for()
        assert (await row.locator("td").last.inner_text()) == "not set"
        assert "gangway" in await page.locator("main").inner_text()
        assert PIN not in await page.content()
        await enter_psc_mode(page)
        await page.goto(f"{address}sso/persons")
        [text] = await page.locator("table").all_inner_texts()
        assert "R. Menon" in text
        for words in ("J. Santos", "PIN", "SSAS", "gangway"):
            assert words not in text
