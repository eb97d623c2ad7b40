"""Every scenario that is shipped gives the alerts and entries that it names on the whole sample ship, and no others."""

from __future__ import annotations

import pytest

from tests.voyage import STORIES, sailing

STORY_FILES = sorted(STORIES.rglob("*.toml"))


def test_there_are_scenarios():
    assert STORY_FILES


@pytest.mark.parametrize("path", STORY_FILES, ids=lambda path: path.stem)
async def test_a_scenario_gives_what_it_names_and_nothing_else(path, tmp_path):
    async with sailing(tmp_path, path) as ship:
        await ship.play()
        ship.judge()
