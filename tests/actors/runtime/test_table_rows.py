"""Rows of tables, against a plain list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.runtime.table_rows import ROWS
from aybiza.actors.runtime.terms import compare, identical, order_key

KEYS = st.sampled_from([1, 1.0, 2, "a", None, ("a", 1)])
ACTIONS = st.lists(
    st.tuples(st.sampled_from(["put", "remove", "replace"]), KEYS, st.integers(0, 2)), max_size=30
)


def same_key(kind: str, one: Any, other: Any) -> bool:
    return compare(one, other) == 0 if kind == "ordered_set" else identical(one, other)


@pytest.mark.parametrize("kind", list(ROWS))
@given(actions=ACTIONS)
def test_any_history_leaves_what_a_list_would_hold(
    kind: str, actions: list[tuple[str, Any, int]]
) -> None:
    rows = ROWS[kind](0)
    model: list[tuple[Any, int]] = []
    for action, key, value in actions:
        row = (key, value)
        others = [each for each in model if not same_key(kind, each[0], key)]
        if action == "remove":
            rows.remove(key)
            model = others
        elif action == "replace":
            rows.replace(key, [row])
            model = [*others, row]
        else:
            rows.put(row)
            held = [each for each in model if same_key(kind, each[0], key)]
            if kind == "bag" and row in held:
                continue
            model = [*others, *(held if "bag" in kind else []), row]
    assert len(rows) == len(model)
    for _, key, _ in actions:
        assert rows.get(key) == [each for each in model if same_key(kind, each[0], key)]
    if kind == "ordered_set":
        assert list(rows.all()) == sorted(model, key=lambda each: order_key(each[0]))
    else:
        assert sorted(map(repr, rows.all())) == sorted(map(repr, model))
    rows.clear()
    assert (len(rows), list(rows.all())) == (0, [])
