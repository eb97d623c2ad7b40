"""Did the ship keep her promises through a fault? Each promise is one pure function over what was captured.

The numbers of the invariants are those of docs/compliance.md's source: the design of ispsd.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.faults.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.faults.capture import Capture, Round, Truth

TOLD_WITHIN_S = 5.0
"""From a door to its alert, and from a press to its answer, on a computer that has other work. The daemon itself takes
under a second; one that waits for a disk takes as long as the fault."""
POLL_S = 2.0
"""How much later than the door itself a value may be true: a poll, and what a busy computer adds to it."""
BEAT_OLD_S = 8.0
"""A heartbeat expires in the broker after 4 s; it is said every 4 s."""
SETTLES_S = 3.0
"""Within so long status follows an alert that degrades the watch."""
DEGRADING = ("record.not_saved", "io.unit_lost", "feed.nav", "feed.ais")
MORE_KIB = 24 * 1024
"""What a process may have grown: Python keeps what it has used once."""
MORE_DESCRIPTORS = 3
MORE_THREADS = 3
"""One disk reader or name resolver more than before is none that leaks with each fault."""
LONGEST_VALID_S = 20.0
"""No value of a door is valid for longer, whatever it says."""
TYPES = {"take_watch": "watch.taken", "ack": "alert.changed"}
"""What stands in the record of a command, by its verb."""
ACTS = {"permit": ("permit.given", "permit.ended"), "acknowledgement": ("alert.changed",)}
"""The same of what was confirmed at the control socket: after a loss another entry may have taken the number."""
NEXT = {"V": "AU", "U": "VN", "A": "N", "N": ""}
"""What may come after what in the record of a door's alert (docs/alerts.md)."""
STEP_S = 0.5
"""How often the page is looked at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise, and whether it was kept."""

    promise: str
    holds: bool
    words: str


def judge(capture: Capture, *, expects: Iterable[str] = (), promised_s: float) -> list[Finding]:
    """Hold everything against what was captured.

    Args:
        capture: What was seen.
        expects: Alerts by key that somebody must have been shown during the fault.
        promised_s: Within how long after the fault everything is as before.
    """
    return [
        nothing_confirmed_is_lost(capture),
        record_verifies(capture),
        events_are_whole(capture),
        alerts_and_acknowledgements_worked(capture),
        alerts_keep_their_order(capture),
        nothing_is_shown_older_than_it_says(capture),
        no_green_while_blind(capture),
        no_false_liveness(capture),
        alerts_came(capture, expects),
        back_to_normal(capture, promised_s),
        memory_and_descriptors_are_as_before(capture),
    ]


def nothing_confirmed_is_lost(capture: Capture) -> Finding:
    """Invariant 4: what a subscriber, a station or the control socket was told is recorded stands in the record."""
    faults, told = [], 0
    for what, seq, entry in _told(capture):
        told += 1
        stored = capture.entries.get(seq)
        if stored is None:
            faults.append(f"no. {seq} ({what}) is not in the record")
        elif entry is not None and sha256(entry).digest() != sha256(stored).digest():
            faults.append(f"no. {seq} ({what}) is another entry in the record")
    for verb, station, seq in _replies(capture):
        written = json.loads(capture.entries.get(seq, b"{}"))
        by = written.get("actor", {}).get("station")
        if (written.get("type"), by) != (TYPES.get(verb, written.get("type")), station):
            faults.append(
                f"no. {seq} (reply to {verb} of {station}) is {written.get('type')} of {by}"
            )
    faults += _others_in_their_place(capture)
    for seq, id_, state in _alerts_told(capture):
        told += 1
        written = json.loads(capture.entries.get(seq, b'{"open": {}}'))["open"]
        if (written.get("id"), written.get("state")) != (id_, state):
            faults.append(f"no. {seq} (alert {id_} {state}) does not say so")
    if not told:
        faults.append("nothing was confirmed at all: nothing is shown by that")
    return _finding(
        "nothing that was confirmed is lost (4)", faults, f"{told} confirmations, all in the record"
    )


def _others_in_their_place(capture: Capture) -> Iterator[str]:
    for seq, what in capture.confirmed:
        type_ = json.loads(capture.entries.get(seq, b"{}")).get("type")
        if type_ is not None and type_ not in ACTS.get(what.partition(" ")[0], ()):
            yield f"no. {seq} ({what}) is {type_}"


def record_verifies(capture: Capture) -> Finding:
    """Invariant 12: by the stand-alone verifier, with the public key and heads that the subscriber kept."""
    code, words = capture.verdict
    faults = [] if code == 0 and words.startswith("PASS") else [words.strip()[:300]]
    return _finding("the record verifies", faults, words.strip().splitlines()[0] if words else "")


def events_are_whole(capture: Capture) -> Finding:
    """Every entry for watch stations came as an event, in order but for what came twice."""
    came = [each.body["bseq"] for each in capture.named("event")]
    written = [entry["bseq"] for entry in capture.written() if entry.get("bseq") is not None]
    faults = []
    if missing := sorted(set(written) - set(came)):
        faults.append(f"{len(missing)} events never came: bseq {missing[:5]}")
    if sorted(written) != list(range(1, len(written) + 1)):
        faults.append("their numbers in the record are not dense")
    firsts = [bseq for bseq in dict.fromkeys(came) if bseq not in capture.asked_again]
    if firsts != sorted(firsts):
        faults.append("out of order")
    return _finding("all events arrive, in order", faults, f"{len(set(came))} events")


def alerts_and_acknowledgements_worked(capture: Capture) -> Finding:
    """Invariant 5: a door's alert came at once, and an officer's press worked at once, whatever the disk did."""
    faults = []
    if not any(each.when == "during" for each in capture.rounds):
        faults.append("no door was moved during the fault")
    for each in capture.rounds:
        faults += [
            f"{each.alert} {each.when} the fault, by {each.by}: {fault}"
            for fault in _round_faults(each)
        ]
    longest = max(
        (each.told_s - each.opened_s for each in capture.rounds if each.told_s), default=0.0
    )
    answer = max(
        (r.answered_s - r.asked_s for r in capture.rounds if r.answered_s and r.asked_s),
        default=0.0,
    )
    return _finding(
        "alerts come and acknowledgements work (5)",
        faults,
        f"{len(capture.rounds)} doors; door to alert at most {longest:.1f} s, press to answer {answer:.1f} s",
    )


def _round_faults(each: Round) -> Iterator[str]:
    if each.told_s is None or each.told_s - each.opened_s > TOLD_WITHIN_S:
        yield f"no alert within {TOLD_WITHIN_S:g} s"
    elif not each.accepted or each.answered_s is None or each.asked_s is None:
        yield "the acknowledgement was not accepted"
    elif each.answered_s - each.asked_s > TOLD_WITHIN_S:
        yield f"the acknowledgement took {each.answered_s - each.asked_s:.1f} s"
    elif each.quiet_s is None:
        yield "it was not seen as acknowledged"
    elif each.gone_s is None:
        yield "the alert did not end with the door shut"


def alerts_keep_their_order(capture: Capture) -> Finding:
    """What the record says of doors stands in the order in which it happened, each round whole."""
    faults = []
    numbers: dict[str, list[tuple[int, str]]] = {}
    for entry in capture.written():
        said = entry["open"]
        if entry["type"] == "alert.changed" and said.get("id", "").startswith("door."):
            numbers.setdefault(f"{said['id']} {said['instance']}", []).append(
                (entry["seq"], said["state"])
            )
    for name, states in numbers.items():
        told = [state for _, state in states]
        if told[0] != "V" or any(
            after not in NEXT.get(state, "") for state, after in pairwise(told)
        ):
            faults.append(f"{name}: {' '.join(told)}")
    opened = [seq for states in numbers.values() for seq, state in states if state == "V"]
    gone = gone_unconfirmed(capture)
    done = [each for each in capture.rounds if each.told_s is not None and each not in gone]
    if len(opened) < len(done):
        faults.append(f"{len(done)} doors were opened, {len(opened)} stand in the record")
    ended = [each for each in done if each.gone_s is not None]
    whole = [
        name for name, states in numbers.items() if {"A", "N"} <= {state for _, state in states}
    ]
    if len(whole) < len(ended):
        faults.append(
            f"{len(ended)} were acknowledged and ended, {len(whole)} are so in the record"
        )
    if opened != sorted(opened):
        faults.append("openings out of order")
    return _finding("the record has the alerts in their order", faults, f"{len(opened)} openings")


def nothing_is_shown_older_than_it_says(capture: Capture) -> Finding:
    """Invariant 13: each good value was true when it says so, by what the simulated door really was."""
    faults, seen = [], 0
    for heard in capture.named("point/"):
        body, point = heard.body, heard.name.removeprefix("point/")
        truths = [each for each in capture.truth if each.point == point]
        if not truths or not body or body["quality"] != "good" or body["value"] is None:
            continue
        seen += 1
        if body["up"] > heard.at_s + 0.5:
            faults.append(f"{point} is from the future by {body['up'] - heard.at_s:.1f} s")
        if not _was(truths, body["value"], body["up"] - POLL_S, body["up"] + 0.5):
            faults.append(
                f"{point} {body['value']} at {body['up'] - capture.begins_s:+.1f} s: it was not so"
            )
    if not seen:
        faults.append("no door was seen at all")
    return _finding("nothing is shown older than it says (13)", faults, f"{seen} values of doors")


def no_green_while_blind(capture: Capture) -> Finding:
    """Invariants 3 and 13: what a page shows in colour was true within its validity, and status follows the alerts."""
    faults: list[str] = []
    points = {each.point for each in capture.truth}
    looks, shown, grey_s, degraded_since = 0, 0, 0.0, None
    for at_s, page in _looks(capture):
        looks += 1
        grey_s += 0.0 if page.is_fresh(at_s) else STEP_S
        for point in sorted(points):
            value, _ = page.shows(point, at_s)
            if value is None:
                continue
            shown += 1
            valid_s = min(page.topics[f"point/{point}"]["valid_for"], LONGEST_VALID_S)
            truths = [each for each in capture.truth if each.point == point]
            if not _was(truths, value, at_s - valid_s - POLL_S, at_s + 0.5):
                faults.append(f"{point} {value} at {at_s - capture.begins_s:+.1f} s")
        degrades = page.is_fresh(at_s) and any(a.startswith(DEGRADING) for a in page.alerts())
        degraded_since = (degraded_since or at_s) if degrades else None
        state = page.topics.get("status", {}).get("state")
        if degraded_since is not None and at_s - degraded_since > SETTLES_S and state == "ready":
            faults.append(
                f"status is ready at {at_s - capture.begins_s:+.1f} s with {sorted(page.alerts())}"
            )
    if not looks:
        faults.append("no page was there")
    elif not shown:
        faults.append("no door was ever shown in colour: nothing is shown by that")
    return _finding(
        "nothing is green while blind (3, 13)", faults, f"page all grey for {grey_s:.0f} s"
    )


def no_false_liveness(capture: Capture) -> Finding:
    """Invariant 7: heartbeats are of now and never go back, and none comes of a dead daemon."""
    faults = []
    beats = [each for each in capture.named("heartbeat") if each.payload]
    ups = [each.body["up"] for each in beats]
    for each, up in zip(beats, ups, strict=True):
        if not -0.5 <= each.at_s - up <= BEAT_OLD_S:
            faults.append(f"a heartbeat of {each.at_s - up:.1f} s ago")
        if any(begins + POLL_S < up < ends for begins, ends in capture.dead):
            faults.append("a heartbeat of a dead daemon")
    if any(later <= earlier for earlier, later in pairwise(ups)):
        faults.append("heartbeats go back")
    if not beats:
        faults.append("no heartbeat at all")
    return _finding("no false liveness (7)", faults, f"{len(beats)} heartbeats")


def alerts_came(capture: Capture, expects: Iterable[str]) -> Finding:
    """What the fault has to raise was shown, at the page or at the ship's own computer."""
    seen = raised(capture)
    faults = [f"{key} did not come" for key in expects if not any(a.startswith(key) for a in seen)]
    return _finding(
        "the ship says what is wrong", faults, ", ".join(sorted(seen)) or "no alert is due"
    )


def back_to_normal(capture: Capture, promised_s: float) -> Finding:
    """Everything is as before within the promised time, by itself, and no alert stays."""
    faults = []
    if capture.normal_s is None:
        faults.append(f"not as before: {capture.left}")
        return _finding("back to normal by itself", faults, "")
    took_s = capture.normal_s - capture.ends_s
    if took_s > promised_s:
        faults.append(f"it took {took_s:.0f} s, promised are {promised_s:g}")
    return _finding(
        "back to normal by itself", faults, f"after {took_s:.0f} s (promised: {promised_s:g})"
    )


def memory_and_descriptors_are_as_before(capture: Capture) -> Finding:
    """Nothing leaks; a process that was killed is compared with nothing."""
    before, after = capture.before, capture.after
    if before is None or after is None:
        return Finding("memory and descriptors as before", False, "not measured")
    if before.pid != after.pid and capture.dead:
        words = f"a new process: {after.descriptors} descriptors, {after.resident_kib // 1024} MiB"
        return Finding("memory and descriptors as before", True, words)
    faults = []
    if before.pid != after.pid:
        faults.append("another process: nobody killed the first")
    for what, was, is_, more in (
        ("descriptors", before.descriptors, after.descriptors, MORE_DESCRIPTORS),
        ("threads", before.threads, after.threads, MORE_THREADS),
        ("KiB resident", before.resident_kib, after.resident_kib, MORE_KIB),
    ):
        if is_ > was + more:
            faults.append(f"{was} {what} before, {is_} after")
    words = (
        f"{before.descriptors} descriptors, then {after.descriptors}; "
        f"{before.resident_kib // 1024} MiB, then {after.resident_kib // 1024}"
    )
    return _finding("memory and descriptors as before", faults, words)


def gone_unconfirmed(capture: Capture) -> list[Round]:
    """Return the doors whose acknowledgement was answered as not yet recorded, and that died with the daemon."""
    return [
        each
        for each in capture.rounds
        if each.recorded is None
        and each.answered_s is not None
        and any(each.answered_s < died_s for died_s, _ in capture.dead)
    ]


def raised(capture: Capture) -> set[str]:
    """Return the alerts that were shown anywhere from the fault on, without doors and what stood before."""
    at_page = {each.name.removeprefix("alert/") for each in capture.named("alert/") if each.payload}
    here = {alert for look in capture.looks for alert in look.alerts or ()}
    return {each for each in at_page | here if not each.startswith("door.")} - capture.usual


def _told(capture: Capture) -> Iterator[tuple[str, int, bytes | None]]:
    for heard in capture.named("event"):
        yield "event", heard.body["seq"], heard.entry
    for verb, station, seq in _replies(capture):
        yield f"reply to {verb} of {station}", seq, None
    for seq, what in capture.confirmed:
        yield what, seq, None


def _replies(capture: Capture) -> Iterator[tuple[str, str, int]]:
    for heard in capture.named("reply/"):
        if (seq := heard.body.get("recorded")) is not None:
            yield heard.body["verb"], heard.name.removeprefix("reply/"), seq


def _alerts_told(capture: Capture) -> Iterator[tuple[int, str, str]]:
    for heard in capture.named("alert/"):
        body = heard.body
        if body and body["recorded"] is not None:
            yield body["recorded"], body["id"], body["state"]


def _looks(capture: Capture) -> Iterator[tuple[float, Page]]:
    """Yield a page as it stands at every half second, with the moment."""
    if not capture.heard:
        return
    page, at_s = Page(), capture.heard[0].at_s
    for heard in capture.heard:
        while at_s < heard.at_s:
            yield at_s, page
            at_s += STEP_S
        page.hear(heard)
    yield capture.heard[-1].at_s, page


def _was(truths: list[Truth], value: object, from_s: float, to_s: float) -> bool:
    """Return whether a sensor was so at any moment between two; before the first that is known, anything may be."""
    for each, after in zip(truths, [*truths[1:], None], strict=True):
        ends_s = float("inf") if after is None else after.done_s
        if each.state == value and each.begins_s <= to_s and ends_s >= from_s:
            return True
    return from_s < truths[0].done_s


def _finding(promise: str, faults: list[str], words: str) -> Finding:
    more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
    return Finding(promise, not faults, "; ".join(faults[:3]) + more if faults else words)
