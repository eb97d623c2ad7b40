"""Each folder here is a port that was recorded: its driver must make of it what it made of it then.

``python -m tests.cases`` writes the readings anew after a change that is meant; read the difference before it is kept.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daemon.capture import case
from daemon.capture.replay import replayed

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob(f"*/{case.MANIFEST}"))


def test_there_are_cases():
    assert FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_a_driver_makes_of_a_case_what_was_recorded(folder):
    read = case.load(folder)
    made = json.loads(json.dumps(await replayed(read)))
    # A point that the driver did not know then is nothing to hold against it.
    known = {reading["point"] for reading in read.readings}
    assert [reading for reading in made if reading["point"] in known] == list(read.readings)


async def test_a_case_whose_tape_is_another_fails():
    read = case.load(next(folder for folder in FOLDERS if "gnss" in folder.name))
    spoilt = case.Case(read.manifest, read.tape[:-1], read.readings)
    assert json.loads(json.dumps(await replayed(spoilt))) != list(read.readings)
