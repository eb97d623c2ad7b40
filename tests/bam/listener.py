"""The far end of the panel's cable: takes down every byte, says nothing."""

from __future__ import annotations

import asyncio
import os
import tty
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Listener:
    """A pty whose other end ispsd opens under a name that stays the same."""

    def __init__(self, name: Path) -> None:
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        os.set_blocking(self._far, False)
        name.unlink(missing_ok=True)
        name.symlink_to(os.ttyname(self._near))
        self.heard = b""
        asyncio.get_running_loop().add_reader(self._far, self._read)

    def _read(self) -> None:
        with suppress(BlockingIOError, OSError):
            self.heard += os.read(self._far, 4096)

    def close(self) -> bytes:
        """Return all that was ever sent; the other end is closed by now."""
        asyncio.get_running_loop().remove_reader(self._far)
        os.close(self._near)
        os.set_blocking(self._far, True)
        with suppress(OSError):  # hung up: all is read
            while data := os.read(self._far, 4096):
                self.heard += data
        os.close(self._far)
        return self.heard
