"""Which of the tools that a server of the Model Context Protocol tells are taken. Pure.

    taken, left = chosen(tools, only=["find"])

Of more than `MOST_TOOLS` the first are taken, and of two with one name the first is: a server that
tells more has none of them taken for another, and nothing is left out without a word.

Errors: none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

MOST_TOOLS: Final = 200
UNNAMED: Final = "`only` does not name it"


@dataclass(frozen=True, slots=True)
class Listed:
    """A tool as its server tells it. `schema`: of its input."""

    name: str
    description: str
    schema: dict[str, Any]


def chosen(
    found: Iterable[Listed], only: Collection[str] | None = None
) -> tuple[list[Listed], dict[str, str]]:
    """The tools that are taken of those that a server tells, and why the others are not.

    >>> tools = [Listed(name, "", {}) for name in ("find", "open", "find")]
    >>> taken, left = chosen(tools, only=["find"])
    >>> [tool.name for tool in taken], left
    (['find'], {'open': '`only` does not name it', 'find (again)': 'it has told one before'})
    """
    taken: dict[str, Listed] = {}
    left: dict[str, str] = {}
    for tool in found:
        if only is not None and tool.name not in only:
            left[tool.name] = UNNAMED
        elif tool.name in taken:
            left[f"{tool.name} (again)"] = "it has told one before"
        elif len(taken) >= MOST_TOOLS:
            left[tool.name] = f"it has more than {MOST_TOOLS}: name those you want in `only`"
        else:
            taken[tool.name] = tool
    return list(taken.values()), left
