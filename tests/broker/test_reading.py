"""What is delivered to a station that asks for what it may not read? Every subscription is granted; delivery counts."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from daemon.mqtt.access import OPEN_TOPICS, STATION_TOPICS
from tests.broker.rig import ROOT, THIEVES, besieged

if TYPE_CHECKING:
    from tests.broker.rig import Besieged

pytestmark = pytest.mark.timeout(120)
CLOSED = ("sso", "citadel", "cmd")
TRICKS = (
    *("#", "/#", "+/#", "ispsd/#", f"{ROOT}/#", "+/+/+/+", "+/+/+/+/+", "+/+/+/+/+/+"),
    *(f"{ROOT}/{name}/#" for name in CLOSED),
    *(f"{ROOT}/+/worklist", f"{ROOT}/sso/worklist", f"{ROOT}/sso/+/ssas", f"{ROOT}//sso/#"),
    *(f"$share/x/{ROOT}/{name}/#" for name in CLOSED),
    *("$share/x/#", f"$share/x/{ROOT}/+/worklist", "$SYS/#", "$share/x/$SYS/#", "$SYS/broker/+/#"),
    *("$CONTROL/#", "$bridge/#", "$"),
)
EVERYTHING_ELSE = {f"{ROOT}/{name.removesuffix('/+')}" for name in OPEN_TOPICS + STATION_TOPICS}


def beyond(topics: set[str]) -> list[str]:
    """Return which of the delivered topics are not open to every station."""
    return sorted(
        topic
        for topic in topics
        if topic not in EVERYTHING_ELSE and topic.rpartition("/")[0] not in EVERYTHING_ELSE
    )


async def a_lively_moment(ship: Besieged) -> None:
    """Have the daemon tell everything again, and its SSO be answered."""
    assert (await ship.sso.ask("sso", "refresh"))["accepted"]
    await ship.still()


async def test_whatever_a_station_subscribes_to_it_is_delivered_what_is_open() -> None:
    async with besieged() as ship, AsyncExitStack() as stack:
        thieves = [
            await stack.enter_async_context(ship.inside(user, listener))
            for listener, user in THIEVES.items()
        ]
        for thief in thieves:
            for number, trick in enumerate(TRICKS, 1):
                await thief.subscribe(trick, properties=[("subscription", number)])
            # No local, as published, only what is new.
            plain = [each for each in TRICKS if not each.startswith("$share/")]
            assert await thief.subscribe(*plain, options=0b0010_1101)
        await a_lively_moment(ship)
        assert "sso/worklist" in ship.sso.newest
        for thief in thieves:
            assert f"{ROOT}/status" in thief.topics()
            assert beyond(thief.topics()) == []


async def test_who_takes_over_the_session_of_the_sso_inherits_nothing_of_it() -> None:
    """A dashboard of the SSO with a fixed name and a session that outlives it; messages wait for it at the broker."""
    lasting: dict[str, Any] = {"clean": False, "properties": [("session_expiry", 600)]}
    async with besieged() as ship:
        for listener, user in THIEVES.items():
            own = {"client_id": f"board-{listener}", **lasting}
            async with ship.inside("sso", listener, **own) as board:
                await board.subscribe(f"{ROOT}/sso/#", f"{ROOT}/status")
                await board.until(lambda board=board: f"{ROOT}/sso/worklist" in board.topics())
            await a_lively_moment(ship)
            async with ship.inside(user, listener, **own) as thief:
                await a_lively_moment(ship)
                await thief.until(lambda thief=thief: f"{ROOT}/status" in thief.topics())
                assert beyond(thief.topics()) == []


async def test_no_station_reads_what_another_asks_for() -> None:
    """A command may bear a PIN."""
    async with besieged() as ship, AsyncExitStack() as stack:
        thieves = [
            await stack.enter_async_context(ship.inside(user, listener))
            for user, listener in (("gangway", "tls"), ("sso", "wss"), ("citadel", "tls"))
        ]
        for thief in thieves:
            await thief.subscribe("#", f"{ROOT}/cmd/+/+", f"$share/x/{ROOT}/cmd/#")
        async with ship.inside("bridge", "wss") as bridge:
            pin = ship.body("p1", person="J. Santos", test="t-door", pin="4711")
            topic = f"{ROOT}/cmd/bridge/start_test"
            assert await bridge.publish(topic, pin, properties=[("message_expiry", 5)]) == 0
        for thief in thieves:
            await thief.until(lambda thief=thief: f"{ROOT}/reply/bridge" in thief.topics())
            assert not [topic for topic in thief.topics() if "/cmd/" in topic]
            assert not [each for each in thief.delivered() if b"4711" in each["payload"]]
