"""``ispsd doctor``: what is wrong with ispsd itself, in plain words, and one file for whoever mends it.

The file holds no secret, no place and nothing of class ``sso``: not the ship's file, no credentials, no record.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import platform
import shutil
import subprocess
import tarfile
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon import config
from daemon.computer.clock import SystemClock
from daemon.console import findings
from daemon.console.asking import DEFAULT_CONFIG, DONE, FAILED, asking, must_be_here, say
from daemon.console.findings import Finding
from daemon.errors import ConfigError, IspsdError
from daemon.record.diskroom import room
from daemon.setup import certificates
from daemon.setup.places import SETUP, Places
from daemon.wording.terminal import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

JOURNAL_LINES: Final = 5000
MOST_LINES: Final = 400
"""Of the journal, the newest that warn."""
LONGEST_LINE: Final = 1000
WITHIN_S: Final = 20.0
STATE: Final = Path("/var/lib/ispsd")
ROOT: Final = Path("/")
UNITS: Final = ("ispsd", "ispsd-web", "mosquitto")
PROPERTIES: Final = (
    "UnitFileState",
    "ActiveState",
    "SubState",
    "NRestarts",
    "MemoryCurrent",
    "ExecMainStartTimestamp",
)
MODE: Final = 0o600


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = asking(commands, "doctor", "say what is wrong with ispsd itself, and what to do")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="the ship's file")
    parser.add_argument(
        "--bundle", type=Path, metavar="FILE", help="write what was found into one file: x.tar.gz"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(act=_doctor)


def _doctor(given: argparse.Namespace) -> int:
    status: Mapping[str, Any] | None = None
    found: list[Finding] = []
    try:
        status = _status(given)
    except IspsdError as err:
        advice = "systemctl status ispsd; journalctl -u ispsd -n 50; is this its computer, and are you root?"
        found.append(Finding(f"ispsd does not answer ({err})", advice, is_grave=True))
    system = _system(given.config)
    if status is not None:
        found += findings.of_daemon(status)
    found += findings.of_computer(system)
    found.sort(key=lambda each: not each.is_grave)
    if given.json:
        rows = [{"what": e.what, "advice": e.advice, "grave": e.is_grave} for e in found]
        say(json.dumps({"findings": rows, "system": system}, ensure_ascii=False))
    else:
        for each in found:
            say(printable(each.line()))
        count = "1 finding" if len(found) == 1 else f"{len(found)} findings"
        say(count if found else "nothing is wrong that ispsd can see")
    if given.bundle is not None:
        size = _write(given.bundle, found, status, system)
        say(
            f"{given.bundle}: {size} bytes; no secret, no place and nothing for the SSO alone is in it"
        )
    return FAILED if any(each.is_grave for each in found) else DONE


def _status(given: argparse.Namespace) -> Mapping[str, Any]:
    """Return the daemon's answer; one that hangs is one that does not answer.

    Raises:
        IspsdError: There is none.
    """
    from daemon.console import live  # noqa: PLC0415 (the other subcommands start faster without it)

    must_be_here(given)
    return asyncio.run(live.asked(given.socket, sso=False, clock=SystemClock()))


def _system(ship_file: Path) -> dict[str, Any]:
    """Return what the computer says of itself; what cannot be asked is left empty."""
    folder, file = _ship_file(ship_file)
    return {
        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "ispsd": version("ispsd"),
        "python": platform.python_version(),
        "computer": platform.platform(),
        "packages": sorted(f"{each.name} {each.version}" for each in distributions()),
        "disks": [{"folder": str(folder), **room(folder)}],
        "services": {unit: _service(unit) for unit in UNITS},
        "ship_file": file,
        "certificate": _certificate(),
    }


def _ship_file(path: Path) -> tuple[Path, dict[str, Any]]:
    """Return where the record is, and what is wrong with the ship's file; not a word of what stands in it."""
    said: dict[str, Any] = {"path": str(path), "unreadable": None, "faults": 0}
    try:
        path.open("rb").close()
    except OSError as err:
        return STATE, {**said, "unreadable": err.strerror or str(err)}
    try:
        return config.load(path).record.directory, said
    except ConfigError as err:
        return STATE, {**said, "faults": len(err.faults)}
    except (IspsdError, OSError):
        return STATE, {**said, "unreadable": "cannot be read"}


def _certificate() -> dict[str, Any] | None:
    """Return how long the broker's certificate is good; None where there is none, or nobody here may look."""
    try:
        found = certificates.found(Places(ROOT, ROOT / SETUP))
    except (IspsdError, OSError):
        return None
    if found is None:
        return None
    days = (found.ends_utc - datetime.now(UTC)).days
    return {"ends": f"{found.ends_utc:%Y-%m-%d}", "days": days}


def _service(unit: str) -> dict[str, str]:
    lines = _said(
        "systemctl", "show", f"{unit}.service", "--property", ",".join(PROPERTIES)
    ).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _journal() -> str:
    """Return the newest lines of the journal that warn; the log holds nothing that only the SSO may read."""
    words = ("journalctl", "-u", "ispsd", "-n", str(JOURNAL_LINES), "-o", "cat", "--no-pager")
    lines = _said(*words).splitlines()
    warning = [
        line for line in lines if '"level": "info"' not in line and '"level": "debug"' not in line
    ]
    return "\n".join(line[:LONGEST_LINE] for line in warning[-MOST_LINES:]) + "\n"


def _said(program: str, *words: str) -> str:
    """Return what a program of the system says; nothing where it is not there, or says nothing in time."""
    if (found := shutil.which(program)) is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 (our own words)
            [found, *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _write(
    path: Path, found: list[Finding], status: Mapping[str, Any] | None, system: Mapping[str, Any]
) -> int:
    """Write the bundle, for its owner alone; return its bytes.

    Raises:
        IspsdError: It is there already, or cannot be written.
    """
    files = {
        "findings.txt": "\n".join(each.line() for each in found) + "\n",
        "status.json": json.dumps(status, indent=1, ensure_ascii=False) + "\n",
        "system.json": json.dumps(system, indent=1, ensure_ascii=False) + "\n",
        "journal.txt": _journal(),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            content = text.encode("utf-8", "backslashreplace")
            entry = tarfile.TarInfo(f"ispsd-doctor/{name}")
            entry.size, entry.mode = len(content), MODE
            archive.addfile(entry, io.BytesIO(content))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(packed.getvalue())
    except OSError as err:
        raise IspsdError(f"{path}: cannot be written: {err.strerror or err}") from err
    return len(packed.getvalue())
