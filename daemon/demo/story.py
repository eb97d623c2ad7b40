"""The demo's story: what happens at the gangway between ten past two and a quarter past, one fact a line.

Every line is read off the running system: from MQTT as any station sees it, from the control socket as the SSO
does. The story only presses buttons and opens doors.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from daemon import control
from daemon.errors import IspsdError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from daemon.demo.gangway import Gangway
    from daemon.simulate.processes import Simulators

ALL_SHUT = [2, 3, 4, 6]
"""Inputs that are on while every door and seal is closed; DI13 (EMERG GEN ROOM) is wired NO, so it is off."""
HATCH, GEAR_DOOR_CLOSED, LAMP = 3, 4, 14
HATCH_ALERT = "alert/door.escape.open.d12"
FAULT_ALERT = "alert/sensor.line_fault.d11"
SILENT_ALERT = "alert/ais.silent.ais"
TEST = "t-ssas-e-p1"
SSO, MASTER = "R. Menon", "A. Lindqvist"
STEP_S = 0.2


@dataclass(slots=True)
class Story:
    """Tells the story.

    Attributes:
        say: Prints a line; the first argument is the chapter, empty for a line that goes on.
    """

    devices: Simulators
    station: Gangway
    socket: Path
    say: Callable[[str, str], None]

    async def tell(self) -> None:
        """Tell it, from the taking of the watch to the SSAS alert that nobody notices.

        Raises:
            IspsdError: Something did not happen as it should.
        """
        await self.take_watch()
        await self.hatch_opens()
        await self.cable_cut()
        await self.ais_test()
        await self.ais_silent()
        await self.ssas_test()
        await self.covert()

    async def quiet_watch(self) -> None:
        """The picture is complete and true: every door seen, nothing to acknowledge."""
        see = self.station.newest
        await self.station.until(
            "a complete picture",
            lambda: "snapshot" in see and all(f"point/{d}" in see for d in self._doors()),
        )
        self.say("QUIET WATCH", "alongside, security level 1; what every station sees now:")
        for door in self._doors():
            body = see[f"point/{door}"]
            age_s = see["heartbeat"]["up"] - body["up"] if "heartbeat" in see else 0.0
            self.say("", f"{body['name']:<16} {body['value']:<8} seen {max(age_s, 0):.1f} s ago")
        alerts = [body["title"] for name, body in see.items() if name.startswith("alert/")]
        self.say("", f"alerts: {', '.join(alerts) or 'none'}")

    async def take_watch(self) -> None:
        """The gangway watch presses *Take watch*."""
        reply = await self.station.ask("take_watch", person="L. Tupou")
        self.say("TAKE WATCH", f"gangway: L. Tupou · {_on_disk(reply['recorded'])}")

    async def hatch_opens(self) -> None:
        """A restricted opening opens; it sounds at the gangway, is acknowledged, and is shut."""
        await self.devices.do("io1", "set", input=HATCH, on=False)
        alert = await self.station.until(
            "the hatch's alert", lambda: self._recorded(HATCH_ALERT, state="V")
        )
        self.say("HATCH OPENS", f"{alert['title']} · {alert['name']} · {alert['state_words']}")
        self.say("", f"sounds at {', '.join(alert['sounds_at'])} · {_on_disk(alert['recorded'])}")
        self.say("", f"action: {alert['action']}")
        reply = await self.station.ask(
            "ack",
            alert=alert["id"],
            instance=alert["instance"],
            priority=alert["priority"],
            person="L. Tupou",
        )
        steady = await self.station.until(
            "the acknowledged alert", lambda: self._recorded(HATCH_ALERT, state="A")
        )
        self.say("", f"{steady['state_words']}, steady · {_on_disk(reply['recorded'])}")
        await self.devices.do("io1", "set", input=HATCH, on=True)
        await self.station.until("the end of it", lambda: HATCH_ALERT not in self.station.newest)
        self.say("", "hatch shut: rectified and gone; the record keeps it")

    async def cable_cut(self) -> None:
        """A cut cable is neither open nor closed."""
        await self.devices.do("io1", "set", input=GEAR_DOOR_CLOSED, on=False)
        alert = await self.station.until(
            "the line fault", lambda: self._recorded(FAULT_ALERT, state="A")
        )
        value = self.station.newest["point/d11"]["value"]
        self.say("CABLE CUT", f"{alert['title']} · {alert['name']} · the door is {value!r} now")
        await self.devices.do("io1", "set", input=GEAR_DOOR_CLOSED, on=True)
        self.say("", "cable mended; the alert goes by itself 10 s later")

    async def ais_test(self) -> None:
        """The day's automatic test of the AIS has run."""
        equipment = await self.station.until("the AIS test", lambda: self._result("equipment/ais"))
        last = equipment["last"]
        self.say("AIS TEST", f"AIS own report: {_paper(last['outcome'])} · {last['reason']}")
        self.say("", f"{equipment['readiness']} · {_on_disk(last['seq'])}")

    async def ais_silent(self) -> None:
        """Own report stops, while the feed goes on."""
        await self.devices.do("ais", "ais", on=False)
        alert = await self.station.until(
            "OWN AIS SILENT", lambda: self._recorded(SILENT_ALERT, state="A")
        )
        self.say(
            "AIS SILENT",
            f"{alert['title']} · {alert['state_words']} (9 min in life, 6 s here) · "
            f"{_on_disk(alert['recorded'])}",
        )
        await self.devices.do("ais", "ais", on=True)
        await self.station.until("the AIS again", lambda: SILENT_ALERT not in self.station.newest)
        self.say("", "own report heard again: gone")

    async def ssas_test(self) -> None:
        """An SSAS test, gated and proven on three legs; the watch stations see nothing of it."""
        try:
            await self._control({"do": "test.start", "test": TEST, "by": SSO})
        except RefusedError as err:
            self.say("SSAS TEST", f"refused: {err}")
        opened = await self._control({"do": "window.open", "by": [SSO, MASTER]})
        self.say("", f"{SSO} and {MASTER} open a window of {opened['minutes']:.0f} min")
        await self._control({"do": "test.start", "test": TEST, "by": SSO})
        self.say("", await self._step(1))
        await asyncio.sleep(3 * STEP_S)  # the lamp is seen dark first: at 10 polls a second
        await self.devices.do("io1", "set", input=LAMP, on=True)
        self.say("", f"activation seen: test lamp lit · {await self._step(2)}")
        await self.devices.do("ssas", "test")
        self.say("", f"TEST message seen on the unit's port · {await self._step(3)}")
        await self._answer(3, "MPA Singapore by mail 0224Z, ssas-p1.eml")
        await self._step(4)
        await self.devices.do("io1", "set", input=LAMP, on=False)
        await self._answer(4, "")
        self.say("", await self._step(5))
        await self._answer(5, "")
        row = await self._until_row(lambda row: row["seq"] and not row["running"])
        self.say(
            "", f"SSAS P1: {_paper(row['outcome'])} · {row['reason']} · {_on_disk(row['seq'])}"
        )
        await self._control({"do": "window.close", "by": [SSO]})
        self.say("", "window closed")

    async def covert(self) -> None:
        """Outside a window the unit sends in earnest; on board nothing is different."""
        await self._settled()
        seen = len(self.station.news)
        entries = await self._newest_entry()
        await self.devices.do("io1", "set", input=LAMP, on=True)
        await self.devices.do("ssas", "alert")
        await asyncio.sleep(2.0)
        await self.devices.do("io1", "set", input=LAMP, on=False)
        await asyncio.sleep(1.0)
        told = [name for name in self.station.newest if "ssas" in name]
        more = await self._newest_entry() - entries
        news = self.station.news[seen:]
        self.say(
            "COVERT",
            "the simulated unit has just sent SECURITY SECURITY, its lamp flashed. On board: "
            f"{_counted(news)}, {more} new entries, {len(told)} topics about it",
        )

    def _doors(self) -> list[str]:
        return ["d03", "d11", "d12", "d14", "s01"]

    def _recorded(self, topic: str, *, state: str) -> dict[str, Any] | None:
        body = self.station.newest.get(topic)
        return body if body and body["state"] == state and body["recorded"] is not None else None

    def _result(self, topic: str) -> dict[str, Any] | None:
        body = self.station.newest.get(topic)
        return body if body is not None and body["last"] is not None else None

    async def _settled(self) -> None:
        """Wait until nothing is left of the story: the line fault of the cut cable is gone."""
        await self.station.until(
            "the line fault's end", lambda: FAULT_ALERT not in self.station.newest
        )
        await asyncio.sleep(1.0)

    async def _control(self, request: dict[str, Any]) -> dict[str, Any]:
        return await control.ask(self.socket, request)

    async def _newest_entry(self) -> int:
        answer = await self._control({"do": "log", "count": 1})
        _, _, rest = answer["entries"][0].partition('"seq":')
        return int(rest.partition(",")[0])

    async def _step(self, step: int) -> str:
        row = await self._until_row(lambda row: row["step"] == step)
        return f"step {step}: {row['prompt']}"

    async def _answer(self, step: int, text: str) -> None:
        await self._control(
            {"do": "test.answer", "test": TEST, "step": step, "text": text, "by": SSO}
        )

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


def utc_now() -> str:
    """Return the wall clock for the margin."""
    return f"{datetime.now(UTC):%H:%M:%S}Z"


def _counted(news: list[str]) -> str:
    """Return how many messages came, by name where there were any."""
    return f"{len(news)} new messages" + (f" ({', '.join(sorted(set(news)))})" if news else "")


def _on_disk(seq: int | None) -> str:
    return "not yet recorded" if seq is None else f"no. {seq} on disk"


def _paper(outcome: str) -> str:
    """Return an outcome in the words of the test log."""
    return {
        "passed": "SAT",
        "failed": "UNSAT",
        "inconclusive": "NOT PROVEN",
        "skipped": "NOT DONE",
    }[outcome]
