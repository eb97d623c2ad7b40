"""A sounder at a real broker: what it plays, what it proves, and what it says when nobody tells it anything."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from daemon.computer import logs
from daemon.errors import IspsdError
from daemon.mqtt.connection import Connection
from daemon.mqtt.wire import Message
from daemon.sound.asking import ask_once
from daemon.sound.hearing import Hearing
from daemon.sound.sounder import Sounder
from tests.brokers import DEMO_USERS, address, mosquitto
from tests.clocks import FixedEntropy, ManualClock
from tests.makers import UTC_0210
from tests.mqtt.harness import TOPICS, connected, publishing
from tests.mqtt.test_contract import ALERT, STATE
from tests.soon import soon
from tests.sound.listening import groups
from tests.sound.test_player import Device

if TYPE_CHECKING:
    from array import array
    from collections.abc import AsyncIterator, Callable

    from tests.brokers import EmbeddedBroker
    from tests.mqtt.harness import Running

HATCH = TOPICS.alert("a1")
SOUNDS = {**ALERT, "priority": "W", "sounds_at": ["gangway"]}
QUIET = {**SOUNDS, "state": "A", "sounding": False, "sounds_at": []}
STATION = {**STATE[TOPICS.station("bridge")], "sounds": True, "tones": 1, "volume_floor": 60}


class Listening:
    """A sounder at the gangway, its loudspeaker, and its time."""

    def __init__(self, broker: EmbeddedBroker, user: str | None, **how: Any) -> None:
        self.clock = ManualClock()
        self.device = Device(self.clock)
        self.lines: list[str] = []
        self.sounder = Sounder(
            how.pop("station", "gangway"),
            broker=address(broker, user),
            ship="aurora",
            open_output=lambda: self.device,
            clock=self.clock,
            entropy=FixedEntropy(),  # type: ignore[arg-type]
            **how,
        )

    def heard(self) -> list[tuple[float, int]]:
        """Return when each group of pulses began, and how many it had."""
        return groups(memoryview(bytes(self.device.given)).cast("h"))

    async def pass_time(self, seconds: float) -> None:
        """Let time pass; nobody is heard of meanwhile."""
        await self.clock.advance(seconds)

    async def live(self, seconds: float) -> None:
        """Let time pass, with a heartbeat each five seconds as one that lives would have it."""
        end_s = self.clock.now_s() + seconds
        while (left_s := end_s - self.clock.now_s()) > 0.0:
            await self.beat()
            await self.clock.advance(min(5.0, left_s))
        await self.beat()

    async def beat(self) -> None:
        """Wait for a heartbeat that comes now."""
        heard, now_s = self.sounder.hearing, self.clock.now_s()
        await soon(lambda: heard._beat_s is not None and heard._beat_s >= now_s)

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait for what comes over the network; its time stands still."""
        await soon(holds)


@asynccontextmanager
async def listening(
    broker: EmbeddedBroker, *, user: str | None = None, **how: Any
) -> AsyncIterator[Listening]:
    ear = Listening(broker, user, **how)
    task = asyncio.ensure_future(ear.sounder.run())
    try:
        yield ear
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def told(running: Running, topic: str, body: dict[str, Any]) -> None:
    running.publisher.put(topic, body, 1.0)
    await running.drained()


async def test_an_alert_sounds_until_it_is_acknowledged_somewhere(broker: EmbeddedBroker) -> None:
    async with publishing(broker) as running, listening(broker) as ear:
        await told(running, TOPICS.station("gangway"), STATION)
        await ear.until(lambda: ear.sounder.hearing.fresh(ear.clock.now_s()))
        await ear.pass_time(2.0)
        assert ear.heard() == []
        await told(running, HATCH, SOUNDS)
        await ear.until(ear.sounder.hearing.sounding)
        await ear.live(65.0)
        assert [count for _, count in ear.heard()] == [2, 2]
        first_s, second_s = (began_s for began_s, _ in ear.heard())
        assert second_s - first_s == pytest.approx(60.0, abs=0.2)
        await told(running, HATCH, {**SOUNDS, "priority": "A"})
        await ear.until(
            lambda: {s.signal.name for s in ear.sounder.hearing.sounding()} == {"ALARM"}
        )
        await ear.live(15.0)
        assert [count for _, count in ear.heard()[2:]] == [3, 3, 3]
        await told(running, HATCH, QUIET)
        await ear.until(lambda: not ear.sounder.hearing.sounding())
        before = ear.heard()
        await ear.live(14.0)
        assert ear.heard() == before, "acknowledged elsewhere: silent here"


async def test_when_ispsd_is_lost_the_sounder_says_so_and_is_armed_no_longer() -> None:
    async with mosquitto() as broker, listening(broker) as ear:
        async with publishing(broker) as running:
            await told(running, TOPICS.station("gangway"), STATION)
            await told(running, HATCH, SOUNDS)
            await ear.until(ear.sounder.hearing.sounding)
            await ear.beat()
            await ear.pass_time(3.0)
            await ear.until(lambda: running.app.commands)
            await ear.beat()
            assert ear.sounder.hearing.fresh(ear.clock.now_s())
        await ear.until(lambda: not ear.sounder.hearing.fresh(ear.clock.now_s()))
        before = len(ear.heard())
        await ear.pass_time(90.0)
        assert [count for _, count in ear.heard()[before:]] == [1, 1], "one long tone each minute"
        async with publishing(broker) as again:
            await again.until(lambda facts: facts.connected)
            await ear.until(lambda: ear.sounder.hearing.session == again.publisher.facts().session)
            await ear.until(lambda: ear.sounder.hearing.fresh(ear.clock.now_s()))
            before = len(ear.heard())
            await ear.pass_time(10.0)
            assert len(ear.heard()) == before, "what stood before is not told any more"


async def test_a_broker_that_is_killed_is_found_again() -> None:
    async with mosquitto() as broker, publishing(broker) as running, listening(broker) as ear:
        await told(running, TOPICS.station("gangway"), STATION)
        await ear.until(lambda: ear.sounder.hearing.fresh(ear.clock.now_s()))
        await broker.kill()
        await ear.until(lambda: ear.sounder._connection is None)
        await ear.pass_time(20.0)
        assert [count for _, count in ear.heard()] == [1]
        await broker.start()
        await running.until(lambda facts: facts.connected)
        for _ in range(200):
            await ear.pass_time(1.0)
            if ear.sounder.hearing.fresh(ear.clock.now_s()):
                break
            await asyncio.sleep(0.01)
        await told(running, HATCH, SOUNDS)
        await ear.until(ear.sounder.hearing.sounding)
        await ear.beat()
        before = len(ear.heard())
        await ear.pass_time(2.0)
        assert [count for _, count in ear.heard()[before:]] == [2]


async def test_a_retained_alert_of_another_session_does_not_sound() -> None:
    async with mosquitto() as broker:
        async with connected(address(broker), "yesterday") as earlier:
            for topic, session, body in (
                (TOPICS.status(), "s1", {"state": "ready"}),
                (HATCH, "s0", SOUNDS),
                (TOPICS.alert("a2"), "s1", QUIET),
            ):
                said = json.dumps({**body, "session": session, "up": 1.0}).encode()
                await earlier.deliver(topic, said, retain=True)
        async with listening(broker) as ear:
            await ear.until(lambda: len(ear.sounder.hearing._alerts) == 1)
            assert ear.sounder.hearing.session == "s1"
            await ear.pass_time(10.0)
            assert ear.heard() == []


async def test_it_proves_each_ten_seconds_what_is_true_and_at_once_what_has_changed() -> None:
    async with (
        mosquitto(users=DEMO_USERS) as broker,
        publishing(broker, user="ispsd") as running,
        listening(broker, user="gangway") as ear,
    ):
        await ear.until(lambda: ear.sounder.hearing.fresh(ear.clock.now_s()))

        def proofs() -> list[dict[str, Any]]:
            return [dict(c.arguments) for c in running.app.commands if c.verb == "alive"]

        await ear.pass_time(1.0)
        await ear.until(lambda: proofs() and proofs()[-1]["fresh"])
        assert proofs()[-1] == {
            "shown": False,
            "fresh": True,
            "sound_armed": False,
            "of": "program",
        }
        await ear.live(3.0)  # it looks each second, once the broker has what it said before
        await ear.until(lambda: proofs()[-1]["sound_armed"])
        count = len(proofs())
        await ear.live(10.0)
        await ear.until(lambda: len(proofs()) == count + 1)
        ear.device.fault = "pulled out"
        await ear.live(3.0)
        await ear.until(lambda: not proofs()[-1]["sound_armed"])
        assert {command.station for command in running.app.commands} == {"gangway"}


async def test_it_answers_a_synthetic_alert_at_once_and_nothing_sounds_or_is_shown() -> None:
    lines: list[str] = []
    async with (
        mosquitto(users=DEMO_USERS) as broker,
        publishing(broker, user="ispsd") as running,
        listening(broker, user="gangway", show=lines.append) as ear,
    ):
        await ear.until(lambda: ear.sounder.hearing.fresh(ear.clock.now_s()))
        await ear.live(3.0)
        began_s, sent = ear.clock.now_s(), []
        assert await running.publisher.round_trip_s(limit_s=10.0, sending=sent.append) is not None
        await ear.until(lambda: answered(running))
        assert answered(running) == sent
        assert ear.clock.now_s() == began_s, "no time has passed"
        assert (ear.heard(), lines) == ([], [])


def answered(running: Running) -> list[str]:
    said = [dict(c.arguments) for c in running.app.commands if c.verb == "alive"]
    return [proof["selftest"] for proof in said if "selftest" in proof]


async def test_it_answers_no_kept_no_foreign_and_no_old_one_and_of_a_flood_one_a_second() -> None:
    async with (
        mosquitto() as broker,
        publishing(broker) as running,
        listening(broker) as ear,
        connected(address(broker)) as anybody,
    ):
        await ear.until(lambda: ear.sounder.hearing.fresh(ear.clock.now_s()))
        await ear.live(3.0)
        session = str(running.publisher.facts().session)

        async def send(nonce: str, *, retain: bool = False, **other: Any) -> None:
            body = {"synthetic": True, "session": session, "up": 1.0, **other}
            topic = TOPICS.selftest(nonce)
            await anybody.deliver(topic, json.dumps(body).encode(), retain=retain)

        await send("old", session="another")
        await send("none", synthetic=False)
        for number in range(50):
            await send(f"n{number}")
        await ear.until(lambda: answered(running))
        await ear.live(0.9)
        assert len(answered(running)) == 1
        await ear.live(5.0)
        assert answered(running)[1:] in ([], ["n49"])
        assert answered(running)[0].startswith("n"), "neither the old one nor what is none"


async def test_what_the_broker_had_kept_is_no_synthetic_alert() -> None:
    said = json.dumps({"synthetic": True, "session": "s1", "up": 1.0}).encode()
    heard = Hearing("gangway", TOPICS, 0.0, session="s1")
    for retained, asked in ((True, None), (False, "n1")):
        heard.take(Message(TOPICS.selftest("n1"), said, retained, qos=1, expiry_s=None), 1.0)
        assert heard.asked == asked


async def test_where_somebody_reads_it_the_alert_is_shown_in_words() -> None:
    lines: list[str] = []
    async with (
        mosquitto() as broker,
        publishing(broker) as running,
        listening(broker, show=lines.append) as ear,
    ):
        await told(running, HATCH, SOUNDS)
        await ear.until(ear.sounder.hearing.sounding)
        await ear.pass_time(2.0)
        assert lines == ["WARNING DOOR D12 OPEN · D12 · Send someone"]
        await ear.until(lambda: any(c.arguments["shown"] for c in running.app.commands))
        assert "of" not in running.app.commands[-1].arguments, "it is all that the station has"


async def test_covert_a_sounder_asks_for_nothing_that_is_closed(monkeypatch) -> None:
    """Its station may read ``sso/``: it does not, so that nothing there can ever sound."""
    asked: list[str] = []
    subscribe = Connection.subscribe

    async def note(connection: Connection, topic_filter: str, **how: Any) -> None:
        asked.append(topic_filter)
        await subscribe(connection, topic_filter, **how)

    async with (
        mosquitto(users=DEMO_USERS) as broker,
        publishing(broker, user="ispsd") as running,
    ):
        await running.until(lambda facts: facts.connected)  # it asks for everything itself
        monkeypatch.setattr(Connection, "subscribe", note)
        async with listening(broker, user="sso", station="sso") as ear:
            for topic in STATE:
                if "/sso/" in topic:
                    await told(running, topic, STATE[topic])
            await ear.until(lambda: ear.sounder.hearing.fresh(ear.clock.now_s()))
            await ear.live(10.0)
            assert ear.heard() == []
    root = TOPICS.root
    names = ("status", "heartbeat", "snapshot", "alert/+", "station/sso", "reply/sso")
    open_ = {f"{root}/{name}" for name in (*names, "curtain", "selftest/+")}
    # What is open, and the same where it goes on behind the curtain: nothing of the SSAS is in either.
    assert set(asked) == open_ | {f"{root}/citadel/{name}" for name in names}


async def test_a_terminal_that_is_gone_and_a_reply_of_nonsense_silence_nobody() -> None:
    def gone(line: str) -> None:
        raise OSError(5, "Input/output error")

    async with (
        mosquitto() as broker,
        publishing(broker) as running,
        listening(broker, show=gone) as ear,
    ):
        await ear.until(lambda: ear.sounder._connection)
        for nonsense in (b"[" * 100_000, b'{"id": "sound-\\ud800", "accepted": false}', b"null"):
            message = Message(
                TOPICS.reply("gangway"), nonsense, retained=False, qos=1, expiry_s=None
            )
            ear.sounder._take(message)
        await told(running, HATCH, SOUNDS)
        await ear.until(ear.sounder.hearing.sounding)
        await ear.pass_time(2.0)
        assert [count for _, count in ear.heard()] == [2]
        await ear.live(10.0)
        await ear.until(lambda: running.app.commands[-1].arguments.get("of") == "program")
        assert running.app.commands[-1].arguments["shown"] is False, "nobody reads it there"


async def test_what_is_acknowledged_elsewhere_ends_in_the_middle_of_its_pulses() -> None:
    async with mosquitto() as broker, publishing(broker) as running, listening(broker) as ear:
        await told(running, TOPICS.station("gangway"), STATION)
        await told(running, HATCH, {**SOUNDS, "priority": "A"})
        await ear.until(ear.sounder.hearing.sounding)
        await ear.until(lambda: ear.sounder.hearing.fresh(ear.clock.now_s()))
        began = len(ear.device.given)
        while max(memoryview(bytes(ear.device.given)).cast("h")[began // 2 :], default=0) == 0:
            await ear.pass_time(0.1)
        await told(running, HATCH, QUIET)
        await ear.until(lambda: not ear.sounder.hearing.sounding())
        await ear.pass_time(3.0)
        assert [count for _, count in ear.heard()] == [1], "not all the three pulses of an alarm"


async def test_every_alert_that_stands_is_heard_of_however_many_there_are() -> None:
    async with mosquitto() as broker, publishing(broker) as running:
        for number in range(1500):
            running.publisher.put(TOPICS.alert(f"a{number}"), QUIET, 1.0)
        running.publisher.put(HATCH, SOUNDS, 1.0)
        await running.drained()
        async with listening(broker) as ear:
            await ear.until(ear.sounder.hearing.sounding)


async def test_nonsense_is_no_answer_and_the_answer_after_it_is() -> None:
    async with mosquitto() as broker, publishing(broker) as running:
        async with connected(address(broker), "nonsense") as other:
            asking = asyncio.ensure_future(
                ask_once(
                    *("gangway", "heard"),
                    broker=address(broker),
                    ship="aurora",
                    entropy=FixedEntropy(),  # type: ignore[arg-type]
                    person="L. Tupou",
                )
            )
            while not asking.done():
                for nonsense in (b"[" * 5000, b"{", b"[]", b"1", b'{"id": null}'):
                    await other.deliver(TOPICS.reply("gangway"), nonsense)
            assert (await asking)["accepted"]
        assert running.app.commands[-1].verb == "heard"


async def test_a_flood_is_told_by_its_first_and_a_count() -> None:
    lines: list[str] = []
    async with mosquitto() as broker, publishing(broker) as running:
        for number in range(25):
            running.publisher.put(TOPICS.alert(f"a{number}"), SOUNDS, 1.0)
        running.publisher.put(HATCH, {**SOUNDS, "priority": "A"}, 1.0)
        await running.drained()
        async with listening(broker, show=lines.append) as ear:
            # Time stands still until all of them are there.
            await ear.until(lambda: len(ear.sounder.hearing.sounding()) == 25)
            await ear.pass_time(1.0)
    assert (len(lines), lines[0].split()[0], lines[-1]) == (21, "ALARM", "and 5 more")


async def test_the_volume_is_never_under_the_ships_floor() -> None:
    async with (
        mosquitto() as broker,
        publishing(broker) as running,
        listening(broker, volume=5) as ear,
    ):
        await told(running, TOPICS.station("gangway"), {**STATION, "volume_floor": 80})
        await told(running, HATCH, SOUNDS)
        await ear.until(
            lambda: (
                ear.sounder.hearing.sounding() and ear.sounder.hearing.voice().volume_floor == 80
            )
        )
        await ear.pass_time(2.0)
        heard: array[int] = memoryview(bytes(ear.device.given)).cast("h")  # type: ignore[assignment]
        assert max(heard) > 0.5 * 0.8 * 32767


async def test_a_heard_test_is_said_from_the_stations_own_computer() -> None:
    async with mosquitto() as broker, publishing(broker) as running:
        reply = await ask_once(
            *("gangway", "heard"),
            broker=address(broker),
            ship="aurora",
            entropy=FixedEntropy(),  # type: ignore[arg-type]
            person="L. Tupou",
        )
        assert reply["accepted"]
        (command,) = running.app.commands
        assert (command.station, command.verb, command.person) == ("gangway", "heard", "L. Tupou")
        with pytest.raises(IspsdError, match="refused: crane: no such station"):
            await ask_once(
                *("crane", "heard"),
                broker=address(broker),
                ship="aurora",
                entropy=FixedEntropy(),  # type: ignore[arg-type]
                person="L. Tupou",
            )


async def test_a_sounder_whose_word_nobody_takes_says_so_once() -> None:
    said = io.StringIO()
    logs.configure(json=True, utc=lambda: UTC_0210, stream=said)
    async with (
        mosquitto(users=DEMO_USERS) as broker,
        publishing(broker, user="ispsd"),
        listening(broker) as ear,  # nobody in particular: it hears, and may say nothing
    ):
        await ear.until(lambda: ear.sounder.hearing.fresh(ear.clock.now_s()))
        await ear.live(30.0)
        await ear.until(lambda: "alive.refused" in said.getvalue())
        await ear.live(30.0)
        assert said.getvalue().count("alive.refused") == 1
        assert "Not authorized" in said.getvalue()
