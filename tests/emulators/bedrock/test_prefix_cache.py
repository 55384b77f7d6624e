"""The cache of beginnings: what is kept, for how long, and what a later request reads of it."""

from __future__ import annotations

from typing import Any

from aybiza.emulators.bedrock.catalogue import find
from aybiza.emulators.bedrock.prefix_cache import LOOK_BACK, PrefixCache

MODEL = find("us.anthropic.claude-sonnet-4-6")
LONG = "word " * 1000
POINT: dict[str, Any] = {"cachePoint": {"type": "default"}}


def body(*texts: str, system: str = LONG, point: dict[str, Any] = POINT) -> dict[str, Any]:
    """A request whose last message has a cache point; the roles alternate."""
    messages: list[dict[str, Any]] = [
        {"role": ("user", "assistant")[at % 2], "content": [{"text": text}]}
        for at, text in enumerate(texts)
    ]
    messages[-1]["content"].append(point)
    return {"system": [{"text": system}, point], "messages": messages}


def tokens(cache: PrefixCache, of: dict[str, Any], now: float = 0.0, region: str = "r") -> Any:
    return cache.tokens(MODEL, region, of, now)


def test_the_first_request_writes_and_the_next_reads_what_is_the_same() -> None:
    cache = PrefixCache()
    read, written = tokens(cache, body("Hello."))
    assert read == 0 and written > 1000
    again, more = tokens(cache, body("Hello.", "Good day.", "What now?"))
    assert again == written and 0 < more < 30


def test_a_change_at_the_beginning_costs_all_of_it() -> None:
    cache = PrefixCache()
    tokens(cache, body("Hello."))
    read, written = tokens(cache, body("Hello.", system="X" + LONG))
    assert read == 0 and written > 1000


def test_a_beginning_that_is_too_short_is_not_kept() -> None:
    cache = PrefixCache()
    short = body("Hello.", system="Be kind.")
    assert tokens(cache, short) == tokens(cache, short) == (0, 0)


def test_without_a_cache_point_nothing_is_kept_or_read() -> None:
    cache = PrefixCache()
    plain = {"messages": [{"role": "user", "content": [{"text": LONG}]}]}
    assert tokens(cache, plain) == tokens(cache, plain) == (0, 0)


def test_it_is_kept_for_five_minutes_from_when_it_was_last_used_or_for_an_hour() -> None:
    cache = PrefixCache()
    _, written = tokens(cache, body("Hello."), 0.0)
    assert tokens(cache, body("Hello."), 290.0) == (written, 0)
    assert tokens(cache, body("Hello."), 580.0) == (written, 0)
    assert tokens(cache, body("Hello."), 881.0) == (0, written)
    hour = body("Hello.", point={"cachePoint": {"type": "default", "ttl": "1h"}})
    tokens(cache, hour, 1000.0)
    assert tokens(cache, hour, 4500.0)[0] > 1000


def test_models_and_regions_keep_their_own() -> None:
    cache = PrefixCache()
    tokens(cache, body("Hello."), region="us-east-1")
    assert tokens(cache, body("Hello."), region="us-west-2")[0] == 0
    other = find("us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert cache.tokens(other, "us-east-1", body("Hello."), 0.0)[0] == 0


def test_a_beginning_is_found_a_few_blocks_before_a_point_and_no_further() -> None:
    turns = ["Hello."]
    for far, found in ((LOOK_BACK - 2, True), (LOOK_BACK + 4, False)):
        cache = PrefixCache()
        request = body(*turns)
        request["system"] = [{"text": LONG}]
        _, written = tokens(cache, request)
        later = body(*turns, *("and" for _ in range(far)))
        later["system"] = [{"text": LONG}]
        assert (tokens(cache, later)[0] == written) is found
