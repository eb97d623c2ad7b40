"""A tracker-type SSAS: the line on which its Iridium SBD modem echoes and answers, on a pty.

Written from the ISU AT Command Reference. The tracker writes its text into the modem, then has it sent; a session that
fails is tried again. What is on the line is the modem's half: with echo on, each command and then its answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.api import Settings, SimulatorSpec, flag, only, whole
from simulators.text_port import VERBS, TextPort

if TYPE_CHECKING:
    from collections.abc import Mapping

TEST_TEXT = "TEST SSAS KESTREL STRAIT 9VKS0 299000019 N01 15.84 E103 50.40"
REAL_TEXT = "SSAS KESTREL STRAIT 9VKS0 299000019 N01 15.84 E103 50.40"
NO_SERVICE = 32
"""MO status: no network service, the session could not begin."""
HIGHEST_STATUS = 65
MOST_FAILURES = 20


class SsasModem:
    """One tracker's modem."""

    def __init__(self, unit_id: str, settings: Settings) -> None:
        """Take the settings.

        ``link`` and ``line_end`` are a text port's; ``echo`` is false where the tracker has turned it off.

        Raises:
            ValueError: Names what is wrong.
        """
        only(settings, "link", "line_end", "echo")
        self._echoes = flag({"echo": True, **settings}, "echo")
        self._port = TextPort(unit_id, settings)
        self._messages = 0

    @property
    def endpoint(self) -> str:
        return self._port.endpoint

    async def start(self) -> None:
        self._port.start()

    async def stop(self) -> None:
        self._port.stop()

    async def do(self, command: Mapping[str, object]) -> None:
        match command.get("do"):
            case "test" | "alert" as what:
                only(command, "do", "status", "failures", "ready")
                text = TEST_TEXT if what == "test" else REAL_TEXT
                await self._port.print(self._dialogue(text, command))
            case "binary":
                only(command, "do")
                await self._port.print(self._write_binary() + self._session(0))
            case "ring":
                only(command, "do")
                await self._port.print(self._answer("SBDRING"))
            case "cut":
                only(command, "do", "after")
                text = self._dialogue(TEST_TEXT, {})
                await self._port.print(text[: whole(command, "after", low=1, high=len(text) - 1)])
            case unknown:
                if not await self._port.do(command):
                    raise ValueError(
                        f"a modem cannot do {unknown!r}; known are test, alert, binary, ring, cut, {VERBS}"
                    )

    def _dialogue(self, text: str, command: Mapping[str, object]) -> str:
        status = whole(command, "status", low=0, high=HIGHEST_STATUS, default=0)
        failures = whole(command, "failures", low=0, high=MOST_FAILURES, default=0)
        on_its_own = flag({"ready": False, **command}, "ready")
        written = self._write_alone(text) if on_its_own else self._write(text)
        sessions = [NO_SERVICE] * failures + [status]
        return written + "".join(self._session(each) for each in sessions)

    def _write(self, text: str) -> str:
        return self._echo(f"AT+SBDWT={text}") + self._answer("OK")

    def _write_alone(self, text: str) -> str:
        """Return the longer way: a command, and the text when the modem is ready for it."""
        ready = self._echo("AT+SBDWT") + self._answer("READY")
        return ready + self._echo(text) + self._answer("0") + self._answer("OK")

    def _write_binary(self) -> str:
        """Return what shows of a binary message: never its bytes."""
        ready = self._echo("AT+SBDWB=50") + self._answer("READY")
        return ready + self._answer("0") + self._answer("OK")

    def _session(self, status: int) -> str:
        self._messages += 1
        said = f"+SBDIX: {status}, {self._messages}, 0, 0, 0, 0"
        return self._echo("AT+SBDIX") + self._answer(said) + self._answer("OK")

    def _echo(self, command: str) -> str:
        return f"{command}\r" if self._echoes else ""

    def _answer(self, said: str) -> str:
        return f"{self._port.line_end}{said}{self._port.line_end}"


SIMULATOR = SimulatorSpec(kind="ssas_modem", build=SsasModem)
