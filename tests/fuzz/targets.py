"""What is fuzzed: each decoder that reads bytes from a device, what may come of it, and what it is begun with.

A decoder may raise its own error and nothing else, and must keep its bounds. Decoders are imported inside ``make``
only, so that a fuzzer may instrument them first; each is called the way its driver calls it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, Any

from tests.fuzz import seeds

if TYPE_CHECKING:
    from collections.abc import Callable

    Try = Callable[[bytes], None]
    """Gives a decoder one input; raises where the decoder did what it must not."""

DRIVERS = "daemon.drivers"


@dataclass(frozen=True, slots=True)
class Target:
    """One decoder.

    Attributes:
        make: Returns what is called with each input.
        seeds: What it is begun with.
        modules: Whose paths lead a fuzzer on; under ``daemon.drivers``.
        longest: Bytes of an input at most.
    """

    make: Callable[[], Try]
    seeds: Callable[[], list[bytes]]
    modules: tuple[str, ...]
    longest: int = 640


class Frozen:
    """A clock that goes on by a second with each look."""

    def __init__(self) -> None:
        self._now_s = 1000.0

    def now_s(self) -> float:
        self._now_s += 1.0
        return self._now_s

    def utc(self) -> datetime:
        return datetime(2026, 11, 22, 2, 10, tzinfo=UTC)


def framed(line: bytes) -> bytes:
    """Return a line with the right checksum: without it nothing gets past the frame."""
    start, body = line[:1], line[1:].partition(b"*")[0]
    if start not in {b"$", b"!"} or not body:
        return line
    return start + body + f"*{reduce(xor, body):02X}".encode()


def _parse() -> Try:
    from daemon.drivers.sentences import Sentence, SentenceError, parse

    def attempt(data: bytes) -> None:
        for line in (data, framed(data)):
            try:
                sentence = parse(line)
            except SentenceError:
                continue
            assert isinstance(sentence, Sentence)
            assert all(isinstance(each, str) for each in sentence.fields)

    return attempt


def _feed(name: str) -> Callable[[], Try]:
    def make() -> Try:
        from daemon.drivers.api import DriverContext, SideDoor
        from daemon.drivers.nmea import DRIVER
        from daemon.gate import CovertGate
        from daemon.model import Provenance

        link = {"kind": "tcp", "host": "10.0.0.1", "port": 1}
        config = DRIVER.config.model_validate({"kind": "nmea", "feed": name, "link": link})
        clock: Any = Frozen()
        context = DriverContext(
            device="x",
            clock=clock,
            gate=CovertGate(clock),
            provenance=Provenance.SIMULATED,
            side_doors=(SideDoor("h01", "HD", "", 1), SideDoor("w02", "WT", "A", 2)),
        )

        driver: Any = DRIVER.build(config, context)
        points = {point.id for point in driver.points()}

        def attempt(data: bytes) -> None:
            reader = driver._reader()
            emitted: list[Any] = []
            for line in data.split(b"\n")[:8]:
                driver._take(framed(line.strip(b"\r")), reader, emitted.append)
            assert {reading.point for reading in emitted} <= points
            assert len(driver.health.dropped) <= 16

        return attempt

    return make


def _tag() -> Try:
    """TAG blocks come before a sentence that is right in itself."""
    feed = _feed("nav")()
    rest = framed(b"$GPGLL,0115.84,N,10350.40,E,021000,A,A*")

    def attempt(data: bytes) -> None:
        block = data.replace(b"\n", b"")
        right = f"*{reduce(xor, block, 0):02X}".encode()
        feed(b"\\" + block + b"\\" + rest + b"\n\\" + block + right + b"\\" + rest)

    return attempt


def _ais_decode() -> Try:
    from daemon.drivers.ais import decode
    from daemon.drivers.sentences import SentenceError

    def attempt(data: bytes) -> None:
        fill = data[0] % 6 if data else 0
        for payload in (data[1:], bytes(_SIXBIT[code % 64] for code in data[1:])):
            try:
                text = payload.decode("ascii")
            except UnicodeDecodeError:
                continue
            try:
                decode(text, fill)
            except SentenceError:
                continue

    return attempt


_SIXBIT = bytes((*range(ord("0"), ord("W") + 1), *range(ord("`"), ord("w") + 1)))


def _modbus(question: tuple[int, int, int, int]) -> Any:
    from daemon.drivers.modbus_frames import Question

    unit, function, address, count = question
    return Question(7, unit, function, address, count)


_QUESTIONS = ((1, 1, 0, 12), (1, 2, 0, 16), (5, 3, 10, 4), (9, 4, 0, 9))


def _modbus_tcp() -> Try:
    from daemon.drivers.modbus_frames import MismatchError, Refusal, inputs_as_number, read_answer

    questions = [_modbus(each) for each in _QUESTIONS]

    def attempt(data: bytes) -> None:
        question = questions[(data[0] if data else 0) % len(questions)]
        whole = _answer_head(question) + data[1:]
        for received in (data[1:], whole):
            try:
                answer = read_answer(question, received)
            except MismatchError as err:
                assert len(err.reason) < 20
                continue
            if isinstance(answer, bytes):
                assert len(answer) == question.payload_bytes
                number = inputs_as_number(question.function, answer, visible=0b1010)
                assert number & ~0b1010 == 0
            else:
                assert answer is None or isinstance(answer, Refusal)

    return attempt


def _answer_head(question: Any) -> bytes:
    length = 3 + question.payload_bytes
    return bytes((0, 7, 0, 0, 0, length, question.unit, question.function, question.payload_bytes))


def _modbus_rtu() -> Try:
    from daemon.drivers.modbus_frames import MismatchError, Refusal
    from daemon.drivers.modbus_rtu_frames import is_intact, read_answer, why_not

    questions = [_modbus(each) for each in _QUESTIONS]

    def attempt(data: bytes) -> None:
        question = questions[(data[0] if data else 0) % len(questions)]
        for received in (data[1:], data[1:] + _crc(data[1:])):
            answer = read_answer(question, received)
            if isinstance(answer, bytes):
                assert len(answer) == question.payload_bytes
                assert is_intact(received)
            elif answer is None:
                assert isinstance(why_not(question, received), MismatchError)
            else:
                assert isinstance(answer, Refusal)

    return attempt


def _crc(data: bytes) -> bytes:
    """MODBUS over Serial Line V1.02, 6.2.2: polynomial A001, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def _panel(mode: str) -> Callable[[], Try]:
    """What a panel says: nothing is asked for that does not stand and may be seen, and only sentences are answered."""

    def make() -> Try:
        from daemon.bam.port import Port
        from daemon.bam.settings import BamSection
        from daemon.drivers.sentences import parse
        from daemon.model import Classification
        from tests.bam.rig import alert

        section = BamSection(port="/dev/x", maker="XXX", mode=mode)
        hidden = alert(3, number=10013, show=Classification.SSO)
        alerts = [alert(1), alert(2, "A", number=10012), hidden]

        def attempt(data: bytes) -> None:
            clock = Frozen()
            port = Port(section, alerts=lambda: alerts, progress=lambda: 1, now_s=clock.now_s())
            port.opened(clock.now_s())
            for line in data.split(b"\n")[:8]:
                for heard in (line.strip(b"\r"), framed(line.strip(b"\r"))):
                    asked = port.hear(heard, clock.now_s(), clock.utc())
                    assert asked is None or {a.instance for a in asked.do.alerts} <= {1, 2}
            assert len(port.dropped) <= 16
            for _ in range(100):
                for said in port.take(clock.now_s()):
                    assert len(said.text) + 2 <= 82
                    parse(said.text.encode("ascii"))

        return attempt

    return make


def _splitter() -> Try:
    from daemon.drivers.links import LineSplitter

    def attempt(data: bytes) -> None:
        size = 1 + (data[0] if data else 0) % 64
        at_once, in_pieces = LineSplitter(40), LineSplitter(40)
        lines = at_once.feed(data)
        pieces: list[bytes] = []
        for at in range(0, len(data), size):
            pieces += in_pieces.feed(data[at : at + size])
        assert lines == pieces
        assert at_once.is_within_line is in_pieces.is_within_line
        for line in lines:
            assert len(line) <= 40
            assert not {*line} & {10, 13}

    return attempt


def _ssas(kind: str, profile: str) -> Callable[[], Try]:
    """An SSAS port: besides all else, nothing is a test that says anywhere that it is real."""

    def make() -> Try:
        from daemon.drivers import ssas_at, ssas_text

        frames_of: Callable[[], Any]
        if kind == "text":
            text = ssas_text.load_profile(profile)
            frames_of, is_real = lambda: ssas_text.FrameAssembler(text), _says(text.real_marker)
        else:
            modem = ssas_at.load_profile(profile)
            frames_of = lambda: ssas_at.AtDialogue(modem)  # noqa: E731 (as its neighbour)
            is_real = lambda lines: not ssas_at.is_test(modem, lines[0])  # noqa: E731

        def attempt(data: bytes) -> None:
            frames = frames_of()
            size = 8 + (data[0] if data else 0)
            found: list[Any] = []
            now_s = 0.0
            for at in range(1, len(data), size):
                now_s += 1.0
                found += frames.feed(data[at : at + size], now_s)
            found += frames.idle(now_s + 10.0)
            for frame in found:
                assert frame.began_s <= frame.ended_s
                assert len(frame.lines) <= 64
                assert not (frame.is_test and is_real(frame.lines))

        return attempt

    return make


def _rtsp() -> Try:
    """The head of an answer; whatever of it is said back must not end a line."""
    from daemon.drivers import rtsp_messages as messages
    from daemon.drivers.cctv_unit import Login
    from daemon.errors import FrameError

    def attempt(data: bytes) -> None:
        try:
            response = messages.read_head(data)
        except FrameError:
            return
        for asked in (lambda: response.body_bytes, response.session):
            try:
                asked()
            except FrameError:
                continue
        assert response.date_utc is None or response.date_utc.tzinfo is not None
        try:
            digest = messages.challenge(response)
        except FrameError:
            return
        proof = digest.answer(Login("u", "hush"), "PLAY", "rtsp://a/", cnonce="0")
        request = messages.request("PLAY", "rtsp://a/", 1, authorization=proof)
        assert request.count(b"\r\n") == 5
        assert b"hush" not in request

    return attempt


def _sdp() -> Try:
    from daemon.drivers.sdp import read_video
    from daemon.errors import FrameError

    def attempt(data: bytes) -> None:
        try:
            video = read_video(data)
        except FrameError:
            return
        assert 0 <= video.payload_type <= 999
        assert sum(map(len, video.parameter_sets)) <= 8 * 4 * 4096

    return attempt


def _rtp() -> Try:
    """Packets behind a byte of their length each; the first byte picks what they should hold."""
    from daemon.drivers.rtp_video import LARGEST_PICTURE, Assembly, reported_utc
    from daemon.drivers.sdp import Codec, Video

    codecs = list(Codec)

    def attempt(data: bytes) -> None:
        assembly = Assembly(Video(codecs[(data[0] if data else 0) % 3], 96, ""))
        rest = data[1:]
        while rest:
            packet, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
            picture = assembly.take_raw(packet)
            assert picture is None or len(picture.body) < 2 * LARGEST_PICTURE
            reported_utc(packet)

    return attempt


def _onvif() -> Try:
    from daemon.drivers import onvif_messages as messages
    from daemon.drivers.onvif_recorder import body_of
    from daemon.errors import FrameError

    def attempt(data: bytes) -> None:
        for body in (lambda: data, lambda: body_of(data)):
            try:
                found = messages.read(body())
            except FrameError:
                continue
            messages.fault_in(found)
            for asked in (messages.time_in, messages.search_path, messages.kept_in):
                try:
                    asked(found)
                except FrameError:
                    continue

    return attempt


def _says(marker: str) -> Callable[[tuple[str, ...]], bool]:
    return lambda lines: any(marker in line for line in lines)


_NMEA = ("sentences", "nmea", "nmea_reader")

TARGETS: dict[str, Target] = {
    "nmea-parse": Target(_parse, seeds.sentences, ("sentences",), 200),
    "nmea-nav": Target(_feed("nav"), seeds.nav, (*_NMEA, "nmea_nav", "nmea_sky")),
    "nmea-heading": Target(_feed("heading"), seeds.heading, (*_NMEA, "nmea_steering")),
    "nmea-log": Target(_feed("log"), seeds.log, (*_NMEA, "nmea_steering")),
    "nmea-equipment": Target(_feed("equipment"), seeds.equipment, (*_NMEA, "nmea_alerts")),
    "nmea-doors": Target(_feed("doors"), seeds.doors, (*_NMEA, "nmea_doors")),
    "nmea-ais": Target(_feed("ais"), seeds.ais, (*_NMEA, "nmea_ais", "ais")),
    "nmea-tag": Target(_tag, seeds.tags, (*_NMEA, "tag_block"), 160),
    "ais-payload": Target(_ais_decode, seeds.payloads, ("ais",), 200),
    "bam-alf": Target(_panel("alf"), seeds.panel, ("sentences", "nmea_words")),
    "bam-alr": Target(_panel("alr"), seeds.panel, ("sentences", "nmea_words")),
    "modbus-tcp": Target(_modbus_tcp, seeds.modbus_tcp, ("modbus_frames",), 280),
    "modbus-rtu": Target(_modbus_rtu, seeds.modbus_rtu, ("modbus_frames", "modbus_rtu_frames"), 64),
    "rtsp-head": Target(_rtsp, seeds.rtsp, ("rtsp_messages",)),
    "sdp": Target(_sdp, seeds.sdp, ("sdp",)),
    "rtp-video": Target(_rtp, seeds.rtp, ("rtp_video", "rtp_jpeg")),
    "onvif": Target(_onvif, seeds.onvif, ("onvif_messages", "onvif_recorder"), 1200),
    "lines": Target(_splitter, seeds.sentences, ("links", "line_splitter"), 256),
    "ssas-text": Target(
        _ssas("text", "jrc-jue-95sa-text"), seeds.ssas_text, ("ssas_text", "ssas_lines"), 256
    ),
    "ssas-at": Target(_ssas("at", "iridium-sbd"), seeds.ssas_at, ("ssas_at", "ssas_lines"), 256),
}
