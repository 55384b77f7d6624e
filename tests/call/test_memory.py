"""What a call leaves behind in the memory of its node."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from aybiza.actors.call.call_actor import CallActor
from aybiza.actors.call.speaker_actor import SpeakerActor
from aybiza.actors.call.transcriber_actor import TranscriberActor
from aybiza.gateway.admission.entrance import MediaConnection
from tests.call.kit import World, world
from tests.call.steps import hang_up

PARTS = (CallActor, SpeakerActor, TranscriberActor, MediaConnection)

pytestmark = pytest.mark.real_time


def parts() -> list[object]:
    """The parts of calls that there are. To look for them takes a second where much lives."""
    return [each for each in gc.get_objects() if type(each) in PARTS]


def is_answered(place: World) -> bool:
    """Whether there is a CallActor: its process is there a little before it."""
    processes = map(place.vm.find, place.vm.processes())
    return any(process and type(process.server) is CallActor for process in processes)


async def test_nothing_of_a_call_waits_for_the_collector(tmp_path: Path) -> None:
    async with world(tmp_path) as place:
        gc.collect()
        gc.disable()
        try:
            others = {id(each) for each in parts()}
            async with place.call(hang_up("today")) as call:
                await place.until(lambda: is_answered(place))
                left = [weakref.ref(each) for each in parts() if id(each) not in others]
                assert {type(each()) for each in left} == set(PARTS)
                await call.over()
            await place.until(lambda: place.labels() == place.idle)
            await place.until(lambda: not any(each() for each in left), 5.0, "parts are left")
        finally:
            gc.enable()
