"""Which video does a camera offer? Its session description, read as far as one picture needs it.

Source: RFC 4566 (SDP), RFC 6184 8.1 and RFC 7798 7.1 (parameter sets), RFC 3551 (payload type 26 is JPEG).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from daemon.errors import FrameError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_LINES: Final = 500
LONGEST_LINE: Final = 4096
MOST_PARAMETER_BYTES: Final = 4096
JPEG_PAYLOAD_TYPE: Final = 26
PARAMETER_SETS: Final = ("sprop-vps", "sprop-sps", "sprop-pps", "sprop-parameter-sets")


class Codec(StrEnum):
    """How the pictures are packed."""

    JPEG = "jpeg"
    H264 = "h264"
    H265 = "h265"


ENCODINGS: Final = {"JPEG": Codec.JPEG, "H264": Codec.H264, "H265": Codec.H265}


@dataclass(frozen=True, slots=True)
class Video:
    """One stream of pictures.

    Attributes:
        payload_type: Of its RTP packets.
        control: What names it in SETUP, as the camera has it; empty where the whole presentation is meant.
        parameter_sets: What a decoder must have before the first picture (H.264: SPS, PPS; H.265: VPS too).
    """

    codec: Codec
    payload_type: int
    control: str
    parameter_sets: tuple[bytes, ...] = ()


@dataclass(slots=True)
class _Media:
    payload_types: list[int] = field(default_factory=list)
    encodings: dict[int, str] = field(default_factory=dict)
    formats: dict[int, str] = field(default_factory=dict)
    control: str = ""


def read_video(body: bytes) -> Video:
    """Return the first stream of pictures that can be read.

    Raises:
        FrameError: There is none; the message says what there is.
    """
    offered: list[str] = []
    for media in _media(body):
        for payload_type in media.payload_types:
            name = media.encodings.get(payload_type, "")
            if payload_type == JPEG_PAYLOAD_TYPE and not name:
                name = "JPEG"
            offered.append(name or str(payload_type))
            if (codec := ENCODINGS.get(name)) is not None:
                sets = tuple(_parameter_sets(media.formats.get(payload_type, "")))
                return Video(codec, payload_type, media.control, sets)
    words = ", ".join(_printable(each) for each in offered[:5]) or "no video"
    raise FrameError(f"offers {words}; JPEG, H264 and H265 can be read")


def _printable(word: str) -> str:
    """Return a camera's word as it may stand in an alert, in a log and on a terminal."""
    return "".join(each for each in word[:20] if each.isprintable())


def _media(body: bytes) -> Iterator[_Media]:
    lines = body.decode("utf-8", "replace").splitlines()
    if len(lines) > MOST_LINES:
        raise FrameError("a session description of more than 500 lines")
    media: _Media | None = None
    for line in lines:
        if line.startswith("m="):
            if media is not None:
                yield media
            media = _opened(line)
        elif media is not None and line.startswith("a=") and len(line) <= LONGEST_LINE:
            _attribute(media, line.removeprefix("a="))
    if media is not None:
        yield media


def _opened(line: str) -> _Media | None:
    words = line.removeprefix("m=").split()
    if len(words) < 4 or words[0] != "video":  # noqa: PLR2004 (media, port, protocol, formats)
        return None
    return _Media([number for word in words[3:8] if (number := _payload_type(word)) is not None])


def _attribute(media: _Media, line: str) -> None:
    name, _, value = line.partition(":")
    if name == "control":
        media.control = value.strip()
        return
    if name not in {"rtpmap", "fmtp"}:
        return
    number, _, rest = value.strip().partition(" ")
    if (payload_type := _payload_type(number)) is None:
        return
    if name == "rtpmap":
        media.encodings[payload_type] = rest.partition("/")[0].strip().upper()
    else:
        media.formats[payload_type] = rest


def _payload_type(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 3 else None  # noqa: PLR2004


def _parameter_sets(line: str) -> Iterator[bytes]:
    """Yield the parameter sets in the order in which a decoder wants them; what cannot be read is left out."""
    given = dict(_parameters(line))
    for name in PARAMETER_SETS:
        for text in given.get(name, "").split(",")[:8]:
            try:
                body = base64.b64decode(text, validate=True)
            except (ValueError, binascii.Error):
                continue
            if 0 < len(body) <= MOST_PARAMETER_BYTES:
                yield body


def _parameters(line: str) -> Iterator[tuple[str, str]]:
    for part in line.split(";")[:32]:
        name, _, value = part.strip().partition("=")
        yield name.strip().lower(), value.strip()
