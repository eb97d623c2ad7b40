"""What only a real Mosquitto can say: its ACL, its users, its TLS."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from daemon.errors import LinkError
from daemon.mqtt.wire import Broker, PublishRefusedError
from tests.brokers import DEMO_USERS, address, mosquitto
from tests.mqtt.harness import POINT, TOPICS, connected, dashboard, publishing

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.mqtt.embedded import EmbeddedBroker

D12 = TOPICS.point("d12")


async def test_a_publication_that_the_acl_denies_is_not_sent() -> None:
    async with mosquitto(users=DEMO_USERS) as broker:
        for user, topic in (
            (None, D12),
            (None, TOPICS.command("bridge", "ack")),
            ("bridge", TOPICS.command("gangway", "ack")),
            ("bridge", D12),
            ("sso", D12),
        ):
            async with connected(address(broker, user)) as connection:
                with pytest.raises(PublishRefusedError, match="Not authorized"):
                    await connection.deliver(topic, b"{}")
                assert connection.is_open()
        async with connected(address(broker, "bridge")) as bridge:
            await bridge.deliver(TOPICS.command("bridge", "ack"), b"{}")


async def test_a_wrong_password_is_a_link_error_that_says_so() -> None:
    async with mosquitto(users=DEMO_USERS) as broker:
        wrong = broker.folder / "wrong"
        wrong.write_text("guess")
        with pytest.raises(LinkError, match="Not authorized"):
            async with connected(Broker(port=broker.port, user="ispsd", password_file=wrong)):
                pass


async def test_only_stations_with_the_credential_receive_what_is_closed() -> None:
    async with (
        mosquitto(users=DEMO_USERS) as broker,
        publishing(broker, user="ispsd") as running,
        dashboard(address(broker, "sso"), fenced=False) as sso,
    ):
        running.publisher.put(D12, POINT, 1.0)
        running.publisher.put(TOPICS.worklist(), {"items": []}, 1.0)
        await running.drained()
        await sso.until(lambda: sso.newest(TOPICS.worklist()) and sso.newest(D12))
        for user in (None, "bridge", "gangway"):
            everything = await retained(broker, user)
            assert TOPICS.worklist() not in everything
            assert {D12, TOPICS.status(), TOPICS.snapshot()} <= everything


async def retained(broker: EmbeddedBroker, user: str | None) -> set[str]:
    """Return the retained topics that a user receives."""
    async with connected(address(broker, user), f"as-{user}") as connection:
        await connection.subscribe("ispsd/#")
        seen: set[str] = set()
        async for message in connection.messages():
            seen.add(message.topic)
            if message.topic == TOPICS.heartbeat():  # not retained: comes after all that is
                break
        return seen


async def test_a_publisher_that_may_not_publish_is_never_connected_and_nothing_counts_as_sent() -> (
    None
):
    async with mosquitto(users=("bridge",)) as broker, publishing(broker, user="bridge") as running:
        running.record.commit(3)
        facts = await running.until(lambda facts: facts.progress >= 3)
        assert not facts.connected
        assert facts.oldest_unsent_s > 0
        assert running.record.cursor == 0


async def test_what_the_broker_refuses_is_counted_and_not_sent_while_the_rest_goes_on() -> None:
    async with mosquitto(users=DEMO_USERS) as broker:
        acl = broker.folder / "acl"
        allowed = ("status", "snapshot", "heartbeat", "station/+")
        rules = "".join(f"topic readwrite ispsd/+/v1/{name}\n" for name in allowed)
        acl.write_text(acl.read_text().replace("topic readwrite ispsd/#\n", rules))
        await broker.stop()
        await broker.start()
        async with publishing(broker, user="ispsd") as running:
            running.publisher.put(D12, POINT, 1.0)
            running.publisher.put(TOPICS.station("bridge"), {"live": True}, 1.0)
            running.record.commit(3)
            facts = await running.until(lambda facts: facts.refused and facts.connected)
            assert facts.refused == 1
            assert {TOPICS.station("bridge")} <= await retained(broker, None)
            assert D12 not in await retained(broker, None)
        assert running.record.cursor == 0


async def test_tls_is_checked_against_the_given_authority_and_the_host_name(tmp_path: Path) -> None:
    mine, other = (
        certificate(tmp_path, "mine", "127.0.0.1"),
        certificate(tmp_path, "other", "10.0.0.9"),
    )
    async with mosquitto() as broker:
        for cert, ca, reason in (
            (mine, mine, None),
            (mine, other, "CERTIFICATE_VERIFY_FAILED"),
            (other, other, "IP address mismatch"),
        ):
            await broker.stop()
            with (broker.folder / "mosquitto.conf").open("a") as config:
                if cert is mine and ca is mine:
                    config.write(f"listener {broker.port + 1} 127.0.0.1\n")
                    config.write(f"certfile {tmp_path}/live.pem\nkeyfile {tmp_path}/live.key\n")
            for suffix in ("pem", "key"):
                text = cert.with_suffix(f".{suffix}").read_bytes()
                (tmp_path / f"live.{suffix}").write_bytes(text)
            await broker.start()
            secure = Broker(port=broker.port + 1, ca_file=ca)
            if reason is None:
                async with connected(secure) as connection:
                    await connection.deliver("t", json.dumps(POINT).encode())
                    await connection.abort()
            else:
                with pytest.raises(LinkError, match=reason):
                    async with connected(secure):
                        pass


def certificate(folder: Path, name: str, host: str) -> Path:
    """Write a self-signed certificate and its key; return the certificate's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    file = folder / f"{name}.pem"
    file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    return file
