"""What happens in a soak, when, and which alerts should come of it? A story is data (TOML): episodes and their alerts.

Ordinary steps are those of a scenario (``daemon.simulate.scenario``) and are read as there. What no scenario can bring
about (a broker that is away, a disk that is full, a page that is loaded anew) is an ``act``, which the runner knows.

    begins = "12:00:00"               # what a clock shows at the first moment: ship's time, or nought
    lasts = "24:00:00"

    [[routine]]                       # somebody goes through a door again and again
    door = "d04"
    from = "12:05:00"
    until = "15:55:00"
    every_s = 600
    open_s = 40

    [[episode]]
    at = "14:30:00"
    title = "A hatch is opened without a permit"
    fault = true                      # something is broken, jammed or cut: outside the budget of quiet days

    [[episode.step]]                  # seconds after the episode's beginning
    after_s = 0
    do = "open"
    door = "d12"

    [[episode.step]]
    after_s = 20
    act = "acknowledge"
    station = "gangway"
    alert = "door.escape.open.d12"

    [[episode.alert]]                 # without ended_s it stands at the end; then: priorities that it took later
    title = "ESC HATCH OPEN"
    name = "STRG GEAR ESC"
    priority = "W"
    sounds_at = ["gangway", "office"] # where it sounds when it is told first; [] for nowhere
    raised_s = [0.3, 2]
    ended_s = [31, 34]
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from daemon.simulate import toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


DAY_S = 86_400.0
FINE_S = 30.0
"""After a step: as long as a stride and a poll of a simulated day."""
EXPECTED = {"title", "name", "priority", "sounds_at", "raised_s"}
ALSO_EXPECTED = {"ended_s", "then", "detail"}


class StoryError(ValueError):
    """A story's file is not in order."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One alert that should come; times in seconds after the story's beginning, not before and not after.

    Attributes:
        sounds_at: Where it sounds when it is first told; None where nobody could be told in time.
        ended_s: None where it stands at the end.
        episode: Of which episode it is.
    """

    title: str
    name: str
    priority: str
    sounds_at: tuple[str, ...] | None
    raised_s: tuple[float, float]
    ended_s: tuple[float, float] | None
    then: tuple[str, ...] = ()
    detail: str = ""
    episode: str = ""
    is_fault: bool = False
    """Whether something was broken, jammed or cut; else it is life on board, which has a budget of sounding alerts."""

    def __str__(self) -> str:
        low_s, high_s = self.raised_s
        ended = (
            "stands" if self.ended_s is None else f"ends {self.ended_s[0]:g} to {self.ended_s[1]:g}"
        )
        return f"{self.priority} {self.title} {self.name} {low_s:g} to {high_s:g}, {ended} ({self.episode})"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens; either ``act`` or what a scenario's step says."""

    at_s: float
    said: Mapping[str, Any]
    episode: str
    fine_s: float = 0.0
    """For so long after it simulated time goes in short strides."""

    @property
    def act(self) -> str | None:
        """Return what a runner does itself; None for a step of a scenario."""
        return self.said.get("act")


@dataclass(frozen=True, slots=True)
class Story:
    """A file that was read.

    Attributes:
        start: As a scenario's ``start``.
        entries: Entries of each type that should be written, beside those of every watch; empty where it is not said.
    """

    title: str
    begins_s: float
    lasts_s: float
    steps: tuple[Step, ...]
    alerts: tuple[Expected, ...]
    start: Mapping[str, Any] = field(default_factory=dict)
    entries: Mapping[str, int] = field(default_factory=dict)

    def clock(self, at_s: float) -> str:
        """Return what the story's clock shows so many seconds after its beginning."""
        whole = int(self.begins_s + at_s)
        return f"{whole // 3600 % 24:02}:{whole // 60 % 60:02}:{whole % 60:02}"

    def up_to(self, lasts_s: float) -> Story:
        """Return as much of it as is over by then: no episode is begun that cannot end."""
        over = {step.episode for step in self.steps} - {
            each.episode
            for each in (*self.steps, *self.alerts)
            if (each.at_s if isinstance(each, Step) else (each.ended_s or each.raised_s)[1])
            > lasts_s
        }
        return Story(
            self.title,
            self.begins_s,
            min(lasts_s, self.lasts_s),
            tuple(each for each in self.steps if each.episode in over),
            tuple(each for each in self.alerts if each.episode in over),
            self.start,
            self.entries if lasts_s >= self.lasts_s else {},
        )

    def written(self, folder: Path) -> Path:
        """Write its ordinary steps, in their order, as a scenario; return where."""
        steps = [{"at_s": s.at_s, **s.said} for s in self.steps if s.act is None]
        path = folder / "story.toml"
        start = {"start": dict(self.start)} if self.start else {}
        tree = {"title": self.title, "lasts_s": self.lasts_s, **start, "step": steps}
        path.write_text(toml.written(tree), "utf-8")
        return path


def read(path: Path) -> Story:
    """Read a story.

    Raises:
        StoryError: Names the place and what is wrong there.
    """
    tree = tomllib.loads(path.read_text("utf-8"))
    begins_s, lasts_s = (
        _seconds("begins", tree.get("begins", "00:00:00")),
        _seconds("lasts", tree.get("lasts")),
    )
    if unknown := tree.keys() - {
        "title",
        "begins",
        "lasts",
        "start",
        "routine",
        "episode",
        "entries",
    }:
        raise StoryError(f"{path}: {', '.join(sorted(unknown))} is no part of a story")
    steps: list[Step] = []
    alerts: list[Expected] = []
    for number, episode in enumerate(tree.get("episode", [])):
        title = str(episode["title"])
        if unknown := episode.keys() - {"at", "title", "step", "alert", "fault"}:
            raise StoryError(
                f"{path}: {title}: {', '.join(sorted(unknown))} is no part of an episode"
            )
        at_s = _after(_seconds(title, episode["at"]), begins_s)
        name = f"{number + 1}. {title}"
        steps += (_step(step, at_s, name) for step in episode.get("step", []))
        alerts += (
            _alert(alert, at_s, name, is_fault=episode.get("fault", False))
            for alert in episode.get("alert", [])
        )
    for number, routine in enumerate(tree.get("routine", [])):
        steps += _routine(routine, begins_s, f"routine {number + 1}")
    late = [str(each.said) for each in steps if each.at_s > lasts_s]
    if late:
        raise StoryError(f"{path}: after its end: {late[0]}")
    ordered = tuple(sorted(steps, key=lambda step: step.at_s))
    return Story(
        str(tree.get("title", "")),
        begins_s,
        lasts_s,
        ordered,
        tuple(alerts),
        tree.get("start", {}),
        tree.get("entries", {}),
    )


def _step(table: Mapping[str, Any], at_s: float, episode: str) -> Step:
    said = dict(table)
    after_s, fine_s = float(said.pop("after_s")), float(said.pop("fine_s", FINE_S))
    return Step(at_s + after_s, said, episode, fine_s)


def _routine(table: Mapping[str, Any], begins_s: float, name: str) -> Iterator[Step]:
    first_s = _after(_seconds(name, table["from"]), begins_s)
    last_s = _after(_seconds(name, table["until"]), begins_s)
    every_s, open_s = float(table["every_s"]), float(table["open_s"])
    if not 0 < open_s < every_s or last_s <= first_s:
        raise StoryError(f"{name}: open_s is less than every_s, and it ends after it begins")
    turn = 0
    while (at_s := first_s + turn * every_s) + open_s <= last_s:
        turn += 1
        # A name of its own for each turn: one that cannot end is not begun.
        for after_s, verb in ((0.0, "open"), (open_s, "close")):
            yield Step(at_s + after_s, {"do": verb, "door": table["door"]}, f"{name}, turn {turn}")


def _alert(table: Mapping[str, Any], at_s: float, episode: str, *, is_fault: bool) -> Expected:
    if missing := EXPECTED - table.keys():
        raise StoryError(f"{episode}: an alert without {', '.join(sorted(missing))}")
    if unknown := table.keys() - EXPECTED - ALSO_EXPECTED:
        raise StoryError(f"{episode}: {', '.join(sorted(unknown))} is not told of alerts")
    sounds_at = table["sounds_at"]
    return Expected(
        str(table["title"]),
        str(table["name"]),
        str(table["priority"]),
        None if sounds_at == "unknown" else tuple(map(str, sounds_at)),
        _span(table["raised_s"], at_s, episode),
        _span(table["ended_s"], at_s, episode) if "ended_s" in table else None,
        tuple(map(str, table.get("then", []))),
        str(table.get("detail", "")),
        episode,
        is_fault,
    )


def _span(given: Any, at_s: float, episode: str) -> tuple[float, float]:
    low_s, high_s = map(float, given)
    if low_s > high_s:
        raise StoryError(f"{episode}: {low_s:g} s is after {high_s:g} s")
    return at_s + low_s, at_s + high_s


def _after(shown_s: float, begins_s: float) -> float:
    """Return how long after the beginning the clock shows this for the first time."""
    return (shown_s - begins_s) % DAY_S


def _seconds(place: str, given: Any) -> float:
    try:
        hours, minutes, seconds = map(int, str(given).split(":"))
    except ValueError:
        raise StoryError(f"{place}: hh:mm:ss is wanted, not {given!r}") from None
    return hours * 3600.0 + minutes * 60.0 + seconds
