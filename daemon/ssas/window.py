"""When may an SSAS test take place? Inside a test window that two persons opened, after notice as the flag wants it.

Everything here is of class ``sso`` and comes through the control socket only (invariant 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon import forms
from daemon.checks.flags import (
    Notice,
    judge_notice,
    judge_notices,
    judge_occasion,
    load_flag,
)
from daemon.checks.ssas_settings import FlagTestConfig
from daemon.errors import RefusedError
from daemon.model import Classification, ClockStatus, Outcome, Role
from daemon.people.authority import COMMAND, Act
from daemon.record.entry import Actor, Draft, Proof

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable
    from datetime import datetime

    from daemon.computer.clock import Clock
    from daemon.gate import CovertGate
    from daemon.model import Json, Person
    from daemon.people.claims import By
    from daemon.record.entry import Entry
    from daemon.record.journal import Journal
    from daemon.testing.standing import Test

MOST_NOTICES = 100
"""The newest that are remembered; a flag wants one."""
MARGIN_S = 300.0
"""What a proposed window has beside what its test needs: two persons start it and walk, in seconds."""
TEXT_CHECK = "ssas_text"
SENDS_NOTHING = frozenset({TEXT_CHECK})
"""Checks under a flag's rule for which nobody need be told."""


class Window:
    """The test window and the notices."""

    def __init__(
        self, *, gate: CovertGate, window_s: float, clock: Clock, journal: Journal
    ) -> None:
        self._gate = gate
        self._window_s = window_s
        self._clock = clock
        self._journal = journal
        self.notices: list[Notice] = []
        """Those of which the record knows, oldest first."""

    def take_up(self, notices: Iterable[Notice]) -> None:
        """Take up the notices of which the record knows."""
        self.notices = sorted(notices, key=lambda each: each.entered_utc)[-MOST_NOTICES:]

    def proposed_s(self, test: Test) -> float:
        """Return how long a window for this test should be, in seconds: what it needs, and a margin."""
        if test.spec.window_s is None:
            return self._window_s
        return float(test.spec.window_s(test.config)) + MARGIN_S

    def open(
        self, first: By, second: By, test: Test | None = None
    ) -> tuple[float, asyncio.Future[Entry]]:
        """Open a test window: two different persons, one of them the Master; return its minutes and the writing.

        For a test it is as long as that one needs; without one as long as the ship's file says.

        Raises:
            RefusedError: The two may not, or have not proven themselves, one is open already, or none may be long
                enough for the test.
        """
        if reason := may_open_window(first.person, second.person):
            raise RefusedError(reason)
        if Proof.NONE in {first.proof, second.proof}:
            raise RefusedError("a test window is opened with the PINs of both")
        duration_s = self._window_s
        if test is not None:
            if not test.spec.needs_window:
                raise RefusedError(f"{test.config.id} needs no test window")
            duration_s = min(self.proposed_s(test), self._window_s)
            if reason := _too_short(test, duration_s, "a window has at most"):
                raise RefusedError(reason)
        by = (first.person.name, second.person.name)
        window = self._gate.open(duration_s=duration_s, opened_by=by)
        written = self._write(
            "window.opened",
            first.actor(),
            {"minutes": int(duration_s // 60)},
            {"opened_by": list(by), "proof": Proof.PIN.value},
        )
        return (window.until_s - self._clock.now_s()) / 60, written

    def close(self, person: Person) -> asyncio.Future[Entry]:
        """Close the test window before its time.

        Raises:
            RefusedError: None is open.
        """
        if not self._gate.is_open():
            raise RefusedError("no test window is open")
        self._gate.close()
        return self._write("window.closed", Actor(person=person.name))

    def notice(
        self,
        flag: str,
        by: By,
        *,
        sent_utc: datetime,
        to: str,
        reference: str,
        occasion: str = "",
        planned_utc: datetime | None = None,
    ) -> tuple[str | None, asyncio.Future[Entry]]:
        """Enter that notice of a test was given; return why it is not valid for the planned time, and the writing.

        A notice that is not valid is entered all the same: it was given, and the entry says that it does not count.

        Raises:
            RefusedError: The person may not, there is no such flag or occasion, or it was sent later than now.
        """
        by.must_be(COMMAND, Act.NOTICE.value)
        now_utc = self._clock.utc()
        try:
            profile = load_flag(flag)
        except ValueError as err:
            raise RefusedError(str(err)) from None
        if sent_utc.utcoffset() is None or sent_utc > now_utc:
            raise RefusedError("when it was sent is wanted, in UTC, and not later than now")
        if occasion and occasion not in profile.occasions:
            known = ", ".join(profile.occasions) or "none"
            raise RefusedError(f"{occasion!r} is no occasion of {profile.flag}; there are {known}")
        notice = Notice(
            flag, sent_utc, to, reference, by.person.name, now_utc, occasion, planned_utc
        )
        self.notices = [*self.notices[1 - MOST_NOTICES :], notice]
        said: dict[str, Json] = {
            "flag": flag,
            "sent": forms.utc(sent_utc),
            "to": to,
            "reference": reference,
            "entered": forms.utc(now_utc),
            "entered_by": by.person.name,
        }
        reason = None
        if occasion:
            said["occasion"] = occasion
        if planned_utc is not None:
            reason = judge_notice(profile, notice, planned_utc)
            said |= {"planned": forms.utc(planned_utc), "not_valid": reason}
        return reason, self._write("notice.given", by.actor(), said)

    def refusal(self, test: Test, others: Iterable[Test] = ()) -> str | None:
        """Return why a test may not start now; None where it may.

        Its flag's rules of notice, occasion and addressee, quoted; a text that was found wrong; a window whose rest is
        too short for it. ``others`` are all tests of the ship.
        """
        config = test.config
        if isinstance(config, FlagTestConfig) and test.spec.kind not in SENDS_NOTHING:
            if self._clock.status() is ClockStatus.UNSET:
                return "the clock is not set, so nobody can tell whether notice was given in time"
            if reason := self._flag_refusal(config, tuple(others)):
                return reason
            if reason := _text_refusal(test, others):
                return reason
        window = self._gate.window()
        if window is None or not test.spec.needs_window:
            return None
        return _too_short(test, window.until_s - self._clock.now_s(), "the test window has only")

    def _flag_refusal(self, config: FlagTestConfig, others: Iterable[Test]) -> str | None:
        now_utc = self._clock.utc()
        sent = [
            other.sent_utc
            for other in others
            if isinstance(other.config, FlagTestConfig)
            and other.config.flag_profile == config.flag_profile
            and other.sent_utc is not None
        ]
        return judge_notices(config.flag_profile, self.notices, now_utc) or judge_occasion(
            config.flag_profile,
            self.notices,
            now_utc,
            to=[each.kind for each in config.addressees],
            last_utc=max(sent, default=None),
            occasion=config.occasion,
        )

    def _write(
        self,
        type_: str,
        actor: Actor,
        said: dict[str, Json] | None = None,
        private: dict[str, Json] | None = None,
    ) -> asyncio.Future[Entry]:
        return self._journal.submit(
            Draft(
                kind=".10",
                type=type_,
                subject="ssas",
                classification=Classification.SSO,
                actor=actor,
                open=said or {},
                parts={Classification.SSO: private} if private else {},
            )
        )


def _text_refusal(test: Test, others: Iterable[Test]) -> str | None:
    """Refuse to send what was found wrong before it was sent."""
    if not test.spec.needs_window:
        return None
    for other in others:
        same = other.config.equipment == test.config.equipment
        if other.spec.kind == TEXT_CHECK and same and other.proven is not None:
            newest = other.last if other.last is not None else other.proven
            if Outcome.FAILED in {other.proven.outcome, newest.outcome}:
                return f"{other.config.id} found the text not as it must be: {other.proven.reason}"
    return None


def _too_short(test: Test, left_s: float, words: str) -> str | None:
    if test.spec.window_s is None:
        return None
    needs_s = float(test.spec.window_s(test.config))
    if left_s >= needs_s:
        return None
    return (
        f"{words} {left_s / 60:.0f} min, and {test.config.id} needs {needs_s / 60:.0f} min: "
        "a test that the window cannot hold is not begun"
    )


def may_open_window(first: Person, second: Person) -> str | None:
    """Return why these two may not open a test window; None when they may.

    One is the Master, the other the SSO; where the Master is the SSO, the other is the deputy named in the SSP.
    """
    if first.name == second.name:
        return "a test window is opened by two different persons"
    pairs = ((first, second), (second, first))
    if not any(Role.MASTER in one.roles for one, _ in pairs):
        return "one of the two must be the Master"
    if any(_is_pair(master, other) for master, other in pairs):
        return None
    master, other = next(pair for pair in pairs if Role.MASTER in pair[0].roles)
    if Role.SSO in master.roles:
        return f"the Master is the SSO, so the deputy named in the SSP opens it too; {other.name} is not"
    return f"beside the Master the SSO opens it; {other.name} is not"


def _is_pair(master: Person, other: Person) -> bool:
    if Role.MASTER not in master.roles:
        return False
    return (Role.DEPUTY_SSO if Role.SSO in master.roles else Role.SSO) in other.roles
