"""How are the SSO's pages served? Each request becomes one to the daemon, its answer a page; nothing is kept here.

Where the daemon does not answer, the page says so and nothing else: an older answer is not there to be shown. A browser
keeps none of these pages.
"""

from __future__ import annotations

import asyncio
import base64
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from aiohttp import web

from daemon.control import control
from daemon.errors import IspsdError, RefusedError
from daemon.web.review import asked
from daemon.web.review.asked import BadRequestError
from daemon.web.review.rendering import Templates, clock_words
from daemon.web.review.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from daemon.model import Json

ROOT: Final = "/sso"
MOST_ASKED: Final = 6
"""Requests at the daemon at once, beside logins (``turns``): strangers there keep nobody from the pages, nor the ETO
from his commands."""
ANSWER_S: Final = 30.0
"""How long the daemon may take; a page that waits longer says that it does not answer."""
POLICY: Final = (
    "default-src 'self'; script-src 'none'; connect-src 'none'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")
_SHOWN: Final = frozenset({"image/png", "image/jpeg"})
"""What a page may show by itself; everything else is saved."""


class ReviewPages:
    """Serves them."""

    def __init__(self, socket: Path, *, is_tls: bool, facts: Mapping[str, Any]) -> None:
        """Touch nothing yet.

        Args:
            socket: The daemon's control socket.
            is_tls: The pages are served over TLS.
            facts: What every page says of the ship, also where the daemon does not answer.
        """
        self._socket = socket
        self._is_tls = is_tls
        self._facts = dict(facts)
        self._templates = Templates()
        self._asking = asyncio.Semaphore(MOST_ASKED)
        self._turns = Turns()

    def answers(self, path: str) -> bool:
        """Return whether a path is one of these pages'."""
        return path == ROOT or path.startswith(f"{ROOT}/")

    async def answer(self, request: web.BaseRequest, said: Mapping[str, str]) -> web.Response:
        """Answer one request; ``said`` are the headers of every answer."""
        headers = {
            **said,
            "Content-Security-Policy": POLICY,
            "Cache-Control": "no-store",
            "Referrer-Policy": "same-origin",  # without one, a browser says of no form where it is from
        }
        jar = asked.cookies(request)
        visit = _Visit(self, request, headers, jar)
        try:
            if request.method == "POST":
                return await visit.sent(await asked.form(request, is_tls=self._is_tls))
            if request.method not in {"GET", "HEAD"} or request.body_exists:
                return visit.page("fault", 405, reason="there is only GET and POST")
            return await visit.looked()
        except BadRequestError as err:
            return visit.page("fault", err.status, reason=str(err))
        except RefusedError as err:
            return self._refused(visit, err)
        except (IspsdError, TimeoutError, ValueError, OSError):
            return visit.page("down", HTTPStatus.SERVICE_UNAVAILABLE)

    def _refused(self, visit: _Visit, err: RefusedError) -> web.Response:
        if "login" in err.wants:
            return visit.to(f"{ROOT}/login", visit.ended())
        status = HTTPStatus.NOT_FOUND if "page" in err.wants else HTTPStatus.FORBIDDEN
        return visit.page("fault", status, reason=str(err))

    async def ask(self, do: str, **said: Json) -> dict[str, Any]:
        """Ask the daemon.

        Raises:
            RefusedError: It refuses.
            IspsdError: It does not answer.
            TimeoutError: It takes too long.
        """
        async with asyncio.timeout(ANSWER_S), self._asking:
            return await control.ask(self._socket, {"do": f"review.{do}", **said})

    async def log_in(self, place: str, **said: Json) -> dict[str, Any]:
        """Ask the daemon to let somebody in who is at a place.

        Raises:
            RefusedError: It refuses, or too many are tried from there.
            IspsdError: It does not answer.
            TimeoutError: It takes too long.
        """
        async with asyncio.timeout(ANSWER_S), self._turns.of(place):
            return await control.ask(self._socket, {"do": "review.login", "place": place, **said})

    def made(self, name: str, palette: str, **given: Any) -> str:
        """Return a page of a template."""
        return self._templates.made(name, palette=palette, **{**self._facts, **given})

    @property
    def is_tls(self) -> bool:
        return self._is_tls


class _Visit:
    """One request of one browser."""

    def __init__(
        self,
        pages: ReviewPages,
        request: web.BaseRequest,
        headers: Mapping[str, str],
        jar: Mapping[str, str],
    ) -> None:
        self._pages = pages
        self._headers = dict(headers)
        self._is_tls = pages.is_tls
        self._cookie = asked.cookie_name(is_tls=pages.is_tls)
        self._token = jar.get(self._cookie, "")
        palette = jar.get(asked.PALETTE, "")
        self._palette = palette if palette in asked.PALETTES else "day"
        self._place = request.remote or ""
        self._path = request.path
        self._query = request.query_string

    # Looking

    async def looked(self) -> web.Response:
        """Show a page, or hand out a file."""
        match self._path.removeprefix(ROOT).strip("/").split("/"):
            case [""]:
                return self.to(f"{ROOT}/{await self._first()}")
            case ["login"]:
                return self.page("login", HTTPStatus.OK, reason="")
            case [name] if _NAME.fullmatch(name):
                return await self._show(name)
            case [name, file] if _NAME.fullmatch(name) and _FILE.fullmatch(file):
                return await self._hand_out(name, file)
            case _:
                raise BadRequestError(404, "there is no such page")

    async def _first(self) -> str:
        answer = await self._pages.ask("page", token=self._token, page="")
        return str(answer["page"])

    async def _show(self, name: str) -> web.Response:
        answer = await self._pages.ask(
            "page", token=self._token, page=name, asked=asked.pairs(self._query)
        )
        template = "withheld" if answer["said"] is None else name
        given = {**answer, "query": self._query, "taken": clock_words(answer)}
        return self.page(template, HTTPStatus.OK, **given)

    async def _hand_out(self, name: str, file: str) -> web.Response:
        answer = await self._piece(name, file, 0)
        shown = answer["media"] in _SHOWN
        kept = re.sub(r"[^A-Za-z0-9._ -]", "_", str(answer["name"]))
        headers = {
            **self._headers,
            "Content-Type": str(answer["media"]) if shown else "application/octet-stream",
            "Content-Disposition": f'{"inline" if shown else "attachment"}; filename="{kept}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        first = base64.b64decode(answer["body"])
        if len(first) >= answer["size"]:
            return web.Response(body=first, headers=headers)
        return web.Response(body=self._pieces(name, file, first, answer["size"]), headers=headers)

    async def _piece(self, name: str, file: str, offset: int) -> Mapping[str, Any]:
        wanted = {**asked.pairs(self._query), "offset": str(offset)}
        return await self._pages.ask(
            "fetch", token=self._token, page=name, file=file, asked=dict(wanted)
        )

    async def _pieces(self, name: str, file: str, first: bytes, size: int) -> AsyncIterator[bytes]:
        """Yield a file piece by piece; where the daemon stops handing it out, the browser's copy is broken off."""
        given, piece = len(first), first
        while piece:
            yield piece
            if given >= size:
                return
            piece = base64.b64decode((await self._piece(name, file, given))["body"])
            given += len(piece)
        raise IspsdError(f"{file} ends before its {size} bytes")

    # Sending

    async def sent(self, form: Mapping[str, str]) -> web.Response:
        """Do what a form is for, then go to a page that says what became of it."""
        csrf = form.get("csrf", "")
        match self._path.removeprefix(ROOT).strip("/").split("/"):
            case ["login"]:
                return await self._log_in(form)
            case ["logout"]:
                await self._pages.ask("logout", token=self._token, csrf=csrf)
                return self.to(f"{ROOT}/login", self.ended())
            case ["palette"]:
                return self._set_palette(form)
            case ["psc", "on" | "off" as which]:
                return await self._set_psc(form, csrf, on=which == "on")
            case [name, act] if _NAME.fullmatch(name) and _NAME.fullmatch(act):
                return await self._act(name, act, form, csrf)
            case _:
                raise BadRequestError(404, "there is no such page")

    async def _log_in(self, form: Mapping[str, str]) -> web.Response:
        name, pin = form.get("name", ""), form.get("pin", "")
        try:
            answer = await self._pages.log_in(self._place, name=name, pin=pin, token=self._token)
        except RefusedError as err:
            return self.page("login", HTTPStatus.FORBIDDEN, reason=str(err))
        token = str(answer["token"])
        cookie = asked.cookie(self._cookie, token, is_tls=self._is_tls, path=ROOT)
        return self.to(f"{ROOT}/{answer['page']}", cookie)

    def _set_palette(self, form: Mapping[str, str]) -> web.Response:
        palette = form.get("palette", "")
        if palette not in asked.PALETTES:
            raise BadRequestError(400, "there is no such palette")
        cookie = asked.cookie(asked.PALETTE, palette, is_tls=self._is_tls, path=ROOT)
        return self.to(self._back(form), cookie)

    async def _set_psc(self, form: Mapping[str, str], csrf: str, *, on: bool) -> web.Response:
        pin = form.get("pin") or None
        try:
            answer = await self._pages.ask(
                "psc", token=self._token, csrf=csrf, on=on, pin=pin, page=form.get("page")
            )
        except RefusedError as err:
            if "login" in err.wants:
                raise
            return self.to(self._back(form))
        return self.to(f"{ROOT}/{answer['page']}" if answer["page"] else self._back(form))

    async def _act(self, name: str, act: str, form: Mapping[str, str], csrf: str) -> web.Response:
        said = {field: typed for field, typed in form.items() if field != "csrf"}
        to, query = name, self._query
        try:
            answer = await self._pages.ask(
                "act", token=self._token, csrf=csrf, page=name, act=act, said=dict(said)
            )
        except RefusedError as err:
            if {"login", "page", "csrf"} & err.wants.keys():
                raise
        else:
            to, query = str(answer["page"]), query if answer["page"] == name else ""
        return self.to(f"{ROOT}/{to}" + (f"?{urlencode(asked.pairs(query))}" if query else ""))

    def _back(self, form: Mapping[str, str]) -> str:
        """Return the page on which a form stood; only one of ours."""
        name = form.get("page", "")
        return f"{ROOT}/{name}" if _NAME.fullmatch(name) else ROOT

    # Answers

    def ended(self) -> str:
        """Return the header that ends the browser's login."""
        return asked.cookie(self._cookie, "", is_tls=self._is_tls, path=ROOT)

    def to(self, path: str, *cookies: str) -> web.Response:
        """Send the browser on."""
        answer = web.Response(status=HTTPStatus.SEE_OTHER, headers=self._headers)
        answer.headers["Location"] = path
        for each in cookies:
            answer.headers.add("Set-Cookie", each)
        return answer

    def page(self, template: str, status: int, **given: Any) -> web.Response:
        """Return a page."""
        text = self._pages.made(template, self._palette, **given)
        return web.Response(
            status=status, text=text, content_type="text/html", headers=self._headers
        )
