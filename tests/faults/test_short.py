"""Every fault, each for seconds, against the real processes; ``make faults`` is the full form.

Alerts that take half a minute to come by right are held in the full form only.
"""

from __future__ import annotations

import pytest

from tests.faults.__main__ import all_of
from tests.faults.registry import faults

AT_ONCE = 5
"""They wait most of their time."""
BATCHES = 2


@pytest.mark.timeout("300")
@pytest.mark.parametrize("batch", range(BATCHES))
async def test_every_promise_is_kept_through_every_fault(batch: int) -> None:
    chosen = faults()[batch::BATCHES]
    results, skipped = await all_of(chosen, full=False, at_once=AT_ONCE)
    broken = [
        (r.fault.name, f.promise, f.words) for r in results for f in r.findings if not f.holds
    ]
    assert broken == []
    assert len(results) + len(skipped) == len(chosen)
    if skipped:
        pytest.skip("; ".join(f"{title}: {why}" for title, why in skipped))
