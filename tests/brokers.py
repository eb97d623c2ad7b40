"""Real brokers for every test that needs one, each in its own process, folder and on its own port.

``async with mosquitto() as broker`` or the fixture ``broker`` (both kinds, one after the other);
to use the fixture: ``from tests.brokers import broker`` in a conftest.py.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from daemon.mqtt.embedded import (
    DEMO_USERS,
    EmbeddedBroker,
    embedded_broker,
    free_port,
    mosquitto_program,
)
from daemon.mqtt.wire import Broker
from tests.needed import needs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

__all__ = ["DEMO_USERS", "EmbeddedBroker", "free_port"]


@asynccontextmanager
async def mosquitto(*, users: tuple[str, ...] = ()) -> AsyncIterator[EmbeddedBroker]:
    """Run Mosquitto; with ``users`` the demo's ACL, and ``broker.passwords`` has theirs."""
    needs(mosquitto_program(), "mosquitto is not installed (Debian: apt install mosquitto)")
    async with embedded_broker("mosquitto", users=users) as broker:
        yield broker


@asynccontextmanager
async def iotcore() -> AsyncIterator[EmbeddedBroker]:
    """Run iotcore (rumqttd in a wheel): no ACL, no no-local, no retain-as-published."""
    async with embedded_broker("iotcore") as broker:
        yield broker


@pytest.fixture(params=["mosquitto", "iotcore"])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[EmbeddedBroker]:
    async with mosquitto() if request.param == "mosquitto" else iotcore() as running:
        yield running


def address(broker: EmbeddedBroker, user: str | None = None) -> Broker:
    """Return how to reach a broker, as one of its users or as nobody."""
    if user is None:
        return Broker(port=broker.port)
    file: Path = broker.folder / f"password-{user}"
    file.write_text(broker.passwords[user] + "\n", encoding="utf-8")
    return Broker(port=broker.port, user=user, password_file=file)
