"""Start a child process that cannot outlive us, however we end (prctl(2), PR_SET_PDEATHSIG)."""

from __future__ import annotations

import os
import sys

# Runs first in the child: asks to be killed with its parent, then becomes the program.
_LEASH = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit("parent is gone")
os.execvp(sys.argv[2], sys.argv[2:])
"""


def leashed(*command: str) -> tuple[str, ...]:
    """Return the command that runs a command on a leash of this process.

    The kernel binds it to the thread that starts it: start it from one that lives as long as the process.
    """
    return (sys.executable, "-I", "-c", _LEASH, str(os.getpid()), *command)
