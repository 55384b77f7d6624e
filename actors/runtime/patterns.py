"""Patterns, guards and results: Erlang's match specifications, written in Python.

    KEY, PID, VALUE = variables("key pid value")

    Clause((KEY, ANY, VALUE), VALUE > 3, VALUE < 9, give=KEY)
    Clause(("call", KEY), is_type(KEY, "integer") | (KEY == "none"))
    Clause({"state": "ready", "load": VALUE}, rem(VALUE, 2) == 0, give=(VALUE, VALUE + 1))

A pattern is a value with holes: `ANY` is anything, a variable is anything too and keeps it, and the
same variable twice stands for the same thing. All else must be the same, at every depth (`1` is not
`1.0`); tuples, lists and the fields of dataclasses are compared one by one; a dict matches one that
has its keys, and may have more.

Guards must all hold. They are written with Python's operators on variables: `==` and `<` compare as
Erlang does (`1 == 1.0`; number < None < tuple < dict < list < text), `same(X, 1)` is `=:=`, and
`&`, `|`, `~` stand for and, or, not. A guard that fails, as `VALUE + 1` does for a text, is false.

`give` is what comes out: a variable, a value with variables in it, an expression, `BOUND` (the list
of all variables in the order of their names) or `WHOLE`, which it is when left out.

Errors: `ValueError` for a pattern that cannot be one, and for a variable that it does not bind;
`TypeError` where a guard is taken for a truth (`and`, `or`, `not`, `1 < X < 6`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from aybiza.actors.runtime.guards import Expression, Variable, is_type, rem, same
from aybiza.actors.runtime.terms import fields_of, identical, strict, strict_keys

Bindings: TypeAlias = dict[str | int, Any]
"""What the variables are, by their names."""
Matcher: TypeAlias = Callable[[Any, Bindings], bool]


__all__ = [
    "ANY",
    "BOUND",
    "NOTHING",
    "WHOLE",
    "Clause",
    "Expression",
    "Variable",
    "counted",
    "first",
    "is_type",
    "matcher",
    "rem",
    "same",
    "values_of",
    "variables",
]


class _Mark:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


ANY: Final = _Mark("ANY")
WHOLE: Final = _Mark("WHOLE")
BOUND: Final = _Mark("BOUND")
NOTHING: Final = _Mark("NOTHING")
"""What `Clause.run` gives for a term that does not match."""

FAILED: Final = "EXIT"
"""What an expression of a result gives where it fails, as in Erlang."""


class Clause:
    """A pattern, its guards and what it gives; see the module."""

    def __init__(self, pattern: Any, *guards: Any, give: Any = NOTHING) -> None:
        self.pattern = pattern
        self.counts = give is NOTHING
        self._guards = guards
        self._give = WHOLE if give is NOTHING else give
        self._matches = matcher(pattern)
        bound = {variable.name for variable in variables_in(pattern)}
        for variable in variables_in([*guards, give]):
            if variable.name not in bound:
                raise ValueError(f"{variable} is not in the pattern {pattern!r}")

    def run(self, term: Any) -> Any:
        """What it gives for `term`, or `NOTHING`."""
        bindings: Bindings = {}
        if not self._matches(term, bindings):
            return NOTHING
        for guard in self._guards:
            if not _holds(guard, bindings):
                return NOTHING
        return term if self._give is WHOLE else _result(self._give, term, bindings)

    def accepts(self, term: Any) -> bool:
        """Whether `term` is one to count or to delete: it matches, and `give`, if there is one,
        is True."""
        given = self.run(term)
        return given is not NOTHING and (self.counts or given is True)

    def fixed(self, place: int) -> Hashable | None:
        """The strict form of what stands at `place` of the pattern, None if that can vary."""
        part = self.pattern[place]
        return strict(part) if _is_fixed(part) else None


def first(clauses: Sequence[Clause], term: Any) -> Any:
    """What the first clause that fits `term` gives, or `NOTHING`."""
    for clause in clauses:
        given = clause.run(term)
        if given is not NOTHING:
            return given
    return NOTHING


def counted(clauses: Sequence[Clause], term: Any) -> bool:
    """Whether the first clause that fits `term` accepts it."""
    for clause in clauses:
        given = clause.run(term)
        if given is not NOTHING:
            return clause.counts or given is True
    return False


def matcher(pattern: Any) -> Matcher:
    """A function that says whether a value fits `pattern` and enters what its variables are."""
    if pattern is ANY:
        return lambda _value, _bindings: True
    if isinstance(pattern, Variable):
        return lambda value, bindings: _bind(pattern, value, bindings)
    if isinstance(pattern, Expression | _Mark):
        raise ValueError(f"{pattern!r} cannot stand in a pattern")
    kind = type(pattern)
    if isinstance(pattern, tuple | list):
        parts = [matcher(part) for part in pattern]
        return lambda value, bindings: (
            type(value) is kind and len(value) == len(parts) and _all(parts, value, bindings)
        )
    if isinstance(pattern, Mapping):
        return _map_matcher(pattern)
    if isinstance(pattern, set | frozenset) and _open(pattern):
        raise ValueError(f"a set in a pattern has no variables: {pattern!r}")
    names = fields_of(kind)
    if names is not None:
        parts = [matcher(getattr(pattern, name)) for name in names]
        return lambda value, bindings: (
            type(value) is kind and _all(parts, [getattr(value, name) for name in names], bindings)
        )
    return lambda value, _bindings: identical(pattern, value)


def variables(names: str) -> tuple[Variable, ...]:
    """Variables of these names, which stand apart from each other by blanks."""
    return tuple(map(Variable, names.split()))


def variables_in(term: Any) -> Iterator[Variable]:
    """All variables in a pattern, an expression or a result."""
    if isinstance(term, Variable):
        yield term
    elif isinstance(term, Expression):
        for part in term.parts:
            yield from variables_in(part)
    elif isinstance(term, Mapping):
        for key, value in term.items():
            yield from variables_in(key)
            yield from variables_in(value)
    elif isinstance(term, tuple | list | set | frozenset):
        for part in term:
            yield from variables_in(part)
    elif (names := fields_of(type(term))) is not None:
        for name in names:
            yield from variables_in(getattr(term, name))


def _open(term: Any) -> bool:
    """Whether a variable stands anywhere in `term`."""
    return next(variables_in(term), None) is not None


def values_of(bindings: Bindings) -> list[Any]:
    """What the variables are, in the order of their names; numbers come first."""
    return [bindings[name] for name in sorted(bindings, key=lambda n: (isinstance(n, str), n))]


def _is_fixed(pattern: Any) -> bool:
    if isinstance(pattern, tuple | list):
        return all(map(_is_fixed, pattern))
    holes = isinstance(pattern, Expression | _Mark | Mapping | set | frozenset)
    return not holes and fields_of(type(pattern)) is None


def _map_matcher(pattern: Mapping[Any, Any]) -> Matcher:
    if _open(list(pattern)):
        raise ValueError(f"a key in a pattern is no variable: {pattern!r}")
    parts = {strict(key): matcher(value) for key, value in pattern.items()}

    def matches(value: Any, bindings: Bindings) -> bool:
        if not isinstance(value, Mapping) or len(value) < len(parts):
            return False
        held = strict_keys(value)
        return all(key in held and part(held[key], bindings) for key, part in parts.items())

    return matches


def _all(parts: Sequence[Matcher], values: Sequence[Any], bindings: Bindings) -> bool:
    return all(part(value, bindings) for part, value in zip(parts, values, strict=True))


def _bind(variable: Variable, value: Any, bindings: Bindings) -> bool:
    if variable.name in bindings:
        return identical(bindings[variable.name], value)
    bindings[variable.name] = value
    return True


def _holds(guard: Any, bindings: Bindings) -> bool:
    try:
        return _filled(guard, None, bindings) is True
    except Exception:
        return False


def _result(give: Any, term: Any, bindings: Bindings) -> Any:
    try:
        return _filled(give, term, bindings)
    except Exception:
        return FAILED


def _filled(template: Any, term: Any, bindings: Bindings) -> Any:
    """`template` with values for its variables and expressions."""
    if isinstance(template, Variable):
        return bindings[template.name]
    if isinstance(template, Expression):
        return template.value(lambda part: _filled(part, term, bindings))
    if template is WHOLE:
        return term
    if template is BOUND:
        return values_of(bindings)
    if type(template) in (tuple, list):
        return type(template)(_filled(part, term, bindings) for part in template)
    if type(template) is dict:
        return {
            _filled(key, term, bindings): _filled(value, term, bindings)
            for key, value in template.items()
        }
    names = fields_of(type(template))
    if names is not None and _open(template):
        changed = {name: _filled(getattr(template, name), term, bindings) for name in names}
        return dataclasses.replace(template, **changed)
    return template
