"""The catalogue of tests as data; what a ship has otherwise wants her plan's paragraph and an approval."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.assets import asset
from daemon.checks import catalogue
from daemon.checks.asking import Source
from daemon.config import load, registry
from daemon.errors import ConfigError
from daemon.model import Situation

THIN = Path(__file__).parent / "data" / "thin_ship.toml"
SHIPPED = catalogue.load(asset(catalogue.FILE))
UHF = """
[[test]]
use = "t-uhf"
ssp_paragraph = "7.8"
"""


def of(tmp_path: Path, text: str) -> dict[str, object]:
    """Return the tests of a ship's file to which some were added, by their ids."""
    path = tmp_path / "ispsd.toml"
    path.write_text(THIN.read_text("utf-8") + text, "utf-8")
    return {test.config.id: test for test in load(path).tests}


def refusals(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        of(tmp_path, text)
    return [f"{fault.place}: {fault.reason}" for fault in caught.value.faults]


@pytest.mark.parametrize("name", SHIPPED)
def test_each_entry_names_a_check_whose_settings_it_gives_and_whose_mode_it_has(name):
    entry = catalogue.Entry.model_validate(SHIPPED[name])
    spec = registry.checks()[entry.kind]
    assert entry.mode is spec.mode
    settings = set(entry.model_extra or {}) - {"off"}
    assert settings <= spec.config.model_fields.keys(), "a setting that the check does not know"
    assert entry.clause, "what asks for the test?"
    assert entry.sat_when, "when is it SAT?"
    if entry.interval_source is Source.IMO:
        assert entry.source, "which text?"


def test_an_entry_with_a_setting_wrong_is_refused_with_its_place(tmp_path):
    file = tmp_path / "tests.toml"
    file.write_text('[t-x]\nkind = "manual"\nmode = "by hand"\nname = "X"\nequipment = "x"\n')
    with pytest.raises(ConfigError, match=r"t-x\.mode"):
        catalogue.load(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        catalogue.load(tmp_path / "none.toml")


def test_ssas_tests_are_shipped_without_an_interval_and_say_why_they_are_off():
    for name in ("t-ssas-l", "t-ssas-e"):
        assert "every" not in SHIPPED[name]
        assert SHIPPED[name]["off"]


def test_a_ship_that_uses_an_entry_has_all_that_it_says(tmp_path):
    test = of(tmp_path, UHF)["t-uhf"]
    config = test.config
    assert (config.kind, config.name, config.equipment) == ("manual", "UHF SETS", "uhf")
    assert config.every_at(Situation.PORT, 1) == "day"
    assert config.every_at(Situation.SEA, 1) == "never"
    assert config.every_at(Situation.SEA, 2) == "day"
    assert config.limit_days == (7, 7, 7)
    assert config.interval_source is Source.PRACTICE
    assert test.differences == ()


def test_her_own_id_name_and_equipment_need_nobodys_approval(tmp_path):
    more = UHF + 'id = "t-uhf-er"\nname = "UHF ENGINE ROOM"\nequipment = "uhf-er"\n'
    test = of(tmp_path, UHF + more)["t-uhf-er"]
    assert (test.config.name, test.differences) == ("UHF ENGINE ROOM", ())


@pytest.mark.parametrize(
    ("setting", "place", "reason"),
    [
        ('every = "week"', "every", "week and not never / day / day as in the catalogue"),
        ("limit_days = 9", "limit_days", "9 and not 7 as in the catalogue"),
        ("grace_days = 3", "grace_days", "3 and not 0 as in the catalogue"),
        ('sat_when = "heard"', "sat_when", "heard and not each station readable"),
        ('what = "somebody answers"', "what", "somebody answers and not each station"),
        ("after = []", "after", "nothing and not repair as in the catalogue"),
    ],
)
def test_what_she_has_otherwise_is_refused_until_somebody_approved_it(
    tmp_path, setting, place, reason
):
    found = refusals(tmp_path, f"{UHF}{setting}\n")
    (mine,) = (each for each in found if f'"t-uhf".{place}:' in each)
    assert mine.startswith("test[")
    assert reason in mine
    assert 'say who approved it, approved_by = "name, rank"' in mine
    test = of(tmp_path, f'{UHF}{setting}\napproved_by = "P. Okafor, CSO"\n')["t-uhf"]
    assert place in {each.setting for each in test.differences}


def test_who_says_how_often_says_it_for_every_situation_and_by_the_word_of_the_plan(tmp_path):
    text = f'{UHF}every = "week"\napproved_by = "P. Okafor, CSO"\n'
    test = of(tmp_path, text)["t-uhf"]
    assert test.config.every_at(Situation.PORT, 1) == "week"
    assert test.config.interval_source is Source.SSP
    assert [(d.setting, d.shipped, d.now) for d in test.differences] == [
        ("every", ["never", "day", "day"], "week"),
        ("every_in", {"port": "day"}, {}),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (UHF + 'approved_by = "P. Okafor"\n', "approved_by: nothing here is another than in"),
        (UHF + 'kind = "gnss"\n', "kind: 'gnss': t-uhf is a test of kind 'manual'"),
        (UHF + 'every = "fortnight"\n', "every: 'fortnight' is no interval: day, week,"),
        (UHF + 'every = ["day", "week"]\n', "every: 2 values: one for all security levels"),
        (UHF + 'every = "cron 0 10 * * 6"\n', "weekdays by name"),
        (UHF + 'every = "cron 61 10 * * sat"\n', "every: 'cron 61 10 * * sat'"),
        (UHF + 'every = "cron 0 * * * *"\nat = "10:00"\n', "belongs to a calendar period"),
        (UHF + 'every = "2000 days"\n', "every: '2000 days': 1100 days at most"),
        (UHF + "limit_days = 0\n", "limit_days: 0: a whole number of days, 1 to 1100"),
        (UHF + 'every_in = { harbour = "day" }\n', "every_in"),
        (UHF + 'after = ["a storm"]\n', "after"),
        (
            UHF.replace("t-uhf", "t-ufh"),
            "use: there is no 't-ufh' in the catalogue of tests; 't-uhf'?",
        ),
        (UHF.replace('ssp_paragraph = "7.8"', ""), "ssp_paragraph: is missing"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_reason(tmp_path, text, reason):
    found = refusals(tmp_path, text)
    assert any(reason in each for each in found), found


def test_a_test_of_her_own_needs_no_catalogue(tmp_path):
    text = """
[[test]]
kind = "manual"
id = "t-own"
equipment = "own"
name = "OWN"
ssp_paragraph = "9.9"
every = "14 days"
what = "what only this ship has"
"""
    test = of(tmp_path, text)["t-own"]
    assert (test.config.use, test.config.every) == (None, ("14 days",) * 3)
