"""Schemas with patterns let in what fits them, in bounded time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from aybiza.config.json_schema import MOST_FAULTS, validator
from aybiza.config.json_schema import fault as fault_of
from aybiza.config.schema_patterns import PATTERN_SECONDS
from tests.cases import each

SLOW = "^([a-z0-9_.-]+)*!(.*)*#(.*)*$"
WORDS = "a" * 60


def fault(member: dict[str, Any], value: Any) -> str | None:
    schema = {"type": "object", "properties": {"a": member}}
    return fault_of(validator(schema, "it"), {"a": value})


@each(
    [
        ({"type": "string", "pattern": "^[a-z]{2}$"}, "de", None),
        ({"type": "string", "pattern": "^[a-z]{2}$"}, "d3", "a: 'd3' does not match '^[a-z]{2}$'"),
        ({"pattern": "^[a-z]{2}$"}, 3, None),
        ({"patternProperties": {"^x-": {"type": "string"}}}, {"x-a": 1, "b": 1}, "a.x-a: 1 is not"),
        ({"patternProperties": {"^x-": {}}, "additionalProperties": False}, {"x-a": 1}, None),
        ({"properties": {"b": {}}, "additionalProperties": False}, {"c": 1}, "a: 'c' is no member"),
        ({"additionalProperties": {"type": "string"}}, {"c": 1}, "a.c: 1 is not of type 'string'"),
        ({"additionalProperties": True}, {"c": 1}, None),
    ]
)
def test_what_fits_and_what_does_not(member: dict[str, Any], value: Any, said: str | None) -> None:
    found = fault(member, value)
    assert found == said or (said is not None and str(found).startswith(said))


@each(
    [
        ({"type": "string", "pattern": SLOW}, WORDS * 200),
        ({"patternProperties": {SLOW: {}}}, {WORDS * 200: 1}),
        (
            {"patternProperties": {SLOW: {}}, "additionalProperties": False},
            {WORDS: 1},
        ),
        ({"type": "array", "items": {"type": "string"}}, [1] * 5000),
        ({"type": "array", "uniqueItems": True}, [{"b": 1}] * 1500),
    ]
)
def test_no_words_of_a_caller_hold_the_loop(member: dict[str, Any], value: Any) -> None:
    began = time.thread_time()
    fault(member, value)
    assert time.thread_time() - began < 20 * PATTERN_SECONDS


def test_few_faults_of_many_are_weighed() -> None:
    said = fault({"type": "array", "items": {"type": "string"}}, [1] * (2 * MOST_FAULTS))
    assert said is not None and "is not of type 'string'" in said


def test_a_schema_whose_names_cannot_be_told_apart_is_refused() -> None:
    schema = {"type": "object", "patternProperties": {"^x": {}}, "unevaluatedProperties": False}
    with pytest.raises(ValueError, match="it has unevaluatedProperties"):
        validator(schema, "it")
