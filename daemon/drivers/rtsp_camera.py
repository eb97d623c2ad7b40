"""One camera of the ship's CCTV: does it give a picture, is it another one than before, and is its clock right?

Source: RFC 2326. Each look is a visit of its own: ask for the stream, take the first whole key picture, say goodbye; a
stream that is held open costs a camera, the network and this computer all day what a look each minute does not. Only
what reads is asked (invariant 10). The clock is the ``Date`` header of the camera's answers, which most cameras send,
else the sender report of RTCP; that is the camera's own clock. A camera that sends neither has no known clock.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from pydantic import field_validator

from daemon.drivers.addresses import checked
from daemon.drivers.api import DriverContext, DriverSpec, Emit, Health, PointSpec
from daemon.drivers.camera_pictures import (
    DECODING,
    PICTURES,
    DecoderLostError,
    NoDecoderError,
    Pictures,
    can_decode,
    decoded,
)
from daemon.drivers.camera_sight import Sight, not_decoded
from daemon.drivers.cctv_unit import CctvUnitConfig, told
from daemon.drivers.rtsp_session import Address, visit
from daemon.errors import FrameError, LinkError

if TYPE_CHECKING:
    from daemon.drivers.rtsp_session import Visit
    from daemon.model import CameraView

RTSP_PORT: Final = 554
UNITS: Final = {"view": None, "clock_offset": "s"}


class RtspCameraConfig(CctvUnitConfig):
    """One camera, or one channel of a recorder that gives it on."""

    kind: Literal["rtsp_camera"]
    usual_port: ClassVar = RTSP_PORT

    url: str
    """``rtsp://host:port/path`` of the stream; a small one does, and JPEG is the cheapest to read."""
    lit: bool = True
    """It has light of its own, or its place is lit day and night: a dark picture is a fault."""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        return checked(url, "rtsp", like="rtsp://<address>:<port>/<path>")


class Neighbours:
    """The cameras behind one thing: when one is lost, the others are looked at without delay."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Event] = []

    def join(self) -> asyncio.Event:
        """Return what is set when another one is lost."""
        event = asyncio.Event()
        self._waiting.append(event)
        return event

    def one_is_lost(self) -> None:
        """Have all of them looked at."""
        for event in self._waiting:
            event.set()


class RtspCameraDriver:
    """One camera."""

    def __init__(self, config: RtspCameraConfig, context: DriverContext) -> None:
        """Take the configuration.

        Raises:
            ValueError: Pictures cannot be decoded on this computer.
        """
        if not can_decode():
            raise ValueError("pictures cannot be decoded here: install ispsd[cctv] (Pillow)")
        self.health = Health()
        self._config = config
        self._context = context
        self._address = Address(config.host, config.port, config.url)
        self._pictures = context.shared.one(PICTURES, Pictures)
        self._turn = context.shared.one(DECODING, lambda: asyncio.Semaphore(1))
        behind = config.behind or f"{context.device} alone"
        self._neighbours = context.shared.one(f"cameras behind {behind}", Neighbours)
        self._look_now = self._neighbours.join()
        self._sight = Sight(lit=config.lit)
        self._was_good = False

    def points(self) -> tuple[PointSpec, ...]:
        return self._config.points(self._context.device, UNITS)

    async def run(self, emit: Emit) -> None:
        clock = self._context.clock
        while True:
            self._look_now.clear()
            began_s = clock.now_s()
            try:
                await self._look(emit)
            except LinkError:
                self._pictures.forget(self._context.device)
                if self._was_good:
                    self._was_good = False
                    self._neighbours.one_is_lost()
                raise
            self._was_good = True
            left_s = self._config.look_s - (clock.now_s() - began_s)
            await clock.wait(self._look_now, max(left_s, 1.0))

    async def _look(self, emit: Emit) -> None:
        config, clock = self._config, self._context.clock
        seen = await visit(
            self._address,
            await config.login(),
            limit_s=config.limit_s,
            clock=clock,
            nonce=lambda: secrets.token_hex(8),
        )
        for _ in range(seen.dropped):
            self.health.drop("picture not whole")
        self.health.latency_s = seen.waited_s
        now_s, now_utc = clock.now_s(), clock.utc()
        view = await self._decoded(seen, now_s)
        self.health.frame(now_s)
        offset_s = None if seen.clock_offset_s is None else round(seen.clock_offset_s, 3)
        values = {"view": view, "clock_offset": offset_s}
        for reading in told(self._context, values, UNITS, at_s=now_s, at_utc=now_utc):
            emit(reading)

    async def _decoded(self, seen: Visit, now_s: float) -> CameraView:
        codec = seen.picture.codec
        try:
            async with self._turn:
                measures, small = await decoded(seen.picture)
        except NoDecoderError:
            self.health.remark = f"sends {codec.value}, which cannot be unpacked here: install ffmpeg, or ask for JPEG"
            self._pictures.forget(self._context.device)
            return not_decoded(codec=codec, waited_s=seen.waited_s)
        except DecoderLostError as err:
            self.health.drop("picture not decoded")
            raise LinkError(f"its picture: {err}", may_be_ours=True) from err
        except FrameError as err:
            self.health.drop("picture not decoded")
            raise LinkError(f"it sends {err}") from err
        self.health.remark = None
        self._pictures.keep(self._context.device, small, now_s)
        return self._sight.see(measures, codec=codec, waited_s=seen.waited_s)


DRIVER = DriverSpec(
    kind="rtsp_camera",
    config=RtspCameraConfig,
    build=RtspCameraDriver,
    unit_is=lambda _: "camera",
)
