"""A ship as an attacker finds her: the broker that ``ispsd init`` set up, a daemon process, stations with passwords."""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from daemon.control import control
from daemon.mqtt.connection import Connection
from tests import thin
from tests.broker.attacker import attacker
from tests.setup.rig import broker_of, computer
from tests.setup.test_whole import daemon, file_to_run, shut, station

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.broker.attacker import Attacker
    from tests.processes.rig import Witness
    from tests.setup.rig import Computer

ROOT = "ispsd/9999993/v1"
LISTENERS = ("tls", "wss")
"""Where another computer comes in."""
THIEVES = {"tls": "gangway", "wss": "office"}
"""Whose tablet was stolen, by the listener that the thief comes to: what is counted by station is by listener, too."""
WEBSOCKETS = frozenset({"ws", "wss"})
SPOKEN = ("heartbeat", "selftest/", "reply/", "event")
"""What is told and not held."""
MOVING = (
    *("point/gps1", "point/ais", "driver/", "record/head", "equipment/ais", "snapshot"),
    *("status", "sso/worklist", "alert/station.none"),
)
"""What goes on by itself while somebody attacks."""
TRIES = 4
_NAMES = itertools.count(1)


@dataclass(slots=True)
class Siege:
    """The ways to a ship's broker."""

    made: Computer

    @asynccontextmanager
    async def outside(self, listener: str) -> AsyncIterator[Attacker]:
        """Come to a listener without a word."""
        authority = self.made.setup / "stations/ispsd-ca.crt"
        async with attacker(
            self.made.ports[listener],
            authority=authority if listener in LISTENERS else None,
            websocket=listener in WEBSOCKETS,
        ) as one:
            yield one

    def login(self, user: str) -> dict[str, str]:
        return {"user": user, "password": self.made.password_file(user).read_text().strip()}

    @asynccontextmanager
    async def inside(self, user: str, listener: str, **how: Any) -> AsyncIterator[Attacker]:
        """Come in with a station's password: its tablet was stolen."""
        async with self.outside(listener) as one:
            client_id = how.pop("client_id", f"thief-{next(_NAMES)}")
            assert await one.enter(client_id, **self.login(user), **how) == 0
            yield one


@dataclass(slots=True)
class Besieged(Siege):
    """The ship with her daemon.

    Attributes:
        owner: Hears everything that passes the broker, as the daemon's own user.
        sso: Hears what the SSO's station may.
        commands: Every command that passed the broker, with its retain flag, in order; an empty one clears.
    """

    process: Process
    owner: Witness
    sso: Witness
    commands: list[tuple[str, bytes, bool]] = field(default_factory=list)

    def body(self, id_: str, **arguments: Any) -> bytes:
        """Return a command's payload for the present session."""
        session = self.owner.newest["status"]["session"]
        return json.dumps({"id": id_, "session": session, **arguments}).encode()

    def heard(self) -> list[str]:
        """Return the names of the commands that passed the broker, without those of ``still``."""
        names = [
            topic.removeprefix(f"{ROOT}/cmd/") for topic, payload, _ in self.commands if payload
        ]
        return [name for name in names if not name.startswith("sso/")]

    def is_cleared(self, name: str) -> bool:
        """Return whether the newest of a command's topic cleared it."""
        of_it = [payload for topic, payload, _ in self.commands if topic == f"{ROOT}/cmd/{name}"]
        return of_it[-1:] == [b""]

    def held(self) -> dict[str, dict[str, Any]]:
        """Return what the broker holds of the ship's state and stands still, without what every word of ispsd bears."""
        return {
            name: {key: said for key, said in body.items() if key not in {"session", "up"}}
            for name, body in self.owner.newest.items()
            if not name.startswith((*SPOKEN, *MOVING))
        }

    async def still(self) -> None:
        """Return when the daemon has answered what it had before, and all who listen have heard it."""
        assert (await self.sso.ask("sso", "silence"))["accepted"]
        up = self.owner.newest["heartbeat"]["up"]
        await self.owner.until(lambda: self.owner.newest["heartbeat"]["up"] > up)

    async def refusals(self) -> list[dict[str, Any]]:
        """Return what the record says of commands that were refused; a second has passed since they came."""
        await self.still()
        said = await control.ask(
            self.made.state / "control.sock", {"do": "log", "count": 100, "type": "command.refused"}
        )
        return [json.loads(entry)["open"] for entry in said["entries"]]


@asynccontextmanager
async def broker_alone() -> AsyncIterator[Computer]:
    """Run the broker of a ship without her daemon."""
    with computer() as made:
        assert await asyncio.to_thread(made.init, "--yes", "--install") == 0
        async with broker_of(made):
            yield made


@asynccontextmanager
async def moored() -> AsyncIterator[tuple[Computer, Path]]:
    """Run broker and devices; the daemon's file is ready."""
    async with broker_alone() as made, thin.simulators() as devices:
        await devices.do("io1", "inputs", on=thin.ALL_SHUT)
        yield made, file_to_run(made, devices)


@asynccontextmanager
async def under_siege(made: Computer, config: Path) -> AsyncIterator[Besieged]:
    """Run the daemon until the block ends; she is quiet when it begins."""
    async with (
        station(made, "ispsd", tls=False) as owner,
        station(made, "sso", tls=True) as sso,
        _commands(made) as commands,
        daemon(made, config) as process,
    ):
        ship = Besieged(made, process, owner, sso, commands)
        await told(owner)
        await told(sso)
        await ship.still()
        yield ship


async def told(seen: Witness) -> str:
    """Return the session of a daemon that has looked at her doors; it takes a while to start beside others."""
    for _ in range(TRIES):
        with suppress(TimeoutError):
            session = await seen.session()
            await seen.until(functools.partial(shut, seen, session))
            return session
    raise AssertionError("the daemon does not come")


@asynccontextmanager
async def besieged() -> AsyncIterator[Besieged]:
    """Run the whole ship."""
    async with moored() as (made, config), under_siege(made, config) as ship:
        yield ship


@asynccontextmanager
async def _commands(made: Computer) -> AsyncIterator[list[tuple[str, bytes, bool]]]:
    """Keep every command that passes the broker."""
    kept: list[tuple[str, bytes, bool]] = []
    connection = Connection(made.as_user("ispsd"), client_id="commands", inbox_limit=100_000)
    await connection.connect()
    await connection.subscribe(f"{ROOT}/cmd/#")

    async def keep() -> None:
        async for message in connection.messages():
            kept.append((message.topic, message.payload, message.retained))  # noqa: PERF401

    keeping = asyncio.ensure_future(keep())
    try:
        yield kept
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await connection.disconnect()


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what state is not what it was."""
    names = before.keys() | after.keys()
    return {
        name: (before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    }
