"""What people enter is theirs by name, marked when it is late, and never done in the future."""

from __future__ import annotations

import pytest

from daemon.book.values import Is
from daemon.errors import RefusedError
from daemon.model import Classification
from daemon.record.entry import Draft
from daemon.record.merkle import leaf_hash
from tests.book.desk import (
    DEFECT,
    DRILL,
    ETO,
    FORMS,
    GANGWAY,
    MASTER,
    OFFICER,
    SSO,
    Clock,
    open_book,
)
from tests.record.ship import alert

OTHER = {"what": "gangway net renewed"}
BREACH = {"what": "hatch found open", "where": "poop", "measures": "searched by two"}


async def test_a_drill_is_an_entry_with_its_lessons_for_the_sso_alone(tmp_path):
    async with open_book(tmp_path) as rig:
        entry = await rig.enter("drill", DRILL)
    assert (entry["kind"], entry["type"], entry["subject"]) == (".1", "drill.held", "r-drill")
    assert (entry["class"], entry["bseq"]) == ("watch", 2)
    assert entry["actor"] == {"person": "R. Menon", "proof": "pin", "station": None}
    assert entry["open"] == {
        "scenario": "stowaway search",
        "began": "2026-11-22T00:10:00.000Z",
        "ended": "2026-11-22T01:00:00.000Z",
        "crew_took_part": 20,
        "crew": 22,
        "crew_changed_by_more_than_a_quarter": False,
        "names": None,
        "led_by": "R. Menon",
        "rank": "C/O",
        "done_at": "2026-11-22T01:00:00.000Z",
        "entered_at": "2026-11-22T02:10:00.000Z",
        "late": False,
    }
    assert entry["part"] == {"lessons": "search cards renewed"}
    assert "search cards" not in str(entry["open"])


@pytest.mark.parametrize(
    ("done_at", "late"),
    [
        ("2026-11-21T02:10:00Z", False),
        ("2026-11-21T02:09:59Z", True),
        ("2026-11-22T02:10:00Z", False),
        ("2026-11-22T10:10:00+08:00", False),
    ],
)
async def test_what_was_done_more_than_a_day_before_is_marked_late(tmp_path, done_at, late):
    async with open_book(tmp_path) as rig:
        entry = await rig.enter("other", OTHER, done_at=done_at)
        assert entry["open"]["late"] is late
        assert entry["open"]["entered_at"] == "2026-11-22T02:10:00.000Z"


async def test_nobody_has_to_own_up_a_drill_is_late_by_its_own_time(tmp_path):
    old = {**DRILL, "began": "2026-11-02T00:10Z", "ended": "2026-11-02T01:00Z"}
    async with open_book(tmp_path) as rig:
        assert (await rig.ask("enter", form="drill", fields=old))["late"] is True
        with pytest.raises(RefusedError, match="ended says when it was done; leave --done-at away"):
            await rig.ask("enter", form="drill", fields=old, done_at="2026-11-22T02:00Z")


async def test_what_says_nothing_was_done_when_it_was_entered(tmp_path):
    async with open_book(tmp_path) as rig:
        said = (await rig.enter("other", OTHER))["open"]
    assert (said["done_at"], said["late"]) == ("2026-11-22T02:10:00.000Z", False)


@pytest.mark.parametrize(
    ("form", "said", "more", "reason"),
    [
        ("other", OTHER, {"done_at": "2026-11-22T02:10:01Z"}, "done-at: .* lies ahead"),
        ("other", OTHER, {"done_at": "2003-01-01T00:00Z"}, "done-at: .* is before 01 Jul 2004"),
        ("drill", {**DRILL, "ended": "2026-11-22T02:10:01Z"}, {}, "ended: .* lies ahead"),
        ("other", {}, {}, "what is wanted"),
        ("other", {"what": "\ud800"}, {}, "'what' holds half a character"),
        ("none", OTHER, {}, "there is no form 'none'"),
        ("other", OTHER, {"fields": "x"}, "fields are wanted"),
        ("other", OTHER, {"fields": {"what": 7}}, "fields are wanted"),
        ("other", OTHER, {"by": ETO}, "D. Kovac may not make an entry in the security record"),
        ("other", OTHER, {"by": OFFICER}, "J. Santos may not make an entry"),
        ("other", OTHER, {"by": GANGWAY}, "L. Tupou may not"),
        ("other", OTHER, {"by": "A. Nobody"}, "'A. Nobody' is not on the crew list"),
    ],
)
async def test_a_refused_entry_leaves_no_trace(tmp_path, form, said, more, reason):
    async with open_book(tmp_path) as rig:
        with pytest.raises(RefusedError, match=reason):
            await rig.ask("enter", **{"form": form, "fields": said, **more})
        assert len((await rig.ask("log"))["entries"]) == 1


async def test_a_clock_that_cannot_be_right_judges_no_lateness_and_says_so(tmp_path):
    clock = Clock()
    clock.is_set = False
    async with open_book(tmp_path, clock=clock) as rig:
        answer = await rig.ask("enter", form="other", fields=OTHER, done_at="2030-01-01T00:00Z")
        entry = await rig.entry(answer["recorded"])
        assert answer["late"] is None
        assert "nobody can tell whether this is late" in answer["late_unknown"]
        assert entry["open"]["late_unknown"] == answer["late_unknown"]
        assert (entry["clock"], entry["open"]["late"]) == ("unset", None)
        assert entry["open"]["done_at"] == "2030-01-01T00:00:00.000Z"
        untold = await rig.enter("other", OTHER)
        assert untold["open"]["done_at"] is None


async def test_the_most_that_a_form_takes_fits_into_an_entry(tmp_path):
    """Every text as long as it may be, of the letters that take most room."""
    letter = "\N{SMILING FACE WITH SUNGLASSES}"
    async with open_book(tmp_path) as rig:
        for form in FORMS.forms.values():
            said = {
                name: {
                    Is.TEXT: letter * field.most,
                    Is.NUMBER: str(field.most),
                    Is.MOMENT: "2026-11-22T02:00Z",
                    Is.DATE: "2026-11-22",
                    Is.YES_NO: "yes",
                    Is.CHOICE: max(field.of, key=len, default=""),
                    Is.NAMES: "; ".join(f"{letter * 57}{n}" for n in range(100, 200)),
                    Is.TOLD: "; ".join([letter * 400 + " @ 2026-11-22T02:00Z"] * 20),
                }[field.is_]
                for name, field in form.fields.items()
                if form.about is None or name != form.about
            }
            if form.about is None:
                assert (await rig.ask("enter", form=form.name, fields=said))["recorded"]


async def test_defects_are_numbered_and_stay_until_they_are_closed(tmp_path):
    async with open_book(tmp_path) as rig:
        first = await rig.ask("enter", form="defect", fields=DEFECT)
        assert first["defect"] == "def-001"
        given = {**DEFECT, "defect": "def-014"}
        assert (await rig.ask("enter", form="defect", fields=given))["defect"] == "def-014"
        assert (await rig.ask("enter", form="defect", fields=DEFECT))["defect"] == "def-015"
        assert [*rig.items()][:3] == ["def-001", "def-014", "def-015"]
        with pytest.raises(RefusedError, match="def-014 is open already"):
            await rig.ask("enter", form="defect", fields=given)
        told = {"defect": "def-014", "who": "CSO P. Okafor", "at": "2026-11-22T02:00Z"}
        entry = await rig.enter("defect-told", told)
        assert (entry["subject"], entry["class"]) == ("def-014", "sso")
        closing = {"defect": "def-014", "equipment": "c03", "name": "X", "by": "re-test passed"}
        await rig.enter("defect-closed", closing)
        assert "def-014" not in rig.items()
        for form, said in (("defect-told", told), ("defect-closed", closing)):
            with pytest.raises(
                RefusedError, match="def-014 is not open; open are def-001, def-015"
            ):
                await rig.ask("enter", form=form, fields=said)
    async with open_book(tmp_path) as rig:
        assert [*rig.items()][:2] == ["def-001", "def-015"], "and after a restart"
        assert (await rig.ask("enter", form="defect", fields=DEFECT))["defect"] == "def-016"


@pytest.mark.parametrize("name", ["threat", "incident", "breach"])
async def test_a_detection_is_raised_by_a_person_and_named_with_its_hash(tmp_path, name):
    more = {
        "threat": {"what": "call", "source": "unknown caller", "measures": "told CSO"},
        "incident": BREACH,
        "breach": BREACH,
    }[name]
    async with open_book(tmp_path) as rig:
        detected = await rig.record.submit(alert("d12"))
        rig.clock.step_utc(60)
        more = {**more, "at": ""}  # as a terminal sends what was left empty
        done = await rig.ask("raise", seq=detected.seq, **{"as": name}, fields=more, by=MASTER)
        entry = await rig.entry(done["recorded"])
    assert entry["kind"] == {"threat": ".2", "incident": ".2", "breach": ".3"}[name]
    assert entry["open"]["raised_from"] == {
        "seq": detected.seq,
        "leaf": leaf_hash(detected.body.encode()).hex(),
        "type": "alert.changed",
    }
    assert entry["open"]["at"] == detected.stamp.at
    assert entry["actor"]["person"] == "A. Lindqvist"


async def test_only_what_ispsd_detected_is_raised(tmp_path):
    async with open_book(tmp_path) as rig:
        drill = await rig.enter("drill", DRILL)
        permit = await rig.record.submit(
            Draft(
                kind="system",
                type="permit.given",
                subject="d12",
                classification=Classification.WATCH,
                open={"door": "d12", "person": "D. Kovac"},
            )
        )
        for seq, reason in (
            (drill["seq"], r"entry 2 \(drill.held\) is no detection"),
            (1, r"entry 1 \(segment.opened\) is no detection"),
            (permit.seq, r"entry 3 \(permit.given\) is no detection"),
            (99, "there is no entry 99"),
            ("2", "seq is wanted, as a number"),
        ):
            with pytest.raises(RefusedError, match=reason):
                await rig.ask("raise", seq=seq, **{"as": "breach"}, fields=BREACH)
        with pytest.raises(RefusedError, match="a detection is raised as threat, incident, breach"):
            await rig.ask("raise", seq=1, **{"as": "drill"}, fields=BREACH)
        detected = await rig.record.submit(alert("d12"))
        with pytest.raises(RefusedError, match="may not make an entry"):
            await rig.ask("raise", seq=detected.seq, **{"as": "breach"}, fields=BREACH, by=ETO)


async def test_the_forms_are_listed_with_what_each_field_wants(tmp_path):
    async with open_book(tmp_path) as rig:
        listed = {form["form"]: form for form in (await rig.ask("forms"))["forms"]}
    assert listed["drill"]["kind"] == ".1"
    names = [field["name"] for field in listed["drill"]["fields"]]
    assert [name for name in names if name != "names"] == [*DRILL]
    assert listed["drill"]["fields"][3]["wants"] == "a whole number from 1 to 500"
    assert listed["drill"]["fields"][9]["optional"] is True


async def test_a_person_with_a_key_signs_what_is_written(tmp_path, monkeypatch):
    """Whoever proves persons may add ``sign`` to them; it sees the whole draft and returns what is written."""
    from dataclasses import replace

    from daemon.people.claims import By

    async def sign(self, draft):
        return replace(draft, open={**draft.open, "said_at": f"by {self.person.name}"})

    monkeypatch.setattr(By, "sign", sign, raising=False)
    async with open_book(tmp_path) as rig:
        entry = await rig.enter("other", OTHER, by=SSO)
    assert entry["open"]["said_at"] == "by R. Menon"


@pytest.mark.parametrize(
    ("zone", "began"),
    [("ship", "2026-11-21T16:10:00.000Z"), ("utc", "2026-11-22T00:10:00.000Z")],
)
async def test_a_moment_without_a_zone_is_in_the_zone_that_the_page_says(tmp_path, zone, began):
    said = {**DRILL, "began": "2026-11-22T00:10", "ended": "2026-11-22T01:00"}
    async with open_book(tmp_path) as rig:
        entry = await rig.enter("drill", said, zone=zone)
        assert entry["open"]["began"] == began
        told = await rig.enter(
            "defect",
            {**DEFECT, "told": "CSO @ 2026-11-22T00:10; Master @ 2026-11-22T00:20Z"},
            zone=zone,
        )
        assert told["open"]["told"] == [
            {"who": "CSO", "at": began},
            {"who": "Master", "at": "2026-11-22T00:20:00.000Z"},
        ]
        other = await rig.enter("other", OTHER, done_at="2026-11-22T00:10", zone=zone)
        assert other["open"]["done_at"] == began
        with pytest.raises(RefusedError, match="a moment with its zone"):
            await rig.enter("drill", said)
        with pytest.raises(RefusedError, match="zone is one of ship, utc"):
            await rig.enter("drill", said, zone="moon")


async def test_who_asks_to_be_warned_learns_that_it_would_be_late_before_it_is_entered(tmp_path):
    old = {**DRILL, "began": "2026-11-02T00:10Z", "ended": "2026-11-02T01:00Z"}
    async with open_book(tmp_path) as rig:
        before = rig.book._standing.newest_seq
        with pytest.raises(
            RefusedError, match="more than 24 hours ago: it would be marked LATE"
        ) as of:
            await rig.ask("enter", form="drill", fields=old, warn_late=True)
        assert of.value.wants == {"late": True}
        assert rig.book._standing.newest_seq == before
        assert (await rig.ask("enter", form="drill", fields=DRILL, warn_late=True))["late"] is False
        assert (await rig.ask("enter", form="drill", fields=old))["late"] is True


async def test_every_field_that_is_wrong_is_named_with_its_reason(tmp_path):
    wrong = {**DRILL, "crew": "many", "began": "yesterday", "led_by": ""}
    async with open_book(tmp_path) as rig:
        with pytest.raises(RefusedError) as of:
            await rig.ask("enter", form="drill", fields=wrong)
        reasons = of.value.wants["fields"]
        assert list(reasons) == ["began", "crew", "led_by"]
        assert str(of.value) == "; ".join(reasons.values())
        with pytest.raises(RefusedError) as of:
            await rig.ask("enter", form="drill", fields={**DRILL, "crew_took_part": "23"})
        assert list(of.value.wants["fields"]) == ["crew_took_part"]
