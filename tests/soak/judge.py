"""Was a soak of the real processes as it should be? Pure: it is told what was seen and says what was wrong with it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.soak import told
from tests.soak.flat import Bound, Verdict, floors, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.soak.proc import Cost
    from tests.soak.story import Story

WARM_UP_S = 180.0
"""Caches are filled and every kind of alert, page and reader was there once; of each life of a process."""
FEWEST_S = 300.0
"""A life that was watched for less after its warm-up says nothing of leaks."""
MIB = 1024.0
RENDERER = "browser renderer"
COLLECTED_S = 60.0
"""A browser collects its garbage when it likes, and its memory goes up and down with it by half."""
FLAT = Bound(0.5, "whole numbers: less than one in all")
MEMORY = {
    "daemon": Bound(
        3 * MIB,
        "kB; pages of record and allocator are first used now: a megabyte and more in ten minutes, less each time",
    ),
    "web": Bound(1 * MIB, "kB; it holds no state of the watch"),
    "sound": Bound(1 * MIB, "kB; it holds what sounds now"),
    "broker": Bound(2 * MIB, "kB; retained topics are as many as before"),
    "simulators": Bound(3 * MIB, "kB"),
    RENDERER: Bound(
        12 * MIB,
        "kB, of the lowest of each minute; Chromium keeps what it freed, and its heap is judged below",
    ),
}
"""Of processes that must be there, and how much resident memory of theirs may grow."""
PAGE = {
    "JSHeapUsedSize": Bound(
        1.0e6, "bytes of JavaScript after a collection; it keeps what is open now"
    ),
    "Nodes": Bound(150.0, "nodes of the page's documents; the row of an alert has about thirty"),
    "JSEventListeners": Bound(30.0, "the row of an alert has five"),
    "AudioHandlers": Bound(6.0, "two for each pulse, and an alarm has three of them"),
}
"""What the page may keep."""
GREEN_MS = 6000.0
"""Looked at each 0.2 s and again after 0.25 s; the page itself looks each 0.25 s."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at everything.

    Attributes:
        page: What the page keeps and has shown; empty where it was being loaded.
    """

    at_s: float
    costs: tuple[Cost, ...]
    page: dict[str, float]


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a run has left.

    Attributes:
        messages: As ``capture.Capture`` has them.
        away: When the broker was away.
        begun: When the daemon was started anew.
        began_utc_s: The story's beginning in seconds of the epoch.
        verifier: Its exit code and words, with a head as anchor that was kept in the middle of the run.
        left: What was there after everything was stopped.
        logged: Faults in logs and on the page.
    """

    story: Story
    samples: Sequence[Sample]
    messages: Sequence[tuple[float, str, Any]]
    topics: frozenset[str]
    away: Sequence[tuple[float, float]]
    begun: Sequence[float]
    raised_s: Callable[[str], float]
    verifier: tuple[int, str]
    left: Sequence[str]
    logged: Sequence[str]


@dataclass(slots=True)
class Report:
    """What was found.

    Attributes:
        faults: Empty where all is as it should be.
    """

    faults: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    alerts: list[told.Told] = field(default_factory=list)


def report(seen: Seen) -> Report:
    """Judge a run."""
    made = Report()
    made.alerts = told.alerts(
        [
            (at_s, name.removeprefix("alert/"), body)
            for at_s, name, body in seen.messages
            if name.startswith("alert/")
        ],
        raised_s=seen.raised_s,
    )
    made.faults += told.compared(made.alerts, seen.story.alerts)
    numbers = [
        (at_s, body["bseq"]) for at_s, name, body in seen.messages if name == "event" and body
    ]
    made.faults += told.missed(numbers, seen.away, seen.begun) or (
        [] if numbers else ["no event was told"]
    )
    made.faults += [
        f"a topic about SSAS: {each}" for each in sorted(seen.topics) if _tells_of_ssas(each)
    ]
    made.faults += record_faults(seen.verifier)
    made.verdicts = [
        *_of_processes(seen.samples, made.faults),
        *_of_page(seen.samples, made.faults),
    ]
    made.faults += [str(each) for each in made.verdicts if not each.is_flat]
    made.faults += [f"left behind: {each}" for each in seen.left]
    made.faults += list(seen.logged)
    return made


def lives(samples: Sequence[Sample]) -> dict[tuple[str, int], list[tuple[float, Cost]]]:
    """Return every process with its samples, by name and number."""
    found: dict[tuple[str, int], list[tuple[float, Cost]]] = defaultdict(list)
    for sample in samples:
        for cost in sample.costs:
            found[cost.name, cost.pid].append((sample.at_s, cost))
    return dict(found)


def _tells_of_ssas(topic: str) -> bool:
    return "ssas" in topic and not topic.startswith("sso/")


def record_faults(verifier: tuple[int, str]) -> list[str]:
    """Return what is wrong with a record by the verifier's exit code and words; nothing where it says PASS."""
    code, words = verifier
    said = words.split()
    return (
        [] if code == 0 and said[:1] == ["PASS"] else [f"the record: exit {code}: {words.strip()}"]
    )


def _of_processes(samples: Sequence[Sample], faults: list[str]) -> list[Verdict]:
    verdicts = []
    judged_names = set()
    for (name, pid), life in lives(samples).items():
        if life[-1][0] - life[0][0] < WARM_UP_S + FEWEST_S:
            continue
        judged_names.add(name)
        for figure, bound in (
            ("rss_kib", MEMORY.get(name)),
            ("descriptors", FLAT),
            ("threads", FLAT),
        ):
            if bound is None or (name.startswith("browser") and figure != "rss_kib"):
                continue  # a browser's pool of threads and files breathes; its memory and its page are judged
            series = [(at_s, float(getattr(cost, figure))) for at_s, cost in life]
            series = floors(series, COLLECTED_S) if name == RENDERER else series
            verdicts.append(
                judged(f"{name} {pid} {figure}", series, warm_up_s=WARM_UP_S, bound=bound)
            )
    faults += [
        f"{name} was not watched for long enough" for name in sorted(MEMORY.keys() - judged_names)
    ]
    count = [(sample.at_s, float(len(sample.costs))) for sample in samples]
    verdicts.append(judged("processes", count, warm_up_s=WARM_UP_S, bound=FLAT))
    return verdicts


def _of_page(samples: Sequence[Sample], faults: list[str]) -> list[Verdict]:
    pages = [(sample.at_s, sample.page) for sample in samples if sample.page]
    last = pages[-1][1] if pages else {}
    if not last.get("old_looks") or not last.get("green_looks"):
        faults.append(
            "nobody has looked at the page while what it showed was old, or nothing on it was ever green"
        )
    if (worst_ms := last.get("worst_ms", 0.0)) > GREEN_MS:
        faults.append(f"the page showed green that was {worst_ms / 1000:.1f} s old")
    collected = [(at_s, page) for at_s, page in pages if page.get("collected")]
    return [
        judged(
            f"page {figure}",
            [(at_s, page[figure]) for at_s, page in collected],
            warm_up_s=WARM_UP_S,
            bound=bound,
        )
        for figure, bound in PAGE.items()
    ]
