"""Five minutes are one screen: the fullest morning that there can be, on 1024 by 768."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemon.review import registry
from tests.web.review import answered_review

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = "2026-11-22T00:10:00.000Z"
FULL = {
    "seen": {"by": "R. Menon", "at": AT, "up_to": 1000},
    "before": False,
    "since": AT,
    "newest": 1071,
    "cut": False,
    "night": {
        "lines": [
            {
                "text": f"UPPER DK STBD {n}: ESC HATCH OPEN, 2 times, over, ack. L. Tupou",
                "first": AT,
                "last": AT,
                "seq": 1000 + n,
                "loud": n < 5,
            }
            for n in range(19)
        ],
        "more": 3,
    },
    "doors": "doors used 231 times: D04 120, D08 40, D05 31, D01 20, D09 10, D02 5 and 4 more",
    "alerts": [{"priority": "C", "title": "SIMULATED DATA", "name": "ISPSD", "state": "A"}] * 2,
    "runs": [
        {"kind": "permit", "what": "BOSUN STORE", "why": "R. dela Cruz, chipping", "ends": AT},
        {"kind": "inhibited", "what": "DECK LIGHTS OUT LT1", "why": "R. Menon: lamp", "ends": AT},
    ],
    "watch": [
        {"id": name, "person": "L. Tupou" if name == "gangway" else None, "live": True}
        for name in ("bridge", "gangway", "office", "phone", "ecr", "sso", "master")
    ],
    "due": [{"state": "due", "text": f"DOOR CONTACTS {n}: t-door, SSP 7.3.2"} for n in range(10)],
    "more_due": 4,
    "later": [{"name": "UHF SETS", "test": "t-uhf", "due": AT}],
    "defects": [
        {
            "defect": "def-014",
            "name": "POOP CAMERA",
            "found": "no picture",
            "found_at": AT,
            "measure": "patrol each hour",
        }
    ]
    * 2,
    "record": {
        "newest": 1071,
        "writable": True,
        "pending": 0,
        "head": {"origin": "x", "size": 1071, "root": "9538d32f" * 8},
        "copy": {"wanted": True, "verified": AT, "age_min": 12, "old": False, "failure": None},
        "witnesses": [
            {"name": "wheelhouse", "refuses": False, "signed": AT, "unsigned": 3, "reached": True}
        ],
    },
}
FRAME = {
    "ship": "KESTREL STRAIT",
    "imo_number": 9999993,
    "simulated": True,
    "person": "R. Menon",
    "roles": ["sso"],
    "csrf": "c" * 43,
    "psc": False,
    "pages": [
        {"name": page.name, "title": page.title}
        for page in registry.pages().values()
        if page.listed
    ],
    "utc": AT,
    "clock": "holdover",
    "ship_time_offset_min": 480,
    "page": "morning",
    "title": "Morning",
    "flash": {},
    "said": FULL,
}


async def test_the_fullest_morning_stands_on_one_screen(tmp_path, chromium):
    async def answer(_):
        return FRAME

    async with answered_review(tmp_path / "control.sock", answer) as base:
        page = await chromium.new_page(viewport={"width": 1024, "height": 768})
        await page.goto(f"{base}sso/morning")
        if folder := os.environ.get("ISPSD_SCREENSHOTS"):
            await page.screenshot(path=Path(folder, "morning-full.png"))
        size = await page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        assert size[0] <= 1024
        assert size[1] <= 768
        await page.set_viewport_size({"width": 390, "height": 844})
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
