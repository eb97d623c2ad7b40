"""The reason of an outage says in plain words what a port hears instead; never a word of what it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.drivers.modbus_rtu_frames import question_frame
from daemon.drivers.overheard import (
    FAMILIES,
    FEWEST_BYTES,
    FEWEST_DAMAGED,
    MOST_BYTES,
    Overheard,
    OverheardOnBus,
    explain,
)
from simulators.misread import misread, with_even_parity
from simulators.rtu_line import frame
from simulators.ssas_unit import message
from tests.clocks import ManualClock
from tests.drivers.nmea_rig import framed
from tests.drivers.test_modbus_rtu_ports import question

GNSS = "".join(
    framed(body) + "\r\n"
    for body in (
        "GPGGA,021000.00,0115.8400,N,10350.4000,E,1,09,0.9,12.0,M,8.0,M,,",
        "GPRMC,021000.00,A,0115.8400,N,10350.4000,E,0.0,20.0,221126,,,A",
    )
).encode()
AIS = (framed("AIVDM,1,1,,A,14QILMP0007Np90@rKH028b0P000,0", "!") + "\r\n").encode() * 2
COMPASS = (framed("HETHS,20.0,A") + "\r\n").encode() * 3
TAGGED = (r"\s:HE0002*46" + "\\" + framed("HETHS,20.0,A") + "\r\n").encode() * 3
SPEEDS = (4800, 9600, 19200, 38400, 115200)


@pytest.mark.parametrize(
    ("heard", "expected", "said"),
    [
        (AIS, "nav", "hears AIS sentences (AIVDM), expected GNSS: cables swapped?"),
        (COMPASS, "nav", "hears compass sentences (HETHS), expected GNSS: cables swapped?"),
        (GNSS, "ais", "hears GNSS sentences (GPGGA, GPRMC), expected AIS: cables swapped?"),
        (GNSS, "heading", "hears GNSS sentences (GPGGA, GPRMC), expected compass: cables swapped?"),
        (
            (framed("AIALR,,,V,V,") + "\r\n").encode() * 2 + COMPASS,
            "log",
            "hears compass sentences (HETHS), expected speed log: cables swapped?",
        ),
        (
            (framed("PGRME,15.0,M,45.0,M,25.0,M") + "\r\n").encode() * 2,
            "nav",
            "hears PGRME, expected GNSS: is it the right port?",
        ),
    ],
)
def test_a_wrong_device_is_named_by_what_it_says(heard, expected, said):
    assert explain(heard, expected=expected) == said


def test_the_right_device_needs_no_words():
    assert explain(GNSS, expected="nav") is None


def test_on_a_shared_line_only_ones_own_talkers_count():
    said = explain(GNSS, expected="nav", talkers=frozenset({"GN"}))
    assert said == "hears GPGGA, GPRMC, but nothing of talker GN: see talkers in the file"
    assert explain(GNSS + AIS, expected="nav", talkers=frozenset({"GP"})) is None
    said = explain(GNSS + COMPASS, expected="nav", talkers=frozenset({"HE"}))
    assert said == "hears compass sentences (HETHS), expected GNSS: cables swapped?"


@pytest.mark.parametrize(
    ("sent", "read"), [(sent, read) for sent in SPEEDS for read in SPEEDS if sent != read]
)
@pytest.mark.parametrize("speech", [GNSS, AIS], ids=["gnss", "ais"])
def test_a_wrong_speed_is_said_whichever_the_two_are(sent, read, speech):
    heard = misread(speech * 8, sent_baud=sent, read_baud=read)
    said = explain(heard, expected="nav", set_as=f"{read} 8N1")
    assert said == f"bytes come but no sentence: wrong baud rate? {read} 8N1 set"


def test_a_parity_bit_that_8n1_does_not_take_off_is_said():
    heard = with_even_parity(GNSS)
    said = explain(heard, expected="nav", set_as="4800 8N1")
    assert said == "hears sentences with a parity bit: a port of 7E1 or 7O1? 4800 8N1 set"


def test_a_modbus_line_on_a_nav_port_is_said_with_its_units():
    bus = b"".join(
        question_frame(question()) + frame(5, bytes([2, 1, level])) for level in (9, 8, 9)
    )
    said = explain(bus, expected="nav")
    assert said == "hears Modbus frames (unit 5), expected GNSS: cables swapped?"


def test_sentences_whose_checksum_is_always_wrong_are_said():
    spoilt = GNSS.replace(b"0115", b"0116")
    assert "every checksum is wrong" in explain(spoilt, expected="nav")


def test_text_that_is_no_sentence_is_never_spoken_of():
    # It may be the printer port of an SSAS unit on the wrong plug, and then it may be real (invariant 1).
    for marker in ("TEST TEST", "SECURITY SECURITY"):
        printed = message(marker, ManualClock().utc()).encode()
        for feed in FAMILIES:
            assert explain(printed * 4, expected=feed, set_as="9600 8N1") is None
            # Nor where the unit prints 7E1 and the port is set to 8N1.
            printed_7e1 = with_even_parity(printed)
            assert explain(printed_7e1 * 4, expected=feed, set_as="9600 8N1") is None


def test_of_a_few_bytes_nothing_is_said():
    assert explain(b"\xff" * (FEWEST_BYTES - 1), expected="nav") is None
    assert explain(b"\xff" * FEWEST_BYTES, expected="nav") is not None


def test_only_what_came_since_the_last_good_line_counts_and_memory_is_bounded():
    other = Overheard(expected="nav")
    for _ in range(1000):
        other.hear(AIS)
    assert len(other._sample) <= MOST_BYTES
    assert "AIVDM" in other.hint()
    other.forget()
    assert other.hint() is None


def test_a_bus_that_hears_a_talker_or_the_wrong_speed_says_so():
    other = OverheardOnBus(set_as="9600 8N1")
    other.unasked(GNSS)
    assert other.hint() == "hears NMEA sentences (GPGGA, GPRMC), expected Modbus: cables swapped?"
    other.forget()
    for _ in range(FEWEST_DAMAGED):
        assert other.hint() is None
        other.answer(b"\xff\x00\xfe")
    assert other.hint() == "bytes come but no frame: wrong baud rate or parity? 9600 8N1 set"


def test_whole_frames_of_another_unit_are_no_wrong_speed():
    other = OverheardOnBus()
    for _ in range(100):
        other.answer(frame(6, bytes([2, 1, 9])))
        other.answer(b"")
    assert other.hint() is None


@given(level=st.binary(min_size=1, max_size=2))
def test_of_a_damaged_answer_no_input_is_kept(level):
    other = OverheardOnBus()
    other.answer(frame(5, bytes([2, len(level)]) + level)[:-1])
    assert other._text == b""


@given(
    st.binary(max_size=3000),
    st.sampled_from(sorted(FAMILIES)),
    st.sampled_from([frozenset(), frozenset({"GP"})]),
)
def test_nothing_that_comes_can_raise(sample, feed, talkers):
    said = explain(sample, expected=feed, set_as="4800 8N1", talkers=talkers)
    assert said is None or (said.isprintable() and len(said) < 200)


@given(st.lists(st.sampled_from([GNSS, AIS, b"\xff", b"$", b"\x05\x02\x01", b"*00\r\n", b"!A"])))
def test_nothing_that_looks_nearly_right_can_raise(pieces):
    sample = b"".join(pieces)
    bus = OverheardOnBus()
    bus.answer(sample)
    bus.hint()
    for feed in FAMILIES:
        explain(sample, expected=feed)


@pytest.mark.parametrize(
    ("sample", "named"),
    [(COMPASS, "without any source"), (TAGGED, "of HE0002"), (AIS, "cables swapped")],
)
def test_a_network_that_names_another_source_says_which(sample, named):
    other = Overheard(expected="heading", sources=["HE0001"])
    other.hear(sample)
    assert named in other.hint()
    if sample is not AIS:
        assert other.hint().endswith("but nothing of source HE0001: see sources in the file")
