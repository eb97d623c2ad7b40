"""Each line of the worklist says where it is seen to: on a page, with a form and a command that there are."""

from __future__ import annotations

import re

import pytest

from daemon import cli
from daemon.assets import asset
from daemon.book import forms as book_forms
from daemon.review import remedies
from daemon.review.remedies import remedy

FORMS = frozenset(book_forms.load(asset("book.toml")).forms)
MODES = {"t-door": "assisted", "t-ais": "automatic", "t-uhf": "manual"}


def to_do(id_: str, state: str = "due"):
    return remedy({"id": id_, "state": state}, MODES, FORMS)


@pytest.mark.parametrize(
    ("id_", "state", "page", "asked"),
    [
        ("def-014", "defect", "defects", {"defect": "def-014"}),
        ("drill", "due", "forms", {"form": "drill"}),
        ("paper-issc", "due", "forms", {"form": "certificate"}),
        ("declaration-SGSIN", "overdue", "forms", {"form": "declaration-of-security"}),
        ("review", "due", "signoff", {}),
        ("pins", "due", "persons", {}),
        ("t-door", "overdue", "due", {}),
        ("d17", "out of service", None, {}),
        ("something-new", "due", None, {}),
    ],
)
def test_a_line_leads_to_where_it_is_seen_to(id_, state, page, asked):
    found = to_do(id_, state)
    assert (found["page"], found["asked"]) == (page, asked)


def test_what_ispsd_does_by_itself_is_nobodys_to_start():
    assert to_do("t-ais")["words"] == "ispsd does it by itself"
    assert to_do("t-uhf")["words"] == "at a watch station, or: ispsd start t-uhf"
    assert to_do("t-uhf", "not done")["words"] == "sign it: ispsd not-done t-uhf"


def test_every_form_and_every_command_that_is_named_is_one():
    named = {form for _, form, _ in remedies._BY_ID.values() if form}
    assert named <= FORMS
    words = [words for _, _, words in remedies._BY_ID.values()] + list(remedies._BY_STATE.values())
    words += [str(to_do(id_, state)["words"]) for id_ in MODES for state in ("due", "not done")]
    commands = {found for each in words for found in re.findall(r"ispsd ([a-z-]+)", each)}
    known = set(cli._parser()._subparsers._group_actions[0].choices)  # type: ignore[union-attr]
    assert commands - {"does"} <= known
