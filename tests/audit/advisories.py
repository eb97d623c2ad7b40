"""Is a weakness known of what runs aboard? Asked of those who keep lists, and said plainly where nobody answered.

pip-audit asks OSV (osv.dev) for the Python packages, npm its registry for those of the page. Neither's own verdict is
taken: pip-audit says "no known vulnerabilities" of packages that it could not look up.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.audit.inventory import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PIP_AUDIT = TOOLS / "bin/pip-audit"
PATIENCE_S = 180
"""Real seconds for one service, all packages together."""
EACH_S = 15
ACCEPTED: Mapping[str, str] = {}
"""Advisories that do not touch us, each with the reason. Reviewed at each release."""


@dataclass(frozen=True, slots=True)
class Advisory:
    """One known weakness of one package."""

    id: str
    package: str
    version: str
    more: str
    aboard: bool
    """Whether it is of what runs aboard; else of a tool that builds or tests."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one service said."""

    of: str
    asked: int
    """Packages that it answered for."""
    found: tuple[Advisory, ...] = ()
    unanswered: str | None = None
    """Why it did not answer for the others, or at all."""


def ask_osv(pinned: Mapping[str, str], aboard: Iterable[str], *, url: str | None = None) -> Answer:
    """Ask OSV of the Python packages at their pinned versions."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "pinned.txt"
        listed.write_text("".join(f"{n}=={v}\n" for n, v in sorted(pinned.items())), "utf-8")
        said = _said(
            [PIP_AUDIT, "--requirement", listed, "--no-deps",
             "--disable-pip", "--format", "json", "--progress-spinner", "off",
             "--cache-dir", folder, "--timeout", str(EACH_S),
             "--vulnerability-service", "osv", *(["--osv-url", url] if url else [])],
        )  # fmt: skip
    return read_pip_audit(said, len(pinned), frozenset(aboard))


def ask_npm(folder: Path, of: str, aboard: Iterable[str] = ()) -> Answer:
    """Ask whom npm is set to ask of what a package-lock.json locks."""
    said = _said(
        ["npm", "audit", "--json", "--package-lock-only", "--ignore-scripts",
         "--fetch-retries=0", f"--fetch-timeout={EACH_S * 1000}"],
        cwd=folder,
    )  # fmt: skip
    return read_npm_audit(said, of, frozenset(aboard))


def read_pip_audit(said: Said, pinned: int, aboard: frozenset[str]) -> Answer:
    """Return what pip-audit found, and what it left out."""
    of = "Python packages"
    try:
        rows = list(json.loads(said.out)["dependencies"])
    except (ValueError, KeyError, TypeError):
        return Answer(of, 0, unanswered=said.reason)
    looked_up = [row for row in rows if "vulns" in row]
    left_out = [row["skip_reason"] for row in rows if "skip_reason" in row]
    unanswered = None
    if len(looked_up) < pinned:
        unanswered = f"{pinned - len(looked_up)} of {pinned} packages were not looked up"
        unanswered += f": {left_out[0]}" if left_out else ""
    found = tuple(
        Advisory(
            id=each["id"],
            package=row["name"],
            version=row["version"],
            more=f"mended in {', '.join(each['fix_versions']) or 'no version'}",
            aboard=row["name"] in aboard,
        )
        for row in looked_up
        for each in row["vulns"]
    )
    return Answer(of, len(looked_up), found, unanswered)


def read_npm_audit(said: Said, of: str, aboard: frozenset[str]) -> Answer:
    """Return what npm found."""
    try:
        report = json.loads(said.out)
        asked = int(report["metadata"]["dependencies"]["total"])
        rows = list(report["vulnerabilities"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return Answer(of, 0, unanswered=_npm_reason(said))
    # A row without an advisory of its own only depends on one that has.
    found = {
        (via["url"], via["name"]): Advisory(
            id=via["url"].rpartition("/")[2],
            package=via["name"],
            version=via["range"],
            more=f"{via['severity']}: {via['title']}",
            aboard=via["name"] in aboard,
        )
        for row in rows
        for via in row["via"]
        if isinstance(via, dict)
    }
    return Answer(of, asked, tuple(found.values()), None if asked else "nothing was locked")


def refused(answers: Iterable[Answer], *, accepted: Mapping[str, str] = ACCEPTED) -> list[Advisory]:
    """Return what may not go aboard."""
    return [
        each
        for answer in answers
        for each in answer.found
        if each.aboard and each.id not in accepted
    ]


@dataclass(frozen=True, slots=True)
class Said:
    """What a program printed."""

    out: str
    reason: str
    """The last line of its complaint."""


def _said(words: list[Any], *, cwd: Path | None = None) -> Said:
    try:
        done = subprocess.run(
            words, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except FileNotFoundError:
        return Said("", f"{words[0]} is not installed")
    except subprocess.TimeoutExpired:
        return Said("", f"no answer within {PATIENCE_S} s")
    complaint = done.stderr.strip().splitlines() or [f"exit code {done.returncode}, no words"]
    return Said(done.stdout, complaint[-1])


def _npm_reason(said: Said) -> str:
    try:
        about = json.loads(said.out)
        return str(about.get("message") or about["error"]["summary"]).strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        return said.reason
