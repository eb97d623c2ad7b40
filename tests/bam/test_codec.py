"""Sentences out: the worked examples to the byte, every bound, and what a reader makes of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.bam import codec
from daemon.bam.codec import Listed, Older, Telling
from daemon.drivers.alert_layouts import alc_of, alf_of, alr_of, entries_of
from daemon.drivers.nmea_words import CommandRefused, Heartbeat, plain_text, read_arc, read_hbt
from daemon.drivers.sentences import parse

RAISED = Telling(
    time="101530.00",
    category="B",
    priority="W",
    state="V",
    maker="XXX",
    number=10011,
    instance=1,
    revision=1,
    escalation=0,
    title="INTRUSION DECK C",
    description="Steering gear door opened",
)


def telling(**said) -> Telling:
    fields = {name: getattr(RAISED, name) for name in Telling.__slots__}
    return Telling(**{**fields, **said})


def test_the_worked_example_of_a_raised_alert():
    assert codec.alf("U0", RAISED, 0) == (
        "$U0ALF,2,1,0,101530.00,B,W,V,XXX,10011,1,1,0,INTRUSION DECK C*06",
        "$U0ALF,2,2,0,,,,,XXX,10011,1,1,0,Steering gear door opened*6C",
    )


def test_the_worked_example_of_an_acknowledged_alert():
    acknowledged = telling(time="101552.00", state="A", revision=2, description=None)
    assert codec.alf("U0", acknowledged, 1) == (
        "$U0ALF,1,1,1,101552.00,B,W,A,XXX,10011,1,2,0,INTRUSION DECK C*14",
    )


def test_the_worked_examples_of_the_cyclic_list():
    listed = [Listed("XXX", 10011, 1, 2), Listed("XXX", 10020, 2, 1)]
    assert codec.alc("U0", listed, 0, per_sentence=3) == (
        "$U0ALC,01,01,00,2,XXX,10011,1,2,XXX,10020,2,1*1B",
    )
    assert codec.alc("U0", [], 1, per_sentence=3) == ("$U0ALC,01,01,01,0*1A",)


def test_the_worked_examples_of_refusal_and_heartbeat():
    refused = CommandRefused("101545.20", "XXX", 10011, 1, "A")
    assert codec.arc("U0", refused) == "$U0ARC,101545.20,XXX,10011,1,A*28"
    assert codec.hbt("U0", Heartbeat(30.0, True, 4)) == "$U0HBT,30.0,A,4*7F"


def test_the_worked_examples_of_the_older_layout():
    vswr = Older(
        "101530.00", 2, condition=True, acknowledged=False, text="AIS: Antenna VSWR exceeds limit"
    )
    assert codec.alr("AI", vswr) == "$AIALR,101530.00,002,A,V,AIS: Antenna VSWR exceeds limit*54"
    assert codec.keep_alive("AI") == "$AIALR,,,V,V,*7B"


def test_a_time_has_hundredths_and_is_not_rounded_into_the_next_second():
    assert codec.time_of(datetime(2026, 1, 1, 23, 59, 59, 999_999, UTC)) == "235959.99"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("50% $1,000!", "50% ^241^2C000^21"),
        (r"a\b^c~d*e", "a^5Cb^5Ec^7Ed^2Ae"),
        ("Ålesund – Łódź", "Alesund - ?odz"),
        ("two\nlines\tof it", "two lines of it"),
        ("日本", "??"),
        ("\x00\x7f", "??"),
        ("½ m²", "1?2 m2"),
    ],
)
def test_reserved_characters_are_sent_as_codes_and_others_as_their_like(text, sent):
    (_, second) = codec.alf("U0", telling(description=text), 0)
    assert second.rpartition("*")[0].rpartition(",0,")[2] == sent


def test_a_text_is_cut_where_the_sentence_is_full_and_no_code_is_cut_through():
    biggest = telling(number=9_999_999, instance=999_999, revision=99, title="T", maker="XXX")
    for length in range(30, 60):
        (_, second) = codec.alf(
            "U0", Telling(**{**fields(biggest), "description": "a" * (length - 30) + "*" * 30}), 0
        )
        assert 80 <= len(second) + 2 <= 82
        text = second.rpartition("*")[0].rpartition(",0,")[2]
        assert "*" not in text
        assert plain_text([text]) == "a" * (length - 30) + "*" * (len(text.lstrip("a")) // 3)


def fields(of: Telling) -> dict:
    return {name: getattr(of, name) for name in Telling.__slots__}


def test_a_title_has_sixteen_characters_at_most():
    first, _ = codec.alf("U0", telling(title="SEVENTEEN LETTERS"), 0)
    assert first.endswith(",SEVENTEEN LETTER*" + first[-2:])


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("time", "240000.00"),
        ("time", "1015"),
        ("category", "D"),
        ("category", ""),
        ("priority", "X"),
        ("state", "X"),
        ("maker", "XX"),
        ("maker", "X,X"),
        ("number", -1),
        ("number", 10_000_000),
        ("instance", 1_000_000),
        ("revision", 0),
        ("revision", 100),
        ("escalation", 10),
    ],
)
def test_what_no_alf_can_say_is_refused_by_the_field_s_name(field, wrong):
    with pytest.raises(ValueError, match=field):
        telling(**{field: wrong})


def test_an_older_number_of_more_than_three_digits_is_refused():
    with pytest.raises(ValueError, match="number"):
        Older("", 1000, condition=True, acknowledged=False, text="")


@pytest.mark.parametrize("count", [0, 1, 3, 4, 200, 297, 400])
@pytest.mark.parametrize("per_sentence", [1, 3, 9])
def test_a_list_never_splits_an_entry_and_counts_its_sentences(count, per_sentence):
    listed = [Listed("XXX", 10000 + n % 90, n + 1, n % 99 + 1) for n in range(count)]
    sentences = codec.alc("U0", listed, 7, per_sentence=per_sentence)
    seen = []
    for number, text in enumerate(sentences, start=1):
        assert len(text) + 2 <= 82
        head, rest = alc_of(parse(text.encode()))
        assert head == (f"{len(sentences):02d}", f"{number:02d}", "07", head.entries)
        assert len(rest) == int(head.entries) * 4
        assert int(head.entries) <= per_sentence
        seen += entries_of(rest)
    assert [(e.maker, int(e.number), int(e.instance), int(e.revision)) for e in seen] == [
        (e.maker, e.number, e.instance, e.revision) for e in listed[: len(seen)]
    ]
    assert len(seen) == count or len(sentences) == 99


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
TIMES = st.datetimes().map(codec.time_of)


@given(
    st.builds(
        Telling,
        time=TIMES,
        category=st.sampled_from("ABC"),
        priority=st.sampled_from("EAWC"),
        state=st.sampled_from("ASNOUV"),
        maker=st.sampled_from(["", "XXX", "A1B"]),
        number=st.integers(0, 9_999_999),
        instance=st.none() | st.integers(0, 999_999),
        revision=st.integers(1, 99),
        escalation=st.integers(0, 9),
        title=TEXT.filter(lambda text: sum(each in codec.RESERVED for each in text) <= 4),
        description=st.none() | TEXT,
    ),
    st.integers(0, 9),
)
def test_what_is_told_is_what_is_read(said, message):
    sentences = codec.alf("U0", said, message)
    assert len(sentences) == (1 if said.description is None else 2)
    for number, text in enumerate(sentences, start=1):
        assert len(text) + 2 <= 82
        alf, rest = alf_of(parse(text.encode("ascii")))
        assert alf[:3] == (str(len(sentences)), str(number), str(message))
        head = (said.time, said.category, said.priority, said.state)
        assert alf[3:7] == (head if number == 1 else ("", "", "", ""))
        instance = "" if said.instance is None else str(said.instance)
        of_alert = (
            said.maker,
            str(said.number),
            instance,
            str(said.revision),
            str(said.escalation),
        )
        assert alf[7:] == of_alert
        assert plain_text(rest) == (said.title if number == 1 else said.description)


@given(
    st.builds(
        Older,
        time=TIMES,
        number=st.integers(0, 999),
        condition=st.booleans(),
        acknowledged=st.booleans(),
        text=TEXT,
    )
)
def test_what_the_older_layout_tells_is_what_is_read(said):
    alr, rest = alr_of(parse(codec.alr("U0", said).encode()))
    letters = ("A" if said.condition else "V", "A" if said.acknowledged else "V")
    assert (alr.time, int(alr.number), alr.condition, alr.acknowledged) == (
        said.time,
        said.number,
        *letters,
    )
    assert plain_text(rest) == said.text


@given(st.floats(0.1, 999.0), st.booleans(), st.integers(0, 9))
def test_a_heartbeat_is_read_as_it_was_sent(every_s, in_order, sequence):
    read = read_hbt(parse(codec.hbt("U0", Heartbeat(every_s, in_order, sequence)).encode()))
    assert read == Heartbeat(pytest.approx(every_s, abs=0.051), in_order, sequence)


@given(TIMES, st.integers(0, 9_999_999), st.integers(0, 999_999), st.sampled_from("AQOS"))
def test_a_refusal_is_read_as_it_was_sent(time, number, instance, command):
    refused = CommandRefused(time, "XXX", number, instance, command)
    assert read_arc(parse(codec.arc("U0", refused).encode())) == refused
