"""What is wrong with a ship's file stands in a log without SSAS equipment, places and persons: invariants 1 and 14."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from daemon import config
from daemon.computer import systemd
from daemon.errors import ConfigError
from tests.test_config import THIN
from tests.test_config_ssas import TRACKER

if TYPE_CHECKING:
    from pathlib import Path

PRINTER = '[device.printer]\nkind = "ssas_text"\nprofile = "none"\n'
PRINTER += 'link = { kind = "serial", port = "/dev/ttyS5" }\n'
BEFORE = "[device.gps1]"
WATCH = ("[watch]", "[watch]\nsituatoin = 1")
SAID = "watch.situatoin: there is no such setting"
LAMP = ('point = "ssas.lamp"', 'point = "lamp7"')


def broken(*changes: tuple[str, str]) -> ConfigError:
    text = THIN.read_text("utf-8")
    for old, new in (WATCH, *changes):
        assert old in text, old
        text = text.replace(old, new, 1)
    with pytest.raises(ConfigError) as caught:
        config.read(text.encode(), "ispsd.toml")
    return caught.value


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ((BEFORE, PRINTER + BEFORE), "printer"),
        ((BEFORE, PRINTER.replace("ssas_text", "sas_text") + BEFORE), "printer"),
        ((BEFORE, PRINTER.replace('"ssas_text"', "7") + BEFORE), "printer"),
        (('place = "A deck"', f'place = "A deck {"x" * 90}"'), "A deck"),
        (('place = "A deck"', f'place = "A \\"deck\\" {"x" * 90}"'), "deck"),
        (('rank = "AB"', "rank = 7"), "Tupou"),
        (('kind = "test_lamp"', 'kind = "alert_loop"'), "alert_loop"),
        (('id = "t-ais"', 'id = "t-ais"\nsetting = 1'), "t-ais"),
    ],
    ids=[
        "covert",
        "kind unknown",
        "kind no text",
        "place",
        "place quoted",
        "person",
        "loop",
        "test",
    ],
)
def test_covert_equipment_places_and_persons_stand_in_no_log(change, word):
    wrong = broken(change)
    assert word in str(wrong)
    told = wrong.in_a_log()
    assert told[0] == f"ispsd.toml: {SAID}"
    assert told[1] == "ispsd.toml: 1 fault is not for a log: ispsd check says which"
    assert word not in "\n".join(told)


def valid_but_for(*changes: tuple[str, str], more: str = "") -> ConfigError:
    """Return what is wrong although every part for itself is right."""
    text = THIN.read_text("utf-8") + more
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    with pytest.raises(ConfigError) as caught:
        config.read(text.encode(), "ispsd.toml")
    return caught.value


def test_covert_nothing_of_a_unit_is_logged_that_takes_every_alert_for_a_test():
    """Its fault says so in words among which there is no ssas."""
    wrong = valid_but_for(('name = "KESTREL STRAIT"', 'name = "NUCLEAR TEST"'), more=TRACKER)
    assert "device.tracker: a real alert of NUCLEAR TEST" in str(wrong)
    assert wrong.in_a_log() == ["ispsd.toml: 1 fault is not for a log: ispsd check says which"]


def test_covert_a_lamp_on_the_input_of_a_door_is_not_named():
    wrong = valid_but_for(LAMP, ("inputs = [3]", "inputs = [14]"))
    assert "used by d12 and lamp7" in str(wrong)
    assert wrong.in_a_log() == ["ispsd.toml: 1 fault is not for a log: ispsd check says which"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("inputs = [3]", "inputs = [99]"), '"d12".inputs: io1 has inputs 0 to 15, not 99'),
        (("inputs = [3]", "inputs = [2]"), "device.io1 input 2: used by d03 and d12"),
        (("poll_s = 0.1", "poll_s = 0"), "device.io1.poll_s: 0: must be"),
        (("imo_number = 9999993", "imo_number = 9999994"), "ship.imo_number: 9999994: the check"),
        (('class = "E"', 'class = "X"'), 'door[2] "d12".class: '),
    ],
)
def test_what_everybody_may_read_is_logged_with_its_place_and_reason(change, said):
    wrong = valid_but_for(change)
    assert [line.startswith(f"ispsd.toml: {said}") for line in wrong.in_a_log()] == [True]


def run_with_faults(folder: Path, **journal: str) -> str:
    """Start ispsd with a file that is refused; return what it says on stderr, which is a file here."""
    path, said = folder / "ispsd.toml", folder / "stderr"
    text = THIN.read_text("utf-8").replace("/var/lib/ispsd", str(folder / "state"))
    path.write_text(text.replace(*WATCH).replace(BEFORE, PRINTER + BEFORE), "utf-8")
    with said.open("wb") as stderr:
        status = os.fstat(stderr.fileno())
        stands_for = {"there": f"{status.st_dev}:{status.st_ino}", "elsewhere": "8:1"}
        stream = {name: stands_for[where] for name, where in journal.items()}
        done = subprocess.run(
            [sys.executable, "-m", "daemon", "run", "--config", str(path)],
            stderr=stderr,
            check=False,
            env={**{k: v for k, v in os.environ.items() if k != "JOURNAL_STREAM"}, **stream},
        )
    assert done.returncode == 2
    return said.read_text("utf-8")


def test_covert_a_start_that_is_refused_tells_the_journal_no_more_than_a_log(tmp_path):
    """What is printed under systemd is in the journal, and the doctor's bundle takes that off the ship."""
    told = run_with_faults(tmp_path, JOURNAL_STREAM="there")
    assert SAID in told
    assert "1 fault is not for a log: ispsd check says which" in told
    assert "2 fault(s); nothing was started" in told
    assert "printer" not in told


@pytest.mark.parametrize("journal", [{}, {"JOURNAL_STREAM": "elsewhere"}])
def test_whoever_asks_at_a_terminal_or_into_a_file_is_told_all(tmp_path, journal):
    told = run_with_faults(tmp_path, **journal)
    assert SAID in told
    assert "device.printer" in told


def test_a_stream_without_a_file_is_no_journal(monkeypatch, capsys):
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    assert systemd.is_journal(sys.stderr) is False
