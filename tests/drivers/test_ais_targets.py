"""Other ships: what is read of them is what pyais reads, and nobody can make the table grow."""

from __future__ import annotations

import random
import re
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyais import bit_vector

from daemon.drivers import ais_fields
from daemon.drivers.ais import AisFeed, decode, whole_message
from daemon.drivers.ais_targets import (
    FORGET_S,
    HEARD,
    MOST_NEWCOMERS,
    MOST_TARGETS,
    SLOTS_PER_MIN,
    TargetTable,
)
from daemon.drivers.sentences import Sentence, SentenceError, parse
from daemon.model import AisKind, AisTarget, Position
from simulators.ships import OTHERS, OWN_SHIP
from simulators.vessel_ais import ais, class_b_report, position_report, static_data
from tests.recorded import RECORDED, needs_recordings

NOON = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
NOTHING_SAID = bit_vector(b"1" + b"0" * 27, 0)
STATION_OF_8_BITS = re.compile(rb"![^*]*\*[0-9A-Fa-f]{2}")


def vector(bits: str) -> object:
    """Return bits as a feed has them."""
    [line] = ais("VDM", "A", bits)
    _, _, _, _, payload, fill = parse(line.encode("ascii")).fields
    return whole_message(payload, int(fill))[1]


def hear(table: TargetTable, bits: str, now_s: float, *, times: int = 2) -> None:
    for _ in range(times):
        table.hear(int(bits[:6], 2), int(bits[8:38], 2), vector(bits), now_s)  # type: ignore[arg-type]


def the(table: TargetTable, now_s: float = 0.0) -> AisTarget:
    (target,) = table.look(now_s).targets
    return target


# --- what is read ---


def recorded_messages() -> list[tuple[str, int]]:
    """Return every whole payload of the recorded feeds, and its fill bits."""
    found: list[tuple[str, int]] = []
    files = (
        *RECORDED.glob("pyais/*"),
        *RECORDED.glob("libais/*"),
        *RECORDED.glob("gpsd/*aivdm"),
        *RECORDED.glob("gpsd/ais*.log"),
    )
    for file in sorted(files):
        parts: dict[tuple[str, str], str] = {}
        for framed in STATION_OF_8_BITS.findall(file.read_bytes()):
            try:
                sentence = parse(framed)
                total, number, sequence, _, payload, fill = sentence.fields
            except (SentenceError, ValueError):
                continue
            whole = parts.pop((sequence, total), "") + payload if number != "1" else payload
            if number == total and fill.isdecimal():
                found.append((whole, int(fill)))
            else:
                parts[sequence, total] = whole
    return found


@needs_recordings
def test_every_recorded_message_says_to_us_what_it_says_to_pyais():
    compared = dict.fromkeys(HEARD, 0)
    for payload, fill in recorded_messages():
        try:
            message_type, bits = whole_message(payload, fill)
            message = decode(payload, fill)
        except SentenceError:
            continue
        if message_type in HEARD:
            compared[message_type] += 1
            agrees(message_type, bits, message)
    assert all(compared.values()), compared
    assert sum(compared.values()) == 247


@given(st.sampled_from(sorted(HEARD)), st.integers(0, 2**424 - 1))
def test_any_bits_say_to_us_what_they_say_to_pyais(message_type, said):
    long = {5: 424, 19: 312, 21: 272}.get(message_type, 168)
    bits = f"{message_type:06b}" + f"{said:0424b}"[: long - 6]
    fill = -len(bits) % 6
    codes = [int((bits + "0" * fill)[at : at + 6], 2) for at in range(0, long + fill, 6)]
    payload = "".join(chr(code + (48 if code < 40 else 56)) for code in codes)
    if message_type == 24 and int(bits[38:40], 2) > 1:
        return  # there are parts A and B
    agrees(message_type, whole_message(payload, fill)[1], decode(payload, fill))


def agrees(message_type: int, bits: ais_fields.Bits, message: object) -> None:
    """Hold each field that is read here against pyais."""
    assert bits.get(8, 30) == message.mmsi  # type: ignore[attr-defined]
    if (layout := ais_fields.PLACES.get(message_type)) is not None:
        where = message.lat, message.lon  # type: ignore[attr-defined]
        is_place = abs(where[0]) <= 90 and abs(where[1]) <= 180
        position = ais_fields.position(bits, layout)
        # pyais rounds to six digits.
        assert (position is not None) is is_place
        if position is not None:
            assert (position.lat_deg, position.lon_deg) == pytest.approx(where, abs=1e-6)
        top = {1: 102.3, 2: 102.3, 3: 102.3, 18: 102.3, 19: 102.3, 9: 1023, 27: 63}
        if message_type in top:
            speed_kn = message.speed  # type: ignore[attr-defined]
            wanted = None if speed_kn == top[message_type] else pytest.approx(speed_kn)
            assert ais_fields.speed_kn(bits, layout) == wanted
        if message_type in {1, 2, 3, 27}:
            assert ais_fields.status(bits, layout) == message.status  # type: ignore[attr-defined]
    said = getattr(message, "shipname", getattr(message, "name", None))
    if message_type == 24 and bits.get(38, 2) != 0:
        said = None
    if message_type in ais_fields.NAMES:
        name = ais_fields.name(bits, message_type)
        assert name == (None if said is None else said.partition("@")[0].strip())


# --- who is a target ---


def test_the_second_message_makes_a_target():
    table = TargetTable()
    hear(table, position_report(OTHERS[0], NOON), 1.0, times=1)
    assert table.look(1.0).targets == ()
    hear(table, position_report(OTHERS[0], NOON), 9.0, times=1)
    assert the(table, 9.0) == AisTarget(
        mmsi=299000101,
        kind=AisKind.CLASS_A,
        heard_s=9.0,
        position=Position(1.2512, 103.8233),
        position_s=9.0,
        sog_kn=9.4,
        navigation_status=0,
        name="",
    )


def test_a_name_comes_with_the_static_data_and_moves_nobody():
    table = TargetTable()
    hear(table, position_report(OWN_SHIP, NOON), 1.0)
    first, second = (parse(line.encode()) for line in ais("VDM", "A", static_data(OWN_SHIP)))
    feed = AisFeed(lambda: None, table)
    feed.take(first, 30.0)
    feed.take(second, 30.0)
    target = the(table, 30.0)
    assert (target.name, target.position_s, target.heard_s) == ("KESTREL STRAIT", 1.0, 30.0)
    assert target.position == Position(1.264, 103.84)


@pytest.mark.parametrize(
    ("mmsi", "message_type", "kind"),
    [
        (299000101, 1, AisKind.CLASS_A),
        (299000101, 3, AisKind.CLASS_A),
        (299000101, 18, AisKind.CLASS_B),
        (2990001, 4, AisKind.BASE_STATION),
        (111299001, 9, AisKind.AIRCRAFT),
        (992990001, 21, AisKind.AID),
        (299000101, 27, AisKind.CLASS_A),
        (970010001, 1, AisKind.DISTRESS),
        (972010001, 1, AisKind.DISTRESS),
        (974010001, 1, AisKind.DISTRESS),
        (975010001, 1, AisKind.CLASS_A),
    ],
)
def test_kinds_are_told_apart(mmsi, message_type, kind):
    table = TargetTable()
    bits = f"{message_type:06b}00{mmsi:030b}".ljust(272 if message_type == 21 else 168, "0")
    hear(table, bits, 0.0)
    assert the(table).kind is kind


def test_a_long_range_message_does_not_make_a_class_b_a_class_a():
    table = TargetTable()
    hear(table, class_b_report(OTHERS[0], NOON), 0.0)
    hear(table, f"{27:06b}00{OTHERS[0].mmsi:030b}".ljust(96, "0"), 1.0)
    assert the(table, 1.0).kind is AisKind.CLASS_B


def test_only_an_active_sart_is_in_distress_and_one_under_test_is_not():
    table = TargetTable()
    sart = replace(OTHERS[0], mmsi=970010001)
    hear(table, position_report(replace(sart, navigation_status=15), NOON), 0.0)
    assert table.look(0.0).counts.distress == 0
    hear(table, position_report(replace(sart, navigation_status=14), NOON), 0.0)
    assert table.look(0.0).counts.distress == 1


@pytest.mark.parametrize(("after_s", "count"), [(FORGET_S, 1), (FORGET_S + 0.1, 0)])
def test_who_is_not_heard_for_long_is_forgotten(after_s, count):
    table = TargetTable()
    hear(table, position_report(OTHERS[0], NOON), 0.0)
    assert len(table.look(after_s).targets) == count == len(table)


# --- nobody makes it grow ---


def test_random_mmsis_take_no_more_memory_however_many_and_drive_out_nobody():
    table, chance = TargetTable(), random.Random(5)
    for ship in OTHERS:
        hear(table, position_report(ship, NOON), 0.0)
    hear_one = table.hear
    tracemalloc.start()
    used = []
    for block in range(4):
        for _ in range(10_000):
            hear_one(1, chance.randrange(2**30), NOTHING_SAID, float(block))
        used.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert max(used[1:]) - used[0] < 64 * 1024
    known = {target.mmsi for target in table.look(4.0).targets}
    assert {ship.mmsi for ship in OTHERS} <= known
    assert len(table) <= MOST_NEWCOMERS + MOST_TARGETS


def test_as_many_as_there_may_be_become_targets_though_all_are_heard_before_one_comes_again():
    table = TargetTable()
    for at_s in (0.0, 10.0):
        for mmsi in range(MOST_TARGETS):
            table.hear(1, mmsi, NOTHING_SAID, at_s)
    assert len(table.look(10.0).targets) == MOST_TARGETS


def test_the_one_heard_longest_ago_makes_room():
    table = TargetTable()
    for mmsi in range(MOST_TARGETS):
        table.hear(1, mmsi, NOTHING_SAID, 0.0)
        table.hear(1, mmsi, NOTHING_SAID, 0.0)
    table.hear(1, 0, NOTHING_SAID, 1.0)  # so that 1 is the oldest
    table.hear(1, 10**6, NOTHING_SAID, 2.0)
    table.hear(1, 10**6, NOTHING_SAID, 2.0)
    known = {target.mmsi for target in table.look(2.0).targets}
    assert {0, 10**6} <= known
    assert 1 not in known
    assert len(known) == MOST_TARGETS


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted({*HEARD, 8, 10})), st.integers(0, 9), st.floats(0, 400)),
        max_size=60,
    )
)
def test_whatever_is_heard_the_table_knows_each_once_and_nobody_too_old(messages):
    table, now_s = TargetTable(), 0.0
    heard: dict[int, list[float]] = {}
    for message_type, mmsi, later_s in messages:
        now_s += later_s
        table.hear(message_type, mmsi, bit_vector(b"0" * 71, 2), now_s)
        if message_type in HEARD:
            heard.setdefault(mmsi, []).append(now_s)
        traffic = table.look(now_s)
        known = [target.mmsi for target in traffic.targets]
        assert len(known) == len(set(known))
        assert all(now_s - target.heard_s <= FORGET_S for target in traffic.targets)
        assert all(
            heard[t.mmsi][-1] == t.heard_s and len(heard[t.mmsi]) > 1 for t in traffic.targets
        )
        of_kinds = traffic.counts
        assert len(known) >= of_kinds.class_a + of_kinds.class_b + of_kinds.base_stations


# --- how full the channels are ---


def test_the_load_is_the_share_of_slots_of_the_last_minute():
    table = TargetTable()
    assert table.look(0.0).counts.load_a is None
    for second in range(5, 65, 5):
        for _ in range(10):
            table.occupy("A", 168)  # one slot
            table.occupy("B", 424)  # two
            table.occupy(None, 168)  # nobody knows where
        counts = table.look(float(second)).counts
    assert counts.load_a == round(120 / SLOTS_PER_MIN, 2)
    assert counts.load_b == round(240 / SLOTS_PER_MIN, 2)
    assert table.look(200.0).counts.load_a == 0.0


def test_a_ship_that_moves_makes_no_other_picture_and_one_more_does():
    table = TargetTable()
    hear(table, position_report(OTHERS[0], NOON), 0.0)
    before = table.look(0.0)
    hear(table, position_report(OTHERS[0].moved(100.0, 0.0), NOON), 1.0)
    after = table.look(1.0)
    assert (after == before, after.targets == before.targets) == (True, False)
    hear(table, position_report(OTHERS[1], NOON), 2.0)
    assert table.look(2.0) != after


# --- recorded feeds ---


@needs_recordings
@pytest.mark.parametrize("name", ["pyais", "libais", "gpsd"])
def test_recorded_feeds_go_through_the_table(name):
    table, good, dropped = TargetTable(), 0, 0
    feed = AisFeed(lambda: None, table)
    for file in sorted(RECORDED.glob(f"{name}/*")):
        for number, framed in enumerate(STATION_OF_8_BITS.findall(file.read_bytes())):
            try:
                said = feed.take(parse(framed), number / 75.0)
                good += 1
            except SentenceError:
                dropped += 1
            else:
                assert said is None or b"VDO" in framed, "another ship's message is not own ship's"
    assert good > 40, (good, dropped)
    assert len(table) > 10


def test_a_sentence_of_another_kind_is_no_message():
    with pytest.raises(SentenceError):
        AisFeed(lambda: None, TargetTable()).take(Sentence("AI", "VSD", [""] * 6), 0.0)
