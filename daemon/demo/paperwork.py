"""What SSO and Master do with the record in the morning: reviewed, verified, a pack for port state control."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.computer.leash import leashed
from daemon.control import control
from daemon.demo.second import NAME
from daemon.demo.ssas import MASTER, PINS, SSO
from daemon.demo.words import on_disk
from daemon.errors import IspsdError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from daemon.demo.gangway import Gangway

INSPECTOR: Final = "PSC officer, Singapore"
PACK: Final = "psc-pack.pdf"
WITHIN_S: Final = 60.0


@dataclass(slots=True)
class Paperwork:
    """Tells that chapter."""

    state: Path
    station: Gangway
    socket: Path
    say: Callable[[str, str], None]

    async def tell(self) -> None:
        """Tell it.

        Raises:
            IspsdError: Something did not happen as it should.
        """
        newest = (await control.ask(self.socket, {"do": "log", "count": 1}))["entries"][-1]
        up_to: int = json.loads(newest)["seq"]
        reviewed = await self._signed("review", up_to, SSO)
        self.say(
            "PAPERS", f"{SSO} reviews to no. {up_to}, signed · {on_disk(reviewed['recorded'])}"
        )
        verified = await self._signed("countersign", up_to, MASTER)
        self.say("", f"{MASTER} verifies it, signed · {on_disk(verified['recorded'])}")
        head = await self.station.until("a head that the second computer signed", self._cosigned)
        origin, size = head.split("\n")[:2]
        self.say("", f"a second computer has cosigned {origin} at {size} entries")
        await self._pack()

    async def _signed(self, do: str, up_to: int, name: str) -> dict[str, Any]:
        return await control.ask(
            self.socket, {"do": do, "up_to": up_to, "by": name, "pin": PINS[name]}
        )

    def _cosigned(self) -> str | None:
        note: str = self.station.newest["record/head"]["note"]
        return note if f"\n— {NAME} " in note else None

    async def _pack(self) -> None:
        """Make the pack as the SSO would, with the command that is there for it."""
        pin = self.state / "pin-of-the-sso"
        pin.touch(mode=0o600)
        pin.write_text(PINS[SSO] + "\n", "utf-8")
        pack = self.state / PACK
        words = ["--by", SSO, "--pin-file", str(pin), "--to-whom", INSPECTOR, "--consent", MASTER]
        process = await asyncio.create_subprocess_exec(
            *leashed(sys.executable, "-m", "daemon", "export", "psc", "--replace"),
            *("--out", str(pack), "--socket", str(self.socket), *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(WITHIN_S):
            said = (await process.communicate())[0].decode(errors="replace").splitlines()
        if process.returncode != 0:
            raise IspsdError(f"the pack was not made: {said[-1] if said else process.returncode}")
        size = said[0].removeprefix(f"{pack}: ").partition(", sha256")[0]
        self.say("", f"pack for the {INSPECTOR}, the Master's consent stated: {PACK}, {size}")
        self.say("", said[1].partition(". ")[0])
