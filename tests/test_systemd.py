"""systemd hears the truth over its datagram socket, named in the file system or abstract."""

from __future__ import annotations

import secrets
import socket
from contextlib import contextmanager

import pytest

from daemon.computer import systemd


@contextmanager
def listening(address: str | bytes):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(address)
        sock.settimeout(20)
        yield sock


def test_without_systemd_nothing_happens(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert systemd.notify("READY=1") is False
    monkeypatch.setenv("NOTIFY_SOCKET", "")
    assert systemd.notify("READY=1") is False


def test_lines_arrive_as_one_datagram(tmp_path, monkeypatch):
    path = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    with listening(path) as sock:
        assert systemd.notify("READY=1", "STATUS=keeping the watch") is True
        assert sock.recv(4096) == b"READY=1\nSTATUS=keeping the watch"
        assert systemd.notify("WATCHDOG=1") is True
        assert sock.recv(4096) == b"WATCHDOG=1"


def test_an_abstract_socket_is_reached(monkeypatch):
    name = f"ispsd-test-{secrets.token_hex(8)}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    with listening(f"\0{name}") as sock:
        assert systemd.notify("STOPPING=1") is True
        assert sock.recv(4096) == b"STOPPING=1"


def test_a_socket_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError):
        systemd.notify("READY=1")
