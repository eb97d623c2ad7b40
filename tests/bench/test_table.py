from pathlib import Path

import pytest

from bench.__main__ import without_paths
from bench.results import Part, Results, ResultsError, Row, load
from bench.spread import Spread
from bench.table import BEGIN, END, into, named, table
from bench.told import at_least, at_most

ROOT = Path(__file__).parents[2]
ROWS = (
    Row("poll over bare", Spread(1.424, 1.1, 1.46, 5), budget=at_most(3)),
    Row("event over bare", Spread(3.27, 3.04, 3.32, 5), budget=at_most(2)),
    Row("under load", Spread(25_700, 16_900, 26_700, 5), "entries/s", at_least(20_000)),
    Row("one filter", Spread(9, 9, 9, 5), "ms", detail=True),
    Row("over a peer", None, budget=at_most(0.25), why_not="gpsd is not installed"),
)


def results(rows=ROWS, *, load_before=0.1, failed=""):
    part = Part("2026-11-30T06:00:00Z", 120.0, load_before, rows, "abc1234", failed)
    return Results({"processor": "a kind"}, {"ispsd": "26.1"}, {"modbus": part})


def test_a_row_says_its_middle_its_spread_and_its_rounds():
    assert "| poll over bare | 1.42 (1.10–1.46; 5) | ≤ 3 |" in table(results()).splitlines()


def test_a_row_over_its_budget_is_bold_and_no_other_is():
    said = table(results()).splitlines()
    assert "| event over bare | **3.27** (3.04–3.32; 5) | ≤ 2 |" in said
    assert sum("**" in line for line in said) == 1


def test_figures_of_one_machine_stand_apart_with_their_unit():
    ratios, _, scale = table(results()).partition("for scale")
    assert (
        "| under load | 25,700 entries/s (16,900–26,700; 5) | ≥ 20,000 entries/s |"
        in scale.splitlines()
    )
    assert "poll over bare" in ratios


def test_a_peer_that_is_not_installed_is_said():
    assert "| over a peer | not measured: gpsd is not installed | ≤ 0.25 |" in table(results())


def test_details_stay_in_the_file():
    assert "one filter" not in table(results())


def test_a_part_that_failed_is_said():
    assert "**Did not come to their end:** `modbus`: no broker." in table(
        results(failed="no broker")
    )


def test_a_busy_machine_is_said():
    assert "Nothing else ran." in table(results())
    assert "**Measured on a busy machine**: the load before a part was 4.2 to 4.2." in table(
        results(load_before=4.2)
    )


def test_what_stands_around_the_table_stays_as_it_is():
    page = f"before\n{BEGIN.format(name='old.json')}\n| 1 |\n{END}\nafter\n"
    page = into(page, "new.json", results())
    assert named(page) == "new.json"
    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")
    assert "| 1 |" not in page
    assert into(page, "new.json", results()) == page


def test_a_page_without_a_place_for_it_is_refused():
    with pytest.raises(ResultsError, match="no place"):
        into("# Measurements\n", "new.json", results())


def test_no_figure_of_the_measurements_page_was_typed_by_hand():
    page = (ROOT / "docs" / "measurements.md").read_text("utf-8")
    name = named(page)
    assert into(page, name, load(ROOT / name)) == page


def test_a_failure_is_told_without_where_this_computer_keeps_its_files():
    said = "FileNotFoundError: [Errno 2] No such file: '/home/x y/ships/sea.toml' (1/4 of 2.0/s)"
    assert "/home" not in without_paths(said)
    assert "sea.toml' (1/4 of 2.0/s)" in without_paths(said)
