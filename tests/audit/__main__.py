"""`python -m tests.audit`: what runs aboard is pinned, may be passed on, and has no known weakness.

Exit code 1 where it is not so. Advisories that could not be asked for fail only with --must-ask: a computer without a
route to the lists can build and test, but a release is not made on it.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tests.audit import advisories, inventory

if TYPE_CHECKING:
    from tests.audit.advisories import Answer

DASHBOARDS = inventory.ROOT / "tests/dashboards"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.audit", description=__doc__)
    parser.add_argument(
        "--must-ask", action="store_true", help="fail where the lists of advisories do not answer"
    )
    must_ask = parser.parse_args().must_ask
    pinned = inventory.pins((inventory.ROOT / "constraints.txt").read_text("utf-8"))
    aboard = inventory.installed(inventory.RUN_TIME)
    bundled = inventory.bundle(inventory.NOTICES.read_text("utf-8"))
    faults = _inventory(pinned, aboard, bundled)
    answers = [
        advisories.ask_osv(pinned, aboard),
        advisories.ask_npm(inventory.FRONT, "npm packages of the page", bundled),
        advisories.ask_npm(DASHBOARDS, "npm packages of the tests"),
    ]
    for answer in answers:
        _tell(answer)
    faults += [f"{each.package} {each.version}: {each.id}" for each in advisories.refused(answers)]
    silent = [answer for answer in answers if answer.unanswered]
    if silent:
        print("Whether a weakness is known of these is NOT known after this run.")
    if must_ask:
        faults += [f"advisories not asked: {answer.of}" for answer in silent]
    for fault in faults:
        print(f"FAIL {fault}")
    return 1 if faults else 0


def _inventory(
    pinned: dict[str, str],
    aboard: dict[str, inventory.Package],
    bundled: dict[str, inventory.Package],
) -> list[str]:
    everything = inventory.everything()
    faults = inventory.unpinned(everything, pinned)
    faults += inventory.unlocked(
        bundled, inventory.locked((inventory.FRONT / "package-lock.json").read_text("utf-8"))
    )
    binding = inventory.binding([*aboard.values(), *bundled.values()])
    print(
        f"pinned: {len(pinned)} packages for {len(everything)} installed; "
        f"aboard are {len(aboard)}, and {len(bundled)} npm packages in the page"
    )
    for name, (said, why) in inventory.READ_BY_HAND.items():
        print(f"licence read by hand: {name} ({said}): {why}")
    return faults + binding


def _tell(answer: Answer) -> None:
    if answer.asked:
        print(f"advisories asked: {answer.asked} {answer.of}, {len(answer.found)} known")
    if answer.unanswered:
        print(f"advisories not asked: {answer.of}: {answer.unanswered}")
    for each in answer.found:
        where = "aboard" if each.aboard else "a tool, not aboard"
        accepted = advisories.ACCEPTED.get(each.id)
        reason = f"; accepted: {accepted}" if accepted else ""
        print(f"  {each.id} {each.package} {each.version} ({where}): {each.more}{reason}")


if __name__ == "__main__":
    sys.exit(main())
