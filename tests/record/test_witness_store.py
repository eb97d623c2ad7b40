"""A witness outlives any crash: the head is on disk before the cosignature leaves, and it never signs two histories."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from daemon.errors import RecordError, RefusedError
from daemon.record import cosignature, witness_store
from daemon.record.checkpoint import verifier_key
from daemon.record.witness import Status
from daemon.record.witness_store import Store, conflicting
from tests.record.heads import FALSE, LOG, NOON, TRUE, asked, head
from tests.record.ship import ORIGIN, OTHER_KEY, VKEY

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.record.cosignature import Request

NAME = "wheelhouse-2.example"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "witness")
    made.init(NAME)
    made.trust(VKEY)
    return made


def say(store: Store, request: Request) -> witness_store.Answer:
    return store.answer(request.encode(), utc=NOON)


def known(store: Store) -> dict[str, int]:
    return {origin: each.size for origin, each in store.heads().items()}


def test_a_new_witness_has_a_key_that_nobody_else_reads(store: Store):
    assert stat.S_IMODE((store.folder / "witness.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert store.name().line() == (store.folder / "witness.pub").read_text().strip()
    with pytest.raises(RecordError, match="already"):
        store.init("another")


@pytest.mark.parametrize("name", ["", "with space", "plus+", "ü", "x" * 101, "line\nfeed"])
def test_a_name_that_cannot_stand_in_a_signature_line_is_refused(tmp_path: Path, name: str):
    with pytest.raises(RecordError, match="no witness's name"):
        Store(tmp_path / "w").init(name)
    assert not (tmp_path / "w").exists()


def test_what_it_signs_verifies_and_is_known_afterwards(store: Store):
    answer = say(store, asked(0, 5))
    assert answer.status == Status.SIGNED
    line, at = cosignature.own_line(
        answer.body, store.name(), text=cosignature.body_of(head(5).note)
    )
    assert at == int(NOON.timestamp())
    assert Store(store.folder).heads()[LOG].note == head(5).note + line
    assert say(store, asked(0, 8)).body == "5\n"
    assert say(store, asked(0, 8)).content_type == "text/x.tlog.size"
    assert say(store, asked(5, 8)).status == Status.SIGNED
    assert known(store) == {LOG: 8}


def test_two_histories_are_kept_as_proof_that_anybody_can_check(store: Store):
    say(store, asked(0, 5))
    answer = say(store, asked(5, 5, FALSE))
    assert (answer.status, answer.body) == (Status.CONFLICT, "5\n")
    [kept] = store.refused()
    assert conflicting([kept])
    assert kept["at"] == "2026-11-22T12:00:00Z"
    assert kept["refused"] == head(5, FALSE).note
    assert kept["known"].startswith(head(5).note)
    assert known(store) == {LOG: 5}
    say(store, asked(5, 5, FALSE))
    assert len(store.refused()) == 1


def test_growth_that_is_not_proven_is_kept_but_called_no_proof(store: Store):
    say(store, asked(0, 5))
    assert say(store, asked(5, 9, FALSE)).status == Status.NOT_GROWN
    [kept] = store.refused()
    assert kept["ground"] == "growth not proven"
    assert not conflicting([kept])
    assert say(store, asked(5, 9)).status == Status.SIGNED


def test_a_flood_of_refused_heads_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(witness_store, "MOST_REFUSED", 3)
    say(store, asked(0, 5))
    for size in range(6, 12):
        say(store, asked(5, size, FALSE))
    say(store, asked(5, 5, FALSE))
    assert [each["ground"] for each in store.refused()].count("growth not proven") == 3
    assert conflicting(store.refused())


def test_a_stranger_leaves_no_trace(store: Store):
    for request in (asked(0, 5, key=OTHER_KEY), asked(0, 5, origin="demo/1234567/1")):
        assert say(store, request).status in {403, 404}
    assert store.answer(b"\xff" * 100, utc=NOON).status == 400
    assert not store.refused()
    assert not known(store)


def test_another_key_of_a_ship_wants_the_word_of_a_person(store: Store):
    other = verifier_key(ORIGIN, OTHER_KEY.public_key())
    with pytest.raises(RefusedError, match="--new-key"):
        store.trust(other)
    store.trust(VKEY)
    assert [key.line() for key in store.trusted()] == [VKEY]
    store.trust(other, new_key=True)
    assert [key.line() for key in store.trusted()] == [VKEY, other]


def test_another_user_leaves_no_file_that_the_witness_cannot_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    other = verifier_key(ORIGIN, OTHER_KEY.public_key())
    with pytest.raises(RecordError, match="run this as that user"):
        store.trust(other, new_key=True)
    with pytest.raises(RecordError, match="run this as that user"):
        say(store, asked(0, 5))


@pytest.mark.parametrize("name", ["demo/9999993/1", "shore", "ispsd/99999930"])
def test_only_a_ship_is_trusted(store: Store, name: str):
    with pytest.raises(RecordError, match="is no ship"):
        store.trust(verifier_key(name, OTHER_KEY.public_key()))


def test_a_damaged_head_is_never_forgotten(store: Store):
    say(store, asked(0, 5))
    path = store.folder / "heads" / "demo_9999993_1.note"
    whole = path.read_text()
    for damaged in (whole[:-60].replace("\n5\n", "\n4\n"), "", "x" * 70_000):
        path.write_text(damaged)
        with pytest.raises(RecordError):
            say(store, asked(0, 5, FALSE))
    path.write_text(whole)
    assert say(store, asked(0, 5, FALSE)).status == Status.CONFLICT


def test_a_key_that_is_another_than_its_public_one_signs_nothing(store: Store, tmp_path: Path):
    other = Store(tmp_path / "other")
    other.init(NAME)
    (other.folder / "witness.key").replace(store.folder / "witness.key")
    with pytest.raises(RecordError, match="belong together"):
        say(store, asked(0, 5))
    assert not known(store)


def test_without_a_disk_nothing_is_signed(store: Store, monkeypatch: pytest.MonkeyPatch):
    say(store, asked(0, 5))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(RecordError, match="No space left"):
            say(store, asked(5, 8))
    assert known(store) == {LOG: 5}
    assert say(store, asked(5, 8)).status == Status.SIGNED


DEATHS = """
import fcntl, os, signal, sys
from pathlib import Path
from daemon.record.witness_store import Store
from tests.record.heads import NOON, FALSE, TRUE, asked
from tests.record.ship import VKEY

folder, history, size = Path(sys.argv[1]), {"true": TRUE, "false": FALSE}[sys.argv[2]], int(sys.argv[3])

def die_before_step(last):
    steps = 0
    def counting(act):
        def counted(*arguments, **options):
            nonlocal steps
            steps += 1
            if steps == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*arguments, **options)
        return counted
    for place, name in ((os, "open"), (os, "fdopen"), (os, "fsync"), (os, "replace"), (os, "close"), (fcntl, "flock")):
        setattr(place, name, counting(getattr(place, name)))
    return counting(lambda: None)

step, killed = 0, True
while killed:
    step += 1
    store = Store(folder / f"w{step}")
    store.init("wheelhouse-2.example")
    store.trust(VKEY)
    store.answer(asked(0, 5).encode(), utc=NOON)
    ends, writes = os.pipe()
    child = os.fork()
    if not child:
        at_the_end = die_before_step(step)
        answer = store.answer(asked(5, size, history).encode(), utc=NOON)
        os.write(writes, str(int(answer.status)).encode())
        at_the_end()
        os._exit(0)
    os.close(writes)
    said = os.read(ends, 100).decode()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    assert killed or status == 0
    print(step, said or "-", flush=True)
"""


def deaths(folder: Path, history: str, size: int) -> list[tuple[Store, str]]:
    """Have a witness killed before each step that touches the disk; return each one's folder, and what it said."""
    command = [sys.executable, "-c", DEATHS, str(folder), history, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) > 10
    return [(Store(folder / f"w{step}"), said) for step, said in lines]


def test_peers_24_a_crash_between_check_and_store_skips_nothing_and_signs_one_history(
    tmp_path: Path,
):
    """Killed before each step that touches the disk: rekor-monitor issue 740, peers.md 8, item 24."""
    sizes, words = set(), set()
    for store, said in deaths(tmp_path, "true", 8):
        size = known(store)[LOG]
        sizes.add(size)
        words.add(said)
        if said != "-":
            assert (said, size) == ("200", 8)  # what was signed is known
        # The other history finds no way in, from wherever the witness now stands.
        for other in range(size, 12):
            assert say(store, asked(size, other, FALSE)).status != Status.SIGNED
        # Nothing was skipped: the ship goes on from what the witness says that it knows.
        assert say(store, asked(0, 9)).body == f"{size}\n"
        assert say(store, asked(size, 9, TRUE)).status == Status.SIGNED
        assert known(store) == {LOG: 9}
    assert (sizes, words) == ({5, 8}, {"-", "200"})


def test_a_refusal_is_on_disk_before_it_is_told(tmp_path: Path):
    words = set()
    for store, said in deaths(tmp_path, "false", 5):
        words.add(said)
        if said != "-":
            assert conflicting(store.refused())
        say(store, asked(5, 5, FALSE))
        assert conflicting(store.refused())
        assert known(store) == {LOG: 5}
    assert words == {"-", "409"}


def test_the_proof_file_is_whole_json_without_a_secret(store: Store):
    say(store, asked(0, 5))
    say(store, asked(5, 5, FALSE))
    [path] = (store.folder / "refused").iterdir()
    assert path.name == "two_heads-demo_9999993_1-5-" + path.name[-21:]
    assert set(json.loads(path.read_text())) == {
        "at",
        "ground",
        "reason",
        "known",
        "refused",
        "request",
    }
