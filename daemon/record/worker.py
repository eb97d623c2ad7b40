"""A thread that does one thing after the other, so that the loop never waits for a disk."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
_Job: TypeAlias = "tuple[Callable[[], Any], asyncio.Future[Any], asyncio.AbstractEventLoop] | None"


class Worker:
    """One thread, begun when it is needed. A disk that hangs may keep it, but not the process."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    async def call(self, act: Callable[[], _T]) -> _T:
        """Run something in the thread, after all that was asked before; raise what it raises."""
        if self._thread.ident is None:
            self._thread.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_T] = loop.create_future()
        self._jobs.put((act, done, loop))
        return await done

    def finish(self) -> None:
        """Let the thread end after what it was asked."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            act, done, loop = job
            result, error = None, None
            try:
                result = act()
            except Exception as err:  # noqa: BLE001 (carried to the caller, who reacts)
                error = err
            with contextlib.suppress(RuntimeError):  # the loop has gone; nobody is waiting
                loop.call_soon_threadsafe(_settle, done, result, error)


async def once(name: str, act: Callable[[], _T]) -> _T:
    """Run one thing in a thread of its own; raise what it raises."""
    worker = Worker(name)
    try:
        return await worker.call(act)
    finally:
        worker.finish()


def _settle(done: asyncio.Future[Any], result: object, error: Exception | None) -> None:
    if done.done():  # the caller was cancelled
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)
