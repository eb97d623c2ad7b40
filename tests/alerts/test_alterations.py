"""What a ship's own file may change of the alert table, by whose word, and what she may not."""

from __future__ import annotations

import tomllib

import pytest
from pydantic import ValidationError

from daemon import config
from daemon.alerts import alterations
from daemon.alerts.alterations import Alteration
from daemon.alerts.explanations import causes
from daemon.alerts.listing import listed
from daemon.assets import asset
from daemon.config.advice import advice
from daemon.config.alerting import kinds
from daemon.errors import ConfigError
from daemon.simulate import toml
from tests.alerts.rig import KINDS, regime

BY = {"ssp": "7.3.4", "approved_by": "P. Okafor, CSO"}
STORE = "door.store.open"
"""At sea -CW, at anchor CCW, in port CWW; threat C; 0.3 s, 2 s."""


def own(**said) -> Alteration:
    return Alteration(**BY, **said)


def faults(key: str = STORE, **said) -> list[tuple[str, str]]:
    return [(f.place, f.reason) for f in alterations.faults({key: own(**said)}, KINDS)]


@pytest.mark.parametrize(
    "said",
    [
        {"port": "WWW"},  # louder
        {"port": "AAA"},
        {"port": "CCW"},  # one step quieter at level 2
        {"sea": "CCW"},  # judged, where it was not
        {"threat": "A"},
        {"on_delay_s": 10.0},
        {"on_delay_s": 0.0},
        {"off_delay_s": 60.0},
    ],
)
def test_within_the_bounds(said):
    assert faults(**said) == []


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"port": "CWC"}, "port"),  # level 3
        ({"port": "LWW"}, "port"),  # told nobody
        ({"port": "C-W"}, "port"),
        ({"anchor": "-CW"}, "anchor"),
        ({"threat": "L"}, "threat"),
        ({"threat": "-"}, "threat"),
        ({"on_delay_s": 10.1}, "on_delay_s"),
        ({"off_delay_s": 60.1}, "off_delay_s"),
    ],
)
def test_beyond_the_bounds_is_said_with_its_place(said, field):
    ((place, reason),) = faults(**said)
    assert place == f'alerts."{STORE}".{field}'
    assert str(next(iter(said.values())))[:1] in reason or "at most" in reason


def test_two_steps_quieter_are_too_many():
    assert KINDS["intrusion.detected"].port == "WWA"
    assert KINDS["door.machinery.open"].port == "--A"
    assert faults("station.none", port="CWA")[0][1] == (
        "what tells of ispsd itself, or of an order, is the same on every ship"
    )
    assert faults("door.forced", port="CAA") == []  # W to C
    ((_, reason),) = faults("door.forced", port="WCA")  # A to C
    assert reason.startswith("level 2, A to C: ")


def test_long_delays_may_grow_to_three_times_their_length():
    assert faults("cctv.recording", on_delay_s=900.0) == []
    ((place, reason),) = faults("cctv.recording", on_delay_s=901.0)
    assert (place, reason) == ('alerts."cctv.recording".on_delay_s', "901 s: at most 900 s")


@pytest.mark.parametrize("key", ["door.escape.open", "door.vital.open", "door.forced"])
def test_what_can_be_an_alarm_is_told_within_a_second_on_every_ship(key):
    """Whoever slips through a hatch and shuts it behind him does not need five."""
    assert faults(key, on_delay_s=1.0) == []
    ((place, reason),) = faults(key, on_delay_s=1.1)
    assert (place, reason) == (f'alerts."{key}".on_delay_s', "1.1 s: at most 1 s")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("door.stor.open", "there is no such alert; 'door.store.open'?"),
        ("data.simulated", "what tells of ispsd itself, or of an order, is the same on every ship"),
        ("permit.expired", "what tells of ispsd itself, or of an order, is the same on every ship"),
        (
            "record.not_saved",
            "what tells of ispsd itself, or of an order, is the same on every ship",
        ),
        ("ais.guard_zone", "its priority is set in [ais.guard_zone]"),
        ("ais.equipment", "the set sounds for it itself; here it is shown as a caution"),
    ],
)
def test_what_nobody_may_change(key, reason):
    assert faults(key, port="WWW") == [(f'alerts."{key}"', reason)]


@pytest.mark.parametrize("said", [{}, {"port": "CWW"}, {"on_delay_s": 0.3, "threat": "C"}])
def test_what_changes_nothing_is_a_fault(said):
    assert [reason for _, reason in faults(**said)] == [
        "changes nothing of the table that was shipped"
    ]


@pytest.mark.parametrize(
    "said",
    [
        {"ssp": ""},
        {"ssp": "7\n3"},
        {"approved_by": "\x1b[31m"},
        {"approved_by": ""},
        {"port": "CW"},
        {"port": "XWW"},
        {"threat": "WW"},
        {"on_delay_s": -1},
        {"title": "QUIET"},
        {"latch": ""},
        {"show": "sso"},
    ],
)
def test_nothing_else_can_be_said(said):
    with pytest.raises(ValidationError):
        Alteration(**{**BY, **said})


def test_the_table_in_force_has_what_differs_and_by_whose_word():
    table = alterations.altered(KINDS, {STORE: own(port="WWW", on_delay_s=5.0)})
    assert table[STORE].letter(regime()) == "W"
    assert {key for key in KINDS if table[key] != KINDS[key]} == {STORE}
    rows = {
        row["key"]: row
        for row in listed(table, shipped=KINDS, alterations={STORE: own(port="WWW")})
    }
    assert rows[STORE]["differs"] == {
        "port": {"shipped": "CWW", "now": "WWW"},
        "on_delay_s": {"shipped": 0.3, "now": 5.0},
    }
    assert (rows[STORE]["ssp"], rows[STORE]["approved_by"]) == ("7.3.4", "P. Okafor, CSO")
    assert rows["door.forced"]["differs"] == {}


def test_the_entry_has_words_and_no_fractions():
    said = alterations.told({STORE: own(port="WWW", on_delay_s=5.5)}, KINDS)
    assert said == [
        {
            "alert": STORE,
            "ssp": "7.3.4",
            "approved_by": "P. Okafor, CSO",
            "port": "CWW to WWW",
            "on_delay_s": "0.3 s to 5.5 s",
        }
    ]


def test_what_explains_an_alert_is_followed_to_its_end():
    assert causes("door.unknown", KINDS) == ["io.unit_lost", "io.bus_lost", "power.battery"]
    assert causes("ais.silent", KINDS) == ["feed.ais"]
    assert causes("gnss.suspect", KINDS) == ["feed.nav"]
    assert causes("door.escape.open", KINDS) == []


# In the ship's file


def loaded(tmp_path, alerts: dict):
    tree = tomllib.loads(asset("ispsd.toml").read_text("utf-8"))
    tree["alerts"] = {**tree.get("alerts", {}), **alerts}
    path = tmp_path / "ispsd.toml"
    path.write_text(toml.written(tree), "utf-8")
    return config.load(path)


def test_the_ships_file_changes_the_table_that_is_in_force(tmp_path):
    ship = loaded(tmp_path, {STORE: {**BY, "port": "WWW"}})
    assert kinds(ship, KINDS)[STORE].port == "WWW"
    assert kinds(config.load(asset("ispsd.toml")), KINDS) == dict(KINDS)


def test_who_checks_the_file_reads_what_differs_and_no_log_does(tmp_path):
    ship = loaded(tmp_path, {STORE: {**BY, "port": "WWW"}})
    [said] = [text for text in advice(ship, checking=True) if text.startswith("alerts:")]
    assert STORE in said
    assert not [text for text in advice(ship) if STORE in text]
    plain = config.load(asset("ispsd.toml"))
    assert not [text for text in advice(plain, checking=True) if text.startswith("alerts:")]


@pytest.mark.parametrize(
    ("alerts", "place", "reason"),
    [
        ({STORE: {"approved_by": "X", "port": "WWW"}}, f"alerts.{STORE}.ssp", "is missing"),
        ({STORE: {**BY, "port": "WXW"}}, f"alerts.{STORE}.port", "WXW"),
        ({STORE: {**BY, "port": "LWW"}}, f'alerts."{STORE}".port', "level 1, C to L"),
        ({STORE: {**BY, "tittle": "X"}}, f"alerts.{STORE}.tittle", "there is no such setting"),
        ({"door.stor.open": {**BY, "port": "WWW"}}, 'alerts."door.stor.open"', "no such alert"),
    ],
)
def test_a_fault_is_named_with_file_place_and_reason(tmp_path, alerts, place, reason):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, alerts)
    assert caught.value.file.endswith("ispsd.toml")
    ((found_place, found_reason),) = [(f.place, f.reason) for f in caught.value.faults]
    assert found_place == place
    assert reason in found_reason
