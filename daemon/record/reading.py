"""Reading as the loop does it: a question to a thread, an answer later."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from daemon.errors import RecordError
from daemon.record.reader import Reader
from daemon.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from daemon.record.index import Index

_T = TypeVar("_T")


class Reading:
    """The reader of a record and its thread, from ``reopen`` to ``close``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._thread: Worker | None = None
        self._reader: Reader | None = None
        self._indexes: dict[Path, Index] = {}
        self._resumed: asyncio.Event | None = None

    async def ask(self, question: Callable[[Reader], _T]) -> _T:
        """Return the reader's answer.

        Raises:
            RecordError: The record is not open, or cannot be read.
        """
        while self._resumed is not None:
            await self._resumed.wait()
        if self._reader is None or self._thread is None:
            raise RecordError("the record is not open")
        return await self._thread.call(partial(question, self._reader))

    async def reopen(self) -> None:
        """See the segments as they are now.

        Raises:
            RecordError: They cannot be opened.
        """
        await self.close()
        self._thread = Worker("record-reader")
        opening = partial(Reader, self._directory, indexes=self._indexes)
        self._reader = await self._thread.call(opening)
        self.resume()

    async def pause(self) -> None:
        """Let go of the files for a moment: who asks meanwhile waits, until ``reopen`` or ``resume``."""
        if self._resumed is None:
            self._resumed = asyncio.Event()
        await self.close()

    def resume(self) -> None:
        """Let nobody wait any longer."""
        if self._resumed is not None:
            self._resumed.set()
            self._resumed = None

    async def close(self) -> None:
        """Let go of the files."""
        thread, reader = self._thread, self._reader
        self._thread = self._reader = None
        if thread is not None:
            if reader is not None:
                await thread.call(reader.close)
            thread.finish()
