"""Answers that are known: to the same words, from another node, to a question that means the same.

What is never known: answers with tools, of other tenants and agents, and whatever is personal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from aybiza.actors.call.known_answers import KnownAnswers
from aybiza.actors.measures import events
from aybiza.actors.measures.charges import RESTS, embedded
from aybiza.actors.measures.costs import ledger
from aybiza.actors.measures.metrics_actor import render
from aybiza.claude.embedding import embedder_of
from aybiza.config.prices import shipped
from aybiza.emulators.bedrock import Pace, use
from tests.actors.call.answer_kit import Stage, stage
from tests.actors.memory.servers import RedisServer, redis_server
from tests.call.kit import AGENT

TITAN = "amazon.titan-embed-text-v2:0"
ASKED, ALIKE = "When are you open?", "What are your opening hours?"
ANSWERS = {ASKED: ["We open at nine."], ALIKE: ["Somebody else's words."]}
BY_MEANING = AGENT.model_copy(update={"similar_answers": 0.9, "language": "en-US"})
# What is looked up is there before its first word.
NEVER = Pace(first_token_ms=600_000)


@asynccontextmanager
async def known_stage(**how: Any) -> AsyncIterator[Stage]:
    """A stage whose agent takes answers by meaning, by the emulator's embeddings."""
    known = KnownAnswers()
    how = {"answers": ANSWERS, "agent": BY_MEANING, **how}
    async with stage(cache=known, **how) as place:
        known.embedder = embedder_of(TITAN, place.context.bedrock)
        place.context = replace(place.context, prices=shipped())
        yield place
        await known.aclose()


async def known(place: Stage, said: str) -> list[str]:
    """An answer of the model, and its meaning is known."""
    told = await place.answer(said)
    answers = place.context.answers
    assert answers is not None
    await place.until(lambda: any(kept.meant for kept in answers.cache._kept.values()))
    return told.said


async def looked_up(place: Stage) -> set[str]:
    lines = (await render(place.vm)).splitlines()
    found = (line for line in lines if line.startswith("aybiza_answers_looked_up_total{"))
    return {line.split('"')[1] for line in found}


async def test_a_question_in_other_words_has_the_answer_that_was_given() -> None:
    told_of: list[Any] = []
    async with known_stage() as place:
        place.vm.telemetry.attach(
            "test", events.TURN_MEASURED, lambda event, measured, told, _: told_of.append(told)
        )
        await known(place, ASKED)
        place.bedrock.pace = NEVER
        told = await place.answer(ALIKE)
        assert (told.said, told.stop_reason) == (["We open at nine."], "cached")
        await place.until(lambda: len(told_of) == 2)
        assert [one["cache"] for one in told_of] == [None, "similar"]
        assert await looked_up(place) == {"miss", "similar"}
        assert place.bedrock.embeddings.asked == [ASKED, ALIKE]
        await place.free()


async def test_what_meanings_cost_is_charged_by_their_tokens_to_the_last_part() -> None:
    charged: list[dict[str, Any]] = []
    async with known_stage() as place:
        place.vm.telemetry.attach(
            "test",
            events.COST,
            lambda event, measured, told, _: charged.append({**measured, **told}),
        )
        await known(place, ASKED)
        place.bedrock.pace = NEVER
        await place.answer(ALIKE)
        for _ in range(20):
            embedded(place.vm, place.context, None, TITAN, 4)
        await place.free()
        spent = sum(ledger(place.vm).days.values())
    meanings = [one for one in charged if one["what"] == "embed"]
    assert [one["quantity"] for one in meanings[:2]] == [4.0, 5.0]
    assert {one["turn"] for one in meanings[:2]} == {1}
    # 89 tokens at 0.02 USD a million are 1.78 micro-USD; what is below one waits for the next.
    assert sum(one["micro_usd"] for one in meanings) == 1
    assert place.vm.tables[RESTS] == {place.context.tenant: 780_000}
    assert spent == sum(one["micro_usd"] for one in charged) > 1


async def test_a_meaning_that_came_too_late_is_charged_by_an_estimate() -> None:
    charged: list[dict[str, Any]] = []
    async with known_stage() as place:
        await known(place, ASKED)
        place.vm.telemetry.attach(
            "test", events.COST, lambda event, measured, told, _: charged.append(dict(told))
        )
        place.bedrock.embeddings.seconds = 30.0
        await place.answer(ALIKE)
        await place.until(lambda: any(one["what"] == "embed" for one in charged))
        assert [one["estimated"] for one in charged if one["what"] == "embed"] == [True]
        await place.free()


async def test_a_model_that_is_faster_than_the_embedding_is_not_waited_with() -> None:
    async with known_stage() as place:
        await known(place, ASKED)
        place.bedrock.embeddings.seconds = 30.0
        told = await place.answer(ALIKE)
        assert (told.said, told.stop_reason) == (ANSWERS[ALIKE], "end_turn")
        await place.free()


@pytest.mark.parametrize("error", ["ThrottlingException", "InternalServerException"])
async def test_embeddings_that_cannot_be_had_cost_nobody_an_answer(error: str) -> None:
    async with known_stage() as place:
        place.bedrock.embeddings.error = error
        assert (await place.answer(ASKED)).stop_reason == "end_turn"
        assert (await place.answer(ALIKE)).said == ANSWERS[ALIKE]
        assert (await place.answer(ASKED)).stop_reason == "cached"


@pytest.mark.parametrize(
    "changes",
    [
        {"tenant": "another"},
        {"agent": BY_MEANING.model_copy(update={"system_prompt": "You sell wine."})},
        {"agent": AGENT.model_copy(update={"language": "en-US"})},
    ],
    ids=["tenant", "agent", "an agent that does not ask for it"],
)
async def test_another_tenant_or_agent_has_an_answer_of_its_own(changes: dict[str, Any]) -> None:
    async with known_stage() as place:
        await known(place, ASKED)
        assert (await place.answer(ALIKE, **changes)).said == ANSWERS[ALIKE]


async def test_what_is_personal_is_neither_embedded_nor_known() -> None:
    mine = {"When is my appointment?": ["At nine."], "When is my booking?": ["At ten."]}
    async with known_stage(answers=mine) as place:
        for said, answer in mine.items():
            assert (await place.answer(said)).said == answer
        assert place.bedrock.embeddings.asked == []


async def test_an_agent_for_health_data_knows_and_tells_nothing() -> None:
    private = BY_MEANING.model_copy(update={"health_data": True})
    async with known_stage(agent=private) as place:
        for _ in range(2):
            assert (await place.answer(ASKED)).stop_reason == "end_turn"
        assert place.bedrock.embeddings.asked == []


async def test_an_answer_that_takes_up_the_callers_name_is_for_the_same_words_alone() -> None:
    named = {"This is Ann, are you open?": ["Yes Ann."], "Are you open, Ann speaking?": ["We are."]}
    async with known_stage(answers=named) as place:
        for said, answer in named.items():
            assert (await place.answer(said)).said == answer


async def test_an_answer_with_tools_is_not_known() -> None:
    tools = {ASKED: [use("look_up", {}), "At nine."], ALIKE: ["At ten."]}
    async with known_stage(answers=tools) as place:
        assert (await place.answer(ASKED)).said == ["At nine."]
        assert (await place.answer(ASKED)).stop_reason == "end_turn"
        assert (await place.answer(ALIKE)).said == ["At ten."]


async def test_an_answer_that_is_not_wanted_any_more_leaves_no_request_behind() -> None:
    async with known_stage() as place:
        place.bedrock.embeddings.seconds = 30.0
        place.bedrock.pace = NEVER
        _, answer, _ = await place.begin(ASKED)
        await place.until(lambda: place.bedrock.embeddings.asked == [ASKED])
        await place.vm.stop(answer)
        await place.free()


# Other nodes


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


async def test_an_answer_of_another_node_is_known_for_five_minutes(redis: RedisServer) -> None:
    one, other = KnownAnswers(redis_url=redis.url), KnownAnswers(redis_url=redis.url)
    async with stage(ANSWERS, cache=one) as place:
        await place.answer(ASKED)
        await place.until(lambda: bool(redis.client.keys("aybiza:answer:*")))
        place.bedrock.pace = NEVER
        told = await place.answer(ASKED, answers=other)
        assert (told.said, told.stop_reason) == (["We open at nine."], "cached")
        assert await looked_up(place) == {"miss", "shared"}
        (name,) = redis.client.keys("aybiza:answer:*")
        assert b"open" not in name and 0 < redis.client.ttl(name) <= 300
        place.bedrock.pace = Pace()
        theirs = await place.answer(ASKED, answers=other, tenant="another")
        assert theirs.stop_reason == "end_turn"
    await one.aclose()
    await other.aclose()


async def test_a_redis_that_is_gone_or_holds_something_else_costs_nobody_an_answer(
    redis: RedisServer,
) -> None:
    known = KnownAnswers(redis_url=redis.url)
    async with stage(ANSWERS, cache=known) as place:
        redis.client.flushall()
        await place.answer(ALIKE)
        await place.until(lambda: bool(redis.client.keys("aybiza:answer:*")))
        (name,) = redis.client.keys("aybiza:answer:*")
        redis.client.set(name, "{not json")
        known.cache = type(known.cache)()
        assert (await place.answer(ALIKE)).said == ANSWERS[ALIKE]
        known.cache = type(known.cache)()
        redis.kill()
        try:
            assert (await place.answer(ASKED)).said == ["We open at nine."]
        finally:
            await asyncio.to_thread(redis.start)
    await known.aclose()
