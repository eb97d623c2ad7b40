"""Which sentences of a network that many speak on are this device's."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from daemon.drivers.ais import AisFeed
from daemon.drivers.api import Health
from daemon.drivers.nmea_pick import MOST_GROUPS, SOURCE_PATTERN, Picker
from daemon.drivers.sentences import parse
from simulators.ships import OWN_SHIP
from simulators.vessel_ais import ais, static_data
from tests.drivers.nmea_rig import framed

SENTENCE = framed("GPGGA,021000").encode("ascii")


def tagged(said: str, sentence: bytes = SENTENCE, *, damaged: bool = False) -> bytes:
    block = framed(said)[1:].encode("ascii")
    return b"\\" + (block[:-2] + b"zz" if damaged else block) + b"\\" + sentence


def picked(picker: Picker, *lines: bytes) -> list[str | None]:
    """Return of each line its source, "-" where it has none, None where it is another's."""
    out: list[str | None] = []
    for line in lines:
        sentence = picker.pick(parse(line), Health())
        out.append(None if sentence is None else (sentence.tag and sentence.tag.source) or "-")
    return out


def test_without_a_choice_everything_is_this_devices():
    assert picked(Picker(), SENTENCE, tagged("s:GP0001"), tagged("c:1")) == ["-", "GP0001", "-"]


def test_of_several_sources_the_chosen_ones_are():
    picker = Picker(sources=["GP0001", "GP0003"])
    lines = tagged("s:GP0001"), tagged("s:GP0002"), tagged("n:1,s:GP0003"), tagged("n:1"), SENTENCE
    assert picked(picker, *lines) == ["GP0001", None, "GP0003", None, None]


def test_talker_and_source_have_both_to_be_right():
    picker = Picker(talkers=["GP"], sources=["GP0001"])
    other = tagged("s:GP0001", framed("GNGGA,021000").encode("ascii"))
    assert picked(picker, tagged("s:GP0001"), other, SENTENCE) == ["GP0001", None, None]


def test_the_sentences_of_a_group_have_the_source_of_its_first():
    picker = Picker(sources=["AI0001"])
    lines = (
        tagged("g:1-2-73,s:AI0001"),
        tagged("g:1-2-74,s:AI0002"),
        tagged("g:2-2-73"),
        tagged("g:2-2-74"),
    )
    assert picked(picker, *lines) == ["AI0001", None, "AI0001", None]


def test_a_new_group_of_an_old_name_has_no_source_of_the_old_one():
    picker = Picker(sources=["AI0001"])
    lines = tagged("g:1-2-73,s:AI0001"), tagged("g:1-2-73"), tagged("g:2-2-73")
    assert picked(picker, *lines) == ["AI0001", None, None]


def test_a_block_that_is_damaged_has_no_source_and_is_counted():
    health = Health()
    line = parse(tagged("s:GP0001", damaged=True))
    assert Picker(sources=["GP0001"]).pick(line, health) is None
    assert Picker().pick(line, health) is line
    assert (health.noticed, health.dropped) == ({"tag_checksum": 2}, {})


def test_a_flood_of_groups_is_forgotten_from_the_oldest():
    picker = Picker()
    picked(picker, *(tagged(f"g:1-2-{number},s:AI0001") for number in range(MOST_GROUPS + 1)))
    assert len(picker._groups) == MOST_GROUPS
    assert picked(picker, tagged("g:2-2-0"), tagged("g:2-2-1")) == ["-", "AI0001"]


def test_parts_of_two_sources_with_one_sequence_number_do_not_mix():
    """Two units on one network: both count from 0, and their sentences come by turns."""
    first, second = (
        [line.encode("ascii") for line in ais("VDO", "A", static_data(ship))]
        for ship in (OWN_SHIP, replace(OWN_SHIP, mmsi=299000027))
    )
    lines = (
        tagged("g:1-2-1,s:AI0001", first[0]),
        tagged("g:1-2-2,s:AI0002", second[0]),
        tagged("g:2-2-1", first[1]),
        tagged("g:2-2-2", second[1]),
    )
    picker, feed = Picker(), AisFeed(lambda: None)
    whole = [feed.take(picker.pick(parse(line), Health()), 0.0) for line in lines]
    assert [each and each.mmsi for each in whole] == [None, None, OWN_SHIP.mmsi, 299000027]


@pytest.mark.parametrize("source", ["GP0001", "rORBCOMM008", "a-b.c+d/e[f]g"])
def test_what_a_tag_block_can_carry_can_be_chosen(source):
    assert re.match(SOURCE_PATTERN, source)


@pytest.mark.parametrize("source", ["", "a b", "a,b", "a*b", "a\\b", "x" * 16])
def test_what_it_cannot_carry_cannot(source):
    assert not re.match(SOURCE_PATTERN, source)
