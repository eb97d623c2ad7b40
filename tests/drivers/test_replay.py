"""Recordings, played: whose times are believed, how fast, and what they can never be."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from daemon.drivers import replay
from daemon.drivers.links import READ_BYTES, LineSplitter, Link, ReplayLink, opened
from daemon.drivers.replay import LONGEST_PAUSE_S, Recorded, Schedule, recorded
from daemon.errors import LinkError
from tests.soon import PATIENCE_S, soon

if TYPE_CHECKING:
    from pathlib import Path

LINK = TypeAdapter(Link)
GGA = b"$GPGGA,1*67"
VDM = b"!AIVDM,1,1,,A,13F?Vv700<DJuuMtvjJ`eDgB0420,0*75"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GGA, Recorded(GGA, None)),
        (b"# made by gpsd", None),
        (b"", None),
        (b"\\c:1418171561*50\\" + VDM, Recorded(b"\\c:1418171561*50\\" + VDM, 1418171561.0)),
        (b"\\c:1418171561250*67\\" + VDM, Recorded(b"\\c:1418171561250*67\\" + VDM, 1418171561.25)),
        (b"\\c:1418171561*00\\" + VDM, Recorded(b"\\c:1418171561*00\\" + VDM, None)),
        (b"2014-12-10T00:32:41Z " + GGA, Recorded(GGA, 1418171561.0)),
        (b"2014-12-10T00:32:41.500Z\t" + GGA, Recorded(GGA, 1418171561.5)),
        (b"2014-12-10T00:32:41.123456789Z TEST", Recorded(b"TEST", 1418171561.123456)),
        (b"2014-13-10T00:32:41Z " + GGA, Recorded(b"2014-13-10T00:32:41Z " + GGA, None)),
        (b"1418171561.500 " + GGA, Recorded(GGA, 1418171561.5)),
        (b"1418171561250;A;" + GGA, Recorded(GGA, 1418171561.25)),
        (b"[1418171561]: " + GGA, Recorded(GGA, 1418171561.0)),
        (b"1418171561 no sentence", Recorded(b"1418171561 no sentence", None)),
        (VDM + b",rORBCOMM007,1418171561", Recorded(VDM, 1418171561.0)),
        (VDM + b",s-120,1418171561", Recorded(VDM, 1418171561.0)),
        (VDM + b",rORBCOMM007", Recorded(VDM + b",rORBCOMM007", None)),
    ],
)
def test_times_are_found_where_recorders_write_them(line, said):
    assert recorded(line) == said


def due(*times: float | None, speed: float = 1.0, per_s: float = 10.0) -> list[float]:
    schedule = Schedule(speed=speed, per_s=per_s)
    return [round(schedule.due_s(at_s), 6) for at_s in times]


def test_pauses_are_those_of_the_recording_divided_by_the_speed():
    assert due(100.0, 100.5, 103.0) == [0.0, 0.5, 3.0]
    assert due(100.0, 100.5, 103.0, speed=10) == [0.0, 0.05, 0.3]


def test_without_times_so_many_lines_a_second_are_said():
    assert due(None, None, None) == [0.1, 0.2, 0.3]
    assert due(None, None, speed=2, per_s=1) == [0.5, 1.0]


def test_a_line_without_a_time_among_others_is_said_with_the_one_before():
    assert due(100.0, None, 101.0, None) == [0.0, 0.0, 1.0, 1.0]


def test_a_clock_that_was_set_and_a_recorder_that_was_off_are_not_waited_for():
    assert due(100.0, 50.0, 51.0) == [0.0, 0.0, 1.0]
    assert due(0.0, LONGEST_PAUSE_S, 2 * LONGEST_PAUSE_S + 1)[1:] == [LONGEST_PAUSE_S] * 2


def replayed(path: Path, text: bytes, **more: object) -> ReplayLink:
    path.write_bytes(text)
    return LINK.validate_python({"kind": "replay", "path": str(path), **more})


async def heard(source) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await source.read()


async def test_every_line_is_said_in_order_and_then_the_link_ends(tmp_path):
    text = b"# remark\n\n" + b"".join(b"$GPTXT,%d\n" % n for n in range(5000)) + b"last"
    link = replayed(tmp_path / "log", text, speed=1000, sentences_per_s=10_000)
    splitter, lines = LineSplitter(), []
    async with opened(link) as source:
        while lines[-1:] != [b"last"]:
            lines += splitter.feed(await heard(source))
        with pytest.raises(LinkError, match=f"replay {link.path}: at its end"):
            await heard(source)
    assert lines == [*(b"$GPTXT,%d" % n for n in range(5000)), b"last"]


async def test_lines_that_are_due_together_come_together_within_the_bound(tmp_path):
    text = b"".join(b"2026-11-22T02:10:00Z $GPTXT,%04d\n" % n for n in range(2000))
    async with opened(replayed(tmp_path / "log", text)) as source:
        read = [await heard(source) for _ in range(3)]
    assert all(READ_BYTES - 20 < len(each) <= READ_BYTES for each in read[:1])
    assert b"".join(read).startswith(b"$GPTXT,0000\r\n$GPTXT,0001\r\n")


async def test_the_pauses_of_a_recording_are_kept(tmp_path, monkeypatch):
    waits: list[float] = []
    sleep = asyncio.sleep

    async def waited(delay_s: float) -> None:
        waits.append(delay_s)
        await sleep(min(delay_s, 0.05))

    text = b"2026-11-22T02:10:00Z one\n2026-11-22T02:10:05Z two\n"
    async with opened(replayed(tmp_path / "log", text, speed=100)) as source:
        assert await heard(source) == b"one\r\n"
        monkeypatch.setattr("daemon.drivers.replay.asyncio.sleep", waited)
        assert await heard(source) == b"two\r\n"
    assert 0 < waits[0] <= 0.05


async def test_discard_skips_what_is_due_and_was_not_read(tmp_path, monkeypatch):
    text = b"2026-11-22T02:10:00Z old\n2026-11-22T02:10:01Z older\n2026-11-22T02:10:02Z new\n"
    async with opened(replayed(tmp_path / "log", text, speed=0.5)) as source:
        assert await heard(source) == b"old\r\n"
        monkeypatch.setattr(source, "_now_s", lambda: 3.0)
        source.discard()
        monkeypatch.setattr(source, "_now_s", lambda: 5.0)
        assert await heard(source) == b"new\r\n"
        assert source.silence() == "the recording is silent"


@pytest.mark.parametrize("what", ["nothing", "folder", "pipe"])
async def test_what_is_no_recording_is_a_link_error(tmp_path, what):
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    link = LINK.validate_python({"kind": "replay", "path": str(path)})
    words = "No such file" if what == "nothing" else "is no file"
    async with opened(link) as source:
        with pytest.raises(LinkError, match=f"replay {path}: {words}"):
            await heard(source)


class SleepingDisk(io.RawIOBase):
    """A file of which nothing comes before its disk is awake."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.is_awake = threading.Event()

    def readable(self):
        return True

    def readinto(self, _):
        self.is_asked.set()
        self.is_awake.wait(10.0)
        return 0


async def test_nobody_waits_for_a_disk_that_is_asleep_while_its_recording_is_closed(monkeypatch):
    disk = SleepingDisk()
    file = io.BufferedReader(disk)
    monkeypatch.setattr(replay, "_opened", lambda _: file)
    async with opened(LINK.validate_python({"kind": "replay", "path": "/recording"})) as source:
        reading = asyncio.ensure_future(source.read())
        await soon(disk.is_asked.is_set)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert not file.closed
    disk.is_awake.set()
    await soon(lambda: file.closed)


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"path": "log.nmea"}, "path"),
        ({"speed": 0}, "speed"),
        ({"speed": 1001}, "speed"),
        ({"sentences_per_s": 0}, "sentences_per_s"),
        ({"repeat": True}, "repeat"),
    ],
)
def test_a_wrong_setting_names_its_place(changed, place):
    with pytest.raises(ValidationError) as caught:
        LINK.validate_python({"kind": "replay", "path": "/var/log.nmea", **changed})
    assert caught.value.errors()[0]["loc"][-1] == place


@given(st.binary(max_size=200))
def test_no_line_raises_anything(line):
    recorded(line)
