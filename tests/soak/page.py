"""A station's page in a real browser, watched from inside: how old is what it shows in green, and what does it keep?"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.web.rig import FRESH, NOTHING_GREEN, Screen, soon

if TYPE_CHECKING:
    from playwright.async_api import Browser, CDPSession

DOORS_SEEN = "document.querySelectorAll('.contacts li').length > 30"
TILE = "document.querySelector('#watch .tile').textContent"
OLD_MS = 5000
"""Nothing is green that is older (DESIGN 7): counted from the newest heartbeat that came to this page."""
AGAIN_MS = 250
"""Looked at again after so long before it counts: a browser that was not given the processor for a while draws then."""
_SCRIPT = """
window.soak = { worst_ms: 0, old_looks: 0, green_looks: 0, beats: 0 };
{
  const OLD_MS = OLD, AGAIN_MS = AGAIN;
  const green = GREEN;
  const latin1 = new TextDecoder("latin1");
  let beat_ms = performance.now();
  const Plain = WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...words) {
      super(...words);
      this.addEventListener("message", (event) => {
        if (!latin1.decode(event.data).includes("/v1/heartbeat")) return;
        beat_ms = performance.now();
        window.soak.beats += 1;
      });
    }
  };
  const age_ms = () => performance.now() - beat_ms;
  const look = () => {
    if (!document.body || !window.soak) return;
    if (age_ms() <= OLD_MS) {
      if (window.soak.green_looks < 10 && green().length) window.soak.green_looks += 1;
      return;
    }
    window.soak.old_looks += 1;
    if (!green().length) return;
    const beats = window.soak.beats;
    setTimeout(() => {
      if (beats !== window.soak.beats || !green().length) return;
      window.soak.worst_ms = Math.max(window.soak.worst_ms, age_ms());
    }, AGAIN_MS);
  };
  setInterval(look, 200);
}
"""
"""Counts heartbeats as they come over the page's socket. Its sound is its own: a clock that is faked for the output, as
tests of the page do, lets pulses pile up in Chromium while the computer is busy."""
WATCHED = (
    _SCRIPT.replace("OLD, ", f"{OLD_MS}, ", 1)
    .replace("AGAIN;", f"{AGAIN_MS};", 1)
    .replace("GREEN;", f"{NOTHING_GREEN};", 1)
)


class StationPage:
    """The gangway's page, its only sounder."""

    def __init__(self, screen: Screen, session: CDPSession) -> None:
        self.screen = screen
        self._session = session
        self._before: dict[str, float] = {
            "worst_ms": 0.0,
            "old_looks": 0,
            "green_looks": 0,
            "beats": 0,
        }

    @classmethod
    async def open(
        cls, chromium: Browser, address: str, station: str, password: str
    ) -> StationPage:
        """Open it; somebody takes the watch there and hears its test sound."""

        context = await chromium.new_context(viewport={"width": 1024, "height": 768})
        kept = json.dumps(json.dumps({"station": station, "password": password}))
        await context.add_init_script(f"localStorage.setItem('ispsd.station', {kept})")
        await context.add_init_script(WATCHED)
        screen = Screen(await context.new_page())
        await screen.page.goto(address)
        session = await context.new_cdp_session(screen.page)
        await session.send("Performance.enable")
        made = cls(screen, session)
        await made.touched()
        return made

    async def touched(self) -> None:
        """Touch it once it shows a true picture: that arms its sound."""
        await soon(self.screen, f"{FRESH} && {DOORS_SEEN}", "the doors", within_s=40.0)
        await self.screen.page.click("#header .ship")

    async def take_watch(self, person: str) -> None:
        page = self.screen.page
        await page.click("#watch .watch")
        await page.click(f"dialog.watch [data-person='{person}']")
        await soon(self.screen, "!document.querySelector('#watch .test').disabled", "the watch")
        await page.click("#watch .test")
        await soon(self.screen, "!document.querySelector('#watch .heard').disabled", "the sound")
        await page.click("#watch .heard")
        await soon(self.screen, f"{TILE} === 'SOUND ARMED'", "that it is armed")

    async def acknowledge(self, alert: str) -> None:
        row = f"ol.alerts > li[data-alert='{alert}']"
        await soon(self.screen, f"!!document.querySelector(`{row} .ack`)", alert)
        await self.screen.page.click(f"{row} .ack")
        await soon(
            self.screen, f"document.querySelector(`{row}`)?.dataset.state === 'A'", "the answer"
        )

    async def load_anew(self) -> None:
        self._keep(await self._watched())
        await self.screen.page.reload()
        await self.touched()

    async def sample(self, *, collect: bool) -> dict[str, float]:
        """Return what it keeps; with ``collect`` its garbage is collected before."""
        found = self._before | {}
        with suppress(Exception):  # it is being loaded anew: the next sample has it
            if collect:
                await self._session.send("HeapProfiler.collectGarbage")
            said = await self._session.send("Performance.getMetrics")
            named = {each["name"]: each["value"] for each in said["metrics"]}
            found = self._sum(await self._watched())
            for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners", "AudioHandlers"):
                found[name] = named[name]
            found["collected"] = float(collect)
        return found

    async def _watched(self) -> dict[str, Any]:
        return await self.screen.page.evaluate("window.soak")  # type: ignore[no-any-return]

    def _sum(self, watched: dict[str, Any]) -> dict[str, float]:
        return {
            name: max(before, watched[name]) if name == "worst_ms" else before + watched[name]
            for name, before in self._before.items()
        }

    def _keep(self, watched: dict[str, Any]) -> None:
        self._before = self._sum(watched)
