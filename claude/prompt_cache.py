"""Cache points: where a request lets Bedrock keep its beginning.

Purpose: a long call sends the same beginning again and again; what is cached costs a tenth.
Contract: `with_cache_points` is pure; it sets at most 4 points (tools, system, the two last user
messages), each only where what stands before it is long enough for the model to keep it. Of
several system texts the first is what stays the same: the point stands behind that one. Lengths are
estimated.
Errors: none.
Source: Bedrock: prompt caching (fields, number of points, minimum tokens, time to live).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from aybiza.claude.messages import Kept
from aybiza.config.catalogue import Model, Ttl

MAX_CACHE_POINTS: Final = 4
# Characters of a token, on the short side: a point too early has no effect, one too late is lost.
CHARACTERS_A_TOKEN: Final = 4
_AROUND_TEXT: Final = len('[{"text": ""}]')


class Measured(list[Any]):
    """A part that many requests share, and that does not change: it is measured once."""

    @cached_property
    def tokens(self) -> int:
        """About how many tokens it has."""
        return estimated_tokens(list(self))


def estimated_tokens(value: object) -> int:
    """About how many tokens a part of a request has."""
    if isinstance(value, Measured):
        return value.tokens
    match value:
        case str(text):
            return len(text) // CHARACTERS_A_TOKEN
        # Most of a long call is such messages.
        case [{"text": str(text), **rest}] if not rest:
            return (len(text) + _AROUND_TEXT) // CHARACTERS_A_TOKEN
        case [Kept(), *_]:
            return sum(map(estimated_tokens, value))
        case Kept():
            if value.tokens is None:
                value.tokens = estimated_tokens(dict(value))
            return value.tokens
    return len(json.dumps(value, ensure_ascii=False, default=str)) // CHARACTERS_A_TOKEN


def with_cache_points(
    request: Mapping[str, Any], model: Model, ttl: Ttl, *, history: bool = True
) -> dict[str, Any]:
    """The request with cache points in it, or as it is if the model would keep none of it.

    ttl: how long it is to be kept; a model that knows only five minutes keeps it for five.
    history: whether messages may be kept, too.
    """
    cached = dict(request)
    if model.min_cache_tokens is None:
        return cached
    point: dict[str, Any] = {"cachePoint": {"type": "default"}}
    if ttl in model.cache_ttls() and ttl != "5m":
        point["cachePoint"]["ttl"] = ttl
    tokens = estimated_tokens(cached.get("toolConfig", {}).get("tools", ""))
    if tokens >= model.min_cache_tokens:
        config = cached["toolConfig"]
        cached["toolConfig"] = {**config, "tools": [*config["tools"], point]}
    first, rest = cached.get("system", [])[:1], cached.get("system", [])[1:]
    tokens += estimated_tokens(first or "")
    if first and tokens >= model.min_cache_tokens:
        cached["system"] = [*first, point, *rest]
    if not history:
        return cached
    tokens += estimated_tokens(rest or "")
    messages = list(cached["messages"])
    turns = [at for at, message in enumerate(messages) if message["role"] == "user"][-2:]
    for at, message in enumerate(messages):
        tokens += estimated_tokens(message["content"])
        if at in turns and tokens >= model.min_cache_tokens:
            messages[at] = {**message, "content": [*message["content"], point]}
    cached["messages"] = messages
    return cached
