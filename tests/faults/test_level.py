"""What a call leaves on a node is named."""

import asyncio

from aybiza.faults.level import Level
from aybiza.faults.world import World, in_world


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
