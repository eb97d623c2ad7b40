from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import socket
import stat
from contextlib import asynccontextmanager, suppress

import pytest

from daemon.control import control
from daemon.control.control import Peer
from daemon.errors import IspsdError, RefusedError
from tests.needed import needs
from tests.soon import PATIENCE_S, soon

ASKS = """
import socket, sys
with socket.socket(socket.AF_UNIX) as asking:
    asking.connect(sys.argv[1])
    asking.sendall(sys.argv[2].encode() + b"\\n")
    print(asking.makefile().readline())
"""


async def echo(request):
    match request["do"]:
        case "refuse":
            raise RefusedError("not at this level")
        case "crash":
            raise ZeroDivisionError
        case _:
            return {"heard": request["do"]}


DEEP = b"[" * 30_000 + b"\n"
"""More lists in one another than a reader of JSON goes down."""


@asynccontextmanager
async def serving(path, handle=echo):
    task = asyncio.ensure_future(control.ControlServer(path, handle).run())
    async with asyncio.timeout(PATIENCE_S):
        while not task.done() and not await control.answers(path):  # noqa: ASYNC110
            await asyncio.sleep(0)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def raw(path, *lines: bytes) -> list[dict]:
    reader, writer = await asyncio.open_unix_connection(path)
    answers = []
    for line in lines:
        writer.write(line)
        await writer.drain()
        answers.append(json.loads(await reader.readline()))
    writer.close()
    return answers


async def test_a_request_is_answered_and_a_refusal_is_told_in_words(tmp_path):
    path = tmp_path / "s"
    async with serving(path):
        assert await control.ask(path, {"do": "status"}) == {"heard": "status"}
        with pytest.raises(RefusedError, match="not at this level"):
            await control.ask(path, {"do": "refuse"})


async def test_only_the_owner_may_open_the_socket(tmp_path):
    path = tmp_path / "s"
    async with serving(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_bad_requests_are_answered_and_the_socket_lives_on(tmp_path):
    path = tmp_path / "s"
    async with serving(path):
        said = await raw(
            path, b"{\n", b"[]\n", b'{"do": 3}\n', b'{"do": "crash"}\n', DEEP, b'{"do": "x"}\n'
        )
        assert [next(iter(answer)) for answer in said] == ["error"] * 5 + ["heard"]
        assert said[3] == {"error": "failed: ZeroDivisionError"}


async def test_an_endless_line_is_refused_in_bounded_memory(tmp_path):
    path = tmp_path / "s"
    async with serving(path):
        (answer,) = await raw(path, b"x" * (control.LONGEST_LINE + 10))
        assert answer == {"error": f"a request has at most {control.LONGEST_LINE} bytes"}
        assert await control.ask(path, {"do": "x"}) == {"heard": "x"}


async def test_without_a_daemon_the_answer_says_so(tmp_path):
    with pytest.raises(IspsdError, match="no running ispsd answers"):
        await control.ask(tmp_path / "none", {"do": "x"})


async def test_a_second_daemon_is_refused_and_the_first_keeps_its_socket(tmp_path):
    path = tmp_path / "s"
    async with serving(path):
        with pytest.raises(IspsdError, match="another ispsd is running"):
            await control.ControlServer(path, echo).run()
        assert await control.ask(path, {"do": "x"}) == {"heard": "x"}


async def test_the_socket_of_a_dead_daemon_is_replaced_but_a_file_is_left_alone(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with serving(path):
        assert await control.ask(path, {"do": "x"}) == {"heard": "x"}
    path.write_text("precious", "utf-8")
    with pytest.raises(IspsdError, match="is not a socket"):
        await control.ControlServer(path, echo).run()
    assert path.read_text("utf-8") == "precious"


async def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(IspsdError, match="No such file"):
        await control.ControlServer(tmp_path / "none" / "s", echo).run()


async def test_a_place_that_cannot_even_be_looked_at_is_named(tmp_path):
    with pytest.raises(IspsdError, match="File name too long"):
        await control.ControlServer(tmp_path / ("x" * 300), echo).run()


async def test_a_folder_that_lies_too_deep_for_an_address_is_no_hindrance(tmp_path):
    path = tmp_path / ("d" * 60) / ("e" * 60) / "control.sock"
    path.parent.mkdir(parents=True)
    async with serving(path):
        assert await control.ask(path, {"do": "status"}) == {"heard": "status"}
    assert not path.exists()
    with pytest.raises(IspsdError, match="no running ispsd answers"):
        await control.ask(path.with_name("nobody"), {"do": "status"})


async def test_an_answer_that_nobody_could_read_is_refused_not_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(control, "LONGEST_ANSWER", 1000)

    async def handle(request):
        return {"text": "x" * request["size"]}

    path = tmp_path / "s"
    bare = len(json.dumps({"text": ""})) + 1
    async with serving(path, handle):
        fits = await control.ask(path, {"do": "x", "size": 1000 - bare})
        assert len(fits["text"]) == 1000 - bare
        with pytest.raises(RefusedError, match="the answer has 1001 bytes; ask for less"):
            await control.ask(path, {"do": "x", "size": 1001 - bare})


async def test_an_answer_without_an_end_is_not_read_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(control, "LONGEST_ANSWER", 1000)

    gone = asyncio.Event()

    async def babble(reader, writer):
        writer.write(b"x" * 5000)
        with suppress(OSError):
            await reader.read()
        writer.close()
        gone.set()

    path = tmp_path / "s"
    async with await asyncio.start_unix_server(babble, path):
        with pytest.raises(IspsdError, match="the answer has more than 1000 bytes"):
            await control.ask(path, {"do": "x"})
        await gone.wait()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("uid", "who"),
    [(0, Peer.OWNER), (990, Peer.OWNER), (991, Peer.WEB), (992, None), (65534, None)],
)
def test_root_and_its_own_user_ask_anything_the_pages_server_pages_and_others_nothing(uid, who):
    assert control.peer(uid, own=990, web=991) is who
    assert control.peer(991, own=990, web=None) is None


async def test_the_pages_server_may_ask_for_pages_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "s"
    monkeypatch.setattr(control, "peer", lambda *_, **__: Peer.WEB)
    async with serving(path):
        said = await raw(
            path,
            b'{"do": "log"}\n',
            b'{"do": "review"}\n',
            b'{"do": "reviewed.page"}\n',
            b'{"do": " review.page"}\n',
            b'{"do": "review.page"}\n',
        )
        assert said == [{"error": "refused"}] * 4 + [{"heard": "review.page"}]


def let_all_pass(folder):
    """Let another user come as far as a folder of this test."""
    for each in (folder, *folder.parents):
        if each.owner() == "root" and each != each.parent and not each.stat().st_mode & 1:
            each.chmod(each.stat().st_mode | 0o011)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
async def test_another_user_reaches_the_socket_where_it_is_the_pages_servers(tmp_path):
    nobody = pwd.getpwnam("nobody")
    python = shutil.which(
        "python3", path="/usr/bin:/bin"
    )  # ours may lie where nobody else may look
    needs(python, "the system has no Python of its own")
    let_all_pass(tmp_path)
    path = tmp_path / "s"
    task = asyncio.ensure_future(control.ControlServer(path, echo, web_user="nobody").run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await control.answers(path):  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) == (0o660, nobody.pw_gid)
        for do, heard in (("review.page", {"heard": "review.page"}), ("log", {"error": "refused"})):
            asking = await asyncio.create_subprocess_exec(
                *(python, "-I", "-c", ASKS, str(path), json.dumps({"do": do})),
                user=nobody.pw_uid,
                group=nobody.pw_gid,
                stdout=asyncio.subprocess.PIPE,
            )
            told, _ = await asking.communicate()
            assert json.loads(told) == heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_who_may_not_ask_is_told_so_and_never_that_nobody_runs(tmp_path):
    """A probe beside a running ispsd would take its units' time, and a unit of one connection would drop it."""
    path, me = tmp_path / "closed" / "s", os.geteuid()
    path.parent.mkdir(mode=0o000)  # closed to whoever this is, but for root
    let_all_pass(tmp_path)
    if me == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        with pytest.raises(IspsdError, match="ask as root"):
            await control.answers(path)
        assert not await control.answers(tmp_path / "s"), "where nothing is, nobody runs"
    finally:
        os.seteuid(me)
        path.parent.chmod(0o700)


async def test_a_user_that_is_not_there_costs_the_pages_and_not_the_watch(tmp_path):
    path = tmp_path / "s"
    task = asyncio.ensure_future(control.ControlServer(path, echo, web_user="no-such-user").run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await control.answers(path):  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert await control.ask(path, {"do": "x"}) == {"heard": "x"}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_however_often_the_pages_server_asks_the_command_line_gets_its_turn(
    tmp_path, monkeypatch
):
    who = [*[Peer.WEB] * (control.MOST_OF_WEB + 2), Peer.OWNER]
    monkeypatch.setattr(control, "peer", lambda *_, **__: who.pop(0))
    path = tmp_path / "s"
    path_made = asyncio.ensure_future(control.ControlServer(path, echo).run())
    try:
        await soon(path.exists)
        opened = [await asyncio.open_unix_connection(path) for _ in range(control.MOST_OF_WEB)]
        for reader, writer in opened:
            writer.write(b'{"do": "review.page"}\n')
            assert json.loads(await reader.readline()) == {"heard": "review.page"}
        for _ in range(2):
            assert await raw(path, b"") == [{"error": "refused"}]
        assert await raw(path, b'{"do": "log"}\n') == [{"heard": "log"}]
        for _, writer in opened:
            writer.close()
    finally:
        path_made.cancel()
        await asyncio.gather(path_made, return_exceptions=True)
