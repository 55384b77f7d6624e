"""What the runners of the recorded files share: options in, results out.

A runner module offers `FORMATS`, which maps the `format` of a file to a `Runner`. It yields one
`Result` a case, in the order of the file; `compare` words the differences.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: `pure` runs decision modules alone where a format has one."""

    pure: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """One case of a file. `differences` is empty when the case holds."""

    name: str
    differences: Sequence[str] = field(default=())


class NotThere(Exception):
    """What a file's cases are about does not exist here; none of the `count` cases holds."""

    def __init__(self, why: str, count: int) -> None:
        super().__init__(why)
        self.count = count


Runner: TypeAlias = Callable[[dict[str, Any], Options], Iterable[Result]]


def compare(what: str, expected: Any, got: Any) -> list[str]:
    """The differences between two JSON values: none, or one that `what` names the place of.

    Numbers compare as JSON numbers, except that a boolean is not a number.
    """
    if same(expected, got):
        return []
    return [f"{what}\n  expected {shown(expected)}\n  got      {shown(got)}"]


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; tuples count as lists, True is not 1."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def shown(value: Any) -> str:
    """A value as JSON on one line; what JSON does not know by its `repr`."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=repr)
