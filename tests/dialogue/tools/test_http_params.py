"""Values in paths, queries, forms and headers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.dialogue.tool_registry import ToolError
from aybiza.dialogue.tools.http_params import Style, in_header, in_segment, pairs, plain, segment


@pytest.mark.parametrize(
    ("value", "style", "made"),
    [
        ("a b", Style(), [("x", "a b")]),
        (True, Style(), [("x", "true")]),
        (None, Style(), []),
        ([1, 2], Style(), [("x", "1"), ("x", "2")]),
        ([1, 2], Style(explode=False), [("x", "1,2")]),
        ([1, 2], Style("spaceDelimited", False), [("x", "1 2")]),
        ([1, 2], Style("pipeDelimited", False), [("x", "1|2")]),
        ([1, 2], Style("tabDelimited", False), [("x", "1\t2")]),
        ([], Style(), []),
        ([], Style(explode=False), []),
        ({"a": 1, "b": 2}, Style(), [("a", "1"), ("b", "2")]),
        ({"a": 1, "b": 2}, Style(explode=False), [("x", "a,1,b,2")]),
        (
            {"a": 1, "b": {"c": [2, 3]}},
            Style("deepObject"),
            [("x[a]", "1"), ("x[b][c][0]", "2"), ("x[b][c][1]", "3")],
        ),
        ({"a": 1}, Style(as_json=True), [("x", '{"a": 1}')]),
    ],
)
def test_a_value_is_written_in_its_style(value: Any, style: Style, made: Any) -> None:
    assert pairs("x", value, style) == made


def test_what_is_nested_without_end_is_refused() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = {"a": deep}
    with pytest.raises(ToolError, match="nested"):
        pairs("x", deep, Style("deepObject"))


@pytest.mark.parametrize(
    ("value", "explode", "made"),
    [
        ("a b", False, "a%20b"),
        ([1, "b?"], False, "1,b%3F"),
        ({"a": 1}, True, "a=1"),
        ({"a": 1}, False, "a,1"),
    ],
)
def test_a_segment_is_written_in_the_style_simple(value: Any, explode: bool, made: str) -> None:
    assert in_segment("id", value, Style("simple", explode)) == made


@pytest.mark.parametrize(
    ("value", "explode", "made"),
    [
        ("a;b", False, ";id=a%3Bb"),
        ([1, "b?"], False, ";id=1,b%3F"),
        ([1, 2], True, ";id=1;id=2"),
        ({"a": 1, "b": 2}, False, ";id=a,1,b,2"),
        ({"a": 1, "b": 2}, True, ";a=1;b=2"),
    ],
)
def test_a_segment_is_written_in_the_style_matrix(value: Any, explode: bool, made: str) -> None:
    assert in_segment("id", value, Style("matrix", explode)) == made


@pytest.mark.parametrize(
    "value",
    [
        "..",
        ".",
        "a/b",
        "a\\b",
        "%2e%2e",
        "%2E.",
        "%2f",
        "a%5cb",
        "%252f",
        "%00",
        "a\nb",
        "\x85",
        "\ud800",
        " .. ",
    ],
)
def test_what_would_leave_its_segment_is_refused(value: str) -> None:
    with pytest.raises(ToolError) as refused:
        segment(value)
    assert refused.value.code == "bad_input"


@pytest.mark.parametrize("value", ["", [], {}])
def test_an_empty_segment_is_refused(value: Any) -> None:
    with pytest.raises(ToolError, match="empty"):
        in_segment("id", value, Style("simple", False))


@given(st.text(min_size=1))
def test_what_is_taken_stays_one_segment_of_the_path(value: str) -> None:
    try:
        made = segment(value)
    except ToolError:
        return
    assert made
    assert not set(made) & set("/?#{}\\ \r\n")
    assert made not in (".", "..")


@pytest.mark.parametrize("value", ["Zoë", "a\r\nX: 1", "\0", "\x7f", ["a", "é"]])
def test_a_header_takes_plain_ascii_only(value: Any) -> None:
    with pytest.raises(ToolError, match="Nothing was sent"):
        in_header("X-Name", value, False)
    assert in_header("X-Name", ["a", 1], False) == "a,1"
    assert in_header("X-Name", {"a": True}, True) == "a=true"


@pytest.mark.parametrize(
    ("value", "text"), [(1.5, "1.5"), (False, "false"), (None, ""), ([1], "[1]")]
)
def test_a_single_value_is_text(value: Any, text: str) -> None:
    assert plain(value) == text
