"""The simulated SSAS unit: what it prints, and that nobody need listen."""

from __future__ import annotations

import asyncio
import os

import pytest

from simulators.ssas_unit import MOST_TEXT_CHARACTERS, SIMULATOR, SsasUnitSimulator, message
from tests.clocks import ManualClock


@pytest.fixture
async def unit():
    unit = SsasUnitSimulator("ssas", {}, ManualClock())
    await unit.start()
    yield unit
    await unit.stop()


async def printed(path: str, size: int, ending: bytes = b"") -> bytes:
    """Read so many bytes from a port, and on to an ending, as whoever listens does."""
    port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    loop, data, came = asyncio.get_running_loop(), b"", asyncio.Event()
    loop.add_reader(port, came.set)
    try:
        async with asyncio.timeout(5):
            while len(data) < size or not data.endswith(ending):
                await came.wait()
                came.clear()
                data += os.read(port, 4096)
    finally:
        loop.remove_reader(port)
        os.close(port)
    return data


async def test_a_test_and_an_alert_differ_in_the_marker_line_alone(unit):
    utc = ManualClock().utc()
    await unit.do({"do": "test"})
    test = await printed(unit.endpoint, len(message("TEST TEST", utc)))
    await unit.do({"do": "alert"})
    alert = await printed(unit.endpoint, len(message("SECURITY SECURITY", utc)))
    assert test.replace(b"TEST TEST", b"SECURITY SECURITY") == alert
    lines = test.decode("ascii").split("\r\n")
    assert "SECURITY MESSAGE" in lines[0]
    assert lines[4:6] == ["", "TEST TEST"]
    assert lines[7:] == [
        "LAT,N01 15.84LON,E103 50.40,UTC,22.11.2026 02:10,SOG,",
        "0.0KT,COG,20DEG",
        "",
    ]


async def test_any_text_can_be_printed(unit):
    await unit.do({"do": "text", "text": "\xff\x00cut in the mid"})
    assert await printed(unit.endpoint, 16) == b"\xff\x00cut in the mid"


async def test_the_line_stays_up_when_a_reader_leaves(unit):
    for number in range(3):
        await unit.do({"do": "text", "text": f"{number}"})
        assert await printed(unit.endpoint, 1) == str(number).encode()


async def test_a_line_that_nobody_reads_blocks_nothing_and_ends_with_the_newest(unit):
    async with asyncio.timeout(5):
        for number in range(100):
            await unit.do({"do": "text", "text": f"{number:03d}" + "x" * 1000})
        data = await printed(unit.endpoint, 1003, ending=b"099" + b"x" * 1000)
    assert not data.startswith(b"000")


async def test_a_link_leads_to_the_port_and_is_gone_afterwards(tmp_path):
    link = tmp_path / "ssas"
    link.symlink_to("/nowhere")  # left behind by a run that was killed
    unit = SIMULATOR.build("ssas", {"link": str(link)})
    await unit.start()
    assert unit.endpoint == str(link)
    await unit.do({"do": "text", "text": "here"})
    assert await printed(str(link), 4) == b"here"
    await unit.stop()
    await unit.stop()
    assert not link.is_symlink()


async def test_a_unit_that_is_not_started_has_no_port_and_prints_nothing():
    unit = SIMULATOR.build("ssas", {})
    with pytest.raises(RuntimeError, match="ssas is not started"):
        assert unit.endpoint
    with pytest.raises(ValueError, match="ssas is not started"):
        await unit.do({"do": "test"})


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"do": "dance"}, "cannot do 'dance'"),
        ({"do": "test", "loud": True}, "unknown loud"),
        ({"do": "text"}, "text has 1 to"),
        ({"do": "text", "text": ""}, "text has 1 to"),
        ({"do": "text", "text": "x" * (MOST_TEXT_CHARACTERS + 1)}, "text has 1 to"),
        ({"do": "text", "text": "€"}, r"above U\+00FF"),
    ],
)
async def test_a_command_that_cannot_be_says_why(unit, command, reason):
    with pytest.raises(ValueError, match=reason):
        await unit.do(command)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"link": "ssas"}, "absolute path"), ({"link": 1}, "absolute path"), ({"a": 1}, "unknown a")],
)
def test_a_setting_that_cannot_be_says_why(settings, reason):
    with pytest.raises(ValueError, match=reason):
        SIMULATOR.build("ssas", settings)
