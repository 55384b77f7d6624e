"""An agent's file as text: TOML that people go on writing in.

Contract: `toml_of` is pure; `tomllib` reads the same table back. A text of several lines stands in
three quotes. Errors: none for texts, numbers, yes and no, lists of those and tables of those.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aybiza.config.escapes import json_text


def toml_of(table: Mapping[str, Any]) -> str:
    """See the module.

    >>> print(toml_of({"name": "Desk", "tools": ["a"], "numbers": {"sales": "+1"}}))
    name = "Desk"
    tools = ["a"]
    <BLANKLINE>
    [numbers]
    "sales" = "+1"
    <BLANKLINE>
    """
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    lines = [f"{key} = {_value(value)}" for key, value in table.items() if key not in tables]
    for key, inner in tables.items():
        lines += ["", f"[{key}]"]
        lines += [f"{_quoted(name)} = {_value(value)}" for name, value in inner.items()]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _long(value) if "\n" in value else _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_quoted(key)} = {_value(one)}" for key, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return json.dumps(value)


def _quoted(text: str) -> str:
    return json_text(text)


def _long(text: str) -> str:
    lines = [_quoted(line)[1:-1].replace('\\"', '"') for line in text.split("\n")]
    body = "\n".join(lines).replace('"""', '""\\"')
    end = "\\" if body.endswith('"') else ""
    return f'"""\n{body[:-1]}{end}{body[-1:]}"""' if end else f'"""\n{body}"""'
