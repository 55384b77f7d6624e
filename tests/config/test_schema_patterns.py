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


@each(
    [
        (0.01, 10**400, True),
        (0.01, 19.99, True),
        (0.01, 19.995, False),
        (1e-320, 5, True),
        (3, 1e308, False),
        (3, 9.0, True),
    ]
)
def test_no_number_is_too_large_for_being_a_multiple(of: float, value: float, fits: bool) -> None:
    assert (fault({"multipleOf": of}, value) is None) is fits


@each(
    [
        ([1, 1.0], False),
        ([1, True], True),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], False),
        ([[1], [True], ["1"], {"1": 1}, None], True),
    ]
)
def test_what_json_schema_takes_for_the_same_is_not_unique(value: list[Any], fits: bool) -> None:
    assert (fault({"uniqueItems": True}, value) is None) is fits
