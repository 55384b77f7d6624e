"""What callers usually ask first is answered while they hear the greeting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.call.first_answers import FirstAnswers, Prepare
from aybiza.actors.call.known_answers import KnownAnswers
from aybiza.actors.measures import costs
from aybiza.claude.ledger import Ledger, Quotas
from aybiza.emulators.bedrock import Fault, use
from tests.actors.call.answer_kit import Stage, stage
from tests.call.kit import AGENT

HOURS, PLACE = "When are you open?", "Where are you?"
ANSWERS = {HOURS: ["At nine."], PLACE: ["In Main Street."]}
ASKING = AGENT.model_copy(update={"first_questions": (HOURS, PLACE)})
BEGAN = datetime(2026, 3, 2, 14, 5, tzinfo=UTC)


@asynccontextmanager
async def prepared(**how: Any) -> AsyncIterator[Stage]:
    how = {"answers": ANSWERS, "cache": KnownAnswers(), "agent": ASKING, **how}
    async with stage(**how) as place:
        await place.vm.start(FirstAnswers, name=names.FIRST_ANSWERS)
        yield place


def begin(place: Stage, **changes: Any) -> None:
    context = replace(place.context, call_id="CA0", **changes)
    place.vm.cast(names.FIRST_ANSWERS, Prepare(context, BEGAN))


def asked(place: Stage) -> list[str]:
    return sorted(record.user_text for record in place.bedrock.journal.records)


async def test_a_caller_who_asks_it_then_has_the_answer_at_once() -> None:
    async with prepared() as place:
        begin(place)
        cache = place.context.answers
        assert cache is not None
        await place.until(lambda: len(cache.cache) == 2)
        told = await place.answer(HOURS)
        assert (told.said, told.stop_reason) == (["At nine."], "cached")
        assert asked(place) == [HOURS, PLACE]


async def test_what_is_known_or_being_asked_is_not_asked_again() -> None:
    async with prepared() as place:
        for _ in range(5):
            begin(place)
        cache = place.context.answers
        assert cache is not None
        await place.until(lambda: len(cache.cache) == 2)
        begin(place)
        told = await place.answer("Something else.")
        assert told.stop_reason == "end_turn"
        assert asked(place) == sorted([HOURS, PLACE, "Something else."])


async def test_its_cost_is_charged_to_the_call_that_began() -> None:
    async with prepared() as place:
        begin(place)
        await place.until(lambda: bool(costs.ledger(place.vm).calls.get("CA0")))


async def test_an_answer_that_wants_a_tool_is_left_to_a_turn() -> None:
    async with prepared(answers={HOURS: [use("look_up", {}), "x"], PLACE: ["Here."]}) as place:
        begin(place)
        cache = place.context.answers
        assert cache is not None
        await place.until(lambda: len(place.bedrock.journal.records) == 2)
        await place.until(lambda: len(cache.cache) == 1)
        assert (await place.answer(PLACE)).stop_reason == "cached"


async def test_a_model_that_fails_costs_a_caller_nothing() -> None:
    async with prepared() as place:
        place.bedrock.faults.add(Fault("http_error"), Fault("http_error"))
        begin(place)
        await place.until(lambda: len(place.bedrock.journal.records) == 2)
        assert (await place.answer(HOURS)).said == ["At nine."]


@pytest.mark.parametrize("why", ["no cache", "a quota"])
async def test_nothing_is_asked_where_nothing_may_be_kept_or_spent(why: str) -> None:
    async with prepared() as place:
        if why == "a quota":
            costs.lay(place.vm, Ledger(Quotas(day=0, action="refuse")))
            begin(place)
        else:
            begin(place, answers=None)
        await place.answer("Something else.", answers=None)
        assert HOURS not in asked(place)
