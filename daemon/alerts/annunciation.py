"""At which stations does an alert sound now?

ISPS B/9.43 asks for a place that is continuously attended; MSC.302(87) for an alert that goes on until somebody has
seen it. The attended stations of the situation sound at once. What nobody acknowledges sounds at one station more each
three minutes, down a chain that is the ship's own; a station that is not live is passed over at once. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from daemon.model import Situation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.alerts.alert import Alert
    from daemon.model import Regime, Station

NEXT_AFTER_S: Final = 180.0
"""So long an alert waits for one station before it sounds at the next, unless the ship's file says otherwise."""
AT_SEA: Final = ("bridge",)
CABINS: Final = ("master",)
"""Called only when the ship must be careful: no sound in cabins otherwise."""
USUAL_CHAIN: Final[Mapping[Situation, tuple[str, ...]]] = MappingProxyType(
    {
        Situation.SEA: AT_SEA,
        Situation.MANOEUVRING: AT_SEA,
        Situation.ANCHOR: AT_SEA,
        Situation.PORT: ("gangway", "office", "phone", "bridge"),
        Situation.YARD: ("office", "phone", "bridge"),
    }
)
"""Where a ship's file says nothing: the stations of these names, where she has them."""
USUAL_RAISED: Final[Mapping[Situation, tuple[str, ...]]] = MappingProxyType(
    {
        **dict.fromkeys(Situation, ()),
        **dict.fromkeys((Situation.SEA, Situation.MANOEUVRING, Situation.ANCHOR), CABINS),
    }
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who hears what nobody acknowledges.

    Attributes:
        next_after_s: How long one station is waited for, in seconds.
        chain: By situation, in order.
        raised: Who is called behind them at security level 2 and 3 and in a threat area.
    """

    next_after_s: float
    chain: Mapping[Situation, tuple[str, ...]]
    raised: Mapping[Situation, tuple[str, ...]]

    def order(self, regime: Regime) -> tuple[str, ...]:
        """Return the stations that are called now, one after the other."""
        chain = self.chain.get(regime.situation, ())
        if regime.on_guard:
            chain += self.raised.get(regime.situation, ())
        return chain


NOBODY: Final = Plan(NEXT_AFTER_S, {}, {})
"""The attended stations alone."""


@dataclass(frozen=True, slots=True)
class Post:
    """A station as it stands now.

    Attributes:
        live: An alert would be seen and heard there.
        armed: It would be heard, though perhaps nothing shows it.
    """

    station: Station
    live: bool
    armed: bool = False

    def attended(self, regime: Regime) -> bool:
        """Return whether the watch is kept there in this situation."""
        return regime.situation in self.station.attended_in


def sounding_at(
    alert: Alert, regime: Regime, posts: Sequence[Post], plan: Plan, now_s: float
) -> tuple[str, ...]:
    """Return where an alert sounds now; nowhere while it is silenced or acknowledged, and never for a caution.

    Attended stations are named whether they are live or not: one that cannot prove it may still be heard. Of the others
    only live ones are. Where not one of all of these is live, every live station is called, and every one that sounds
    without a page that shows it.
    """
    if not alert.sounding:
        return ()
    named = [post.station.id for post in posts if post.attended(regime)]
    live = frozenset(post.station.id for post in posts if post.live)
    called = _steps(alert, plan, now_s) + (0 if live.intersection(named) else 1)
    named += _rest(named, live, plan.order(regime))[:called]
    if live.isdisjoint(named):
        heard = [post.station.id for post in posts if post.live or post.armed]
        named += [id_ for id_ in heard if id_ not in named]
    return tuple(named)


def next_due_s(
    alert: Alert, regime: Regime, posts: Sequence[Post], plan: Plan, now_s: float
) -> float | None:
    """Return when an alert sounds at one station more; None where there is none left, or none is called.

    A station that comes to life or dies may change it before.
    """
    if not alert.sounding or alert.waits_since_s is None:
        return None
    named = sounding_at(alert, regime, posts, plan, now_s)
    live = frozenset(post.station.id for post in posts if post.live)
    if not _rest(list(named), live, plan.order(regime)):
        return None
    return alert.waits_since_s + (_steps(alert, plan, now_s) + 1) * plan.next_after_s


def _steps(alert: Alert, plan: Plan, now_s: float) -> int:
    """Return how often an alert has waited too long."""
    if alert.waits_since_s is None:
        return 0
    steps = max(0, math.floor((now_s - alert.waits_since_s) / plan.next_after_s))
    # A division may round down what next_due_s has rounded up: whoever is woken then finds the step done.
    return steps + (alert.waits_since_s + (steps + 1) * plan.next_after_s <= now_s)


def _rest(named: Sequence[str], live: frozenset[str], order: Sequence[str]) -> list[str]:
    """Return who is left to be called."""
    return [id_ for id_ in order if id_ in live and id_ not in named]


@dataclass(frozen=True, slots=True)
class Voice:
    """How a ship's stations sound.

    Attributes:
        tones: Which of the two sets of tones.
        volume_floor: No station plays more quietly, in per cent of what its output can.
        warning_every_s: How often a warning sounds again, in seconds.
    """

    tones: int = 1
    volume_floor: int = 60
    warning_every_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the ship's file says of annunciation.

    Attributes:
        reply_every_min: How often the gangway is asked for a reply at security level 1, 2 and 3; 0 for never.
    """

    plan: Plan = NOBODY
    voice: Voice = Voice()
    reply_every_min: tuple[int, int, int] = (0, 30, 15)
