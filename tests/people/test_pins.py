"""A PIN keeps its rule, its file keeps its secrets, and a guess costs what it should."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.errors import RefusedError
from daemon.model import Role
from daemon.people import credentials, hashing, pins
from daemon.people.credentials import Credential, CredentialsError
from daemon.people.hashing import RFC_9106
from daemon.people.lockout import LOCKED_FOR_S, TRIES, Tries
from tests.pins import FAST, NOW, PIN, credential

OFFICER, SSO = frozenset({Role.OFFICER}), frozenset({Role.OFFICER, Role.SSO})
MASTER = frozenset({Role.MASTER})


@pytest.mark.parametrize(
    ("pin", "officer", "command"),
    [
        ("31415", False, False),
        ("314159", True, True),
        ("314159265358", True, True),
        ("3141592653589", False, True),
        ("31415x", False, True),
        ("two words", False, True),
        ("314159" * 10 + "1234", False, True),
        ("314159" * 10 + "12345", False, False),
        ("31415\n", False, False),
        ("٣١٤١٥٩", False, True),
        ("000000", False, False),
        ("123456", False, False),
        ("654321", False, False),
        ("890123", False, False),
        ("321098", False, False),
        ("aaaaaa", False, False),
        ("abcdef", False, False),
        ("112233", True, True),
        ("", False, False),
    ],
)
def test_a_pin_has_so_many_digits_and_is_no_run(pin, officer, command):
    for roles, may in ((OFFICER, officer), (SSO, command), (MASTER, command)):
        if may:
            pins.check(pin, roles)
            continue
        with pytest.raises(RefusedError, match="a PIN has 6 to") as refused:
            pins.check(pin, roles)
        assert not pin or pin == "123456" or pin not in str(refused.value)


@given(st.text(max_size=80))
def test_whatever_is_typed_is_judged_and_not_told(pin):
    for roles in (OFFICER, MASTER):
        try:
            pins.check(pin, roles)
        except RefusedError as err:
            assert str(err) == f"a PIN has {pins.rule(roles)}"
        else:
            assert 6 <= len(pin) <= 64


# --- hashes ---


def test_only_the_pin_fits_its_hash_on_whatever_keyboard():
    stored = hashing.hashed("Ångström 7", bytes(16), FAST)
    assert "Ångström" not in stored
    assert hashing.fits(stored, "A\u030angstro\u0308m 7")
    assert not hashing.fits(stored, "Angstrom 7")
    assert not hashing.fits("$argon2id$nonsense", "Ångström 7")


def test_the_ships_own_hardness_is_the_second_option_of_rfc_9106():
    stored = hashing.hashed(PIN, bytes(16), RFC_9106)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert hashing.is_hash(stored)
    assert hashing.fits(stored, PIN)


@pytest.mark.parametrize(
    "stored",
    [
        None,
        7,
        "",
        "314159",
        "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43,
        "$argon2id$v=19$m=131073,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43,
        "$argon2id$v=19$m=64,t=11,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43,
        "$argon2id$v=19$m=64,t=1,p=9$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43,
    ],
)
def test_a_hash_that_would_take_the_whole_computer_is_none(stored):
    assert not hashing.is_hash(stored)
    assert hashing.is_hash("$argon2id$v=19$m=131072,t=10,p=8$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43)


# --- locks ---


def test_the_fifth_wrong_one_in_a_row_locks_for_a_quarter_of_an_hour():
    tries = Tries()
    for left in (4, 3, 2, 1):
        tries = tries.after_wrong(100.0)
        assert (tries.left, tries.locked_for_s(100.0)) == (left, 0.0)
    tries = tries.after_wrong(100.0)
    assert tries.locked_for_s(100.0) == LOCKED_FOR_S == 900.0
    assert tries.locked_for_s(999.9) == pytest.approx(0.1)
    assert tries.locked_for_s(1000.0) == 0.0
    assert tries.left == TRIES == 5


# --- the file ---


@pytest.fixture
def path(tmp_path):
    return tmp_path / "persons.json"


def kept(path, held, *, later=NOW):
    credentials.write(path, credentials.content(held, NOW))
    return credentials.read(path, later)


def test_what_is_kept_is_read_again_and_nobody_else_can_read_it(path):
    held = {"R. Menon": credential(), "Ø": replace(credential(), tries=Tries(wrong=3))}
    assert kept(path, held) == held
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PIN not in path.read_text("utf-8")
    assert credentials.read(path.with_name("none"), NOW) == {}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("later", "left_s"),
    [
        ({"now_s": 1100.0, "utc": NOW.utc + timedelta(days=400)}, 800.0),  # by the boot's own clock
        ({"now_s": 1900.0}, 0.0),
        ({"boot": "b00t1d01", "now_s": 5.0, "utc": NOW.utc + timedelta(seconds=60)}, 840.0),
        ({"boot": "b00t1d01", "now_s": 5.0, "utc": NOW.utc - timedelta(days=400)}, 900.0),
        ({"boot": "b00t1d01", "now_s": 5.0, "utc": NOW.utc + timedelta(seconds=900)}, 0.0),
        ({"boot": "b00t1d01", "now_s": 5.0, "utc": None}, 900.0),
    ],
)
def test_a_lock_outlives_a_restart_and_a_boot_and_never_lasts_longer(path, later, left_s):
    locked = replace(credential(), tries=Tries(locked_until_s=NOW.now_s + 900.0))
    then = replace(NOW, **later)
    found = kept(path, {"R. Menon": locked}, later=then)["R. Menon"]
    assert found.tries.locked_for_s(then.now_s) == pytest.approx(left_s)


DAMAGE = {
    "cut": lambda raw: raw[:-20],
    "empty": lambda raw: raw[:0],
    "deep": lambda raw: b"[" * 100_000 + raw,
    "large": lambda raw: raw + b" " * (1 << 20),
    "version": lambda raw: raw.replace(b'"v": 1', b'"v": 2'),
    "hash": lambda raw: raw.replace(b"argon2id", b"argon2ix"),
    "fewer than none": lambda raw: raw.replace(b'"wrong": 0', b'"wrong": -1'),
    "five": lambda raw: raw.replace(b'"wrong": 0', b'"wrong": 5'),
    "no number": lambda raw: raw.replace(b'"wrong": 0', b'"wrong": false'),
    "key": lambda raw: raw.replace(b'"key": null', b'"key": {"public": "AAAA"}'),
    "lock": lambda raw: raw.replace(b'"locked": null', b'"locked": 7'),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_file_that_is_not_whole_is_said_so_and_nothing_of_it_is_told(path, damage):
    kept(path, {"R. Menon": credential()})
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(CredentialsError, match="is not a whole file of PINs") as refused:
        credentials.read(path, NOW)
    assert "argon2" not in str(refused.value)


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(raw):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "persons.json"
        path.touch(mode=0o600)
        path.write_bytes(raw)
        with pytest.raises(CredentialsError):
            credentials.read(path, NOW)


def test_a_file_that_others_can_read_or_that_is_a_link_is_refused(path):
    kept(path, {"R. Menon": credential()})
    path.chmod(0o640)
    with pytest.raises(CredentialsError, match="others may read it"):
        credentials.read(path, NOW)
    path.chmod(0o600)
    link = path.with_name("link")
    link.symlink_to(path)
    with pytest.raises(CredentialsError, match="no links are followed"):
        credentials.read(link, NOW)
    with pytest.raises(CredentialsError, match="is not a plain file"):
        credentials.read(path.parent, NOW)


def test_a_file_that_cannot_be_written_leaves_the_one_before(path, monkeypatch):
    held = {"R. Menon": credential()}
    kept(path, held)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CredentialsError, match="No space left on device"):
        credentials.write(path, credentials.content({"L. Tupou": Credential("x")}, NOW))
    monkeypatch.undo()
    assert credentials.read(path, NOW) == held
    assert set(json.loads(path.read_text("utf-8"))["credentials"]) == {"R. Menon"}
