"""The tools of an answer: begun when memory has the caller's turn, and what they write is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.call import answer_tools
from aybiza.actors.call.answer_tools import RunTools, results_of
from aybiza.actors.measures import events
from aybiza.actors.memory import memory_actor
from aybiza.actors.memory.journals import append
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.memory.store import Part, Written
from aybiza.actors.runtime import KILL, NORMAL
from aybiza.claude.stream import ToolUse
from aybiza.dialogue.events import ToolsUsed
from aybiza.dialogue.toolbox import Effect, NoTools, ToolRun
from aybiza.emulators.bedrock import Reply, use
from aybiza.emulators.bedrock import ToolUse as Uses
from aybiza.faults.desk import Answers
from tests.actors.call.answer_kit import LIMIT, Stage, Told, stage

ASK = "Book it, please."
BOTH = Reply((Uses("write", {}), Uses("read", {})))
ANSWERS: Answers = {
    ASK: [use("write", {}), "It is done."],
    "Look.": [use("read", {}), "Here it is."],
    "Both.": [BOTH, "That is all."],
}


class Slow(NoTools):
    """A tool that reads and one that writes; each begins, and ends when it is told to go on."""

    def __init__(self) -> None:
        self.begun = {name: asyncio.Event() for name in ("read", "write")}
        self.ended: dict[str, str] = {}
        self.go_on = asyncio.Event()

    def specs(self) -> list[dict[str, Any]]:
        schema = {"json": {"type": "object"}}
        return [
            {"toolSpec": {"name": name, "description": name, "inputSchema": schema}}
            for name in self.begun
        ]

    def effect(self, name: str) -> Effect:
        return "write" if name == "write" else "none"

    async def run(self, use: ToolRun) -> dict[str, Any]:
        self.begun[use.name].set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.ended[use.name] = "cancelled"
            raise
        self.ended[use.name] = "done"
        return {"done": use.name}


def statuses(told: Told) -> list[list[str]]:
    """What the answer told of its tools: for each time, the members of each result."""
    return [
        [next(iter(block["toolResult"]["content"][0]["json"])) for block in event.results]
        for event in told.of(ToolsUsed)
    ]


async def cancelled(place: Stage, said: str, tools: Slow, name: str) -> tuple[Told, Any]:
    """An answer that nobody wants any more while its tool of this name runs."""
    told, answer, _ = await place.begin(said)
    async with asyncio.timeout(LIMIT):
        await tools.begun[name].wait()
    place.vm.cast(answer, "cancel")
    return told, answer


async def test_a_write_that_has_begun_runs_to_its_end_and_is_told_though_nobody_waits() -> None:
    tools = Slow()
    async with stage(ANSWERS, toolbox=tools) as place:
        told, answer = await cancelled(place, ASK, tools, "write")
        await place.until(lambda: statuses(told) == [["error"]])
        assert "outcome_unknown" in str(told.of(ToolsUsed)[0].results)
        assert not place.vm.alive(names.answer(told.call_id, 1)), "the turn can be answered anew"
        tools.go_on.set()
        assert await place.vm.join(answer) == NORMAL
        await place.until(lambda: statuses(told) == [["error"], ["done"]])
        assert told.said == []
        assert len(place.requests(told)) == 1
    first, last = told.of(ToolsUsed)
    assert first.uses == last.uses


async def test_the_outcome_goes_to_the_call_actor_that_is_there_then() -> None:
    tools = Slow()
    async with stage(ANSWERS, toolbox=tools) as place:
        told, answer = await cancelled(place, ASK, tools, "write")
        await place.until(lambda: statuses(told) == [["error"]])
        place.vm.exit(names.call(told.call_id), KILL)
        tools.go_on.set()
        await place.until(lambda: "write" in tools.ended)
        assert place.vm.alive(answer)
        back = await place.listen(told.call_id)
        assert await place.vm.join(answer) == NORMAL
        await place.until(lambda: statuses(back) == [["done"]])


async def test_what_only_reads_ends_with_its_answer() -> None:
    tools = Slow()
    async with stage(ANSWERS, toolbox=tools) as place:
        told, answer = await cancelled(place, "Look.", tools, "read")
        assert await place.vm.join(answer) == NORMAL
        await place.until(lambda: tools.ended == {"read": "cancelled"})
        assert statuses(told) == []


async def test_a_write_outlives_even_an_answer_that_is_killed() -> None:
    tools = Slow()
    async with stage(ANSWERS, toolbox=tools) as place:
        _, answer, _ = await place.begin("Both.")
        await place.until(lambda: all(event.is_set() for event in tools.begun.values()))
        place.vm.exit(answer, KILL)
        await place.until(lambda: tools.ended == {"read": "cancelled"})
        tools.go_on.set()
        await place.until(lambda: tools.ended == {"read": "cancelled", "write": "done"})


async def test_a_write_that_hangs_is_waited_for_no_longer_than_a_tool_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answer_tools, "TOOL_SECONDS", 0.2)
    tools = Slow()
    async with stage(ANSWERS, toolbox=tools) as place:
        told, answer = await cancelled(place, ASK, tools, "write")
        assert await place.vm.join(answer) == NORMAL
        await place.until(lambda: statuses(told) == [["error"], ["error"]])
        assert tools.ended == {"write": "cancelled"}


class Failing(Slow):
    """A tool that says that it failed, and one that crashes."""

    async def run(self, use: ToolRun) -> dict[str, Any]:
        if use.name == "read":
            raise RuntimeError("as the test says")
        return {"error": "full", "message": "There is no room."}


async def test_a_tool_is_told_of_when_it_begins_ends_and_fails() -> None:
    async with stage(ANSWERS, toolbox=Failing()) as place:
        heard: list[tuple[str, str, str | None]] = []

        def note(event: Any, _measurements: Any, metadata: Any, _config: Any) -> None:
            heard.append((event[-1], metadata["tool"], metadata.get("how")))

        tool = (events.TOOL_START, events.TOOL_STOP, events.TOOL_EXCEPTION, events.TOOL_FAILED)
        place.vm.telemetry.attach_many("note", tool, note)
        told, _, _ = await place.begin("Both.")
        await place.until(lambda: statuses(told) == [["error", "error"]])
        write = [("start", "write", None), ("stop", "write", None), ("failed", "write", "error")]
        read = [("start", "read", None), ("exception", "read", None), ("failed", "read", "crash")]
        assert [each for each in heard if each[1] == "write"] == write
        assert [each for each in heard if each[1] == "read"] == read


class Gated(SqliteStore):
    """A store that writes when it is let."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.asked, self.gate = threading.Event(), threading.Event()

    def write(self, parts: Sequence[Part]) -> list[Written]:
        self.asked.set()
        self.gate.wait(LIMIT)
        return super().write(parts)


async def test_no_tool_begins_before_the_store_has_what_the_caller_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DURABLE_SECONDS", "LINGER_SECONDS", "KEPT_SECONDS"):
        monkeypatch.setattr(memory_actor, name, LIMIT)
    tools, store = Slow(), Gated()
    tools.go_on.set()
    async with stage(ANSWERS, toolbox=tools, store=store) as place:
        append(place.vm, "CA1", 1, 1, [{"type": "caller_turn", "turn": 1, "text": ASK}])
        told, _, over = await place.begin(ASK, call_id="CA1")
        await place.until(store.asked.is_set)
        assert tools.ended == {}
        store.gate.set()
        async with asyncio.timeout(LIMIT):
            await over.wait()
        assert (told.said, tools.ended) == (["It is done."], {"write": "done"})
    store.close()


def test_a_round_is_told_before_and_after_with_the_same_uses() -> None:
    uses = [ToolUse("a", "read", {}), ToolUse("b", "write", {})]
    asked = RunTools(1, 2, [{"toolUse": {"toolUseId": "a"}}], uses)
    before, after = asked.unfinished(), asked.told([{"found": 1}, {"error": "failed"}])
    assert (before.turn, before.after_seq, before.uses) == (1, 2, after.uses)
    assert [block["toolResult"]["status"] for block in before.results] == ["error", "error"]
    assert [block["toolResult"]["status"] for block in after.results] == ["success", "error"]
    assert [block["toolResult"]["toolUseId"] for block in results_of(uses, [{}, {}])] == ["a", "b"]


async def test_a_write_that_waits_for_a_yes_is_not_told_as_one_that_was_done() -> None:
    class Asks(Slow):
        async def run(self, use: ToolRun) -> dict[str, Any]:
            return {"needs_confirmation": True, "message": "Ask."}

    heard: list[Any] = []
    async with stage(ANSWERS, toolbox=Asks()) as place:
        place.vm.telemetry.attach(
            "test", events.TOOL_STOP, lambda event, measured, about, _: heard.append(dict(about))
        )
        await place.begin(ASK)
        await place.until(lambda: bool(heard))
    assert [(each["tool"], each["outcome"]) for each in heard] == [("write", "asked")]
