"""The command, as a process of its own against a real control socket, and without a daemon."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import sys
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from daemon.control.control import ControlServer, answers
from daemon.record import keys
from tests.papers.rig import (
    KEY,
    MASTER,
    MATE,
    at,
    exported,
    flat,
    result,
    text_of,
    writing,
    written,
)
from tests.papers.test_aboard import HAND_OVER, SECOND
from tests.papers.test_desk import rig
from tests.processes.rig import verified

PATIENCE_S = 60


async def export(*words, expect=0, cwd=None):
    """Run it; return what it said on both outlets."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", "export", *map(str, words)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        cwd=cwd,
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    assert process.returncode == expect, (out, err)
    return out.decode(), err.decode()


@asynccontextmanager
async def listening(folder):
    """Give a desk that answers on a socket, with a record that has a test in it."""
    async with rig(folder, announces=True) as ship:
        keys.write_public(folder / "record-key.pub", name="demo/9999993", key=KEY.public_key())
        moment = ship.clock.utc()
        await ship.record.submit(
            result("t-door", moment, reason="open 0.4 s, closed 0.3 s", person=MATE).draft
        )
        ship.held = (await ship.record.seal()).note

        async def handle(request):
            return await ship.ask(request)

        socket = folder / "s"
        task = asyncio.ensure_future(ControlServer(socket, handle).run())
        async with asyncio.timeout(PATIENCE_S):
            while not await answers(socket):  # noqa: ASYNC110
                await asyncio.sleep(0)
        try:
            yield ship, socket
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def common(socket, out):
    return [
        "--socket",
        socket,
        "--by",
        MATE,
        "--to-whom",
        "J. Doe",
        "--out",
        out,
        "--from",
        "2026-11-01",
        "--to",
        "2026-11-30",
    ]


async def test_a_paper_is_written_whole_private_and_recorded_with_its_hash(tmp_path):
    async with listening(tmp_path) as (ship, socket):
        out = tmp_path / "log.pdf"
        words, complaints = await export("test-log", *common(socket, out))
        written_, begun = await ship.newest(2)
        assert (begun.type, written_.type) == ("record.exported", "export.written")
        content = out.read_bytes()
        assert written_.open["sha256"] == sha256(content).hexdigest()
        assert (written_.open["bytes"], written_.open["pages"]) == (len(content), 1)
        assert written_.open["verdict"] == "PASS"
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        assert f"Entries 1–{begun.seq} of this record verified unaltered" in words
        assert complaints == "", "quiet where nobody watches"
        assert ship.left() == []
        assert sorted(each.name for each in tmp_path.iterdir() if "log" in each.name) == ["log.pdf"]
        shown = flat(text_of(content))
        assert flat("open 0.4 s, closed 0.3 s") in shown
        assert flat(f"Released to J. Doe by C/O {MATE} · entry no. {begun.seq}") in shown


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_other_formats_come_the_same_way(tmp_path, form):
    async with listening(tmp_path) as (ship, socket):
        out = tmp_path / f"log.{form}"
        await export("test-log", *common(socket, out), "--format", form)
        [entry] = await ship.newest()
        content = out.read_bytes()
        assert entry.open["sha256"] == sha256(content).hexdigest()
        if form == "csv":
            assert content.startswith(b"no,category,")
            assert content.count(b"\r\n") == 2
        else:
            first = json.loads(content.splitlines()[0])
            assert first["format"] == "ispsd-record-export"


async def test_lines_of_several_segments_are_a_file_each_and_verify(tmp_path):
    async with listening(tmp_path) as (ship, socket):
        await ship.record.rotate("a test")
        ship.held = (await ship.record.seal()).note
        out = tmp_path / "log.jsonl"
        words, _ = await export("test-log", *common(socket, out), "--format", "jsonl")
        files = [tmp_path / "log-0001.jsonl", tmp_path / "log-0002.jsonl"]
        assert not out.exists()
        assert all(str(each) in words for each in files)
        assert [f"ispsd verify {each} --key" in words for each in files] == [True, True]
        [entry] = await ship.newest()
        assert (
            entry.open["sha256"]
            == sha256(b"".join(each.read_bytes() for each in files)).hexdigest()
        )
        code, said = await verified(files[1], tmp_path / "record-key.pub", ship.held)
        assert code == 0, said


async def test_a_paper_that_cannot_be_written_is_an_entry_and_leaves_the_old_file(tmp_path):
    async with listening(tmp_path) as (ship, socket):
        out = tmp_path / "nowhere" / "log.pdf"
        _, complaint = await export("test-log", *common(socket, out), expect=1)
        assert "cannot be written: No such file or directory" in complaint
        [failed] = await ship.newest()
        assert failed.type == "export.failed"
        assert "cannot be written" in failed.open["reason"]
        assert ship.left() == []


async def test_a_refusal_of_the_daemon_is_told_and_nothing_is_written(tmp_path):
    async with listening(tmp_path) as (_, socket):
        out = tmp_path / "pack.pdf"
        _, complaint = await export("psc", *common(socket, out), expect=1)
        assert "Master's consent only" in complaint
        assert not out.exists()
        await export("psc", *common(socket, out), "--consent", MASTER)
        assert out.exists()


async def test_a_test_that_is_not_there_is_said_and_recorded(tmp_path):
    async with listening(tmp_path) as (ship, socket):
        _, complaint = await export("test", "9999", *common(socket, tmp_path / "t.pdf"), expect=1)
        assert "entry 9999 is no test" in complaint
        [failed] = await ship.newest()
        assert failed.type == "export.failed"


async def test_an_export_that_is_interrupted_is_told_to_the_daemon(tmp_path):
    """A pipe for a file keeps the command waiting for a reader: then it is told to stop."""
    async with listening(tmp_path) as (ship, socket):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "daemon", "export", "test-log"),
            *map(str, common(socket, tmp_path / "x.pdf")),
            *("--anchor", str(_pipe(tmp_path))),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            # Whoever runs the tests in the background has it ignored, and so would the command.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        async with asyncio.timeout(PATIENCE_S):
            while (held := _opened(tmp_path / "anchor")) is None:  # noqa: ASYNC110
                await asyncio.sleep(0)
            process.send_signal(signal.SIGINT)
            # A signal that comes just before the read is seen when the read ends.
            os.close(held)
            assert await process.wait() == 1
        failed = await ship.until("export.failed")
        assert "KeyboardInterrupt" in failed.open["reason"]
        assert ship.left() == []


def _opened(pipe):
    """Return a writer of the pipe as soon as somebody reads from it."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def _pipe(folder):
    path = folder / "anchor"
    os.mkfifo(path)
    return path


# ---------------------------------------------------------------- without a daemon


def offline(folder, out):
    public = folder / "key.pub"
    keys.write_public(public, name="demo/9999993", key=KEY.public_key())
    return ["--record", folder / "record", "--key", public, "--by", MATE, "--to-whom", "J. Doe", "--out", out,
            "--from", "2026-11-01", "--to", "2026-11-30"]  # fmt: skip


def record(folder):
    note, seqs = written(folder / "record", [result("t-door", at(5), person=MATE), exported(at(6))])
    (folder / "note").write_text(note, "utf-8")
    return seqs


def test_offline_the_paper_says_that_it_is_no_entry(tmp_path):
    seqs = record(tmp_path)
    before = sorted((tmp_path / "record").iterdir())
    out = tmp_path / "one.pdf"
    words, _ = asyncio.run(
        export("test", seqs[0], *offline(tmp_path, out), "--anchor", tmp_path / "note")
    )
    assert "Made offline" in words
    shown = flat(text_of(out.read_bytes()))
    assert (
        flat("Made offline from the record's files: this release is not an entry in it.") in shown
    )
    assert flat("Verified PASS") in shown
    assert sorted((tmp_path / "record").iterdir()) == before


def test_offline_without_an_anchor_the_paper_says_what_is_not_proven(tmp_path):
    record(tmp_path)
    out = tmp_path / "log.pdf"
    words, _ = asyncio.run(export("test-log", *offline(tmp_path, out)))
    assert "could NOT be verified" in words
    assert flat("NOT VERIFIED (INCONCLUSIVE)") in flat(text_of(out.read_bytes()))


async def test_a_record_that_a_daemon_writes_is_not_touched_offline(tmp_path):
    async with writing(tmp_path / "record", [result("t-a", at(2))]):
        _, complaint = await export("test-log", *offline(tmp_path, tmp_path / "log.pdf"), expect=1)
    assert "ispsd is writing this record" in complaint
    assert not (tmp_path / "log.pdf").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["test"], "wants the number of its entry"),
        (["psc", "7"], "wants the number of its entry"),
        (["gnss", "--format", "csv"], "is a form"),
        (["psc"], "Master's consent only"),
        (
            ["drills", "--from", "2026-12-01"],
            "would begin 1 Dec 2026 0000Z and end 1 Dec 2026 0000Z: --from must be earlier than --to",
        ),
    ],
)
def test_what_makes_no_sense_is_said(tmp_path, words, complaint):
    record(tmp_path)
    ending = [
        each
        for each in offline(tmp_path, tmp_path / "x")
        if "--from" not in words or each not in {"--from", "2026-11-01"}
    ]
    _, said = asyncio.run(export(*words, *ending, expect=1))
    assert complaint in said


@pytest.mark.parametrize("day", ["2026-13-01", "yesterday", "9999-12-31", "0001-01-01"])
def test_a_day_that_is_none_is_refused_in_words(tmp_path, day):
    words = [each for each in offline(tmp_path, tmp_path / "x") if each != "2026-11-30"]
    words.insert(words.index("--to") + 1, day)
    _, said = asyncio.run(export("drills", *words, expect=2))
    assert f"'{day}' is no day such as 2026-11-22" in said
    assert "_moment" not in said


@pytest.mark.parametrize(
    ("form", "there"), [("pdf", "log.pdf"), ("jsonl", "log.pdf"), ("jsonl", "log-0002.pdf")]
)
def test_an_earlier_paper_is_written_over_only_when_that_is_said(tmp_path, form, there):
    record(tmp_path)
    (tmp_path / there).write_text("released in October", "utf-8")
    words = ["test-log", *offline(tmp_path, tmp_path / "log.pdf"), "--format", form]
    _, complaint = asyncio.run(export(*words, expect=1))
    assert f"{there} is there already: choose another name, or say --replace" in complaint
    assert (tmp_path / there).read_text("utf-8") == "released in October"
    said, _ = asyncio.run(export(*words, "--replace"))
    assert "1 pages" not in said
    assert (tmp_path / "log.pdf").read_bytes() != b"released in October"


async def test_who_is_refused_for_an_earlier_paper_leaves_no_entry(tmp_path):
    async with listening(tmp_path) as (ship, socket):
        before = await ship.newest()
        (tmp_path / "log.pdf").touch()
        await export("test-log", *common(socket, tmp_path / "log.pdf"), expect=1)
        assert await ship.newest() == before


def test_a_number_that_is_no_test_is_refused_with_the_days_that_were_looked_at(tmp_path):
    record(tmp_path)
    _, said = asyncio.run(export("test", "9", *offline(tmp_path, tmp_path / "t.pdf"), expect=1))
    assert "from 30 Nov 2025 to 30 Nov 2026 there is none of that number" in said


def test_offline_only_who_is_sso_or_master_by_the_record_releases(tmp_path):
    handed_over(tmp_path)
    out = tmp_path / "pack.pdf"
    words = ["psc", *offline(tmp_path, out), "--consent", MASTER]
    _, said = asyncio.run(export(*words, expect=1))
    assert f"{MATE} is neither SSO nor Master as this record ends" in said
    assert not out.exists()
    words[words.index(MATE)] = SECOND
    asyncio.run(export(*words))
    shown = flat(text_of(out.read_bytes(), layout=True))
    assert flat(f"Ship security officer 2/O {SECOND} since 20 Nov 2026 0800Z (entry no.") in shown
    assert (
        flat(f"by 2/O {SECOND} · consent of the Master {MASTER}, as stated by 2/O {SECOND}")
        in shown
    )


@pytest.mark.parametrize(
    ("by", "consent", "complaint"),
    [
        (SECOND, None, "Master's consent only"),
        (SECOND, MATE, f"{MATE} is not the Master"),
        ("Nobody", MASTER, "neither SSO nor Master"),
        (MASTER, None, None),
    ],
)
def test_offline_the_consent_is_that_of_the_master_by_the_record(tmp_path, by, consent, complaint):
    handed_over(tmp_path)
    words = [
        "psc",
        *offline(tmp_path, tmp_path / "x.pdf"),
        *(("--consent", consent) if consent else ()),
    ]
    words[words.index(MATE)] = by
    _, said = asyncio.run(export(*words, expect=1 if complaint else 0))
    if complaint:
        assert complaint in said
    else:
        shown = flat(text_of((tmp_path / "x.pdf").read_bytes()))
        assert flat(f"consent of the Master {MASTER}") in shown
        assert "asstatedby" not in shown


def handed_over(folder):
    """A ship whose mate was SSO until the 20th, and is still in the particulars of the last export."""
    note, _ = written(folder / "record", [exported(at(6)), *HAND_OVER])
    (folder / "note").write_text(note, "utf-8")
