"""What is wrong with ispsd is said in plain words, and the file for whoever mends it holds nothing that it may not."""

from __future__ import annotations

import json
import socket
import stat
import tarfile

import pytest

from daemon import cli
from daemon.console import doctor, findings, live
from daemon.supervision.quarantine import REASON
from tests import test_cli
from tests.ship import sailing
from tests.test_status_page import ALERT, DEVICE, RECORD, STATION

WELL = {
    "clock": "synced",
    "broker": True,
    "simulated": False,
    "record": {**RECORD, "writable": True, "reason": None, "lost": 0, "pending_age_s": None},
    "stations": [{**STATION, "lacks": []}],
    "devices": [{**DEVICE, "good": 1000, "dropped": 3}],
    "alerts": [ALERT],
}
SYSTEM = {
    "disks": [
        {"folder": "/var/lib/ispsd", "free_bytes": 10**10, "read_only": False, "fault": None}
    ],
    "services": {
        "ispsd": {"UnitFileState": "enabled", "ActiveState": "active", "NRestarts": "0"},
        "mosquitto": {"UnitFileState": "enabled", "ActiveState": "active", "NRestarts": "0"},
        "ispsd-web": {"UnitFileState": "disabled", "ActiveState": "inactive", "NRestarts": "0"},
    },
    "ship_file": {"path": "/etc/ispsd/ispsd.toml", "unreadable": None, "faults": 0},
    "certificate": {"ends": "2036-11-27", "days": 3649},
}
KEY_MISSING = (
    "/var/lib/ispsd/record-key.pem: the key is missing, but /var/lib/ispsd/record holds the record"
)


def said(**changed):
    return [each.line() for each in findings.of_daemon({**WELL, **changed})]


def of_disk(**changed):
    disks = [{**SYSTEM["disks"][0], **changed}]
    return [each.line() for each in findings.of_computer({**SYSTEM, "disks": disks})]


def test_a_ship_in_order_has_no_finding():
    assert said() == []
    assert list(findings.of_computer(SYSTEM)) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"clock": "unset"}, "clock cannot be right"),
        ({"clock": "holdover"}, "runs on its own"),
        (
            {"broker": False, "broker_reason": "broker 127.0.0.1:1883: Connection refused"},
            "! the broker is not reached: broker 127.0.0.1:1883: Connection refused: no page shows",
        ),
        ({"broker": False}, "! the broker is not reached: no reason is known"),
        ({"simulated": True}, "simulated"),
        ({"stations": [{**STATION, "live": False}]}, "! no station is live"),
        (
            {"stations": [{**STATION, "sound_armed": False, "lacks": ["touch"]}]},
            "it lacks: touch",
        ),
        (
            {"devices": [{**DEVICE, "link": "down", "reason": "Connection refused"}]},
            "io1 is down for 3 min: Connection refused",
        ),
        ({"devices": [{**DEVICE, "good": 100, "dropped": 50}]}, "33% of what it says"),
        (
            {"devices": [{**DEVICE, "link": "down", "reason": REASON}]},
            "! io1 is not read: quarantined: its driver hung ispsd 3 times in 10 min: it is not read, all",
        ),
        (
            {
                "devices": [
                    {
                        **DEVICE,
                        "id": f"io{n}",
                        "link": "down",
                        "reason": f"192.168.60.1{n}:502: No route to host",
                    }
                    for n in range(3)
                ]
            },
            "3 devices are not reached (io0, io1, io2): No route to host: look first at what they have in common",
        ),
        ({"alerts": [{**ALERT, "age_s": 90_000.0}]}, "1 alert stands for more than a day"),
        ({"alerts": [{**ALERT, "age_s": 90_000.0}] * 2}, "2 alerts stand for more than a day"),
        (
            {"record": {**WELL["record"], "writable": False, "reason": "No space left"}},
            "! the record cannot be written: No space left: look at the disk",
        ),
        (
            {"record": {**WELL["record"], "writable": False, "reason": KEY_MISSING}},
            "procedure 3, Lost key; do not restart ispsd",
        ),
        ({"record": {**WELL["record"], "pending_age_s": 12.0}}, "the disk is slow"),
        ({"record": {**WELL["record"], "lost": 3}}, "! 3 entries were lost"),
        ({"record": {**WELL["record"], "lost": 1}}, "! 1 entry was lost"),
    ],
)
def test_what_is_not_in_order_is_said_with_what_to_do(changed, words):
    [line] = said(**changed)
    assert words in line
    assert ": " in line


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"read_only": True}, "! /var/lib/ispsd is read-only"),
        ({"free_bytes": 500_000_000}, "  /var/lib/ispsd: 500 MB are free"),
        ({"free_bytes": 5_000_000}, "! /var/lib/ispsd: 5 MB are free"),
        ({"fault": "Input/output error"}, "! /var/lib/ispsd: Input/output error"),
    ],
)
def test_a_disk_is_looked_at(changed, words):
    [line] = of_disk(**changed)
    assert words in line


@pytest.mark.parametrize(
    ("device", "is_told"),
    [({"link": "connecting", "age_s": 9.0}, False), ({"link": "connecting", "age_s": 61.0}, True)],
)
def test_what_is_only_just_connecting_is_no_finding(device, is_told):
    assert bool(said(devices=[{**DEVICE, "reason": None, **device}])) is is_told


def of_computer(**changed):
    return [each.line() for each in findings.of_computer({**SYSTEM, **changed})]


@pytest.mark.parametrize(
    ("unit", "changed", "words"),
    [
        ("ispsd", {"NRestarts": "7"}, "  systemd has begun ispsd again 7 times: "),
        ("mosquitto", {"NRestarts": "1"}, "  systemd has begun mosquitto again 1 time: "),
        ("mosquitto", {"ActiveState": "failed"}, "! mosquitto does not run (failed): journalctl -u"),
        ("ispsd-web", {"UnitFileState": "enabled"}, "! ispsd-web does not run (inactive): "),
    ],
)  # fmt: skip
def test_a_service_that_does_not_run_or_was_begun_again_is_told(unit, changed, words):
    services = {**SYSTEM["services"], unit: {**SYSTEM["services"][unit], **changed}}
    [line] = of_computer(services=services)
    assert line.startswith(words)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"faults": 1}, "! the ship's file has 1 fault: ispsd check"),
        ({"faults": 2}, "! the ship's file has 2 faults: ispsd check"),
        (
            {"unreadable": "No such file or directory"},
            "! the ship's file /etc/ispsd/ispsd.toml: No such file or directory: ",
        ),
    ],
)
def test_a_file_with_faults_and_one_that_is_not_there_are_two_things(changed, words):
    [line] = of_computer(ship_file={**SYSTEM["ship_file"], **changed})
    assert line.startswith(words)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (90, None),
        (89, "  the broker's certificate is good until 2027-01-15 only: put the authority's key"),
        (-1, "! the broker's certificate has ended on 2027-01-15: no station with TLS gets in: "),
    ],
)
def test_a_certificate_near_its_end_is_told(days, words):
    lines = of_computer(certificate={"ends": "2027-01-15", "days": days})
    assert [line.startswith(words or "") for line in lines] == [True] * (words is not None)


def test_where_a_ship_has_no_certificate_there_is_nothing_to_tell():
    assert of_computer(certificate=None) == []


async def typed(ship, *words):
    return await test_cli.typed(ship, "doctor", "--config", str(ship.folder / "ispsd.toml"), *words)


async def test_the_bundle_of_a_ship_holds_no_secret_no_place_and_nothing_of_the_sso(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(doctor, "_said", lambda *_: "")  # no service of this computer
    out = tmp_path / "bundle.tar.gz"
    async with sailing(tmp_path) as ship:
        await ship.pass_time(2.0)
        await typed(ship, "--bundle", str(out))
        places = {each.place for each in ship.daemon.config.openings if each.place}
    assert "bytes; no secret" in capsys.readouterr().out
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with tarfile.open(out) as archive:
        texts = {m.name: archive.extractfile(m).read().decode() for m in archive.getmembers()}
    assert {name.rpartition("/")[2] for name in texts} == {
        "findings.txt",
        "status.json",
        "system.json",
        "journal.txt",
    }
    whole = "\n".join(texts.values())
    assert places
    assert not [place for place in places if place in whole]
    assert "ssas" not in whole.lower()
    assert "password" not in whole.lower()
    assert json.loads(texts["ispsd-doctor/status.json"])["openings"]


async def test_a_bundle_is_not_written_over(tmp_path, capsys):
    out = tmp_path / "bundle.tar.gz"
    out.write_bytes(b"kept")
    async with sailing(tmp_path) as ship:
        assert await typed(ship, "--bundle", str(out)) == cli.FAILED
    assert "File exists" in capsys.readouterr().err
    assert out.read_bytes() == b"kept"


def test_where_ispsd_does_not_answer_that_is_the_first_finding(tmp_path, capsys):
    code = cli.main(["doctor", "--socket", str(tmp_path / "none"), "--config", str(tmp_path / "x")])
    assert code == cli.FAILED
    told = capsys.readouterr().out
    assert told.startswith("! ispsd does not answer")
    assert "/x: No such file or directory" in told
    assert "fault" not in told


def test_a_daemon_that_hangs_is_one_that_does_not_answer(tmp_path, capsys, monkeypatch):
    """Whoever calls the doctor for it must not wait for ever."""
    monkeypatch.setattr(live, "ANSWER_WITHIN_S", 0.05)
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(tmp_path / "s"))
        hung.listen()
        words = ["--socket", str(tmp_path / "s"), "--config", str(tmp_path / "x")]
        assert cli.main(["doctor", *words]) == cli.FAILED
    assert (
        f"! ispsd does not answer ({tmp_path}/s: no answer within 0.05 s)"
        in capsys.readouterr().out
    )


def test_of_the_journal_the_newest_lines_that_warn_are_kept(monkeypatch):
    lines = [
        '{"level": "info", "event": "link.up"}',
        '{"level": "warning", "event": "link.down"}',
        "x" * 5000,
    ]
    monkeypatch.setattr(doctor, "_said", lambda *_: "\n".join(lines * 1000))
    kept = doctor._journal().splitlines()
    assert len(kept) == doctor.MOST_LINES
    assert max(map(len, kept)) == doctor.LONGEST_LINE
    assert not [line for line in kept if "link.up" in line]
