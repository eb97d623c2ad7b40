"""TAG blocks as NMEA, shipboard networks and coast stations write them."""

from __future__ import annotations

from functools import reduce
from operator import xor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.drivers.sentences import parse
from daemon.drivers.tag_block import (
    DAMAGED,
    MOST_TAG_BLOCKS,
    Group,
    TagBlock,
    read_tag,
    read_tags,
    split_tags,
)


def block(said: str, form: str = "02X") -> bytes:
    return f"{said}*{reduce(xor, said.encode('ascii')):{form}}".encode("ascii")


def test_the_block_of_a_shipboard_network_is_read():
    assert read_tag(rb"g:1-2-73,s:AI0001,n:157,c:1780000000*06") == TagBlock(
        source="AI0001", time_s=1780000000.0, line=157, group=Group(1, 2, "73")
    )


@pytest.mark.parametrize("form", ["02X", "02x", "X", "x"])
def test_a_checksum_may_be_in_small_letters_and_of_one_digit(form):
    # 0x0a: a sum in which both tolerances show.
    assert block("s:C") == b"s:C*0A"
    assert read_tag(block("s:C", form)).source == "C"


@pytest.mark.parametrize(
    ("said", "time_s"),
    [
        ("c:1780000000", 1780000000.0),
        ("c:1780000000123", 1780000000.123),
        ("c:99999999999", 99999999999.0),
        ("c:100000000000", 100000000.0),
        ("c:0", 0.0),
        ("c:", None),
        ("c:x", None),
        ("c:-1", None),
        ("c:17800000001234", None),
    ],
)
def test_seconds_and_milliseconds_are_told_apart_by_their_size(said, time_s):
    assert read_tag(block(said)).time_s == time_s


@pytest.mark.parametrize(
    ("said", "group"),
    [
        ("g:1-2-73", Group(1, 2, "73")),
        ("g:2-2-4512", Group(2, 2, "4512")),
        ("1G2:73", Group(1, 2, "73")),
        ("g:3-2-73", None),
        ("g:0-2-73", None),
        ("g:1-2", None),
        ("g:a-b-c", None),
        ("0G2:73", None),
    ],
)
def test_a_group_is_read_in_either_layout(said, group):
    assert read_tag(block(said)).group == group


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("d:VR0001", TagBlock(destination="VR0001")),
        ("x:12,i:hello", TagBlock(line=12, text="hello")),
        ("n:x", TagBlock()),
        ("s:", TagBlock()),
        ("s:" + "x" * 16, TagBlock()),
        ("q:u,T:2014-12-10 00.00.01", TagBlock()),
        ("nothing", TagBlock()),
        ("", TagBlock()),
    ],
)
def test_what_cannot_be_read_is_as_what_is_not_there(said, expected):
    assert (read_tag(block(said)) if said else read_tag(b"*00")) == expected


@pytest.mark.parametrize(
    "damaged", [b"s:AI0001*FF", b"s:AI0001", b"", b"s:AI0001*", b"s:\xff*00", b"s:AI0001*006"]
)
def test_a_block_with_a_wrong_checksum_is_not_believed(damaged):
    assert read_tag(damaged) == DAMAGED


def test_several_blocks_in_front_of_one_sentence_are_one():
    line = b"\\" + block("g:1-2-73") + b"\\\\" + block("s:AI0001,g:2-2-9") + b"\\" + b"$GPTXT,h*0B"
    assert parse(line).tag == TagBlock(source="AI0001", group=Group(1, 2, "73"))
    one_damaged = [block("s:AI0001"), b"c:1*00"]
    assert read_tags(one_damaged) == DAMAGED


def test_a_sentence_behind_a_damaged_block_is_read_and_has_no_source():
    sentence = parse(rb"\s:AI0001*00\$GPTXT,h*0B")
    assert (sentence.fields, sentence.tag) == (["h"], DAMAGED)
    assert parse(b"$GPTXT,h*0B").tag is None


def test_blocks_without_end_are_no_blocks():
    assert split_tags(rb"\s:1") == ([], rb"\s:1")
    blocks, rest = split_tags(b"\\a\\" * (MOST_TAG_BLOCKS + 1) + b"$")
    assert (blocks, rest) == ([b"a"] * MOST_TAG_BLOCKS, b"\\a\\$")


@given(st.binary(max_size=140))
@example(b"1G2:*1b")
def test_no_bytes_raise_anything(data):
    read_tag(data)
    blocks, rest = split_tags(b"\\" + data)
    assert b"".join(b"\\" + each + b"\\" for each in blocks) + rest == b"\\" + data
