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
from aybiza.speech.deepgram_connect import Connection
from aybiza.speech.websocket import Together
from tests.call.kit import World, world
from tests.call.steps import hang_up

PARTS = (CallActor, SpeakerActor, TranscriberActor, MediaConnection, Connection)

pytestmark = pytest.mark.real_time


def parts() -> list[object]:
    """The parts of calls that there are. To look for them takes a second where much lives."""
    return [each for each in gc.get_objects() if type(each) in PARTS]


async def called(place: World) -> list[weakref.ref[object]]:
    """A call, which is over; its parts, as long as they are there."""
    others = {id(each) for each in parts()}
    async with place.call(hang_up("today")) as call:
        await call.until(lambda: call.is_speaking(0, 1))
        new = [each for each in parts() if id(each) not in others]
        assert set(map(type, new)) == set(PARTS)
        new += [each.protocol for each in new if isinstance(each, Together)]
        left = [weakref.ref(each) for each in new]
        del new
        await call.over()
    return left


async def test_nothing_of_a_call_waits_for_the_collector(tmp_path: Path) -> None:
    async with world(tmp_path) as place:
        gc.collect()
        gc.disable()
        try:
            left = await called(place)
            await place.until(lambda: place.labels() == place.idle)
            await place.until(lambda: not any(each() for each in left), 5.0, "parts are left")
        finally:
            gc.enable()
