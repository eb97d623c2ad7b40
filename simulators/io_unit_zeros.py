"""Tables that a unit has beside its inputs, of which nothing is simulated: counters, latches, status. All read 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulators.io_unit_wire import BIT_FUNCTIONS, MOST_BITS

READ_BYTES: Final = 5
READ_FUNCTIONS = range(1, 5)
ADDRESSES = range(65536)
COUNTS = range(1, MOST_BITS + 1)


@dataclass(frozen=True, slots=True)
class Zeros:
    """Some tables: function, first address and count of each."""

    tables: tuple[tuple[int, int, int], ...] = ()

    def answer(self, pdu: bytes) -> bytes | None:
        """Return the answer to a request for zeros; None where it asks for anything else."""
        if len(pdu) != READ_BYTES:
            return None
        function, first, count = pdu[0], int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])
        for place, begins, there in self.tables:
            if place == function and begins <= first and 0 < count <= begins + there - first:
                size = -(-count // 8) if function in BIT_FUNCTIONS else 2 * count
                return bytes([function, size]) + bytes(size)
        return None


def zeros_of(setting: object) -> Zeros:
    """Return the tables of a setting such as ``[[4, 576, 4]]``.

    Raises:
        ValueError: It is no list of function, address and count.
    """
    bounds = (READ_FUNCTIONS, ADDRESSES, COUNTS)
    tables: list[tuple[int, int, int]] = []
    for table in setting if isinstance(setting, list) else [None]:
        numbers = table if isinstance(table, list) and len(table) == len(bounds) else []
        if not numbers or any(
            type(number) is not int or number not in bound
            for number, bound in zip(numbers, bounds, strict=True)
        ):
            raise ValueError(f"zeros is a list like [[4, 576, 4]], not {setting!r}")
        tables.append((numbers[0], numbers[1], numbers[2]))
    return Zeros(tuple(tables))
