"""Does a real Mosquitto with the files of ``ispsd init`` let everybody do what he may, and nothing else?

What is asserted is what is *delivered*: a broker grants every subscription, and one of MQTT 3.1.1 acknowledges what it
throws away.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
import pytest

from daemon.errors import LinkError
from daemon.mqtt.embedded import LARGEST_PAYLOAD_BYTES, free_port
from daemon.mqtt.topics import Topics
from daemon.mqtt.wire import Broker, PublishRefusedError
from tests import thin
from tests.mqtt.harness import connected
from tests.setup.rig import LOGIN, broker_of, computer
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from daemon.mqtt.connection import Connection
    from tests.setup.rig import Computer

OURS = Topics("9999993")
ROOT = OURS.root
STATIONS = ("bridge", "gangway", "office", "sso", "citadel")
OPEN = frozenset(
    {
        *(f"{ROOT}/{name}" for name in ("status", "snapshot", "event", "record/head", "ship")),
        *(OURS.curtain(), OURS.palette()),
        *(OURS.permit("d12"), OURS.point("d12"), OURS.driver("io1"), OURS.alert("x.d12")),
        *(OURS.equipment("d12"), OURS.test("t-door"), OURS.station("bridge")),
        OURS.reply("gangway"),
        OURS.heartbeat(),
        OURS.selftest("n1"),
    }
)
SSO = frozenset({OURS.worklist(), f"{ROOT}/sso/point/lamp", f"{ROOT}/sso/driver/ssas"})
CITADEL = frozenset({f"{ROOT}/citadel/point/d12", f"{ROOT}/citadel/status"})
NOBODYS = frozenset(
    {
        *(OURS.command("bridge", "ack"), OURS.command("sso", "ack")),
        *("ispsd/9074729/v1/status", "other/topic", f"{ROOT}/later/kind"),
    }
)
DISCOVERY = "homeassistant/binary_sensor/ispsd_9999993/point_d12/config"
EXPORTER = '\n[exporter.ha]\nkind = "homeassistant"\n'
EVERYTHING = OPEN | SSO | CITADEL | NOBODYS
MAY_READ = {
    **dict.fromkeys(("bridge", "gangway", "office"), OPEN),
    "sso": OPEN | SSO,
    "citadel": OPEN | CITADEL,
}


@asynccontextmanager
async def installed() -> AsyncIterator[Computer]:
    with computer() as made:
        assert await asyncio.to_thread(made.init, "--yes", "--install") == 0
        async with broker_of(made):
            yield made


async def refused_to(broker: Broker) -> str:
    """Return why somebody cannot come in."""
    with pytest.raises(LinkError) as caught:
        async with connected(broker):
            pass
    return str(caught.value)


async def test_nobody_comes_in_without_the_right_password() -> None:
    async with installed() as made:
        wrong = made.root / "wrong"
        wrong.write_text("guess\n")
        for tls in (False, True):
            port, ca = made.as_user("gangway", tls=tls).port, made.as_user("x", tls=tls).ca_file
            nobody = Broker(port=port, ca_file=ca)
            assert "Not authorized" in await refused_to(nobody)
            for user, password in (
                ("gangway", wrong),
                ("gangway", made.password_file("bridge")),
                ("root", made.password_file("bridge")),
            ):
                entered = Broker(port=port, ca_file=ca, user=user, password_file=password)
                assert "Not authorized" in await refused_to(entered)
            async with connected(made.as_user("gangway", tls=tls)) as connection:
                assert connection.is_open()


async def test_tls_is_the_ships_own_authority_and_no_other() -> None:
    async with installed() as made:
        with computer() as other:
            assert await asyncio.to_thread(other.init, "--yes") == 0
            foreign = Broker(
                port=made.ports["tls"],
                ca_file=other.setup / "stations/ispsd-ca.crt",
                user="gangway",
                password_file=made.password_file("gangway"),
            )
            assert "CERTIFICATE_VERIFY_FAILED" in await refused_to(foreign)
        by_name = Broker(
            host="localhost",
            port=made.ports["tls"],
            ca_file=made.setup / "stations/ispsd-ca.crt",
            user="gangway",
            password_file=made.password_file("gangway"),
        )
        async with connected(by_name) as connection:
            assert connection.is_open()


@pytest.mark.parametrize("listener", ["ws", "wss"])
async def test_a_page_comes_in_by_websocket_with_its_password_only(listener: str) -> None:
    async with installed() as made:
        right = made.password_file("bridge").read_text().strip()
        authority = made.setup / "stations/ispsd-ca.crt" if listener == "wss" else None
        for password, answer in ((right, 0), ("guess", 135), (None, 135)):  # 135: Not authorized
            said = await asyncio.to_thread(by_websocket, made.ports[listener], password, authority)
            assert said == answer


def by_websocket(port: int, password: str | None, authority: Path | None) -> int:
    """Return the broker's reason code to a page."""
    answered: list[int] = []
    done = threading.Event()
    client = paho.Client(
        paho.CallbackAPIVersion.VERSION2, transport="websockets", protocol=paho.MQTTv5
    )

    def on_connect(_: object, __: object, ___: object, reason: object, ____: object) -> None:
        answered.append(reason.value)  # type: ignore[attr-defined]
        done.set()

    client.on_connect = on_connect
    if password is not None:
        client.username_pw_set("bridge", password)
    if authority is not None:
        client.tls_set_context(ssl.create_default_context(cafile=str(authority)))
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert done.wait(PATIENCE_S)
    finally:
        client.disconnect()
        client.loop_stop()
    return answered[0]


class Everywhere:
    """A subscriber to all there is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.heard: list[str] = []

    async def until_the_end(self) -> set[str]:
        """Return what was delivered until the heartbeat, which is sent last and which everybody may read."""
        async with asyncio.timeout(PATIENCE_S):
            async for message in self._connection.messages():
                self.heard.append(message.topic)
                if message.topic == OURS.heartbeat():
                    break
        return set(self.heard)


async def publish(daemon: Connection, topics: frozenset[str], *, retain: bool) -> None:
    for topic in sorted(topics - {OURS.heartbeat()}):
        # What the daemon may not write itself is put there by nobody, so nothing of it is delivered either.
        try:
            await daemon.deliver(topic, b"{}", retain=retain)
        except PublishRefusedError:
            assert not topic.startswith(ROOT)
    await daemon.deliver(OURS.heartbeat(), b"{}")


@pytest.mark.parametrize("retained", [True, False], ids=["retained", "live"])
@pytest.mark.parametrize("user", STATIONS)
async def test_a_station_is_delivered_what_it_may_read_and_nothing_else(
    user: str,
    retained: bool,
) -> None:
    async with installed() as made, connected(made.as_user("ispsd"), "d") as daemon:
        if retained:
            await publish(daemon, EVERYTHING, retain=True)
        async with connected(made.as_user(user)) as station:
            for each in ("#", "ispsd/#", f"{ROOT}/sso/#", f"{ROOT}/cmd/#", f"{ROOT}/citadel/#"):
                await station.subscribe(each)
            await publish(daemon, EVERYTHING if not retained else frozenset(), retain=False)
            assert await Everywhere(station).until_the_end() == MAY_READ[user]


async def test_a_station_writes_commands_of_its_own_name_and_nothing_else() -> None:
    async with installed() as made, connected(made.as_user("ispsd"), "d") as daemon:
        await daemon.subscribe("#")
        allowed: set[str] = set()
        for user in STATIONS:
            own = OURS.command(user, "ack")
            tried = EVERYTHING | {own, f"{ROOT}/cmd/{user}", f"{ROOT}/cmd/{user}/ack/more"}
            async with connected(made.as_user(user), f"as-{user}") as station:
                for topic in sorted(tried - {own}):
                    if topic == OURS.command(user, "ack"):
                        continue
                    with pytest.raises(PublishRefusedError, match="Not authorized"):
                        await station.deliver(topic, b"{}", retain=True)
                await station.deliver(own, b"{}")
                allowed.add(own)
        await daemon.deliver(OURS.heartbeat(), b"{}")
        seen = Everywhere(daemon)
        assert await seen.until_the_end() == allowed | {OURS.heartbeat()}
        assert len(seen.heard) == len(allowed) + 1


async def test_a_packet_beyond_the_limit_costs_its_sender_and_nobody_else() -> None:
    async with installed() as made:
        largest = b"x" * LARGEST_PAYLOAD_BYTES
        async with (
            connected(made.as_user("ispsd"), "d") as daemon,
            connected(made.as_user("gangway"), "g") as gangway,
            connected(made.as_user("bridge"), "b") as bridge,
        ):
            await daemon.subscribe(f"{ROOT}/cmd/+/+")
            await gangway.deliver(OURS.command("gangway", "ack"), largest)
            with pytest.raises((LinkError, PublishRefusedError)):
                await gangway.deliver(OURS.command("gangway", "ack"), largest + b"x")
            await bridge.deliver(OURS.command("bridge", "ack"), b"{}")
            await daemon.deliver(OURS.heartbeat(), b"{}")
            async for message in daemon.messages():
                if not message.too_long:
                    assert message.topic == OURS.command("bridge", "ack")
                    break


async def test_the_broker_keeps_nothing_on_disk_though_debians_file_says_so() -> None:
    with computer() as made:
        assert await asyncio.to_thread(made.init, "--yes", "--install") == 0
        async with broker_of(made):
            assert "persistence true" in (made.etc / "mosquitto/mosquitto.conf").read_text()
            async with connected(made.as_user("ispsd")) as daemon:
                await daemon.deliver(OURS.status(), b"{}", retain=True)
        left = {path.name for path in (made.root / "var/mosquitto").iterdir()}
        assert "mosquitto.db" not in left
        async with broker_of(made), connected(made.as_user("bridge")) as station:
            await station.subscribe("#")
            async with connected(made.as_user("ispsd"), "d") as daemon:
                await daemon.deliver(OURS.heartbeat(), b"{}")
            assert await Everywhere(station).until_the_end() == {OURS.heartbeat()}


async def test_a_dashboard_and_home_assistant_read_what_is_open_and_write_nothing_of_the_ships() -> (
    None
):
    text = thin.text(state="/var/lib/ispsd", mqtt_port=(port := free_port()), mqtt_login=LOGIN)
    text = text.replace("[mqtt]", '[mqtt]\nreaders = ["grafana"]') + EXPORTER
    with computer(text=text) as made:
        made.ports["mqtt"] = port
        assert await asyncio.to_thread(made.init, "--yes", "--install") == 0
        async with broker_of(made), connected(made.as_user("ispsd"), "d") as daemon:
            await daemon.deliver(DISCOVERY, b"{}", retain=True)
            with pytest.raises(PublishRefusedError, match="Not authorized"):
                await daemon.deliver("homeassistant/light/another/lamp/config", b"{}", retain=True)
            for user, also in (("grafana", frozenset()), ("homeassistant", {DISCOVERY})):
                await publish(daemon, EVERYTHING, retain=True)
                async with connected(made.as_user(user), f"as-{user}") as reader:
                    await reader.subscribe("homeassistant/#")
                    await reader.subscribe("ispsd/#")
                    for topic in sorted(EVERYTHING | {DISCOVERY}):
                        with pytest.raises(PublishRefusedError, match="Not authorized"):
                            await reader.deliver(topic, b"{}", retain=True)
                    await publish(daemon, frozenset(), retain=False)
                    # The synthetic alert is answered by stations, and is nobody else's.
                    assert await Everywhere(reader).until_the_end() == (
                        OPEN - {OURS.selftest("n1")} | also
                    )
            async with connected(made.as_user("homeassistant")) as home:
                await home.deliver("homeassistant/status", b"online")
