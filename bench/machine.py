"""On what was it measured, and with which versions? No name of the computer, no path."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path

import apsw

from bench.peers import gpsd, signalk_server, thingsboard_gateway
from daemon.mqtt.embedded import mosquitto_program

PACKAGES = ("ispsd", "pymodbus", "paho-mqtt", "pyais", "pynmea2", "cryptography")


def machine() -> dict[str, str]:
    """Return the kind of computer, its kernel and its Python."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{_memory_gib():.0f} GiB",
        "Linux": platform.release().partition("-")[0],
        "Python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Return the version of everything that takes part; a peer that is not installed is not among them."""
    found = {name: version(name) for name in PACKAGES}
    found["SQLite"] = f"{apsw.sqlite_lib_version()} (verifier {sqlite3.sqlite_version})"
    found |= {
        "Mosquitto": _mosquitto(),
        "signalk-server": signalk_server.version(),
        "Node": _node() if signalk_server.version() else "",
        "gpsd": gpsd.version(),
        "thingsboard-gateway": thingsboard_gateway.version(),
    }
    return {name: said for name, said in found.items() if said}


def load() -> float:
    """Return how many processes wanted to run, over the last minute."""
    return os.getloadavg()[0]


def commit() -> str:
    """Return the commit that was measured, with a plus where files had been changed since."""
    if shutil.which("git") is None:
        return ""
    root = Path(__file__).parents[1]
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=root,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return said.stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _mosquitto() -> str:
    program = mosquitto_program()
    if program is None:
        return ""
    said = subprocess.run([program, "-h"], check=False, stdout=subprocess.PIPE, text=True).stdout
    found = re.search(r"version (\S+)", said)
    return found[1] if found else ""


def _node() -> str:
    said = subprocess.run(["node", "--version"], check=False, stdout=subprocess.PIPE, text=True)
    return said.stdout.strip().removeprefix("v")
