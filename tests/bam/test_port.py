"""What goes out and when, and what is made of what comes in; the time is said, the line is counted."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from daemon.bam import port as port_
from daemon.bam.outbox import MOST_REFUSALS
from daemon.bam.port import MOST_COMMANDS_AT_ONCE, TOO_MANY
from daemon.drivers.alert_layouts import alc_of, alf_of, entries_of
from daemon.drivers.sentences import parse
from daemon.model import AlertState, Classification, Priority
from simulators.panel_sentences import checksum, written
from tests.bam.rig import Line, alert


def of(sentences: list[str], formatter: str) -> list[str]:
    return [text for text in sentences if text[3:6] == formatter]


def states(sentences: list[str]) -> list[tuple[int, str]]:
    """Return instance and state of each ALF that has a state."""
    read = [alf_of(parse(text.encode()))[0] for text in of(sentences, "ALF")]
    return [(int(alf.instance), alf.state) for alf in read if alf.part == "1"]


def listed(sentences: list[str]) -> list[tuple[int, int]]:
    """Return instance and revision of each entry of the lists."""
    found = []
    for text in of(sentences, "ALC"):
        _, rest = alc_of(parse(text.encode()))
        found += [(int(e.instance), int(e.revision)) for e in entries_of(rest)]
    return found


def test_a_start_sends_heartbeat_list_and_every_alert_that_stands():
    line = Line(alert(1, "A"), alert(2))
    sent = line.run(5.0)
    assert [text[3:6] for text in sent[:2]] == ["HBT", "ALC"]
    assert listed(sent) == [(1, 1), (2, 1)]
    assert states(sent) == [(1, "A"), (2, "V")]


def test_without_alerts_the_list_says_so():
    assert of(Line().run(1.0), "ALC") == ["$U0ALC,01,01,00,0*1B"]


def test_heartbeat_and_list_come_every_thirty_seconds_and_count_on():
    line = Line()
    line.run(299.0)
    beats = [(at, text) for at, text in line.sent if text[3:6] == "HBT"]
    assert [round(at) for at, _ in beats] == [30 * n for n in range(10)]
    assert [parse(text.encode()).fields for _, text in beats] == [
        ["30.0", "A", str(n)] for n in range(10)
    ]
    lists = [parse(text.encode()).fields[2] for _, text in line.sent if text[3:6] == "ALC"]
    assert lists == [f"{n:02d}" for n in range(10)]


def test_the_heartbeat_says_not_normal_while_the_watch_does_not_go_on():
    line = Line()
    line.run(1.0)
    line.port._progress = lambda: 1
    (hung,) = of(line.run(31.0), "HBT")
    assert parse(hung.encode()).fields[1] == "V"
    line.port._progress = lambda: 2
    (goes_on,) = of(line.run(61.0), "HBT")
    assert parse(goes_on.encode()).fields[1] == "A"


@pytest.mark.parametrize(("looks", "said"), [(2, "A"), (1, "V")])
def test_a_line_that_opens_again_at_once_is_not_told_that_the_watch_hangs_before_it_had_time(
    looks, said
):
    line = Line()
    line.port._progress = lambda: 1
    assert [parse(t.encode()).fields[1] for t in of(line.run(0.5), "HBT")] == ["A"]
    line.port.opened(0.6)
    assert of(line.run(1.5), "HBT") == []
    line.port._progress = lambda: looks
    assert [parse(t.encode()).fields[1] for t in of(line.run(3.0), "HBT")] == [said]


@pytest.mark.parametrize("letter", ["A", "O"])
def test_who_acknowledges_or_takes_a_warning_does_not_so_with_the_alarm_that_it_has_just_become(
    letter,
):
    acknowledges = written("CA", "ACN", "", "XXX", "10011", "1", letter, "C").strip()
    line = Line(alert())
    line.run(5.0)
    line.become(1, "V", priority=Priority.ALARM)
    assert line.hear(acknowledges) is None
    told = [alf_of(parse(text.encode()))[0] for text in of(line.run(6.0), "ALF")]
    assert {(t.priority, t.state) for t in told if t.part == "1"} == {("A", "V")}
    assert line.hear(acknowledges) is not None
    line.become(1, "V", priority=Priority.WARNING)
    assert line.hear(acknowledges) is not None, "it is no more than he has read"


def test_a_change_goes_out_at_once_and_the_description_once_only():
    line = Line()
    line.run(10.0)
    line.change(alert(detail="open"))
    assert [text.rpartition("*")[0] for text in line.run(11.0)] == [
        "$U0ALF,2,1,0,101530.00,B,W,V,XXX,10011,1,1,0,INTRUSION DECK C",
        "$U0ALF,2,2,0,,,,,XXX,10011,1,1,0,STRG GEAR ESC: open",
    ]
    line.become(1, "A")
    (acknowledged,) = line.run(12.0)
    assert acknowledged.startswith("$U0ALF,1,1,1,101530.00,B,W,A,XXX,10011,1,2,0,")
    line.become(1, "N")
    (normal,) = line.run(13.0)
    assert ",N,XXX,10011,1,3," in normal
    assert listed(line.run(31.0)) == []


def test_behind_the_curtain_what_the_panel_shows_is_over_and_it_hears_of_nothing_new():
    line = Line(alert(1), alert(2, "A"))
    line.run(5.0)
    line.port._is_hidden = lambda: True
    for each in (alert(1), alert(2, "A")):
        line.port.changed(each)
    line.change(alert(3))
    assert states(line.run(10.0)) == [(1, "N"), (2, "N")]
    hidden = line.run(40.0)
    assert (states(hidden), listed(hidden)) == ([], [])
    assert len(of(hidden, "HBT")) == 1
    assert line.hear(written("CA", "ACN", "", "XXX", "10011", "1", "A", "C").strip()) is None
    line.port._is_hidden = lambda: False
    for each in (alert(1), alert(2, "A"), alert(3)):
        line.port.changed(each)
    assert sorted(states(line.run(50.0))) == [(1, "V"), (2, "A"), (3, "V")]


def test_an_alert_that_came_and_went_before_it_was_told_is_not_told():
    line = Line()
    line.run(10.0)
    line.change(alert())
    line.become(1, "U")
    line.become(1, "N")
    assert line.run(11.0) == []


def test_a_request_is_answered_with_title_and_description():
    line = Line(alert(1), alert(2))
    line.run(10.0)
    assert line.hear(written("CA", "ACN", "", "XXX", "10011", "2", "Q", "C").strip()) is None
    answered = line.run(11.0)
    assert states(answered) == [(2, "V")]
    assert len(answered) == 2
    line.hear(written("CA", "ACN", "", "", "0", "0", "Q", "C").strip())
    assert len(line.run(15.0)) == 4


def test_row_5_a_refusal_repeats_the_command_and_goes_before_all_else():
    line = Line(*(alert(n) for n in range(1, 50)))
    line.run(3.0)
    line.hear(b"$CAACN,101545.00,XXX,10012,1,A,C*3D")
    assert line.run(4.0)[0] == "$U0ARC,101530.00,XXX,10012,1,A*2B"


def test_an_acknowledgement_is_asked_for_and_what_is_acknowledged_already_is_told_again():
    line = Line(alert(1), alert(2, "A"))
    line.run(10.0)
    asked = line.hear(b"$CAACN,101545.00,XXX,10011,1,A,C*3E")
    assert asked is not None
    assert [a.instance for a in asked.do.alerts] == [1]
    assert line.run(11.0) == []
    assert line.hear(written("CA", "ACN", "", "XXX", "10011", "2", "A", "C").strip()) is None
    assert states(line.run(12.0)) == [(2, "A")]


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        (b"$CAACN,101545.00,XXX,10011,1,A,C*3F", "checksum"),
        (b"$CAACN,101545.00,XXX,10011,1,A*51", "malformed"),
        (b"\x00\xff garbage", "garbage"),
        (b"$" + b"9" * 200, "overlong"),
        (b"$GPGLL,0115.84,N,10350.40,E,021000,A,A*4E", "unsupported"),
        (b"$CAACK,002*55", "unsupported"),
        (b"$CAACN,,XXX,10011,1,A,R*05", "report"),
    ],
)
def test_what_is_no_command_is_counted_by_its_reason_and_answered_by_nothing(heard, reason):
    line = Line(alert())
    line.run(10.0)
    assert line.hear(heard) is None
    assert line.port.dropped == {reason: 1}
    assert line.run(12.0) == []


NETWORK = {
    "port": None,
    "group": "239.192.0.17",
    "interface": "172.16.0.5",
    "panel_address": "172.16.0.9",
}


def tagged(block: bytes, sentence: bytes = b"$CAACN,101545.00,XXX,10011,1,A,C*3E") -> bytes:
    return b"\\%b*%02X\\%b" % (block, checksum(block), sentence)


@pytest.mark.parametrize(
    ("block", "is_for_us"),
    [
        (b"s:CA0001,n:1", True),
        (b"s:CA0001,d:U00001,n:1", True),
        (b"s:CA0001,d:RA0001,n:1", False),
        (b"s:U00001,n:1", False),
    ],
)
def test_on_a_network_what_is_addressed_to_others_or_is_our_own_is_left_alone(block, is_for_us):
    line = Line(alert(), **NETWORK)
    line.run(5.0)
    assert (line.hear(tagged(block)) is not None) is is_for_us
    assert line.port.dropped == ({} if is_for_us else {"addressed_elsewhere": 1})


def test_on_a_network_a_command_for_another_maker_s_alert_gets_no_answer_of_ours():
    line = Line(alert(), **NETWORK)
    line.run(5.0)
    line.hear(
        tagged(b"s:CA0001,n:1", written("CA", "ACN", "", "YYY", "3122", "1", "A", "C").strip())
    )
    assert line.run(6.0) == []
    assert line.port.dropped == {"of others": 1}


def test_a_flood_of_commands_is_bounded_and_counted():
    line = Line(alert())
    line.run(10.0)
    asked = [line.hear(b"$CAACN,101545.00,XXX,10011,1,A,C*3E") for _ in range(1000)]
    assert sum(each is not None for each in asked) == MOST_COMMANDS_AT_ONCE
    assert line.port.dropped[TOO_MANY] == 1000 - MOST_COMMANDS_AT_ONCE
    line.run(11.0)
    again = [line.hear(b"$CAACN,101545.00,XXX,10011,1,A,C*3E") for _ in range(1000)]
    assert sum(each is not None for each in again) == 10


def test_a_flood_of_wrong_commands_leaves_a_bounded_number_of_refusals():
    line = Line()
    for _ in range(1000):
        line.hear(b"$CAACN,101545.00,XXX,10012,1,A,C*3D")
        line.now_s += 0.1
    assert len(of(line.run(line.now_s + 29.0), "ARC")) <= MOST_REFUSALS


def test_nothing_of_class_sso_goes_out_and_a_command_for_it_finds_nothing():
    hidden = replace(alert(7, number=10070), show=Classification.SSO)
    line = Line(alert(1), hidden)
    line.change(hidden)
    sent = line.run(100.0)
    assert "10070" not in "".join(sent)
    assert line.hear(written("CA", "ACN", "", "XXX", "10070", "7", "A", "C").strip()) is None
    (refused,) = of(line.run(101.0), "ARC")
    assert "10070" in refused  # what the panel itself said
    line.hear(written("CA", "ACN", "", "", "0", "0", "Q", "C").strip())
    assert {instance for instance, _ in states(line.run(110.0))} == {1}


def test_the_test_before_fails_where_the_class_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(port_, "may_be_seen", lambda _: True)
    line = Line(alert(7, number=10070, show=Classification.SSO))
    assert "10070" in "".join(line.run(10.0))


def test_an_alert_that_no_sentence_can_tell_keeps_no_other_from_being_told():
    line = Line(alert(1_000_000), alert(2))
    sent = line.run(5.0)
    assert states(sent) == [(2, "V")]
    assert listed(sent) == [(2, 1)]
    assert line.port.dropped == {"unsayable": 1}


def test_the_panel_is_lost_after_two_and_a_half_of_its_own_intervals():
    line = Line()
    assert not line.port.panel.is_lost(149.9)
    assert line.port.panel.is_lost(150.0)  # never heard at all
    line.now_s = 200.0
    line.hear(written("CA", "HBT", "20.0", "A", "3").strip())
    assert not line.port.panel.is_lost(249.9)
    assert line.port.panel.is_lost(250.0)
    line.hear(
        written("CA", "HBT", "", "A", "4").strip()
    )  # an answer to a query: the interval stays
    assert line.port.panel.missed_from_s == 250.0


def test_a_panel_that_is_not_in_order_by_its_own_word_is_lost():
    line = Line()
    line.hear(written("CA", "HBT", "30.0", "V", "3").strip())
    assert line.port.panel.is_lost(0.1)
    line.hear(written("CA", "HBT", "30.0", "A", "4").strip())
    assert not line.port.panel.is_lost(0.1)


def test_a_panel_that_announces_hours_is_missed_all_the_same():
    line = Line()
    line.hear(written("CA", "HBT", "999.0", "A", "3").strip())
    assert line.port.panel.is_lost(150.0)


def test_a_panel_without_heartbeat_is_never_missed():
    assert not Line(heartbeat_expected=False).port.panel.is_lost(1e6)


def test_a_storm_of_200_alerts_never_overruns_4800_baud_and_ends_in_the_final_state():
    line = Line()
    line.run(5.0)
    chance = random.Random(6)
    for n in range(1, 201):
        line.change(alert(n, priority=chance.choice("WA")))
    for _ in range(40):  # for forty seconds they go on changing
        standing = sorted(a.instance for a in line.alerts.values())
        for n in chance.sample(standing, 10):
            state = next(a.state.value for a in line.alerts.values() if a.instance == n)
            line.become(n, {"V": "S", "S": "A", "A": "N"}[state])
        line.run(line.now_s + 1.0)
    line.run(line.now_s + 120.0)
    shown = dict(states([text for _, text in line.sent]))
    assert line.alerts
    assert {n for n, state in shown.items() if state != "N"} == {
        a.instance for a in line.alerts.values()
    }
    assert all(shown[a.instance] == a.state.value for a in line.alerts.values())
    assert_within_the_line(line, 4800)


def assert_within_the_line(line: Line, baud: int) -> None:
    """Each sentence, or pair, begins when the line has carried the one before."""
    free_s = 0.0
    for at_s, text in line.sent:
        if ",2,2," not in text[:14]:
            assert at_s >= free_s - 1e-6
        free_s = max(free_s, at_s) + (len(text) + 2) * 10 / baud


def test_in_a_storm_the_loudest_goes_first_and_the_list_is_not_held_up():
    line = Line(*(alert(n, priority="C", state="A") for n in range(1, 201)))
    line.run(3.0)
    line.change(alert(999, priority="A"))
    sent = line.run(4.0)
    assert states(sent)[0][0] == 999
    line.run(29.0)
    in_half_a_minute = [text for _, text in line.sent]
    assert {instance for instance, _ in listed(in_half_a_minute)} >= set(range(1, 201))


class Panel(RuleBasedStateMachine):
    """Whatever happens in whatever order, who believes what is sent ends with what stands."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line()
        self.instances = 0
        self.shown: dict[int, tuple[str, int]] = {}
        self.read = 0

    @rule(priority=st.sampled_from("AWC"))
    def raised(self, priority):
        self.instances += 1
        state = "A" if priority == "C" else "V"
        self.line.change(alert(self.instances, state, priority=priority))

    @rule(pick=st.integers(0, 50), state=st.sampled_from("VSAOUN"))
    def moved(self, pick, state):
        if self.line.alerts:
            chosen = list(self.line.alerts.values())[pick % len(self.line.alerts)]
            self.line.become(chosen.instance, state, priority=Priority.WARNING)

    @rule(seconds=st.floats(0.0, 40.0))
    def time_passes(self, seconds):
        self.line.run(self.line.now_s + seconds)

    @rule()
    def line_is_opened_again(self):
        self.line.port.opened(self.line.now_s)
        self.shown = {}

    @rule()
    def panel_asks_for_all(self):
        self.line.hear(written("CA", "ACN", "", "", "0", "0", "Q", "C").strip())

    def believe(self) -> None:
        for _, text in self.line.sent[self.read :]:
            if text[3:6] != "ALF":
                continue
            alf, _ = alf_of(parse(text.encode()))
            if alf.part == "1":
                self.shown[int(alf.instance)] = alf.state, int(alf.revision)
        self.read = len(self.line.sent)
        self.shown = {n: said for n, said in self.shown.items() if said[0] != "N"}

    @invariant()
    def nothing_is_overrun(self):
        self.believe()
        assert_within_the_line(self.line, 4800)

    def teardown(self):
        # A line that is quiet for long enough: everything that waits is sent.
        self.line.run(self.line.now_s + 60.0)
        self.believe()
        assert self.shown == {
            a.instance: (a.state.value, a.revision)
            for a in self.line.alerts.values()
            if a.state is not AlertState.NORMAL
        }


TestPanel = Panel.TestCase
TestPanel.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
