"""The command ``ispsd web``: a process of its own that serves until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys

import aiohttp

from daemon import cli
from tests import thin
from tests.brokers import free_port


def config(folder, section: str):
    path = folder / "ispsd.toml"
    path.write_text(thin.text(state=folder, mqtt_port=1883) + f"\n[web]\n{section}\n", "utf-8")
    return path


async def test_it_serves_the_ships_page_until_it_is_stopped(tmp_path):
    port = free_port()
    path = config(tmp_path, f'port = {port}\nbroker = "ws://127.0.0.1:9001"')
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", "web", "--config", str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert (
            await process.stdout.readline() == f"the page is at http://127.0.0.1:{port}/\n".encode()
        )
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            async with session.get("/settings.json") as answer:
                said = json.loads(await answer.read())
            async with session.get("/") as answer:
                assert "page.js" in await answer.text()
        assert said["ship"] == {"name": "KESTREL STRAIT", "imo": 9999993}
        assert said["stations"] == ["bridge", "gangway", "office", "sso"]
        assert said["demo"] is True
    finally:
        process.send_signal(signal.SIGTERM)
        told, complained = await process.communicate()
    assert (process.returncode, told, complained) == (0, b"", b"")


def test_what_it_cannot_do_is_said_with_file_and_reason(tmp_path, capsys):
    names = [tmp_path / "no.crt", tmp_path / "no.key"]
    missing = f'host = "127.0.0.1"\ncertificate_file = "{names[0]}"\nkey_file = "{names[1]}"'
    assert cli.main(["web", "--config", str(config(tmp_path, missing))]) == 1
    assert f"{names[0]}, {names[1]}: No such file" in capsys.readouterr().err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["web", "--config", str(config(tmp_path, f"port = {port}"))]) == 1
        assert f"127.0.0.1:{port}: " in capsys.readouterr().err


def test_a_section_that_is_wrong_is_a_fault_with_its_place(tmp_path, capsys):
    assert cli.main(["check", str(config(tmp_path, 'host = "0.0.0.0"'))]) == 2
    assert "TLS is needed" in capsys.readouterr().err


def test_without_its_library_it_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "daemon.web.server", None)
    assert cli.main(["web", "--config", str(config(tmp_path, ""))]) == 1
    assert "pip install 'ispsd[web]'" in capsys.readouterr().err
