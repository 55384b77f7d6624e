"""The turn machine: callers who break in, noise, and agents that must not be interrupted."""

from __future__ import annotations

import pytest

from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    Ask,
    CallerFinished,
    CallerInterim,
    CallerSaid,
    CallerSpeaking,
    CancelAnswer,
    DigitPressed,
    Event,
    Record,
    Say,
    StopTalking,
    TalkStopped,
)
from aybiza.dialogue.journal import (
    CallerSegment,
    CallerTurn,
    Interrupted,
    Resumed,
    SentenceHeard,
)
from aybiza.dialogue.turns import TurnMachine
from tests.dialogue.call_world import AGENT, agent
from tests.dialogue.calls import (
    AWAIT_CALLER,
    QUIET,
    SILENCE,
    TAKE_TURN,
    call,
    handle,
    tell,
)

# The caller breaks in


@pytest.mark.parametrize("event", [CallerInterim("wait"), CallerSaid("wait"), DigitPressed("0")])
def test_the_agent_is_silenced_at_once(event: Event) -> None:
    world = call(Phase.SPEAKING)
    assert handle(world, event)[0] == StopTalking(1, 2)
    assert handle(world, TalkStopped(1, 2, 0.0)) == [
        Record(Interrupted(1, 2, 0.0)),
        CancelAnswer(1),
        *AWAIT_CALLER,
    ]
    assert world.machine.phase is Phase.INTERRUPTED


def test_words_that_break_in_are_kept() -> None:
    world = call(Phase.SPEAKING)
    expected = [StopTalking(1, 2), Record(CallerSegment("no, wait")), *AWAIT_CALLER]
    assert handle(world, CallerSaid("no, wait")) == expected


def test_an_answer_that_was_complete_is_not_cancelled() -> None:
    world = call(Phase.SPEAKING)
    world.answer("end")
    tell(world, CallerInterim("wait"))
    assert world.machine.phase is Phase.INTERRUPTED
    resumed = TurnMachine(AGENT, world.machine.conversation)
    assert resumed.resume() == AWAIT_CALLER


def test_what_was_played_before_the_cut_was_heard() -> None:
    world = call(Phase.SPEAKING)
    world.answer("sentence")
    handle(world, CallerInterim("wait"))
    assert handle(world, TalkStopped(1, 3, 0.25))[:2] == [
        Record(SentenceHeard(1, 2, marked=False)),
        Record(Interrupted(1, 3, 0.25)),
    ]


def test_a_sentence_that_was_cut_behind_its_end_was_heard() -> None:
    world = call(Phase.SPEAKING)
    handle(world, CallerInterim("wait"))
    assert Record(SentenceHeard(1, 2, marked=False)) in handle(world, TalkStopped(1, 2, 1.0))


def test_a_turn_is_cut_once() -> None:
    world = tell(call(Phase.INTERRUPTED), CallerSaid("stop"), CallerFinished())
    assert handle(world, TalkStopped(1, 2, 1.0)) == []


def test_noise_lets_the_agent_go_on_with_what_was_not_heard() -> None:
    world = call(Phase.INTERRUPTED)
    said = "a1.2.0 a1.2.1 a1.2.2 a1.2.3"
    assert handle(world, QUIET) == [Record(Resumed(1)), Say(1, 2, said), Ask(1, 2)]
    assert world.machine.phase is Phase.SPEAKING


def test_noise_behind_the_last_word_leaves_the_call_listening() -> None:
    world = call(Phase.SPEAKING)
    world.answer("end")
    world.fraction = 1.0
    tell(world, CallerInterim("wait"))
    assert handle(world, QUIET) == [Record(Resumed(1)), SILENCE]


@pytest.mark.parametrize("phase", [Phase.THINKING, Phase.SPEAKING])
def test_a_voice_without_words_changes_nothing(phase: Phase) -> None:
    world = call(phase)
    assert handle(world, CallerSpeaking()) == []
    assert world.machine.phase is phase
    assert world.attached == 1


def test_a_voice_alone_silences_the_agent_where_no_words_are_needed() -> None:
    world = call(Phase.SPEAKING, agent(barge_in_words=0))
    assert handle(world, CallerSpeaking()) == [StopTalking(1, 2), *AWAIT_CALLER]
    thinking = call(Phase.THINKING, agent(barge_in_words=0))
    assert handle(thinking, CallerSpeaking()) == []


def test_a_second_noise_in_a_turn_does_not_break_in_but_words_do() -> None:
    world = tell(call(Phase.SPEAKING, agent(barge_in_words=0)), CallerSpeaking(), QUIET)
    assert handle(world, CallerSpeaking()) == []
    assert StopTalking(1, 2) in handle(world, CallerInterim("wait"))


def test_a_sound_keeps_the_agent_waiting_for_words() -> None:
    assert handle(call(Phase.INTERRUPTED), CallerSpeaking()) == AWAIT_CALLER


@pytest.mark.parametrize("end", [CallerFinished(), QUIET])
def test_the_words_that_broke_in_are_the_next_turn(end: Event) -> None:
    world = tell(call(Phase.INTERRUPTED), CallerSaid("stop"))
    assert handle(world, end) == [*TAKE_TURN, Record(CallerTurn(2, "stop")), Ask(2, 0)]
    assert world.machine.phase is Phase.THINKING


# An agent that must not be interrupted


@pytest.mark.parametrize("phase", [Phase.THINKING, Phase.SPEAKING])
@pytest.mark.parametrize("event", [CallerSpeaking(), CallerInterim("but"), CallerSaid("but")])
def test_it_speaks_on(phase: Phase, event: Event) -> None:
    world = tell(call(phase, agent(barge_in=False)), event)
    assert world.machine.phase is phase
    assert world.attached == 1


def test_words_that_it_was_told_meanwhile_are_answered_when_it_has_finished() -> None:
    world = tell(call(Phase.SPEAKING, agent(barge_in=False)), CallerSaid("but"), CallerFinished())
    world.answer("end")
    world.hear()
    assert world.attached == 2


def test_a_caller_who_still_speaks_when_it_has_finished_is_heard_out() -> None:
    world = tell(call(Phase.SPEAKING, agent(barge_in=False)), CallerSaid("but"))
    world.answer("end")
    world.hear()
    assert world.machine.phase is Phase.LISTENING
    tell(world, CallerSaid("not today"), CallerFinished())
    assert Record(CallerTurn(2, "but not today")).entry in [e for _, e in world.journal]


def test_the_time_limit_for_words_ends_while_it_speaks() -> None:
    world = tell(call(Phase.SPEAKING, agent(barge_in=False)), CallerSaid("but"), QUIET)
    world.answer("end")
    world.hear()
    assert world.attached == 2


def test_words_that_were_open_before_a_crash_are_still_waited_for() -> None:
    world = tell(call(Phase.SPEAKING, agent(barge_in=False)), CallerSaid("but"))
    world.restart()
    assert "endpoint" in world.timers


def test_keys_break_in_all_the_same() -> None:
    world = tell(call(Phase.SPEAKING, agent(barge_in=False)), DigitPressed("0"))
    assert world.machine.phase is Phase.INTERRUPTED
