"""Many cases in one test, for tables of hundreds that are checked in microseconds each.

    @each(cases("calculate_cost"))
    def test_calculate_cost_answers_as_recorded(case): …

A test a case costs a thousand times what such a check does. All cases are checked whatever some of
them do; the failure names each that does not hold, with what it said, and is raised from the first
one's. No table is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def each(cases: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Has a test check all `cases`: a `pytest.param` with its id, a tuple of arguments, or one
    argument. It takes nothing else, but for `self`."""
    table = [(_id(case), _values(case)) for case in cases]
    assert table, "no cases"

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        def checked(*receiver: Any) -> None:
            failed: list[tuple[str, BaseException]] = []
            for name, values in table:
                try:
                    check(*receiver, *values)
                except (Exception, pytest.fail.Exception) as error:
                    failed.append((name, error))
            if failed:
                told = "\n".join(f"{name}: {type(e).__name__}: {e}" for name, e in failed)
                message = f"{len(failed)} of {len(table)} cases do not hold\n{told}"
                raise AssertionError(message) from failed[0][1]

        def of_a_class(self: Any) -> None:
            checked(self)

        def of_a_module() -> None:
            checked()

        test: Callable[..., None] = of_a_class if "." in check.__qualname__ else of_a_module
        for attribute in ("__name__", "__qualname__", "__module__", "__doc__"):
            setattr(test, attribute, getattr(check, attribute))
        test.place_as = check  # type: ignore[attr-defined]  # where pytest says that it stands
        return test

    return decorate


def _values(case: Any) -> tuple[Any, ...]:
    if hasattr(case, "values") and hasattr(case, "marks"):
        assert not case.marks
        return tuple(case.values)
    return case if isinstance(case, tuple) else (case,)


def _id(case: Any) -> str:
    name = getattr(case, "id", None)
    return name if isinstance(name, str) else ", ".join(repr(value)[:80] for value in _values(case))
