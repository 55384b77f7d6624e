"""Schemas that files and tools bring are checked, and nothing is fetched for them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from aybiza.config.json_schema import (
    SHOWN_CHARACTERS,
    _is_schema,
    _sound,
    as_json,
    fault,
    validator,
)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "objekt"}, "it is none"),
        ({"$ref": "https://example.org/s.json"}, "it refers to 'https://example.org/s.json'"),
        ({"properties": {"a": {"$ref": "#/$defs/a"}}}, "it refers to '#/$defs/a', not to itself"),
        ({"default": float("nan")}, "it is not JSON"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=r"^it ") as refused:
        validator(schema, "it")
    assert str(refused.value).startswith(why)


def test_what_does_not_fit_is_told_in_few_words() -> None:
    check = validator({"properties": {"a": {"enum": ["x" * SHOWN_CHARACTERS]}}}, "it")
    assert fault(check, {"a": 1}) == "a: does not satisfy enum"
    assert fault(check, {"b": 1}) is None
    assert as_json({1j}) is None


def test_what_is_wrong_with_a_long_schema_is_told_in_few_words() -> None:
    many = [{"type": "object", "title": "x" * SHOWN_CHARACTERS}]
    with pytest.raises(ValueError, match=r"^it is none: does not satisfy type$"):
        validator({"properties": {"a": {"items": many}}}, "it")


SCALARS = st.one_of(
    st.booleans(), st.none(), st.integers(-1, 3), st.sampled_from(["a", "object", "(["])
)
WORDS = """type enum const default description title format items prefixItems allOf anyOf not if
properties patternProperties $defs dependentSchemas additionalProperties required minLength examples
$ref contains definitions dependencies pattern"""
KEYS = st.sampled_from(WORDS.split())
SCHEMAS: st.SearchStrategy[object] = st.recursive(
    SCALARS,
    lambda part: st.one_of(
        st.lists(part, max_size=2),
        st.dictionaries(KEYS, part, max_size=3),
        st.fixed_dictionaries({"type": st.sampled_from(["object", "string", ["null", "array"]])}),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, SCHEMAS, max_size=4))
def test_a_schema_is_taken_by_parts_as_by_the_library(schema: dict[str, object]) -> None:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        assert not _sound(schema)
    else:
        assert _sound(schema)


def test_a_part_that_is_met_again_is_not_looked_at_again() -> None:
    part = {"type": "object", "properties": {"seats": {"type": "integer", "maximum": 17.25}}}
    validator({"anyOf": [part], "title": "first"}, "it")
    looked = _is_schema.cache_info().misses
    validator({"anyOf": [part, part], "title": "second"}, "it")
    assert _is_schema.cache_info().misses <= looked + 1
