"""The ship's configuration: data, never code and never expressions.

What may stand in the file is ``shape``, what can be wrong with it is ``faults``, and ``loading`` reads it. The names
below are imported when they are used: all that can be said of a ship takes longer to import than most commands to run.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from daemon.config.faults import broker
    from daemon.config.loading import load, read
    from daemon.config.reading import LARGEST_FILE
    from daemon.config.shape import Config, Device
else:
    _HOMES: Final = {
        "LARGEST_FILE": "reading",
        "Config": "shape",
        "Device": "shape",
        "broker": "faults",
        "load": "loading",
        "read": "loading",
    }

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = ["LARGEST_FILE", "Config", "Device", "broker", "load", "read"]
