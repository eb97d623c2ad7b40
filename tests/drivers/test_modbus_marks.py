"""Counters, latches and line status over a real connection, and what a test window does not let through."""

import dataclasses
import itertools

import pytest
from structlog.testing import capture_logs

from daemon.drivers.api import Contact, Wiring
from daemon.drivers.modbus_read import Reader
from daemon.gate import CovertGate
from daemon.model import ContactState, LampState
from tests.drivers.modbus_gateway import Gateway, Tables
from tests.drivers.modbus_rig import LAMP, PollClock, Rig, told

CLOSED, OPEN, FAULT = ContactState.CLOSED, ContactState.OPEN, ContactState.LINE_FAULT
DOOR = Contact("d01", (0,), Wiring.NC)
PAIR = Contact("d04", (4, 5), Wiring.DOUBLE)
WINDOW_S = 10.0


def e1210():
    tables = Tables.of_inputs(16).add_words(4, 16, 32)
    tables.bits[2].update({0: True, 4: True})
    return tables


def et2260():
    tables = Tables.of_inputs(6).add_bits(2, 32, 6).add_bits(2, 64, 6)
    tables.bits[2].update({0: True, 32: True})
    return tables


async def test_a_door_that_opened_and_closed_between_two_polls_is_told_so():
    tables = e1210()
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=(DOOR, PAIR), counters=True).running() as rig,
    ):
        assert told(rig.emitted) == [("d01", CLOSED), ("d04", CLOSED)]
        assert await rig.poll() == []
        tables.set_counter(0, 2)
        assert told(await rig.poll()) == [("d01", OPEN), ("d01", CLOSED)] * 2
        tables.set_counter(4, 1)
        tables.set_counter(5, 1)
        assert told(await rig.poll()) == [("d04", OPEN), ("d04", CLOSED)]
        tables.set_counter(5, 2)
        assert told(await rig.poll()) == [("d04", FAULT), ("d04", CLOSED)]
        assert await rig.poll(3) == []


async def test_counters_are_not_read_unless_the_device_says_so():
    tables = e1210()
    async with Gateway({1: tables}).serving() as unit, Rig(unit.port, contacts=(DOOR,)).running():
        assert set(unit.asks()) == {(2, 0, 16)}


async def test_after_a_new_connection_the_counters_are_a_baseline():
    tables = e1210()
    async with Gateway({1: tables}).serving() as unit:
        rig = Rig(unit.port, contacts=(DOOR,), counters=True)
        async with rig.running():
            await rig.poll()
        tables.set_counter(0, 5)
        async with rig.running():
            assert told(await rig.poll(3)) == []
        assert told(rig.emitted) == [("d01", CLOSED), ("d01", CLOSED)]


async def test_a_module_that_restarts_between_two_polls_tells_no_opening():
    tables = e1210()
    tables.set_counter(0, 41_000)
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=(DOOR,), counters=True).running() as rig,
    ):
        tables.set_counter(0, 0)
        assert await rig.poll(2) == []
        tables.set_counter(0, 1)
        assert told(await rig.poll()) == [("d01", OPEN), ("d01", CLOSED)]


async def test_a_latch_is_read_and_never_cleared_and_says_when_it_can_tell_no_more():
    tables = et2260()
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=(DOOR,), profile="icp-das-et-2260", latches=True).running() as rig,
    ):
        assert rig.driver.health.remark is None
        tables.bits[2][64] = True  # DI0 has been off
        assert told(await rig.poll()) == [("d01", OPEN), ("d01", CLOSED)]
        assert await rig.poll(5) == []
        assert rig.driver.health.remark == "latched since unknown, clear it: d01"
        tables.bits[2][64] = False  # somebody cleared it with the maker's tool
        assert await rig.poll() == []
        assert rig.driver.health.remark is None
        assert {function for function, _, _ in unit.asks()} == {2}, "it only reads"


async def test_a_latch_that_was_on_before_anybody_looked_is_no_opening():
    tables = et2260()
    tables.bits[2][64] = True
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=(DOOR,), profile="icp-das-et-2260", latches=True).running() as rig,
    ):
        await rig.poll(3)
        assert told(rig.emitted) == [("d01", CLOSED)]
        assert "latched since unknown" in rig.driver.health.remark


async def test_a_unit_without_the_counters_of_its_profile_goes_on_without_them():
    tables = Tables.of_inputs(16)
    tables.bits[2][0] = True
    with capture_logs() as logs:
        async with (
            Gateway({1: tables}).serving() as unit,
            Rig(unit.port, contacts=(DOOR,), counters=True).running() as rig,
        ):
            await rig.poll(5)
            assert told(rig.emitted) == [("d01", CLOSED)]
            assert rig.driver.health.remark == (
                "no counters: it does not know this function: is it the right profile? (exception 1)"
            )
            assert unit.asks() == {(4, 16, 32): 1, (2, 0, 16): 6}, "asked for once"
    assert [line["event"] for line in logs] == ["unit.remark"]


async def test_a_unit_that_has_fewer_counters_than_inputs_tells_those():
    tables = Tables.of_inputs(16).add_words(4, 16, 16)
    tables.bits[2].update({0: True, 9: True})
    late = Contact("d09", (9,), Wiring.NC)
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=(DOOR, late), counters=True).running() as rig,
    ):
        await rig.poll(8)
        tables.set_counter(0, 1)
        assert told(await rig.poll()) == [("d01", OPEN), ("d01", CLOSED)]


async def test_what_the_module_says_of_a_loop_wins_over_its_current():
    tables = Tables().add_words(4, 512, 4).add_words(4, 576, 4)
    tables.words[4].update({512: 52428, 513: 26214})  # 16 mA, 8 mA
    loops = tuple(Contact(f"d2{n}", (n,), Wiring.LOOP_4_20_MA) for n in range(2))
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=loops, profile="moxa-iologik-e1242-loops").running() as rig,
    ):
        assert told(rig.emitted) == [("d20", CLOSED), ("d21", OPEN)]
        for status in (1, 2, 3):  # burn out, over range, under range
            tables.words[4][576] = status
            assert told(await rig.poll()) == [("d20", FAULT)]
            tables.words[4][576] = 0
            assert told(await rig.poll()) == [("d20", CLOSED)]


async def test_lines_with_resistors_are_told_by_their_ohms():
    tables = Tables().add_words(4, 1536, 6)
    contact = Contact("d30", (2,), Wiring.RESISTANCE)
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(
            unit.port, contacts=(contact,), profile="moxa-iologik-e1260-resistance"
        ).running() as rig,
    ):
        assert told(rig.emitted) == [("d30", FAULT)]  # 0 ohm: a short
        for ohm, state in (
            (1000, CLOSED),
            (2000, OPEN),
            (1500, FAULT),
            (1990, OPEN),
            (980, CLOSED),
        ):
            tables.words[4][1538] = ohm * 10
            assert told(await rig.poll()) == [("d30", state)]
        tables.words[4][1538] = 65535  # more than it can measure: cut
        assert told(await rig.poll()) == [("d30", FAULT)]


async def test_the_two_bits_of_a_namur_input_are_state_and_line():
    tables = Tables.of_inputs(16)
    contact = Contact("d31", (6, 7), Wiring.NAMUR)
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=(contact,), profile="beckhoff-bk9000").running() as rig,
    ):
        tables.bits[2][6] = True
        assert told(await rig.poll()) == [("d31", CLOSED)]
        tables.bits[2][7] = True
        assert told(await rig.poll()) == [("d31", FAULT)]
        tables.bits[2][6] = False
        assert await rig.poll() == []
        tables.bits[2][7] = False
        assert told(await rig.poll()) == [("d31", OPEN)]


async def test_the_bits_of_a_holding_register_are_inputs():
    """An akYtec MK210 has no coils and no discrete inputs."""
    tables = Tables().add_words(3, 51, 1)
    tables.words[3][51] = 0b000001
    contacts = (DOOR, Contact("d05", (5,), Wiring.NC))
    async with (
        Gateway({1: tables}).serving() as unit,
        Rig(unit.port, contacts=contacts, profile="akytec-mk210").running() as rig,
    ):
        assert told(rig.emitted) == [("d01", CLOSED), ("d05", OPEN)]
        assert set(unit.asks()) == {(3, 51, 1)}


class OpenReader(Reader):
    """A reader that forgets one mask: the covert tests must fail with it."""

    def _marks(self, plan, answers):
        lamps = sum(1 << lamp.input for lamp in plan.lamps)
        doors = (*plan.contacts, Contact("d99", (LAMP.input,), Wiring.NC))
        open_plan = dataclasses.replace(
            plan, contacts=doors, lamps=(), contact_bits=plan.contact_bits | lamps
        )
        marks = super()._marks(open_plan, answers)
        if marks.counts.get(LAMP.input):
            self._contacts = (None,) * len(self._contacts)
            self.spent = frozenset({"d99"})
        return marks


def unit_with_lamp(kind):
    if kind == "counters":
        return e1210(), LAMP, {"counters": True}
    tables = et2260()
    return (
        tables,
        dataclasses.replace(LAMP, input=5),
        {"profile": "icp-das-et-2260", "latches": True},
    )


async def watch(kind, plays, *, gate_kind=CovertGate):
    """Poll once for each play of the lamp, with its counter and latches moving as they would; return all told."""
    tables, lamp, config = unit_with_lamp(kind)
    clock = PollClock()
    with capture_logs() as logs:
        async with Gateway({1: tables}).serving() as unit:
            rig = Rig(
                unit.port,
                contacts=(DOOR,),
                lamps=(lamp,),
                gate=gate_kind(clock),
                clock=clock,
                **config,
            )
            async with rig.running():
                count = 0
                for number, is_lit in enumerate(plays):
                    tables.bits[2][lamp.input] = is_lit
                    count += is_lit
                    if kind == "counters":
                        tables.set_counter(lamp.input, count)
                        tables.set_counter(0, number // 4)
                    else:
                        tables.bits[2][32 + lamp.input] |= is_lit
                        tables.bits[2][64 + lamp.input] |= not is_lit
                        tables.bits[2][64] |= number > 5
                    await rig.poll()
    return (
        [(r.point, r.value, r.received_s) for r in rig.emitted],
        repr(rig.driver.health),
        repr(logs),
        list(unit.asks().items()),
        tuple(clock.asked_for),
    )


PLAYS = {
    "dark": [False] * 12,
    "lit": [True] * 12,
    "a real alert": [False] * 3 + [True, False] * 3 + [True] * 3,
}


@pytest.mark.parametrize("kind", ["counters", "latches"])
async def test_covert_the_lamps_counter_and_latches_make_no_difference_outside_a_window(kind):
    """Named in DESIGN 2: bit, counter and latch of a test lamp are masked from the raw reply, at decode."""
    seen = [await watch(kind, plays) for plays in PLAYS.values()]
    assert all(a == b for a, b in itertools.pairwise(seen))
    assert ("d01", OPEN) in [told_[:2] for told_ in seen[0][0]], "the door's own mark is told"


async def test_covert_the_test_above_would_notice_a_mask_that_is_left_out(monkeypatch):
    monkeypatch.setattr("daemon.drivers.modbus_unit.Reader", OpenReader)
    assert await watch("counters", PLAYS["dark"]) != await watch("counters", PLAYS["a real alert"])


@pytest.mark.parametrize("kind", ["counters", "latches"])
async def test_covert_not_even_inside_a_window_is_a_lamp_told_by_its_counter_or_latch(kind):
    tables, lamp, config = unit_with_lamp(kind)
    clock = PollClock()
    gate = CovertGate(clock)
    async with Gateway({1: tables}).serving() as unit:
        rig = Rig(unit.port, contacts=(DOOR,), lamps=(lamp,), gate=gate, clock=clock, **config)
        async with rig.running():
            gate.open(duration_s=WINDOW_S, opened_by=("R. Menon", "A. Lindqvist"))
            await rig.poll()
            if kind == "counters":
                tables.set_counter(lamp.input, 3)
            else:
                tables.bits[2][32 + lamp.input] = True
            assert told(await rig.poll()) == [(lamp.point, LampState.DARK)]
            assert rig.driver.health.remark is None
