"""Is there a state directory and the record's key, and does the public key beside it tell the truth?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.record import keys
from daemon.record.checkpoint import fingerprint, verifier_key
from daemon.record.schema import SEGMENT_GLOB
from daemon.setup import files
from daemon.setup.files import SetupError

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.config import Config
    from daemon.setup.places import Places


@dataclass(frozen=True, slots=True)
class RecordKey:
    """The key that signs the record, as far as it may be shown.

    Attributes:
        vkey: The line that verifiers are given.
        fingerprint: What people compare: five groups of four digits.
    """

    path: Path
    public_path: Path
    vkey: str
    fingerprint: str


def state_folders(config: Config, places: Places) -> list[Path]:
    """Return the folders in which record and key live; the record's own is the daemon's to make."""
    found = [places.at(config.record.directory).parent, places.key(config).parent]
    return list(dict.fromkeys(found))


def record_exists(config: Config, places: Places) -> bool:
    """Return whether entries were ever written."""
    return any(places.at(config.record.directory).glob(SEGMENT_GLOB))


def make(config: Config, places: Places) -> tuple[RecordKey, list[Path]]:
    """Return the key, made where there is neither key nor record, and the paths of what was made.

    Raises:
        SetupError: The public key that is there is of another key.
        RecordError: The key cannot be read safely, or is missing while its record exists.
    """
    made = [path for path in state_folders(config, places) if files.folder(path)]
    key_path = places.key(config)
    if not files.exists(key_path):
        made.append(key_path)
    key = keys.load_or_create(key_path, record=places.at(config.record.directory))
    for each in (
        key_path,
        places.at(config.record.directory),
        places.at(config.credentials_file),
    ):  # what was restored or adopted by root
        files.hand_over(each)
    origin = f"{config.record.origin}/{config.ship.imo_number}"
    public_path = places.at(config.record.public_key_file)
    shown = RecordKey(
        key_path,
        public_path,
        verifier_key(origin, key.public_key()),
        fingerprint(key.public_key()),
    )
    if not files.exists(public_path):
        files.replace(public_path, f"{shown.vkey}\n".encode(), mode=files.READABLE)
        made.append(public_path)
    elif _newest(public_path) != shown.vkey:
        raise SetupError(
            f"{public_path}: is not the public key of {key_path} for {origin}. Which of the two is the ship's? "
            "Put the right key back, or move the wrong public key away"
        )
    return shown, made


def _newest(path: Path) -> str:
    """Return the last line: a key that was changed has its predecessors above it."""
    known = files.read(path).decode("utf-8", "replace").split()
    return known[-1] if known else ""
