"""Expressions over the variables of a pattern: what guards and results are made of.

Operators of Python build them: `(X > 1) & (X + 1 < Y)`. `Expression(operator, *parts)` builds one
by Erlang's name of the operator; `OPERATORS` holds them all. See `aybiza.actors.runtime.patterns`.

Errors: `ValueError` for an operator that is none, or that takes another number of parts;
`TypeError` where an expression is taken for a truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.terms import compare, identical


class Expression:
    """`operator` applied to `parts`."""

    __slots__ = ("operator", "parts")
    __hash__ = object.__hash__

    def __init__(self, operator: str, *parts: Any) -> None:
        known = OPERATORS.get(operator)
        if known is None:
            raise ValueError(f"no operator of guards is called {operator!r}")
        if known[0] != len(parts):
            raise ValueError(f"{operator!r} takes {known[0]} values, not {len(parts)}")
        self.operator = operator
        self.parts = parts

    def value(self, filled: Callable[[Any], Any]) -> Any:
        """What it comes to, where `filled` gives the value of a part. Raises if it fails."""
        return OPERATORS[self.operator][1](filled, *self.parts)

    def __repr__(self) -> str:
        return f"({self.operator} {' '.join(map(repr, self.parts))})"

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} is true or false only for a term: join guards by `&`, `|`, `~`, "
            "and write `(1 < X) & (X < 6)` for `1 < X < 6`"
        )

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]
        return Expression("==", self, other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return Expression("/=", self, other)

    def __lt__(self, other: Any) -> Expression:
        return Expression("<", self, other)

    def __le__(self, other: Any) -> Expression:
        return Expression("=<", self, other)

    def __gt__(self, other: Any) -> Expression:
        return Expression(">", self, other)

    def __ge__(self, other: Any) -> Expression:
        return Expression(">=", self, other)

    def __and__(self, other: Any) -> Expression:
        return Expression("andalso", self, other)

    def __or__(self, other: Any) -> Expression:
        return Expression("orelse", self, other)

    def __invert__(self) -> Expression:
        return Expression("not", self)

    def __add__(self, other: Any) -> Expression:
        return Expression("+", self, other)

    def __radd__(self, other: Any) -> Expression:
        return Expression("+", other, self)

    def __sub__(self, other: Any) -> Expression:
        return Expression("-", self, other)

    def __rsub__(self, other: Any) -> Expression:
        return Expression("-", other, self)

    def __mul__(self, other: Any) -> Expression:
        return Expression("*", self, other)

    def __rmul__(self, other: Any) -> Expression:
        return Expression("*", other, self)


class Variable(Expression):
    """A variable of a pattern, by its name; two of one name are one."""

    __slots__ = ("name",)

    def __init__(self, name: str | int) -> None:
        self.operator = "variable"
        self.parts = ()
        self.name = name

    def __repr__(self) -> str:
        return f"Variable({self.name!r})"

    def __hash__(self) -> int:
        return hash((Variable, self.name))


def same(one: Any, other: Any) -> Expression:
    """`=:=`: the same, at every depth; `1` is not `1.0`."""
    return Expression("=:=", one, other)


def rem(one: Any, other: Any) -> Expression:
    """The remainder of a division of whole numbers, with the sign of `one`."""
    return Expression("rem", one, other)


def is_type(value: Any, kind: str) -> Expression:
    """Whether `value` is an "integer", "float", "number", "boolean", "atom" (None, True, False),
    "binary" (text or bytes), "list", "tuple", "map" or "pid"."""
    return Expression(f"is_{kind}", value)


Filled = Callable[[Any], Any]
"""Gives the value of a part of an expression."""


def _number(value: Any) -> Any:
    if type(value) not in (int, float):
        raise TypeError(f"{value!r} is no number")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError(f"{value!r} is neither True nor False")
    return value


def _of(kind: type | tuple[type, ...], value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not of the kind that is wanted")
    return value


def _quotient(one: int, other: int) -> int:
    found = abs(one) // abs(other)
    return found if (one < 0) == (other < 0) else -found


def _remainder(one: int, other: int) -> int:
    return one - other * _quotient(one, other)


def _element(place: int, held: tuple[Any, ...]) -> Any:
    if not 1 <= place <= len(held):
        raise IndexError(f"no element {place} in {held!r}")
    return held[place - 1]


def _eager(count: int, act: Callable[..., Any]) -> tuple[int, Callable[..., Any]]:
    return count, lambda filled, *parts: act(*map(filled, parts))


def _numeric(act: Callable[[Any, Any], Any]) -> tuple[int, Callable[..., Any]]:
    return _eager(2, lambda one, other: act(_number(one), _number(other)))


def _integral(act: Callable[[int, int], Any]) -> tuple[int, Callable[..., Any]]:
    return _eager(2, lambda one, other: act(_whole(one), _whole(other)))


def _logical(act: Callable[[bool, bool], bool]) -> tuple[int, Callable[..., Any]]:
    return _eager(2, lambda one, other: act(_truth(one), _truth(other)))


def _typed(*kinds: type) -> tuple[int, Callable[..., Any]]:
    return _eager(1, lambda value: type(value) in kinds)


OPERATORS: Final[Mapping[str, tuple[int, Callable[..., Any]]]] = {
    "==": _eager(2, lambda one, other: compare(one, other) == 0),
    "/=": _eager(2, lambda one, other: compare(one, other) != 0),
    "=:=": _eager(2, identical),
    "=/=": _eager(2, lambda one, other: not identical(one, other)),
    "<": _eager(2, lambda one, other: compare(one, other) < 0),
    "=<": _eager(2, lambda one, other: compare(one, other) <= 0),
    ">": _eager(2, lambda one, other: compare(one, other) > 0),
    ">=": _eager(2, lambda one, other: compare(one, other) >= 0),
    "andalso": (2, lambda filled, one, other: _truth(filled(one)) and filled(other)),
    "orelse": (2, lambda filled, one, other: _truth(filled(one)) or filled(other)),
    "and": _logical(lambda one, other: one and other),
    "or": _logical(lambda one, other: one or other),
    "xor": _logical(lambda one, other: one != other),
    "not": _eager(1, lambda value: not _truth(value)),
    "+": _numeric(lambda one, other: one + other),
    "-": _numeric(lambda one, other: one - other),
    "*": _numeric(lambda one, other: one * other),
    "/": _numeric(lambda one, other: one / other),
    "div": _integral(_quotient),
    "rem": _integral(_remainder),
    "abs": _eager(1, lambda value: abs(_number(value))),
    "hd": _eager(1, lambda held: _of(list, held)[0]),
    "tl": _eager(1, lambda held: _of(list, held)[1:] if held else held[0]),
    "length": _eager(1, lambda held: len(_of(list, held))),
    "tuple_size": _eager(1, lambda held: len(_of(tuple, held))),
    "map_size": _eager(1, lambda held: len(_of(Mapping, held))),
    "element": _eager(2, lambda place, held: _element(_whole(place), _of(tuple, held))),
    "is_integer": _typed(int),
    "is_float": _typed(float),
    "is_number": _typed(int, float),
    "is_boolean": _typed(bool),
    "is_atom": _typed(bool, type(None)),
    "is_binary": _typed(str, bytes),
    "is_list": _eager(1, lambda value: isinstance(value, list)),
    "is_tuple": _eager(1, lambda value: isinstance(value, tuple) and type(value) is not Pid),
    "is_map": _eager(1, lambda value: isinstance(value, Mapping)),
    "is_pid": _typed(Pid),
}
"""Erlang's operators by name: how many values each takes, and what it does with them."""
