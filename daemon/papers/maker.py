"""Make one paper from a snapshot, as a program of its own: ``python -I -m daemon.papers.maker``.

The daemon starts it for the SSO's pages. What is wanted comes as one line of JSON on its input, so that no list of
processes shows who receives what; how far it has come goes line by line to its output, the last line is what came of
it. It bounds its own memory, processor time and file size before it reads, and is the first to go where memory is
short: the watch comes first.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daemon.control import fields
from daemon.errors import IspsdError
from daemon.papers import outcome
from daemon.papers.making import Asked
from daemon.papers.moments import Period
from daemon.papers.release import Release
from daemon.papers.steps import FAILED, MADE, TOO_LARGE
from daemon.record.snapshot import ROOM_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.papers.steps import Step

LARGEST_WISH: Final = 1024 * 1024
LARGEST_DATA: Final = 800 * 1024 * 1024
"""Bytes of private memory. A month of the sample ship's log as PDF takes a fifth of it, fourteen months nearly all."""
CPU_S: Final = 1200
LEAST_FILE: Final = 1024 * 1024


def main() -> int:
    """Make what is wanted; return the exit code."""
    _bound()
    try:
        asked = json.loads(sys.stdin.buffer.readline(LARGEST_WISH))
        out = Path(asked["out"])
        _bound_file(out.parent)
        _tell({"made": _made(asked, out)})
    except (IspsdError, OSError, ValueError, KeyError, TypeError) as err:
        return _fail(str(err))
    except MemoryError:
        return _fail(TOO_LARGE)
    return MADE


def _made(asked: Mapping[str, Any], out: Path) -> dict[str, Json]:
    paper = outcome.made(
        Asked(asked["what"], Release(**asked["release"]), asked["seq"]),
        asked["form"],
        Period(_moment(asked["from"]), _moment(asked["to"])),
        folder=Path(asked["folder"]),
        keys=asked["keys"],
        anchors=asked["anchors"],
        profile=asked["profile"],
        now=datetime.now(UTC),
        say=_say,
    )
    written = outcome.write(paper, out, say=_say)
    return {
        "files": [
            {"name": each.path.name, "bytes": each.size, "sha256": each.sha256} for each in written
        ],
        "sha256": paper.sha256,
        "bytes": paper.size,
        "pages": paper.pages,
        "verdict": paper.proof.verdict,
        "sentence": paper.proof.sentence(),
    }


def _say(step: Step) -> None:
    _tell({"step": step.said()})


def _tell(said: Mapping[str, Json]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _fail(reason: str) -> int:
    _tell({"failed": fields.as_writable(reason) or "it cannot be made"})
    return FAILED


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _bound() -> None:
    os.umask(0o077)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    for limit, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_DATA, LARGEST_DATA),
    ):
        _limit(limit, most)


def _bound_file(folder: Path) -> None:
    """Leave the record the room that it needs itself."""
    free = shutil.disk_usage(folder).free - ROOM_BYTES
    _limit(resource.RLIMIT_FSIZE, max(free, LEAST_FILE))


def _limit(limit: int, most: int) -> None:
    """Set a limit, or keep one that is narrower."""
    _, hard = resource.getrlimit(limit)
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(limit, (least, least))


if __name__ == "__main__":
    sys.exit(main())
