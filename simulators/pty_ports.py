"""A pty that stands for a serial port, under a name that stays the same when it is unplugged and plugged again."""

from __future__ import annotations

import os
import tty
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Pty(NamedTuple):
    """An open pty; made by ``opened``.

    Attributes:
        unit: The simulator's end; never waits.
        port: The other end, by which it has its name: our own hold on it keeps the line up while nobody has it open.
        link: The path of a symbolic link to it, if one is wanted.
    """

    unit: int
    port: int
    link: Path | None

    @property
    def endpoint(self) -> str:
        """Return by which path it is opened."""
        return str(self.link or os.ttyname(self.port))

    def close(self) -> None:
        """Give it back, and its name."""
        if self.link is not None:
            self.link.unlink(missing_ok=True)
        os.close(self.unit)
        os.close(self.port)


def opened(link: Path | None = None) -> Pty:
    """Return a new pty, whose bytes are left as they are.

    Raises:
        OSError: There is none, or it cannot have that name.
    """
    pty = Pty(*os.openpty(), link)
    tty.setraw(pty.port)
    os.set_blocking(pty.unit, False)
    os.set_blocking(pty.port, False)
    if link is not None:
        try:
            link.unlink(missing_ok=True)
            link.symlink_to(os.ttyname(pty.port))
        except OSError:
            os.close(pty.unit)
            os.close(pty.port)
            raise
    return pty


def path_of(settings: Mapping[str, object], name: str = "link") -> Path | None:
    """Return the path that a setting names; None where it is left out.

    Raises:
        ValueError: It is no absolute path.
    """
    path = settings.get(name)
    if path is not None and not (isinstance(path, str) and path.startswith("/")):
        raise ValueError(f"{name} is an absolute path, not {path!r}")
    return None if path is None else Path(path)
