"""How is a file that somebody wrote replaced by another, so that his own is never lost?"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final

from daemon.setup import files
from daemon.setup.files import SetupError

if TYPE_CHECKING:
    from pathlib import Path

MOST_KEPT: Final = 99


def rewritten(path: Path, content: bytes, *, was: bytes, kept_as: str) -> Path:
    """Have a file hold something else, with its mode and owner, and keep what it held beside it; return where.

    The old one is on disk before the new one takes its name, and each of them is whole at any moment.

    Args:
        path: A file, no link.
        content: What it is to hold.
        was: What was read of it: another's change meanwhile is not overwritten.
        kept_as: What is put behind the name of the old one.

    Raises:
        SetupError: It cannot be written, or was changed meanwhile; nothing was replaced.
    """
    try:
        status = path.stat()
    except OSError as err:
        raise SetupError(f"{path}: cannot be looked at: {err.strerror}") from err
    mode = stat.S_IMODE(status.st_mode)
    kept = _kept(path, was, kept_as, mode)
    if files.read(path) != was:
        raise SetupError(f"{path}: was changed meanwhile; nothing was written")
    files.replace(path, content, mode=mode, owner=(status.st_uid, status.st_gid))
    return kept


def _kept(path: Path, was: bytes, kept_as: str, mode: int) -> Path:
    names = [f"{path.name}.{kept_as}", *(f"{path.name}.{kept_as}.{n}" for n in range(2, MOST_KEPT))]
    for name in names:
        place = path.with_name(name)
        if not files.exists(place):
            files.write_new(place, was, mode=mode)
            return place
        if not place.is_symlink() and place.is_file() and files.read(place) == was:
            return place
    raise SetupError(f"{path}: {MOST_KEPT} old ones lie beside it; take some away")
