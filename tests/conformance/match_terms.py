"""Match specifications of the recorded files as patterns, guards and results of this runtime."""

from __future__ import annotations

from typing import Any

from aybiza.actors.runtime import ANY, BOUND, WHOLE, Clause
from aybiza.actors.runtime.guards import OPERATORS, Expression, Variable

_MARKS = {"_": ANY, "$$": BOUND, "$_": WHOLE}


def pattern(json: Any) -> Any:
    """A pattern or a result: `"_"`, `"$1"` and `"$$"` are what they are in Erlang."""
    match json:
        case str() if json in _MARKS:
            return _MARKS[json]
        case str() if json[:1] == "$" and json[1:].isdigit():
            return Variable(int(json[1:]))
        case list():
            return [pattern(each) for each in json]
        case {"tuple": parts}:
            return tuple(pattern(each) for each in parts)
        case dict():
            return {key: pattern(each) for key, each in json.items()}
    return json


def guard(json: Any) -> Any:
    """A guard: `[operator, argument…]`, or a term."""
    match json:
        case [str(operator), *parts] if operator in OPERATORS:
            return Expression(operator, *map(guard, parts))
    return pattern(json)


def clause(head: Any, guards: Any = (), body: Any = ()) -> Clause:
    """One part of a match specification; an entry is a tuple."""
    shown = tuple(map(pattern, head)) if isinstance(head, list) else pattern(head)
    given = {"give": guard(body[-1])} if body else {}
    return Clause(shown, *map(guard, guards), **given)
