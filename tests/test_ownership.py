"""Whose files are taken as our own: for a service its own and root's, for root those of whoever it looks after too."""

from __future__ import annotations

import os

import pytest

from daemon.computer import ownership


@pytest.mark.parametrize("me", [0, 4711])
def test_root_alone_takes_the_files_of_whoever_the_folder_belongs_to(tmp_path, monkeypatch, me):
    service = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: me)
    assert ownership.owners(tmp_path / "file") == ({0, service} if me == 0 else {0, 4711})


def test_who_is_not_root_gives_nothing_away(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert ownership.heir(tmp_path / "file") is None
