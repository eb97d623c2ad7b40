"""What a check was judged by comes out of the record as it went in, to the last digit."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.checks.api import Gathered
from daemon.errors import RecordError
from daemon.model import (
    AisCounts,
    AisOffLog,
    AisOffPeriod,
    AisTraffic,
    CameraState,
    CameraView,
    Classification,
    ContactState,
    EquipmentAlert,
    EquipmentReport,
    Fix,
    Heading,
    LampState,
    Motion,
    Position,
    Provenance,
    Quality,
    Reading,
    Sky,
    SsasMessage,
    Value,
)
from daemon.record.entry import EntryError
from daemon.testing import evidence
from daemon.testing.evidence import Basis
from tests.makers import own_identity, own_report, reading

HERE = Position(1.2345678901234567, 103.75)
VALUES = [
    ContactState.OPEN,
    LampState.LIT,
    Fix(HERE, 1, None, 0.9, 12.25, 7800.5),
    Motion(None, 359.9),
    Heading(0.1, "A"),
    Sky(12, 9, 41.3, 1.4, 9, 2.5),
    EquipmentReport(
        in_order=None,
        alerts=(EquipmentAlert(1, None, "x", active=True, acknowledged=False, priority="A"),),
    ),
    own_report(position=HERE, heading_deg=12.0),
    own_identity(draught_m=7.5, eta="11-22 14:30"),
    AisTraffic(AisCounts(1, 2, 3, 4, 5, 6, 0.1, None), ()),
    AisOffLog((AisOffPeriod(None, "2026-11-22T12:00:00Z", 2),)),
    SsasMessage(("TEST", "é")),
    CameraView(CameraState.LIVE, "h264", 640, 480, 91.25, None, 0, 1.25),
    27.3,
    "open",
]


def again(said: Reading) -> Reading:
    return evidence.reading(json.loads(json.dumps(evidence.line(said))))


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_is_the_same_again(value):
    said = reading("p", value, at_s=1000.1234567, classification=Classification.SSO)
    read = again(said)
    assert read == said
    assert type(read.value) is type(value)


def test_every_value_that_a_reading_may_have_can_be_read_again():
    assert {type(value) for value in VALUES} == set(Value.__args__)


@given(
    at_s=st.floats(min_value=0, max_value=1e9),
    value=st.floats(allow_nan=False, allow_infinity=False),
    utc=st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    quality=st.sampled_from(Quality),
    provenance=st.sampled_from(Provenance),
)
def test_a_reading_is_the_same_again(at_s, value, utc, quality, provenance):
    has_value = quality in {Quality.GOOD, Quality.SUSPECT}
    said = Reading(
        point="bat.v",
        value=value if has_value else None,
        unit="V",
        quality=quality,
        provenance=provenance,
        received_utc=utc,
        received_s=at_s,
        source="bat",
    )
    assert again(said) == said


def test_a_line_says_everything_that_trust_hangs_on():
    at = datetime(2026, 11, 22, 10, 10, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    said = replace(reading("d12", ContactState.OPEN, at_s=1000.12345), received_utc=at)
    assert evidence.line(said) == {
        "point": "d12",
        "is": "contact",
        "value": "open",
        "unit": None,
        "quality": "good",
        "provenance": "live",
        "received": "2026-11-22T02:10:00.123456Z",
        "up": 1000.12345,
        "source": "d12",
        "class": "watch",
    }


@pytest.mark.parametrize("value", [True, 3, b"x", float("nan")])
def test_what_could_not_be_read_again_is_refused(value):
    with pytest.raises(EntryError):
        evidence.readings_piece([reading("p", value)])


def basis(**changed) -> Basis:
    gathered = Gathered(
        (reading("d1", ContactState.CLOSED),), {"said": [1.5, {"a": None}]}, item="d1"
    )
    whole = {
        "check": "manual",
        "config": {"kind": "manual", "doors": ["d1"]},
        "gathered": gathered,
        "simulated": False,
        "software": "26.1",
    }
    return Basis(**{**whole, **changed})


def test_a_basis_is_the_same_again_and_its_hash_tells_nothing():
    readings, document = evidence.pieces(basis(), salt=b"1" * 16)
    assert evidence.basis(document.body, readings.body) == basis()
    _, other = evidence.pieces(basis(), salt=b"2" * 16)
    assert other.reference().sha256 != document.reference().sha256


def test_half_a_character_is_kept_as_it_was_typed():
    typed = basis(gathered=Gathered((reading("p", "é\ud800"),), {"text": "é\ud800"}))
    readings, document = evidence.pieces(typed, salt=b"")
    assert evidence.basis(document.body, readings.body) == typed


@pytest.mark.parametrize("fact", [float("inf"), {1, 2}, object()])
def test_a_fact_that_no_record_can_hold_is_refused(fact):
    with pytest.raises(EntryError):
        evidence.pieces(basis(gathered=Gathered(facts={"x": fact})), salt=b"")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "cannot be read"),
        (b"[]", "cannot be read"),
        (b'{"v":1}', "cannot be read"),
        (b'{"v":2}', "of version 2"),
    ],
)
def test_another_document_is_refused(document, reason):
    with pytest.raises(RecordError, match=reason):
        evidence.basis(document, b"")


def test_a_line_of_before_values_were_named_is_refused():
    _, document = evidence.pieces(basis(), salt=b"")
    old = evidence.line(reading("d1", ContactState.CLOSED))
    del old["is"]
    with pytest.raises(RecordError, match="cannot be read"):
        evidence.basis(document.body, json.dumps(old).encode())
