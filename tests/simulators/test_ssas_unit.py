"""The simulated SSAS unit: what it prints, and that nobody need listen."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from daemon.checks.lamp_patterns import LampReader, Phase
from daemon.checks.ssas_units import load_lamp
from daemon.drivers.ssas_text import FrameAssembler, load_profile
from daemon.model import LampState
from simulators.ssas_unit import (
    JRC_SENDING_MIN,
    SIMULATOR,
    SsasUnitSimulator,
    message,
)
from simulators.text_port import MOST_TEXT_CHARACTERS
from tests.clocks import ManualClock
from tests.soon import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


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
        async with asyncio.timeout(PATIENCE_S):
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
    async with asyncio.timeout(PATIENCE_S):
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
        ({"do": "press"}, "seconds is a time"),
        ({"do": "press", "seconds": 121}, "seconds is a time from 0 to 120"),
        ({"do": "test", "addressees": 6}, "addressees is a whole number from 1 to 5"),
        ({"do": "test", "addressees": 1, "held_s": -1}, "held_s is a time"),
        ({"do": "cut"}, "after is a whole number"),
        ({"do": "cut", "after": 9999}, "after is a whole number"),
        ({"do": "noise", "bytes": 0}, "bytes is a whole number"),
        ({"do": "format", "as": "8E2"}, "as is one of 8N1, 7E1"),
    ],
)
async def test_a_command_that_cannot_be_says_why(unit, command, reason):
    with pytest.raises(ValueError, match=reason):
        await unit.do(command)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"link": "ssas"}, "absolute path"),
        ({"link": 1}, "absolute path"),
        ({"a": 1}, "unknown a"),
        ({"maker": "acme"}, "maker is one of jrc, sailor"),
        ({"speed": 0}, "speed is a whole number"),
        ({"line_end": []}, "line_end is one of crlf, cr, lf"),
    ],
)
def test_a_setting_that_cannot_be_says_why(settings, reason):
    with pytest.raises(ValueError, match=reason):
        SIMULATOR.build("ssas", settings)


class Wheelhouse:
    """A unit whose lamp is polled, with time in our hand."""

    def __init__(self, maker: str, **settings: object) -> None:
        self.clock = ManualClock()
        self.unit = SsasUnitSimulator("ssas", {"maker": maker, **settings}, self.clock)
        self.unit.on_lamp = self._lamp
        self.lit: list[bool] = []
        """Each change of the lamp."""
        unit = {"jrc": "jrc-jue-95sa-text", "sailor": "sailor-6194"}[maker]
        self._reader = LampReader(load_lamp(unit))
        self.phases: list[Phase] = []

    async def _lamp(self, lit: bool) -> None:
        self.lit.append(lit)

    async def watch(self, for_s: float) -> None:
        for _ in range(round(for_s * 10)):
            await self.clock.advance(0.1)
            state = LampState.LIT if self.lit[-1] else LampState.DARK
            phase = self._reader.see(state, self.clock.now_s())
            if phase is not None and self.phases[-1:] != [phase]:
                self.phases.append(phase)


@asynccontextmanager
async def wheelhouse(maker: str, **settings: object) -> AsyncIterator[Wheelhouse]:
    made = Wheelhouse(maker, **settings)
    await made.unit.start()
    try:
        await made.watch(3.0)
        yield made
    finally:
        await made.unit.stop()


async def test_a_jrc_test_is_off_lit_blinking_lit_off_and_printed_when_it_is_out():
    async with wheelhouse("jrc") as made:
        await made.unit.do({"do": "test", "addressees": 1})
        await made.watch(30 + JRC_SENDING_MIN[0] * 60 - 1)
        assert made.phases == [Phase.REST, Phase.PRESSED, Phase.BLINKING]
        await made.watch(10.0)
        assert made.phases[3:] == [Phase.SENT, Phase.REST]
        size = len(message("TEST TEST", made.clock.utc()))
        assert b"TEST TEST" in await printed(made.unit.endpoint, size)


async def test_a_jrc_test_takes_as_long_as_its_addressees_and_speed_shortens_it():
    async with wheelhouse("jrc", speed=20) as made:
        await made.unit.do({"do": "test", "addressees": 2})
        await made.watch(3 + 17 * 60 / 20 - 1)
        assert made.phases[-1] is Phase.BLINKING
        await made.watch(7.0)
        assert made.phases[-2:] == [Phase.SENT, Phase.REST]


async def test_a_sailor_test_is_lit_dark_flashing_dark_lit_and_nothing_is_printed():
    async with wheelhouse("sailor") as made:
        assert made.lit == [True]
        await made.unit.do({"do": "test", "addressees": 3})
        await made.watch(45.0)
        whole = [Phase.REST, Phase.PRESSED, Phase.BLINKING, Phase.PRESSED, Phase.REST]
        assert made.phases == whole
        for command in ({"do": "text", "text": "x"}, {"do": "noise"}, {"do": "cut", "after": 9}):
            with pytest.raises(ValueError, match="no text port"):
                await made.unit.do(command)


@pytest.mark.parametrize(
    ("maker", "phases"),
    [
        ("jrc", [Phase.REST, Phase.PRESSED, Phase.REST]),
        ("sailor", [Phase.REST, Phase.PRESSED, Phase.BLINKING, Phase.REST]),
    ],
)
async def test_what_is_let_go_within_30_s_sends_nothing(maker, phases):
    async with wheelhouse(maker) as made:
        await made.unit.do({"do": "test", "addressees": 1, "held_s": 29})
        await made.watch(60.0)
        assert made.phases == phases
        await nothing_printed(made.unit)


@pytest.mark.parametrize("maker", ["jrc", "sailor"])
async def test_a_press_of_the_test_button_alone_shows_in_the_lamp_and_nowhere_else(maker):
    async with wheelhouse(maker) as made:
        await made.unit.do({"do": "press", "seconds": 5})
        await made.watch(10.0)
        assert made.phases == [Phase.REST, Phase.PRESSED, Phase.REST]
        await nothing_printed(made.unit)


@pytest.mark.parametrize("maker", ["jrc", "sailor"])
async def test_a_real_alert_leaves_the_test_lamp_alone(maker):
    async with wheelhouse(maker) as made:
        await made.unit.do({"do": "alert"})
        await made.watch(40.0)
        assert made.phases == [Phase.REST]
        assert made.lit == [maker == "sailor"]


async def nothing_printed(unit: SsasUnitSimulator) -> None:
    """What is read next is what is printed next, on the units that print."""
    if not unit._is_jrc:
        return
    await unit.do({"do": "text", "text": "next"})
    assert await printed(unit.endpoint, 4) == b"next"


async def test_one_test_at_a_time():
    async with wheelhouse("jrc") as made:
        await made.unit.do({"do": "press", "seconds": 5})
        for command in ({"do": "press", "seconds": 5}, {"do": "test", "addressees": 1}):
            with pytest.raises(ValueError, match="pressed already"):
                await made.unit.do(command)
        await made.watch(6.0)
        await made.unit.do({"do": "press", "seconds": 5})


async def test_a_test_ends_with_the_unit():
    async with wheelhouse("jrc") as made:
        await made.unit.do({"do": "test", "addressees": 5})
        await made.watch(40.0)
        changes = len(made.lit)
        await made.unit.stop()
        await made.clock.advance(3600.0)
        assert len(made.lit) == changes


async def test_a_lamp_that_cannot_be_shown_is_told_of_when_the_unit_stops():
    clock = ManualClock()
    unit = SsasUnitSimulator("ssas", {}, clock)
    await unit.start()

    async def no_such_input(lit: bool) -> None:
        raise ValueError("there is no input 99")

    unit.on_lamp = no_such_input
    await unit.do({"do": "press", "seconds": 5})
    await clock.advance(1.0)
    with pytest.raises(ValueError, match="no input 99"):
        await unit.stop()
    await unit.stop()


def frames(data: bytes) -> list[bool]:
    assembler = FrameAssembler(load_profile("jrc-jue-95sa-text"))
    return [frame.is_test for frame in assembler.feed(data, 1.0)]


@pytest.mark.parametrize(("name", "end"), [("crlf", b"\r\n"), ("cr", b"\r"), ("lf", b"\n")])
async def test_lines_end_as_the_unit_is_set_and_the_driver_reads_them_all(name, end):
    async with wheelhouse("jrc", line_end=name) as made:
        await made.unit.do({"do": "test"})
        data = await printed(made.unit.endpoint, 100, ending=b"20DEG" + end)
        assert data.split(end)[5] == b"TEST TEST"
        assert frames(data) == [True]


async def test_noise_and_a_cut_message_are_none_and_take_nothing_from_the_next(unit):
    await unit.do({"do": "noise", "bytes": 100})
    assert len(noise := await printed(unit.endpoint, 100)) == 100
    await unit.do({"do": "cut", "after": 90})
    assert len(cut := await printed(unit.endpoint, 90)) == 90
    await unit.do({"do": "test"})
    whole = await printed(unit.endpoint, 100, ending=b"20DEG\r\n")
    assert frames(noise + cut) == []
    assert frames(noise + b"\r\n" + cut + b"\r\n" + whole) == [True]


async def test_seven_bits_and_even_parity_are_on_the_line_until_told_otherwise(unit):
    await unit.do({"do": "format", "as": "7E1"})
    await unit.do({"do": "text", "text": "AC"})
    assert await printed(unit.endpoint, 2) == bytes([0x41, 0xC3])
    await unit.do({"do": "format", "as": "8N1"})
    await unit.do({"do": "text", "text": "AC"})
    assert await printed(unit.endpoint, 2) == b"AC"


async def test_a_message_may_end_without_a_line_end_and_silence_ends_it():
    async with wheelhouse("jrc", open_end=True) as made:
        await made.unit.do({"do": "test"})
        data = await printed(made.unit.endpoint, 100, ending=b"20DEG")
        assembler = FrameAssembler(load_profile("jrc-jue-95sa-text"))
        assert assembler.feed(data, 1.0) == []
        assert [frame.is_test for frame in assembler.idle(10.0)] == [True]
