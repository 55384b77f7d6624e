"""Object literals of JavaScript are read as data, and nothing in them is run."""

from __future__ import annotations

import doctest
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.config import js_literal
from aybiza.config.js_literal import read_literal

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_json_is_such_a_literal(value: dict[str, Any]) -> None:
    assert read_literal(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("const a = {b: `two\nlines`};", {"b": "two\nlines"}),
        ("{a: 1.5, // why\n b: -2e3, /* or */ }", {"a": 1.5, "b": -2000.0}),
        ("export default {a: {b: [ 'c', ], }, d: undefined}", {"a": {"b": ["c"]}, "d": None}),
        (r"{a: '\u00e9\x41\n\q'}", {"a": "éA\nq"}),
        ("{true: true}", {"true": True}),
    ],
)
def test_what_people_write_is_read(text: str, value: dict[str, Any]) -> None:
    assert read_literal(text) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no object"),
        ("{a: 1", "line 1: ends in the middle"),
        ("{\n a: process.env.KEY}", "line 2: process is no data"),
        ("{a: `${secret}`}", "line 1: "),
        ("{a: 1 + 1}", "line 1: '[+]' is no data"),
        ("{a: [1}", "line 1: } closes nothing"),
        ("{a b}", "line 1: a is no data"),
        ("{'a' 1}", "cannot be read"),
        ("{a: " + "[" * 20_000, "line 1: ends"),
        ("{a: " + "[" * 100_000 + "]" * 100_000 + "}", "nested too deep"),
    ],
)
def test_what_is_no_data_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_literal(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(read_literal("{" + text), dict)
    except ValueError:
        return


def test_the_examples_hold() -> None:
    assert doctest.testmod(js_literal).failed == 0
