"""Does anything of ours break MQTT 5? A lively day through a cable that reads along, at a broker that logs everything.

Two judges that know nothing of each other: Mosquitto's log, and ``conversation`` at the cable. Of the daemon, the
program that sounds, the page, and two that listen beside them.
"""

from __future__ import annotations

import re
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from daemon.mqtt.wire import Broker
from daemon.simulate import processes
from tests import thin
from tests.broker import packets
from tests.broker.attacker import attacker
from tests.broker.packets import Kind
from tests.broker.tap import Tap
from tests.brokers import mosquitto
from tests.mqtt.harness import FAST, POINT, TOPICS, dashboard, publishing
from tests.processes.berth import HATCH
from tests.processes.rig import witness
from tests.soon import soon
from tests.web.hand import by_hand
from tests.web.rig import BANNER, browser, opened, served
from tests.web.rig import soon as page_soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.brokers import EmbeddedBroker

pytestmark = pytest.mark.timeout(120)
COMPLAINT = re.compile(
    r"\berror\b|protocol|malformed|quota|dropped|receive.?maximum|denied|invalid|exceeded|too (large|long)"
    r"|unexpected|bad ",
    re.IGNORECASE,
)
ACK = {"alert": "d12", "instance": 1, "priority": "W"}


@asynccontextmanager
async def that_logs_everything() -> AsyncIterator[EmbeddedBroker]:
    """Run Mosquitto; at the end its log has no complaint."""
    async with mosquitto() as broker:
        await broker.stop()
        with (broker.folder / "mosquitto.conf").open("a") as config:
            config.write("log_type all\n")
        await broker.start()
        yield broker
        await broker.stop()
        log = (broker.folder / "broker.log").read_text(errors="replace")
        assert "Received PUBLISH from" in log, "it logs everything"
        assert [line for line in log.splitlines() if COMPLAINT.search(line)] == []


async def test_a_lively_daemon_breaks_nothing() -> None:
    async with that_logs_everything() as broker, Tap(broker.port) as tap:
        through = Broker(port=tap.port)
        async with dashboard(through, "second") as page:
            for _ in range(2):
                async with publishing(through, timing=FAST) as running:
                    for number in range(100):
                        running.publisher.put(TOPICS.point(f"p{number}"), POINT, 1.0)
                    running.record.commit(60)
                    session = await page.session()
                    await page.command("bridge", "ack", id="k1", session=session, **ACK)
                    await page.command("bridge", "refresh", id="k2", session=session)
                    await page.command(
                        "bridge", "replay", id="k3", session=session, from_bseq=1, limit=50
                    )
                    await page.command("gangway", "ack", id="k4", session="old", retain=True)
                    for number in range(60):
                        await page.command(
                            "gangway", "ack", id=f"f{number}", session=session, **ACK
                        )
                    await page.reply("bridge", "k3")
                    running.publisher.put(TOPICS.alert("a"), {"id": "a"}, 1.0)
                    running.publisher.put(TOPICS.alert("a"), {"id": "a"}, 2.0, last=True)
                    assert await running.publisher.round_trip_s(limit_s=10.0) is not None
                    running.publisher.remove(TOPICS.point("p1"))
                    await running.drained()
                    live = running.publisher._session
                    assert live is not None
                    live.connection.give_up("cut by the test")
                    await page.until(
                        lambda was=session: page.newest(TOPICS.status()).get("session") != was
                    )
                    await page.session()
                    await running.drained()
        assert tap.violations == []
        assert len([name for name in tap.ids() if name.startswith("ispsd-")]) >= 4
        assert any(each.packets[-1][1].kind.name == "DISCONNECT" for each in tap.conversations)


async def test_a_ship_with_a_sounder_breaks_nothing_when_the_cable_is_pulled(
    tmp_path: Path,
) -> None:
    async with (
        that_logs_everything() as broker,
        Tap(broker.port) as tap,
        thin.simulators() as devices,
        witness(broker) as seen,
    ):
        await devices.do("io1", "inputs", on=thin.ALL_SHUT)
        config = thin.write_config(tmp_path, devices, replace(broker, port=tap.port))
        log = tmp_path / "sound.log"
        words = ("--station", "gangway", "--broker", f"127.0.0.1:{tap.port}", "--ship", "9999993")
        async with (
            processes.daemon_process(config, tmp_path / "daemon.log"),
            processes.child(
                *("-m", "daemon", "sound", *words, "--sink", str(tmp_path / "ear.wav")), log=log
            ) as sounder,
        ):
            session = await seen.session()
            await soon(lambda: "broker.connected" in log.read_text("utf-8"))
            await devices.do("io1", "set", input=HATCH, on=False)
            alert = await seen.until(lambda: seen.newest.get("alert/door.escape.open.d12"))
            asked = {name: alert[name] for name in ("instance", "priority")}
            assert (await seen.ask("office", "ack", alert=alert["id"], **asked))["accepted"]
            tap.cut()
            await seen.session(other_than=session)
            await seen.until(lambda: "station/gangway" in seen.newest)
            await soon(lambda: len([i for i in tap.ids() if i.startswith("ispsd-sound-")]) >= 2)
            await devices.do("io1", "set", input=HATCH, on=True)
            await seen.until(lambda: "alert/door.escape.open.d12" not in seen.newest)
            sounder.send_signal(signal.SIGTERM)
            assert await sounder.wait() == 0
        await seen.until(lambda: seen.newest["status"]["state"] in {"stopped", "offline"})
        assert tap.violations == []


async def test_the_page_breaks_nothing() -> None:
    async with (
        that_logs_everything() as broker,
        Tap(broker.ws_port, websocket=True) as tap,
        browser() as chromium,
        served(replace(broker, ws_port=tap.port)) as address,
        by_hand(broker) as hand,
    ):
        await hand.begin("gangway")
        screen = await opened(chromium, address, "gangway", paused=False)
        await page_soon(screen, "window.told", "the snapshot")
        await hand.alert("a", priority="A", sounding=False)
        await page_soon(
            screen, "document.querySelectorAll('ol.alerts > li').length === 1", "the alert"
        )
        await hand.beat()
        silence = "document.querySelector('#watch .silence')"
        await page_soon(screen, f"!{silence}.disabled && ({silence}.click(), true)", "silence")
        await soon(lambda: "silence" in sent(tap))
        tap.cut()
        await page_soon(screen, "window.sockets.made >= 2 && window.told", "another connection")
        await screen.page.reload()
        await page_soon(screen, f"window.told && {BANNER}", "the snapshot, after a reload")
        assert tap.violations == []
        assert "alive" in sent(tap)


def sent(tap: Tap) -> set[str]:
    """Return the last words of the topics that clients published to."""
    return {
        packet["topic"].rpartition("/")[2]
        for talk in tap.conversations
        for who, packet in talk.packets
        if who == "client" and packet.kind is Kind.PUBLISH
    }


async def test_the_cable_sees_what_is_wrong() -> None:
    """The judge at the cable is awake: one client says what the standard forbids."""
    async with mosquitto() as broker, Tap(broker.port) as tap:
        async with attacker(tap.port, authority=None) as one:
            assert await one.enter("wrong") == 0
            await one.send(packets.publish("a", b"", properties=[("alias", 65_535)]))
            await one.goodbye()
        assert [words.partition(" are")[0] for words in tap.violations] == [
            "wrong: client: alias 65535, 10"
        ]
