"""The local control socket: how the command line and the SSO's pages speak to the daemon.

One JSON object a line, one answer a line. Who may ask is decided by the peer's user id (SO_PEERCRED): the daemon's
own user and root ask anything, the user of the pages' server ``review.`` only. What SSO and Master do goes here and
never over MQTT.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
import stat
import struct
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.computer import logs
from daemon.errors import IspsdError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from daemon.model import Json

LONGEST_LINE = 64 * 1024
LONGEST_ANSWER = 16 * 1024 * 1024
LONGEST_ADDRESS = 107
"""Bytes of a Unix socket's address (unix(7)), without its end."""
OWN_MODE = 0o600
"""Who may open the socket: its owner."""
MOST_PEERS = 16
MOST_OF_WEB = 10
"""Of them the pages' server: whatever it does, the command line gets its turn."""
PEER_CREDENTIALS = struct.Struct("3i")
PAGES: Final = "review."
"""What requests of the SSO's pages begin with."""


class Peer(Enum):
    """Who asks."""

    OWNER = "owner"
    """Root, or the daemon's own user."""
    WEB = "web"
    """The server of the SSO's pages, which asks for pages only."""


def peer(uid: int, *, own: int, web: int | None) -> Peer | None:
    """Return what a user is here; None for one who may ask nothing."""
    if uid in {0, own}:
        return Peer.OWNER
    return Peer.WEB if uid == web else None


class ControlServer:
    """Listens on the socket and hands requests to one function.

    Args:
        path: Where the socket is made, mode 0600. A socket file left by a dead daemon is replaced.
        handle: Carries out ``{"do": ..., ...}`` and returns the answer's fields; RefusedError is told to the peer.
        web_user: The user of the pages' server, where that is another than the daemon's: the socket is its group's too.

    Attributes:
        listening: Set from when whoever asks is answered.
    """

    def __init__(
        self,
        path: Path,
        handle: Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Json]]],
        *,
        web_user: str | None = None,
    ) -> None:
        self.listening = asyncio.Event()
        self._path = path
        self._handle = handle
        self._web_user = web_user
        self._web_uid: int | None = None
        self._peers: set[asyncio.Task[None]] = set()
        self._of_web = 0
        self._log = logs.get("control")

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            IspsdError: The socket cannot be made, or another daemon listens on it.
        """
        server = await self._listen()
        try:
            await server.start_serving()
            self.listening.set()
            await asyncio.Event().wait()
        finally:
            server.close()
            for task in tuple(self._peers):
                task.cancel()
            await asyncio.gather(*self._peers, return_exceptions=True)
            self._path.unlink(missing_ok=True)

    async def _listen(self) -> asyncio.Server:
        try:
            await self._take_away_what_is_left()
        except OSError as err:
            raise IspsdError(f"{self._path}: {err.strerror or err}") from err
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # Before it has a name, so that nobody finds it open: Linux gives the name the mode of the socket.
            os.fchmod(listener.fileno(), OWN_MODE)
            with _reachable(self._path) as path:
                listener.bind(str(path))
        except OSError as err:
            listener.close()
            raise IspsdError(f"{self._path}: {err.strerror or err}") from err
        server = await asyncio.start_unix_server(
            self._accept, sock=listener, limit=LONGEST_LINE, start_serving=False
        )
        self._let_in_web_user()
        return server

    async def _take_away_what_is_left(self) -> None:
        """Take away the socket of a dead daemon.

        Raises:
            IspsdError: It is a living one's, or no socket.
            OSError: It cannot be looked at, or not be taken away.
        """
        if not self._path.exists():
            return
        if await answers(self._path):
            raise IspsdError(f"{self._path}: another ispsd is running")
        if not stat.S_ISSOCK(self._path.lstat().st_mode):
            raise IspsdError(f"{self._path}: is not a socket; it is left alone")
        self._path.unlink()

    def _let_in_web_user(self) -> None:
        """Let the pages' server reach the socket; where that cannot be, the watch goes on without those pages."""
        if self._web_user is None:
            return
        try:
            user = pwd.getpwnam(self._web_user)
            if user.pw_uid == os.geteuid():
                return
            os.chown(self._path, -1, user.pw_gid)
            self._path.chmod(0o660)
        except (KeyError, OSError) as err:
            reason = "there is no such user" if isinstance(err, KeyError) else err.strerror
            self._log.error("control.no_web_user", user=self._web_user, reason=reason)
        else:
            self._web_uid = user.pw_uid

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._peers.add(task)
        task.add_done_callback(self._peers.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            who = peer(_uid(writer), own=os.geteuid(), web=self._web_uid)
            if len(self._peers) > MOST_PEERS or who is None:
                await _send(writer, {"error": "refused"})
                return
            with self._counted(who) as has_room:
                if not has_room:
                    await _send(writer, {"error": "refused"})
                    return
                while line := await reader.readline():
                    await _send(writer, await self._answer(line, who))
        except ValueError:  # longer than LONGEST_LINE
            with suppress(OSError):
                await _send(writer, {"error": f"a request has at most {LONGEST_LINE} bytes"})
        except OSError:
            pass  # the peer is gone; it will ask again
        finally:
            writer.close()

    @contextmanager
    def _counted(self, who: Peer) -> Iterator[bool]:
        """Count the connections of the pages' server; say whether one more is not too many."""
        is_web = who is Peer.WEB
        self._of_web += is_web
        try:
            yield not is_web or self._of_web <= MOST_OF_WEB
        finally:
            self._of_web -= is_web

    async def _answer(self, line: bytes, who: Peer) -> Mapping[str, Json]:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as err:
            return {"error": f"not JSON: {err}"}
        if not isinstance(request, dict) or not isinstance(request.get("do"), str):
            return {"error": 'a request is an object with "do"'}
        if who is Peer.WEB and not request["do"].startswith(PAGES):
            return {"error": "refused"}
        try:
            return await self._handle(request)
        except RefusedError as err:
            return {"error": str(err), **({"wants": err.wants} if err.wants else {})}
        except Exception as err:  # noqa: BLE001 (a bad request must not take the socket down)
            self._log.exception("control.failed", do=request["do"][:40])
            return {"error": f"failed: {type(err).__name__}"}


async def ask(path: Path, request: Mapping[str, Json]) -> dict[str, Any]:
    """Ask a running daemon.

    Raises:
        IspsdError: No daemon answers there, or it refuses; the message is its reason.
    """
    try:
        with _reachable(path) as place:
            reader, writer = await asyncio.open_unix_connection(place, limit=LONGEST_ANSWER)
    except OSError as err:
        raise IspsdError(f"{path}: no running ispsd answers ({err.strerror or err})") from err
    try:
        await _send(writer, request)
        line = await reader.readline()
    except ValueError as err:
        raise IspsdError(f"{path}: the answer has more than {LONGEST_ANSWER} bytes") from err
    except OSError as err:  # it stopped listening while we waited for our turn
        raise IspsdError(f"{path}: ispsd closed the connection without an answer") from err
    finally:
        writer.close()
    if not line:
        raise IspsdError(f"{path}: ispsd closed the connection without an answer")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise RefusedError(answer["error"], wants=answer.get("wants"))
    return answer


async def answers(path: Path) -> bool:
    """Return whether somebody listens on a socket.

    Raises:
        IspsdError: Nobody may ask but another user, so it cannot be told.
    """
    try:
        with _reachable(path) as place:
            _, writer = await asyncio.open_unix_connection(place)
    except PermissionError as err:
        raise IspsdError(
            f"{path}: whether ispsd runs cannot be seen by this user: ask as root"
        ) from err
    except OSError:
        return False
    writer.close()
    return True


@contextmanager
def _reachable(path: Path) -> Iterator[Path]:
    """Give a name of the socket that fits into an address, however deep its folder lies.

    Raises:
        OSError: The folder is not there.
    """
    if len(os.fsencode(path)) <= LONGEST_ADDRESS:
        yield path
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield Path(f"/proc/self/fd/{folder}") / path.name
    finally:
        os.close(folder)


async def _send(writer: asyncio.StreamWriter, message: Mapping[str, Json]) -> None:
    line = json.dumps(message, ensure_ascii=False).encode() + b"\n"
    if len(line) > LONGEST_ANSWER:
        line = (
            json.dumps({"error": f"the answer has {len(line)} bytes; ask for less"}).encode()
            + b"\n"
        )
    writer.write(line)
    await writer.drain()


def _uid(writer: asyncio.StreamWriter) -> int:
    sock = writer.get_extra_info("socket")
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER_CREDENTIALS.size)
    return int(PEER_CREDENTIALS.unpack(raw)[1])
