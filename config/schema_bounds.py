"""What a JSON Schema and a check by it may take, whoever wrote the schema.

    fault_of(schema)            what makes the schema more than can be checked by; None: nothing
    pattern_fault(pattern)      the same of one of its patterns
    goes_round(schema, found)   whether its references go round and round
    with limited(): …           what is checked inside takes `MOST_STEPS` steps, or raises `TooMuch`
    counted(keywords)           the keywords of a validator, so that they count their steps
    is_deep(value)              whether a value has more levels than one may have

A schema may come with the document of an API or with a server of tools, and what is checked are
words of a model or of a caller, on the loop. Eleven lines of schema can ask for a check that
doubles with each of them, that never ends (`{"$ref": "#"}`), or for a pattern that takes gigabytes
to be made (`a{999999999}`).

Contract: pure but for the count, which is the context's. Errors: `TooMuch`.
Source: JSON Schema 2020-12, "Core", sections 8.2.3.1 and 9.4.1 ("Infinite Recursion").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final

import regex

DEEPEST: Final = 64
"""Levels of JSON in a schema, and in what is checked."""
MOST_STEPS: Final = 5_000
"""A keyword that is looked at is a step: a long list of large objects has some thousands."""
REFERENCE_STEPS: Final = 10
PATTERN_STEPS: Final = 1_000
"""What following a reference counts, and a pattern that ran into its limit."""
PATTERN_CHARACTERS: Final = 1_000
PATTERN_PLACES: Final = 5_000
"""What a pattern may have when its repetitions are written out: that is what it takes to make."""
KNOWN_PATTERNS: Final = 1_024

_SIGN: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|.", re.DOTALL | re.ASCII
)


class TooMuch(Exception):
    """A check takes more than it may."""


_left: ContextVar[list[int] | None] = ContextVar("steps that a check has left", default=None)


@contextmanager
def limited() -> Iterator[None]:
    """See the module."""
    token = _left.set([MOST_STEPS])
    try:
        yield
    finally:
        _left.reset(token)


def spend(steps: int) -> None:
    """Count these; raises `TooMuch`. Without `limited` nothing is counted."""
    left = _left.get()
    if left is not None:
        left[0] -= steps
        if left[0] < 0:
            raise TooMuch


def counted(keywords: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """See the module."""
    return {name: _counted(name, check) for name, check in keywords.items()}


def _counted(name: str, check: Callable[..., Any]) -> Callable[..., Any]:
    steps = REFERENCE_STEPS if name in ("$ref", "$dynamicRef") else 1

    def run(checker: Any, wanted: Any, value: Any, schema: Any) -> Any:
        spend(steps)
        return check(checker, wanted, value, schema)

    return run


def is_deep(value: object, most: int = DEEPEST) -> bool:
    """See the module.

    >>> is_deep([[1]], 2), is_deep([[1]], 1)
    (False, True)
    """
    level = [value]
    for _ in range(most):
        level = [inner for each in level for inner in _held(each)]
        if not level:
            return False
    return any(isinstance(each, Mapping | list | tuple) for each in level)


def _held(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


@lru_cache(KNOWN_PATTERNS)
def pattern_fault(pattern: str) -> str | None:
    """See the module.

    >>> pattern_fault("^[0-9]{3}-[0-9]{4}$") is None, pattern_fault("((a{99}){99}){99}")
    (True, 'is too large: it has more than 5000 places when it is written out')
    """
    if len(pattern) > PATTERN_CHARACTERS:
        return f"is longer than {PATTERN_CHARACTERS} characters"
    if _places(pattern) > PATTERN_PLACES:
        return f"is too large: it has more than {PATTERN_PLACES} places when it is written out"
    try:
        re.compile(pattern)
        regex.compile(pattern)
    except (re.error, regex.error, RecursionError, OverflowError) as error:
        return f"is none: {error}"
    return None


def _places(pattern: str) -> int:
    """How many places it has when its repetitions are written out, or a few more."""
    groups, last = [0], 0
    for found in _SIGN.finditer(pattern):
        sign = found[0]
        if found[1] is not None:
            times = max(int(number[:9]) for number in (found[1], found[2] or "0"))
            groups[-1] += last * (max(times, 1) - 1)
            last *= max(times, 1)
        elif sign == "(":
            groups.append(0)
        elif sign == ")" and len(groups) > 1:
            last = groups.pop() + 1
            groups[-1] += last
        else:
            last = 1
            groups[-1] += 1
    return sum(groups)


def fault_of(schema: Mapping[str, Any]) -> str | None:
    """See the module; the schema's references lead somewhere."""
    for part in parts(schema):
        if isinstance(part.get("$id"), str) and part is not schema:
            return f"has a part with an $id of its own, {part['$id']!r:.80}"
        patterns = part.get("patternProperties")
        for pattern in (part.get("pattern"), *(patterns if isinstance(patterns, Mapping) else ())):
            wrong = pattern_fault(pattern) if isinstance(pattern, str) else None
            if wrong is not None:
                return f"has a pattern, {pattern!r:.80}, that {wrong}"
    return None


def goes_round(schema: Mapping[str, Any], found: Callable[[str], Any]) -> bool:
    """Whether a part of it comes back to itself with the same value. found: what a reference
    leads to."""
    clear: set[int] = set()
    for part in parts(schema):
        above: list[int] = []
        todo: list[tuple[Any, bool]] = [(part, False)]
        while todo:
            each, is_done = todo.pop()
            key = id(each)
            if is_done:
                clear.add(above.pop())
            elif key in above:
                return True
            elif isinstance(each, Mapping) and key not in clear:
                above.append(key)
                todo.append((each, True))
                todo += [(inner, False) for inner in _of_the_same_value(each, found)]
    return False


def _of_the_same_value(schema: Mapping[str, Any], found: Callable[[str], Any]) -> Iterator[Any]:
    for key in ("$ref", "$dynamicRef"):
        if isinstance(schema.get(key), str):
            yield found(schema[key])
    for key in ("allOf", "anyOf", "oneOf"):
        yield from _held(schema.get(key))
    for key in ("not", "if", "then", "else"):
        yield schema.get(key)
    yield from _held(schema.get("dependentSchemas"))


def parts(schema: object) -> Iterator[Mapping[str, Any]]:
    """All tables in it, itself first."""
    if isinstance(schema, Mapping):
        yield schema
    for value in _held(schema):
        yield from parts(value)
