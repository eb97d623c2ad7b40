"""Which topics are there, who may read them, and which are retained?

The contract with every dashboard (docs/mqtt.md): ``ispsd/<ship>/v1/...``. Everything under ``sso/``
is closed to watch stations by the broker's ACL, so what belongs there must never get another name.
So is everything under ``citadel/``, where the open topics go on under their own names while the curtain is down.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from daemon.model import Classification

VERSION = "v1"
ID = re.compile(r"[a-z0-9._-]{1,64}")
"""What can stand for a ship, station, point, device or alert in a topic: no wildcard, no slash."""

STATE_BY_ID = frozenset(
    {"point", "driver", "alert", "equipment", "test", "station", "permit", "inhibit"}
)
"""Retained, one topic for each thing."""
STATE_ALONE = frozenset(
    {"status", "snapshot", "ship", "crew", "loop_check", "record/head", "curtain", "palette"}
)
"""Retained, one topic only."""
SSO_BY_ID = frozenset(
    {"sso/point", "sso/driver", "sso/equipment", "sso/test", "sso/out_of_service"}
)
SSO_ALONE = frozenset({"sso/worklist", "sso/loop_check"})
MOMENT = frozenset({"heartbeat", "event"})
MOMENT_BY_ID = frozenset({"reply", "selftest"})
"""Never retained."""
CITADEL = "citadel"
"""The level of the topics that go on while the curtain is down."""
OUTSIDE = frozenset({"status", "snapshot", "curtain"})
"""What stays retained in the open while the curtain is down, and says nothing of the ship's doors."""
NOT_IN_CITADEL = frozenset({"curtain", "selftest", "cmd"})
RETAINED = STATE_BY_ID | STATE_ALONE | SSO_BY_ID | SSO_ALONE
ALONE = STATE_ALONE | SSO_ALONE | MOMENT
BY_ID = STATE_BY_ID | SSO_BY_ID | MOMENT_BY_ID
LONGEST: Final = 512
"""No topic of the contract is longer: of its five parts none has more than 64 characters."""
KNOWN: Final = 4096
"""Topics that are remembered taken apart: a ship has some hundred, and each is told again and again."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, taken apart.

    Attributes:
        kind: The part that its schema goes by: ``point``, ``sso/point``, ``record/head``, ``cmd``.
        id: What it is about; the station for ``cmd`` and ``reply``, empty where there is only one.
        verb: Of a command; empty otherwise.
    """

    kind: str
    id: str = ""
    verb: str = ""

    @property
    def retained(self) -> bool:
        """Return whether the broker is to remember its newest message."""
        kind = self.kind.removeprefix(f"{CITADEL}/")
        return kind in RETAINED

    @property
    def classification(self) -> Classification:
        """Return who may read it."""
        return Classification.SSO if self.kind.startswith("sso/") else Classification.WATCH

    @property
    def is_citadel(self) -> bool:
        """Return whether only stations of the citadel read it."""
        return self.kind.startswith(f"{CITADEL}/")

    @property
    def is_curtained(self) -> bool:
        """Return whether it is cleared while the curtain is down, and goes on under ``citadel/``."""
        is_open = self.classification is Classification.WATCH and not self.is_citadel
        return is_open and self.retained and self.kind not in OUTSIDE


class Topics:
    """The names of one ship's topics.

    Raises:
        ValueError: The ship, or an id given to a method, cannot stand in a topic.
    """

    def __init__(self, ship: str) -> None:
        self.root = f"ispsd/{checked_id(ship)}/{VERSION}"

    def citadel(self) -> Topics:
        """Return the same names as they are while the curtain is down, for stations that may read them."""
        inside = copy.copy(self)
        inside.root = f"{self.root}/{CITADEL}"
        return inside

    def inside(self, topic: str) -> str:
        """Return the name under which an open topic goes on while the curtain is down."""
        return f"{self.root}/{CITADEL}{topic.removeprefix(self.root)}"

    def outside(self, topic: str) -> str:
        """Return the name that a topic of the citadel has in the open."""
        root = self.root.removesuffix(f"/{CITADEL}")
        return root + topic.removeprefix(f"{root}/{CITADEL}")

    def everything(self) -> str:
        """Return the filter of all topics of the ship."""
        return f"{self.root}/#"

    def state_filters(self) -> tuple[str, ...]:
        """Return the filters of everything but the commands."""
        return tuple(f"{self.root}/{each}" for each in ("+", "+/+", "sso/+/+", "citadel/+/+"))

    def commands_of(self, station: str) -> str:
        """Return the filter of a station's commands; ``+`` for those of every station."""
        return f"{self.root}/cmd/{station if station == '+' else checked_id(station)}/+"

    def status(self) -> str:
        return f"{self.root}/status"

    def ship(self) -> str:
        return f"{self.root}/ship"

    def crew(self) -> str:
        return f"{self.root}/crew"

    def curtain(self) -> str:
        return f"{self.root}/curtain"

    def palette(self) -> str:
        return f"{self.root}/palette"

    def heartbeat(self) -> str:
        return f"{self.root}/heartbeat"

    def snapshot(self) -> str:
        return f"{self.root}/snapshot"

    def event(self) -> str:
        return f"{self.root}/event"

    def record_head(self) -> str:
        return f"{self.root}/record/head"

    def point(self, id_: str, *, classification: Classification = Classification.WATCH) -> str:
        return self._of("point", id_, classification)

    def driver(self, id_: str, *, classification: Classification = Classification.WATCH) -> str:
        return self._of("driver", id_, classification)

    def equipment(self, id_: str, *, classification: Classification = Classification.WATCH) -> str:
        return self._of("equipment", id_, classification)

    def test(self, id_: str, *, classification: Classification = Classification.WATCH) -> str:
        return self._of("test", id_, classification)

    def alert(self, id_: str) -> str:
        return self._of("alert", id_, Classification.WATCH)

    def station(self, id_: str) -> str:
        return self._of("station", id_, Classification.WATCH)

    def permit(self, id_: str) -> str:
        return self._of("permit", id_, Classification.WATCH)

    def inhibit(self, id_: str) -> str:
        return self._of("inhibit", id_, Classification.WATCH)

    def out_of_service(self, id_: str) -> str:
        return self._of("out_of_service", id_, Classification.SSO)

    def selftest(self, nonce: str) -> str:
        """Return where a synthetic alert of that nonce goes; ``+`` for the filter of all."""
        return f"{self.root}/selftest/{nonce if nonce == '+' else checked_id(nonce)}"

    def worklist(self) -> str:
        return f"{self.root}/sso/worklist"

    def loop_check(self) -> str:
        return f"{self.root}/loop_check"

    def sso_loop_check(self) -> str:
        return f"{self.root}/sso/loop_check"

    def command(self, station: str, verb: str) -> str:
        return f"{self.root}/cmd/{checked_id(station)}/{checked_id(verb)}"

    def reply(self, station: str) -> str:
        return f"{self.root}/reply/{checked_id(station)}"

    def parse(self, topic: str) -> Topic | None:
        """Take a topic apart; None for one that is not in the contract."""
        if not topic.startswith(f"{self.root}/"):
            return None
        if (name := parse(topic)) is None or not self.root.endswith(f"/{CITADEL}"):
            return name
        return replace(name, kind=name.kind.removeprefix(f"{CITADEL}/"))

    def _of(self, kind: str, id_: str, classification: Classification) -> str:
        prefix = "sso/" if classification is Classification.SSO else ""
        return f"{self.root}/{prefix}{kind}/{checked_id(id_)}"


def parse(topic: str) -> Topic | None:
    """Take a topic of any ship apart; None for one that is not in the contract."""
    return _parsed(topic) if len(topic) <= LONGEST else None


@lru_cache(maxsize=KNOWN)
def _parsed(topic: str) -> Topic | None:
    prefix, _, name = topic.partition(f"/{VERSION}/")
    root, _, ship = prefix.partition("/")
    parts = name.split("/")
    if root != "ispsd" or not all(map(ID.fullmatch, [ship, *parts])):
        return None
    return _known(name, parts)


def checked_id(id_: str) -> str:
    """Return the id.

    Raises:
        ValueError: It cannot stand in a topic.
    """
    if ID.fullmatch(id_) is None:
        raise ValueError(
            f"{id_!r} cannot stand in a topic: 1 to 64 of a-z, 0-9, dot, underscore, dash"
        )
    return id_


def _known(name: str, parts: list[str]) -> Topic | None:
    if parts[0] == CITADEL:
        return _inside(parts[1:])
    if name in ALONE:
        return Topic(name)
    *kind, last = parts
    if "/".join(kind) in BY_ID:
        return Topic("/".join(kind), last)
    match parts:
        case ["cmd", station, verb]:
            return Topic("cmd", station, verb)
        case _:
            return None


def _inside(parts: list[str]) -> Topic | None:
    """Return what goes on under ``citadel/``: everything that is open, but what stays or comes from stations."""
    name = _known("/".join(parts), parts) if parts and parts[0] != CITADEL else None
    if name is None or name.classification is Classification.SSO or name.kind in NOT_IN_CITADEL:
        return None
    return replace(name, kind=f"{CITADEL}/{name.kind}")
