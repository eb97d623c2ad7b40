"""A picture is whole, or it is none: packets of RTP put together."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daemon.drivers.rtp_video import (
    MOST_SETS,
    MOST_UNITS,
    START_CODE,
    Assembly,
    KeyPicture,
    reported_utc,
)
from daemon.drivers.sdp import Codec, Video
from simulators.camera_picture import COLUMNS, ROWS, flat, payloads, scan

SPS, PPS, IDR, DELTA = b"\x67\x4d", b"\x68\xee", b"\x65\x88\x84", b"\x41\x9a\x02"


class Sender:
    """Numbers packets as a camera does."""

    def __init__(
        self, codec: Codec = Codec.H264, *, sets: tuple[bytes, ...] = (), at: int = 0
    ) -> None:
        self.assembly = Assembly(Video(codec, 96, "", sets))
        self.number = at
        self.time = 0

    def picture(self, *parts: bytes, lose: int | None = None) -> KeyPicture | None:
        """Send one picture, without its packet of that place."""
        self.time += 3000
        done = None
        for place, part in enumerate(parts):
            head = bytes([0x80, 96 | 0x80 * (place == len(parts) - 1)])
            head += (self.number & 0xFFFF).to_bytes(2, "big") + self.time.to_bytes(4, "big")
            self.number += 1
            if place != lose:
                done = self.assembly.take_raw(head + bytes(4) + part) or done
        return done


def units(picture: KeyPicture | None) -> list[bytes]:
    assert picture is not None
    return picture.body.split(START_CODE)[1:]


def test_a_key_picture_comes_with_the_sets_of_the_description():
    assert units(Sender(sets=(SPS, PPS)).picture(IDR)) == [SPS, PPS, IDR]


def test_sets_that_come_alone_before_it_are_kept_for_it():
    sender = Sender()
    assert sender.picture(SPS, PPS) is None
    assert units(sender.picture(IDR)) == [SPS, PPS, IDR]


@pytest.mark.parametrize("described", [0, MOST_SETS - 1, MOST_SETS, MOST_SETS + 4])
def test_no_more_sets_are_kept_than_a_stream_can_have(described):
    sender = Sender(sets=(SPS,) * described)
    for _ in range(3):
        assert sender.picture(*[PPS] * 40) is None
    assert len(units(sender.picture(IDR))) == max(described, MOST_SETS) + 1


def test_a_picture_that_needs_another_is_passed_over():
    sender = Sender()
    assert sender.picture(DELTA) is None
    assert sender.assembly.dropped == 0


def test_a_report_behind_more_others_than_any_camera_sends_is_not_looked_for():
    empty, sender = b"\x80\xc9\0\0", b"\x80\xc8\0\x06" + bytes(4) + b"\xec" * 8 + bytes(12)
    assert reported_utc(empty * 3 + sender) is not None
    assert reported_utc(empty * 10_000 + sender) is None


@pytest.mark.parametrize(
    ("codec", "first", "later"),
    [
        (Codec.H264, IDR, b"\x65\x00\x40"),
        (Codec.H265, b"\x26\x01\xaf", b"\x26\x01\x2f"),
    ],
)
def test_whoever_joins_in_the_midst_of_a_key_picture_waits_for_the_next(codec, first, later):
    sender = Sender(codec)
    assert sender.picture(later, later) is None
    assert units(sender.picture(first, later)) == [first, later]


def test_units_in_one_packet_and_a_unit_in_several():
    aggregated = b"\x18" + b"".join(len(u).to_bytes(2, "big") + u for u in (SPS, PPS))
    fragments = (b"\x7c\x85\x91", b"\x7c\x05\x22", b"\x7c\x45\x33")
    assert units(Sender().picture(aggregated, *fragments)) == [SPS, PPS, b"\x65\x91\x22\x33"]


def test_the_same_of_h265():
    sps, idr = b"\x42\x01\x01", b"\x26\x01\xaf"
    aggregated = b"\x60\x01" + len(sps).to_bytes(2, "big") + sps
    fragments = (b"\x62\x01\x93\xaf", b"\x62\x01\x53\x11")
    picture = Sender(Codec.H265).picture(aggregated, *fragments)
    assert units(picture) == [sps, idr + b"\x11"]


@pytest.mark.parametrize("lose", [0, 1, 2])
def test_a_picture_of_which_a_packet_is_missing_is_none(lose):
    sender = Sender(sets=(SPS, PPS))
    fragments = (b"\x7c\x85\x91", b"\x7c\x05\x22", b"\x7c\x45\x33")
    sender.picture(IDR)
    assert sender.picture(*fragments, lose=lose) is None
    # The next one follows a gap where the last packet was lost, so it is whole only after that.
    again = sender.picture(*fragments) or sender.picture(*fragments)
    assert units(again) == [SPS, PPS, b"\x65\x91\x22\x33"]


def test_numbers_begin_again_at_nought():
    assert units(Sender(at=0xFFFF).picture(SPS, PPS, IDR)) == [SPS, PPS, IDR]


def test_a_picture_of_units_without_end_is_dropped():
    sender = Sender()
    assert sender.picture(*([DELTA] * (MOST_UNITS + 2)), IDR) is None
    assert sender.assembly.dropped == 1


def test_a_jpeg_is_a_file_from_its_first_to_its_last_byte():
    packed = scan(flat(90, [0] * (COLUMNS * ROWS)))
    picture = Sender(Codec.JPEG).picture(*payloads(packed))
    assert picture is not None
    assert picture.body.startswith(b"\xff\xd8\xff\xdb")
    assert picture.body.endswith(packed + b"\xff\xd9")


def test_a_report_tells_the_cameras_time_unless_it_has_none():
    told = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)
    seconds = int((told - datetime(1900, 1, 1, tzinfo=UTC)).total_seconds())
    report = b"\x80\xc8\0\6\0\0\0\1" + seconds.to_bytes(4, "big") + b"\x80\0\0\0" + bytes(12)
    assert reported_utc(report) == told.replace(microsecond=500_000)
    assert reported_utc(b"\x81\xca\0\1\0\0\0\1" + report) == told.replace(microsecond=500_000)
    assert reported_utc(report[:8] + bytes(20)) is None
    assert reported_utc(report[:20]) is None
