"""`python -m tests.fuzz`: every decoder against inputs that atheris makes up, led by the paths that they take.

The full form is a million inputs for each decoder (`make fuzz`); CI runs a short one. Each decoder has a process and a
log of its own under ``.fuzz/``; what brings a decoder down is left there as ``crash-...``. Exit code 1 where any did.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

from tests.fuzz.targets import DRIVERS, TARGETS

if TYPE_CHECKING:
    from tests.fuzz.targets import Try

FOLDER = Path(".fuzz")
FULL = 1_000_000
SLOWEST_S = 10
"""One input that takes longer is a fault."""
MOST_MIB = 1024
TELL_S = 15.0
_COUNT = re.compile(r"^#(\d+)", re.MULTILINE)


def main() -> int:
    arguments = _arguments()
    names = arguments.only or list(TARGETS)
    modules = {f"{DRIVERS}.{module}" for name in names for module in TARGETS[name].modules}
    with atheris.instrument_imports(include=sorted(modules)):
        tries = {name: TARGETS[name].make() for name in names}
    waiting, running, failed = list(names), {}, []
    told_s = time.monotonic()
    while waiting or running:
        while waiting and len(running) < arguments.jobs:
            name = waiting.pop(0)
            running[_begun(name, tries[name], arguments)] = (name, time.monotonic())
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            name, began_s = running.pop(pid)
            failed += [name] * (status != 0)
            _tell(name, status, time.monotonic() - began_s)
            continue
        if time.monotonic() - told_s > TELL_S:
            told_s = time.monotonic()
            print(
                "  " + ", ".join(f"{name} {_inputs(name)}" for name, _ in running.values()),
                flush=True,
            )
        time.sleep(0.05)
    print(
        f"{len(names)} decoders, {len(failed)} brought down{': ' if failed else ''}{', '.join(failed)}"
    )
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "only", nargs="*", help=f"some of {', '.join(TARGETS)}; all where none is named"
    )
    parser.add_argument("--runs", type=int, default=FULL, help="inputs for each decoder")
    parser.add_argument("--jobs", type=int, default=1, help="decoders at a time")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if unknown := {*arguments.only} - TARGETS.keys():
        parser.error(f"no decoder {', '.join(sorted(unknown))}")
    return arguments


def _begun(name: str, attempt: Try, arguments: argparse.Namespace) -> int:
    """Start a process that fuzzes one decoder; return its number."""
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    target = TARGETS[name]
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number:03}").write_bytes(seed[: target.longest])
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    log = os.open(_log(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    options = {
        "runs": arguments.runs,
        "seed": arguments.seed,
        "max_len": target.longest,
        "timeout": SLOWEST_S,
        "rss_limit_mb": MOST_MIB,
        "artifact_prefix": f"{FOLDER}/{name}-",
        "print_final_stats": 1,
    }
    command = ["fuzz", *(f"-{key}={value}" for key, value in options.items()), str(corpus)]
    atheris.Setup(command, attempt)
    atheris.Fuzz()
    os._exit(0)


def _tell(name: str, status: int, took_s: float) -> None:
    inputs = _inputs(name)
    rate = inputs / took_s if took_s else 0
    print(
        f"{name}: {inputs} inputs in {took_s:.0f} s, {rate:.0f}/s{', BROUGHT DOWN' if status else ''}",
        flush=True,
    )
    if status:
        print(_log(name).read_text("utf-8", "replace")[-4000:])


def _inputs(name: str) -> int:
    """Return how many inputs a decoder has had, as its log says."""
    try:
        counts = _COUNT.findall(_log(name).read_text("utf-8", "replace"))
    except OSError:
        return 0
    return int(counts[-1]) if counts else 0


def _log(name: str) -> Path:
    return FOLDER / f"{name}.log"


if __name__ == "__main__":
    sys.exit(main())
