"""The turn machine about the call itself: silence, and who is seen off."""

from __future__ import annotations

import pytest

from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    CallerFinished,
    CallerSaid,
    CallerSpeaking,
    DigitPressed,
    Record,
    Say,
    Started,
    StartTimer,
    TimerFired,
    ToolsUsed,
)
from aybiza.dialogue.journal import (
    AnswerComplete,
    CallerTurn,
)
from tests.dialogue.call_world import AGENT, CallWorld
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


KEYS = AGENT.model_copy(update={"keys_masked": True, "keys_most": 4})
AGAIN = f"{KEYS.bridge} {KEYS.keys_again}"


def pressed(keys: str) -> CallWorld:
    return tell(call(Phase.LISTENING, KEYS), *(DigitPressed(key, at=1.0) for key in keys))


def test_keys_that_went_with_the_line_are_asked_for_again() -> None:
    half = handle(pressed("49"), Started(again=True))
    assert Record(CallerTurn(1, "• •")) in half and Say(2, 1, AGAIN) in half
    whole = handle(pressed("4929"), Started(again=True))
    assert Record(AnswerComplete(1, "cancelled")) in whole and Say(2, 1, AGAIN) in whole


def test_keys_are_not_asked_for_again_where_none_are_lost() -> None:
    same = handle(pressed("4929"), Started())
    assert not any(isinstance(one, Say) for one in same)
    none = handle(call(Phase.LISTENING, KEYS), Started(again=True))
    assert Say(1, 1, f"{KEYS.bridge} {KEYS.ask_again}") in none
    used = pressed("4929")
    used.machine.handle(ToolsUsed(1, 0, [], []))
    assert Say(1, 0, KEYS.bridge) in handle(used, Started(again=True))


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
