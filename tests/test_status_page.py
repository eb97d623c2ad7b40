"""The status page shows nothing older than it says, keeps SSAS off it, and cannot be written to by a device."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.console.page import WIDTH, Style, age, nothing, page, text

OPENING = {
    "id": "d12",
    "name": "STRG GEAR ESC",
    "kind": "door",
    "state": "closed",
    "quality": "good",
    "age_s": 2.0,
    "valid_for_s": 15.0,
    "permit": None,
}
DEVICE = {
    "id": "io1",
    "link": "up",
    "age_s": 200.0,
    "last_good_age_s": 0.1,
    "good": 12,
    "dropped": 3,
    "noticed": {},
    "reason": None,
}
ALERT = {
    "id": "door.escape.open.d12",
    "priority": "W",
    "state": "V",
    "age_s": 12.0,
    "title": "ESC HATCH OPEN",
    "name": "STRG GEAR ESC",
    "action": "Send two to check. Shut, do not lock. Inform SSO.",
    "detail": "",
}
STATION = {
    "id": "gangway",
    "person": "L. Tupou",
    "watch_age_s": 61.0,
    "live": True,
    "sound_armed": True,
    "alive_age_s": 3.0,
    "sounds": True,
}
TEST = {
    "id": "t-ais",
    "name": "AIS",
    "readiness": "in order",
    "outcome": "passed",
    "due": "2026-11-22T16:00:00.000Z",
}
RECORD = {
    "newest": 1042,
    "sealed": 1040,
    "origin": "demo/9999993/1",
    "head": "3f2a90c1000000000000",
    "pending": 0,
    "pending_age_s": None,
    "writable": True,
    "lost": 0,
    "reason": None,
}


def status(**changed: Any) -> dict[str, Any]:
    return {
        "up": 1000.0,
        "utc": "2026-11-22T02:10:00.000Z",
        "clock": "synced",
        "ship_time_offset_min": 480,
        "ship": "KESTREL STRAIT",
        "imo_number": 9999993,
        "simulated": False,
        "situation": "port",
        "security_level": 1,
        "threat": False,
        "broker": True,
        "sso": False,
        "stations": [STATION],
        "alerts": [ALERT],
        "openings": [OPENING],
        "devices": [DEVICE],
        "tests": [TEST],
        "record": RECORD,
        **changed,
    }


def shown(body: dict[str, Any], *, since_s: float = 0.0, fault: str | None = None) -> str:
    return text(page(body, since_s=since_s, fault=fault), colour=False)


def row(word: str, said: str) -> str:
    return next(line for line in said.splitlines() if word in line)


def test_everything_stands_on_the_page_in_words():
    said = shown(status())
    assert said.splitlines()[0] == "KESTREL STRAIT · port · security level 1"
    assert "1010 ship's time (UTC+8) · 2026-11-22 02:10:00Z · clock synced" in said
    assert row("gangway", said).split() == [
        *("*gangway", "L.", "Tupou,", "for", "1", "min", "live", "sound", "armed"),
    ]
    assert row("WARNING", said).split() == [
        *("WARNING", "not", "acknowledged", "12", "s", "ESC", "HATCH", "OPEN"),
        *("STRG", "GEAR", "ESC"),
    ]
    assert "Send two to check. Shut, do not lock. Inform SSO." in said
    assert row("d12", said).split() == [
        *("d12", "STRG", "GEAR", "ESC", "closed", "seen", "2", "s", "ago"),
    ]
    assert "last good 0 s ago" in row("io1", said)
    assert "dropped 3" in row("io1", said)
    assert row("t-ais", said).endswith("IN ORDER             due 23 Nov 2026 0000")
    assert "newest no. 1042 · head over 1040 entries 3f2a90c1" in said
    assert "SIMULATED" not in said
    assert "DOES NOT ANSWER" not in said


@pytest.mark.parametrize(
    ("since_s", "words"), [(0.0, "closed"), (4.0, "closed"), (4.9, "closed"), (5.1, "? was closed")]
)
def test_an_answer_older_than_five_seconds_shows_nothing_as_true_now(since_s, words):
    said = shown(status(), since_s=since_s)
    assert words in row("d12", said)
    assert ("?" in row("d12", said)) == ("DOES NOT ANSWER" in said) == words.startswith("?")


@pytest.mark.parametrize(("age_s", "words"), [(14.9, " closed "), (15.1, "? was closed")])
def test_a_value_past_its_validity_is_shown_as_what_it_was(age_s, words):
    assert words in row("d12", shown(status(openings=[{**OPENING, "age_s": age_s}])))


def test_the_readers_own_clock_carries_every_age_on():
    said = shown(status(), since_s=4.0)
    assert "16 s" in row("WARNING", said)
    assert "seen 6 s ago" in row("d12", said)
    assert "last good 4 s ago" in row("io1", said)
    assert "02:10:04Z" in said
    limit = status(openings=[{**OPENING, "age_s": 12.0}])
    assert "? was closed" in row("d12", shown(limit, since_s=4.0)), "12 s and 4 s are past 15 s"


def test_a_fault_makes_the_whole_page_old_at_once():
    lines = page(status(), since_s=1.0, fault="connection refused")
    assert lines[0].text == "ISPSD DOES NOT ANSWER (connection refused)"
    assert lines[1].text == "What follows is 1 s old. Use rounds. Call ETO."
    assert {line.style for line in lines[2:]} == {Style.DIM}
    old = text(lines[2:], colour=False)
    for words in ("was live", "was up", "was closed", "was IN ORDER", "was connected"):
        assert f"? {words}" in old
    assert nothing("no socket")[0].text == "ISPSD DOES NOT ANSWER (no socket)"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"state": "open"}, "OPEN"),
        ({"state": "line_fault"}, "LINE FAULT"),
        ({"state": None, "quality": "stale", "age_s": 70.0}, "? NOT SEEN           for 1 min"),
        ({"state": None, "quality": "unknown", "age_s": None}, "? NOT SEEN           never seen"),
        ({"kind": "seal"}, "intact"),
        ({"kind": "seal", "state": "open"}, "BROKEN"),
        ({"kind": "motion"}, "quiet"),
        ({"kind": "lock", "state": "open"}, "NOT LOCKED"),
        ({"kind": "tamper", "state": "line_fault"}, "LINE FAULT"),
        ({"quality": "suspect"}, "closed (suspect)"),
        ({"valid_for_s": None}, "? was closed"),
    ],
)
def test_unknown_is_not_closed_and_each_kind_has_its_own_words(changed, words):
    assert words in row("d12", shown(status(openings=[{**OPENING, **changed}])))


def test_only_closed_good_and_fresh_is_plain():
    def style(**changed: Any) -> Style:
        lines = page(status(openings=[{**OPENING, **changed}]), since_s=0.0)
        return next(line.style for line in lines if "d12" in line.text)

    assert style() is Style.PLAIN
    assert style(state="open") is Style.WARNING
    assert style(state=None) is Style.WARNING
    assert style(quality="suspect") is Style.WARNING
    assert style(age_s=16.0) is Style.DIM


def test_what_is_wrong_with_station_device_record_and_broker_is_said():
    said = shown(
        status(
            broker=False,
            simulated=True,
            threat=True,
            stations=[{**STATION, "live": False, "person": None, "sound_armed": False}],
            devices=[{**DEVICE, "link": "down", "reason": "tcp 192.168.60.11:502: timed out"}],
            record={
                **RECORD,
                "writable": False,
                "reason": "disk full",
                "pending": 2,
                "pending_age_s": 90.0,
                "lost": 1,
            },
        )
    )
    assert "THREAT AREA" in said
    assert "SIMULATED DATA" in said
    assert "broker NOT CONNECTED" in said
    assert "NOT LIVE, 3 s ago" in row("gangway", said)
    assert "sound NOT armed" in row("gangway", said)
    assert "DOWN" in row("io1", said)
    assert "tcp 192.168.60.11:502: timed out" in said
    assert "NOT SAVED: disk full" in said
    assert "2 NOT YET RECORDED, oldest for 1 min" in said
    assert "1 LOST" in said


@pytest.mark.parametrize(
    ("position", "words"),
    [
        ({"suspect": False, "indications": []}, None),
        (
            {"suspect": False, "indications": ["GPS1 has HDOP 4.5"]},
            "position: GPS1 has HDOP 4.5 (one witness alone: no alert)",
        ),
        (
            {"suspect": True, "indications": ["GPS1 jumped 812 m", "AIS alert 009"]},
            "POSITION SUSPECT: GPS1 jumped 812 m; AIS alert 009",
        ),
        ({"suspect": True, "indications": []}, "POSITION SUSPECT: not quiet for ten minutes yet"),
        (
            {"suspect": False, "indications": [], "interference_area": "NAVAREA IX 412"},
            "in a known interference area: NAVAREA IX 412",
        ),
    ],
)
def test_what_speaks_against_the_position_stands_at_the_top(position, words):
    said = shown(status(position=position)).splitlines()
    if words is None:
        assert not any("osition" in line.lower() for line in said)
    else:
        assert words in said[:4]


def test_a_test_that_is_due_says_so():
    never = {**TEST, "due": None, "readiness": "test due", "outcome": None}
    failed = {**TEST, "due": None, "readiness": "defect", "outcome": "failed"}
    past = {**TEST, "due": "2026-11-22T02:10:00.000Z", "readiness": "overdue"}
    assert "TEST DUE             due now, never done" in shown(status(tests=[never]))
    assert "OVERDUE              due now" in shown(status(tests=[past]))
    assert row("DEFECT", shown(status(tests=[failed]))).endswith("due now")


def test_what_a_devices_link_noticed_is_said_where_somebody_should_look_at_it():
    noticed = {"duplicate_sfi": 123456789, "client_replaced": 2, "TXT": 30}
    text = shown(status(devices=[{**DEVICE, "noticed": noticed}]))
    assert "two addresses send with one system function id: 123456789 times" in text
    assert "several connect to its port by turns: 2 times" in text
    assert "TXT" not in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_every_line_fits_eighty_columns_and_no_device_writes_to_the_terminal():
    hostile = "\x1b[2J\r\n\t" + "Ω" * 300
    said = shown(
        status(
            ship=hostile,
            alerts=[{**ALERT, "title": hostile, "name": hostile, "action": hostile}],
            devices=[{**DEVICE, "id": hostile, "reason": hostile}],
            openings=[{**OPENING, "name": hostile}],
            tests=[{**TEST, "name": hostile}],
            stations=[{**STATION, "person": hostile}],
        ),
        fault=hostile,
    )
    assert max(map(len, said.split("\n"))) <= WIDTH
    assert all(letter.isprintable() for letter in said.replace("\n", ""))


def test_without_colour_there_is_no_escape_sequence_and_no_word_is_lost():
    body = status(devices=[{**DEVICE, "link": "down"}], simulated=True)
    plain = text(page(body, since_s=0.0), colour=False)
    coloured = text(page(body, since_s=0.0), colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1;33m" in coloured
    assert "32" not in {style.value for style in Style}, "nothing is ever green"
    for style in Style:
        coloured = coloured.replace(f"\x1b[{style.value}m", "")
    assert coloured.replace("\x1b[0m", "") == plain


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.9, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (90000, "1 d")],
)
def test_an_age_is_never_rounded_up(seconds, words):
    assert age(seconds) == words


def test_an_age_that_is_not_known_is_never():
    assert age(None) == "never"


def test_in_brief_what_is_as_it_should_be_is_counted_and_the_rest_named():
    body = status(
        openings=[
            OPENING,
            {**OPENING, "id": "d13"},
            {**OPENING, "id": "d14", "state": "open"},
            {**OPENING, "id": "d15", "age_s": 16.0},
        ],
        devices=[DEVICE, {**DEVICE, "id": "io2", "link": "down", "reason": "timed out"}],
        tests=[TEST, {**TEST, "id": "t-cctv", "readiness": "defect"}],
    )
    said = text(page(body, since_s=0.0, brief=True), colour=False)
    assert "d12" not in said
    assert "2 more closed or at rest" in said
    assert "OPEN" in row("d14", said)
    assert "? was closed" in row("d15", said)
    assert "1 more up" in said
    assert "timed out" in said
    assert "DEFECT" in row("t-cctv", said)
    assert "1 more in order" in said
    old = text(page(body, since_s=9.0, brief=True), colour=False)
    assert " more " not in old, "nothing of an old answer counts as it should be now"


def test_a_caution_is_active_and_never_acknowledged():
    caution = {**ALERT, "priority": "C", "state": "A", "title": "DOOR HELD OPEN"}
    said = row("CAUTION", shown(status(alerts=[caution])))
    assert "active" in said
    assert "acknowledged" not in said


@pytest.mark.parametrize(("since_s", "words"), [(0.0, "for 10 min more"), (601.0, "ENDED")])
def test_a_permit_stands_under_its_door_and_runs_down(since_s, words):
    permit = {"person": "R. dela Cruz", "work": "paint", "left_s": 600.0}
    said = shown(status(openings=[{**OPENING, "permit": permit}]), since_s=since_s)
    assert f"permit to open: R. dela Cruz, paint, {words}" in said


def test_the_reason_of_an_outage_is_shown_whole():
    reason = (
        "nothing good heard for 10 s; hears AIS sentences (AIVDM, AIVDO), expected GNSS: "
        "cables swapped?"
    )
    lines = page(status(devices=[{**DEVICE, "link": "down", "reason": reason}]), since_s=0.0)
    shown = " ".join(line.text.strip() for line in lines)
    assert reason in shown
    assert max(len(line.text) for line in lines) <= WIDTH


def test_an_alert_names_the_doors_that_its_action_line_calls_listed():
    check = {
        **ALERT,
        "title": "LOOP CHECK ON",
        "action": "Doors listed are not guarded: patrol.",
        "detail": "not guarded: BRIDGE WING P, CO2 ROOM",
    }
    assert "not guarded: BRIDGE WING P, CO2 ROOM" in shown(status(alerts=[check]))


def test_an_alert_says_where_it_sounds_and_one_that_is_quiet_does_not():
    assert "sounds at gangway, office" in shown(
        status(alerts=[{**ALERT, "sounds_at": ["gangway", "office"]}])
    )
    assert "sounds at" not in shown(status(alerts=[{**ALERT, "sounds_at": []}]))


def test_a_page_that_is_not_armed_says_what_a_person_can_do():
    page_ = {**STATION, "sound_armed": False, "lacks": ["touch", "heard"]}
    assert "its page wants a touch and a heard-test" in shown(status(stations=[page_]))
