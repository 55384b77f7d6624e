"""What the model is told before the conversation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from aybiza.config.agents import load_agent
from aybiza.dialogue.prompt import (
    CLOCK_SECONDS,
    WordLimits,
    clock_prompt,
    length_prompt,
    system_prompt,
)
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.desk import agent
from aybiza.faults.world import World, in_world

AGENT = load_agent("clinic")


def test_the_prompt_is_the_agent_s_with_the_words_that_opened_the_call() -> None:
    text = system_prompt(AGENT)
    assert text.startswith(AGENT.system_prompt)
    assert f'"{AGENT.greeting}"' in text
    assert "Today" not in text


def test_day_time_and_zone_are_those_of_the_agent() -> None:
    began = datetime(2026, 11, 30, 2, 30, tzinfo=UTC).astimezone(ZoneInfo("America/New_York"))
    text = clock_prompt(began, 0)
    assert text.startswith("Today is Sunday, 29 November 2026. It was 21:30 in America/New_York")
    assert "(UTC-05:00)" in text


def test_a_zone_without_a_name_is_told_by_its_offset() -> None:
    began = datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=5, minutes=30), "IST"))
    assert "It was 09:00 in IST (UTC+05:30)" in clock_prompt(began, 0)


def test_the_time_moves_in_steps_and_is_never_old() -> None:
    began = datetime(2026, 3, 2, 23, 50, 59, tzinfo=ZoneInfo("Europe/Berlin"))
    told = [clock_prompt(began, second) for second in range(7200)]
    assert len(dict.fromkeys(told)) == 7200 / CLOCK_SECONDS
    assert told[0] == told[CLOCK_SECONDS - 1] != told[CLOCK_SECONDS]
    assert told[CLOCK_SECONDS].startswith("Today is Tuesday, 03 March 2026. It was 00:05 in")


def test_clocks_that_are_put_forward_in_mid_call_are_told_as_they_stand() -> None:
    began = datetime(2026, 3, 29, 1, 50, tzinfo=ZoneInfo("Europe/Berlin"))
    assert "It was 03:05 in Europe/Berlin (UTC+02:00)" in clock_prompt(began, 900)


def test_the_length_is_a_limit_that_gives_way_to_a_shorter_one() -> None:
    text = length_prompt(WordLimits(150, 75, 300))
    assert "150 words at the very most; 75 where" in text
    assert "a shorter limit, keep to that one" in text


def test_a_call_tells_the_time_of_its_agent_behind_what_the_cache_keeps() -> None:
    asks = [f"Question {number}, please." for number in range(3)]
    whens = [r"\S", "0 it is", "1 it is"]
    steps = [says(ask, when=when) for ask, when in zip(asks, whens, strict=True)]

    async def talk(world: World) -> list[dict[str, Any]]:
        async with world.call(*steps, hangs_up(when="2 it is")) as call:
            assert (await call.over()).ok
        bodies = [request.body for request in call.requests()]
        return [body for body in bodies if body is not None]

    answers: Any = {ask: [f"{number} it is."] for number, ask in enumerate(asks)}
    desk = agent(zone=ZoneInfo("Asia/Kathmandu"), system_prompt="Be kind. " * 2000)
    bodies = in_world(talk, agent=desk, answers=answers)
    first, point, length, clock = bodies[0]["system"]
    assert "cachePoint" in point
    assert "Be kind." in first["text"]
    assert "in Asia/Kathmandu (UTC+05:45)" in clock["text"]
    assert [body["system"] for body in bodies] == [[first, point, length, clock]] * 3
