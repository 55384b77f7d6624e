"""What a call leaves on a node is named."""

import asyncio
import gc
from collections import Counter

from aybiza.actors.measures import costs
from aybiza.actors.memory.journals import Journal
from aybiza.dialogue.journal import CallerTurn, Ended, Entry
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.fault import Fault
from aybiza.faults.injector import Injector
from aybiza.faults.level import Level
from aybiza.faults.world import World, in_world
from aybiza.faults.world_loop import WorldLoop


def test_whatever_was_not_there_before_is_left() -> None:
    async def look(world: World) -> tuple[list[str], list[str]]:
        before = Level(world)
        nothing = before.left(world)
        task = asyncio.ensure_future(asyncio.sleep(60))
        world.vm.spawn(asyncio.sleep, 60)
        await asyncio.sleep(0)
        left = before.left(world)
        task.cancel()
        return nothing, left

    nothing, left = in_world(look)
    assert nothing == []
    assert left[0] == "process sleep" and "2 more tasks" in left
    assert any(line.endswith("more timers") for line in left)


def test_what_a_call_has_cost_is_left_only_where_it_has_ended() -> None:
    async def look(world: World) -> list[list[str]]:
        before, seen = Level(world), []
        costs.ledger(world.vm).charge(5, call_id="CA1", tenant_id=None, now=0.0)
        entries: list[Entry] = [CallerTurn(1, "Hello?"), Ended("hangup")]
        for number, entry in enumerate(entries, 1):
            world.journals.note("CA1", number, entry)
            seen.append(before.left(world))
        return seen

    assert in_world(look) == [[], ["1 more costs"]]


def test_a_private_journal_is_held_for_a_caller_who_comes_back() -> None:
    async def look(world: World) -> list[list[str]]:
        before, seen = Level(world), []
        journal = world.journals["CA1"] = Journal(over=True, private=True)
        for held in (60.0, -60.0):
            journal.held_until = world.journals.wall() + held
            seen.append(before.left(world))
        return seen

    assert in_world(look) == [[], ["1 more journals"]]


def test_what_a_plan_is_yet_to_do_is_left_by_no_call() -> None:
    async def look(world: World) -> list[str]:
        before = Level(world)
        injector = Injector([Fault("disk.slow", at=30.0, seconds=1.0)])
        injector.begin(world)
        return before.left(world)

    assert in_world(look) == []


def of_ours() -> Counter[str]:
    """The objects of this project that are alive, by their types."""
    gc.collect()
    return Counter(
        f"{type(one).__module__}.{type(one).__name__}"
        for one in gc.get_objects()
        if str(type(one).__module__).startswith("aybiza.")
    )


def test_after_ten_calls_there_are_no_more_objects_than_after_two() -> None:
    async def talk(world: World) -> list[Counter[str]]:
        seen = []
        for number in range(1, 11):
            steps = says("Hello."), hangs_up()
            async with world.call(*steps, call_id=f"CA{number}") as call:
                await call.over()
            await world.until(lambda: world.labels() == world.idle)
            await asyncio.sleep(60.0)
            # What is noted of a call is the judge's, and what the store keeps is meant to stay.
            for kept in (world.calls, world.lines, world.trace._events, world.journals.written):
                kept.clear()
            world.journals._told.clear()
            world.bedrock.journal.clear()
            for store in world._stores:
                store.forget([f"CA{number}"])
            if number in (2, 10):
                loop = asyncio.get_running_loop()
                assert isinstance(loop, WorldLoop)
                loop.drop_cancelled()
                seen.append(of_ours())
        return seen

    after_two, after_ten = in_world(talk)
    grown = {name: n for name, n in (after_ten - after_two).items() if n >= 8}
    assert grown == {}
