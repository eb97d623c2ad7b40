"""The demo's SSAS chapter: a test that is gated and proven on three legs, then an alert that nobody notices."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon.control import control
from daemon.demo.words import counted, on_disk, on_paper
from daemon.errors import IspsdError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from daemon.demo.crew import Crew
    from daemon.demo.gangway import Gangway
    from daemon.simulate.processes import Simulators

TEST = "t-ssas-e-p1"
SSO, MASTER = "R. Menon", "A. Lindqvist"
PINS: Final = {SSO: "407193", MASTER: "862051", "J. Santos": "530926", "M. Petrov": "194857"}
"""Of people who are invented, on a ship that is."""
LAMP_UNIT, LAMP = "io2", 14
STEP_S = 0.2
QUIET_S = 2.0
AT_REST_S = 3.0
"""The lamp must have been seen dark for two seconds before it counts as lit by the press."""


async def set_pins(socket: Path) -> None:
    """Let everybody whose acts ask for a PIN set one, as at ispsd's own computer."""
    for name, pin in PINS.items():
        # Set before, perhaps in the demo whose record this one goes on with.
        with suppress(RefusedError):
            await control.ask(socket, {"do": "pin.set", "by": name, "new_pin": pin})


@dataclass(slots=True)
class SsasChapter:
    """Tells it."""

    crew: Crew
    devices: Simulators
    station: Gangway
    socket: Path
    say: Callable[[str, str], None]

    async def tell(self) -> None:
        """Tell it.

        Raises:
            IspsdError: Something did not happen as it should.
        """
        await self._test()
        await self._covert()

    async def _test(self) -> None:
        """Refused, with the rule; then notice, a window by two, three legs."""
        await set_pins(self.socket)
        start = {"do": "test.start", "test": TEST, "by": SSO}
        await self._refused("SSAS TEST", start)
        sent = datetime.now(UTC) - timedelta(days=1)
        noticed = await self._control(
            {
                "do": "notice",
                "flag": "singapore",
                "sent": sent.isoformat(),
                "to": "MPA Singapore",
                "reference": "mail of yesterday, subject TEST",
                "by": SSO,
                "pin": PINS[SSO],
            }
        )
        self.say("", f"{SSO} enters the notice of yesterday · {on_disk(noticed['recorded'])}")
        await self._refused("", start)
        opened = await self._control(
            {"do": "window.open", "by": [SSO, MASTER], "pins": [PINS[SSO], PINS[MASTER]]}
        )
        self.say(
            "",
            f"{SSO} and {MASTER}, each with his PIN, open a window of {opened['minutes']:.0f} min",
        )
        await self._control(start)
        self.say("", await self._step(1))
        await self._answer(1, "yes")
        self.say("", await self._step(2))
        await asyncio.sleep(AT_REST_S)
        await self._lamp(lit=True)
        self.say("", f"activation seen: test lamp lit · {await self._step(3)}")
        await self.devices.do("ssas", "test")
        self.say("", f"TEST message seen on the unit's port · {await self._step(4)}")
        await self._lamp(lit=False)
        await self._answer(4, "")
        self.say("", f"unit reset: lamp at rest, no further message · {await self._step(6)}")
        mailed = datetime.now(UTC)  # neither before the message was sent nor after the test ended
        await self._answer(6, f"MPA Singapore by mail {mailed:%H%M}Z, ssas-p1.eml")
        self.say("", await self._step(7))
        await self._answer(7, f"CSO by mail {mailed:%H%M}Z")
        await self._step(8)
        await self._answer(8, "yes, read out by the CSO: all fields, TEST")
        self.say("", await self._step(9))
        await self._answer(9, "text read off the unit", by=MASTER)
        await self._step(10)
        await self._answer(10, "yes")
        await self._step(11)
        before = (await self._until_row(lambda row: row["running"]))["seq"]
        await self._answer(11, "yes, main")
        row = await self._until_row(lambda row: not row["running"] and row["seq"] != before)
        self.say(
            "", f"SSAS P1: {on_paper(row['outcome'])} · {row['reason']} · {on_disk(row['seq'])}"
        )
        await self._control({"do": "window.close", "by": [SSO]})
        self.say("", "window closed")

    async def _covert(self) -> None:
        """Outside a window the unit sends in earnest; on board nothing is different."""
        await self._settled()
        seen = len(self.station.news)
        entries = await self._newest_entry()
        await self._lamp(lit=True)
        await self.devices.do("ssas", "alert")
        await asyncio.sleep(2.0)
        await self._lamp(lit=False)
        await asyncio.sleep(1.0)
        told = [name for name in self.station.newest if "ssas" in name]
        more = await self._newest_entry() - entries
        self.say(
            "COVERT",
            "the simulated unit has just sent SECURITY SECURITY, its lamp flashed. On board: "
            f"{counted(self.station.news[seen:])}, {more} new entries, {len(told)} topics about it",
        )

    async def _refused(self, chapter: str, request: dict[str, Any]) -> None:
        try:
            await self._control(request)
        except RefusedError as err:
            self.say(chapter, f"refused: {err}")
        else:
            raise IspsdError("an SSAS test was not refused")

    async def _lamp(self, *, lit: bool) -> None:
        unit, also = self.crew.plan.of_device[LAMP_UNIT]
        await self.devices.do(unit, "set", **also, input=LAMP, on=lit)

    async def _settled(self) -> None:
        """Wait until nothing has been news for a while: what came before is told and sealed."""
        await self._control({"do": "seal.record"})
        quiet_s = 0.0
        while quiet_s < QUIET_S:
            seen = len(self.station.news)
            await asyncio.sleep(STEP_S)
            quiet_s = quiet_s + STEP_S if len(self.station.news) == seen else 0.0

    async def _newest_entry(self) -> int:
        answer = await self._control({"do": "log", "count": 1})
        return int(json.loads(answer["entries"][0])["seq"])

    async def _control(self, request: dict[str, Any]) -> dict[str, Any]:
        return await control.ask(self.socket, request)

    async def _step(self, number: int) -> str:
        row = await self._until_row(lambda row: row["step"] == number)
        return f"step {number}: {row['prompt']}"

    async def _answer(self, step: int, text: str, *, by: str = SSO) -> None:
        said = {"do": "test.answer", "test": TEST, "step": step, "text": text, "by": by}
        await self._control(said if by == SSO else {**said, "pin": PINS[by]})

    async def _until_row(self, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(30):
                while True:
                    answer = await self._control({"do": "tests"})
                    row: dict[str, Any] = next(r for r in answer["tests"] if r["test"] == TEST)
                    if holds(row):
                        return row
                    await asyncio.sleep(STEP_S)
        except TimeoutError as err:
            raise IspsdError(f"{TEST} did not go on") from err
