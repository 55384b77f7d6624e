"""JSON Schemas that files and tools bring: checked once, and never fetched from elsewhere.

    check = validator(schema, "tickets: the input schema")    raises ValueError, for people
    fault(check, value)                                       what does not fit, in words; or None

Schemas are of JSON Schema 2020-12. One that refers to anything but itself is refused: it would be
fetched in the midst of a call; and so is one that is too deep, goes round and round, or has a
pattern that is too large. A value is checked on the spot, in bounded time (`schema_bounds`,
`schema_patterns`), and of the faults no more than `MOST_FAULTS` are weighed.

Errors: `ValueError` from `validator`; nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from aybiza.config.schema_bounds import (
    DEEPEST,
    TooMuch,
    fault_of,
    goes_round,
    is_deep,
    limited,
    parts,
)
from aybiza.config.schema_patterns import Checker

SHOWN_CHARACTERS: Final = 200
MOST_FAULTS: Final = 32
MOST_KNOWN: Final = 4_096
_GOOD: Final[set[bytes]] = set()
"""The digests of schemas that have been looked at: an API has hundreds, each is looked at twice."""
_ANY: Final = frozenset({"const", "default"})
_TEXTS: Final = frozenset({"$comment", "description", "format", "title"})
_ONE: Final = frozenset(
    {"additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"}
)
_LISTED: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_PATTERNS: Final = "patternProperties"
_NAMED: Final = frozenset({"$defs", "dependentSchemas", "properties", _PATTERNS})
"""What a schema holds: values of any kind, words, a schema, several of them."""


def validator(schema: Mapping[str, Any], what: str) -> Draft202012Validator:
    """See the module. `what` names the schema in the error.

    >>> validator({"type": "objekt"}, "the schema")
    Traceback (most recent call last):
    ValueError: the schema is none: 'objekt' is not valid under any of the given schemas
    """
    if is_deep(schema):
        raise ValueError(f"{what} has more than {DEEPEST} levels")
    text, wrong = as_json(schema), fault_of(schema)
    if wrong is not None:
        raise ValueError(f"{what} {wrong}")
    try:
        if text is None:
            Draft202012Validator.check_schema(schema)
        else:
            _check_schema(text)
    except SchemaError as error:
        raise ValueError(f"{what} is none: {_told(error)}") from None
    if text is None:
        raise ValueError(f"{what} is not JSON")
    # Without a registry of its own it would fetch what lies elsewhere, on the loop.
    made: Draft202012Validator = Checker(schema, registry=Registry())
    found = _References(schema)
    referring = False
    for part in parts(schema):
        for key in ("$ref", "$dynamicRef"):
            if isinstance(part.get(key), str):
                referring = True
                if not found.has(part[key]):
                    raise ValueError(f"{what} refers to {part[key]!r}, not to itself")
        if "unevaluatedProperties" in part and '"patternProperties"' in text:
            raise ValueError(
                f"{what} has unevaluatedProperties beside patternProperties: use"
                " additionalProperties"
            )
    if referring and goes_round(schema, found):
        raise ValueError(f"{what} refers to itself, round and round")
    return made


def fault(check: Draft202012Validator, value: Mapping[str, Any]) -> str | None:
    """See the module.

    >>> fault(validator({"properties": {"seats": {"type": "integer"}}}, "it"), {"seats": "two"})
    "seats: 'two' is not of type 'integer'"
    """
    if is_deep(value):
        return f"has more than {DEEPEST} levels"
    try:
        with limited():
            found = best_match(islice(check.iter_errors(value), MOST_FAULTS))
    except (TooMuch, RecursionError):
        return "is too much to be checked"
    if found is None:
        return None
    path = ".".join(map(str, found.absolute_path))
    return f"{path}: {_told(found)}" if path else _told(found)


def _told(wrong: ValidationError | SchemaError) -> str:
    """What is wrong; without the value where that is long."""
    if len(wrong.message) <= SHOWN_CHARACTERS:
        return wrong.message
    return f"does not satisfy {wrong.validator}"


def as_json(value: object) -> str | None:
    """The value as JSON; None for what JSON cannot carry."""
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None


def _check_schema(text: str) -> None:
    """Raise `SchemaError` if the JSON is no schema; a schema that is one is looked at once."""
    digest = hashlib.sha256(text.encode()).digest()
    if digest in _GOOD:
        return
    schema = json.loads(text)
    if not _sound(schema):
        Draft202012Validator.check_schema(schema)  # which says what is wrong with it
    if len(_GOOD) >= MOST_KNOWN:
        _GOOD.clear()
    _GOOD.add(digest)


def _sound(schema: object) -> bool:
    """Whether this is a schema, with all that is within it.

    The library looks at a schema of 8 KB for 20 ms, and what an API's document describes stands in
    hundreds of its answers. So each schema is looked at without those within it, which are looked
    at by themselves, and those that are alike once.
    """
    if not isinstance(schema, dict):
        return isinstance(schema, bool)
    own: dict[str, Any] = {}
    for key, value in schema.items():
        within: Iterable[object] = ()
        if key in _ANY or (key in _TEXTS and isinstance(value, str)):
            continue
        if key in _ONE and isinstance(value, dict):
            own[key], within = True, (value,)
        elif key in _LISTED and isinstance(value, list):
            own[key], within = [True] * bool(value), value
        elif key in _NAMED and isinstance(value, dict):
            own[key], within = (
                dict.fromkeys(value if key == _PATTERNS else (), True),
                value.values(),
            )
        else:
            own[key] = [] if key == "enum" and isinstance(value, list) else value
        if not all(map(_sound, within)):
            return False
    return _is_schema(json.dumps(own, sort_keys=True))


@lru_cache(MOST_KNOWN)
def _is_schema(text: str) -> bool:
    try:
        Draft202012Validator.check_schema(json.loads(text))
    except SchemaError:
        return False
    return True


class _References:
    """What a schema's references lead to."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema

    @cached_property
    def _resolver(self) -> Any:
        resource: Resource[Any] = DRAFT202012.create_resource(self._schema)
        return Registry().with_resource("", resource).resolver()

    def __call__(self, reference: str) -> Any:
        return self._resolver.lookup(reference).contents

    def has(self, reference: str) -> bool:
        """Whether it leads somewhere."""
        try:
            self(reference)
        except Unresolvable:
            return False
        return True
