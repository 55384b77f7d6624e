"""The last turns of a call as a model is told them, from its journal."""

from __future__ import annotations

import time
from typing import Any

from aybiza.actors import names
from aybiza.actors.memory.context import fold, get_context, messages
from aybiza.actors.memory.journals import append
from aybiza.actors.memory.memory_actor import MemoryActor
from aybiza.actors.memory.process_store import ProcessStore
from aybiza.actors.runtime import VM, virtual_time
from aybiza.dialogue.journal import (
    AgentSentence,
    AnswerComplete,
    CallerTurn,
    Entry,
    SentenceHeard,
    ToolExchange,
    encode,
)

USE = {"toolUse": {"toolUseId": "t1", "name": "find", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "t1", "content": [{"text": "found"}]}}


def turn(number: int, *, tools: bool = False) -> list[Entry]:
    exchange = [ToolExchange(number, 1, [USE], [RESULT])] if tools else []
    return [
        CallerTurn(number, f"Question {number}?"),
        AgentSentence(number, 1, f"Let me see {number}."),
        *exchange,
        AgentSentence(number, 2, f"Answer {number}."),
        SentenceHeard(number, 1),
        SentenceHeard(number, 2),
        AnswerComplete(number, "end_turn"),
    ]


def journal(*entries: Entry) -> list[tuple[int, dict[str, Any]]]:
    greeting: list[Entry] = [AgentSentence(0, 1, "Hello."), SentenceHeard(0, 1)]
    return [(n, encode(entry)) for n, entry in enumerate([*greeting, *entries], 1)]


def test_the_last_turns_are_whole_and_begin_with_the_caller() -> None:
    conversation = fold(journal(*turn(1), *turn(2, tools=True), *turn(3)))
    told = messages(conversation, 2)
    assert [message["role"] for message in told] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
        "assistant",
    ]
    assert told[0]["content"] == [{"text": "Question 2?"}]
    assert told[2]["content"] == [RESULT]


def test_all_turns_are_told_without_the_greeting_that_nobody_asked_for() -> None:
    told = messages(fold(journal(*turn(1))), 10)
    assert [message["role"] for message in told] == ["user", "assistant"]
    assert messages(fold([]), 10) == []
    assert messages(fold(journal(*turn(1))), 0) == []


@virtual_time
async def test_the_context_of_a_call_comes_from_the_memory() -> None:
    async with VM() as vm:
        await vm.start(MemoryActor, ProcessStore(), name=names.MEMORY)
        append(vm, "CA1", 1, 1, [body for _, body in journal(*turn(1), *turn(2))])
        told = await get_context(vm, "CA1", 1)
        assert told[0]["content"] == [{"text": "Question 2?"}]
        assert await get_context(vm, "CA7") == []


def test_a_context_of_fifty_turns_takes_no_longer_than_writing_twenty_thousand_numbers() -> None:
    """2 ms, where those numbers take as long: of a loop that calls wait for."""
    entries = journal(*(entry for n in range(1, 51) for entry in turn(n)))
    took, numbers = [], []
    for _ in range(15):
        began = time.perf_counter()
        assert len(messages(fold(entries), 50)) == 100
        took.append(time.perf_counter() - began)
        began = time.perf_counter()
        assert len({n: str(n) for n in range(20_000)}) == 20_000
        numbers.append(time.perf_counter() - began)
    assert min(took) < min(numbers)
