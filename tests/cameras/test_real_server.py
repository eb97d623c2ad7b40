"""Cameras against GStreamer's RTSP server, with encoders that are not ours."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from daemon.computer.clock import SystemClock
from daemon.drivers.picture_decoder import LARGEST_JPEG
from daemon.errors import LinkError
from daemon.model import CameraState
from tests.cameras.rig import Watched, served, stream
from tests.needed import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

MOVING = "videotestsrc is-live=true pattern=ball animation-mode=wall-time"
"""Another picture at each moment, however often the stream is begun anew."""
X264 = "x264enc tune=zerolatency key-int-max=10"
STREAMS = {
    "/jpeg": stream(MOVING),
    "/h264": stream(MOVING, f"{X264} ! rtph264pay name=pay0 pt=96"),
    "/openh264": stream(MOVING, "openh264enc ! rtph264pay name=pay0 pt=97 mtu=400"),
    "/h265": stream(MOVING, "x265enc tune=zerolatency ! rtph265pay name=pay0 pt=98"),
    "/black": stream("videotestsrc is-live=true pattern=black"),
    "/grey": stream("videotestsrc is-live=true pattern=solid-color foreground-color=0xff606060"),
    "/frozen": stream("videotestsrc num-buffers=1 pattern=smpte ! imagefreeze is-live=true"),
    "/frozen264": stream(
        "videotestsrc num-buffers=1 pattern=smpte ! imagefreeze is-live=true",
        f"{X264} ! rtph264pay name=pay0 pt=96",
    ),
    "/sound": "( audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay0 pt=8 )",
}
pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(*(f"{path}={launch}" for path, launch in STREAMS.items())) as port:
        yield port


def watched(port: int, path: str, **said: object) -> Watched:
    return Watched(f"rtsp://127.0.0.1:{port}{path}", **said)


@pytest.mark.parametrize(
    ("path", "codec"),
    [("/jpeg", "jpeg"), ("/h264", "h264"), ("/openh264", "h264"), ("/h265", "h265")],
)
async def test_the_first_picture_is_seen_and_the_next_is_another(port, path, codec):
    if codec != "jpeg":
        needs(shutil.which("ffmpeg"), "unpack H.264 and H.265 (ffmpeg)")
    camera = watched(port, path)
    first, second = await camera.look(), await camera.look()
    for view in (first, second):
        assert (view.state, view.codec, view.width, view.height) == (
            CameraState.LIVE,
            codec,
            320,
            240,
        )
        assert view.unchanged_looks == 0
        assert 0 < view.brightness < 50  # a white ball on black


async def test_the_picture_that_is_kept_is_small_and_can_be_looked_at(port):
    camera = watched(port, "/jpeg")
    await camera.look()
    assert 0 < len(camera.small()) <= LARGEST_JPEG
    with Image.open(io.BytesIO(camera.small())) as image:
        assert image.size == (320, 240)


@pytest.mark.parametrize("path", ["/frozen", "/frozen264"])
async def test_a_picture_that_stands_still_is_found_out_at_the_third_look(port, path):
    if path == "/frozen264":
        needs(shutil.which("ffmpeg"), "unpack H.264 (ffmpeg)")
    camera = watched(port, path)
    states = [(await camera.look()).state for _ in range(3)]
    assert states == [CameraState.LIVE, CameraState.LIVE, CameraState.FROZEN]


async def test_black_is_a_fault_only_where_there_is_light(port):
    assert (await watched(port, "/black").look()).state is CameraState.DARK
    assert (await watched(port, "/black", lit=False).look()).state is CameraState.NIGHT


async def test_a_bag_over_the_camera_shows_nothing(port):
    assert (await watched(port, "/grey").look()).state is CameraState.COVERED


async def test_a_stream_that_is_not_there_is_said(port):
    with pytest.raises(LinkError, match="DESCRIBE: it says 404 Not Found"):
        await watched(port, "/nowhere").look()


async def test_a_stream_of_sound_is_no_camera(port):
    with pytest.raises(LinkError, match="offers no video"):
        await watched(port, "/sound").look()


@pytest.fixture
def secret(tmp_path):
    def written(password: str) -> str:
        path = tmp_path / "password"
        path.write_text(f"{password}\n", "utf-8")
        return str(path)

    return written


async def test_who_has_the_password_sees_and_who_has_not_is_refused(secret):
    with served(f"/s={STREAMS['/jpeg']}", user="watch", password="let me in") as port:
        right = watched(port, "/s", user="watch", password_file=secret("let me in"))
        assert (await right.look()).state is CameraState.LIVE
        wrong = watched(port, "/s", user="watch", password_file=secret("let me out"))
        with pytest.raises(LinkError, match="it refuses this user or password") as refused:
            await wrong.look()
        assert "let me out" not in str(refused.value)
        with pytest.raises(LinkError, match="it wants a user and a password"):
            await watched(port, "/s").look()


@pytest.mark.parametrize(("ahead", "offset_s"), [(None, 0.0), ("+10s", 10.0), ("-3600s", -3600.0)])
async def test_the_cameras_clock_is_told_to_the_second(ahead, offset_s):
    needs(ahead is None or shutil.which("faketime"), "set a server's clock wrong (faketime)")
    with served(f"/s={STREAMS['/jpeg']}", ahead=ahead) as port:
        camera = watched(port, "/s", clock=SystemClock())
        await camera.look()
        assert camera.clock_offset_s == pytest.approx(offset_s, abs=1.5)


async def test_a_server_that_is_gone_is_a_lost_camera(port):
    with served(f"/s={STREAMS['/jpeg']}") as other:
        camera = watched(other, "/s")
        await camera.look()
    with pytest.raises(LinkError, match="connecting: refused"):
        await camera.look()
