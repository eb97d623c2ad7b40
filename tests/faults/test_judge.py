"""The judge of faults is shown what never may be, and says so: each promise can fail, and only for its own reason."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.capture import Capture, Heard, Look, Resources, Round, Truth
from tests.faults.judge import MORE_KIB, judge
from tests.faults.registry import faults
from tests.faults.report import Result, page

if TYPE_CHECKING:
    from collections.abc import Callable

DOOR = "door.escape.open.d12"
SESSION = "5e5510"


def entry(seq: int, bseq: int, type_: str, **said: Any) -> bytes:
    body = {"seq": seq, "bseq": bseq, "type": type_, "at": "2026", "open": said}
    return json.dumps(body | {"actor": {"station": "gangway"}}).encode()


def heard(at_s: float, name: str, **body: Any) -> Heard:
    said = {**body, "session": SESSION, "up": body.get("up", at_s)}
    return Heard(at_s, name, json.dumps(said).encode())


def event(at_s: float, seq: int, bseq: int, body: bytes) -> Heard:
    payload = b'{"bseq":%d,"seq":%d,"entry":%b,"session":"%b","up":%.1f}'
    return Heard(at_s, "event", payload % (bseq, seq, body, SESSION.encode(), at_s))


def point(
    at_s: float, value: str | None, *, up: float | None = None, valid_for: float = 3.0
) -> Heard:
    quality = "good" if value else "unknown"
    up = at_s if up is None else up
    return heard(at_s, "point/d12", value=value, quality=quality, valid_for=valid_for, up=up)


def alert(at_s: float, state: str, recorded: int | None) -> Heard:
    return heard(at_s, f"alert/{DOOR}", id=DOOR, state=state, recorded=recorded)


@pytest.fixture
def quiet() -> Capture:
    """A fault from 20 to 30 that a ship stood as promised."""
    entries = {
        1: entry(1, 1, "alert.changed", id=DOOR, instance=1, state="V"),
        2: entry(2, 2, "alert.changed", id=DOOR, instance=1, state="A"),
        3: entry(3, 3, "alert.changed", id=DOOR, instance=1, state="N"),
    }
    came = [
        heard(10.0, "status", state="ready"),
        heard(10.0, "snapshot", count=3),
        *(heard(10.0 + 4 * n, "heartbeat") for n in range(7)),
        *(point(10.0 + n, "closed") for n in range(11)),
        *(point(21.0 + n, "open") for n in range(4)),
        *(point(25.0 + n, "closed") for n in range(10)),
        alert(22.0, "V", 1),
        heard(23.0, "reply/gangway", id="a", verb="ack", accepted=True, recorded=2),
        alert(23.0, "A", 2),
        alert(26.0, "N", 3),
        *(event(22.0 + seq, seq, seq, entries[seq]) for seq in entries),
    ]
    done = Round(DOOR, "page", 21.0, "during", 22.0, 22.5, 23.0, accepted=True, recorded=2)
    done.quiet_s, done.shut_s, done.gone_s = 23.0, 25.0, 26.0
    return Capture(
        begins_s=20.0,
        ends_s=30.0,
        normal_s=32.0,
        heard=sorted(came, key=lambda each: each.at_s),
        truth=[
            Truth("d12", "closed", 9.0, 9.1),
            Truth("d12", "open", 21.0, 21.1),
            Truth("d12", "closed", 25.0, 25.1),
        ],
        rounds=[done],
        looks=[Look(25.0, (DOOR, "record.not_saved.ispsd"))],
        before=Resources(7, 34, 9, 90_000),
        after=Resources(7, 35, 9, 91_000),
        entries=entries,
        verdict=(0, "PASS"),
    )


def broken(capture: Capture, *expects: str) -> list[str]:
    """Return the promises that were not kept."""
    return [
        each.promise for each in judge(capture, expects=expects, promised_s=10.0) if not each.holds
    ]


def test_a_ship_that_kept_everything_is_found_to_have(quiet: Capture) -> None:
    assert broken(quiet, "record.not_saved") == []


def lose_an_entry(it: Capture) -> None:
    del it.entries[2]


def alter_an_entry(it: Capture) -> None:
    it.entries[1] = it.entries[1].replace(b"2026", b"2027")


def confirm_at_the_socket_what_is_not_there(it: Capture) -> None:
    it.confirmed.append((99, "acknowledgement"))


def confirm_at_the_socket_what_is_something_else(it: Capture) -> None:
    it.confirmed.append((2, "permit"))


def say_another_alert_is_recorded(it: Capture) -> None:
    it.heard.append(alert(34.0, "A", 3))


def answer_another_station(it: Capture) -> None:
    it.entries[2] = it.entries[2].replace(b"gangway", b"office")
    it.heard = [h for h in it.heard if not (h.name == "event" and h.body["seq"] == 2)]
    it.heard.append(event(33.0, 2, 2, it.entries[2]))


def confirm_nothing(it: Capture) -> None:
    it.heard = [h for h in it.heard if not h.name.startswith(("event", "reply", "alert"))]
    it.entries = {}


def fail_verification(it: Capture) -> None:
    it.verdict = (1, "FAIL: segment-0001.db: entry 2")


def prove_nothing(it: Capture) -> None:
    it.verdict = (2, "INCONCLUSIVE: no anchor")


def swallow_an_event(it: Capture) -> None:
    it.heard = [h for h in it.heard if not (h.name == "event" and h.body["seq"] == 2)]


def turn_events_round(it: Capture) -> None:
    came = [h for h in it.heard if h.name == "event"]
    it.heard = [h for h in it.heard if h.name != "event"] + came[::-1]


def tell_no_alert(it: Capture) -> None:
    it.rounds[0].told_s = None


def tell_it_late(it: Capture) -> None:
    it.rounds[0].told_s = 27.0


def refuse_the_acknowledgement(it: Capture) -> None:
    it.rounds[0].accepted = False


def wait_for_the_disk_with_the_answer(it: Capture) -> None:
    it.rounds[0].answered_s = 29.0


def leave_the_alert(it: Capture) -> None:
    it.rounds[0].gone_s = None


def move_no_door(it: Capture) -> None:
    it.rounds[0].when = "after"


def acknowledge_before_it_opened(it: Capture) -> None:
    first, second = (json.loads(it.entries[seq])["open"]["state"] for seq in (1, 2))
    it.entries[1] = entry(1, 1, "alert.changed", id=DOOR, instance=1, state=second)
    it.entries[2] = entry(2, 2, "alert.changed", id=DOOR, instance=1, state=first)
    it.heard = [h for h in it.heard if not h.name.startswith(("event", "alert"))]
    it.heard += [event(33.0, seq, seq, it.entries[seq]) for seq in (1, 2, 3)]


def never_end_in_the_record(it: Capture) -> None:
    del it.entries[3]
    it.heard = [h for h in it.heard if not (h.name == "event" and h.body["seq"] == 3)]
    it.heard = [h for h in it.heard if not (h.name.startswith("alert") and h.body["state"] == "N")]


def end_without_an_acknowledgement(it: Capture) -> None:
    it.entries[2] = entry(2, 2, "alert.changed", id=DOOR, instance=1, state="N")


def leave_out_a_number(it: Capture) -> None:
    it.entries[3] = it.entries[3].replace(b'"bseq": 3', b'"bseq": 4')
    it.heard = [h for h in it.heard if not (h.name == "event" and h.body["seq"] == 3)]
    it.heard.append(event(33.0, 3, 4, it.entries[3]))


def say_closed_of_an_open_door(it: Capture) -> None:
    it.heard.append(point(24.0, "closed"))
    it.heard.sort(key=lambda each: each.at_s)


def say_now_what_was_long_ago(it: Capture) -> None:
    """The unit is dead from 25 on, and its doors are told again with a new time."""
    it.truth[-1] = Truth("d12", None, 25.0, 25.1)


def be_from_the_future(it: Capture) -> None:
    it.heard.append(point(34.0, "closed", up=44.0))


def keep_green_what_nobody_sees(it: Capture) -> None:
    """The unit dies at 11, and the last value of its door has no end."""
    it.truth[1:] = [Truth("d12", None, 11.0, 11.1)]
    it.heard = [h for h in it.heard if h.name != "point/d12"] + [
        point(10.5, "closed", valid_for=99.0)
    ]
    it.heard.sort(key=lambda each: each.at_s)


def be_ready_without_a_unit(it: Capture) -> None:
    it.heard.append(
        heard(24.0, "alert/io.unit_lost.io1", id="io.unit_lost.io1", state="V", recorded=None)
    )
    it.heard.sort(key=lambda each: each.at_s)


def beat_of_yesterday(it: Capture) -> None:
    it.heard.append(heard(34.0, "heartbeat", up=24.5))


def beat_though_dead(it: Capture) -> None:
    it.dead.append((19.0, 29.0))


def have_no_heart(it: Capture) -> None:
    it.heard = [h for h in it.heard if h.name != "heartbeat"]


def never_be_normal(it: Capture) -> None:
    it.normal_s, it.left = None, "alert/path.fault.ispsd 'stands', was None"


def be_normal_late(it: Capture) -> None:
    it.normal_s = 41.0


def leak_descriptors(it: Capture) -> None:
    it.after = Resources(7, 46, 9, 91_000)


def leak_memory(it: Capture) -> None:
    it.after = Resources(7, 35, 9, 90_000 + MORE_KIB + 1)


def leak_threads(it: Capture) -> None:
    it.after = Resources(7, 35, 13, 91_000)


def die_by_itself(it: Capture) -> None:
    it.after = Resources(8, 35, 9, 91_000)


LOST, VERIFIES, EVENTS = (
    "nothing that was confirmed is lost (4)",
    "the record verifies",
    "all events arrive, in order",
)
ACTS, ORDER = (
    "alerts come and acknowledgements work (5)",
    "the record has the alerts in their order",
)
OLDER, GREEN = "nothing is shown older than it says (13)", "nothing is green while blind (3, 13)"
ALIVE, NORMAL = "no false liveness (7)", "back to normal by itself"
HOLDS = "memory and descriptors as before"


@pytest.mark.parametrize(
    ("tamper", "promise"),
    [
        (lose_an_entry, LOST),
        (alter_an_entry, LOST),
        (confirm_at_the_socket_what_is_not_there, LOST),
        (confirm_at_the_socket_what_is_something_else, LOST),
        (say_another_alert_is_recorded, LOST),
        (answer_another_station, LOST),
        (confirm_nothing, LOST),
        (fail_verification, VERIFIES),
        (prove_nothing, VERIFIES),
        (swallow_an_event, EVENTS),
        (turn_events_round, EVENTS),
        (leave_out_a_number, EVENTS),
        (tell_no_alert, ACTS),
        (tell_it_late, ACTS),
        (refuse_the_acknowledgement, ACTS),
        (wait_for_the_disk_with_the_answer, ACTS),
        (leave_the_alert, ACTS),
        (move_no_door, ACTS),
        (acknowledge_before_it_opened, ORDER),
        (never_end_in_the_record, ORDER),
        (end_without_an_acknowledgement, ORDER),
        (say_closed_of_an_open_door, OLDER),
        (say_now_what_was_long_ago, OLDER),
        (be_from_the_future, OLDER),
        (keep_green_what_nobody_sees, GREEN),
        (be_ready_without_a_unit, GREEN),
        (have_no_heart, GREEN),
        (beat_of_yesterday, ALIVE),
        (beat_though_dead, ALIVE),
        (have_no_heart, ALIVE),
        (never_be_normal, NORMAL),
        (be_normal_late, NORMAL),
        (leak_descriptors, HOLDS),
        (leak_memory, HOLDS),
        (leak_threads, HOLDS),
        (die_by_itself, HOLDS),
    ],
)
def test_what_never_may_be_is_found(
    quiet: Capture, tamper: Callable[[Capture], None], promise: str
) -> None:
    tampered = copy.deepcopy(quiet)
    tamper(tampered)
    assert promise in broken(tampered)


def test_an_alert_that_is_due_and_does_not_come_is_found(quiet: Capture) -> None:
    assert broken(quiet, "path.fault") == ["the ship says what is wrong"]


def test_a_process_that_was_killed_is_compared_with_nothing(quiet: Capture) -> None:
    killed = replace(quiet, after=Resources(8, 99, 99, 999_999), dead=[(15.0, 15.5)])
    assert HOLDS not in broken(killed)


def test_the_report_names_what_was_not_kept(quiet: Capture) -> None:
    fault = faults()[0]
    for tamper, words in ((None, "nothing (7 confirmations"), (lose_an_entry, "## Not kept")):
        if tamper is not None:
            tamper(quiet)
        found = judge(quiet, promised_s=10.0)
        text = page(
            [Result(fault, 10.0, quiet, found)],
            [("Partition", "no root")],
            day="2026-11-30",
            minutes=1,
        )
        assert words in text
        assert f"| **{fault.title}**, 10 s" in text
        assert "**Partition** | not run: no root" in text


def test_every_fault_has_a_name_of_its_own_and_says_how_it_is_made() -> None:
    names = [each.name for each in faults()]
    assert len(set(names)) == len(names)
    assert all(each.how and each.title and each.short_s < each.full_s for each in faults())


def test_an_event_that_the_page_asked_for_again_may_come_late_but_has_to_come(
    quiet: Capture,
) -> None:
    late = next(h for h in quiet.named("event") if h.body["seq"] == 2)
    quiet.heard.remove(late)
    quiet.asked_again.add(2)
    assert EVENTS in broken(quiet)
    quiet.heard.append(replace(late, at_s=33.0))
    assert broken(quiet) == []
    quiet.asked_again.clear()
    assert EVENTS in broken(quiet)
