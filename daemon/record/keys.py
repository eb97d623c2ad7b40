"""Where is the key that signs the record, and can anybody else read it?

One Ed25519 key in a PEM file (PKCS #8, what ``openssl pkey`` reads) with mode 0600, and beside it
the public keys that verifiers are given, the newest last. A key is made only for a record that does not exist yet: a
new key under an old record would look exactly like somebody who rewrote it. A key that takes over from another lies
beside it as ``.next`` until a segment is signed with it: whatever moment the power is lost at, one of the two fits.
"""

from __future__ import annotations

import base64
import os
import stat
from contextlib import closing, suppress
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final, TypeAlias

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from daemon.computer import ownership
from daemon.errors import RecordError
from daemon.record import codec
from daemon.record.checkpoint import verifier_key
from daemon.record.schema import SEGMENT_GLOB
from daemon.record.sqlite import store_errors, text

if TYPE_CHECKING:
    from pathlib import Path

PrivateKey: TypeAlias = Ed25519PrivateKey
PublicKey: TypeAlias = Ed25519PublicKey
LONGEST_KEY_FILE = 4096
SHORTEST_PASSPHRASE: Final = 12
LONGEST_PASSPHRASE: Final = 1000
LONGEST_PUBLIC_FILE: Final = 64 * 1024
MOST_PUBLIC: Final = 32
RAW_BYTES: Final = 32
ANY_SEGMENT: Final = "segment-[0-9]*.db"
"""In order, or damaged and kept aside."""


def load_or_create(path: Path, *, record: Path) -> Ed25519PrivateKey:
    """Return the key of a record; make it when there is neither key nor record.

    Raises:
        RecordError: The key cannot be read safely, or is missing while its record exists.
    """
    _settle(path, record)
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
        with suppress(OSError):  # left by a power cut just after the key got its name
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
    _place(path, key)
    return key


def _place(path: Path, key: Ed25519PrivateKey) -> None:
    """Write a key whole or not at all, and never over another; it is on disk when this returns."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    fresh = _fresh(path)
    try:
        fresh.unlink(missing_ok=True)
        _write_new(fresh, pem, mode=0o600)
        path.hardlink_to(fresh)
        fresh.unlink()
        _sync(path.parent)
    except OSError as err:
        raise RecordError(f"{path}: cannot write a new key: {err}") from err


def prepare_next(path: Path, *, record: Path, signs: Ed25519PublicKey | None) -> Ed25519PrivateKey:
    """Make the key that will take over, beside the one that signs now; one that came to nothing goes.

    A change that was interrupted behind its first segment is finished first: its key is the only one of its kind.

    Args:
        path: Where the key that signs now belongs.
        record: The folder of the segments.
        signs: The public half of what signs now; None: of a key that is lost, none is to be at ``path``.

    Raises:
        RecordError: It cannot be written, or what lies there is not what signs now, or signed something.
    """
    following = next_to(path)
    if _exists(following):
        waiting = load(following).public_key().public_bytes_raw()
        if signs is not None and waiting == signs.public_bytes_raw():
            promote(path)
        elif (has_signed := signed(waiting, record)) is not False:
            if has_signed is None:  # nobody can tell: kept, not removed
                _set_aside(following, waiting)
            else:
                raise RecordError(
                    f"{following}: this key signed a part of the record already, and is not the one that signs now; "
                    "nothing was changed. Keep it; start the daemon again, or try again in a moment"
                )
        else:
            try:
                following.unlink()
            except OSError as err:
                raise RecordError(f"{following}: cannot be removed: {err}") from err
    if signs is not None and load(path).public_key().public_bytes_raw() != signs.public_bytes_raw():
        raise RecordError(f"{path}: is not the key that signs the record now; nothing was changed")
    return create(following)


def signed(raw: bytes, record: Path) -> bool | None:
    """Tell whether a segment that is here, in order or kept aside, is signed with a key; None: nobody can tell."""
    certain = True
    try:
        paths = [each for each in record.iterdir() if fnmatch(each.name, ANY_SEGMENT)]
    except OSError:
        return None
    for path in paths:
        try:
            if raw == public_bytes(_named(path) or ""):
                return True
        except RecordError:
            certain = False
    return False if certain else None


def _set_aside(following: Path, raw: bytes) -> None:
    kept = following.with_name(f"{following.name}.kept-{raw[:4].hex()}")
    try:
        following.rename(kept)
    except OSError as err:
        raise RecordError(f"{following}: cannot be set aside: {err}") from err


def begun_under_next(path: Path, record: Path) -> Ed25519PrivateKey | None:
    """Return the prepared key where the newest segment is signed with it already; None where it is not.

    Raises:
        RecordError: Key or segment cannot be read.
    """
    segments = sorted(record.glob(SEGMENT_GLOB))
    if not _exists(next_to(path)) or not segments:
        return None
    key = load(next_to(path))
    named = public_bytes(_named(segments[-1]) or "")
    return key if key.public_key().public_bytes_raw() == named else None


def promote(path: Path) -> None:
    """Let the prepared key take the place of the one before, which is gone then.

    Raises:
        RecordError: It cannot be written.
    """
    try:
        next_to(path).replace(path)
        _sync(path.parent)
    except OSError as err:
        raise RecordError(f"{path}: the new key cannot take its place: {err}") from err


def next_to(path: Path) -> Path:
    """Return where a key lies that takes over from this one."""
    return path.with_name(path.name + ".next")


def back_up(path: Path, to: Path, passphrase: str) -> Ed25519PrivateKey:
    """Write the key, encrypted with a passphrase, into a new file for a place ashore or a safe; return it.

    Raises:
        RecordError: It cannot be read or written, the passphrase is too short, or there is such a file.
    """
    if not SHORTEST_PASSPHRASE <= len(passphrase) <= LONGEST_PASSPHRASE:
        raise RecordError(f"the passphrase has at least {SHORTEST_PASSPHRASE} characters")
    key = load(path)
    sealed = BestAvailableEncryption(passphrase.encode())
    try:
        _write_new(to, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed), mode=0o600)
        _sync(to.absolute().parent)
    except OSError as err:
        raise RecordError(f"{to}: cannot write the key's backup: {err}") from err
    return key


def put_back(backup: Path, passphrase: str, path: Path) -> Ed25519PrivateKey:
    """Put a key back from its backup, where no other key lies; return it.

    Raises:
        RecordError: There is a key, or it cannot be read with this passphrase, or cannot be written.
    """
    try:
        with backup.open("rb") as file:
            pem = file.read(LONGEST_KEY_FILE)
        key = load_pem_private_key(pem, password=passphrase.encode())
    except OSError as err:
        raise RecordError(f"{backup}: cannot be read: {err}") from err
    except (ValueError, TypeError) as err:
        raise RecordError(f"{backup}: no key, or another passphrase") from err
    if not isinstance(key, Ed25519PrivateKey):
        raise RecordError(f"{backup}: not a key of a record")
    _place(path, key)
    return key


def add_public(path: Path, *, name: str, key: Ed25519PublicKey) -> None:
    """Have the public key stand among those for verifiers, the newest last.

    Raises:
        RecordError: It cannot be written.
    """
    try:
        known = path.read_text("utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as err:
        raise RecordError(f"{path}: cannot be read: {err}") from err
    line = verifier_key(name, key)
    if known[-1:] != [line]:
        _write_lines(path, [*(each for each in known if each.strip() and each != line), line])


def known_public(path: Path, *, name: str) -> list[Ed25519PublicKey]:
    """Return the public keys that stand for verifiers under this name, the newest first; none if none is readable."""
    try:
        with path.open(encoding="utf-8") as file:
            lines = file.read(LONGEST_PUBLIC_FILE).splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    found = []
    for line in reversed(lines):
        raw = public_bytes(line.strip())
        if line.partition("+")[0] == name and len(raw) == RAW_BYTES:
            with suppress(ValueError):
                found.append(Ed25519PublicKey.from_public_bytes(raw))
    return found[:MOST_PUBLIC]


def write_public(path: Path, *, name: str, key: Ed25519PublicKey) -> None:
    """Write the public key for verifiers, one line; ``name`` is the origin without the segment.

    Raises:
        RecordError: It cannot be written.
    """
    _write_lines(path, [verifier_key(name, key)])


def vkey_of(segment: Path) -> str | None:
    """Return the key that a segment says it is signed with; None where it says none or cannot be read."""
    with suppress(RecordError):
        return _named(segment)
    return None


def public_bytes(vkey: str) -> bytes:
    """Return the raw public key of a vkey line; nothing where it is none."""
    with suppress(ValueError):
        _, _, encoded = vkey.split("+", 2)  # of which base64 may have more
        return base64.b64decode(encoded, validate=True)[-RAW_BYTES:]
    return b""


def _named(segment: Path) -> str | None:
    """Return the key that a segment names; None where it is of a time that named none, or was never finished.

    Raises:
        RecordError: It cannot be read.
    """
    with store_errors(segment), closing(_reading(segment)) as db:
        if db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None:
            return None
        row = db.execute("SELECT body FROM entry ORDER BY seq LIMIT 1").fetchone()
        said = None if row is None else codec.parse(text(row[0])).open.get("key")
        return said if isinstance(said, str) else None


def _reading(segment: Path) -> apsw.Connection:
    return apsw.Connection(str(segment), flags=apsw.SQLITE_OPEN_READONLY)


def _settle(path: Path, record: Path) -> None:
    """Finish a change of keys that was interrupted behind the first segment of the new one."""
    following = next_to(path)
    with suppress(RecordError, OSError):
        segments = sorted(record.glob(SEGMENT_GLOB))
        if not following.exists() or not segments:
            return
        signs = vkey_of(segments[-1])
        if signs and load(following).public_key().public_bytes_raw() == public_bytes(signs):
            promote(path)


def _write_lines(path: Path, lines: list[str]) -> None:
    content = "".join(f"{line}\n" for line in lines)
    fresh = _fresh(path)
    try:
        fresh.unlink(missing_ok=True)
        _write_new(fresh, content.encode(), mode=0o644)
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
    if status.st_uid not in ownership.owners(path):
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
        ownership.hand_over(file.fileno(), path)
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
