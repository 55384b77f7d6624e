"""JSON Schemas that files and tools bring: checked once, and never fetched from elsewhere.

    check = validator(schema, "tickets: the input schema")    raises ValueError, for people
    fault(check, value)                                       what does not fit, in words; or None

Schemas are of JSON Schema 2020-12. One that refers to anything but itself is refused: it would be
fetched in the midst of a call. A value is checked on the spot; who takes patterns from strangers
does it in a thread.

Errors: `ValueError` from `validator`; nothing else.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

SHOWN_CHARACTERS: Final = 200


def validator(schema: Mapping[str, Any], what: str) -> Draft202012Validator:
    """See the module. `what` names the schema in the error.

    >>> validator({"type": "objekt"}, "the schema")
    Traceback (most recent call last):
    ValueError: the schema is none: 'objekt' is not valid under any of the given schemas
    """
    text = as_json(schema)
    try:
        if text is None:
            Draft202012Validator.check_schema(schema)
        else:
            _check_schema(text)
    except SchemaError as wrong:
        raise ValueError(f"{what} is none: {wrong.message}") from None
    if text is None:
        raise ValueError(f"{what} is not JSON")
    # Without a registry of its own it would fetch what lies elsewhere, on the loop.
    made = Draft202012Validator(schema, registry=Registry())
    for reference in _references(schema):
        if not _leads_somewhere(reference, schema):
            raise ValueError(f"{what} refers to {reference!r}, not to itself")
    return made


def fault(check: Draft202012Validator, value: Mapping[str, Any]) -> str | None:
    """See the module.

    >>> fault(validator({"properties": {"seats": {"type": "integer"}}}, "it"), {"seats": "two"})
    "seats: 'two' is not of type 'integer'"
    """
    wrong: ValidationError | None = best_match(check.iter_errors(value))
    if wrong is None:
        return None
    path = ".".join(map(str, wrong.absolute_path))
    message = wrong.message
    if len(message) > SHOWN_CHARACTERS:
        message = f"does not satisfy {wrong.validator}"
    return f"{path}: {message}" if path else message


def as_json(value: object) -> str | None:
    """The value as JSON; None for what JSON cannot carry."""
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None


@functools.lru_cache(maxsize=256)
def _check_schema(text: str) -> None:
    """Raise `SchemaError` if the JSON is no schema; a schema that is one is looked at once."""
    Draft202012Validator.check_schema(json.loads(text))


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from _references(value)


def _leads_somewhere(reference: str, schema: Mapping[str, Any]) -> bool:
    resource: Resource[Any] = DRAFT202012.create_resource(schema)
    try:
        resolver = Registry().with_resource("", resource).resolver()
        resolver.lookup(reference)
    except Unresolvable:
        return False
    return True
