"""Cameras that give no picture, or none of which anybody would learn anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from daemon.alerts.rules.cctv import LOST, CamerasRule
from daemon.model import CameraState, CameraView
from tests.makers import reading

if TYPE_CHECKING:
    from daemon.alerts.rules.api import Moment

NAMES = {"c01": "GANGWAY", "c02": "FWD DECK", "c03": "POOP"}
MOMENT: Moment = None  # type: ignore[assignment]
"""No rule of cameras asks for it."""


def view(state: CameraState, *, unchanged_looks: int = 0) -> CameraView:
    return CameraView(state, "jpeg", 640, 480, 100.0, 30.0, unchanged_looks, 0.1)


def stands(rule: CamerasRule) -> dict[str, str]:
    """What the rule says holds: source and detail."""
    said = list(rule.look(MOMENT))
    assert {each.key for each in said} <= {LOST}
    return {each.source.id: each.detail for each in said if each.active}


def known(rule: CamerasRule) -> set[str]:
    return {each.source.id for each in rule.look(MOMENT)}


def test_nothing_is_said_of_a_camera_that_was_not_looked_at():
    rule = CamerasRule({"c03": "POOP"})
    assert known(rule) == set()
    rule.link("c03", up=True, now_s=1.0, reason="")
    assert known(rule) == set()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (CameraState.LIVE, None),
        (CameraState.NIGHT, None),
        (CameraState.NOT_DECODED, None),
        (CameraState.FROZEN, "the picture stands still: the same for 3 looks"),
        (CameraState.COVERED, "the picture shows nothing"),
        (CameraState.DARK, "the picture is dark"),
    ],
)
def test_what_is_seen_decides(state, words):
    rule = CamerasRule({"c03": "POOP"})
    rule.link("c03", up=True, now_s=1.0, reason="")
    rule.take(reading("c03.view", view(state, unchanged_looks=2)), None)
    assert stands(rule) == ({} if words is None else {"c03": words})
    assert known(rule) == {"c03"}


def test_a_lost_camera_says_why_and_comes_back():
    rule = CamerasRule({"c03": "POOP"})
    rule.link("c03", up=False, now_s=1.0, reason="DESCRIBE: it hung up")
    assert stands(rule) == {"c03": "no picture: DESCRIBE: it hung up"}
    rule.link("c03", up=True, now_s=2.0, reason="")
    rule.take(reading("c03.view", view(CameraState.LIVE)), None)
    assert stands(rule) == {}


def lose(rule: CamerasRule, *cameras: str, at_s: float) -> None:
    for each in cameras:
        rule.link(each, up=False, now_s=at_s, reason="no route")


def test_a_dead_switch_is_one_alert():
    rule = CamerasRule(NAMES, behind="cctv-switch")
    lose(rule, "c01", at_s=100.0)
    assert stands(rule) == {"c01": "no picture: no route"}
    lose(rule, "c02", "c03", at_s=115.0)
    assert stands(rule) == {"cctv-switch": "no picture of GANGWAY, FWD DECK, POOP"}


def test_a_camera_that_was_lost_long_before_the_switch_stays_an_alert_of_its_own():
    rule = CamerasRule(NAMES, behind="cctv-switch")
    lose(rule, "c03", at_s=100.0)
    lose(rule, "c01", "c02", at_s=160.0)
    assert stands(rule).keys() == {"cctv-switch", "c03"}
    # How often it is tried again changes nothing.
    lose(rule, "c01", "c02", "c03", at_s=900.0)
    assert stands(rule).keys() == {"cctv-switch", "c03"}


def test_when_some_come_back_the_others_are_told_one_by_one():
    rule = CamerasRule(NAMES, behind="cctv-switch")
    lose(rule, *NAMES, at_s=100.0)
    rule.link("c01", up=True, now_s=200.0, reason="")
    assert stands(rule).keys() == {"c02", "c03"}


def test_a_camera_alone_behind_something_is_a_camera():
    rule = CamerasRule({"c03": "POOP"}, behind="nvr")
    lose(rule, "c03", at_s=1.0)
    assert stands(rule).keys() == {"c03"}
