"""What is wrong with one value, in words that somebody can act on who has never seen a program?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from daemon.drivers.nmea_pick import SOURCE_PATTERN

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

A_DAY: Final = "a day, as 2026-10-14"
TYPES: Final = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "path_type": "a text",
    "model_attributes_type": "a table",
    "date_type": A_DAY,
    "date_parsing": A_DAY,
    "date_from_datetime_parsing": A_DAY,
    "date_from_datetime_inexact": A_DAY,
    "ip_v4_address": "an IPv4 address, as 192.168.60.11",
}
"""What a value should have been, by pydantic's name of the fault."""
LIMITS: Final = {
    "greater_than_equal": ("ge", "{0} at least"),
    "greater_than": ("gt", "more than {0}"),
    "less_than_equal": ("le", "{0} at most"),
    "less_than": ("lt", "less than {0}"),
}
"""By pydantic's name of the fault: where its limit stands, and what the value has to be."""
PATTERNS: Final = {
    SOURCE_PATTERN: "a source: 1 to 15 characters, no space, comma, asterisk or backslash",
    "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$": "a user: letters, digits, dots, @, _ and -, at most 64",
    "^/": "a whole path, which begins with /",
    "^[A-Z][A-Z0-9]$": 'a talker, two capital letters as in "GP"',
    "^[A-Z0-9]{3,7}$": "a call sign, 3 to 7 capital letters and digits",
    "^[a-z0-9][a-z0-9_-]{0,30}$": "an id: small letters, digits, _ and -, at most 31",
    "^[a-z0-9][a-z0-9._-]{0,40}$": "an id: small letters, digits, dots, _ and -, at most 41",
    "^[AWCL-]{3}$": "three letters of A, W, C, L and -, for security level 1, 2 and 3",
    "^[AWCL-]$": "one letter of A, W, C, L and -",
    "^[a-z0-9][a-z0-9-]{0,63}$": "the name of a file of config/devices without its .toml",
}


def reason(finding: ErrorDetails) -> str:
    """Return pydantic's finding in our words."""
    kind, given, context = finding["type"], finding["input"], finding.get("ctx", {})
    said = _of_choice(kind, given, context)
    if kind == "extra_forbidden":
        said = "there is no such setting"
    elif kind == "missing":
        said = "is missing"
    elif kind in TYPES:
        said = f"{given!r} is not {TYPES[kind]}"
    elif kind in LIMITS:
        name, wanted = LIMITS[kind]
        said = f"{given!r}: must be {wanted.format(_plain(context[name]))}"
    elif kind == "string_too_long":
        said = f"{given!r} has {len(given)} characters, {context['max_length']} at most"
    elif kind == "string_too_short":
        said = (
            f"{given!r} has {len(given)} characters, {context['min_length']} at least"
            if given
            else "is blank"
        )
    elif kind == "string_pattern_mismatch":
        said = f"{given!r} is not {PATTERNS.get(context['pattern'], 'written as it must be')}"
    elif kind == "value_error":
        said = finding["msg"].removeprefix("Value error, ")
    return said or finding["msg"]


def _of_choice(kind: str, given: object, context: dict[str, object]) -> str | None:
    if kind in {"enum", "literal_error"}:
        return f"{given!r} is none of {_listed(context.get('expected'))}"
    if kind == "union_tag_invalid":
        return f"kind: {context.get('tag')!r} is none of {_listed(context.get('expected_tags'))}"
    if kind == "union_tag_not_found":
        return "kind is missing"
    return None


def _listed(known: object) -> str:
    """Return pydantic's list of what may be, with commas alone: its texts stand in quotes, its numbers do not."""
    return ", ".join(
        text or number for text, number in re.findall(r"'([^']*)'|(\d+(?:\.\d+)?)", str(known))
    )


def _plain(limit: object) -> str:
    return str(limit).removesuffix(".0")
