"""The story that the booted computer goes through; the system's own Python, nothing else.

Each step writes one line. What a reboot lies between goes on in the next boot, where the last line says. The short form
leaves out what takes long: a hang from outside, the full disk, the removal.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import newcomer
from ailing import ailing, doctor
from computer import REPORT, STORY, alerts, door, note, run, show, status, until

RECORD = Path("/var/lib/ispsd/record")
IS_SHORT = (STORY / "short").exists()
HATCH = 3
ALL_SHUT = [2, 3, 4, 6]
LOOSEST = 2.0
"""Of systemd-analyze security, for each of our units."""


class Unit:
    """The I/O unit, in a process beside the story."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["/opt/ispsd/bin/python", "-m", "simulators.io_unit", "--port", "1502", "--inputs", "16"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.say(do="inputs", on=ALL_SHUT)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def say(self, **words: object) -> None:
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()


def sandbox() -> None:
    """Hold each unit to what systemd itself says of it."""
    for unit in ("ispsd", "ispsd-web", "ispsd-sound@gangway"):
        line = run("systemd-analyze", "security", "--no-pager", f"{unit}.service", check=False)
        score = float(line.strip().splitlines()[-1].split(":")[1].split()[0])
        note(f"sandbox of {unit}", score, ok=score <= LOOSEST)


def killed(unit: Unit) -> None:
    """Open a hatch, kill the daemon, and see the same alert again."""
    until("the hatch is seen shut", lambda: door("d12")["state"] == "closed")
    unit.say(do="set", input=HATCH, on=False)
    [before] = until("the alert", alerts)
    os.kill(int(show("MainPID")), signal.SIGKILL)
    until("it is back", lambda: show("NRestarts") == "1" and show("ActiveState") == "active")
    [after] = until("the alert", alerts)
    same = {name: (before[name], after[name]) for name in ("id", "state")}
    note(
        "kill -9: back by itself, the same alert open",
        same,
        ok=all(a == b for a, b in same.values()),
    )
    run("ispsd", "ack", after["id"], "--by", "L. Tupou", "--station", "gangway")
    [acked] = alerts()
    note("acknowledged before the reboot", acked["state"], ok=acked["state"] == "A")


def reloaded() -> None:
    """Give it another file while it runs: a fault in it changes nothing, a good one is in force with the alert kept."""
    ship, pid, [before] = Path("/etc/ispsd/ispsd.toml"), show("MainPID"), alerts()
    text = ship.read_text()
    ship.write_text(text + "\n[nonsense]\n")
    said = run("systemctl", "reload", "ispsd", check=False) + run(
        "journalctl", "-b", "-u", "ispsd", "--no-pager", "-n", "20"
    )
    is_as_before = (show("MainPID"), show("ActiveState")) == (pid, "active")
    note(
        "reload: a file with a fault is refused by place, and the old one goes on",
        said.strip()[-200:],
        ok="nonsense" in said and "reload.refused" in said and is_as_before and bool(alerts()),
    )
    ship.write_text(text + "\n[alerts]\nescalate_after_s = 90\n")
    run("systemctl", "reload", "ispsd")
    log = run("ispsd", "log", "--type", "configuration.changed", "--json").strip()
    [after] = until("the alert", alerts)
    note(
        "reload: another file is in force in the same process, and is an entry",
        log[:400],
        ok="alerts: added" in log and show("MainPID") == pid,
    )
    same = {name: (before[name], after[name]) for name in ("id", "state")}
    note("reload: the same alert, acknowledged", same, ok=all(a == b for a, b in same.values()))


def impatient() -> Path:
    """Have systemd lose its patience sooner than on a ship."""
    drop_in = Path("/run/systemd/system/ispsd.service.d/short.conf")
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    drop_in.write_text("[Service]\nWatchdogSec=8\nTimeoutAbortSec=3\n")
    run("systemctl", "daemon-reload")
    return drop_in


def quarantined() -> None:
    """Add a driver that hangs the loop: after three restarts it is held by name, and the watch goes on without it."""
    [drivers] = Path("/opt/ispsd/lib").glob("python3*/site-packages/daemon/drivers")
    driver, ship = drivers / "hanging.py", Path("/etc/ispsd/ispsd.toml")
    driver.write_text((STORY / "hanging.py").read_text())
    before = ship.read_text()
    ship.write_text(before + '\n[device.bad]\nkind = "hanging"\n')
    drop_in = impatient()
    run("systemctl", "restart", "ispsd")

    def held() -> list[dict]:
        return [x for x in status()["devices"] if x["id"] == "bad" and "quarantined" in str(x)]

    until("the quarantine", held, within_s=240.0)
    log = run("ispsd", "log", "--type", "driver.quarantined", "--json")
    times = show("NRestarts")
    is_named = '"device":"bad"' in log and "hanging.py" in log
    said = run(
        "journalctl", "-b", "-u", "ispsd", "--no-pager", "-g", "Watchdog timeout", check=False
    )
    note("each hang was ended by the watchdog", said.strip()[-200:], ok=said.count("timeout") >= 3)
    note(
        f"quarantined by name after {times} restarts, with the place of the bug",
        log.strip()[:400],
        ok=is_named,
    )
    note("the watch goes on without it", [x["state"] for x in alerts()], ok=bool(alerts()))
    if not IS_SHORT:
        doctor("a driver in quarantine", "bad is not read")
    driver.unlink()
    ship.write_text(before)
    drop_in.unlink()
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", "ispsd")


def hung() -> None:
    """Stop the process as a loop that hangs would: systemd has to notice."""
    drop_in = impatient()
    run("systemctl", "restart", "ispsd")
    pid = show("MainPID")
    os.kill(int(pid), signal.SIGSTOP)
    until(
        "the watchdog",
        lambda: show("MainPID") not in {pid, "0"} and show("ActiveState") == "active",
    )
    said = run("journalctl", "-u", "ispsd", "--no-pager", "-g", "atchdog", check=False)
    told = [line for line in said.splitlines() if "timeout" in line]
    note("a hung watch is restarted by the watchdog", told[-1:] or said[-200:], ok=bool(told))
    drop_in.unlink()
    run("systemctl", "daemon-reload")


def full(unit: Unit) -> None:
    """Fill the disk: the watch goes on, says so, and writes what it kept as soon as there is room."""
    filler = Path("/var/lib/filler")
    # Full from the start: the room that the record's log holds while it is written (4 MB) is given back at a stop.
    run("systemctl", "stop", "ispsd")
    for size in (1024 * 1024, 4096, 512):  # down to the last block
        try:
            with filler.open("ab", buffering=0) as file:
                while True:
                    file.write(b"\0" * size)
        except OSError:
            pass
    run("systemctl", "start", "ispsd")
    found = until("RECORD NOT SAVED", lambda: alerts("record.not_saved"))
    unit.say(do="set", input=HATCH, on=True)
    until("rectified", lambda: not alerts())
    unit.say(do="set", input=HATCH, on=False)
    [opened] = until("the alert", alerts)
    note("disk full: alerts go on, and it says so", found[0]["title"], ok=opened["state"] == "V")
    doctor("disk full", "MB are free")
    filler.unlink()
    until("saved again", lambda: not alerts("record.not_saved"))
    log = run("ispsd", "log", "--count", "60", "--json")
    note("what was kept is written", "door.escape.open" in log, ok="door.escape.open" in log)


def rebooted(unit: Unit) -> None:
    """After the reboot: it started by itself, and the alert that was acknowledged is quiet."""
    unit.say(do="set", input=HATCH, on=False)
    until("started at boot", lambda: show("ActiveState") == "active")
    [alert] = until("the alert", alerts)
    note(
        "reboot: started by itself, the acknowledged alert is as it was",
        alert["state"],
        ok=alert["state"] == "A",
    )


def upgraded() -> None:
    """Bring it to the next version: the record goes on in a new segment that commits to the old head."""
    run("systemctl", "restart", "ispsd")  # a head is kept beside the record as it stops
    heads = Path("/var/lib/ispsd/record.heads")
    newest = max(heads.glob("*.note"), key=lambda each: each.stat().st_mtime)
    (STORY / "head.note").write_text(newest.read_text())
    before = sorted(each.name for each in RECORD.glob("segment-*.db"))
    run("dpkg", "-i", str(STORY / "next.deb"))
    until("running", lambda: show("ActiveState") == "active" and status())
    until("a new segment", lambda: len(sorted(RECORD.glob("segment-*.db"))) == len(before) + 1)
    opened = run("ispsd", "log", "--type", "segment.opened", "--json")
    note(
        "upgrade: a new segment says why",
        opened.strip()[-300:],
        ok="ispsd 26.2, after 26.1" in opened,
    )
    run("systemctl", "stop", "ispsd")
    words = ("--key", "/var/lib/ispsd/record-key.pub", "--anchor", str(STORY / "head.note"))
    said = run("ispsd", "verify", str(RECORD), *words, check=False)
    note("the record of both versions verifies", said[:300], ok=said.startswith("PASS"))
    run("systemctl", "start", "ispsd")


def removed() -> None:
    """Take the package away: the record, the keys and the ship's file stay."""
    run("dpkg", "-r", "ispsd")
    left = [
        str(each)
        for each in (RECORD, Path("/var/lib/ispsd/record-key.pem"), Path("/etc/ispsd/ispsd.toml"))
    ]
    here = [each for each in left if Path(each).exists()]
    note("removed: what is the ship's stays", here, ok=here == left)
    gone = not Path("/opt/ispsd").exists() and show("ActiveState") in {"inactive", "failed"}
    note("and nothing of it runs", show("ActiveState"), ok=gone)


def main() -> None:
    """Go on where the last boot ended."""
    done = REPORT.read_text() if REPORT.exists() else ""
    try:
        newcomer.join_network()
        if not done:
            newcomer.install()
            unit = Unit()
            sandbox()
            killed(unit)
            reloaded()
            note("reboot", "now", ok=True)
            return
        unit = Unit()
        rebooted(unit)
        if not IS_SHORT:
            hung()
        quarantined()
        if not IS_SHORT:
            full(unit)
            ailing(unit)
        upgraded()
        if not IS_SHORT:
            removed()
        note("end", "", ok=True)
    except Exception as err:
        note("broken off", f"{type(err).__name__}: {err}", ok=False)
        note(
            "end",
            run("journalctl", "-u", "ispsd", "-n", "15", "--no-pager", check=False)[-1500:],
            ok=False,
        )


if __name__ == "__main__":
    main()
    sys.exit(0)
