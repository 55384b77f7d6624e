"""What can be seen of a call from outside."""

import pytest

from aybiza.actors import names
from aybiza.actors.runtime import KILL
from aybiza.dialogue.journal import CallerTurn, Ended
from aybiza.emulators.bedrock import use
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.world import World, in_world

ANSWERS = {"Hello.": ["One thing. Another thing. A third thing."]}


def test_a_call_tells_where_it_stands() -> None:
    async def talk(world: World) -> None:
        async with world.call(says("Hello."), hangs_up(quiet_ms=2000)) as call:
            assert call.state == {}
            await call.until(lambda: call.is_speaking(1, 1))
            assert call.state["phase"] == "speaking"
            assert not call.has_heard(1, 1)
            assert len(call.requests()) == 1
            speaker = call.pid("speaker")
            world.vm.exit(speaker, KILL)
            await call.until(
                lambda: world.vm.alive(names.speaker("CA1")) and not world.vm.alive(speaker)
            )
            assert call.pid("speaker") != speaker
            await call.until(lambda: call.has_heard(1, 3))
            await call.over()
            assert call.began == pytest.approx(1.05)
            assert CallerTurn(1, "Hello.") in call.journal
            assert call.journal[-1] == Ended("hangup")

    in_world(talk, answers=ANSWERS)


def test_what_never_comes_is_not_waited_for_beyond_the_call() -> None:
    async def talk(world: World) -> None:
        async with world.call(hangs_up()) as call:
            await call.until(lambda: call.has_heard(9, 9))

    with pytest.raises(AssertionError, match="the call is over"):
        in_world(talk)


def test_a_role_that_nobody_has_is_named() -> None:
    async def talk(world: World) -> None:
        async with world.call(hangs_up()) as call:
            await call.over()
            await world.until(lambda: world.labels() == world.idle)
            call.pid("speaker")

    with pytest.raises(AssertionError, match="the call has no speaker now"):
        in_world(talk)


def test_what_the_model_was_told_is_a_list_of_who_said_what() -> None:
    answers = {"Is there a room?": [use("look_up", {}, "Let me see."), "Yes, there is."]}

    async def talk(world: World) -> None:
        async with world.call(says("Is there a room?"), hangs_up(when="there is")) as call:
            await call.until(lambda: call.is_using_a_tool)
            assert not call.has(Ended("hangup"))
            await call.over()
            assert not call.is_using_a_tool
            assert call.has(CallerTurn(1, "Is there a room?"), Ended("hangup"))
            assert call.told(0) == [("user", "Is there a room?")]
            assert call.told()[1:] == [
                ("assistant", "Let me see."),
                ("uses", "look_up"),
                ("result", "success"),
            ]

    in_world(talk, answers=answers)
