"""Was the fault really made? A fault that was not is stood by every ship: pure functions over what was captured.

For ``Fault.also``, since each sees only what its kind of fault cannot but leave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.judge import TOLD_WITHIN_S, Finding

if TYPE_CHECKING:
    from tests.faults.capture import Capture

ON_ITS_WAY_S = 1.0
"""What was sent before the line was cut may arrive so long after."""
BETWEEN_BEATS_S = 4.0


def disk_took_nothing(capture: Capture) -> list[Finding]:
    """No acknowledgement in the fault was answered as recorded."""
    acts = [each for each in capture.rounds if each.when == "during" and each.accepted]
    recorded = [each.recorded for each in acts if each.recorded is not None]
    words = f"{len(acts)} acknowledgements in it, none answered as recorded"
    return [
        Finding(
            "the disk took nothing meanwhile",
            bool(acts) and not recorded,
            f"recorded as no. {recorded[0]}" if recorded else words,
        )
    ]


def calls_were_spoilt(capture: Capture) -> list[Finding]:
    """The process has met the bad disk."""
    return [Finding("the disk was spoilt", capture.spoilt > 0, f"{capture.spoilt} calls")]


def nothing_passed(capture: Capture) -> list[Finding]:
    """While it was cut off nobody heard the daemon's heart, for longer than it rests between two beats."""
    beats = [each.at_s for each in capture.named("heartbeat") if each.payload]
    lasted_s = sum(
        max(0.0, ends_s - begins_s - ON_ITS_WAY_S) for begins_s, ends_s in capture.cut_off
    )
    heard = sum(
        begins_s + ON_ITS_WAY_S < at_s < ends_s
        for begins_s, ends_s in capture.cut_off
        for at_s in beats
    )
    return [
        Finding(
            "nothing was heard of the daemon while it was cut off",
            lasted_s > BETWEEN_BEATS_S and not heard,
            f"{heard} heartbeats in {lasted_s:.0f} s",
        )
    ]


def blindness_was_told(capture: Capture) -> list[Finding]:
    """Each door whose unit told nobody of it was shown as not known meanwhile."""
    blind = [(each.point, each.begins_s) for each in capture.truth if each.state is None]
    unseen = [
        point
        for point, begins_s in blind
        if not any(
            begins_s <= heard.at_s and heard.body.get("value") is None
            for heard in capture.named(f"point/{point}")
            if heard.payload
        )
    ]
    points = ", ".join(point for point, _ in blind)
    return [
        Finding(
            "doors that nobody sees are shown as not known",
            bool(blind) and not unseen,
            f"never told of {', '.join(unseen)}" if unseen else points,
        )
    ]


def cleared_came_back(capture: Capture) -> list[Finding]:
    """What was taken from the broker was gone for a page, and was told anew without being asked for."""
    lacking = [name for name in capture.cleared if not _came_back(capture, name)]
    return [
        Finding(
            "what the broker lost is told anew",
            bool(capture.cleared) and not lacking,
            f"not of {', '.join(lacking[:3])}" if lacking else f"{len(capture.cleared)} topics",
        )
    ]


def _came_back(capture: Capture, name: str) -> bool:
    since_s = capture.cleared[name]
    told = [
        bool(each.payload)
        for each in capture.named(name)
        if each.name == name and each.at_s >= since_s
    ]
    return False in told and any(told[told.index(False) :])


def deaths_were_told(capture: Capture) -> list[Finding]:
    """Invariant 7: the broker said offline of each daemon that was killed while it ran."""
    said = [
        each.at_s
        for each in capture.named("status")
        if each.payload and each.body["state"] == "offline"
    ]
    silent = [
        died_s
        for died_s, _ in capture.dead
        if not any(died_s <= at_s <= died_s + TOLD_WITHIN_S for at_s in said)
    ]
    return [
        Finding(
            "each death is told (7)",
            bool(capture.dead) and not silent,
            f"{len(silent)} of {len(capture.dead)} were not"
            if silent
            else f"{len(capture.dead)} deaths",
        )
    ]
