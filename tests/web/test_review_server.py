"""What the server of the SSO's pages takes from a browser and refuses, and what it says when ispsd is not there."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from daemon.errors import RefusedError
from daemon.web.review import asked as browser
from daemon.web.review.turns import MOST_LOGINS, MOST_OF_A_PLACE
from tests.soon import soon
from tests.web.review import answered_review, served_review
from tests.web.rig import NO_SOCKET

TOKEN = "t" * 43
PIN = "314159"
FRAME = {
    "ship": "KESTREL STRAIT",
    "imo_number": 9999993,
    "simulated": False,
    "person": "R. Menon <script>",
    "roles": ["sso"],
    "csrf": "c" * 43,
    "psc": False,
    "pages": [{"name": "worklist", "title": "Worklist"}],
    "utc": "2026-11-22T20:10:00.000Z",
    "clock": "synced",
    "ship_time_offset_min": 480,
    "page": "worklist",
    "title": "Worklist",
    "flash": {},
    "said": {"items": []},
}


class Behind:
    """What stands where the daemon would: it notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[dict] = []
        self.frame = dict(FRAME)

    async def log_in(self, request):
        raise RefusedError("Not logged in")

    async def answer(self, request):
        self.asked.append(dict(request))
        match request["do"]:
            case "review.login" if request["pin"] == PIN:
                return {"token": TOKEN, "page": "worklist"}
            case "review.login":
                return await self.log_in(request)
            case _ if request.get("token") != TOKEN:
                raise RefusedError("log in again", wants={"login": True})
            case "review.page" if request["page"] not in {"", "worklist", "broken"}:
                raise RefusedError("there is no such page", wants={"page": True})
            case "review.fetch":
                return {"name": 'a"\r\nb.html', "media": "text/html", "body": "PGI+", "size": 3}
            case _:
                return self.frame


@asynccontextmanager
async def standing(tmp_path):
    """Serve, with something that answers as the daemon does; yield what asks, and what was asked."""
    behind = Behind()
    async with (
        answered_review(tmp_path / "control.sock", behind.answer) as base,
        aiohttp.ClientSession(base, cookies={"ispsd-sso": TOKEN}) as session,
    ):
        yield session, behind


def own(session, **more):
    return {"Origin": str(session._base_url).rstrip("/"), **more}


async def test_a_page_loads_from_here_alone_runs_nothing_and_is_kept_by_nobody(tmp_path):
    async with standing(tmp_path) as (session, _), session.get("/sso/worklist") as answer:
        text = await answer.text()
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'self'", "script-src 'none'", "form-action 'self'"} <= {*policy}
        assert "frame-ancestors 'none'" in policy
        assert not any("unsafe" in rule or "*" in rule for rule in policy)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "<script" not in text
        assert "style=" not in text
        assert "R. Menon &lt;script&gt;" in text
        assert "as of 22 Nov 2026 2010Z, ship&#39;s time 23 Nov 0410 +8" in text


async def test_who_logs_in_is_sent_on_with_a_cookie_that_no_script_and_no_other_site_has(tmp_path):
    async with (
        standing(tmp_path) as (session, behind),
        session.post(
            "/sso/login",
            data={"name": "R. Menon", "pin": PIN},
            headers=own(session),
            allow_redirects=False,
        ) as answer,
    ):
        assert (answer.status, answer.headers["Location"]) == (303, "/sso/worklist")
        words = answer.headers["Set-Cookie"].split("; ")
        assert words == [f"ispsd-sso={TOKEN}", "Path=/sso", "HttpOnly", "SameSite=Strict"]
        assert behind.asked[0]["token"] == TOKEN, "the login before ends"


async def test_with_tls_the_cookie_crosses_nothing_else_and_nobody_else_can_set_it():
    assert browser.cookie_name(is_tls=True) == "__Secure-ispsd-sso"
    cookie = browser.cookie("__Secure-ispsd-sso", TOKEN, is_tls=True, path="/sso")
    assert "Secure" in cookie.split("; ")


async def test_a_pin_in_an_address_logs_nobody_in(tmp_path):
    async with (
        standing(tmp_path) as (session, behind),
        session.get(f"/sso/login?name=R.+Menon&pin={PIN}") as answer,
    ):
        assert PIN not in await answer.text()
        assert behind.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"own": "", "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_form_of_another_site_reaches_nobody(tmp_path, headers):
    async with standing(tmp_path) as (session, behind):
        given = dict(headers)
        if "own" in given:
            del given["own"]
            given |= own(session)
        for path in ("login", "logout", "psc/on", "palette", "worklist/sign"):
            async with session.post(f"/sso/{path}", data={"a": "b"}, headers=given) as answer:
                assert answer.status == 403
                assert "Set-Cookie" not in answer.headers
        assert behind.asked == []


async def test_what_is_sent_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(browser, "LARGEST_BODY", 1000)
    monkeypatch.setattr(browser, "BODY_S", 0.2)

    async def endless():
        yield b"a=" + b"x" * 2000

    async def stuck():
        yield b"a="
        await asyncio.Event().wait()

    async with standing(tmp_path) as (session, behind):
        form = own(session, **{"Content-Type": browser.FORM})
        for body, status in (
            (b"a=" + b"x" * 2000, 413),
            (endless(), 413),
            (stuck(), 408),
            (b"a&" * 300, 400),
            (b"a=\xff", 400),
            (b"a=%ff", 400),
        ):
            async with session.post("/sso/login", data=body, headers=form) as answer:
                assert answer.status == status, body
        async with session.post("/sso/login", json={"name": "x"}, headers=own(session)) as answer:
            assert answer.status == 415
        async with session.put("/sso/login", headers=own(session)) as answer:
            assert answer.status == 405
        assert behind.asked == []


async def test_who_is_not_logged_in_is_sent_to_the_login_and_the_browser_forgets(tmp_path):
    async with (
        standing(tmp_path) as (session, _),
        aiohttp.ClientSession(session._base_url, cookies={"ispsd-sso": "old"}) as other,
        other.get("/sso/worklist", allow_redirects=False) as answer,
    ):
        assert (answer.status, answer.headers["Location"]) == (303, "/sso/login")
        assert "Max-Age=0" in answer.headers["Set-Cookie"]


async def test_a_page_that_is_not_there_is_404_and_one_that_cannot_be_made_says_so(tmp_path):
    async with standing(tmp_path) as (session, _):
        for path in ("/sso/none", "/sso/../etc", "/sso/UPPER", "/sso/a/b/c", "/sso/a%00b"):
            async with session.get(path) as answer:
                assert answer.status == 404, path
        async with session.get("/sso/broken") as answer:
            assert answer.status == 500
            assert "cannot be made" in await answer.text()


async def test_a_file_is_saved_and_not_shown(tmp_path):
    async with standing(tmp_path) as (session, _), session.get("/sso/worklist/x.html") as answer:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="a___b.html"'
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert await answer.read() == b"<b>"


async def test_where_ispsd_does_not_answer_the_page_says_so_and_shows_nothing_else(tmp_path):
    async with (
        served_review(NO_SOCKET) as base,
        aiohttp.ClientSession(base, cookies={"ispsd-sso": TOKEN}) as session,
    ):
        async with session.get("/sso/worklist") as answer:
            assert answer.status == 503
            assert "ispsd does not answer" in await answer.text()
        async with session.post("/sso/login", data={"name": "x"}, headers=own(session)) as answer:
            assert answer.status == 503
        async with session.get("/") as answer:
            assert answer.status == 200, "the page of the watch goes on"


async def test_a_daemon_that_hangs_is_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("daemon.web.review.server.ANSWER_S", 0.2)
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(path))
        hung.listen()
        async with (
            served_review(path) as base,
            aiohttp.ClientSession(base) as session,
            session.get("/sso/worklist") as answer,
        ):
            assert answer.status == 503


def from_place(number, session):
    """Return a browser of another computer: to each address of loopback this one answers."""
    connector = aiohttp.TCPConnector(local_addr=(f"127.0.0.{number}", 0))
    return aiohttp.ClientSession(session._base_url, connector=connector)


def logging_in(session, pin="000000"):
    form = {"name": "x", "pin": pin}
    return asyncio.ensure_future(
        session.post("/sso/login", data=form, headers=own(session), allow_redirects=False)
    )


async def test_strangers_at_the_login_keep_nobody_from_the_pages_nor_from_logging_in(
    tmp_path, monkeypatch
):
    async with standing(tmp_path) as (session, behind), from_place(2, session) as elsewhere:
        places, opened = [], asyncio.Event()

        async def slow(request):
            places.append(request["place"])
            await opened.wait()
            raise RefusedError("Not logged in")

        monkeypatch.setattr(behind, "log_in", slow)
        logins = [logging_in(session) for _ in range(20)]
        turned_away = 20 - MOST_OF_A_PLACE
        await soon(lambda: sum(each.done() for each in logins) == turned_away)
        await soon(lambda: places == ["127.0.0.1"])
        async with session.get("/sso/worklist") as answer:
            assert answer.status == 200
        answer = await logging_in(elsewhere, PIN)
        assert (answer.status, answer.headers["Location"]) == (303, "/sso/worklist")
        opened.set()
        assert {(await each).status for each in logins} == {403}
        assert places == ["127.0.0.1"] * MOST_OF_A_PLACE


async def test_no_more_logins_than_a_few_are_asked_at_once_wherever_they_come_from(
    tmp_path, monkeypatch
):
    async with standing(tmp_path) as (session, behind), AsyncExitStack() as stack:
        at_once, most, opened = 0, 0, asyncio.Event()

        async def slow(request):
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await opened.wait()
            at_once -= 1
            raise RefusedError("Not logged in")

        monkeypatch.setattr(behind, "log_in", slow)
        many = [
            await stack.enter_async_context(from_place(number, session)) for number in range(2, 12)
        ]
        logins = [logging_in(each) for each in many]
        await soon(lambda: at_once == MOST_LOGINS)
        opened.set()
        assert {(await each).status for each in logins} == {403}
        assert most == MOST_LOGINS


async def test_no_page_names_a_token(tmp_path):
    async with standing(tmp_path) as (session, behind), session.get("/sso/worklist") as answer:
        assert TOKEN not in await answer.text()
        assert TOKEN not in json.dumps(dict(answer.headers))
        assert behind.asked[0]["token"] == TOKEN
