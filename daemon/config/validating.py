"""Does a table of a file hold what its model asks for, each value of its own type?

pydantic takes ``true`` for 1 and ``"5"`` for 5 unless it is strict, and a strict model takes nothing but Python's own
types, where a file has texts and lists. From JSON a strict model takes these for paths, days and tuples, but not where
its own code looks at the table first. So a table is looked at twice: as it is, and strictly as JSON for the plain
values only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

ModelT = TypeVar("ModelT", bound=BaseModel)
PLAIN: Final = frozenset({"int_type", "float_type", "bool_type", "string_type"})
"""pydantic's names of what is found where a plain value is of another type."""


def validated(model: type[ModelT], table: Mapping[str, Any]) -> ModelT:
    """Return a table of a file as its model.

    Raises:
        ValidationError: It holds what the model does not take, or a value of another type.
    """
    found = list(_confused(model, table))
    try:
        made = model.model_validate(table)
    except ValidationError as err:
        named = {finding["loc"] for finding in found}
        found += [finding for finding in err.errors() if finding["loc"] not in named]
        raise _error(model, found) from err
    if found:
        raise _error(model, found)
    return made


def _confused(model: type[BaseModel], table: Mapping[str, Any]) -> Iterator[ErrorDetails]:
    """Yield which plain values are of another type than they should be."""
    try:
        model.model_validate_json(json.dumps(table, default=str), strict=True)
    except ValidationError as err:
        for finding in err.errors():
            is_number = isinstance(finding["input"], int | float)  # true is one, too
            if finding["type"] in PLAIN or (finding["type"] == "date_type" and is_number):
                yield finding


def _error(model: type[BaseModel], found: list[ErrorDetails]) -> ValidationError:
    return ValidationError.from_exception_data(
        model.__name__,
        [
            InitErrorDetails(
                type=finding["type"],
                loc=finding["loc"],
                input=finding["input"],
                ctx=finding.get("ctx", {}),
            )
            for finding in found
        ],
    )
