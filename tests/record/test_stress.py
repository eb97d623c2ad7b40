"""Real processes on disks that fail: what was told as recorded is found, the loop goes on, and the gap is an entry."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import apsw
import pytest

from daemon.record import verify
from tests.needed import needs
from tests.record.ship import VKEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = 400
NOBODY = "65534"
pytestmark = pytest.mark.timeout(120)


def sailed(folder: Path, *before: str, count: int = COUNT) -> list[str]:
    """Let the child sail to its end; return its lines."""
    with sailing(
        *before, sys.executable, "-m", "tests.record.stress_child", str(folder), str(count)
    ) as child:
        lines = [line.rstrip("\n") for line in child.stdout or ()]
        assert child.wait() == 0
    assert lines[-1] == "stopped"
    return lines


def injected(folder: Path, fault: str) -> list[str]:
    """Sail with a fault injected into the child's system calls."""
    needs(shutil.which("strace") is not None, "strace (apt install strace)")
    call = fault.partition(":")[0]
    trace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}")
    return sailed(folder, *trace, "-e", f"inject={fault}")


def fill(ballast: Path) -> bool:
    """Take every byte that is left."""
    try:
        with ballast.open("wb", 0) as file:
            while file.write(bytes(4096)):
                pass
    except OSError as err:
        return err.errno == errno.ENOSPC
    return False


def failed(lines: list[str]) -> bool:
    return any(line.startswith("health False") for line in lines)


def entries(folder: Path) -> dict[int, dict]:
    found = {}
    for path in sorted(folder.glob("segment-*.db")):
        with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as db:
            found |= {
                seq: json.loads(body) for seq, body in db.execute("SELECT seq, body FROM entry")
            }
    return found


def nothing_told_is_missing(folder: Path, lines: list[str], *, count: int = COUNT) -> int:
    """Hold what the child was told against what is on disk; return how many it was told are lost."""
    found = entries(folder)
    words = [line.split() for line in lines]
    told = {int(w[1]): int(w[2]) for w in words if w[0] == "recorded"}
    lost = {int(w[1]) for w in words if w[0] == "lost"}
    assert told.keys() | lost == set(range(count + 1))
    assert not told.keys() & lost
    for number, seq in told.items():
        subject = f"d{number}" if number < count else "last"
        assert found[seq]["subject"] == subject, "under the number that was told"
    subjects = [e["subject"] for e in found.values() if e["type"] == "alert.changed"]
    assert len(subjects) == len(set(subjects)), "nothing is written twice"
    gaps = [e["open"]["lost"] for e in found.values() if e["type"] == "record.gap"]
    assert sum(gaps) == len(lost), "the gap is an entry, and counts what is lost"
    assert not list(folder.glob("*.damaged-*")), "a disk that refuses has damaged nothing"
    assert verify.verify(folder, verify.read_keys(VKEY), []).word != "FAIL"
    return len(lost)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("fdatasync:error=EIO:when=60..61", "disk I/O error"),
        ("pwrite64:error=ENOSPC:when=400..402", "FullError"),
        ("pwrite64:error=EROFS:when=400..402", "I/O error"),
    ],
)
def test_a_disk_that_refuses_loses_nothing_that_was_told_and_holds_up_nothing(
    tmp_path: Path, fault: str, reason: str
):
    lines = injected(tmp_path / "record", fault)
    bad = [line for line in lines if line.startswith("health False")]
    assert any(reason in line for line in bad), bad
    assert "loop goes on" in lines[lines.index(bad[0]) :]
    nothing_told_is_missing(tmp_path / "record", lines)


def test_a_slow_disk_delays_only_what_waits_for_it(tmp_path: Path):
    lines = injected(tmp_path / "record", "fdatasync:delay_enter=50000")
    assert not [line for line in lines if line.startswith("health False")]
    assert nothing_told_is_missing(tmp_path / "record", lines) >= 0


def test_a_disk_that_hangs_shows_in_the_health_and_not_in_the_loop(tmp_path: Path):
    lines = injected(tmp_path / "record", "fdatasync:delay_enter=3000000:when=60")
    hung = lines.index("health True True ")
    assert "loop goes on" in lines[hung:]
    assert nothing_told_is_missing(tmp_path / "record", lines) > 0, "so long that there is a gap"


@contextmanager
def sailing(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Give a child that is sailing; whatever happens, none is left."""
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # what strace traces outlives strace
    )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 32 MB: the log alone takes 4 before SQLite moves it into the file."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m", "ispsd-test", str(place)],
        check=False,
        stderr=subprocess.DEVNULL,
    )
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs needs root and a kernel that lets it")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_really_full_is_written_to_again_when_there_is_room(small_disk: Path):
    folder, ballast = small_disk / "record", small_disk / "ballast"
    filled = False
    lines = []
    with sailing(
        sys.executable, "-m", "tests.record.stress_child", str(folder), str(COUNT)
    ) as child:
        for line in child.stdout or ():
            lines.append(line.rstrip("\n"))
            if (
                line.startswith("recorded ") and not filled
            ):  # somebody else fills the disk to its last byte
                filled = fill(ballast)
            if line == "loop goes on\n" and ballast.exists() and failed(lines):
                ballast.unlink()
        assert child.wait() == 0
    assert failed(lines)
    assert nothing_told_is_missing(folder, lines) > 0


def test_a_folder_that_only_others_may_write_is_opened_as_soon_as_it_may(tmp_path: Path):
    needs_root = os.geteuid() == 0 and shutil.which("setpriv") is not None
    if not needs_root:
        pytest.skip("becoming another user needs root")
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)
    folder = tmp_path / "record"
    folder.mkdir(mode=0o555)
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    if subprocess.run(
        [*command, sys.executable, "-c", "import daemon.record.log, tests.record.ship"],
        check=False,
        stderr=subprocess.DEVNULL,
    ).returncode:
        pytest.skip("another user cannot read this checkout")
    lines = []
    with sailing(
        *command, sys.executable, "-m", "tests.record.stress_child", str(folder), "100"
    ) as child:
        for line in child.stdout or ():
            lines.append(line.rstrip("\n"))
            if line == "loop goes on\n":
                os.chown(folder, int(NOBODY), int(NOBODY))
                folder.chmod(0o755)
        assert child.wait() == 0
    assert failed(lines)
    nothing_told_is_missing(folder, lines, count=100)
