"""The turn machine: who goes on with what."""

from __future__ import annotations

from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    Ask,
    CallerFinished,
    CallerInterim,
    CallerSaid,
)
from tests.dialogue.call_world import CallWorld
from tests.dialogue.calls import QUIET, call, handle, tell


def texts(world: CallWorld) -> list[str]:
    messages = world.machine.conversation.messages()
    return [block["text"] for one in messages for block in one["content"] if "text" in block]


def test_words_that_came_to_nothing_have_the_turn_answered_all_the_same() -> None:
    world = tell(call(Phase.THINKING), CallerInterim("er"), QUIET)
    assert world.attached == 2
    assert texts(world) == ["a question"]


def test_nobody_waits_when_all_was_said() -> None:
    world = call(Phase.SPEAKING)
    world.answer("end")
    world.hear()
    assert "wait" not in world.timers


def test_an_answer_is_asked_once_for_a_joined_turn() -> None:
    world = tell(call(Phase.THINKING), CallerSaid("and Friday"))
    assert Ask(2, 0) in handle(world, CallerFinished())
