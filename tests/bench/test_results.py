import json

import pytest

from bench.results import (
    Budget,
    Part,
    Results,
    ResultsError,
    Row,
    Verdict,
    begun,
    from_json,
    load,
    save,
)
from bench.spread import Spread
from bench.told import Told, at_least, at_most, below, told_rows

MACHINE, VERSIONS = {"processor": "p"}, {"ispsd": "26.1"}
PART = Part(
    "2026-11-30T06:00:00Z",
    61.5,
    0.2,
    (
        Row("poll", Spread(1.5, 1.0, 2.0, 5), budget=at_most(2)),
        Row("peer", None, "ms", why_not="not installed"),
    ),
    commit="abc1234",
)


def row(value, budget):
    return Row("a row", Spread(value, 0.0, 9.0, 5), budget=budget)


@pytest.mark.parametrize(
    ("value", "budget", "verdict"),
    [
        (2.0, at_most(2), Verdict.WITHIN),
        (2.01, at_most(2), Verdict.OVER),
        (8.0, below(8), Verdict.OVER),
        (7.99, below(8), Verdict.WITHIN),
        (0.7, at_least(0.7), Verdict.WITHIN),
        (0.69, at_least(0.7), Verdict.OVER),
        (99.0, None, Verdict.NO_BUDGET),
    ],
)
def test_the_middle_is_held_against_the_budget(value, budget, verdict):
    assert row(value, budget).verdict is verdict


def test_what_was_not_measured_is_never_within_its_budget():
    assert Row("peer", None, budget=at_most(2)).verdict is Verdict.NOT_MEASURED


def test_a_file_says_what_was_written(tmp_path):
    results = Results(MACHINE, VERSIONS, {"modbus": PART})
    save(tmp_path / "new" / "r.json", results)
    assert load(tmp_path / "new" / "r.json") == results
    said = json.loads((tmp_path / "new" / "r.json").read_text("utf-8"))
    assert [r["verdict"] for r in said["parts"]["modbus"]["rows"]] == ["within", "not measured"]


def test_a_verdict_that_somebody_typed_counts_for_nothing():
    said = {
        "what": "poll",
        "spread": {"value": 3.0, "low": 3.0, "high": 3.0, "rounds": 1},
        "unit": "",
        "budget": {"op": "<=", "limit": 2},
        "why_not": "",
        "detail": False,
        "verdict": "within",
    }
    assert from_json(said).verdict is Verdict.OVER


def test_a_part_that_is_measured_again_takes_the_place_of_the_old(tmp_path):
    order = ("latency", "modbus", "nmea")
    results = Results(MACHINE, VERSIONS)
    for name in ("nmea", "modbus"):
        results = results.merged(name, PART, order=order)
    again = Part("2026-11-30T07:00:00Z", 1.0, 0.1, (row(3.0, at_most(2)),))
    results = results.merged("modbus", again, order=order)
    assert list(results.parts) == ["modbus", "nmea"]
    assert results.parts["modbus"] == again
    assert results.over() == list(again.rows)


def test_a_run_goes_on_in_the_file_that_it_began(tmp_path):
    path = tmp_path / "r.json"
    assert begun(path, MACHINE, VERSIONS) == Results(MACHINE, VERSIONS)
    save(path, Results(MACHINE, VERSIONS, {"modbus": PART}))
    later = begun(path, MACHINE, {**VERSIONS, "gpsd": "3.22"})
    assert later.parts == {"modbus": PART}
    assert later.versions == {"ispsd": "26.1", "gpsd": "3.22"}


@pytest.mark.parametrize(
    ("machine", "versions", "says"),
    [
        ({"processor": "q"}, VERSIONS, "another machine .processor p, now q."),
        (MACHINE, {"ispsd": "26.2"}, "another version .ispsd 26.1, now 26.2."),
    ],
)
def test_figures_of_two_machines_or_versions_are_never_in_one_file(
    tmp_path, machine, versions, says
):
    save(tmp_path / "r.json", Results(MACHINE, VERSIONS, {"modbus": PART}))
    with pytest.raises(ResultsError, match=says):
        begun(tmp_path / "r.json", machine, versions)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 2}', '{"format": 1}', '{"format": 1, "parts": {"a": {}}}']
)
def test_a_file_of_something_else_is_refused(tmp_path, text):
    (tmp_path / "r.json").write_text(text, "utf-8")
    with pytest.raises(ResultsError, match=r"r\.json"):
        load(tmp_path / "r.json")


def test_each_row_is_on_disk_before_the_next_is_measured(tmp_path, capsys):
    told = Told(tmp_path / "rows")
    assert told_rows(tmp_path / "rows") == ()
    told.row("poll", [1.0, 3.0, 2.0], budget=at_most(1.5))
    told.missing("peer", "not installed", unit="ms", budget=Budget("<", 5))
    assert told_rows(tmp_path / "rows") == (
        Row("poll", Spread(2.0, 1.0, 3.0, 3), budget=at_most(1.5)),
        Row("peer", None, "ms", below(5), why_not="not installed"),
    )
    said = capsys.readouterr().out
    assert "2.00 (1.00–3.00; 3)   budget ≤ 1.5   OVER" in said
    assert "not measured: not installed" in said
