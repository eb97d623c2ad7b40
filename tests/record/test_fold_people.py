"""Who is on board, who has a PIN and a key: pure consequences of entries, so that they outlive everything else."""

from __future__ import annotations

import pytest

from daemon.model import Classification, Json
from daemon.record import fold
from daemon.record.entry import Draft, EntryError

BERG: dict[str, Json] = {
    "name": "N. Berg",
    "rank": "2/O",
    "roles": ["officer"],
    "joined": "2026-11-20",
    "drilled": None,
}
KOVAC: dict[str, Json] = {**BERG, "name": "D. Kovac", "roles": ["eto"]}


def changes(type_: str, said: dict[str, Json]) -> list[tuple[str, str, object]]:
    draft = Draft(
        kind="system",
        type=type_,
        subject="x",
        classification=Classification.SSO,
        open=said,
    )
    return [
        (change.kind, change.id, None if change.body is None else dict(change.body))
        for change in fold.project(draft)
    ]


def test_a_list_a_hand_over_and_a_joiner_are_who_is_on_board():
    both = [("crew", "N. Berg", BERG), ("crew", "D. Kovac", KOVAC)]
    assert changes("crew.listed", {"persons": [BERG, KOVAC]}) == both
    assert changes("duty.handed_over", {"role": "sso", "persons": [BERG, KOVAC]}) == both
    for type_ in ("crew.joined", "crew.changed"):
        assert changes(type_, BERG) == [("crew", "N. Berg", BERG), ("former", "N. Berg", None)]


def test_who_left_is_no_more_on_board_and_his_pin_is_none():
    left: dict[str, Json] = {
        "name": "N. Berg",
        "rank": "2/O",
        "left": "2026-11-22",
        "drilled": None,
    }
    assert changes("crew.left", left) == [
        ("crew", "N. Berg", None),
        ("former", "N. Berg", left),
        ("pin", "N. Berg", None),
    ]


def test_pins_and_keys_are_known_by_their_newest_entry():
    assert changes("pin.set", {"person": "N. Berg", "first": True}) == [
        ("pin", "N. Berg", {"set": True})
    ]
    assert changes("pin.reset", {"person": "N. Berg"}) == [("pin", "N. Berg", None)]
    assert changes("person.key", {"person": "N. Berg", "key": "AA=="}) == [
        ("person_key", "N. Berg", {"key": "AA=="})
    ]


@pytest.mark.parametrize(
    ("type_", "said"),
    [
        ("crew.listed", {"persons": 7}),
        ("crew.listed", {"persons": [{}]}),
        ("crew.joined", {"rank": "2/O"}),
        ("crew.left", {}),
        ("person.key", {"person": "N. Berg"}),
        ("person.key", {"person": "N. Berg", "key": 7}),
        ("pin.set", {"person": None}),
    ],
)
def test_an_entry_without_what_its_type_must_have_is_refused(type_, said):
    with pytest.raises(EntryError):
        changes(type_, said)
