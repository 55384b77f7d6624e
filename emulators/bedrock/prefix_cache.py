"""What Bedrock keeps of a request's beginning, and what a later request reads of it. Pure.

    cache = PrefixCache()
    read, written = cache.tokens(model, "us-east-1", body, now)

A request is one line of blocks: tools, system texts, messages. A cache point keeps the line up to
it, if that is long enough for the model. A later request reads the longest beginning that is kept:
looked for at each of its cache points and up to `LOOK_BACK` blocks before it. Between that and its
last cache point it writes. What is read or written lives on for its time to live. A model keeps its
own lines, a region too.

Contract: the clock is handed in; tokens are counted as the rest of the emulator counts them.
Errors: none.
Source: Bedrock, "Prompt caching": cache points, minimum tokens, time to live, automatic prefix
checking.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from aybiza.emulators.bedrock.catalogue import Model
from aybiza.emulators.bedrock.request_body import CHARACTERS_PER_TOKEN, Body

LOOK_BACK: Final = 20
SECONDS: Final[Mapping[str, float]] = {"5m": 300.0, "1h": 3600.0}
KEPT: Final = 100_000

_AROUND_MESSAGE: Final = len('{"role": "assistant", "content": []}, ')

Key = tuple[str, str, bytes]


class _Place(NamedTuple):
    """How far into the line: a name for all of it so far, and its tokens. `ttl`: there is a cache
    point here, which keeps it for so long."""

    name: bytes
    tokens: int
    ttl: str | None


class PrefixCache:
    """See the module."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, float] = OrderedDict()

    def tokens(self, model: Model, region: str, body: Body, now: float) -> tuple[int, int]:
        """How many tokens of the request are read from what is kept, and how many are written."""
        places = list(_places(body))
        points = [at for at, place in enumerate(places) if place.ttl is not None]
        points = [at for at in points if places[at].tokens >= model.min_cache_tokens]
        if not points:
            return 0, 0

        def key(at: int) -> Key:
            return model.id, region, places[at].name

        read = 0
        for point in reversed(points):
            back = range(point, max(-1, point - LOOK_BACK - 1), -1)
            found = next((at for at in back if self._kept.get(key(at), 0.0) > now), None)
            if found is not None:
                read = places[found].tokens
                self._keep(key(found), self._kept[key(found)])
                break
        for point in points:
            until = now + SECONDS[places[point].ttl or "5m"]
            self._keep(key(point), max(until, self._kept.get(key(point), 0.0)))
        return read, max(0, places[points[-1]].tokens - read)

    def _keep(self, key: Key, until: float) -> None:
        self._kept[key] = until
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def _places(body: Body) -> Iterator[_Place]:
    name, length = b"", 0
    for role, block, around in _blocks(body):
        length += around
        if "cachePoint" in block:
            yield _Place(name, length // CHARACTERS_PER_TOKEN, block["cachePoint"].get("ttl", "5m"))
            continue
        text = json.dumps(block, sort_keys=True)
        name = hashlib.sha256(name + role.encode() + text.encode()).digest()
        length += len(text)
        yield _Place(name, length // CHARACTERS_PER_TOKEN, None)


def _blocks(body: Body) -> Iterator[tuple[str, Mapping[str, Any], int]]:
    """The blocks in their order, each with how many characters stand around it."""
    for tool in body.get("toolConfig", {}).get("tools", []):
        yield "tools", tool, 0
    for block in body.get("system", []):
        yield "system", block, 0
    for message in body["messages"]:
        for at, block in enumerate(message["content"]):
            yield message["role"], block, 0 if at else _AROUND_MESSAGE
