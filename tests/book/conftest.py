"""The failing disk of the record's tests, for the book over it."""

from tests.record.conftest import disk

__all__ = ["disk"]
