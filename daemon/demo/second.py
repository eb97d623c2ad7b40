"""A second computer on board that cosigns the heads of the demo's record: a witness as a ship would have one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.errors import IspsdError
from daemon.record.witness_store import Store
from daemon.simulate import processes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NAME: Final = "second-computer"
START_S: Final = 20.0
LISTENING: Final = "listening on "


@dataclass(frozen=True, slots=True)
class SecondComputer:
    """It, while it runs.

    Attributes:
        key: The vkey line of its own key: what a verifier is given.
        url: Where it is asked.
    """

    folder: Path
    key: str
    url: str

    def trust(self, vkey: str) -> None:
        """Have it cosign the heads that this key signs.

        Raises:
            RefusedError: It trusts another one under that name.
        """
        store = Store(self.folder)
        if vkey not in {known.line() for known in store.trusted()}:
            store.trust(vkey)

    def section(self) -> dict[str, str]:
        """Return what the ship's file says of it."""
        return {"name": NAME, "key": self.key, "url": self.url}


@asynccontextmanager
async def second_computer(folder: Path) -> AsyncIterator[SecondComputer]:
    """Run it; its key and what it signed stay in the folder.

    Raises:
        IspsdError: It does not start.
    """
    key = await asyncio.to_thread(_key, folder)
    words = ("-m", "daemon", "witness", "serve", "--state", str(folder), "--listen", "127.0.0.1:0")
    async with processes.child(*words, log=folder.with_suffix(".log")) as process:
        if process.stdout is None:
            raise IspsdError("the second computer: no way to hear it")
        async with asyncio.timeout(START_S):
            line = (await process.stdout.readline()).decode().strip()
        if not line.startswith(LISTENING):
            raise IspsdError(f"the second computer did not start: {line or 'it ended'}")
        yield SecondComputer(folder, key, line.removeprefix(LISTENING))


def _key(folder: Path) -> str:
    """Return its public key; it is made at the first time."""
    store = Store(folder)
    public = folder / "witness.pub"
    return public.read_text("utf-8").strip() if public.exists() else store.init(NAME).line()
