"""What comes of what a station writes that it may not, or not so? It reaches nobody, or is refused and one entry."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from daemon.mqtt.access import COMMANDS
from tests.broker import packets
from tests.broker.rig import ROOT, THIEVES, Siege, besieged, changed, moored, told, under_siege
from tests.setup.test_whole import daemon, station

if TYPE_CHECKING:
    from tests.broker.attacker import Attacker

pytestmark = pytest.mark.timeout(120)
NOT_AUTHORIZED, NOBODY_LISTENS = 0x87, 0x10
MALFORMED, PROTOCOL_ERROR = 0x81, 0x82
FRESH = [("message_expiry", 5)]
NOT_ITS_OWN = (
    *(f"{ROOT}/cmd/bridge/ack", f"{ROOT}/cmd/sso/silence", f"{ROOT}/cmd/ispsd/refresh"),
    *(f"{ROOT}/{name}" for name in ("status", "heartbeat", "snapshot", "event", "record/head")),
    *(f"{ROOT}/{name}" for name in ("ship", "crew", "alert/door.escape.open.d12", "point/d12")),
    *(f"{ROOT}/{name}" for name in ("equipment/d12", "test/t-door", "station/gangway")),
    *(f"{ROOT}/{name}" for name in ("permit/d12", "inhibit/x", "curtain", "palette", "driver/io1")),
    *(f"{ROOT}/{name}" for name in ("sso/worklist", "sso/point/x", "citadel/status")),
    *(f"{ROOT}/reply/gangway", f"{ROOT}/reply/bridge", f"{ROOT}/selftest/0123456789ab"),
    *(f"{ROOT}/cmd/gangway", f"{ROOT}/cmd/gangway/", f"{ROOT}/cmd/gangway/ack/more"),
    *(f"{ROOT}/cmd/gangway/nonsense", f"{ROOT}/cmd/Gangway/ack", f"{ROOT}/cmd//gangway/ack"),
    *(f"{ROOT}/cmd/%u/ack", f"{ROOT}/cmd/gangway /ack", f"/{ROOT}/cmd/gangway/ack", f"{ROOT}/cmd"),
    *("ispsd/9074729/v1/cmd/gangway/ack", "ispsd/9999993/v2/cmd/gangway/ack", "other"),
    *("$SYS/broker/version", "$share/x/other", "$CONTROL/dynamic-security/v1", "$"),
    *(f"{ROOT}/cmd/gangway/a\N{RIGHT-TO-LEFT OVERRIDE}ck", f"{ROOT}/cmd/g\u0430ngway/ack"),
    *(f"{ROOT}/cmd/gangway/{'x' * 40_000}", "/".join("x" * 100)),
)
NO_TOPICS = {
    b"": PROTOCOL_ERROR,
    b"#": PROTOCOL_ERROR,
    f"{ROOT}/cmd/+/ack".encode(): PROTOCOL_ERROR,
    f"{ROOT}/cmd/gangway/#".encode(): PROTOCOL_ERROR,
    b"a\0b": MALFORMED,
    b"\xff\xfe": MALFORMED,
    b"\xed\xa0\x80": MALFORMED,  # half of a surrogate pair
    b"\xc0\xaf": MALFORMED,  # a slash in two bytes
}
BREACHES = (
    packets.publish("a", b"{}", properties=[("alias", 65_535)]),
    packets.publish("", b"{}", properties=[("alias", 3)]),
    packets.publish("a", b"{}", qos=3),
    packets.publish("a", b"{}", id_=0),
    packets.publish("a", b"{}", properties=[*FRESH, *FRESH]),
    packets.connect("again"),
    packets.subscribe([]),
    packets.subscribe(["a#b"]),
    packets.packet(packets.Kind.AUTH, b"\x19\0"),
    packets.packet(packets.Kind.PUBLISH, b"\xff\xff"),
    bytes([0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
    b"\0\0",
)


async def test_what_is_not_its_own_is_refused_and_reaches_nobody() -> None:
    async with besieged() as ship:
        before = ship.held()
        for (listener, user), retain in product(THIEVES.items(), (True, False)):
            left = [topic.replace("gangway", user) for topic in NOT_ITS_OWN]
            while left:
                async with ship.inside(user, listener) as thief:
                    # More levels than the broker reads, or a name that is none: he is thrown out.
                    while left and not thief.is_out.is_set():
                        said = await thief.publish(
                            left[0], ship.body("t1"), retain=retain, properties=FRESH
                        )
                        assert said in {NOT_AUTHORIZED, None}, (listener, left[0])
                        del left[0]
        await ship.still()
        assert ship.heard() == []
        assert changed(before, ship.held()) == {}
        assert await ship.refusals() == []


async def test_what_is_no_topic_ends_the_connection() -> None:
    async with besieged() as ship:
        for (listener, user), (topic, reason) in product(THIEVES.items(), NO_TOPICS.items()):
            async with ship.inside(user, listener) as thief:
                assert await thief.publish(topic, ship.body("t1"), properties=FRESH) is None, topic
                assert await thief.goodbye() == reason, topic
        await ship.still()
        assert ship.heard() == []


async def test_a_will_on_what_is_not_its_own_is_never_told() -> None:
    """Mosquitto takes it at the door and asks the access list when it would be published."""
    async with besieged() as ship:
        before = ship.held()
        for (listener, user), topic, delay_s in product(
            THIEVES.items(), NOT_ITS_OWN[:18:2], (0, 1)
        ):
            async with ship.outside(listener) as thief:
                entered = await thief.enter(
                    f"dying-{delay_s}",
                    will=(topic, ship.body("w1")),
                    will_retain=True,
                    will_properties=[*FRESH, ("will_delay", delay_s)],
                    properties=[("session_expiry", delay_s)],
                    **ship.login(user),
                )
                assert entered in {0, NOT_AUTHORIZED}
        await ship.still()
        await ship.still()
        assert ship.heard() == []
        assert changed(before, ship.held()) == {}


async def test_a_retained_command_is_refused_cleared_and_one_entry() -> None:
    async with besieged() as ship:
        for listener, user in THIEVES.items():
            async with ship.inside(user, listener) as thief:
                await thief.subscribe(f"{ROOT}/reply/{user}")
                topic = f"{ROOT}/cmd/{user}/silence"
                for number in range(5):
                    body = ship.body(f"r{number}")
                    assert await thief.publish(topic, body, retain=True, properties=FRESH) == 0
                await thief.until(lambda thief=thief: len(replies(thief)) == 5)
                assert not any(reply["accepted"] for reply in replies(thief))
                assert all("retained" in reply["reason"] for reply in replies(thief))
            await ship.sso.until(lambda user=user: ship.is_cleared(f"{user}/silence"))
        assert ship.heard() == [*["gangway/silence"] * 5, *["office/silence"] * 5]
        assert grounds(await ship.refusals()) == [("gangway", "retained"), ("office", "retained")]
        async with ship.inside("ispsd", "tls") as late:
            await late.subscribe(f"{ROOT}/cmd/#", f"{ROOT}/status")
            await late.until(lambda: f"{ROOT}/status" in late.topics())
            assert [topic for topic in late.topics() if "/cmd/" in topic] == []


async def test_a_retained_command_as_a_will_is_refused_and_one_entry() -> None:
    async with besieged() as ship:
        async with ship.outside("wss") as thief:
            entered = await thief.enter(
                "dying",
                will=(f"{ROOT}/cmd/gangway/silence", ship.body("w1")),
                will_retain=True,
                will_properties=FRESH,
                **ship.login("gangway"),
            )
            assert entered == 0
        await ship.sso.until(lambda: ship.is_cleared("gangway/silence"))
        assert await ship.refusals() == [{"station": "gangway", "ground": "retained", "count": 1}]


async def test_peers_21_what_was_sent_while_the_daemon_was_off_is_refused_and_recorded() -> None:
    """Live it goes to nobody; retained it waits, and is refused and recorded once when she starts."""
    async with moored() as (made, config):
        async with daemon(made, config) as process, station(made, "bridge", tls=True) as bridge:
            session = await told(bridge)
            process.kill()
            await process.wait()
            await bridge.until(lambda: bridge.newest["status"]["state"] == "offline")
        body = json.dumps({"id": "q1", "session": session}).encode()
        lasting: dict[str, Any] = {"clean": False, "properties": [("session_expiry", 600)]}
        for listener, user in THIEVES.items():
            async with Siege(made).inside(user, listener, **lasting) as thief:
                for verb, retain in (("silence", False), ("refresh", True)):
                    topic = f"{ROOT}/cmd/{user}/{verb}"
                    assert await thief.publish(topic, body, retain=retain) in {0, NOBODY_LISTENS}
        async with under_siege(made, config) as ship:
            assert await ship.refusals() == [
                {"station": user, "ground": "retained", "count": 1} for user in THIEVES.values()
            ]
            assert sorted(ship.heard()) == ["gangway/refresh", "office/refresh"]
            for user in THIEVES.values():
                reply = ship.owner.newest[f"reply/{user}"]
                assert (reply["verb"], reply["accepted"]) == ("refresh", False)


async def test_old_and_malformed_commands_are_refused_however_they_are_dressed() -> None:
    async with besieged() as ship:
        before = ship.held()
        yesterdays = json.dumps({"id": "o1", "session": "of-yesterday"}).encode()
        for listener, user in THIEVES.items():
            dressed = (
                (yesterdays, FRESH),
                (ship.body("o2"), []),
                (ship.body("o3"), [("message_expiry", 11)]),
                (ship.body("o4"), [("message_expiry", 0xFFFFFFFF)]),
                (b"", FRESH),
                (b"{", FRESH),
                (b'{"id":"../x"}', FRESH),
                (b"[" * 4000, FRESH),
                (ship.body("m1", more="x" * 5000), FRESH),
                (ship.body("m2", nonsense=1), FRESH),
                (b"\xff" * 100, FRESH),
            )
            async with ship.inside(user, listener) as thief:
                await thief.subscribe(f"{ROOT}/reply/{user}")
                for body, properties in dressed:
                    said = await thief.publish(
                        f"{ROOT}/cmd/{user}/silence", body, properties=properties
                    )
                    assert said == 0
                # One without a payload is no command: it clears, and is not answered.
                await thief.until(lambda thief=thief: len(replies(thief)) == 10)
                assert not any(reply["accepted"] for reply in replies(thief))
        found = grounds(await ship.refusals())
        assert sorted(found) == sorted(product(THIEVES.values(), ("old", "malformed")))
        assert changed(before, ship.held()) == {}


async def test_the_dress_of_a_command_changes_nothing() -> None:
    """Response topics, correlation, aliases, many user properties: one reply, where it belongs."""
    async with besieged() as ship:
        before = ship.held()
        for listener, user in THIEVES.items():
            topic = f"{ROOT}/cmd/{user}/silence"
            dressed: list[packets.Properties] = [
                [("response_topic", f"{ROOT}/status"), ("correlation", b"x" * 60_000)],
                [("response_topic", f"{ROOT}/sso/worklist"), ("content_type", "text/html")],
                [("user", ("session", "other"))] * 1000,
                [("user", ("\N{RIGHT-TO-LEFT OVERRIDE}" * 1000, "\N{PILE OF POO}" * 1000))] * 9,
                [("payload_format", 1), ("alias", 1)],
            ]
            async with ship.inside(user, listener) as thief:
                await thief.subscribe("#", properties=[("subscription", 268_435_455)])
                for number, properties in enumerate(dressed):
                    body = ship.body(f"d{number}")
                    assert await thief.publish(topic, body, properties=[*FRESH, *properties]) == 0
                again = [*FRESH, ("alias", 1)]
                for _ in range(2):  # the same again: answered as before
                    assert await thief.publish("", ship.body("d9"), properties=again) == 0
                wanted = ["d0", "d1", "d2", "d3", "d4", "d9", "d9"]
                await thief.until(
                    lambda thief=thief, wanted=wanted: len(replies(thief)) == len(wanted)
                )
                assert [reply["id"] for reply in replies(thief)] == wanted
                assert [each for each in thief.topics() if "/sso/" in each or "/cmd/" in each] == []
        await ship.still()
        assert changed(before, ship.held()) == {}
        assert await ship.refusals() == []


async def test_who_breaks_the_protocol_is_thrown_out_and_nobody_else() -> None:
    async with besieged() as ship:
        session = ship.owner.newest["status"]["session"]
        for (listener, user), words in product(THIEVES.items(), BREACHES):
            async with ship.inside(user, listener) as thief:
                await thief.send(words)
                await thief.goodbye()
        await ship.still()
        assert ship.heard() == []
        assert ship.owner.newest["status"]["session"] == session


async def test_who_finds_out_the_daemons_client_id_throws_it_out_once() -> None:
    """Nobody can but from the broker's own log. It is back under another id, with everything, and its log says so."""
    async with besieged() as ship:
        log = ship.made.root / "var/mosquitto/mosquitto.log"
        [own] = re.findall(r" as (ispsd-[0-9a-f]{12}) ", log.read_text())
        session, before = ship.owner.newest["status"]["session"], ship.held()
        async with ship.inside("gangway", "tls", client_id=own) as thief:
            again = await ship.owner.session(other_than=session)
            assert not thief.is_out.is_set()
            await thief.subscribe("#")
            await ship.still()
            assert [each for each in thief.topics() if "/sso/" in each or "/cmd/" in each] == []
            assert ship.owner.newest["status"]["session"] == again
        assert changed(before, ship.held()) == {}
        said = [json.loads(x) for x in (ship.made.root / "daemon.log").read_text().splitlines()]
        assert [each["event"] for each in said].count("broker.lost") == 1
        assert f"Client {own} already connected, closing old connection." in log.read_text()


async def test_every_command_of_the_contract_reaches_the_daemon_and_is_answered() -> None:
    async with besieged() as ship:
        # A few at each station: who asks too often is told so.
        for station_, verbs in (("bridge", COMMANDS[::2]), ("office", COMMANDS[1::2])):
            async with ship.inside(station_, "wss") as asker:
                await asker.subscribe(f"{ROOT}/reply/{station_}")
                for number, verb in enumerate(verbs):
                    topic = f"{ROOT}/cmd/{station_}/{verb}"
                    body = ship.body(f"v{number}")
                    assert await asker.publish(topic, body, properties=FRESH) == 0
                await asker.until(
                    lambda asker=asker, verbs=verbs: len(replies(asker)) == len(verbs)
                )
                assert {reply["verb"] for reply in replies(asker)} == set(verbs)


def replies(thief: Attacker) -> list[dict[str, Any]]:
    return [
        json.loads(packet["payload"])
        for packet in thief.delivered()
        if packet["topic"].startswith(f"{ROOT}/reply/")
    ]


def grounds(refusals: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["station"], each["ground"]) for each in refusals]
