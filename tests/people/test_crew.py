"""The crew list is read whole or not at all, and says when a drill is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.errors import RefusedError
from daemon.model import Person, Role
from daemon.people import crew
from daemon.people.crew import Gone, Member

HEAD = "name,rank,roles,joined,left\n"
NOW = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)


def test_a_list_is_read_as_offices_write_it():
    text = (
        "\ufeffName, Rank, Roles, Joined, Left\r\n"
        '"Cruz, R. dela",Bosun,,2026-11-01,\r\n'
        "\r\n"
        "N. Berg,2/O,officer; deputy_sso,2026-11-20,\r\n"
        "J. Santos,2/O,OFFICER,2026-05-02,2026-11-20\r\n"
    )
    bosun, berg, santos = crew.read_csv(text)
    assert bosun.person == Person("Cruz, R. dela", "Bosun", frozenset())
    assert berg.person.roles == {Role.OFFICER, Role.DEPUTY_SSO}
    assert (berg.joined, berg.left) == (date(2026, 11, 20), None)
    assert (santos.line, santos.left) == (5, date(2026, 11, 20))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1: the columns are name,rank,roles,joined,left"),
        ("name,rank,roles,joined\n", "line 1: the columns are"),
        (HEAD, "line 2: nobody is in it"),
        (HEAD + "A,B,,2026-11-01\n", "line 2: 4 columns, not 5"),
        (HEAD + ",B,,2026-11-01,\n", "line 2: the name has 1 to 60 printable characters"),
        (HEAD + "x" * 61 + ",B,,2026-11-01,\n", "line 2: the name has 1 to 60"),
        (HEAD + "A," + "x" * 21 + ",,2026-11-01,\n", "line 2: the rank has 1 to 20"),
        (HEAD + "A\x07,B,,2026-11-01,\n", "line 2: the name has 1 to 60 printable"),
        (HEAD + "A,B,captain,2026-11-01,\n", "line 2: 'captain' is no role; there are officer"),
        (HEAD + "A,B,,01/11/2026,\n", "line 2: joined: '01/11/2026' is no day; want 2026-11-22"),
        (HEAD + "A,B,,,\n", "line 2: joined: '' is no day"),
        (HEAD + "A,B,,2026-11-02,2026-11-01\n", "line 2: left before joined"),
        (HEAD + "A,B,,2026-11-01,\nA,C,,2026-11-01,\n", "line 3: A stands in line 2 too"),
        (HEAD + 'A,"B,,2026-11-01,\n', "line 2: unexpected end of data"),
        ("x" * 40_001, "a crew list has at most 40000 characters"),
        (HEAD + "".join(f"A{n},B,,2026-11-01,\n" for n in range(301)), "at most 300 rows"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text, reason):
    with pytest.raises(RefusedError) as refused:
        crew.read_csv(text)
    assert reason in str(refused.value)


def test_every_fault_is_named_but_not_without_end():
    text = HEAD + "A,B,,x,\n" * 30
    with pytest.raises(RefusedError) as refused:
        crew.read_csv(text)
    said = str(refused.value)
    assert said.startswith("nothing is imported: line 2: joined: 'x' is no day")
    assert said.endswith("and 10 more")


@given(st.text(max_size=400))
def test_whatever_is_in_the_file_is_read_or_refused(text):
    for whole in (text, HEAD + text):
        try:
            crew.read_csv(whole)
        except RefusedError:
            continue


def test_a_member_comes_back_from_its_entry():
    member = Member(Person("N. Berg", "2/O", frozenset({Role.OFFICER})), date(2026, 11, 20), NOW)
    assert crew.member(member.body()) == member
    first = Member(Person("D. Kovac", "ETO", frozenset()))
    assert crew.member(first.body()) == first


# --- drills ---


def people(old: int, *joined: date, drilled: datetime | None = None) -> list[Member]:
    first = [Member(Person(f"old {n}", "", frozenset())) for n in range(old)]
    new = [
        Member(Person(f"new {n}", "", frozenset()), day, drilled) for n, day in enumerate(joined)
    ]
    return first + new


WEEK_AGO = date(2026, 11, 15)


@pytest.mark.parametrize(
    ("old", "new", "due"), [(15, 5, False), (14, 5, True), (3, 1, False), (2, 1, True)]
)
def test_more_than_a_quarter_of_the_crew_makes_a_drill_due_within_a_week(old, new, due):
    change = crew.change(people(old, *[WEEK_AGO] * new), NOW)
    assert (change.crew, change.new) == (old + new, new)
    assert change.drill_by == (datetime(2026, 11, 22, tzinfo=UTC) if due else None)


def test_the_week_begins_with_who_made_it_more_than_a_quarter():
    days = [date(2026, 11, 1), date(2026, 11, 20), date(2026, 11, 10)]
    assert crew.change(people(6, *days), NOW).drill_by == datetime(2026, 11, 27, tzinfo=UTC)


def test_the_week_begins_when_old_hands_left_where_that_made_it_more_than_a_quarter():
    joined = date(2026, 9, 20)
    crew_now = people(14, *[joined] * 5)
    gone = [
        Gone(Member(Person(f"gone {n}", "", frozenset()), date(2026, 1, 1)), date(2026, 11, 20))
        for n in range(3)
    ]
    assert crew.change([*crew_now, *(each.member for each in gone)], NOW).drill_by is None
    by = datetime(2026, 11, 27, tzinfo=UTC)
    assert crew.change(crew_now, NOW, gone) == crew.Change(19, 5, by)


def test_a_week_that_has_begun_is_put_off_by_nobody_who_leaves():
    crew_now = people(14, *[date(2026, 11, 10)] * 5)
    new = Gone(Member(Person("gone", "", frozenset()), date(2026, 11, 10)), left=date(2026, 11, 20))
    assert crew.change(crew_now, NOW, [new]).drill_by == datetime(2026, 11, 17, tzinfo=UTC)


def test_a_week_begins_anew_after_days_with_no_more_than_a_quarter():
    crew_now = people(13, *[date(2026, 10, 1)] * 5)
    came, drilled = date(2026, 10, 20), datetime(2026, 10, 25, tzinfo=UTC)
    others = [
        Gone(Member(Person(f"gone {n}", "", frozenset()), came, drilled), date(2026, 11, 20))
        for n in range(2)
    ]
    change = crew.change(crew_now, NOW, others)
    assert change.drill_by == datetime(2026, 11, 27, tzinfo=UTC)


def test_who_came_back_counts_from_the_day_on_which_the_drill_was_three_months_ago():
    drilled = datetime(2026, 8, 10, 8, tzinfo=UTC)
    change = crew.change(people(2, date(2026, 10, 1), drilled=drilled), NOW)
    assert change.drill_by == datetime(2026, 11, 18, tzinfo=UTC)


def test_of_who_left_under_an_older_ispsd_nobody_knows_when_he_joined():
    left = {"name": "N. Berg", "rank": "2/O", "left": "2026-11-20", "drilled": None}
    assert crew.gone(left) is None
    member = Member(Person("N. Berg", "2/O", frozenset()), date(2026, 5, 2))
    assert crew.gone({**left, "joined": "2026-05-02"}) == Gone(member, date(2026, 11, 20))


def test_a_drill_that_they_took_part_in_ends_it_and_one_before_they_joined_does_not():
    joined = people(1, WEEK_AGO)
    for held, due in ((NOW - timedelta(days=8), True), (NOW - timedelta(days=1), False)):
        change = crew.change(crew.drilled(joined, held), NOW)
        assert (change.drill_by is not None) is due
    assert crew.change(crew.drilled(joined, None), NOW).new == 1


@pytest.mark.parametrize(("joined", "new"), [(14, 0), (15, 1)])
def test_who_joined_on_the_day_of_the_drill_may_have_come_after_it(joined, new):
    held = datetime(2026, 11, 15, 23, 59, tzinfo=UTC)
    members = crew.drilled(people(1, date(2026, 11, joined)), held)
    assert crew.change(members, NOW).new == new


@pytest.mark.parametrize(
    ("drilled", "new"),
    [(datetime(2026, 8, 22, 2, 9, tzinfo=UTC), 1), (datetime(2026, 8, 22, 2, 10, tzinfo=UTC), 0)],
)
def test_who_comes_back_within_three_months_of_a_drill_here_is_not_new(drilled, new):
    assert crew.change(people(1, WEEK_AGO, drilled=drilled), NOW).new == new


@pytest.mark.parametrize(("joined", "new"), [(date(2026, 8, 21), 0), (date(2026, 8, 22), 1)])
def test_a_change_is_one_of_the_last_three_months(joined, new):
    assert crew.change(people(1, joined), NOW).new == new


def test_three_months_before_the_last_day_of_a_month_is_the_last_day_there_is():
    may = datetime(2027, 5, 31, tzinfo=UTC)
    assert crew.change(people(1, date(2027, 2, 28)), may).new == 1
    assert crew.change(people(1, date(2027, 2, 27)), may).new == 0


def test_of_a_drill_with_names_only_the_named_count_as_drilled():
    held = NOW - timedelta(days=10)
    members = people(2, (NOW - timedelta(days=40)).date(), (NOW - timedelta(days=41)).date())
    named = crew.held({"ended": held.isoformat(), "names": ["new 0"]})
    assert named.names == {"new 0"}
    assert crew.change(crew.drilled(members, named.held, named.names), NOW).new == 1
    everybody = crew.held({"ended": held.isoformat()})
    assert crew.change(crew.drilled(members, everybody.held, everybody.names), NOW).new == 0
