"""A day of the sample ship in one process: her own file, stand-ins for all devices, the real daemon, broker and record.

Time is simulated (``tests.strides``): twenty-four hours take a minute or two. What happens is ``day.toml``.
"""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from daemon.errors import RecordError
from daemon.record.segment import Segment
from tests.pins import PIN
from tests.processes.rig import verified
from tests.scenarios import life
from tests.scenarios.test_ssas import SSO, ready, short_press, switched_on
from tests.soak import proc, told
from tests.soak.judge_day import Sample, Seen
from tests.voyage import FINE_S, sailing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.soak.story import Step, Story
    from tests.voyage import Voyage

HEARD = (
    "alert/#",
    "event",
    "record/head",
    "equipment/#",
    "reply/#",
    "status",
    "test/#",
    "ship",
    "driver/#",
)
SAMPLE_EVERY_S = 3600.0
GRAIN_S = 2.0
"""Strides for a while after something has happened."""
AROUND_S = 300.0
"""So long before and after the unit has sent in earnest what is told is compared."""
LAMP = "t-ssas-l"
LAMP_UNIT, LAMP_POLL_S = "io2", 0.1
"""As her file has it: whoever looks at a lamp looks often."""
SILENCE_S = 32.0
"""What a unit that is asked each 10 s has: three polls and a time-out."""


class Disk:
    """The disk of the record, which may be full."""

    def __init__(self) -> None:
        self.is_full = False

    @contextmanager
    def laid_under(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Let every append ask it first."""
        append = Segment.append

        def asked(segment: Segment, *what: Any) -> Any:
            if self.is_full:
                raise RecordError("no space left on device")
            return append(segment, *what)

        patch.setattr(Segment, "append", asked)
        yield


class Day:
    """The day's doings."""

    def __init__(self, ship: Voyage, story: Story, disk: Disk) -> None:
        self.ship = ship
        self.seen = Seen(story)
        self.kept: list[str] = []
        self._disk = disk
        self._messages: list[tuple[float, str, Any]] = []
        self._told: list[tuple[str, Any]] | None = None
        self._fine_until_s = 0.0
        self._next_sample_s = 0.0
        ship.on_message = self._hear

    async def play(self) -> None:
        """Let it happen, to its end."""
        ordinary = iter(self.ship.scenario.steps)
        for step in self.seen.story.steps:
            await self._until(step.at_s)
            await self._do(step, None if step.act else next(ordinary))
            self._fine_until_s = max(self._fine_until_s, step.at_s + step.fine_s)
        await self._until(self.seen.story.lasts_s)
        await self.ship.settle()

    def judged(self) -> Seen:
        """Return what is left of the day."""
        seen, ship = self.seen, self.ship
        of_mqtt = told.alerts(
            [(at_s, name.removeprefix("alert/"), body) for at_s, name, body in self._messages],
            raised_s=lambda _: 0.0,
        )
        for alert in ship.alerts():
            same = [
                each for each in of_mqtt if (each.title, each.name) == (alert.title, alert.name)
            ]
            first = same[0] if same else None
            if first is None:
                seen.untold.append(f"told to nobody: {alert}")
            else:
                of_mqtt.remove(first)
            seen.alerts.append(
                told.Told(
                    alert.title,
                    alert.name,
                    alert.priority,
                    alert.raised_s,
                    None if first is None else first.sounds_at,
                    alert.ended_s,
                    alert.then,
                    alert.detail,
                )
            )
        seen.untold += [f"not in the record: {each}" for each in of_mqtt]
        seen.entries = ship.entry_types()
        seen.rows = [dict(entry.open) for entry in ship.of_type("test.result")]
        seen.faults = list(ship.faults)
        return seen

    async def _until(self, at_s: float) -> None:
        """Sail, in short strides where something has just happened, and look at the process now and then."""
        while (now_s := self.ship.at_s) < at_s - 1e-6:
            if now_s >= self._next_sample_s:
                self.seen.samples.append(_sample(now_s))
                self._next_sample_s += SAMPLE_EVERY_S
            is_fine = now_s < self._fine_until_s
            until_s = min(
                at_s,
                max(self._next_sample_s, now_s + FINE_S),
                self._fine_until_s if is_fine else at_s,
            )
            await self.ship.sail(until_s - now_s, grain_s=GRAIN_S if is_fine else None)

    async def _do(self, step: Step, ordinary: Any) -> None:
        if step.act is not None:
            await getattr(self, f"_{step.act}")(
                **{k: v for k, v in step.said.items() if k != "act"}
            )
            return
        for command in ordinary.commands:
            await self.ship.tell(command)
        if ordinary.request is not None:
            await self.ship.ask(ordinary.request)
        if ordinary.clock_by_s:
            self.ship.clock.step_utc(ordinary.clock_by_s)

    def _hear(self, name: str, body: Any) -> None:
        if name.startswith("alert/"):
            self._messages.append((self.ship.at_s, name, body))
        elif name == "event":
            self.seen.numbers.append((self.ship.at_s, body["bseq"]))
        if "ssas" in name and not name.startswith("sso/"):
            self.seen.covert.append(f"a topic about it: {name}")
        if self._told is not None:
            self._told.append((name, body))

    # What no scenario can bring about

    async def _take_watch(self, station: str, person: str) -> None:
        await self.ship.take_watch(station, person)

    async def _acknowledge(self, station: str, alert: str) -> None:
        body = self.ship.newest.get(f"alert/{alert}")
        assert body is not None, (
            f"{alert} does not stand: {[str(each) for each in self.ship.alerts()[-5:]]}"
        )
        said = {"alert": body["id"], "instance": body["instance"], "priority": body["priority"]}
        if not self._disk.is_full:
            reply = await self.ship.station(station, "ack", **said)
        else:  # the answer waits for the disk, for a second
            await self.ship._replied()
            id_ = await self.ship._command(station, "ack", said)
            await self.ship.until(
                lambda: self.ship.newest.get(f"reply/{station}", {}).get("id") == id_
            )
            reply = self.ship.newest[f"reply/{station}"]
            assert reply["recorded"] is None, "the disk is full, and it says that it is recorded"
        assert reply["accepted"], reply

    async def _makes(self, kn: float) -> None:
        for device in ("gps1", "gps2", "ais"):
            await self.ship.type(f"{device} sog kn={kn} cog_deg=90")

    async def _lead(self, test: str, person: str, answers: list[str]) -> None:
        said = await self.ship.lead(test, person, *((None, each) for each in answers), pin=PIN)
        assert said["outcome"] == "passed", said

    async def _keep_head(self) -> None:
        self.kept.append(self.ship.newest["record/head"]["note"])

    async def _lose_broker(self) -> None:
        await self.ship.lose_broker()

    async def _regain_broker(self) -> None:
        await self.ship.regain_broker()

    async def _disk_full(self) -> None:
        await self.ship.settle()
        self._disk.is_full, self.ship.awaits_disk = True, False

    async def _disk_free(self) -> None:
        self._disk.is_full = False
        await self.ship.until(lambda: self.ship.daemon.record.health().oldest_pending_s is None)
        self.ship.awaits_disk = True

    async def _ssas_test(self) -> None:
        """Show the short press of a lamp check, within a window that two persons open."""
        ship = self.ship
        await ready(ship)
        said = await short_press(ship, LAMP)
        assert said["outcome"] == "passed", said
        await ship.ask({"do": "window.close", "by": [SSO]})

    async def _ssas_alert(self) -> None:
        """Let it send in earnest; what is told, written and logged meanwhile is what was before."""
        ship = self.ship
        before = await self._listened()
        entries, log = len(ship.entries), ship.log.tell()
        await ship.type("io2 set 14 on")
        await ship.type("ssas alert")
        after = await self._listened()
        await ship.type("io2 set 14 off")
        self.seen.covert += [f"entry {each.type}" for each in ship.entries[entries:]]
        ship.log.seek(log)
        self.seen.covert += [f"log: {line}" for line in ship.log.read().splitlines()]
        known = {name for name, _ in before}
        self.seen.covert += [f"told: {name} {body}" for name, body in after if name not in known]

    async def _listened(self) -> list[tuple[str, Any]]:
        await self.ship.settle()
        self._told = []
        await self.ship.sail(AROUND_S)
        heard, self._told = self._told, None
        return heard


def _sample(at_s: float) -> Sample:
    gc.collect()
    cost = proc.cost(os.getpid(), {})
    assert cost is not None
    return Sample(
        at_s,
        len(gc.get_objects()),
        cost.rss_kib,
        cost.descriptors,
        len(asyncio.all_tasks()),
        threading.active_count(),
    )


async def run(story: Story, folder: Path) -> Seen:
    """Sail a day in this folder; return what is left of it."""
    disk = Disk()
    heard = (*(f"ispsd/+/v1/{name}" for name in HEARD), "barrier")
    with pytest.MonkeyPatch.context() as patch, disk.laid_under(patch):
        slow = life.slow(patch.setattr)
        # In long strides the unit with the lamp is asked once in each, and believed so long.
        patch.setattr("daemon.drivers.modbus_unit.SHORTEST_VALIDITY_S", 4 * life.SLOW_S)
        patch.setattr("daemon.drivers.modbus.SHORTEST_SILENCE_S", SILENCE_S)

        def change(tree: dict[str, Any]) -> None:
            switched_on(tree)
            slow(tree)
            tree["device"][LAMP_UNIT]["poll_s"] = LAMP_POLL_S

        async with sailing(
            folder, story.written(folder), change=change, topics=heard, pins=True
        ) as ship:
            ship.coarse_s, ship.keeps_messages = life.SLOW_S, False
            day = Day(ship, story, disk)
            await day.play()
            seen = day.judged()
        seen.verifier = await verified(folder / "record", folder / "record-key.pub", *day.kept)
    return seen
