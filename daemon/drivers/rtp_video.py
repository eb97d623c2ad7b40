"""When is the first whole picture there? RTP packets are put together until a key picture is complete.

Source: RFC 3550 (RTP, RTCP), RFC 6184 (H.264), RFC 7798 (H.265), RFC 2435 (JPEG). A key picture is one that a decoder
can show without any before it: IDR of H.264, IRAP of H.265, every JPEG. A picture of which a packet is missing is
dropped and the next one is waited for: what is decoded was received whole. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from daemon.drivers import rtp_jpeg
from daemon.drivers.sdp import Codec
from daemon.errors import FrameError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.drivers.sdp import Video

HEADER_BYTES: Final = 12
VERSION: Final = 2
LARGEST_PICTURE: Final = 4 * 1024 * 1024
"""Bytes of one packed key picture: 4K at best quality stays below 2 MB."""
MOST_UNITS: Final = 4096
"""Units of one packed picture: a slice for each row of macroblocks of 4K would be 135."""
MOST_SETS: Final = 16
"""Parameter sets that are kept for the key picture: a stream has two or three."""
START_CODE: Final = b"\x00\x00\x00\x01"
SENDER_REPORT: Final = 200
MOST_REPORTS: Final = 32
"""Reports in one packet of RTCP: real ones have three or four, and each one more would copy what is left."""
NTP_EPOCH: Final = datetime(1900, 1, 1, tzinfo=UTC)

# RFC 6184 5.2, RFC 7798 4.4.
STAP_A, FU_A = 24, 28
AP, FU = 48, 49
LAST_SINGLE_H264, LAST_SINGLE_H265 = 23, 47
IDR: Final = 5
IRAP: Final = range(16, 22)
"""BLA, IDR and CRA pictures of H.265."""


@dataclass(frozen=True, slots=True)
class KeyPicture:
    """One whole picture, packed: an H.264 or H.265 byte stream with its parameter sets, or a JPEG file."""

    codec: Codec
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet."""

    payload_type: int
    sequence: int
    timestamp: int
    is_last: bool
    payload: bytes = field(repr=False)


def read_packet(data: bytes) -> Packet:
    """Read one RTP packet (RFC 3550 5.1).

    Raises:
        FrameError: It is none.
    """
    if len(data) < HEADER_BYTES or data[0] >> 6 != VERSION:
        raise FrameError("no RTP")
    begins = HEADER_BYTES + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:  # a header extension
        if len(data) < begins + 4:
            raise FrameError("short RTP")
        begins += 4 + 4 * int.from_bytes(data[begins + 2 : begins + 4], "big")
    ends = len(data)
    if data[0] & 0x20:  # padding
        ends -= data[-1]
    if begins > ends:
        raise FrameError("short RTP")
    return Packet(
        data[1] & 0x7F,
        int.from_bytes(data[2:4], "big"),
        int.from_bytes(data[4:8], "big"),
        bool(data[1] & 0x80),
        data[begins:ends],
    )


def reported_utc(data: bytes) -> datetime | None:
    """Return the time that a sender report tells (RFC 3550 6.4.1); None where the packets bring none."""
    for _ in range(MOST_REPORTS):
        if len(data) < 4:  # noqa: PLR2004
            return None
        length = 4 + 4 * int.from_bytes(data[2:4], "big")
        if data[0] >> 6 != VERSION:
            return None
        if data[1] == SENDER_REPORT and length >= 28 and len(data) >= length:  # noqa: PLR2004
            seconds = int.from_bytes(data[8:12], "big")
            fraction = int.from_bytes(data[12:16], "big") / 2**32
            # Zero is a camera that has no clock to tell of.
            return NTP_EPOCH + timedelta(seconds=seconds + fraction) if seconds else None
        data = data[length:]
    return None


class Assembly:
    """The packets of one stream, put together."""

    def __init__(self, video: Video) -> None:
        self._video = video
        self._sets = list(video.parameter_sets)
        self._expected: int | None = None
        self._timestamp: int | None = None
        self._forget()
        self.dropped = 0
        """Pictures of which something was missing or could not be read."""

    def take_raw(self, data: bytes) -> KeyPicture | None:
        """Take a packet as it came; what is none is passed over."""
        try:
            packet = read_packet(data)
        except FrameError:
            self.dropped += 1
            return None
        return self.take(packet)

    def take(self, packet: Packet) -> KeyPicture | None:
        """Take a packet; return a key picture when it completes one."""
        if packet.payload_type != self._video.payload_type:
            return None
        follows = self._expected in {None, packet.sequence}
        self._expected = (packet.sequence + 1) & 0xFFFF
        if packet.timestamp != self._timestamp:
            self._timestamp = packet.timestamp
            self._forget()
        if not follows:
            self._is_whole = False
        if self._is_whole:
            try:
                self._add(packet.payload)
            except FrameError:
                self._is_whole = False
        if not packet.is_last:
            return None
        whole = self._is_whole
        done = self._finished() if whole else None
        if not whole:
            self.dropped += 1
        self._timestamp = None
        return done

    def _forget(self) -> None:
        self._units: list[bytes] = []
        self._open: bytearray | None = None
        self._jpeg: rtp_jpeg.Piece | None = None
        self._scan = bytearray()
        self._bytes = 0
        self._is_whole = True

    def _add(self, payload: bytes) -> None:
        self._bytes += len(payload)
        if self._bytes > LARGEST_PICTURE or len(self._units) > MOST_UNITS:
            raise FrameError("a picture of more than 4 MiB or 4096 units")
        match self._video.codec:
            case Codec.JPEG:
                self._add_jpeg(payload)
            case Codec.H264:
                self._add_h264(payload)
            case Codec.H265:
                self._add_h265(payload)

    def _add_jpeg(self, payload: bytes) -> None:
        piece = rtp_jpeg.read_piece(payload)
        if piece.offset != len(self._scan) or (piece.offset > 0) is not (self._jpeg is not None):
            raise FrameError("a piece of the picture is missing")
        self._jpeg = self._jpeg or piece
        self._scan += piece.scan

    def _add_h264(self, payload: bytes) -> None:
        if len(payload) < 2:  # noqa: PLR2004
            raise FrameError("short H.264 packet")
        kind = payload[0] & 0x1F
        if 1 <= kind <= LAST_SINGLE_H264:
            self._units.append(payload)
        elif kind == STAP_A:
            self._units += _aggregated(payload[1:])
        elif kind == FU_A:
            header = bytes([payload[0] & 0xE0 | payload[1] & 0x1F])
            self._add_fragment(header, payload[1], payload[2:])
        else:
            raise FrameError(f"H.264 packet of type {kind}")

    def _add_h265(self, payload: bytes) -> None:
        if len(payload) < 3:  # noqa: PLR2004
            raise FrameError("short H.265 packet")
        kind = payload[0] >> 1 & 0x3F
        if kind <= LAST_SINGLE_H265:
            self._units.append(payload)
        elif kind == AP:
            self._units += _aggregated(payload[2:])
        elif kind == FU:
            header = bytes([payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]])
            self._add_fragment(header, payload[2], payload[3:])
        else:
            raise FrameError(f"H.265 packet of type {kind}")

    def _add_fragment(self, header: bytes, flags: int, piece: bytes) -> None:
        if flags & 0x80:  # the first
            self._open = bytearray(header)
        if self._open is None:
            raise FrameError("a fragment without its beginning")
        self._open += piece
        if flags & 0x40:  # the last
            self._units.append(bytes(self._open))
            self._open = None

    def _finished(self) -> KeyPicture | None:
        codec = self._video.codec
        if codec is Codec.JPEG:
            if self._jpeg is None:
                return None
            return KeyPicture(codec, rtp_jpeg.jpeg_file(self._jpeg, bytes(self._scan)))
        if self._open is not None or not any(_begins_key(codec, unit) for unit in self._units):
            room = max(0, MOST_SETS - len(self._sets))
            self._sets += [unit for unit in self._units if _is_set(codec, unit)][:room]
            return None
        stream = (START_CODE + unit for unit in (*self._sets, *self._units))
        return KeyPicture(codec, b"".join(stream))


def _aggregated(rest: bytes) -> Iterator[bytes]:
    at = 0
    while len(rest) - at > 2:  # noqa: PLR2004
        length = int.from_bytes(rest[at : at + 2], "big")
        if not 0 < length <= len(rest) - at - 2:
            raise FrameError("an aggregated packet that does not add up")
        yield rest[at + 2 : at + 2 + length]
        at += 2 + length


def _begins_key(codec: Codec, unit: bytes) -> bool:
    """Return whether a unit is the first slice of a key picture: whoever joins in its midst has the others alone.

    H.264 7.3.3: first_mb_in_slice is 0, coded as one bit set; H.265 7.3.6.1: first_slice_segment_in_pic_flag.
    """
    if codec is Codec.H264:
        return unit[0] & 0x1F == IDR and unit[1:2] >= b"\x80"
    return unit[0] >> 1 & 0x3F in IRAP and unit[2:3] >= b"\x80"


def _is_set(codec: Codec, unit: bytes) -> bool:
    kinds = {7, 8} if codec is Codec.H264 else {32, 33, 34}
    return (unit[0] & 0x1F if codec is Codec.H264 else unit[0] >> 1 & 0x3F) in kinds
