"""What may a paper say of its own record? What the stand-alone verifier said a moment before, and not a word more."""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from daemon.errors import IspsdError
from daemon.papers import moments
from daemon.record import selfcheck, snapshot, verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from daemon.record.snapshot import Head

PASS: Final = "PASS"  # noqa: S105 (a verdict)
LONGEST_CHECK_S: Final = 3600.0
SHOWS: Final = (
    "The record shows what sensors and the named persons reported; "
    "it does not by itself prove that a report was true."
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the verifier said of a snapshot, and which head it stands under.

    Attributes:
        words: The verifier's own sentence.
        checked: When it was asked, in UTC.
        newest_seq: The last entry that is there, sealed or not.
    """

    verdict: str
    words: str
    checked: datetime
    first_seq: int
    newest_seq: int
    head: Head

    @property
    def last_seq(self) -> int:
        """The last entry that is sealed."""
        return self.head.first_seq + self.head.size - 1

    @property
    def fingerprint(self) -> str:
        """The first twenty hex digits of the root, in fours: ``3F2A 90C1 …``."""
        root = base64.b64decode(self.head.note.split("\n")[2])
        digits = root.hex().upper()[:20]
        return " ".join(digits[begin : begin + 4] for begin in range(0, 20, 4))

    def sentence(self) -> str:
        """Return the statement of integrity; what was not proven is said as the verifier says it."""
        if self.verdict == PASS:
            return (
                f"Entries {self.first_seq}–{self.last_seq} of this record verified unaltered since they were written "
                f"(last check {moments.utc_words(self.checked)}, fingerprint {self.fingerprint}). {SHOWS}"
            )
        word = "does NOT verify" if self.verdict == "FAIL" else "could NOT be verified"
        return (
            f"This record {word} when this paper was made ({moments.utc_words(self.checked)}, "
            f"entries {self.first_seq}–{self.last_seq}, fingerprint {self.fingerprint}): "
            f"{self.verdict}: {self.words}. {SHOWS}"
        )

    def beside(self) -> str:
        """Return what must be said beside the statement: outside witnesses, and entries that nothing seals yet."""
        said = f"The verifier's words: {self.words}." if self.verdict == PASS else ""
        if self.newest_seq <= self.last_seq:
            return said
        tail = f"Entries {self.last_seq + 1}–{self.newest_seq} are not covered: no checkpoint stands behind them yet."
        return f"{said} {tail}".strip()

    def short(self) -> str:
        """Return the verdict for the foot of a page."""
        if self.verdict == PASS:
            return f"Verified PASS {moments.utc_words(self.checked)}"
        return f"NOT VERIFIED ({self.verdict}) {moments.utc_words(self.checked)}"


def prove(
    folder: Path,
    *,
    keys: Sequence[str],
    anchors: Sequence[str],
    first_seq: int,
    newest_seq: int,
    checked: datetime,
) -> Proof:
    """Have a snapshot verified by the verifier in a process of its own.

    Args:
        folder: Of segments that nobody writes.
        keys: Public keys: files or vkey lines.
        anchors: Checkpoints that somebody else holds, as signed notes.
        first_seq: Of the first entry in the folder.
        newest_seq: Of the last.
        checked: Now.

    Raises:
        RecordError: Nothing in it is sealed.
        IspsdError: The verifier cannot be started.
    """
    head = snapshot.head(folder)
    with tempfile.TemporaryDirectory(prefix="ispsd-anchors-") as place:
        words: list[str] = []
        for number, note in enumerate(anchors):
            file = Path(place) / f"anchor-{number}"
            file.write_text(note, "utf-8")
            words += ["--anchor", str(file)]
        for key in keys:
            words += ["--key", key]
        command = [sys.executable, "-I", str(Path(verify.__file__)), str(folder), "--json", *words]
        try:
            # Its errors stay on the terminal: there it shows how far it has come.
            ran = subprocess.run(  # noqa: S603 (our own words)
                command, stdout=subprocess.PIPE, timeout=LONGEST_CHECK_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as err:
            raise IspsdError(f"the verifier did not answer: {err}") from err
    verdict, said = selfcheck.judge(ran.stdout, ran.returncode)
    return Proof(verdict, said, checked, first_seq, newest_seq, head)
