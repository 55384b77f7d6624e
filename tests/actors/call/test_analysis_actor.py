"""Turns are judged and calls analysed beside calls; whole calls are in `tests/call`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from aybiza.actors import names
from aybiza.actors.call import analysis_actor
from aybiza.actors.call.analysis_actor import (
    Analyse,
    AnalysisActor,
    Judge,
    judged_as,
    understood_in,
)
from aybiza.actors.memory.journals import append
from aybiza.actors.memory.memory_actor import Load
from aybiza.actors.runtime import GenServer, Pid
from aybiza.config.analysis import Analysis
from aybiza.dialogue.journal import TurnJudged
from tests.actors.call.answer_kit import LIMIT, Stage, stage
from tests.call.kit import AGENT

PLAIN = Analysis(summary=False, intents={"booking": ("table",)})


class Listener(GenServer):
    """Notes what it is told."""

    async def init(self, told: list[Any]) -> None:
        self.told = told

    async def handle_info(self, message: Any) -> None:
        self.told.append(message)


async def listener(place: Stage) -> tuple[Pid, list[Any]]:
    told: list[Any] = []
    return await started(place, Listener, told), told


async def started(place: Stage, *spec: Any, **how: Any) -> Pid:
    pid = await place.vm.start(*spec, **how)
    assert pid is not None
    return pid


def talked(place: Stage, call_id: str, *more: dict[str, Any]) -> None:
    said = {"type": "caller_turn", "turn": 1, "text": "A table, please."}
    append(place.vm, call_id, 1, 1, [said, *more])


async def analysed(place: Stage, call_id: str) -> list[dict[str, Any]]:
    journal = await place.vm.call(names.MEMORY, Load(call_id))
    return [entry["analysis"] for _, entry in journal if entry["type"] == "analysed"]


async def test_a_turn_is_judged_for_who_has_asked_and_a_flood_of_them_is_bounded() -> None:
    async with stage(answers={}) as place:
        actor = await started(place, AnalysisActor, name=names.ANALYSES)
        to, told = await listener(place)
        for turn in range(1, 301):
            place.vm.cast(actor, Judge("CA1", turn, "A table, please.", PLAIN, to))
        await place.until(lambda: len(told) >= 100)
        assert 100 <= len(told) < 300
        assert told[0] == TurnJudged(1, None, "booking")


def test_the_lexicon_is_asked_of_english_turns_only() -> None:
    full = Analysis(sentiment=True)
    told = {language: understood_in(language, full).sentiment for language in ("", "en-GB", "de")}
    assert told == {"": True, "en-GB": True, "de": False}
    assert not understood_in("en", PLAIN).sentiment


def test_how_a_turn_sounds_is_told_where_that_is_asked_for() -> None:
    full = Analysis(sentiment=True)
    assert judged_as(1, "That is wonderful, thank you.", full).mood or 0 > 40
    assert judged_as(1, "A table.", PLAIN) == TurnJudged(1, None, "booking")


async def test_a_call_that_goes_on_after_all_is_left_alone(monkeypatch: Any) -> None:
    monkeypatch.setattr(analysis_actor, "TRANSFER_SECONDS", 0.05)
    async with stage(answers={}) as place:
        actor = await started(place, AnalysisActor, name=names.ANALYSES)
        agent = AGENT.model_copy(update={"analysis": PLAIN})
        for call_id, more in (
            ("CA1", [{"type": "ended", "reason": "transfer"}]),
            ("CA2", []),
        ):
            talked(place, call_id, *more)
            context = replace(place.context, call_id=call_id, agent=agent)
            place.vm.cast(actor, Analyse(context, "transfer"))
        place.vm.cast(actor, Analyse(replace(place.context, call_id="CA3", agent=agent), "fault"))
        async with asyncio.timeout(LIMIT):
            while not await analysed(place, "CA1"):  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.01)
        assert await analysed(place, "CA2") == await analysed(place, "CA3") == []
        assert (await analysed(place, "CA1"))[0]["turns"] == [[1, None, "booking"]]
