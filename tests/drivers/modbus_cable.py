"""A serial cable made of two ptys."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """Yield the names of the two ends of a serial cable, made of two ptys."""
    near, far = os.openpty(), os.openpty()
    loop = asyncio.get_running_loop()
    for end, other in ((near, far), (far, near)):
        tty.setraw(end[1])
        loop.add_reader(end[0], lambda out=other[0], into=end[0]: os.write(out, os.read(into, 256)))
    try:
        yield os.ttyname(near[1]), os.ttyname(far[1])
    finally:
        for end in (near, far):
            loop.remove_reader(end[0])
            for descriptor in end:
                os.close(descriptor)
