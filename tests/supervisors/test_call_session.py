"""A call's session: what it restarts, what ends it, and that its successor is never in its way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from aybiza.actors import names
from aybiza.actors.runtime import KILL, SHUTDOWN
from aybiza.supervisors.supervisor import Supervisor
from tests.call.caller import Call
from tests.call.kit import GREETING, World, world
from tests.call.steps import hang_up, stay

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARTS = {"transcriber": names.transcriber, "speaker": names.speaker, "call": names.call}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("place"), voice_speed=2) as made:
        yield made


def parts(place: World, call: Call) -> dict[str, Any]:
    return {name: place.vm.whereis(of(call.call_id)) for name, of in PARTS.items()}


async def test_its_children_start_in_order_the_conversation_last(place: World) -> None:
    async with place.call(stay(), direct=True) as call:
        await call.until(lambda: call.is_speaking(0, 1))
        session = names.session(call.call_id)
        children = await Supervisor.which_children(place.vm, session)
        assert [child.id for child in reversed(children)] == list(PARTS)
        assert {child.id: child.pid for child in children} == parts(place, call)


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_that_dies_is_restarted_alone(place: World, part: str) -> None:
    async with place.call(hang_up(after=r"today\?\s*$"), direct=True) as call:
        await call.until(lambda: call.is_speaking(0, 1))
        before = parts(place, call)
        place.kill(PARTS[part](call.call_id))
        await call.until(
            lambda: parts(place, call)[part] not in (None, before[part]),
        )
        after = parts(place, call)
        await call.over()
    assert {name for name in PARTS if before[name] != after[name]} == {part}
    assert call.heard == f"{GREETING} "


async def test_the_end_of_the_conversation_ends_it_all(place: World) -> None:
    async with place.call(stay(), direct=True) as call:
        await call.until(lambda: call.has_heard(0, 1))
        session = place.vm.whereis(names.session(call.call_id))
        assert session is not None
        await place.vm.stop(names.call(call.call_id))
        assert await place.vm.join(session) in (SHUTDOWN, "noproc")
        # The line has not ended: the conversation is taken up by another session.
        await call.until(lambda: place.vm.whereis(names.session(call.call_id)) is not None)
        await call.hang_up()


async def test_a_killed_session_is_followed_by_another_at_once(place: World) -> None:
    async with place.call(hang_up(after=r"today\?\s*$"), direct=True) as call:
        for _ in range(3):
            await call.until(lambda: None not in parts(place, call).values())
            killed = place.vm.whereis(names.session(call.call_id))
            assert killed is not None
            place.vm.exit(killed, KILL)
            await call.until(
                lambda: place.vm.whereis(names.session(call.call_id)) not in (None, killed)  # noqa: B023
            )
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} "
