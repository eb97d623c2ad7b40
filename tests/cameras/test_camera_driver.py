"""One camera of ours against the simulated one: looks, clocks, neighbours, and what the file may say."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from daemon.drivers import camera_pictures, rtsp_camera
from daemon.drivers.api import Shared
from daemon.errors import LinkError
from daemon.model import CameraState, Quality
from simulators.camera import CameraSimulator
from tests.cameras.rig import Watched
from tests.clocks import ManualClock
from tests.soon import soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def simulated(**settings: object) -> AsyncIterator[tuple[CameraSimulator, str]]:
    camera = CameraSimulator("c03", settings)
    await camera.start()
    try:
        yield camera, f"rtsp://127.0.0.1:{camera.port}/stream"
    finally:
        await camera.stop()


async def test_what_the_simulated_camera_is_told_is_what_is_seen():
    async with simulated() as (camera, url):
        watched = Watched(url)
        assert (await watched.look()).state is CameraState.LIVE
        await camera.do({"do": "freeze"})
        states = [(await watched.look()).state for _ in range(3)]
        assert states == [CameraState.LIVE, CameraState.LIVE, CameraState.FROZEN]
        for verb, state in (
            ("live", CameraState.LIVE),
            ("cover", CameraState.COVERED),
            ("dark", CameraState.DARK),
        ):
            await camera.do({"do": verb})
            assert (await watched.look()).state is state


async def test_the_clock_is_by_the_camera_and_to_the_second():
    async with simulated() as (camera, url):
        watched = Watched(url)
        camera._clock = watched.clock
        await camera.do({"do": "clock", "ahead_s": 10.0})
        await watched.look()
        # 02:10:10 is told for 02:10:10 to 02:10:11.
        assert watched.clock_offset_s == 10.5


@pytest.mark.parametrize(("verb", "reason"), [("drop", "it hung up"), ("hang", "nothing whole")])
async def test_a_camera_that_fails_is_lost_and_its_picture_forgotten(verb, reason):
    async with simulated() as (camera, url):
        watched = Watched(url, limit_s=1)
        await watched.look()
        assert watched.small()
        await camera.do({"do": verb})
        with pytest.raises(LinkError, match=reason):
            await watched.driver.run(lambda _: None)
        assert not watched.small()


async def test_digest_is_answered_for_every_request(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("let me in\n", "utf-8")
    async with simulated(user="watch", password="let me in") as (_, url):
        watched = Watched(url, user="watch", password_file=str(secret))
        assert (await watched.look()).state is CameraState.LIVE


async def test_only_what_reads_is_asked():
    async with simulated() as (camera, url):
        methods: list[str] = []
        answered = camera._may

        def noting(method: str, uri: str, head: str) -> bool:
            methods.append(method)
            return answered(method, uri, head)

        camera._may = noting  # type: ignore[method-assign]
        await Watched(url).look()
        assert methods == ["DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]


async def test_a_password_file_that_is_missing_or_empty_is_named(tmp_path):
    async with simulated() as (_, url):
        watched = Watched(url, user="watch", password_file=str(tmp_path / "none"))
        with pytest.raises(LinkError, match=r"password_file .*none: No such file"):
            await watched.look()
        (tmp_path / "none").write_text("\n", "utf-8")
        with pytest.raises(LinkError, match="holds no password"):
            await watched.look()


async def test_it_looks_as_often_as_it_should():
    async with simulated() as (_, url):
        clock = ManualClock()
        watched = Watched(url, clock=clock, look_s=60)
        seen: list[float] = []
        running = asyncio.ensure_future(
            watched.driver.run(
                lambda r: seen.append(r.received_s) if r.point == "c03.view" else None
            )
        )
        await soon(lambda: len(seen) == 1 and clock.next_due_s() is not None)
        await clock.advance(59.0)
        assert len(seen) == 1
        await clock.advance(1.0)
        await soon(lambda: len(seen) == 2)
        running.cancel()
        await asyncio.wait({running})


async def test_when_one_is_lost_the_others_behind_the_same_switch_are_looked_at_at_once():
    shared = Shared()
    async with simulated() as (one, url), simulated() as (_, other):
        lost = Watched(url, shared=shared, behind="cctv-switch")
        stays = Watched(other, shared=shared, behind="cctv-switch")
        alone = Watched(other, shared=shared)
        await lost.look()
        lost.driver._was_good = True
        await one.do({"do": "drop"})
        with pytest.raises(LinkError):
            await lost.driver.run(lambda _: None)
        assert stays.driver._look_now.is_set()
        assert not alone.driver._look_now.is_set()
        stays.driver._look_now.clear()
        with pytest.raises(LinkError):
            await lost.driver.run(lambda _: None)
        assert not stays.driver._look_now.is_set()  # once an outage


async def test_a_picture_that_cannot_be_unpacked_here_is_a_picture_all_the_same(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    from daemon.drivers.rtp_video import KeyPicture
    from daemon.drivers.sdp import Codec

    with pytest.raises(camera_pictures.NoDecoderError):
        await camera_pictures.decoded(KeyPicture(Codec.H264, b"\0\0\0\1\x65"))

    async def cannot(_: object) -> object:
        raise camera_pictures.NoDecoderError("h264")

    monkeypatch.setattr(rtsp_camera, "decoded", cannot)
    async with simulated() as (_, url):
        watched = Watched(url)
        view = await watched.look()
        assert (view.state, view.brightness) == (CameraState.NOT_DECODED, None)
        assert "install ffmpeg" in str(watched.driver.health.remark)
        assert watched.said["c03.view"].quality is Quality.GOOD


async def test_without_pillow_a_camera_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setattr(rtsp_camera, "can_decode", lambda: False)
    with pytest.raises(ValueError, match=r"install ispsd\[cctv\]"):
        Watched("rtsp://10.0.0.1/stream")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("rtsp://watch:secret@10.0.0.1/s", "takes no user and no password"),
        ("rtsp://watch@10.0.0.1/s", "takes no user and no password"),
        (f"rtsp://10.0.0.1/{'s' * 500}", "longer than 500"),
        ("http://10.0.0.1/s", "want rtsp://"),
        ("rtsp:///s", "want rtsp://"),
        ("rtsp://10.0.0.1/s d", "characters that no address has"),
        ("rtsp://10.0.0.1:99999/s", "a port to 65535"),
        ("rtsp://camera-3.local/s", "an address in numbers"),
    ],
)
def test_an_address_that_is_none_is_refused(url, reason):
    with pytest.raises(ValidationError, match=reason):
        Watched(url)


def test_a_user_without_a_password_is_refused():
    with pytest.raises(ValidationError, match="user and password_file belong together"):
        Watched("rtsp://10.0.0.1/s", user="watch")


@pytest.mark.parametrize("rest", ["10.0.0.1/s", "camera/s", "10.0.0.1/ s", f"10.0.0.1/{'s' * 600}"])
def test_a_password_that_stands_in_an_address_all_the_same_is_not_repeated(rest, tmp_path):
    from daemon import config
    from daemon.assets import asset
    from daemon.errors import ConfigError

    path = tmp_path / "ispsd.toml"
    text = asset("ispsd.toml").read_text("utf-8")
    path.write_text(
        text.replace("rtsp://192.168.61.103:554/stream2", f"rtsp://watch:hunter2@{rest}"), "utf-8"
    )
    with pytest.raises(ConfigError, match=r"device\.c03\.url") as refused:
        config.load(path)
    assert "hunter2" not in str(refused.value)
