"""The raw lines of an episode, read again by the receiver's own driver: what they say is what is drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import xor

import pytest

from daemon.exhibits import measured, tapes, track
from daemon.model import Fix, Sky

BEGAN = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def framed(body: str) -> bytes:
    return f"${body}*{reduce(xor, body.encode()):02X}".encode()


def line(after_s: float, sentence: bytes) -> bytes:
    stamp = (BEGAN + timedelta(seconds=after_s)).isoformat(timespec="milliseconds")[:23]
    return b"%bZ %b\r\n" % (stamp.encode(), sentence)


def tape(seconds: int, *, cn0: int = 40, minute: float = 15.8) -> bytes:
    """A receiver's lines: a position and the sky, once a second, moving north and growing weaker."""
    lines = []
    for second in range(seconds):
        at = f"{20000 + second:06d}"
        north = f"01{minute + second / 100:07.4f}"
        lines += [
            line(second, framed(f"GPGGA,{at},{north},N,10350.4000,E,1,09,0.9,20.0,M,,M,,")),
            line(second, framed("GPGSA,A,3,01,02,03,04,,,,,,,,,1.5,0.9,1.2")),
            line(second, framed(f"GPGSV,1,1,02,01,40,083,{cn0 - second % 20},02,17,308,{cn0}")),
        ]  # fmt: skip
    return b"".join(lines)


def test_positions_and_signal_are_those_of_the_lines():
    found = list(tapes.readings(tape(10), "g1"))
    fixes = [each for each in found if isinstance(each.value, Fix)]
    skies = [each for each in found if isinstance(each.value, Sky)]
    assert len(fixes) == 10
    assert fixes[0].received_utc == BEGAN
    assert fixes[-1].received_s == 9.0
    assert fixes[0].value.position.lat_deg == pytest.approx(1 + 15.8 / 60)
    assert skies[-1].value.mean_cn0_db_hz == 36.0
    assert {each.provenance.value for each in found} == {"replay"}
    assert "g1.fix: 10 positions" in track.figure(found).words
    assert next(measured.figures(found)).title.startswith("C/N0")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n\n",
        b"$GPGGA without a time\r\n",
        line(0, b"$GPGGA,,,,,,0,,,,,,,,*66"),
        line(0, b"$GPGGA,bad checksum*00"),
        line(0, b"<script>alert(1)</script>"),
        line(0, b"$" + b"A" * 100_000),
        b"9999-99-99T00:00:00.000Z " + framed("GPGGA,020000,0115.8,N,10350.4,E,1,09,0.9,20.0,M,,M,,"),
        b"2026-11-22T02:00:00.000 " + framed("GPGGA,020000,0115.8,N,10350.4,E,1,09,0.9,20.0,M,,M,,"),
        b"\xff\xfe\x00" * 10_000,
        b"x" * 3_000_000,
    ],
)  # fmt: skip
def test_what_is_no_line_of_a_tape_says_nothing(body):
    assert list(tapes.readings(body, "g1")) == []


def test_a_clock_that_was_set_back_draws_nothing_before_its_beginning():
    set_back = line(-3600, framed("GPGGA,020000,0115.8000,N,10350.4000,E,1,09,0.9,20.0,M,,M,,"))
    assert (
        len([e for e in tapes.readings(tape(3) + set_back, "g1") if isinstance(e.value, Fix)]) == 3
    )


def test_an_endless_tape_is_read_up_to_a_bound():
    body = line(0, framed("GPGGA,020000,0115.8000,N,10350.4000,E,1,09,0.9,20.0,M,,M,,")) * 30_000
    assert len(list(tapes.readings(body, "g1"))) <= tapes.MOST_LINES
