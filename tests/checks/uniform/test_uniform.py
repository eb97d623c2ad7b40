"""Every kind of check: SAT, UNSAT, NOT PROVEN, and judged the same again from the record alone."""

from __future__ import annotations

import asyncio
import importlib
import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daemon.checks.api import Mode
from daemon.computer import logs
from daemon.config import registry
from daemon.model import Classification
from daemon.record.reader import Query, Reader
from daemon.testing.conduct import DAY_MARGIN_S
from daemon.testing.evidence import BASIS, READINGS
from daemon.testing.rejudging import Agreement, rejudged
from tests.checks.uniform.stage import MIDNIGHT, Spoilt, Stage, Uniform
from tests.record.ship import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark import ParameterSet

    from daemon.record.entry import Draft, Entry
    from daemon.testing.rejudging import Rejudged

CHECKS = registry.checks()
SSO = Classification.SSO
BAD = [each for each in Spoilt if each is not Spoilt.NOTHING]


def kinds() -> set[str]:
    here = Path(__file__).parent
    return {path.stem for path in here.glob("*.py")} - {"stage", Path(__file__).stem}


def uniforms(kind: str) -> tuple[Uniform, ...]:
    found = importlib.import_module(f"tests.checks.uniform.{kind}").UNIFORM
    return found if isinstance(found, tuple) else (found,)


def every() -> Iterator[ParameterSet]:
    for kind in sorted(kinds()):
        for number, uniform in enumerate(uniforms(kind), start=1):
            yield pytest.param(uniform, id=f"{kind}-{number}")


EVERY = list(every())
each_uniform = pytest.mark.parametrize("uniform", EVERY)
each_that_listens = pytest.mark.parametrize(
    "uniform", [each for each in EVERY if each.values[0].points()]
)


@pytest.fixture(autouse=True)
def _brief_logs() -> None:
    """Let a check that is made to crash say so in a line: a traceback with a day's readings takes seconds."""
    logs.configure(json=True, utc=lambda: MIDNIGHT, stream=io.StringIO())


async def results(stage: Stage, play) -> list[Draft]:
    try:
        await play(stage)
    finally:
        await stage.leave()
    return stage.written()


def outcome(drafts: list[Draft]) -> object:
    """Return how it came out in the end."""
    return drafts[-1].open["outcome"] if drafts else None


def test_no_check_is_without_its_plays():
    assert kinds() == set(CHECKS)


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_kind_has_all_four(kind):
    plays = uniforms(kind)
    assert all(each.check is CHECKS[kind] for each in plays)
    assert any(each.unsat for each in plays)
    for each in plays:
        listens = each.points() or each.unproven or any(other.unproven for other in plays)
        assert listens, "it listens to nothing: say what proves nothing"
        assert set(each.needs or ()) <= {*each.points(), *each.more_points}


@each_uniform
async def test_good_evidence_is_sat(uniform):
    drafts = await results(uniform.stage(), uniform.sat)
    assert outcome(drafts) == "passed", drafts[-1].open["reason"] if drafts else "no result"
    assert not [each for each in drafts if each.open["outcome"] == "failed"]


@each_uniform
async def test_evidence_of_a_fault_is_unsat(uniform):
    for name, play in uniform.unsat.items():
        drafts = await results(uniform.stage(), play)
        assert outcome(drafts) == "failed", (name, drafts and drafts[-1].open["reason"])


def is_not_proven(uniform: Uniform, drafts: list[Draft]) -> bool:
    if not drafts and uniform.nothing_is_no_row:
        return True
    return {each.open["outcome"] for each in drafts} == {"inconclusive"}


@pytest.mark.parametrize("spoilt", BAD)
@each_that_listens
async def test_evidence_that_does_not_count_is_not_proven(uniform, spoilt):
    drafts = await results(uniform.stage(spoilt=spoilt), uniform.sat)
    assert is_not_proven(uniform, drafts), [dict(each.open) for each in drafts]


@pytest.mark.parametrize("spoilt", BAD)
@each_that_listens
async def test_without_one_of_the_points_that_it_needs_nothing_passes(uniform, spoilt):
    for point in uniform.points() if uniform.needs is None else uniform.needs:
        drafts = await results(uniform.stage(spoilt=spoilt, only=point), uniform.sat)
        assert "passed" not in {each.open["outcome"] for each in drafts}, point


@each_uniform
async def test_what_proves_nothing_is_not_proven(uniform):
    for name, play in uniform.unproven.items():
        drafts = await results(uniform.stage(), play)
        assert outcome(drafts) == "inconclusive", name


@each_uniform
async def test_simulated_evidence_counts_in_a_demonstration_only(uniform):
    drafts = await results(uniform.stage(spoilt=Spoilt.SIMULATED, demo=True), uniform.sat)
    assert outcome(drafts) == "passed"
    assert drafts[-1].open["simulated"] is True


@each_uniform
async def test_a_judge_that_crashes_has_proved_nothing(uniform):
    def crash(_config: object, _gathered: object) -> None:
        raise ZeroDivisionError

    drafts = await results(uniform.broken(judge=crash), uniform.sat)
    assert outcome(drafts) == "inconclusive"
    assert drafts[-1].open["reason"] == "the check crashed: ZeroDivisionError"


@each_uniform
async def test_a_check_that_hangs_has_proved_nothing(uniform):
    async def hang(_config: object, _ctx: object) -> None:
        await asyncio.Event().wait()

    broken = {"run": hang, "lead": uniform.check.lead and hang, "limit_s": 60.0}
    stage = uniform.broken(**broken)
    is_led = uniform.check.lead or uniform.check.mode is Mode.ASSISTED
    item = next(iter(uniform.check.items(stage.config)), None) if is_led else None

    async def play(stage: Stage) -> None:
        await stage.begins(item)
        await stage.passes(60.0)
        if uniform.check.continuous:
            await stage.day_ends()
            await stage.passes(DAY_MARGIN_S)

    drafts = await results(stage, play)
    assert {each.open["outcome"] for each in drafts} == {"inconclusive"}
    assert "ended by force" in str(drafts[0].open["reason"])


# From the record alone


async def from_disk(folder: Path, drafts: list[Draft]) -> list[tuple[Entry, Rejudged]]:
    """Write results into a real record, close it, and judge what its files hold."""
    made = record(folder)
    await made.start()
    for draft in drafts:
        await made.submit(draft)
    await made.stop()
    reader = Reader(folder)
    try:
        entries = reader.entries(Query(type="test.result", limit=len(drafts)))
        return [
            (each, rejudged(each, reader.evidence, CHECKS, reader.sealed_part(each.seq, SSO)))
            for each in entries
        ]
    finally:
        reader.close()


def plays() -> Iterator[ParameterSet]:
    """Yield every play of every kind, and good evidence in a demonstration and spoilt."""
    for each in EVERY:
        uniform = each.values[0]
        sat = {"SAT": uniform.sat, **uniform.unsat, **uniform.unproven}
        for name, play in sat.items():
            yield pytest.param(uniform, play, {}, id=f"{each.id}: {name}")
        for spoilt, demo in ((Spoilt.SIMULATED, True), (Spoilt.SUSPECT, False)):
            how = {"spoilt": spoilt, "demo": demo}
            yield pytest.param(uniform, uniform.sat, how, id=f"{each.id}: {spoilt}, {demo}")


@pytest.mark.parametrize(("uniform", "play", "how"), list(plays()))
async def test_what_the_record_keeps_is_judged_the_same_again(uniform, play, how, tmp_path):
    drafts = await results(uniform.stage(**how), play)
    judged = await from_disk(tmp_path, drafts)
    assert len(judged) == len(drafts)
    for entry, again in judged:
        if "crashed" in str(entry.open["reason"]):
            assert again.agreement is Agreement.NOT_PROVEN
            continue
        assert again.agreement is Agreement.SAME, (dict(entry.open), again)
        assert again.today is not None
        assert again.today.outcome.value == entry.open["outcome"]


@each_uniform
async def test_evidence_that_was_altered_proves_nothing(uniform, tmp_path):
    drafts = await results(uniform.stage(), uniform.sat)
    ((entry, _),) = await from_disk(tmp_path, drafts[-1:])
    bodies = {each.reference().sha256: each.body for each in drafts[-1].evidence}
    assert {each.media for each in entry.evidence} >= {BASIS}
    for altered, body in bodies.items():
        wrong = {**bodies, altered: body.replace(b"1", b"2", 1)}
        again = rejudged(entry, wrong.get, CHECKS)
        assert again.agreement is Agreement.REFUSED
        assert "has been altered" in again.reason
    for missing in bodies:
        left = {digest: body for digest, body in bodies.items() if digest != missing}
        again = rejudged(entry, left.get, CHECKS)
        assert again.agreement is Agreement.NOT_PROVEN
        assert "not in this record" in again.reason


@each_that_listens
async def test_readings_that_are_taken_away_from_a_pass_leave_none(uniform, tmp_path):
    """The judge of the record is no rubber stamp: with other readings than those it says something else."""
    drafts = await results(uniform.stage(), uniform.sat)
    last = drafts[-1]
    assert last.evidence[0].media == READINGS
    basis = tuple(each for each in last.evidence if each.media == BASIS)
    stripped = replace(last, evidence=basis, open={**last.open, "readings": 0})
    ((_, again),) = await from_disk(tmp_path, [stripped])
    assert again.agreement is not Agreement.SAME
