"""Cameras of a whole ship: one dead switch is one alert, and no picture leaves the computer."""

from __future__ import annotations

import base64
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from simulators.camera import CameraSimulator
from tests.ship import Ship, sailing
from tests.ship_talk import alerts
from tests.soon import soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NAMES = {"c01": "GANGWAY", "c02": "FWD DECK", "c03": "POOP"}
LOOK_S, DELAY_S = 60.0, 60.0
CAMERA = """
[device.{id}]
kind = "rtsp_camera"
name = "{name}"
place = "somewhere"
url = "rtsp://127.0.0.1:{port}/s"
behind = "cctv-switch"

"""


@asynccontextmanager
async def with_cameras(folder: Path) -> AsyncIterator[tuple[Ship, dict[str, CameraSimulator]]]:
    async with AsyncExitStack() as stack:
        cameras = {each: CameraSimulator(each, {}) for each in NAMES}
        for camera in cameras.values():
            await camera.start()
            stack.push_async_callback(camera.stop)
        said = "".join(
            CAMERA.format(id=each, name=NAMES[each], port=camera.port)
            for each, camera in cameras.items()
        )

        def edit(text: str) -> str:
            before, _, after = text.partition("[device.ssas]")
            return f"{before}{said}[device.ssas]{after}"

        ship = await stack.enter_async_context(sailing(folder, edit=edit))
        await soon(lambda: all(link(ship, each) == "up" for each in NAMES))
        yield ship, cameras


def link(ship: Ship, device: str) -> object:
    return (ship.state(f"driver/{device}") or {}).get("link")


@pytest.mark.timeout(90)
async def test_a_dead_switch_is_one_alert_and_a_dead_camera_is_its_own(tmp_path):
    async with with_cameras(tmp_path) as (ship, cameras):
        await cameras["c03"].do({"do": "drop"})
        await ship.pass_time(LOOK_S)
        await soon(lambda: link(ship, "c03") == "down")
        await ship.pass_time(DELAY_S + 1.0)
        assert alerts(ship) == {"cctv.camera.c03"}
        assert ship.state("alert/cctv.camera.c03")["name"] == "POOP"
        assert "it hung up" in ship.state("alert/cctv.camera.c03")["detail"]
        for each in ("c01", "c02"):
            await cameras[each].do({"do": "drop"})
        await ship.pass_time(LOOK_S)
        await soon(lambda: all(link(ship, each) == "down" for each in NAMES))
        await ship.pass_time(DELAY_S + 1.0)
        # Of the one that was lost before, somebody was told already.
        assert alerts(ship) == {"cctv.camera.c03", "cctv.camera.cctv-switch"}
        assert ship.state("alert/cctv.camera.cctv-switch")["detail"] == (
            "no picture of GANGWAY, FWD DECK, POOP"
        )


@pytest.mark.timeout(60)
async def test_no_picture_is_on_any_topic_or_in_the_log(tmp_path):
    async with with_cameras(tmp_path) as (ship, _):
        small = [ship.daemon.ship_now.picture(each) for each in NAMES]
        assert all(each is not None and len(each) > 500 for each in small)
        await ship.pass_time(5.0)
        views = [ship.state(f"point/{each}.view") for each in NAMES]
        assert [view["value"]["state"] for view in views] == ["live"] * 3
        assert [view["name"] for view in views] == list(NAMES.values())
        assert {view["kind"] for view in views} == {"camera"}
        said = b"".join(message.payload for message in ship.heard)
        for each in small:
            middle = each[100:400]
            assert middle not in said
            assert base64.b64encode(middle)[4:-4] not in said
            assert middle.hex().encode() not in said
        assert max(len(message.payload) for message in ship.heard) < 64 * 1024
