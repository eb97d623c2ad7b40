"""What is an order, and what came of it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import asyncio

    from daemon.model import Json
    from daemon.people.authority import Act
    from daemon.people.claims import By, Claim
    from daemon.record.entry import Entry

Said: TypeAlias = Mapping[str, Any]
"""The members of an order, in the form that ``daemon.mqtt.verbs`` gives them."""


@dataclass(frozen=True, slots=True)
class Done:
    """An order that was carried out.

    Attributes:
        written: Its entry.
        extra: What else the person is told.
    """

    written: asyncio.Future[Entry]
    extra: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """One order.

    Attributes:
        act: What the table of people calls it: who may, and what proves him.
        carry_out: Does it.
        who: Who acts, where others than the table's *yes* may take part in it; None: the table alone says.
    """

    act: Act
    carry_out: Callable[[By, Said], Done]
    who: Callable[[Claim], By] | None = None
