"""Takers of one value: it is carried, brought near, or left out by name."""

from __future__ import annotations

from typing import Any

from aybiza.config.vapi_parts import Carried, Take, number, parts, switch, text, texts
from tests.cases import each


def yes(carried: Carried, _: Any) -> None:
    carried.result["on"] = True


@each(
    [
        (text("a", "b", 5), " Hi ", {"b": "Hi"}, ""),
        (text("a", "b", 5), "too long", {}, "a: is longer than 5 characters"),
        (number("a", "b", 0, 10, int), 12, {"b": 10}, "a: 12 is outside of 0 to 10"),
        (number("a", "b", 500, 15_000, int, 1_000), 2.5, {"b": 2_500}, ""),
        (number("a", "b", 500, 15_000, int, 1_000), 60, {"b": 15_000}, "a: 60 is outside of 0.5"),
        (number("a", "b", 0, 1), True, {}, "a: is no number"),
        (texts("a", "b", 2), ["x", " y "], {"b": ["x", "y"]}, ""),
        (texts("a", "b", 1), ["x", "y", 5], {"b": ["x"]}, "a: only texts of 100 characters"),
        (texts("a", "b", 1), 5, {}, "a: only texts"),
        (switch("a", yes), True, {"on": True}, ""),
        (switch("a", yes), False, {}, ""),
        (switch("a", yes), "yes", {}, "a: is neither true nor false"),
        (parts("a", {"b": text("a.b", "c", 5)}), {"b": "x", "d": 1}, {"c": "x"}, "a.d: has no"),
        (parts("a", {}), 5, {}, "a: is no object"),
    ]
)
def test_a_value_is_carried_or_named(take: Take, value: Any, result: Any, left: str) -> None:
    carried = Carried()
    take(carried, value)
    assert carried.result == result
    assert [*carried.left_out, ""][0].startswith(left) and bool(carried.left_out) == bool(left)
