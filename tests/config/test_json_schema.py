"""Schemas that files and tools bring are checked, and nothing is fetched for them."""

import pytest

from aybiza.config.json_schema import SHOWN_CHARACTERS, as_json, fault, validator


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
