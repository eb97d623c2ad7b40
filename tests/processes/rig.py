"""What a daemon process is watched with: a subscriber that forgets nothing, the verifier, the record's bytes."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import apsw

import daemon
from daemon.mqtt.connection import Connection
from tests.brokers import address
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable

    from daemon.mqtt.wire import Message
    from tests.brokers import EmbeddedBroker

ROOT = "ispsd/9999993/v1/"
VERIFIER = Path(daemon.__file__).parent / "record" / "verify.py"


@dataclass(slots=True)
class Notes:
    """What a subscriber was told of the record, over all lives of the daemon.

    Attributes:
        events: By ``bseq``: ``seq`` and the entry's bytes, as often as each came.
        replies: Replies that name an entry, with their station.
        alerts: Alert states that name an entry.
        heads: Signed heads by their size.
    """

    events: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    replies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    heads: dict[int, str] = field(default_factory=dict)
    told: int = 0
    """How many of the messages said that something is recorded."""

    def take(self, name: str, payload: bytes, body: dict[str, Any]) -> bool:
        """Note a message; return whether it says that something is recorded."""
        if name == "event":
            entry = payload[payload.index(b'"entry":') + 8 : payload.rindex(b',"session":"')]
            self.events.setdefault(body["bseq"], []).append((body["seq"], entry))
            self.order.append(body["bseq"])
        elif name == "record/head":
            self.heads[body["size"]] = body["note"]
        elif name.startswith("reply/") and body["recorded"] is not None:
            self.replies.append((name.removeprefix("reply/"), body))
        elif name.startswith("alert/") and body["recorded"] is not None:
            self.alerts.append(body)
        else:
            return False
        self.told += 1
        return True

    def newest_head(self) -> str:
        return self.heads[max(self.heads)]


class Witness:
    """A subscriber to everything, and the stations whose commands it sends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self._changed = asyncio.Event()
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.on_told: Callable[[str], None] = lambda _: None
        """Called with the topic of every message that says that something is recorded."""
        self.on_sent: Callable[[str], None] = lambda _: None
        """Called with the topic of every command that the broker has."""
        self.newest: dict[str, dict[str, Any]] = {}
        """The newest message of each topic; none where it is cleared."""
        self.notes = Notes()

    async def listen(self) -> None:
        async for message in self._connection.messages():
            self._take(message)

    async def until(self, holds: Callable[[], Any]) -> Any:
        """Return what ``holds`` returns, as soon as it is true."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := holds()):
                self._changed.clear()
                await self._changed.wait()
        return found

    async def news(self) -> None:
        """Return when something has come."""
        self._changed.clear()
        await self._changed.wait()

    async def session(self, *, other_than: str | None = None) -> str:
        """Return the session of a daemon whose picture is complete."""

        def complete() -> str | None:
            status, snapshot = self.newest.get("status", {}), self.newest.get("snapshot", {})
            session: str | None = status.get("session")
            known = session == snapshot.get("session") and status.get("state") != "offline"
            return session if known and session != other_than else None

        found: str = await self.until(complete)
        return found

    async def ask(self, station: str, verb: str, **arguments: Any) -> dict[str, Any]:
        """Send a command and return the reply."""
        id_ = f"w{next(self._ids)}"
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[id_] = reply
        body = {"id": id_, "session": self.newest["status"]["session"], **arguments}
        topic = f"{ROOT}cmd/{station}/{verb}"
        await self._connection.deliver(topic, json.dumps(body).encode(), expiry_s=10)
        self.on_sent(topic)
        return await reply  # it may have come before the acknowledgement

    def _take(self, message: Message) -> None:
        name = message.topic.removeprefix(ROOT)
        if name.startswith("cmd/"):
            return
        assert not message.too_long
        if message.payload:
            body = json.loads(message.payload)
            self.newest[name] = body
            if self.notes.take(name, message.payload, body):
                self.on_told(name)
            asked = self._asked.pop(body["id"], None) if name.startswith("reply/") else None
            if asked is not None and not asked.done():  # the asker may have been cancelled
                asked.set_result(body)
        else:
            self.newest.pop(name, None)
        self._changed.set()


@asynccontextmanager
async def witness(broker: EmbeddedBroker) -> AsyncIterator[Witness]:
    """Listen to everything that passes the broker."""
    connection = Connection(
        address(broker),
        client_id=f"witness-{uuid4().hex}",
        inbox_limit=100_000,
        payload_limit_bytes=256 * 1024,
    )
    await connection.connect()
    seen = Witness(connection)
    listening = asyncio.ensure_future(seen.listen())
    try:
        await connection.subscribe("#")
        yield seen
        assert connection.dropped == 0
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await connection.disconnect()


async def verified(record: Path, key: Path, *notes: str) -> tuple[int, str]:
    """Run the verifier as anybody would; return its exit code and words."""
    with TemporaryDirectory() as folder:
        words: list[str] = []
        for number, note in enumerate(notes):
            anchor = Path(folder) / f"{number}.note"
            anchor.write_text(note, "utf-8")
            words += ["--anchor", str(anchor)]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", str(VERIFIER), str(record), "--key", str(key), *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


def stored(record: Path) -> dict[int, bytes]:
    """Return every entry's bytes by ``seq``, read from a copy: looking must not mend what a kill left."""
    with TemporaryDirectory() as folder:
        shutil.copytree(record, folder, dirs_exist_ok=True)
        [segment] = Path(folder).glob("segment-*.db")
        database = apsw.Connection(str(segment), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            return {
                int(str(seq)): str(body).encode()
                for seq, body in database.execute("SELECT seq, body FROM entry ORDER BY seq")
            }
        finally:
            database.close()


async def line_with(word: str, process: Process, said: list[str]) -> str:
    """Return the first line of a process with this word, as soon as it is said; what it says is added to ``said``."""
    for line in said:
        if word in line:
            return line
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        async for raw in process.stdout:
            said.append(raw.decode().rstrip())
            if word in said[-1]:
                return said[-1]
    raise AssertionError(f"it ended without {word!r}:\n" + "\n".join(said))


def marked(variable: str) -> dict[int, str]:
    """Return every living process that has this variable in its environment, with its command line."""
    found = {}
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            environment = (folder / "environ").read_bytes() if folder.name.isdigit() else b""
            if variable.encode() in environment.split(b"\0"):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                found[int(folder.name)] = b" ".join(words).decode()
    return found
