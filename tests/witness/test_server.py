"""A served witness answers as C2SP says, bounds everything, and knows after a restart what it knew before."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from daemon.errors import IspsdError
from daemon.model import ClockStatus
from daemon.record import cosignature
from daemon.witness import post
from daemon.witness.post import Place
from daemon.witness.server import MOST_PEERS, WitnessServer
from tests.clocks import ManualClock
from tests.record.heads import FALSE, LOG, asked, head
from tests.record.ship import OTHER_KEY, VKEY
from tests.witness.served import made, served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from daemon.record.witness_store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return made(tmp_path / "witness")


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Place]:
    """Serve in this process, with a clock that is set and little patience."""
    server = WitnessServer(store, clock=ManualClock(), request_s=1.0)
    started: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
    running = asyncio.ensure_future(
        server.run(
            "127.0.0.1", 0, started=lambda h, p: started.set_result(Place(h, p, "", tls=False))
        )
    )
    yield await started
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def ask(at: Place, old: int, size: int, *args: object, **options: object) -> tuple[int, str]:
    request = asked(old, size, *args, **options)  # type: ignore[arg-type]
    return await post.ask(at, "/add-checkpoint", request.encode())


async def raw(at: Place, sent: bytes, *, end: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection(at.host, at.port)
    writer.write(sent)
    if end:
        writer.write_eof()
    answer = await reader.read(65536)
    writer.close()
    return answer


async def test_the_process_signs_refuses_and_remembers_over_a_restart(store: Store):
    async with served(store.folder) as at:
        status, body = await ask(at, 0, 5)
        assert status == 200
        text = cosignature.body_of(head(5).note)
        _, time_s = cosignature.own_line(body, store.name(), text=text)
        assert abs(time_s - datetime.now(UTC).timestamp()) < 60
        assert await ask(at, 0, 8) == (409, "5\n")
        assert (await ask(at, 5, 8, FALSE))[0] == 422
        assert await ask(at, 5, 5, FALSE) == (409, "5\n")
        assert (await ask(at, 5, 8, key=OTHER_KEY))[0] == 403
        assert (await ask(at, 0, 8, origin="demo/1234567/1"))[0] == 404
        assert (await post.ask(at, "/add-checkpoint", b"old x"))[0] == 400
    async with served(store.folder) as at:
        assert await ask(at, 0, 8) == (409, "5\n")
        assert (await ask(at, 5, 8))[0] == 200
        status, note = await post.ask(at, f"/head/{LOG}", None)
        assert status == 200
        assert note.startswith(head(8).note)
    assert len(store.refused()) == 2


async def test_a_ship_that_is_trusted_later_is_known_at_once(tmp_path: Path):
    store = made(tmp_path / "witness", trusts=None)
    async with served(store.folder) as at:
        assert (await ask(at, 0, 5))[0] == 404
        store.trust(VKEY)
        assert (await ask(at, 0, 5))[0] == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\r\n\r\n", b"400"),
        (b"DELETE / HTTP/1.1\r\n\r\n", b"400"),
        (b"POST /add-checkpoint HTTP/1.1\r\n\r\n", b"411"),
        (b"POST /add-checkpoint HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 16385\r\n\r\n", b"413"),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (
            b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 2\r\n\r\n",
            b"400",
        ),
        (b"POST /add-checkpoint HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"GET /add-checkpoint HTTP/1.1\r\nConnection: close\r\n\r\n", b"405"),
        (b"GET /head/demo/9999993/7 HTTP/1.1\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET /head/../../etc/passwd HTTP/1.1\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", b"404"),
    ],
)
async def test_what_is_no_request_is_refused_by_number(at: Place, sent: bytes, status: bytes):
    assert (await raw(at, sent)).split(b" ")[1] == status


async def test_an_endless_head_and_a_slow_body_end(at: Place):
    assert await raw(at, b"GET /" + b"x" * 100_000) == b""
    assert await raw(at, b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 9\r\n\r\nold") == b""
    assert await raw(at, b"POST /add", end=True) == b""


async def test_a_connection_can_be_used_again(at: Place):
    body = asked(0, 5).encode()
    sent = b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    last = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
    reader, writer = await asyncio.open_connection(at.host, at.port)
    writer.write(sent + last)
    answer = await reader.read()
    writer.close()
    assert answer.count(b"HTTP/1.1 200") == 1
    assert answer.count(b"HTTP/1.1 404") == 1


async def test_too_many_peers_are_turned_away_and_the_next_ship_is_served(at: Place):
    peers = [await asyncio.open_connection(at.host, at.port) for _ in range(MOST_PEERS + 5)]
    closed = [await reader.read(1) for reader, _ in peers[MOST_PEERS:]]
    assert closed == [b""] * 5
    for _, writer in peers:
        writer.close()
    for reader, _ in peers[:MOST_PEERS]:
        assert await reader.read(1) == b""
    assert (await ask(at, 0, 5))[0] == 200


async def test_many_ships_at_once_never_get_two_histories_signed(at: Place, store: Store):
    await ask(at, 0, 5)
    histories = [((5, 8), {}), ((5, 8), {}), ((5, 9), {})] * 5
    answers = await asyncio.gather(
        *(ask(at, *sizes) for sizes, _ in histories), *(ask(at, 5, 8, FALSE) for _ in range(5))
    )
    # Whoever comes first grows the log; for all that come later 5 is no longer what is known.
    assert [status for status, _ in answers].count(200) == 1
    assert store.heads()[LOG].size in {8, 9}


async def test_a_clock_that_is_not_set_signs_nothing(store: Store):
    class Unset(ManualClock):
        def status(self) -> ClockStatus:
            return ClockStatus.UNSET

    server = WitnessServer(store, clock=Unset())
    answer = await server._answered("POST", "/add-checkpoint", asked(0, 5).encode())
    assert answer.status == 503
    assert not store.heads()


async def test_a_damaged_store_is_a_503_and_says_no_more(at: Place, store: Store):
    await ask(at, 0, 5)
    (store.folder / "heads" / "demo_9999993_1.note").write_text("damaged")
    assert await ask(at, 0, 5, FALSE) == (503, "this witness cannot sign now\n")


async def test_a_place_that_is_taken_is_said(at: Place, store: Store):
    server = WitnessServer(store, clock=ManualClock())
    with pytest.raises(IspsdError, match=f"127.0.0.1:{at.port}"):
        await server.run("127.0.0.1", at.port, started=lambda *_: None)
