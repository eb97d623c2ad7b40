"""A driver with a bug: it keeps the loop for itself. Put among the others on the computer that boots."""

from __future__ import annotations

import time
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
        while True:
            time.sleep(1)  # noqa: ASYNC251 (the bug)


DRIVER = DriverSpec(kind="hanging", config=HangingConfig, build=Hanging)
