"""Exports on a whole ship, in a wheel, and on a terminal."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import daemon
from daemon.model import Classification
from daemon.papers import books, desk, logtable, making, source
from daemon.papers.layout import plain
from daemon.papers.view import View
from daemon.record import keys
from tests.papers.rig import KEY, MASTER, MATE, NOVEMBER, at, exported, result, text_of, written
from tests.ship import sailing

CHECKOUT = Path(daemon.__file__).resolve().parent.parent
BEGIN = {
    "do": "export.begin",
    "what": "test-log",
    "format": "pdf",
    "from": "2026-11-01T00:00Z",
    "to": "2026-12-01T00:00Z",
    "to_whom": "company",
    "by": MATE,
}


async def test_a_running_ship_lends_a_snapshot_and_writes_both_entries(tmp_path):
    async with sailing(tmp_path) as ship:
        lent = await ship.control(BEGIN)
        folder = Path(lent["folder"])
        assert folder.parent == ship.daemon.config.record.directory.parent / desk.FOLDER
        done = {
            "do": "export.done",
            "id": lent["id"],
            "sha256": "00" * 32,
            "bytes": 1,
            "pages": 1,
            "verdict": "PASS",
        }
        answer = await ship.control(done)
        assert not folder.exists()
        rows = [
            json.loads(body)
            for body in (await ship.control({"do": "log", "count": 100}))["entries"]
        ]
        by_seq = {row["seq"]: row for row in rows}
        begun = by_seq[lent["recorded"]]
        beside = await ship.daemon.record.part(begun["seq"], Classification.SSO)
        assert beside["particulars"]["ship"] == ship.daemon.config.ship.name
        assert dict(beside["particulars"]["ranks"])[MATE]
        assert by_seq[answer["recorded"]]["open"]["export"] == begun["seq"]
        assert not [topic for topic in ship.newest if "export" in topic], (
            "nobody on the watch is told"
        )


async def test_what_people_enter_amend_review_and_verify_stands_on_paper(tmp_path):
    async with sailing(tmp_path) as ship:
        drill = {
            "scenario": "bomb threat in the mess",
            "began": "2026-11-20T01:00Z",
            "ended": "2026-11-20T02:00Z",
            "crew_took_part": "20",
            "crew": "22",
            "crew_changed_by_more_than_a_quarter": "no",
            "led_by": MATE,
            "rank": "C/O",
            "lessons": "call card moved",
        }
        entered = await ship.control({"do": "enter", "form": "drill", "by": MATE, "fields": drill})
        wrong = {"do": "amend", "seq": entered["recorded"], "by": MATE, "reason": "miscounted"}
        amended = await ship.control(
            {**wrong, "fields": {"scenario": "stowaway search", "lessons": "none"}}
        )
        await ship.control({"do": "review", "up_to": entered["recorded"], "by": MATE})
        await ship.control({"do": "countersign", "up_to": entered["recorded"], "by": MASTER})
        lent = await ship.control(BEGIN)
        read = source.read(Path(lent["folder"]), NOVEMBER)
        await ship.control({"do": "export.failed", "id": lent["id"], "reason": "only looked at"})
    around = making.around(read, View.FULL)
    [row] = books.drills(around).rows
    new = f"(no. {amended['recorded']})"
    assert plain(row[0]) == f"{entered['recorded']} LATE amended, no. {amended['recorded']}"
    assert plain(row[4]) == f"[was: bomb threat in the mess]  stowaway search {new}"
    assert plain(row[-1]) == f"[was: call card moved]  none {new}"
    words = logtable.reviewed_by(read)
    assert words.startswith(f"reviewed to no. {entered['recorded']} (")
    assert words.endswith("Menon), verified (Lindqvist)")


def test_in_a_wheel_the_template_is_found_and_sets_a_paper(tmp_path):
    """As an installed wheel lies on disk: the package with ``_config`` inside, no ``config`` beside it."""
    shutil.copytree(
        CHECKOUT / "daemon",
        tmp_path / "daemon",
        ignore=shutil.ignore_patterns("__pycache__", "_config"),
    )
    shutil.copytree(CHECKOUT / "config", tmp_path / "daemon" / "_config")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from daemon.papers import layout, pdf\n"
        "import daemon\n"
        f"assert daemon.__file__.startswith({str(tmp_path)!r})\n"
        "paper = layout.Paper(ship='S', imo='1', title='T', period='P', date=(2026, 1, 1, 0, 0, 0), is_demo=True,"
        " checkpoint='x', sheets=(layout.Sheet((layout.Words('WORDS OF A WHEEL'),)),))\n"
        "content, pages = pdf.rendered(paper)\n"
        "sys.stdout.buffer.write(content)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=tmp_path, env={}
    )
    assert "WORDS OF A WHEEL" in text_of(done.stdout)


def test_progress_is_shown_on_a_terminal_and_taken_away(tmp_path):
    written(tmp_path / "record", [result("t-door", at(5), person=MATE), exported(at(6))])
    keys.write_public(tmp_path / "key.pub", name="demo/9999993", key=KEY.public_key())
    ours, theirs = pty.openpty()
    words = ["--record", tmp_path / "record", "--key", tmp_path / "key.pub", "--by", MATE, "--to-whom", "me",
             "--out", tmp_path / "log.pdf", "--to", "2026-11-30"]  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "daemon", "export", "test-log", *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    ) as process:
        os.close(theirs)
        shown = _all_of(ours)
        assert process.wait() == 0
    os.close(ours)
    for phase in (
        b"reading the record: 3 entries",
        b"verifying 3 entries",
        b"setting pages",
        b"writing",
    ):
        assert b"\r" + phase in shown
    assert shown.endswith(b"\r")
    assert b"\n" not in shown


def _all_of(terminal: int) -> bytes:
    """Return what is shown until the other end is closed."""
    shown = b""
    try:
        while piece := os.read(terminal, 65536):
            shown += piece
    except OSError:  # Linux says EIO, not the end of the file
        pass
    return shown
