"""JSON Schema 2020-12 whose patterns are looked for in bounded time.

    Checker(schema).iter_errors(value)      as `jsonschema.Draft202012Validator` has it

A schema may come with an API's document, and what is checked are a caller's own words, on the loop.
A pattern that goes back and forth over them (`^(a+)+$`) would hold every call of the node, and in
a thread too: Python's own `re` keeps the interpreter to itself. So patterns are `regex`'s, for
`PATTERN_SECONDS` at most; what takes longer does not fit.

Errors: none of its own. Source: JSON Schema 2020-12, "Validation", section 6.3.3; "Core", 10.3.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import regex
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

PATTERN_SECONDS: Final = 0.005

Schema = Mapping[str, Any]


def _finds(pattern: str, text: str) -> bool:
    try:
        return regex.search(pattern, text, timeout=PATTERN_SECONDS) is not None
    except (TimeoutError, regex.error):
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


Checker: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    },
)
"""See the module. `unevaluatedProperties` beside `patternProperties` is for who makes it to
refuse: the library looks for the names by itself."""
