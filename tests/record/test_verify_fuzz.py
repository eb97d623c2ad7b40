"""Whatever byte changes, a verdict of PASS means that what was judged is what was signed (invariant 12)."""

from __future__ import annotations

import json
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.record import export, verify
from daemon.record.export import Profile
from daemon.record.segment import Segment
from tests.clocks import FixedEntropy
from tests.record.outside import MORNING_S, SHORE
from tests.record.sample import Sample, identity
from tests.record.ship import VKEY

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)
OFTEN = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
KEYS = verify.read_keys(VKEY)
WITNESSES = verify.read_keys(SHORE.vkey, verify.WITNESS)


@pytest.fixture(scope="module")
def small(original: Sample, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The sample, cosigned at its end."""
    folder = tmp_path_factory.mktemp("small") / "record"
    shutil.copytree(original.folder, folder)
    made = Sample(folder, original.notes)
    segment = Segment.open(made.file, identity(), FixedEntropy())
    assert segment is not None
    segment.cosigned(10, SHORE.name, SHORE.line(original.notes[10], time_s=MORNING_S))
    segment.close(finish=True)
    assert judged(made.file, made) == "PASS"
    return made


def judged(path: Path, sample: Sample) -> str:
    """Return the verdict, as ``main`` comes to it."""
    return judge(path, sample).word


def judge(path: Path, sample: Sample) -> verify.Verdict:
    anchors = [verify.read_note(sample.notes[7])]
    return verify.verify(
        path, KEYS, anchors, WITNESSES
    )  # any exception is a defect, though main says INCONCLUSIVE


def content(path: Path) -> Any:
    """Return all that a segment file says, read without the verifier."""
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        tables = ("entry", "part", "evidence", "checkpoint", "cosignature")
        found = {
            table: db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables
        }
        found["schema"] = db.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        return found
    finally:
        db.close()


@OFTEN
@given(data=st.data())
def test_a_byte_changed_in_a_segment_file_passes_only_where_nothing_that_was_judged_changed(
    small: Sample, tmp_path: Path, data: st.DataObject
):
    raw = bytearray(small.file.read_bytes())
    used = [at for at, byte in enumerate(raw) if byte]  # most of a small file is empty pages
    at = data.draw(st.sampled_from(used) | st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "segment-0001.db"
    path.write_bytes(raw)
    verdict = judge(path, small)
    if verdict.word == "PASS":
        found, sound = content(path), content(small.file)
        if found.pop("cosignature") != sound.pop(
            "cosignature"
        ):  # by somebody unknown now, and said to be
            assert verify.report(verdict)["unchecked_witnesses"]
        assert found == sound, at


def test_a_segment_file_cut_after_any_page_never_passes(small: Sample, tmp_path: Path):
    raw = small.file.read_bytes()
    path = tmp_path / "segment-0001.db"
    for pages in range(len(raw) // 4096):
        path.write_bytes(raw[: pages * 4096])
        assert judged(path, small) in ("FAIL", "INCONCLUSIVE")


def without_strangers(raw: bytes) -> list[Any]:
    """Return the lines of an export, without signature lines of others than the ship."""
    lines = [json.loads(line) for line in raw.splitlines()]
    for line in lines:
        if "checkpoint" in line:
            text, _, signatures = line["checkpoint"].partition("\n\n")
            own = [each for each in signatures.splitlines() if each.startswith("— demo/9999993/1 ")]
            line["checkpoint"] = [text, *own]
    return lines


@pytest.fixture(scope="module")
def exports(small: Sample) -> dict[Profile, bytes]:
    chosen = {Profile.EXCERPT: [3, 4, 9]}
    return {
        profile: b"".join(export.lines(small.file, profile=profile, entries=chosen.get(profile)))
        for profile in Profile
    }


@pytest.mark.parametrize("profile", Profile)
@OFTEN
@given(data=st.data())
def test_an_export_changed_anywhere_never_passes(
    small: Sample,
    exports: dict[Profile, bytes],
    tmp_path: Path,
    profile: Profile,
    data: st.DataObject,
):
    raw = exports[profile]
    at = data.draw(st.integers(0, len(raw) - 1))
    end = data.draw(st.integers(at, min(at + 40, len(raw))))
    instead = data.draw(st.binary(max_size=40) | st.just(raw[end : end + 40]))
    flipped = bytes([raw[at] ^ data.draw(st.integers(1, 255))])
    changed = data.draw(
        st.sampled_from(
            [raw[:at] + flipped + raw[at + 1 :], raw[:at] + instead + raw[end:], raw[:at]]
        )
    )
    if changed == raw:
        return
    path = tmp_path / "export.jsonl"
    path.write_bytes(changed)
    if judged(path, small) == "PASS":
        assert without_strangers(changed) == without_strangers(raw)
