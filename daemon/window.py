"""When may an SSAS test take place? Inside a test window that two persons opened, after notice as the flag wants it.

Everything here is of class ``sso`` and comes through the control socket only (invariant 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon import forms
from daemon.checks.flags import Notice, judge_notices, load_flag
from daemon.errors import RefusedError
from daemon.model import Classification, ClockStatus, Role
from daemon.people.authority import COMMAND, Act
from daemon.record.entry import Actor, Draft, Proof

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from daemon.clock import Clock
    from daemon.gate import CovertGate
    from daemon.model import Json, Person
    from daemon.people.claims import By
    from daemon.record.entry import Entry
    from daemon.standing import Test
    from daemon.watch import Journal

MOST_NOTICES = 100
"""The newest that are remembered; a flag wants one."""


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

    def open(self, first: By, second: By) -> tuple[float, asyncio.Future[Entry]]:
        """Open a test window: two different persons, one of them the Master; return its minutes and the writing.

        Raises:
            RefusedError: The two may not, or have not proven themselves, or one is open already.
        """
        if reason := may_open_window(first.person, second.person):
            raise RefusedError(reason)
        if Proof.NONE in {first.proof, second.proof}:
            raise RefusedError("a test window is opened with the PINs of both")
        by = (first.person.name, second.person.name)
        window = self._gate.open(duration_s=self._window_s, opened_by=by)
        written = self._write(
            "window.opened",
            first.actor(),
            {"minutes": int(self._window_s // 60)},
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
        self, flag: str, by: By, *, sent_utc: datetime, to: str, reference: str
    ) -> asyncio.Future[Entry]:
        """Enter that notice of a test was given.

        Raises:
            RefusedError: The person may not, there is no such flag, or it was sent later than now.
        """
        by.must_be(COMMAND, Act.NOTICE.value)
        now_utc = self._clock.utc()
        try:
            load_flag(flag)
        except ValueError as err:
            raise RefusedError(str(err)) from None
        if sent_utc.utcoffset() is None or sent_utc > now_utc:
            raise RefusedError("when it was sent is wanted, in UTC, and not later than now")
        notice = Notice(flag, sent_utc, to, reference, by.person.name, now_utc)
        self.notices = [*self.notices[1 - MOST_NOTICES :], notice]
        return self._write(
            "notice.given",
            by.actor(),
            {
                "flag": flag,
                "sent": forms.utc(sent_utc),
                "to": to,
                "reference": reference,
                "entered": forms.utc(now_utc),
                "entered_by": by.person.name,
            },
        )

    def refusal(self, test: Test) -> str | None:
        """Return why a test may not start now: its flag's rule of notice, quoted; None where it may."""
        flag = getattr(test.config, "flag_profile", None)
        if flag is None:
            return None
        if self._clock.status() is ClockStatus.UNSET:
            return "the clock is not set, so nobody can tell whether notice was given in time"
        return judge_notices(flag, self.notices, self._clock.utc())

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
