"""A station's page in a real browser, watched from inside: how old is what it shows in green, and what does it keep?"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.web.rig import FRESH, NOTHING_GREEN, opened, soon

if TYPE_CHECKING:
    from playwright.async_api import Browser, CDPSession, Page

    from tests.web.rig import Screen

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
  let up = -1, beat_ms = performance.now();
  Object.defineProperty(window, "beat_up", {
    get: () => up,
    set(value) {
      if (value !== up && value >= 0) { beat_ms = performance.now(); window.soak.beats += 1; }
      up = value;
    },
  });
  const age_ms = () => performance.now() - beat_ms;
  const look = () => {
    if (!document.body || !window.soak) return;
    const old_ms = age_ms();
    if (old_ms <= OLD_MS) {
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

        async def before(page: Page) -> None:
            await page.add_init_script(WATCHED)

        screen = await opened(
            *(chromium, address, station),
            password=password,
            palette="day",
            paused=False,
            before=before,
        )
        session = await screen.page.context.new_cdp_session(screen.page)
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
            for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners", "Documents"):
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
