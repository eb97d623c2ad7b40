"""Where an alert sounds: at once, and when nobody acknowledges it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.alert import Alert
from daemon.alerts.annunciation import (
    NEXT_AFTER_S,
    USUAL_CHAIN,
    USUAL_RAISED,
    Plan,
    Post,
    next_due_s,
    sounding_at,
)
from daemon.model import AlertState, Priority, Regime, SecurityLevel, Situation, Station
from tests.alerts.rig import HATCH, regime
from tests.makers import UTC_0210

PORT, SEA = Situation.PORT, Situation.SEA
PLAN = Plan(NEXT_AFTER_S, USUAL_CHAIN, USUAL_RAISED)
STATIONS = {
    "bridge": Station("bridge", frozenset({SEA, Situation.MANOEUVRING, Situation.ANCHOR})),
    "gangway": Station("gangway", frozenset({PORT})),
    "office": Station("office", frozenset({Situation.YARD})),
    "phone": Station("phone", frozenset()),
    "ecr": Station("ecr", frozenset()),
    "master": Station("master", frozenset()),
}
WAITS = Alert(
    id="door.escape.open.d12",
    key="door.escape.open",
    instance=1,
    number=10015,
    title="ESC HATCH OPEN",
    source=HATCH,
    priority=Priority.WARNING,
    state=AlertState.ACTIVE_UNACKNOWLEDGED,
    raised_utc=UTC_0210,
    changed_utc=UTC_0210,
    changed_s=1000.0,
    action="Send two to check.",
    waits_since_s=1000.0,
)
ALL = frozenset(STATIONS)


def posts(live: frozenset[str] = ALL) -> tuple[Post, ...]:
    return tuple(Post(station, id_ in live) for id_, station in STATIONS.items())


def where(
    after_s: float, of: Regime, *, live: frozenset[str] = ALL, alert: Alert = WAITS
) -> tuple[str, ...]:
    return sounding_at(alert, of, posts(live), PLAN, 1000.0 + after_s)


@pytest.mark.parametrize(
    ("after_s", "called"),
    [
        (0.0, ()),
        (179.9, ()),
        (180.0, ("office",)),
        (359.9, ("office",)),
        (360.0, ("office", "phone")),
        (540.0, ("office", "phone", "bridge")),
        (86_400.0, ("office", "phone", "bridge")),
    ],
)
@pytest.mark.parametrize("priority", [Priority.WARNING, Priority.ALARM])
def test_in_port_it_goes_from_the_gangway_down_the_chain_and_comes_to_the_bridge_last(
    after_s, called, priority
):
    alert = replace(WAITS, priority=priority)
    assert where(after_s, regime(PORT), alert=alert) == ("gangway", *called)


@pytest.mark.parametrize(
    ("of", "called"),
    [
        (regime(SEA), ()),
        (regime(SEA, 2), ("master",)),
        (regime(SEA, 3), ("master",)),
        (regime(SEA, threat=True), ("master",)),
        (regime(Situation.ANCHOR, 2), ("master",)),
        (regime(PORT, 3), ("office",)),
    ],
)
def test_at_sea_the_masters_cabin_is_called_only_when_the_ship_must_be_careful(of, called):
    assert where(180.0, of)[1:] == called


def test_a_station_that_is_not_live_is_passed_over_at_once():
    live = ALL - {"gangway"}
    assert where(0.0, regime(PORT), live=live) == ("gangway", "office"), "it is still named"
    assert where(180.0, regime(PORT), live=live) == ("gangway", "office", "phone")
    assert where(180.0, regime(PORT), live=ALL - {"office"}) == ("gangway", "phone")


def test_where_nobody_of_the_chain_is_live_every_live_station_is_called():
    assert where(0.0, regime(SEA), live=frozenset({"ecr", "gangway"})) == (
        "bridge",
        "gangway",
        "ecr",
    )
    assert where(0.0, regime(SEA), live=frozenset()) == ("bridge",), "and none is invented"


def test_where_nobody_is_live_at_all_a_sounder_without_a_page_is_called_too():
    heard = tuple(
        replace(post, armed=post.station.id in {"ecr", "bridge"}) for post in posts(frozenset())
    )
    assert sounding_at(WAITS, regime(SEA), heard, PLAN, 1000.0) == ("bridge", "ecr")
    quiet = tuple(replace(post, armed=post.station.id == "ecr") for post in posts(ALL))
    assert sounding_at(WAITS, regime(SEA), quiet, PLAN, 1000.0) == ("bridge",)


@pytest.mark.parametrize(
    "changed",
    [
        {"priority": Priority.CAUTION, "state": AlertState.ACTIVE_ACKNOWLEDGED},
        {"priority": Priority.CAUTION},
        {"state": AlertState.ACTIVE_SILENCED},
        {"state": AlertState.ACTIVE_ACKNOWLEDGED},
        {"state": AlertState.RECTIFIED_UNACKNOWLEDGED},
        {"state": AlertState.RESPONSIBILITY_TRANSFERRED},
    ],
)
def test_what_is_quiet_sounds_nowhere_however_long_it_stands(changed):
    assert where(10_000.0, regime(PORT, 3), alert=replace(WAITS, **changed)) == ()


def test_one_that_does_not_wait_goes_nowhere():
    alert = replace(WAITS, waits_since_s=None)
    assert where(10_000.0, regime(PORT), alert=alert) == ("gangway",)


def test_a_ships_own_chain_counts():
    plan = Plan(60.0, {PORT: ("ecr",)}, {})
    assert sounding_at(WAITS, regime(PORT), posts(), plan, 1060.0) == ("gangway", "ecr")
    assert next_due_s(WAITS, regime(PORT), posts(), plan, 1060.0) is None


SOUNDS = st.builds(
    replace,
    st.just(WAITS),
    priority=st.sampled_from([Priority.WARNING, Priority.ALARM]),
    waits_since_s=st.none() | st.floats(0.0, 5000.0),
)
REGIMES = st.builds(
    Regime, st.sampled_from(Situation), st.sampled_from(SecurityLevel), threat=st.booleans()
)
LIVE = st.frozensets(st.sampled_from(sorted(STATIONS)))
PLANS = st.builds(
    Plan,
    st.floats(30.0, 600.0),
    st.dictionaries(
        st.sampled_from(Situation),
        st.lists(st.sampled_from(sorted(STATIONS)), unique=True).map(tuple),
    ),
    st.just({}),
)


@given(SOUNDS, REGIMES, LIVE, PLANS, st.floats(0.0, 20_000.0))
def test_an_unacknowledged_alert_sounds_at_a_live_station_if_there_is_any(
    alert, of, live, plan, now_s
):
    named = sounding_at(alert, of, posts(live), plan, now_s)
    assert len(set(named)) == len(named)
    assert not live or live.intersection(named)
    called = set(named) - {id_ for id_, s in STATIONS.items() if of.situation in s.attended_in}
    assert called <= live, "whoever is called is there"


@given(SOUNDS, REGIMES, LIVE, PLANS, st.floats(0.0, 20_000.0), st.floats(0.1, 2_000.0))
def test_nothing_that_was_called_is_let_go_while_it_waits(alert, of, live, plan, now_s, more_s):
    before = sounding_at(alert, of, posts(live), plan, now_s)
    assert set(before) <= set(sounding_at(alert, of, posts(live), plan, now_s + more_s))


@given(SOUNDS, REGIMES, LIVE, PLANS, st.floats(0.0, 20_000.0))
def test_when_the_next_station_is_called_is_known(alert, of, live, plan, now_s):
    before = sounding_at(alert, of, posts(live), plan, now_s)
    due_s = next_due_s(alert, of, posts(live), plan, now_s)
    if due_s is None:
        assert sounding_at(alert, of, posts(live), plan, now_s + 100_000.0) == before
        return
    assert due_s > now_s
    assert len(sounding_at(alert, of, posts(live), plan, due_s)) > len(before)
    if (middle_s := (now_s + due_s) / 2) < due_s:
        assert sounding_at(alert, of, posts(live), plan, middle_s) == before
