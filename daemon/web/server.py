"""How is the page served? Small answers to GET, each bounded; nothing is written, logged by request, or looked up.

Nothing secret is here: the page's data come from the broker, which asks the station for its password, and the SSO's
pages (``/sso``) come from the daemon, which knows who is logged in. Whoever calls
this computer by a name that is not its own is sent away, so that no stranger's page reads the settings through a
browser on board (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from daemon.errors import IspsdError
from daemon.web.accepting import Doorway, bound
from daemon.web.pages import built, headers
from daemon.web.review.server import ReviewPages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from daemon.web.settings import WebSection

LARGEST_HEAD: Final = 8 * 1024
"""Bytes of a request's first line, and of each of its fields."""
MOST_PEERS: Final = 64
"""Connections at once; a page that is loaded needs none."""
MOST_OF_ONE: Final = 32
"""Of them from one place, five times what a browser opens: one that holds on to more keeps nobody else out."""
IDLE_S: Final = 10.0
"""A connection that asks nothing for so long is closed."""
REQUEST_S: Final = 10.0
"""And one that has not asked anything whole for so long."""
UNREAD_S: Final = 20.0
"""And one that takes nothing of its answer for so long: else a few that never read would be all that there may be."""
SETTINGS: Final = "/settings.json"


@dataclass(frozen=True, slots=True)
class ShipFacts:
    """What the page has to know before it has heard anything.

    Attributes:
        name: The ship's.
        stations: The ids that a browser may be.
        is_demo: Whether all of it is simulated.
    """

    name: str
    imo_number: int
    stations: tuple[str, ...]
    is_demo: bool


class PageServer:
    """Serves the page to browsers."""

    def __init__(self, section: WebSection, ship: ShipFacts, *, control: Path) -> None:
        """Read everything that will be served; ``control`` is the daemon's socket, for the SSO's pages.

        Raises:
            IspsdError: The page was not built, or certificate or key cannot be used.
        """
        self._section = section
        self._ship = ship
        self._pages = built()
        facts = {"ship": ship.name, "imo_number": ship.imo_number, "simulated": ship.is_demo}
        self._review = ReviewPages(control, is_tls=section.is_tls, facts=facts)
        self._tls = _tls(section)
        self._silent: dict[web.RequestHandler, asyncio.TimerHandle] = {}
        """Connections on which no request has become whole, and what ends each."""

    async def run(self, *, started: Callable[[str], None]) -> None:
        """Serve until cancelled; ``started`` is told the address.

        Raises:
            IspsdError: It cannot listen there.
        """
        server = web.Server(self._answer)
        loop = asyncio.get_running_loop()

        def enter(over: Callable[[], None]) -> asyncio.Protocol:
            return _Handler(
                server,
                begun=self._begin,
                over=lambda handler: self._end(handler, over),
                loop=loop,
                access_log=None,  # as web.Server gives it
                keepalive_timeout=IDLE_S,
                max_line_size=LARGEST_HEAD,
                max_field_size=LARGEST_HEAD,
                lingering_time=1.0,
            )

        section = self._section
        listening = await bound(section.host, section.port, backlog=MOST_PEERS)
        doorway = Doorway(
            enter,
            tls=self._tls,
            handshake_s=REQUEST_S,
            most=MOST_PEERS,
            most_of_one=MOST_OF_ONE,
        )
        host = f"[{section.host}]" if ":" in section.host else section.host
        started(f"{'https' if section.is_tls else 'http'}://{host}:{section.port}/")
        try:
            await doorway.keep(listening)
        finally:
            await server.shutdown(timeout=1.0)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; the same for everybody."""
        self._stop_timer(request.protocol)
        host = _host(request.headers.get("Host", ""))
        if host is None or not self._section.answers_to(host):
            return _words(421, "this computer has another name", {"Server": "ispsd"})
        said = headers(self._section.broker_for(host))
        if self._review.answers(request.path):
            return await self._review.answer(request, said)
        if request.method not in {"GET", "HEAD"}:
            return _words(405, "there is only GET", {**said, "Allow": "GET, HEAD"})
        if request.body_exists:
            return _words(400, "nothing is to be sent here", said)
        if request.path == SETTINGS:
            said |= {"Cache-Control": "no-store", "Content-Type": "application/json"}
            return web.Response(body=self._settings(host), headers=said)
        return self._file(request, said)

    def _file(self, request: web.BaseRequest, said: dict[str, str]) -> web.Response:
        if (page := self._pages.get(request.path)) is None:
            return _words(404, "there is no such page", said)
        said |= {"Cache-Control": "no-cache", "ETag": page.mark, "Content-Type": page.kind}
        if request.headers.get("If-None-Match") == page.mark:
            return web.Response(status=304, headers=said)
        return web.Response(body=page.content, headers=said)

    def _begin(self, handler: web.RequestHandler) -> None:
        loop = asyncio.get_running_loop()
        self._silent[handler] = loop.call_later(REQUEST_S, self._end_silent, handler)

    def _end(self, handler: web.RequestHandler, over: Callable[[], None]) -> None:
        self._stop_timer(handler)
        over()

    def _stop_timer(self, handler: web.RequestHandler) -> None:
        if (timer := self._silent.pop(handler, None)) is not None:
            timer.cancel()

    def _end_silent(self, handler: web.RequestHandler) -> None:
        """Close a connection on which no request became whole: aiohttp itself would wait for ever."""
        del self._silent[handler]
        if handler.transport is not None:
            handler.transport.close()

    def _settings(self, host: str) -> bytes:
        ship = self._ship
        return json.dumps(
            {
                "ship": {"name": ship.name, "imo": ship.imo_number},
                "stations": list(ship.stations),
                "broker": self._section.broker_for(host),
                "demo": ship.is_demo,
            }
        ).encode()


class _Handler(web.RequestHandler):
    """One connection: what is no request gets three words, and no line of the log that a stranger could fill."""

    __slots__ = ("_begun", "_over")

    def __init__(
        self,
        server: web.Server,
        *,
        begun: Callable[[web.RequestHandler], None],
        over: Callable[[web.RequestHandler], None],
        **how: Any,
    ) -> None:
        super().__init__(server, **how)
        self._begun = begun
        self._over = over

    def connection_made(  # type: ignore[explicit-override]
        self, transport: asyncio.BaseTransport
    ) -> None:
        super().connection_made(transport)
        self._begun(self)
        if (sock := transport.get_extra_info("socket")) is not None:
            unread_ms = int(UNREAD_S * 1000)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unread_ms)

    def connection_lost(  # type: ignore[explicit-override]  # typing.override is Python 3.12
        self, exc: BaseException | None
    ) -> None:
        super().connection_lost(exc)
        self._over(self)

    def handle_error(  # type: ignore[explicit-override]
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        answer = _words(400, "this is no request", {"Server": "ispsd"})
        answer.force_close()
        return answer


def _words(status: int, text: str, said: dict[str, str]) -> web.Response:
    return web.Response(status=status, text=f"{text}\n", headers=said)


def _host(field: str) -> str | None:
    """Return the name that a browser calls us by, without its port; None for what is none."""
    host, colon, port = field.rpartition(":")
    if not colon or field.endswith("]"):
        host, port = field, "0"
    if not port.isdecimal():
        return None
    return host.removeprefix("[").removesuffix("]").lower() or None


def _tls(section: WebSection) -> ssl.SSLContext | None:
    """Return how to speak TLS; None where it is not to be spoken.

    Raises:
        IspsdError: Certificate or key cannot be used.
    """
    if section.certificate_file is None or section.key_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(section.certificate_file, section.key_file)
    except OSError as err:  # ssl.SSLError is one
        names = f"{section.certificate_file}, {section.key_file}"
        raise IspsdError(f"{names}: {err.strerror or err}") from err
    return context
