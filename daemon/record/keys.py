"""Where is the key that signs the record, and can anybody else read it?

One Ed25519 key in a PEM file (PKCS #8, what ``openssl pkey`` reads) with mode 0600, and beside it
the public key that verifiers are given. A key is made only for a record that does not exist yet: a
new key under an old record would look exactly like somebody who rewrote it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from fnmatch import fnmatch
from typing import TYPE_CHECKING, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from daemon.errors import RecordError
from daemon.record.checkpoint import verifier_key
from daemon.record.schema import SEGMENT_GLOB

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PrivateKey: TypeAlias = Ed25519PrivateKey
LONGEST_KEY_FILE = 4096


def load_or_create(path: Path, *, record: Path) -> Ed25519PrivateKey:
    """Return the key of a record; make it when there is neither key nor record.

    Raises:
        RecordError: The key cannot be read safely, or is missing while its record exists.
    """
    try:
        is_there = _exists(path)
        recorded = _exists(record) and any(
            fnmatch(each.name, SEGMENT_GLOB) for each in record.iterdir()
        )
    except OSError as err:  # who cannot look makes no key: the record may be there
        raise RecordError(
            f"{err.filename}: cannot see whether key and record are there: {err.strerror}"
        ) from err
    if is_there:
        with contextlib.suppress(OSError):  # left by a power cut just after the key got its name
            _fresh(path).unlink(missing_ok=True)
        return load(path)
    if recorded:
        raise RecordError(
            f"{path}: the key is missing, but {record} holds the record that it signed. "
            "Put the key back from its backup. If it is lost, let the Master and the SSO start a "
            "new segment with a new key (ispsd adopt); never sign an old record with a new key."
        )
    return create(path)


def placeholder() -> Ed25519PrivateKey:
    """Return a key that signs nothing: for a record that is not opened before the ship's own key is there."""
    return Ed25519PrivateKey.generate()


def load(path: Path) -> Ed25519PrivateKey:
    """Read a private key.

    Raises:
        RecordError: A symbolic link, not a plain file, readable by others, not our own, or not an
            Ed25519 key.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as err:
        raise RecordError(f"{path}: cannot open the key (no links are followed): {err}") from err
    with os.fdopen(descriptor, "rb") as file:
        _refuse_unsafe(path, os.fstat(file.fileno()))
        pem = file.read(LONGEST_KEY_FILE)
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as err:
        raise RecordError(f"{path}: not a private key in PEM form without a password") from err
    if not isinstance(key, Ed25519PrivateKey):
        raise RecordError(f"{path}: the record is signed with Ed25519, this is another kind of key")
    return key


def create(path: Path) -> Ed25519PrivateKey:
    """Make a new private key; it is on disk when this returns.

    Raises:
        RecordError: Something is there already, or it cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    fresh = _fresh(path)
    try:
        fresh.unlink(missing_ok=True)
        _write_new(fresh, pem, mode=0o600)
        path.hardlink_to(fresh)  # whole or not at all, and never over another key
        fresh.unlink()
        _sync(path.parent)
    except OSError as err:
        raise RecordError(f"{path}: cannot write a new key: {err}") from err
    return key


def write_public(path: Path, *, name: str, key: Ed25519PublicKey) -> None:
    """Write the public key for verifiers, one line; ``name`` is the origin without the segment.

    Raises:
        RecordError: It cannot be written.
    """
    line = verifier_key(name, key) + "\n"
    fresh = _fresh(path)
    try:
        fresh.unlink(missing_ok=True)
        _write_new(fresh, line.encode(), mode=0o644)
        fresh.replace(path)
        _sync(path.parent)
    except OSError as err:
        raise RecordError(f"{path}: cannot write the public key: {err}") from err


def _fresh(path: Path) -> Path:
    """Return where a file is written before it gets its name."""
    return path.with_name(f".{path.name}.new")


def _exists(path: Path) -> bool:
    """Return whether something is there, a broken link too; unlike ``Path.exists`` never false for lack of rights."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _refuse_unsafe(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise RecordError(f"{path}: the key is not a plain file")
    owners = {os.geteuid(), 0}
    if os.geteuid() == 0:  # root looks after the state of a service whose user comes and goes
        owners.add(path.parent.stat().st_uid)
    if status.st_uid not in owners:
        raise RecordError(f"{path}: the key belongs to another user (uid {status.st_uid})")
    mode = stat.S_IMODE(status.st_mode)
    # systemd lets the service alone into the folder, by an access list whose mask stands in the group's bits.
    handed_over = str(path.parent) == os.environ.get("CREDENTIALS_DIRECTORY")
    if mode & (0o037 if handed_over else 0o077):
        raise RecordError(f"{path}: others may read the key (mode {mode:04o}); chmod 0600 it")


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask says
        if (
            os.geteuid() == 0
        ):  # who looks after the state of the service gives it what he makes there
            folder = path.absolute().parent.stat()
            os.fchown(file.fileno(), folder.st_uid, folder.st_gid)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    """Put a directory's names on disk: a file whose name is lost is lost."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
