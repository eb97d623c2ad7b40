"""Build the record: by which key it is sealed, where it lies, and how far a file of it may grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.computer import logs
from daemon.errors import RecordError
from daemon.office import safekeeping
from daemon.record import keys
from daemon.record.log import Record
from daemon.record.scribe import Limits

if TYPE_CHECKING:
    from daemon.computer.clock import Clock
    from daemon.computer.entropy import Entropy
    from daemon.config import Config


def record(config: Config, *, origin: str, clock: Clock, entropy: Entropy, software: str) -> Record:
    """Return the record of this ship, which is not open yet."""
    section = config.record

    def find_key() -> keys.PrivateKey:
        return _key(config, origin)

    try:
        key, again = find_key(), None
    except RecordError:
        # The watch is kept all the same (invariant 5); opening the record says why it is not.
        key, again = keys.placeholder(), find_key
    return Record(
        section.directory,
        origin=origin,
        key=key,
        find_key=again,
        clock=clock,
        entropy=entropy,
        software=software,
        configuration=config.sha256,
        evidence_quota_bytes=section.evidence_quota_bytes,
        limits=Limits(section.rotate_entries, section.rotate_years, safekeeping.WITNESS_S),
        copy_directory=section.copy_directory,
        public_key_file=section.public_key_file,
    )


def _key(config: Config, origin: str) -> keys.PrivateKey:
    """Return the key of the record, and see that verifiers find its public half.

    Raises:
        RecordError: It cannot be read safely, or is missing while its record exists.
    """
    section = config.record
    key = keys.load_or_create(section.key_file, record=section.directory)
    try:
        keys.add_public(section.public_key_file, name=origin, key=key.public_key())
    except (RecordError, OSError) as err:
        logs.get("app").error("record.no_public_key", reason=str(err))
    return key
