"""What leaves the ship verifies in every profile, and shows nothing that its reader may not see (decision 0013)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from daemon.errors import RecordError
from daemon.record import export, verify
from daemon.record.export import Profile
from tests.clocks import ManualClock
from tests.record.outside import MORNING_S, SHORE
from tests.record.sample import (
    FAIL,
    INCONCLUSIVE,
    PASS,
    RAW,
    Sample,
    note,
    reseal,
    tail,
    tail_entry,
)
from tests.record.ship import KEY, VKEY, alert, breach, record
from tests.record.voyage import Voyage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def parsed(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def written(lines: list[dict[str, Any]]) -> bytes:
    texts = [
        json.dumps(line, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        for line in lines
    ]
    return "".join(text + "\n" for text in texts).encode()


class Paper:
    """An export on a stick, with the words that verify it."""

    def __init__(self, sample: Sample, folder: Path, profile: Profile, *entries: int) -> None:
        self.path = folder / "export.jsonl"
        self.sample = sample
        chosen = entries or None
        self.content = b"".join(export.lines(sample.file, profile=profile, entries=chosen))
        self.path.write_bytes(self.content)

    def verify(self, *more: str, anchor: int | None = 10) -> int:
        words = [str(self.path), "--key", VKEY, *more]
        return verify.main(words + (["--anchor", self.sample.anchor(anchor)] if anchor else []))

    def change(self, act: Callable[[list[dict[str, Any]]], object]) -> None:
        lines = parsed(self.content)
        act(lines)
        self.path.write_bytes(written(lines))
        assert self.path.read_bytes() != self.content


# ---------------------------------------------------------------- for port state control


@pytest.fixture
def psc(sample: Sample, tmp_path: Path) -> Paper:
    """Entries 3 and 8 are of class sso."""
    return Paper(sample, tmp_path, Profile.PSC)


def test_a_paper_for_psc_passes_and_says_what_it_withholds(
    psc: Paper, capsys: pytest.CaptureFixture[str]
):
    assert psc.verify() == PASS
    said = capsys.readouterr().out
    assert "withheld from this export: 2 entries; none of them was changed or removed" in said
    assert f"SHA-256 of the file: {hashlib.sha256(psc.content).hexdigest()}" in said


def test_a_paper_for_psc_holds_no_word_of_class_sso(psc: Paper, sample: Sample):
    withheld = [line["withheld"]["seq"] for line in parsed(psc.content) if "withheld" in line]
    assert withheld == [3, 8]
    assert b'"class":"sso"' not in psc.content
    whole = b"".join(export.lines(sample.file, profile=Profile.FULL))
    for protected in (b"Gangway door forced", b"ssas", b"millivolts", base64.b64encode(RAW)):
        assert protected in whole
        assert protected not in psc.content


def withheld(seq: int) -> Callable[[list[dict[str, Any]]], object]:
    """Withhold an entry that is for everybody."""

    def act(lines: list[dict[str, Any]]) -> None:
        [at] = [n for n, line in enumerate(lines) if line.get("entry", {}).get("seq") == seq]
        body = written([lines[at]["entry"]])[:-1]
        leaf = hashlib.sha256(b"\0" + body).hexdigest()
        lines[at] = {"withheld": {"seq": seq, "leaf": leaf}}

    return act


def test_an_entry_for_everybody_cannot_be_withheld_from_the_middle(
    psc: Paper, capsys: pytest.CaptureFixture[str]
):
    psc.change(withheld(6))
    assert psc.verify() == FAIL
    assert "its bseq is 6, 5 was due" in capsys.readouterr().out


def test_where_the_last_entries_are_withheld_it_says_that_nobody_can_tell_their_class(
    psc: Paper, capsys: pytest.CaptureFixture[str]
):
    psc.change(withheld(10))
    assert psc.verify() == PASS
    said = capsys.readouterr().out
    assert "entries 10 to 10, the last ones, are withheld" in said
    assert "whose time is not seen here; the last 0 entries have no outside witness yet" in said


def test_the_first_entry_cannot_be_withheld(psc: Paper):
    psc.change(withheld(1))
    assert psc.verify() == FAIL


WITHHELD = {
    "another hash": lambda line: line["withheld"].update(leaf="0" * 64),
    "no hash": lambda line: line["withheld"].update(leaf="x"),
    "another number": lambda line: line["withheld"].update(seq=4),
    "no number": lambda line: line["withheld"].update(seq="3"),
    "more": lambda line: line["withheld"].update(more=1),
    "nothing": lambda line: line.update(withheld=None),
}


@pytest.mark.parametrize("act", WITHHELD.values(), ids=WITHHELD)
def test_what_stands_for_a_withheld_entry_cannot_be_changed(
    psc: Paper, act: Callable[[dict[str, Any]], object]
):
    psc.change(lambda lines: act(next(line for line in lines if "withheld" in line)))
    assert psc.verify() == FAIL


def test_a_withheld_entry_cannot_be_left_out(psc: Paper):
    def act(lines: list[dict[str, Any]]) -> None:
        lines.remove(next(line for line in lines if "withheld" in line))
        lines[0]["size"] -= 1

    psc.change(act)
    assert psc.verify() == FAIL


def test_only_the_paper_for_psc_may_withhold(psc: Paper):
    for profile in ("full", "redacted"):
        psc.change(lambda lines, profile=profile: lines[0].update(profile=profile))
        assert psc.verify() != PASS


# ---------------------------------------------------------------- the first line


HEADER = {
    "origin": {"origin": "demo/9999993/2"},
    "segment": {"segment": 2},
    "first": {"first_seq": 2},
    "fewer": {"size": 9},
    "more": {"size": 11},
    "no number": {"segment": True},
}


@pytest.mark.parametrize("profile", [Profile.FULL, Profile.REDACTED, Profile.PSC])
@pytest.mark.parametrize("change", HEADER.values(), ids=HEADER)
def test_the_first_line_must_fit_the_entries(
    sample: Sample, tmp_path: Path, profile: Profile, change: dict[str, Any]
):
    paper = Paper(sample, tmp_path, profile)
    paper.change(lambda lines: lines[0].update(change))
    assert paper.verify() == FAIL


@pytest.mark.parametrize(
    "change",
    [{"profile": "master"}, {"profile": None}, {"v": 3}, {"v": 1}, {"also": 1}],
)
def test_a_first_line_that_is_not_known_is_inconclusive(
    sample: Sample, tmp_path: Path, change: dict[str, Any]
):
    paper = Paper(sample, tmp_path, Profile.REDACTED)
    paper.change(lambda lines: lines[0].update(change))
    assert paper.verify() == INCONCLUSIVE


def test_an_export_of_the_first_version_still_passes(sample: Sample, tmp_path: Path):
    paper = Paper(sample, tmp_path, Profile.FULL)

    def act(lines: list[dict[str, Any]]) -> None:
        lines[0]["v"] = 1
        del lines[0]["profile"]

    paper.change(act)
    assert paper.verify() == PASS


@pytest.mark.parametrize("name", ["parts", "evidence"])
def test_an_export_that_calls_itself_full_must_be(sample: Sample, tmp_path: Path, name: str):
    paper = Paper(sample, tmp_path, Profile.FULL)
    paper.change(lambda lines: next(line for line in lines if name in line).pop(name))
    assert paper.verify() == FAIL


# ---------------------------------------------------------------- excerpts


@pytest.fixture
def excerpt(sample: Sample, tmp_path: Path) -> Paper:
    return Paper(sample, tmp_path, Profile.EXCERPT, 3, 4, 9)


def test_an_excerpt_proves_its_entries_and_says_that_it_says_nothing_of_others(
    excerpt: Paper, capsys: pytest.CaptureFixture[str]
):
    assert excerpt.verify() == PASS
    assert capsys.readouterr().out == (
        "PASS\n"
        "an excerpt: 4 of the first 10 entries of demo/9999993/1; it says nothing of the others\n"
        "unaltered since an outside anchor was made, whose time is not seen here\n"
        "withheld from this export: 4 parts or pieces of evidence\n"
        f"SHA-256 of the file: {hashlib.sha256(excerpt.content).hexdigest()}\n"
    )


def test_an_excerpt_without_an_anchor_or_with_one_of_another_size_is_inconclusive(
    excerpt: Paper, capsys: pytest.CaptureFixture[str]
):
    assert excerpt.verify(anchor=None) == INCONCLUSIVE
    assert excerpt.verify(anchor=7) == INCONCLUSIVE
    assert "an anchor at 7 entries cannot be compared" in capsys.readouterr().out


def test_an_excerpt_leads_to_the_newest_checkpoint_that_a_witness_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    voyage = Voyage(tmp_path)
    seen = voyage.sail(alert("d1"), unsealed=1)
    assert seen is not None
    voyage.cosign(seen, SHORE.name, SHORE.line(seen.note, time_s=MORNING_S))
    newest = voyage.seal(1)
    path, words = tmp_path / "excerpt", ["--key", VKEY, "--witness", SHORE.vkey]
    for wanted, verdict, size in ((2, PASS, seen.size), (3, INCONCLUSIVE, newest.size)):
        lines = export.lines(
            voyage.folder / "segment-0001.db", profile=Profile.EXCERPT, entries=[wanted]
        )
        path.write_bytes(b"".join(lines))
        assert parsed(path.read_bytes())[0]["size"] == size
        capsys.readouterr()
        assert verify.main([str(path), *words]) == verdict
        since = "unaltered since 2026-11-22 08:30:00 UTC (seen by shore.example/ships)"
        assert (since in capsys.readouterr().out) is (verdict == PASS)


def hashes(index: int) -> Callable[[list[dict[str, Any]]], list[str]]:
    return lambda lines: lines[index]["proof"]["hashes"]


EXCERPT = {
    "a word": lambda lines: lines[2]["entry"].update(subject="d9"),
    "a number": lambda lines: lines[2]["entry"].update(seq=5),
    "an index": lambda lines: lines[2]["proof"].update(index=3),
    "a size": lambda lines: lines[2]["proof"].update(size=9),
    "a hash": lambda lines: hashes(2)(lines).__setitem__(0, hashes(3)(lines)[0]),
    "a hash less": lambda lines: hashes(2)(lines).pop(),
    "a hash more": lambda lines: hashes(2)(lines).append(hashes(3)(lines)[0]),
    "very many hashes": lambda lines: hashes(2)(lines).extend(hashes(3)(lines) * 100),
    "no hash": lambda lines: hashes(2)(lines).__setitem__(0, "AAAA"),
    "no proof": lambda lines: lines[2].update(proof=None),
    "a proof of another entry": lambda lines: lines[2].update(proof=lines[3]["proof"]),
    "an entry left out": lambda lines: lines.pop(2),
    "an entry twice": lambda lines: (lines.insert(2, lines[2]), lines[0].update(entries=5)),
    "another order": lambda lines: lines.insert(2, lines.pop(3)),
    "the last line": lambda lines: lines.pop(),
    "all entries": lambda lines: lines.__delitem__(slice(1, -1)),
    "a line more": lambda lines: lines.append(lines[-1]),
    "a number in the checkpoint": lambda lines: lines[-1].update(
        checkpoint=lines[-1]["checkpoint"].replace("\n10\n", "\n11\n")
    ),
    "the size that is spoken of": lambda lines: lines[0].update(size=11),
    "the count that is spoken of": lambda lines: lines[0].update(entries=3),
    "the origin that is spoken of": lambda lines: lines[0].update(origin="demo/9999993/2"),
    "the beginning that is spoken of": lambda lines: lines[0].update(first_seq=2),
}


@pytest.mark.parametrize("act", EXCERPT.values(), ids=EXCERPT)
def test_an_altered_excerpt_fails(excerpt: Paper, act: Callable[[list[dict[str, Any]]], object]):
    excerpt.change(act)
    assert excerpt.verify() == FAIL


def test_an_excerpt_with_lines_of_another_kind_or_without_its_beginning_is_not_known(
    excerpt: Paper,
):
    excerpt.change(lambda lines: lines[2].update(parts={}))
    assert excerpt.verify() == INCONCLUSIVE
    excerpt.change(lambda lines: (lines.pop(1), lines[0].update(entries=3)))
    assert excerpt.verify() == INCONCLUSIVE


def test_entries_of_two_segments_do_not_make_an_excerpt(voyages: Sample, tmp_path: Path):
    papers = [
        parsed(
            b"".join(
                export.lines(
                    voyages.folder / f"segment-000{number}.db",
                    profile=Profile.EXCERPT,
                    entries=[wanted],
                )
            )
        )
        for number, wanted in ((1, 2), (2, 6))
    ]
    path = tmp_path / "excerpt"
    path.write_bytes(written([*papers[0][:2], papers[1][2], papers[0][3]]))
    assert verify.main([str(path), "--key", VKEY, "--anchor", voyages.anchor(1)]) == FAIL


@pytest.mark.parametrize(
    ("wanted", "reason"), [([99], "entry 99 is not in segment 1"), ([11], "entry 11 is not sealed")]
)
def test_what_cannot_be_proven_is_not_exported(sample: Sample, wanted: list[int], reason: str):
    tail(sample, tail_entry(11))
    with pytest.raises(RecordError, match=reason):
        list(export.lines(sample.file, profile=Profile.EXCERPT, entries=wanted))


@pytest.mark.parametrize(("profile", "entries"), [(Profile.EXCERPT, None), (Profile.FULL, [1])])
def test_an_excerpt_and_nothing_else_is_of_chosen_entries(
    sample: Sample, profile: Profile, entries: list[int] | None
):
    with pytest.raises(ValueError, match="chosen entries"):
        list(export.lines(sample.file, profile=profile, entries=entries))


# ---------------------------------------------------------------- large segments


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segment of 4001 entries."""
    folder = tmp_path_factory.mktemp("large") / "record"

    async def sail() -> None:
        ship = record(folder, ManualClock())
        await ship.start()
        for begin in range(0, 4000, 500):
            drafts = [breach() if n % 7 == 0 else alert(f"d{n}") for n in range(begin, begin + 500)]
            await asyncio.gather(*map(ship.submit, drafts))
        await ship.stop()

    asyncio.run(sail())
    return folder / "segment-0001.db"


@pytest.mark.parametrize("profile", [Profile.FULL, Profile.PSC, Profile.EXCERPT])
def test_progress_is_told_from_begin_to_end(large: Path, profile: Profile):
    told: list[tuple[int, int]] = []
    entries = [4000] if profile is Profile.EXCERPT else None
    for _ in export.lines(
        large, profile=profile, entries=entries, progress=lambda *seen: told.append(seen)
    ):
        pass
    assert told == sorted(told)
    assert len(told) >= 4
    assert told[-1] == (4001, 4001)


@pytest.mark.parametrize("profile", Profile)
def test_memory_does_not_grow_with_the_segment(large: Path, profile: Profile):
    entries = [2, 2000, 4001] if profile is Profile.EXCERPT else None
    tracemalloc.start()
    try:
        size = sum(len(line) for line in export.lines(large, profile=profile, entries=entries))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 1000
    assert peak < 500_000, "the segment is 1.6 MB"


@pytest.mark.parametrize("seq", [1, 2, 1023, 1024, 1025, 2048, 2049, 4000, 4001])
def test_an_excerpt_of_any_entry_of_a_large_segment_passes(large: Path, tmp_path: Path, seq: int):
    path = tmp_path / "excerpt"
    lines = list(export.lines(large, profile=Profile.EXCERPT, entries=[seq]))
    path.write_bytes(b"".join(lines))
    anchor = tmp_path / "anchor"
    anchor.write_text(json.loads(lines[-1])["checkpoint"], "utf-8")
    assert verify.main([str(path), "--key", VKEY, "--anchor", str(anchor)]) == PASS


def test_an_excerpt_of_another_history_than_the_anchor_saw_fails(
    excerpt: Paper, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "other").write_text(note(size=10), "utf-8")
    words = [str(excerpt.path), "--key", VKEY, "--anchor", str(tmp_path / "other")]
    assert verify.main(words) == FAIL
    assert "not those that the anchor saw" in capsys.readouterr().out


def test_an_excerpt_of_another_history_under_a_true_checkpoint_fails(
    excerpt: Paper, capsys: pytest.CaptureFixture[str]
):
    """All its proofs lead to one tree; that tree is not the one that the ship signed."""
    sample = excerpt.sample
    sample.alter("UPDATE entry SET body = replace(body, 'd2', 'd9') WHERE seq = 5")
    reseal(sample, KEY)
    forged = list(export.lines(sample.file, profile=Profile.EXCERPT, entries=[3, 4, 9]))
    excerpt.path.write_bytes(
        b"".join([*forged[:-1], excerpt.content.splitlines(keepends=True)[-1]])
    )
    assert excerpt.verify() == FAIL
    assert "not those that the checkpoint covers" in capsys.readouterr().out
