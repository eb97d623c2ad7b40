"""A dashboard shows what a point tells in its own words: no lamp is ever *closed* there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from daemon.model import Classification, ContactState, Opening, OpeningKind, Quality
from daemon.mqtt.topics import Topics
from daemon.points.points import Points
from daemon.stations.picture import Picture
from daemon.wording.openings import WORDS
from tests.clocks import ManualClock
from tests.makers import reading

if TYPE_CHECKING:
    from collections.abc import Mapping

TOPICS = Topics("9999993")


class KeptBoard:
    def __init__(self) -> None:
        self.state: dict[str, Mapping[str, Any]] = {}

    def put(self, topic: str, body: Mapping[str, Any], up_s: float, *, last: bool = False) -> None:
        self.state[topic] = body

    def remove(self, topic: str) -> None:
        self.state.pop(topic, None)


def shown(
    value: object, *, kind: OpeningKind, quality: Quality = Quality.GOOD
) -> Mapping[str, Any]:
    board = KeptBoard()
    opening = Opening("x1", "THE THING", kind, "somewhere", None, "io1")
    picture = Picture(
        topics=TOPICS,
        board=board,
        watched=[opening],
        points=Points({"x1": 15.0}, started_s=0.0),
        clock=ManualClock(),
    )
    picture.reading(reading("x1", value, quality=quality), changed=True)
    return board.state[TOPICS.point("x1", classification=Classification.WATCH)]


@pytest.mark.parametrize(
    ("kind", "closed", "opened"),
    [
        (OpeningKind.LIGHT, "lit", "not lit"),
        (OpeningKind.MAINS, "on mains", "on battery"),
        (OpeningKind.BATTERY, "battery good", "battery low"),
        (OpeningKind.LOCK, "locked", "not locked"),
        (OpeningKind.MOTION, "nothing moves", "something moves"),
    ],
)
def test_a_contact_is_told_in_the_words_of_what_it_watches(kind, closed, opened):
    for state, word in ((ContactState.CLOSED, closed), (ContactState.OPEN, opened)):
        said = shown(state, kind=kind)
        assert (said["value"], said["kind"], said["word"]) == (state.value, kind.value, word)
        assert said["name"] == "THE THING"


@pytest.mark.parametrize("kind", OpeningKind)
def test_a_line_fault_is_one_of_whatever_line_and_nothing_seen_has_no_word(kind):
    assert kind in WORDS
    assert shown(ContactState.LINE_FAULT, kind=kind)["word"] == "line fault"
    unseen = shown(None, kind=kind, quality=Quality.UNKNOWN)
    assert (unseen["kind"], unseen["word"]) == (kind.value, None)


def test_the_points_of_a_camera_bear_its_name_and_those_of_a_receiver_none():
    board = KeptBoard()
    picture = Picture(
        topics=TOPICS,
        board=board,
        watched=[],
        points=Points({"c01.view": 15.0, "gps1.time": 15.0}, started_s=0.0),
        clock=ManualClock(),
    )
    picture.call(["c01.view"], name="GANGWAY", kind="camera")
    for point in ("c01.view", "gps1.time"):
        picture.reading(reading(point, "live"), changed=True)
    told = [board.state[TOPICS.point(point)] for point in ("c01.view", "gps1.time")]
    assert [(said["name"], said["kind"], said["word"]) for said in told] == [
        ("GANGWAY", "camera", None),
        (None, None, None),
    ]
