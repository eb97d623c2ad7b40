"""A stolen tablet sends what it should not: retained, old, forged and malformed commands, state that is not its own."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from daemon.errors import LinkError
from daemon.mqtt.connection import Connection
from daemon.mqtt.wire import PublishRefusedError
from tests.brokers import address
from tests.faults.fault import Fault
from tests.faults.judge import Finding
from tests.processes.rig import ROOT

if TYPE_CHECKING:
    from tests.faults.capture import Capture
    from tests.faults.stage import Stage

BETWEEN_S = 0.6
"""Twenty in ten seconds are allowed to a station: this is not about floods, and the officer has the same."""
LONG = 300_000
GROUNDS = {"retained", "old", "malformed"}
NOT_ITS_OWN = (
    *("as the gangway", "as the SSO's station", "under no known name"),
    *("state: a door is closed", "state: no alert", "an event"),
)
"""What the access list stops: nobody would answer it, and a page would believe it."""


class Thief:
    """A station's password in the wrong hands."""

    def __init__(self, ship: Stage, connection: Connection) -> None:
        self._ship, self._connection = ship, connection

    async def try_(self, what: str, name: str, body: Any, **how: Any) -> None:
        """Publish; note what the broker said, and under which id the daemon would answer."""
        id_ = uuid4().hex[:12]
        if isinstance(body, dict):
            session = self._ship.page.newest.get("status", {}).get("session")
            body = json.dumps({"id": id_, "session": session, **body}).encode()
        try:
            await self._connection.deliver(ROOT + name, body, **{"expiry_s": 10, **how})
            said = "delivered"
        except PublishRefusedError as err:
            said = f"refused by the broker: {err}"
        except LinkError as err:
            said = f"thrown out: {err}"
        self._ship.capture.attempts.append((what, id_, said))
        await asyncio.sleep(BETWEEN_S)


async def play(ship: Stage, lasts_s: float) -> None:
    ship.begins()
    hand = Connection(address(ship.broker, "bridge"), client_id=uuid4().hex)
    await hand.connect()
    try:
        rounds = asyncio.ensure_future(ship.rounds(lasts_s))
        thief = Thief(ship, hand)
        silence: dict[str, Any] = {}
        await thief.try_("retained", "cmd/bridge/silence", silence, retain=True)
        await thief.try_("of yesterday's session", "cmd/bridge/silence", {"session": "0" * 12})
        await thief.try_("that never expires", "cmd/bridge/silence", silence, expiry_s=None)
        await thief.try_("that expires in an hour", "cmd/bridge/silence", silence, expiry_s=3600)
        await thief.try_("no JSON", "cmd/bridge/silence", b"\xff\xfe{{{")
        await thief.try_("without its members", "cmd/bridge/ack", {"alert": 7})
        await thief.try_("of 300 kB", "cmd/bridge/silence", {"x": "y" * LONG})
        await thief.try_("as the gangway", "cmd/gangway/silence", silence)
        await thief.try_("as the SSO's station", "cmd/sso/silence", silence)
        await thief.try_("under no known name", "cmd/bridge/open_all_doors", silence)
        await thief.try_("state: a door is closed", "point/d12", {"value": "closed"}, retain=True)
        await thief.try_("state: no alert", "alert/door.escape.open.d12", b"", retain=True)
        await thief.try_("an event", "event", {"bseq": 1, "seq": 1})
        stranger = {"alert": "data.simulated.ispsd", "instance": 1, "priority": "C"}
        await thief.try_(
            "by nobody of the crew", "cmd/bridge/ack", stranger | {"person": "N. Body"}
        )
        level = {"person": "A. Lindqvist", "level": 1, "told_by": "nobody", "pin": "000000"}
        await thief.try_("with a wrong PIN", "cmd/bridge/curtain", {"down": True} | level)
        await rounds
    finally:
        await hand.abort()
    ship.ends()


def nothing_was_done(capture: Capture) -> list[Finding]:
    """Invariant 11: none of it was carried out, and what reached the daemon is in the record."""
    accepted = {h.body["id"] for h in capture.named("reply/") if h.body.get("accepted")}
    done = [what for what, id_, _ in capture.attempts if id_ in accepted]
    refused = {e["open"].get("ground") for e in capture.written() if e["type"] == "command.refused"}
    stopped = sum("refused" in said or "thrown" in said for _, _, said in capture.attempts)
    passed = [
        what
        for what in NOT_ITS_OWN
        if not any(tried == what and "refused" in said for tried, _, said in capture.attempts)
    ]
    entries = ", ".join(sorted(filter(None, refused)))
    words = f"{len(capture.attempts)} tried, {stopped} of them refused by the broker"
    return [
        Finding(
            "no hostile command is carried out (11)",
            not done and bool(capture.attempts),
            ", ".join(done) or words,
        ),
        Finding(
            "the broker takes nothing that is not the station's own (11)",
            not passed,
            f"it took {', '.join(passed)}" if passed else f"{len(NOT_ITS_OWN)} refused",
        ),
        Finding("what was refused is in the record (11)", refused >= GROUNDS, entries or "nothing"),
    ]


FAULT = Fault(
    name="commands",
    title="Retained, old, forged and malformed commands",
    how="a station's password in the wrong hands; fifteen things that it may not do",
    play=play,
    short_s=9.0,
    full_s=20.0,
    back_within_s=10.0,
    also=nothing_was_done,
)
