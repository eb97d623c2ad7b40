"""Invariant 6: after three watchdog restarts in ten minutes the driver that hung is quarantined by name."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from daemon.computer.clock import SystemClock
from daemon.drivers.api import Health
from daemon.drivers.reach import Reach
from daemon.people.people import People
from daemon.supervision import isolation
from daemon.supervision.hangwatch import TRACE as HANG_TRACE
from daemon.supervision.hangwatch import HangWatch
from daemon.supervision.quarantine import (
    CAUGHT,
    FILE,
    HUNG,
    KEPT,
    LARGEST,
    LET_GO,
    REASON,
    WENT_ON,
    WITHIN_S,
    Note,
    Notes,
    caught,
    suspects,
)
from tests.ship import sailing
from tests.soon import PATIENCE_S, soon

BOOT = "b00t1d00"


def hung(run: str, up_s: float, device: str = "ais", boot: str = BOOT) -> Note:
    return Note(HUNG, (device,), run, boot, up_s, "daemon/drivers/ais.py:1")


THREE = [hung("1", 100.0), hung("2", 200.0), hung("3", 300.0)]


def held(notes, *, now_s=310.0, run="4"):
    return set(caught(notes, boot=BOOT, run=run, now_s=now_s))


def test_three_hangs_that_ended_three_runs_in_ten_minutes_hold_the_driver():
    assert held(THREE) == {"ais"}


@pytest.mark.parametrize(
    "notes",
    [
        THREE[:2],
        [hung("1", 100.0), hung("1", 110.0), hung("1", 120.0)],
        [hung("1", 100.0, boot="another"), *THREE[1:]],
        [hung("1", 100.0, "gps1"), *THREE[1:]],
        [*THREE[:2], hung("4", 300.0)],
        [*THREE, Note(WENT_ON, ("ais",), "3", BOOT, 301.0)],
        [*THREE, Note(LET_GO, ("ais",), "4", BOOT, 305.0)],
    ],
    ids=["two", "one run", "another boot", "another device", "this run", "went on", "let go"],
)
def test_anything_less_holds_nobody(notes):
    assert held(notes) == set()


def test_what_is_older_than_ten_minutes_does_not_count_but_a_quarantine_lasts():
    late_s = 100.0 + WITHIN_S + 1.0
    assert held(THREE, now_s=late_s) == set()
    assert held([*THREE, Note(CAUGHT, ("ais",), "4", BOOT, 310.0)], now_s=1e6, run="9") == {"ais"}


def test_the_driver_that_stands_in_the_frames_is_named_else_all_of_the_kind():
    kinds = {"daemon.drivers.nmea": ["gps1", "gps2"], "daemon.drivers.modbus": ["io1"]}
    frames = [
        "re",
        "daemon.drivers.nmea_layouts",
        "daemon.drivers.nmea",
        "daemon.supervision.supervise",
    ]
    assert suspects(frames, ["gps2"], kinds) == ("gps2",)
    assert suspects(frames, [], kinds) == ("gps1", "gps2")
    assert suspects(["daemon.watch.watch", "asyncio"], [], kinds) == ()


def test_notes_survive_and_nothing_in_the_file_can_stop_a_start(tmp_path):
    notes = Notes(tmp_path / FILE)
    assert notes.read() == []
    for number in range(KEPT + 5):
        notes.add(hung(str(number), float(number)))
    assert [each.run for each in notes.read()] == [str(n) for n in range(5, KEPT + 5)]
    lines = ["{", "[]", '{"what": 1}', "null", '{"what":"hung","devices":[1],"run":"","boot":""}']
    (tmp_path / FILE).write_text("\n".join(lines))
    assert notes.read() == []
    (tmp_path / FILE).write_bytes(b"\xff" * LARGEST * 2)
    assert notes.read() == []
    Notes(tmp_path / "no folder" / FILE).add(THREE[0])


class Told(Notes):
    """Notes that say when one is added."""

    def __init__(self, path):
        super().__init__(path)
        self.told = {HUNG: threading.Event(), WENT_ON: threading.Event()}

    def add(self, *notes):
        super().add(*notes)
        for note in notes:
            self.told[note.what].set()


class Hanging:
    """A driver that keeps the thread until the test has seen enough."""

    def __init__(self):
        self.go_on = threading.Event()

    def decode(self):
        self.go_on.wait()


def test_while_a_driver_hangs_a_thread_writes_down_whose_it_is_and_where(tmp_path):
    notes, driver = Told(tmp_path / FILE), Hanging()
    looks, now_s = [0], [0.0]

    def later():
        now_s[0] += 10.0  # no thread has to wait for a clock
        return now_s[0]

    def loop():
        watch = HangWatch(
            notes,
            progress=lambda: looks[0],
            drivers={"gps1": object(), "bad": driver},
            after_s=0.04,
            now_s=later,
            run="1",
            boot=BOOT,
        )
        watch.start()
        driver.decode()
        looks[0] += 1
        notes.told[WENT_ON].wait()
        watch.stop()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    assert notes.told[HUNG].wait(20.0)
    driver.go_on.set()
    thread.join(20.0)
    first, second = notes.read()[:2]
    assert (first.what, first.devices) == (HUNG, ("bad",))
    assert "threading.py" in first.where, "the innermost frame: what it waits in"
    assert (second.what, second.devices) == (WENT_ON, ("bad",))


TRACE = """Timeout (0:00:45)!
Thread 0x00007d (most recent call first):
  File "/usr/lib/python3.11/threading.py", line 324 in wait
  File "/opt/ispsd/lib/python3.11/site-packages/daemon/supervision/hangwatch.py", line 86 in _look

Thread 0x00007e (most recent call first):
  File "/opt/ispsd/lib/python3.11/site-packages/daemon/drivers/reach.py", line 80 in _tls_context

Thread 0x00007f (most recent call first):
  File "/usr/lib/python3.11/re/__init__.py", line 176 in match
  File "/opt/ispsd/lib/python3.11/site-packages/daemon/drivers/api.py", line 10 in decode
"""


def test_a_trace_that_no_thread_could_write_counts_at_the_next_start(tmp_path):
    notes = Notes(tmp_path / FILE)
    (tmp_path / "trace").write_text(TRACE)
    watch = HangWatch(
        notes,
        progress=iter(range(10**9)).__next__,
        drivers={
            "ais": Health(),
            "printer": Reach.__new__(Reach),
        },  # of daemon.drivers.api, and reach
        after_s=60.0,
        now_s=lambda: 5.0,
        run="2",
        boot=BOOT,
        trace=tmp_path / "trace",
    )
    watch.take_up_trace()
    [note] = notes.read()
    assert (note.what, note.devices) == (HUNG, ("ais",))
    waits_in, from_ours = note.where.split(" from ")
    assert waits_in == "/usr/lib/python3.11/re/__init__.py:176"
    assert from_ours == "/opt/ispsd/lib/python3.11/site-packages/daemon/drivers/api.py:10"


async def test_a_trace_of_what_went_on_is_no_hang_at_the_next_start(tmp_path):
    """A driver may hold Python's lock for long, and let go of it before systemd has lost its patience."""
    trace = tmp_path / "trace"
    watch = HangWatch(
        Notes(tmp_path / FILE),
        progress=iter(range(10**9)).__next__,
        drivers={"ais": Health()},
        after_s=0.04,
        now_s=lambda: 5.0,
        run="1",
        boot=BOOT,
        trace=trace,
    )
    watch.start()
    await soon(trace.exists)
    trace.write_text(TRACE)
    await soon(lambda: not trace.read_text())
    watch.stop()


async def test_a_ship_begins_without_the_driver_that_hung_her_until_a_person_lets_it_go(tmp_path):
    boot = BOOT
    notes = Notes(tmp_path / FILE)
    async with sailing(tmp_path) as ship:
        boot, up_s = ship.daemon.clock.boot_id(), ship.daemon.clock.now_s()
    for number in range(3):
        notes.add(hung(str(number), up_s + number, "io1", boot))
    async with sailing(tmp_path) as ship:
        status = await ship.control({"do": "status"})
        [io1] = [each for each in status["devices"] if each["id"] == "io1"]
        assert "quarantined" in io1["reason"]
        doors = [each["quality"] for each in status["openings"]]
        assert set(doors) == {"unknown"}, "none of its doors is shown as anything"
        log = await ship.control({"do": "log", "type": "driver.quarantined", "count": 5})
        assert '"device":"io1"' in log["entries"][0]
        with pytest.raises(Exception, match="may not"):
            await ship.control({"do": "driver.restart", "device": "io1", "by": "L. Tupou"})
        answer = await ship.control({"do": "driver.restart", "device": "io1", "by": "R. Menon"})
        assert answer["recorded"]
        [supervisor] = [each for each in ship.daemon.supervisors if each.device == "io1"]
        async with asyncio.timeout(PATIENCE_S):
            while "quarantined" in (supervisor.status.reason or ""):  # noqa: ASYNC110
                await asyncio.sleep(0)
        with pytest.raises(Exception, match="not quarantined"):
            await ship.control({"do": "driver.restart", "device": "io1", "by": "R. Menon"})
    assert notes.read()[-1].what == LET_GO
    assert held(notes.read(), run="9") == set()


async def test_a_hang_that_no_thread_could_write_down_counts_at_the_very_next_start(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    notes = Notes(tmp_path / FILE)
    async with sailing(tmp_path) as ship:
        boot, up_s = ship.daemon.clock.boot_id(), ship.daemon.clock.now_s()
        [io1] = [each for each in ship.daemon.supervisors if each.device == "io1"]
    notes.add(*(hung(str(number), up_s + number, "io1", boot) for number in range(2)))
    file = type(io1.driver).__module__.replace(".", "/")
    (tmp_path / HANG_TRACE).write_text(TRACE.replace("daemon/drivers/api", file))
    async with sailing(tmp_path) as ship:
        [io1] = [each for each in ship.daemon.supervisors if each.device == "io1"]
        assert io1.status.reason == REASON
        assert io1.status.may_be_ours


async def test_a_disk_that_does_not_give_the_trace_costs_the_loop_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    monkeypatch.setattr(isolation, "READ_S", 0.05)
    os.mkfifo(tmp_path / HANG_TRACE)
    isolated = isolation.Isolation(
        tmp_path,
        [],
        progress=lambda: 1,
        people=People(()),
        journal=None,  # type: ignore[arg-type]
        clock=SystemClock(),
    )
    try:
        await isolated.begin()
    finally:
        isolated.end()


def test_of_many_devices_of_a_kind_all_are_held_and_stay_so_whatever_else_hangs(tmp_path):
    """A trace names no device, so each of the kind may be the one; some ships have thirty cameras."""
    notes = Notes(tmp_path / FILE)
    cameras = tuple(f"c{number:02}" for number in range(30))
    for run in "123":
        notes.add(Note(HUNG, cameras, run, BOOT, 100.0))
    assert held(notes.read()) == set(cameras)
    notes.add(*(Note(CAUGHT, (each,), "4", BOOT, 110.0) for each in cameras))
    for _ in range(KEPT):
        notes.add(hung("5", 120.0))
        notes.add(Note(WENT_ON, ("ais",), "5", BOOT, 130.0))
    assert held(notes.read(), now_s=1e6, run="9") == set(cameras)
    notes.add(Note(LET_GO, ("c00",), "9", BOOT, 1e6))
    assert held(notes.read(), now_s=1e6, run="10") == set(cameras[1:])
    assert len(notes.read()) == KEPT + len(cameras)
