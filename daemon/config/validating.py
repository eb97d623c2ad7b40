"""Does a table of a file hold what its model asks for, each value of its own type?

pydantic takes ``true`` for 1 and ``"5"`` for 5 unless it is strict, and a strict model takes nothing but Python's own
types, where a file has texts and lists: but from JSON it takes these for paths, days and tuples, and no text for a
number. So a table is looked at as JSON first. A day is a text there, which the second look finds out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

ModelT = TypeVar("ModelT", bound="BaseModel")


def validated(model: type[ModelT], table: Mapping[str, Any]) -> ModelT:
    """Return a table of a file as its model.

    Raises:
        ValidationError: It holds what the model does not take, or a value of another type.
    """
    model.model_validate_json(json.dumps(table, default=str), strict=True)
    return model.model_validate(table)
