"""What runs aboard, is it pinned, and may we pass it on?

Read from what is installed and from the notices of the page, never from a list of our own beside them.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".audit"
"""The environment of the tools that audit, which `make audit` makes."""
FRONT = ROOT / "daemon/web/front"
NOTICES = ROOT / "daemon/web/static/notices.txt"
PACKAGED = ("cctv", "papers", "web")
"""Extras that the Debian package has in it: debian/build.py holds the same."""
RUN_TIME = (*PACKAGED, "demo")
BUILDING = frozenset({"hatchling", "trove-classifiers"})
"""Pinned, and never installed beside us: what makes the wheel, and what that needs which nothing else does."""
WITH_PYTHON = frozenset({"pip"})
"""Needed by a tool, and never pinned: it is in every environment before us."""
PERMISSIVE = frozenset(
    {
        *("MIT", "MIT-0", "MIT-CMU", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause"),
        *("Apache-2.0", "PSF-2.0", "Zlib"),
        # What older metadata has instead of an identifier of SPDX.
        *("MIT License", "Apache Software License", "Apache 2.0", "BSD License"),
        "Python Software Foundation License",
    }
)
READ_BY_HAND: Mapping[str, tuple[str, str]] = {
    "apsw": ("any-OSI", "whoever has it chooses any licence that the OSI approved; we choose MIT"),
}
"""Licences that no table can judge: what the package says of itself, and what we read in it. Where it comes to say
something else, this no longer holds."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package: its canonical name, its version, its licence as it says itself."""

    name: str
    version: str
    licence: str


def pins(text: str) -> dict[str, str]:
    """Return the version of each package that a file of constraints pins."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return {
        canonicalize_name(name): version
        for name, _, version in (line.partition("==") for line in lines if line)
    }


def extras() -> frozenset[str]:
    """Return the names of all extras of ispsd."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return frozenset(project["optional-dependencies"])


def installed(of: Iterable[str], *, where: list[str] | None = None) -> dict[str, Package]:
    """Return what ispsd with these extras brings besides itself, by canonical name.

    Args:
        of: The extras.
        where: Folders of installed packages; else those of this Python.

    Raises:
        PackageNotFoundError: One of them is not installed there.
    """
    places = sys.path if where is None else where
    found: dict[str, Package] = {}
    waiting = [("ispsd", frozenset(of))]
    seen = set(waiting)
    while waiting:
        name, wanted = waiting.pop()
        distribution = next(iter(metadata.distributions(name=name, path=places)), None)
        if distribution is None:
            raise metadata.PackageNotFoundError(name)
        if name != "ispsd":
            found[name] = Package(name, distribution.version, said_licence(distribution.metadata))
        for line in distribution.requires or ():
            needed = Requirement(line)
            if needed.marker is None or any(
                needed.marker.evaluate({"extra": each}) for each in ("", *wanted)
            ):
                next_ = (canonicalize_name(needed.name), frozenset(needed.extras))
                if next_ not in seen:
                    seen.add(next_)
                    waiting.append(next_)
    return found


def everything() -> dict[str, Package]:
    """Return what all extras bring: the tools that audit in their environment, all others here."""
    tools = [str(each) for each in TOOLS.glob("lib/python*/site-packages")]
    return installed(extras() - {"audit"}) | installed(["audit"], where=tools)


def said_licence(about: metadata.PackageMetadata) -> str:
    """Return a package's licence in its own words: an SPDX expression, else its classifiers, else free text."""
    if expression := about.get("License-Expression"):
        return str(expression)
    classed = [
        each.rpartition(" :: ")[2]
        for each in about.get_all("Classifier") or ()
        if each.startswith("License :: ") and each != "License :: OSI Approved"
    ]
    # Of several classifiers nobody says whether one may choose, so all of them count.
    return " AND ".join(classed) or " ".join((about.get("License") or "").split())


def is_permissive(licence: str) -> bool:
    """Say whether a licence, or a choice between licences, asks for no more than a notice."""
    return any(
        all(each in PERMISSIVE for each in choice.split(" AND "))
        for choice in licence.split(" OR ")
    )


def bundle(notices: str) -> dict[str, Package]:
    """Return what the page has in it of others, by name, as its notices name it."""
    heads = re.finditer(r"^(?:.*, from )?(\S+) (\d+\.\S+) \(([^()]+)\)$", notices, re.MULTILINE)
    return {head[1]: Package(head[1], head[2], head[3]) for head in heads}


def locked(lock: str) -> dict[str, str]:
    """Return the version of each package that lies at the top of a package-lock.json."""
    return {
        path.removeprefix("node_modules/"): about["version"]
        for path, about in json.loads(lock)["packages"].items()
        if path.count("node_modules/") == 1
    }


def unpinned(
    needed: Mapping[str, Package], pinned: Mapping[str, str], *, beside: frozenset[str] = BUILDING
) -> list[str]:
    """Return what is wrong between what is installed for all extras and what is pinned."""
    faults = [
        f"{name} {package.version} is installed, "
        + (f"pinned is {pinned[name]}" if name in pinned else "pinned it is not")
        for name, package in sorted(needed.items())
        if pinned.get(name) != package.version and name not in WITH_PYTHON
    ]
    stale = sorted(pinned.keys() - needed.keys() - beside)
    return faults + [f"{name} is pinned, and nothing needs it" for name in stale]


def unlocked(bundled: Mapping[str, Package], lock: Mapping[str, str]) -> list[str]:
    """Return what the page has in it that is not what its lock file says."""
    return [
        f"the page has {package.name} {package.version} in it, locked is {lock.get(name)}"
        for name, package in sorted(bundled.items())
        if lock.get(name) != package.version
    ]


def binding(
    packages: Iterable[Package], *, read: Mapping[str, tuple[str, str]] = READ_BY_HAND
) -> list[str]:
    """Return what may not be passed on with ispsd, or what nobody has read yet."""
    by_hand = {name: said for name, (said, _) in read.items()}
    return [
        f"{each.name} {each.version}: licence {each.licence or 'not said'!r} is not on the permissive list"
        for each in packages
        if not is_permissive(each.licence) and by_hand.get(each.name) != each.licence
    ]
