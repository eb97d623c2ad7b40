"""What may a terminal, or a page, be shown? Some words come from devices, and some from a network."""

from __future__ import annotations


def printable(words: str) -> str:
    """Return words without what a terminal would obey: a question mark stands for each of that."""
    return "".join(letter if letter.isprintable() else "?" for letter in words)


def shortened(words: str, most: int) -> str:
    """Return words with this many letters at most, and a sign that there are more."""
    return words if len(words) <= most else words[: most - 1] + "…"
