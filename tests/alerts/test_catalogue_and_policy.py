"""The data are the paper's: every cell of the door policy, every row of the alert table."""

from __future__ import annotations

import re
from itertools import product

import pytest

from daemon.alerts import catalogue, policy
from daemon.alerts.rules import clock, devices, gnss, openings, other_ships, own_ais, own_id
from daemon.assets import asset
from daemon.errors import ConfigError
from daemon.model import DoorClass, Regime, SecurityLevel, Situation
from daemon.simulate import toml
from tests.alerts import paper

KINDS = catalogue.load(asset("alerts.toml"))
POLICY = policy.load(asset("policy.toml"))
LOUDNESS = "-LCWA"
LEVELS = tuple(SecurityLevel)


def words(rule: policy.DoorRule) -> str:
    """A rule in the words of the paper."""
    if rule.must is policy.Must.SHUT:
        assert rule.held_open_s is not None
        return f"shut {rule.held_open_s / 60:g}"
    assert rule.held_open_s is None
    return rule.must.value


@pytest.mark.parametrize("door_class", list(DoorClass))
def test_every_cell_of_the_door_policy_is_that_of_the_paper(door_class):
    for situation, level, night, attended in product(
        Situation, LEVELS, (False, True), (False, True)
    ):
        regime = Regime(situation, level, night=night, gangway_attended=attended)
        wanted = paper.door(door_class, situation, level, night=night, attended=attended)
        assert words(POLICY.rule(door_class, regime)) == wanted, regime


@pytest.mark.parametrize("door_class", list(DoorClass))
def test_a_threat_area_has_one_rule_for_a_class_whatever_else_is_so(door_class):
    for situation, level, night, attended in product(
        Situation, LEVELS, (False, True), (False, True)
    ):
        regime = Regime(situation, level, threat=True, night=night, gangway_attended=attended)
        assert words(POLICY.rule(door_class, regime)) == paper.threat(door_class), regime


@pytest.mark.parametrize(
    ("regime", "wanted"),
    [
        (Regime(Situation.PORT, SecurityLevel.ONE), "shut 2"),
        (Regime(Situation.PORT, SecurityLevel.ONE, night=True), "closed"),
        (Regime(Situation.ANCHOR, SecurityLevel.TWO, night=True), "closed"),
        (Regime(Situation.SEA, SecurityLevel.ONE, night=True), "shut 30"),
        (Regime(Situation.PORT, SecurityLevel.ONE, gangway_attended=True), "shut 2"),
    ],
)
def test_night_closes_a_perimeter_door_in_port_and_at_anchor_only(regime, wanted):
    assert words(POLICY.rule(DoorClass.PERIMETER, regime)) == wanted


def test_the_gangway_door_may_stand_open_in_port_at_level_1_while_somebody_is_there():
    def gangway(level: int, *, attended: bool) -> str:
        regime = Regime(Situation.PORT, SecurityLevel(level), gangway_attended=attended, night=True)
        return words(POLICY.rule(DoorClass.GANGWAY, regime))

    assert [gangway(n, attended=True) for n in LEVELS] == ["free", "shut 2", "shut 2"]
    assert [gangway(n, attended=False) for n in LEVELS] == ["closed", "shut 2", "shut 2"]


def test_the_catalogue_has_the_rows_of_the_paper_and_no_others():
    assert set(KINDS) == set(paper.ALERTS)


@pytest.mark.parametrize("key", paper.ALERTS)
def test_every_row_of_the_alert_table_is_that_of_the_paper(key):
    row, kind = paper.ALERTS[key], KINDS[key]
    assert f"`{kind.title}`" == row["title (≤ 16)"]
    assert kind.action == row["action (one line, ≤ 80)"]
    assert kind.threat == paper.letters(key, "threat")
    assert (kind.on_delay_s, kind.off_delay_s) == (
        paper.seconds(row["on"]),
        paper.seconds(row["off"]),
    )
    assert kind.latch == paper.latch(key)
    assert kind.show.value == {"w": "watch", "s": "sso"}[row["show"]]


@pytest.mark.parametrize("key", paper.ALERTS)
def test_every_letter_of_the_alert_table_is_that_of_the_paper(key):
    for situation, level in product(Situation, LEVELS):
        said = paper.letters(key, situation)[level - 1]
        regime = Regime(situation, level)
        assert KINDS[key].letter(regime) == said, regime
        told = KINDS[key].priority(regime)
        assert (told.value if told is not None else None) == (said if said in "AWC" else None)


@pytest.mark.parametrize("key", paper.ALERTS)
def test_a_threat_area_counts_as_level_2_at_least_and_as_its_own_letter(key):
    for situation, level in product(Situation, LEVELS):
        said = paper.letters(key, situation)[max(level, 2) - 1]
        louder = max(said, paper.letters(key, "threat"), key=LOUDNESS.index)
        assert KINDS[key].letter(Regime(situation, level, threat=True)) == louder


@pytest.mark.parametrize(
    ("key", "situation", "level", "letter"),
    [
        ("door.escape.open", Situation.SEA, 1, "A"),  # threat A beats level 2 W
        ("door.store.open", Situation.SEA, 1, "C"),  # level 2 C equals threat C
        ("door.store.open", Situation.SEA, 3, "W"),  # level 3 W beats threat C
        ("door.machinery.open", Situation.PORT, 1, "W"),  # threat W, level 2 not evaluated
        ("door.machinery.open", Situation.PORT, 3, "A"),  # level 3 A beats threat W
        ("gangway.no_reply", Situation.SEA, 3, "-"),
    ],
)
def test_the_louder_of_threat_and_level_counts(key, situation, level, letter):
    assert KINDS[key].letter(Regime(situation, SecurityLevel(level), threat=True)) == letter


def test_what_explains_an_alert_is_one_step_nearer_to_the_cause():
    def explained(key: str) -> set[str]:
        return set(KINDS[key].depends_on)

    assert explained("io.bus_lost") == {"power.battery"}
    assert explained("io.unit_lost") == {"io.bus_lost", "power.battery"}
    sensors = {"door.unknown", *(key for key in KINDS if key.startswith("sensor."))}
    for key in sensors:
        assert explained(key) == {"io.unit_lost", "io.bus_lost"}, key
    assert explained("gnss.suspect") == {"feed.nav"}
    # AIS off by order is a person's word and needs no feed.
    for key in (k for k in KINDS if k.startswith("ais.") and k != "ais.off_by_order"):
        assert explained(key) == {"feed.ais"}, key


def test_every_key_a_rule_can_say_is_in_the_catalogue():
    said = {
        value
        for module in (openings, own_ais, own_id, other_ships, gnss, devices, clock)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and "." in value
    } | {*openings.OPEN_KEYS.values()}
    assert len(said) > 20
    assert said <= set(KINDS)


def test_nothing_in_the_catalogue_speaks_of_security_alerts_or_of_tests_that_are_due():
    text = asset("alerts.toml").read_text("utf-8").lower()
    declared = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for word in ("ssas", "security alert", "overdue", "test due", "drill", "certificate"):
        assert word not in declared


@pytest.mark.parametrize("key", ["door.unknown", "io.unit_lost", "io.bus_lost", "cctv.camera"])
def test_what_is_not_seen_asks_for_a_patrol(key):
    """ISPS B/9.42: equipment is one means of several, and people go where it is blind."""
    assert "patrol" in KINDS[key].action.casefold()


def test_no_action_tells_anybody_to_lock_an_escape_door():
    assert "do not lock" in KINDS["door.escape.open"].action
    locking = [
        key for key, kind in KINDS.items() if re.search(r"\block", kind.action, re.IGNORECASE)
    ]
    assert locking == ["door.escape.open"]


def test_a_cause_says_what_was_seen_and_never_what_to_do():
    causes = [kind.cause for kind in KINDS.values()]
    assert len(set(causes)) == len(causes), "each alert has a cause of its own"
    for key, kind in KINDS.items():
        assert kind.cause.endswith("."), key
        assert kind.cause != kind.action
        assert kind.cause.split()[0].lower() not in {"do", "look", "check", "call", "send"}, key
        # Words that officers do not say (users.md 3).
        for word in ("point", "payload", "retained", "shelved", "cleared", "reading", "topic"):
            assert word not in kind.cause.lower().split(), (key, word)


def test_no_cause_speaks_of_locking_but_where_a_lock_was_forced():
    """An escape door is never locked, and no line of the table lets anybody think so."""
    locking = [
        key for key, kind in KINDS.items() if re.search(r"\block", kind.cause, re.IGNORECASE)
    ]
    assert locking == ["door.forced"]


@pytest.mark.parametrize("field", ["title", "cause", "action"])
@pytest.mark.parametrize("letter", [*"!$*\\^~", "\n", "\t", "\x7f", "é", "–", "\u2019"])
def test_what_may_not_stand_in_an_alert_sentence_is_refused_in_every_text(tmp_path, field, letter):
    """IEC 61162-1: reserved characters, and whatever is not printable ASCII."""
    row = {**KINDS["seal.broken"].model_dump(mode="json"), field: f"A{letter}B"}
    path = tmp_path / "alerts.toml"
    path.write_text(toml.written({"seal.broken": row}), "utf-8")
    with pytest.raises(ConfigError) as caught:
        catalogue.load(path)
    assert [fault.place for fault in caught.value.faults] == [f"seal.broken.{field}"]


def test_every_text_may_stand_in_an_alert_sentence():
    for key, kind in KINDS.items():
        for text in (kind.title, kind.cause, kind.action, kind.latch):
            assert all(" " <= letter <= "}" for letter in text), key
            assert not set(text) & set("!$*\\^~"), key


def test_a_file_that_is_not_toml_is_refused_with_its_name(tmp_path):
    path = tmp_path / "alerts.toml"
    path.write_text("[a\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        catalogue.load(path)
    assert caught.value.file == str(path)


def test_every_fault_of_a_catalogue_is_said_in_one_go(tmp_path):
    path = tmp_path / "alerts.toml"
    path.write_text(
        '[a]\nnumber = 1\ntitle = "A TITLE THAT IS FAR TOO LONG"\nsea = "AWX"\nanchor = "AAA"\nport = "AAA"\n'
        'threat = "X"\non_delay_s = 0\ncause = "Seen."\naction = "Look."\n',
        "utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        catalogue.load(path)
    assert {f.place for f in caught.value.faults} == {"a.number", "a.title", "a.sea", "a.threat"}


def test_a_catalogue_with_unknown_dependency_or_a_number_twice_is_refused(tmp_path):
    one = (
        '[{key}]\nnumber = 10001\ntitle = "T"\nsea = "AAA"\nanchor = "AAA"\nport = "AAA"\n'
        'on_delay_s = 0\ncause = "Seen."\naction = "Look."\n{more}\n'
    )
    path = tmp_path / "alerts.toml"
    path.write_text(
        one.format(key="a", more='depends_on = ["z"]') + one.format(key="b", more=""), "utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        catalogue.load(path)
    assert {f.place for f in caught.value.faults} == {"a.depends_on", "a.number", "b.number"}


def test_a_catalogue_in_which_alerts_explain_each_other_is_refused(tmp_path):
    one = (
        '[{key}]\nnumber = {number}\ntitle = "T"\nsea = "AAA"\nanchor = "AAA"\nport = "AAA"\n'
        'on_delay_s = 0\ncause = "Seen."\naction = "Look."\ndepends_on = {causes}\n'
    )
    causes = {"a": ["b"], "b": ["c"], "c": ["b"], "d": ["d"], "e": []}
    path = tmp_path / "alerts.toml"
    path.write_text(
        "".join(
            one.format(key=key, number=number, causes=causes[key])
            for number, key in enumerate(causes, start=10001)
        ),
        "utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        catalogue.load(path)
    assert {f.place for f in caught.value.faults} == {
        f"{key}.depends_on" for key in ("b", "c", "d")
    }


@pytest.mark.parametrize(
    ("was", "becomes", "places"),
    [
        ('sea = ["free", "free", "closed"]', 'sea = ["free", "ajar", "closed"]', {"B.sea"}),
        ('sea = ["free", "free", "closed"]', 'sea = ["free", "free"]', {"B.sea"}),
        ('sea = ["free", "free", "closed"]', 'sea = "closed"', {"B.sea"}),
        ('sea = ["free", "free", "closed"]', 'sea = ["free", "shut", "closed"]', {"B.sea"}),
        ('sea = ["free", "free", "closed"]', 'sea = ["free", "shut 0", "closed"]', {"B.sea"}),
        ('threat = "closed"', 'threat = "locked"', {"B.threat"}),
        ("[H]", "[X]", {f"H.{situation.value}" for situation in Situation}),
        ("yard =", "dock =", {"B.dock", "B.yard"}),
    ],
)
def test_a_policy_with_holes_or_unknown_words_is_refused_with_every_place(
    tmp_path, was, becomes, places
):
    path = tmp_path / "policy.toml"
    text = asset("policy.toml").read_text("utf-8")
    assert was in text
    path.write_text(text.replace(was, becomes, 1), "utf-8")
    with pytest.raises(ConfigError) as caught:
        policy.load(path)
    assert {f.place for f in caught.value.faults} == places


def test_a_class_without_a_threat_rule_keeps_that_of_the_situation(tmp_path):
    path = tmp_path / "policy.toml"
    text = asset("policy.toml").read_text("utf-8")
    path.write_text(text.replace('threat = "closed"\n', "", 1), "utf-8")
    table = policy.load(path)
    regime = Regime(Situation.SEA, SecurityLevel.ONE, threat=True)
    assert table.rule(DoorClass.BRIDGE, regime).must is policy.Must.FREE
    assert table.rule(DoorClass.ESCAPE, regime).must is policy.Must.CLOSED
