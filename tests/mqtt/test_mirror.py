"""The retained state, without a broker."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.model import Classification
from daemon.mqtt.mirror import Mirror, render, sealed
from tests.mqtt.harness import TOPICS

if TYPE_CHECKING:
    from daemon.mqtt.mirror import Change

A, B, C = (TOPICS.point(id_) for id_ in "abc")


@pytest.fixture
def mirror() -> Mirror:
    mirror = Mirror()
    mirror.begin("s1", at_s=0.0)
    return mirror


def put(
    mirror: Mirror, topic: str, value: object, *, up_s: float = 1.0, last: bool = False
) -> None:
    mirror.put(topic, {"value": value}, up_s, at_s=up_s, last=last)


def taken(mirror: Mirror) -> list[Change]:
    changes = []
    while (change := mirror.take()) is not None:
        changes.append(change)
    return changes


def settle(mirror: Mirror, at_s: float = 2.0) -> list[Change]:
    """Let the broker acknowledge everything; return what it got."""
    got: list[Change] = []
    while changes := taken(mirror):
        for change in changes:
            mirror.settled(change, at_s=at_s)
        got += changes
    return got


def value(change: Change) -> object:
    return json.loads(change.payload)["value"] if change.payload else None


def test_a_payload_is_the_body_as_given_then_session_and_up_to_the_millisecond() -> None:
    body = render({"value": "Å", "b": None, "a": [1, 2.5]})
    assert sealed(body, session="s1", up_s=12.34567) == (
        '{"value":"Å","b":null,"a":[1,2.5],"session":"s1","up":12.346}'.encode()
    )


@pytest.mark.parametrize(
    "body", [{}, {"session": "x"}, {"up": 1}, {"v": float("nan")}, {"v": float("inf")}]
)
def test_a_body_that_cannot_be_sent_is_refused_when_it_is_put(
    mirror: Mirror, body: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match=r"members of its own|JSON compliant"):
        mirror.put(A, body, 1.0, at_s=1.0)
    assert mirror.take() is None


def test_only_the_newest_value_waits_in_the_order_of_first_change(mirror: Mirror) -> None:
    for topic, number in ((A, 1), (B, 1), (A, 2), (C, 1), (A, 3)):
        put(mirror, topic, number)
    assert [(change.topic, value(change)) for change in taken(mirror)] == [(A, 3), (B, 1), (C, 1)]


def test_an_alert_is_told_before_the_points_that_changed_before_it(mirror: Mirror) -> None:
    alerts = [TOPICS.alert(id_) for id_ in ("io.bus_lost.rtu", "door.escape.open.d12")]
    for topic in (A, B, alerts[0], C, alerts[1], TOPICS.status()):
        put(mirror, topic, 1)
    assert [change.topic for change in taken(mirror)] == [*alerts, TOPICS.status(), A, B, C]


def test_one_publication_of_a_topic_is_in_flight_at_most(mirror: Mirror) -> None:
    put(mirror, A, 1)
    first = mirror.take()
    assert first is not None
    put(mirror, A, 2)
    put(mirror, B, 1)
    assert [change.topic for change in taken(mirror)] == [B]
    mirror.settled(first, at_s=2.0)
    assert [value(change) for change in taken(mirror)] == [2]


def test_everything_is_told_again_in_a_new_session_with_its_own_age(mirror: Mirror) -> None:
    put(mirror, A, 1, up_s=5.0)
    put(mirror, B, 1, up_s=6.0)
    settle(mirror)
    put(mirror, B, 2, up_s=7.0)
    old = mirror.take()
    assert old is not None
    mirror.begin("s2", at_s=100.0)
    mirror.settled(old, at_s=100.0)  # an acknowledgement of the old connection says nothing
    assert [change.payload for change in taken(mirror)] == [
        b'{"value":1,"session":"s2","up":5.000}',
        b'{"value":2,"session":"s2","up":7.000}',
    ]


def test_an_acknowledgement_of_an_old_session_settles_nothing_of_the_new_one(
    mirror: Mirror,
) -> None:
    put(mirror, A, 1)
    old = mirror.take()
    assert old is not None
    mirror.begin("s2", at_s=2.0)
    new = mirror.take()
    assert new is not None
    mirror.settled(old, at_s=2.0)
    assert mirror.is_pending(A)
    mirror.settled(new, at_s=2.0)
    assert not mirror.is_pending(A)


def test_an_ending_is_told_before_it_is_forgotten_also_over_a_new_session(mirror: Mirror) -> None:
    put(mirror, A, "active")
    put(mirror, A, "normal", last=True)
    mirror.take()
    mirror.begin("s2", at_s=3.0)
    assert [value(change) for change in settle(mirror)] == ["normal", None]
    assert not mirror.holds(A)
    mirror.begin("s3", at_s=4.0)
    assert settle(mirror) == []


def test_a_clearing_is_not_forgotten_until_the_broker_has_it(mirror: Mirror) -> None:
    put(mirror, A, 1)
    settle(mirror)
    mirror.remove(A, at_s=2.0)
    mirror.begin("s2", at_s=3.0)
    assert [(change.topic, change.payload) for change in settle(mirror)] == [(A, b"")]


def test_a_topic_that_comes_back_before_it_was_cleared_stays(mirror: Mirror) -> None:
    put(mirror, A, 1)
    settle(mirror)
    mirror.remove(A, at_s=2.0)
    put(mirror, A, 2)
    assert [value(change) for change in settle(mirror)] == [2]
    assert mirror.holds(A)


def test_what_is_not_ours_can_be_cleared_and_what_is_ours_cannot_be_buried(mirror: Mirror) -> None:
    put(mirror, A, 1)
    mirror.bury(A, at_s=2.0)
    mirror.bury("ispsd/aurora/v1/left/by/others", at_s=2.0)
    mirror.remove(B, at_s=2.0)
    mirror.touch(C, at_s=2.0)
    assert [value(change) for change in settle(mirror)] == [1, None]


def test_the_oldest_change_that_waits_has_an_age_that_later_ones_do_not_hide(
    mirror: Mirror,
) -> None:
    assert mirror.oldest_waiting_s(at_s=9.0) == 0.0
    put(mirror, A, 1, up_s=10.0)
    first = mirror.take()
    assert first is not None
    put(mirror, A, 2, up_s=12.0)
    assert mirror.oldest_waiting_s(at_s=15.0) == 5.0
    mirror.settled(first, at_s=15.0)
    assert mirror.oldest_waiting_s(at_s=15.0) == 3.0
    settle(mirror)
    assert mirror.oldest_waiting_s(at_s=15.0) == 0.0


def test_settled_means_this_or_something_newer_is_there(mirror: Mirror) -> None:
    put(mirror, A, 1)
    mark = mirror.revision
    first = mirror.take()
    assert first is not None
    put(mirror, A, 2)
    assert not mirror.has_settled(mark)
    mirror.settled(first, at_s=2.0)
    assert mirror.has_settled(mark)
    assert not mirror.has_settled(mirror.revision)


def test_only_the_asked_class_is_counted(mirror: Mirror) -> None:
    put(mirror, A, 1)
    put(mirror, TOPICS.worklist(), 1)
    put(mirror, B, 1)
    mirror.remove(B, at_s=2.0)
    assert mirror.count(Classification.WATCH) == 1
    assert mirror.count(Classification.SSO) == 1


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["put", "last", "remove", "take", "ack", "begin", "touch"]),
        st.integers(0, 2),
    ),
    max_size=60,
)


@given(OPERATIONS)
def test_whatever_happens_the_broker_ends_up_with_the_newest_of_everything(
    operations: list[tuple[str, int]],
) -> None:
    mirror, broker, wanted, flights = Mirror(), {}, {}, []
    mirror.begin("s", at_s=0.0)
    for number, (act, which) in enumerate(operations):
        topic = (A, B, C)[which]
        match act:
            case "put" | "last":
                put(mirror, topic, number, last=act == "last")
                wanted[topic] = None if act == "last" else number
            case "remove":
                mirror.remove(topic, at_s=0.0)
                wanted[topic] = None
            case "take" if (change := mirror.take()) is not None:
                broker[change.topic] = value(change)
                flights.append(change)
            case "ack" if flights:
                mirror.settled(flights.pop(0), at_s=0.0)
            case "begin":
                flights.clear()
                mirror.begin(f"s{number}", at_s=0.0)
            case "touch":
                mirror.touch(topic, at_s=0.0)
    for change in flights:
        mirror.settled(change, at_s=0.0)
    for change in settle(mirror):
        broker[change.topic] = value(change)
    assert {t: v for t, v in broker.items() if v is not None} == {
        t: v for t, v in wanted.items() if v is not None
    }
    assert mirror.has_settled(mirror.revision)
