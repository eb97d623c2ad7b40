"""Recorded input of other projects, and the checked lists of where we read it otherwise than they do.

A list (``tests/data/recorded/*.toml``) says of each difference what it is, how often it is there and why. A
test fails when a difference is there that is not listed, and when a listed one is there no more.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).parents[1]
RECORDED = ROOT.parent / "shared" / "data"
LISTS = ROOT / "tests" / "data" / "recorded"

needs_recordings = pytest.mark.skipif(
    not RECORDED.is_dir(), reason=f"recorded input of other projects is not at {RECORDED}"
)


def listed(name: str) -> dict[str, Any]:
    return tomllib.loads((LISTS / f"{name}.toml").read_text("utf-8"))


def differences(rows: Iterable[Mapping[str, Any]], reasons: Mapping[str, str]) -> dict[tuple, int]:
    """Return how often each listed difference is there; each has a reason that is given."""
    out: dict[tuple, int] = {}
    for row in rows:
        assert reasons[row["why"]]
        key = tuple(row[name] for name in row if name not in {"count", "why"})
        assert key not in out
        out[key] = row["count"]
    return out


def lines(path: str) -> list[bytes]:
    return [line for line in (RECORDED / path).read_bytes().splitlines() if line]
