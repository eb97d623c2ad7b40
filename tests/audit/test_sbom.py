"""Is the committed list of what the package brings complete, true to what is pinned, and of no time and place?"""

from __future__ import annotations

import json
import re
import tomllib

import pytest
from packaging.utils import canonicalize_name

from tests.audit import inventory

TEXT = (inventory.ROOT / "docs/sbom.cdx.json").read_text("utf-8")
SBOM = json.loads(TEXT)


def listed(kind: str) -> dict[str, dict]:
    """Return the components of one kind of package, by name as that kind has it."""
    found = {}
    for each in SBOM["components"]:
        if each["purl"].startswith(f"pkg:{kind}/"):
            name = "/".join(filter(None, (each.get("group"), each["name"])))
            found[canonicalize_name(name) if kind == "pypi" else name] = each
    return found


def test_it_lists_every_python_package_of_the_package_at_its_pin_and_no_other():
    pinned = inventory.pins((inventory.ROOT / "constraints.txt").read_text("utf-8"))
    packaged = inventory.installed(inventory.PACKAGED)
    assert {name: each["version"] for name, each in listed("pypi").items()} == {
        name: pinned[name] for name in packaged
    }


def test_it_lists_everything_that_the_page_has_in_it():
    bundled = inventory.bundle(inventory.NOTICES.read_text("utf-8"))
    assert {name: each["version"] for name, each in listed("npm").items()} == {
        name: package.version for name, package in bundled.items()
    }


def test_it_lists_nothing_else_and_says_what_it_is_a_list_of():
    assert len(SBOM["components"]) == len(listed("pypi")) + len(listed("npm"))
    project = tomllib.loads((inventory.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    about = SBOM["metadata"]["component"]
    assert (about["name"], about["version"]) == (project["name"], project["version"])
    assert (SBOM["bomFormat"], SBOM["specVersion"]) == ("CycloneDX", "1.6")


def test_every_component_has_its_licence_and_the_hash_of_what_it_came_from():
    for each in SBOM["components"]:
        assert each["licenses"], each["name"]
        (known,) = each["hashes"]
        bits = {"SHA-256": 256, "SHA-512": 512}[known["alg"]]
        assert re.fullmatch(rf"[0-9a-f]{{{bits // 4}}}", known["content"]), each["name"]


def test_everything_that_it_lists_is_needed_by_something_that_it_lists():
    refs = {each["bom-ref"] for each in SBOM["components"]}
    needed = {ref for each in SBOM["dependencies"] for ref in each.get("dependsOn", ())}
    assert needed == refs


@pytest.mark.parametrize("place", ["file:", "/home/", "/tmp/", "/opt/", str(inventory.ROOT)])
def test_it_says_nothing_of_when_and_where_it_was_made(place):
    assert {"serialNumber", "timestamp"}.isdisjoint({*SBOM, *SBOM["metadata"]})
    assert place not in TEXT
