"""Does the package make a bridge computer out of Debian? The full form: a computer of its own that really boots.

    make boot        (or: python -m tests.boot [--short] [--work FOLDER] [--package FILE.deb])

A small Debian is made once and kept in the work folder; its systemd boots in a container without any network. There the
package is installed by the commands of docs/procedures.md, the watch is killed, hung, starved of disk, rebooted with an
alert open, brought to the next version and taken away again. What each step came to is printed, and the exit code is
that of all; 77 where this computer cannot boot one at all, with the reason.

Wants root, Debian's mmdebstrap and systemd-container, and minutes; the short form less of them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests import thin

HERE = Path(__file__).resolve().parents[2]
PACKAGES = "systemd,systemd-sysv,dbus,udev,libnss-systemd,python3,procps,iproute2"
"""A little less than a freshly installed Debian has."""
ON_THE_STICK = "mosquitto mosquitto-clients alsa-utils"
FETCHED = "srv/debian"
STICK = "media/usb"
GUEST = ("ailing.py", "computer.py", "document.py", "guest.py", "hanging.py", "newcomer.py")
SKIPPED = 77
"""As automake counts it: nothing was tried."""
STORY = "srv/story"
"""Where the guest finds what it is about, and leaves what came of it."""
BOOTS = 4
"""So often at most: the story asks for two."""
BOOT_S = 900.0
DISK_MB = 256
NEXT_VERSION = "26.2"
UNIT = """\
[Unit]
Description=the story of the boot test
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 /srv/story/guest.py
ExecStopPost=/bin/systemctl --no-block start systemd-poweroff.service
TimeoutStartSec=infinity

[Install]
WantedBy=multi-user.target
"""


def main() -> int:
    """Tell the story; return 0 where all of it went well."""
    parser = argparse.ArgumentParser(prog="python -m tests.boot")
    parser.add_argument("--work", type=Path, default=HERE / "build" / "boot")
    parser.add_argument("--package", type=Path)
    parser.add_argument("--short", action="store_true", help="what a change is tried with")
    given = parser.parse_args()
    # Whoever is told to stop still ends the computer that it has booted, and gives back its disk.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return tell(given)
    except CannotBootError as err:
        print(f"SKIPPED: no computer can be booted here: {err}", flush=True)
        return SKIPPED


def tell(given: argparse.Namespace) -> int:
    """Set a computer up, boot it until its story ends, and print that.

    Raises:
        CannotBootError: Not here.
    """
    must_be_able()
    package = given.package or newest_package()
    given.work.mkdir(parents=True, exist_ok=True)
    (given.work / "console.log").unlink(missing_ok=True)
    root = fresh_root(given.work)
    story = root / STORY
    story.mkdir(parents=True)
    shutil.copy(package, root / STICK)
    make_next(package, given.work, story / "next.deb")
    write_ship(root / STICK / "my-ship.toml")
    shutil.copy(HERE / "docs/procedures.md", story)
    for each in GUEST:
        shutil.copy(Path(__file__).with_name(each), story / each)
    if given.short:
        (story / "short").touch()
    (root / "etc/systemd/system/story.service").write_text(UNIT)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "story.service").symlink_to("/etc/systemd/system/story.service")
    if given.short:
        return told(booted(root))
    disk = state_disk(given.work, root / "var/lib")
    try:
        return told(booted(root, f"--bind={disk}:/var/lib"))
    finally:
        subprocess.run(["umount", disk], check=False)


def booted(root: Path, *options: str) -> list[dict[str, object]]:
    """Boot it as often as its story wants; return what it has written down.

    Raises:
        CannotBootError: It did not even begin.
    """
    for _ in range(BOOTS):
        ended = boot(root, *options)
        said = report(root)
        if ended and not said:
            console = (root.parent / "console.log").read_text("utf-8", errors="replace")
            raise CannotBootError(f"systemd-nspawn ends with {ended}: {console.strip()[-300:]}")
        if said and said[-1]["step"] == "end":
            break
    return report(root)


class CannotBootError(Exception):
    """This computer is not one on which another can be booted: nothing was tried."""


def must_be_able() -> None:
    """Refuse where what is wanted is not here.

    Raises:
        CannotBootError: Say what.
    """
    if os.geteuid() != 0:
        raise CannotBootError("it wants root")
    lacks = [each for each in ("mmdebstrap", "systemd-nspawn") if shutil.which(each) is None]
    if lacks:
        raise CannotBootError(f"{' and '.join(lacks)} not here")


def newest_package() -> Path:
    """Return the package that `make deb` has made."""
    found = sorted((HERE / "build/deb").glob("ispsd_*.deb"))
    if not found:
        raise SystemExit("there is no package yet: make deb")
    return found[-1]


def fresh_root(work: Path) -> Path:
    """Return a Debian on which nothing was ever installed."""
    base, root = work / "base", work / "root"
    if not (base / "etc/debian_version").exists():
        half = work / "base.half"  # until it is a whole one
        remove(half)
        print("making a small Debian (once)", flush=True)
        code, said = ended_in_order(
            ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}",
             '--customize-hook=chroot "$1" apt-get clean',
             '--customize-hook=chroot "$1" apt-get install --yes --quiet=2 --no-install-recommends --download-only '
             f"{ON_THE_STICK} >/dev/null",
             f'--customize-hook=mkdir -p "$1/{FETCHED}" && mv "$1"/var/cache/apt/archives/*.deb "$1/{FETCHED}"',
             "bookworm", half],
        )  # fmt: skip
        if code:
            remove(half)
            raise CannotBootError(f"no Debian could be made: {said.strip()[-300:]}")
        remove(base)
        half.rename(base)
    remove(root)
    subprocess.run(["cp", "-a", base, root], check=True)
    (root / STICK).mkdir(parents=True)
    (root / FETCHED).rename(root / STICK / "debian")
    return root


def ended_in_order(words: list[str | Path]) -> tuple[int, str]:
    """Run a program that mounts, and is asked to end, not killed; return how it ended, and its complaints."""
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        try:
            said = process.communicate()[1]
        except KeyboardInterrupt:
            process.terminate()  # it takes its mounts away before it ends
            process.communicate()
            raise
    return process.returncode, said


def remove(folder: Path) -> None:
    """Remove a Debian; not where something of this computer is mounted in it, which would be removed too.

    Raises:
        SystemExit: It is.
    """
    here = folder.resolve()
    mounts = [Path(line.split()[1]) for line in Path("/proc/self/mounts").read_text().splitlines()]
    if mounted := [str(each) for each in mounts if each.is_relative_to(here)]:
        raise SystemExit(f"not removed, for it is mounted: {', '.join(mounted)}")
    shutil.rmtree(folder, ignore_errors=True)


def make_next(package: Path, work: Path, out: Path) -> None:
    """Make a package of the next version: the same program with another number."""
    place = work / "next"
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run(["dpkg-deb", "-R", package, place], check=True)
    control = place / "DEBIAN/control"
    lines = control.read_text().splitlines()
    control.write_text(
        "\n".join(f"Version: {NEXT_VERSION}" if x.startswith("Version:") else x for x in lines)
        + "\n"
    )
    [info] = (place / "opt/ispsd").rglob("ispsd-*.dist-info")
    metadata = info / "METADATA"
    lines = metadata.read_text("utf-8").splitlines()
    metadata.write_text(
        "\n".join(f"Version: {NEXT_VERSION}" if x.startswith("Version:") else x for x in lines)
        + "\n",
        "utf-8",
    )
    info.rename(info.with_name(f"ispsd-{NEXT_VERSION}.dist-info"))
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "--build", place, out],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    shutil.rmtree(place)


def write_ship(path: Path) -> None:
    """Write the ship's file: her one I/O unit is simulated in the guest, her other devices are nowhere."""
    login = 'user = "ispsd"\npassword_file = "credential:mqtt-password"'
    text = thin.text(state="/var/lib/ispsd", mqtt_port=1883, mqtt_login=login, io1_port=1502)
    text = text.replace(
        'socket = "/var/lib/ispsd/control.sock"',
        'socket = "/run/ispsd/control.sock"\nweb_user = "ispsd-web"',
    )
    path.write_text(text, "utf-8")


def state_disk(work: Path, content: Path) -> Path:
    """Return the mounted disk that is the guest's /var/lib: small enough to be filled."""
    image, place = work / "state.img", work / "state"
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(DISK_MB * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    subprocess.run(["cp", "-a", f"{content}/.", place], check=True)
    return place


def boot(root: Path, *options: str) -> int:
    """Boot it once, until it powers off; return how that ended."""
    with (root.parent / "console.log").open("ab") as console:
        return subprocess.run(
            ["systemd-nspawn", "-q", "-D", root, "-b", "--register=no", "--keep-unit",
             "--private-network", *options],
            check=False, stdin=subprocess.DEVNULL, stdout=console, stderr=console, timeout=BOOT_S,
        ).returncode  # fmt: skip


def report(root: Path) -> list[dict[str, object]]:
    """Return what the guest has written down."""
    path = root / STORY / "report.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def told(said: list[dict[str, object]]) -> int:
    """Print it; return 0 where every step was as it has to be, and there was an end."""
    for each in said:
        print(f"{'ok  ' if each['ok'] else 'FAIL'} {each['step']}: {each['said']}")
    is_whole = bool(said) and said[-1]["step"] == "end"
    if not is_whole:
        print("FAIL the story did not come to its end: see console.log")
    return 0 if is_whole and all(each["ok"] for each in said) else 1


if __name__ == "__main__":
    sys.exit(main())
