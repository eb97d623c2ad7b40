"""What we sign and prove is checked by code that we did not write: Go's ``sumdb/note`` and ``sumdb/tlog``."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from daemon.record import checkpoint, export
from daemon.record.export import Profile
from daemon.record.merkle import leaf_hash
from daemon.record.proofs import Leaves
from daemon.record.segment import Segment
from tests.clocks import FixedEntropy, ManualClock
from tests.needed import needs
from tests.record.outside import MATE, MORNING_S, SHORE, Witness
from tests.record.ship import KEY, ORIGIN, OTHER_KEY, VKEY, alert, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCES = Path("/usr/share/gocode")
"""Where Debian's packages of Go libraries lie."""
SIZES = (*range(1, 34), 63, 64, 65, 100, 127, 128, 129, 255, 256, 257)
BODIES = [f"entry {number}" for number in range(max(SIZES))]
LEAVES = Leaves(body.encode() for body in BODIES)

pytestmark = pytest.mark.timeout(300)  # the first build compiles Go's own library


@pytest.fixture(scope="module")
def ask(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., str]]:
    """Ask the program; its answer is what is wrong, empty where nothing is."""
    needs(
        shutil.which("go") and (SOURCES / "src/golang.org/x/mod/sumdb").is_dir(),
        "Go is not installed (Debian: apt install golang-go golang-golang-x-mod-dev)",
    )
    program = tmp_path_factory.mktemp("go") / "check"
    assert request.config.cache is not None
    offline = {"GO111MODULE": "off", "GOPATH": str(SOURCES), "GOFLAGS": "", "GOPROXY": "off"}
    offline["GOCACHE"] = str(request.config.cache.mkdir("go-build"))
    source = Path(__file__).with_name("check.go")
    subprocess.run(
        ["go", "build", "-o", str(program), str(source)], env=os.environ | offline, check=True
    )
    with subprocess.Popen(
        [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        asking, answers = running.stdin, running.stdout

        def question(kind: str, **fields: Any) -> str:
            asking.write(json.dumps({"Kind": kind} | fields, default=encoded) + "\n")
            asking.flush()
            return str(json.loads(answers.readline())["error"])

        yield question
        asking.close()
    assert running.returncode == 0


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


OTHER = b"\x01" * 32


def test_go_finds_the_same_roots(ask: Callable[..., str]):
    for size in SIZES:
        assert ask("root", Bodies=BODIES[:size], Root=LEAVES.root(size)) == "", size
    assert ask("root", Bodies=BODIES[:3], Root=LEAVES.root(4)) == "another root"


def test_go_accepts_every_proof_that_an_entry_is_in_a_tree(ask: Callable[..., str]):
    for size in SIZES:
        for index in sorted({0, 1, size // 3, size // 2, size - 2, size - 1} & set(range(size))):
            asked = {
                "Body": BODIES[index],
                "Index": index,
                "Size": size,
                "Root": LEAVES.root(size),
                "Proof": LEAVES.inclusion(index, size),
            }
            assert ask("record", **asked) == "", (index, size)
            assert ask("record", **asked | {"Body": "another"}) != ""
            assert ask("record", **asked | {"Root": OTHER}) != ""
            assert ask("record", **asked | {"Proof": [*asked["Proof"], OTHER]}) != ""
            if size > 1:
                assert ask("record", **asked | {"Index": (index + 1) % size}) != ""
                assert ask("record", **asked | {"Proof": asked["Proof"][1:]}) != ""


def test_go_accepts_every_proof_that_a_tree_has_only_grown(ask: Callable[..., str]):
    for size in SIZES:
        for old in sorted({1, 2, size // 2, size - 1, size} & set(range(1, size + 1))):
            asked = {
                "Old": old,
                "OldRoot": LEAVES.root(old),
                "Size": size,
                "Root": LEAVES.root(size),
                "Proof": LEAVES.consistency(old, size),
            }
            assert ask("tree", **asked) == "", (old, size)
            assert ask("tree", **asked | {"OldRoot": OTHER}) != ""
            assert ask("tree", **asked | {"Root": OTHER}) != ""
            assert ask("tree", **asked | {"Proof": [*asked["Proof"], OTHER]}) != ""
            if old < size:
                assert ask("tree", **asked | {"Proof": asked["Proof"][1:]}) != ""


def note(size: int, key: object = KEY, origin: str = f"{ORIGIN}/1") -> str:
    root = LEAVES.root(size)
    return checkpoint.sign(key, origin=origin, size=size, root=root).note  # type: ignore[arg-type]


def test_go_accepts_our_checkpoints_and_refuses_wrong_ones(ask: Callable[..., str]):
    for size in SIZES:
        assert ask("note", Note=note(size), Vkey=VKEY) == "", size
    assert ask("note", Note=note(7).replace("\n7\n", "\n8\n"), Vkey=VKEY) != ""
    assert ask("note", Note=note(7, OTHER_KEY), Vkey=VKEY) != ""
    assert ask("note", Note=note(7, origin="demo/9999994/1"), Vkey=VKEY) != ""
    moved = note(7).replace(f"{ORIGIN}/1", f"{ORIGIN}/2")
    assert ask("note", Note=moved, Vkey=VKEY) != "", "a signature of one segment under another"


def test_go_accepts_cosignatures_and_refuses_wrong_ones(ask: Callable[..., str]):
    text = note(7)
    cosigned = text + SHORE.line(text, time_s=MORNING_S) + MATE.line(text, time_s=MORNING_S + 1)
    assert ask("note", Note=cosigned, Vkey=VKEY, Witnesses=[SHORE.vkey, MATE.vkey]) == ""
    assert ask("note", Note=cosigned, Vkey=VKEY, Witnesses=[SHORE.vkey]) == ""
    assert ask("note", Note=cosigned, Vkey=VKEY) == "", "a witness that nobody knows is passed over"
    wrong = text + SHORE.line(note(8), time_s=MORNING_S)
    assert ask("note", Note=wrong, Vkey=VKEY, Witnesses=[SHORE.vkey]) != ""
    assert ask("note", Note=text, Vkey=VKEY, Witnesses=[SHORE.vkey]) == "1 of 2 have signed"
    imposter = Witness(SHORE.name, MATE.seed)
    false = text + imposter.line(text, time_s=MORNING_S)
    assert ask("note", Note=false, Vkey=VKEY, Witnesses=[SHORE.vkey]) == "1 of 2 have signed"


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    """A segment of 2100 entries, more than two blocks of leaves, cosigned at its end."""
    folder = tmp_path / "record"
    heads: list[checkpoint.Checkpoint] = []

    async def sail() -> None:
        ship = record(folder, ManualClock())
        ship.on_seal(heads.append)
        await ship.start()
        await asyncio.gather(*(ship.submit(alert("d1", number=n)) for n in range(2099)))
        await ship.stop()

    asyncio.run(sail())
    path = folder / "segment-0001.db"
    cosign(path, heads[-1])
    return path


def cosign(path: Path, head: checkpoint.Checkpoint) -> None:
    from daemon.record.trust import Identity

    opened = Segment.open(path, Identity(ORIGIN, KEY, "26.1", "c0" * 32), FixedEntropy())
    assert opened is not None
    opened.cosigned(head.size, SHORE.name, SHORE.line(head.note, time_s=MORNING_S))
    opened.close(finish=True)


def test_go_accepts_an_excerpt_from_its_bytes_alone(
    ask: Callable[..., str], segment: Path, tmp_path: Path
):
    path = tmp_path / "excerpt.jsonl"
    wanted = [2, 3, 700, 1024, 1025, 2048, 2049, 2099, 2100]
    content = b"".join(export.lines(segment, profile=Profile.EXCERPT, entries=wanted))
    path.write_bytes(content)
    asked = {"Path": str(path), "Vkey": VKEY, "Witnesses": [SHORE.vkey]}
    assert ask("excerpt", **asked) == ""
    assert content.count(b"\n") == len(wanted) + 3, "with header, first entry and checkpoint"
    path.write_bytes(content.replace(b'"number":1023', b'"number":1024', 1))
    assert path.read_bytes() != content
    assert ask("excerpt", **asked) != ""
    path.write_bytes(b"".join(content.splitlines(keepends=True)[:-1]))
    assert ask("excerpt", **asked) != ""


def test_go_follows_the_growth_of_a_real_segment(ask: Callable[..., str], segment: Path):
    exported = [json.loads(line) for line in export.lines(segment, profile=Profile.REDACTED)]
    bodies = [
        json.dumps(line["entry"], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        for line in exported
        if "entry" in line
    ]
    notes = [line["checkpoint"] for line in exported if "checkpoint" in line]
    assert len(notes) > 1
    leaves = Leaves()
    for body in bodies:
        leaves.add(leaf_hash(body.encode()))
    heads = []
    for each in notes:
        assert ask("note", Note=each, Vkey=VKEY) == ""
        heads.append((int(each.splitlines()[1]), base64.b64decode(each.splitlines()[2])))
    for (old, before), (size, root) in pairwise(heads):
        proof = leaves.consistency(old, size)
        grown = {"Old": old, "OldRoot": before, "Size": size, "Root": root, "Proof": proof}
        assert ask("tree", **grown) == ""
