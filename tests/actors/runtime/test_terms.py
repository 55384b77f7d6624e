"""Terms: what is the same, and what is smaller."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.terms import compare, identical, order_key, strict


@dataclass(frozen=True)
class Point:
    x: Any
    note: str = field(default="", compare=False)


class Named(tuple[Any, ...]):
    pass


SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, -1.5, "a", ""])
)
TERMS = st.recursive(
    SCALARS | st.binary(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.frozensets(SCALARS, max_size=3)
        | st.builds(Point, inner)
    ),
    max_leaves=8,
)

DIFFERENT: list[tuple[Any, Any]] = [
    (1, 1.0),
    (1, True),
    ((1,), (1.0,)),
    ([1], (1,)),
    ({"a": 1}, {"a": 1.0}),
    ({1: "a"}, {1.0: "a"}),
    ({"a": [{"b": 1}]}, {"a": [{"b": 1.0}]}),
    ({"a": 1}, {"a": 1, "b": 2}),
    ({1}, {1.0}),
    (Point(1), Point(1.0)),
    (Point((1,)), Point((True,))),
    (Named((1,)), (1,)),
    ("a", b"a"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_only_seems_the_same_differs(one: Any, other: Any) -> None:
    assert not identical(one, other)
    assert not identical([(one,)], [(other,)])
    if not isinstance(one, dict | set):
        assert strict(one) != strict(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, [2, (3.0,)]), (1, [2, (3.0,)])),
        (Point(1, "here"), Point(1, "there")),
        (frozenset({1, 2}), frozenset({2, 1})),
        (object, object),
    ],
)
def test_what_is_the_same_is(one: Any, other: Any) -> None:
    assert identical(one, other)
    assert strict(one) == strict(other)
    assert hash(strict(one)) == hash(strict(other))


def test_what_does_not_hash_has_no_strict_form_but_can_be_compared() -> None:
    class Plain:
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Plain)

    unfit: list[Any] = [Plain(), {}, {1}, [{}]]
    for changing in unfit:
        with pytest.raises(TypeError):
            hash(strict(changing))
    assert identical([Plain(), {"a": (2,), 1: {3}}], [Plain(), {1: {3}, "a": (2,)}])
    assert identical(OrderedDict(a=1), OrderedDict(a=1))


ORDERED: list[Any] = [
    -1.5,
    1,
    2.5,
    False,
    None,
    True,
    Pid("a", 1),
    Pid("a", 2),
    (),
    (2,),
    (1, 1),
    {},
    {"a": 2},
    {"b": 1},
    {"a": 1, "b": 1},
    [],
    [1],
    [1, 1],
    [2],
    b"z",
    "",
    "a",
    "ab",
    "é",
]


def test_terms_have_erlangs_order() -> None:
    assert sorted(ORDERED[1::2] + ORDERED[::2], key=order_key) == ORDERED
    for place, one in enumerate(ORDERED):
        assert [compare(one, other) for other in ORDERED] == [
            (place > other) - (place < other) for other in range(len(ORDERED))
        ]


def test_numbers_are_equal_across_types_but_not_as_keys_of_maps() -> None:
    assert compare([1, (2.0,)], [1.0, (2,)]) == 0
    assert compare({"a": 1}, {"a": 1.0}) == 0
    assert compare({1: "a"}, {1.0: "a"}) == -1
    assert compare({2: "a"}, {1.0: "a"}) == -1
    assert compare(Point(1), Point(2)) == -1


def test_objects_without_an_order_have_none() -> None:
    one, other = object(), object()
    assert compare(one, one) == 0
    with pytest.raises(TypeError):
        compare(one, other)


@given(TERMS, TERMS)
def test_the_forms_agree_with_the_comparison(one: Any, other: Any) -> None:
    assert identical(one, other) is (strict(one) == strict(other))
    assert compare(one, other) == -compare(other, one)
    if identical(one, other):
        assert compare(one, other) == 0


@given(st.lists(TERMS, max_size=6))
def test_any_terms_can_be_sorted_and_the_order_holds(terms: list[Any]) -> None:
    ranked = sorted(terms, key=order_key)
    assert all(compare(ranked[i], ranked[j]) <= 0 for j in range(len(ranked)) for i in range(j))
