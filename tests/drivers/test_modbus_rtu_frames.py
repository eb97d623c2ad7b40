"""The pure part of Modbus RTU: what is asked, and what counts as the answer."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU

from daemon.drivers.modbus_frames import Question, Refusal
from daemon.drivers.modbus_rtu_frames import (
    LONGEST_FRAME_BYTES,
    answer_bytes,
    is_intact,
    question_frame,
    read_answer,
    why_not,
)
from simulators.rtu_line import crc

ASKED = Question(transaction=7, unit=1, function=2, address=0, count=8)


def framed(text):
    """Return a frame with the CRC of the simulator, which shares none with the driver."""
    words = bytes.fromhex(text)
    return words + crc(words)


RIGHT = framed("01 02 01 a5")
REFUSED = framed("01 82 02")


def test_a_question_on_the_wire_is_as_the_maker_prints_it():
    """Waveshare's own example: 01 02 00 00 00 08 79 CC."""
    assert question_frame(ASKED) == bytes.fromhex("01 02 00 00 00 08 79 cc")


@pytest.mark.parametrize("function", [1, 2, 3, 4])
def test_each_read_function_can_be_asked(function):
    question = Question(transaction=1, unit=17, function=function, address=0x0200, count=4)
    assert question_frame(question) == framed(f"11 0{function} 0200 0004")


def test_no_request_but_the_four_reads_can_be_made():
    with pytest.raises(KeyError):
        question_frame(Question(transaction=1, unit=1, function=5, address=0, count=1))


def test_the_right_answer_is_its_inputs():
    assert read_answer(ASKED, RIGHT) == b"\xa5"
    assert answer_bytes(ASKED) == len(RIGHT)


def test_an_intact_frame_that_announces_inputs_and_has_none_is_no_answer():
    """Two bytes of inputs are asked for, and announced; that would be sixteen inputs that are off."""
    asked = Question(transaction=7, unit=1, function=2, address=0, count=16)
    assert read_answer(asked, framed("01 02 02")) is None


def test_an_exception_is_a_refusal():
    assert read_answer(ASKED, REFUSED) == Refusal(2)


@pytest.mark.parametrize("frame", [RIGHT, REFUSED])
def test_nothing_but_the_whole_frame_alone_is_an_answer(frame):
    for end in range(len(frame)):
        assert read_answer(ASKED, frame[:end]) is None
    assert read_answer(ASKED, frame + b"\x00") is None
    assert read_answer(ASKED, b"\x00" + frame) is None
    assert read_answer(ASKED, frame + frame) is None


@pytest.mark.parametrize(
    ("frame", "reason", "says"),
    [
        (framed("02 02 01 a5"), "unit", "got 2, not 1"),
        (framed("00 02 01 a5"), "unit", "got 0, not 1"),
        (framed("01 01 01 a5"), "function", "got 1, not 2"),
        (framed("01 83 02"), "function", "got 131, not 2"),
        (framed("01 02 00 a5"), "length", "got 6, not 6"),
        (framed("01 02 02 a5 3c"), "length", "got 7, not 6"),
        (framed("01 02 00"), "length", "got 5, not 6"),
        (RIGHT[:-1] + bytes([RIGHT[-1] ^ 1]), "crc", "not one intact frame"),
        (RIGHT * 2, "crc", "not one intact frame"),
        (b"\xff", "crc", "not one intact frame"),
        (b"\x55" * 5000, "crc", "not one intact frame"),
    ],
)
def test_one_field_that_does_not_match_and_it_is_no_answer(frame, reason, says):
    assert read_answer(ASKED, frame) is None
    error = why_not(ASKED, frame)
    assert error.reason == reason
    assert says in str(error)


@given(st.binary(min_size=1, max_size=300))
def test_noise_is_never_an_answer_and_never_a_crash(noise):
    if not is_intact(noise):
        assert read_answer(ASKED, noise) is None
        assert str(why_not(ASKED, noise)) == "crc mismatch: not one intact frame"


@given(st.integers(0, len(RIGHT) - 1), st.integers(1, 255))
def test_no_flipped_bit_passes(place, flip):
    bent = bytearray(RIGHT)
    bent[place] ^= flip
    assert read_answer(ASKED, bytes(bent)) is None


@given(st.integers(1, 247), st.sampled_from([1, 2, 3, 4]), st.integers(1, 125), st.data())
def test_a_right_answer_of_another_encoder_is_taken(unit, function, count, data):
    asked = Question(transaction=1, unit=unit, function=function, address=9, count=count)
    size = asked.payload_bytes
    payload = data.draw(st.binary(min_size=size, max_size=size))
    framer = FramerRTU(DecodePDU(is_server=True))
    frame = framer.encode(bytes([function, len(payload)]) + payload, unit, 0)
    assert read_answer(asked, frame) == payload


@given(st.binary(max_size=60))
def test_both_ends_reckon_the_same_crc(words):
    assert crc(words) == FramerRTU.compute_CRC(words).to_bytes(2, "big")


def test_the_longest_frame_is_read_and_no_longer_one():
    words = bytes(LONGEST_FRAME_BYTES - 2)
    assert is_intact(words + crc(words))
    words += b"\x00"
    assert not is_intact(words + crc(words))


@given(st.integers(0, 7), st.binary(min_size=1, max_size=1), st.integers(0, 5))
def test_covert_what_is_said_of_a_broken_answer_does_not_depend_on_an_input(lamp, inputs, cut):
    """A frame that has lost its head puts inputs where the unit or function would be."""
    dark = framed("01 02 01" + inputs.hex())[cut:-1]
    lit_inputs = bytes([inputs[0] ^ 1 << lamp])
    lit = framed("01 02 01" + lit_inputs.hex())[cut:-1]
    # One broken frame in 65,536 has a right CRC by chance; 16 bits cannot tell it from a whole one.
    assume(not is_intact(dark) and not is_intact(lit))
    assert str(why_not(ASKED, dark)) == str(why_not(ASKED, lit))
