"""The tape holds what a receiver said, no longer than it must and never more than it may."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.drivers.api import DriverContext, Shared
from daemon.drivers.nmea import NmeaConfig, NmeaDriver
from daemon.drivers.tape import KEPT_S, TAPES, Tape, Tapes
from daemon.gate import CovertGate
from daemon.model import Provenance
from simulators.voice import sentence
from tests.clocks import ManualClock
from tests.makers import UTC_0210

STAMP = len("2026-11-22T02:10:00.000Z ") + len("\r\n")


def play(tape: Tape, *seconds: float, line: bytes = b"$GPGGA") -> None:
    for now_s in seconds:
        tape.take(line, now_s=now_s, now_utc=UTC_0210 + timedelta(seconds=now_s))


def moments(text: bytes) -> list[str]:
    return [line[11:23].decode() for line in text.splitlines()]


def test_a_line_stands_as_it_came_behind_the_moment_at_which_it_came():
    tape = Tape()
    play(tape, 1.25, line=b"$GPGGA,\xff*00")
    assert tape.mark(since_s=0.0).text() == b"2026-11-22T02:10:01.250Z $GPGGA,\xff*00\r\n"


def test_the_tape_holds_what_was_before_the_mark_and_what_follows_until_the_cut():
    tape = Tape()
    play(tape, 1, 2, 3, 4)
    before = tape.mark(since_s=3.0)
    play(tape, 5, 6)
    assert moments(before.text()) == ["02:10:03.000", "02:10:04.000"]
    assert moments(tape.cut().text()) == ["02:10:05.000", "02:10:06.000"]
    play(tape, 7)
    assert tape.cut().text() == b"", "nothing is kept without a mark"


def test_old_lines_go_with_their_time():
    tape = Tape()
    play(tape, 0.0, 1.0, KEPT_S, KEPT_S + 0.5)
    assert moments(tape.mark(since_s=0.0).text())[0] == "02:10:01.000"


def test_lines_without_room_are_counted_and_said():
    tape = Tape(most_bytes=10 * (STAMP + 6))
    play(tape, *range(12))
    before = tape.mark(since_s=0.0)
    assert (len(before.lines), before.lost) == (10, 1), "something before it is missing"
    assert tape.mark(since_s=5.0).lost == 0
    play(tape, *range(12, 30))
    after = tape.cut()
    assert (len(after.lines), after.lost) == (10, 8)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 90), st.booleans())))
def test_whatever_comes_the_tape_stays_within_its_bytes(said):
    tape, now_s = Tape(most_bytes=1000, kept_s=60.0), 0.0
    for wait_s, length, mark in said:
        now_s += wait_s
        if mark:
            tape.mark(since_s=now_s - 30.0)
        play(tape, now_s, line=b"x" * length)
        assert tape.size <= 2000


def driver(feed: str, shared: Shared, **more: object) -> NmeaDriver:
    said = {"kind": "nmea", "feed": feed, "link": {"kind": "tcp", "host": "127.0.0.1", "port": 1}}
    clock = ManualClock()
    context = DriverContext(
        device="g1",
        clock=clock,
        gate=CovertGate(clock),
        provenance=Provenance.LIVE,
        shared=shared,
    )
    return NmeaDriver(NmeaConfig.model_validate({**said, **more}), context)


GGA = sentence("$", "GPGGA,021000.00,0115.8400,N,10350.4000,E,1,09,0.9,12.0,M,8.0,M,,").encode()
OTHERS = (
    sentence("$", "IIGGA,021000.00,0115.8400,N,10350.4000,E,1,09,0.9,12.0,M,8.0,M,,").encode(),
    sentence("$", "GPTXT,01,01,02,SHIP SECURITY ALERT").encode(),
    b"SHIP SECURITY ALERT TEST",
    b"$PJRCA,SSAS,1*00",
)


@pytest.mark.parametrize("feed", ["nav", "ais", "equipment"])
def test_only_what_a_receiver_says_of_position_gets_on_a_tape(feed):
    """An SSAS unit may write on the same port: no line of it can get into a bundle (invariant 1)."""
    shared = Shared()
    made = driver(feed, shared, talkers=["GP"])
    reader = made._reader()
    for line in (GGA, *OTHERS):
        made._take(line, reader, lambda _: None)
    kept = shared.one(TAPES, Tapes).of("g1").mark(since_s=0.0)
    assert [line[25:].strip() for line in kept.lines] == ([GGA] if feed == "nav" else [])
