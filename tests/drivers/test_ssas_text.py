"""Invariant 1, for the text port: outside a test window it is not open; inside, only a test exists."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import os
import socket

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from daemon.assets import asset
from daemon.computer import logs
from daemon.drivers.api import DriverContext, Health
from daemon.drivers.ssas_text import (
    DRIVER,
    MOST_BYTES,
    MOST_LINES,
    FrameAssembler,
    SsasTextConfig,
    load_profile,
)
from daemon.errors import LinkError
from daemon.gate import CovertGate
from daemon.model import Classification, Provenance, Quality, Reading, SsasMessage
from tests.clocks import ManualClock
from tests.drivers.ssas_port_rig import SETTLE_S, WINDOW_S, Heard, Unit
from tests.soon import PATIENCE_S

PROFILE = load_profile("jrc-jue-95sa-text")
HEADING = "SHIP SECURITY MESSAGE"
BEFORE_MARKER = (HEADING, "Ship name :KESTREL STRAIT", "Call sign :9VKS0", "MMSI :299000019")
AFTER_MARKER = (
    "MES NO, 429900001",
    "LAT,N12 34.56LON,E123 45.56,UTC,07.01.2004 12:34,SOG,",
    "10.0KT,COG,20DEG",
)


def message(marker: str = "TEST TEST", end: str = "\r\n") -> bytes:
    return end.join((*BEFORE_MARKER, "", marker, *AFTER_MARKER, "")).encode("ascii")


TEST = message()
REAL = message("SECURITY SECURITY")
TEST_LINES = (*BEFORE_MARKER, "TEST TEST", *AFTER_MARKER)


def frames(data: bytes) -> list[tuple[tuple[str, ...], bool]]:
    return [(frame.lines, frame.is_test) for frame in FrameAssembler(PROFILE).feed(data, 1.0)]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\r"])
def test_a_whole_test_message_is_a_test(end):
    assert frames(message(end=end)) == [(TEST_LINES, True)]


@pytest.mark.parametrize(
    "data",
    [
        REAL,
        message("TEST"),
        message("TEST TEST TEST"),
        message("test test"),
        message("TEST TEST SECURITY SECURITY"),
        message("TEST TEST\r\nSECURITY SECURITY"),
        message("SECURITY SECURITY\r\nTEST TEST"),
        message("TEST TEST\r\nSECURITY  security"),
        message("TEST TEST\r\nSome other line"),
        TEST.replace(b"KESTREL STRAIT", b"SECURITY SECURITY"),
        REAL.replace(b"Call sign :9VKS0", b"TEST TEST"),
        REAL.replace(b"SECURITY SECURITY", b"S\xffCURITY SECURITY").replace(
            b"Call sign :9VKS0", b"TEST TEST"
        ),
    ],
)
def test_whatever_does_not_say_test_alone_and_in_its_place_is_no_test(data):
    assert [is_test for _, is_test in frames(data)] == [False]


@pytest.mark.parametrize("cut", range(len(TEST) - 1))
def test_a_message_that_was_cut_is_none_wherever_it_was_cut(cut):
    assert frames(TEST[:cut]) == []


@pytest.mark.parametrize("lost", range(len(BEFORE_MARKER) + 1, len(TEST_LINES)))
def test_a_cut_message_takes_nothing_from_the_next(lost):
    begun = "\r\n".join((*TEST_LINES[:lost], "")).encode("ascii")
    assert frames(begun + REAL) == [(frames(REAL)[0][0], False)]
    assert frames(begun + TEST) == [(TEST_LINES, True)]


def test_the_end_of_one_message_without_its_heading_is_nothing():
    assert frames(TEST[TEST.index(b"\n") + 1 :]) == []


def test_two_messages_back_to_back_are_two():
    assert frames(TEST + REAL + TEST) == [
        (TEST_LINES, True),
        (frames(REAL)[0][0], False),
        (TEST_LINES, True),
    ]


def test_noise_before_a_message_and_on_its_first_line_harms_nothing():
    [(lines, is_test)] = frames(b"\x00\xff\xfe\r\nnoise\r\n\x80\x81" + TEST)
    assert is_test
    assert lines == ("??" + HEADING, *TEST_LINES[1:])


def test_the_words_that_end_a_message_end_it_only_after_its_marker():
    early = TEST.replace(b"Call sign :9VKS0", b"HDG :20DEG")
    assert [is_test for _, is_test in frames(early)] == [True]


def test_an_endless_line_inside_a_message_undoes_it():
    assert frames(TEST.replace(b"9VKS0", b"9" * 2000)) == []
    assert frames(TEST.replace(b"9VKS0", b"9" * 2000) + TEST) == [(TEST_LINES, True)]


def test_a_message_has_so_many_lines_and_no_more():
    room = MOST_LINES - len(TEST_LINES)
    assert len(frames(TEST.replace(b"TEST TEST", b"x\n" * room + b"TEST TEST"))) == 1
    assert frames(TEST.replace(b"TEST TEST", b"x\n" * (room + 1) + b"TEST TEST")) == []


def test_a_message_has_so_many_bytes_and_no_more():
    room = MOST_BYTES - sum(map(len, TEST_LINES))
    padding = b"x" * 1000 + b"\n" + b"x" * 1000 + b"\n" + b"x" * 1000 + b"\n" + b"x" * (room - 3000)
    assert len(frames(TEST.replace(b"TEST TEST", padding + b"\nTEST TEST"))) == 1
    assert frames(TEST.replace(b"TEST TEST", padding + b"x\nTEST TEST")) == []


def test_a_message_began_with_the_first_byte_of_its_heading_and_ended_with_its_last():
    assembler = FrameAssembler(PROFILE)
    assert assembler.feed(b"noise\r\nSHIP SEC", 10.0) == []
    assert assembler.feed(TEST[8:60], 20.0) == []
    assert assembler.feed(TEST[60:-2], 30.0) == []
    [frame] = assembler.feed(b"\r\n", 40.0)
    assert (frame.began_s, frame.ended_s, frame.lines) == (10.0, 40.0, TEST_LINES)
    [again] = assembler.feed(TEST, 50.0)
    assert (again.began_s, again.ended_s) == (50.0, 50.0)


PIECES = st.sampled_from(
    [line.encode() + b"\r\n" for line in (*TEST_LINES, "SECURITY SECURITY", "")]
) | st.binary(max_size=30)


@given(st.lists(PIECES, max_size=40))
@example([TEST])
@example([REAL])
def test_no_bytes_raise_anything_and_none_makes_a_test_of_what_is_not(pieces):
    assembler = FrameAssembler(PROFILE)
    for piece in pieces:
        for frame in assembler.feed(piece, 0.0):
            assert len(frame.lines) <= MOST_LINES
            assert HEADING in frame.lines[0] or PROFILE.heading in frame.lines[0]
            assert frame.lines[-1].endswith("DEG")
            if frame.is_test:
                assert "TEST TEST" in frame.lines
                assert not any("SECURITY SECURITY" in line for line in frame.lines)


@given(st.lists(st.integers(1, 40), min_size=1), st.booleans())
def test_how_bytes_are_cut_into_reads_changes_nothing(cuts, is_real):
    data = REAL if is_real else TEST
    assembler = FrameAssembler(PROFILE)
    found, at = [], 0
    for cut in (*cuts, len(data)):
        found += assembler.feed(data[at : at + cut], 0.0)
        at += cut
    assert [frame.is_test for frame in found] == [not is_real]


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ("no-such-unit", "no SSAS profile 'no-such-unit'"),
        ("sailor-6194", "no text port is known of 'sailor-6194'"),
        ("../ispsd", "is no profile name"),
        ("", "is no profile name"),
    ],
)
def test_a_profile_that_is_not_there_is_refused_with_its_name(profile, reason):
    link = {"kind": "tcp", "host": "10.0.0.1", "port": 1}
    with pytest.raises(ValidationError, match=reason):
        SsasTextConfig.model_validate({"kind": "ssas_text", "profile": profile, "link": link})


def configured(link: object, **more: object) -> SsasTextConfig:
    return SsasTextConfig.model_validate(
        {"kind": "ssas_text", "profile": "jrc-jue-95sa-text", "link": link, **more}
    )


def test_a_serial_port_is_set_as_the_profile_says_unless_told_otherwise(tmp_path, monkeypatch):
    text = asset("ssas/jrc-jue-95sa-text.toml").read_text("utf-8")
    changed = text.replace("baud = 4800", "baud = 9600").replace("data_bits = 8", "data_bits = 7")
    (tmp_path / "ssas").mkdir()
    (tmp_path / "ssas" / "jrc-jue-95sa-text.toml").write_text(changed, "utf-8")
    monkeypatch.setenv("ISPSD_DATA", str(tmp_path))
    link = configured({"kind": "serial", "port": "/dev/ttyS0", "baud": 1200}).link
    assert (link.baud, link.data_bits, link.parity) == (1200, 7, "N")


@pytest.mark.parametrize("link", ["/dev/ttyS0", {"kind": "udp"}, {}, None])
def test_a_link_that_is_none_is_refused(link):
    with pytest.raises(ValidationError, match="link"):
        configured(link)


@pytest.mark.parametrize("given_", ["text", {"kind": "ssas_text", "profile": 3}])
def test_a_configuration_that_is_none_is_refused(given_):
    with pytest.raises(ValidationError):
        SsasTextConfig.model_validate(given_)


@pytest.fixture
async def unit():
    unit = Unit()
    yield unit
    await unit.close()


def test_the_driver_is_covert_and_its_point_is_for_the_sso_alone(unit):
    assert DRIVER.covert
    assert DRIVER.lost_alert(None) is None
    assert DRIVER.silent_after_s(None) is None
    assert [(point.id, point.classification) for point in unit.driver.points()] == [
        ("ssas.message", Classification.SSO)
    ]


async def test_a_test_message_inside_a_window_is_a_reading(unit):
    await unit.open_window()
    unit.say(TEST)
    await unit.heard.count(1)
    assert unit.heard.readings == [
        Reading(
            point="ssas.message",
            value=SsasMessage(TEST_LINES),
            quality=Quality.GOOD,
            provenance=Provenance.SIMULATED,
            received_utc=unit.clock.utc(),
            received_s=unit.clock.now_s(),
            source="ssas",
            classification=Classification.SSO,
        )
    ]
    assert (unit.driver.health.good, unit.driver.health.dropped) == (1, {})


async def test_the_port_is_open_inside_a_window_and_at_no_other_time(unit):
    await unit.clock.advance(3600.0)
    assert not unit.is_listened_to()
    for _ in range(2):
        await unit.open_window()
        await unit.clock.advance(WINDOW_S - SETTLE_S - 0.001)
        assert unit.is_listened_to()
        await unit.clock.advance(0.001)
        await unit.until_listened_to(False)
    await unit.open_window()
    unit.gate.close()
    await unit.until_listened_to(False)
    assert not unit.task.done()


async def test_what_came_before_a_window_does_not_exist_in_it(unit):
    unit.say(TEST)
    await unit.until_held(len(TEST))
    await unit.open_window()
    unit.say(TEST.replace(b"9VKS0", b"AFTER"))
    await unit.heard.count(1)
    [reading] = unit.heard.readings
    assert "Call sign :AFTER" in reading.value.lines
    assert unit.driver.health.good == 1


async def test_many_messages_kept_from_before_a_window_do_not_exist_in_it(unit):
    """More than the port's own buffer: a flush at opening does not reach all of it."""
    held = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            held += os.write(unit.device, TEST)
    assert held > 4096
    await unit.open_window(settle=False)
    await unit.until_held(0)
    await unit.clock.advance(SETTLE_S)
    unit.say(TEST.replace(b"9VKS0", b"AFTER"))
    await unit.heard.count(1)
    assert "Call sign :AFTER" in unit.heard.readings[0].value.lines


async def test_what_comes_in_the_first_moments_is_thrown_away(unit):
    await unit.open_window(settle=False)
    unit.say(TEST)
    await unit.until_held(0)
    await unit.clock.advance(SETTLE_S)
    unit.say(TEST.replace(b"9VKS0", b"AFTER"))
    await unit.heard.count(1)
    assert "Call sign :AFTER" in unit.heard.readings[0].value.lines


async def test_a_message_cut_by_the_opening_does_not_exist(unit):
    unit.say(TEST[:60])
    await unit.until_held(60)
    await unit.open_window()
    unit.say(TEST[60:])
    unit.say(TEST.replace(b"9VKS0", b"AFTER"))
    await unit.heard.count(1)
    assert "Call sign :AFTER" in unit.heard.readings[0].value.lines


NO_TEST = {
    "a real alert": REAL,
    "a real alert that speaks of a test": REAL.replace(b"Call sign :9VKS0", b"TEST TEST"),
    "both markers": message("TEST TEST\r\nSECURITY SECURITY"),
    "cut": TEST[:-10],
    "noise": b"\x00\xff\r\n" * 200,
    "an endless line": b"x" * 3000,
    "nothing": b"",
}


@pytest.mark.parametrize("data", NO_TEST.values(), ids=NO_TEST.keys())
async def test_whatever_is_no_test_gives_exactly_what_nothing_gives(unit, data):
    await unit.open_window()
    before = copy.deepcopy(unit.driver.health)
    unit.say(data)
    unit.say(b"\r\n" + TEST)
    await unit.heard.count(1)
    after, readings = unit.driver.health, unit.heard.readings
    assert before == Health()
    assert after == Health(good=1, last_good_s=unit.clock.now_s())
    assert [reading.value for reading in readings] == [SsasMessage(TEST_LINES)]


async def test_a_real_alert_exists_where_the_gate_is_only_a_pass_through():
    """The gate is what keeps it away: without it these tests would see the alert."""
    unit = Unit(pass_through=True)
    await unit.open_window()
    unit.say(REAL)
    await unit.heard.count(1)
    assert "SECURITY SECURITY" in unit.heard.readings[0].value.lines
    await unit.close()


async def test_a_message_that_ends_after_expiry_does_not_exist(unit):
    await unit.open_window()
    unit.say(TEST + TEST[:100])
    await unit.heard.count(1)
    before = copy.deepcopy(unit.driver.health)
    await unit.clock.advance(WINDOW_S)
    await unit.until_listened_to(False)
    unit.say(TEST[100:])
    await unit.until_held(len(TEST) - 100)
    await unit.open_window()
    unit.say(TEST[100:])
    assert unit.driver.health == before
    unit.say(TEST.replace(b"9VKS0", b"AFTER"))
    await unit.heard.count(2)
    assert "Call sign :AFTER" in unit.heard.readings[1].value.lines
    assert unit.driver.health.good == before.good + 1


async def test_a_message_across_two_windows_without_a_gap_does_not_exist(unit):
    await unit.open_window()
    unit.say(TEST + TEST[:100])
    await unit.heard.count(1)
    await unit.clock.advance(1.0)
    unit.gate.close()
    unit.gate.open(duration_s=WINDOW_S, opened_by=("Master", "SSO"))
    await unit.clock.advance(1.0)
    unit.say(TEST[100:] + TEST.replace(b"9VKS0", b"AFTER"))
    await unit.heard.count(2)
    assert "Call sign :AFTER" in unit.heard.readings[1].value.lines
    assert unit.driver.health.good == 2


async def test_nothing_is_ever_written_to_the_port(unit):
    await unit.open_window()
    unit.say(TEST + REAL)
    await unit.heard.count(1)
    unit.gate.close()
    await unit.until_listened_to(False)
    with pytest.raises(BlockingIOError):
        os.read(unit.device, 1)


async def test_seven_bits_and_even_parity_are_read_where_the_device_says_so():
    unit = Unit(data_bits=7, parity="E")
    await unit.open_window()
    unit.say(bytes(code | (code.bit_count() % 2) << 7 for code in TEST))
    await unit.heard.count(1)
    assert unit.heard.readings[0].value == SsasMessage(TEST_LINES)
    await unit.close()


async def test_a_port_that_is_lost_inside_a_window_is_a_link_error(unit):
    await unit.open_window()
    device = unit.device
    unit.device = os.dup(0)
    os.close(device)
    with pytest.raises(LinkError):
        async with asyncio.timeout(PATIENCE_S):
            await unit.task
    assert unit.heard.readings == []
    assert unit.driver.health == Health()


async def test_over_tcp_what_a_serial_server_had_kept_is_thrown_away():
    clock = ManualClock()
    gate = CovertGate(clock)
    heard = Heard()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        link = {"kind": "tcp", "host": "127.0.0.1", "port": listener.getsockname()[1]}
        context = DriverContext("ssas", clock, gate, Provenance.SIMULATED)
        task = asyncio.create_task(DRIVER.build(configured(link), context).run(heard))
        await clock.advance(60.0)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
        gate.open(duration_s=WINDOW_S, opened_by=("Master", "SSO"))
        device, _ = await asyncio.get_running_loop().sock_accept(listener)
        with device:
            device.sendall(TEST)
            await clock.advance(SETTLE_S)
            device.sendall(TEST.replace(b"9VKS0", b"AFTER"))
            await heard.count(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert "Call sign :AFTER" in heard.readings[0].value.lines


async def test_a_converter_that_connects_to_us_late_hands_over_nothing_from_before():
    clock = ManualClock()
    gate = CovertGate(clock)
    heard = Heard()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    context = DriverContext("ssas", clock, gate, Provenance.SIMULATED)
    driver = DRIVER.build(configured({"kind": "tcp_server", "port": port}), context)
    task = asyncio.create_task(driver.run(heard))
    await clock.advance(60.0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    gate.open(duration_s=WINDOW_S, opened_by=("Master", "SSO"))
    await clock.advance(10 * SETTLE_S)
    _, device = await asyncio.open_connection("127.0.0.1", port)
    device.write(TEST)
    await device.drain()
    async with asyncio.timeout(PATIENCE_S):
        while clock.next_due_s() != clock.now_s() + SETTLE_S:  # noqa: ASYNC110 (it has no event to give)
            await asyncio.sleep(0)
    await clock.advance(SETTLE_S)
    device.write(TEST.replace(b"9VKS0", b"AFTER"))
    await heard.count(1)
    gate.close()
    await clock.advance(0.0)
    device.close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "Call sign :AFTER" in heard.readings[0].value.lines


async def test_neither_a_real_alert_nor_a_test_nor_a_lost_port_is_logged(unit, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as events:
        await unit.open_window()
        unit.say(REAL + TEST)
        await unit.heard.count(1)
        unit.gate.close()
        await unit.until_listened_to(False)
        assert logs.get("here").info("log.works") is None
    assert [event["event"] for event in events] == ["log.works"]
    assert [record for record in caplog.records if record.name != "asyncio"] == []
    assert capfd.readouterr() == ("", "")
