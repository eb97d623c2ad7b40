"""Is this text one line that every screen and paper shows as it is?"""

from __future__ import annotations

from typing import Final

from pydantic import AfterValidator


def line(text: str) -> str:
    """Return a text that is a line.

    Raises:
        ValueError: It is blank, has blanks around it, or signs that do not show, such as ESC or a mark that turns the
            direction of what follows; the message is for people.
    """
    if not text.strip():
        raise ValueError("is blank")
    hidden = [each for each in text if not each.isprintable()]
    if hidden:
        codes = ", ".join(dict.fromkeys(f"U+{ord(each):04X}" for each in hidden))
        raise ValueError(f"{text!r} has signs that do not show: {codes}")
    if text != text.strip():
        raise ValueError(f"{text!r} has blanks around it")
    return text


LINE: Final = AfterValidator(line)
"""Behind the length of a text in a file: it is a line."""


def folded(text: str) -> str:
    """Return a name as it is compared: neither case nor how many blanks stand between its words make it another."""
    return " ".join(text.split()).casefold()
