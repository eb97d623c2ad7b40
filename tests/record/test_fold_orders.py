"""What was ordered is a pure consequence of entries: inhibits, out of service, levels, a blackout."""

from __future__ import annotations

import pytest

from daemon.model import Classification, Json
from daemon.record import fold
from daemon.record.entry import Draft, EntryError

SSO = Classification.SSO
INHIBIT: dict[str, Json] = {"alert": "door.store.open.d17", "key": "door.store.open"}
OUT: dict[str, Json] = {"equipment": "d17", "name": "BOSUN STORE"}
LEVEL: dict[str, Json] = {"from": 1, "to": 2, "told_by": "flag"}


def changes(
    type_: str, said: dict[str, Json], private: dict[str, Json] | None = None
) -> list[tuple[str, str, object]]:
    draft = Draft(
        kind="system",
        type=type_,
        subject="x",
        classification=Classification.WATCH,
        open=said,
        parts={} if private is None else {SSO: private},
    )
    return [
        (change.kind, change.id, None if change.body is None else dict(change.body))
        for change in fold.project(draft, private)
    ]


@pytest.mark.parametrize(
    ("private", "reason"), [({"reason": "contact loose"}, "contact loose"), (None, "")]
)
def test_an_inhibit_stands_with_its_reason_where_that_can_be_read_until_it_ends(private, reason):
    """In an excerpt the part of class sso may be withheld: the inhibit stands all the same."""
    alert = INHIBIT["alert"]
    assert changes("inhibit.given", INHIBIT, private) == [
        ("inhibit", alert, {**INHIBIT, "reason": reason})
    ]
    assert changes("inhibit.ended", INHIBIT) == [("inhibit", alert, None)]


def test_what_is_taken_out_of_service_is_proposed_no_more():
    assert changes("out_of_service.proposed", OUT) == [("proposed", "d17", OUT)]
    assert changes("out_of_service.dropped", OUT) == [("proposed", "d17", None)]
    done = ("proposed", "d17", None)
    assert changes("out_of_service.begun", OUT) == [("out_of_service", "d17", OUT), done]
    # What was proposed meanwhile, to go on with it, waits for the SSO all the same.
    assert changes("out_of_service.ended", OUT) == [("out_of_service", "d17", None)]
    assert changes("out_of_service.checked", OUT) == []


def test_a_new_level_is_not_in_force_yet():
    assert changes("level.changed", LEVEL) == [
        ("ship", "level.changed", LEVEL),
        ("ship", "level.in_force", None),
    ]
    assert changes("level.in_force", LEVEL) == [("ship", "level.in_force", LEVEL)]


@pytest.mark.parametrize("to", ["sea", "manoeuvring", "anchor", "port", "yard"])
def test_only_at_sea_the_ports_level_is_forgotten(to):
    said: dict[str, Json] = {"from": "port", "to": to}
    forgotten = [("ship", "port_level.changed", None)] if to == "sea" else []
    assert changes("situation.changed", said) == [("ship", "situation.changed", said), *forgotten]


def test_a_blackout_stands_until_it_is_over():
    said: dict[str, Json] = {"begins": "x", "ends": "y", "minutes": 60, "by": "z"}
    assert changes("blackout.planned", said) == [("ship", "blackout.planned", said)]
    assert changes("blackout.ended", said) == [("ship", "blackout.planned", None)]


@pytest.mark.parametrize(
    ("type_", "said"),
    [
        ("inhibit.given", {}),
        ("inhibit.ended", {"alert": 7}),
        ("out_of_service.begun", {"name": "BOSUN STORE"}),
        ("out_of_service.ended", {"equipment": None}),
        ("out_of_service.proposed", {}),
        ("out_of_service.dropped", {}),
        ("situation.changed", {"from": "port"}),
    ],
)
def test_an_entry_without_what_its_type_must_have_is_refused(type_, said):
    with pytest.raises(EntryError):
        changes(type_, said)
