"""A door that was used is proved by its use; a person opens only the rest, and the station must tell of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from daemon.checks.api import AlertSeen, Answer, Movement, Services
from daemon.checks.asking import Event
from daemon.checks.door_contacts import CHECK, DoorContactsConfig
from daemon.model import ContactState, Provenance, Quality
from daemon.testing.readiness import Test
from daemon.watch.movements import Movements
from tests.checks.rig import Rig, rig, running
from tests.clocks import ManualClock
from tests.makers import reading
from tests.test_movements import counting_runs

MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)
OPEN, CLOSED, FAULT = ContactState.OPEN, ContactState.CLOSED, ContactState.LINE_FAULT
ME = "J. Santos"


def doors_test(*doors: str) -> Test:
    config = DoorContactsConfig(
        kind="door_contacts",
        id="t-door",
        equipment="doors",
        name="DOORS",
        ssp_paragraph="7.3.2",
        every="month",
        doors=doors or ("d01", "d02"),
    )
    return Test(config, CHECK)


def says(made: Rig, door: str, state: ContactState | None, **how: object) -> None:
    made.hears(reading(door, state, at_s=made.clock.now_s(), **how))  # type: ignore[arg-type]


def in_service(moved: dict[str, Movement] | None, asked: list[date] | None = None) -> Rig:
    """A ship half an hour before midnight whose doors moved like this."""

    def movements(day: date) -> dict[str, Movement] | None:
        if asked is not None:
            asked.append(day)
        return moved

    clock = ManualClock(utc=MIDNIGHT - timedelta(minutes=30))
    return rig(doors_test(), clock=clock, services=Services(movements=movements))


USED = Movement(3, 0, MIDNIGHT - timedelta(hours=9), MIDNIGHT - timedelta(hours=2))


async def test_doors_that_were_used_are_one_row_a_day():
    asked: list[date] = []
    async with running(in_service({"d01": USED, "d02": Movement(214), "d09": USED}, asked)) as made:
        for door in ("d01", "d02"):
            says(made, door, CLOSED)
        await made.clock.advance(1799.0)
        assert made.results() == []
        await made.clock.advance(1.0)
        (result,) = made.results()
        assert (result["outcome"], result["mode"]) == ("passed", "in_service")
        assert result["reason"] == "in service: 2 doors, 3–214 cycles"
        assert result["items"][0] == {
            "item": "d01",
            "outcome": "passed",
            "cycles": 3,
            "first": "2026-11-22T07:00:00Z",
            "last": "2026-11-22T14:00:00Z",
        }
        assert asked == [date(2026, 11, 22)], "of the day that is over"
        assert made.tests.readiness(made.test("t-door")) == "in order"


async def test_a_door_that_nobody_used_stays_on_the_worklist():
    async with running(in_service({"d01": USED, "d02": Movement(0, 2)})) as made:
        for door in ("d01", "d02"):
            says(made, door, CLOSED)
        await made.clock.advance(1801.0)
        assert [item["item"] for item in made.results()[0]["items"]] == ["d01"]
        assert made.tests.readiness(made.test("t-door")) == "test due"
        assert "1 of 2 to do: d02" in str(made.tests.worklist())


@pytest.mark.parametrize(
    ("state", "how"),
    [
        (FAULT, {}),
        (None, {}),
        (CLOSED, {"quality": Quality.SUSPECT}),
        (CLOSED, {"provenance": Provenance.SIMULATED}),
    ],
)
async def test_a_door_whose_contact_is_not_healthy_at_the_end_gets_no_credit(state, how):
    async with running(in_service({"d01": USED})) as made:
        says(made, "d01", state, **how)
        await made.clock.advance(1801.0)
        assert made.results() == []


async def test_use_proves_no_door_that_failed_when_it_was_tested():
    """Its use of that very morning, before it failed, would close its defect at midnight."""
    async with running(in_service({"d01": USED, "d02": USED})) as made:
        for door in ("d01", "d02"):
            says(made, door, CLOSED)
        await begin(made)
        await step(made, 1)
        await made.clock.advance(2.0)
        assert result(made) == ("failed", "d01: not seen open in time")
        await made.clock.advance(1800.0)
        assert [item["item"] for item in made.results()[1]["items"]] == ["d02"]
        assert made.tests.readiness(made.test("t-door")) == "defect"
    async with running(in_service({"d01": USED, "d02": USED}).take_up(made)) as again:
        for door in ("d01", "d02"):
            says(again, door, CLOSED)
        await again.clock.advance(1801.0)
        assert [item["item"] for item in again.results()[0]["items"]] == ["d02"], "nor tomorrow"


@pytest.mark.parametrize("of", ["d01", "doors"])
async def test_use_of_the_day_on_which_a_unit_was_replaced_proves_nothing_of_it(of):
    made = in_service({"d01": USED, "d02": USED})
    config = doors_test().config.model_copy(update={"after": (Event.REPAIR,)})
    made.tests.tests["t-door"].config = config
    async with running(made.take_up()):
        for door in ("d01", "d02"):
            says(made, door, CLOSED)
        await made.clock.advance(1.0)
        made.tests.happened("out_of_service.ended", {"equipment": of}, made.clock.utc())
        await made.clock.advance(1800.0)
        credited = [item["item"] for each in made.results() for item in each["items"]]
        assert credited == (["d02"] if of == "d01" else [])


@pytest.mark.parametrize("moved", [{}, None, {"d01": Movement()}])
async def test_a_day_without_use_is_no_row(moved):
    async with running(in_service(moved)) as made:
        says(made, "d01", CLOSED)
        await made.clock.advance(1801.0)
        assert made.results() == []


# Led


async def step(made: Rig, number: int, text: str = "") -> None:
    made.tests.answer("t-door", number, Answer(ME, text))
    await made.clock.advance(0.0)


async def begin(made: Rig) -> None:
    made.tests.start("t-door", ME, item="d01")
    await made.clock.advance(0.0)


def result(made: Rig) -> tuple[object, object]:
    (said,) = made.results()
    assert said["items"][0]["outcome"] == said["outcome"]
    return said["outcome"], said["reason"]


async def test_a_door_is_opened_closed_and_told_of():
    async with running(rig(doors_test())) as made:
        says(made, "d01", CLOSED)
        await begin(made)
        await step(made, 1)
        await made.clock.advance(0.4)
        says(made, "d01", OPEN)
        await made.clock.advance(0.0)
        says(made, "d01", CLOSED)  # before the press: the hand was faster
        await step(made, 2)
        await step(made, 3, "Yes")
        assert result(made) == ("passed", "d01: open 0.4 s, closed 0.0 s, told")
        assert made.results()[0]["mode"] == "assisted"
        assert made.results()[0]["readings"] == 3, "closed, open, closed"
        assert list(made.test("t-door").items) == ["d01"]


@pytest.mark.parametrize(("waits_s", "outcome"), [(2.0, "failed"), (1.9, "passed")])
async def test_a_contact_must_change_within_two_seconds(waits_s, outcome):
    async with running(rig(doors_test())) as made:
        says(made, "d01", CLOSED)
        await begin(made)
        await step(made, 1)
        await made.clock.advance(waits_s)
        if outcome == "failed":
            assert result(made) == ("failed", "d01: not seen open in time")
            return
        says(made, "d01", OPEN)
        await made.clock.advance(0.0)
        await step(made, 2)
        await made.clock.advance(2.0)
        assert result(made) == ("failed", "d01: not seen closed in time")


@pytest.mark.parametrize(
    ("state", "how"),
    [(OPEN, {}), (FAULT, {}), (None, {}), (CLOSED, {"quality": Quality.SUSPECT})],
)
async def test_a_door_that_is_not_seen_closed_first_proves_nothing(state, how):
    async with running(rig(doors_test())) as made:
        says(made, "d01", state, **how)
        await begin(made)
        assert result(made) == ("inconclusive", "d01: not seen closed before the test")


@pytest.mark.parametrize("how", [{"quality": Quality.SUSPECT}, {"provenance": Provenance.REPLAY}])
async def test_what_does_not_count_is_not_seen_and_opens_no_defect(how):
    """Invariant 2: suspect evidence is neither a pass nor a fault of the door."""
    async with running(rig(doors_test())) as made:
        says(made, "d01", CLOSED)
        await begin(made)
        says(made, "d01", OPEN, **how)
        await step(made, 1)
        await made.clock.advance(2.0)
        assert result(made)[0] == "inconclusive"
        assert "no answer, or none that counts" in result(made)[1]


# What happens instead


async def test_another_door_that_moved_is_named_and_neither_is_judged():
    names = Services(name_of={"d01": "BOSUN STORE", "d02": "UDP FWD"}.__getitem__)
    async with running(rig(doors_test(), services=names)) as made:
        for door in ("d01", "d02"):
            says(made, door, CLOSED)
        await begin(made)
        prompt = made.test("t-door").session.progress.prompt
        assert prompt == "D01 BOSUN STORE: open it, and press at once."
        await step(made, 1)
        says(made, "d02", OPEN)
        await made.clock.advance(2.0)
        reason = "d01: D02 UDP FWD moved instead: the wrong door, or crossed wires"
        assert result(made) == ("inconclusive", reason)


async def test_a_door_that_stood_open_before_did_not_move_instead():
    async with running(rig(doors_test())) as made:
        says(made, "d01", CLOSED)
        says(made, "d02", OPEN)
        await begin(made)
        await step(made, 1)
        says(made, "d02", OPEN)
        await made.clock.advance(2.0)
        assert result(made) == ("failed", "d01: not seen open in time")


async def test_a_door_that_was_shut_again_before_the_word_was_opened_out_of_order():
    async with running(rig(doors_test())) as made:
        says(made, "d01", CLOSED)
        await begin(made)
        says(made, "d01", OPEN)
        says(made, "d01", CLOSED)
        await step(made, 1)
        await made.clock.advance(2.0)
        reason = "d01: was open and was not any more before the word: wrong order"
        assert result(made) == ("inconclusive", reason)


@pytest.mark.parametrize(
    ("state", "answers", "outcome", "reason"),
    [
        (FAULT, True, "failed", "line fault, not seen open in time"),
        (None, True, "inconclusive", "no answer, or none that counts"),
        (CLOSED, False, "inconclusive", "no answer, or none that counts"),
        (CLOSED, True, "failed", "not seen open in time"),
    ],
)
async def test_a_cable_out_or_a_unit_lost_in_the_middle_of_a_step(state, answers, outcome, reason):
    services = Services(answers=lambda _: answers)
    async with running(rig(doors_test(), services=services)) as made:
        says(made, "d01", CLOSED)
        await begin(made)
        await step(made, 1)
        says(made, "d01", state)
        await made.clock.advance(2.0)
        assert result(made)[0] == outcome
        assert reason in str(result(made)[1])


@pytest.mark.parametrize(
    ("stood", "sounds_at", "told", "outcome", "reason"),
    [
        (False, ("gangway",), None, "passed", "sounded at gangway"),
        (False, ("gangway",), "yes", "passed", "told"),
        (False, ("gangway",), "no", "failed", "the station did not tell of it"),
        (False, (), None, "inconclusive", "nobody answered for the station"),
        (True, ("gangway",), None, "inconclusive", "nobody answered for the station"),
    ],
)
async def test_a_station_that_proved_to_sound_needs_nobody_who_says_so(
    stood, sounds_at, told, outcome, reason
):
    alert = AlertSeen("door.open.d01", "d01", "DOOR OPEN", active=True, sounds_at=sounds_at)
    other = AlertSeen("door.open.d02", "d02", "DOOR OPEN", active=True, sounds_at=("gangway",))
    alerts = [other, alert] if stood else [other]
    services = Services(open_alerts=lambda: alerts)
    async with running(rig(doors_test(), services=services)) as made:
        says(made, "d01", CLOSED)
        await begin(made)
        for number, state in ((1, OPEN), (2, CLOSED)):
            says(made, "d01", state)
            alerts[1:] = [alert]
            await made.clock.advance(0.2)
            await step(made, number)
        seen = "DOOR OPEN sounds at gangway" in made.test("t-door").session.seen
        assert seen is (bool(sounds_at) and not stood), "the page shows it"
        if told is None:
            await made.clock.advance(300.0)
        else:
            await step(made, 3, told)
        assert result(made)[0] == outcome
        assert reason in str(result(made)[1])


@pytest.mark.parametrize(
    ("answers", "outcome", "reason"),
    [
        (0, "inconclusive", "nobody said that it is open"),
        (1, "inconclusive", "nobody said that it is closed"),
        (2, "inconclusive", "nobody answered for the station"),
    ],
)
async def test_a_person_who_does_not_answer_leaves_it_not_proven(answers, outcome, reason):
    async with running(rig(doors_test())) as made:
        says(made, "d01", CLOSED)
        await begin(made)
        for number, state in ((1, OPEN), (2, CLOSED))[:answers]:
            says(made, "d01", state)
            await step(made, number)
        await made.clock.advance(300.0)
        assert result(made) == (outcome, f"d01: {reason}")


async def test_a_station_that_did_not_tell_is_a_defect():
    async with running(rig(doors_test())) as made:
        says(made, "d01", CLOSED)
        await begin(made)
        for number, state in ((1, OPEN), (2, CLOSED)):
            says(made, "d01", state)
            await step(made, number)
        await step(made, 3, "no")
        assert result(made)[0] == "failed"
        assert made.tests.readiness(made.test("t-door")) == "defect"


async def test_a_door_used_today_is_credited_though_the_day_was_cut_by_a_restart():
    """Movements and check together, over a stop and a start."""
    clock = ManualClock(utc=MIDNIGHT - timedelta(minutes=30))
    before = rig(doors_test(), clock=clock)
    counts = counting(before)
    async with running(before), counting_runs(counts, before.clock):
        for state in (CLOSED, OPEN, CLOSED):
            says(before, "d01", state)
            await clock.advance(1.0)
    (draft,) = before.written("doors.counted")
    counts = counting(before)
    counts.take_up(draft.open)
    after = rig(doors_test(), clock=clock, services=Services(movements=counts.of_day))
    after.inboxes = before.inboxes
    async with running(after), counting_runs(counts, clock):
        says(after, "d01", CLOSED)
        await clock.advance(1800.0)
        assert [r["reason"] for r in after.results()] == ["in service: 1 door, 1 cycle"]


async def test_a_day_in_which_clocks_are_retarded_proves_no_door_by_yesterdays_use():
    clock = ManualClock(utc=MIDNIGHT - timedelta(minutes=30))
    doors = rig(doors_test(), clock=clock)
    counts = counting(doors)
    made = rig(doors_test(), clock=clock, services=Services(movements=counts.of_day))
    made.inboxes = doors.inboxes

    async def lets_pass(hours: float) -> None:
        for _ in range(int(hours * 2)):
            await clock.advance(1800.0)
            for door in ("d01", "d02"):
                says(made, door, CLOSED)

    async def uses(door: str) -> None:
        for state in (CLOSED, OPEN, CLOSED):
            says(made, door, state)
            await clock.advance(1.0)

    async with running(made), counting_runs(counts, clock):
        await uses("d01")
        await lets_pass(2.5)
        doors.ship_time = made.ship_time = timezone(timedelta(hours=7))
        await uses("d02")
        await lets_pass(23.5)
    rows = [[item["item"] for item in row["items"]] for row in made.results()]  # type: ignore[attr-defined]
    assert rows == [["d01"], ["d02"]]
    counted = [draft.open for draft in doors.written("doors.counted")]
    assert [body["day"] for body in counted] == ["2026-11-22", "2026-11-23"]


def counting(made: Rig) -> Movements:
    return Movements(
        ("d01", "d02"),
        demo=False,
        ship_time=lambda: made.ship_time,
        clock=made.clock,
        inboxes=made.inboxes,
        journal=made.journal,
    )
