"""What the service refuses about cache points: how many, where, and for how long. Pure.

Contract: `cache_points` is a check (see `request_body`).
Errors: none.
Source: Bedrock: prompt caching; Claude prompt caching.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from aybiza.emulators.bedrock.catalogue import Model
from aybiza.emulators.bedrock.request_body import MODEL_SAID, Body, Problems

MOST = 4


def cache_points(model: Model, body: Body) -> Problems:
    """At most four, each behind something, none behind reasoning, the longest-lived first."""
    places: list[tuple[str, Sequence[Mapping[str, Any]]]] = [
        ("toolConfig.tools", body.get("toolConfig", {}).get("tools", [])),
        ("system", body.get("system", [])),
        *((f"messages.{at}.content", m["content"]) for at, m in enumerate(body["messages"])),
    ]
    points = [
        (f"{where}.{at}", block["cachePoint"])
        for where, blocks in places
        for at, block in enumerate(blocks)
        if "cachePoint" in block
    ]
    if len(points) > MOST:
        yield f"A maximum of 4 blocks with cache_control may be provided. Found {len(points)}."
    for where, blocks in places:
        if blocks and "cachePoint" in blocks[0]:
            yield (
                f"The cache point at {where}.0 has no content before it. "
                "Please remove the invalid cache point and try again."
            )
        for before, block in pairwise(blocks):
            if "cachePoint" in block and "reasoningContent" in before:
                yield (
                    "Cache point cannot be inserted after reasoning block. "
                    "Please remove the invalid cache point and try again."
                )
    short = False
    for where, point in points:
        if not isinstance(point, Mapping) or point.get("type") != "default":
            yield "cachePoint.type: has to be default."
        elif point.get("ttl", "5m") not in ("5m", "1h"):
            yield f"cachePoint.ttl: {point['ttl']!r:.40} is not one of 5m, 1h."
        elif point.get("ttl") == "1h" and short:
            yield (
                f"{MODEL_SAID}{where}.cache_control.ttl: a ttl='1h' cache_control block must not "
                "come after a ttl='5m' cache_control block. Note that blocks are processed in the "
                "following order: `tools`, `system`, `messages`."
            )
        else:
            short = short or point.get("ttl", "5m") == "5m"
