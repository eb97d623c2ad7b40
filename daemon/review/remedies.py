"""What is to be done about a line of the worklist, and on which page? The worklist says what is; this says where to go.

A page that this version does not have is not linked: the command is said in its place, which works in any case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.checks.api import LED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from daemon.model import Json

_BY_ID: Final[Mapping[str, tuple[str, str, str]]] = {
    "drill": ("forms", "drill", "ispsd enter drill"),
    "exercise": ("forms", "exercise", "ispsd enter exercise"),
    "call": ("forms", "arrival", "ispsd enter arrival, and departure when she has sailed"),
    "declaration": ("forms", "declaration-of-security", "ispsd enter declaration-of-security"),
    "seal": ("forms", "seal-fitted", "ispsd seals"),
    "seals": ("forms", "seal-fitted", "ispsd seals"),
    "round": ("forms", "security-round", "ispsd enter security-round"),
    "paper": ("forms", "certificate", "ispsd enter certificate"),
    "certificate": ("forms", "certificate", "ispsd enter certificate"),
    "review": ("signoff", "", "ispsd review"),
    "pins": ("persons", "", "ispsd pin set"),
    "envelope": ("persons", "", "ispsd envelope"),
    "level": ("", "", "say at a watch station that its measures are in force"),
    "blackout": ("", "", "it ends by itself"),
    "witness": ("", "", "see to that computer: ispsd witness list"),
    "evidence": ("", "", "let the company have old segments: ispsd archive"),
    "prove": ("", "", "prove each of them: ispsd loop-check"),
}
"""By the first word of a line's id: the page, the form on it, and what is said where there is none."""
_BY_STATE: Final[Mapping[str, str]] = {
    "inhibited": "it ends by itself, or at a watch station",
    "out of service": "it ends by itself, or when you end it: ispsd out-of-service",
    "not testable": "set the clock of the computer",
}


def remedy(item: Mapping[str, Any], modes: Mapping[str, str], forms: Collection[str]) -> Json:
    """Return where to see to a line: ``page`` and what it is asked for, and in words.

    Args:
        item: A line of the worklist.
        modes: How each test is done, by its id.
        forms: The forms that there are.
    """
    id_, state = str(item["id"]), str(item["state"])
    if state == "defect" and id_.startswith("def-"):
        return _said("defects", {"defect": id_}, f"ispsd defect {id_}")
    if state in _BY_STATE:
        return _said("", {}, _BY_STATE[state])
    if id_ in modes:
        return _of_test(id_, state, modes[id_])
    page, form, words = _BY_ID.get(id_.partition("-")[0], ("", "", ""))
    if form in forms:
        return _said(page, {"form": form}, words)
    return _said("" if form else page, {}, words)


def _of_test(id_: str, state: str, mode: str) -> Json:
    if mode not in LED:
        return _said("due", {}, "ispsd does it by itself")
    if state == "not done":
        return _said("due", {}, f"sign it: ispsd not-done {id_}")
    return _said("due", {}, f"at a watch station, or: ispsd start {id_}")


def _said(page: str, asked: Mapping[str, Json], words: str) -> Json:
    return {"page": page or None, "asked": dict(asked), "words": words}
