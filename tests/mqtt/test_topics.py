from __future__ import annotations

import pytest

from daemon.model import Classification
from daemon.mqtt.topics import LONGEST, Topic, Topics, checked_id, parse
from tests.mqtt.harness import TOPICS

SSO = Classification.SSO


@pytest.mark.parametrize("bad", ["", "A", "a/b", "+", "#", "a b", "æ", "a\n", "x" * 65])
def test_what_could_mean_something_else_in_a_topic_is_no_id(bad: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in a topic"):
        checked_id(bad)
    with pytest.raises(ValueError, match="cannot stand in a topic"):
        Topics(bad)


def test_an_id_of_64_is_still_one() -> None:
    assert checked_id("x" * 64) == "x" * 64


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        (TOPICS.status(), Topic("status")),
        (TOPICS.record_head(), Topic("record/head")),
        (TOPICS.point("d12"), Topic("point", "d12")),
        (TOPICS.point("lamp", classification=SSO), Topic("sso/point", "lamp")),
        (TOPICS.driver("ssas", classification=SSO), Topic("sso/driver", "ssas")),
        (TOPICS.equipment("ais"), Topic("equipment", "ais")),
        (TOPICS.test("t1", classification=SSO), Topic("sso/test", "t1")),
        (TOPICS.alert("a1"), Topic("alert", "a1")),
        (TOPICS.station("bridge"), Topic("station", "bridge")),
        (TOPICS.worklist(), Topic("sso/worklist")),
        (TOPICS.inhibit("door.store.open.d17"), Topic("inhibit", "door.store.open.d17")),
        (TOPICS.out_of_service("d17"), Topic("sso/out_of_service", "d17")),
        (TOPICS.event(), Topic("event")),
        (TOPICS.reply("bridge"), Topic("reply", "bridge")),
        (TOPICS.command("bridge", "take_watch"), Topic("cmd", "bridge", "take_watch")),
    ],
)
def test_every_topic_can_be_taken_apart_again(topic: str, kind: Topic) -> None:
    assert TOPICS.parse(topic) == kind
    assert kind.classification is (SSO if "/sso/" in topic else Classification.WATCH)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "ispsd/aurora/v1",
        "ispsd/aurora/v1/",
        "ispsd/aurora/v1/point",
        "ispsd/aurora/v1/point/",
        "ispsd/aurora/v1/point/a/b",
        "ispsd/aurora/v1/sso/alert/x",
        "ispsd/aurora/v1/record/tail",
        "ispsd/aurora/v2/status",
        "ispsd/a/b/v1/status",
        "other/aurora/v1/status",
        "ispsd/aurora/v1/cmd/bridge",
    ],
)
def test_what_is_not_in_the_contract_is_not_taken_apart(topic: str) -> None:
    assert parse(topic) is None


def test_the_longest_topics_are_known_and_nothing_longer_is_looked_at() -> None:
    ship, thing = "s" * 64, "t" * 64
    topics = Topics(ship)
    for longest in (
        topics.out_of_service(thing),
        topics.citadel().inhibit(thing),
        topics.command(thing, thing),
    ):
        assert len(longest) <= LONGEST
        assert parse(longest) is not None
    assert parse("x" * (LONGEST + 1)) is None


def test_a_ship_does_not_know_the_topics_of_another() -> None:
    assert TOPICS.parse(Topics("borealis").status()) is None
    assert parse(Topics("borealis").status()) == Topic("status")


def test_only_state_is_retained() -> None:
    moments = [TOPICS.heartbeat(), TOPICS.event(), TOPICS.reply("b"), TOPICS.command("b", "ack")]
    assert not any(name.retained for topic in moments if (name := parse(topic)))
    state = [TOPICS.snapshot(), TOPICS.station("b"), TOPICS.worklist(), TOPICS.record_head()]
    assert all(name.retained for topic in state if (name := parse(topic)))
