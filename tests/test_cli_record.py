"""Keys and adoption at the command line: what needs no daemon, or must not have one."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from daemon import cli
from daemon.errors import RecordError
from daemon.model import Classification
from daemon.record import adoption, checkpoint, keys
from daemon.record.directory import take_lock
from daemon.record.entry import Draft, Proof
from daemon.record.reader import Query
from tests import thin
from tests.pins import PIN, give_pins
from tests.record.ship import alert, record

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.record.entry import Entry

MASTER, SSO = "A. Lindqvist", "R. Menon"
BY = ("--by", MASTER, "--by", SSO)
PASSPHRASE = "correct horse battery"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "ispsd.toml"
    path.write_text(thin.text(state=tmp_path, mqtt_port=1), "utf-8")
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = keys.create(tmp_path / "record-key.pem")
    asyncio.run(sailed(tmp_path / "record", made))
    return tmp_path / "record-key.pem"


async def sailed(folder: Path, key: object, *more: Draft) -> list[Entry]:
    ship = record(folder, key=key)
    await ship.start()
    for draft in (alert("d1"), *more):
        await ship.submit(draft)
    found = await ship.entries(Query())
    await ship.stop()
    return found


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def fingerprint(path: Path) -> str:
    return checkpoint.fingerprint(keys.load(path).public_key())


def test_a_backup_is_told_as_not_recorded_where_no_daemon_answers_and_restores(
    config: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    wanted, backup = fingerprint(key), tmp_path / "backup.pem"
    assert cli.main(["key", "show", "--config", str(config)]) == 0
    assert capsys.readouterr().out == f"{wanted}\n"
    words = ["key", "backup", str(backup), "--config", str(config), "--by", SSO]
    words += ["--socket", str(tmp_path / "nobody.sock")]
    typed(monkeypatch, PASSPHRASE, "another horse battery")
    assert cli.main(words) == 1
    assert not backup.exists(), "typed twice, and differently"
    typed(monkeypatch, PASSPHRASE, PASSPHRASE)
    assert cli.main(words) == 1
    out, err = capsys.readouterr()
    assert wanted in out
    assert "NOT RECORDED" in out
    assert PASSPHRASE not in out + err
    key.unlink()
    typed(monkeypatch, PASSPHRASE)
    assert cli.main(["key", "restore", str(backup), "--config", str(config)]) == 0
    assert fingerprint(key) == wanted


def test_a_lost_key_takes_master_and_sso_and_the_record_goes_on_under_another(
    config: Path, key: Path, tmp_path: Path, capsys
):
    words = ["adopt", "--config", str(config), "--reason", "the key is lost"]
    assert cli.main([*words, *BY]) == 1
    assert "the key is there" in capsys.readouterr().err
    old = fingerprint(key)
    key.unlink()
    for two in (("--by", SSO), ("--by", SSO, "--by", SSO), ("--by", SSO, "--by", "J. Santos")):
        assert cli.main([*words, *two]) == 1
        assert "the Master and the SSO" in capsys.readouterr().err
    assert not keys.next_to(key).exists()
    assert cli.main([*words, *BY]) == 0
    out = capsys.readouterr().out
    assert f"old key {old}" in out
    assert f"new key {fingerprint(key)}" in out
    assert len((tmp_path / "record-key.pub").read_text().splitlines()) == 2
    found = asyncio.run(sailed(tmp_path / "record", keys.load(key)))
    assert [e.type for e in found][-3:] == ["segment.opened", "record.adopted", "alert.changed"]
    assert found[-3].open["reason"] == f"adopted by {MASTER} (Master) and {SSO} (SSO)"
    assert found[-2].open["reason"] == "the key is lost"


def test_an_adoption_that_was_interrupted_is_finished_with_the_key_that_signed(
    config: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    key.unlink()

    def power_cut(_: Path) -> None:
        raise RecordError("the power goes here")

    words = ["adopt", "--config", str(config), "--reason", "the key is lost", *BY]
    with monkeypatch.context() as cut:
        cut.setattr(keys, "promote", power_cut)
        assert cli.main(words) == 1
    new = fingerprint(keys.next_to(key))
    assert cli.main(words) == 0, capsys.readouterr().err
    assert fingerprint(key) == new
    assert len((tmp_path / "record-key.pub").read_text().splitlines()) == 2
    found = asyncio.run(sailed(tmp_path / "record", keys.load(key)))
    types = [e.type for e in found if e.segment > 1]
    assert types == ["segment.opened", "record.adopted", "alert.changed"], "told once"


def test_an_adoption_cut_off_before_it_was_told_is_told_when_it_is_finished(
    config: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    key.unlink()

    def power_cut(*_: object) -> None:
        raise RecordError("the power goes here")

    words = ["adopt", "--config", str(config), "--reason", "the key is lost", *BY]
    with monkeypatch.context() as cut:
        cut.setattr(adoption, "_draft", power_cut)
        assert cli.main(words) == 1
    assert cli.main(words) == 0, capsys.readouterr().err
    found = asyncio.run(sailed(tmp_path / "record", keys.load(key)))
    types = [e.type for e in found if e.segment > 1]
    assert types == ["segment.opened", "record.adopted", "alert.changed"]


def test_beside_a_running_daemon_nobody_is_asked_for_a_pin(
    config: Path, key: Path, tmp_path: Path, capsys
):
    give_pins(tmp_path / "persons.json")
    before = (tmp_path / "persons.json").read_bytes()
    words = ["adopt", "--config", str(config), "--reason", "the key is lost", *BY]
    assert cli.main(words) == 1
    assert "the key is there" in capsys.readouterr().err, "first of all, before a PIN"
    key.unlink()
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("271828\n")
    descriptor = take_lock(tmp_path / "record")
    try:
        assert cli.main([*words, *("--pin-file", str(wrong)) * 2]) == 1
    finally:
        os.close(descriptor)
    assert "another ispsd is writing this record" in capsys.readouterr().err
    assert (tmp_path / "persons.json").read_bytes() == before


def test_where_pins_are_kept_both_prove_to_be_themselves_before_a_record_is_adopted(
    config: Path, key: Path, tmp_path: Path, capsys
):
    give_pins(tmp_path / "persons.json")
    key.unlink()
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    for path, pin in ((right, PIN), (wrong, "271828")):
        path.touch(mode=0o600)
        path.write_text(pin + "\n")
    words = ["adopt", "--config", str(config), "--reason", "the key is lost", *BY]
    assert cli.main(words) == 1
    assert "PIN of" in capsys.readouterr().err
    assert cli.main([*words, "--pin-file", str(right), "--pin-file", str(wrong)]) == 1
    assert "is wrong" in capsys.readouterr().err
    assert not keys.next_to(key).exists()
    assert cli.main([*words, "--pin-file", str(right), "--pin-file", str(right)]) == 0
    found = asyncio.run(sailed(tmp_path / "record", keys.load(key)))
    adopted = next(e for e in found if e.type == "record.adopted")
    assert (adopted.actor.person, adopted.actor.proof) == (MASTER, Proof.PIN)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_adopts_for_a_service_of_another_user_whose_pins_stay_the_services(
    config: Path, key: Path, tmp_path: Path, capsys
):
    service, pins = 12345, tmp_path / "persons.json"
    give_pins(pins)
    key.unlink()
    for path in (tmp_path, pins, tmp_path / "record", *(tmp_path / "record").iterdir()):
        os.chown(path, service, service)
    words = ["adopt", "--config", str(config), "--reason", "the key is lost", *BY]
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    for path, pin in ((right, PIN), (wrong, "271828")):
        path.touch(mode=0o600)
        path.write_text(pin + "\n")
    assert cli.main([*words, *("--pin-file", str(wrong)) * 2]) == 1
    assert "is wrong" in capsys.readouterr().err
    assert pins.stat().st_uid == service, "a wrong PIN is counted there"
    assert cli.main([*words, *("--pin-file", str(right)) * 2]) == 0, capsys.readouterr().err
    assert pins.stat().st_uid == key.stat().st_uid == service


def test_a_record_comes_to_another_computer(config: Path, key: Path, tmp_path: Path, capsys):
    key.unlink()
    (tmp_path / "record").rename(tmp_path / "stick")
    shutil.rmtree(tmp_path / "record.heads")
    words = ["adopt", "--config", str(config), "--record", str(tmp_path / "stick")]
    assert cli.main([*words, *BY, "--reason", "new computer"]) == 0, capsys.readouterr().err
    found = asyncio.run(sailed(tmp_path / "record", keys.load(key)))
    assert [e.segment for e in found if e.type == "segment.opened"] == [1, 2]
    assert (tmp_path / "stick/segment-0001.db").exists()


def test_whose_word_it_takes_follows_from_the_record_and_not_from_the_ships_file(
    config: Path, key: Path, tmp_path: Path, capsys
):
    def member(name: str, *roles: str) -> dict:
        return {"name": name, "rank": "", "roles": [*roles], "joined": None, "drilled": None}

    persons = [member("J. Santos", "master"), member(SSO, "sso"), member(MASTER, "officer")]
    handed_over = Draft(
        kind="system",
        type="crew.listed",
        subject="crew",
        classification=Classification.SSO,
        open={"persons": persons},
    )
    asyncio.run(sailed(tmp_path / "record", keys.load(key), handed_over))
    first = fingerprint(key)
    key.unlink()
    words = ["adopt", "--config", str(config), "--reason", "the key is lost"]
    assert cli.main([*words, *BY]) == 1
    assert "the Master and the SSO" in capsys.readouterr().err
    assert cli.main([*words, "--by", "J. Santos", "--by", SSO]) == 0
    second = fingerprint(key)
    key.unlink()
    (tmp_path / "record-key.pub").unlink()  # as on a computer that never had the first key
    assert cli.main([*words, "--by", "J. Santos", "--by", SSO]) == 0
    known = keys.known_public(tmp_path / "record-key.pub", name="demo/9999993")
    assert [checkpoint.fingerprint(each) for each in known] == [fingerprint(key), second, first]
