"""A camera that stalls, floods or lies costs the ship one bounded look, and nobody else anything."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

import pytest

from daemon.computer.clock import SystemClock
from daemon.drivers import picture_decoder
from daemon.drivers.camera_pictures import decoded
from daemon.drivers.cctv_unit import Login
from daemon.drivers.rtp_video import KeyPicture
from daemon.drivers.rtsp_messages import LONGEST_BODY, LONGEST_HEAD
from daemon.drivers.rtsp_session import Address, Visit, visit
from daemon.drivers.sdp import Codec
from daemon.errors import FrameError, LinkError
from tests.cameras.rig import Watched, answering

if TYPE_CHECKING:
    from collections.abc import Callable

SDP = b"v=0\r\nm=video 0 RTP/AVP 26\r\na=control:1\r\n"
LONG_S = 20.0


async def look(url: str, *, limit_s: float = LONG_S, login: Login | None = None) -> Visit:
    host, _, port = url.removeprefix("rtsp://").partition("/")[0].partition(":")
    return await visit(
        Address(host, int(port), url),
        login,
        limit_s=limit_s,
        clock=SystemClock(),
        nonce=lambda: "0123456789abcdef",
    )


def answer(number: int, status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    lines = [f"RTSP/1.0 {status}", f"CSeq: {number}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def scripted(*answers: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]:
    """Answer each request with the next of these, and hang up when there is none."""

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for each in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(each)
            await writer.drain()

    return visit


async def refused(answers: tuple[bytes, ...]) -> str:
    async with answering(scripted(*answers)) as url:
        with pytest.raises(LinkError) as err:
            await look(url)
    return str(err.value)


UP_TO_PLAY = (answer(1, body=SDP), answer(2, Session="1"), answer(3))
PACKET = bytes([0x80, 26]) + bytes(10) + bytes([0, 0, 0, 0, 0, 50, 40, 30])


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((), "DESCRIBE: it hung up"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), "DESCRIBE: no RTSP answer"),
        ((b"x" * (2 * LONGEST_HEAD),), "DESCRIBE: talks no RTSP"),
        ((answer(1, "301 Moved", Location="rtsp://10.9.9.9/"),), "DESCRIBE: it says 301 Moved"),
        ((answer(1, "200 OK", body=b"v=0\r\n"),), "DESCRIBE: offers no video"),
        (
            (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 99999999\r\n\r\n",),
            "session description",
        ),
        ((b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n",), "a length that is none"),
        ((answer(1, body=b"m=video 0 RTP/AVP 26\r\n" * 2000),), "more than 500 lines"),
        (
            (answer(1, body=SDP, Content_Base="rtsp://a/\x0bb"),),
            "an address that cannot be said back",
        ),
        ((answer(1, body=SDP), answer(2)), "SETUP: a session that cannot be said back"),
        ((answer(1, body=SDP), answer(2, "461 Unsupported Transport")), "SETUP: it says 461"),
        ((*UP_TO_PLAY[:2], answer(3, "454 Session Not Found")), "PLAY: it says 454"),
        (UP_TO_PLAY, "waiting for a picture: it hung up"),
        (
            (*UP_TO_PLAY[:2], UP_TO_PLAY[2] + b"$\x00\x00\x14" + PACKET),
            "waiting for a picture: it hung up",
        ),
        ((answer(1, "401 Unauthorized", WWW_Authenticate='Basic realm="x"'),), "wants a user"),
    ],
)
async def test_what_is_wrong_is_said_with_how_far_it_came(answers, reason):
    assert reason in await refused(answers)


def in_stream(number: int, payload: bytes, *, last: bool = False) -> bytes:
    """Return an interleaved packet of H.264."""
    head = bytes([0x80, 96 | (0x80 if last else 0)]) + number.to_bytes(2, "big") + bytes(8)
    return b"$\x00" + (len(head) + len(payload)).to_bytes(2, "big") + head + payload


UP_TO_A_PICTURE = (
    answer(1, body=b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:1\r\n"),
    answer(2, Session="1"),
    answer(3)
    + in_stream(0, b"\x67abc")
    + in_stream(1, b"\x68ab")
    + in_stream(2, b"\x65\x88" + b"x" * 500, last=True),
)


@pytest.mark.parametrize(
    "farewell",
    [
        answer(4, "454 Session Not Found"),
        answer(4, "405 Method Not Allowed"),
        b"x" * (2 * LONGEST_HEAD),
        b"\r\n\r\n",
    ],
)
async def test_a_whole_picture_counts_whatever_the_camera_says_to_the_farewell(farewell):
    async with answering(scripted(*UP_TO_A_PICTURE, farewell)) as url:
        assert (await look(url)).picture.body.endswith(b"x" * 500)


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_what_a_camera_asks_itself_is_passed_over(before):
    asks = b"SET_PARAMETER * RTSP/1.0\r\nCSeq: %d\r\nContent-Length: 4\r\n\r\nabcd" % (before + 1)
    answers = [*UP_TO_A_PICTURE, answer(4)]
    answers[before] = asks + answers[before]
    answers[2] = answers[2].replace(b"\r\n\r\n$", b"\r\n\r\n" + asks + b"$")
    async with answering(scripted(*answers)) as url:
        assert (await look(url)).picture.body.endswith(b"x" * 500)


async def test_a_cable_that_is_out_is_told_in_the_systems_words(monkeypatch):
    async def connect(*_: object, **__: object) -> None:
        raise OSError(errno.EHOSTUNREACH, "Connect call failed ('10.0.0.1', 554)")

    monkeypatch.setattr(asyncio, "open_connection", connect)
    with pytest.raises(LinkError, match=r"^connecting: No route to host$"):
        await look("rtsp://10.0.0.1:554/s")


async def test_a_camera_that_says_nothing_is_left_at_its_deadline():
    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with answering(silent) as url:
        with pytest.raises(LinkError, match=r"DESCRIBE: nothing whole within 0\.2 s"):
            await look(url, limit_s=0.2)


async def test_a_camera_that_drips_is_left_at_the_same_deadline():
    async def dripping(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"RTSP/1.0 200 OK\r\nX: " + b"y" * 4000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)

    async with answering(dripping) as url:
        with pytest.raises(LinkError, match="nothing whole within"):
            await look(url, limit_s=0.3)


async def test_a_flood_without_a_picture_is_left_after_so_many_bytes():
    async def flooding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await scripted(*UP_TO_PLAY)(reader, writer)
        while True:
            writer.write(b"$\x07\xff\xff" + bytes(0xFFFF))  # of a channel that nobody asked for
            await writer.drain()

    async with answering(flooding) as url:
        with pytest.raises(LinkError, match="no key picture among 32 MiB"):
            await look(url)


async def test_a_flood_of_tiny_packets_is_left_after_so_many():
    async def flooding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await scripted(*UP_TO_PLAY)(reader, writer)
        while True:
            writer.write(b"$\x00\x00\x01x" * 4000)
            await writer.drain()

    async with answering(flooding) as url:
        with pytest.raises(LinkError, match=r"no key picture among 60,000 packets"):
            await look(url)


async def test_the_longest_session_description_is_taken_and_one_byte_more_is_not():
    rest = LONGEST_BODY - len(SDP)
    fill = b"a=x:" + b"y" * (rest - 6) + b"\r\n"
    assert "SETUP: it hung up" in await refused((answer(1, body=SDP + fill),))
    assert "64 KiB" in await refused((answer(1, body=SDP + fill + b"\n"),))


async def test_a_camera_that_wants_the_password_in_the_clear_is_not_told_it():
    heard = bytearray()

    async def basic(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heard.extend(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer(1, "401 Unauthorized", WWW_Authenticate='Basic realm="x"'))

    async with answering(basic) as url:
        with pytest.raises(LinkError, match=r"in the clear \(Basic\); switch it to Digest"):
            await look(url, login=Login("watch", "let me in"))
    assert b"Authorization" not in heard
    assert "let me in" not in repr(Login("watch", "let me in"))


# ---------------------------------------------------------------- the decoder


@pytest.mark.parametrize("body", [b"", b"\xff\xd8\xff\xe0 no picture", bytes(100_000)])
async def test_what_is_no_picture_is_said_to_be_none(body):
    with pytest.raises(FrameError, match="cannot be decoded"):
        await decoded(KeyPicture(Codec.JPEG, body))


async def test_a_picture_of_a_milliard_points_is_refused_before_it_is_unpacked():
    """The headers of a JPEG of 65,500 × 65,500 points, which is a file of a few hundred bytes."""
    from daemon.drivers import rtp_jpeg

    piece = rtp_jpeg.Piece(0, 1, 65_496, 65_496, 0, bytes([1]) * 128, b"")
    with pytest.raises(FrameError, match="cannot be decoded"):
        await decoded(KeyPicture(Codec.JPEG, rtp_jpeg.jpeg_file(piece, bytes(100))))


async def test_a_decoder_that_hangs_is_ended_with_all_that_it_started(monkeypatch, tmp_path):
    hangs = tmp_path / "hangs.py"
    # What it started holds the pipe open as well: the end is told only when both are gone.
    hangs.write_text("import os, signal\nos.fork()\nsignal.pause()\n", "utf-8")
    monkeypatch.setattr("daemon.drivers.camera_pictures.PROGRAM", hangs)
    monkeypatch.setattr("daemon.drivers.camera_pictures.DECODE_S", 0.2)
    with pytest.raises(FrameError, match=r"not decoded within 0\.2 s"):
        await decoded(KeyPicture(Codec.JPEG, b"x"))


async def test_a_decoder_that_was_ended_is_not_held_against_the_camera(monkeypatch, tmp_path):
    """Where memory is short it is the first to go; and a picture may have done it."""
    ended = tmp_path / "ended.py"
    ended.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "utf-8")
    monkeypatch.setattr("daemon.drivers.camera_pictures.PROGRAM", ended)
    async with answering(scripted(*UP_TO_A_PICTURE, answer(4))) as url:
        with pytest.raises(LinkError, match="its picture: its decoder was ended") as err:
            await Watched(url).look()
    assert err.value.may_be_ours


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("while True: sys.stdout.buffer.write(bytes(1 << 16))", "too much is said"),
        ("print('[' * 60000)", "nothing was said"),
        (
            'print(\'{"width": 1, "height": 1, "brightness": NaN, "contrast": 1, "sha256": ""}\')',
            "nothing",
        ),
        (
            'print(\'{"width": "x", "height": 1, "brightness": 1, "contrast": 1, "sha256": ""}\')',
            "nothing",
        ),
        (
            'print(\'{"width": 1, "height": 1, "brightness": "1", "contrast": 1, "sha256": ""}\')',
            "nothing",
        ),
    ],
)
async def test_a_decoder_that_a_picture_has_taken_over_is_not_believed(
    monkeypatch, tmp_path, says, reason
):
    taken = tmp_path / "taken.py"
    taken.write_text(f"import sys\n{says}\n", "utf-8")
    monkeypatch.setattr("daemon.drivers.camera_pictures.PROGRAM", taken)
    with pytest.raises(FrameError, match=reason):
        await decoded(KeyPicture(Codec.JPEG, b"x" * (1 << 20)))


async def test_a_decoder_has_no_more_than_its_share(monkeypatch, tmp_path):
    greedy = tmp_path / "greedy.py"
    program = str(picture_decoder.__file__)
    greedy.write_text(
        f"import runpy\nmodule = runpy.run_path({program!r})\nmodule['_bound']()\nbytearray(1 << 30)\n",
        "utf-8",
    )
    monkeypatch.setattr("daemon.drivers.camera_pictures.PROGRAM", greedy)
    with pytest.raises(FrameError, match="cannot be decoded"):
        await decoded(KeyPicture(Codec.JPEG, b"x"))
