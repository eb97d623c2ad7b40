"""Does the story fit the terminal that it is told in, and lose no word of it?"""

from __future__ import annotations

import json

import pytest

from daemon.demo.words import MARGIN, WIDTH, contact, log_row, told

AT = "16:32:41Z"
REFUSED = (
    "refused: no notice is entered (Singapore: 4 h to 2 days' notice; TEST in the subject; "
    "set the wording back afterwards; rule as of 2024-10; verify with your RSO)"
)
RESULT = {
    "seq": 2168,
    "actor": {"person": "R. Menon"},
    "open": {
        "name": "SSAS P1",
        "mode": "assisted",
        "outcome": "passed",
        "reason": "activation seen, sent, confirmed ashore",
        "ended": "2026-11-29T16:32:52.000Z",
    },
}


@pytest.mark.parametrize("line", [REFUSED, log_row(json.dumps(RESULT)), "closed · " * 20, "x" * 76])
def test_a_line_of_the_story_fits_100_columns_and_loses_no_word(line):
    rows = told(AT, "SSAS TEST", line).splitlines()
    assert all(len(row) <= WIDTH for row in rows)
    assert rows[0].startswith(f"{AT}  SSAS TEST    ")
    assert all(row.startswith(" " * MARGIN) for row in rows[1:])
    assert " ".join(" ".join(rows).split()[3:]) == " ".join(line.split())


@pytest.mark.parametrize(
    ("word", "value", "says"),
    [("shut", "closed", "shut"), (None, "open", "open"), (None, None, "NOT SEEN")],
)
def test_a_door_that_nobody_has_seen_for_a_moment_does_not_end_the_story(word, value, says):
    assert contact({"word": word, "value": value}) == says


def test_a_command_stays_whole_to_be_copied():
    command = f"  ispsd status --socket /tmp/{'x' * 90}/control.sock"
    assert told(AT, "", command) == f"{AT}{' ' * 15}{command}"


def test_what_goes_on_has_no_chapter():
    assert told(AT, "", "two pulses") == f"{AT}{' ' * 15}two pulses"
