"""What the SSO reads in the morning: at most twenty lines, the worst first, and nothing left out without a word."""

from __future__ import annotations

from daemon.review import overnight
from daemon.review.overnight import MOST_LINES


def entry(seq, type_, said, *, person=None, subject="x", at=None):
    return {
        "seq": seq,
        "at": at or f"2026-11-22T02:{seq % 60:02d}:00.000Z",
        "type": type_,
        "subject": subject,
        "open": said,
        "actor": {"person": person, "station": None, "proof": "none"},
    }


def alert(
    seq, name, title="ESC HATCH OPEN", priority="W", state="V", event="condition_true", **more
):
    said = {"title": title, "name": name, "priority": priority, "state": state, "event": event}
    return entry(
        seq,
        "alert.changed",
        {"instance": more.get("instance", seq), "acknowledged_by": more.get("by"), **said},
    )


def texts(entries):
    return [each["text"] for each in overnight.lines(entries)["lines"]]


def test_an_alert_is_one_line_with_how_often_by_whom_and_how_it_stands():
    tupou = {"station": "gangway", "person": "L. Tupou"}
    night = [
        alert(1, "D12"),
        alert(2, "D12", state="A", event="acknowledge", instance=1, by=tupou),
        alert(3, "D12", state="N", event="condition_false", instance=1, by=tupou),
        alert(4, "D12"),
    ]
    assert texts(night) == ["D12: ESC HATCH OPEN, 2 times, STANDS, ack. L. Tupou"]
    assert texts(night[:3]) == ["D12: ESC HATCH OPEN, over, ack. L. Tupou"]


def test_who_acknowledged_without_a_name_is_his_station():
    office = {"station": "office", "person": None}
    assert texts([alert(1, "D12", state="A", by=office)])[0].endswith("ack. office")


def test_the_worst_is_read_first():
    night = [
        entry(1, "permit.given", {"name": "BOSUN STORE"}),
        alert(2, "D17", priority="C"),
        entry(3, "clock.stepped", {"milliseconds": 3200}),
        alert(4, "D11", priority="A"),
        entry(5, "record.gap", {"lost": 12}),
        entry(6, "record.gap", {"lost": 3}),
        alert(7, "D12"),
        entry(
            8,
            "test.result",
            {"test": "t-cctv", "name": "POOP", "outcome": "failed", "reason": "dark"},
        ),
        entry(
            9, "test.result", {"test": "t-ais", "name": "AIS", "outcome": "passed", "reason": "ok"}
        ),
    ]
    assert texts(night) == [
        "D11: ESC HATCH OPEN, STANDS",
        "GAP: 15 entries could not be recorded",
        "D12: ESC HATCH OPEN, STANDS",
        "POOP, t-cctv: UNSAT, dark",
        "the clock was stepped by +3.2 s",
        "D17: ESC HATCH OPEN, STANDS",
        "permit to open: BOSUN STORE",
    ]


def test_doors_are_counts_and_no_list_of_movements():
    used = [{"door": "d04", "cycles": 120}, {"door": "d05", "cycles": 0}]
    days = [
        entry(
            n,
            "doors.counted",
            {"day": f"2026-11-2{n}", "doors": used},
            at=f"2026-11-2{n}T16:00:00Z",
        )
        for n in (1, 2)
    ]
    assert texts(days) == ["doors used 240 times: D04 240"]
    assert texts([entry(1, "doors.counted", {"day": "2026-11-21", "doors": []})]) == []


def test_a_day_that_was_counted_at_each_stop_is_counted_once():
    stops = [
        entry(
            n, "doors.counted", {"day": "2026-11-22", "doors": [{"door": "d04", "cycles": cycles}]}
        )
        for n, cycles in enumerate((1, 1, 3))
    ]
    assert texts(stops) == ["doors used 3 times: D04 3"]


def test_a_start_without_a_stop_before_it_is_said():
    stopped, started = (
        entry(1, "daemon.stopped", {}),
        entry(2, "daemon.started", {"software": "26.1"}),
    )
    assert texts([stopped, started]) == ["ispsd was started"]
    assert texts([started]) == ["ispsd was started, without an orderly stop before"]


def test_twenty_lines_at_most_and_the_others_are_counted():
    few = overnight.lines([alert(n, f"D{n}") for n in range(MOST_LINES)])
    assert (len(few["lines"]), few["more"]) == (MOST_LINES, 0)
    many = overnight.lines([alert(n, f"D{n}") for n in range(MOST_LINES + 5)])
    assert (len(many["lines"]), many["more"]) == (MOST_LINES - 1, 6)


def test_an_entry_of_another_version_breaks_no_morning():
    assert texts(
        [entry(1, "alert.changed", {}), entry(2, "clock.stepped", {}), alert(3, "D12")]
    ) == [
        "D12: ESC HATCH OPEN, STANDS",
        "2 entries of another version: read it in the record",
    ]
