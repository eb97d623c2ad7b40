"""What is on a packed picture? A program of its own, for nothing that a camera sends may reach the daemon's memory.

``python -I picture_decoder.py jpeg|h264|h265`` reads one packed picture from its input and writes one line of JSON and,
behind it, a small JPEG. A decoder of pictures is the largest surface that a hostile camera could attack, so this
process lives for one picture, is given no address and no file to write, bounds its own memory and time before it reads,
and is the first to go where memory is short. JPEG is decoded by Pillow, H.264 and H.265 by the system's own program
``ffmpeg``, which gets the bytes and nothing else. Only the standard library and Pillow are imported.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

LARGEST_INPUT = 4 * 1024 * 1024
LARGEST_JPEG = 64 * 1024
"""Of the small picture that may go into the record."""
MOST_PIXELS = 40_000_000
CPU_S = 10
DATA_BYTES = 320 * 1024 * 1024
"""Private memory: a picture of 40 megapixels in grey or one of 8 in colour, and the decoder."""
GRID = (64, 36)
"""Brightness and contrast are those of so many fields."""
SMALL = (640, 480)
STREAMS = {"h264": "h264", "h265": "hevc"}
UNREADABLE, NO_DECODER, TOO_SLOW = 1, 3, 4


def main(words: list[str]) -> int:
    """Decode what comes in; return the exit code."""
    _bound()
    codec = words[0]
    body = sys.stdin.buffer.read(LARGEST_INPUT + 1)
    if len(body) > LARGEST_INPUT:
        return UNREADABLE
    form = "JPEG"
    if codec in STREAMS:
        try:
            body, form = _decoded(codec, body), "PPM"
        except (FileNotFoundError, subprocess.TimeoutExpired) as err:
            return NO_DECODER if isinstance(err, FileNotFoundError) else TOO_SLOW
    try:
        from PIL import Image  # noqa: PLC0415 (this file is also found by the registry of drivers)
    except ImportError:
        return NO_DECODER
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with Image.open(io.BytesIO(body), formats=(form,)) as image:
            if image.width * image.height > MOST_PIXELS:
                return UNREADABLE
            image.load()
            said, small = _seen(image)
    except Exception:  # noqa: BLE001 (whatever a hostile picture does to a decoder, this process has no picture then)
        return UNREADABLE
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + small)
    sys.stdout.buffer.flush()
    return 0


def _bound() -> None:
    os.nice(10)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    for limit, most in (
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_DATA, DATA_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(limit, (most, most))


def _decoded(codec: str, body: bytes) -> bytes:
    """Return the first picture of a stream, in colour and without loss, at most 1920 points wide."""
    done = subprocess.run(  # noqa: S603 (a fixed command; the camera's bytes go to its input)
        [
            *("ffmpeg", "-nostdin", "-v", "quiet", "-threads", "1", "-protocol_whitelist", "pipe"),
            *("-f", STREAMS[codec], "-i", "pipe:0", "-frames:v", "1"),
            *("-vf", "scale=min(1920\\,iw):-2", "-c:v", "ppm", "-f", "image2pipe", "pipe:1"),
        ],
        input=body,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
        timeout=CPU_S,
    )
    return done.stdout


def _seen(image) -> tuple[dict[str, object], bytes]:  # type: ignore[no-untyped-def]
    grey = image.convert("L")
    fields = list(grey.resize(GRID, 4).tobytes())  # 4: the mean of each field
    mean = sum(fields) / len(fields)
    spread = (sum((each - mean) ** 2 for each in fields) / len(fields)) ** 0.5
    said = {
        "width": image.width,
        "height": image.height,
        "brightness": round(mean, 1),
        "contrast": round(spread, 1),
        "sha256": hashlib.sha256(image.tobytes()).hexdigest(),
    }
    return said, _small(image.convert("RGB"))


def _small(image) -> bytes:  # type: ignore[no-untyped-def]
    image.thumbnail(SMALL)
    for quality in (70, 50, 30, 10):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        if len(out.getvalue()) <= LARGEST_JPEG:
            return out.getvalue()
    return b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
