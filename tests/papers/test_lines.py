"""JSON lines for each reader: what PSC gets verifies, and holds nothing of class sso; one test comes with its proof."""

from __future__ import annotations

import asyncio
import json

import pytest

from daemon.errors import IspsdError
from daemon.papers import lines, making, outcome, release
from daemon.record import keys
from tests.papers.rig import (
    CHECKED,
    KEY,
    MATE,
    NOVEMBER,
    VKEY,
    at,
    exported,
    made,
    result,
)
from tests.papers.test_view import MARK, full_of_secrets, secret
from tests.processes.rig import verified

WATCH_MAY_READ = {
    secret(word)
    for word in (
        *(
            "PARA",
            "STORENAME",
            "WEAKCONTACT",
            "PARAGRAPH",
            "REMARK",
            "LOCKER",
            "ITEM",
            "ITEMWHY",
            "CUSTOM",
            "NOTDONEWHY",
        ),
        *(
            "NAME2",
            "AISNAME",
            "DAYREASON",
            "SEALNAME",
            "MISSEDWHY",
            "P",
            "HOLD",
            "LEDBY",
            "UNKNOWNKIND",
            "OTHER",
        ),
        *(
            "STSPLACE",
            "STSWHAT",
            "AMENDWHY",
            "OLD",
            "NEW",
            "AMENDWHY2",
            "OLDSCENE",
            "NEWSCENE",
            "SCORE",
            "TOPIC",
        ),
    )
}
"""What stands in entries of class watch: every watch station has read it, and nothing of it can be withheld."""


def written(folder, profile, *, seq=None):
    [segment] = lines.segments(folder, seq)
    return b"".join(lines.of(segment, profile, seq=seq, progress=lambda *_: None))


def marked(content):
    text = content.decode().upper()
    found = set()
    for place in range(len(text)):
        if text.startswith(MARK, place):
            end = place
            while text[end].isalnum():
                end += 1
            found.add(text[place:end])
    return found


async def judged(tmp_path, content, note):
    path = tmp_path / "out.jsonl"
    path.write_bytes(content)
    public = tmp_path / "key.pub"
    keys.write_public(public, name="demo/9999993", key=KEY.public_key())
    return await verified(path, public, note)


@pytest.fixture
def month(tmp_path):
    return made(tmp_path, full_of_secrets())


async def test_what_psc_gets_verifies_and_holds_nothing_that_only_the_sso_may_read(month, tmp_path):
    read, _ = month
    content = written(read.folder, "psc")
    assert marked(content) <= {each.upper() for each in WATCH_MAY_READ}
    assert b"ssas" not in content.lower()
    rows = [json.loads(line) for line in content.splitlines()]
    held_back = {row["withheld"]["seq"] for row in rows if "withheld" in row}
    private = {
        each.seq
        for each in read.source.of(
            "defect.opened", "defect.told", "notice.given", "record.exported"
        )
    }
    assert private <= held_back
    code, words = await judged(tmp_path, content, read.proof.head.note)
    assert code == 0, words


async def test_what_the_ship_keeps_for_herself_holds_all_of_it(month):
    read, _ = month
    full = marked(written(read.folder, "full"))
    assert {secret("PLACE"), secret("BUTTONPLACE"), secret("FOUND"), secret("OOSEND")} <= full
    assert len(full) > len(WATCH_MAY_READ)


def test_one_test_comes_alone_with_its_proof(tmp_path):
    read, seqs = made(tmp_path, [result("t-a", at(2)), result("t-b", at(3)), exported(at(29))])
    content = written(read.folder, release.profile("test"), seq=seqs[1])
    rows = [json.loads(line) for line in content.splitlines()]
    assert [row["entry"]["seq"] for row in rows if "entry" in row] == [1, seqs[1]]
    code, words = asyncio.run(judged(tmp_path, content, read.proof.head.note))
    assert code == 0, words
    assert b'"t-a"' not in content


def test_the_week_for_the_company_is_no_larger_than_it_may_be(tmp_path, monkeypatch):
    read, [seq] = made(tmp_path, [exported(at(29), what="digest", digest={"v": 1})])
    asked = making.Asked("digest", release.Release("CSO", MATE, None, seq))
    place = {"folder": read.folder, "keys": [VKEY], "anchors": [], "profile": "excerpt"}
    quiet = {"now": CHECKED, "say": lambda _: None}
    out = tmp_path / "week.jsonl"
    paper = outcome.made(asked, "jsonl", NOVEMBER, **place, **quiet)
    [file] = outcome.write(paper, out, say=quiet["say"])
    out.unlink()
    monkeypatch.setattr(release, "MOST_DIGEST_BYTES", file.size)
    outcome.write(outcome.made(asked, "jsonl", NOVEMBER, **place, **quiet), out, say=quiet["say"])
    out.unlink()
    monkeypatch.setattr(release, "MOST_DIGEST_BYTES", file.size - 1)
    paper = outcome.made(asked, "jsonl", NOVEMBER, **place, **quiet)
    with pytest.raises(IspsdError, match=f"more than {file.size - 1} bytes"):
        outcome.write(paper, out, say=quiet["say"])
    assert not [each for each in tmp_path.iterdir() if "week" in each.name]
