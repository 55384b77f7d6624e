"""Where a request may be cached."""

from __future__ import annotations

import copy
from typing import Any

from aybiza.claude.models import SHIPPED
from aybiza.claude.prompt_cache import (
    MAX_CACHE_POINTS,
    Measured,
    estimated_tokens,
    with_cache_points,
)

MODEL = SHIPPED.models["anthropic.claude-sonnet-4-6"]
NEVER = SHIPPED.models["anthropic.claude-3-haiku-20240307-v1:0"]
FIVE_MINUTES = SHIPPED.models["anthropic.claude-sonnet-4-20250514-v1:0"]
POINT = {"cachePoint": {"type": "default"}}
HOUR = {"cachePoint": {"type": "default", "ttl": "1h"}}
LONG = "x" * (4 * 1_024)


def request(*, system: str = "", turns: int = 1, tools: str = "", said: str = "Hi.") -> Any:
    messages = []
    for turn in range(turns):
        messages += [{"role": "assistant", "content": [{"text": "Yes?"}]}] if turn else []
        messages.append({"role": "user", "content": [{"text": said}]})
    made: dict[str, Any] = {"messages": messages}
    if system:
        made["system"] = [{"text": system}]
    if tools:
        made["toolConfig"] = {"tools": [{"toolSpec": {"name": "t", "description": tools}}]}
    return made


def points(made: Any) -> list[Any]:
    """The last block of the tools, the system and each message, where it is a cache point."""
    places = [made.get("toolConfig", {}).get("tools", []), made.get("system", [])]
    places += [message["content"] for message in made["messages"]]
    return [place[-1] for place in places if place and "cachePoint" in place[-1]]


def test_a_short_request_has_no_cache_point() -> None:
    short = request(system="Be brief.", turns=3, tools="Books.")
    assert with_cache_points(short, MODEL, "5m") == short


def test_a_long_system_prompt_is_kept_and_so_are_the_two_last_turns() -> None:
    made = with_cache_points(request(system=LONG, turns=4), MODEL, "5m")
    assert made["system"][-1] == POINT
    ends = [message["content"][-1] for message in made["messages"]]
    assert [end == POINT for end in ends] == [False, False, False, False, True, False, True]


def test_messages_are_kept_out_of_it_where_they_must_be() -> None:
    made = with_cache_points(request(system=LONG, turns=4), MODEL, "5m", history=False)
    assert points(made) == [POINT]
    assert made["system"][-1] == POINT


def test_what_changes_from_turn_to_turn_stands_behind_the_point() -> None:
    asked = request(system=LONG)
    asked["system"].append({"text": "At most 75 words."})
    made = with_cache_points(asked, MODEL, "5m")
    assert made["system"] == [{"text": LONG}, POINT, {"text": "At most 75 words."}]
    short = request(system="Be brief.")
    short["system"].append({"text": LONG})
    made = with_cache_points(short, MODEL, "5m")
    assert made["system"] == short["system"]
    assert made["messages"][-1]["content"][-1] == POINT


def test_there_are_never_more_than_four() -> None:
    made = with_cache_points(request(system=LONG, turns=9, tools=LONG, said=LONG), MODEL, "5m")
    assert points(made) == [POINT] * MAX_CACHE_POINTS


def test_what_comes_before_counts_towards_the_length() -> None:
    half = "x" * (2 * 1_024)
    made = with_cache_points(request(system=half, tools=half + "y" * 100), MODEL, "5m")
    assert made["toolConfig"] == request(tools=half + "y" * 100)["toolConfig"]
    assert made["system"][-1] == POINT


def test_an_hour_is_asked_for_where_the_model_knows_it() -> None:
    assert with_cache_points(request(system=LONG), MODEL, "1h")["system"][-1] == HOUR
    assert with_cache_points(request(system=LONG), FIVE_MINUTES, "1h")["system"][-1] == POINT


def test_a_model_that_does_not_cache_is_asked_for_nothing() -> None:
    long = request(system=LONG * 20)
    assert with_cache_points(long, NEVER, "5m") == long


def test_the_request_itself_is_left_as_it_is() -> None:
    long = request(system=LONG, turns=2, tools=LONG)
    before = copy.deepcopy(long)
    with_cache_points(long, MODEL, "5m")
    assert long == before


def test_four_characters_are_a_token() -> None:
    assert estimated_tokens("x" * 40) == 10
    assert estimated_tokens([{"text": "x" * 40}]) == len('[{"text": ""}]') // 4 + 10


def test_a_part_of_many_requests_is_measured_once_and_as_any_other() -> None:
    blocks = [{"text": "x" * 400}]
    part = Measured(blocks)
    assert part == blocks
    assert estimated_tokens(part) == estimated_tokens(blocks)
    part[0]["text"] = ""
    assert estimated_tokens(part) > estimated_tokens(list(part))
