"""Does the specification's own parser take our AsyncAPI, as the files lie and as ``ispsd topics`` prints it?"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from daemon import cli
from daemon.assets import asset
from tests.dashboards.node import FOLDER, node

if TYPE_CHECKING:
    from pathlib import Path

FAULTS = {0, 1}
"""Severities of the parser: errors and warnings."""
NEWER_VERSION = "asyncapi-latest-version"
"""It would like 3.1.0; what reads 3.0 is in more hands."""


def parsed(document: Path) -> dict[str, Any]:
    done = subprocess.run(
        [node("@asyncapi/parser"), FOLDER / "parse_asyncapi.mjs", document],
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("form", ["files", "printed"])
def test_the_contract_is_valid_asyncapi(form, tmp_path, capsys):
    document = asset("mqtt/asyncapi.json")
    contract = json.loads(document.read_text("utf-8"))
    if form == "printed":
        assert cli.main(["topics", "--asyncapi"]) == 0
        document = tmp_path / "asyncapi.json"
        document.write_text(capsys.readouterr().out, "utf-8")
    said = parsed(document)
    found = [each for each in said["told"] if each["code"] != NEWER_VERSION]
    assert [each for each in found if each["severity"] in FAULTS] == []
    assert said["channels"] == [each["address"] for each in contract["channels"].values()]


def test_a_document_that_is_wrong_is_found_out(tmp_path):
    contract = json.loads(asset("mqtt/asyncapi.json").read_text("utf-8"))
    contract["operations"]["send_alert"]["action"] = "shout"
    (document := tmp_path / "asyncapi.json").write_text(json.dumps(contract), "utf-8")
    assert any(each["severity"] == 0 for each in parsed(document)["told"])
