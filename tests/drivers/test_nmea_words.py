"""Commands, refusals, heartbeats and texts: read into types, and no sign of life of any point."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.drivers.nmea_words import (
    READERS,
    Acknowledgement,
    AlertCommand,
    CommandRefused,
    Heartbeat,
    Text,
    understood,
)
from daemon.drivers.sentences import Dropped, Sentence, SentenceError
from tests.drivers.nmea_rig import sentence


def read(body: str) -> object:
    said = sentence(body)
    return READERS[said.formatter](said)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("CAACK,002", Acknowledgement(2)),
        ("CAACN,101545.00,XXX,10011,1,A,C", AlertCommand("101545.00", "XXX", 10011, 1, "A", True)),
        ("CAACN,101600.00,,0,0,Q,C", AlertCommand("101600.00", None, 0, 0, "Q", True)),
        ("CAACN,,,10011,,S,R", AlertCommand(None, None, 10011, None, "S", False)),
        ("U0ARC,101545.20,XXX,10011,1,A", CommandRefused("101545.20", "XXX", 10011, 1, "A")),
        ("U0HBT,30.0,A,4", Heartbeat(30.0, True, 4)),
        ("U0HBT,,V,", Heartbeat(None, False, None)),
        ("U0HBT,30,A", Heartbeat(30.0, True, None)),
        ("U0HBT,30,A,10", Heartbeat(30.0, True, None)),
        ("AITXT,01,01,21,External DGNSS", Text(1, 1, 21, "External DGNSS")),
        ("GNTXT,02,01,02,a,b^2Ac", Text(2, 1, 2, "a,b*c")),
        ("GNTXT,01,01,02,", Text(1, 1, 2, "")),
    ],
)
def test_each_is_read_into_its_type(body, words):
    assert read(body) == words
    assert understood(sentence(body)) == body[2:5]


@pytest.mark.parametrize(
    "body",
    [
        "CAACK,",
        "CAACK,x",
        "CAACN,101545.00,XXX,10011,1,A",
        "CAACN,101545.00,XXX,10011,1,,C",
        "CAACN,101545.00,XX,10011,1,A,C",
        "CAACN,101545.00,XXX,,1,A,C",
        "CAACN,101545.00,XXX,10000000,1,A,C",
        "CAACN,251545.00,XXX,10011,1,A,C",
        "U0ARC,101545.20,XXX,10011,1",
        "U0ARC,101545.20,XXX,10011,1,C",
        "U0ARC,1,XXX,10011,1,A",
        "U0HBT,30.0",
        "U0HBT,30.0,",
        "U0HBT,1000,A,1",
        "AITXT,01,02,21,x",
        "AITXT,00,00,21,x",
        "AITXT,01,01,,x",
        "AITXT,01,01,21",
    ],
)
def test_a_field_that_cannot_be_is_malformed(body):
    with pytest.raises(SentenceError) as caught:
        read(body)
    assert caught.value.reason is Dropped.MALFORMED


def test_what_is_not_known_is_unsupported():
    with pytest.raises(SentenceError) as caught:
        understood(sentence("GPGST,021000"))
    assert caught.value.reason is Dropped.UNSUPPORTED


FIELD = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)


@given(st.sampled_from(sorted(READERS)), st.lists(FIELD, max_size=10))
def test_no_fields_raise_anything_but_a_sentence_error(formatter, fields):
    try:
        READERS[formatter](Sentence("GP", formatter, fields))
    except SentenceError:
        return
