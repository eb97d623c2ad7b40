"""A browser for a test: Debian's Chromium, pages whose clock and sound are watched, and the server of the page."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.web.server import PageServer, ShipFacts
from daemon.web.settings import WebSection
from tests.brokers import free_port
from tests.needed import needs
from tests.soon import PATIENCE_S

try:
    from playwright.async_api import async_playwright
except ImportError:
    async_playwright = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from playwright.async_api import Browser, BrowserContext, Page

    from tests.brokers import EmbeddedBroker
    from tests.ship import Ship

CHROMIUM = shutil.which("chromium")
FACTS = ShipFacts("KESTREL STRAIT", 9999993, ("bridge", "gangway", "office", "sso"), is_demo=True)
NOW = datetime(2001, 2, 3, 4, 5, tzinfo=UTC)
"""What the browser believes: a tablet whose battery was empty. The ship is in 2026."""
NO_SOCKET = Path("/nonexistent/control.sock")
"""Where no daemon answers: a page that only shows the watch."""
STEP_S = 1.0
AHEAD_S = 0.5
"""So far ahead of itself a clock is stopped: it runs while it is told."""
WATCHED = """
const watched = () => dispatchEvent(new Event("watched"));
window.pulses = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at_s) {
  window.pulses.push({ at_s, hz: this.frequency.value, now_s: performance.now() / 1000 });
  watched();
  return start.call(this, at_s);
};
window.audio_stands = false;
let audio_s = 0;
Object.defineProperty(BaseAudioContext.prototype, "currentTime", {
  get() {
    if (!window.audio_stands) audio_s = performance.now() / 1000;
    return audio_s;
  },
});
window.beat_up = -1;
window.told = false;
window.alerts_told = 0;
window.sockets = { made: 0, open: 0, heard: 0, close: 0 };
window.pings = 0;
window.pongs = 0;
const latin1 = new TextDecoder("latin1");
const Plain = WebSocket;
window.WebSocket = class extends Plain {
  constructor(...words) {
    super(...words);
    window.sockets.made += 1;
    for (const event of ["open", "close"]) {
      this.addEventListener(event, () => {
        window.sockets[event] += 1;
        watched();
      });
    }
    this.addEventListener("message", (event) => {
      const said = latin1.decode(event.data);
      if (!this.has_heard) window.sockets.heard += 1;
      this.has_heard = true;
      window.told ||= said.includes("/v1/snapshot");
      window.alerts_told += said.split("/v1/alert/").length - 1;
      window.pongs += said === "\\xd0\\x00";
      for (const [, up] of said.matchAll(/heartbeat[^]{0,16}?\\{"session":"[^"]*","up":([0-9.]+)/g)) {
        window.beat_up = Number(up);
      }
      watched();
    });
  }
  send(data) {
    window.pings += latin1.decode(data) === "\\xc0\\x00";
    super.send(data);
  }
};
"""
"""Counts what the page has played, lets the output's clock go as the page's does, and says what has come and gone over
its sockets, and how much of the ship's time has reached it. The page's clock stops none of this."""
SOON = """
new Promise((done, failed) => {
  const events = ["watched", "DOMContentLoaded"];
  const observer = new MutationObserver(look);
  function look() {
    try {
      if (!(%s)) return;
      done();
    } catch (error) {
      failed(error);
    }
    observer.disconnect();
    for (const each of events) removeEventListener(each, look);
  }
  observer.observe(document, { attributes: true, characterData: true, childList: true, subtree: true });
  for (const each of events) addEventListener(each, look);
  look();
})
"""
"""Resolves when it is so: it looks after each change of the document, and of what is watched."""
NOTHING_GREEN = """() => {
  const green = [];
  for (const node of document.querySelectorAll("body, body *")) {
    const style = getComputedStyle(node);
    for (const name of ["color", "backgroundColor", "borderTopColor", "fill", "stroke", "outlineColor"]) {
      const [r, g, b, a = 1] = (style[name].match(/[0-9.]+/g) ?? [0, 0, 0, 0]).map(Number);
      const shown = name !== "borderTopColor" || style.borderTopStyle !== "none";
      const drawn = name !== "outlineColor" || style.outlineStyle !== "none";
      if (a > 0 && shown && drawn && g > r + 20 && g > b + 20) green.push(`${node.className} ${name} ${style[name]}`);
    }
  }
  return green;
}"""
BANNER = "document.getElementById('banner')"
STALE = f"!{BANNER}.hidden"
FRESH = f"{BANNER}.hidden"


def needs_browser() -> None:
    needs(async_playwright, "playwright is not installed (pip install 'ispsd[browser]')")
    needs(CHROMIUM, "chromium is not installed (Debian: apt install chromium)")


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Run Chromium; pages in it may sound, into nothing."""
    needs_browser()
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=root)
        try:
            yield running
        finally:
            await running.close()


@asynccontextmanager
async def served(
    broker: EmbeddedBroker,
    *,
    facts: ShipFacts = FACTS,
    control: Path = NO_SOCKET,
    **section: Any,
) -> AsyncIterator[str]:
    """Serve the page for this broker; yield its address."""
    section = {
        "port": free_port(),
        "broker": f"ws://127.0.0.1:{broker.ws_port}",
        **section,
    }
    async with serving(WebSection(**section), facts, control) as found:
        yield found


@asynccontextmanager
async def serving(section: WebSection, facts: ShipFacts, control: Path) -> AsyncIterator[str]:
    """Run the server; yield its address."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = PageServer(section, facts, control=control)
    running = asyncio.ensure_future(server.run(started=address.set_result))
    await asyncio.wait({running, address}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield await address if address.done() else await running  # type: ignore[func-returns-value]
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class Screen:
    """One page of one station."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        # Chromium itself says so when a broker is not there; everything else is a fault.
        if message.type == "error" and "WebSocket connection to" not in message.text:
            self.faults.append(message.text)

    async def text(self, selector: str) -> str:
        return await self.page.locator(selector).inner_text()

    async def pulses(self) -> list[dict[str, float]]:
        """Return what it has played since it was asked before."""
        return await self.page.evaluate("window.pulses.splice(0)")  # type: ignore[no-any-return]

    async def stop_clock(self) -> None:
        """Let only the test move the page's clock from now on."""
        believed_ms = await self.page.evaluate("Date.now()")
        await self.page.clock.pause_at(believed_ms / 1000 + AHEAD_S)

    async def own(self, selector: str, name: str) -> str:
        """Return a computed style."""
        return await self.page.evaluate(  # type: ignore[no-any-return]
            "([s, n]) => getComputedStyle(document.querySelector(s))[n]", [selector, name]
        )


async def opened(
    where: Browser,
    address: str,
    station: str | None,
    *,
    password: str | None = None,
    palette: str | None = None,
    paused: bool = True,
    size: tuple[int, int] = (1024, 768),
    has_touch: bool = False,
    before: Callable[[Page], Awaitable[None]] | None = None,
) -> Screen:
    """Open the page as a station that the ETO has set up; with ``paused`` only the test moves its clock."""
    context: BrowserContext = await where.new_context(
        viewport={"width": size[0], "height": size[1]}, has_touch=has_touch
    )
    keep = {"station": {"station": station, "password": password}} if station else {}
    keep |= {"palette": palette} if palette else {}
    await context.add_init_script(
        f"for (const [name, value] of Object.entries({json.dumps(keep)}))"
        "if (localStorage.getItem(`ispsd.${name}`) === null)"
        "localStorage.setItem(`ispsd.${name}`, JSON.stringify(value));"
    )
    page = await context.new_page()
    if paused:
        await page.clock.install(time=NOW)
    if before is not None:
        await before(page)
    await page.add_init_script(WATCHED)  # last: it watches what a test has put in a socket's place
    screen = Screen(page)
    await page.goto(address)
    if paused:
        await soon(screen, "window.told", "the snapshot")
        await screen.stop_clock()
    return screen


class Together:
    """A ship and the pages that watch her, whose clocks move as one."""

    def __init__(self, ship: Ship, *screens: Screen) -> None:
        self.ship = ship
        self.screens = list(screens)
        self.passed_s = 0.0
        self._before_up = self._beat_up()
        """No page hears a heartbeat that was before it was there."""

    def _beat_up(self) -> float:
        return (self.ship.state("heartbeat") or {"up": -1.0})["up"]

    async def pass_time(self, seconds: float) -> None:
        left_s = seconds
        while left_s > 1e-6:
            step_s = min(left_s, STEP_S)
            await self.ship.pass_time(step_s)
            self.passed_s += step_s
            beat_up = self._beat_up()
            for screen in self.screens:
                if beat_up > self._before_up:
                    await soon(screen, f"window.beat_up >= {beat_up}", "the heartbeat")
                await screen.page.clock.run_for(round(step_s * 1000))
            left_s -= step_s

    async def until(self, screen: Screen, holds: str, *, for_s: float = 20.0) -> None:
        """Let time pass until an expression is true on a page."""
        passed_s = 0.0
        while not await screen.page.evaluate(holds):
            assert passed_s < for_s, f"it did not come: {holds}\n{await screen.text('body')}"
            await self.pass_time(0.25)
            passed_s += 0.25


async def soon(screen: Screen, holds: str, what: str, *, within_s: float = PATIENCE_S) -> None:
    """Wait until an expression is true on a page; the page itself says so, though its clock may stand."""
    try:
        async with asyncio.timeout(within_s):
            await screen.page.evaluate(SOON % holds)
    except TimeoutError:
        raise AssertionError(f"{what} did not come: {await screen.text('body')}") from None
