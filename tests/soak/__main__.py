"""Does it stay as it is for hours? ``python -m tests.soak day`` and ``python -m tests.soak real --minutes 20``.

Results are printed, and written as JSON under build/soak/. Exit 1 where something was not as the story says.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from tests.soak import judge, judge_day, report, story, told

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "build" / "soak"
PLOTTED = {"rss_kib": "kB", "descriptors": "", "cpu_s": "s", "switches": ""}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    forms = parser.add_subparsers(dest="form", required=True)
    real = forms.add_parser("real", help="the real processes, in real time")
    real.add_argument("--minutes", type=float, default=20.0)
    forms.add_parser("day", help="a simulated day of the sample ship, in one process")
    given = parser.parse_args()
    # Whoever is told to stop still ends what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return _day() if given.form == "day" else _real(given.minutes)


def _day() -> int:
    from tests.soak.day import run

    told_story = story.read(HERE / "day.toml")
    began_s, cpu_s = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="ispsd-soak-") as folder:
        seen = asyncio.run(run(told_story, Path(folder)))
    found = judge_day.report(seen)
    for name in judge_day.BOUNDS:
        say(report.curve(name, [(each.at_s, float(getattr(each, name))) for each in seen.samples]))
    say("")
    _say_alerts(found, told_story)
    say(f"record: {seen.verifier[1].strip()}")
    took = {
        "took_s": round(time.monotonic() - began_s, 1),
        "cpu_s": round(time.process_time() - cpu_s, 1),
    }
    say(f"24 simulated hours in {took['took_s']} s, {took['cpu_s']} s of them of a processor")
    more = {
        **took,
        "alerts": told.table(found.alerts, told_story.clock),
        "verifier": seen.verifier,
        "entries": seen.entries,
        "rows": seen.rows,
        "events": len(seen.numbers),
        "samples": [asdict(sample) for sample in seen.samples],
    }
    report.write(OUT / "day.json", faults=found.faults, verdicts=found.verdicts, more=more)
    return _end(found.faults)


def _real(minutes: float) -> int:
    from tests.soak.real import run

    told_story = story.read(HERE / "real.toml").up_to(minutes * 60.0)
    seen = asyncio.run(run(told_story, say))
    found = judge.report(seen)
    for name, life in sorted(judge.lives(seen.samples).items()):
        if life[-1][0] - life[0][0] >= judge.WARM_UP_S:
            for figure, unit in PLOTTED.items():
                series = [(at_s, float(getattr(cost, figure))) for at_s, cost in life]
                say(report.curve(f"{name[0]} {name[1]} {figure}", series, unit))
    pages = [(sample.at_s, sample.page) for sample in seen.samples if sample.page.get("collected")]
    for figure in judge.PAGE:
        say(report.curve(f"page {figure}", [(at_s, page[figure]) for at_s, page in pages]))
    worst = max((sample.page.get("worst_ms", 0.0) for sample in seen.samples), default=0.0)
    say(f"page: oldest green beyond 5 s, looked at twice: {worst:.0f} ms")
    say("")
    _say_alerts(found, told_story)
    say(f"record: {seen.verifier[1].strip()}")
    more = {
        "minutes": minutes,
        "alerts": told.table(found.alerts, told_story.clock),
        "verifier": seen.verifier,
        "samples": [asdict(sample) for sample in seen.samples],
    }
    report.write(OUT / "real.json", faults=found.faults, verdicts=found.verdicts, more=more)
    (OUT / "real-messages.json").write_text(json.dumps(seen.messages), "utf-8")
    return _end(found.faults)


def _say_alerts(found: judge.Report, played: story.Story) -> None:
    for line in report.rows(told.table(found.alerts, played.clock)):
        say(line)
    say("")
    for verdict in found.verdicts:
        say(str(verdict))


def _end(faults: list[str]) -> int:
    say("")
    for fault in faults:
        say(f"FAULT {fault}")
    say("not as it should be" if faults else "all as it should be")
    return 1 if faults else 0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
