"""A fault that was not made is found out: each proof of one fails where there was none, and where nobody looked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults import injected
from tests.faults.capture import Capture, Heard, Round, Truth
from tests.faults.registry import faults

if TYPE_CHECKING:
    from collections.abc import Callable


def heard(at_s: float, name: str, **body: Any) -> Heard:
    return Heard(at_s, name, json.dumps(body).encode() if body else b"")


def stood() -> Capture:
    """A capture in which every fault there is was made, from 20 to 30."""
    acted = Round("door.escape.open.d12", "page", 21.0, "during", 22.0, 22.5, 23.5, accepted=True)
    return Capture(
        begins_s=20.0,
        ends_s=30.0,
        rounds=[acted],
        spoilt=7,
        cut_off=[(20.0, 26.0)],
        cleared={"crew": 20.0},
        dead=[(24.0, 24.5)],
        truth=[Truth("d12", None, 21.0, 21.1)],
        heard=[
            heard(18.0, "heartbeat", up=18.0),
            heard(20.5, "heartbeat", up=20.4),
            heard(20.5, "crew"),
            heard(21.5, "point/d12", value=None),
            heard(22.0, "crew", persons=[]),
            heard(24.1, "status", state="offline"),
            heard(26.5, "heartbeat", up=26.5),
        ],
    )


def record_an_act(it: Capture) -> None:
    it.rounds[0].recorded = 12


def let_nobody_act(it: Capture) -> None:
    it.rounds[0].when = "after"


def spoil_nothing(it: Capture) -> None:
    it.spoilt = 0


def let_a_heartbeat_through(it: Capture) -> None:
    it.heard.append(heard(24.0, "heartbeat", up=24.0))


def cut_for_less_than_a_rest(it: Capture) -> None:
    it.cut_off = [(20.0, 24.0)]


def cut_nothing(it: Capture) -> None:
    it.cut_off = []


def go_on_to_see(it: Capture) -> None:
    it.heard = [h for h in it.heard if h.name != "point/d12"]


def blind_nobody(it: Capture) -> None:
    it.truth = []


def clear_nothing(it: Capture) -> None:
    it.cleared = {}


def never_be_gone(it: Capture) -> None:
    it.heard = [h for h in it.heard if h.name != "crew" or h.payload]


def never_come_back(it: Capture) -> None:
    it.heard = [h for h in it.heard if h.name != "crew" or not h.payload]


def kill_nobody(it: Capture) -> None:
    it.dead = []


def die_silently(it: Capture) -> None:
    it.heard = [h for h in it.heard if h.name != "status"]


PROOFS = (
    *(injected.disk_took_nothing, injected.calls_were_spoilt, injected.nothing_passed),
    *(injected.blindness_was_told, injected.cleared_came_back, injected.deaths_were_told),
)


@pytest.mark.parametrize("proof", PROOFS)
def test_a_fault_that_was_made_is_proved(proof: Callable[[Capture], list[Any]]) -> None:
    assert [each.words for each in proof(stood()) if not each.holds] == []


@pytest.mark.parametrize(
    ("proof", "tamper"),
    [
        (injected.disk_took_nothing, record_an_act),
        (injected.disk_took_nothing, let_nobody_act),
        (injected.calls_were_spoilt, spoil_nothing),
        (injected.nothing_passed, let_a_heartbeat_through),
        (injected.nothing_passed, cut_for_less_than_a_rest),
        (injected.nothing_passed, cut_nothing),
        (injected.blindness_was_told, go_on_to_see),
        (injected.blindness_was_told, blind_nobody),
        (injected.cleared_came_back, clear_nothing),
        (injected.cleared_came_back, never_be_gone),
        (injected.cleared_came_back, never_come_back),
        (injected.deaths_were_told, kill_nobody),
        (injected.deaths_were_told, die_silently),
    ],
)
def test_a_fault_that_was_not_made_is_found_out(
    proof: Callable[[Capture], list[Any]], tamper: Callable[[Capture], None]
) -> None:
    tampered = stood()
    tamper(tampered)
    assert not all(each.holds for each in proof(tampered))


@pytest.mark.parametrize("fault", faults(), ids=lambda each: each.name)
def test_no_fault_is_without_a_proof_and_none_is_proved_by_nothing(fault: Any) -> None:
    found = fault.also(Capture())
    assert found
    assert not all(each.holds for each in found)
