"""A real RTSP server, and a camera of ours that looks at what it is shown."""

from __future__ import annotations

import asyncio
import os
import subprocess
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.drivers.api import DriverContext, Shared
from daemon.drivers.rtsp_camera import DRIVER
from daemon.gate import CovertGate
from daemon.model import CameraView, Provenance
from tests.clocks import ManualClock
from tests.needed import needs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from daemon.drivers.rtsp_camera import RtspCameraDriver
    from daemon.model import Reading

SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("gst_server.py")
ASK = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
)
RAW = "video/x-raw,format=I420,width=320,height=240,framerate=10/1"
JPEG = "jpegenc ! rtpjpegpay name=pay0 pt=26"


@cache
def _has_server() -> bool:
    done = subprocess.run([SYSTEM_PYTHON, "-c", ASK], capture_output=True, check=False)
    return done.returncode == 0


def stream(source: str, packed: str = JPEG) -> str:
    """A launch line of GStreamer's server."""
    return f"( {source} ! {RAW} ! {packed} )"


@contextmanager
def served(
    *streams: str, user: str = "", password: str = "", ahead: str | None = None
) -> Iterator[int]:
    """Serve streams (``/path=launch``) on a port for the length of a block; ``ahead`` is by how much its clock is."""
    needs(_has_server(), "serve RTSP with GStreamer (gir1.2-gst-rtsp-server-1.0, python3-gi)")
    command = [SYSTEM_PYTHON, str(SERVER), user, password, *streams]
    if ahead is not None:
        command = ["faketime", "-f", ahead, *command]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "FAKETIME_DONT_FAKE_MONOTONIC": "1"},
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


class Watched:
    """One camera's driver, looked through by hand."""

    def __init__(
        self, url: str, *, clock: object | None = None, shared: Shared | None = None, **said: object
    ) -> None:
        config = DRIVER.config.model_validate(
            {"kind": "rtsp_camera", "name": "POOP", "place": "poop", "url": url, **said}
        )
        self.clock = clock or ManualClock()
        self.driver: RtspCameraDriver = DRIVER.build(
            config,
            DriverContext(
                device="c03",
                clock=self.clock,  # type: ignore[arg-type]
                gate=CovertGate(self.clock),  # type: ignore[arg-type]
                provenance=Provenance.LIVE,
                shared=shared or Shared(),
            ),
        )
        self.said: dict[str, Reading] = {}

    async def look(self) -> CameraView:
        """Look once; return what was seen."""
        await self.driver._look(lambda reading: self.said.update({reading.point: reading}))
        view = self.said["c03.view"].value
        assert isinstance(view, CameraView)
        return view

    @property
    def clock_offset_s(self) -> object:
        return self.said["c03.clock_offset"].value

    def small(self) -> bytes:
        """The picture that is kept."""
        kept = self.driver._pictures.newest("c03")
        return b"" if kept is None else kept.jpeg


@asynccontextmanager
async def answering(
    visit: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """Let something that calls itself a camera take visitors; yield its address."""
    tasks: set[asyncio.Task[None]] = set()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await visit(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
