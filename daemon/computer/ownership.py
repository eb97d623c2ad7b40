"""Whose files are taken, and whose is what root makes, who looks after the state of a service of another user?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


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
