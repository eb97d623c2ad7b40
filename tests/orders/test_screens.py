"""What screens may show, over a real watch: the hour of the visitor view, and whom a clock asks nothing."""

from __future__ import annotations

import pytest

from daemon.errors import RefusedError
from daemon.model import Regime, Role, SecurityLevel, Situation, Station
from daemon.people import authority
from daemon.people.authority import Act, Ask
from daemon.people.claims import Claim
from daemon.ship.ordered import VISITOR_VIEW_S
from daemon.stations.gangwayprompt import GangwayPrompt
from daemon.stations.stations import Stations
from tests.test_orders import ordering

AT_GANGWAY = Claim("", None, "gangway")
PORT = Situation.PORT


async def test_the_visitor_view_lifts_itself_after_an_hour_of_its_own_clock():
    async with ordering() as rig:
        reply = await rig.orders.carry_out("visitor_view", {"on": True}, AT_GANGWAY)
        assert reply.accepted
        await rig.pass_time(VISITOR_VIEW_S - 1.0)
        assert rig.ship.visitor_view is not None
        assert rig.board.now["ship"]["visitor_view_ends_up"] is not None
        await rig.pass_time(2.0)
        assert rig.ship.visitor_view is None
        assert rig.board.now["ship"]["visitor_view_ends_up"] is None
        said = [(station, body["on"]) for station, _, body in rig.entries("visitor_view.changed")]
        assert said == [("gangway", True), (None, False)]


async def test_pressed_again_it_lasts_an_hour_from_then_and_off_twice_is_one_entry():
    async with ordering() as rig:
        for _ in range(2):
            await rig.orders.carry_out("visitor_view", {"on": True}, AT_GANGWAY)
            await rig.pass_time(10.0)
        assert rig.ship.visitor_view is not None
        left_s = rig.ship.visitor_view.ends_s - rig.clock.now_s()
        assert left_s == VISITOR_VIEW_S - 10.0
        for _ in range(2):
            await rig.orders.carry_out("visitor_view", {"on": False}, AT_GANGWAY)
        assert len(rig.entries("visitor_view.changed")) == 3


async def test_nothing_moves_the_curtain_but_a_person():
    """A day of a lively ship, alone: no rule, no alert and no end of anything draws it."""
    async with ordering() as rig:
        moved = []
        rig.orders.screens.moved.append(lambda: moved.append(rig.clock.now_s()))
        await rig.opens("e")
        await rig.pass_time(600.0)
        assert (moved, rig.ship.curtain, rig.ship.visitor_view) == ([], False, None)
        with pytest.raises(RefusedError, match="a name is wanted"):
            await rig.orders.carry_out("curtain", {"down": True}, AT_GANGWAY)
        assert moved == []


@pytest.mark.parametrize(
    ("roles", "on_guard", "ask"),
    [
        ({Role.OFFICER}, True, Ask.NOTHING),
        ({Role.OFFICER}, False, Ask.PIN),
        ({Role.GANGWAY}, True, Ask.NOTHING),
        ({Role.GANGWAY}, False, None),
        ({Role.ENGINEER}, True, Ask.NOTHING),
        ({Role.ENGINEER}, False, None),
        ({Role.OFFICER, Role.SSO}, True, Ask.NOTHING),
        ({Role.MASTER}, True, Ask.PIN),
        ({Role.MASTER}, False, Ask.PIN),
        ({Role.ETO}, True, None),
    ],
)
def test_what_a_press_asks_for_hangs_on_the_danger(roles, on_guard, ask):
    cell = authority.cell(Act.CURTAIN_DOWN, frozenset(roles), on_guard=on_guard)
    assert (None if cell is None else cell.ask) == ask


def test_behind_the_curtain_only_the_citadel_is_attended_whatever_others_say():
    stations = Stations(
        [
            Station("gangway", frozenset({PORT}), gangway=True),
            Station("office", frozenset()),
            Station("muster", frozenset(), citadel=True),
        ],
        PORT,
    )
    for each in ("gangway", "office", "muster"):
        stations.take_watch(each, "L. Tupou", since_s=0.0)
        stations.alive(each, shown=True, fresh=True, sound_armed=True, now_s=100.0)
    assert stations.sounding() == ("gangway",)
    assert stations.gangway_is_attended(100.0)
    stations.draw_curtain(down=True, now_s=100.0)
    assert stations.sounding() == ("muster",)
    assert not stations.gangway_is_attended(100.0)
    regime = Regime(PORT, SecurityLevel.ONE)
    posts = {p.station.id: (p.attended(regime), p.live, p.armed) for p in stations.posts(100.0)}
    assert posts == {
        "gangway": (False, False, False),
        "office": (False, False, False),
        "muster": (True, True, True),
    }
    assert stations.one_is_attended(100.0)
    assert not stations.one_is_attended(200.0), "nobody there has spoken for too long"
    # Raised, who said nothing behind it has its time to speak before anybody else is called.
    stations.draw_curtain(down=False, now_s=200.0)
    live = {p.station.id for p in stations.posts(210.0) if p.live}
    assert live == {"gangway"}
    assert [p for p in stations.posts(230.0) if p.live] == []


def test_the_gangways_question_begins_anew_behind_the_curtain():
    prompt = GangwayPrompt((0, 30, 15), now_s=0.0)
    regime = Regime(PORT, SecurityLevel.TWO)
    for minute in range(90):
        prompt.act(60.0 * minute)
        assert not prompt.look(regime, 60.0 * minute)
    assert prompt.asked_s is None
