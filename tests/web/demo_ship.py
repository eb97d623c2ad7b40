"""The demo's ship without its story: simulators, Mosquitto, daemon and the server of the page, each a process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from daemon import config
from daemon.demo import crew
from daemon.demo.history import write_history
from daemon.simulate import processes
from tests.brokers import DEMO_USERS, mosquitto
from tests.web.rig import opened, soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser

    from daemon.demo.crew import Crew
    from daemon.simulate.processes import Simulators
    from tests.brokers import EmbeddedBroker
    from tests.web.rig import Screen

DUE = ("t-uhf",)
DOORS_SEEN = (
    "document.querySelectorAll('.contacts li').length > 30 && "
    "document.querySelectorAll(`.contacts li[data-looks='unknown']`).length === 0"
)


@dataclass(frozen=True, slots=True)
class DemoShip:
    """The ship, running."""

    crew: Crew
    devices: Simulators
    broker: EmbeddedBroker
    page: str
    """Where the page is."""
    socket: Path

    async def move(self, verb: str, door: str) -> None:
        """Open, close or cut a door of hers."""
        await self.crew.move(self.devices, verb, door)

    async def station(
        self,
        chromium: Browser,
        id_: str,
        *,
        palette: str = "day",
        size: tuple[int, int] = (1024, 768),
    ) -> Screen:
        """Open the page of a station, armed, with every door seen."""
        screen = await opened(
            *(chromium, self.page, id_),
            password=self.broker.passwords[id_],
            palette=palette,
            paused=False,
            size=size,
        )
        await soon(screen, f"document.getElementById('banner').hidden && {DOORS_SEEN}", "the doors")
        await screen.page.click("#header .ship")
        return screen


async def take_watch(screen: Screen, person: str = "J. Santos") -> None:
    """Have somebody of her crew take the watch at a station's page."""
    await screen.page.click("#watch .watch")
    await screen.page.click(f"dialog.watch [data-person='{person}']")
    has = f"document.querySelector('#watch .person').textContent.includes('{person}')"
    await soon(screen, has, "the watch")


@asynccontextmanager
async def demo_ship(folder: Path) -> AsyncIterator[DemoShip]:
    """Run her, with fourteen months behind her; what she writes goes into this folder."""
    folder.mkdir(exist_ok=True)
    ship = crew.muster(folder)
    async with mosquitto(users=DEMO_USERS) as broker, ship.simulators() as devices:
        await ship.begin(devices)
        path = ship.write_config(devices, broker)
        loaded = config.load(path)
        # Entries of the same moment as the daemon's first would stand behind it.
        until_utc = datetime.now(UTC) - timedelta(seconds=1)
        await write_history(loaded, until_utc=until_utc, software="test", left_due=DUE)
        log = folder / "web.log"
        words = ("-m", "daemon", "web", "--config", str(path))
        async with (
            processes.daemon_process(path, folder / "daemon.log"),
            processes.child(*words, log=log) as web,
        ):
            assert web.stdout is not None
            said = await web.stdout.readline()
            assert said, log.read_text("utf-8")
            page = said.decode().rpartition(" ")[2].strip()
            yield DemoShip(ship, devices, broker, page, folder / "control.sock")
