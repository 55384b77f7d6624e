"""The turn machine about an answer: the wait for it, and how it ends."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    AnswerSentence,
    CallerFinished,
    CallerSaid,
    CancelAnswer,
    CloseAsked,
    DropAside,
    EndCall,
    Heard,
    Record,
    Say,
    SayAll,
    Started,
    StartTimer,
    TimerFired,
    ToolsUsed,
    Unsaid,
)
from aybiza.dialogue.journal import (
    AgentSentence,
    AnswerComplete,
)
from aybiza.dialogue.turn_acts import AT_ONCE_SECONDS
from tests.dialogue.call_world import CallWorld, agent
from tests.dialogue.calls import POLICY, call, handle, tell

WAIT = TimerFired("wait")
USE: dict[str, Any] = {"toolUse": {"toolUseId": "t", "name": "book", "input": {}}}
DONE: dict[str, Any] = {"toolResult": {"toolUseId": "t", "content": [{"json": {"booked": 1}}]}}


def texts(world: CallWorld) -> list[str]:
    messages = world.machine.conversation.messages()
    return [block["text"] for one in messages for block in one["content"] if "text" in block]


def test_a_caller_who_waits_hears_one_filler_after_the_other_and_then_that_it_is_late() -> None:
    world = call(Phase.THINKING, agent(more_fillers=("Still here.",), late="Too late."))
    assert world.timers["wait"] == 2.0
    assert world.machine.handle(WAIT) == [
        Say(1, 0, "One moment."),
        SayAll(1),
        StartTimer("voice", 4.0),
        StartTimer("wait", POLICY.filler_again),
    ]
    assert world.machine.handle(WAIT)[0] == Say(1, 0, "Still here.")
    assert world.machine.handle(WAIT) == [
        CancelAnswer(1),
        DropAside(),
        Record(AgentSentence(1, 1, "Too late.")),
        Say(1, 1, "Too late."),
        Record(AnswerComplete(1, "late")),
        SayAll(1),
        StartTimer("wait", POLICY.filler_again),
    ]
    assert world.machine.phase is Phase.SPEAKING


@pytest.mark.parametrize(
    ("seconds", "wait"), [(0.4, 2.0), (1.5, 1.5), (2.75, 0.25), (9.0, AT_ONCE_SECONDS)]
)
def test_the_first_filler_comes_sooner_to_a_caller_whose_words_came_late(
    seconds: float, wait: float
) -> None:
    world = call(Phase.LISTENING)
    tell(world, CallerSaid("a question"), CallerFinished(seconds))
    assert world.timers["wait"] == wait
    tell(world, WAIT)
    assert world.timers["wait"] == POLICY.filler_again


@pytest.mark.parametrize("phase", [Phase.GREETING, Phase.SPEAKING])
def test_a_caller_who_does_not_hear_what_is_to_be_heard_is_told_to_wait(phase: Phase) -> None:
    world = tell(CallWorld(), Started()) if phase is Phase.GREETING else call(phase)
    turn = world.machine.conversation.turn
    assert turn is not None
    assert world.timers["wait"] == (POLICY.filler_again if turn.heard else 2.0)
    assert handle(world, WAIT)[:3] == [
        Say(turn.number, 0, "One moment."),
        SayAll(turn.number),
        StartTimer("voice", 4.0),
    ]
    tell(world, *(Heard(turn.number, seq) for seq in turn.unheard()))
    if not turn.complete:
        world.answer("end")
    assert "wait" not in world.timers


def test_a_sentence_that_no_voice_says_is_passed_over_and_not_told_to_the_model() -> None:
    world = call(Phase.SPEAKING)
    world.answer("end")
    turn = world.machine.conversation.turn
    assert turn is not None
    unsaid = turn.unheard()
    tell(world, *(Unsaid(turn.number, seq) for seq in unsaid))
    assert world.machine.phase is Phase.LISTENING
    assert unsaid and not any(turn.sentences[seq] in " ".join(texts(world)) for seq in unsaid)


@pytest.mark.parametrize(("first", "watched"), [(Unsaid, True), (Heard, False)])
def test_a_caller_who_has_heard_nothing_of_an_answer_is_not_left_in_silence(
    first: type[Heard] | type[Unsaid], watched: bool
) -> None:
    world = tell(call(Phase.THINKING), AnswerSentence(1, 1, "Yes."), AnswerSentence(1, 2, "It is."))
    world.answer("end")
    for event in (first(1, 1), Unsaid(1, 2)):
        world.playing.pop(0)
        tell(world, event)
    assert world.machine.phase is Phase.LISTENING
    assert ("voice" in world.timers) is watched


def test_a_filler_is_in_no_history() -> None:
    world = tell(call(Phase.THINKING), WAIT)
    world.answer("sentence")
    assert "One moment." not in " ".join(texts(world))


def test_a_filler_that_is_not_heard_is_dropped_when_the_answer_is_there() -> None:
    world = tell(call(Phase.THINKING), WAIT)
    assert handle(world, AnswerSentence(1, 1, "Yes.")) == [
        DropAside(),
        Record(AgentSentence(1, 1, "Yes.")),
        Say(1, 1, "Yes."),
    ]
    assert DropAside() not in handle(world, AnswerSentence(1, 2, "It is."))


def test_a_filler_stays_that_bridges_a_sentence_which_does_not_come_out() -> None:
    world = tell(call(Phase.SPEAKING), WAIT)
    assert world.machine.conversation.turns[1].unheard()
    assert DropAside() not in handle(world, AnswerSentence(1, 2, "It is."))


def test_the_wait_is_watched_behind_a_preface_too() -> None:
    world = call(Phase.SPEAKING)
    world.hear()
    assert world.timers["wait"] == POLICY.filler_again
    assert handle(world, WAIT)[0] == Say(1, 0, "One moment.")


def test_a_goodbye_with_the_end_of_the_call_is_said_once() -> None:
    world = tell(call(Phase.THINKING), AnswerSentence(1, 1, "Goodbye."))
    tell(world, ToolsUsed(1, 1, [USE], [DONE]))
    assert handle(world, CloseAsked(1, "goodbye"))[2:] == [
        CancelAnswer(1),
        Record(AnswerComplete(1, "end_turn")),
        SayAll(1),
    ]
    assert handle(world, AnswerSentence(1, 2, "Goodbye.")) == []
    assert handle(world, Heard(1, 1))[-1] == EndCall("goodbye")


def test_a_model_that_ends_the_call_without_a_word_is_waited_for() -> None:
    world = tell(call(Phase.THINKING), ToolsUsed(1, 0, [USE], [DONE]), CloseAsked(1, "goodbye"))
    assert Say(1, 1, "Goodbye.") in handle(world, AnswerSentence(1, 1, "Goodbye."))


def test_last_words_that_do_not_come_are_the_agents_own() -> None:
    world = tell(call(Phase.THINKING), CloseAsked(1, "goodbye"))
    commands = handle(world, WAIT)
    assert commands[0] == CancelAnswer(1)
    assert Say(1, 1, "Goodbye now.") in commands
