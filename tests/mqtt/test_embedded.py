"""The broker of the demo: it starts, it dies with us, it leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import pytest

from daemon.errors import LinkError
from daemon.mqtt.access import password_line
from daemon.mqtt.embedded import (
    LOCAL_PORTS,
    LOWEST_PORT,
    embedded_broker,
    free_port,
)
from tests.brokers import DEMO_USERS, address, iotcore, mosquitto
from tests.mqtt.harness import connected
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.mqtt.embedded import EmbeddedBroker

PARENT = """
import asyncio, sys
from daemon.mqtt.embedded import embedded_broker
async def main():
    async with embedded_broker(sys.argv[1]) as broker:
        print(broker.pid, broker.folder, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_it_comes_back_on_its_port_after_a_stop_and_after_a_power_cut(
    broker: EmbeddedBroker,
) -> None:
    for end in (broker.stop, broker.kill):
        await end()
        with pytest.raises(LinkError, match="does not run"):
            _ = broker.pid
        await broker.start()
        async with connected(address(broker)) as connection:
            await connection.deliver("t", b"x")


async def test_it_leaves_no_process_and_no_folder(broker: EmbeddedBroker) -> None:
    async with embedded_broker(broker.kind) as second:
        pid, folder = second.pid, second.folder
        assert folder.exists()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    await second.stop()  # twice does no harm


@pytest.mark.parametrize("kind", ["mosquitto", "iotcore"])
async def test_it_dies_with_its_parent_even_if_that_is_killed(kind: str) -> None:
    async with mosquitto() if kind == "mosquitto" else iotcore():
        pass  # skips where the kind is not there
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, kind, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        pid = int((await parent.stdout.readline()).split()[0])
    descriptor = os.pidfd_open(pid)
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, gone.set)
    try:
        parent.kill()
        await parent.wait()
        async with asyncio.timeout(PATIENCE_S):
            await gone.wait()
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


async def test_a_port_that_is_taken_is_an_error_with_its_number() -> None:
    async with mosquitto() as first:
        with pytest.raises(LinkError, match=f"port {first.port} of 127.0.0.1 is taken"):
            async with embedded_broker("mosquitto", port=first.port, ws_port=first.port):
                pass


async def test_users_are_refused_where_there_is_no_acl() -> None:
    with pytest.raises(ValueError, match="iotcore has no ACL"):
        async with embedded_broker("iotcore", users=DEMO_USERS):
            pass


async def test_every_start_has_passwords_of_its_own_that_nobody_else_can_read() -> None:
    async with mosquitto(users=DEMO_USERS) as first, mosquitto(users=DEMO_USERS) as second:
        assert set(first.passwords) == set(DEMO_USERS)
        assert not set(first.passwords.values()) & set(second.passwords.values())
        for name in ("passwords", "acl"):
            assert (first.folder / name).stat().st_mode & 0o077 == 0
        assert not any(
            password in (first.folder / "passwords").read_text()
            for password in first.passwords.values()
        )


def test_two_lines_for_one_password_differ() -> None:
    assert password_line("a", "b") != password_line("a", "b")
    assert password_line("a", "b").startswith("a:$7$101$")


async def test_without_mosquitto_the_wheel_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("daemon.mqtt.embedded.mosquitto_program", lambda: None)
    async with embedded_broker(port=(port := free_port())) as broker:
        assert (broker.kind, broker.port) == ("iotcore", port)
        async with connected(address(broker)) as connection:
            await connection.deliver("t", b"x")


async def test_a_port_that_was_taken_meanwhile_is_chosen_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with embedded_broker() as first:
        chosen = iter(
            [first.port, free_port(), free_port(), first.ws_port, free_port(), free_port()]
        )
        monkeypatch.setattr("daemon.mqtt.embedded.free_port", lambda: next(chosen))
        async with embedded_broker() as second, connected(address(second)) as connection:
            assert not {second.port, second.ws_port} & {first.port, first.ws_port}
            await connection.deliver("t", b"x")


async def test_a_port_that_was_asked_for_is_never_another() -> None:
    async with embedded_broker() as first:
        with pytest.raises(LinkError, match=f"port {first.port} of 127.0.0.1 is taken"):
            async with embedded_broker(port=first.port, ws_port=free_port()):
                pass


def test_a_free_port_is_none_that_the_kernel_hands_out() -> None:
    ephemeral = int(LOCAL_PORTS.read_text("ascii").split()[0])
    assert all(LOWEST_PORT <= free_port() < ephemeral for _ in range(20))
