"""How long from a press at a station's page to its answer, and to what another page shows? Beside the bare broker.

The demo's ship with real processes, Mosquitto with its access list, two pages in Chromium. A permit to open is given
and ended by turns; the press, the answer beside the button and the row on the other page are seen by the browser's one
clock. The floor is what the broker alone takes for the same two hops: a command to a program that answers at once, and
its answer back, over TCP, with QoS 1. Ours checks the command, writes an entry and has it on disk before it answers.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from bench.spread import percentile, pooled, pooled_ratio, ratios, turns
from tests.brokers import mosquitto
from tests.web.demo_ship import demo_ship, take_watch
from tests.web.rig import browser, soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from bench.told import Told
    from tests.web.rig import Screen

ASK, ANSWER = "bare/ask", "bare/answer"
COMMAND = b'{"id":"0123456789abcdef01234567","session":"9dfcf00f8673","person":"J. Santos"}'
WAIT_S = 10.0
PAUSE_S = 0.6
"""Between two presses: a station sends at most 20 commands in 10 s."""
ROW = "document.querySelectorAll('.panel.permit li').length"
SAID = "document.querySelector('section.permit > .answer').textContent"
NOW_MS = "performance.timeOrigin + performance.now()"
WATCH_PRESS = f"""(() => {{
  addEventListener("click", (event) => {{
    if (event.target.matches("dialog.asked .ok")) window.pressed_ms = {NOW_MS};
  }}, {{ capture: true }});
  new MutationObserver(() => {{
    if ({SAID}.startsWith("done")) window.answered_ms ??= {NOW_MS};
  }}).observe(document.querySelector("section.permit > .answer"), {{ childList: true, characterData: true }});
}})()"""
WATCH_ROWS = f"""(() => {{
  new MutationObserver(() => {{ window.shown_ms = {NOW_MS}; }})
    .observe(document.querySelector(".panel.permit"), {{ childList: true }});
}})()"""
Samples = dict[str, list[float]]


async def measure(told: Told, disk: Path, *, rounds: int, presses: int) -> None:
    """Say the ratios."""
    seen = []
    async with browser() as chromium:
        for number in range(rounds):
            took: Samples = {}
            for who in turns(("ours", "bare"), number):
                if who == "bare":
                    took |= await _bare(asks=presses)
                else:
                    took |= await _ours(disk / f"ours-{number}", chromium, presses=presses)
            seen.append(took)
    bare = [each["bare"] for each in seen]
    for what, words in (
        ("reply", "its answer, entry on disk"),
        ("other", "the other page shows it"),
    ):
        ours = [each[what] for each in seen]
        said = f"a press at a station's page → {words}, over the bare broker's two hops"
        middles = [[percentile(each, 0.5) for each in who] for who in (ours, bare)]
        told.row(f"{said}, p50", ratios(*middles))
        # A hundredth of one round is less than one press, so the rounds are taken together.
        told.row(f"{said}, p99", pooled_ratio(ours, bare, 0.99))
    for what, words in (
        ("bare", "the bare broker's two hops"),
        ("reply", "a press → its answer"),
        ("other", "a press → the other page"),
    ):
        for share in (0.5, 0.99):
            figure = pooled([each[what] for each in seen], share)
            told.row(f"{words}, p{share * 100:.0f}", figure, unit="ms")


async def _ours(folder: Path, chromium: object, *, presses: int) -> Samples:
    took: Samples = {"reply": [], "other": []}
    async with demo_ship(folder) as ship:
        bridge = await ship.station(chromium, "bridge")  # type: ignore[arg-type]
        gangway = await ship.station(chromium, "gangway")  # type: ignore[arg-type]
        await take_watch(bridge)
        await bridge.page.evaluate(WATCH_PRESS)
        await gangway.page.evaluate(WATCH_ROWS)
        for number in range(presses):
            pressed, answered, shown = await _press(bridge, gangway, gives=number % 2 == 0)
            took["reply"].append(answered - pressed)
            took["other"].append(shown - pressed)
        for screen in (bridge, gangway):
            assert screen.faults == []
            await screen.page.context.close()
    return took


async def _press(bridge: Screen, gangway: Screen, *, gives: bool) -> tuple[float, float, float]:
    """Give the permit, or end it; return when it was pressed, answered, and shown on the other page, in ms."""
    page = bridge.page
    await asyncio.sleep(PAUSE_S)
    await gangway.page.evaluate("window.shown_ms = null")
    if gives:
        await page.click("#panels section.permit > button")
        await page.select_option("dialog.asked [name=door]", "d17")
        await page.fill("dialog.asked [name=worker]", "R. dela Cruz")
        await page.fill("dialog.asked [name=work]", "paint")
    else:
        await page.click(".panel.permit li button")
    await page.evaluate(
        "document.querySelector('section.permit > .answer').textContent = ''; window.answered_ms = null"
    )
    await page.click("dialog.asked .ok")
    await soon(bridge, "window.answered_ms !== null", "the answer")
    await soon(gangway, f"window.shown_ms !== null && {ROW} === {int(gives)}", "the row")
    await soon(bridge, f"{ROW} === {int(gives)}", "the row here")
    return (
        await page.evaluate("window.pressed_ms"),
        await page.evaluate("window.answered_ms"),
        await gangway.page.evaluate("window.shown_ms"),
    )


async def _bare(*, asks: int) -> Samples:
    took: list[float] = []
    async with mosquitto() as broker:
        with _client(broker.port) as answering, _client(broker.port) as asking:
            answering.on_message = lambda client, _, message: client.publish(
                ANSWER, message.payload, qos=1
            )
            answering.subscribe(ASK, 1)
            async for came_ns, asked_ns in _asked(asking, asks):
                took.append((came_ns - asked_ns) / 1e6)
    return {"bare": took}


async def _asked(client: Client, asks: int) -> AsyncIterator[tuple[int, int]]:
    loop = asyncio.get_running_loop()
    came: asyncio.Queue[int] = asyncio.Queue()
    client.on_message = lambda *_: loop.call_soon_threadsafe(came.put_nowait, time.monotonic_ns())
    client.subscribe(ANSWER, 1)
    await asyncio.sleep(0.2)  # both subscriptions are there
    for _ in range(asks):
        await asyncio.sleep(0.02)
        asked_ns = time.monotonic_ns()
        client.publish(ASK, COMMAND, qos=1)
        async with asyncio.timeout(WAIT_S):
            yield await came.get(), asked_ns


@contextmanager
def _client(port: int) -> Iterator[Client]:
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    # As the browser and our own connection have it: without, the floor would be two delayed acknowledgements of TCP.
    client.on_socket_open = lambda _client, _said, opened: opened.setsockopt(
        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
    )
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()
