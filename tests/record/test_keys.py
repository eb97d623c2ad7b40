"""The key is nobody else's, is never replaced silently, and its public half is what verifiers read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from daemon.errors import RecordError
from daemon.record import keys
from daemon.record.verify import read_keys
from tests.record.ship import KEY, ORIGIN, VKEY

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.key"


def raw(path: Path) -> bytes:
    return keys.load(path).private_bytes_raw()


def test_a_new_ship_gets_a_key_that_only_its_daemon_reads(path: Path, tmp_path: Path):
    old_umask = os.umask(0)
    try:
        made = keys.load_or_create(path, record=tmp_path / "record")
    finally:
        os.umask(old_umask)
    assert path.stat().st_mode & 0o7777 == 0o600
    assert raw(path) == made.private_bytes_raw()
    assert [each.name for each in tmp_path.iterdir()] == ["record.key"]
    assert (
        keys.load_or_create(path, record=tmp_path).private_bytes_raw() == made.private_bytes_raw()
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o660])
def test_a_key_that_others_may_touch_is_refused(path: Path, mode: int):
    keys.create(path)
    path.chmod(mode)
    with pytest.raises(RecordError, match=f"record.key: .*mode {mode:04o}"):
        keys.load(path)


def test_a_link_is_not_followed(path: Path, tmp_path: Path):
    keys.create(tmp_path / "real.key")
    path.symlink_to(tmp_path / "real.key")
    with pytest.raises(RecordError, match="no links are followed"):
        keys.load_or_create(path, record=tmp_path)
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(RecordError, match="no links are followed"):
        keys.load_or_create(path, record=tmp_path)


def test_a_pipe_is_no_key(path: Path):
    os.mkfifo(path, 0o600)
    with pytest.raises(RecordError, match="not a plain file"):
        keys.load(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_key_of_another_user_is_refused(path: Path):
    keys.create(path)
    os.chown(path, 12345, 12345)
    with pytest.raises(RecordError, match="another user"):
        keys.load(path)


def test_a_record_without_its_key_is_an_error_that_says_what_to_do(path: Path, tmp_path: Path):
    (tmp_path / "segment-0001.db").touch()
    with pytest.raises(RecordError, match=r"key is missing.*Put the key back.*adopt"):
        keys.load_or_create(path, record=tmp_path)
    assert not path.exists()


def test_a_key_is_never_overwritten(path: Path):
    keys.create(path)
    before = raw(path)
    with pytest.raises(RecordError, match="cannot write a new key"):
        keys.create(path)
    assert raw(path) == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "PEM"),
        (b"-----BEGIN PRIVATE KEY-----\n", "PEM"),
        (
            generate_private_key(SECP256R1()).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ),
            "another",
        ),
        (
            KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass")),
            "password",
        ),
    ],
)
def test_what_is_no_ed25519_key_is_refused(path: Path, content: bytes, reason: str):
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(RecordError, match=reason):
        keys.load(path)


def test_verifiers_read_the_public_key(tmp_path: Path):
    public = tmp_path / "record.vkey"
    for _ in range(2):
        keys.write_public(public, name=ORIGIN, key=KEY.public_key())
    assert public.read_text() == VKEY + "\n"
    assert public.stat().st_mode & 0o777 == 0o644
    [key] = read_keys(str(public))
    assert (key.name, key.public) == (ORIGIN, KEY.public_key().public_bytes_raw())


def test_a_public_key_that_cannot_be_written_is_an_error(tmp_path: Path):
    with pytest.raises(RecordError, match="cannot write the public key"):
        keys.write_public(tmp_path / "missing" / "record.vkey", name=ORIGIN, key=KEY.public_key())
