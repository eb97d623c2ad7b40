"""A file comes in whole, of a kind that can be read again, within its quota, and goes out as it came."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest

from daemon.book.attaching import CHUNK_BYTES, IDLE_S, PIECE_BYTES
from daemon.book.media import media_of
from daemon.errors import RefusedError
from daemon.record.entry import LARGEST_EVIDENCE_BYTES, Evidence
from daemon.record.merkle import leaf_hash
from tests.book.desk import DRILL, ETO, GANGWAY, MASTER, open_book
from tests.record.ship import alert, result

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 400
MAIL = b"Received: from a by b\r\nFrom: csO@x\r\nSubject: TEST\r\n\r\nconfirmed \xe4\r\n"


async def attach(rig, seq, content=PDF, *, chunk=CHUNK_BYTES, **more):
    begun = await rig.ask(
        "attach.begin",
        **{
            "seq": seq,
            "what": "declaration of security",
            "name": "dos.pdf",
            "size": len(content),
            "sha256": sha256(content).hexdigest(),
            **more,
        },
    )
    for offset in range(0, len(content), chunk):
        body = base64.b64encode(content[offset : offset + chunk]).decode()
        await rig.ask("attach.chunk", upload=begun["upload"], offset=offset, body=body)
    return await rig.ask("attach.end", upload=begun["upload"])


async def taken_out(rig, **which) -> bytes:
    content = b""
    while True:
        piece = await rig.ask("evidence", offset=len(content), **which)
        content += base64.b64decode(piece["body"])
        if len(content) >= piece["size"]:
            assert sha256(content).hexdigest() == piece["sha256"]
            return content


async def test_a_file_comes_back_as_it_was_attached(tmp_path):
    async with open_book(tmp_path) as rig:
        drill = await rig.enter("drill", DRILL)
        body = (await rig.ask("log", count=1))["entries"][0]
        done = await attach(rig, drill["seq"], by=MASTER)
        entry = await rig.entry(done["recorded"])
        assert (entry["type"], entry["kind"], entry["class"]) == ("attachment.added", ".1", "watch")
        assert entry["subject"] == f"entry-{drill['seq']}"
        assert entry["open"] == {
            "to": {
                "seq": drill["seq"],
                "leaf": leaf_hash(body.encode()).hex(),
                "type": "drill.held",
            },
            "what": "declaration of security",
            "name": "dos.pdf",
            "sha256": sha256(PDF).hexdigest(),
        }
        assert entry["evidence"] == [
            {"media": "application/pdf", "sha256": done["sha256"], "size": len(PDF)}
        ]
        assert await taken_out(rig, seq=done["recorded"]) == PDF
        assert await taken_out(rig, sha256=done["sha256"]) == PDF
        page = await rig.ask("log")
        assert page["attached"] == {str(drill["seq"]): [done["recorded"]]}


async def test_the_largest_file_comes_in_and_goes_out_in_pieces(tmp_path):
    content = b"%PDF-" + b"\0" * (LARGEST_EVIDENCE_BYTES - 5)
    async with open_book(tmp_path) as rig:
        drill = await rig.enter("drill", DRILL)
        done = await attach(rig, drill["seq"], content)
        first = await rig.ask("evidence", seq=done["recorded"])
        assert len(base64.b64decode(first["body"])) == PIECE_BYTES
        last = await rig.ask("evidence", seq=done["recorded"], offset=len(content) - 1)
        assert base64.b64decode(last["body"]) == b"\0"
        over = await rig.ask("evidence", seq=done["recorded"], offset=len(content))
        assert over["body"] == ""


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"size": LARGEST_EVIDENCE_BYTES + 1}, "a file has 1 to 16777216 bytes, not 16777217"),
        ({"size": 0}, "a file has 1 to"),
        ({"size": "9"}, "size is wanted, as a number"),
        ({"seq": 99}, "there is no entry 99"),
        ({"what": ""}, "what is wanted"),
        ({"name": "a\nb"}, "name has at most 400 characters, all of them printable"),
        ({"by": GANGWAY}, "L. Tupou may not attach a file to an entry"),
        ({"by": ETO}, "D. Kovac may not attach to an entry of kind .1; that is for: master, sso"),
    ],
)
async def test_what_is_refused_is_refused_before_a_byte_is_sent(tmp_path, more, reason):
    async with open_book(tmp_path) as rig:
        drill = await rig.enter("drill", DRILL)
        with pytest.raises(RefusedError, match=reason):
            await attach(rig, **{"seq": drill["seq"], **more})
        assert (await rig.ask("log"))["newest"] == drill["seq"]


async def test_the_eto_attaches_to_what_concerns_equipment(tmp_path):
    async with open_book(tmp_path) as rig:
        seq = (await rig.record.submit(result("t-uhf", "failed"))).seq
        done = await attach(rig, seq, b"battery 9.1 V\n", by=ETO)
        assert (done["media"], (await rig.entry(done["recorded"]))["kind"]) == ("text/plain", ".10")
        detected = (await rig.record.submit(alert("d12"))).seq
        entry = await rig.entry((await attach(rig, detected, b"photo follows\n"))["recorded"])
        assert entry["kind"] == "system"
        private = (await rig.record.submit(result("t-ssas", sso=True))).seq
        entry = await rig.entry((await attach(rig, private, MAIL))["recorded"])
        assert (entry["class"], entry["bseq"]) == ("sso", None), (
            "never shown to more than the entry"
        )


async def test_a_file_that_is_not_whole_is_not_taken(tmp_path):
    async with open_book(tmp_path) as rig:
        drill = await rig.enter("drill", DRILL)
        seq = drill["seq"]
        with pytest.raises(RefusedError, match="did not come in whole"):
            await attach(rig, seq, sha256="0" * 64)
        with pytest.raises(RefusedError, match="did not come in whole"):
            await attach(rig, seq, size=len(PDF) + 1)
        with pytest.raises(RefusedError, match="no such file is coming in"):
            await rig.ask("attach.end", upload="none")
        begun = await rig.ask("attach.begin", seq=seq, what="x", size=2, sha256="0" * 64)
        with pytest.raises(RefusedError, match="offset 0 is next"):
            await rig.ask("attach.chunk", upload=begun["upload"], offset=1, body="eA==")
        with pytest.raises(RefusedError, match="body is wanted, in base64"):
            await rig.ask("attach.chunk", upload=begun["upload"], offset=0, body="€")
        with pytest.raises(RefusedError, match="more than the 2 bytes that were said"):
            await rig.ask("attach.chunk", upload=begun["upload"], offset=0, body="eHh4")
        with pytest.raises(RefusedError, match="no such file is coming in"):
            await rig.ask("attach.chunk", upload=begun["upload"], offset=0, body="eA==")
        assert (await rig.ask("log"))["newest"] == seq


async def test_one_file_at_a_time_and_who_breaks_off_loses_his_turn(tmp_path):
    async with open_book(tmp_path) as rig:
        seq = (await rig.enter("drill", DRILL))["seq"]
        first = await rig.ask("attach.begin", seq=seq, what="x", size=2, sha256="0" * 64)
        rig.clock._now_s += IDLE_S - 1
        with pytest.raises(RefusedError, match="another file is being attached"):
            await attach(rig, seq)
        rig.clock._now_s += 1
        await attach(rig, seq)
        with pytest.raises(RefusedError, match="no such file is coming in"):
            await rig.ask("attach.end", upload=first["upload"])


async def test_a_kind_of_file_that_nobody_can_read_in_twenty_years_is_not_taken(tmp_path):
    async with open_book(tmp_path) as rig:
        seq = (await rig.enter("drill", DRILL))["seq"]
        with pytest.raises(RefusedError, match="none of PDF, JPEG, PNG, text and mail"):
            await attach(rig, seq, b"MZ\x90\x00" * 10, name="invoice.pdf")
        assert (await rig.ask("log"))["newest"] == seq


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"%PDF-1.4\n\x00\xff", "application/pdf"),
        (b" %PDF-1.4\n\x00\xff", None),
        (b"\xff\xd8\xff\xe0JFIF", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
        (b"\x89PNG\n", None),
        (MAIL, "message/rfc822"),
        (b"From: a@b\n\nhello", "message/rfc822"),
        (b"Subject: x\nTo: y\n\nhello", "text/plain"),
        (b"Said From: a\n", "text/plain"),
        (b"From: a\n\n\0", None),
        ("frühstück\tum 8\r\n".encode(), "text/plain"),
        ("frühstück".encode("latin-1"), None),
        (b"\x1b[2Jgone", None),
        (b"a\x00b", None),
        (b"", None),
        (b"PK\x03\x04", None),
        (b"\x7fELF", None),
    ],
)
def test_what_a_file_is_is_judged_by_its_content(content, media):
    assert media_of(content) == media


async def test_several_pieces_are_asked_for_by_name(tmp_path):
    two = (Evidence("text/plain", b"one"), Evidence("text/plain", b"two"))
    async with open_book(tmp_path) as rig:
        from dataclasses import replace

        seq = (await rig.record.submit(replace(alert("d12"), evidence=two))).seq
        digest = sha256(b"two").hexdigest()
        with pytest.raises(RefusedError, match=f"has 2 pieces, name one: .*{digest}"):
            await rig.ask("evidence", seq=seq)
        assert await taken_out(rig, sha256=digest) == b"two"
        for which, reason in (
            ({"seq": 1}, "entry 1 has no evidence beside it"),
            ({"sha256": "0" * 64}, "there is no evidence '0000"),
            ({"seq": seq, "sha256": digest, "offset": -1}, "offset is 0 or more"),
        ):
            with pytest.raises(RefusedError, match=reason):
                await rig.ask("evidence", **which)


async def test_a_full_quota_refuses_files_with_the_figures_and_nothing_else(tmp_path):
    mb = 1024 * 1024
    async with open_book(tmp_path, evidence_quota_bytes=mb) as rig:
        seq = (await rig.enter("drill", DRILL))["seq"]
        half = b"%PDF-" + b"\1" * (mb // 2 - 5)
        await attach(rig, seq, half)
        assert "evidence" not in rig.items()
        fits = b"%PDF-" + b"\2" * (mb // 2 - 5)
        await attach(rig, seq, fits)
        item = rig.items()["evidence"]
        assert item.what == (
            "EVIDENCE: 1 of 1 MB are used (100 %): no file can be attached, and raw evidence is left out"
        )
        with pytest.raises(RefusedError, match=r"no room: 1.0 of 1 MB of evidence are used"):
            await attach(rig, seq, b"x")
        await rig.enter("other", {"what": "goes on"})
    async with open_book(tmp_path, evidence_quota_bytes=mb) as rig:
        with pytest.raises(RefusedError, match="no room"):
            await attach(rig, seq, b"x")
    async with open_book(tmp_path, evidence_quota_bytes=mb + 1) as rig:
        await attach(rig, seq, b"x")


async def test_room_that_was_taken_meanwhile_is_seen_at_the_end(tmp_path):
    async with open_book(tmp_path, evidence_quota_bytes=100) as rig:
        from dataclasses import replace

        seq = (await rig.enter("drill", DRILL))["seq"]
        content = b"x" * 60
        begun = await rig.ask(
            "attach.begin", seq=seq, what="x", size=60, sha256=sha256(content).hexdigest()
        )
        body = base64.b64encode(content).decode()
        await rig.ask("attach.chunk", upload=begun["upload"], offset=0, body=body)
        raw = (Evidence("text/plain", b"y" * 50),)
        await rig.record.submit(replace(alert("d12"), evidence=raw))
        with pytest.raises(RefusedError, match="no room"):
            await rig.ask("attach.end", upload=begun["upload"])
