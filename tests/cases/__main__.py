"""``python -m tests.cases``: write what today's drivers make of every case; the difference is for a person to read."""

import asyncio
import json
from pathlib import Path

from daemon.capture import case
from daemon.capture.replay import replayed

for manifest in sorted(Path(__file__).parent.glob(f"*/{case.MANIFEST}")):
    made = asyncio.run(replayed(case.load(manifest.parent)))
    lines = "".join(f"{json.dumps(reading, sort_keys=True)}\n" for reading in made)
    (manifest.parent / case.READINGS).write_text(lines, "utf-8")
