"""AIS messages: what own ship says, and every way in which a message may not be one."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.drivers.ais import (
    MESSAGE_BITS,
    MOST_OPEN_MESSAGES,
    PART_LIMIT_S,
    TOO_LONG_BITS,
    AisFeed,
    decode,
)
from daemon.drivers.sentences import Dropped, Sentence, SentenceError, parse
from daemon.model import AisIdentity, AisReport, Position
from simulators.ships import OWN_SHIP
from simulators.vessel_ais import ais, position_report, static_data
from tests.recorded import RECORDED, needs_recordings

NOON = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
IDENTITY = AisIdentity(
    mmsi=299000019,
    imo_number=9999993,
    name="KESTREL STRAIT",
    call_sign="9VKS0",
    ship_type=71,
    length_m=300,
    beam_m=48,
    draught_m=13.2,
    destination="SGSIN",
    eta=None,
)
MOORED_IN_SEATTLE = b"!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C"


class Feed(AisFeed):
    """A feed that counts what it gave up."""

    def __init__(self) -> None:
        self.given_up = 0
        super().__init__(give_up=self._count)

    def _count(self) -> None:
        self.given_up += 1

    def hear(self, *lines: str | bytes, at_s: float = 0.0) -> list[object]:
        """Return what each line gave: a value, None, or the reason why it could not be read."""
        heard: list[object] = []
        for line in lines:
            raw = line.encode("ascii") if isinstance(line, str) else line
            try:
                heard.append(self.take(parse(raw), at_s))
            except SentenceError as err:
                heard.append(err.reason)
        return heard


def part(number: int, total: int = 2, *, sequence: str = "1", text: str = "5" * 60) -> Sentence:
    return Sentence("AI", "VDO", [str(total), str(number), sequence, "A", text, "2"])


def payload(bits: str) -> tuple[str, int]:
    """Return a payload of any length and its fill bits, in one part."""
    fill = -len(bits) % 6
    bits += "0" * fill
    codes = [int(bits[at : at + 6], 2) for at in range(0, len(bits), 6)]
    return "".join(chr(code + (48 if code < 40 else 56)) for code in codes), fill


def reason(call, *arguments) -> Dropped:
    with pytest.raises(SentenceError) as caught:
        call(*arguments)
    return caught.value.reason


def test_a_documented_sentence_has_its_documented_content():
    # gpsd, AIVDM.html: MMSI 477553000, moored, 0.0 kn, 47.58283 N 122.34583 W.
    own = MOORED_IN_SEATTLE.replace(b"VDM", b"VDO").replace(b"5C", b"5E")
    assert Feed().hear(own) == [
        AisReport(
            mmsi=477553000,
            message_type=1,
            channel="B",
            position=Position(47.582833, -122.345833),
            sog_kn=0.0,
            navigation_status=5,
            heading_deg=181.0,
        )
    ]


def test_another_ship_is_read_and_tells_nothing_of_own():
    assert Feed().hear(MOORED_IN_SEATTLE) == [None]


@pytest.mark.parametrize(
    ("sent", "channel"),
    [("A", "A"), ("B", "B"), ("1", "A"), ("2", "B"), ("", None), ("C", None), ("AB", None)],
)
def test_the_channel_is_as_sent_and_never_guessed(sent, channel):
    [report] = Feed().hear(*ais("VDO", sent, position_report(OWN_SHIP, NOON)))
    assert report.channel == channel


@pytest.mark.parametrize("message_type", [1, 2, 3])
def test_a_class_a_position_report_is_own_report(message_type):
    bits = f"{message_type:06b}" + position_report(replace(OWN_SHIP, sog_kn=7.3), NOON)[6:]
    [report] = Feed().hear(*ais("VDO", "A", bits))
    assert report == AisReport(
        299000019, message_type, "A", Position(1.264, 103.84), 7.3, navigation_status=5
    )


def test_not_available_is_none_and_not_a_place_or_a_speed():
    lost = replace(OWN_SHIP, lat_deg=91.0, lon_deg=181.0, sog_kn=102.3)
    [report] = Feed().hear(*ais("VDO", "A", position_report(lost, NOON)))
    assert (report.position, report.sog_kn) == (None, None)
    fast = replace(OWN_SHIP, sog_kn=102.2)
    [report] = Feed().hear(*ais("VDO", "A", position_report(fast, NOON)))
    assert report.sog_kn == 102.2


def test_a_base_station_is_not_own_ship():
    bits = f"{4:06b}" + position_report(OWN_SHIP, NOON)[6:]
    assert Feed().hear(*ais("VDO", "A", bits)) == [None]


def test_static_data_come_in_two_parts():
    first, second = ais("VDO", "A", static_data(OWN_SHIP))
    assert Feed().hear(first, second) == [
        None,
        IDENTITY,
    ]


def test_a_name_ends_at_its_end_mark_and_its_padding_is_no_part_of_it():
    renamed = replace(OWN_SHIP, name=" KESTREL  @JUNK", call_sign="@@@@@@@")
    identity = Feed().hear(*ais("VDO", "A", static_data(renamed)))[-1]
    assert (identity.name, identity.call_sign) == ("KESTREL", "")


def test_a_second_part_alone_is_incomplete():
    first, second = ais("VDO", "A", static_data(OWN_SHIP))
    feed = Feed()
    assert feed.hear(second) == [Dropped.INCOMPLETE]
    assert feed.hear(first, second, second)[1:] == [
        IDENTITY,
        Dropped.INCOMPLETE,
    ]
    assert feed.given_up == 0


def test_a_first_part_that_comes_again_begins_anew():
    first, second = ais("VDO", "A", static_data(OWN_SHIP))
    feed = Feed()
    assert isinstance(feed.hear(first, first, second)[-1], AisIdentity)
    assert feed.given_up == 1


def test_a_part_out_of_turn_gives_the_message_up():
    feed = Feed()
    feed.take(part(1, 3), 0.0)
    assert reason(feed.take, part(3, 3), 0.0) is Dropped.INCOMPLETE
    assert feed.given_up == 1
    assert reason(feed.take, part(2, 3), 0.0) is Dropped.INCOMPLETE
    assert feed.given_up == 1


def test_messages_of_other_sequences_and_talkers_do_not_mix():
    first, second = ais("VDO", "A", static_data(OWN_SHIP))
    other = next(iter(ais("VDM", "A", static_data(replace(OWN_SHIP, mmsi=1)))))
    feed = Feed()
    feed.hear(first, other)
    feed.take(part(1, sequence="2"), 0.0)
    assert feed.hear(second) == [IDENTITY]


@pytest.mark.parametrize(("after_s", "is_whole"), [(0.0, True), (0.001, False)])
def test_parts_wait_so_long_and_no_longer(after_s, is_whole):
    first, second = ais("VDO", "A", static_data(OWN_SHIP))
    feed = Feed()
    feed.hear(first, at_s=100.0)
    [last] = feed.hear(second, at_s=100.0 + PART_LIMIT_S + after_s)
    assert isinstance(last, AisIdentity) is is_whole
    assert feed.given_up == (0 if is_whole else 1)


def test_the_oldest_of_too_many_open_messages_is_given_up():
    feed = Feed()
    for number in range(MOST_OPEN_MESSAGES):
        feed.take(part(1, sequence=str(number)), 0.0)
    assert feed.given_up == 0
    feed.take(part(1, sequence="8"), 0.0)
    assert feed.given_up == 1
    assert reason(feed.take, part(2, sequence="0"), 0.0) is Dropped.INCOMPLETE


@pytest.mark.parametrize(
    "fields",
    [
        ["1", "1", "", "A", "1"],
        ["1", "1", "", "A", "1", "0", ""],
        ["0", "1", "", "A", "1", "0"],
        ["6", "1", "", "A", "1", "0"],
        ["1", "0", "", "A", "1", "0"],
        ["1", "2", "", "A", "1", "0"],
        ["1", "1", "", "A", "1", "6"],
        ["1", "1", "", "A", "1", ""],
        ["1", "1", "", "A", "1X", "0"],
        ["1", "1", "", "A", "1 ", "0"],
    ],
)
def test_parameters_that_cannot_be_are_malformed(fields):
    assert reason(Feed().take, Sentence("AI", "VDO", fields), 0.0) is Dropped.MALFORMED


def test_only_vdm_and_vdo_are_read():
    assert reason(Feed().take, Sentence("AI", "ALR", [""] * 5), 0.0) is Dropped.UNSUPPORTED


@pytest.mark.parametrize("message_type", [0, 28, 63])
def test_an_unknown_message_type_is_unsupported(message_type):
    assert reason(decode, *payload(f"{message_type:06b}" + "0" * 162)) is Dropped.UNSUPPORTED


def test_an_empty_payload_is_truncated():
    assert reason(decode, "", 0) is Dropped.TRUNCATED


@pytest.mark.parametrize("message_type", sorted(MESSAGE_BITS))
def test_a_message_has_the_bits_of_its_type(message_type):
    fewest, most = MESSAGE_BITS[message_type]
    head = f"{message_type:06b}"
    assert reason(decode, *payload(head.ljust(fewest - 1, "0"))) is Dropped.TRUNCATED
    assert decode(*payload(head.ljust(fewest, "0"))).msg_type == message_type
    assert decode(*payload(head.ljust(most + TOO_LONG_BITS, "0"))).msg_type == message_type
    too_long = payload(head.ljust(most + TOO_LONG_BITS + 1, "0"))
    assert reason(decode, *too_long) is Dropped.MALFORMED


def test_the_payload_that_pyais_reads_as_a_wrong_ship_is_truncated():
    assert reason(decode, "13aGmP", 0) is Dropped.TRUNCATED


@given(
    st.integers(0, 63), st.text("01", max_size=1100), st.integers(0, 5), st.booleans(), st.data()
)
def test_no_payload_raises_anything_but_a_sentence_error(kind, bits, fill, fits, data):
    if fits and kind in MESSAGE_BITS:
        fewest, most = MESSAGE_BITS[kind]
        length = data.draw(st.integers(fewest, most))
        bits = (bits + f"{data.draw(st.integers(0, 2**64)):b}" * 30)[: length - 6]
    text, _ = payload(f"{kind:06b}" + bits)
    try:
        message = decode(text, fill)
    except SentenceError:
        return
    assert message.msg_type == kind


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["VDM", "VDO"]),
            st.lists(st.text(max_size=3) | st.sampled_from("12345AB"), min_size=6, max_size=6),
            st.floats(0, 20),
        )
    )
)
def test_no_parameters_raise_anything_but_a_sentence_error(sentences):
    feed = Feed()
    for formatter, fields, at_s in sentences:
        ascii_fields = [field.encode("ascii", "replace").decode() for field in fields]
        try:
            feed.take(Sentence("AI", formatter, ascii_fields), at_s)
        except SentenceError:
            continue
        assert len(feed._open) <= MOST_OPEN_MESSAGES


@needs_recordings
def test_recorded_class_a_messages_say_what_gpsd_says():
    """Each is heard as if it were own ship's: a VDM is only counted."""
    reports = [
        report
        for text in (RECORDED / "gpsd" / "sample.aivdm.ju.chk").read_text("latin-1").splitlines()
        if (report := json.loads(text)).get("type") in {1, 2, 3, 5}
    ]
    feed = Feed()
    heard: list[object] = []
    dropped: Counter[Dropped] = Counter()
    for line in (RECORDED / "gpsd" / "sample.aivdm").read_bytes().splitlines():
        # Some were recorded with what a network added after the checksum.
        if (framed := re.match(rb"![^*]*\*[0-9A-F]{2}", line)) is None:
            continue
        try:
            outcome = feed.take(replace(parse(framed[0]), formatter="VDO"), 0.0)
        except SentenceError as err:
            dropped[err.reason] += 1
        else:
            heard += [] if outcome is None else [outcome]
    # A type 20 and a type 21 that are too long, and a type 1 that gpsd reads though it is 5 bits
    # too short: here nothing is read of a message that is not whole.
    assert dropped == {Dropped.MALFORMED: 2, Dropped.TRUNCATED: 1}
    short = next(report for report in reports if report["mmsi"] == 244740981)
    reports.remove(short)
    assert heard == [by_gpsd(report) for report in reports]


def by_gpsd(report: dict[str, Any]) -> AisReport | AisIdentity:
    if report["type"] == 5:
        eta = re.fullmatch(r"(\d\d-\d\d)T(\d\d:\d\d)Z", report["eta"])
        known = eta is not None and "00-" not in report["eta"] and "-00" not in report["eta"]
        known = known and "T24:" not in report["eta"] and ":60" not in report["eta"]
        return AisIdentity(
            mmsi=report["mmsi"],
            imo_number=report["imo"],
            name=report["shipname"],
            call_sign=report["callsign"],
            ship_type=report["shiptype"] or None,
            length_m=report["to_bow"] + report["to_stern"] or None,
            beam_m=report["to_port"] + report["to_starboard"] or None,
            draught_m=pytest.approx(report["draught"] / 10) if report["draught"] else None,
            destination=report["destination"].strip() or None,
            eta=f"{eta[1]} {eta[2]}" if eta is not None and known else None,
        )
    lat, lon, speed = report["lat"], report["lon"], report["speed"]
    return AisReport(
        mmsi=report["mmsi"],
        message_type=report["type"],
        channel=ANY,
        position=None
        if lat == 91 * 600_000
        else Position(
            pytest.approx(lat / 600_000, abs=1e-6), pytest.approx(lon / 600_000, abs=1e-6)
        ),
        sog_kn=None if speed == 1023 else pytest.approx(speed / 10),
        navigation_status=report["status"],
        heading_deg=None if report["heading"] == 511 else float(report["heading"]),
    )
