"""How much room is on the disks of the record and its copy, and do they still take anything?

Asked in a thread of its own: a disk that hangs keeps the thread, and nothing else (invariant 5).
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from daemon.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from daemon.model import Json

LIMIT_S: Final = 5.0
"""A disk that has not said by then how full it is hangs."""


class DiskRoom:
    """Asks the disks of some folders."""

    def __init__(
        self, folders: Mapping[str, Path], *, evidence_bytes: Callable[[], tuple[int, int]]
    ) -> None:
        """Take what each folder is called, and what tells the room for evidence: in use, and in all."""
        self._folders = dict(folders)
        self._evidence_bytes = evidence_bytes
        self._worker = Worker("disk-room")
        self._asking: asyncio.Future[list[dict[str, Json]]] | None = None

    async def ask(self) -> dict[str, Json] | None:
        """Return how full the disks are; None where one hangs, now or since it was asked last."""
        if self._asking is None:
            self._asking = asyncio.ensure_future(
                self._worker.call(
                    lambda: [{"what": what, **room(at)} for what, at in self._folders.items()]
                )
            )
        done, _ = await asyncio.wait({self._asking}, timeout=LIMIT_S)
        if not done:
            return None
        disks, self._asking = self._asking.result(), None
        return {"disks": disks, "evidence_bytes": list(self._evidence_bytes())}

    def close(self) -> None:
        """Ask no more."""
        self._worker.finish()


def room(folder: Path) -> dict[str, Json]:
    """Return how much room is on the disk of a folder; it waits for the disk."""
    try:
        said = os.statvfs(folder)
    except OSError as err:
        return {"fault": err.strerror or str(err)}
    return {
        "free_bytes": said.f_bavail * said.f_frsize,
        "read_only": bool(said.f_flag & os.ST_RDONLY),
        "fault": None,
    }
