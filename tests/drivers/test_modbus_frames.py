"""The pure part of Modbus: what is asked, and what counts as the answer."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU

from daemon.drivers.modbus_frames import (
    REQUESTS,
    MismatchError,
    Question,
    Refusal,
    inputs_as_number,
    read_answer,
)

ASKED = Question(transaction=7, unit=1, function=2, address=0, count=16)
RIGHT = bytes.fromhex("0007 0000 0005 01 02 02 a5 3c")
REFUSED = bytes.fromhex("0007 0000 0003 01 82 02")


@pytest.mark.parametrize(
    ("function", "frame"),
    [
        (1, "0007 0000 0006 01 01 0010 000c"),
        (2, "0007 0000 0006 01 02 0010 000c"),
        (3, "0007 0000 0006 01 03 0010 000c"),
        (4, "0007 0000 0006 01 04 0010 000c"),
    ],
)
def test_a_question_on_the_wire_is_as_the_standard_prints_it(function, frame):
    question = Question(transaction=7, unit=1, function=function, address=16, count=12)
    assert question.frame() == bytes.fromhex(frame)


def test_no_request_but_the_four_reads_can_be_made():
    assert set(REQUESTS) == {1, 2, 3, 4}
    assert {request.function_code for request in REQUESTS.values()} == {1, 2, 3, 4}
    with pytest.raises(KeyError):
        Question(transaction=7, unit=1, function=5, address=0, count=1).frame()


def test_the_right_answer_is_its_inputs():
    assert read_answer(ASKED, RIGHT) == b"\xa5\x3c"


def test_an_exception_is_a_refusal():
    assert read_answer(ASKED, REFUSED) == Refusal(2)


@pytest.mark.parametrize("frame", [RIGHT, REFUSED])
def test_an_answer_is_waited_for_until_its_last_byte(frame):
    for end in range(len(frame)):
        assert read_answer(ASKED, frame[:end]) is None


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("0008 0000 0005 01 02 02 a53c", "transaction"),
        ("0006 0000 0005 01 02 02 a53c", "transaction"),
        ("0000 0000 0005 01 02 02 a53c", "transaction"),
        ("0007 0001 0005 01 02 02 a53c", "protocol"),
        ("0007 0000 0005 02 02 02 a53c", "unit"),
        ("0007 0000 0005 00 02 02 a53c", "unit"),
        ("0007 0000 0005 01 01 02 a53c", "function"),
        ("0007 0000 0005 01 04 02 a53c", "function"),
        ("0007 0000 0003 01 81 02", "function"),
        ("0007 0000 0003 01 80 02", "function"),
        ("0007 0000 0004 01 02 01 a5", "length"),
        ("0007 0000 0006 01 02 03 a53c00", "length"),
        ("0007 0000 0003 01 02 00", "length"),
        ("0007 0000 0000 01 02 02 a53c", "length"),
        ("0007 0000 ffff 01 02 02 a53c", "length"),
        ("0007 0000 0004 01 82 02 00", "length"),
        ("0007 0000 0005 01 02 01 a53c", "byte count"),
        ("0007 0000 0005 01 02 03 a53c", "byte count"),
        ("0007 0000 0005 01 02 02 a53c 00", "end"),
        ("0007 0000 0003 01 82 02 00", "end"),
    ],
)
def test_one_field_that_does_not_match_and_it_is_no_answer(frame, reason):
    with pytest.raises(MismatchError) as caught:
        read_answer(ASKED, bytes.fromhex(frame))
    assert caught.value.reason == reason


def test_a_question_to_unit_zero_takes_an_answer_from_unit_zero_only():
    asked = Question(transaction=7, unit=0, function=2, address=0, count=16)
    assert read_answer(asked, RIGHT[:6] + b"\x00" + RIGHT[7:]) == b"\xa5\x3c"
    with pytest.raises(MismatchError):
        read_answer(asked, RIGHT)


@given(st.binary(max_size=40))
def test_noise_is_never_an_answer_and_never_a_crash(noise):
    try:
        answer = read_answer(ASKED, noise)
    except MismatchError:
        return
    assert answer is None or noise.startswith(RIGHT[:7])


@given(st.integers(0, len(RIGHT) - 3), st.integers(1, 255))
def test_no_flipped_bit_of_the_frame_around_the_inputs_passes(place, flip):
    bent = bytearray(RIGHT)
    bent[place] ^= flip
    try:
        answer = read_answer(ASKED, bytes(bent))
    except MismatchError:
        return
    assert answer is None


@given(st.integers(0, 255))
def test_exceptions_are_counted_under_few_names(code):
    names = {f"exception {n}" for n in (1, 2, 3, 4, 5, 6, 8, 10, 11, "other")}
    assert Refusal(code).reason in names


EVERYTHING = (1 << 2000) - 1


@given(st.sampled_from([1, 2]), st.binary(min_size=1, max_size=250))
def test_bits_are_read_as_another_decoder_reads_them(function, payload):
    pdu = DecodePDU(is_server=False).decode(bytes([function, len(payload)]) + payload)
    number = inputs_as_number(function, payload, visible=EVERYTHING)
    assert [bool(number >> n & 1) for n in range(len(payload) * 8)] == list(pdu.bits)


@given(st.sampled_from([3, 4]), st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=125))
def test_words_are_read_as_another_decoder_reads_them(function, words):
    payload = struct.pack(f">{len(words)}H", *words)
    pdu = DecodePDU(is_server=False).decode(bytes([function, len(payload)]) + payload)
    number = inputs_as_number(function, payload, visible=EVERYTHING)
    assert [number >> 16 * n & 0xFFFF for n in range(len(words))] == list(pdu.registers)


@given(
    st.sampled_from([1, 2, 3, 4]),
    st.binary(min_size=2, max_size=2),
    st.integers(0, 15),
    st.integers(0, 0xFFFF),
)
def test_what_is_not_visible_makes_no_difference(function, payload, hidden, visible):
    visible &= ~(1 << hidden)
    place = hidden // 8 if function < 3 else 1 - hidden // 8
    other = bytearray(payload)
    other[place] ^= 1 << hidden % 8
    seen = inputs_as_number(function, payload, visible=visible)
    assert seen == inputs_as_number(function, bytes(other), visible=visible)


@given(st.integers(1, 0xFFFF), st.integers(0, 255), st.binary(min_size=2, max_size=2))
def test_a_right_answer_of_another_encoder_is_taken(transaction, unit, inputs):
    asked = Question(transaction=transaction, unit=unit, function=2, address=0, count=16)
    framer = FramerSocket(DecodePDU(is_server=True))
    frame = framer.encode(bytes([2, 2]) + inputs, unit, transaction)
    assert read_answer(asked, frame) == inputs
