"""The bytes of an entry are canonical JSON, and only what can be canonical becomes an entry."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from daemon.errors import RecordError, RefusedError
from daemon.model import Classification, ClockStatus, SecurityLevel
from daemon.record import codec
from daemon.record.entry import LARGEST_EVIDENCE_BYTES, Actor, Draft, EntryError, Evidence, Stamp
from daemon.record.verify import read_entry
from tests.record.ship import SSO, alert, breach, result

STAMP = Stamp(at="2026-11-22T02:10:00.123Z", clock=ClockStatus.SYNCED, up_ms=1000, boot="b00t1d00")

texts = st.text(st.characters(exclude_categories=["Cs"]))
integers = st.integers(-(2**53) + 1, 2**53 - 1)
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex(r"[a-z0-9_]+", fullmatch=True), inner)
    ),
    max_leaves=12,
)


@given(values)
def test_our_encoder_writes_what_a_full_rfc_8785_encoder_writes(value):
    assert codec.encode(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": None, "a1": True, "_": []}, '{"_":[],"a":null,"a1":true,"b":1}'),
        # RFC 8785 3.2.2.2: the shortest escapes, lower-case hex, nothing else escaped.
        (
            '\x00\x08\t\n\x0b\x0c\r\x1f"\\/\x7f€é',
            '"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\/\x7f€é"',
        ),
        (2**53 - 1, "9007199254740991"),
        (-(2**53) + 1, "-9007199254740991"),
        (SecurityLevel.TWO, "2"),
        (Classification.SSO, '"sso"'),
        (MappingProxyType({"a": (1, 2)}), '{"a":[1,2]}'),
    ],
)
def test_canonical_bytes(value, text: str):
    assert codec.canonical(value) == text.encode()


def nested(depth: int) -> list[object]:
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"volts": 24.6}, r"value\.volts: 24\.6 is a float"),
        ([float("nan")], r"value\[0\]: nan is a float"),
        (2**53, "beyond"),
        (-(2**53), "beyond"),
        ({"Volts": 1}, "key 'Volts'"),
        ({"": 1}, "key ''"),
        ({1: 1}, "key 1"),
        ("\ud800", "half a character"),
        (b"raw", "bytes cannot stand"),
        ({1}, "set cannot stand"),
        (nested(9), "nested deeper than 8"),
    ],
)
def test_what_has_no_canonical_form_is_refused_with_its_place(value, reason: str):
    with pytest.raises(EntryError, match=reason):
        codec.canonical(value)


def test_eight_levels_are_allowed():
    assert codec.canonical(nested(7)) == b"[" * 8 + b"]" * 8  # type: ignore[arg-type]


def test_an_entry_to_the_byte():
    draft = codec.prepare(result("epirb", raw=b"$GPGGA"))
    entry = codec.compose(draft, STAMP, segment=1, seq=5, bseq=4, part_hashes={"sso": "ab" * 32})
    assert entry.body == (
        '{"actor":{"person":null,"proof":"none","station":null},"at":"2026-11-22T02:10:00.123Z","boot":"b00t1d00",'
        '"bseq":4,"class":"watch","clock":"synced","evidence":[{"media":"application/nmea0183",'
        '"sha256":"c80159d53587e9d90ea106860e9b65fe42f153d1103d9bb256c8669bc2b8d007","size":6}],"kind":".10",'
        '"open":{"outcome":"passed","test":"epirb"},"parts":{"sso":"'
        + "ab"
        * 32
        + '"},"segment":1,"seq":5,'
        '"subject":"epirb","type":"test.result","up_ms":1000,"v":2}'
    )
    assert codec.parse(entry.body) == entry
    assert rfc8785.dumps(json.loads(entry.body)) == entry.body.encode()


@given(
    open_=st.dictionaries(st.from_regex(r"[a-z0-9_]{1,8}", fullmatch=True), values, max_size=5),
    subject=texts,
)
def test_whatever_the_daemon_composes_the_verifier_can_read(open_, subject: str):
    draft = Draft(
        kind=".3",
        type="a.b",
        subject=subject[:256],
        classification=Classification.SSO,
        actor=SSO,
        open=open_,
    )
    entry = codec.compose(codec.prepare(draft), STAMP, segment=1, seq=2, bseq=None, part_hashes={})
    assert read_entry(entry.body).open == open_


@pytest.mark.parametrize("kind", [f".{number}" for number in range(1, 15) if number != 10])
@pytest.mark.parametrize("person", [None, ""])
def test_a_machine_writes_only_tests_and_the_system(kind: str, person: str | None):
    with pytest.raises(RefusedError, match=f"kind \\{kind} needs a named person"):
        codec.prepare(replace(breach(), kind=kind, actor=Actor(station="bridge", person=person)))


@pytest.mark.parametrize("kind", [".10", "system"])
def test_a_machine_may_write_tests_and_the_system(kind: str):
    assert codec.prepare(replace(alert("d1"), kind=kind)).kind == kind


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        (replace(alert("d1"), kind=".15"), r"kind '\.15'"),
        (replace(alert("d1"), kind="10"), "kind '10'"),
        (replace(alert("d1"), type="alert"), "type 'alert'"),
        (replace(alert("d1"), type="Alert.changed"), "type"),
        (replace(alert("d1"), subject="x" * 257), "subject: 257 characters, at most 256"),
        (replace(alert("d1"), subject="\udfff"), "subject: half"),
        (replace(breach(), actor=Actor(person="p" * 129)), "person: 129"),
        (replace(alert("d1"), evidence=(Evidence("Text/Plain", b""),)), "media"),
        (
            replace(alert("d1"), evidence=(Evidence("text/plain", b""),) * 65),
            "65 pieces, at most 64",
        ),
        (
            replace(
                alert("d1"), evidence=(Evidence("text/plain", bytes(LARGEST_EVIDENCE_BYTES + 1)),)
            ),
            r"evidence\[0\]: 16777217 bytes",
        ),
        (replace(alert("d1"), open=[]), "open: want an object"),  # type: ignore[arg-type]
        (
            replace(alert("d1"), parts={Classification.SSO: {"text": "x" * 4_200_000}}),
            r"parts\.sso: 42000",
        ),
    ],
)
def test_a_draft_out_of_bounds_is_refused_with_its_place(draft: Draft, reason: str):
    with pytest.raises(EntryError, match=reason):
        codec.prepare(draft)


def test_an_entry_has_at_most_64_kib():
    for text in ("x" * 57_000, "\x00" * 9_500):
        entry = codec.compose(
            codec.prepare(alert("d1", text=text)), STAMP, segment=1, seq=1, bseq=1, part_hashes={}
        )
        assert len(entry.body.encode()) <= 65536
        assert read_entry(entry.body)
    for text in ("x" * 58_000, "\x00" * 11_000):
        with pytest.raises(EntryError, match="at most 65536"):
            codec.prepare(alert("d1", text=text))


def test_a_draft_changed_after_it_was_submitted_changes_nothing():
    shown = {"id": "d1", "state": "V", "list": [1]}
    prepared = codec.prepare(replace(alert("d1"), open=shown))
    shown["list"].append(0.5)  # type: ignore[attr-defined]
    shown["id"] = "d2"
    assert prepared.open == {"id": "d1", "state": "V", "list": [1]}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"v":1}', "null", '"text"'])
def test_a_body_that_is_no_entry_is_refused(text: str):
    with pytest.raises(RecordError):
        codec.parse(text)


def test_a_newer_entry_is_not_guessed_at():
    with pytest.raises(RecordError, match="version 3"):
        codec.parse('{"v":3}')


@pytest.mark.parametrize("text", ["", "[]", "1"])
def test_a_stored_thing_that_is_no_object_is_refused(text: str):
    with pytest.raises(RecordError, match="not"):
        codec.parse_object(text)
