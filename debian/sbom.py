"""List what the package brings, as CycloneDX: the Python packages of its environment, and the npm packages in the page.

Run with the extra `audit`: ``sbom.py ENVIRONMENT REPORT TO``. The environment says what is in it; the report, pip's of
its installation, and has the hash of each file that was fetched. The same packages make the same bytes: no time, no
number at random, no place of this computer.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).resolve().parents[1]
NOTICES = ROOT / "daemon/web/static/notices.txt"
LOCK = ROOT / "daemon/web/front/package-lock.json"


def main() -> int:
    """Write it; return 1 where it is not what CycloneDX asks for."""
    environment, report, to = map(Path, sys.argv[1:])
    bom = python_packages(environment / "bin/python")
    add_hashes(bom, json.loads(report.read_text("utf-8")))
    add_bundle(bom, NOTICES.read_text("utf-8"), json.loads(LOCK.read_text("utf-8")))
    text = JsonV1Dot6(bom).output_as_string(indent=1)
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        print(f"{to}: {fault}", file=sys.stderr)
        return 1
    to.write_text(text + "\n", "utf-8")
    return 0


def python_packages(python: Path) -> Bom:
    """Return what cyclonedx-py finds in the environment of this interpreter, with ispsd as what all of it is for."""
    done = subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", ROOT / "pyproject.toml",
         "--output-reproducible", "--spec-version", "1.6", python],
        check=True,
        stdout=subprocess.PIPE,
        # It would take the time of the package for that of the list.
        env={name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"},
    )  # fmt: skip
    bom = Bom.from_json(json.loads(done.stdout))  # type: ignore[attr-defined]
    # Both are made up where there is none.
    bom.serial_number = None
    bom.metadata.timestamp = None
    # What made the list is said by name and version; where that is to be had is not the ship's.
    for tool in bom.metadata.tools.components:
        tool.external_references.clear()
    return bom


def add_hashes(bom: Bom, report: Mapping[str, Any]) -> None:
    """Give each Python package the hash of the file that it was installed from."""
    hashes = {
        canonicalize_name(each["metadata"]["name"]): each["download_info"]
        .get("archive_info", {})
        .get("hashes", {})
        for each in report["install"]
    }
    for each in bom.components:
        if sha256 := hashes.get(canonicalize_name(each.name), {}).get("sha256"):
            each.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=sha256))


def add_bundle(bom: Bom, notices: str, lock: Mapping[str, Any]) -> None:
    """Add what the page has in it, as its notices name it; the hashes are those of the lock file."""
    added = [
        _npm(head[1], head[2], head[3], lock["packages"][f"node_modules/{head[1]}"]["integrity"])
        for head in re.finditer(
            r"^(?:.*, from )?(\S+) (\d+\.\S+) \(([^()]+)\)$", notices, re.MULTILINE
        )
    ]
    bom.components.update(added)
    _depend(bom, added)


def _npm(name: str, version: str, licence: str, integrity: str) -> Component:
    group, _, bare = name.rpartition("/")
    return Component(
        type=ComponentType.LIBRARY,
        group=group or None,
        name=bare,
        version=version,
        bom_ref=f"npm:{name}@{version}",
        purl=PackageURL("npm", group or None, bare, version),
        licenses=[DisjunctiveLicense(id=licence)],
        scope=ComponentScope.REQUIRED,
        hashes=[HashType(alg=HashAlgorithm.SHA_512, content=_sha512(integrity))],
    )


def _sha512(integrity: str) -> str:
    algorithm, _, digest = integrity.partition("-")
    if algorithm != "sha512":
        raise ValueError(f"a lock file whose hash is {algorithm}, not sha512")
    return base64.b64decode(digest).hex()


def _depend(bom: Bom, added: Iterable[Component]) -> None:
    """Say that ispsd needs them."""
    root = bom.metadata.component
    assert root is not None
    needs = next(each for each in bom.dependencies if each.ref == root.bom_ref)
    needs.dependencies.update(Dependency(each.bom_ref) for each in added)
    bom.dependencies.update(Dependency(each.bom_ref) for each in added)


if __name__ == "__main__":
    sys.exit(main())
