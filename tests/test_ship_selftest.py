"""A station that says that it is alive and armed, and would hear no alert, is found by the synthetic one."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

from daemon.mqtt.access import OPEN_TOPICS, STATION_TOPICS
from daemon.mqtt.wire import Broker
from daemon.sound.sounder import Sounder
from tests.clocks import FixedEntropy
from tests.ship import ROOT, Ship, afloat, ashore
from tests.ship_talk import ATTENDED, entries
from tests.soon import soon
from tests.sound.test_player import Device

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from tests.brokers import EmbeddedBroker

MINUTE = """
[[test]]
id = "t-path"
kind = "alert_path"
name = "ALERT PATH"
equipment = "alert-path"
every = "day"
ssp_paragraph = "7.1"
clause = "ISPS B/9.43"
each_s = 60
"""
OFTEN = [5, 30, 15]
"""In port at level 1, 2, 3 the gangway is asked so often, in minutes."""


def each_minute(text: str) -> str:
    return text + MINUTE


@asynccontextmanager
async def sounding(ship: Ship, port: int) -> AsyncIterator[None]:
    """Run the gangway's ``ispsd sound`` on the ship's time, with somebody who reads its lines."""
    secret = ship.folder / "gangway.secret"
    secret.write_text("any\n", "utf-8")
    sounder = Sounder(
        "gangway",
        broker=Broker(port=port, user="gangway", password_file=secret),
        ship="9999993",
        open_output=lambda: Device(ship.clock),
        clock=ship.clock,
        entropy=Named(),  # type: ignore[arg-type]
        show=lambda _: None,
    )
    task = asyncio.ensure_future(sounder.run())
    await soon(lambda: sounder.hearing.session is not None)
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait({task})


class Named(FixedEntropy):
    """Names that no other part of the ship gives."""

    def token(self) -> str:
        return f"gangway-{super().token()}"


async def results(ship: Ship) -> list[tuple[str, str]]:
    said = [e["open"] for e in await entries(ship, "test.result") if e["open"]["test"] == "t-path"]
    return [(row["outcome"], row["reason"]) for row in said]


class Acl:
    """The access list of the ship's broker, of which the gangway's part may change while all goes on."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker
        self._file = broker.folder / "acl"
        self._write(OPEN_TOPICS + STATION_TOPICS)
        config = broker.folder / "mosquitto.conf"
        config.write_text(f"{config.read_text('utf-8')}acl_file {self._file}\n", "utf-8")

    async def withdraw(self, ship: Ship, *topics: str) -> None:
        """Let the broker deliver these to the gangway no longer, whatever it has subscribed to."""
        self._write(t for t in OPEN_TOPICS + STATION_TOPICS if t not in topics)
        os.kill(self._broker.pid, signal.SIGHUP)
        await ship.settle()

    def _write(self, topics: Iterable[str]) -> None:
        reads = "".join(f"topic read {ROOT}{topic}\n" for topic in topics)
        text = f"topic readwrite #\nuser gangway\ntopic write {ROOT}cmd/gangway/+\n{reads}"
        self._file.write_text(text, "utf-8")


def sent(ship: Ship) -> list[str]:
    return [m.topic for m in ship.heard if m.topic.startswith(f"{ROOT}selftest/")]


def by_page(text: str) -> str:
    """Let the gangway have no sounder but its page."""
    return re.sub(r'(id = "gangway"\n.*\n)sounder = "program"', r'\1sounder = "page"', text)


async def test_a_station_that_is_cut_off_from_alerts_is_found_in_two_looks(tmp_path):
    async with (
        ashore(tmp_path) as (ship, broker, feeds),
        nullcontext(Acl(broker)) as acl,
        afloat(ship, broker, feeds, edit=each_minute),
        sounding(ship, broker.port),
    ):
        await ship.ask("gangway", "take_watch", person="L. Tupou")
        await ship.until(lambda: ship.state("station/gangway")["live"])
        await ship.pass_time(60.0)
        outcome, reason = (await results(ship))[-1]
        assert (outcome, reason.partition(", ")[2]) == ("passed", "answered by gangway")
        await acl.withdraw(ship, "alert/+", "selftest/+")
        looks = len(sent(ship))
        await ship.until(lambda: len(sent(ship)) == looks + 1)
        await ship.pass_time(9.0)
        assert (await results(ship))[-1][0] == "passed", "once may be chance"
        await ship.until(lambda: len(sent(ship)) == looks + 2, for_s=20.0)
        await ship.pass_time(13.0)
        outcome, reason = (await results(ship))[-1]
        assert outcome == "failed"
        assert reason.startswith("gangway: live and armed, but 2 synthetic alerts in a row")
        assert len(sent(ship)) == looks + 2
        assert ship.state("station/gangway")["live"], "by its own word"
        assert ship.state("alert/station.none.ispsd") is None, "nothing else has noticed"


async def test_a_station_that_goes_out_of_sight_has_missed_nothing(tmp_path):
    """Its tablet is switched off: for 25 s more it counts as live, and no defect is made of that."""
    async with (
        ashore(tmp_path) as (ship, broker, feeds),
        afloat(ship, broker, feeds, edit=each_minute),
    ):
        await ship.ask("gangway", "take_watch", person="L. Tupou")
        async with sounding(ship, broker.port):
            await ship.until(lambda: ship.state("station/gangway")["live"])
            looks = len(sent(ship))
            await ship.until(lambda: len(sent(ship)) == looks + 1)
            await ship.pass_time(46.0)
        await ship.until(lambda: len(sent(ship)) == looks + 2, for_s=20.0)
        assert ship.state("station/gangway")["live"]
        await ship.pass_time(120.0)
        assert not ship.state("station/gangway")["live"]
        assert {outcome for outcome, _ in await results(ship)} == {"passed"}


async def test_an_answer_is_a_proof_of_life_and_never_a_touch(tmp_path):
    async with (
        ashore(tmp_path) as (ship, broker, feeds),
        afloat(ship, broker, feeds, edit=lambda text: each_minute(by_page(text))),
    ):
        proof = {**ATTENDED, "touched_s": 0.0}
        await ship.ask("gangway", "take_watch", person="L. Tupou")
        await ship.ask("gangway", "alive", **{**ATTENDED, "touched_s": None})
        before = ship.state("station/gangway")["lacks"]
        assert before == ["touch", "heard"]
        await ship.ask("gangway", "alive", **proof, selftest="foreign")
        assert ship.state("station/gangway")["lacks"] == before
        await ship.ask("gangway", "alive", **proof)
        assert ship.state("station/gangway")["lacks"] == ["heard"]
        await ship.ask("gangway", "alive", **{**proof, "touched_s": None}, selftest="foreign")
        assert ship.state("station/gangway")["lacks"] == before, "it may say that nobody has"
        assert ship.daemon._echoes.ignored == 2


async def test_no_answer_speaks_for_the_person_at_the_gangway(tmp_path):
    """The question whether anybody is there stands, whatever the page says by itself."""

    def often(text: str) -> str:
        text = text.replace('id = "gangway"\n', 'id = "gangway"\ngangway = true\n')
        return each_minute(
            text.replace("[mqtt]", f"[annunciation]\ngangway_reply_min = {OFTEN}\n\n[mqtt]")
        )

    async with (
        ashore(tmp_path) as (ship, broker, feeds),
        afloat(ship, broker, feeds, edit=often),
    ):
        await ship.ask("gangway", "alive", **ATTENDED, touched_s=0.0)
        wanted = await ship.until(
            lambda: ship.state("station/gangway")["reply_wanted"], for_s=OFTEN[0] * 60.0 + 10.0
        )
        await ship.ask("gangway", "alive", **ATTENDED, touched_s=0.0, selftest="n1")
        assert ship.state("station/gangway")["reply_wanted"] == wanted
        await ship.ask("gangway", "alive", **ATTENDED, touched_s=0.0)
        assert ship.state("station/gangway")["reply_wanted"] is None
