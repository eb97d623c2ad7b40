"""The page sounds as the program does: the same pulses, pitches and moments, held together by running both."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from daemon.model import Position
from daemon.navigation.daylight import sun_deg
from daemon.sound.conductor import Conductor, Sounding
from daemon.sound.tones import EDGE_S, HARMONICS, PITCHES_HZ, PULSES, Signal
from tests.needed import needs

PRIORITIES = {Signal.ALARM: "A", Signal.WARNING: "W"}
SEQUENCES, STEPS = 200, 40


def ran(script: str, said: Any = None) -> Any:
    """Run a script beside the page's modules; return what it prints."""
    node = shutil.which("node")
    needs(node, "node is not installed (Debian: apt install nodejs)")
    done = subprocess.run(
        [str(node), "--input-type=module", "-e", script],
        input=json.dumps(said),
        cwd=str(files("daemon.web") / "front" / "src"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_pulses_and_pitches_are_the_programs():
    said = ran(
        "import { PULSES, PITCHES_HZ, HARMONICS, EDGE_S } from './tones.js';"
        "console.log(JSON.stringify({ PULSES, PITCHES_HZ, HARMONICS, EDGE_S }));"
    )
    assert said["PULSES"] == {
        signal.name: {
            "count": shape.count,
            "pulse_s": shape.pulse_s,
            "gap_s": shape.gap_s,
            "every_s": shape.every_s,
        }
        for signal, shape in PULSES.items()
    }
    assert said["PITCHES_HZ"] == {
        str(tones): {signal.name: hz for signal, hz in pitches.items()}
        for tones, pitches in PITCHES_HZ.items()
    }
    assert said["HARMONICS"] == [loudness for _, loudness in HARMONICS]
    assert said["EDGE_S"] == EDGE_S


def test_what_sounds_begins_at_the_same_moments():
    """Alerts that come, go, rise, are raised again, and a ship that falls silent: both conductors say the same."""
    sequences = [_sequence(random.Random(seed)) for seed in range(SEQUENCES)]
    theirs = ran(
        """
        import { Conductor } from './conductor.js';
        import { readFileSync } from 'node:fs';
        const out = JSON.parse(readFileSync(0, 'utf8')).map((steps) => {
          const conductor = new Conductor();
          return steps.map(({ alerts, ...rest }) => conductor.due(alerts, rest));
        });
        console.log(JSON.stringify(out));
        """,
        sequences,
    )
    assert theirs == [_ours(steps) for steps in sequences]
    assert {each for steps in theirs for each in steps} == {None, "ALARM", "WARNING", "STALE"}


def _sequence(chance: random.Random) -> list[dict[str, Any]]:
    now_s, steps = 0.0, []
    alerts: dict[str, dict[str, Any]] = {}
    for _ in range(STEPS):
        now_s += chance.choice([0.1, 0.5, 3.0, 7.0, 40.0])
        if chance.random() < 0.6:
            id_ = chance.choice("abc")
            if chance.random() < 0.4:
                alerts.pop(id_, None)
            else:
                alerts[id_] = {
                    "id": id_,
                    "instance": chance.randint(1, 2),
                    "priority": chance.choice("AW"),
                }
        steps.append(
            {
                "alerts": list(alerts.values()),
                "stale": chance.random() < 0.1,
                "now_s": now_s,
                "warning_every_s": 60.0,
            }
        )
    return steps


def _ours(steps: list[dict[str, Any]]) -> list[str | None]:
    signals = {letter: signal for signal, letter in PRIORITIES.items()}
    conductor, said = Conductor(), []
    for step in steps:
        sounding = frozenset(
            Sounding(each["id"], each["instance"], signals[each["priority"]])
            for each in step["alerts"]
        )
        due = conductor.due(
            sounding,
            stale=step["stale"],
            now_s=step["now_s"],
            warning_every_s=step["warning_every_s"],
        )
        said.append(None if due is None else due.name)
    return said


def test_the_sun_stands_where_the_daemon_has_it():
    """Anywhere, by day and night, in fifteen years: the page's palette and the rule for lights know one sun."""
    chance = random.Random(11)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    places = [
        (
            chance.uniform(-89, 89),
            chance.uniform(-180, 180),
            begin + timedelta(hours=chance.uniform(0, 131_000)),
        )
        for _ in range(500)
    ]
    theirs = ran(
        """
        import { sun_deg } from './sun.js';
        import { readFileSync } from 'node:fs';
        const said = JSON.parse(readFileSync(0, 'utf8'));
        console.log(JSON.stringify(said.map(([lat_deg, lon_deg, ms]) => sun_deg({ lat_deg, lon_deg }, ms))));
        """,
        [(lat, lon, at.timestamp() * 1000) for lat, lon, at in places],
    )
    ours = [sun_deg(Position(lat, lon), at) for lat, lon, at in places]
    assert max(abs(one - other) for one, other in zip(ours, theirs, strict=True)) < 0.1


def test_the_palette_follows_the_sun_and_does_not_flicker():
    said = ran(
        """
        import { palette, own_position } from './sun.js';
        const day = [-40, -6.1, -5.8, -5.4, -0.7, -0.2, 19.9, 20.2, 20.6, 20.1, 19.9, -0.9, -6.1];
        let shown = 'night';
        const position = { lat_deg: 1, lon_deg: 2 };
        const point = (quality, fix_quality) => ({ quality, value: { fix_quality, position } });
        console.log(JSON.stringify([
          day.map((height) => (shown = palette(height, shown))),
          own_position([{ value: 'closed', quality: 'good' }, point('suspect', 1), point('good', 0)]),
          own_position([{ value: null, quality: 'good' }, point('good', 1)]),
        ]));
        """
    )
    assert said[0] == [
        *("night", "night", "night", "dusk", "dusk", "day", "day", "day", "bright", "bright"),
        *("day", "dusk", "night"),
    ]
    assert said[1] is None, "a position that is suspect may be an attacker's"
    assert said[2] == {"lat_deg": 1, "lon_deg": 2}


def test_a_message_that_would_break_the_picture_is_counted_and_left_out():
    """Random bytes and random JSON under every topic: nothing is thrown, and what is kept is what the contract says."""
    chance = random.Random(7)
    scraps = [
        None,
        True,
        0,
        -1,
        1e300,
        "x",
        "closed",
        [],
        {},
        {"session": "s1", "up": 1},
        "x" * 400,
    ]
    topics = ["status", "heartbeat", "snapshot", "ship", "crew"]
    kinds = ("alert", "point", "permit", "inhibit", "test", "station", "driver")
    topics += [f"{kind}/d03" for kind in kinds]
    topics += ["point/a/b", "cmd/x/y", "nothing", "sso/point/x", "equipment/__proto__"]
    names = [
        "session",
        "up",
        "value",
        "state",
        "name",
        "priority",
        "sounds_at",
        "instance",
        "lacks",
    ]
    said = [
        [chance.choice(topics), json.dumps({n: chance.choice(scraps) for n in names})]
        for _ in range(3000)
    ]
    kept = ran(
        """
        import { Picture } from './picture.js';
        import { readFileSync } from 'node:fs';
        const picture = new Picture('r', { started_s: 0 });
        picture.connected_anew();
        for (const [topic, payload] of JSON.parse(readFileSync(0, 'utf8'))) {
          picture.take(`r/${topic}`, payload, 1);
          picture.take(`r/${topic}`, payload.slice(0, 9), 1);
          picture.stale(1); picture.up(1); picture.utc_ms(1); picture.sounding('gangway');
        }
        const all = Object.values(picture.by_id).reduce((sum, each) => sum + each.size, 0);
        console.log(JSON.stringify([all, picture.unreadable, picture.session]));
        """,
        said,
    )
    assert kept[0] == 0
    assert kept[1] > 1000
    assert kept[2] is None


LOOK = """
import { Picture } from './picture.js';
import { contact_words } from './contacts.js';
import { readFileSync } from 'node:fs';
const said = JSON.parse(readFileSync(0, 'utf8'));
const picture = new Picture('r', { started_s: 0 });
const seal = (body) => JSON.stringify({ session: 's', up: 1, ...body });
const begin = (session = 's') => {
  picture.connected_anew();
  const ship = { name: 'K', imo: 1 };
  picture.take('r/status', seal({ state: 'ready', version: '1', reasons: [], ship, session }), 1);
  picture.take('r/heartbeat', seal({ utc: '2026-11-22T02:10:00.000Z', session }), 1);
};
begin();
"""
SHIP: dict[str, Any] = {
    "situation": "port",
    "security_level": 2,
    "threat": False,
    "ship_time_offset_min": 480,
    "ais_off_by": None,
    "settling": False,
    "port_level": 1,
    "level_in_force": None,
    "interference_area": None,
    "interference_ends_up": None,
    "blackout": None,
    "visitor_view_ends_up": None,
}


def test_an_alert_whose_words_are_long_is_shown_and_sounds():
    """A loop check names all that it leaves without a guard: what is long takes no alert off the screen."""
    alert = {
        "id": "a",
        "instance": 1,
        "title": "LOOP CHECK ON",
        "name": "x" * 400,
        "priority": "W",
        "state": "V",
        "state_words": "active",
        "raised_utc": "",
        "changed_utc": "",
        "acknowledged_by": None,
        "sounding": True,
        "sounds_at": ["bridge"],
        "recorded": None,
        "action": "Patrol.",
        "detail": f"not guarded: {', '.join(['STRG GEAR ESC'] * 700)}",
    }
    said = ran(
        LOOK
        + """
        picture.take('r/alert/a', seal(said), 1);
        console.log(JSON.stringify([picture.all('alert').length, picture.sounding('bridge').length]));
        """,
        alert,
    )
    assert said == [1, 1]


def test_what_was_true_of_the_ship_before_is_not_said_of_her_now():
    """Level and situation: of another connection they are old, and what cannot be believed leaves none."""
    said = ran(
        LOOK
        + """
        const out = [];
        const level = () => out.push(picture.ship && [picture.ship.security_level, picture.is_old(picture.ship)]);
        picture.take('r/ship', seal(said), 1);
        level();
        begin('s2');
        level();
        picture.take('r/snapshot', seal({ session: 's2' }), 2);
        picture.take('r/heartbeat', seal({ session: 's2' }), 2);
        level();
        for (const broken of [{ ship_time_offset_min: 1e300 }, { security_level: '2' }, null]) {
          picture.take('r/ship', seal({ ...said, session: 's2' }), 3);
          picture.take('r/ship', broken ? seal({ ...said, ...broken, session: 's2' }) : '', 3);
          level();
        }
        picture.take('r/status', 'no json', 3);
        out.push(picture.stale(3), picture.session);
        console.log(JSON.stringify(out));
        """,
        SHIP,
    )
    assert said == [[2, False], [2, True], None, None, None, None, True, None]


def test_that_all_is_told_is_known_only_after_the_snapshot_of_this_session():
    said = ran(
        LOOK
        + """
        const out = [picture.complete];
        picture.take('r/snapshot', seal({ session: 'old' }), 1); out.push(picture.complete);
        picture.take('r/snapshot', seal({}), 1); out.push(picture.complete);
        picture.connected_anew(); out.push(picture.complete);
        console.log(JSON.stringify(out));
        """
    )
    assert said == [False, False, True, False]


def test_what_comes_and_goes_for_weeks_leaves_nothing_behind():
    said = ran(
        LOOK
        + """
        picture.take('r/snapshot', seal({}), 1);
        const { Conductor } = await import('./conductor.js');
        const conductor = new Conductor();
        for (let number = 0; number < 50_000; number += 1) {
          const permit = { door: 'd', name: 'D', person: 'p', work: 'w', ends_up: 2 };
          picture.take(`r/permit/d${number}`, seal(permit), number);
          picture.take(`r/permit/d${number}`, '', number);
          conductor.due([{ id: `a${number}`, instance: number, priority: 'W' }], { stale: false, now_s: number });
        }
        const kept = Object.values(picture.by_id).reduce((sum, each) => sum + each.size, 0);
        console.log(JSON.stringify([kept, conductor._known.size]));
        """
    )
    assert said == [0, 1]


def test_only_what_guards_the_ship_is_closed_and_only_where_nothing_is_doubted():
    """Lights, mains and batteries have words of their own, and none of them is ever green."""
    points = [
        ({"kind": "door", "word": "closed"}, ["closed", "closed"]),
        ({}, ["closed", "closed"]),  # an ispsd that says no kind
        ({"kind": "seal", "word": "broken", "value": "open"}, ["open", "BROKEN"]),
        ({"kind": "lock", "word": "locked"}, ["closed", "locked"]),
        ({"kind": "light", "word": "lit"}, ["rest", "lit"]),
        ({"kind": "light", "word": "not lit", "value": "open"}, ["moved", "NOT LIT"]),
        ({"kind": "mains", "word": "on mains"}, ["rest", "on mains"]),
        ({"kind": "mains", "word": "on battery", "value": "open"}, ["moved", "ON BATTERY"]),
        (
            {"kind": "light", "word": "line fault", "value": "line_fault"},
            ["line_fault", "LINE FAULT"],
        ),
        ({"kind": "light", "word": "lit", "age_s": 16.0}, ["unknown", "? was lit"]),
        ({"kind": "something new", "word": None}, ["rest", "closed"]),
        ({"kind": "light", "word": {"a": 1}}, ["rest", "closed"]),
        ({"quality": "suspect"}, ["unknown", "? closed"]),
        ({"quality": "stale"}, ["unknown", "NOT SEEN"]),
        ({"quality": "unknown", "value": "open"}, ["unknown", "NOT SEEN"]),
        ({"kind": "light", "word": "lit", "value": None}, ["unknown", "NOT SEEN"]),
    ]
    base = {"value": "closed", "quality": "good", "proved": True, "valid_for": 15.0}
    said = ran(
        LOOK
        + """
        const words = ({ age_s = 1, ...each }) => contact_words(each, { age_s, is_old: false });
        console.log(JSON.stringify(said.map(words)));
        """,
        [base | body for body, _ in points],
    )
    assert said == [looks for _, looks in points]


def test_a_step_of_a_test_asks_for_nothing_that_is_not_in_the_contract():
    step = {
        "test": "t",
        "equipment": "e",
        "step": 1,
        "steps": 1,
        "prompt": "p",
        "seen": [],
        "seconds_left": None,
        "state": "waiting",
        "outcome": None,
        "reason": None,
        "item": None,
        "tester": None,
        "who": None,
        "expects": "yes_or_no",
    }
    wrong = [{"expects": "constructor"}, {"expects": {}}, {"seen": [{}]}, {"tester": {}}]
    said = ran(
        LOOK
        + """
        const taken = ({ body }) => { picture.take('r/test/t', seal(body), 1); return picture.all('test').length; };
        console.log(JSON.stringify(said.map(taken)));
        """,
        [{"body": step | each} for each in ({}, *wrong)],
    )
    assert said == [1, 0, 0, 0, 0]
