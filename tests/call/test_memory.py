"""What a call leaves behind in the memory of its node."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from aybiza.actors.call.call_actor import CallActor
from aybiza.actors.call.speaker_actor import SpeakerActor
from aybiza.actors.call.transcriber_actor import TranscriberActor
from aybiza.gateway.admission.entrance import MediaConnection
from aybiza.speech.line import Line
from tests.call.kit import world
from tests.call.steps import hang_up

HELD = (CallActor, SpeakerActor, TranscriberActor, Line, MediaConnection)

pytestmark = pytest.mark.real_time


def held() -> list[str]:
    """The parts of calls that there are."""
    return sorted(type(each).__name__ for each in gc.get_objects() if type(each) in HELD)


async def test_nothing_of_a_call_waits_for_the_collector(tmp_path: Path) -> None:
    async with world(tmp_path) as place:
        gc.collect()
        gc.disable()
        try:
            before = held()
            async with place.call(hang_up("today")) as call:
                await place.until(lambda: "CallActor" in held())
                await call.over()
            await place.until(lambda: place.labels() == place.idle)
            await place.until(lambda: held() == before, 5.0, "parts are left")
        finally:
            gc.enable()
