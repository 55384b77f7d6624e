"""Calls over another carrier's wire: the telephone of `tests.call`, with a bridge in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aybiza.emulators.bedrock import use
from aybiza.emulators.phone import Phone
from aybiza.emulators.phone.bridge import Bridge, Wire
from aybiza.faults.desk import Answers
from tests.call.caller import LIMIT, Call
from tests.call.kit import World
from tests.call.steps import Step, script_of

ASK = "Tell me a story, please."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him. "
    "He rowed to the shore to fetch another one."
)
CHANGE = "Stop, what does it cost?"
COST = "It costs ten dollars, goodbye."
KEYS = "1 2 #"
PRESSED = "You pressed one and two."
LEAVE = "That is all, thank you."
LAST = "Thank you for calling us today."

ANSWERS: Answers = {
    ASK: [STORY],
    CHANGE: [COST],
    KEYS: [PRESSED],
    LEAVE: [use("end_call", {}), LAST],
}


@asynccontextmanager
async def carried(
    place: World, wire: Callable[[], Wire], address: str, call_id: str, *steps: Step, **phone: Any
) -> AsyncIterator[tuple[Call, Bridge]]:
    """A caller who does `steps` over this wire to this address of the node."""
    script = script_of([{"timeout_s": LIMIT, **step} for step in steps])
    async with (
        Bridge(wire, address) as bridge,
        Phone(url=bridge.url, script=script, call_sid=call_id, **phone) as telephone,
    ):
        call = Call(place, telephone, call_id)
        call.begin()
        try:
            yield call, bridge
        finally:
            assert call._task is not None
            call._task.cancel()
            await asyncio.gather(call._task, return_exceptions=True)
