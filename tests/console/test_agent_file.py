"""An agent's file as it is written is read back the same."""

from __future__ import annotations

import doctest
import tomllib
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from aybiza.console import agent_file
from aybiza.console.agent_file import toml_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = TEXT | st.booleans() | st.integers(-(2**53), 2**53) | st.lists(TEXT, max_size=3)


@given(st.dictionaries(st.sampled_from("abc"), PLAIN), st.dictionaries(TEXT, TEXT, max_size=3))
@example({"a": 'says """three"""\nand ends with "'}, {})
@example({"a": "\r\n\\\n\x7f"}, {})
def test_what_is_written_is_read_back(table: dict[str, Any], inner: dict[str, str]) -> None:
    whole = {**table, "inner": inner}
    assert tomllib.loads(toml_of(whole)) == whole


def test_the_examples_hold() -> None:
    assert doctest.testmod(agent_file).failed == 0
