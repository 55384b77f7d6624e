"""What is wrong with a file of tables, a line for each fault, for whoever has written it.

    faults_of(error, Agent, text, "desk.toml", "an agent")
    # ["desk.toml:3: greting is no part of an agent; did you mean greeting?"]

`error` is what pydantic has found, `text` the file's. The faults stand in the order of the file.

Contract: pure. Errors: none.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from aybiza.config.kinds import wanted
from aybiza.config.meant import meant
from aybiza.config.toml_lines import line_of

MOST_SHOWN = 80


def faults_of(
    error: ValidationError, model: type[BaseModel], text: str, path: str, what: str
) -> list[str]:
    """See the module. `what`: the name of the whole, with its article."""
    # What a default is made of is told itself, if it is wrong.
    told = [one for one in error.errors() if one["type"] != "default_factory_not_called"]
    found = [(line_of(text, _loc(detail)) or 0, detail) for detail in told]
    found.sort(key=lambda one: one[0])
    return [
        f"{path}{f':{line}' if line else ''}: {_fault(model, detail, what)}"
        for line, detail in found
    ]


def shown(value: Any) -> str:
    """A value for a message, cut.

    >>> shown("x" * 100)[-3:]
    'xx…'
    """
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def _fault(model: type[BaseModel], detail: Any, what: str) -> str:
    loc = _loc(detail)
    key = ".".join(map(str, loc))
    if detail["type"] == "missing":
        return f"{key} is missing"
    if detail["type"] == "extra_forbidden":
        return f"{key} is no part of {what}{meant(model, loc)}"
    if len(loc) < len(detail["loc"]):
        return f"{key}: {shown(detail['input'])} {wanted(detail)}"
    # A whole table is no news to who has written it.
    told = "" if isinstance(detail["input"], dict) else f" = {shown(detail['input'])}"
    return f"{key}{told}: {wanted(detail)}"


def _loc(detail: Any) -> tuple[Any, ...]:
    """Where it is; pydantic marks the name of a table's row as `[key]`."""
    return tuple(part for part in detail["loc"] if part != "[key]")
