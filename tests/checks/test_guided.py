"""Tests whose steps are data: what is answered, seen and timed, in the right order, by the right person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from daemon.checks import guided
from daemon.checks.api import AlertSeen, Answer, Services
from daemon.config import load
from daemon.errors import ConfigError, RefusedError
from daemon.model import (
    Classification,
    ContactState,
    EquipmentAlert,
    EquipmentReport,
    Provenance,
    Quality,
)
from daemon.testing.readiness import Test
from tests.checks.rig import Rig, rig, running
from tests.makers import reading

OPEN, CLOSED = ContactState.OPEN, ContactState.CLOSED
THIN = Path(__file__).parents[1] / "data" / "thin_ship.toml"
TESTER, SECOND = "J. Santos", "L. Tupou"


def config(*steps: dict[str, Any], **more: Any) -> Any:
    return guided.CHECK.config.model_validate(
        {
            "kind": "guided",
            "id": "t-1",
            "equipment": "thing",
            "name": "THING",
            "ssp_paragraph": "7.9",
            "every": "month",
            "steps": list(steps),
            **more,
        }
    )


def a_test(*steps: dict[str, Any], services: Services | None = None, **more: Any) -> Rig:
    return rig(Test(config(*steps, **more), guided.CHECK), services=services)


async def begin(made: Rig) -> None:
    made.tests.start("t-1", TESTER)
    await made.clock.advance(0.0)


async def step(made: Rig, number: int, text: str = "", person: str = TESTER) -> None:
    made.tests.answer("t-1", number, Answer(person, text))
    await made.clock.advance(0.0)


async def says(made: Rig, state: ContactState | None, point: str = "ups.mains", **how: Any) -> None:
    made.hears(reading(point, state, at_s=made.clock.now_s(), **how))
    await made.clock.advance(0.0)


def ended(made: Rig) -> tuple[object, object]:
    (result,) = made.results()
    return result["outcome"], result["reason"]


def prompt(made: Rig) -> str:
    return made.test("t-1").session.progress.prompt


# What is answered

PASS_STEP = {"text": "Pass {each}: found?", "name": "{each}", "expects": "yes_or_no"}
PIECE = {"each": ["pass 1", "pass 2", "pass 3"]}


@pytest.mark.parametrize(
    ("answers", "outcome", "reason"),
    [
        (["yes", "yes", "YES"], "passed", "3 of 3 steps"),
        (["yes", "no", "yes"], "failed", "pass 2: no"),
        (["no", "no", "no"], "failed", "pass 1: no; pass 2: no; pass 3: no"),
        (["yes", None], "inconclusive", "pass 2: nobody answered in 600 s"),
        (["no", None], "failed", "pass 1: no"),
    ],
)
async def test_a_test_piece_is_found_three_times_of_three(answers, outcome, reason):
    async with running(a_test(PASS_STEP, **PIECE)) as made:
        test = made.test("t-1")
        assert test.spec.steps_of(test.config) == 3
        await begin(made)
        for number, text in enumerate(answers, start=1):
            assert prompt(made) == f"Pass pass {number}: found?"
            if text is None:
                await made.clock.advance(600.0)
            else:
                await step(made, number, text)
        assert ended(made) == (outcome, reason)
        assert made.results()[0]["mode"] == "assisted"


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        ("12.0", "passed", "1 of 1 steps: battery 12 V"),
        ("14,4", "passed", "1 of 1 steps: battery 14.4 V"),
        ("11.99", "failed", "battery: 11.99 V, at least 12 V"),
        ("14.5", "failed", "battery: 14.5 V, at most 14.4 V"),
    ],
)
async def test_a_reading_lies_within_its_bounds(text, outcome, reason):
    volts = {"text": "Read it.", "name": "battery", "expects": "number", "unit": "V"}
    async with running(a_test(volts | {"least": 12, "most": 14.4})) as made:
        await begin(made)
        for strange in ("twelve", "nan", "inf", "1 2"):
            await step(made, 1, strange)
            assert made.results() == [], "asked again"
        assert made.test("t-1").session.seen[-1] == "'1 2' is no number"
        await step(made, 1, text)
        assert ended(made) == (outcome, reason)


async def test_a_number_that_never_comes_is_asked_for_within_the_time_of_one_step():
    async with running(a_test({"text": "Read it.", "expects": "number", "limit_s": 60})) as made:
        await begin(made)
        await made.clock.advance(59.0)
        await step(made, 1, "much")
        await made.clock.advance(1.0)
        assert ended(made) == ("inconclusive", "step 1: nobody answered in 60 s")


async def test_no_can_be_what_is_wanted_and_a_reference_stands_in_the_result():
    steps = (
        {"text": "Did anything sound?", "expects": "yes_or_no", "want": "no"},
        {"text": "Whose mail?", "name": "mail", "expects": "reference"},
    )
    async with running(a_test(*steps)) as made:
        await begin(made)
        await step(made, 1, "no")
        await step(made, 2, "CSO 0224Z")
        assert ended(made) == ("passed", "2 of 2 steps: mail: CSO 0224Z")


@pytest.mark.parametrize("text", ["no", "no, nobody answered"])
async def test_who_has_no_proof_and_says_so_has_not_passed(text):
    call = {"text": "Who answered, when?", "name": "shore", "expects": "reference"}
    async with running(a_test(call)) as made:
        await begin(made)
        await step(made, 1, text)
        assert ended(made) == ("failed", f"shore: {text}")


async def test_a_second_person_confirms_what_he_is_to_confirm():
    seen = {"text": "Was it seen?", "expects": "yes_or_no", "who": "witness", "limit_s": 60}
    for answers in (True, False):
        async with running(a_test({"text": "Do it."}, seen)) as made:
            await begin(made)
            await step(made, 1)
            with pytest.raises(RefusedError, match="second person is wanted"):
                await step(made, 2, "yes")
            if answers:
                await step(made, 2, "yes", person=SECOND)
                assert ended(made) == ("passed", "2 of 2 steps")
                assert made.results()[0]["witness"] == SECOND
            else:
                await made.clock.advance(60.0)
                assert ended(made) == (
                    "inconclusive",
                    "step 2: the witness did not confirm in 60 s",
                )


# What is timed


@pytest.mark.parametrize(
    ("after_s", "outcome", "reason"),
    [
        (180.0, "passed", "2 of 2 steps: stage 1 180.0 s"),
        (179.0, "failed", "stage 1: after 179.0 s, not before 180 s"),
        (198.0, "failed", "stage 1: after 198.0 s, at most 197 s"),
    ],
)
async def test_presses_are_a_stopwatch(after_s, outcome, reason):
    steps = (
        {"text": "Press as you touch a control."},
        {"text": "Press at the light.", "name": "stage 1", "min_s": 180, "max_s": 197},
    )
    async with running(a_test(*steps)) as made:
        await begin(made)
        await step(made, 1)
        await made.clock.advance(after_s)
        await step(made, 2)
        assert ended(made) == (outcome, reason)


async def test_time_is_taken_from_the_step_that_is_named():
    steps = (
        {"text": "Start."},
        {"text": "Half way."},
        {"text": "End.", "after": 1, "min_s": 100},
    )
    async with running(a_test(*steps)) as made:
        await begin(made)
        for number in (1, 2, 3):
            await step(made, number)
            await made.clock.advance(50.0)
        assert ended(made) == ("passed", "3 of 3 steps: step 3 100.0 s")


# What sensors show

RATED_S = 600.0
UPS = (
    {"text": "Switch its mains off.", "expects": "point", "point": "ups.mains", "state": "open"},
    {
        "text": "Switch them on again when it warns.",
        "name": "carried",
        "expects": "point",
        "point": "ups.mains",
        "state": "closed",
        "limit_s": 1200,
        "min_s": RATED_S,
    },
)


@pytest.mark.parametrize(
    ("carried_s", "outcome", "reason"),
    [
        (RATED_S, "passed", "2 of 2 steps: carried 600.0 s"),
        (RATED_S - 1, "failed", "carried: after 599.0 s, not before 600 s"),
        (None, "inconclusive", "carried: ups.mains not seen closed in 1200 s"),
    ],
)
async def test_a_battery_carries_its_load_for_the_rated_time(carried_s, outcome, reason):
    async with running(a_test(*UPS)) as made:
        await says(made, CLOSED)
        await begin(made)
        await says(made, OPEN)
        assert made.test("t-1").session.seen == ["step 1: open"]
        await made.clock.advance(carried_s if carried_s is not None else 1200.0)
        if carried_s is not None:
            await says(made, CLOSED)
        assert ended(made) == (outcome, reason)


@pytest.mark.parametrize(
    ("state", "how"),
    [
        (None, {}),
        (OPEN, {"quality": Quality.SUSPECT}),
        (OPEN, {"provenance": Provenance.SIMULATED}),
        (OPEN, {"provenance": Provenance.REPLAY}),
    ],
)
async def test_a_sensor_that_goes_stale_or_suspect_in_the_middle_proves_nothing(state, how):
    async with running(a_test(*UPS)) as made:
        await says(made, CLOSED)
        await begin(made)
        await says(made, state, **how)
        await made.clock.advance(1800.0)
        assert ended(made) == ("inconclusive", "step 1: ups.mains is not seen")


async def test_the_first_thing_that_is_seen_after_nothing_was_is_no_change():
    """Invariant 3: unknown is not closed, so what comes after it was perhaps so all along."""
    async with running(a_test(UPS[0])) as made:
        await begin(made)
        await says(made, OPEN)
        await made.clock.advance(600.0)
        assert ended(made)[0] == "inconclusive"


async def test_a_state_that_stood_before_it_was_asked_for_is_the_wrong_order():
    async with running(a_test(UPS[0])) as made:
        await says(made, OPEN)
        await begin(made)
        await made.clock.advance(600.0)
        assert ended(made) == ("inconclusive", "step 1: ups.mains was open before: wrong order")


OPEN_IT = (
    {"text": "Press and open it at once."},
    {
        "text": "Wait.",
        "name": "opened",
        "expects": "point",
        "point": "d10",
        "state": "open",
        "max_s": 2,
    },
)


@pytest.mark.parametrize(
    ("hand_s", "outcome", "reason"),
    [
        (-1.0, "passed", "2 of 2 steps: opened 0.0 s"),
        (1.9, "passed", "2 of 2 steps: opened 1.9 s"),
        (2.1, "failed", "opened: d10 not open in 2 s"),
    ],
)
async def test_a_hand_may_be_quicker_than_the_press_and_must_not_be_slower(hand_s, outcome, reason):
    async with running(a_test(*OPEN_IT)) as made:
        await says(made, CLOSED, "d10")
        await begin(made)
        await made.clock.advance(5.0)
        if hand_s < 0:
            await says(made, OPEN, "d10")
            await made.clock.advance(-hand_s)
            await step(made, 1)
        else:
            await step(made, 1)
            await made.clock.advance(hand_s)
            if made.test("t-1").session is not None:
                await says(made, OPEN, "d10")
        assert ended(made) == (outcome, reason)


async def test_a_cable_that_comes_out_in_the_middle_of_a_step_is_no_proof_of_a_fault():
    async with running(a_test(*OPEN_IT)) as made:
        await says(made, CLOSED, "d10")
        await begin(made)
        await step(made, 1)
        await says(made, None, "d10")
        await made.clock.advance(2.0)
        assert ended(made) == ("inconclusive", "opened: d10 is not seen")


async def test_equipment_reports_the_alert_that_it_must():
    stage = {"text": "Wait.", "expects": "point", "point": "bn1.alerts", "number": 190}
    async with running(a_test({"text": "Press."}, stage | {"max_s": 15, "name": "ALR"})) as made:

        def report(*, active: bool) -> None:
            alert = EquipmentAlert(
                190, 1, "STAGE 1", active=active, acknowledged=False, priority=None
            )
            value = EquipmentReport(in_order=True, alerts=(alert,))
            made.hears(reading("bn1.alerts", value, at_s=made.clock.now_s()))

        report(active=False)
        await begin(made)
        await step(made, 1)
        await made.clock.advance(15.0 - 0.5)
        report(active=True)
        await made.clock.advance(0.0)
        assert ended(made) == ("passed", "2 of 2 steps: ALR 14.5 s")


# What the stations are told

LOST = "io.unit_lost.io3"
PULL = (
    {"text": "Press, and pull the plug at once."},
    {"text": "Wait.", "name": "told", "expects": "alert", "alert": LOST, "max_s": 60},
    {"text": "Put it back.", "name": "over", "expects": "alert", "alert": LOST, "over": True},
)


class Stations:
    """What the stations show, moved by hand."""

    def __init__(self) -> None:
        self.alerts: list[AlertSeen] = []
        self.services = Services(
            open_alerts=lambda: self.alerts, knows_alert=lambda alert: alert == LOST
        )

    def tell(self, *shown_at: str, active: bool = True) -> None:
        self.alerts = [AlertSeen(LOST, "io3", "DOOR UNIT LOST", active=active, shown_at=shown_at)]


@pytest.mark.parametrize(("after_s", "outcome"), [(60.0, "passed"), (60.3, "failed")])
async def test_stations_are_told_within_the_minute_that_a_unit_is_lost(after_s, outcome):
    stations = Stations()
    async with running(a_test(*PULL, services=stations.services)) as made:
        await begin(made)
        await step(made, 1)
        await made.clock.advance(after_s - 0.2)
        stations.tell("gangway")
        await made.clock.advance(0.2)
        stations.tell("gangway", active=False)
        await made.clock.advance(0.4)
        if outcome == "passed":
            assert ended(made) == ("passed", "3 of 3 steps: told 59.8 s")
            return
        await made.clock.advance(600.0)
        assert ended(made)[0] == "failed"
        assert str(ended(made)[1]).startswith(f"told: {LOST} not told in 60 s")


@pytest.mark.parametrize(
    ("after_s", "outcome"),
    [
        (1799.0, ("passed", "2 of 2 steps: told 1799.2 s")),
        (1801.0, ("failed", f"told: {LOST} not told in 1800 s")),
    ],
)
async def test_what_may_come_in_half_an_hour_is_waited_for_so_long(after_s, outcome):
    stations = Stations()
    steps = (PULL[0], {**PULL[1], "max_s": 1800})
    async with running(a_test(*steps, services=stations.services)) as made:
        await begin(made)
        await step(made, 1)
        await made.clock.advance(after_s)
        stations.tell("gangway")
        await made.clock.advance(1.0)
        assert ended(made) == outcome


async def test_a_press_may_take_as_long_as_it_may_take():
    steps = ({"text": "Switch it on."}, {"text": "Press when it is warm.", "max_s": 1800})
    async with running(a_test(*steps)) as made:
        await begin(made)
        await step(made, 1)
        await made.clock.advance(1700.0)
        await step(made, 2)
        assert ended(made) == ("passed", "2 of 2 steps: step 2 1700.0 s")


async def test_an_alert_that_no_live_station_shows_was_told_to_nobody():
    stations = Stations()
    async with running(a_test(*PULL[:2], services=stations.services)) as made:
        await begin(made)
        await step(made, 1)
        stations.tell()
        await made.clock.advance(1.0)
        assert ended(made) == ("failed", f"told: {LOST} raised, but no station showed it")


async def test_an_alert_that_stood_before_proves_nothing():
    stations = Stations()
    stations.tell("gangway")
    async with running(a_test(*PULL[:2], services=stations.services)) as made:
        await begin(made)
        await step(made, 1)
        await made.clock.advance(1.0)
        assert ended(made) == ("inconclusive", f"told: {LOST} stood before: wrong order")


@pytest.mark.parametrize(
    "services", [None, Services(open_alerts=list, knows_alert=lambda _: False)]
)
async def test_an_alert_that_there_cannot_be_is_no_fault_of_the_ship(services):
    async with running(a_test(*PULL[:2], services=services)) as made:
        await begin(made)
        await step(made, 1)
        await made.clock.advance(60.0)
        assert ended(made) == ("inconclusive", f"told: there is no alert {LOST}")


async def test_what_was_pulled_out_is_put_back_though_the_test_has_failed():
    stations = Stations()
    back = {"text": "Put it back, and press."}
    async with running(a_test(*PULL[:2], back, services=stations.services)) as made:
        await begin(made)
        await step(made, 1)
        await made.clock.advance(60.0)
        assert prompt(made) == "Put it back, and press."
        await step(made, 3)
        assert ended(made) == ("failed", f"told: {LOST} not told in 60 s")


# The ship's file


async def test_who_may_read_of_it_stands_in_the_ships_file():
    assert guided.CHECK.classification_of(config(PULL[0])) is Classification.WATCH
    private = config(PULL[0], classification="sso")
    assert guided.CHECK.classification_of(private) is Classification.SSO
    async with running(a_test(PULL[0], classification="sso")) as made:
        await begin(made)
        await step(made, 1)
        assert {draft.classification for draft in made.written("test.result")} == {
            Classification.SSO
        }


@pytest.mark.parametrize(
    ("steps", "more", "reason"),
    [
        ([], {}, "at least 1 item"),
        ([{"text": "x", "expects": "point"}], {}, "has point, and state or number"),
        ([{**UPS[0], "number": 3}], {}, "has point, and state or number"),
        ([{"text": "x", "expects": "alert"}], {}, "has alert, its id"),
        ([{"text": "x", "least": 3}], {}, "least does not belong to a step that expects done"),
        ([{"text": "x", "max_s": 3}], {}, "nothing comes before it"),
        ([{"text": "x"}, {"text": "y", "after": 2, "max_s": 3}], {}, "is no step before it"),
        ([{"text": "x"}, {"text": "y", "min_s": 4, "max_s": 3}], {}, "nothing could be SAT"),
        ([{**UPS[0], "who": "witness"}], {}, "wants no witness"),
        ([{"text": "{each}"}], {}, "one wants the other"),
        ([{"text": "x"}], {"each": ["a"]}, "one wants the other"),
        ([{"text": "{each}"}, {"text": "y", "max_s": 3}], {"each": ["a"]}, "no times are taken"),
        ([{"text": "{each}"}] * 2, {"each": ["a"] * 21}, "42 steps in all, at most 40"),
    ],
)
def test_steps_that_cannot_be_are_refused(steps, more, reason):
    with pytest.raises(ValidationError, match=reason):
        config(*steps, **more)


@pytest.mark.parametrize(
    ("steps", "more", "reason"),
    [
        (
            'expects = "alert", alert = "io.unit_losst.io3"',
            "",
            "waits for 'io.unit_losst.io3': there is no such alert",
        ),
        (
            'expects = "point", point = "d99", state = "open"',
            "",
            "listens to point 'd99', which nothing emits",
        ),
        (
            'expects = "point", point = "ssas.lamp", state = "open"',
            "",
            "listens to point 'ssas.lamp', which is SSAS equipment",
        ),
        (
            'expects = "point", point = "ssas.lamp", state = "open"',
            'classification = "sso"',
            "listens to point 'ssas.lamp', which is SSAS equipment",
        ),
    ],
)
def test_covert_a_step_looks_at_nothing_of_the_ssas_and_waits_for_what_there_is(
    steps, more, reason, tmp_path
):
    """Invariant 1: a guided test needs no window, so no point of SSAS equipment is ever among its steps."""
    path = tmp_path / "ispsd.toml"
    test = (
        '[[test]]\nkind = "guided"\nid = "t-9"\nequipment = "thing"\nname = "THING"\n'
        f'ssp_paragraph = "9"\nevery = "month"\n{more}\nsteps = [{{ text = "x", {steps} }}]\n'
    )
    path.write_text(f"{THIN.read_text('utf-8')}\n{test}", "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert reason in str(caught.value)
