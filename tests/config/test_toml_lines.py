"""Values of TOML files are found by their lines."""

import tomllib
from typing import Any

import pytest

from aybiza.config.toml_lines import line_of

TEXT = '''name = "Desk"            # 1
prompt = """
greeting = "none"
[not.a.table]
"""
tools = [
  "a",
  ["b"],
]
inner = { deep = 5, "with = sign" = 1 }
"quoted key" = 7
a.b = 8

[routes.sales]
agent = "x"
numbers = ["+1", "+2"]

[routes."of a = name"]
agent = "y"

[[steps]]
say = "one"
[[steps]]
say = 'two'
[steps.more]
last = true
'''


def test_a_table_of_dotted_keys_is_found_by_the_first_of_them() -> None:
    text = 'name = "a"\nmenus.main.keys.1 = { say = "x" }\nmenus.main.keys.2 = { say = "y" }\n'
    assert line_of(text, ("menus", "main", "prompt")) == 2
    assert line_of(text, ("menus", "main", "keys", "2", "sai")) == 3


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 1),
        (("prompt",), 2),
        (("greeting",), None),
        (("tools", 1), 6),
        (("inner", "deep"), 10),
        (("quoted key",), 11),
        (("a", "b"), 12),
        (("routes", "sales"), 14),
        (("routes", "sales", "numbers", 1), 16),
        (("routes", "sales", "missing"), 14),
        (("routes", "of a = name", "agent"), 19),
        (("steps", 0, "say"), 22),
        (("steps", 1, "say"), 24),
        (("steps", 1, "more", "last"), 26),
        (("nothing",), None),
    ],
)
def test_a_value_has_the_line_of_its_key(path: tuple[Any, ...], line: int | None) -> None:
    tomllib.loads(TEXT)
    assert line_of(TEXT, path) == line


@pytest.mark.parametrize("line", [" " * 500 + "# said of the line above", " " * 500, "a" * 500])
def test_a_line_that_is_no_key_is_passed_over_at_once(line: str) -> None:
    assert line_of(f"a = [\n{line}\n]\n{line}\nb = 1\n", ("b",)) == 5
