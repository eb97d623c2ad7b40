"""The runner: simulators by file, commands by line, scenarios by the clock."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simulators
from daemon.errors import ConfigError
from simulators.api import SimulatorSpec
from simulators.input_lines import LONGEST_LINE_BYTES, Splitter, read_lines
from simulators.plan import Step, load_scenario, load_units, spec_of
from simulators.runner import alone, follow, main, play, run
from tests.clocks import ManualClock
from tests.soon import PATIENCE_S, soon

SHIP = '[[unit]]\nid = "io1"\nkind = "io_unit"\n[[unit]]\nid = "io2"\nkind = "io_unit"\nunit = 2\n'
SCENARIOS = Path(simulators.__file__).parent / "scenarios"


class FakeUnit:
    """A unit that only keeps account of what is done with it."""

    endpoint = "tcp://127.0.0.1:1"

    def __init__(self, *, starts=True, stops="at once"):
        self.starts, self.stops = starts, stops
        self.done = []
        self.running = False

    async def start(self):
        if not self.starts:
            raise OSError(98, "Address already in use")
        self.running = True

    async def stop(self):
        if self.stops == "never":
            await asyncio.Event().wait()
        if self.stops == "badly":
            raise RuntimeError("stuck")
        self.running = False

    async def do(self, command):
        if command["do"] == "refuse":
            raise ValueError("not today")
        self.done.append(command)


async def lines_of(*lines):
    for line in lines:
        yield line


async def lines_without_end():
    await asyncio.Event().wait()
    yield b""


def written(tmp_path, text, name="ship.toml"):
    path = tmp_path / name
    path.write_text(text)
    return path


async def run_with(units, lines, **others):
    said = []
    options = {"clock": ManualClock(), "stop": asyncio.Event(), **others}
    return await run(units, lines, said.append, **options), said


async def test_it_starts_all_does_what_it_is_told_and_stops_at_the_end_of_the_lines():
    units = {"io1": FakeUnit(), "io2": FakeUnit()}
    code, said = await run_with(units, lines_of(b'{"unit": "io2", "do": "set"}'))
    assert code == 0
    assert said == [
        {"ready": "io1", "endpoint": "tcp://127.0.0.1:1"},
        {"ready": "io2", "endpoint": "tcp://127.0.0.1:1"},
        {"ready": "all"},
        {"done": 1},
    ]
    assert units["io2"].done == [{"do": "set"}]
    assert not any(unit.running for unit in units.values())


async def test_it_stops_when_it_is_told_to():
    stop = asyncio.Event()
    units = {"io1": FakeUnit()}
    running = asyncio.create_task(run_with(units, lines_without_end(), stop=stop))
    await soon(lambda: units["io1"].running)
    stop.set()
    async with asyncio.timeout(PATIENCE_S):
        code, _ = await running
    assert code == 0
    assert not units["io1"].running


async def test_a_unit_that_cannot_start_is_named_and_the_others_are_stopped():
    units = {"io1": FakeUnit(), "io2": FakeUnit(starts=False)}
    code, said = await run_with(units, lines_without_end())
    assert code == 1
    assert said[-1] == {"error": "io2: [Errno 98] Address already in use"}
    assert {"ready": "all"} not in said
    assert not units["io1"].running


@pytest.mark.parametrize(
    ("stops", "says"), [("never", "io1: does not stop"), ("badly", "io1: RuntimeError('stuck')")]
)
async def test_a_unit_that_does_not_stop_is_named_and_holds_nobody_up(monkeypatch, stops, says):
    monkeypatch.setattr("simulators.runner.STOP_WITHIN_S", 0.05)
    units = {"io1": FakeUnit(stops=stops), "io2": FakeUnit()}
    code, said = await run_with(units, lines_of())
    assert code == 1
    assert said[-1] == {"error": says}
    assert not units["io2"].running


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * LONGEST_LINE_BYTES, "not JSON"),
        (b"[]", "not an object"),
        (b'{"do": "set"}', "no unit None; known are io1, io2"),
        (b'{"unit": "io9", "do": "set"}', "no unit 'io9'"),
        (b'{"unit": ["io1"], "do": "set"}', "no unit"),
        (b'{"unit": "io1", "do": "refuse"}', "io1: not today"),
        (b"x" * (LONGEST_LINE_BYTES + 1), f"at most {LONGEST_LINE_BYTES} bytes"),
    ],
)
async def test_a_wrong_line_is_answered_with_its_reason_and_the_next_is_done(line, says):
    units = {"io1": FakeUnit(), "io2": FakeUnit()}
    said = []
    await follow(units, lines_of(line, b'{"unit": "io1", "do": "set"}'), said.append)
    assert says in said[0]["error"]
    assert said[0]["line"] == 1
    assert said[1] == {"done": 2}


async def test_a_lone_unit_needs_no_name():
    units = {"io1": FakeUnit()}
    said = []
    await follow(units, lines_of(b'{"do": "set"}'), said.append)
    assert said == [{"done": 1}]


async def test_each_step_is_done_at_its_time_and_a_wrong_one_stops_none():
    clock = ManualClock()
    unit = FakeUnit()
    steps = [
        Step(0.0, "io1", {"do": "a"}),
        Step(10.0, "io1", {"do": "refuse"}),
        Step(10.0, "io1", {"do": "b"}),
        Step(12.5, "io1", {"do": "c"}),
    ]
    said = []
    playing = asyncio.create_task(play({"io1": unit}, steps, said.append, clock=clock))
    await clock.advance(0.0)
    assert unit.done == [{"do": "a"}]
    await clock.advance(9.9)
    assert unit.done == [{"do": "a"}]
    await clock.advance(0.2)
    assert unit.done == [{"do": "a"}, {"do": "b"}]
    await clock.advance(2.3)
    assert unit.done == [{"do": "a"}, {"do": "b"}]
    await clock.advance(0.2)
    await playing
    assert unit.done == [{"do": "a"}, {"do": "b"}, {"do": "c"}]
    assert said == [
        {"played": 1},
        {"error": "io1: not today", "step": 2},
        {"played": 3},
        {"played": 4},
        {"played": "all"},
    ]


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_scenario_loads(path):
    known = {"io1", "io2", "io3", "nav", "ais", "ssas"}
    assert load_scenario(path, known)


async def test_the_quiet_watch_ends_with_the_casing_door_shut():
    units = {"io1": (unit := spec_of("io_unit").build("io1", {}))}
    clock = ManualClock()
    said = []
    steps = load_scenario(SCENARIOS / "quiet-watch-then-door.toml", units)
    playing = asyncio.create_task(play(units, steps, said.append, clock=clock))
    casing_door = []
    for _ in range(8):
        await clock.advance(90.0)
        casing_door.append(unit._inputs[11])
    await playing
    assert casing_door == [True] * 6 + [False, True]
    assert [step for step in said if "error" in step] == []


async def test_a_file_with_units_gives_them_by_name(tmp_path):
    units = load_units(written(tmp_path, SHIP))
    code, said = await run_with(units, lines_of(b'{"unit":"io2","do":"set","input":1,"on":true}'))
    assert code == 0
    assert [word["ready"] for word in said[:3]] == ["io1", "io2", "all"]
    assert said[3] == {"done": 1}


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("", "file", "holds [[unit]] tables and nothing else"),
        ("unit = 1", "file", "holds [[unit]] tables"),
        ("unit = [1]", "unit[0]", "is not a table"),
        (SHIP + "[other]\n", "file", "nothing else"),
        (SHIP.replace('"io2"', '"io1"'), "unit[1]", "there is another unit 'io1'"),
        (SHIP.replace('id = "io1"\n', ""), "unit[0]", "id is missing"),
        (SHIP.replace('"io1"', "1"), "unit[0]", "id is a text, not 1"),
        (SHIP.replace('"io_unit"', '"kraken"', 1), "unit[0]", "no simulator of kind 'kraken'"),
        (SHIP.replace('"io_unit"', '"runner"', 1), "unit[0]", "io_unit, log"),
        (SHIP.replace('"io_unit"', '"__main__"', 1), "unit[0]", "no simulator of kind"),
        (SHIP.replace("unit = 2", "unit = 256"), "unit[1]", "unit is a whole number"),
        (SHIP.replace("unit = 2", "unit = "), "file", "Invalid value"),
        ("#" * (1024 * 1024 + 1), "file", "longer than"),
    ],
)
def test_a_wrong_file_is_refused_with_place_and_reason(tmp_path, text, place, says):
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_units(path)
    assert caught.value.file == str(path)
    assert [fault.place for fault in caught.value.faults] == [place]
    assert says in caught.value.faults[0].reason


def test_all_faults_of_a_file_are_told_at_once(tmp_path):
    text = SHIP.replace('"io1"', '""').replace("unit = 2", "unit = -1")
    with pytest.raises(ConfigError) as caught:
        load_units(written(tmp_path, text))
    assert [fault.place for fault in caught.value.faults] == ["unit[0]", "unit[1]"]


STEP = '[[step]]\nat_s = 5\nunit = "io1"\ndo = "clear"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (STEP.replace('"io1"', '"io9"'), "no unit 'io9'; known are io1"),
        (STEP.replace("5", "-1"), "at_s is a time from 0 to 86400 s"),
        (STEP.replace("5", "nan"), "at_s is a time"),
        (STEP.replace("5", "86401"), "at_s is a time"),
        (STEP.replace('do = "clear"', ""), "do is missing"),
        (STEP.replace("at_s = 5", ""), "at_s is a time"),
        (STEP + STEP.replace("5", "4"), "at_s goes back from 5 to 4"),
    ],
)
def test_a_wrong_scenario_is_refused_with_its_reason(tmp_path, text, says):
    with pytest.raises(ConfigError) as caught:
        load_scenario(written(tmp_path, text), ["io1"])
    assert says in caught.value.faults[0].reason


def test_a_file_that_is_not_there_is_a_fault_too(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load_units(tmp_path / "none.toml")


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_lines_do_not_depend_on_how_the_bytes_came(text, cuts):
    splitter = Splitter()
    places = [0, *sorted(cuts), len(text)]
    chunks = [text[start:end] for start, end in itertools.pairwise(places)]
    seen = [line for chunk in chunks for line in splitter.feed(chunk)]
    if rest := splitter.rest():
        seen.append(rest)
    assert [line.strip() for line in seen] == [
        line.strip() for line in text.split(b"\n") if line.strip()
    ]


def test_a_line_without_end_is_told_once_and_held_no_longer():
    splitter = Splitter()
    seen = [line for _ in range(100) for line in splitter.feed(b"x" * 4096)]
    assert [len(line) > LONGEST_LINE_BYTES for line in seen] == [True]
    assert splitter.rest() == b""
    assert list(splitter.feed(b"tail of it\nnext\n")) == [b"next"]


async def test_lines_come_from_a_pipe_until_its_end():
    reading, writing = os.pipe()
    os.write(writing, b"one\n\ntwo")
    os.close(writing)
    assert [line async for line in read_lines(reading)] == [b"one", b"two"]
    os.close(reading)


async def test_lines_come_from_a_file_longer_than_is_read_ahead(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"0123456\n" * 20_000)
    with path.open("rb") as file:
        assert len([line async for line in read_lines(file.fileno())]) == 20_000


@contextlib.contextmanager
def program(*arguments, stdin=subprocess.PIPE):
    with subprocess.Popen(
        [sys.executable, "-m", "simulators", *map(str, arguments)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("by", ["the end of its input", "SIGTERM", "SIGINT"])
def test_the_program_stops_in_order(tmp_path, by):
    with program(written(tmp_path, SHIP)) as process:
        said = [json.loads(process.stdout.readline()) for _ in range(3)]
        assert said[2] == {"ready": "all"}
        if by == "the end of its input":
            process.stdin.close()
        else:
            process.send_signal(signal.Signals[by])
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == ""


def test_the_program_plays_a_scenario(tmp_path):
    scenario = written(tmp_path, STEP.replace("5", "0"), "scenario.toml")
    with program(written(tmp_path, SHIP), "--scenario", scenario) as process:
        said = [json.loads(process.stdout.readline()) for _ in range(5)]
        assert said[3:] == [{"played": 1}, {"played": "all"}]


def test_a_wrong_file_ends_the_program_with_the_reason(tmp_path, capsys):
    path = written(tmp_path, "")
    assert main([str(path)]) == 2
    assert str(path) in capsys.readouterr().err


def test_alone_a_wrong_setting_ends_the_program_with_the_reason(capsys):
    def build(name, settings):
        raise ValueError("no port")

    assert alone(SimulatorSpec("ship", build), {}) == 2
    assert capsys.readouterr().err == "ship: no port\n"
