"""How is a figure said that was measured in several rounds? The middle one, and how far they lay apart."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Name = TypeVar("Name")


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure with the lowest and the highest of its rounds."""

    value: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the median of one value a round, with the lowest and the highest."""
        return cls(statistics.median(values), min(values), max(values), len(values))


def ratios(ours: Sequence[float], floor: Sequence[float]) -> Spread:
    """Return what ours is of the floor: one ratio a round, since what disturbs one disturbs its neighbour, too."""
    return Spread.of([one / other for one, other in zip(ours, floor, strict=True)])


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def pooled(rounds: Sequence[Sequence[float]], share: float) -> Spread:
    """Return a percentile of all rounds together, where one round has too few samples for a tail of its own.

    The spread is what it would have been without one of the rounds, each left out in turn.
    """
    return _left_out(len(rounds), lambda kept: percentile(_of(rounds, kept), share))


def pooled_ratio(
    ours: Sequence[Sequence[float]], floor: Sequence[Sequence[float]], share: float
) -> Spread:
    """Return the ratio of two such percentiles, the same round left out of both."""
    return _left_out(
        len(ours),
        lambda kept: percentile(_of(ours, kept), share) / percentile(_of(floor, kept), share),
    )


def turns(names: Sequence[Name], number: int) -> list[Name]:
    """Return who goes when in a round: each is first by turns, and of two the other follows."""
    first = number % len(names)
    return [*names[first:], *names[:first]]


def _of(rounds: Sequence[Sequence[float]], kept: Sequence[int]) -> list[float]:
    return [value for number in kept for value in rounds[number]]


def _left_out(rounds: int, figure: Callable[[Sequence[int]], float]) -> Spread:
    every = range(rounds)
    whole = figure(every)
    around = [whole]
    if rounds > 1:
        around += [figure([each for each in every if each != number]) for number in every]
    return Spread(whole, min(around), max(around), rounds)
