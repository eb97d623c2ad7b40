"""An SSAS test starts only with the notice that the flag wants, and whoever is refused reads the rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from daemon.assets import asset
from daemon.checks.asking import Event
from daemon.checks.flags import (
    VERIFY,
    FlagProfile,
    Notice,
    To,
    addressee_fault,
    interval_fault,
    judge_notice,
    judge_notices,
    judge_occasion,
    load_flag,
    occasion_fault,
    trigger_fault,
    yearly_fault,
)
from tests.makers import UTC_0210

if TYPE_CHECKING:
    from datetime import datetime

SINGAPORE = load_flag("singapore")
RULE = (
    "Singapore: 4 h to 2 days' notice; TEST in the subject; set the wording back afterwards; "
    "rule as of 2024-10; verify with your RSO"
)
SHIPPED = sorted(path.stem for path in asset("flags").glob("*.toml"))


def notice(before: timedelta = timedelta(hours=24), **changed: object) -> Notice:
    said: dict[str, object] = {
        "flag": "singapore",
        "sent_utc": UTC_0210 - before,
        "to": "MPA",
        "reference": "mail of 0210",
        "entered_by": "R. Menon",
        "entered_utc": UTC_0210 - timedelta(minutes=5),
    }
    return Notice(**{**said, **changed})  # type: ignore[arg-type]


def test_every_flag_that_is_shipped_can_be_read_and_names_where_it_was_read():
    assert SHIPPED == [
        "denmark",
        "generic",
        "india",
        "liberia",
        "marshall-islands",
        "panama",
        "singapore",
        "st-vincent",
        "united-kingdom",
    ]
    for name in SHIPPED:
        profile = load_flag(name)
        assert profile.source
        assert profile.read_on.year >= 2026
        assert VERIFY in profile.quoted
        assert "TEST" in profile.message_says
        assert judge_notice(profile, notice(timedelta(hours=24)), UTC_0210) is None


@pytest.mark.parametrize("name", SHIPPED)
def test_no_flag_lets_a_test_start_that_nobody_was_told_of(name):
    reason = judge_notice(load_flag(name), None, UTC_0210)
    assert reason == f"no notice is entered ({load_flag(name).quoted})"


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("flag", "before", "reason"),
    [
        ("singapore", timedelta(hours=4), None),
        ("singapore", timedelta(hours=4) - MINUTE, "notice was sent 3 h 59 min before, too late"),
        ("singapore", timedelta(hours=48), None),
        ("singapore", timedelta(hours=48) + MINUTE, "sent 48 h 01 min before, too early"),
        ("st-vincent", timedelta(hours=24), None),
        ("st-vincent", timedelta(hours=24) + MINUTE, "too early"),
        ("panama", timedelta(hours=24), None),
        ("panama", timedelta(hours=24) - MINUTE, "too late"),
        ("panama", timedelta(days=20), None),
        ("india", timedelta(hours=3), None),
        ("india", timedelta(hours=3) - MINUTE, "too late"),
        ("liberia", timedelta(0), None),
    ],
)
def test_notice_is_in_time_to_the_minute(flag, before, reason):
    said = judge_notice(load_flag(flag), notice(before), UTC_0210)
    assert (said is None) if reason is None else (said is not None and reason in said)


def test_a_refusal_quotes_the_rule_and_its_age():
    assert judge_notice(SINGAPORE, notice(timedelta(hours=1)), UTC_0210) == (
        f"notice was sent 1 h 00 min before, too late ({RULE})"
    )
    assert load_flag("india").quoted.endswith(
        "rule as of an undated copy, second hand; verify with your RSO"
    )


@pytest.mark.parametrize(
    "late",
    [
        notice(-MINUTE),
        notice(entered_utc=UTC_0210 + timedelta(seconds=1)),
        notice(timedelta(days=1), entered_utc=UTC_0210 + timedelta(days=1)),
    ],
)
def test_notice_after_the_start_never_counts(late):
    for name in SHIPPED:
        said = judge_notice(load_flag(name), late, UTC_0210)
        assert said is not None
        assert said.startswith("a notice that is sent or entered after the start does not count")


@pytest.mark.parametrize("flag", ["panama", "st-vincent"])
def test_a_flag_that_must_agree_wants_its_agreement_named(flag):
    said = judge_notice(load_flag(flag), notice(reference=" "), UTC_0210)
    assert said is not None
    assert "names no agreement" in said
    assert judge_notice(SINGAPORE, notice(reference=""), UTC_0210) is None


@pytest.mark.parametrize("blank", [{"to": " "}, {"entered_by": ""}])
def test_a_notice_says_whom_it_went_to_and_who_says_so(blank):
    said = judge_notice(SINGAPORE, notice(**blank), UTC_0210)
    assert said is not None
    assert "does not say whom it went to" in said


def test_one_notice_that_holds_is_enough_whatever_else_was_sent():
    good, early, late = notice(), notice(timedelta(days=9)), notice(timedelta(hours=1))
    assert judge_notices("singapore", [early, good, late], UTC_0210) is None
    assert "sent 1 h 00 min before" in str(judge_notices("singapore", [late, early], UTC_0210))


def test_a_notice_to_another_flag_is_none_to_this():
    said = judge_notices("singapore", [notice(flag="panama")], UTC_0210)
    assert said is not None
    assert said.startswith("no notice is entered")


def moment(minutes: int) -> datetime:
    return UTC_0210 + timedelta(minutes=minutes)


@given(
    sent=st.integers(-99_999, 99_999).map(moment),
    entered=st.integers(-99_999, 99_999).map(moment),
    flag=st.sampled_from(SHIPPED),
)
def test_whatever_was_sent_when_nothing_after_the_start_ever_lets_it_start(sent, entered, flag):
    given_ = replace(notice(flag=flag), sent_utc=sent, entered_utc=entered)
    if judge_notices(flag, [given_], UTC_0210) is None:
        assert sent <= UTC_0210
        assert entered <= UTC_0210


def test_a_time_without_its_zone_is_no_time():
    with pytest.raises(ValueError, match="in UTC"):
        replace(notice(), sent_utc=UTC_0210.replace(tzinfo=None))
    with pytest.raises(ValueError, match="in UTC"):
        replace(notice(), entered_utc=UTC_0210.replace(tzinfo=None))


@pytest.mark.parametrize("name", ["SG 2024-10", "../ssas/sailor-6194", "", "atlantis", "x" * 41])
def test_a_flag_that_is_not_known_is_refused_with_those_that_are(name):
    with pytest.raises(ValueError, match=r"there are denmark, generic, india, .*singapore"):
        load_flag(name)


def test_hours_between_which_no_notice_fits_are_refused():
    said = {**SINGAPORE.model_dump(), "at_least_h": 48.0, "at_most_h": 4.0}
    with pytest.raises(ValidationError, match="no notice could be in time"):
        FlagProfile.model_validate(said)


FLAG, COMPANY = [To.ADMINISTRATION], [To.COMPANY]
LAST_YEAR = UTC_0210 - timedelta(days=360)
IN_MAY = UTC_0210 - timedelta(days=190)


def occasion(flag: str, named: str = "", *, to=FLAG, last=None) -> str | None:
    told = notice(timedelta(hours=24), flag=flag, occasion=named)
    return judge_occasion(flag, [told], UTC_0210, to=to, last_utc=last)


@pytest.mark.parametrize(
    ("flag", "named", "to", "last", "reason"),
    [
        ("st-vincent", "", FLAG, None, "names no occasion on which the flag takes a test"),
        ("st-vincent", "radio-survey", FLAG, None, None),
        ("st-vincent", "", COMPANY, None, None),
        ("liberia", "", FLAG, None, None),
        ("liberia", "", FLAG, LAST_YEAR, None),
        ("liberia", "", FLAG, IN_MAY, "a test was sent on 2026-05-16, less than a year ago"),
        ("liberia", "verification", FLAG, IN_MAY, None),
        ("liberia", "", COMPANY, IN_MAY, None),
        ("marshall-islands", "", FLAG, None, "a test is not addressed to the administration"),
        ("marshall-islands", "", [To.AUTHORITY, To.COMPANY], None, None),
        ("singapore", "", FLAG, IN_MAY, None),
    ],
)
def test_a_flag_takes_tests_only_on_its_occasions_and_by_its_addressees(
    flag, named, to, last, reason
):
    said = occasion(flag, named, to=to, last=last)
    if reason is None:
        assert said is None
    else:
        assert said is not None
        assert reason in said
        assert load_flag(flag).quoted in said


def test_an_occasion_that_the_flag_does_not_know_is_none():
    told = notice(timedelta(hours=5), flag="st-vincent", occasion="picnic")
    assert "'picnic' is no occasion of this flag" in str(
        judge_notice(load_flag("st-vincent"), told, UTC_0210)
    )


def test_an_interval_longer_than_the_flags_is_named_with_the_longest():
    assert interval_fault(load_flag("panama"), 365) is None
    assert "say limit_days = 365" in str(interval_fault(load_flag("panama"), 366))
    assert "say limit_days = 182" in str(interval_fault(load_flag("united-kingdom"), 365))
    assert "no limit is more" in str(interval_fault(load_flag("panama"), None))
    assert interval_fault(load_flag("liberia"), None) is None


def test_a_test_that_the_flag_wants_again_after_an_event_is_due_then():
    panama = load_flag("panama")
    assert trigger_fault(panama, (Event.SHIP, Event.REPAIR)) is None
    assert "say after = ['repair'] too" in str(trigger_fault(panama, (Event.SHIP,)))
    assert trigger_fault(SINGAPORE, ()) is None


def test_whom_a_message_may_not_be_addressed_to():
    assert addressee_fault(load_flag("marshall-islands"), FLAG) is not None
    assert addressee_fault(load_flag("panama"), FLAG) is None


def test_a_profile_without_a_date_is_refused_with_file_and_member(tmp_path, monkeypatch):
    text = (asset("flags") / "panama.toml").read_text("utf-8")
    (tmp_path / "flags").mkdir()
    (tmp_path / "flags" / "panama.toml").write_text(text.replace("read_on", "# read_on"), "utf-8")
    monkeypatch.setenv("ISPSD_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"config/flags/panama\.toml: read_on: Field required"):
        load_flag("panama")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"only_on_occasion": True}, "which are they"),
        ({"occasions": {"a": "b"}, "yearly_occasion": "mrcc"}, "is none of occasions"),
    ],
)
def test_occasions_that_do_not_fit_each_other_are_refused(changed, reason):
    with pytest.raises(ValidationError, match=reason):
        FlagProfile.model_validate({**SINGAPORE.model_dump(), **changed})


@pytest.mark.parametrize(
    ("planned_h", "holds"), [(0, True), (2, True), (-2, True), (3, False), (-3, False), (24, False)]
)
def test_a_notice_is_for_the_time_that_it_announces(planned_h, holds):
    told = notice(planned_utc=UTC_0210 + timedelta(hours=planned_h))
    said = judge_notice(SINGAPORE, told, UTC_0210)
    if holds:
        assert said is None
    else:
        assert said is not None
        assert said.startswith("the notice is for 2026-11-2")
        assert "and covers 2 h 00 min before and after" in said


def test_one_notice_of_several_that_is_for_now_is_enough():
    today, tomorrow = (notice(planned_utc=UTC_0210 + timedelta(hours=h)) for h in (1, 24))
    assert judge_notices("singapore", [today, tomorrow], UTC_0210) is None
    assert judge_notices("singapore", [tomorrow], UTC_0210) is not None


def test_the_united_kingdoms_yearly_test_is_with_the_mrcc():
    kingdom = load_flag("united-kingdom")
    half_yearly, with_the_mrcc = ("", 182), ("mrcc", 365)
    assert yearly_fault(kingdom, [half_yearly, with_the_mrcc]) is None
    assert 'occasion = "mrcc" and limit_days = 365' in str(yearly_fault(kingdom, [half_yearly]))
    assert yearly_fault(kingdom, [half_yearly, ("mrcc", 400)]) is not None
    assert yearly_fault(kingdom, [half_yearly, ("mrcc", None)]) is not None
    assert "that of each 6 months" in str(yearly_fault(kingdom, [with_the_mrcc]))
    assert yearly_fault(SINGAPORE, [("", None)]) is None
    assert interval_fault(kingdom, 365, occasion="mrcc") is None
    assert interval_fault(kingdom, 366, occasion="mrcc") is not None
    assert occasion_fault(kingdom, "mrcc") is None
    assert "'picnic' is no occasion" in str(occasion_fault(kingdom, "picnic"))


def test_a_test_of_an_occasion_starts_only_with_a_notice_that_names_it():
    def judged(*occasions: str) -> str | None:
        told = [notice(flag="united-kingdom", occasion=each) for each in occasions]
        return judge_occasion(
            "united-kingdom", told, UTC_0210, to=[To.AUTHORITY], last_utc=None, occasion="mrcc"
        )

    assert judged("", "mrcc") is None
    for occasions in ((), ("",)):
        assert "no notice names the occasion mrcc: the yearly test with the MRCC" in str(
            judged(*occasions)
        )
