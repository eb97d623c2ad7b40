"""What a watch does at its page, and how the page holds out when broker, browser or a person does not."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.brokers import mosquitto
from tests.soon import soon as until
from tests.web.hand import answered, by_hand, shown
from tests.web.rig import FRESH, NOTHING_GREEN, STALE, opened, served, soon

ALERTS = "document.querySelectorAll('ol.alerts > li').length"
NONE = "document.querySelector('#alerts .none').textContent"
REFUSED = bytes([0x20, 3, 0, 0x86, 0])
"""CONNACK of MQTT 5: bad user name or password."""
TAKEN = bytes([0x20, 3, 0, 0, 0])

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("for_ms", "stays"), [(900, True), (1300, False)])
async def test_what_lies_under_a_finger_stays_there_until_it_is_pressed(chromium, for_ms, stays):
    """The first touch arms the sound and takes away what asked for it: all above the foot would move meanwhile."""
    place = "document.querySelector('.strip').getBoundingClientRect().top"
    async with mosquitto() as broker, by_hand(broker) as hand, served(broker) as address:
        await hand.begin("gangway")
        for number in range(40):
            await hand.alert(f"c{number:02}", priority="C", title="DOOR HELD OPEN")
        screen = await opened(chromium, address, "gangway")
        page = screen.page
        await hand.beat()
        await soon(screen, f"window.beat_up >= {hand.up}", "the heartbeat")
        await page.clock.run_for(500)
        before = await page.evaluate(place)
        box = await page.locator(".strip").bounding_box()
        await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await page.mouse.down()
        await page.clock.run_for(for_ms)
        assert (await page.evaluate(place) == before) is stays, "a finger that rests holds nothing"
        await page.mouse.up()
        row = "document.querySelector(`[data-alert='c39']`).getBoundingClientRect()"
        foot = "document.querySelector('body > footer').getBoundingClientRect()"
        assert await page.evaluate(f"{row}.bottom <= {foot}.top + 1") is stays


async def test_rain_on_the_glass_keeps_no_alert_off_the_screen(chromium):
    async with mosquitto() as broker, by_hand(broker) as hand, served(broker) as address:
        await hand.begin("gangway")
        screen = await opened(chromium, address, "gangway")
        await hand.beat()
        await soon(screen, f"window.beat_up >= {hand.up}", "the heartbeat")
        await screen.page.clock.run_for(500)
        await screen.page.dispatch_event("body", "pointerdown")
        await hand.alert("top", priority="A")
        await soon(screen, "window.alerts_told > 0", "the alert")
        for _ in range(3):
            await screen.page.dispatch_event("body", "pointerdown")
            await screen.page.clock.run_for(500)
        assert await screen.page.evaluate(ALERTS) == 1


async def test_no_alert_is_said_only_when_all_was_told(chromium):
    async with mosquitto() as broker, by_hand(broker) as hand, served(broker) as address:
        await hand.status("starting")
        screen = await opened(chromium, address, None, paused=False)
        await soon(screen, "document.getElementById('banner').textContent.includes('ISPSD')", "it")
        await hand.beat()
        await soon(screen, FRESH, "a heartbeat")
        assert await screen.page.evaluate(NONE) == "not known"
        await hand.begin()
        await soon(screen, f"{NONE} === 'no alert'", "the snapshot")


async def test_what_was_said_of_one_alert_is_not_said_of_the_next_of_its_name(chromium):
    async with shown(chromium) as (hand, screen, broker), answered(broker, "ack") as heard:
        answer = "document.querySelector('ol.alerts .answer').textContent"
        await hand.alert("a")
        await screen.page.click("ol.alerts .ack")
        await soon(screen, f"{answer} === 'acknowledged · no. 41'", "the answer")
        assert (heard[0]["alert"], heard[0]["instance"]) == ("a", 1)
        await hand.alert("a", instance=2)
        await soon(screen, f"{answer} === ''", "that nobody has dealt with this one")


@asynccontextmanager
async def at_rest(chromium, verb, told, shows):
    """Give a page whose clock stands still once it shows what it was told, and what it sends of one verb."""
    async with shown(chromium) as (hand, screen, broker), answered(broker, verb) as heard:
        await screen.page.clock.install(time="2026-11-22T02:10:00Z")
        await screen.page.reload()
        await soon(screen, "window.told", "the snapshot")
        await hand.beat()
        await told(hand)
        await soon(screen, f"{shows} && {FRESH}", "what it was told")
        await screen.stop_clock()
        yield hand, screen, heard


async def touch(screen, where):
    """Touch something as a finger does; where it is a key, ``detail`` is 0."""
    touched = (
        f"document.querySelector('{where}').dispatchEvent(new MouseEvent('click', {{detail: 1}}))"
    )
    await screen.page.evaluate(touched)


async def meant_again(screen, where, heard):
    """Touch it once more when there was time to read what is there now; return when it was heard."""
    await screen.page.clock.run_for(600)
    await touch(screen, where)
    await screen.page.clock.run_for(50)
    await until(lambda: heard)


@pytest.mark.parametrize(
    ("alert", "instance"), [("b", 1), ("a", 2)], ids=["another row", "another instance in its row"]
)
async def test_a_press_that_was_meant_for_another_alert_acknowledges_nothing(
    chromium, alert, instance
):
    """A new alarm takes the first place, or the same hatch is opened again, just as somebody presses there."""
    ack = "ol.alerts .ack"
    told = partial(at_rest, chromium, "ack", lambda hand: hand.alert("a"), f"{ALERTS} === 1")
    async with told() as (hand, screen, heard):
        await hand.alert(alert, instance=instance, priority="A")
        await soon(screen, "window.alerts_told >= 2", "the alarm")
        await screen.page.clock.run_for(300)
        first = "document.querySelector('ol.alerts > li').dataset.alert"
        assert await screen.page.evaluate(first) == alert
        await touch(screen, ack)
        await screen.page.clock.run_for(300)
        assert await screen.text("ol.alerts .answer >> nth=0") == (
            "the list has just moved: press again"
        )
        await meant_again(screen, ack, heard)
        assert [(each["alert"], each["instance"]) for each in heard] == [(alert, instance)]


async def test_a_double_tap_answers_no_step_that_nobody_has_read(chromium):
    """*Found?* of the next step stands where that of this one stood: a second touch would be a pass never made."""
    body = {"test": "t-wand", "equipment": "wands", "item": None, "steps": 3, "state": "waiting"}
    body |= {"seconds_left": 60.0, "outcome": None, "reason": None, "items_left": 0, "seen": []}
    body |= {"who": "tester", "tester": "M. Petrov", "witness": None, "expects": "yes_or_no"}

    def step(hand, number, prompt):
        return hand.tell("test/t-wand", step=number, prompt=prompt, **body)

    button = ".led .buttons button"
    both = f"document.querySelectorAll('{button}').length === 2"
    sleeve = partial(
        at_rest, chromium, "answer", lambda hand: step(hand, 2, "Sleeve: found?"), both
    )
    async with sleeve() as (hand, screen, heard):
        await step(hand, 3, "Waist: found?")
        prompt = "document.querySelector('.led .prompt').textContent"
        for _ in range(2000):  # the page's time hardly moves while the broker takes its own
            await screen.page.clock.run_for(1)
            if await screen.page.evaluate(prompt) == "Waist: found?":
                break
        await touch(screen, button)
        assert await screen.text(".led .answer") == "the step has just changed: press again"
        await meant_again(screen, button, heard)
        assert [(each["step"], each["text"]) for each in heard] == [(3, "yes")]


async def test_lights_and_mains_have_their_words_and_are_never_green(chromium):
    async with shown(chromium, None) as (hand, screen, _):
        await hand.point("lt1", name="DECK LTS P", kind="light", word="lit")
        await hand.point("u1", name="UPS", kind="mains", word="on battery", value="open")
        await soon(screen, "document.querySelectorAll('.contacts li').length === 2", "both")
        rows = await screen.page.locator(".contacts .value").all_inner_texts()
        assert rows == ["lit", "ON BATTERY"]
        assert " 0 open" in await screen.text("#contacts h2"), "no door is"
        for palette in ("bright", "day", "dusk", "night"):
            await screen.page.click(f"[data-choose={palette}]")
            assert await screen.page.evaluate(NOTHING_GREEN) == []
        await hand.point("d03")
        await soon(screen, "document.querySelectorAll('.contacts li').length === 3", "a door")
        assert await screen.page.evaluate(NOTHING_GREEN) != [], "that can see green"


async def test_devices_and_what_is_out_of_service_stand_on_the_page_and_are_old_with_the_rest(
    chromium,
):
    async with shown(chromium) as (hand, screen, broker):
        device = {"last_good_up": 900.0, "good": 1, "dropped": {}, "noticed": {}}
        await hand.tell("driver/ais", **device, link="up", since_up=10.0, latency_ms=1, reason=None)
        down = {"link": "down", "since_up": hand.up - 60, "reason": "no answer", "latency_ms": None}
        await hand.tell("driver/io1", **device, **down)
        stands = {"last": None, "next_due_utc": None, "reasons": [], "tests": []}
        await hand.tell("equipment/d03", name="D03", readiness="out of service", **stands)
        await hand.point("d03")
        await soon(
            screen,
            "document.querySelector('#header .feed').textContent.includes('1 OF 2 DEVICES NOT UP')",
            "how the devices stand",
        )
        rows = await screen.page.locator(".panel.driver li").all_inner_texts()
        assert rows[0].split("\n")[0].startswith("io1"), "what is down stands first"
        assert "DOWN for 60 s" in rows[0] or "DOWN for 61 s" in rows[0]
        assert "no answer" in rows[0]
        await soon(
            screen,
            "document.querySelector('.contacts .value').textContent === 'closed, out of service'",
            "the mark",
        )
        await hand.tell("equipment/io1", name="IO1", readiness="out of service", **stands)
        await hand.send("equipment/d03", b"")
        await hand.point("d04")
        await soon(screen, "document.querySelectorAll('.contacts li').length === 2", "a door of it")
        assert await screen.text("[data-point='d04'] .value") == "closed, out of service"
        await broker.kill()
        await soon(screen, STALE, "the banner")
        assert "? was DOWN" in await screen.text(".panel.driver li >> nth=0")
        assert await screen.text("[data-point='d04'] .value") == "? was closed"
        assert "? was OUT OF SERVICE" in await screen.text(".panel.equipment li >> nth=0")


async def test_a_door_and_a_test_are_chosen_and_not_typed(chromium):
    async with shown(chromium) as (hand, screen, broker):
        page = screen.page
        await hand.point("d17", name="BOSUN STORE", kind="door", word="closed")
        await hand.point("d17.lock", name="BOSUN STORE", kind="lock", word="locked")
        await hand.point("lt1", name="DECK LTS P", kind="light", word="lit")
        await soon(screen, "document.querySelectorAll('.contacts li').length === 3", "the contacts")
        async with answered(broker, "permit") as heard:
            await page.click("#panels section.permit button")
            choices = await page.locator("dialog.asked select option").all_inner_texts()
            assert choices == ["BOSUN STORE (d17)"], "a lock and a light are no doors"
            await page.fill("dialog.asked [name=worker]", "R. dela Cruz")
            await page.fill("dialog.asked [name=work]", "paint")
            await page.click("dialog.asked .ok")
            await until(lambda: heard)
            asked = {name: heard[0][name] for name in ("person", "door", "worker", "minutes")}
            wanted = {"person": "L. Tupou", "door": "d17", "worker": "R. dela Cruz", "minutes": 60}
            assert asked == wanted
        tests = [
            {"test": "t-sound", "led": True, "items": [], "remaining": []},
            {"test": "t-ais", "led": False, "items": [], "remaining": []},
            {"test": "t-door", "led": True, "items": ["d11", "d12", "d13"], "remaining": ["d12"]},
        ]
        stands = {"last": None, "next_due_utc": None, "reasons": [], "tests": tests}
        await hand.tell("equipment/doors", name="Doors", readiness="test due", **stands)
        button = "#panels .equipment li button"
        await soon(screen, f"document.querySelectorAll('{button}').length === 2", "the tests")
        words = await page.locator(button).all_inner_texts()
        assert words == ["start t-sound", "start t-door · 1 to do"]
        async with answered(broker, "start_test") as heard:
            await page.click(f"{button} >> nth=0")
            await page.click("dialog.asked .ok")
            await until(lambda: len(heard) == 1)
            await page.click(f"{button} >> nth=1")
            await page.click("dialog.asked .ok")
            await until(lambda: len(heard) == 2)
            await page.click(f"{button} >> nth=1")
            await page.select_option("dialog.asked select", "d13")
            await page.click("dialog.asked .ok")
            await until(lambda: len(heard) == 3)
        said = [{k: v for k, v in each.items() if k not in {"id", "session"}} for each in heard]
        who = {"person": "L. Tupou"}
        assert said == [
            {"test": "t-sound", **who},
            {"test": "t-door", "remaining": True, **who},
            {"test": "t-door", "item": "d13", **who},
        ]


async def test_a_question_that_is_left_open_covers_no_alert_for_ever(chromium):
    async with shown(chromium) as (_, screen, _):
        page = screen.page
        await page.clock.install(time="2026-11-22T02:10:00Z")
        await page.reload()
        await soon(screen, "!!document.querySelector('#watch .watch')", "the page")
        await page.click("#header .setup")
        await page.fill("dialog.setup input", "half a password")
        await page.clock.fast_forward(110_000)
        await page.clock.run_for(1000)
        assert await page.locator("dialog[open]").count() == 1
        # A browser says that a dialog is closed some time after it is: the page empties it then.
        await page.evaluate(
            "const dialog = document.querySelector('dialog.setup');"
            "window.closed = new Promise((done) => dialog.addEventListener('close', () => done()));0"
        )
        await page.clock.fast_forward(15_000)
        await page.clock.run_for(1000)
        assert await page.locator("dialog[open]").count() == 0
        await page.evaluate("window.closed")
        await soon(screen, "document.querySelector('dialog.setup input').value === ''", "its end")


async def test_a_part_that_fails_is_said_and_takes_no_other_with_it(chromium):
    async with shown(chromium) as (hand, screen, _):
        await hand.point("d03")
        await soon(screen, "document.querySelectorAll('.contacts li').length === 1", "a door")
        await screen.page.evaluate(
            "document.querySelector('ol.alerts').insertBefore = () => { throw new Error('no room'); }; 0"
        )
        await hand.alert("a")
        await soon(screen, STALE, "the banner")
        assert "THIS PAGE HAS A FAULT" in await screen.text("#banner")
        assert "alerts: no room" in await screen.text("#banner")
        assert await screen.page.evaluate(NOTHING_GREEN) == []
        await hand.point("d03", value="open")
        await soon(
            screen, "document.querySelector('.contacts .value').textContent === 'OPEN'", "the door"
        )


async def test_a_page_that_the_browser_had_put_away_connects_again(chromium):
    async with shown(chromium) as (hand, screen, _):
        event = "dispatchEvent(new PageTransitionEvent('{}', {{ persisted: true }}))"
        await screen.page.evaluate(event.format("pagehide"))
        await soon(screen, STALE, "the banner")
        await screen.page.evaluate("window.told = false")
        await screen.page.evaluate(event.format("pageshow"))
        await soon(screen, "window.told", "the snapshot")
        await hand.beat()
        await soon(screen, FRESH, "a true picture")


async def test_a_finger_arms_the_sound_with_one_touch(chromium):
    """As on the gangway's tablet, where a finger that comes down is no touch yet for sound, and one that goes up is."""

    async def watched(page):
        await page.add_init_script(
            "window.resumed = [];"
            "const resume = AudioContext.prototype.resume;"
            "AudioContext.prototype.resume = function () {"
            "  window.resumed.push(window.event?.type);"
            "  return resume.call(this);"
            "};"
        )

    async with mosquitto() as broker, by_hand(broker) as hand, served(broker) as address:
        await hand.begin("gangway")
        touch = {"has_touch": True, "before": watched}
        screen = await opened(chromium, address, "gangway", paused=False, **touch)
        await soon(screen, "window.told", "the snapshot")
        await hand.beat()
        await soon(screen, FRESH, "a true picture")
        await screen.page.tap("#header .ship")
        await soon(screen, "document.querySelector('#watch .touch').hidden", "the sound")
        asked_in = set(await screen.page.evaluate("window.resumed"))
        assert asked_in & {"pointerup", "touchend", "click"}, asked_in
        assert screen.faults == []


@asynccontextmanager
async def between(chromium, take):
    """Yield a page whose connections a test takes in the broker's place: ``take(socket, number)``."""
    async with mosquitto() as broker, by_hand(broker) as hand, served(broker) as address:
        await hand.begin("gangway")
        numbers = []

        async def connected(socket):
            numbers.append(len(numbers) + 1)
            await take(socket, numbers[-1])

        async def routed(page):
            await page.route_web_socket(f"ws://127.0.0.1:{broker.ws_port}/**", connected)
            await page.clock.install(time="2026-11-22T02:10:00Z")

        screen = await opened(chromium, address, "gangway", paused=False, before=routed)
        yield screen, hand, numbers


TICKS_MS = 50
"""In so long of its time a page has done what it does with what its socket has brought."""


async def reached(screen, event, number):
    """Wait until so many of the page's sockets have come so far, and let it take note of it."""
    await soon(screen, f"window.sockets.{event} >= {number}", f"{event} of socket {number}")
    await screen.page.clock.run_for(TICKS_MS)


async def now_ms(page):
    return await page.evaluate("performance.now()")


async def test_a_station_that_was_refused_is_asked_for_once_and_tries_again_by_itself(chromium):
    """The broker reads its passwords anew while nobody is there: the station must come back without a hand."""

    async def take(socket, number):
        if number > 2:
            socket.connect_to_server()
            return
        socket.on_message(lambda _: socket.send(REFUSED))

    async with between(chromium, take) as (screen, hand, numbers):
        page = screen.page
        await soon(screen, "document.querySelector('dialog.setup')?.open", "the question")
        assert "does not know this station" in await screen.text("dialog.setup .why")
        await page.keyboard.press("Escape")
        await screen.stop_clock()
        for wanted in (2, 3):
            await page.clock.run_for(15_000)
            assert len(numbers) == wanted - 1, "not a storm"
            ends_ms = await now_ms(page) + 10_000
            while await page.evaluate("window.sockets.made") < wanted:
                assert await now_ms(page) < ends_ms, "it is not tried again"
                await page.clock.run_for(100)
            await reached(screen, "open", wanted)
            await reached(screen, "heard", wanted)
            if wanted == 2:
                await reached(screen, "close", wanted)
            assert len(numbers) == wanted
            assert await page.locator("dialog[open]").count() == 0, "asked once"
        await page.clock.resume()
        await soon(screen, "document.getElementById('banner').textContent.includes('ISPSD')", "it")
        await hand.beat()
        await soon(screen, FRESH, "a true picture")


async def test_a_broker_that_takes_and_drops_us_is_not_asked_twice_a_second(chromium):
    async def take(socket, _):
        async def drop(_message):
            socket.send(TAKEN)
            await socket.close()

        socket.on_message(drop)

    async with between(chromium, take) as (screen, _, numbers):
        page = screen.page
        await screen.stop_clock()
        before = len(numbers)
        ends_ms = await now_ms(page) + 40_000
        while await now_ms(page) < ends_ms:
            await page.clock.run_for(500)
            made = await page.evaluate("window.sockets.made")
            await reached(screen, "open", made)
            await reached(screen, "close", made)
        asked = len(numbers) - before
        assert 4 <= asked <= 13, f"{asked} connections in 40 s"
