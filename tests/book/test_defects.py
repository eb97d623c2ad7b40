"""Does every UNSAT get its defect, does only a re-test close it, and does nothing get lost on the way?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from daemon.assets import asset
from daemon.book import defects
from daemon.book.defects import Relied
from daemon.checks.api import Effect
from daemon.errors import ConfigError, RefusedError
from daemon.model import Classification
from daemon.record import fold
from daemon.record.entry import Draft
from daemon.testing.worklist import worst_first
from tests.book.desk import DEFECT, ETO, MASTER, OFFICER, SSO, Clock, open_book
from tests.pins import PIN

BY_KIND = defects.load(asset("defects.toml"))
TESTS = {"t-uhf": (), "t-cctv": (), "t-door": ("d01", "d02"), "t-ssas-e": ()}
RELIED = Relied(
    by_kind=BY_KIND,
    kinds={
        "t-uhf": "manual",
        "t-cctv": "manual",
        "t-door": "door_contacts",
        "t-ssas-e": "ssas_end_to_end",
    },
    by_test={"t-uhf": (Effect.NONE, Effect.NONE, Effect.LOST)},
)
SHIP = {"relied": RELIED, "tests": TESTS}


def result(test="t-cctv", outcome="failed", *, at="2026-11-22T02:00:00.000Z", items=(), **more):
    said = {
        "test": test,
        "equipment": test.removeprefix("t-"),
        "name": test.removeprefix("t-").upper(),
        "mode": "manual",
        "outcome": outcome,
        "reason": f"said {outcome}",
        "began": at,
        "ended": at,
        "situation": "port",
        "security_level": 1,
        "ssp_paragraph": "7.5",
        "simulated": False,
        "readings": 0,
        **more,
    }
    if items:
        said["items"] = [{"item": item, "outcome": how, "reason": how} for item, how in items]
    return Draft(
        kind=".10",
        type="test.result",
        subject=said["equipment"],
        classification=Classification.WATCH,
        open=said,
    )


async def written(rig, *drafts):
    """Write entries, and wait until what they bring about is on disk too."""
    for draft in drafts:
        await rig.record.submit(draft)
    await settled(rig)


async def settled(rig):
    """Wait until nothing but our own mark comes on disk any more."""
    before = 0
    for _ in range(20):
        mark = await rig.record.submit(_mark())
        await asyncio.sleep(0)  # who is told of entries is told after their futures
        if mark.seq == before + 1:
            return
        before = mark.seq
    raise AssertionError("entries bring about entries without end")


def _mark():
    return Draft(
        kind="system", type="test.mark", subject="test", classification=Classification.WATCH
    )


async def told_of(rig, type_):
    return [
        each.open
        for each in await rig.record.entries(defects_query(type_))
        if each.actor.person is None
    ]


def defects_query(type_):
    from daemon.record.reader import Query

    return Query(type=type_)


async def test_an_unsat_opens_one_defect_and_a_second_adds_to_it(tmp_path):
    async with open_book(tmp_path, **SHIP) as rig:
        await written(rig, result(), result(at="2026-11-22T03:00:00.000Z"))
        (opened,) = await told_of(rig, "defect.opened")
        failed = await rig.entry(opened["result"]["seq"])
        assert (failed["type"], failed["open"]["outcome"]) == ("test.result", "failed")
        assert opened["defect"] == "def-001"
        assert (opened["test"], opened["item"], opened["equipment"]) == ("t-cctv", None, "cctv")
        assert (opened["found"], opened["measure"]) == ("said failed", None)
        assert [opened[f"effect_{level}"] for level in (1, 2, 3)] == ["reduced"] * 3
        (again,) = await told_of(rig, "defect.again")
        assert (again["defect"], again["times"]) == ("def-001", 2)
        (listed,) = (await rig.ask("defects"))["defects"]
        assert (listed["times"], listed["newest"]) == (2, "2026-11-22T03:00:00.000Z")


async def test_the_entries_of_a_defect_are_for_sso_and_master_though_the_watch_may_read_the_test(
    tmp_path,
):
    async with open_book(tmp_path, **SHIP) as rig:
        await written(rig, result(), result(), result(outcome="passed", at="2026-11-23T00:00:00Z"))
        found = [
            each
            for type_ in ("defect.opened", "defect.again", "defect.closed")
            for each in await rig.record.entries(defects_query(type_))
        ]
        assert len(found) == 3
        assert {each.classification for each in found} == {Classification.SSO}
        assert {each.kind for each in found} == {".10"}


@pytest.mark.parametrize("outcome", ["passed", "inconclusive", "skipped"])
async def test_nothing_but_an_unsat_opens_a_defect(tmp_path, outcome):
    async with open_book(tmp_path, **SHIP) as rig:
        await written(rig, result(outcome=outcome))
        assert not rig.book.defects()


@pytest.mark.parametrize("outcome", ["inconclusive", "skipped", "failed"])
async def test_only_a_pass_closes_it_and_the_entry_names_the_pass(tmp_path, outcome):
    later, last = "2026-11-23T02:00:00.000Z", "2026-11-24T02:00:00.000Z"
    async with open_book(tmp_path, **SHIP) as rig:
        await written(rig, result(), result(outcome=outcome, at=later))
        assert [each["defect"] for each in rig.book.defects()] == ["def-001"]
        repair = {"defect": "DEF-001", "equipment": "cctv", "why": "cable", "work": "new cable"}
        repair |= {"done_by": "D. Kovac", "tested_again": "no"}
        await rig.enter("repair", repair)
        (mended,) = rig.book.defects()
        assert (mended["repair"], mended["repair_by"]) == ("new cable", "D. Kovac")
        await written(rig, result("t-uhf", "passed", at=last))
        assert rig.book.defects(), "another test's pass closes nothing"
        await written(rig, result(outcome="passed", at=last))
        assert not rig.book.defects()
        (closed,) = await told_of(rig, "defect.closed")
        passed = await rig.entry(closed["retest"]["seq"])
        assert passed["open"]["ended"] == closed["retest_at"] == last
        await written(rig, result(at="2026-11-25T02:00:00.000Z"))
        (new,) = rig.book.defects()
        assert (new["defect"], new["measure"], new["repair"]) == ("def-002", None, None)


async def test_each_item_has_its_own_defect(tmp_path):
    async with open_book(tmp_path, **SHIP) as rig:
        both = [("d01", "failed"), ("d02", "failed")]
        await written(rig, result("t-door", items=both))
        assert [(d["defect"], d["item"]) for d in rig.book.defects()] == [
            ("def-001", "d01"),
            ("def-002", "d02"),
        ]
        mixed = [("d01", "passed"), ("d02", "inconclusive")]
        at = "2026-11-23T02:00:00.000Z"
        await written(rig, result("t-door", "inconclusive", items=mixed, at=at))
        assert [d["item"] for d in rig.book.defects()] == ["d02"]


async def test_many_unsat_at_once_are_numbered_without_a_gap(tmp_path):
    async with open_book(tmp_path, **SHIP) as rig:
        drafts = [result(), result("t-uhf"), result("t-door", items=[("d02", "failed")]), result()]
        await asyncio.gather(*(rig.record.submit(draft) for draft in drafts))
        await settled(rig)
        numbers = [each["defect"] for each in rig.book.defects()]
        assert numbers == ["def-001", "def-002", "def-003"]
        assert (await rig.ask("enter", form="defect", fields=DEFECT))["defect"] == "def-004"


async def test_it_stays_over_a_restart_and_a_new_segment_with_all_that_was_said(tmp_path):
    said = {"defect": "DEF-001", "measure": "patrol", "means": "patrol", "spare": "ordered"}
    said |= {"told": "CSO P. Okafor @ 2026-11-22T02:00Z", "effect_1": "none"}
    async with open_book(tmp_path, **SHIP) as rig:
        await written(rig, result(), result())
        await rig.enter("defect-changed", said)
        before = rig.book.defects()
        await rig.record.rotate("full")
        assert rig.book.defects() == before
    async with open_book(tmp_path, **SHIP) as rig:
        assert rig.book.defects() == before
        (now,) = before
        assert (now["measure"], now["spare"], now["times"]) == ("patrol", "ordered", 2)
        assert [now[f"effect_{level}"] for level in (1, 2, 3)] == ["none", "reduced", "reduced"]
        assert now["told"] == [{"who": "CSO P. Okafor", "at": "2026-11-22T02:00:00.000Z"}]
        await written(rig, result(outcome="passed", at="2026-11-23T02:00:00.000Z"))
        assert not rig.book.defects()
        kept = await rig.record.state(fold.DEFECT_SAID)
        assert not kept, "nothing stays of what is closed"


async def test_an_unsat_whose_defect_the_power_took_has_it_after_the_restart(tmp_path):
    door = result("t-door", items=[("d01", "passed"), ("d02", "failed")])
    async with open_book(tmp_path, **SHIP) as rig:
        rig.book._retests.told = lambda _: None
        await written(rig, result(), door)
        assert not rig.book.defects()
    async with open_book(tmp_path, **SHIP) as rig:
        await settled(rig)
        assert [(d["test"], d["item"]) for d in rig.book.defects()] == [
            ("t-cctv", None),
            ("t-door", "d02"),
        ]
        named = {d["result"]["seq"] for d in rig.book.defects()}
        assert {(await rig.entry(seq))["type"] for seq in named} == {"test.result"}
    async with open_book(tmp_path, **SHIP) as rig:
        await settled(rig)
        assert len(rig.book.defects()) == 2, "and not twice"
        rig.book._retests.told = lambda _: None
        at = "2026-11-23T02:00:00.000Z"
        await written(rig, result(outcome="passed", at=at))
    async with open_book(tmp_path, **SHIP) as rig:
        await settled(rig)
        assert [d["test"] for d in rig.book.defects()] == ["t-door"]
        (closed,) = await told_of(rig, "defect.closed")
        assert (await rig.entry(closed["retest"]["seq"]))["open"]["ended"] == at


async def test_a_test_that_is_no_more_in_the_ships_file_opens_nothing(tmp_path):
    async with open_book(tmp_path, **SHIP) as rig:
        rig.book._retests.told = lambda _: None
        await written(rig, result())
    without = replace(RELIED, kinds={"t-uhf": "manual"})
    async with open_book(tmp_path, relied=without, tests=TESTS) as rig:
        await settled(rig)
        assert not rig.book.defects()


async def test_nobody_closes_a_defect_of_a_test_by_hand(tmp_path):
    by_hand = {"defect": "def-001", "equipment": "cctv", "name": "CCTV", "by": "mended"}
    async with open_book(tmp_path, **SHIP) as rig:
        await written(rig, result())
        with pytest.raises(RefusedError, match="closed when that passes again, and by nobody's"):
            await rig.ask("enter", form="defect-closed", fields=by_hand)
        assert rig.book.defects()
        await rig.enter("defect", DEFECT)
        await rig.enter("defect-closed", {**by_hand, "defect": "DEF-002"})
        assert [d["defect"] for d in rig.book.defects()] == ["def-001"]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ({"test": "t-none"}, "there is no test 't-none'"),
        ({"test": "t-door"}, "item is wanted of t-door: one of d01, d02"),
        ({"test": "t-door", "item": "d09"}, "item is wanted of t-door"),
    ],
)
async def test_a_defect_that_no_test_could_ever_close_is_not_tied_to_one(tmp_path, typed, reason):
    async with open_book(tmp_path, **SHIP) as rig:
        with pytest.raises(RefusedError, match=reason):
            await rig.enter("defect", {**DEFECT, **typed})
        assert (await rig.ask("enter", form="defect", fields=DEFECT))["defect"] == "def-001"


@pytest.mark.parametrize(
    "typed",
    [
        {"test": "t-door", "equipment": "d02"},
        {"test": "t-door", "item": "d02"},
    ],
)
async def test_a_defect_that_a_person_tied_to_a_test_is_closed_by_it(tmp_path, typed):
    async with open_book(tmp_path, **SHIP) as rig:
        await rig.enter("defect", {**DEFECT, **typed}, done_at="2026-11-21T00:00Z")
        await written(rig, result("t-door", items=[("d02", "failed")]))
        assert [d["defect"] for d in rig.book.defects()] == ["def-001"]
        at = "2026-11-23T02:00:00.000Z"
        await written(rig, result("t-door", "passed", at=at, items=[("d01", "passed")]))
        assert rig.book.defects()
        await written(rig, result("t-door", "passed", at=at, items=[("d02", "passed")]))
        assert not rig.book.defects()


async def test_use_closes_no_defect_of_a_door_live_or_after_a_restart(tmp_path):
    """It was used before it was found broken, too: only a test of it says that what failed is mended."""
    used = {"items": [("d01", "passed"), ("d02", "passed")], "mode": "in_service"}
    async with open_book(tmp_path, **SHIP) as rig:
        await written(rig, result("t-door", items=[("d02", "failed")]))
        await rig.enter("defect", {**DEFECT, "test": "t-door", "item": "d01"})
        await written(rig, result("t-door", "passed", at="2026-11-23T02:00:00.000Z", **used))
        assert [d["item"] for d in rig.book.defects()] == ["d02", "d01"]
    async with open_book(tmp_path, **SHIP) as rig:
        await settled(rig)
        assert [d["item"] for d in rig.book.defects()] == ["d02", "d01"]
        led = {"items": [("d02", "passed")], "mode": "assisted"}
        await written(rig, result("t-door", "passed", at="2026-11-24T02:00:00.000Z", **led))
        assert [d["item"] for d in rig.book.defects()] == ["d01"]


async def test_a_defect_that_a_clock_of_years_ahead_found_is_closed_by_the_next_pass(tmp_path):
    async with open_book(tmp_path, **SHIP) as rig:
        await written(rig, result(at="2035-11-22T02:00:00.000Z"))
        await written(rig, result(outcome="passed", at="2026-11-23T02:00:00.000Z"))
        assert not rig.book.defects()
        await written(rig, result(at="2026-11-24T02:00:00.000Z"))
        await written(rig, result(outcome="passed", at="2026-11-24T01:59:59.999Z"))
        assert rig.book.defects(), "of a day's result that ended before it was found"


async def removed(rig, *by, **said):
    names = [person.name for person in by]
    asked = {"reason": "camera taken ashore", "pins": [PIN] * len(by), **said}
    return await rig.book.requests["defect.removed"](
        {"do": "defect.removed", "by": names, "defect": "DEF-001", **asked}
    )


async def test_sso_and_master_together_close_it_where_the_equipment_is_gone(tmp_path):
    async with open_book(tmp_path, **SHIP) as rig:
        await written(rig, result())
        for by, reason in (
            ((SSO, OFFICER), "the SSO and the Master are wanted"),
            ((ETO, MASTER), "neither SSO nor Master"),
            ((SSO, SSO), "two different persons"),
            ((SSO,), "2 persons"),
        ):
            with pytest.raises(RefusedError, match=reason):
                await removed(rig, *by)
        with pytest.raises(RefusedError, match="reason is wanted"):
            await removed(rig, SSO, MASTER, reason="")
        with pytest.raises(RefusedError, match="PINs"):
            await removed(rig, SSO, MASTER, pins=None)
        seq = (await removed(rig, SSO, MASTER))["recorded"]
        entry = await rig.entry(seq)
        assert entry["open"]["removed_by"] == [SSO.name, MASTER.name]
        assert entry["open"]["by"] == "equipment removed: camera taken ashore"
        assert not rig.book.defects()
        with pytest.raises(RefusedError, match="not open"):
            await removed(rig, SSO, MASTER)
    async with open_book(tmp_path, **SHIP) as rig:
        await settled(rig)
        assert not rig.book.defects(), "its old UNSAT opens no other"


async def test_one_defect_shows_everything_that_was_said_of_it(tmp_path):
    async with open_book(tmp_path, **SHIP) as rig:
        await written(rig, result(), result())
        told = {"defect": "def-001", "who": "CSO", "at": "2026-11-22T02:00Z", "measure": "guard"}
        await rig.enter("defect-told", told)
        answer = await rig.ask("defects", defect="DEF-001")
        assert [each["type"] for each in answer["entries"]] == ["defect.again", "defect.told"]
        (now,) = answer["defects"]
        assert (now["measure"], now["told"][0]["who"]) == ("guard", "CSO")
        with pytest.raises(RefusedError, match="def-009 is not open; open are def-001"):
            await rig.ask("defects", defect="def-009")


async def test_everybody_who_was_told_stays_told_until_the_defect_is_closed(tmp_path):
    at = "2026-11-22T02:0{}Z".format
    async with open_book(tmp_path, **SHIP) as rig:
        await written(rig, result())
        await rig.enter("defect-told", {"defect": "def-001", "who": "Master", "at": at(1)})
        await rig.enter("defect-changed", {"defect": "def-001", "told": f"CSO @ {at(2)}"})
        await rig.enter("defect-told", {"defect": "def-001", "who": "PFSO", "at": at(3)})
        assert await everybody(rig) == ["Master", "CSO", "PFSO"]
        for n in range(60):
            one = {"defect": "def-001", "who": f"{n:02d} {'X' * 50}", "at": at(4)}
            await rig.enter("defect-told", one)
        told = await everybody(rig)
        assert told[-1].startswith("59 X")
        assert len(told) > 30, "the newest, as many as there is room for"
    async with open_book(tmp_path, **SHIP) as rig:
        assert await everybody(rig) == told, "and after a restart"


async def everybody(rig) -> list[str]:
    (now,) = (await rig.ask("defects"))["defects"]
    return [each["who"] for each in now["told"]]


async def test_a_change_that_changes_nothing_is_refused(tmp_path):
    async with open_book(tmp_path, **SHIP) as rig:
        await written(rig, result())
        with pytest.raises(RefusedError, match="one of these is wanted: measure, means, told"):
            await rig.enter("defect-changed", {"defect": "def-001"})


@pytest.mark.parametrize(
    ("level", "test", "words", "first"),
    [
        (1, "t-cctv", "NO MEASURE INSTEAD, and security level 1 relies on it", True),
        (2, "t-uhf", "NO MEASURE INSTEAD: say what is done", False),
        (3, "t-uhf", "NO MEASURE INSTEAD, and security level 3 relies on it", True),
    ],
)
async def test_the_worklist_asks_for_the_measure(tmp_path, level, test, words, first):
    async with open_book(tmp_path, level=level, **SHIP) as rig:
        await written(rig, result(test))
        line = rig.items()["def-001"]
        assert words in line.what
        assert "nobody told" in line.what
        assert line.first is first
        assert line.defect_of == test
        told = "Master @ 2026-11-22T02:00Z"
        await rig.enter("defect-changed", {"defect": "def-001", "measure": "guard", "told": told})
        line = rig.items()["def-001"]
        assert "instead: guard" in line.what
        assert not line.first
        assert "nobody told" not in line.what


async def test_what_is_open_for_more_than_a_week_is_read_first(tmp_path):
    clock = Clock()
    async with open_book(tmp_path, clock=clock, **SHIP) as rig:
        early, late = "2026-11-01T00:00:00.000Z", "2026-11-22T02:00:00.000Z"
        await written(rig, result("t-uhf", at=late, name="A"), result(at=early, name="Z"))
        for number in ("def-001", "def-002"):
            await rig.enter("defect-changed", {"defect": number, "measure": "guard"})
        lines = [item for item in worst_first(rig.book.items()) if item.test.startswith("def-")]
        assert [item.test for item in lines] == ["def-002", "def-001"]
        assert "open for 21 days" in lines[0].what


def test_a_defect_stands_once_on_the_worklist():
    from daemon.testing.worklist import Item, ItemState

    def line(test, state, of=None):
        return Item(test, "cctv", test, state, None, None, defect_of=of)

    listed = [
        line("t-cctv", ItemState.DEFECT),
        line("def-001", ItemState.DEFECT, of="t-cctv"),
        line("t-uhf", ItemState.DEFECT),
        line("t-cctv", ItemState.DUE),
    ]
    kept = [(each.test, each.state) for each in worst_first(listed)]
    assert kept == [
        ("def-001", ItemState.DEFECT),
        ("t-uhf", ItemState.DEFECT),
        ("t-cctv", ItemState.DUE),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "default: is wanted"),
        ("default = ['none', 'none']", "default: .* is not three of none, reduced, lost"),
        ("default = ['none', 'none', 'gone']", "is not three of"),
        ("default = [", "file: "),
    ],
)
def test_a_file_of_effects_that_is_wrong_is_refused_with_its_place(tmp_path, text, reason):
    path = tmp_path / "defects.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=reason):
        defects.load(path)


def test_the_shipped_effects_name_kinds_of_checks_that_exist():
    from daemon.config import registry

    kinds = {spec.kind for spec in registry.checks().values()}
    assert BY_KIND.keys() - {"default"} <= kinds


WATCHED = replace(RELIED, shown=frozenset({"t-uhf", "t-cctv", "t-door", "cctv"}))


@pytest.mark.parametrize(
    ("level", "test", "lacks"),
    [
        (1, "t-cctv", True),
        (1, "t-uhf", False),
        (2, "t-uhf", False),
        (3, "t-uhf", True),
        (3, "t-ssas-e", False),
    ],
)
async def test_the_watch_is_told_only_of_what_the_level_relies_on_and_never_of_the_ssas(
    tmp_path, level, test, lacks
):
    async with open_book(tmp_path, relied=WATCHED, tests=TESTS, level=level) as rig:
        assert not rig.book.level_lacks_equipment()
        await written(rig, result(test))
        assert rig.book.defects()
        assert rig.book.level_lacks_equipment() is lacks
        await rig.enter("defect-changed", {"defect": "def-001", "measure": "guard"})
        assert not rig.book.level_lacks_equipment(), "a measure is what it asks for"


@pytest.mark.parametrize(("equipment", "lacks"), [("cctv", True), ("ssas", False), ("p1", False)])
async def test_of_what_a_person_entered_the_watch_is_told_only_where_it_knows_the_equipment(
    tmp_path, equipment, lacks
):
    async with open_book(tmp_path, relied=WATCHED, tests=TESTS) as rig:
        without = {name: words for name, words in DEFECT.items() if name != "measure"}
        await rig.enter("defect", {**without, "equipment": equipment})
        assert rig.book.level_lacks_equipment() is lacks


def test_the_caution_of_a_defect_is_off_until_the_ships_file_gives_it_letters():
    from daemon.alerts import alterations, catalogue

    kinds = catalogue.load(asset("alerts.toml"))
    shipped = kinds["equipment.defect"]
    assert (shipped.sea, shipped.anchor, shipped.port, shipped.threat) == ("---",) * 3 + ("-",)
    said = {"ssp": "7.2", "approved_by": "CSO", "sea": "-CC", "anchor": "-CC", "port": "-CC"}
    own = {"equipment.defect": alterations.Alteration.model_validate(said)}
    assert not list(alterations.faults(own, kinds))
    assert alterations.altered(kinds, own)["equipment.defect"].port == "-CC"


def test_what_a_covert_test_is_of_may_not_be_shown_though_an_open_one_is_of_it_too():
    from daemon.office.office import _shown

    def test(id_: str, equipment: str, classification: Classification) -> SimpleNamespace:
        named = SimpleNamespace(id=id_, equipment=equipment)
        return SimpleNamespace(config=named, classification=classification)

    tests = (
        test("t-uhf", "uhf", Classification.WATCH),
        test("t-ssas-e", "ssas", Classification.SSO),
        test("t-paint", "ssas", Classification.WATCH),
    )
    assert _shown(SimpleNamespace(tests=tests)) == {"t-uhf", "uhf"}
