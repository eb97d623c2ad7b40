"""Everything that outlives a daemon process: devices, broker, subscriber, and the folder of the record."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.mqtt.embedded import embedded_broker
from daemon.simulate import processes
from tests import thin
from tests.pins import give_pins
from tests.processes.rig import stored, verified, witness

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from daemon.mqtt.embedded import EmbeddedBroker
    from daemon.simulate.processes import Simulators
    from tests.processes.rig import Witness

HATCH, GEN_ROOM = 3, 13
SEAL_CLOSED, SEAL_OPEN = 6, 7


@dataclass(slots=True)
class Berth:
    """The demo's ship without its daemon."""

    folder: Path
    config: Path
    broker: EmbeddedBroker
    devices: Simulators
    witness: Witness

    def daemon(self) -> AbstractAsyncContextManager[Process]:
        """Run the daemon on the record; at the end it is stopped in order, unless it is dead by then."""
        return processes.daemon_process(self.config, self.folder / "daemon.log")

    async def verify(self, *notes: str) -> None:
        """Fail unless the verifier says PASS."""
        code, words = await verified(self.folder / "record", self.folder / "record-key.pub", *notes)
        assert code == 0, words

    def stored(self) -> dict[int, bytes]:
        """Return every entry's bytes by ``seq``."""
        return stored(self.folder / "record")


@asynccontextmanager
async def alongside(folder: Path) -> AsyncIterator[Berth]:
    """Make everything ready for a daemon."""
    async with (
        embedded_broker() as broker,
        thin.simulators() as devices,
        witness(broker) as seen,
    ):
        await devices.do("io1", "inputs", on=thin.ALL_SHUT)
        give_pins(folder / "persons.json")
        config = thin.write_config(folder, devices, broker)
        yield Berth(folder, config, broker, devices, seen)
