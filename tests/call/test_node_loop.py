"""A call is the same on the loop that nodes run on (`aybiza.actors.runtime.loops`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from tests.call.kit import GREETING, world
from tests.call.steps import hang_up, text

pytestmark = pytest.mark.real_time


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_call_is_heard_and_answered(
    tmp_path: Path, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def main() -> str:
        async with (
            world(tmp_path, answers={"Hello.": ["Good day."]}) as place,
            place.call(text("Hello."), hang_up("day")) as call,
        ):
            await call.over()
            return call.heard

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(main()).split() == f"{GREETING} Good day.".split()
