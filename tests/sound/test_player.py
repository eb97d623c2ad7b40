"""An output is fed all the time, and counts as armed only while it takes what it is given."""

from __future__ import annotations

import asyncio
import shutil
import sys
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from daemon.computer.clock import SystemClock
from daemon.sound.conductor import Conductor, Sounding
from daemon.sound.outputs import (
    HUNG_S,
    OPEN_ENDED,
    WAV_HEADER,
    Alsa,
    Nowhere,
    OutputError,
    WavFile,
    _header,
)
from daemon.sound.player import CHUNK_BYTES, CHUNK_S, Player
from daemon.sound.tones import BYTES_A_SECOND, Signal, samples
from tests.clocks import ManualClock
from tests.needed import needs
from tests.soon import BREATH_S, PATIENCE_S, soon
from tests.sound.listening import groups, recorded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from daemon.sound.outputs import Output

ALARM = samples(Signal.ALARM, tones=1, volume=100)


class Device:
    """A loudspeaker that a test pulls out and plugs in; it takes what it is given in time."""

    heard = True

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.given = bytearray()
        self.fault: str | None = None
        self.hangs = asyncio.Event()
        self.opened = 0
        self._since = 0

    async def __aenter__(self):
        self.opened += 1
        self._since = len(self.given)
        if self.fault:
            raise OutputError(self.fault)
        return self

    async def __aexit__(self, *_):
        return None

    async def give(self, samples: bytes) -> int:
        if self.fault:
            raise OutputError(self.fault)
        if self.hangs.is_set():
            await self.clock.sleep(HUNG_S)
            raise OutputError("took nothing for 2 s")
        self.given += samples
        await self.clock.sleep(len(samples) / BYTES_A_SECOND)
        return len(self.given) - self._since


@asynccontextmanager
async def playing(
    open_output: Callable[[], Output], clock: ManualClock, signals: list[bytes] | None = None
) -> AsyncIterator[Player]:
    queue = signals if signals is not None else []
    player = Player(open_output, lambda: queue.pop(0) if queue else b"", clock=clock)
    task = asyncio.ensure_future(player.run())
    try:
        yield player
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_it_is_armed_when_it_has_played_for_a_second_and_not_before():
    clock = ManualClock()
    device = Device(clock)
    async with playing(lambda: device, clock) as player:
        assert not player.armed()
        await clock.advance(0.8)
        assert not player.armed()
        await clock.advance(0.5)
        assert player.armed()
        assert player.reason is None


async def test_an_output_that_hangs_is_not_armed_and_is_tried_again():
    clock = ManualClock()
    device = Device(clock)
    async with playing(lambda: device, clock) as player:
        await clock.advance(5.0)
        device.hangs.set()
        await clock.advance(HUNG_S + 0.2)
        assert not player.armed()
        assert "took nothing" in player.reason
        device.hangs.clear()
        await clock.advance(3.0)
        assert player.armed()
        assert device.opened == 2


async def test_a_device_that_is_missing_is_tried_again_ever_less_often_and_found():
    clock = ManualClock()
    device = Device(clock)
    device.fault = "no such device"
    async with playing(lambda: device, clock) as player:
        await clock.advance(120.0)
        assert player.reason == "no such device"
        assert not player.armed()
        assert 5 <= device.opened <= 9
        device.fault = None
        await clock.advance(32.0)
        assert player.armed()


async def test_what_was_to_be_played_while_it_was_gone_is_not_played_late():
    clock = ManualClock()
    device = Device(clock)
    signals = [ALARM]
    async with playing(lambda: device, clock, signals):
        await clock.advance(CHUNK_S)
        device.fault = "pulled out"
        await clock.advance(1.0)
        device.fault = None
        await clock.advance(10.0)
    assert bytes(device.given).rstrip(b"\0") == ALARM[: len(bytes(device.given).rstrip(b"\0"))]
    assert len(bytes(device.given).rstrip(b"\0")) <= 2 * CHUNK_BYTES


async def test_a_warning_of_which_nobody_heard_anything_sounds_as_soon_as_the_output_is_back():
    """The pipe of an output that is not there takes the first piece, and then it ends."""
    clock, conductor = ManualClock(), Conductor()
    sounding = frozenset({Sounding("door.escape.open.d12", 1, Signal.WARNING)})
    broken = True

    class Pipe(Device):
        async def give(self, samples: bytes) -> int:
            if broken and len(self.given) > self._since:
                raise OutputError("no such device")
            return await super().give(samples)

    def begins() -> bytes:
        due = conductor.due(sounding, stale=False, now_s=clock.now_s(), warning_every_s=300.0)
        return b"" if due is None else samples(due, tones=1, volume=100)

    device = Pipe(clock)
    player = Player(lambda: device, begins, lost=conductor.forget, clock=clock)
    task = asyncio.ensure_future(player.run())
    await clock.advance(20.0)
    broken, unheard = False, len(device.given)
    await clock.advance(40.0)
    task.cancel()
    await asyncio.wait({task})
    assert player.armed()
    heard = groups(memoryview(bytes(device.given[unheard:])).cast("h"))
    assert [pulses for _, pulses in heard] == [2]


async def test_a_file_is_as_long_as_time_and_nobody_hears_it(tmp_path: Path):
    clock, path = ManualClock(), tmp_path / "out.wav"
    async with playing(lambda: WavFile(path, clock=clock), clock, [b"", b"", ALARM]) as player:
        await clock.advance(5.0)
        assert not player.armed(), "a file is no loudspeaker"
    heard = recorded(path)
    assert len(heard) == pytest.approx(5.0 * BYTES_A_SECOND / 2, abs=CHUNK_BYTES)
    assert groups(heard) == [(pytest.approx(0.2, abs=0.01), 3)]
    assert path.read_bytes()[:4] == b"RIFF"


@pytest.mark.parametrize(
    ("signal", "every_s", "count"), [(Signal.ALARM, 7.0, 3), (Signal.WARNING, 60.0, 2)]
)
async def test_in_a_file_the_groups_of_pulses_can_be_counted(
    tmp_path: Path, signal: Signal, every_s: float, count: int
):
    clock, path, conductor = ManualClock(), tmp_path / "out.wav", Conductor()
    sounding = frozenset({Sounding("door.forced.d05", 1, signal)})

    def begins() -> bytes:
        due = conductor.due(sounding, stale=False, now_s=clock.now_s())
        return b"" if due is None else samples(due, tones=2, volume=60)

    player = Player(lambda: WavFile(path, clock=clock), begins, clock=clock)
    task = asyncio.ensure_future(player.run())
    await clock.advance(3 * every_s + 2.0)
    task.cancel()
    await asyncio.wait({task})
    heard = groups(recorded(path))
    assert [pulses for _, pulses in heard] == [count] * 4
    for (before_s, _), (began_s, _) in pairwise(heard):
        assert began_s - before_s == pytest.approx(every_s, abs=2 * CHUNK_S)


def test_a_file_that_has_grown_for_days_is_closed_in_order():
    assert WAV_HEADER.unpack(_header(2**32 + 5))[-1] == OPEN_ENDED


async def test_a_file_that_cannot_be_written_is_an_output_that_failed(tmp_path: Path):
    clock = ManualClock()
    path = tmp_path / "none" / "out.wav"
    async with playing(lambda: WavFile(path, clock=clock), clock) as player:
        await clock.advance(1.0)
        assert "No such file" in player.reason


async def test_nowhere_is_never_armed():
    clock = ManualClock()
    async with playing(lambda: Nowhere(clock=clock), clock) as player:
        await clock.advance(10.0)
        assert not player.armed()
        assert player.reason is None


def program(folder: Path, text: str) -> str:
    """Write a program that stands in for aplay: what it does with its standard input is the test's."""
    path = folder / "aplay"
    path.write_text(f"#!{sys.executable}\n{text}", "utf-8")
    path.chmod(0o755)
    return str(path)


TAKES = "import sys\nwhile sys.stdin.buffer.read(3200): pass\n"
HANGS = "import signal\nsignal.pause()\n"
"""Reads nothing, and goes on until it is ended."""
FAILS = "import sys\nsys.exit('aplay: main:831: audio open error: No such file or directory')\n"


async def test_a_program_that_takes_what_it_is_given_is_armed(tmp_path: Path):
    clock = ManualClock()
    aplay = program(tmp_path, TAKES)
    async with playing(lambda: Alsa("default", clock=clock, program=aplay), clock) as player:
        async with asyncio.timeout(PATIENCE_S):
            while not player.armed():
                due_s = clock.next_due_s()
                if due_s is not None and due_s - clock.now_s() < HUNG_S / 2:
                    await clock.advance(due_s - clock.now_s())  # it is ahead, and waits for time
                await asyncio.sleep(BREATH_S)  # the program has a time of its own


async def test_a_program_that_takes_nothing_is_never_armed_and_is_said_to_hang(tmp_path: Path):
    clock = ManualClock()
    aplay = program(tmp_path, HANGS)
    async with playing(lambda: Alsa("default", clock=clock, program=aplay), clock) as player:
        # Its pipe takes a little: that is no proof.
        await soon(lambda: clock.next_due_s() == clock.now_s() + HUNG_S)
        assert not player.armed()
        await clock.advance(HUNG_S)
        await soon(lambda: player.reason is not None and "took nothing for 2 s" in player.reason)
        assert not player.armed()


async def test_a_program_that_ends_says_why(tmp_path: Path):
    clock = ManualClock()
    aplay = program(tmp_path, FAILS)
    async with playing(lambda: Alsa("hw:9", clock=clock, program=aplay), clock) as player:
        await soon(lambda: player.reason is not None and "audio open error" in player.reason)
        assert not player.armed()


async def test_a_computer_without_aplay_says_so(tmp_path: Path):
    clock = ManualClock()
    missing = str(tmp_path / "aplay")
    async with playing(lambda: Alsa("default", clock=clock, program=missing), clock) as player:
        await soon(lambda: player.reason is not None and player.reason.startswith(missing))


async def test_alsa_itself_takes_what_it_is_given():
    needs(shutil.which("aplay"), "aplay is not installed (Debian: apt install alsa-utils)")
    async with Alsa("null", clock=SystemClock()) as output:
        taken = 0
        for _ in range(20):
            taken = await output.give(bytes(CHUNK_BYTES))
        assert taken > 0


async def test_alsa_itself_says_that_there_is_no_such_device():
    needs(shutil.which("aplay"), "aplay is not installed (Debian: apt install alsa-utils)")
    async with Alsa("hw:31", clock=SystemClock()) as output:

        async def play() -> None:
            for _ in range(20):
                await output.give(bytes(CHUNK_BYTES))

        with pytest.raises(OutputError, match="audio open error"):
            await play()
