from __future__ import annotations

import pytest

from daemon.alerts import catalogue, policy, rules
from daemon.assets import asset
from daemon.errors import ConfigError
from daemon.model import DoorClass, Priority, SecurityLevel, Situation


def test_every_key_a_rule_can_say_is_in_the_catalogue():
    kinds = catalogue.load(asset("alerts.toml"))
    said = {*rules.OPEN_KEYS.values(), rules.BLIND, rules.UNKNOWN, rules.LINE_FAULT, rules.SEAL}
    assert said <= set(kinds)


def test_nothing_in_the_catalogue_speaks_of_security_alerts():
    text = asset("alerts.toml").read_text("utf-8").lower()
    declared = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert "ssas" not in declared
    assert "security alert" not in declared


def test_no_action_tells_anybody_to_lock_an_escape_door():
    kinds = catalogue.load(asset("alerts.toml"))
    assert "do not lock" in kinds["door.escape.open"].action


@pytest.mark.parametrize(
    ("key", "situation", "level", "priority"),
    [
        ("door.escape.open", Situation.SEA, 1, Priority.CAUTION),
        ("door.escape.open", Situation.MANOEUVRING, 2, Priority.WARNING),
        ("door.escape.open", Situation.PORT, 3, Priority.ALARM),
        ("door.machinery.open", Situation.PORT, 2, None),
        ("door.escape.open", Situation.YARD, 3, None),
        ("ais.silent", Situation.PORT, 1, Priority.CAUTION),
    ],
)
def test_priorities_are_those_of_the_table(key, situation, level, priority):
    kinds = catalogue.load(asset("alerts.toml"))
    assert kinds[key].priority(situation, SecurityLevel(level)) is priority


def test_every_fault_of_a_catalogue_is_said_in_one_go(tmp_path):
    path = tmp_path / "alerts.toml"
    path.write_text(
        '[a]\nnumber = 1\ntitle = "A TITLE THAT IS FAR TOO LONG"\nsea = "AWX"\nanchor = "AAA"\nport = "AAA"\n'
        'on_delay_s = 0\naction = "Look."\n',
        "utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        catalogue.load(path)
    assert {f.place for f in caught.value.faults} == {"a.number", "a.title", "a.sea"}


def test_a_catalogue_with_unknown_dependency_or_a_number_twice_is_refused(tmp_path):
    one = (
        '[{key}]\nnumber = 10001\ntitle = "T"\nsea = "AAA"\nanchor = "AAA"\nport = "AAA"\n'
        'on_delay_s = 0\naction = "Look."\n{more}\n'
    )
    path = tmp_path / "alerts.toml"
    path.write_text(
        one.format(key="a", more='depends_on = ["z"]') + one.format(key="b", more=""), "utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        catalogue.load(path)
    assert {f.place for f in caught.value.faults} == {"a.depends_on", "a.number", "b.number"}


@pytest.mark.parametrize(
    ("door_class", "situation", "level", "closed"),
    [
        (DoorClass.ESCAPE, Situation.SEA, 1, True),
        (DoorClass.ESCAPE, Situation.YARD, 3, False),
        (DoorClass.STORE, Situation.SEA, 1, False),
        (DoorClass.STORE, Situation.PORT, 1, True),
        (DoorClass.GANGWAY, Situation.PORT, 1, False),
        (DoorClass.PERIMETER, Situation.PORT, 2, True),
    ],
)
def test_the_policy_is_that_of_the_table(door_class, situation, level, closed):
    table = policy.load(asset("policy.toml"))
    assert table.must_be_closed(door_class, situation, SecurityLevel(level)) is closed


def test_a_policy_with_holes_or_unknown_words_is_refused(tmp_path):
    path = tmp_path / "policy.toml"
    text = (
        asset("policy.toml")
        .read_text("utf-8")
        .replace('sea = ["free", "free", "closed"]', 'sea = ["free", "ajar", "closed"]', 1)
    )
    path.write_text(text.replace("[E]", "[X]"), "utf-8")
    with pytest.raises(ConfigError) as caught:
        policy.load(path)
    places = {f.place for f in caught.value.faults}
    assert "B.sea" in places
    assert "E.port" in places
    assert len(places) == 1 + len(Situation)
