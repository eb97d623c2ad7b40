"""Nothing in a case names a ship, a person or a place; everything else in it is as it came."""

from __future__ import annotations

import random
from itertools import pairwise

import pyais
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.capture.masking import betrayals, masked
from daemon.capture.masking_ais import LAYOUTS, Masks, Shift
from daemon.capture.masking_ais import masked as masked_ais
from daemon.drivers.sentences import parse
from daemon.model import Position, Ship
from daemon.navigation.geodesy import distance_m
from tests.drivers.nmea_rig import framed
from tests.recorded import RECORDED, needs_recordings

SHIP = Ship("STELLA POLARIS", 9074729, 257465000, "LAXY4")
SHIFT = Shift(lat=700_001, lon=-90_000_003)


def masks():
    return Masks(SHIP.mmsi, SHIFT)


def lines_of(*bodies, start="$"):
    return [framed(body, start).encode("ascii") for body in bodies]


def one(body):
    done = masked(lines_of(body), SHIP, masks())
    return None if done.lines[0] is None else done.lines[0].decode("ascii")


def ais(**fields):
    return [line.encode() for line in pyais.encode_dict(fields, talker_id="AI", radio_channel="A")]


def read(lines):
    return pyais.decode(*lines).asdict()


POSITION = {"lat": 1.264, "lon": 103.84}
MESSAGES = [
    {"msg_type": 1, "mmsi": SHIP.mmsi, "speed": 12.3, "course": 200.5, "heading": 201, **POSITION},
    {"msg_type": 3, "mmsi": "538006400", "speed": 0.1, **POSITION},
    {"msg_type": 4, "mmsi": "005630001", "year": 2026, **POSITION},
    {
        "msg_type": 5,
        "mmsi": SHIP.mmsi,
        "imo": SHIP.imo_number,
        "callsign": SHIP.call_sign,
        "shipname": SHIP.name,
        "destination": "SINGAPORE",
        "ship_type": 71,
        "draught": 8.4,
    },
    {"msg_type": 9, "mmsi": "111232506", "alt": 300, **POSITION},
    {"msg_type": 18, "mmsi": "533000123", "speed": 5.0, **POSITION},
    {"msg_type": 19, "mmsi": "533000123", "shipname": "FISHER", **POSITION},
    {"msg_type": 21, "mmsi": "995636001", "name": "RAFFLES", **POSITION},
    {"msg_type": 24, "partno": 0, "mmsi": "533000123", "shipname": "FISHER"},
    {"msg_type": 24, "partno": 1, "mmsi": "533000123", "callsign": "9W123", "vendorid": "SRT"},
    {"msg_type": 27, "mmsi": SHIP.mmsi, "status": 5, **POSITION},
]
IDENTITY = {
    "mmsi",
    "lat",
    "lon",
    "imo",
    "callsign",
    "shipname",
    "destination",
    "name",
    "name_ext",
    "full_name",
}
MAKERS = {"vendorid", "model", "serial"}


@pytest.mark.parametrize(
    "said",
    MESSAGES,
    ids=lambda said: f"{said['msg_type']}{'ab'[said['partno']] if 'partno' in said else ''}",
)
def test_an_ais_message_is_another_ships_and_otherwise_the_same(said):
    lines = ais(**said)
    done = masked(lines, SHIP, masks())
    before, after = read(lines), read(done.lines)
    changed = {key for key in before if before[key] != after[key]}
    assert changed <= IDENTITY | MAKERS
    assert int(after["mmsi"]) != int(before["mmsi"])
    assert (int(after["mmsi"]) == 299000019) is (int(before["mmsi"]) == SHIP.mmsi)
    if "lat" in before:
        assert before["lat"] != after["lat"]
        coarse = 1 / 600 if said["msg_type"] == 27 else 1e-5
        assert after["lat"] - before["lat"] == pytest.approx(SHIFT.lat / 600_000, abs=coarse)
    for line in done.lines:
        parse(line)


def test_own_static_data_is_the_sample_ships():
    after = read(masked(ais(**MESSAGES[3]), SHIP, masks()).lines)
    assert (after["imo"], after["callsign"], after["shipname"]) == (
        9999993,
        "9VKS0",
        "KESTREL STRAIT",
    )
    assert after["destination"] == ""


@pytest.mark.parametrize(
    ("mmsi", "becomes"),
    [
        ("538006400", "298000001"),
        ("005630001", "002990001"),
        ("111232506", "111299001"),
        ("970012345", "970000001"),
        ("995636001", "992990001"),
        ("982570001", "982990001"),
    ],
)
def test_a_station_stays_of_its_kind(mmsi, becomes):
    assert masks().mmsi(int(mmsi)) == int(becomes)


def test_the_same_station_is_the_same_in_every_message():
    told = masks()
    first = told.mmsi(538006400)
    assert told.mmsi(636012345) != first
    assert told.mmsi(538006400) == first


@pytest.mark.parametrize(
    ("mother", "becomes"),
    [(SHIP.mmsi, 299000019), (538006400, 298000002), (0, 0)],
)
def test_the_mother_ship_of_an_auxiliary_craft_is_another_too(mother, becomes):
    craft = {"msg_type": 24, "partno": 1, "mmsi": "982570001", "mothership_mmsi": mother}
    lines = ais(**craft)
    assert read(masked(lines, SHIP, masks()).lines)["mothership_mmsi"] == becomes
    ends_within = lines[0].split(b",")[5].decode()[:-4]
    after = masked_ais(ends_within, masks()) or ""
    assert after[22:] == "0" * len(ends_within[22:])


def test_the_size_of_any_other_craft_stays():
    fields = {"msg_type": 24, "partno": 1, "mmsi": "533000123", "callsign": "9W123", "to_bow": 12}
    assert read(masked(ais(**fields), SHIP, masks()).lines)["to_bow"] == 12


def test_a_position_that_is_not_available_stays_so():
    lines = ais(msg_type=1, mmsi="538006400", lat=91, lon=181)
    assert read(masked(lines, SHIP, masks()).lines)["lat"] == 91


@pytest.mark.parametrize("kind", [6, 8, 12, 14, 17, 25, 26])
def test_a_message_that_may_name_ships_where_nobody_looks_is_left_out(kind):
    payload = pyais.encode_dict({"msg_type": 1, "mmsi": "538006400"})[0].split(",")[5]
    first = chr(kind + 48)
    assert masked_ais(first + payload[1:], masks()) is None


@pytest.mark.parametrize("kind", LAYOUTS)
@given(data=st.data())
def test_no_payload_can_raise_and_its_length_stays(kind, data):
    rest = data.draw(st.text(alphabet="0123456789:;<=>?@ABCW`abcw", max_size=80))
    done = masked_ais(chr(kind + 48) + rest, masks())
    assert done is None or len(done) == len(rest) + 1


@given(st.lists(st.binary(max_size=100), max_size=8))
def test_no_lines_can_raise(lines):
    assert len(masked(lines, SHIP, masks()).lines) == len(lines)


def test_positions_move_by_one_offset_so_that_distances_stay():
    bodies = [
        f"GPGGA,02100{n}.00,0115.8{n}00,N,10350.4{n}00,E,1,09,0.9,12.0,M,8.0,M,," for n in range(4)
    ]
    done = masked(lines_of(*bodies), SHIP, masks())

    def places(lines):
        for line in lines:
            fields = parse(line).fields
            lat, lon = (float(fields[at][:-7]) + float(fields[at][-7:]) / 60 for at in (1, 3))
            yield Position(lat if fields[2] == "N" else -lat, lon if fields[4] == "E" else -lon)

    def legs(lines):
        return [distance_m(a, b) for a, b in pairwise(places(lines))]

    assert legs(done.lines) == pytest.approx(legs(lines_of(*bodies)), rel=0.01)
    assert distance_m(*[next(places(lines)) for lines in (done.lines, lines_of(*bodies))]) > 50_000


@pytest.mark.parametrize(
    "body",
    [
        "GPGLL,0115.84,N,10350.40,E,021000.00,A,A",
        "GPRMC,021000.00,A,0115.8400,N,10350.4000,E,0.0,20.0,221126,,,A",
        "GNGNS,021000.00,0115.840000,N,10350.400000,E,AA,13,0.9,12.0,8.0,,",
    ],
)
def test_every_sentence_with_a_position_is_moved_with_as_many_digits(body):
    said = one(body)
    assert "0115.84" not in said
    assert "10350.40" not in said
    assert len(said) == len(framed(body))


def test_across_the_date_line_and_near_a_pole_a_position_is_still_one():
    lat, lon = Shift(1_800_000, 107_000_000).moved(88 * 600_000, 170 * 600_000)
    assert lat <= 89 * 600_000
    assert -180 * 600_000 <= lon < 0


@pytest.mark.parametrize(
    "body", ["HDDOR,E,051111.00,HD,A1,,001,C,O,H01", "HETHS,20.0,A", "AIALR,,,V,V,"]
)
def test_what_names_nobody_passes_as_it_is(body):
    assert one(body) == framed(body)


def test_own_names_in_a_text_are_the_sample_ships():
    said = one("AITXT,01,01,01,Stella Polaris LAXY4 257465000 9074729")
    assert said == framed("AITXT,01,01,01,KESTREL STRAIT 9VKS0 299000019 9999993")


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("LOST 235012345 5130.12N 00120.55E", "LOST 298000001 0000.00N 00000.00E"),
        ("SART 970012345 51-30.12' N", "SART 970000001 00-00.00' N"),
        ("own 257465000", "own 299000019"),
        ("12 NM E of 1234567890123", "12 NM E of 1234567890123"),
        ("fix 3.123456789 at 123456789.5", "fix 3.123456789 at 123456789.5"),
    ],
)
def test_other_stations_and_positions_in_a_text_are_masked(text, becomes):
    assert one(f"AITXT,01,01,07,{text}") == framed(f"AITXT,01,01,07,{becomes}")


@pytest.mark.parametrize(
    "body",
    [
        "AISSD,LAXY4@@,STELLA POLARIS@@@@@@,010,010,05,05,1,AI",
        "GPWPL,0115.8,N,10350.4,E,HOME",
        "PGRME,1,M",
    ],
)
def test_what_is_not_known_to_be_harmless_is_left_out_and_counted(body):
    done = masked(lines_of(body), SHIP, masks())
    assert done.lines == [None]
    assert done.left_out.total() == 1


def test_what_cannot_be_read_stays_unreadable_and_says_nothing():
    spoilt = framed("GPGLL,0115.84,N,10350.40,E,021000.00,A,A").encode()[:-1] + b"Z"
    assert masked([spoilt, b"STELLA POLARIS"], SHIP, masks()).lines == [
        b"?" * len(spoilt),
        b"?" * 14,
    ]


def test_a_tag_block_stays_where_it_names_a_source_and_no_more():
    line = framed("HETHS,20.0,A").encode()
    kept, dropped = b"\\s:HE0001,n:12*00\\" + line, b"\\t:STELLA POLARIS*00\\" + line
    done = masked([kept, dropped], SHIP, masks())
    assert done.lines == [kept, None]
    assert done.left_out == {"tag block": 1}


def test_parts_of_a_message_without_the_others_are_left_out():
    first, second = ais(**MESSAGES[3])
    done = masked([first, first, second], SHIP, masks())
    assert done.lines[0] is None
    assert None not in done.lines[1:]
    assert done.left_out == {"incomplete message": 1}
    assert masked([second], SHIP, masks()).left_out == {"incomplete message": 1}


def test_the_last_look_finds_what_still_names_the_ship():
    said = [b"$..TXT,stella polaris", b"LAXY4"]
    assert list(betrayals(said, SHIP)) == ["name", "call sign"]
    assert list(betrayals([b"nothing"], SHIP)) == []


@needs_recordings
def test_in_a_recorded_log_no_station_keeps_its_number():
    files = [file for file in sorted(RECORDED.glob("pyais/**/*")) if file.is_file()]
    lines = [line.strip() for file in files for line in file.read_bytes().splitlines()]
    lines = [line for line in lines if line.startswith(b"!")][:3000]
    told = masks()
    done = masked(lines, SHIP, told)
    pairs = zip(lines, done.lines, strict=True)
    kept = [(was, now) for was, now in pairs if now and now.split(b",")[1:2] == [b"1"]]
    assert kept
    for was, now in random.Random(1).sample(kept, min(300, len(kept))):
        before, after = (pyais.decode(line) for line in (was, now))
        assert before.msg_type == after.msg_type
        assert int(after.mmsi) == told.mmsi(int(before.mmsi))
        assert int(after.mmsi) != int(before.mmsi)
