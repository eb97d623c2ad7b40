"""Have one picture decoded in a process of its own, and keep the newest of each camera in memory.

A picture never leaves the computer by MQTT, and is on disk only as evidence of a test that wants it.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from daemon.computer.leash import end
from daemon.drivers import picture_decoder
from daemon.drivers.camera_sight import Measures
from daemon.errors import FrameError

if TYPE_CHECKING:
    from daemon.drivers.rtp_video import KeyPicture

PICTURES: Final = "camera pictures"
"""Under this name the cameras of a ship share their pictures."""
DECODING: Final = "picture decoding"
"""Under this name they share their turn: one picture at a time is decoded, whatever it costs."""
DECODE_S: Final = 15.0
LARGEST_ANSWER: Final = picture_decoder.LARGEST_JPEG + 1024
PROGRAM: Final = Path(picture_decoder.__file__)


class NoDecoderError(FrameError):
    """This computer has nothing that can unpack such a picture."""


class DecoderLostError(FrameError):
    """The decoder was not done in time, or was ended: by the picture or for want of memory here, nobody knows."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest picture of a camera, made small.

    Attributes:
        taken_s: When it came, in seconds since boot.
    """

    jpeg: bytes
    taken_s: float


class Pictures:
    """The newest picture of every camera; memory only."""

    def __init__(self) -> None:
        self._newest: dict[str, Kept] = {}

    def keep(self, device: str, jpeg: bytes, now_s: float) -> None:
        """Keep a picture in place of the one before."""
        self._newest[device] = Kept(jpeg, now_s)

    def forget(self, device: str) -> None:
        """Keep none: what there was is older than the camera's loss."""
        self._newest.pop(device, None)

    def newest(self, device: str) -> Kept | None:
        """Return a camera's newest picture; None where there is none."""
        return self._newest.get(device)


def can_decode() -> bool:
    """Return whether pictures can be decoded at all on this computer."""
    return find_spec("PIL") is not None


async def decoded(picture: KeyPicture) -> tuple[Measures, bytes]:
    """Return what is on a picture, and the picture made small.

    Raises:
        NoDecoderError: There is nothing here that can unpack it.
        DecoderLostError: The decoder did not come to its end.
        FrameError: It cannot be unpacked.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", str(PROGRAM), picture.codec.value),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ.get("PATH", os.defpath)},
        start_new_session=True,
        limit=LARGEST_ANSWER,
    )
    try:
        async with asyncio.timeout(DECODE_S):
            said = await _told(process, picture.body)
            await process.wait()
    except TimeoutError as err:
        raise DecoderLostError(f"not decoded within {DECODE_S:g} s") from err
    finally:
        await end(process)
    if process.returncode == picture_decoder.NO_DECODER:
        raise NoDecoderError(picture.codec.value)
    if process.returncode == picture_decoder.TOO_SLOW or (process.returncode or 0) < 0:
        raise DecoderLostError("its decoder was ended")
    if process.returncode != 0:
        raise FrameError("a picture that cannot be decoded")
    return _read(said)


async def _told(process: asyncio.subprocess.Process, body: bytes) -> bytes:
    """Give a decoder its picture and return what it says; one that a picture has taken over fills no memory here.

    Raises:
        FrameError: It says more than any decoder does.
    """
    into, out = process.stdin, process.stdout
    if into is None or out is None:
        raise FrameError("a decoder without pipes")

    async def feed() -> None:
        with suppress(ConnectionError):  # it has given up before it had read all
            into.write(body)
            await into.drain()
        into.close()

    feeding = asyncio.ensure_future(feed())
    said = b""
    try:
        while piece := await out.read(LARGEST_ANSWER + 1 - len(said)):
            said += piece
            if len(said) > LARGEST_ANSWER:
                raise FrameError("a picture of which too much is said")
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
    return said


def _read(said: bytes) -> tuple[Measures, bytes]:
    head, _, small = said.partition(b"\n")
    try:
        measures = Measures(**json.loads(head))
        is_measured = all(map(math.isfinite, (measures.brightness, measures.contrast))) and all(
            isinstance(side, int) and side > 0 for side in (measures.width, measures.height)
        )
    except (ValueError, TypeError, RecursionError) as err:
        raise FrameError("a picture of which nothing was said") from err
    if not is_measured or len(small) > picture_decoder.LARGEST_JPEG:
        raise FrameError("a picture of which nothing was said")
    return measures, small
