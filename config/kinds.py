"""What kind of value a file has, and which it should have, in the words of whoever writes the file.

    wanted(detail)        what a detail of pydantic's `ValidationError` asks for
    refusal(value, int)   the same where a type was asked for by hand, or None

A wrong kind is told with both: what is wanted, and what is given. The value itself is not told
here, for it may be a secret.

>>> refusal("ten", (int, float))
'must be a number, not a text'
>>> refusal(10, (int, float)) is None
True

Source: pydantic, "Validation errors" (`string_type`, `int_parsing` …).
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, Final

_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "a table"),
    (datetime, "a day with a time"),
    (date, "a day"),
    (time, "a time of day"),
)
"""A truth value is a whole number to Python, so it stands first."""
_WANTED: Final = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a table",
    "model": "a table",
    "model_attributes": "a table",
}
_ENDINGS: Final = ("_type", "_parsing", "_from_float")
_BEGINNINGS: Final = ("Value error, ", "Input ", "String ")


def kind(value: Any) -> str:
    """What a value is, such as `a whole number`.

    >>> kind(True), kind([1])
    ('true or false', 'a list')
    """
    return next((words for type_, words in _KINDS if isinstance(value, type_)), "something else")


def refusal(value: Any, types: type | tuple[type, ...]) -> str | None:
    """What is wrong with a value that has to be of one of these types; None if it is."""
    any_of = types if isinstance(types, tuple) else (types,)
    if isinstance(value, any_of) and (not isinstance(value, bool) or bool in any_of):
        return None
    name = "a number" if float in any_of else dict(_KINDS)[any_of[0]]
    return f"must be {name}, not {kind(value)}"


def wanted(detail: Any) -> str:
    """What one of `ValidationError.errors()` asks for.

    >>> wanted({"type": "string_type", "input": 5, "msg": "Input should be a valid string"})
    'must be a text, not a whole number'
    >>> wanted({"type": "less_than", "input": 5, "msg": "Input should be less than 3"})
    'should be less than 3'
    """
    for ending in _ENDINGS:
        name = _WANTED.get(detail["type"].removesuffix(ending))
        if name is not None and detail["type"].endswith(ending):
            given = "one with a fraction" if ending == "_from_float" else kind(detail["input"])
            return f"must be {name}, not {given}"
    told = str(detail["msg"])
    for beginning in _BEGINNINGS:
        told = told.removeprefix(beginning)
    return told
