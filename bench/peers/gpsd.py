"""gpsd, from Debian."""

from __future__ import annotations

import re
import shutil
import subprocess

PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
"""Debian puts it where not every user looks."""


def program() -> str | None:
    return shutil.which("gpsd", path=PATH)


def version() -> str:
    """Return its version, empty where it is not installed."""
    found = program()
    if found is None:
        return ""
    said = subprocess.run([found, "-V"], check=False, stdout=subprocess.PIPE, text=True).stdout
    number = re.search(r"(\d+\.\d+\S*)", said)
    return number[1] if number else ""
