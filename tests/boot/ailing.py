"""What does the doctor say of a computer that is ill, and does the file that he writes keep what is the ship's own?"""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path

from computer import STORY, note, run, until

STATE, SETUP = Path("/var/lib/ispsd"), Path("/var/lib/ispsd-setup")
SHIP = Path("/etc/ispsd/ispsd.toml")
SHORTEST_SECRET = 12
NOT_FOR_ALL = (
    "ssas",
    "sso_",
    "steering gear flat",
    "steering gear escape hatch",
    "A deck",
    "PRIVATE KEY",
)
"""What only the SSO may read, as it stands in her file."""


def secrets() -> set[str]:
    """Return everything on this computer that opens something, line by line."""
    files = [*SETUP.rglob("*.password"), *SETUP.rglob("*.key"), *SETUP.glob("credentials/*"),
             *STATE.glob("record-key.pem"), SETUP / "mosquitto/passwords"]  # fmt: skip
    lines = {line.strip() for each in files for line in each.read_text().splitlines()}
    hashes = {
        said
        for each in STATE.glob("*.json")
        for said in re.findall(r"\$argon2id\$[^\"]+", each.read_text())
    }
    return {each for each in lines | hashes if len(each) >= SHORTEST_SECRET and "-----" not in each}


def doctor(state: str, words: str) -> None:
    """Wait until he says it, and look through what he writes."""
    bundle = STORY / "bundle.tar.gz"

    def said() -> list[str]:
        found = json.loads(run("ispsd", "doctor", "--json", check=False))["findings"]
        return [
            f"{each['what']}: {each['advice']}"
            for each in found
            if words in each["what"] + each["advice"]
        ]

    found = until(f"the doctor on: {state}", said)
    bundle.unlink(missing_ok=True)
    run("ispsd", "doctor", "--bundle", str(bundle), check=False)
    with tarfile.open(bundle) as archive:
        whole = "\n".join(
            archive.extractfile(each).read().decode() for each in archive.getmembers()
        )
    told = [each for each in NOT_FOR_ALL if each.lower() in whole.lower()]
    opened = [each for each in secrets() if each in whole]
    note(f"doctor, {state}", found[0][:300], ok=True)
    note(
        f"doctor, {state}: nothing in the file that it may not hold",
        told,
        ok=not told and not opened,
    )


def ailing(unit) -> None:
    """Make the computer ill in one way after the other."""
    note("there are secrets to be looked for", len(secrets()), ok=len(secrets()) > 5)
    run("systemctl", "stop", "mosquitto")
    doctor("broker stopped", "the broker is not reached")
    doctor("broker stopped, its service", "mosquitto does not run (inactive)")
    run("systemctl", "start", "mosquitto")
    unit.stop()
    doctor("I/O unit dead", "io1")
    unit.start()
    before = SHIP.read_text()
    SHIP.write_text(before + "\n[no_such_section]\n")
    doctor("a fault in the ship's file", "the ship's file has 1 fault")
    SHIP.write_text(before)
    key = STATE / "record-key.pem"
    key.chmod(0o644)
    run("systemctl", "restart", "ispsd")
    doctor("key readable by others", "procedure 3, Lost key")
    key.chmod(0o600)
    run("ispsd", "init", "--yes", "--address", "192.168.60.6", "--days", "30")
    doctor("certificate near its end", "the broker's certificate is good until")
