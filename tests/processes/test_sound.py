"""``ispsd sound`` as a process: an alert of a real daemon becomes pulses, and its acknowledgement silence."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from daemon.simulate.processes import child
from daemon.sound.tones import RATE_HZ
from tests.processes.berth import HATCH, alongside
from tests.soon import soon
from tests.sound.listening import groups, recorded

if TYPE_CHECKING:
    from pathlib import Path

SHIP = "9999993"
ALERT = "alert/door.escape.open.d12"


async def test_an_alert_is_heard_at_the_gangway_until_somebody_acknowledges_it(
    tmp_path: Path,
) -> None:
    async with alongside(tmp_path) as berth:
        seen, ear = berth.witness, tmp_path / "gangway.wav"
        broker = f"127.0.0.1:{berth.broker.port}"
        words = ("--station", "gangway", "--broker", broker, "--ship", SHIP, "--sink", str(ear))
        log = tmp_path / "sound.log"
        async with (
            berth.daemon(),
            child("-m", "daemon", "sound", *words, log=log) as sounder,
        ):
            await seen.session()
            await soon(lambda: "broker.connected" in log.read_text("utf-8"))
            await berth.devices.do("io1", "set", input=HATCH, on=False)
            alert = await seen.until(lambda: seen.newest.get(ALERT))
            assert "gangway" in alert["sounds_at"]
            await soon(lambda: [count for _, count in groups(recorded(ear))] == [2])
            # Nobody can hear a file, so it never says that it is armed; else it is alive.
            await seen.until(lambda: seen.newest["station/gangway"]["sound_armed"] is False)
            reply = await seen.ask(
                *("office", "ack"),
                alert=alert["id"],
                instance=alert["instance"],
                priority=alert["priority"],
            )
            assert reply["accepted"]
            length = len(recorded(ear))
            await soon(lambda: len(recorded(ear)) > length + RATE_HZ)
            assert [count for _, count in groups(recorded(ear))] == [2]
            sounder.send_signal(signal.SIGTERM)
            assert await sounder.wait() == 0
        assert "Traceback" not in log.read_text("utf-8")
