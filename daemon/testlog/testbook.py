"""Answer for the ship's tests as they are planned: what will be due until a day, and what is otherwise than usual?

The preview is the schedule itself, asked of days to come: as the ship is now, and as if each test passed when due.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from daemon import forms
from daemon.checks import catalogue, intervals
from daemon.checks.api import Mode
from daemon.control import fields
from daemon.errors import RefusedError
from daemon.model import Classification, ClockStatus
from daemon.record.entry import Draft
from daemon.testing import reasons, schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import timezone

    from daemon.acts.requests import Handler
    from daemon.checks.catalogue import Difference
    from daemon.computer.clock import Clock
    from daemon.config import Config
    from daemon.model import Json, Regime
    from daemon.record.journal import Journal
    from daemon.testing.readiness import Test, Tests

ALTERED: Final = "tests.altered"
MOST_DAYS: Final = 800
FAR: Final = f"until when? A day of the next {MOST_DAYS}"
CLOCK_UNSET: Final = (
    "the computer's clock is not set: nothing falls due, starts by itself or is missed until it is"
)


class TestBook:
    """Answers ``ispsd tests --until`` and ``ispsd tests --differences``."""

    __test__ = False

    def __init__(
        self,
        config: Config,
        *,
        tests: Tests,
        rows: Callable[[], list[dict[str, Json]]],
        shipped: Mapping[str, Mapping[str, Any]],
        regime: Callable[[], Regime],
        ship_time: Callable[[], timezone],
        clock: Clock,
        journal: Journal,
    ) -> None:
        """Touch nothing yet; ``shipped`` is the catalogue, ``rows`` how each test stands."""
        self._config = config
        self._tests = tests
        self._rows = rows
        self._shipped = shipped
        self._regime = regime
        self._ship_time = ship_time
        self._clock = clock
        self._journal = journal

    def requests(self) -> Mapping[str, Handler]:
        """Return who answers which request of the control socket."""
        return {
            "tests": self._all,
            "tests.coming": self._coming,
            "tests.differences": self._differences,
        }

    def write_differences(self) -> None:
        """Write what this ship has otherwise than the catalogue, and by whose word."""
        said = [
            {
                "test": test.config.id,
                "ssp": test.config.ssp_paragraph,
                "approved_by": test.config.approved_by,
                "approved_on": _day(test.config.approved_on),
                **{
                    each.setting: f"{catalogue.shown(each.shipped)} to {catalogue.shown(each.now)}"
                    for each in test.differences
                },
            }
            for test in self._config.tests
            if test.differences
        ]
        if said:
            self._journal.submit(
                Draft(
                    kind="system",
                    type=ALTERED,
                    subject="tests",
                    classification=Classification.SSO,  # SSAS tests are among them
                    open={"tests": said},
                )
            )

    async def _all(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        return {
            **self._times(),
            "tests": [{**row, **self._tests.told(str(row["test"]))} for row in self._rows()],
        }

    def _times(self) -> dict[str, Json]:
        offset = self._ship_time().utcoffset(None) or timedelta()
        return {
            "clock": self._clock.status().value,
            "warning": CLOCK_UNSET if self._clock.status() is ClockStatus.UNSET else None,
            "ship_time_offset_min": round(offset / timedelta(minutes=1)),
        }

    async def _coming(self, request: Mapping[str, Any]) -> Mapping[str, Json]:
        now_utc, ship_time, regime = self._clock.utc(), self._ship_time(), self._regime()
        until_utc = _until(request, now_utc, ship_time)
        if not now_utc < until_utc <= now_utc + timedelta(days=MOST_DAYS):
            raise RefusedError(FAR)
        is_unset = self._clock.status() is ClockStatus.UNSET
        answer: dict[str, Json] = {
            **self._times(),
            "from": forms.utc(now_utc),
            "until": forms.utc(until_utc),
            "situation": regime.situation.value,
            "security_level": int(regime.level),
        }
        tests = [] if is_unset else list(self._tests.tests.values())
        return answer | {
            "days": self._days(tests, now_utc, until_utc, ship_time),
            "always": [_short(test) for test in tests if test.plan.continuous],
            "daily": [_short(test) for test in tests if _is_daily(test)],
            "not_here": [
                {**_short(test), "asked_for": reasons.elsewhere(test), "after": _after(test)}
                for test in tests
                if test.plan.every == intervals.NEVER and not schedule.is_asked(test.past)
            ],
        }

    def _days(
        self, tests: Iterable[Test], now_utc: datetime, until_utc: datetime, ship_time: timezone
    ) -> list[Json]:
        """Return what falls due, by ship's day; what is due each day only where it is due already."""
        by_day: dict[str, list[Json]] = {}

        def put(moment_utc: datetime, row: Mapping[str, Json]) -> None:
            by_day.setdefault(f"{moment_utc.astimezone(ship_time):%Y-%m-%d}", []).append(row)

        for test in tests:
            found = schedule.coming(
                test.plan, test.past, now_utc=now_utc, until_utc=until_utc, ship_time=ship_time
            )
            for number, each in enumerate(found):
                is_now = each.begins_utc <= now_utc
                if _is_daily(test) and not is_now:
                    break
                put(each.begins_utc, self._row(test, each, is_first=number == 0, is_now=is_now))
        for item in self._tests.other_work():
            if item.limit_utc is not None and now_utc < item.limit_utc < until_utc:
                text = f"limit: {item.what}"
                put(item.limit_utc, {"test": item.test, "name": text, "mode": None, "due": None})
        return [{"day": day, "tests": by_day[day]} for day in sorted(by_day)]

    def _row(
        self, test: Test, due: schedule.Period, *, is_first: bool, is_now: bool
    ) -> dict[str, Json]:
        # What it will be overdue by hangs on when it passes; of what is due next it is known.
        limit_utc = schedule.overdue_utc(test.plan, test.past) if is_first else None
        return {
            **_short(test),
            "due": forms.utc(due.begins_utc),
            "period_ends": forms.utc(due.ends_utc),
            "limit": None if limit_utc is None else forms.utc(limit_utc),
            "now": is_now,
            "waits": self._tests.waits(test) if is_now else None,
        }

    async def _differences(self, _: Mapping[str, Any]) -> Mapping[str, Json]:
        used = {test.config.use for test in self._config.tests}
        return {
            "differences": [
                {
                    "test": test.config.id,
                    "use": test.config.use,
                    "ssp_paragraph": test.config.ssp_paragraph,
                    "approved_by": test.config.approved_by,
                    "approved_on": _day(test.config.approved_on),
                    "settings": [_difference(each) for each in test.differences],
                }
                for test in self._config.tests
                if test.differences
            ],
            "own": [
                {
                    "test": t.config.id,
                    "name": t.config.name,
                    "ssp_paragraph": t.config.ssp_paragraph,
                }
                for t in self._config.tests
                if t.config.use is None
            ],
            "not_used": [
                {"entry": name, "name": entry["name"], "off": entry.get("off")}
                for name, entry in self._shipped.items()
                if name not in used
            ],
        }


def _until(request: Mapping[str, Any], now_utc: datetime, ship_time: timezone) -> datetime:
    """Return until when is asked: the end of a ship's day, or so many days on.

    Raises:
        RefusedError: It is neither.
    """
    if "days" in request:
        return now_utc + timedelta(days=_bounded(fields.number(request, "days")))
    said = fields.text(request, "until")
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise RefusedError(f"{said[:40]!r} is no day, such as 2027-03-01") from None
    _bounded((day - now_utc.date()).days)
    return schedule.day_after(datetime.combine(day, time(), ship_time), ship_time=ship_time)


def _bounded(days: int) -> int:
    """Return so many days from now, where anybody plans so far.

    Raises:
        RefusedError: Nobody does.
    """
    if not -MOST_DAYS <= days <= MOST_DAYS:
        raise RefusedError(FAR)
    return days


def _short(test: Test) -> dict[str, Json]:
    config = test.config
    by_itself = test.spec.continuous or test.spec.mode is Mode.AUTOMATIC
    return {
        "test": config.id,
        "name": config.name,
        "mode": Mode.AUTOMATIC.value if by_itself and not test.spec.lead else test.spec.mode.value,
        "ssp_paragraph": config.ssp_paragraph,
    }


def _is_daily(test: Test) -> bool:
    return not test.plan.continuous and intervals.usual_days(test.plan.every) <= 1


def _after(test: Test) -> list[Json]:
    return [event.value for event in test.config.after]


def _difference(each: Difference) -> dict[str, Json]:
    return {"setting": each.setting, "shipped": each.shipped, "now": each.now}


def _day(said: object) -> str | None:
    return None if said is None else str(said)
