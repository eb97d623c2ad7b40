"""Who may connect? So many at once, and few of them from one place; counted before a byte is read, TLS's handshake too.

asyncio's own server knows of a connection only when its handshake is over: a stranger who begins hundreds of those and
ends none would hold as many descriptors, and be counted nowhere.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from daemon.errors import IspsdError
from daemon.people.knocks import place

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

FULL_S: Final = 1.0
"""Without a descriptor left nobody is let in; it is looked again after so long."""


class Doorway:
    """Lets connections in."""

    def __init__(
        self,
        enter: Callable[[Callable[[], None]], asyncio.Protocol],
        *,
        tls: ssl.SSLContext | None,
        handshake_s: float,
        most: int,
        most_of_one: int,
    ) -> None:
        """Let in what may come.

        Args:
            enter: Makes what serves one connection; it calls what it is given when that connection is over.
            tls: How to speak TLS; None: it is not spoken.
            handshake_s: How long its handshake may take.
            most: Connections at once.
            most_of_one: Of them from one place.
        """
        self._enter = enter
        self._tls = tls
        self._handshake_s = None if tls is None else handshake_s
        self._most = most
        self._most_of_one = most_of_one
        self._inside: Counter[str] = Counter()
        self._entering: set[asyncio.Task[None]] = set()

    async def keep(self, listening: list[socket.socket]) -> None:
        """Let connections in until cancelled; closes what listens."""
        loop = asyncio.get_running_loop()
        keeping = [loop.create_task(self._keep_one(each)) for each in listening]
        try:
            await asyncio.gather(*keeping)
        finally:
            for task in (*keeping, *self._entering):
                task.cancel()
            for each in listening:
                each.close()

    async def _keep_one(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listening)
            except ConnectionAbortedError:
                continue  # gone again already
            except OSError:
                await asyncio.sleep(FULL_S)
                continue
            where = place(address[0])
            if self._inside.total() >= self._most or self._inside[where] >= self._most_of_one:
                connection.close()
                continue
            self._inside[where] += 1
            entering = loop.create_task(self._let_in(connection, where))
            self._entering.add(entering)
            entering.add_done_callback(self._entering.discard)

    async def _let_in(self, connection: socket.socket, where: str) -> None:
        """Hand a connection over to what serves it, after its handshake."""
        is_over = False

        def over() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                self._leave(where)

        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._enter(over),
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=self._handshake_s,
            )
        except BaseException as err:
            over()
            connection.close()
            if not isinstance(err, OSError):  # a handshake that fails is the other one's
                raise

    def _leave(self, where: str) -> None:
        self._inside[where] -= 1
        if not self._inside[where]:
            del self._inside[where]


async def bound(host: str, port: int, *, backlog: int) -> list[socket.socket]:
    """Listen at an address; a name may have several.

    Raises:
        IspsdError: Nobody can listen there.
    """
    listening: list[socket.socket] = []
    try:
        for family, *_, address in await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            made = socket.create_server(address, family=family, backlog=backlog)
            made.settimeout(0.0)
            listening.append(made)
    except OSError as err:
        for each in listening:
            with suppress(OSError):
                each.close()
        raise IspsdError(f"{host}:{port}: {err.strerror or err}") from err
    return listening
