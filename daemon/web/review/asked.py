"""What does a browser send to the SSO's pages, and is it from our own page? Bounded, and refused where it is not.

A form of another site is known by its ``Origin`` and by ``Sec-Fetch-Site``; one that says neither is refused too: every
browser that this is made for says one. The cookie goes to no other path and with no request from elsewhere.
"""

from __future__ import annotations

import asyncio
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from daemon.errors import IspsdError

if TYPE_CHECKING:
    from aiohttp import web

LARGEST_BODY: Final = 64 * 1024
MOST_FIELDS: Final = 200
BODY_S: Final = 10.0
"""A form that has not come whole by then is none."""
FORM: Final = "application/x-www-form-urlencoded"
COOKIE: Final = "ispsd-sso"
PALETTE: Final = "ispsd-palette"
PALETTES: Final = ("bright", "day", "dusk", "night")


class BadRequestError(IspsdError):
    """A browser sends what no page of ours does."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def pairs(query: str) -> dict[str, str]:
    """Return the fields of an address or a form; of two with one name the last.

    Raises:
        BadRequestError: Too many, or not text.
    """
    try:
        found = parse_qsl(
            query, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError as err:  # UnicodeDecodeError is one
        raise BadRequestError(400, "these are no fields of a form") from err
    return dict(found)


async def form(request: web.BaseRequest, *, is_tls: bool) -> dict[str, str]:
    """Return the fields of a form that our own page has sent.

    Raises:
        BadRequestError: Another page's, or too large, or no form.
    """
    if not is_own(request, is_tls=is_tls):
        raise BadRequestError(403, "this form is not from here; nothing was done")
    if request.content_type != FORM:
        raise BadRequestError(415, "this is no form")
    if (request.content_length or 0) > LARGEST_BODY:
        raise BadRequestError(413, "this form is too large")
    try:
        async with asyncio.timeout(BODY_S):
            body = await _read(request)
    except TimeoutError as err:
        raise BadRequestError(408, "the form did not come whole") from err
    try:
        return pairs(body.decode("ascii"))
    except UnicodeDecodeError as err:
        raise BadRequestError(400, "these are no fields of a form") from err


async def _read(request: web.BaseRequest) -> bytes:
    body = b""
    while chunk := await request.content.readany():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise BadRequestError(413, "this form is too large")
    return body


def is_own(request: web.BaseRequest, *, is_tls: bool) -> bool:
    """Return whether a form comes from a page of this very address."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    own = f"{'https' if is_tls else 'http'}://{request.headers.get('Host', '')}"
    if origin is not None and origin.casefold() != own.casefold():
        return False
    if site is not None and site != "same-origin":
        return False
    return origin is not None or site is not None


def cookie_name(*, is_tls: bool) -> str:
    """Return what the cookie is called; with TLS, browsers take it from nobody who has none."""
    return f"__Secure-{COOKIE}" if is_tls else COOKIE


def cookies(request: web.BaseRequest) -> dict[str, str]:
    """Return the cookies of a request."""
    try:
        jar = SimpleCookie(request.headers.get("Cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def cookie(name: str, value: str, *, is_tls: bool, path: str) -> str:
    """Return the header that sets a cookie for as long as the browser is open; an empty value ends it."""
    words = [f"{name}={value}", f"Path={path}", "HttpOnly", "SameSite=Strict"]
    words += ["Secure"] if is_tls else []
    words += [] if value else ["Max-Age=0"]
    return "; ".join(words)
