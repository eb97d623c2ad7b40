"""Who is let in on the SSO's pages, for how long, and what he may do there: asked as the pages' server asks."""

from __future__ import annotations

from tests.review.rig import Visitor, desk

MASTER, SSO = "A. Lindqvist", "R. Menon"


async def test_name_and_pin_of_the_sso_open_the_pages_and_each_is_an_entry_once(tmp_path):
    async with desk(tmp_path) as made:
        visitor = await Visitor.logged_in(made, SSO)
        page = await visitor.page("worklist")
        assert page["person"] == SSO
        assert page["said"] == {"items": made.to_do}
        await visitor.page("worklist")
        assert made.written() == ["sso.login", "sso.viewed"]
        assert {each.classification.value for each in made.drafts} == {"sso"}
        assert made.drafts[1].subject == "worklist"
