"""A driver with a bug: it keeps the loop for itself. Put among the others on the computer that boots."""

from __future__ import annotations

import threading
from typing import Literal

from daemon.drivers.api import DriverConfig, DriverSpec, Health


class HangingConfig(DriverConfig):
    kind: Literal["hanging"]


class Hanging:
    def __init__(self, config, ctx):
        self.health = Health()

    def points(self):
        return ()

    async def run(self, emit):
        threading.Event().wait()  # the bug: it waits where the whole loop has to


DRIVER = DriverSpec(kind="hanging", config=HangingConfig, build=Hanging)
