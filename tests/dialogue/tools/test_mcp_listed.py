"""Nothing that a server tells is left out without a word."""

from __future__ import annotations

from aybiza.dialogue.tools.mcp_listed import MOST_TOOLS, UNNAMED, Listed, chosen


def listed(*names: str) -> list[Listed]:
    return [Listed(name, f"{name}, {at}.", {}) for at, name in enumerate(names)]


def test_of_more_than_are_taken_the_first_are() -> None:
    names = [f"t{at}" for at in range(MOST_TOOLS + 2)]
    taken, left = chosen(listed(*names))
    assert [tool.name for tool in taken] == names[:MOST_TOOLS]
    assert list(left) == names[MOST_TOOLS:]
    assert "`only`" in left["t200"]


def test_those_that_are_named_are_taken_wherever_they_stand() -> None:
    names = [f"t{at}" for at in range(MOST_TOOLS + 2)]
    taken, left = chosen(listed(*names), only=[names[-1]])
    assert [tool.name for tool in taken] == [names[-1]]
    assert set(left.values()) == {UNNAMED}


def test_of_two_with_one_name_the_first_is_taken() -> None:
    taken, left = chosen(listed("find", "find"))
    assert [tool.description for tool in taken] == ["find, 0."]
    assert list(left) == ["find (again)"]
