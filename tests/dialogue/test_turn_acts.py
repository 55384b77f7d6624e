"""The turn machine: who goes on, who waits, who takes a goodbye back."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    AnswerSentence,
    Ask,
    CallerFinished,
    CallerInterim,
    CallerSaid,
    CallerSpeaking,
    CancelAnswer,
    CloseAsked,
    DropAside,
    EndCall,
    Event,
    Heard,
    Record,
    Say,
    SayAll,
    StartTimer,
    StopTalking,
    StopTimer,
    TalkStopped,
    TimerFired,
    ToolsUsed,
)
from aybiza.dialogue.journal import (
    AgentSentence,
    AnswerComplete,
    CallerSegment,
    CallerTurn,
    Interrupted,
    Joined,
    Reopened,
)
from tests.dialogue.call_world import CallWorld, agent
from tests.dialogue.calls import AWAIT_CALLER, QUIET, SILENT, call, handle, tell

WAIT = TimerFired("wait")
USE: dict[str, Any] = {"toolUse": {"toolUseId": "t", "name": "book", "input": {}}}
DONE: dict[str, Any] = {"toolResult": {"toolUseId": "t", "content": [{"json": {"booked": 1}}]}}


def texts(world: CallWorld) -> list[str]:
    messages = world.machine.conversation.messages()
    return [block["text"] for one in messages for block in one["content"] if "text" in block]


def asked(question: str) -> CallWorld:
    """A call in which the agent has asked this."""
    world = call(Phase.THINKING)
    world.answers.clear()
    world.attached = None
    tell(world, AnswerSentence(1, 1, question, ends="end_turn"))
    world.hear()
    return world


# A turn that was cut at a pause


@pytest.mark.parametrize("more", [CallerInterim("and Friday"), CallerSaid("and Friday")])
def test_what_is_added_before_the_answer_is_heard_belongs_to_the_same_turn(more: Event) -> None:
    world = tell(call(Phase.THINKING), more)
    assert world.machine.phase is Phase.LISTENING
    assert world.attached is None
    tell(world, CallerSaid("and Friday") if isinstance(more, CallerInterim) else CallerInterim("-"))
    tell(world, CallerFinished())
    assert world.attached == 2
    assert texts(world) == ["a question and Friday"]
    assert world.machine.conversation.transcript()[1:] == [("caller", "a question and Friday")]


def test_unheard_words_of_an_answer_leave_the_history() -> None:
    world = call(Phase.THINKING)
    world.answer("sentence")
    world.fraction = 0.0
    tell(world, CallerSaid("and Friday"), CallerFinished())
    assert texts(world) == ["a question and Friday"]
    entries = [entry for _, entry in world.journal]
    assert entries.count(Joined(1)) == 1
    assert entries.index(CallerSegment("and Friday")) < entries.index(Joined(1))


def test_an_answer_of_which_a_word_was_heard_is_interrupted() -> None:
    world = call(Phase.THINKING)
    world.answer("sentence")
    world.fraction = 0.25
    tell(world, CallerSaid("and Friday"), CallerFinished())
    assert texts(world) == ["a question", "a1.1.0 …", "and Friday"]
    assert Interrupted(1, 1, 0.25) in [entry for _, entry in world.journal]


def test_a_turn_can_be_joined_more_than_once() -> None:
    world = call(Phase.THINKING)
    for more in ("and", "Friday"):
        tell(world, CallerSaid(more), CallerFinished())
    assert texts(world) == ["a question and Friday"]


def test_what_tools_have_done_for_a_turn_that_is_joined_is_known() -> None:
    world = tell(call(Phase.THINKING), ToolsUsed(1, 0, [USE], [DONE]), CallerSaid("at nine"))
    tell(world, CallerFinished())
    messages = world.machine.conversation.messages()
    assert [list(block) for one in messages for block in one["content"]] == [
        ["text"],
        ["toolUse"],
        ["toolResult"],
    ]
    assert messages[0]["content"] == [{"text": "a question at nine"}]


def test_words_that_came_to_nothing_have_the_turn_answered_all_the_same() -> None:
    world = tell(call(Phase.THINKING), CallerInterim("er"), QUIET)
    assert world.attached == 2
    assert texts(world) == ["a question"]


def test_a_caller_who_only_listens_does_not_stop_the_thinking() -> None:
    world = call(Phase.THINKING)
    for event in (CallerSpeaking(), CallerInterim("mm-hm"), CallerSaid("Mm-hm."), CallerFinished()):
        assert handle(world, event) == []
    assert world.attached == 1


def test_a_caller_who_only_listens_is_no_turn() -> None:
    world = tell(call(Phase.SPEAKING), CallerInterim("uh-huh"), CallerSaid("Uh-huh."))
    world.answer("end")
    world.hear()
    assert world.machine.phase is Phase.LISTENING
    assert world.machine.conversation.segments == []
    assert "silence" in world.timers


def test_who_answers_in_pieces_is_heard_out_for_longer() -> None:
    world = asked("What is your number?")
    tell(world, CallerSaid("five five five"))
    assert handle(world, CallerFinished()) == [StartTimer("endpoint", 0.8)]
    tell(world, CallerSaid("one two"), CallerFinished(), QUIET)
    assert Record(CallerTurn(2, "five five five one two")).entry in [e for _, e in world.journal]


def test_who_was_asked_for_a_yes_is_answered_at_once() -> None:
    world = asked("Shall I book it?")
    tell(world, CallerSaid("yes"), CallerFinished())
    assert world.attached == 2


# The silence that the caller hears


def test_a_caller_who_waits_hears_one_filler_after_the_other_and_then_that_it_is_late() -> None:
    world = call(Phase.THINKING, agent(more_fillers=("Still here.",), late="Too late."))
    assert world.timers["wait"] == 2.0
    assert world.machine.handle(WAIT) == [
        Say(1, 0, "One moment."),
        SayAll(1),
        StartTimer("wait", 3.5),
    ]
    assert world.machine.handle(WAIT)[0] == Say(1, 0, "Still here.")
    assert world.machine.handle(WAIT) == [
        CancelAnswer(1),
        DropAside(),
        Record(AgentSentence(1, 1, "Too late.")),
        Say(1, 1, "Too late."),
        Record(AnswerComplete(1, "late")),
        SayAll(1),
        StopTimer("wait"),
    ]
    assert world.machine.phase is Phase.SPEAKING


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


def test_the_wait_is_watched_behind_a_preface_too() -> None:
    world = call(Phase.SPEAKING)
    assert "wait" not in world.timers
    world.hear()
    assert world.timers["wait"] == 3.5
    assert handle(world, WAIT)[0] == Say(1, 0, "One moment.")


def test_nobody_waits_when_all_was_said() -> None:
    world = call(Phase.SPEAKING)
    world.answer("end")
    world.hear()
    assert "wait" not in world.timers


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


# Goodbye


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


@pytest.mark.parametrize("words", [CallerInterim("wait, one"), CallerSaid("wait, one more thing")])
def test_words_take_a_goodbye_back(words: Event) -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "goodbye"), words)
    assert world.machine.phase is Phase.INTERRUPTED
    assert world.machine.conversation.closing is None
    assert "closing" not in world.timers
    tell(world, CallerSaid("what are your hours"), CallerFinished())
    assert world.attached == 2


def test_the_silence_of_who_takes_a_goodbye_back_comes_first() -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "goodbye"))
    assert handle(world, CallerSaid("wait, please")) == [
        StopTalking(1, 2),
        Record(CallerSegment("wait, please")),
        Record(Reopened()),
        StopTimer("closing"),
        *AWAIT_CALLER,
    ]
    assert handle(world, TalkStopped(1, 2, 0.0))[0] == Record(Interrupted(1, 2, 0.0))


@pytest.mark.parametrize("words", ["Thanks, bye!", "Okay.", "Thank you so much, you too."])
def test_thanks_take_no_goodbye_back(words: str) -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "goodbye"))
    tell(world, CallerInterim(words), CallerSaid(words), CallerFinished())
    world.answer("end")
    world.hear()
    assert world.ended == ["goodbye"]


def test_a_silent_caller_who_speaks_into_the_last_words_goes_on() -> None:
    world = tell(call(Phase.LISTENING), SILENT)
    world.hear()
    tell(world, SILENT)
    assert world.machine.phase is Phase.CLOSING
    tell(world, CallerSaid("Hello?"), CallerFinished())
    assert world.attached == 3


@pytest.mark.parametrize("reason", ["transfer", "quota"])
def test_words_take_nothing_else_back(reason: str) -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, reason), CallerSaid("wait, one more thing"))
    assert world.machine.phase is Phase.CLOSING


def test_last_words_that_do_not_come_are_the_agents_own() -> None:
    world = tell(call(Phase.THINKING), CloseAsked(1, "goodbye"))
    commands = handle(world, WAIT)
    assert commands[0] == CancelAnswer(1)
    assert Say(1, 1, "Goodbye now.") in commands


def test_an_answer_is_asked_once_for_a_joined_turn() -> None:
    world = tell(call(Phase.THINKING), CallerSaid("and Friday"))
    assert Ask(2, 0) in handle(world, CallerFinished())
