"""Does the package make a bridge computer out of Debian? The full form: a computer of its own that really boots.

    make boot        (or: python -m tests.boot [--work FOLDER] [--package FILE.deb])

A small Debian is made once and kept in the work folder; its systemd boots in a container without any network. There the
package is installed as an ETO would, the watch is started, killed, hung, starved of disk, rebooted with an alert open,
brought to the next version and taken away again. What each step came to is printed, and the exit code is that of all.

Wants root, Debian's mmdebstrap and systemd-container, and minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests import thin

HERE = Path(__file__).resolve().parents[2]
PACKAGES = (
    "systemd,systemd-sysv,dbus,udev,libnss-systemd,mosquitto,mosquitto-clients,python3,procps"
)
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
    given = parser.parse_args()
    package = given.package or newest_package()
    given.work.mkdir(parents=True, exist_ok=True)
    root = fresh_root(given.work)
    story = root / STORY
    story.mkdir(parents=True)
    shutil.copy(package, story / "ispsd.deb")
    make_next(package, given.work, story / "next.deb")
    write_ship(story / "ispsd.toml")
    for each in ("guest.py", "hanging.py"):
        shutil.copy(Path(__file__).with_name(each), story / each)
    (root / "etc/systemd/system/story.service").write_text(UNIT)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "story.service").symlink_to("/etc/systemd/system/story.service")
    disk = state_disk(given.work, root / "var/lib")
    try:
        for _ in range(BOOTS):
            boot(root, disk)
            said = report(root)
            if said and said[-1]["step"] == "end":
                break
    finally:
        subprocess.run(["umount", disk], check=False)
    return told(report(root))


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
        print("making a small Debian (once)", flush=True)
        subprocess.run(
            [
                "mmdebstrap",
                "--quiet",
                "--variant=minbase",
                f"--include={PACKAGES}",
                "bookworm",
                base,
            ],
            check=True,
        )
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["cp", "-a", base, root], check=True)
    return root


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
        ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", place, out],
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


def boot(root: Path, disk: Path) -> None:
    """Boot it once, until it powers off."""
    with (root.parent / "console.log").open("ab") as console:
        subprocess.run(
            ["systemd-nspawn", "-q", "-D", root, "-b", "--register=no", "--keep-unit",
             "--private-network", f"--bind={disk}:/var/lib"],
            check=False, stdin=subprocess.DEVNULL, stdout=console, stderr=console, timeout=BOOT_S,
        )  # fmt: skip


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
