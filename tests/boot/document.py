"""Type what a procedure says, line by line, as somebody does who has nothing else; the system's own Python alone.

Its blocks of commands (```console) are typed in their order at a terminal, its blocks of the ship's file (```toml) are
written into it. What a command asks for is answered as a person would.
"""

from __future__ import annotations

import os
import pty
import re
import select
import time
from pathlib import Path

SHIP = Path("/etc/ispsd/ispsd.toml")
FENCE = re.compile(r"^( *)```(console|toml)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LONGEST_S = 300.0
PIECE = 65536
MAY_END_WITH_1 = ("ispsd doctor", "ispsd init --check")
"""They say so while something is left to be done."""


def section(text: str, heading: str) -> str:
    """Return what stands below a heading, up to the next of its kind."""
    _, found, rest = text.partition(f"\n## {heading}\n")
    if not found:
        raise RuntimeError(f"there is no section {heading!r}")
    return rest.partition("\n## ")[0]


def steps(text: str) -> list[tuple[str, str]]:
    """Return what is to be done: ("type", a command) or ("write", lines of the ship's file)."""
    found = []
    for indent, kind, body in FENCE.findall(text):
        lines = [line.removeprefix(indent) for line in body.splitlines()]
        if kind == "toml":
            found.append(("write", "\n".join(lines) + "\n"))
            continue
        for line in lines:
            if not line.startswith(("# ", "$ ")):
                raise RuntimeError(f"no command: {line!r}")
            found.append(("type", line[2:]))
    return found


def follow(text: str, *, folder: Path, answers, after) -> list[str]:
    """Do each step; return the commands.

    Args:
        text: The section.
        folder: Where the terminal is until it is told otherwise.
        answers: What is asked (a regular expression), and what a person answers to this command; may be empty.
        after: Checks by the command behind which they are made; each must come up.
    """
    typed = []
    left = dict(after)
    for kind, what in steps(text):
        if kind == "write":
            with SHIP.open("a") as file:
                file.write("\n" + what)
            continue
        typed.append(what)
        if what.startswith("cd "):
            folder = Path(what[3:])
            continue
        code, said = at_terminal(what, folder=folder, answers=answers(what))
        if code and not (code == 1 and what.startswith(MAY_END_WITH_1)):
            raise RuntimeError(f"{what}: ends with {code}: {said[-500:]}")
        if (check := left.pop(what, None)) is not None:
            check(said)
    if left:
        raise RuntimeError(f"the document does not say: {', '.join(left)}")
    return typed


def at_terminal(command: str, *, folder: Path, answers) -> tuple[int, str]:
    """Type one command; return how it ended and what stood on the screen."""
    pid, screen = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvp("bash", ["bash", "-c", command])
    seen, answered, waiting = "", 0, list(answers)
    ends_s = time.monotonic() + LONGEST_S
    while time.monotonic() < ends_s:
        if select.select([screen], [], [], 1.0)[0]:
            try:
                piece = os.read(screen, PIECE)
            except OSError:  # the other end is gone
                break
            if not piece:
                break
            seen += piece.decode(errors="replace")
        if waiting and re.search(waiting[0][0], seen[answered:]):
            answered = len(seen)
            os.write(screen, (waiting.pop(0)[1] + "\n").encode())
    else:
        raise RuntimeError(f"{command}: does not end: {seen[-500:]}")
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(screen)  # not before its end: it would be hung up
    return code, seen
