"""Erlang's terms in Python: when two are the same, and which of two is the smaller.

    identical(1, 1.0)        False: `=:=`, at every depth
    compare([1], [1.0])      0: `==`
    compare(1, "a")          -1: numbers are smaller than text

Atoms are `None`, `True` and `False`; text (`str`) and `bytes` are binaries. A dataclass is its
class and its fields, an object of any other class is what its own `==` says.

Errors: `TypeError` from `compare` for two objects of one class that knows no order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from functools import cmp_to_key, lru_cache
from typing import Any, Final

from aybiza.actors.runtime.pid import Pid

_PLAIN: Final = frozenset({str, int, float, bool, bytes, type(None)})


def strict(value: Any) -> Hashable:
    """`value` in a form that is equal only where Erlang's `=:=` holds, and hashes if it does.

    A list hashes here; a dict or a set, which may change while it is a key, does not.
    """
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind in _PLAIN:
        return (kind, value)
    if isinstance(value, tuple | list):
        return (kind, *map(strict, value))
    if isinstance(value, frozenset):
        return (kind, frozenset(map(strict, value)))
    names = fields_of(kind)
    if names is not None:
        return (kind, *(strict(getattr(value, name)) for name in names))
    return (kind, value)


def identical(one: Any, other: Any) -> bool:
    """Erlang's `=:=`: the same value of the same type, at every depth."""
    kind = type(one)
    if kind is not type(other):
        return False
    if one is other:
        return True
    if kind in _PLAIN:
        return bool(one == other)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(identical, one, other))
    if isinstance(one, Mapping):
        if len(one) != len(other):
            return False
        held = strict_keys(other)
        return all(
            (form := strict(key)) in held and identical(value, held[form])
            for key, value in one.items()
        )
    if isinstance(one, set | frozenset):
        return set(map(strict, one)) == set(map(strict, other))
    names = fields_of(kind)
    if names is not None:
        return all(identical(getattr(one, name), getattr(other, name)) for name in names)
    return bool(one == other)


def strict_keys(mapping: Mapping[Any, Any]) -> dict[Hashable, Any]:
    """The values of `mapping` by the strict forms of their keys."""
    return {strict(key): value for key, value in mapping.items()}


def fields_of(kind: type) -> tuple[str, ...] | None:
    """The names of the fields that a dataclass compares; None for any other class."""
    return _fields_of(kind)


@lru_cache(maxsize=1000)
def _fields_of(kind: Hashable) -> tuple[str, ...] | None:
    assert isinstance(kind, type)
    if not dataclasses.is_dataclass(kind) or not kind.__dataclass_params__.eq:  # type: ignore[attr-defined]
        return None
    return tuple(each.name for each in dataclasses.fields(kind) if each.compare)


_NUMBER, _ATOM, _OBJECT, _PID, _TUPLE, _MAP, _LIST, _BYTES, _TEXT = range(9)
_ATOM_TEXT: Final = {False: "false", None: "nil", True: "true"}


def compare(one: Any, other: Any) -> int:
    """-1, 0 or 1 in the order of terms: number < atom < other objects < pid < tuple < map < list
    < bytes < text. Tuples and maps go by their size first, lists element by element."""
    rank = _rank(one)
    if rank != (other_rank := _rank(other)):
        return -1 if rank < other_rank else 1
    match rank:
        case 1:
            return _order(_ATOM_TEXT[one], _ATOM_TEXT[other])
        case 2:
            return _compare_objects(one, other)
        case 4:
            return _order(len(one), len(other)) or _compare_each(one, other)
        case 5:
            return _compare_maps(one, other)
        case 6:
            return _compare_each(one, other) or _order(len(one), len(other))
    return _order(one, other)


order_key = cmp_to_key(compare)
"""A key for `sorted`: the order of terms."""


def _rank(value: Any) -> int:
    if isinstance(value, bool) or value is None:
        return _ATOM
    if isinstance(value, int | float):
        return _NUMBER
    if isinstance(value, str):
        return _TEXT
    if type(value) is Pid:
        return _PID
    if isinstance(value, tuple):
        return _TUPLE
    if isinstance(value, list):
        return _LIST
    if isinstance(value, Mapping):
        return _MAP
    return _BYTES if isinstance(value, bytes) else _OBJECT


def _order(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


def _compare_each(one: Any, other: Any) -> int:
    for each, its_twin in zip(one, other, strict=False):
        if order := compare(each, its_twin):
            return order
    return 0


def _compare_maps(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> int:
    keys = sorted(one, key=_map_key)
    other_keys = sorted(other, key=_map_key)
    order = _order(len(keys), len(other_keys))
    for key, its_twin in zip(keys, other_keys, strict=False):
        order = order or _compare_map_keys(key, its_twin)
    if order:
        return order
    return _compare_each([one[key] for key in keys], [other[key] for key in other_keys])


def _compare_map_keys(one: Any, other: Any) -> int:
    # As keys of maps 1 and 1.0 differ, and every int comes before every float.
    kinds = (type(one) is float) - (type(other) is float)
    both_numbers = _rank(one) == _rank(other) == _NUMBER
    return kinds if both_numbers and kinds else compare(one, other)


_map_key = cmp_to_key(_compare_map_keys)


def _compare_objects(one: Any, other: Any) -> int:
    if one is other:
        return 0
    if type(one) is not type(other):
        return _order(type(one).__qualname__, type(other).__qualname__) or _order(
            id(type(one)), id(type(other))
        )
    if (names := fields_of(type(one))) is not None:
        return _compare_each(
            [getattr(one, name) for name in names], [getattr(other, name) for name in names]
        )
    return 0 if one == other else _order(one, other)
