"""One NMEA line: what it says, and every way in which it may say nothing."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.drivers.sentences import (
    LONGEST_ENCAPSULATED,
    LONGEST_PARAMETRIC,
    Dropped,
    Sentence,
    SentenceError,
    parse,
    read_fix,
    read_motion,
)
from daemon.drivers.tag_block import LONGEST_TAG_BLOCK
from daemon.model import Fix, Motion, Position, Quality
from tests.recorded import RECORDED, needs_recordings

if TYPE_CHECKING:
    from pathlib import Path


def framed(body: str, start: str = "$") -> bytes:
    return f"{start}{body}*{reduce(xor, body.encode('latin-1')):02X}".encode("latin-1")


def gga(**changed: str) -> Sentence:
    fields = {
        "time": "021000.00",
        "lat": "0115.8400",
        "ns": "N",
        "lon": "10350.4000",
        "ew": "E",
        "quality": "1",
        "satellites": "09",
        "hdop": "0.9",
        "altitude": "12.0",
        "metres": "M",
        "geoid": "8.0",
        "metres2": "M",
        "age": "",
        "station": "",
    }
    return parse(framed("GPGGA," + ",".join((fields | changed).values())))


def rmc(**changed: str) -> Sentence:
    fields = {
        "time": "021000.00",
        "status": "A",
        "lat": "0115.8400",
        "ns": "N",
        "lon": "10350.4000",
        "ew": "E",
        "sog": "12.3",
        "cog": "213.4",
        "date": "221126",
        "variation": "",
        "side": "",
        "mode": "A",
    }
    return parse(framed("GPRMC," + ",".join((fields | changed).values())))


def reason(call, *arguments) -> Dropped:
    with pytest.raises(SentenceError) as caught:
        call(*arguments)
    return caught.value.reason


def test_a_sentence_has_its_talker_formatter_and_fields():
    assert parse(b"$GNTXT,a,,b*7E") == Sentence("GN", "TXT", ["a", "", "b"])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"$GPGGA,1*70", Dropped.CHECKSUM),
        (b"$GPGGA,1", Dropped.GARBAGE),
        (b"$GPGGA,1*7", Dropped.GARBAGE),
        (b"$GPGGA,1*7G", Dropped.GARBAGE),
        (b"$GPGGA*56", Dropped.GARBAGE),
        (b"GPGGA,1*67", Dropped.GARBAGE),
        (b"$GPGGA,1*67 ", Dropped.GARBAGE),
        (b"$GPGGA,\xe9*00", Dropped.GARBAGE),
        (b"\x00\xff\xfe", Dropped.GARBAGE),
        (b"", Dropped.GARBAGE),
        (b"\\", Dropped.GARBAGE),
        (b"\\s:AIS*00", Dropped.GARBAGE),
        (b"\\s:AIS*00\\", Dropped.GARBAGE),
    ],
)
def test_what_is_no_sentence_has_its_reason(line, expected):
    assert reason(parse, line) is expected


def test_the_checksum_may_be_written_in_small_letters():
    assert parse(b"$GPTXT,h*0B").fields == parse(b"$GPTXT,h*0b").fields == ["h"]


@pytest.mark.parametrize(
    ("start", "longest"), [("$", LONGEST_PARAMETRIC), ("!", LONGEST_ENCAPSULATED)]
)
def test_a_sentence_is_as_long_as_its_kind_may_be_and_no_longer(start, longest):
    line = framed("AITXT," + "x" * (longest - len("$AITXT,*hh")), start)
    assert len(line) == longest
    assert parse(line).formatter == "TXT"
    longer = framed("AITXT," + "x" * (longest + 1 - len("$AITXT,*hh")), start)
    assert reason(parse, longer) is Dropped.OVERLONG


def test_a_tag_block_in_front_is_skipped_and_bounded():
    sentence = framed("GPTXT,1")
    assert parse(b"\\" + b"x" * LONGEST_TAG_BLOCK + b"\\" + sentence).fields == ["1"]
    too_long = b"\\" + b"x" * (LONGEST_TAG_BLOCK + 1) + b"\\" + sentence
    assert reason(parse, too_long) is Dropped.GARBAGE


def test_a_fix_is_read():
    assert read_fix(gga()) == (
        Fix(Position(pytest.approx(1.264), pytest.approx(103.84)), 1, 9, 0.9),
        Quality.GOOD,
    )


def test_south_and_west_are_negative():
    fix, _ = read_fix(gga(ns="S", ew="W"))
    assert fix.position == Position(pytest.approx(-1.264), pytest.approx(-103.84))


@pytest.mark.parametrize(
    "changed",
    [
        {"quality": "0"},
        {"quality": ""},
        {"quality": "0", "lat": "8960.0000"},
        {"lat": ""},
        {"lon": ""},
        {"ns": ""},
        {"lat": "", "ns": "", "lon": "", "ew": "", "quality": "0", "satellites": "", "hdop": ""},
    ],
)
def test_no_fix_is_unknown_and_never_null_island(changed):
    assert read_fix(gga(**changed)) == (None, Quality.UNKNOWN)


def test_null_island_itself_is_a_place():
    fix, quality = read_fix(gga(lat="0000.0000", lon="00000.0000"))
    assert (fix.position, quality) == (Position(0.0, 0.0), Quality.GOOD)


@pytest.mark.parametrize(
    ("fix_quality", "quality"),
    [
        ("1", Quality.GOOD),
        ("5", Quality.GOOD),
        ("6", Quality.SUSPECT),
        ("7", Quality.SUSPECT),
        ("8", Quality.SUSPECT),
    ],
)
def test_a_position_that_no_satellites_gave_is_suspect(fix_quality, quality):
    assert read_fix(gga(quality=fix_quality))[1] is quality


def test_empty_satellites_and_hdop_are_none():
    fix, _ = read_fix(gga(satellites="", hdop=""))
    assert (fix.satellites, fix.hdop) == (None, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"lat": "9000.0001"},
        {"lat": "0160.0000"},
        {"lat": "115.84.00"},
        {"lat": "xx15.8400"},
        {"lat": "-115.8400"},
        {"lon": "18000.0001"},
        {"ns": "E"},
        {"ew": "EW"},
        {"quality": "9"},
        {"quality": "-1"},
        {"quality": "x"},
        {"satellites": "xx"},
        {"satellites": "100"},
        {"hdop": "nan"},
        {"hdop": "1e3"},
        {"hdop": "1000.1"},
    ],
)
def test_a_field_that_cannot_be_is_malformed(changed):
    assert reason(read_fix, gga(**changed)) is Dropped.MALFORMED


@pytest.mark.parametrize(
    ("lat", "lon"), [("9000.0000", "18000.0000"), ("0159.9999", "17959.9999"), ("0115", "10350")]
)
def test_the_ends_of_the_earth_are_places(lat, lon):
    assert read_fix(gga(lat=lat, lon=lon))[1] is Quality.GOOD


def test_a_gga_that_was_cut_is_malformed_though_its_checksum_is_right():
    assert read_fix(parse(framed("GPGGA" + "," * 14)))[1] is Quality.UNKNOWN
    assert reason(read_fix, parse(framed("GPGGA" + "," * 13))) is Dropped.MALFORMED


def test_motion_is_read():
    assert read_motion(rmc()) == (Motion(12.3, 213.4), Quality.GOOD)


@pytest.mark.parametrize(
    ("changed", "motion"),
    [
        ({"sog": "0.0", "cog": ""}, Motion(0.0, None)),
        ({"sog": "", "cog": "0.0"}, Motion(None, 0.0)),
        ({"cog": "360.0"}, Motion(12.3, 360.0)),
        ({"sog": ".5"}, Motion(0.5, 213.4)),
    ],
)
def test_an_empty_speed_or_course_is_none_and_zero_is_zero(changed, motion):
    assert read_motion(rmc(**changed)) == (motion, Quality.GOOD)


@pytest.mark.parametrize("changed", [{"status": "V"}, {"mode": "N"}, {"sog": "", "cog": ""}])
def test_a_receiver_that_warns_or_says_nothing_leaves_motion_unknown(changed):
    assert read_motion(rmc(**changed)) == (None, Quality.UNKNOWN)


@pytest.mark.parametrize("mode", ["E", "M", "S"])
def test_motion_that_no_satellites_gave_is_suspect(mode):
    assert read_motion(rmc(mode=mode)) == (Motion(12.3, 213.4), Quality.SUSPECT)


def test_an_rmc_of_the_second_edition_has_no_mode():
    old = parse(framed("GPRMC,021000,A,0115.84,N,10350.40,E,12.3,213.4,221126,,"))
    assert read_motion(old) == (Motion(12.3, 213.4), Quality.GOOD)
    cut = parse(framed("GPRMC,021000,A,0115.84,N,10350.40,E,12.3,213.4,221126,"))
    assert reason(read_motion, cut) is Dropped.MALFORMED


@pytest.mark.parametrize(
    "changed", [{"status": ""}, {"status": "X"}, {"sog": "x"}, {"cog": "360.1"}, {"sog": "-1"}]
)
def test_motion_that_cannot_be_is_malformed(changed):
    assert reason(read_motion, rmc(**changed)) is Dropped.MALFORMED


FIELD = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)


@given(st.binary(max_size=200))
@example(b"\\\\")
def test_no_bytes_raise_anything_but_a_sentence_error(line):
    try:
        sentence = parse(line)
    except SentenceError:
        return
    assert len(sentence.talker) == 2


@given(st.sampled_from(["GGA", "RMC"]), st.lists(FIELD, max_size=16))
def test_no_fields_raise_anything_but_a_sentence_error(formatter, fields):
    read = read_fix if formatter == "GGA" else read_motion
    try:
        value, quality = read(Sentence("GP", formatter, fields))
    except SentenceError:
        return
    assert (value is None) is (quality is Quality.UNKNOWN)


GOOD_LINE = framed("GPGGA,021000.00,0115.8400,N,10350.4000,E,1,09,0.9,12.0,M,8.0,M,,")
IN_THE_SUM = len(GOOD_LINE) - len("*hh")


@given(st.integers(0, IN_THE_SUM), st.integers(0, 7))
def test_one_flipped_bit_is_never_read(at, bit):
    line = bytearray(GOOD_LINE)
    line[at] ^= 1 << bit
    assert reason(parse, bytes(line)) in {Dropped.CHECKSUM, Dropped.GARBAGE}


def recorded_lines(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().splitlines() if line[:1] in b"$!" and line]


@needs_recordings
def test_recorded_sentences_of_many_makers_are_read_or_counted():
    counts: Counter[tuple[str, str]] = Counter()
    for line in recorded_lines(RECORDED / "nmea-sample.txt"):
        try:
            sentence = parse(line)
        except SentenceError as err:
            counts["not read", err.reason] += 1
            continue
        if sentence.formatter == "GGA":
            counts["GGA", read_fix(sentence)[1]] += 1
        elif sentence.formatter == "RMC":
            counts["RMC", read_motion(sentence)[1]] += 1
        else:
            counts["other", "sentence"] += 1
    assert counts == {
        ("GGA", Quality.GOOD): 13,
        ("GGA", Quality.UNKNOWN): 13,
        ("GGA", Quality.SUSPECT): 1,
        ("RMC", Quality.GOOD): 16,
        ("RMC", Quality.UNKNOWN): 14,
        ("other", "sentence"): 232,
        ("not read", Dropped.OVERLONG): 3,  # u-blox PUBX sentences do not keep to 82 characters
    }


@needs_recordings
def test_recorded_motion_has_the_speed_and_course_that_were_sent():
    line = recorded_lines(RECORDED / "nmea-sample.txt")[1]
    assert line == b"$GPRMC,201124,A,4702.3947,N,00818.3372,E,0.3,328.4,260807,0.6,E,A*10"
    assert read_motion(parse(line)) == (Motion(0.3, 328.4), Quality.GOOD)


@needs_recordings
def test_recorded_receivers_stand_where_gpsd_says():
    places, elsewhere = 0, {}
    for check in sorted(RECORDED.glob("gpsd/*.log.chk")):
        expected = places_by_gpsd(check)
        seen = good_places(check.with_suffix(""))
        places += len(seen)
        if not seen <= expected:
            elsewhere[check.name] = seen - expected
    assert elsewhere == {}
    assert places == 138  # and one more of no satellites, which is suspect


def places_by_gpsd(check: Path) -> set[tuple[float, float]]:
    reports = (
        json.loads(text)
        for text in check.read_text("latin-1").splitlines()
        if text.startswith('{"class":"TPV"')
    )
    return {(round(tpv["lat"], 4), round(tpv["lon"], 4)) for tpv in reports if "lat" in tpv}


def good_places(log: Path) -> set[tuple[float, float]]:
    places = set()
    for line in recorded_lines(log):
        with suppress(SentenceError):
            sentence = parse(line)
            fix, quality = read_fix(sentence) if sentence.formatter == "GGA" else (None, None)
            # A receiver in its demonstration mode (Garmin Geko: quality 8) is not there.
            if fix is not None and quality is Quality.GOOD:
                places.add((round(fix.position.lat_deg, 4), round(fix.position.lon_deg, 4)))
    return places
