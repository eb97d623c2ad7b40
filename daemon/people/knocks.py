"""How often may somebody guess at a door where anybody may try, such as the login page?

Counted for each person and each place apart: a stranger at one screen must not keep the SSO out at another. Whoever has
many places gains nothing: all places at which a person was never right share a few guesses more.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import Final, TypeVar

from daemon.people.lockout import FRESH, TRIES, Tries

_T = TypeVar("_T")
STRANGE_TRIES: Final = 3 * TRIES
"""Wrong ones in a row for one person, of all places together where he was never right; then none there for a time."""
MOST_PLACES: Final = 64
"""For each person, those at which he was right, and those at which somebody was wrong; the oldest goes first."""

NOWHERE: Final = "?"
"""Where the server of the pages does not say."""
_SUBNET_BITS: Final = 64


def place(address: object) -> str:
    """Return where an address is: IPv6 gives one computer as many as it likes of its subnet (RFC 8981)."""
    try:
        read = ip_address(address if isinstance(address, str) else NOWHERE)
    except ValueError:
        return NOWHERE
    if not isinstance(read, IPv6Address):
        return str(read)
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return str(IPv6Address(int(read) >> _SUBNET_BITS << _SUBNET_BITS))


class Knocks:
    """What was tried, since this process began."""

    def __init__(self) -> None:
        """Begin with none."""
        self._tries: dict[str, dict[str, Tries]] = {}
        self._home: dict[str, dict[str, None]] = {}
        self._strange: dict[str, Tries] = {}

    def locked_for_s(self, name: str, place: str, now_s: float) -> float:
        """Return for how much longer no PIN of this person is taken from there; 0: one is."""
        here = self._tries.get(name, {}).get(place, FRESH).locked_for_s(now_s)
        if place in self._home.get(name, {}):
            return here
        return max(here, self._strange.get(name, FRESH).locked_for_s(now_s))

    def wrong(self, name: str, place: str, now_s: float) -> bool:
        """Count a wrong one; return whether that has locked this person's PIN, there or at all strange places."""
        tries = self._tries.setdefault(name, {})
        after = tries.pop(place, FRESH).after_wrong(now_s)
        _put(tries, place, after)
        is_locked = after.locked_for_s(now_s) > 0
        if place not in self._home.get(name, {}):
            strange = self._strange.get(name, FRESH).after_wrong(now_s, most=STRANGE_TRIES)
            self._strange[name] = strange
            is_locked = is_locked or strange.locked_for_s(now_s) > 0
        return is_locked

    def right(self, name: str, place: str) -> None:
        """Take down that this person was right there: what others do elsewhere keeps him from this place no more."""
        self._tries.get(name, {}).pop(place, None)
        home = self._home.setdefault(name, {})
        home.pop(place, None)
        _put(home, place, None)

    def forget(self, name: str) -> None:
        """Forget everything of a person, whose PIN is another now."""
        for each in (self._tries, self._home, self._strange):
            each.pop(name, None)


def _put(places: dict[str, _T], place: str, what: _T) -> None:
    places[place] = what
    if len(places) > MOST_PLACES:
        del places[next(iter(places))]
