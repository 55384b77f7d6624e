"""Expressions, by the names of Erlang's operators."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.runtime.guards import OPERATORS, Expression, Variable
from aybiza.actors.runtime.pid import Pid


def value(operator: str, *parts: Any) -> Any:
    return Expression(operator, *parts).value(
        lambda part: value(part.operator, *part.parts) if isinstance(part, Expression) else part
    )


WORTH: list[tuple[str, tuple[Any, ...], Any]] = [
    ("==", (1, 1.0), True),
    ("/=", (1, 1.0), False),
    ("=:=", (1, 1.0), False),
    ("=/=", ([1], [1.0]), True),
    ("<", (1, "a"), True),
    ("=<", (2, 2.0), True),
    (">", ([], ()), True),
    (">=", (None, True), False),
    ("andalso", (True, 5), 5),
    ("andalso", (False, 5), False),
    ("orelse", (True, 5), True),
    ("orelse", (False, 5), 5),
    ("and", (True, False), False),
    ("or", (True, False), True),
    ("xor", (True, True), False),
    ("not", (False,), True),
    ("+", (1, 2.5), 3.5),
    ("-", (1, 2), -1),
    ("*", (2, 3), 6),
    ("/", (1, 2), 0.5),
    ("div", (-7, 2), -3),
    ("rem", (-7, 2), -1),
    ("abs", (-2.5,), 2.5),
    ("hd", ([1, 2],), 1),
    ("tl", ([1, 2],), [2]),
    ("length", ([1, 2],), 2),
    ("tuple_size", ((1, 2),), 2),
    ("map_size", ({"a": 1},), 1),
    ("element", (1, ("a", "b")), "a"),
    ("is_integer", (True,), False),
    ("is_float", (1.0,), True),
    ("is_number", (1,), True),
    ("is_boolean", (False,), True),
    ("is_atom", (None,), True),
    ("is_binary", ("a",), True),
    ("is_list", ((1,),), False),
    ("is_tuple", ((1,),), True),
    ("is_map", ({},), True),
    ("is_pid", (Pid("a", 1),), True),
]


@pytest.mark.parametrize(("operator", "parts", "worth"), WORTH)
def test_an_operator_does_what_erlangs_does(operator: str, parts: Any, worth: Any) -> None:
    found = value(operator, *parts)
    assert (found, type(found)) == (worth, type(worth))


def test_every_operator_is_tried() -> None:
    assert {operator for operator, _, _ in WORTH} == set(OPERATORS)


@pytest.mark.parametrize(
    ("operator", "parts"),
    [
        ("+", ("a", "b")),
        ("+", (True, 1)),
        ("rem", (1.5, 2)),
        ("rem", (1, 0)),
        ("not", (1,)),
        ("and", (True, 1)),
        ("andalso", (1, True)),
        ("hd", ([],)),
        ("tl", ([],)),
        ("length", ((1,),)),
        ("element", (0, ("a",))),
        ("element", (3, ("a",))),
        ("abs", ("a",)),
    ],
)
def test_what_has_no_meaning_fails(operator: str, parts: Any) -> None:
    with pytest.raises((TypeError, ZeroDivisionError, IndexError)):
        value(operator, *parts)


def test_an_operator_that_is_none_and_a_wrong_number_of_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="'frob'"):
        Expression("frob", 1)
    with pytest.raises(ValueError, match="takes 2 values, not 1"):
        Expression("+", 1)


def test_an_expression_shows_what_it_is() -> None:
    assert repr((Variable("x") > 1) & True) == "(andalso (> Variable('x') 1) True)"
    assert len({Variable("x"), Variable(1)}) == 2
