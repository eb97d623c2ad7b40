"""The ship's configuration: data, never code and never expressions.

What may stand in the file is ``shape``, what can be wrong with it is ``faults``, and ``loading`` reads it.
"""

from __future__ import annotations

from daemon.config.faults import broker
from daemon.config.loading import LARGEST_FILE, load, read
from daemon.config.shape import Config, Device

__all__ = ["LARGEST_FILE", "Config", "Device", "broker", "load", "read"]
