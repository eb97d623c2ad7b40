"""The week for the company: counts and exceptions, a pattern by night, and nothing that stays on board."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from daemon.ashore import fleet, week
from daemon.cli import main
from daemon.model import Classification, Readiness
from daemon.papers import making, outcome, release
from daemon.papers.moments import Period
from daemon.record import verify
from tests.ashore.rig import NOW, plain_week
from tests.papers.rig import MATE, at, exported, flat, iso, made, text_of
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


def inhibited(at, source="d12", type_="inhibit.given", *, hours=0, alert="door.store.open.d12"):
    said = {"source": source, "by": "R. Menon", "worker": "R. dela Cruz", "work": "painting"}
    if type_.startswith("inhibit."):
        said["alert"] = alert
    if hours:
        said["ends"] = iso(at + timedelta(hours=hours))
    return Written(type_, Stamped(iso(at)), said)


def ended(at, source="d12", type_="inhibit.ended", **said):
    return inhibited(at, source, type_, **said)


def eased(*entries, **said):
    return week.told(plain_week(eased=entries, **said))["eased"]


def at_ships(day: int, hour: float):
    """A moment of ship's time, which is eight hours ahead."""
    return NOW.replace(day=day, hour=0) + timedelta(hours=hour - 8)


def test_the_same_door_inhibited_in_three_nights_of_a_week_is_marked():
    [row] = eased(*(inhibited(at_ships(day, 23)) for day in (24, 25, 27)))["list"]
    assert (row["what"], row["times"], row["nights"], row["repeated"]) == ("d12", 3, 3, True)


def test_one_night_over_midnight_is_one_night_and_a_day_is_none():
    entries = [inhibited(at_ships(24, 23)), inhibited(at_ships(25, 3)), inhibited(at_ships(25, 12))]
    [row] = eased(*entries)["list"]
    assert (row["times"], row["nights"], row["repeated"]) == (3, 1, False)


@pytest.mark.parametrize(
    ("entries", "nights"),
    [
        ([inhibited(at_ships(d, 21), hours=8) for d in range(23, 28)], 5),
        ([inhibited(at_ships(d, 21), hours=1) for d in range(23, 28)], 0),
        ([inhibited(at_ships(d, 6), hours=16) for d in range(23, 28)], 0),
        ([inhibited(at_ships(24, 12), type_="out_of_service.begun", hours=48)], 2),
        # ended before its time, once before the night and once in it
        ([inhibited(at_ships(24, 21), hours=8), ended(at_ships(24, 21.5))], 0),
        ([inhibited(at_ships(24, 21), hours=8), ended(at_ships(24, 22.5))], 1),
        # given anew for a shorter time, and the same door's other alert that goes on
        ([inhibited(at_ships(24, 12), hours=60), inhibited(at_ships(24, 13), hours=1)], 0),
        ([inhibited(at_ships(24, 12), hours=12), ended(at_ships(24, 13), alert="other")], 1),
        # from before the week (it begins on the 22nd at 1600) into it, and not
        ([inhibited(at_ships(10, 12), type_="out_of_service.begun", hours=480)], 7),
        (
            [
                inhibited(at_ships(10, 12), type_="out_of_service.begun", hours=480),
                ended(at_ships(23, 12), type_="out_of_service.ended"),
            ],
            1,
        ),
        ([inhibited(at_ships(21, 23), hours=8)], 0),
        # what is still to come does not count yet
        ([inhibited(at_ships(28, 23), hours=480)], 1),
    ],
)
def test_every_night_counts_in_which_it_was_quiet_and_not_only_that_in_which_it_was_given(
    entries, nights
):
    said = eased(*entries)
    row = said["list"][0] if said["list"] else {"nights": 0, "repeated": False}
    assert (row["nights"], row["repeated"]) == (nights, nights >= 3)


def test_what_runs_on_from_the_week_before_is_listed_and_not_counted_as_given():
    said = eased(inhibited(at_ships(10, 12), type_="out_of_service.begun", hours=480))
    assert said["times"] == 0
    assert [(row["what"], row["times"]) for row in said["list"]] == [("d12", 0)]
    gone = eased(inhibited(at_ships(10, 12), type_="out_of_service.begun", hours=48))
    assert gone["list"] == []


def test_a_door_that_is_quiet_by_another_kind_each_night_is_marked_in_all_of_them():
    said = eased(
        inhibited(at_ships(24, 23)),
        inhibited(at_ships(25, 23), type_="permit.given"),
        inhibited(at_ships(26, 23), type_="out_of_service.begun"),
        inhibited(at_ships(26, 23), "d17"),
    )
    rows = [(row["how"], row["what"], row["nights"], row["repeated"]) for row in said["list"]]
    assert rows == [
        ("inhibited", "d12", 3, True),
        ("out of service", "d12", 3, True),
        ("permit", "d12", 3, True),
        ("inhibited", "d17", 1, False),
    ]
    assert fleet._eased(said) == "4 REPEATED D12"


def test_of_what_is_covert_the_pattern_is_told_and_no_name():
    covert = frozenset({"p1"})
    entries = [inhibited(at_ships(d, 23), "P1", "out_of_service.begun") for d in (24, 25, 26)]
    [row] = eased(*entries, covert=covert)["list"]
    assert (row["what"], row["times"], row["repeated"]) == ("not named ashore", 3, True)
    found = {"found_at": iso(NOW), "measure": None, "told": None, "test": None}
    defect = found | {"defect": "def-001", "equipment": "P1"}
    said = week.told(plain_week(defects=[defect], covert=covert))["defects"]
    assert (said["open"], said["list"]) == (1, [])


@pytest.mark.parametrize(
    ("equipment", "shown"), [("C03", "C03"), ("P1 button", "not named ashore")]
)
def test_of_a_defect_only_the_ships_equipment_is_named(equipment, shown):
    found = {"found_at": iso(NOW), "measure": None, "told": None, "test": None}
    defect = found | {"defect": "def-001", "equipment": equipment}
    [row] = week.told(plain_week(defects=[defect], covert=frozenset({"p1"})))["defects"]["list"]
    assert row["equipment"] == shown


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


def test_on_paper_too_it_stands_how_much_is_left_out(tmp_path):
    rows = [DOOR | {"test": f"t-{number:02d}"} for number in range(12)]
    found = {"found_at": iso(NOW), "measure": None, "told": None, "test": None, "equipment": "d12"}
    report = week.told(
        plain_week(
            tests=rows,
            defects=[found | {"defect": f"def-{number:03d}"} for number in range(13)],
            eased=[inhibited(at_ships(24, 12), f"d{number:02d}") for number in range(14)],
            certificates={str(n): {"name": f"CoP {n}"} for n in range(15)},
            growth={"note": "", "hashes": []},
        )
    )
    read, [seq] = made(tmp_path, [exported(at(29), what="digest", digest=report)])
    given = release.Release("CSO", MATE, None, seq)
    words = flat(text_of(read.pdf("digest", release=given)[0]))
    for said in ("2 more", "3 more in the record", "4 more in the record", "5 more in the record"):
        assert flat(said) in words


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
        paper = outcome.made(
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
        outcome.write(paper, out, say=lambda _: None)
        key = Path(lent["keys"][0]).read_text("utf-8")
    if form == "pdf":
        assert paper.pages == 1
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
