"""What does the contract promise about a payload: its JSON Schema, and how a value is written.

The schemas (JSON Schema 2020-12) are data under ``config/mqtt``, for everybody who writes a page.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, cast

from daemon.assets import asset
from daemon.model import AisTraffic
from daemon.mqtt.topics import CITADEL, parse

if TYPE_CHECKING:
    from daemon.model import Json, Value


def schema_for(topic: str) -> dict[str, Json]:
    """Return the JSON Schema of a topic's payload; an empty payload means cleared, and has none.

    Raises:
        ValueError: The topic is not in the contract.
        IspsdError: The topic is, but this version has no such command.
    """
    name = parse(topic)
    if name is None:
        raise ValueError(f"{topic} is not in the contract")
    kind = name.kind.removeprefix(f"{CITADEL}/")
    stem = f"cmd_{name.verb}" if kind == "cmd" else kind.replace("/", "_")
    text = asset(f"mqtt/schemas/{stem}.json").read_text("utf-8")
    return cast("dict[str, Json]", json.loads(text))


def value_of(value: Value | None) -> Json:
    """Return a value as it stands in ``point``: structured ones by their field names; of AIS traffic its counts."""
    if value is None or isinstance(value, float | str):
        return value
    if isinstance(value, AisTraffic):
        return cast("dict[str, Json]", dataclasses.asdict(value.counts))
    return cast("dict[str, Json]", dataclasses.asdict(value))
