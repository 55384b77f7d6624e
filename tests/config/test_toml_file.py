"""Files that people write are read in one way, and what cannot be read is said in one way."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.config.toml_file import TomlError, read_toml, table_of
from tests.cases import each


@each(
    [
        b"\xef\xbb\xbfname = 'Desk'\n",
        b"name = 'Desk'\r\n",
        b"\xef\xbb\xbfname = 'Desk'\r\n# more\r\n",
    ]
)
def test_a_mark_and_line_ends_of_other_systems_are_no_part_of_a_file(written: bytes) -> None:
    assert table_of(written.decode(), "desk.toml") == {"name": "Desk"}


def test_a_file_that_begins_with_a_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_bytes(b"\xef\xbb\xbfname = 'Desk'\n")
    assert read_toml(path) == ("name = 'Desk'\n", {"name": "Desk"})


@each(
    [
        ("name = ", "desk.toml: is not TOML: Invalid value"),
        (f"x = {'[' * 3_000}{']' * 3_000}", "desk.toml: is not TOML that can be read: it is too"),
        (f"x = {'9' * 5_000}", "desk.toml: is not TOML that can be read: Exceeds"),
        # Some 25 GB, if it were read.
        (f"x = 1\na{'.a' * 80_000} = 1", "desk.toml:2: a key has more than 100 parts"),
        (f"[a{' . a' * 80_000}]", "desk.toml:1: a key has more than 100 parts"),
        ("x = { 'a'" + '."a"' * 80_000 + " = 1 }", "desk.toml:1: a key has more than 100 parts"),
    ]
)
def test_whatever_cannot_be_read_is_told_with_its_file(text: str, told: str) -> None:
    with pytest.raises(TomlError) as caught:
        table_of(text, "desk.toml")
    assert str(caught.value).startswith(told)


@each(
    [
        ("name = Desk", "(at line 1, column 8); a text stands in quotes"),
        (
            'name = "a"\nname = "b"',
            "(at end of document); name stands there twice: leave one out",
        ),
        ("[hours]\n[hours]", "[hours] stands there twice: leave one out"),
        ('name = "Desk\n', "a text in quotes ends on its line"),
        ("name: Desk\n", "write name = …, where YAML has a colon"),
        ('{"name": "Desk"}', "that looks like JSON"),
        ("= 5", "Invalid statement (at line 1, column 1)"),
        ('x = """', "one in three quotes goes over several"),
    ]
)
def test_of_usual_mistakes_what_to_do_is_told(text: str, told: str) -> None:
    with pytest.raises(TomlError) as caught:
        table_of(text, "desk.toml")
    assert told in str(caught.value)


def test_dots_that_part_no_key_are_as_many_as_one_likes() -> None:
    values = (f"[{'0.5, ' * 500}]", f'"{"Yes. " * 500}"', "'''" + "no. " * 500 + "\n'''")
    for value in values:
        assert "a" in table_of(f"a = {value} # {'. ' * 500}", "desk.toml")
