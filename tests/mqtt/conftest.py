from __future__ import annotations

from tests.brokers import broker

__all__ = ["broker"]
