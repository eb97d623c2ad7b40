"""How a figure is said: ours over the bare program's, round by round, with its spread."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def show(what: str, ratios: Sequence[float], *, budget: str = "") -> None:
    """Print the median of a round's ratios, and how far they were apart."""
    wanted = f"   budget {budget}" if budget else ""
    one = len(ratios) == 1
    spread = "" if one else f"   ({len(ratios)} rounds: {min(ratios):.2f} to {max(ratios):.2f})"
    print(f"ratio  {what:<58} {statistics.median(ratios):6.2f}{spread}{wanted}", flush=True)


def absolute(what: str, said: str, *, budget: str = "") -> None:
    """Print a figure of this machine, which is worth nothing on another."""
    wanted = f"   budget {budget}" if budget else ""
    print(f"here   {what:<58} {said}{wanted}", flush=True)
