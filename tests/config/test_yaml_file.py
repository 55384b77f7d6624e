"""YAML is read safely, and what cannot be read is told with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.config.yaml_file import YamlError, line_of, table_of

TEXT = """\
title: Books a table
facts:
  day: [Monday, "Tuesday"]
says:
  - when: which day
    say: ["On {day}."]
  - {when: anything, say: []}
"""


def test_what_is_written_is_read() -> None:
    assert table_of(TEXT, "mine.yaml") == {
        "title": "Books a table",
        "facts": {"day": ["Monday", "Tuesday"]},
        "says": [
            {"when": "which day", "say": ["On {day}."]},
            {"when": "anything", "say": []},
        ],
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title: a\ntitle: b", "mine.yaml:2: is not YAML that can be read: 'title' stands twice"),
        ("a: [1\nb: 2", "mine.yaml:2: is not YAML"),
        ("a: &x [1]\nb: *x", "mine.yaml:2: is not YAML that can be read: aliases are not taken"),
        ("a: !!python/name:os.system", "mine.yaml:1: is not YAML"),
        ("- a\n- b", "mine.yaml: has to be a mapping"),
        ("", "mine.yaml: has to be a mapping"),
        ("a: 1\n---\nb: 2", "mine.yaml:2: is not YAML"),
        ("a: 2026-99-99", "mine.yaml: is not YAML"),
        ("[" * 5000, "mine.yaml: is not YAML that can be read: it is too deep"),
        ("a: \x00", "mine.yaml: is not YAML"),
        (
            "a: 12:30",
            "mine.yaml:1: is not YAML that can be read: '12:30' would be a number in base 60",
        ),
        ("a: 1" + ":1" * 9_000, "mine.yaml:1: is not YAML that can be read: '1:1:1:1"),
        ("#" * 500_001, "mine.yaml: is longer than 500000 characters"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(YamlError) as raised:
        table_of(text, "mine.yaml")
    assert str(raised.value).startswith(told)
    assert "\n" not in str(raised.value)


@given(st.text(st.sampled_from("a:- \n[]{}&*!|>'\"#0.\t\x85\ud83d\U0001f600"), max_size=60))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        table = table_of(text, "mine.yaml")
    except YamlError as error:
        assert str(error).startswith("mine.yaml")
    else:
        assert all(line_of(text, (key,)) for key in table if key in text and key)


def test_a_line_is_that_of_the_last_part_that_is_there() -> None:
    assert line_of(TEXT, ("says", 1, "say")) == 7
    assert line_of(TEXT, ("says", 0, "say", 0)) == 6
    assert line_of(TEXT, ("says", 0, "nothing")) == 5
    assert line_of(TEXT, ("nothing",)) is None
