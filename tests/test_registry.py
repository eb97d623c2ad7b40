"""A new driver or check is one new file."""

from __future__ import annotations

import sys

import daemon.checks
import daemon.drivers
from daemon.checks.api import CheckConfig
from daemon.config import registry
from daemon.drivers.api import DriverConfig

NEW_DRIVER = """\
from daemon.drivers.api import DriverConfig, DriverSpec
DRIVER = DriverSpec(kind="bell", config=DriverConfig, build=lambda config, context: None)
"""
NEW_CHECK = """\
from daemon.checks.api import CheckConfig, CheckSpec
CHECK = CheckSpec(kind="bell_rings", config=CheckConfig, run=None, judge=None, points=lambda config: ())
"""


def test_what_is_shipped_is_found_under_its_own_kind():
    assert {"modbus_tcp", "nmea", "ssas_text"} <= registry.drivers().keys()
    assert {"ais_own_report", "ssas_end_to_end"} <= registry.checks().keys()
    for kind, spec in registry.drivers().items():
        assert spec.kind == kind
        assert issubclass(spec.config, DriverConfig)
    for kind, check in registry.checks().items():
        assert check.kind == kind
        assert issubclass(check.config, CheckConfig)


def test_every_source_of_ssas_is_covert_and_its_test_needs_a_window():
    covert = [kind for kind, spec in registry.drivers().items() if spec.covert]
    assert covert == ["ssas_at", "ssas_text"]
    ssas = [check for kind, check in registry.checks().items() if kind.startswith("ssas")]
    assert ssas
    assert all(check.classification.value == "sso" for check in ssas)
    # Those without a window read nothing of a unit: all that they have is said by people.
    unwatched = [check for check in ssas if not check.needs_window]
    assert [check.kind for check in unwatched] == ["ssas_power", "ssas_text"]
    assert all(check.points(None) == () for check in unwatched)


def test_one_new_file_is_enough(tmp_path, monkeypatch):
    (tmp_path / "bell.py").write_text(NEW_DRIVER + NEW_CHECK, "utf-8")
    (tmp_path / "no_driver.py").write_text("", "utf-8")
    for package in (daemon.drivers, daemon.checks):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    before = len(registry.checks())
    try:
        assert registry.drivers()["bell"].kind == "bell"
        assert registry.checks()["bell_rings"].kind == "bell_rings"
        assert len(registry.checks()) == before
    finally:
        for package in ("daemon.drivers", "daemon.checks"):
            for name in ("bell", "no_driver"):
                sys.modules.pop(f"{package}.{name}", None)
                vars(sys.modules[package]).pop(name, None)
