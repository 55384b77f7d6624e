"""JSON Schema 2020-12 whose keywords take a bounded time, one by one.

    Checker(schema).iter_errors(value)      as `jsonschema.Draft202012Validator` has it

A schema may come with an API's document, and what is checked are a caller's own words, on the loop.
A pattern that goes back and forth over them (`^(a+)+$`) would hold every call of the node, and in
a thread too: Python's own `re` keeps the interpreter to itself. So patterns are `regex`'s, for
`PATTERN_SECONDS` at most; what takes longer does not fit. `uniqueItems` is decided in one pass, and
`multipleOf` exactly: 19.99 is a multiple of 0.01, and a number of 400 digits is no fault. What all
keywords take together is bounded by `schema_bounds`.

Errors: none of its own. Source: JSON Schema 2020-12, "Validation", section 6.3.3; "Core", 10.3.2.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

import regex
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from aybiza.config.schema_bounds import PATTERN_STEPS, counted, spend

PATTERN_SECONDS: Final = 0.005

Schema = Mapping[str, Any]


def _finds(pattern: str, text: str) -> bool:
    try:
        return regex.search(pattern, text, timeout=PATTERN_SECONDS) is not None
    except TimeoutError:
        spend(PATTERN_STEPS)
        return False
    except regex.error:
        return False


def _pattern(checker: Any, pattern: str, text: Any, _: Schema) -> Iterator[ValidationError]:
    if isinstance(text, str) and not _finds(pattern, text):
        yield ValidationError(f"{text!r} does not match {pattern!r}")


def _pattern_properties(
    checker: Any, patterns: Schema, value: Any, _: Schema
) -> Iterator[ValidationError]:
    for pattern, schema in patterns.items() if isinstance(value, dict) else ():
        for key in value:
            if _finds(pattern, key):
                yield from checker.descend(value[key], schema, path=key, schema_path=pattern)


def _additional_properties(
    checker: Any, wanted: Any, value: Any, schema: Schema
) -> Iterator[ValidationError]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for key in value if isinstance(value, dict) else ():
        if key in known or any(_finds(pattern, key) for pattern in patterns):
            continue
        if isinstance(wanted, dict):
            yield from checker.descend(value[key], wanted, path=key)
        elif not wanted:
            yield ValidationError(f"{key!r} is no member of it")


def _unique_items(checker: Any, wanted: Any, value: Any, _: Schema) -> Iterator[ValidationError]:
    if wanted and isinstance(value, list) and len(set(map(_key, value))) < len(value):
        yield ValidationError(f"{value!r} has non-unique elements")


def _key(value: Any) -> Hashable:
    """The same for values that JSON Schema takes for the same: 1 and 1.0, and not 1 and true."""
    if isinstance(value, dict):
        return "object", frozenset((name, _key(each)) for name, each in value.items())
    if isinstance(value, list):
        return "list", *map(_key, value)
    return isinstance(value, bool), value


def _multiple_of(checker: Any, wanted: Any, value: Any, _: Schema) -> Iterator[ValidationError]:
    if checker.is_type(value, "number") and not _divides(wanted, value):
        yield ValidationError(f"{value!r} is not a multiple of {wanted!r}")


def _divides(wanted: float, value: float) -> bool:
    try:
        # As it is written, and not as a machine has it.
        return Fraction(str(value)) % Fraction(str(wanted)) == 0
    except (ValueError, ZeroDivisionError):
        return False


Checker: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    counted(
        {
            **Draft202012Validator.VALIDATORS,
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "additionalProperties": _additional_properties,
            "uniqueItems": _unique_items,
            "multipleOf": _multiple_of,
        }
    ),
)
"""See the module. `unevaluatedProperties` beside `patternProperties` is for who makes it to
refuse: the library looks for the names by itself."""
