"""Where a task waits."""

from __future__ import annotations

import asyncio

from aybiza.actors.runtime import virtual_time
from aybiza.actors.runtime.frames import frames_of, line_of


async def inner() -> None:
    await asyncio.sleep(60)


async def outer() -> None:
    await inner()


@virtual_time
async def test_the_frames_of_a_task_that_waits_are_told_outermost_first() -> None:
    task = asyncio.create_task(outer())
    await asyncio.sleep(1)
    frames = list(frames_of(task))
    assert [frame.f_code.co_name for frame in frames] == ["outer", "inner", "sleep"]
    line = inner.__code__.co_firstlineno + 1
    assert line_of(frames[1]) == f"{__file__}:{line}"
    task.cancel()


def test_who_has_no_task_waits_nowhere() -> None:
    assert list(frames_of(None)) == []
