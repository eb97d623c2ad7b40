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


@pytest.mark.parametrize(
    ("owner", "group", "mode", "may"),
    [
        (990, 0, 0o700, True),
        (990, 0, 0o500, False),
        (0, 20, 0o770, True),
        (0, 20, 0o750, False),
        (1000, 1000, 0o755, False),
        (1000, 1000, 0o777, True),
        (990, 20, 0o077, False),
    ],
    ids=["own", "own, not written", "group's", "group reads", "another's", "everybody's", "barred"],
)
def test_where_a_service_may_make_files(owner, group, mode, may):
    folder = os.stat_result((0o40000 | mode, 0, 0, 0, owner, group, 0, 0, 0, 0))
    assert ownership.may_make_files(folder, user=990, groups={990, 20}) is may


def test_a_user_without_a_name_has_its_own_group_alone():
    assert ownership.groups_of(54321, 54322) == {54322}
