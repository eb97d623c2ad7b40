"""Which free answers deny, and which prove nothing."""

from __future__ import annotations

import pytest

from daemon.checks.api import Expects, refusal
from daemon.checks.denials import denies, says_neither


@pytest.mark.parametrize(
    "text", ["no", "No.", " NO ", "no, the MPA has nothing", "no: fault lamp 3", "no - not yet"]
)
def test_a_clear_no_denies(text):
    assert denies(text)
    assert refusal(Expects.REFERENCE, text) is None


@pytest.mark.parametrize(
    "text",
    [
        "not received yet, MPA office closed",
        "none",
        "nil",
        "N",
        "n/a",
        "negative",
        "-",
        "?",
        "no reply yet",
        "No 4711 of 0231Z, mail",
        "No. 4711",
        "not in order: fault lamp 3",
        "Nothing received",
        "pending",
    ],
)
def test_what_begins_as_a_denial_is_asked_for_again(text):
    assert says_neither(text)
    assert not denies(text)
    assert "neither yes nor no" in str(refusal(Expects.REFERENCE, text))
    assert refusal(Expects.TEXT, text) is None


@pytest.mark.parametrize(
    "text",
    ["N. Singh, CSO, 0231Z", "Norwegian Coastal Administration", "yes", "mail 4711", "file 31"],
)
def test_a_proof_is_a_proof(text):
    assert not denies(text)
    assert not says_neither(text)
    assert refusal(Expects.REFERENCE, text) is None
