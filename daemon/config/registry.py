"""Which drivers, checks and exporters are there? Found in their folders, so that adding one is one new file."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import daemon.checks
import daemon.drivers
import daemon.exporters

if TYPE_CHECKING:
    from types import ModuleType

    from daemon.checks.api import CheckSpec
    from daemon.drivers.api import DriverSpec
    from daemon.exporters.api import ExporterSpec


def drivers() -> dict[str, DriverSpec]:
    """Return every driver by its kind."""
    return {
        module.DRIVER.kind: module.DRIVER
        for module in _modules(daemon.drivers)
        if hasattr(module, "DRIVER")
    }


def checks() -> dict[str, CheckSpec]:
    """Return every check by its kind."""
    return {
        module.CHECK.kind: module.CHECK
        for module in _modules(daemon.checks)
        if hasattr(module, "CHECK")
    }


def exporters() -> dict[str, ExporterSpec]:
    """Return every exporter by its kind."""
    return {
        module.EXPORTER.kind: module.EXPORTER
        for module in _modules(daemon.exporters)
        if hasattr(module, "EXPORTER")
    }


def _modules(package: ModuleType) -> list[ModuleType]:
    return [
        importlib.import_module(f"{package.__name__}.{info.name}")
        for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name)
    ]
