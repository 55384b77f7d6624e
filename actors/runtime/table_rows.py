"""Where a table keeps its rows: one class for each type of table.

`SetRows` has one row a key, `OrderedRows` too and in the order of terms, where `1` and `1.0` are
one key; `BagRows` has many rows a key, oldest first, and two that are the same only where
`duplicates` are allowed. All are asked in the same way.

Errors: `TypeError` for a key that does not hash, or has no order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Protocol, TypeAlias

from aybiza.actors.runtime.terms import compare, identical, order_key, strict

Row: TypeAlias = tuple[Any, ...]


class Rows(Protocol):
    """What a table asks of its rows."""

    def get(self, key: Any) -> list[Row]:
        """The rows under `key`, oldest first."""

    def put(self, row: Row) -> None:
        """Enter `row`; it takes the place of the one with its key, unless the table is a bag."""

    def remove(self, key: Any) -> None:
        """Take out all rows under `key`."""

    def replace(self, key: Any, rows: list[Row]) -> None:
        """Put `rows` in place of all under `key`, if there are any."""

    def all(self) -> Iterable[Row]:
        """All rows: a copy, which stays as it is."""

    def clear(self) -> None:
        """Take all out."""

    def __len__(self) -> int: ...


class SetRows:
    """Of a `set`."""

    def __init__(self, keypos: int) -> None:
        self._keypos = keypos
        self._rows: dict[Hashable, Row] = {}

    def get(self, key: Any) -> list[Row]:
        row = self._rows.get(strict(key))
        return [] if row is None else [row]

    def put(self, row: Row) -> None:
        self._rows[strict(row[self._keypos])] = row

    def remove(self, key: Any) -> None:
        self._rows.pop(strict(key), None)

    def replace(self, key: Any, rows: list[Row]) -> None:
        if rows:
            self._rows[strict(key)] = rows[0]
        else:
            self.remove(key)

    def all(self) -> Iterable[Row]:
        return list(self._rows.values())

    def clear(self) -> None:
        self._rows.clear()

    def __len__(self) -> int:
        return len(self._rows)


class OrderedRows:
    """Of an `ordered_set`."""

    def __init__(self, keypos: int) -> None:
        self._keypos = keypos
        self._places: list[Any] = []
        self._rows: list[Row] = []

    def get(self, key: Any) -> list[Row]:
        at = self.place(key)
        return [self._rows[at]] if self._is_at(at, key) else []

    def put(self, row: Row) -> None:
        key = row[self._keypos]
        at = self.place(key)
        if self._is_at(at, key):
            self._rows[at] = row
            self._places[at] = order_key(key)
        else:
            self._rows.insert(at, row)
            self._places.insert(at, order_key(key))

    def remove(self, key: Any) -> None:
        at = self.place(key)
        if self._is_at(at, key):
            del self._rows[at]
            del self._places[at]

    def replace(self, key: Any, rows: list[Row]) -> None:
        if rows:
            self.put(rows[0])
        else:
            self.remove(key)

    def all(self) -> Iterable[Row]:
        return list(self._rows)

    def clear(self) -> None:
        self._rows.clear()
        self._places.clear()

    def place(self, key: Any) -> int:
        """How many keys are smaller than `key`."""
        return bisect_left(self._places, order_key(key))

    def _is_at(self, at: int, key: Any) -> bool:
        return at < len(self._rows) and compare(self._rows[at][self._keypos], key) == 0

    def __len__(self) -> int:
        return len(self._rows)


class BagRows:
    """Of a `bag`, or of a `duplicate_bag`."""

    def __init__(self, keypos: int, *, duplicates: bool) -> None:
        self._keypos = keypos
        self._duplicates = duplicates
        self._rows: dict[Hashable, list[Row]] = {}
        self._count = 0

    def get(self, key: Any) -> list[Row]:
        return list(self._rows.get(strict(key), ()))

    def put(self, row: Row) -> None:
        key = strict(row[self._keypos])
        held = self._rows.get(key, [])
        if self._duplicates or not any(identical(row, other) for other in held):
            self._rows.setdefault(key, []).append(row)
            self._count += 1

    def remove(self, key: Any) -> None:
        self._count -= len(self._rows.pop(strict(key), ()))

    def replace(self, key: Any, rows: list[Row]) -> None:
        self.remove(key)
        if rows:
            self._rows[strict(key)] = list(rows)
            self._count += len(rows)

    def all(self) -> Iterable[Row]:
        return [row for rows in self._rows.values() for row in rows]

    def clear(self) -> None:
        self._rows.clear()
        self._count = 0

    def __len__(self) -> int:
        return self._count


ROWS: dict[str, Callable[[int], Rows]] = {
    "set": SetRows,
    "ordered_set": OrderedRows,
    "bag": lambda keypos: BagRows(keypos, duplicates=False),
    "duplicate_bag": lambda keypos: BagRows(keypos, duplicates=True),
}
"""The types of tables."""
