"""A witness as it is served: the real process on loopback; and others that lie."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from daemon.record.witness_store import Store
from daemon.witness.post import Place, place
from tests.record.ship import VKEY

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

NAME = "wheelhouse-2.example"


def true_utc() -> datetime:
    """Return the time by which the served process goes; a ship whose clock is a day behind takes nothing of it."""
    return datetime.now(UTC)


def made(folder: Path, *, name: str = NAME, trusts: str | None = VKEY) -> Store:
    store = Store(folder)
    store.init(name)
    if trusts is not None:
        store.trust(trusts)
    return store


@asynccontextmanager
async def served(folder: Path, *, port: int = 0) -> AsyncIterator[Place]:
    """Run ``ispsd witness serve``; it ends when asked to, and says nothing wrong."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "daemon",
        "witness",
        "serve",
        "--state",
        str(folder),
        "--listen",
        f"127.0.0.1:{port}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        assert line.startswith("listening on "), line
        yield place(line.removeprefix("listening on ").strip())
    finally:
        process.terminate()
        _, said = await process.communicate()
    assert process.returncode == 0, said
    assert b"Traceback" not in said, said


@asynccontextmanager
async def answering(
    answer: Callable[[bytes, asyncio.StreamWriter], Awaitable[None]],
    *,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Place]:
    """Serve something that is not a witness."""
    visitors: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(visit(reader, writer))
        visitors.add(task)
        task.add_done_callback(visitors.discard)

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                ),
                0,
            )
            await answer(head + await reader.readexactly(length), writer)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield Place("127.0.0.1", server.sockets[0].getsockname()[1], "", tls=tls is not None)
    finally:
        server.close()
        for task in tuple(visitors):
            task.cancel()
        await asyncio.gather(*visitors, return_exceptions=True)


def whole(status: int, body: str) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()
