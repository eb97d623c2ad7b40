"""The page shows nothing that is older than it says, nothing as markup, and every alert in its place."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress

import pytest

from tests.brokers import mosquitto
from tests.soon import soon as until
from tests.web.hand import ROOT, by_hand, shown
from tests.web.rig import BANNER, FRESH, NOTHING_GREEN, STALE, opened, served, soon

FLASH = """() => {
  const [one] = document.querySelector("[data-alert='va']").getAnimations();
  const { duration, iterations } = one.effect.getComputedTiming();
  return {
    ms: duration,
    easing: getComputedStyle(one.effect.target).animationTimingFunction,
    frames: one.effect.getKeyframes().map((frame) => [frame.computedOffset, frame.backgroundColor]),
  };
}"""
DOOR = "li[data-point='d03']"


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_comes_from_outside_is_text_and_half_a_message_is_none(chromium):
    evil = "<img src=x onerror='window.hit=1'><script>window.hit=1</script>"
    async with shown(chromium) as (hand, screen, _):
        await hand.point("d03", name=evil)
        await hand.alert("evil", name=evil, title="<b>x</b>", action=evil, state_words=evil)
        await hand.tell(
            "equipment/x",
            name=evil,
            readiness="defect",
            last=None,
            next_due_utc=None,
            reasons=[evil],
        )
        await hand.station("gangway", person=evil)
        await soon(screen, "document.querySelectorAll('.equipment li').length === 1", "equipment")
        await screen.page.click("ol.alerts .more")
        assert evil in await screen.text("ol.alerts .remedy")
        assert evil in await screen.text(f"{DOOR} .name")
        assert evil in await screen.text("#watch .person")
        assert await screen.page.evaluate("window.hit") is None
        assert (
            await screen.page.evaluate("document.querySelectorAll('main img, main script').length")
            == 0
        )

        broken = [
            b"no json",
            b"[]",
            b'{"value": "closed"}',
            b"\xff\xfe",
            b'{"session":"s1","up":1e999,"value":"closed"}',
            json.dumps(
                {"session": "s1", "up": 1000.0, "value": "closed", "valid_for": "x"}
            ).encode(),
            b"x" * 200_000,
        ]
        for payload in broken:
            await hand.point("d03")
            await soon(screen, f'!!document.querySelector("{DOOR}")', "the door")
            await hand.send("point/d03", payload)
            await soon(screen, f'!document.querySelector("{DOOR}")', "that it is not known")


async def test_a_page_whose_clock_is_wrong_shows_right_ages_and_the_ships_time(chromium):
    """It believes that it is 2001; what it shows is reckoned from the heartbeat alone."""
    async with shown(chromium) as (hand, screen, _):
        await screen.page.clock.install(time="2001-02-03T04:05:06Z")
        await screen.page.reload()
        await soon(screen, "window.told", "the snapshot")
        await screen.stop_clock()
        await hand.point("d03", up=hand.up - 12.0)
        await hand.point("d04", up=hand.up - 65.0)
        await hand.beat()
        await soon(screen, f"window.beat_up >= {hand.up}", "the heartbeat")
        await screen.page.clock.run_for(500)
        assert await screen.page.evaluate(FRESH), "a true picture"
        assert await screen.text(f"{DOOR} .age") in {"12 s", "13 s", "14 s"}
        assert await screen.text(f"{DOOR} .value") == "closed"
        assert await screen.text("li[data-point='d04'] .value") == "? was closed", "past valid_for"
        assert re.match(r"02:10:0\d UTC", await screen.text("#header .utc"))
        assert re.match(r"10:10:0\d ship \+8", await screen.text("#header .ship_time"))


CONTACTS = [
    ({"value": "closed"}, "closed", "closed"),
    ({"value": "open"}, "OPEN", "open"),
    ({"value": "line_fault"}, "LINE FAULT", "line_fault"),
    ({"value": None, "quality": "stale"}, "NOT SEEN", "unknown"),
    ({"value": None, "proved": False}, "NOT PROVED", "unknown"),
    ({"value": "closed", "proved": False}, "NOT PROVED", "unknown"),
    ({"value": "CLOSED"}, "NOT SEEN", "unknown"),
    ({"value": {"toString": "closed"}}, "NOT SEEN", "unknown"),
    ({"value": ["closed"]}, "NOT SEEN", "unknown"),
    ({"value": "open", "quality": "suspect"}, "? OPEN", "open"),
    ({"value": "closed", "quality": "suspect"}, "? closed", "unknown"),
    ({"value": "closed", "quality": "stale"}, "NOT SEEN", "unknown"),
]


SIGNS = {
    "AV": "alarm-unacknowledged-iec",
    "WV": "warning-unacknowledged-iec",
    "WS": "warning-silenced-iec",
    "AU": "alarm-rectified-iec",
    "WU": "warning-rectified-iec",
    "AA": "alarm-acknowledged-iec",
    "WA": "warning-acknowledged-iec",
    **dict.fromkeys(("CV", "CU", "CA", "CO"), "caution-color-iec"),
}


async def test_unknown_is_not_closed(chromium):
    async with shown(chromium, None) as (hand, screen, _):
        for number, (body, _, _) in enumerate(CONTACTS):
            await hand.point(f"d{number:02}", **body)
        count = f"document.querySelectorAll('.contacts li').length === {len(CONTACTS)}"
        await soon(screen, count, "the doors")
        seen = await screen.page.evaluate(
            "[...document.querySelectorAll('.contacts li')]"
            ".sort((a, b) => (a.dataset.point < b.dataset.point ? -1 : 1))"
            ".map((row) => [row.querySelector('.value').textContent, row.dataset.looks])"
        )
        assert seen == [[words, looks] for _, words, looks in CONTACTS]


async def test_alerts_stand_in_the_order_of_msc_302_and_twenty_are_seen_at_once(chromium):
    """Unacknowledged, rectified, acknowledged; by priority; the newest first; to silence changes no place."""
    async with shown(chromium) as (hand, screen, _):
        wanted = []
        for state in ("V", "U", "A"):
            for priority in ("A", "W", "C"):
                for minute in (30, 20):
                    id_ = f"{state}{priority}{minute}".lower()
                    wanted.append(id_)
                    at = f"2026-11-22T02:{minute}:00.000Z"
                    await hand.alert(
                        id_, state=state, priority=priority, changed_utc=at, raised_utc=at
                    )
        await hand.alert("s", state="S", priority="W", raised_utc="2026-11-22T02:25:00.000Z",
                         changed_utc="2026-11-22T02:40:00.000Z", sounding=False)  # fmt: skip
        wanted.insert(wanted.index("vw20"), "s")
        await hand.alert("o", state="O", priority="C", changed_utc="2026-11-22T02:10:00.000Z")
        wanted.append("o")
        await screen.page.click("#header .ship")
        await hand.beat()  # a page that is not told of the ship has a banner above its rows
        await soon(screen, "document.querySelectorAll('ol.alerts > li').length === 20", "20 alerts")
        rows = await screen.page.evaluate(
            "[...document.querySelectorAll('ol.alerts > li')].map((row) => row.dataset.alert)"
        )
        assert rows == wanted
        await soon(
            screen,
            "[...document.querySelectorAll('ol.alerts > li')].every((row) => row.getBoundingClientRect().bottom"
            " <= document.getElementById('watch').getBoundingClientRect().top)",
            "twenty rows above the bar at 1024 x 768",
        )
        signs = await screen.page.evaluate(
            "[...document.querySelectorAll('ol.alerts > li')].map("
            "(row) => [row.dataset.priority + row.dataset.state, row.querySelector('svg').dataset.icon])"
        )
        assert dict(signs) == SIGNS, "not by colour alone"


async def test_only_the_row_of_an_unacknowledged_alarm_or_warning_flashes(chromium):
    """0.5 to 1.5 Hz, on for at least half of the time (docs/mqtt.md), and what flashes is the row."""
    async with shown(chromium) as (hand, screen, _):
        for state in "VSUAO":
            for priority in "AWC":
                await hand.alert(f"{state}{priority}".lower(), state=state, priority=priority)
        await soon(
            screen, "document.querySelectorAll('ol.alerts > li').length === 15", "the alerts"
        )
        flashing = await screen.page.evaluate(
            "[...document.querySelectorAll('*')].filter((n) => getComputedStyle(n).animationName !== 'none')"
            ".map((n) => n.dataset.alert ?? n.outerHTML)"
        )
        assert set(flashing) == {"va", "vw", "sa", "sw", "ua", "uw"}
        seen = await screen.page.evaluate(FLASH)
        assert 0.5 <= 1000 / seen["ms"] <= 1.5
        assert seen["easing"].startswith("steps(1")
        (on_at, on), (off_at, off) = seen["frames"][:2]
        assert on_at == 0
        assert 0.5 <= off_at < 1
        assert on != off


async def test_peers_22_a_broker_that_hangs_up_leaves_a_grey_page_and_nothing_green(chromium):
    async with shown(chromium) as (hand, screen, broker):
        await hand.point("d03")
        await hand.alert("a", priority="A", sounding=False)
        await soon(screen, "document.querySelectorAll('ol.alerts > li').length === 1", "the alert")
        await soon(
            screen, "document.querySelector('#watch .tile').dataset.armed === 'true'", "armed"
        )
        assert await screen.page.evaluate(NOTHING_GREEN) != [], "closed and armed are green"
        await broker.kill()
        await soon(screen, STALE, "the banner")
        assert "THE BROKER" in await screen.text("#banner")
        assert await screen.page.evaluate(NOTHING_GREEN) == []
        assert await screen.text(f"{DOOR} .value") == "? was closed"
        assert await screen.page.evaluate("document.getAnimations().length") == 0
        assert await screen.page.is_disabled("#watch .silence")
        assert await screen.page.is_disabled("ol.alerts .ack")
        await screen.page.evaluate("window.told = false")
        await broker.start()
        async with by_hand(broker) as again:
            again.session = "s2"
            await again.begin("gangway")
            await soon(
                screen, "document.querySelectorAll('#contacts li').length === 1", "it stays, grey"
            )
            await soon(
                screen, f"{BANNER}.textContent.includes('ISPSD') || {BANNER}.hidden", "the broker"
            )
            await soon(screen, "window.told", "the snapshot")
            await again.beat()
            await soon(screen, FRESH, "a true picture")
            await soon(
                screen,
                "document.querySelectorAll('#contacts li, ol.alerts li').length === 0",
                "gone",
            )


async def test_peers_22_silence_of_ispsd_is_said_within_five_seconds_and_then_sounded(chromium):
    """Late wills and beats of other sessions change nothing; after 15 s the station says that it is not fresh."""
    async with shown(chromium) as (hand, screen, broker):
        page = screen.page
        await page.click("#header .ship")
        await hand.alert("a", priority="A")
        await soon(screen, "document.querySelectorAll('ol.alerts > li').length === 1", "the alert")
        async with by_hand(broker) as other:
            heard: list[dict] = []
            await other.connection.subscribe(f"{ROOT}cmd/gangway/alive")
            listening = asyncio.ensure_future(listen(other.connection, heard))
            await page.clock.install(time="2026-11-22T02:10:00Z")
            await page.reload()
            await soon(screen, "window.told", "the snapshot")
            await hand.beat()
            await soon(screen, FRESH, "a true picture")
            await page.click("#header .ship")
            await soon(screen, "window.pulses.length === 3", "an alarm is three pulses")
            assert {pulse["hz"] for pulse in await screen.pulses()} == {784}
            await screen.stop_clock()
            hand.up += 5.0
            await hand.beat()
            await soon(screen, "window.beat_up >= 1005", "the heartbeat")
            await page.clock.run_for(100)
            hand.session = "another"
            await hand.beat()
            await hand.status("offline")
            await page.clock.run_for(4600)
            assert not await page.evaluate(STALE)
            await page.clock.run_for(400)
            assert await page.evaluate(STALE)
            assert await page.evaluate(NOTHING_GREEN) == []
            await screen.pulses()
            for _ in range(21):
                await page.clock.run_for(500)
                # The broker answers pings in its own time, not in the page's.
                await soon(screen, "window.pongs >= window.pings", "the answer to a ping")
            await until(lambda: heard and not heard[-1]["fresh"])
            pulses = await screen.pulses()
            assert pulses[-1]["hz"] == 330, "one long low tone"
            await page.clock.run_for(59_000)
            assert await screen.pulses() == []
            await page.clock.run_for(2_000)
            assert [pulse["hz"] for pulse in await screen.pulses()] == [330]
            assert any(said["fresh"] for said in heard)
            assert await page.evaluate("window.pings") > 0
            listening.cancel()


async def topics(connection, heard):
    async for message in connection.messages():
        heard.append(message.topic)


async def listen(connection, heard):
    async for message in connection.messages():
        heard.append(json.loads(message.payload))


async def test_the_page_speaks_to_the_broker_as_its_station_and_keeps_the_password_out_of_sight(
    chromium,
):
    async with (
        mosquitto(users=("ispsd", "bridge", "gangway")) as broker,
        served(broker) as address,
    ):
        screen = await opened(chromium, address, "gangway", password="wrong", paused=False)
        asked: list[str] = []
        screen.page.on(
            "request", lambda request: asked.append(f"{request.url} {request.post_data}")
        )
        await soon(screen, "document.querySelector('dialog.setup')?.open", "the question")
        assert "does not know this station" in await screen.text("dialog.setup .why")
        await screen.page.fill("dialog.setup input", broker.passwords["gangway"])
        await screen.page.click("dialog.setup .ok")
        await soon(screen, f"{BANNER}.textContent.includes('ISPSD')", "the broker")
        await screen.page.reload()
        await soon(screen, f"{BANNER}.textContent.includes('ISPSD')", "the broker, after a reload")
        secret = broker.passwords["gangway"]
        async with by_hand(broker, "ispsd") as hand:
            await hand.connection.subscribe(f"{ROOT}cmd/+/+")
            heard: list[str] = []
            listening = asyncio.ensure_future(topics(hand.connection, heard))
            while f"{ROOT}cmd/gangway/silence" not in heard:
                # A page that hears no heartbeat for 5 s lets nobody press: it is told anew, and pressed anew.
                await hand.begin("gangway", "bridge")
                await soon(
                    screen, "!document.querySelector('#watch .silence').disabled", "the ship"
                )
                await screen.page.click("#watch .silence")
                with suppress(TimeoutError):
                    await asyncio.wait_for(
                        until(lambda: f"{ROOT}cmd/gangway/silence" in heard), 3.0
                    )
            listening.cancel()
        await screen.page.click("#header .setup")
        await screen.page.click("dialog.setup .ok")
        kept = await screen.page.evaluate("localStorage.getItem('ispsd.station')")
        assert secret in kept, "who only looked has taken no station off the air"
        assert secret not in " ".join(asked) + screen.page.url
        assert secret not in await screen.page.content()
        assert screen.faults == []


async def test_a_led_test_is_read_from_afar_and_answered_as_its_prompt_wants(chromium):
    async with shown(chromium) as (hand, screen, broker):
        heard: list[dict] = []
        async with by_hand(broker) as daemon:
            await daemon.connection.subscribe(f"{ROOT}cmd/gangway/answer")
            answering = asyncio.ensure_future(answer_all(daemon, heard))
            body = {"test": "t-door", "equipment": "doors", "item": "d12", "steps": 4}
            body |= {"seconds_left": 60.0, "outcome": None, "reason": None, "tester": "M. Petrov"}
            body |= {"items_left": 0, "witness": None, "seen": ["open 0.4 s"], "who": "tester"}
            await hand.tell(
                "test/t-door",
                step=1,
                prompt="Open it now",
                expects="nothing",
                state="running",
                **body,
            )
            await soon(screen, "!!document.querySelector('.led .prompt')", "the step")
            assert await screen.text(".led .prompt") == "Open it now"
            size = float((await screen.own(".led .prompt", "fontSize")).removesuffix("px"))
            assert size >= 32
            assert await screen.text(".led .left") in {"60 s left", "59 s left"}
            assert "open 0.4 s" in await screen.text(".led .seen")
            assert await screen.page.locator(".led .buttons button").count() == 0

            await hand.tell(
                "test/t-door", step=2, prompt="Heard?", expects="yes_or_no", state="waiting", **body
            )
            # By a key: a finger is not believed in the first half second.
            await screen.page.press(".led .buttons button:has-text('YES')", "Enter")
            await until(lambda: len(heard) == 1)
            assert heard[0] | {"id": "", "session": ""} == {
                "id": "",
                "session": "",
                "person": "M. Petrov",
                "test": "t-door",
                "step": 2,
                "text": "yes",
            }
            # The refusal wanted a PIN, and it is sent once more with it, under a new id.
            await screen.page.fill("dialog.asked input", "4711")
            await screen.page.click("dialog.asked .ok")
            await until(lambda: len(heard) == 2)
            assert heard[1]["pin"] == "4711"
            assert heard[1]["id"] != heard[0]["id"]
            assert "4711" not in await screen.page.content()
            await hand.tell(
                "test/t-door",
                step=4,
                prompt="",
                expects=None,
                state="done",
                **{**body, "outcome": "inconclusive", "reason": "no evidence"},
            )
            await soon(
                screen,
                "document.querySelector('.led .prompt').textContent.includes('NOT PROVEN')",
                "it",
            )
            assert await screen.text(".led .prompt") == "NOT PROVEN: no evidence"
            answering.cancel()


async def answer_all(daemon, heard):
    async for message in daemon.connection.messages():
        said = json.loads(message.payload)
        heard.append(said)
        refused = {"accepted": False, "reason": "a PIN", "extra": {"wants": {"pin": "M. Petrov"}}}
        reply = {"accepted": True} if "pin" in said else refused
        await daemon.tell(
            "reply/gangway", retain=False, id=said["id"], verb="answer", recorded=None, **reply
        )


async def test_by_sun_the_palette_is_that_of_the_ships_place_and_time_until_a_hand_takes_it_back(
    chromium,
):
    async with shown(chromium) as (hand, screen, _):

        async def fix(lat_deg, lon_deg, quality="good"):
            value = {"position": {"lat_deg": lat_deg, "lon_deg": lon_deg}, "fix_quality": 1}
            await hand.point("gps1.fix", value=value, quality=quality, proved=None, name=None)
            await hand.beat()

        palette = "document.documentElement.dataset.palette"
        await screen.page.click("[data-choose=sun]")
        assert await screen.page.evaluate(palette) == "night", "nobody knows yet where she is"
        await fix(1.2, 103.8)
        await soon(screen, f"{palette} === 'bright'", "Singapore at ten in the morning")
        await fix(9.0, -79.5, quality="suspect")
        await hand.alert("seen")
        await soon(screen, "!!document.querySelector('ol.alerts > li')", "what came after it")
        assert await screen.page.evaluate(palette) == "bright", "nobody vouches for that place"
        await fix(9.0, -79.5)
        await soon(screen, f"{palette} === 'night'", "Panama at nine in the evening")
        await screen.page.reload()
        pressed = "document.querySelector('[data-choose=sun]')?.ariaPressed === 'true'"
        await soon(screen, pressed, "that it follows the sun still")
        await screen.page.click("[data-choose=dusk]")
        await fix(1.2, 103.8)
        await hand.alert("seen", title="AGAIN")
        await soon(screen, "!!document.querySelector('ol.alerts > li')", "what came after it")
        assert await screen.page.evaluate(palette) == "dusk", "a hand beats the sun"
