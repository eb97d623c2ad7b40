"""How is a file made so that a power cut leaves it whole or absent, and nobody else reads it?

Secrets are 0600 from their first byte. What is made below a folder of another user belongs to that user, as the state
of the service does, whose user exists only while it runs.
"""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from daemon.computer import ownership
from daemon.errors import IspsdError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET, READABLE = 0o600, 0o644
PRIVATE_FOLDER, PUBLIC_FOLDER = 0o700, 0o755
LARGEST = 1 << 20
"""Nothing that is made here, or read back, is larger."""


class SetupError(IspsdError):
    """Something cannot be made, or is there and is not what it should be; nothing of it was changed."""


def folder(path: Path, mode: int = PRIVATE_FOLDER) -> bool:
    """Make a folder where there is none; return whether it was made.

    Raises:
        SetupError: It cannot be made, or something else is there.
    """
    if path.is_dir():
        return False
    if not path.parent.exists():
        folder(path.parent, PUBLIC_FOLDER)
    with _said(path, "cannot make the folder"):
        path.mkdir(mode=mode)
        if stat.S_IMODE(path.stat().st_mode) != mode:
            path.chmod(mode)  # the umask was narrower
        _belong(path)
        _sync(path.parent)
    return True


def write_new(path: Path, content: bytes, *, mode: int = SECRET) -> None:
    """Write a file that is not there yet: whole or not at all, and never over another.

    Raises:
        SetupError: It is there already, or cannot be written.
    """
    with _said(path, "cannot be made"):
        fresh = _fresh(path, content, mode)
        try:
            path.hardlink_to(fresh)
        finally:
            fresh.unlink()
        _sync(path.parent)


def replace(path: Path, content: bytes, *, mode: int, owner: tuple[int, int] | None = None) -> bool:
    """Have a file hold exactly this, with this mode; return whether it had to be written.

    Args:
        path: The file.
        content: What it is to hold.
        mode: Who may read it.
        owner: Whose it is to be; None for the owner of its folder, where root makes it.

    Raises:
        SetupError: It cannot be written.
    """
    if _is(path, content, mode=mode, owner=owner):
        return False
    with _said(path, "cannot be written"):
        fresh = _fresh(path, content, mode)
        if owner is not None:
            os.chown(fresh, *owner)
        fresh.replace(path)
        _sync(path.parent)
    return True


def read(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        SetupError: It cannot be read, or is larger than anything of ours.
    """
    with _said(path, "cannot be read"), path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise SetupError(f"{path}: larger than {LARGEST} bytes")
    return content


def read_secret(path: Path) -> bytes:
    """Return what a secret file holds.

    Raises:
        SetupError: It cannot be read, is a link, or others may read it.
    """
    with _said(path, "cannot be read"):
        if path.is_symlink() or not path.is_file():
            raise SetupError(f"{path}: not a plain file; a secret is not looked for behind a link")
        if (mode := path.stat().st_mode & 0o7777) & 0o077:
            raise SetupError(f"{path}: others may read it (mode {mode:04o}); chmod 0600 it")
    return read(path)


def exists(path: Path) -> bool:
    """Return whether something is there, a broken link too.

    Raises:
        SetupError: It cannot be looked at.
    """
    with _said(path, "cannot be looked at"):
        return os.path.lexists(path) if os.access(path.parent, os.X_OK) else _unseen(path)


@contextmanager
def alone_in(path: Path) -> Iterator[None]:
    """Keep a second setup out of a folder.

    Raises:
        SetupError: Another one is at work.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as err:
        os.close(descriptor)
        raise SetupError(f"{path}: another ispsd init is at work there") from err
    try:
        yield
    finally:
        os.close(descriptor)


def hand_over(path: Path) -> None:
    """Give what root made, a file or a folder with its files, to the owner of the folder, who reads it later.

    Raises:
        SetupError: It cannot be given.
    """
    with _said(path, "cannot be given to the owner of its folder"):
        if path.is_dir() and not path.is_symlink():
            _belong(path)
            for each in path.iterdir():
                hand_over(each)
        elif path.is_file() and path.lstat().st_nlink == 1:  # another name may be somebody else's
            _belong(path)


def _is(path: Path, content: bytes, *, mode: int, owner: tuple[int, int] | None) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    status = path.stat()
    whose = (status.st_uid, status.st_gid)
    return stat.S_IMODE(status.st_mode) == mode and owner in {None, whose} and read(path) == content


def _unseen(path: Path) -> bool:
    if not path.parent.exists():
        return False
    raise PermissionError(f"no right to look into {path.parent}")


def clear(path: Path) -> None:
    """Take away what a power cut left half-made in a folder of ours.

    Raises:
        SetupError: It cannot be taken away.
    """
    with _said(path, "cannot be cleared"):
        for left in path.glob(".*.new"):
            left.unlink()


def _fresh(path: Path, content: bytes, mode: int) -> Path:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(fresh, flags, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _belong(fresh)
    return fresh


def _belong(path: Path) -> None:
    if (owner := ownership.heir(path)) is not None:
        os.chown(path, *owner, follow_symlinks=False)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _said(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise SetupError(f"{path}: {what}: {err.strerror or err}") from err
