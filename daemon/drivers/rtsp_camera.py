"""One camera of the ship's CCTV: does it give a picture, is it another one than before, and is its clock right?

Source: RFC 2326. Each look is a visit of its own: ask for the stream, take the first whole key picture, say goodbye; a
stream that is held open costs a camera, the network and this computer all day what a look each minute does not. Only
what reads is asked (invariant 10). The clock is the ``Date`` header of the camera's answers, which most cameras send,
else the sender report of RTCP; that is the camera's own clock. A camera that sends neither has no known clock.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from daemon.drivers.addresses import checked, host_of, port_of
from daemon.drivers.api import DriverConfig, DriverContext, DriverSpec, Emit, Health, PointSpec
from daemon.drivers.camera_pictures import (
    DECODING,
    PICTURES,
    NoDecoderError,
    Pictures,
    can_decode,
    decoded,
)
from daemon.drivers.camera_sight import Sight, not_decoded
from daemon.drivers.rtsp_messages import Login
from daemon.drivers.rtsp_session import Address, visit
from daemon.errors import FrameError, LinkError
from daemon.model import Quality, Reading
from daemon.secretfiles import SecretPath, read_secret

if TYPE_CHECKING:
    from daemon.drivers.rtsp_session import Visit
    from daemon.model import CameraView

RTSP_PORT: Final = 554
MISSED_LOOKS: Final = 2.5
"""A picture is believed for so many looks: one may be missed."""


class RtspCameraConfig(DriverConfig):
    """One camera, or one channel of a recorder that gives it on."""

    kind: Literal["rtsp_camera"]
    name: Annotated[str, Field(min_length=1, max_length=16)]
    """The short name that watch stations show."""
    place: Annotated[str, Field(min_length=1, max_length=80)]
    """Where it is; only the SSO sees it."""
    url: str
    """``rtsp://host:port/path`` of the stream; a small one does, and JPEG is the cheapest to read."""
    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9@._-]{1,64}$")] | None = None
    """A user of the camera that may look and nothing else."""
    password_file: SecretPath | None = None
    look_s: Annotated[float, Field(ge=5, le=3600)] = 60.0
    """How often it is looked at, in seconds."""
    limit_s: Annotated[float, Field(ge=1, le=60)] = 15.0
    """How long a look may take; longer than the camera's key pictures are apart."""
    lit: bool = True
    """It has light of its own, or its place is lit day and night: a dark picture is a fault."""
    behind: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")] | None = None
    """What it hangs on with others, such as a switch or recorder: when all of those are lost, that is one alert."""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        return checked(url, "rtsp", like="rtsp://<address>:<port>/<path>")

    @model_validator(mode="after")
    def _has_both_or_neither(self) -> RtspCameraConfig:
        if (self.user is None) is not (self.password_file is None):
            raise ValueError("user and password_file belong together")
        return self

    @property
    def host(self) -> str:
        """Return its address, which is what is opened for it."""
        return host_of(self.url)

    @property
    def port(self) -> int:
        """Return the port at which it is asked."""
        return port_of(self.url, RTSP_PORT)


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
        config, device = self._config, self._context.device
        valid_for_s = MISSED_LOOKS * config.look_s + config.limit_s
        return (
            PointSpec(f"{device}.view", valid_for_s),
            PointSpec(f"{device}.clock_offset", valid_for_s, "s"),
        )

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
            self._login(),
            limit_s=config.limit_s,
            clock=clock,
            nonce=lambda: secrets.token_hex(8),
        )
        for _ in range(seen.dropped):
            self.health.drop("picture not whole")
        now_s, now_utc = clock.now_s(), clock.utc()
        self.health.latency_s = seen.waited_s
        view = await self._decoded(seen, now_s)
        self.health.frame(now_s)
        for point, value in (("view", view), ("clock_offset", seen.clock_offset_s)):
            emit(
                Reading(
                    point=f"{self._context.device}.{point}",
                    value=round(value, 3) if isinstance(value, float) else value,
                    unit="s" if point == "clock_offset" else None,
                    quality=Quality.UNKNOWN if value is None else Quality.GOOD,
                    provenance=self._context.provenance,
                    received_utc=now_utc,
                    received_s=now_s,
                    source=self._context.device,
                )
            )

    async def _decoded(self, seen: Visit, now_s: float) -> CameraView:
        codec = seen.picture.codec
        try:
            async with self._turn:
                measures, small = await decoded(seen.picture)
        except NoDecoderError:
            self.health.remark = f"sends {codec.value}, which cannot be unpacked here: install ffmpeg, or ask for JPEG"
            self._pictures.forget(self._context.device)
            return not_decoded(codec=codec, waited_s=seen.waited_s)
        except FrameError as err:
            self.health.drop("picture not decoded")
            raise LinkError(f"it sends {err}") from err
        self.health.remark = None
        self._pictures.keep(self._context.device, small, now_s)
        return self._sight.see(measures, codec=codec, waited_s=seen.waited_s)

    def _login(self) -> Login | None:
        config = self._config
        if config.user is None or config.password_file is None:
            return None
        return Login(config.user, read_secret(config.password_file))


DRIVER = DriverSpec(kind="rtsp_camera", config=RtspCameraConfig, build=RtspCameraDriver)
