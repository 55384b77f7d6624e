"""Long calls are summed up while they go on: whole calls in virtual time. No turn waits for it, and
whatever becomes of it, nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.call import summary_actor
from aybiza.actors.measures import costs
from aybiza.claude.ledger import Ledger, Quotas
from aybiza.dialogue.condense import CHARACTERS_A_TOKEN, LEFT_OUT
from aybiza.dialogue.journal import Condensed
from aybiza.dialogue.prompt import SUMMARY_PROMPT
from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.tool_run import ToolRun
from aybiza.emulators.bedrock import Reply, say, use
from aybiza.emulators.bedrock.continuation import Body, text_of
from aybiza.faults.caller import Step, hangs_up, says
from aybiza.faults.desk import agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world

TOKENS = 2_000
TURNS = 14
FIRST = "I am Ann Lee, my number is 41573, and I want to move my visit to Friday."
LONG = agent(history_tokens=TOKENS)


def asked(number: int) -> str:
    return f"And what about day {number}, please?"


def steps(turns: int = TURNS) -> list[Step]:
    told = [says(FIRST)]
    told += [says(asked(n), when=f"number {n - 1}\\W") for n in range(2, turns + 1)]
    return [*told, hangs_up(when=f"number {turns}\\W")]


def is_summary(body: Body) -> bool:
    return any(SUMMARY_PROMPT in block.get("text", "") for block in body.get("system", ()))


class Model:
    """Answers each turn, and sums up as `sums_up` has it."""

    def __init__(self, sums_up: Callable[[], Awaitable[Reply]]) -> None:
        self._sums_up = sums_up
        self.drafts: list[str] = []
        self.bodies: list[Body] = []

    async def __call__(self, body: Body) -> Reply:
        if is_summary(body):
            self.drafts.append(text_of(body["messages"][-1]))
            return await self._sums_up()
        self.bodies.append(body)
        said = text_of(body["messages"][-1])
        if said:
            return use("look_up", {})
        asked_last = next(filter(None, map(text_of, reversed(body["messages"]))))
        number = asked_last.partition("about day ")[2].partition(",")[0] or "1"
        return say(f"It is as it was, number {number}.")


class Shelf(ToolRegistry):
    """A tool that finds a lot."""

    def __init__(self) -> None:
        super().__init__(
            [Tool("look_up", "Looks something up.", self._look_up, {"type": "object"})]
        )

    async def _look_up(self, given: dict[str, Any], run: ToolRun) -> dict[str, Any]:
        return {"found": "a shelf full of papers " * 50}


async def at_once() -> Reply:
    return say("Ann Lee wants another day.\n\nShe has asked about many days.")


async def never() -> Reply:
    await asyncio.sleep(10_000)
    return say("Too late.")


async def nothing() -> Reply:
    return say(" ")


def the_world(model: Model) -> dict[str, Any]:
    return {"agent": LONG, "responder": model, "toolbox": Shelf(), "frames": 10}


def a_call(
    sums_up: Callable[[], Awaitable[Reply]] = at_once,
    prepare: Callable[[World], Any] = lambda world: None,
    turns: int = TURNS,
) -> tuple[PlacedCall, Model, float]:
    """The call, its model, and how long it took."""
    model = Model(sums_up)

    async def talk(world: World) -> float:
        prepare(world)
        began = world.vm.now()
        async with world.call(*steps(turns), limit_s=3000) as call:
            placed.append(call)
            report = await call.over(3000)
            assert report.ok, report.failure
        return world.vm.now() - began

    placed: list[PlacedCall] = []
    seconds = in_world(talk, **the_world(model))
    return placed[0], model, seconds


def condensed(call: PlacedCall) -> list[Condensed]:
    return [entry for entry in call.journal if isinstance(entry, Condensed)]


def sizes(model: Model) -> list[int]:
    return [len(str(body["messages"])) // CHARACTERS_A_TOKEN for body in model.bodies]


def test_a_long_call_goes_on_with_a_summary_and_the_callers_own_first_words() -> None:
    call, model, _ = a_call()
    entries = condensed(call)
    assert len(entries) >= 2
    for entry in entries:
        first, _, rest = entry.text.partition(LEFT_OUT)
        assert first.startswith(f"Caller: {FIRST}")
        assert rest.strip() == "Ann Lee wants another day.\nShe has asked about many days."
    assert FIRST in str(model.bodies[-1]["messages"][0])
    assert "She has asked about many days." in model.drafts[-1]
    assert max(sizes(model)) <= TOKENS * 1.6
    beginnings = [str(body["messages"][0]) for body in model.bodies]
    assert sum(one != other for one, other in pairwise(beginnings)) == len(entries)


def test_no_turn_waits_for_a_summary() -> None:
    slow, model, seconds = a_call(never)
    _, _, without = a_call(nothing)
    assert seconds == without
    assert len(model.drafts) >= 1
    assert seconds == a_call()[2]
    assert [entry for entry in condensed(slow) if "Too late" in entry.text] == []


@pytest.mark.parametrize("sums_up", [never, nothing])
def test_where_no_summary_comes_the_rules_keep_the_history_short(
    sums_up: Callable[[], Awaitable[Reply]],
) -> None:
    call, model, _ = a_call(sums_up)
    entries = condensed(call)
    assert entries and all(FIRST in entry.text for entry in entries)
    assert max(sizes(model)) <= TOKENS * 1.6
    # Asked in vain twice, and once more each time the rules have made room.
    assert len(model.drafts) <= 2 * (len(entries) + 1)


def spent(world: World) -> None:
    costs.lay(world.vm, Ledger(Quotas(call=1, action="degrade")))


def test_a_call_that_has_spent_its_quota_gets_none() -> None:
    call, model, _ = a_call(prepare=spent)
    assert model.drafts == []
    assert condensed(call)


def open_breaker(world: World) -> None:
    for _ in range(10):
        world.vm.cast(names.breaker(world.policy.cheapest.id), ("failure", "x", 1.0))


def test_a_model_that_is_left_alone_is_not_asked_for_one() -> None:
    async def talk(world: World) -> list[Any]:
        asked_of: list[Any] = []
        async with world.call(*steps(), limit_s=3000) as call:
            await call.until(lambda: bool(call.heard.count("number 3")))
            open_breaker(world)
            await call.until(lambda: bool(condensed(call)), 600)
            asked_of += model.drafts
        return asked_of

    model = Model(at_once)
    assert in_world(talk, **the_world(model)) == []


def test_what_it_costs_is_charged_to_the_call() -> None:
    def of(summed_up: bool) -> int:
        seen: list[int] = []

        async def talk(world: World) -> None:
            async with world.call(*steps(9), limit_s=3000) as call:
                await call.until(lambda: "number 8" in call.heard, 1000)
                seen.append(costs.ledger(world.vm).calls[call.call_id])

        in_world(talk, **the_world(Model(at_once if summed_up else never)))
        return seen[0]

    assert of(True) != of(False)


def test_a_call_whose_summary_dies_with_its_maker_goes_on_and_gets_the_next() -> None:
    async def talk(world: World) -> list[Condensed]:
        async with world.call(*steps(), limit_s=3000) as call:
            await call.until(lambda: bool(model.drafts), 1000)
            pid = world.vm.whereis(names.SUMMARIES)
            assert pid is not None
            world.vm.exit(pid, "kill")
            hold.set()
            report = await call.over(3000)
            assert report.ok, report.failure
            return condensed(call)

    hold = asyncio.Event()

    async def held() -> Reply:
        await hold.wait()
        return await at_once()

    model = Model(held)
    entries = in_world(talk, **the_world(model))
    assert "You:" in entries[0].text
    assert "She has asked about many days." in entries[-1].text


def test_calls_that_would_wait_too_long_shorten_by_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary_actor, "MOST_WAITING", 0)
    call, model, _ = a_call(turns=9)
    assert model.drafts == []
    assert condensed(call)
