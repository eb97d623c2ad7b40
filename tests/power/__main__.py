"""Does a power cut lose what was told as recorded? The full form: a computer of its own, whose power is taken.

    make powercut        (or: python -m tests.power [--work FOLDER] [--cuts 3])

A small Debian guest runs the record's writer on a disk of its own and says each confirmed number on its serial
console; then the emulator is killed, and with it everything that the guest's kernel had not given to the disk. The
disk's image is read as fsck leaves it and verified. The same with ``synchronous=OFF`` must lose, or the test could
not fail. What it does not show: a disk that lies about its flush, since the image's file outlives the emulator.

Wants Debian's mmdebstrap, qemu-system-x86 and e2fsprogs, and minutes; it needs no /dev/kvm. The guest is built once
and kept in the work folder.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from daemon.record import verify
from tests.record.ship import VKEY

HERE = Path(__file__).resolve().parents[2]
PACKAGES = "linux-image-cloud-amd64,initramfs-tools,python3"
START_S = 600.0
"""An emulated computer on a busy one takes its time."""
LOAD_S = (4.0, 15.0)
"""How long after its first confirmed entry the power goes."""
DISK_MB = 512

INIT = """#!/bin/sh
mount -t proc proc /proc 2>/dev/null
mount -t sysfs sysfs /sys 2>/dev/null
mount -t ext4 /dev/vdb /mnt || exec sleep 1000000
cd /opt/ispsd
stty -opost </dev/ttyS0
for word in $(cat /proc/cmdline); do case $word in cut=*) mode=${word#cut=};; esac; done
echo guest ready >/dev/ttyS0
PYTHONPATH=/opt/ispsd:/opt/ispsd/libraries python3 -m tests.power.writer /mnt/record $mode >/dev/ttyS0 2>&1
echo writer ended >/dev/ttyS0
exec sleep 1000000
"""


@dataclass(frozen=True)
class Cut:
    """What was said before the power went, and what was found afterwards."""

    mode: str
    after_s: float
    recorded: int
    sealed: int
    verdict: str
    found: int
    found_sealed: int
    reason: str

    @property
    def lost(self) -> int:
        return max(0, self.recorded - self.found)

    def line(self) -> str:
        return (
            f"{self.mode:4}  cut {self.after_s:4.1f} s after the first  recorded {self.recorded:6}"
            f"  found {self.found:6}  lost {self.lost:6}  sealed {self.sealed}/{self.found_sealed}"
            f"  {self.verdict}{': ' + self.reason if self.verdict == 'FAIL' else ''}"
        )


def main() -> int:
    """Build what is missing, cut the power, say what was found; 0: nothing lost, and OFF lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.power", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("/var/tmp/ispsd-powercut"))
    parser.add_argument("--cuts", type=int, default=3)
    given = parser.parse_args()
    for program in ("mmdebstrap", "qemu-system-x86_64", "mkfs.ext4", "e2fsck", "debugfs"):
        if shutil.which(program) is None:
            print(f"{program} is missing: apt install mmdebstrap qemu-system-x86 e2fsprogs")
            return 2
    guest = Guest(given.work)
    guest.build()
    cuts = [guest.cut("full", number) for number in range(given.cuts)]
    cuts.append(guest.cut("off", given.cuts))
    kept = all(cut.lost == 0 and cut.verdict != "FAIL" for cut in cuts[:-1])
    kept = kept and all(cut.found_sealed >= cut.sealed for cut in cuts[:-1])
    loses = cuts[-1].lost > 0
    print("nothing confirmed is lost" if kept else "CONFIRMED ENTRIES ARE LOST")
    print("synchronous=OFF loses, as it must" if loses else "OFF LOST NOTHING: this proves nothing")
    return 0 if kept and loses else 1


class Guest:
    """A computer with a disk for the system and one for the record."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._root = work / "root"
        self._system = work / "system.img"
        self._disk = work / "record.img"

    def build(self) -> None:
        """Build the system once; bring ispsd as it is now into it each time."""
        self._work.mkdir(parents=True, exist_ok=True)
        if not (self._root / "etc/os-release").exists():
            print("building the guest (about a minute) ...", flush=True)
            sources = [
                Path("/etc/apt/sources.list"),
                *Path("/etc/apt/sources.list.d").glob("debian*"),
            ]
            _run(
                *("mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm"),
                str(self._root),
                *(str(path) for path in sources if path.is_file()),
            )
        place = self._root / "opt/ispsd"
        shutil.rmtree(place, ignore_errors=True)
        for name in ("daemon", "tests/record", "tests/power"):
            shutil.copytree(HERE / name, place / name)
        for name in ("tests/clocks.py",):
            shutil.copy(HERE / name, place / name)
        for path in _libraries():
            _copy(path, place / "libraries" / path.name)
        init = self._root / "opt/cut"
        init.write_text(INIT)
        init.chmod(0o755)
        self._system.unlink(missing_ok=True)
        _run("mkfs.ext4", "-q", "-d", str(self._root), str(self._system), "2G")

    def cut(self, mode: str, number: int) -> Cut:
        """Run the writer on a new disk, take the power at a random moment, and verify."""
        self._disk.unlink(missing_ok=True)
        _run("mkfs.ext4", "-q", str(self._disk), f"{DISK_MB}M")
        after_s = random.SystemRandom().uniform(*LOAD_S)
        said = self._sail(mode, after_s)
        found = self._work / f"found-{number}"
        shutil.rmtree(found, ignore_errors=True)
        found.mkdir()
        # Replays the journal of the file system, as a computer does when the power comes back.
        _run("e2fsck", "-fy", str(self._disk), allowed=(0, 1))
        _run("debugfs", "-R", f"rdump /record {found}", str(self._disk))
        report = _verified(found / "record")
        cut = Cut(
            mode,
            after_s,
            said["recorded"],
            said["sealed"],
            report["verdict"],
            report["entries"],
            report["sealed"],
            str(report["failure"]),
        )
        print(cut.line(), flush=True)
        return cut

    def _sail(self, mode: str, after_s: float) -> dict[str, int]:
        boot = self._root / "boot"
        kernel, initrd = next(boot.glob("vmlinuz-*")), next(boot.glob("initrd.img-*"))
        qemu = subprocess.Popen(
            [
                *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-smp", "1", "-m", "512"),
                *("-display", "none", "-nodefaults", "-no-reboot", "-serial", "stdio"),
                *("-kernel", str(kernel), "-initrd", str(initrd)),
                *("-append", f"root=/dev/vda ro console=ttyS0 quiet init=/opt/cut cut={mode}"),
                *("-drive", f"file={self._system},format=raw,if=virtio,readonly=off"),
                *("-drive", f"file={self._disk},format=raw,if=virtio,cache=writeback"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        lines: list[bytes] = []
        first, ended = threading.Event(), threading.Event()

        def listen() -> None:
            assert qemu.stdout is not None
            for line in qemu.stdout:
                lines.append(line)
                if line.startswith((b"recorded ", b"writer ended")):
                    first.set()
            ended.set()
            first.set()

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            first.wait(START_S)
            ended.wait(after_s)
        finally:
            qemu.kill()
            qemu.wait()
            listener.join()
        highest = {"recorded": 0, "sealed": 0}
        for line in lines:
            words = line.split()
            # What is not a whole line was not said.
            if (
                line.endswith(b"\n")
                and len(words) == 2
                and words[0].decode("ascii", "replace") in highest
            ):
                highest[words[0].decode()] = int(words[1])
        if not highest["recorded"]:
            sys.stdout.write(b"".join(lines[-40:]).decode("utf-8", "replace"))
            raise SystemExit("the guest wrote nothing")
        return highest


def _verified(folder: Path) -> dict[str, object]:
    if not any(folder.glob("segment-*.db")):
        return {"verdict": "INCONCLUSIVE", "entries": 0, "sealed": 0, "failure": "no segment"}
    return verify.report(verify.verify(folder, verify.read_keys(VKEY), []))


def _libraries() -> set[Path]:
    """Return what the writer imports beside Python itself."""
    program = (
        "import sys, tests.power.writer\n"
        "for name in sorted({each.partition('.')[0] for each in sys.modules}):\n"
        "    print(getattr(sys.modules.get(name), '__file__', None) or '')"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=HERE, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    files = [Path(line) for line in said.splitlines() if "site-packages" in line]
    return {path.parent if path.name.startswith("__init__.") else path for path in files}


def _copy(path: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, place)
    else:
        shutil.copy(path, place)


def _run(*command: str, allowed: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode not in allowed:
        sys.stdout.write(done.stdout[-4000:])
        raise SystemExit(f"{command[0]} ended with {done.returncode}")


if __name__ == "__main__":
    os.nice(5)
    began_s = time.monotonic()
    code = main()
    print(f"{time.monotonic() - began_s:.0f} s in all")
    sys.exit(code)
