"""EEMUA 191 on a ship: what is counted as a sound, what is a flood, how soon somebody answers; and what is no news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon.alerts import rates
from daemon.alerts.alert import AlertChange, Source
from daemon.alerts.rate_report import report
from daemon.alerts.rates import Counter, Day, Flood, SourceCount, Surroundings
from daemon.model import Situation
from tests.alerts.rig import BY, HATCH, KINDS, engine, regime

BEGAN_UTC = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)
STORE = "door.store.open"


class Watch:
    """An engine whose changes are counted, under a clock that is moved by hand."""

    def __init__(self, *, situation: Situation = Situation.PORT, attended=("gangway",)) -> None:
        self.engine = engine(regime(situation))
        self.counter = Counter()
        self.attended = attended
        self.now_s = 1000.0
        self.counter.tick(self.around)

    @property
    def now_utc(self) -> datetime:
        return BEGAN_UTC + timedelta(seconds=self.now_s - 1000.0)

    @property
    def around(self) -> Surroundings:
        return Surroundings(self.now_s, self.now_utc, self.engine.regime.situation, self.attended)

    def _hear(self, changes) -> None:
        for change in changes:
            if isinstance(change, AlertChange):
                self.counter.hear(change, self.around)

    def pass_time(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            due_s = self.engine.next_due_s()
            self.now_s = min(end_s, self.now_s + 30.0, max(due_s or end_s, self.now_s + 0.1))
            self._hear(self.engine.advance(now_s=self.now_s, now_utc=self.now_utc))
            self.tick()

    def tick(self) -> None:
        self.counter.tick(self.around)

    def says(self, active: bool, *, key: str = "door.escape.open", source: Source = HATCH) -> None:
        self.engine.condition(key, source, active=active, now_s=self.now_s)
        self.pass_time(KINDS[key].on_delay_s if active else KINDS[key].off_delay_s)

    def acknowledge(self, key: str = "door.escape.open", source: Source = HATCH) -> None:
        alert = self.engine.find(key, source.id)
        self._hear(
            [
                self.engine.acknowledge(
                    alert.id, alert.instance, BY, now_s=self.now_s, now_utc=self.now_utc
                )
            ]
        )

    def become(self, level: int) -> None:
        of = regime(self.engine.regime.situation, level)
        self._hear(self.engine.become(of, now_s=self.now_s, now_utc=self.now_utc))

    def raise_one_of(self, number: int) -> None:
        source = Source(f"d{number}", f"DOOR {number}", "io1")
        self.says(True, source=source)

    def told(self, **how):
        standing = self.counter.standing(longer_than_s=86400, now_s=self.now_s)
        titles = {key: kind.title for key, kind in KINDS.items()}
        return report(self.counter.counted(), standing=standing, titles=titles, **how)


def test_an_alert_that_is_raised_counts_once_however_often_it_repeats():
    watch = Watch()
    watch.says(True)
    watch.pass_time(600)
    assert watch.engine.find("door.escape.open", "d12").revision > 9
    said = watch.told()
    assert said["sounded"] == 1
    assert said["top"] == [
        {
            "key": "door.escape.open",
            "title": "ESC HATCH OPEN",
            "source": "d12",
            "name": "STRG GEAR ESC",
            "alarms": 0,
            "warnings": 1,
            "share": 1.0,
        }
    ]


def test_silence_and_its_end_are_no_news():
    watch = Watch()
    watch.says(True)
    watch._hear(watch.engine.silence(BY, now_s=watch.now_s, now_utc=watch.now_utc))
    watch.pass_time(45)
    assert watch.told()["sounded"] == 1


def test_a_caution_does_not_count():
    watch = Watch(situation=Situation.SEA)
    watch.says(True)
    assert watch.engine.find("door.escape.open", "d12").priority == "C"
    assert watch.told()["sounded"] == 0


def test_what_is_raised_again_before_anybody_acknowledged_counts_again():
    watch = Watch()
    watch.says(True)
    watch.says(False)
    watch.says(True)
    assert watch.told()["sounded"] == 2


@pytest.mark.parametrize(("levels", "times"), [((2,), 1), ((3,), 2), ((3, 1, 3), 3), ((1,), 1)])
def test_louder_than_it_was_is_news_and_quieter_is_not(levels, times):
    """In port the hatch is W, W, A."""
    watch = Watch()
    watch.says(True)
    for level in levels:
        watch.become(level)
    assert watch.told()["sounded"] == times


def test_what_sounds_is_counted_where_somebody_has_the_watch():
    watch = Watch(attended=("gangway", "office"))
    watch.pass_time(3600)
    watch.says(True)
    watch.attended = ("office",)
    watch.raise_one_of(2)
    watch.pass_time(3599.4)
    stations = {row["station"]: row for row in watch.told()["stations"]}
    assert (stations["gangway"]["sounded"], stations["gangway"]["hours"]) == (1, 1.0)
    assert (stations["office"]["sounded"], stations["office"]["hours"]) == (2, 2.0)
    assert stations["office"]["per_hour"] == 1.0


@pytest.mark.parametrize(
    ("situation", "times", "kept"),
    [
        (Situation.SEA, 1, True),
        (Situation.SEA, 2, False),
        (Situation.MANOEUVRING, 1, True),
        (Situation.PORT, 2, True),
        (Situation.PORT, 3, False),
        (Situation.ANCHOR, 9, None),
    ],
)
def test_the_goal_is_one_in_four_hours_at_sea_and_two_in_port(situation, times, kept):
    day = Day(situation_s={situation: 4 * 3600.0}, sounded_in={situation: times})
    (row,) = report({"2026-11-22": day}, standing=(), titles={})["situations"]
    assert (row["per_watch"], row["within"]) == (float(times), kept)


def test_less_than_a_watch_is_not_judged():
    day = Day(situation_s={"sea": 4 * 3600.0 - 1}, sounded_in={"sea": 0})
    (row,) = report({"2026-11-22": day}, standing=(), titles={})["situations"]
    assert row["within"] is None


def test_a_flood_is_noticed_as_begin_and_end():
    watch = Watch()
    for number in range(10):
        watch.raise_one_of(number)
    assert watch.told()["floods"] == []  # ten in ten minutes are not more than ten
    began_utc = watch.now_utc + timedelta(seconds=0.3)
    watch.raise_one_of(10)
    (flood,) = watch.told()["floods"]
    assert flood == {"began": f"{began_utc:%Y-%m-%dT%H:%M:%SZ}", "ended": None, "alerts": 11}
    watch.raise_one_of(11)
    watch.pass_time(590)
    assert watch.told()["floods"][0]["ended"] is None
    watch.pass_time(30)
    (flood,) = watch.told()["floods"]
    assert (flood["alerts"], flood["ended"] is None) == (12, False)
    watch.raise_one_of(12)
    assert len(watch.told()["floods"]) == 1


def test_a_flood_goes_on_until_fewer_than_five_came_in_ten_minutes():
    watch = Watch()
    for number in range(11):
        watch.raise_one_of(number)
    for number in range(20, 40):
        watch.pass_time(110)  # five in ten minutes
        watch.raise_one_of(number)
    assert [flood["ended"] for flood in watch.told()["floods"]] == [None]
    watch.pass_time(240)
    (flood,) = watch.told()["floods"]
    assert (flood["alerts"], flood["ended"] is None) == (31, False)


def test_a_flood_that_is_taken_away_while_it_goes_on_ends_in_the_same_row():
    watch = Watch()
    for number in range(11):
        watch.raise_one_of(number)
    kept = watch.counter.taken()
    watch.raise_one_of(11)
    watch.pass_time(700)
    for name, day in watch.counter.taken().items():
        kept[name].add(day)
    (flood,) = kept["2026-11-22"].floods.values()
    assert (flood.alerts, flood.ended is None) == (12, False)


def test_three_times_in_a_minute_is_chatter_with_its_source():
    watch = Watch()
    for _ in range(3):
        watch.says(True)
        watch.says(False)
    (row,) = watch.told()["chattering"]
    assert (row["name"], row["times"]) == ("STRG GEAR ESC", 1)
    slow = Watch()
    for _ in range(3):
        slow.says(True)
        slow.says(False)
        slow.pass_time(60)
    assert slow.told()["chattering"] == []


def test_how_soon_it_is_acknowledged_is_counted_by_the_boot_clock():
    watch = Watch()
    for number, seconds in enumerate((4, 12, 12, 12, 200)):
        source = Source(f"d{number}", "DOOR", "io1")
        watch.says(True, source=source)
        watch.pass_time(seconds)
        watch.acknowledge(source=source)
    said = watch.told()["answered"]
    assert said == {"count": 5, "median_s": 15, "most_s": 300}


def test_later_than_an_hour_has_no_figure():
    watch = Watch()
    watch.says(True)
    watch.pass_time(3700)
    watch.acknowledge()
    assert watch.told()["answered"] == {"count": 1, "median_s": None, "most_s": None}


def test_waiting_begins_anew_when_an_acknowledged_alert_becomes_louder():
    watch = Watch()
    watch.says(True)
    watch.acknowledge()
    watch.pass_time(1000)
    watch.become(3)
    watch.pass_time(8)
    watch.acknowledge()
    assert watch.told()["answered"]["most_s"] == 10


def test_one_that_was_rectified_and_then_acknowledged_counts_as_answered():
    watch = Watch()
    watch.says(True)
    watch.says(False)
    watch.pass_time(25)
    watch.acknowledge()
    assert watch.told()["answered"] == {"count": 1, "median_s": 30, "most_s": 30}


def test_what_stands_for_more_than_a_day_is_named():
    watch = Watch(situation=Situation.SEA)
    watch.says(True)
    watch.pass_time(86399)
    assert watch.told()["standing"] == []
    watch.pass_time(60)
    (row,) = watch.told()["standing"]
    assert (row["title"], row["name"], row["hours"]) == ("ESC HATCH OPEN", "STRG GEAR ESC", 24.0)


def test_what_stood_at_the_start_stands_since_it_was_raised():
    watch = Watch()
    watch.says(True)
    (alert,) = watch.engine.alerts()
    watch.now_s += 30 * 3600
    counter = Counter()
    counter.take_up([alert], watch.around)
    ((found, age_s),) = counter.standing(longer_than_s=86400, now_s=watch.now_s)
    assert (found, round(age_s)) == (alert, 30 * 3600)


def test_a_warning_that_becomes_an_alarm_is_louder_and_counted_as_that():
    watch = Watch()
    watch.become(2)  # in port the hatch is W there
    watch.says(True)
    watch.pass_time(299)
    assert (watch.told()["promoted"], watch.told()["sounded"]) == (0, 1)
    watch.pass_time(10)
    said = watch.told()
    assert (said["promoted"], said["sounded"]) == (1, 2)
    (row,) = said["top"]
    assert (row["warnings"], row["alarms"]) == (1, 1)
    watch.acknowledge()
    assert watch.told()["answered"]["median_s"] == 600, "it has waited since it was raised"


def test_what_a_person_inhibits_is_counted_and_waits_for_nobody():
    muted: set[str] = set()
    watch = Watch()
    watch.engine = engine(regime(), muted=lambda key, _: key in muted)
    watch.says(True)
    muted.add("door.escape.open")
    watch._hear(watch.engine.reconsider(now_s=watch.now_s, now_utc=watch.now_utc))
    said = watch.told()
    assert (said["inhibited"], said["sounded"], said["answered"]["count"]) == (1, 1, 0)
    assert watch.counter.standing(longer_than_s=-1, now_s=watch.now_s) == []
    watch.pass_time(3600)
    muted.clear()
    watch._hear(watch.engine.reconsider(now_s=watch.now_s, now_utc=watch.now_utc))
    watch.pass_time(1)
    assert watch.told()["sounded"] == 2, "it stands anew"


def test_what_speaks_of_ispsd_itself_is_administrative():
    watch = Watch()
    watch.become(3)  # where RECORD NOT SAVED is a warning
    watch.says(True, key="record.not_saved", source=Source("ispsd", "ISPSD", "ispsd"))
    assert watch.told()["administrative"] == 1
    quiet = Watch()
    quiet.says(True)
    assert quiet.told()["administrative"] == 0


def test_nothing_administrative_sounds_at_level_1():
    """The goal of none can be kept: the table sounds for none of them at level 1."""
    for key, kind in KINDS.items():
        if key.startswith(rates.ADMINISTRATIVE):
            assert {kind.sea[0], kind.anchor[0], kind.port[0], kind.threat} <= {"C"}, key


def test_days_are_utc_and_time_in_which_nobody_looked_is_not_counted():
    watch = Watch()
    watch.pass_time(22 * 3600)
    assert sorted(watch.counter.counted()) == ["2026-11-22", "2026-11-23"]
    watch.now_s += 3600  # the computer was suspended
    watch.counter.tick(watch.around)
    assert watch.told()["hours"] == 22.0


def test_a_stepped_clock_changes_the_day_and_no_interval():
    watch = Watch()
    watch.says(True)
    watch.now_s += 10.0
    stepped = Surroundings(watch.now_s, datetime(2027, 6, 1, tzinfo=UTC), Situation.PORT, ())
    alert = watch.engine.find("door.escape.open", "d12")
    change = watch.engine.acknowledge(
        alert.id, alert.instance, BY, now_s=watch.now_s, now_utc=stepped.now_utc
    )
    watch.counter.hear(change, stepped)
    day = watch.counter.counted()["2027-06-01"]
    assert day.answered[rates.ANSWERED_S.index(10)] == 1


def test_a_day_names_so_many_sources_and_counts_the_rest_together():
    day = Day()
    for number in range(rates.MOST_SOURCES + 5):
        day.source(f"door.escape.open d{number}", "X").warnings += 1
    assert len(day.sources) == rates.MOST_SOURCES + 1
    assert day.sources[rates.OTHERS].warnings == 5


def test_counts_add_up():
    one = Day(
        attended_s={"bridge": 1.0},
        sounded_at={"bridge": 1},
        situation_s={"sea": 2.0},
        sounded_in={"sea": 1},
        administrative=1,
        sources={"k s": SourceCount("S", 1, 2, 3)},
        answered=[1] + [0] * len(rates.ANSWERED_S),
        promoted=1,
        inhibited=2,
        floods={"x": Flood(11)},
    )
    sum_ = Day()
    sum_.add(one)
    sum_.add(one)
    assert sum_ == Day(
        attended_s={"bridge": 2.0},
        sounded_at={"bridge": 2},
        situation_s={"sea": 4.0},
        sounded_in={"sea": 2},
        administrative=2,
        sources={"k s": SourceCount("S", 2, 4, 6)},
        answered=[2] + [0] * len(rates.ANSWERED_S),
        promoted=2,
        inhibited=4,
        floods={"x": Flood(11)},
    )


def test_what_was_taken_is_not_counted_twice_and_what_is_given_back_is_not_lost():
    watch = Watch()
    watch.says(True)
    taken = watch.counter.taken()
    assert watch.told()["sounded"] == 0
    assert not watch.counter.has_news()
    watch.raise_one_of(2)
    watch.counter.give_back(taken)
    assert watch.told()["sounded"] == 2


def test_days_that_cannot_be_kept_are_bounded():
    counter = Counter()
    days = {f"2026-11-{day:02}": Day(promoted=day) for day in range(1, 29)}
    counter.give_back(days)
    assert sorted(counter.counted()) == [f"2026-11-{day}" for day in range(21, 29)]
