"""Data files are found where the packager says, in the wheel, or in the checkout, in that order."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import daemon
from daemon.assets import asset
from daemon.errors import IspsdError

CHECKOUT = Path(daemon.__file__).resolve().parent.parent


def test_in_a_checkout_config_is_beside_the_package(monkeypatch):
    monkeypatch.delenv("ISPSD_DATA", raising=False)
    assert asset("alerts.toml") == CHECKOUT / "config" / "alerts.toml"


def test_the_packagers_place_comes_first_and_what_it_lacks_is_found_elsewhere(
    tmp_path, monkeypatch
):
    (tmp_path / "alerts.toml").write_text("", "utf-8")
    monkeypatch.setenv("ISPSD_DATA", str(tmp_path))
    assert asset("alerts.toml") == tmp_path / "alerts.toml"
    assert asset("policy.toml") == CHECKOUT / "config" / "policy.toml"


def test_a_missing_file_names_every_place_that_was_looked_in(tmp_path, monkeypatch):
    monkeypatch.setenv("ISPSD_DATA", str(tmp_path))
    with pytest.raises(IspsdError) as caught:
        asset("none.toml")
    for place in (tmp_path, CHECKOUT / "daemon" / "_config", CHECKOUT / "config"):
        assert str(place) in str(caught.value)
    assert "none.toml" in str(caught.value)


def test_in_a_wheel_the_data_are_inside_the_package(tmp_path):
    """As an installed wheel lies on disk: the package with ``_config`` inside, no ``config`` beside it."""
    package = tmp_path / "daemon"
    package.mkdir()
    for name in ("__init__.py", "assets.py", "errors.py"):
        shutil.copy(CHECKOUT / "daemon" / name, package)
    shutil.copytree(CHECKOUT / "config", package / "_config")
    code = "from daemon.assets import asset; print(asset('demo/changes.toml'))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
        env={},
    )
    assert done.stdout.strip() == str(package / "_config" / "demo" / "changes.toml")
