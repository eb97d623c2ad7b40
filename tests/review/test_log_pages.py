"""The test log and one test as the SSO reads them in a browser, made by the server from what the daemon says."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest

from daemon.errors import RefusedError
from daemon.record.entry import Evidence
from tests.papers.rig import MATE, at, result, said
from tests.review.log_rig import looking
from tests.testlog.test_exhibit import DOOR, READING, kept, with_evidence
from tests.testlog.test_sheet import MONTH

NOW = at(22, 2, 10)


class Parts(HTMLParser):
    """What stands in a page: its elements with what they carry, and nothing that a policy would refuse."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.faults: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href" and value]
        if tag in {"script", "style", "iframe", "object"}:
            self.faults.append(tag)
        self.faults += [
            f"{tag} {name}" for name, _ in attrs if name == "style" or name.startswith("on")
        ]


async def test_the_log_has_the_forms_columns_and_its_first_line(tmp_path):
    async with looking(tmp_path, MONTH, now=NOW) as seen:
        page = await seen.page("log")
    parts = Parts(page)
    assert parts.faults == []
    for word in ("No.", "UTC / ship&#39;s time", "Equipment", "Test, SSP para", "How", "Port or posn, lvl", "Result",
                 "Evidence", "By / witness", "Defect / remarks", "Next"):  # fmt: skip
        assert f'<th scope="col">{word}</th>' in page
    assert "3 SAT · 1 UNSAT · 2 NOT DONE · 0 overdue · 0 open defects · not reviewed" in page
    assert "EQUIPMENT TEST LOG · ISPS A/10.1.10 · <b>November 2026</b>" in page
    assert "<b>UNSAT</b>" in page
    assert "<b>SAT</b>" not in page, "bold only what is not SAT"
    assert "<b>LATE, entered 7 Nov 2026 0000Z</b>" in page
    assert f"/sso/test?seq={seen.seqs[-1]}" in parts.links


async def test_filters_keep_month_and_words(tmp_path):
    async with looking(tmp_path, MONTH, now=NOW) as seen:
        page = await seen.page("log", show="unsat", month="2026-11", text="hhmd")
        assert page.count("<tr class=") == 1
        links = Parts(page).links
        assert "/sso/log?month=2026-11&text=hhmd&show=drills" in links
        assert "/sso/log?month=2026-10&show=unsat" in links
        assert "none" in (await seen.page("log", month="2025-01")).casefold()
        days = await seen.page("log", **{"from": "2026-11-09", "to": "2026-11-09"})
        assert "SEAL ROUND" in days
        assert "HHMD" not in days


async def test_what_is_overdue_now_is_named_though_it_has_no_row_in_the_month(tmp_path):
    def row(test, readiness):
        last = {"seq": 7, "result": "SAT", "at": "2026-08-01T00:00:00Z"}
        return {"test": test, "name": test.upper(), "why": "passed 1 Aug 2026", "limit": "2026-11-01T00:00:00Z",
                "last": last, "readiness": readiness}  # fmt: skip

    async def tests(_):
        return {"tests": [row("t-pir", "overdue"), row("t-buzz", "in order")]}

    async with looking(
        tmp_path, MONTH, now=NOW, answers={"tests": tests}, overdue=("t-pir",)
    ) as seen:
        page = await seen.page("log", show="overdue")
        assert "T-PIR" in page
        assert "T-BUZZ" not in page
        assert "/sso/test?seq=7" in Parts(page).links
        assert (await seen.said("log"))["said"]["overdue"] == []
        await seen.visitor.psc(on=True)
        assert "T-PIR" not in await seen.page("log", show="overdue")


async def test_long_logs_are_read_sheet_by_sheet(tmp_path):
    many = [result("t-uhf", at(1, n // 60, n % 60)) for n in range(150)]
    async with looking(tmp_path, many, now=NOW) as seen:
        first = await seen.said("log")
        assert len(first["said"]["rows"]) == 100
        older = await seen.said("log", **first["said"]["older"])
        assert len(older["said"]["rows"]) == 50
        assert older["said"]["older"] is None
        assert "Newest" in await seen.page("log", **first["said"]["older"])


@pytest.mark.parametrize(
    "asked",
    [
        {"month": "2026-13"},
        {"month": "<script>"},
        {"from": "soon"},
        {"from": "2026-11-09", "to": "2026-11-01"},
        {"before": "-1"},
        {"before": "9" * 40},
        {"before": "١٢"},
        {"show": "places"},
        {"text": "x" * 500},
        {"to": "9999-12-31"},
    ],
)
async def test_what_no_log_can_show_is_refused_in_words(tmp_path, asked):
    async with looking(tmp_path, MONTH, now=NOW) as seen:
        with pytest.raises(RefusedError):
            await seen.said("log", **asked)


async def test_psc_mode_reads_the_log_as_the_pack_has_it_and_no_test_behind_it(tmp_path):
    async with looking(tmp_path, MONTH, now=NOW) as seen:
        await seen.visitor.psc(on=True)
        page = await seen.page("log")
        assert "ESC TRUNK" not in page
        assert "7.3.2" not in page
        assert not [link for link in Parts(page).links if "/sso/test" in link]
        assert (await seen.said("log", text="trunk"))["said"]["rows"] == []
        assert "not shown in PSC mode" in await seen.page("test", seq=seen.seqs[4])
        with pytest.raises(RefusedError):
            await seen.made.ask(
                "fetch", token=seen.visitor.token, page="test", file="evidence", asked={}
            )


async def test_one_test_shows_its_evidence_and_how_to_check_it(tmp_path):
    async def again(request):
        return {"agreement": "SAME", "why": "", "today": {"outcome": "passed", "reason": "as then"}}

    entries = [*MONTH, with_evidence(DOOR, *kept())]
    async with looking(tmp_path, entries, now=NOW, answers={"rejudge": again}) as seen:
        seq = max(seen.seqs[4:6])
        page = await seen.page("test", seq=seq)
        shown = (await seen.said("test", seq=seq))["said"]
    parts = Parts(page)
    assert parts.faults == []
    assert {"svg", "path", "line", "text"} <= set(parts.tags)
    assert "M. Petrov (pin)" in page
    assert shown["entry"]["leaf"] in page
    assert shown["entry"]["head"]["root"] in page
    assert "<b>SAME</b>" in page
    assert "The same as a table (3 rows)" in page
    for piece in shown["evidence"]:
        assert f"/sso/test/evidence?seq={seq}&sha256={piece['sha256']}" in parts.links


async def test_a_piece_of_evidence_is_fetched_whole_by_its_hash_and_no_other(tmp_path):
    body = b"$GPGGA,021000\r\n" * 60_000
    entries = [
        with_evidence(DOOR, Evidence("text/plain", body)),
        result("t-uhf", at(3), evidence=[b"other"]),
    ]
    async with looking(tmp_path, entries, now=NOW) as seen:
        first, second = [
            (await seen.said("test", seq=seq))["said"]["evidence"][0] for seq in seen.seqs
        ]

        async def fetch(**asked):
            return await seen.made.ask(
                "fetch", token=seen.visitor.token, page="test", file="evidence", asked=asked
            )

        got = await fetch(seq=str(seen.seqs[0]), sha256=first["sha256"])
        assert base64.b64decode(got["body"]) == body
        assert (got["name"], got["media"]) == (f"{first['sha256']}.txt", "text/plain")
        for wrong in (second["sha256"], "ab" * 32, "../../etc/passwd", ""):
            with pytest.raises(RefusedError):
                await fetch(seq=str(seen.seqs[0]), sha256=wrong)


@pytest.mark.parametrize("seq", ["", "0", "x", "-3", "9" * 30, "1e3"])
async def test_a_test_that_is_none_is_refused(tmp_path, seq):
    async with looking(tmp_path, MONTH, now=NOW) as seen:
        with pytest.raises(RefusedError):
            await seen.page("test", seq=seq)


async def test_hostile_evidence_and_names_act_in_no_page(tmp_path):
    name = '"><script>alert(1)</script><svg onload=alert(1)>'
    reading = READING.replace(b'"d10"', b'"<script>alert(2)</script>"')
    closed = reading.replace(b'"open"', b'"closed"').replace(b'"up": 5.0', b'"up": 9.0')
    entry = result("t-door", at(5), "failed", name=name, reason=name, person=MATE)
    hostile = with_evidence(
        entry,
        Evidence("application/jsonl", reading + b"\n" + closed),
        Evidence("text/html", b"<script>alert(3)</script>"),
    )
    file = said("attachment.added", at(6), subject="entry-1", person=MATE, what=name, name=name,
                sha256="ab" * 32, to={"seq": 1})  # fmt: skip
    async with looking(tmp_path, [hostile, file], now=NOW) as seen:
        for page in (
            await seen.page("log", text=name[:20]),
            await seen.page("test", seq=seen.seqs[0]),
        ):
            assert Parts(page).faults == []
            assert not re.search(r"<script|onload=alert\(1\)>", page)
        assert "&lt;script&gt;alert(2)" in page, "it is drawn, as words"
