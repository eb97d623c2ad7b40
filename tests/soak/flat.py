"""Does a figure stay where it is? The slope of many samples, without those of the warm-up, and a plot for a terminal.

The slope is that of Theil and Sen (the median of the slopes between all pairs): a garbage collection, a burst or one
wrong sample in four does not move it, and a leak does. It is reckoned from at most 80 samples, evenly chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SAMPLES = 80
FEWEST_SAMPLES = 12
"""With less nobody can tell a slope."""
BARS = "▁▂▃▄▅▆▇█"

Samples = "Sequence[tuple[float, float]]"
"""When, in seconds, and how much."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How much a figure may grow.

    Attributes:
        most: In the unit of the figure, over the time that was judged.
        why: Where the number comes from.
    """

    most: float
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one figure went.

    Attributes:
        grew: What the slope makes over the time that was judged; None where too little was seen.
    """

    figure: str
    first: float
    last: float
    highest: float
    over_s: float
    grew: float | None
    bound: Bound

    @property
    def is_flat(self) -> bool:
        """Return whether it was proved: what was hardly seen is not flat."""
        return self.grew is not None and self.grew <= self.bound.most

    def __str__(self) -> str:
        grew = "not enough seen" if self.grew is None else f"{self.grew:+.4g}"
        sign = "flat" if self.is_flat else "NOT FLAT"
        return (
            f"{self.figure}: {self.first:.4g} to {self.last:.4g}, at most {self.highest:.4g}; slope over "
            f"{self.over_s:.0f} s {grew}, bound {self.bound.most:+.4g}: {sign}"
        )


def slope(samples: Sequence[tuple[float, float]]) -> float | None:
    """Return the figure's growth in a second; None where there are too few samples, or all of one moment."""
    few = thinned(samples, MOST_SAMPLES)
    if len(few) < FEWEST_SAMPLES:
        return None
    slopes = [
        (later - earlier) / (later_s - earlier_s)
        for number, (earlier_s, earlier) in enumerate(few)
        for later_s, later in few[number + 1 :]
        if later_s > earlier_s
    ]
    return median(slopes) if slopes else None


def judged(
    figure: str, samples: Sequence[tuple[float, float]], *, warm_up_s: float, bound: Bound
) -> Verdict:
    """Judge a figure's samples after the first ``warm_up_s`` of them."""
    began_s = samples[0][0] if samples else 0.0
    warm = [each for each in samples if each[0] - began_s >= warm_up_s]
    values = [value for _, value in warm] or [0.0]
    over_s = warm[-1][0] - warm[0][0] if warm else 0.0
    per_s = slope(warm)
    grew = None if per_s is None else per_s * over_s
    return Verdict(figure, values[0], values[-1], max(values), over_s, grew, bound)


def floors(samples: Sequence[tuple[float, float]], every_s: float) -> list[tuple[float, float]]:
    """Return the lowest of each stretch of time: what is left after garbage was collected."""
    of_stretch: dict[int, tuple[float, float]] = {}
    for at_s, value in samples:
        stretch = int(at_s // every_s)
        if stretch not in of_stretch or value < of_stretch[stretch][1]:
            of_stretch[stretch] = (at_s, value)
    return list(of_stretch.values())


def thinned(samples: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """Return at most so many of them, the first and the last among these."""
    if len(samples) <= most:
        return list(samples)
    step = (len(samples) - 1) / (most - 1)
    return [samples[round(number * step)] for number in range(most)]


def plot(samples: Sequence[tuple[float, float]], *, width: int = 60) -> str:
    """Return a line of bars: the highest of each stretch of time, between the lowest and the highest of all."""
    if not samples:
        return ""
    began_s, ended_s = samples[0][0], samples[-1][0]
    of_bar: dict[int, float] = {}
    for at_s, value in samples:
        share = (at_s - began_s) / (ended_s - began_s) if ended_s > began_s else 0.0
        bar = min(width - 1, int(share * width))
        of_bar[bar] = max(of_bar.get(bar, value), value)
    low, high = min(of_bar.values()), max(of_bar.values())
    span = high - low
    return "".join(
        " "
        if number not in of_bar
        else BARS[0 if not span else round((of_bar[number] - low) / span * 7)]
        for number in range(width)
    )
