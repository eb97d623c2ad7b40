"""Forms, crew, defects and persons: what a page makes of what is typed, and what port state control sees of it."""

from __future__ import annotations

import csv
import io
import json

import pytest

from daemon.assets import asset
from daemon.book import forms
from daemon.errors import RefusedError
from daemon.people import crew as crew_list
from daemon.review.pages import defects, persons
from tests.review.rig import Visitor, desk
from tests.review.test_exports import answering

SSO = "R. Menon"
FORMS = {"forms": [form.told() for form in forms.load(asset("book.toml")).forms.values()]}
CREW = {
    "persons": [
        {"name": SSO, "rank": "C/O", "roles": ["officer", "sso"], "joined": None, "drilled": None},
        {
            "name": "J. Santos",
            "rank": "2/O",
            "roles": ["officer"],
            "joined": "2026-11-01",
            "drilled": None,
        },
    ],
    "new": 1,
    "drill_by": None,
}
DEFECT = {
    **dict.fromkeys(("test", "item", "found_at", "means", "spare", "repair", "repair_by")),
    "defect": "def-001",
    "equipment": "steering gear flat lock",
    "name": "LOCK",
    "found": "bent",
    "measure": "guard at the ladder",
    "told": [{"who": "CSO", "at": "2026-11-22T02:00:00.000Z"}],
    "effect_1": "lost",
    "effect_2": "lost",
    "effect_3": "lost",
    "repair_at": None,
    "times": 1,
}


async def test_the_page_lists_every_form_of_the_book_drill_first(tmp_path):
    async with desk(tmp_path) as made:
        answering(made, forms=FORMS, crew=CREW)
        visitor = await Visitor.logged_in(made, SSO)
        said = (await visitor.page("forms"))["said"]
        assert said["forms"][0]["form"] == "drill"
        assert {each["form"] for each in said["forms"]} == {each["form"] for each in FORMS["forms"]}
        assert said["form"] is None
        for each in FORMS["forms"]:
            drawn = (await visitor.page("forms", form=each["form"]))["said"]["form"]
            assert drawn["fields"] == each["fields"]
        with pytest.raises(RefusedError, match="no such form"):
            await visitor.page("forms", form="nothing")


async def test_a_form_becomes_the_request_of_the_command_line_with_lines_joined(tmp_path):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        typed = {"form": "other", "zone": "ship", "pin": "314159", "done_at": "2026-11-22T08:00"}
        await visitor.act(
            "forms", "enter", **typed, **{"field.what": "net\r\nrenewed", "field.x": " "}
        )
        assert made.asked[-1] == {
            **typed, "do": "enter", "by": SSO, "fields": {"what": "net renewed"}, "warn_late": True,
        }  # fmt: skip
        await visitor.act("forms", "enter", **typed, late="yes", **{"field.what": "x" * 3000})
        assert made.asked[-1]["warn_late"] is False
        for wrong, words in (
            ({"zone": "moon"}, "zone is one of"),
            ({"pin": ""}, "pin is wanted"),
            ({"field.what": "x" * 4001}, "at most 4000"),
            ({f"field.f{number}": "x" for number in range(41)}, "at most 40 fields"),
        ):
            with pytest.raises(RefusedError, match=words):
                await visitor.act("forms", "enter", **{**typed, **wrong})


async def test_reasons_beside_fields_come_back_with_what_was_typed(tmp_path):
    async with desk(tmp_path) as made:

        async def refusing(_):
            raise RefusedError("crew is a number", wants={"fields": {"crew": "crew is a number"}})

        plain, made.desk.carry_out = made.desk.carry_out, refusing
        visitor = Visitor(made, (await made.ask("login", name=SSO, pin="314159"))["token"])
        made.desk.carry_out = plain
        visitor.csrf = (await visitor.page("worklist"))["csrf"]
        made.desk.carry_out = refusing
        with pytest.raises(RefusedError):
            await visitor.act(
                "forms", "enter", form="drill", zone="utc", pin="314159", **{"field.crew": "x"}
            )
        made.desk.carry_out = plain
        flash = (await visitor.page("worklist"))["flash"]
        assert flash["wants"] == {"fields": {"crew": "crew is a number"}}
        assert flash["typed"]["field.crew"] == "x"
        assert "314159" not in json.dumps(flash)


@pytest.mark.parametrize(
    ("act", "said", "row"),
    [
        (
            "joined",
            {"name": 'A "B", C', "rank": "AB", "roles": "gangway", "joined": "2026-11-20"},
            ['A "B", C', "AB", "gangway", "2026-11-20", ""],
        ),
        (
            "left",
            {"name": "J. Santos", "left": "2026-11-21"},
            ["J. Santos", "–", "", "2026-11-21", "2026-11-21"],
        ),
    ],
)
async def test_joiners_and_leavers_are_rows_of_a_crew_list_that_can_be_read(
    tmp_path, act, said, row
):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        await visitor.act("crew", act, **said, pin="314159")
        asked = made.asked[-1]
        assert {**asked, "csv": ""} == {"do": "crew.import", "by": SSO, "pin": "314159", "csv": ""}
        heading, written = csv.reader(io.StringIO(asked["csv"]))
        assert (tuple(heading), written) == (crew_list.COLUMNS, row)
        [read] = crew_list.read_csv(asked["csv"])
        assert read.person.name == said["name"]


async def test_a_pasted_crew_list_keeps_its_lines(tmp_path):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        await visitor.act("crew", "import", csv="name,rank\r\na,b\r\n", pin="314159")
        assert made.asked[-1]["csv"] == "name,rank\na,b\n"


async def test_a_defect_that_a_test_has_found_is_closed_by_no_form_here(tmp_path):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        for test, allowed in (("t-door", False), (None, True)):
            defect = {**DEFECT, "test": test}
            answering(made, forms=FORMS, defects={"defects": [defect], "entries": []})
            said = (await visitor.page("defects", defect="def-001", form="defect-closed"))["said"]
            assert ("defect-closed" in said["forms"]) is allowed
            assert said["form"]["form"] == ("defect-closed" if allowed else "defect-changed")


async def test_equipment_removed_is_the_word_of_two_with_a_pin_each(tmp_path):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        typed = {"defect": "def-001", "reason": "landed", "other": "A. Lindqvist"}
        await visitor.act("defects", "removed", **typed, pin="314159", pin_of_other="271828")
        assert made.asked[-1] == {
            "do": "defect.removed",
            "defect": "def-001",
            "reason": "landed",
            "by": [SSO, "A. Lindqvist"],
            "pins": ["314159", "271828"],
        }


async def test_port_state_control_reads_of_a_defect_what_a_pack_says_and_no_more(tmp_path):
    async with desk(tmp_path) as made:
        answering(made, forms=FORMS, defects={"defects": [DEFECT], "entries": [{"said": "bent"}]})
        visitor = await Visitor.logged_in(made, SSO)
        await visitor.psc(on=True)
        for asked in ({}, {"defect": "def-001"}):
            said = (await visitor.page("defects", **asked))["said"]
            assert said["one"] is None
            [shown] = said["defects"]
            assert shown == {
                "defect": "def-001",
                "equipment": "Equipment",
                "found_at": None,
                "has_measure": True,
                "told": DEFECT["told"],
                "retest": None,
            }


@pytest.mark.parametrize(
    ("id_", "words"),
    [
        ("d10", "Door D10"),
        ("SSAS-P1", "SSAS"),
        ("p1", "SSAS"),
        ("doors", "Door contacts"),
        ("lock behind the bookcase", "Equipment"),
    ],
)
def test_equipment_goes_by_generic_names(id_, words):
    assert defects.generic(id_) == words


async def test_of_a_pin_it_is_said_that_it_is_set_or_until_when_it_is_locked(tmp_path):
    async with desk(tmp_path) as made:
        pins = {"persons": {SSO: {"is_set": True, "locked_until": "2026-11-22T02:30:00.000Z"}}}
        station = dict.fromkeys(persons.STATION)
        answering(
            made,
            crew=CREW,
            pins={**pins, "envelope": True, "unreadable": None},
            status={"stations": [{**station, "id": "bridge", "secret": 7}]},
            log={"entries": []},
        )
        visitor = await Visitor.logged_in(made, SSO)
        said = (await visitor.page("persons"))["said"]
        first, second = said["persons"]
        assert (first["is_set"], first["locked_until"]) == (True, "2026-11-22T02:30:00.000Z")
        assert (second["is_set"], second["locked_until"]) == (False, None)
        assert said["stations"] == [{**station, "id": "bridge"}]
        await visitor.psc(on=True)
        shown = (await visitor.page("persons"))["said"]
        assert shown == {
            "persons": [{"name": SSO, "rank": "C/O", "roles": ["sso"], "joined": None}]
        }


async def test_a_duty_is_handed_over_by_who_is_logged_in(tmp_path):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        typed = {"role": "sso", "to": "M. Petrov", "pin": "314159", "pin_of_other": "271828"}
        await visitor.act("persons", "handover", **typed)
        assert made.asked[-1] == {
            "do": "handover", "role": "sso", "by": [SSO, "M. Petrov"], "pins": ["314159", "271828"],
        }  # fmt: skip
