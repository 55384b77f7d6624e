"""Patterns, guards and results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from aybiza.actors import runtime
from aybiza.actors.runtime.patterns import (
    ANY,
    BOUND,
    FAILED,
    NOTHING,
    WHOLE,
    Clause,
    counted,
    first,
    is_type,
    rem,
    same,
    variables,
)

X, Y = variables("x y")


@dataclass(frozen=True)
class Point:
    x: Any
    y: Any = 0


MATCHING: list[tuple[Any, Any, Any]] = [
    (ANY, {"any": "thing"}, []),
    (X, 5, [5]),
    ((X, Y), (1, 2), [1, 2]),
    ((Y, X), (1, 2), [2, 1]),
    ((X, X), (1, 1), [1]),
    ([X, ANY, "z"], [1, 2, "z"], [1]),
    ({"a": X}, {"a": 1, "b": 2}, [1]),
    ({"a": {"b": X}}, {"a": {"b": [1], "c": 2}}, [[1]]),
    ({}, {"a": 1}, []),
    (Point(X, 0), Point(3), [3]),
    (("a", 1), ("a", 1), []),
    ({1, 2}, {2, 1}, []),
]

OTHERS: list[tuple[Any, Any]] = [
    ((X, X), (1, 1.0)),
    ((X, Y), (1, 2, 3)),
    ((X, Y), [1, 2]),
    ([X], (1,)),
    ({"a": X}, {"b": 1}),
    ({"a": X}, [("a", 1)]),
    ({1: X}, {1.0: "a"}),
    ({"a": 1}, {"a": 1.0}),
    (Point(X, 0), Point(3, 1)),
    (Point(X, 0), (3, 0)),
    (1, True),
    (1, 1.0),
]


@pytest.mark.parametrize(("pattern", "term", "bound"), MATCHING)
def test_a_pattern_keeps_what_its_variables_are(pattern: Any, term: Any, bound: Any) -> None:
    assert Clause(pattern, give=BOUND).run(term) == bound


@pytest.mark.parametrize(("pattern", "term"), OTHERS)
def test_what_differs_at_any_depth_does_not_match(pattern: Any, term: Any) -> None:
    assert Clause(pattern).run(term) is NOTHING


def test_what_comes_out_is_what_give_says() -> None:
    term = ("k", 4)
    gives = [
        (X, "k"),
        ((Y, [X]), (4, ["k"])),
        ({"is": Y, "next": Y + 1}, {"is": 4, "next": 5}),
        (Point(Y, Y), Point(4, 4)),
        (Y * 2 - 1, 7),
        (10 - Y, 6),
        ("hit", "hit"),
        (BOUND, ["k", 4]),
        (WHOLE, term),
        (X + 1, FAILED),
    ]
    assert [Clause((X, Y), give=give).run(term) for give, _ in gives] == [out for _, out in gives]
    assert Clause((X, Y)).run(term) == term


def holds(guard: Any, x: Any, y: Any = None) -> bool:
    return Clause((X, Y), guard).run((x, y)) is not NOTHING


def test_guards_are_written_with_pythons_operators() -> None:
    assert holds(X == 1, 1.0)
    assert not holds(same(X, 1), 1.0)
    assert holds((X > 1) & (X < 6), 5)
    assert not holds((X > 1) & (X < 6), 6)
    assert holds((X == 1) | (X == 9), 9)
    assert holds(~(X == "a"), "b")
    assert holds(X != Y, 1, 2)
    assert holds(X + 1 >= Y, 1, 2)
    assert holds((1 + X) * 2 <= Y - 1, 1, 5)
    assert holds(rem(X, 4) == 1, 9)
    assert holds(rem(X, 4) == -1, -9)
    assert holds(is_type(X, "integer"), 1)
    assert not holds(is_type(X, "integer"), True)


def test_values_of_different_types_have_erlangs_order() -> None:
    higher: list[Any] = ["s", None, [1], (1,), {}]
    assert all(holds(X > 100, value) for value in higher)


def test_a_guard_that_fails_is_false() -> None:
    assert not holds(X + 1 > 1, "s")
    assert not holds(~(X + 1 > 1), "s")
    assert not holds(X & True, 5)
    assert not holds(X, 1)
    assert holds(X, True)


def test_the_second_part_is_not_looked_at_when_the_first_decides() -> None:
    assert holds((X == 1) | (Y + 1 > 0), 1, "s")
    assert not holds((X == 2) & (Y + 1 > 0), 1, "s")


def test_a_variable_that_the_pattern_does_not_bind_is_refused() -> None:
    with pytest.raises(ValueError, match="'y'"):
        Clause((X, ANY), give=Y)
    with pytest.raises(ValueError, match="'y'"):
        Clause(X, Y > 1)


@pytest.mark.parametrize("pattern", [{X: 1}, {(X,)}, X > 1, WHOLE, (BOUND, 1)])
def test_what_cannot_be_a_pattern_is_refused(pattern: Any) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Clause(pattern)


def test_a_guard_taken_for_a_truth_says_what_to_write() -> None:
    with pytest.raises(TypeError, match="join guards by `&`"):
        assert 1 < X < 6
    with pytest.raises(TypeError, match="join guards by `&`"):
        assert (X == 1) and (X == 2)


def test_the_first_clause_that_fits_counts() -> None:
    clauses = [Clause(("a", X), give=False), Clause((ANY, X))]
    assert first(clauses, ("a", 1)) is False
    assert first(clauses, ("b", 1)) == ("b", 1)
    assert first(clauses, "c") is NOTHING
    assert [counted(clauses, term) for term in (("a", 1), ("b", 1), "c")] == [False, True, False]


def test_a_part_without_holes_is_fixed() -> None:
    assert Clause(("a", X)).fixed(0) == "a"
    assert Clause((None, X)).fixed(0) is not None
    for hole in (ANY, X, (X, 1), {"a": 1}, Point(X), [ANY]):
        assert Clause((hole, 1)).fixed(0) is None


def test_an_operator_of_erlang_is_at_hand_by_its_name() -> None:
    (value,) = runtime.variables("value")
    clause = runtime.Clause(value, runtime.Expression("map_size", value) > 1)
    assert clause.accepts({"a": 1, "b": 2})
    assert not clause.accepts({"a": 1})
