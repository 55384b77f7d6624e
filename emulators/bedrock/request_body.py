"""What the checks of a Converse request have in common. Pure.

Contract: `Body` is the decoded body of a request; a check takes the model and the body and yields
what is wrong with it, lazily. `MODEL_SAID` stands before what the model itself, not Converse, finds
wrong.
Errors: none.
Source: Bedrock: Converse request, Claude extended thinking.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aybiza.emulators.bedrock.catalogue import ADAPTIVE, BUDGET, Model

Body = Mapping[str, Any]
Problems = Iterator[str]
Check = Callable[[Model, Body], Problems]

MODEL_SAID = "The model returned the following errors: "
CHARACTERS_PER_TOKEN = 4


def input_tokens(body: Body) -> int:
    """About how many tokens the model has to read."""
    parts = (json.dumps(body.get(part, "")) for part in ("messages", "system", "toolConfig"))
    return max(1, sum(map(len, parts)) // CHARACTERS_PER_TOKEN)


def thinking_mode(model: Model, body: Body) -> str | None:
    """`budget`, `adaptive`, or None when the model answers without thinking."""
    asked = additional(body).get("thinking")
    kind = asked.get("type") if isinstance(asked, Mapping) else None
    if kind == "enabled":
        return BUDGET
    return ADAPTIVE if kind == "adaptive" or model.always_thinks else None


def ids(message: Mapping[str, Any], member: str) -> list[str]:
    """The ids of the tool uses or results in a message."""
    return [str(b[member].get("toolUseId")) for b in message["content"] if member in b]


def additional(body: Body) -> Mapping[str, Any]:
    """The fields that Converse passes on to the model."""
    fields: Mapping[str, Any] = body.get("additionalModelRequestFields", {})
    return fields


def member(body: Body, outer: str, inner: str) -> Any:
    """A member of a member, if both are there."""
    owner = body.get(outer)
    return owner.get(inner) if isinstance(owner, Mapping) else None


def is_number(value: object) -> bool:
    """Whether this is a number, and no boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool)
