"""Which words may port state control not see? Places and names that tell of them (ISPS A/9.8.1), wherever they stand.

A page that is shown in PSC mode chooses what it says; this is the second lock behind it: what the ship's file keeps for
the SSO appears in no answer, whoever forgot it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

WITHHELD: Final = "(withheld)"
PROTECTED: Final = frozenset(
    {
        *("place", "places", "steps", "step", "prompt", "procedure", "activation_point", "points"),
        *("part", "lacks", "weakness"),
    }
)
"""Members that are left out whole: places, procedures of tests, points of activation, how a sensor is weak."""


class Redaction:
    """Takes protected words out of an answer."""

    def __init__(self, secret: Iterable[str], renamed: Mapping[str, str]) -> None:
        """Take the words.

        Args:
            secret: What is withheld wherever it stands, as ``steering gear flat``.
            renamed: Names that tell of a place, and what is said in their place: ``STRG GEAR ESC``, ``D12``.
        """
        self._names = {name: instead for name, instead in renamed.items() if name}
        self._named = _either(self._names, 0)
        self._secret = _either([word for word in secret if word], re.IGNORECASE)

    def text(self, said: str) -> str:
        """Return a text without them."""
        if self._named is not None:  # first: a name may hold a place's word
            said = self._named.sub(lambda found: self._names[found[0]], said)
        return said if self._secret is None else self._secret.sub(WITHHELD, said)

    def of(self, said: Any) -> Any:
        """Return anything without them, as deep as it goes."""
        if isinstance(said, str):
            return self.text(said)
        if isinstance(said, dict):
            return {
                name: None if name in PROTECTED else self.of(value) for name, value in said.items()
            }
        if isinstance(said, list | tuple):
            return [self.of(each) for each in said]
        return said


def _either(words: Collection[str], flags: int) -> re.Pattern[str] | None:
    """Return what finds any of these words, the longest first: a place may begin with another's words."""
    if not words:
        return None
    joined = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{joined})(?!\w)", flags)
