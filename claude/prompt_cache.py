"""Cache points: where a request lets Bedrock keep its beginning.

Purpose: a long call sends the same beginning again and again; what is cached costs a tenth.
Contract: `with_cache_points` is pure; it sets at most 4 points (tools, system, the two last user
messages), each only where what stands before it is long enough for the model to keep it. Lengths
are estimated.
Errors: none.
Source: Bedrock: prompt caching (fields, number of points, minimum tokens, time to live).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from config.catalogue import Model, Ttl

MAX_CACHE_POINTS: Final = 4
# Characters of a token, on the short side: a point too early has no effect, one too late is lost.
_CHARACTERS_A_TOKEN: Final = 4


def estimated_tokens(value: object) -> int:
    """About how many tokens a part of a request has."""
    if isinstance(value, str):
        return len(value) // _CHARACTERS_A_TOKEN
    return len(json.dumps(value, ensure_ascii=False, default=str)) // _CHARACTERS_A_TOKEN


def with_cache_points(request: Mapping[str, Any], model: Model, ttl: Ttl) -> dict[str, Any]:
    """The request with cache points in it, or as it is if the model would keep none of it.

    ttl: how long it is to be kept; a model that knows only five minutes keeps it for five.
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
    tokens += estimated_tokens(cached.get("system", ""))
    if "system" in cached and tokens >= model.min_cache_tokens:
        cached["system"] = [*cached["system"], point]
    messages = list(cached["messages"])
    turns = [at for at, message in enumerate(messages) if message["role"] == "user"][-2:]
    for at, message in enumerate(messages):
        tokens += estimated_tokens(message["content"])
        if at in turns and tokens >= model.min_cache_tokens:
            messages[at] = {**message, "content": [*message["content"], point]}
    cached["messages"] = messages
    return cached
