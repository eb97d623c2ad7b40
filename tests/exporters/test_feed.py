"""Other systems are told what is open and nothing else, in bounded memory, and nothing behind the curtain."""

from __future__ import annotations

import pytest

from daemon.model import Classification
from tests.exporters.rig import ALERT, DOOR, DRIVER, STATUS, TOPICS, Told

SSO = Classification.SSO
CLOSED_TOPICS = [
    TOPICS.point("ssas.lamp", classification=SSO),
    TOPICS.driver("ssas", classification=SSO),
    TOPICS.equipment("ssas", classification=SSO),
    TOPICS.test("t2", classification=SSO),
    TOPICS.worklist(),
    TOPICS.out_of_service("d17"),
    TOPICS.sso_loop_check(),
]


def of(told: Told) -> list[tuple[str, str, bool]]:
    return [(each.kind, each.id, each.body is not None) for each in told.feed.take()]


@pytest.mark.parametrize("topic", CLOSED_TOPICS)
def test_nothing_of_class_sso_is_heard(topic):
    told = Told()
    told.whole()
    told.put(topic, DOOR)
    assert of(told) == []
    assert list(told.feed.everything()) == []


@pytest.mark.parametrize(
    "name", ["station/bridge", "permit/d17", "crew", "inhibit/a", "test/t1", "event"]
)
def test_what_is_open_and_nobody_elses_business_is_not_heard_either(name):
    told = Told()
    told.whole()
    told.feed.hear(f"{TOPICS.root}/{name}", b'{"person":"L. Tupou"}', 1.0)
    assert of(told) == []


def test_the_citadels_topics_are_not_heard():
    told = Told()
    told.whole()
    told.feed.hear(f"{TOPICS.root}/citadel/point/d12", b'{"value":"open"}', 1.0)
    assert of(told) == []


def test_nothing_is_told_before_the_ship_has_told_everything():
    told = Told()
    told.put(TOPICS.point("d12"), DOOR)
    assert (of(told), list(told.feed.everything())) == ([], [])
    told.whole()
    assert of(told) == [("point", "d12", True)]


def test_who_comes_late_hears_how_all_stands():
    told = Told()
    told.put(TOPICS.status(), STATUS)
    told.whole()
    heard: list[str] = []
    told.mirror.on_set(lambda topic, _body, _up_s: heard.append(topic))
    assert heard == [TOPICS.status(), TOPICS.snapshot()]


def test_of_what_changes_faster_than_it_is_taken_the_newest_alone_waits():
    told = Told()
    told.whole()
    for value in ("open", "closed", "open"):
        told.put(TOPICS.point("d12"), {**DOOR, "value": value})
    [newest] = told.feed.take()
    assert newest.body is not None
    assert newest.body["value"] == "open"
    assert of(told) == []


def test_what_is_cleared_at_the_broker_is_told_as_gone():
    told = Told()
    told.whole()
    told.put(TOPICS.alert("a"), ALERT)
    of(told)
    told.remove(TOPICS.alert("a"))
    assert of(told) == [("alert", "a", False)]


def test_behind_the_curtain_everything_is_gone_and_nothing_is_news():
    told = Told()
    told.whole()
    told.put(TOPICS.point("d12"), DOOR)
    told.put(TOPICS.driver("io1"), DRIVER)
    of(told)
    told.curtain(down=True)
    assert of(told) == [("point", "d12", False), ("driver", "io1", False)]
    told.put(TOPICS.point("d12"), {**DOOR, "value": "open"})
    assert (of(told), list(told.feed.everything())) == ([], [])
    told.curtain(down=False)
    assert of(told) == [("point", "d12", True), ("driver", "io1", True)]


def test_there_is_room_for_so_many_topics_and_the_rest_is_counted():
    told = Told(limit=2)
    told.whole()
    for number in range(4):
        told.put(TOPICS.point(f"d{number}"), DOOR)
    assert len(of(told)) == 2
    assert told.feed.dropped == 2
