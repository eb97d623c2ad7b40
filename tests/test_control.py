from __future__ import annotations

import asyncio
import json
import socket
import stat
from contextlib import asynccontextmanager, suppress

import pytest

from daemon import control
from daemon.errors import IspsdError, RefusedError


async def echo(request):
    match request["do"]:
        case "refuse":
            raise RefusedError("not at this level")
        case "crash":
            raise ZeroDivisionError
        case _:
            return {"heard": request["do"]}


@asynccontextmanager
async def serving(path, handle=echo):
    task = asyncio.ensure_future(control.ControlServer(path, handle).run())
    async with asyncio.timeout(5):
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
            path, b"{\n", b"[]\n", b'{"do": 3}\n', b'{"do": "crash"}\n', b'{"do": "x"}\n'
        )
        assert [next(iter(answer)) for answer in said] == ["error"] * 4 + ["heard"]
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
