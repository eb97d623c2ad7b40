"""Whose files are taken, whose is what root makes, who looks after a service of another user, and what may that one?"""

from __future__ import annotations

import os
import pwd
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

WRITE_AND_ENTER: Final = 0o3
"""What a folder must allow for a file to be made in it."""


def owners(path: Path) -> frozenset[int]:
    """Return the users whose file is taken as our own: this one, root, and for root whoever the folder belongs to.

    Raises:
        OSError: There is no such folder, or no right to look at it.
    """
    ours = {os.geteuid(), 0}
    if os.geteuid() == 0:
        ours.add(path.absolute().parent.stat().st_uid)
    return frozenset(ours)


def heir(path: Path) -> tuple[int, int] | None:
    """Return user and group that get what root makes at a place: its folder's; None: who makes it keeps it.

    Raises:
        OSError: There is no such folder, or no right to look at it.
    """
    if os.geteuid() != 0:
        return None
    folder = path.absolute().parent.stat()
    return None if folder.st_uid == 0 else (folder.st_uid, folder.st_gid)


def hand_over(descriptor: int, path: Path) -> None:
    """Give a file that root just made to whoever the folder belongs to that it is to stand in; others make their own.

    Raises:
        OSError: It cannot be given.
    """
    if (owner := heir(path)) is not None:
        os.fchown(descriptor, *owner)


def groups_of(user: int, group: int) -> frozenset[int]:
    """Return every group that a user is of, ``group`` among them; of one without a name this one alone."""
    with suppress(KeyError):
        return frozenset(os.getgrouplist(pwd.getpwuid(user).pw_name, group))
    return frozenset({group})


def may_make_files(folder: os.stat_result, *, user: int, groups: Collection[int]) -> bool:
    """Return whether a user other than root may make files in a folder, by its owner, its group and its mode."""
    shift = 6 if folder.st_uid == user else 3 if folder.st_gid in groups else 0
    return folder.st_mode >> shift & WRITE_AND_ENTER == WRITE_AND_ENTER
