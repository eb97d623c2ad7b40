"""The page of papers: what is ordered there becomes the request of the daemon, in this login and by this person."""

from __future__ import annotations

import base64
import json

import pytest

from daemon.errors import RefusedError
from tests.review.rig import Visitor, desk

SSO = "R. Menon"
CREW = {"persons": [{"name": SSO, "roles": ["sso"]}, {"name": "A. Lindqvist", "roles": ["master"]}]}
ORDER = {
    "what": "psc",
    "format": "pdf",
    "to_whom": "J. Doe",
    "consent": "A. Lindqvist",
    "pin": "314159",
}


def answering(made, **answers):
    """Let requests be answered by their name."""
    plain = made.desk.carry_out

    async def carry_out(request):
        found = await plain(request)
        return answers.get(request["do"].replace(".", "_"), found)

    made.desk.carry_out = carry_out


async def test_days_become_moments_and_the_order_belongs_to_this_login(tmp_path):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        await visitor.act(
            "exports", "order", **ORDER, **{"from": "2026-11-01", "to": "2026-11-30", "seq": ""}
        )
        asked = made.asked[-1]
        login = made.drafts[0].open["login"]
        assert asked == {
            **ORDER,
            "do": "export.order",
            "by": SSO,
            "login": login,
            "from": "2026-11-01T00:00:00.000Z",
            "to": "2026-12-01T00:00:00.000Z",
        }
        await visitor.act("exports", "order", **ORDER)
        assert (made.asked[-1]["from"], made.asked[-1]["to"]) == (None, None)
        await visitor.act("exports", "cancel", id="0a1b")
        assert made.asked[-1] == {"do": "export.cancel", "id": "0a1b", "by": SSO, "login": login}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"what": "secrets"}, "what is one of"),
        ({"format": "docx"}, "format is one of"),
        ({"from": "yesterday"}, "is no day"),
        ({"seq": "-1"}, "seq is a number"),
        ({"pin": ""}, "pin is wanted"),
        ({"to_whom": "x" * 401}, "at most 400"),
    ],
)
async def test_what_is_no_order_reaches_nobody(tmp_path, change, words):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        with pytest.raises(RefusedError, match=words):
            await visitor.act("exports", "order", **{**ORDER, **change})
        assert "export.order" not in [each["do"] for each in made.asked]


async def test_a_paper_is_fetched_piece_by_piece_in_this_login(tmp_path):
    piece = {"name": "psc-7.pdf", "media": "application/pdf", "size": 9, "offset": 4}
    async with desk(tmp_path) as made:
        answering(
            made, crew=CREW, export_fetch={**piece, "body": base64.b64encode(b"in the").decode()}
        )
        visitor = await Visitor.logged_in(made, SSO)
        asked = {"id": "0a1b", "file": "0", "offset": "4"}
        found = await made.ask(
            "fetch", token=visitor.token, page="exports", file="paper", asked=asked
        )
        assert (found["name"], found["size"]) == ("psc-7.pdf", 9)
        assert base64.b64decode(found["body"]) == b"in the"
        login = made.drafts[0].open["login"]
        assert made.asked[-1] == {
            "do": "export.fetch", "by": SSO, "login": login, "id": "0a1b", "file": 0, "offset": 4,
        }  # fmt: skip
        for wrong in ({"file": "-1"}, {"offset": "x"}, {"offset": "9" * 30}):
            with pytest.raises(RefusedError, match="there is no such paper"):
                await made.ask(
                    "fetch",
                    token=visitor.token,
                    page="exports",
                    file="paper",
                    asked={**asked, **wrong},
                )


async def test_port_state_control_orders_and_fetches_nothing(tmp_path):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        await visitor.psc(on=True)
        assert (await visitor.page("exports"))["said"] is None
        with pytest.raises(RefusedError, match="PSC mode"):
            await visitor.act("exports", "order", **ORDER)
        with pytest.raises(RefusedError):
            await made.ask("fetch", token=visitor.token, page="exports", file="paper", asked={})


async def test_the_page_says_how_the_newest_releases_ended_also_those_that_a_restart_broke_off(
    tmp_path,
):
    def entry(seq, type_, **said):
        actor = {"person": SSO, "station": None, "proof": "none"}
        at = f"2026-11-22T02:{seq:02d}:00.000Z"
        return json.dumps({"seq": seq, "type": type_, "at": at, "actor": actor, "open": said})

    lost = {"export": 5, "reason": "ispsd was stopped before it was written"}
    entries = {
        "record.exported": [
            entry(seq, "record.exported", what="psc", format="pdf", to_whom="J. Doe")
            for seq in (3, 5, 8)
        ],
        "export.written": [entry(4, "export.written", export=3, sha256="ab" * 32)],
        "export.failed": [entry(7, "export.failed", **lost)],
    }
    async with desk(tmp_path) as made:
        plain = made.desk.carry_out

        async def carry_out(request):
            found = {"crew": CREW, "export.progress": {"orders": []}}.get(request["do"])
            if request["do"] == "log":
                found = {"entries": entries[request["type"]]}
            return found or await plain(request)

        made.desk.carry_out = carry_out
        visitor = await Visitor.logged_in(made, SSO)
        said = (await visitor.page("exports"))["said"]
        assert [(each["seq"], each["ended"], each["reason"]) for each in said["lately"]] == [
            (8, None, None),
            (5, 7, lost["reason"]),
            (3, 4, None),
        ]
        assert said["lately"][2]["sha256"] == "ab" * 32
