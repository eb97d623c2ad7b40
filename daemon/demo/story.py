"""The demo's story: a few minutes of a night alongside, one fact a line.

Every line is read off the running system: from MQTT as any station sees it, from the control socket as the SSO
does. The story only presses buttons, opens doors, pulls cables and kills the broker.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from daemon.control import control
from daemon.demo.paperwork import Paperwork
from daemon.demo.ssas import SsasChapter
from daemon.demo.words import contact, log_row, on_disk
from daemon.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from daemon.demo.crew import Crew
    from daemon.demo.gangway import Gangway
    from daemon.mqtt.embedded import EmbeddedBroker
    from daemon.simulate.processes import Simulators

WATCHMAN, SSO, MASTER, SECOND = "L. Tupou", "R. Menon", "A. Lindqvist", "J. Santos"
STALE_S = 5.0
"""A station that hears no heartbeat for so long shows every value grey."""
PORT_S = 30.0
IN_A_LINE = 3
LOG_ROWS = 6
GREY_DOORS = ("d10", "d13")


@dataclass(slots=True)
class Story:
    """Tells the story.

    Attributes:
        say: Prints a line; the first argument is the chapter, empty for a line that goes on.
    """

    crew: Crew
    devices: Simulators
    station: Gangway
    broker: EmbeddedBroker
    socket: Path
    say: Callable[[str, str], None]

    async def tell(self) -> None:
        """Tell it, from the permit to the morning.

        Raises:
            IspsdError: Something did not happen as it should.
        """
        await self.permit()
        await self.hatch_opens()
        await self.cable_cut()
        await self.unit_lost()
        await self.ais_off()
        await SsasChapter(self.crew, self.devices, self.station, self.socket, self.say).tell()
        await self.broker_lost()
        await self.morning()
        await Paperwork(self.socket.parent, self.station, self.socket, self.say).tell()

    async def quiet_watch(self) -> None:
        """The picture is complete and true: every door seen, nothing to acknowledge."""
        see = self.station.newest
        doors = [door for door in self.crew.plan.moves if "." not in door]
        await self.station.until(
            "a complete picture",
            lambda: (
                "snapshot" in see and all(see.get(f"point/{d}", {}).get("value") for d in doors)
            ),
        )
        reply = await self.station.ask("take_watch", person=WATCHMAN)
        played = await self.station.ask("test_sound", person=WATCHMAN)
        heard = await self.station.ask("heard", person=WATCHMAN, nonce=played["extra"]["nonce"])
        ship = see["ship"]
        local = timezone(timedelta(minutes=ship["ship_time_offset_min"]))
        self.say(
            "QUIET WATCH",
            f"situation {ship['situation']}, security level {ship['security_level']}, ship's time "
            f"{datetime.now(local):%H%M}; gangway taken by {WATCHMAN} · {on_disk(reply['recorded'])}",
        )
        self.say("", f"test sound played there and heard by him · {on_disk(heard['recorded'])}")
        points = [see[f"point/{d}"] for d in doors]
        seen = [f"{each['name']:<15} {contact(each):<6}" for each in points]
        for begin in range(0, len(seen), IN_A_LINE):
            self.say("", " · ".join(seen[begin : begin + IN_A_LINE]))
        now_up = see["heartbeat"]["up"] if "heartbeat" in see else 0.0
        oldest_s = max(0.0, *(now_up - see[f"point/{d}"]["up"] for d in doors))
        alerts = [body["title"] for name, body in see.items() if name.startswith("alert/")]
        self.say("", f"oldest of them {oldest_s:.1f} s old; alerts: {', '.join(alerts) or 'none'}")

    async def permit(self) -> None:
        """A permitted door does not nag."""
        reply = await self.station.ask(
            "permit", person=SECOND, door="d17", worker="R. dela Cruz", work="paint", minutes=60
        )
        self.say(
            "PERMIT", f"{SECOND}: BOSUN STORE, R. dela Cruz, 60 min · {on_disk(reply['recorded'])}"
        )
        before = self._alerts()
        await self._door("open", "d17", "open")
        permit = await self.station.until(
            "the permit", lambda: self.station.newest.get("permit/d17")
        )
        await asyncio.sleep(1.0)  # three times the delay after which it would be an alert
        more = self._alerts() - before
        self.say(
            "",
            f"the door is open, permit until {permit['ends_utc'][11:16]}Z; new alerts: {len(more)}",
        )
        await self._door("close", "d17", "closed")
        await self.station.ask(
            "permit", person=SECOND, door="d17", worker="R. dela Cruz", work="paint", minutes=0
        )
        self.say("", "shut, permit ended")

    async def hatch_opens(self) -> None:
        """A restricted opening opens; it sounds at the gangway, is acknowledged, and is shut."""
        await self.crew.move(self.devices, "open", "d12")
        alert = await self._alert("door.escape.open.d12", "V")
        self.say("HATCH OPENS", f"{alert['title']} · {alert['name']} · {alert['state_words']}")
        self.say("", f"{self._where(alert)} · {on_disk(alert['recorded'])}")
        self.say("", f"action: {alert['action']}")
        reply = await self._acknowledge(alert)
        steady = await self._alert("door.escape.open.d12", "A")
        self.say("", f"{steady['state_words']}, steady · {on_disk(reply['recorded'])}")
        await self.crew.move(self.devices, "close", "d12")
        await self._gone("door.escape.open.d12")
        self.say("", "hatch shut: rectified and gone; the record keeps it")

    async def cable_cut(self) -> None:
        """A cut cable is neither open nor closed."""
        await self.crew.move(self.devices, "cut", "d11")
        alert = await self._alert("sensor.line_fault.d11", "A")
        value = self.station.newest["point/d11"]["value"]
        self.say("CABLE CUT", f"{alert['title']} · {alert['name']} · the door is {value!r} now")
        await self.crew.move(self.devices, "close", "d11")
        self.say("", "cable mended; the alert goes by itself 10 s later")

    async def unit_lost(self) -> None:
        """One dead unit is one alert, and the other on its line does not notice."""
        lost_at = asyncio.get_running_loop().time()
        await self._unit6("fault", fault="dead")
        await self.station.until(
            "unit 6 lost", lambda: self.station.newest["driver/rtu6"]["link"] == "down"
        )
        before = self.station.newest["driver/rtu5"]
        alert = await self._alert("io.unit_lost.rtu6", "V")
        after = await self.station.until(
            "news of unit 5", lambda: self._later("driver/rtu5", before["up"])
        )
        rate = (after["good"] - before["good"]) / (after["up"] - before["up"])
        self.say("UNIT LOST", f"{alert['title']} · {alert['name']} · {alert['detail']}")
        self.say(
            "", f"one alert; unit 5 on the same line is read {rate:.1f} times a second as before"
        )
        await self._acknowledge(alert)
        await self.crew.move(self.devices, "open", "d15")  # while nobody sees it
        await self._unit6("clear")
        blind = await self._alert("door.blind_open.d15", "A")
        dark_s = asyncio.get_running_loop().time() - lost_at
        self.say(
            "", f"back after {dark_s:.0f} s: {blind['title']} · {blind['name']} · {blind['detail']}"
        )
        await self.crew.move(self.devices, "close", "d15")
        await self._gone("door.blind_open.d15")
        await self._gone("io.unit_lost.rtu6")

    async def ais_off(self) -> None:
        """Own report stops while the feed goes on; the Master's order is the honest way out."""
        await self.devices.do("ais", "ais", on=False)
        alert = await self._alert("ais.silent.ais", "A")
        self.say(
            "AIS SILENT",
            f"{alert['title']} · {alert['state_words']} (9 min in life, 10 s here) · "
            f"{on_disk(alert['recorded'])}",
        )
        reply = await self.station.ask("ais_off", person=SECOND, on=True, master=MASTER)
        ordered = await self._alert("ais.off_by_order.ais", "A")
        await self._gone("ais.silent.ais")
        self.say("", f"{ordered['title']} · {ordered['detail']} · {on_disk(reply['recorded'])}")
        await self.devices.do("ais", "ais", on=True)
        await self.station.ask("ais_off", person=SECOND, on=False, master=MASTER)
        await self._gone("ais.off_by_order.ais")
        self.say("", "order ended, own report heard again: gone")

    async def broker_lost(self) -> None:
        """Without a broker nothing on the station stays green; what happened meanwhile comes afterwards, in order."""
        await self.broker.stop()
        await self.station.lost()
        last = len(self.station.events)
        self.say(
            "BROKER LOST", f"no heartbeat: {STALE_S:.0f} s later the station shows every value grey"
        )
        await asyncio.sleep(STALE_S)
        for door in GREY_DOORS:
            await self.crew.move(self.devices, "open", door)
            await asyncio.sleep(1.0)
            await self.crew.move(self.devices, "close", door)
        await self._start_broker()
        await self.station.connect()
        raised = [f"door.escape.open.{GREY_DOORS[0]}", f"door.vital.open.{GREY_DOORS[1]}"]
        for alert in raised:
            await self._alert(alert, "U")
        await self.station.until(
            "the entries", lambda: len(self.station.events) >= last + len(raised)
        )
        came = [event["seq"] for event in self.station.events[last:]]
        order = "in order" if came == sorted(came) else "OUT OF ORDER"
        self.say(
            "", f"broker back: {len(came)} entries arrive {order}, no. {came[0]} to {came[-1]}"
        )
        for alert in raised:
            await self._acknowledge(self.station.newest[f"alert/{alert}"])
            await self._gone(alert)
        self.say("", f"two doors had been opened and shut meanwhile; {WATCHMAN} acknowledges both")

    async def morning(self) -> None:
        """What the SSO reads at 0800: what is to be done, and the newest lines of the equipment test log."""
        listed = (await control.ask(self.socket, {"do": "worklist"}))["items"]
        count = f"{len(listed)} line{'s' * (len(listed) != 1)}"
        self.say("MORNING", f"what {SSO} reads at 0800: {count} on the worklist")
        for item in listed[:3]:
            self.say("", item["text"])
        answer = await control.ask(
            self.socket, {"do": "log", "type": "test.result", "count": LOG_ROWS}
        )
        self.say("", "equipment test log, the newest rows:")
        for raw in answer["entries"]:
            self.say("", log_row(raw))

    async def _start_broker(self) -> None:
        """Start it again; whoever took its port meanwhile is waited for."""
        async with asyncio.timeout(PORT_S):
            while True:
                try:
                    return await self.broker.start()
                except LinkError:
                    await asyncio.sleep(1.0)

    def _where(self, alert: dict[str, Any]) -> str:
        """Return in words where an alert sounds, and that the bridge is silent."""
        pulses = {"A": "three pulses", "W": "two pulses"}[alert["priority"]]
        there = " and ".join(alert["sounds_at"])
        is_silent = "bridge" not in alert["sounds_at"] and "station/bridge" in self.station.newest
        return f"{pulses} at {there}" + (", silent on the bridge" if is_silent else "")

    def _alerts(self) -> set[str]:
        return {name for name in self.station.newest if name.startswith("alert/")}

    async def _door(self, verb: str, door: str, state: str) -> None:
        await self.crew.move(self.devices, verb, door)
        await self.station.until(
            f"{door} {state}", lambda: self.station.newest[f"point/{door}"]["value"] == state
        )

    async def _unit6(self, verb: str, **said: Any) -> None:
        unit, also = self.crew.plan.of_device["rtu6"]
        await self.devices.do(unit, verb, **also, **said)

    async def _alert(self, id_: str, state: str) -> dict[str, Any]:
        """Return an alert once it stands so and is on disk."""

        def found() -> dict[str, Any] | None:
            body = self.station.newest.get(f"alert/{id_}")
            there = body is not None and body["state"] == state and body["recorded"] is not None
            return body if there else None

        alert: dict[str, Any] = await self.station.until(id_, found)
        return alert

    async def _gone(self, id_: str) -> None:
        name = f"alert/{id_}"
        await self.station.until(f"the end of {id_}", lambda: name not in self.station.newest)

    async def _acknowledge(self, alert: dict[str, Any]) -> dict[str, Any]:
        return await self.station.ask(
            "ack",
            alert=alert["id"],
            instance=alert["instance"],
            priority=alert["priority"],
            person=WATCHMAN,
        )

    def _later(self, name: str, up: float) -> dict[str, Any] | None:
        body = self.station.newest[name]
        return body if body["up"] > up else None
