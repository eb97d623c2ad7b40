"""Both kinds of broker, one after the other."""

from __future__ import annotations

from tests.brokers import broker

__all__ = ["broker"]
