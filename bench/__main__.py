"""Measure ispsd beside the bare programs, in one run, and print ratios: ``python -m bench [PART ...]``.

Ours and the bare program take turns at being first; each round gives one ratio, and what is printed is the median of
the rounds with its spread. Lines that begin with ``here`` are figures of this machine alone.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import sqlite3
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from bench import alerts, clicks, demo, flood, idle, latency, modbus_cpu, queries, records
from daemon.mqtt.embedded import mosquitto_program

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS = (
    "latency",
    "modbus",
    "nmea",
    "flood",
    "idle",
    "record",
    "queries",
    "alerts",
    "demo",
    "clicks",
)
PACKAGES = ("ispsd", "pymodbus", "paho-mqtt", "pyais", "pynmea2", "cryptography")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--disk", type=Path, default=Path("/var/tmp"), help="where records are written: a real disk"
    )
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
    print(machine(), flush=True)
    for part in given.parts or PARTS:
        print(f"\n== {part}", flush=True)
        with tempfile.TemporaryDirectory(prefix="bench-", dir=given.disk) as folder:
            _measure(part, Path(folder).resolve(), rounds=given.rounds)


def _measure(part: str, disk: Path, *, rounds: int) -> None:
    measures: dict[str, Callable[[], None]] = {
        "latency": lambda: asyncio.run(latency.measure(disk, rounds=rounds, flips=60)),
        "modbus": lambda: modbus_cpu.measure(rounds=rounds),
        "nmea": lambda: _measure_nmea(rounds=rounds),
        "flood": lambda: asyncio.run(flood.measure(disk, rounds=rounds)),
        "idle": lambda: asyncio.run(idle.measure(disk)),
        "record": lambda: records.measure(disk, rounds=rounds, single=2000, entries=200_000),
        "queries": lambda: queries.measure(disk, rounds=rounds, entries=1_000_000),
        "alerts": lambda: alerts.measure(rounds=rounds),
        "demo": lambda: demo.measure(disk, rounds=rounds),
        "clicks": lambda: asyncio.run(clicks.measure(disk, rounds=rounds, presses=30)),
    }
    measures[part]()


def _measure_nmea(*, rounds: int) -> None:
    program = Path(__file__).parent / "nmea_cpu.py"
    command = [sys.executable, str(program), "--rounds", str(rounds)]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    print("\n".join(line for line in lines.splitlines() if line.startswith("ratio")))


def machine() -> str:
    """Return what this was measured on, without the machine's name."""
    processor = next(
        (
            line.partition(": ")[2]
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    broker = "iotcore"
    if program := mosquitto_program():
        said = subprocess.run([program, "-h"], check=False, stdout=subprocess.PIPE, text=True)
        broker = said.stdout.splitlines()[0]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{processor}, Linux {platform.release()}, Python {platform.python_version()}\n"
        f"{broker}, SQLite {apsw.sqlite_lib_version()} (verifier {sqlite3.sqlite_version}), {packages}"
    )


if __name__ == "__main__":
    main()
