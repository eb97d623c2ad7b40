"""The table of acts is the paper on which people agreed, cell by cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.model import Role
from daemon.people import authority
from daemon.people.authority import ASHORE, TABLE, Act, Ask, Cell, Only

LINES = Path(__file__).with_name("paper.md").read_text("utf-8").splitlines()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES if line[:1] == "|"]
COLUMNS = {
    "OOW / duty officer": Role.OFFICER,
    "gangway": Role.GANGWAY,
    "duty engineer": Role.ENGINEER,
    "ETO": Role.ETO,
    "SSO": Role.SSO,
    "Master": Role.MASTER,
}
ACTS: dict[str, tuple[Act, ...]] = {
    "acknowledge A, W": (Act.ACKNOWLEDGE,),
    "silence 30 s; visitor view on (hides places, ages, ends; alerts still sound; lifts after 60 min)": (
        Act.SILENCE,
        Act.VISITOR_VIEW,
    ),
    "curtain down (full)": (Act.CURTAIN_DOWN,),
    "curtain up": (Act.CURTAIN_UP,),
    "permit to open": (Act.PERMIT,),
    "inhibit one alert (level 1, 2 only)": (Act.INHIBIT,),
    "out of service": (Act.OUT_OF_SERVICE,),
    "situation (sea, port, …), threat": (Act.SITUATION, Act.THREAT),
    "security level": (Act.LEVEL,),
    "AIS off by order": (Act.AIS_OFF,),
    "start a test (not SSAS)": (Act.START_TEST,),
    "open SSAS test window": (Act.WINDOW,),
    "not done / skip": (Act.NOT_DONE,),
    "loop check mode": (Act.LOOP_CHECK,),
    "review / verify record": (Act.REVIEW, Act.VERIFY),
    "export, PSC pack": (Act.EXPORT,),
    "reset a person's PIN": (Act.RESET_PIN,),
}
NO_ACT_YET = {"configuration in force"}
"""A file is loaded by whoever may write it; nobody does that through ispsd."""
YES, NO = Cell(), None
ONLY_IN_THREAT = Cell(only=Only.IN_THREAT)
READ: dict[str, Cell | None] = {
    "yes": YES,
    "yes, one press": YES,
    "no": NO,
    "PIN": Cell(Ask.PIN),
    "yes, PIN": Cell(Ask.PIN),
    "yes (PIN)": Cell(Ask.PIN),
    "with reason (PIN)": Cell(Ask.PIN),
    "only doors M": Cell(only=Only.MACHINERY),
    "threat, level 2/3: one press; else PIN": Cell(only=Only.PIN_OUTSIDE_THREAT),
    "threat, level 2/3: one press; else no": ONLY_IN_THREAT,
    "as gangway": ONLY_IN_THREAT,
    "≤ 60 min, M and V": Cell(limit_min=60, only=Only.ENGINE_SPACES),
    "≤ 60 min own work": Cell(limit_min=60, only=Only.OWN_WORK),
    "≤ 60 min": Cell(limit_min=60),
    "≤ 8 h": Cell(limit_min=480),
    "≤ 12 h": Cell(limit_min=720),
    "proposes": Cell(only=Only.PROPOSES),
    "yes; V class and SSAS need Master too": Cell(only=Only.MASTER_TOO),
    "yes; laxer one asks twice": Cell(only=Only.ASKED_TWICE),
    "raise at once, names who told him; not lower": Cell(only=Only.RAISE),
    'yes, "by order of"': YES,
    "enters, names the Master": YES,
    "enters": YES,
    "helper": Cell(only=Only.HELPS),
    "yes, own doors": Cell(only=Only.OWN_DOORS),
    "yes + Master's PIN": Cell(Ask.PIN, only=Only.BOTH),
    "yes + SSO's PIN (Master = SSO: + deputy named in the SSP)": Cell(Ask.PIN, only=Only.BOTH),
    "agrees": Cell(only=Only.AGREES),
    "starts": YES,
    "yes, consent field": Cell(Ask.SIGNATURE),
    "others": Cell(Ask.PIN, only=Only.OTHERS),
    "SSO's; own by sealed envelope code, entry": Cell(Ask.PIN, only=Only.OF_THE_SSO),
}
OF_THE_ROW = {
    # What the row itself says for all of its cells, or decision 0013 of signatures.
    (Act.INHIBIT, "≤ 60 min"): Cell(limit_min=60, only=Only.LEVELS_1_AND_2),
    (Act.INHIBIT, "≤ 8 h"): Cell(limit_min=480, only=Only.LEVELS_1_AND_2),
    (Act.REVIEW, "reviews"): Cell(Ask.SIGNATURE),
    (Act.REVIEW, "verifies"): NO,
    (Act.VERIFY, "reviews"): NO,
    (Act.VERIFY, "verifies"): Cell(Ask.SIGNATURE),
    (Act.EXPORT, "yes"): Cell(Ask.SIGNATURE),
}
RECEIVE = {"no", "receive", "reads fingerprint"}
"""All that CSO and port state control may do."""

HEAD, _, *BODY = ROWS
CELLS = [
    (act, COLUMNS[column], word)
    for row in BODY
    for act in ACTS.get(row[0], ())
    for column, word in zip(HEAD[1:-1], row[1:-1], strict=True)
]


def test_every_row_of_the_paper_is_read():
    assert {row[0] for row in BODY} == ACTS.keys() | NO_ACT_YET
    assert len(CELLS) == 20 * 6
    assert ["act", *COLUMNS, "CSO, PSC"] == HEAD


@pytest.mark.parametrize(("act", "role", "word"), CELLS)
def test_who_may_do_what_is_the_paper(act, role, word):
    expected = OF_THE_ROW[act, word] if (act, word) in OF_THE_ROW else READ[word]
    assert TABLE[act].get(role) == expected


def test_cso_and_port_state_control_do_nothing_on_board():
    assert {row[-1] for row in BODY} <= RECEIVE
    assert all(not ASHORE & row.keys() for row in TABLE.values())


RECORD = (Act.ENTER, Act.AMEND, Act.REVIEW, Act.VERIFY, Act.EXPORT, Act.CREW, Act.SEGMENT, Act.KEY)


@pytest.mark.parametrize("act", RECORD)
def test_what_is_done_to_the_record_is_the_sso_or_the_master_with_more_than_a_name(act):
    assert TABLE[act].keys() <= {Role.SSO, Role.MASTER}
    assert all(cell.ask is not Ask.NOTHING for cell in TABLE[act].values())


def test_acknowledging_and_silencing_never_ask():
    for act in (Act.ACKNOWLEDGE, Act.SILENCE):
        assert {cell.ask for cell in TABLE[act].values()} == {Ask.NOTHING}


def test_every_act_has_a_row():
    assert set(TABLE) == set(Act)


@pytest.mark.parametrize(
    ("roles", "cell"),
    [
        ({Role.OFFICER, Role.SSO}, Cell(Ask.PIN)),
        ({Role.OFFICER, Role.ETO}, Cell()),
        ({Role.OFFICER, Role.GANGWAY}, Cell(Ask.PIN)),
        ({Role.ENGINEER, Role.ETO}, Cell()),
        ({Role.CSO}, None),
        (set(), None),
    ],
)
def test_of_several_roles_the_one_that_may_most_counts(roles, cell):
    assert authority.cell(Act.START_TEST, frozenset(roles)) == cell


def test_helping_is_not_doing():
    assert Role.GANGWAY not in authority.roles(Act.START_TEST)
    assert Role.ETO not in authority.roles(Act.WINDOW)
