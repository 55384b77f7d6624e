"""What a schema may ask of a check, and what a check may take."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.config.schema_bounds import (
    MOST_STEPS,
    PATTERN_CHARACTERS,
    TooMuch,
    fault_of,
    goes_round,
    limited,
    pattern_fault,
    spend,
)
from tests.cases import each


@each(
    [
        r"^\+?[1-9][0-9]{6,14}$",
        r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        r"^[\w.+-]{1,64}@([\w-]{1,63}\.){1,8}[a-z]{2,63}$",
        r"^\{[a-z]{1,20}\}[]a{9}]{2}$",
    ]
)
def test_patterns_as_people_write_them_are_taken(pattern: str) -> None:
    assert pattern_fault(pattern) is None


@each(
    [
        ("a{5001}", "too large"),
        ("(?:(?:ab){50}){51}", "too large"),
        ("[a-z]{,9}{99999}", "too large"),
        ("a" * (PATTERN_CHARACTERS + 1), "longer than"),
        ("(", "is none"),
        ("a{99999999999999999999}", "too large"),
    ]
)
def test_a_pattern_that_takes_long_to_be_made_is_none(pattern: str, why: str) -> None:
    assert why in str(pattern_fault(pattern))


def test_patterns_are_looked_at_where_a_schema_has_them() -> None:
    assert fault_of({"properties": {"pattern": {"type": "string"}}}) is None
    schemas: list[dict[str, Any]] = [{"pattern": "("}, {"items": {"patternProperties": {"(": {}}}}]
    for schema in schemas:
        assert "has a pattern, '(', that is none" in str(fault_of(schema))


def test_a_schema_that_comes_back_by_way_of_a_member_does_not_go_round() -> None:
    tree = {"properties": {"left": {"$ref": "#"}}}
    assert not goes_round(tree, lambda reference: tree)
    again = {"anyOf": [{"$ref": "#"}]}
    assert goes_round(again, lambda reference: again)


def test_steps_are_counted_where_they_are_limited_and_nowhere_else() -> None:
    spend(MOST_STEPS + 1)
    with limited():
        spend(MOST_STEPS)
        with pytest.raises(TooMuch):
            spend(1)
