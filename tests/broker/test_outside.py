"""Who has no password, or comes to the wrong door: what does he get of the broker that ``ispsd init`` set up?"""

from __future__ import annotations

import asyncio
import socket
import ssl
import warnings
from itertools import product
from typing import TYPE_CHECKING

import pytest

from tests.broker import packets
from tests.broker.attacker import HOST, attacker
from tests.broker.rig import LISTENERS, ROOT, Siege, besieged, broker_alone
from tests.setup.rig import computer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.setup.rig import Computer

pytestmark = pytest.mark.timeout(120)
NOT_AUTHORIZED = 0x87


@pytest.mark.parametrize("listener", LISTENERS)
async def test_without_the_right_name_and_password_nobody_is_let_in(listener: str) -> None:
    async with broker_alone() as made:
        ship = Siege(made)
        right = ship.login("bridge")
        for login in (
            {},
            {"user": "bridge"},
            {"user": "bridge", "password": ""},
            {"user": "bridge", "password": "guess"},
            {"user": "gangway", "password": right["password"]},
            {"user": "BRIDGE", "password": right["password"]},
            {"user": "bridge ", "password": right["password"]},
            {"user": "+", "password": right["password"]},
            {"user": "#", "password": right["password"]},
            {"user": "", "password": right["password"]},
            {"user": "bridge:x", "password": right["password"]},
            {"user": "ispsd", "password": "ispsd"},
            {"user": "bridge", "password": right["password"] * 1000},
        ):
            async with ship.outside(listener) as one:
                assert await one.enter("x", **login) == NOT_AUTHORIZED, login
                await one.goodbye()
        async with ship.outside(listener) as one:
            assert await one.enter("x", **right) == 0


async def test_who_speaks_before_he_is_let_in_is_thrown_out_and_nothing_of_it_counts() -> None:
    async with besieged() as ship:
        command = packets.publish(
            f"{ROOT}/cmd/gangway/silence", ship.body("s1"), properties=[("message_expiry", 5)]
        )
        for listener, words in product(
            LISTENERS,
            (
                command,
                packets.subscribe(["#"]),
                packets.connect("x") + packets.subscribe(["#"]) + command,
                packets.packet(packets.Kind.AUTH, b"\x18\x00"),
                b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                b"\0" * 64,
            ),
        ):
            async with ship.outside(listener) as one:
                await one.send(words)
                await one.goodbye()
                assert one.delivered() == []
        await ship.still()
        assert ship.heard() == []


@pytest.mark.parametrize("listener", LISTENERS)
async def test_a_tls_door_takes_no_plain_text(listener: str) -> None:
    async with broker_alone() as made:
        port = made.ports[listener]
        async with attacker(port, authority=None) as one:
            await one.send(packets.connect("x", **Siege(made).login("bridge")))
            await one.goodbye()
            assert one.heard == []


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
async def test_a_tls_door_takes_no_old_tls(listener: str, version: str) -> None:
    async with broker_alone() as made:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(made.setup / "stations/ispsd-ca.crt")
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
        said = await asyncio.to_thread(handshake, made, listener, context)
        assert "TLSV1_ALERT" in said  # the broker's word, not that of our own library
        assert await asyncio.to_thread(handshake, made, listener, trusting(made)) in {
            *("TLSv1.2", "TLSv1.3"),
        }


@pytest.mark.parametrize("listener", LISTENERS)
async def test_a_station_refuses_a_broker_of_another_authority_or_name(listener: str) -> None:
    async with broker_alone() as made:
        with computer() as other:
            assert await asyncio.to_thread(other.init, "--yes") == 0
            foreign = trusting(other)
        said = await asyncio.to_thread(handshake, made, listener, foreign)
        assert "CERTIFICATE_VERIFY_FAILED" in said
        said = await asyncio.to_thread(handshake, made, listener, trusting(made), "10.9.8.7")
        assert "IP address mismatch" in said


def trusting(made: Computer) -> ssl.SSLContext:
    authority: Path = made.setup / "stations/ispsd-ca.crt"
    return ssl.create_default_context(cafile=str(authority))


def handshake(made: Computer, listener: str, context: ssl.SSLContext, name: str = HOST) -> str:
    """Return what TLS comes to; its version, or why there is none."""
    with socket.create_connection((HOST, made.ports[listener]), timeout=10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name) as secure:
                return str(secure.version())
        except OSError as err:
            return str(err)
