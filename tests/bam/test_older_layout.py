"""ALR and ACK: one line for each number, and nobody acknowledges another alert than he reads."""

from __future__ import annotations

from daemon.drivers.nmea_alerts import AlertsReader
from daemon.drivers.sentences import parse
from simulators.panel_sentences import written
from tests.bam.rig import Line, alert


def older(*alerts, **said) -> Line:
    return Line(*alerts, mode="alr", maker=None, **said)


def alrs(sentences: list[str]) -> list[list[str]]:
    return [parse(text.encode()).fields for text in sentences if text[3:6] == "ALR"]


def ack(number: int) -> bytes:
    return written("CA", "ACK", f"{number:03d}").strip()


def test_without_alerts_a_keep_alive_comes_every_thirty_seconds():
    line = older()
    line.run(61.0)
    assert alrs([text for _, text in line.sent]) == [["", "", "V", "V", ""]] * 3


def test_the_four_states_of_alr():
    line = older()
    line.run(1.0)
    line.change(alert())
    said = "INTRUSION DECK C: STRG GEAR ESC"
    assert alrs(line.run(2.0)) == [["101530.00", "011", "A", "V", said]]
    line.become(1, "S")
    line.become(1, "A")
    assert alrs(line.run(3.0)) == [["101530.00", "011", "A", "A", said]]
    line.become(1, "U")
    assert alrs(line.run(4.0)) == [["101530.00", "011", "V", "V", said]]
    line.become(1, "N")
    assert alrs(line.run(5.0)) == [["101530.00", "011", "V", "A", said]]


def test_every_alert_is_told_again_in_each_period_and_a_reader_sees_what_stands():
    line = older(alert(1), alert(2, "A", number=10020))
    reader = AlertsReader("e")
    for text in line.run(40.0):
        sentence = parse(text.encode())
        if sentence.formatter == "ALR":
            ((_, report, _),) = reader.reads["ALR"](sentence, 0.0)
    assert [(a.number, a.active, a.acknowledged) for a in report.alerts] == [
        (11, True, False),
        (20, True, True),
    ]


def numbers_last_told(sentences: list[str]) -> dict[str, list[str]]:
    return {each[1]: each[2:4] for each in alrs(sentences) if each[1]}


def test_an_alert_that_ends_while_the_list_is_being_sent_does_not_stand_again():
    line = older(*(alert(n, number=10010 + n) for n in range(1, 9)), baud=4800)
    first = line.run(0.7)  # the line is slow: the list has begun and is not through
    assert alrs(first)
    for n in range(1, 9):
        line.become(n, "N")
    told = numbers_last_told(first + line.run(25.0))
    assert set(map(tuple, told.values())) == {("V", "A")}


def test_an_alert_that_ended_while_the_line_was_shut_is_taken_off_the_panel():
    line = older(alert(1), alert(2, number=10020))
    line.run(5.0)
    line.alerts.pop(alert(1).id)
    line.port.opened(5.0)
    told = line.run(8.0)
    assert numbers_last_told(told) == {"011": ["V", "A"], "020": ["A", "V"]}
    assert "011" not in numbers_last_told(line.run(80.0)), "and it is said once"


def test_a_caution_stands_as_acknowledged():
    assert [each[1:4] for each in alrs(older(alert(state="A", priority="C")).run(1.0))] == [
        ["011", "A", "A"],
        ["011", "A", "A"],
    ]


def test_a_number_beyond_three_digits_is_not_told():
    assert alrs(older(alert(number=11_000)).run(1.0)) == [["", "", "V", "V", ""]]


def test_ack_means_the_alert_that_is_shown_and_the_next_one_takes_its_place():
    line = older(alert(1), alert(2))
    line.run(5.0)
    first = line.hear(ack(11))
    assert first is not None
    shown = first.do.alerts[0].instance
    line.become(shown, "A")
    assert [each[2:4] for each in alrs(line.run(6.5))] == [["A", "V"]]  # the other one waits
    line.run(8.0)
    second = line.hear(ack(11))
    assert second is not None
    assert {shown, second.do.alerts[0].instance} == {1, 2}


def test_a_new_alert_of_the_same_number_does_not_take_the_place_of_one_that_is_read():
    line = older(alert(1))
    line.run(5.0)
    line.change(alert(2))
    line.run(6.0)
    asked = line.hear(ack(11))
    assert asked is not None
    assert asked.do.alerts[0].instance == 1


def test_ack_within_a_second_of_a_new_text_meant_the_text_before():
    line = older(alert(1), alert(2))
    line.run(5.0)
    shown = line.hear(ack(11)).do.alerts[0].instance
    line.become(shown, "A")
    line.run(5.2)  # the other one is shown since a moment
    assert line.hear(ack(11)) is None
    assert alrs(line.run(6.0)) != []


def test_ack_of_nothing_and_commands_of_the_newer_layout_change_nothing():
    line = older(alert(1))
    line.run(5.0)
    assert line.hear(ack(12)) is None
    assert line.hear(written("CA", "ACN", "", "XXX", "10011", "1", "A", "C").strip()) is None
    assert line.port.dropped == {"unsupported": 1}


def test_an_ack_without_a_number_is_the_link_check_of_some_older_panels():
    line = older()
    line.now_s = 140.0
    assert line.hear(b"$CAACK,*4B".replace(b"4B", b"%02X" % checksum(b"CAACK,"))) is None
    assert not line.port.panel.is_lost(280.0)
    assert line.port.dropped == {}


def checksum(body: bytes) -> int:
    total = 0
    for code in body:
        total ^= code
    return total
