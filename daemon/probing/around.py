"""Is what ispsd needs beside its devices there: broker and login, the second copy's folder, the panel's port?"""

from __future__ import annotations

import asyncio
import os
import pwd
import secrets as draw
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from daemon.bam import wire
from daemon.computer.ownership import groups_of, may_make_files
from daemon.config import broker
from daemon.errors import LinkError
from daemon.mqtt.connection import Connection
from daemon.probing.devices import at_rest
from daemon.probing.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from daemon.bam.settings import BamSection
    from daemon.computer.clock import Clock
    from daemon.config import Config
    from daemon.mqtt.wire import Broker

DISK_S: Final = 5.0
"""A folder that takes so long to write one byte is one on a medium that hangs."""
SERVICE_WRITES: Final = Path("/srv/ispsd-copy")
"""Where the package's unit lets the service write a second copy (``ReadWritePaths`` of ``ispsd.service``)."""


def looks(
    config: Config, *, secrets: Path, clock: Clock
) -> Iterator[tuple[str, Awaitable[Finding]]]:
    """Yield what is to be looked at, by name."""
    reached = broker(config.mqtt)
    if reached.password_file is not None:
        reached = replace(reached, password_file=at_rest(reached.password_file, secrets))
    yield "broker", _broker(reached)
    if config.record.copy_directory is not None:
        record = config.record
        yield (
            "second copy",
            _copy(
                config.record.copy_directory,
                record.directory,
                may_share_disk=record.copy_may_share_disk,
            ),
        )
    if config.bam is not None:
        yield "bam", _panel(config.bam, clock)


async def _broker(reached: Broker) -> Finding:
    what = f"{reached.place}, as {reached.user or 'nobody'}"
    # A name of its own: whoever takes the daemon's would throw it off the broker.
    connection = Connection(reached, client_id=f"ispsd-probe-{draw.token_hex(6)}")
    try:
        await connection.connect()
    except LinkError as err:
        advice = "systemctl status mosquitto; user and password are those that `ispsd init` made"
        return Finding("broker", what, str(err), advice=advice)
    await connection.disconnect()
    return Finding("broker", what, seen="lets us in")


async def _copy(folder: Path, record: Path, *, may_share_disk: bool) -> Finding:
    """Look at the second copy's folder, in time; ``record`` is where the record is, whose disk it may not share."""
    try:
        async with asyncio.timeout(DISK_S):
            return await asyncio.to_thread(_written, folder, record, may_share_disk=may_share_disk)
    except TimeoutError:
        wrong = f"takes nothing within {DISK_S:g} s"
        return Finding("second copy", str(folder), wrong, advice="the medium hangs: look at dmesg")


def _written(folder: Path, record: Path, *, may_share_disk: bool) -> Finding:
    try:
        status = folder.stat()
        service = record.stat() if record.exists() else None
        if not may_share_disk and service is not None and service.st_dev == status.st_dev:
            wrong = "lies on the record's own disk"
            advice = "is its medium mounted? Where that is meant: copy_may_share_disk = true"
            return Finding("second copy", str(folder), wrong, advice=advice)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".ispsd-probe-") as file:
            file.write(b"1")
            file.flush()
            os.fsync(file.fileno())
    except OSError as err:
        advice = "is its medium mounted, and does it belong to the user ispsd (docs/procedures.md)?"
        return Finding("second copy", str(folder), err.strerror or str(err), advice=advice)
    if os.geteuid() == 0 and not _is_the_services(status, service):
        wrong = f"belongs to {_user(status.st_uid)}: the service may not write there"
        advice = "docs/procedures.md: install -d -o ispsd -g ispsd -m 0700"
        return Finding("second copy", str(folder), wrong, advice=advice)
    seen = "can be written"
    if SERVICE_WRITES not in folder.parents:
        seen += f"; with the package's unit the service writes below {SERVICE_WRITES} only"
    return Finding("second copy", str(folder), seen=seen)


def _is_the_services(folder: os.stat_result, service: os.stat_result | None) -> bool:
    """Return whether the service, whose record's folder this is, may write in another; root may everywhere."""
    if service is None or service.st_uid == 0:
        return folder.st_uid != 0  # nobody knows who the service is, but it is not root
    groups = groups_of(service.st_uid, service.st_gid)
    return may_make_files(folder, user=service.st_uid, groups=groups)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


async def _panel(section: BamSection, clock: Clock) -> Finding:
    try:
        async with wire.opened(section, clock=clock, dropped=Counter()):
            return Finding("bam", section.name, seen="can be opened; nothing was sent")
    except LinkError as err:
        return Finding("bam", section.name, str(err))
