"""The week for the company: counts and exceptions, a pattern by night, and nothing that stays on board."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from daemon.ashore import week
from daemon.cli import main
from daemon.model import Classification, Readiness
from daemon.papers import making, outcome, release
from daemon.papers.moments import Period
from daemon.record import verify
from tests.ashore.rig import NOW, plain_week
from tests.papers.rig import MATE, iso, text_of
from tests.ship import sailing

SSAS = {"test": "t-ssas-e-p1", "readiness": "overdue", "limit": None, "next_due": iso(NOW)}
DOOR = {"test": "t-door", "readiness": "overdue", "limit": iso(NOW), "next_due": None, "last": None}


@dataclass
class Stamped:
    at: str


@dataclass
class Written:
    """An entry, as far as the week reads it."""

    type: str
    stamp: Stamped
    open: dict[str, str]
    subject: str = "d12"


def inhibited(at, source="d12", type_="inhibit.given"):
    said = {"source": source, "by": "R. Menon", "worker": "R. dela Cruz", "work": "painting"}
    return Written(type_, Stamped(iso(at)), said)


def eased(*entries):
    return week.told(plain_week(eased=entries))["eased"]


def at_ships(day: int, hour: int):
    """A moment of ship's time, which is eight hours ahead."""
    return NOW.replace(day=day, hour=0) + timedelta(hours=hour - 8)


def test_the_same_door_inhibited_in_three_nights_of_a_week_is_marked():
    [row] = eased(*(inhibited(at_ships(day, 23)) for day in (24, 25, 27)))["list"]
    assert (row["what"], row["times"], row["nights"], row["repeated"]) == ("d12", 3, 3, True)


def test_one_night_over_midnight_is_one_night_and_a_day_is_none():
    entries = [inhibited(at_ships(24, 23)), inhibited(at_ships(25, 3)), inhibited(at_ships(25, 12))]
    [row] = eased(*entries)["list"]
    assert (row["times"], row["nights"], row["repeated"]) == (3, 1, False)


def test_permits_and_equipment_out_of_service_are_counted_by_what_they_are_about():
    rows = eased(
        inhibited(at_ships(24, 12)),
        inhibited(at_ships(24, 12), "c03", "out_of_service.begun"),
        inhibited(at_ships(24, 12), "d17", "permit.given"),
        inhibited(at_ships(24, 13), "d17", "permit.given"),
    )["list"]
    assert [(row["what"], row["how"], row["times"]) for row in rows] == [
        ("d17", "permit", 2),
        ("d12", "inhibited", 1),
        ("c03", "out of service", 1),
    ]


def test_who_did_or_worked_anywhere_does_not_leave_the_ship():
    told = json.dumps(eased(*(inhibited(at_ships(day, 23)) for day in range(22, 29))))
    assert "Menon" not in told
    assert "dela Cruz" not in told
    assert "painting" not in told


def test_long_lists_are_cut_and_say_how_much_is_left_out():
    many = eased(*(inhibited(at_ships(24, 12), f"d{number:02d}") for number in range(25)))
    assert len(many["list"]) == week.MOST_LISTED
    assert many["more"] == 15
    assert many["times"] == 25


def test_an_activation_point_is_never_named_though_its_test_is_counted():
    told = week.told(
        plain_week(tests=[SSAS | {"last": None}, DOOR], covert=frozenset({SSAS["test"]}))
    )
    assert told["tests"]["stands"] == [{"readiness": "overdue", "count": 2}]
    assert [each["test"] for each in told["tests"]["overdue"]] == ["t-door"]
    assert "p1" not in json.dumps(told)


def ssas(*rows, **said):
    """What is told of the SSAS where these tests are the ship's; those whose id begins so go to the shore."""
    ids = frozenset(row["test"] for row in rows)
    to_shore = frozenset(each for each in ids if each.startswith("t-ssas-e"))
    return week.told(plain_week(tests=rows, ssas=to_shore, covert=ids, **said))["ssas"]


def last(seq, result, at):
    return {"last": {"seq": seq, "result": result, "at": iso(at)}}


def test_the_last_ssas_test_is_the_newest_of_all_points():
    said = ssas(
        SSAS | last(1, "SAT", NOW),
        SSAS | {"test": "t-ssas-e-p2"} | last(2, "UNSAT", NOW - timedelta(days=3)),
        shore=(2, 2),
    )
    assert said["last"] == {"at": iso(NOW), "result": "SAT"}
    assert (said["confirmed"], said["recipients"]) == (2, 2)


def test_a_lamp_and_a_text_that_are_covert_too_are_no_ssas_test():
    due = iso(NOW + timedelta(days=90))
    said = ssas(
        SSAS | last(1, "UNSAT", NOW - timedelta(days=80)) | {"next_due": due},
        SSAS | {"test": "t-ssas-l", "next_due": iso(NOW)} | last(2, "SAT", NOW),
        SSAS | {"test": "t-muster-comms", "next_due": None} | last(3, "SAT", NOW),
    )
    assert said["tests"] == 1
    assert said["last"] == {"at": iso(NOW - timedelta(days=80)), "result": "UNSAT"}
    assert said["next"] == due


@pytest.mark.parametrize(
    ("stands", "is_now"),
    [
        (Readiness.DEFECT, True),
        (Readiness.TEST_DUE, True),
        (Readiness.OVERDUE, True),
        (Readiness.OUT_OF_SERVICE, True),
        (Readiness.IN_ORDER, False),
        (Readiness.NOT_TESTABLE, False),
    ],
)
def test_an_ssas_test_that_is_due_at_once_is_due_before_every_other(stands, is_now):
    later = iso(NOW + timedelta(days=90))
    said = ssas(
        SSAS | {"readiness": stands.value, "next_due": None, "last": None},
        SSAS | {"test": "t-ssas-e-p2", "readiness": "in order", "next_due": later, "last": None},
    )
    assert said["next"] == (iso(NOW) if is_now else later)


@pytest.mark.parametrize("form", ["jsonl", "pdf"])
async def test_a_ship_exports_her_week_signed_by_her_sso(tmp_path, form):
    async with sailing(tmp_path) as ship:
        now_utc = ship.daemon.clock.utc()
        period = Period(now_utc - timedelta(days=7), now_utc)
        asked = {
            "do": "export.begin",
            "what": "digest",
            "format": form,
            "to_whom": "P. Okafor",
            "by": MATE,
        }
        moments = {"from": period.begins.isoformat(), "to": period.ends.isoformat()}
        lent = await ship.control(asked | moments)
        out = tmp_path / f"week.{form}"
        made = outcome.made(
            making.Asked("digest", release.Release("P. Okafor", MATE, None, lent["recorded"])),
            form,
            period,
            folder=Path(lent["folder"]),
            keys=lent["keys"],
            anchors=lent["anchors"],
            profile=lent["profile"],
            now=now_utc,
            say=lambda _: None,
        )
        outcome.write(made, out, say=lambda _: None)
        key = Path(lent["keys"][0]).read_text("utf-8")
    if form == "pdf":
        assert made.pages == 1
        assert "Last SSAS test" in text_of(out.read_bytes())
        return
    assert out.stat().st_size < 10_000
    content = out.read_text("utf-8")
    aboard = {each.name for each in ship.daemon.config.persons} - {MATE}
    covert = {
        t.config.id for t in ship.daemon.config.tests if t.classification is Classification.SSO
    }
    hidden = {*aboard, *covert}
    assert len(hidden) > len(aboard) > 0
    assert not [each for each in hidden if each in content]
    verdict = verify.verify(out, verify.read_keys(key), [])
    assert not verdict.failure
    report = next(
        line["entry"]["open"]["digest"]
        for line in map(json.loads, out.read_text("utf-8").splitlines())
        if "digest" in line.get("entry", {}).get("open", {})
    )
    assert report["ship"]["name"] == "KESTREL STRAIT"
    assert report["ssas"]["tests"] == 1, "the one that goes to the shore"


def test_it_is_no_table(tmp_path, capsys):
    words = ["export", "digest", "--format", "csv", "--by", MATE, "--to-whom", "CSO"]
    assert main([*words, "--out", str(tmp_path / "x.csv")]) == 1
    assert "jsonl" in capsys.readouterr().err


def test_the_next_exercise_is_due_as_the_ships_own_worklist_has_it():
    held = {"exercise/a": {"ended": "2025-07-15T08:00:00.000Z"}}
    said = week.told(plain_week(held=held))["exercise"]
    assert said["limit"] == "2026-12-31T15:59:59.000Z", "the end of the next year on board"


def test_the_issc_is_among_the_papers_however_many_there_are():
    entered = {f"cop {n:02d}": {"name": f"CoP {n:02d}", "expires": None} for n in range(12)}
    entered |= {
        "interim issc": {"name": "Interim ISSC", "expires": "2026-01-01"},
        "issc": {"name": "ISSC", "expires": "2029-05-01"},
    }
    names = [each["name"] for each in week.told(plain_week(certificates=entered))["papers"]]
    assert names[:3] == ["ISSC", "Interim ISSC", "CoP 00"]
