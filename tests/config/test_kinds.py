"""A value of a wrong kind is told by the kind that is wanted and the one that is given."""

from __future__ import annotations

import doctest
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from aybiza.config import kinds
from aybiza.config.kinds import kind, refusal, wanted


class Part(BaseModel):
    of: str = ""


class Thing(BaseModel):
    text: str = ""
    whole: int = 0
    number: float = 0.0
    flag: bool = False
    several: tuple[str, ...] = ()
    rows: list[int] = []
    table: dict[str, str] = {}
    part: Part = Part()
    short: Annotated[str, Field(max_length=3)] = ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"text": 5}, "must be a text, not a whole number"),
        ({"text": True}, "must be a text, not true or false"),
        ({"whole": "five"}, "must be a whole number, not a text"),
        ({"whole": 5.5}, "must be a whole number, not one with a fraction"),
        ({"whole": [5]}, "must be a whole number, not a list"),
        ({"number": "five"}, "must be a number, not a text"),
        ({"number": {}}, "must be a number, not a table"),
        ({"flag": "maybe"}, "must be true or false, not a text"),
        ({"flag": [1]}, "must be true or false, not a list"),
        ({"several": "one"}, "must be a list, not a text"),
        ({"rows": "one"}, "must be a list, not a text"),
        ({"table": "one"}, "must be a table, not a text"),
        ({"part": 1.5}, "must be a table, not a number"),
        ({"short": "four"}, "should have at most 3 characters"),
    ],
)
def test_what_a_model_refuses_is_told_by_kinds(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Thing.model_validate(given)
    assert wanted(caught.value.errors()[0]) == told


@pytest.mark.parametrize(
    ("value", "types", "told"),
    [
        ("x", int, "must be a whole number, not a text"),
        (True, int, "must be a whole number, not true or false"),
        (1.5, int, "must be a whole number, not a number"),
        (False, (int, float), "must be a number, not true or false"),
        (3, str, "must be a text, not a whole number"),
        ({}, list, "must be a list, not a table"),
        (1, bool, "must be true or false, not a whole number"),
        (True, bool, None),
        (3, (int, float), None),
    ],
)
def test_what_is_asked_for_by_hand_is_told_the_same(value: Any, types: Any, told: Any) -> None:
    assert refusal(value, types) == told


def test_what_no_file_has_is_something_else() -> None:
    assert kind(None) == kind(b"") == "something else"


def test_the_examples_hold() -> None:
    assert doctest.testmod(kinds).failed == 0
