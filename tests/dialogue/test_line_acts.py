"""The turn machine about the call itself: silence, and who is seen off."""

from __future__ import annotations

import pytest

from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    CallerFinished,
    CallerSaid,
    CallerSpeaking,
    Record,
    Say,
    StartTimer,
    TimerFired,
)
from aybiza.dialogue.journal import (
    CallerTurn,
)
from tests.dialogue.calls import SILENT, call, handle, tell


@pytest.mark.parametrize("at", [0.0, 5.0, 9.5])
def test_noise_does_not_put_off_the_question_whether_anybody_is_there(at: float) -> None:
    world = call(Phase.LISTENING)
    assert handle(world, CallerSpeaking(at=at)) == []
    late = TimerFired("silence", at=10.0 + max(0.0, at - 9.0))
    silent = handle(world, late)
    if at > 9.0:
        assert silent == [StartTimer("silence", 1.0)] or silent[0] == Record(CallerTurn(1, ""))
        return
    assert Say(1, 1, "Still there?") in silent


def test_a_voice_that_has_just_begun_is_given_time_once() -> None:
    world = tell(call(Phase.LISTENING), CallerSpeaking(at=9.5))
    assert handle(world, TimerFired("silence", at=10.0)) == [StartTimer("silence", 1.0)]
    assert Say(1, 1, "Still there?") in handle(world, TimerFired("silence", at=11.0))


def test_a_silent_caller_who_speaks_into_the_last_words_goes_on() -> None:
    world = tell(call(Phase.LISTENING), SILENT)
    world.hear()
    tell(world, SILENT)
    assert world.machine.phase is Phase.CLOSING
    tell(world, CallerSaid("Hello?"), CallerFinished())
    assert world.attached == 3


def test_who_is_silent_behind_other_words_of_the_agents_own_is_asked_before_they_are_seen_off() -> (
    None
):
    world = call(Phase.LISTENING)
    world.restart(again=True)
    world.hear()
    assert world.timers == {"silence": 10.0}
    assert Say(2, 1, "Still there?") in handle(world, TimerFired("silence", at=90.0))
