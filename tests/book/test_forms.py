"""The forms are data, held against the rules of the record; what the demo writes is what they make."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from daemon.assets import asset
from daemon.book import forms
from daemon.book.values import Is
from daemon.checks.api import Effect
from daemon.demo import papers, routine
from daemon.errors import ConfigError, RefusedError
from daemon.model import Classification
from daemon.record import fold
from tests.book.desk import DEFECT, DRILL, FORMS

UNTIL = datetime(2026, 11, 22, 10, 10, tzinfo=timezone(timedelta(hours=8)))
NOTE = """
[note]
says = "a note"
kind = ".14"
type = "note.made"
class = "watch"
subject = "{topic}"
done = ["at"]
[note.field]
topic = { is = "text", says = "about what", most = 5 }
at = { is = "moment", says = "when" }
later = { is = "moment", says = "until when", optional = true, after = "at", future = true }
count = { is = "number", says = "how many", least = 1, most = 3 }
of_all = { is = "number", says = "of how many", within = "count" }
side = { is = "choice", says = "which", of = ["port", "starboard"] }
secret = { is = "text", says = "for the SSO", optional = true, class = "sso" }
"""


def loaded(tmp_path, text: str) -> forms.Forms:
    path = tmp_path / "book.toml"
    path.write_text(text, "utf-8")
    return forms.load(path)


def test_every_kind_that_people_write_has_a_form():
    kinds = {form.kind for form in FORMS.forms.values()}
    assert kinds == {f".{number}" for number in range(1, 15)}


def test_whatever_names_equipment_or_a_weakness_is_only_for_the_sso():
    """An SSAS that was repaired, a camera that is blind: neither may reach a watch page (invariants 1 and 14)."""
    shown = {name for name, f in FORMS.forms.items() if f.classification is Classification.WATCH}
    assert shown == {
        "training",
        "drill",
        "exercise",
        "level-communication",
        "port-call",
        "arrival",
        "departure",
        "ship-to-ship",
    }
    for name, field in (
        ("arrival", "gangway_attended"),
        ("arrival", "doors_and_seals_closed"),
        ("departure", "doors_closed"),
        ("departure", "seals_intact"),
        ("departure", "lights_in_order"),
        ("departure", "found"),
    ):
        assert FORMS.named(name).field(field).private
    for name in ("drill", "exercise", "training"):
        assert FORMS.named(name).field("lessons").private
    for name, field in (("port-call", "special_measures"), ("ship-to-ship", "procedures")):
        assert FORMS.named(name).field(field).private


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = ".14"', 'kind = "system"', "note.kind: 'system' is none of .1 to .14"),
        ('kind = ".14"', 'kind = ".15"', "note.kind: '.15' is none of .1 to .14"),
        ('kind = ".14"', 'kind = [".14"]', "note.kind"),
        ('type = "note.made"', 'type = "Note"', "note.type: 'Note' is no type"),
        ('class = "watch"\n', 'class = "all"\n', "note.class: 'all' is neither watch nor sso"),
        ('class = "watch"\n', 'class = "sso"\n', "note.field.secret.class: only sso"),
        ('says = "a note"', "", "note.says: wants a text"),
        ('says = "a note"', 'says = "a note"\ncolour = 1', "note.colour: is not known"),
        ('subject = "{topic}"', 'subject = "{secret}"', "note.subject: secret is no text"),
        ('subject = "{topic}"', 'subject = "{count}"', "note.subject: count is no text"),
        ('subject = "{topic}"', 'subject = "no way"', "note.subject: is a word"),
        ('done = ["at"]', 'done = ["topic"]', "note.done: 'topic' is no moment"),
        ('done = ["at"]', 'done = ["none"]', "note.done: 'none' is no moment"),
        ('done = ["at"]', 'done = ["at"]\nabout = "count"', "note.about: 'count' is no text"),
        ("topic = { is", "late = { is", "note.field.late: is no name for a field"),
        ("topic = { is", "Topic = { is", "note.field.Topic: is no name for a field"),
        ('is = "text", says = "about what"', 'is = "word", says = "x"', "wants is = one of text"),
        ("most = 5", 'most = "5"', "note.field.topic.most: '5' is no int"),
        ("most = 5", "most = true", "note.field.topic.most: True is no int"),
        ("most = 5", "mots = 5", "note.field.topic.mots: is not known"),
        ("least = 1, most = 3", "least = 4, most = 3", "note.field.count: least is more than most"),
        ('after = "at"', 'after = "topic"', "note.field.later.after: 'topic' is no moment"),
        ('within = "count"', 'within = "at"', "note.field.of_all.within: 'at' is no number"),
        ('of = ["port", "starboard"]', "of = []", "note.field.side.of: a choice"),
        ('of = ["port", "starboard"]', "of = [1]", "note.field.side.of: a choice"),
        ("most = 5", 'most = 5, of = ["x"]', "note.field.topic.of: a choice"),
        ('says = "about what", ', "", "note.field.topic.says: wants a text"),
        ("[note.field]", "[note.filed]", "note.field: wants at least one field"),
        ("[note]", "[note", "file: "),
    ],
)
def test_every_fault_of_the_file_is_named_with_its_place(tmp_path, old, new, said):
    assert NOTE.replace(old, new, 1) != NOTE
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, NOTE.replace(old, new, 1))
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["note = 3", "[Note]\n", "[[note]]\n"])
def test_what_is_no_form_is_named(tmp_path, text):
    with pytest.raises(ConfigError, match=r"(?i)note: is no form"):
        loaded(tmp_path, text)


def test_two_forms_cannot_make_the_same_type(tmp_path):
    twice = NOTE + NOTE.replace("[note", "[memo")
    with pytest.raises(ConfigError, match=r"memo\.type: note\.made is that of note already"):
        loaded(tmp_path, twice)


WHOLE = {
    "topic": "locks",
    "at": "2026-11-22T02:10Z",
    "count": "3",
    "of_all": "3",
    "side": "port",
}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"topic": ""}, "topic is wanted: about what"),
        ({"topic": "locked"}, "topic is a text of at most 5 characters"),
        ({"topic": "a\x1bb"}, "topic is a text of at most 5 characters, all of them printable"),
        ({"count": "0"}, "count is a whole number from 1 to 3: '0'"),
        ({"count": "4"}, "count is a whole number from 1 to 3: '4'"),
        ({"count": "1.5"}, "count is a whole number"),
        ({"count": "9" * 5000}, "count is a whole number"),
        ({"count": "2"}, r"of_all \(3\) is more than count \(2\)"),
        ({"at": "yesterday"}, "at is a moment with its zone, 2026-11-22T02:10Z: 'yesterday'"),
        ({"at": "2026-11-22T02:10"}, "at is a moment with its zone"),
        ({"at": "2026-11-22T02:10:01Z"}, "at: 2026-11-22T02:10Z lies ahead"),
        ({"at": "0001-01-01T00:00+14:00"}, "out of every calendar"),
        ({"at": "2004-06-30T23:59Z"}, "is before 01 Jul 2004"),
        ({"later": "2026-11-22T02:09Z"}, r"later \(.*\) is before at"),
        ({"side": "aft"}, "side is one of port, starboard: 'aft'"),
        ({"colour": "red"}, "note has no field 'colour'; it has topic, at, later"),
    ],
)
def test_what_is_typed_wrong_is_refused_by_the_name_of_the_field(tmp_path, typed, said):
    form = loaded(tmp_path, NOTE).named("note")
    with pytest.raises(RefusedError, match=said):
        form.filled({**WHOLE, **typed}, now_utc=UNTIL)


def test_what_stands_on_the_limit_is_taken_and_what_was_left_away_is_null(tmp_path):
    form = loaded(tmp_path, NOTE).named("note")
    found = form.filled({**WHOLE, "later": "2030-01-01T00:00Z"}, now_utc=UNTIL)
    assert form.split(found) == (
        {
            "topic": "locks",
            "at": "2026-11-22T02:10:00.000Z",
            "later": "2030-01-01T00:00:00.000Z",
            "count": 3,
            "of_all": 3,
            "side": "port",
        },
        {"secret": None},
    )
    assert form.subject_of(found) == "locks"


def test_persons_told_are_read_one_by_one():
    defect = FORMS.named("defect")
    told = "Master A. Lindqvist @ 2026-11-22T01:00Z; CSO @ 2026-11-22T02:10Z"
    found = defect.filled({**DEFECT, "told": told}, now_utc=UNTIL)
    assert found["told"] == [
        {"who": "Master A. Lindqvist", "at": "2026-11-22T01:00:00.000Z"},
        {"who": "CSO", "at": "2026-11-22T02:10:00.000Z"},
    ]
    for wrong in ("Master", "@ 2026-11-22T01:00Z", "CSO @ 2026-11-22T02:11Z", "x @ y"):
        with pytest.raises(RefusedError, match="told"):
            defect.filled({**DEFECT, "told": wrong}, now_utc=UNTIL)
    with pytest.raises(RefusedError, match="at most 20 persons"):
        defect.filled({**DEFECT, "told": "; ".join([told] * 11)}, now_utc=UNTIL)


def as_typed(is_: Is, value: object) -> str:
    """Return what a person would type for a value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_ is Is.TOLD:
        return "; ".join(f"{each['who']} @ {each['at']}" for each in value)
    return str(value)


LEFT_AWAY = {
    *("names", "holder", "endorsed", "window_from", "window_until"),
    *("told", "item", "means", "spare", "repair", "repair_by", "repair_at"),
    *(f"effect_{level}" for level in (1, 2, 3)),
}
"""What the demo's ship says nothing of."""


def demo_events():
    yield from (papers.drill(each, UNTIL) for each in routine.DRILLS)
    yield from (papers.call(each, UNTIL) for each in routine.CALLS)
    yield from (papers.certificate(each, UNTIL - timedelta(days=400)) for each in routine.PAPERS)
    for each in routine.DEFECTS:
        yield from papers.defect(each, UNTIL - timedelta(days=20), UNTIL)


@pytest.mark.parametrize(
    "event",
    list(demo_events()),
    ids=lambda event: f"{event.draft.type}-{event.draft.subject}-{event.at:%y%m%d}",
)
def test_what_the_demo_wrote_by_itself_is_what_a_person_would_have_written(event):
    draft = event.draft
    form = FORMS.of_type(draft.type)
    shown = {name: value for name, value in draft.open.items() if name not in papers.MARK}
    private = dict(draft.parts.get(Classification.SSO, {}))
    typed = {
        name: as_typed(form.field(name).is_, value) for name, value in {**shown, **private}.items()
    }
    found = form.filled(typed, now_utc=UNTIL)
    missing = {name for name in found if name not in typed}
    assert all(found[name] is None for name in missing)
    assert missing <= LEFT_AWAY
    made_shown, made_private = form.split(found)
    assert {k: v for k, v in made_shown.items() if k not in missing} == shown
    assert made_private == private
    assert (form.kind, form.classification) == (draft.kind, draft.classification)
    assert form.subject_of(found) == draft.subject


def test_the_forms_that_the_demo_imitates_are_all_met():
    assert {event.draft.type for event in demo_events()} == {
        "drill.held",
        "exercise.held",
        "port.call",
        "certificate.entered",
        "defect.opened",
        "defect.closed",
    }


def test_a_form_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(RefusedError, match="there is no form 'dril'; there are training, drill,"):
        FORMS.named("dril")
    assert FORMS.of_type("alert.changed") is None


def test_the_shipped_file_is_what_is_loaded():
    assert forms.load(asset("book.toml")).forms == FORMS.forms
    assert FORMS.named("drill").filled(DRILL, now_utc=UNTIL)["crew"] == 22


def test_a_list_that_stands_in_several_forms_is_the_same_in_each():
    lists: dict[str, set[tuple[str, ...]]] = {}
    for form in FORMS.forms.values():
        for name, field in form.fields.items():
            if field.is_ is Is.CHOICE:
                lists.setdefault(name.removeprefix("second_"), set()).add(field.of)
    assert {name: len(each) for name, each in lists.items()} == dict.fromkeys(lists, 1)
    for level in (1, 2, 3):
        assert lists[f"effect_{level}"] == {tuple(each.value for each in Effect)}


def test_what_is_said_of_an_open_defect_stands_with_it():
    said = FORMS.named("defect-changed").fields.keys() - {"defect", "remark"}
    assert said == {*fold.DEFECT_FIELDS} - {"again"}
    assert said <= FORMS.named("defect").fields.keys()
