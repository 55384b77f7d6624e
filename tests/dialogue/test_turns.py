"""The turn machine, transition by transition: what each event does in each phase."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    AnswerFailed,
    AnswerFinished,
    AnswerSentence,
    Ask,
    CallerFinished,
    CallerInterim,
    CallerSaid,
    CallerSpeaking,
    CancelAnswer,
    CloseAsked,
    DigitPressed,
    EndCall,
    Event,
    Heard,
    HungUp,
    LineFailed,
    Record,
    Say,
    SayAll,
    Started,
    StartTimer,
    StopTimer,
    TalkStopped,
    ToolsUsed,
)
from aybiza.dialogue.journal import (
    AgentSentence,
    AnswerComplete,
    CallerSegment,
    CallerTurn,
    Ended,
    ToolExchange,
)
from aybiza.dialogue.turn_policy import TurnPolicy
from aybiza.dialogue.turns import TurnMachine
from tests.dialogue.call_world import AGENT, CallWorld
from tests.dialogue.calls import (
    AWAIT_CALLER,
    CLOSE,
    LIVE,
    QUIET,
    SILENCE,
    SILENT,
    TAKE_TURN,
    TOO_LONG,
    call,
    handle,
    tell,
    without_watch,
)

# Starting


def test_a_new_call_is_greeted() -> None:
    world = CallWorld()
    assert handle(world, Started()) == [
        Record(AgentSentence(0, 1, "Hello there.")),
        Record(AnswerComplete(0, "end_turn")),
        Say(0, 1, "Hello there."),
        SayAll(0),
    ]
    assert world.machine.phase is Phase.GREETING


def test_a_call_without_a_journal_is_greeted_when_it_is_resumed() -> None:
    assert Say(0, 1, "Hello there.") in TurnMachine(AGENT).resume()


def test_the_greeting_gives_way_to_the_caller() -> None:
    world = CallWorld()
    tell(world, Started(), CallerSpeaking(), CallerSaid("hi"), CallerFinished())
    assert world.machine.conversation.transcript() == [("agent", "Hello …"), ("caller", "hi")]
    assert world.attached == 1


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (Phase.LISTENING, [SILENCE]),
        (Phase.THINKING, [Ask(1, 0)]),
        (Phase.SPEAKING, [Say(1, 2, "a1.2.0 a1.2.1 a1.2.2 a1.2.3"), Ask(1, 2)]),
        (Phase.INTERRUPTED, [CancelAnswer(1), *AWAIT_CALLER]),
        (Phase.ENDED, [EndCall("hangup")]),
    ],
)
def test_resuming_does_what_the_phase_asks_for(phase: Phase, expected: list[Any]) -> None:
    world = call(phase)
    resumed = TurnMachine(AGENT, world.machine.conversation)
    assert without_watch(resumed.resume()) == expected
    assert resumed.phase is phase


@pytest.mark.parametrize("phase", [one for one in LIVE[1:] if one is not Phase.INTERRUPTED])
def test_a_caller_who_is_back_hears_the_bridge_first(phase: Phase) -> None:
    world = call(phase)
    turn = world.machine.conversation.turn
    assert turn is not None
    number = turn.number
    commands = handle(world, Started(again=True))
    bridge = [
        Say(number, 0, "Cut off."),
        SayAll(number),
        StartTimer("voice", TurnPolicy().voice_lost),
    ]
    assert commands[:3] == bridge, "it is heard, or the agent has no voice"
    assert len(commands) > 3
    assert world.machine.phase is phase


def test_a_caller_who_is_back_in_the_midst_of_their_turn_is_asked_to_say_it_again() -> None:
    world = call(Phase.LISTENING)
    assert handle(world, Started(again=True)) == [
        Record(CallerTurn(1, "")),
        Record(AgentSentence(1, 1, "Cut off. What was that?")),
        Record(AnswerComplete(1, "end_turn")),
        Say(1, 1, "Cut off. What was that?"),
        SayAll(1),
    ]
    assert world.machine.phase is Phase.SPEAKING


def test_a_caller_who_had_broken_in_is_asked_to_say_it_again() -> None:
    world = call(Phase.INTERRUPTED)
    commands = handle(world, Started(again=True))
    assert Say(2, 1, "Cut off. What was that?") in commands
    assert world.machine.phase is Phase.SPEAKING


def test_a_caller_of_whom_words_are_there_need_not_say_them_again() -> None:
    world = tell(call(Phase.LISTENING), CallerSaid("a check-up"))
    resumed = TurnMachine(AGENT, world.machine.conversation)
    voice = StartTimer("voice", TurnPolicy().voice_lost)
    expected = [Say(0, 0, "Cut off."), SayAll(0), voice, *AWAIT_CALLER]
    assert resumed.handle(Started(again=True)) == expected


def test_the_bridge_is_in_no_history_and_its_mark_changes_nothing() -> None:
    world = call(Phase.THINKING)
    before = copy.deepcopy(world.machine.conversation)
    handle(world, Started(again=True))
    assert handle(world, Heard(1, 0)) == []
    assert world.machine.conversation == before


def test_there_is_no_bridge_to_a_call_that_is_closing() -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "goodbye"))
    commands = handle(world, Started(again=True))
    assert commands == [CLOSE, Say(1, 2, "a1.2.0 a1.2.1 a1.2.2 a1.2.3"), Ask(1, 2)]


def test_words_that_wait_are_waited_for_again_when_a_call_is_resumed() -> None:
    world = tell(call(Phase.LISTENING), CallerSaid("and"))
    assert TurnMachine(AGENT, world.machine.conversation).resume() == AWAIT_CALLER


# Nothing happens


NOTHING = {
    Phase.LISTENING: [
        CallerFinished(),
        CallerInterim(""),
        CallerSaid(""),
        AnswerSentence(0, 2, "late"),
        AnswerSentence(1, 1, "early"),
        AnswerFinished(0, "end_turn"),
        AnswerFailed(0, "late"),
        CloseAsked(0, "goodbye"),
        ToolsUsed(7, 0, [{"toolUse": {}}], []),
        TalkStopped(0, 1, 0.5),
        Heard(0, 1),
        Heard(0, 2),
        Heard(3, 1),
    ],
    Phase.THINKING: [
        CallerFinished(),
        CallerInterim(""),
        CallerSaid(""),
        SILENT,
        QUIET,
        AnswerSentence(1, 2, "a gap"),
        AnswerSentence(0, 2, "late"),
        AnswerFinished(0, "end_turn"),
        AnswerFailed(0, "late"),
        CloseAsked(0, "goodbye"),
        TalkStopped(7, 1, 0.5),
        Heard(1, 1),
    ],
    Phase.SPEAKING: [
        CallerFinished(),
        CallerInterim(""),
        CallerSaid(""),
        SILENT,
        QUIET,
        AnswerSentence(1, 2, "again"),
        AnswerSentence(1, 4, "a gap"),
        AnswerFinished(0, "end_turn"),
        AnswerFailed(0, "late"),
        CloseAsked(0, "goodbye"),
        Heard(1, 1),
        Heard(1, 3),
    ],
    Phase.INTERRUPTED: [
        CallerFinished(),
        CallerInterim(""),
        CallerSaid(""),
        SILENT,
        AnswerSentence(1, 3, "cancelled"),
        AnswerFinished(1, "end_turn"),
        AnswerFailed(1, "cancelled"),
        CloseAsked(1, "goodbye"),
        TalkStopped(1, 2, 0.9),
        Heard(1, 1),
    ],
    Phase.ENDED: [
        CallerSpeaking(),
        CallerInterim("hi"),
        CallerSaid("hi"),
        CallerFinished(),
        DigitPressed("1"),
        AnswerSentence(1, 3, "late"),
        AnswerFinished(1, "end_turn"),
        AnswerFailed(1, "late"),
        CloseAsked(1, "goodbye"),
        ToolsUsed(1, 2, [{"toolUse": {}}], []),
        TalkStopped(1, 2, 0.5),
        Heard(1, 2),
        SILENT,
        QUIET,
        TOO_LONG,
        HungUp(),
        LineFailed("gone"),
    ],
}


@pytest.mark.parametrize(
    ("phase", "event"), [(phase, event) for phase, events in NOTHING.items() for event in events]
)
def test_nothing_happens_and_nothing_changes(phase: Phase, event: Event) -> None:
    world = call(phase)
    before = copy.deepcopy(world.machine.conversation)
    assert handle(world, event) == []
    assert world.machine.conversation == before
    assert world.machine.phase is phase


# The caller speaks


def test_words_end_the_wait_for_them_and_a_voice_alone_does_not() -> None:
    world = call(Phase.LISTENING)
    assert handle(world, CallerSpeaking()) == []
    assert handle(world, CallerInterim("I")) == AWAIT_CALLER
    assert handle(world, CallerSaid("I am")) == [Record(CallerSegment("I am")), *AWAIT_CALLER]


def test_a_sound_without_words_begins_the_silence_anew() -> None:
    world = tell(call(Phase.LISTENING), CallerSpeaking())
    assert handle(world, QUIET) == [SILENCE]


def test_words_that_were_taken_back_begin_the_silence_anew() -> None:
    world = tell(call(Phase.LISTENING), CallerInterim("uh"), CallerFinished())
    assert "endpoint" in world.timers
    assert handle(world, QUIET) == [SILENCE]


@pytest.mark.parametrize("end", [CallerFinished(), QUIET])
def test_the_pieces_of_a_turn_are_asked_as_one(end: Event) -> None:
    world = tell(call(Phase.LISTENING), CallerSaid("I want"), CallerSaid("a check-up"))
    assert handle(world, end) == [
        *TAKE_TURN,
        Record(CallerTurn(1, "I want a check-up")),
        Ask(1, 0),
    ]
    assert world.machine.phase is Phase.THINKING


def test_the_recogniser_does_not_end_a_number_that_is_keyed_in() -> None:
    world = tell(call(Phase.LISTENING), DigitPressed("4"), CallerSpeaking(), DigitPressed("7"))
    assert handle(world, CallerFinished()) == []
    assert Record(CallerTurn(1, "4 7")) in handle(world, QUIET)


def test_words_behind_keys_end_as_words_do() -> None:
    world = tell(call(Phase.LISTENING), DigitPressed("4"), CallerSaid("that is all"))
    assert Record(CallerTurn(1, "4 that is all")) in handle(world, CallerFinished())


# The line


@pytest.mark.parametrize("phase", LIVE)
def test_a_line_that_goes_ends_the_call(phase: Phase) -> None:
    world = call(phase)
    cancelled = [] if phase is Phase.LISTENING else [CancelAnswer(1)]
    assert handle(world, HungUp()) == [*cancelled, Record(Ended("hangup")), EndCall("hangup")]
    assert world.machine.phase is Phase.ENDED


def test_a_caller_who_hangs_up_before_the_greeting_is_let_go() -> None:
    assert handle(CallWorld(), HungUp()) == [Record(Ended("hangup")), EndCall("hangup")]


def test_tools_that_were_used_are_known_whatever_became_of_the_answer() -> None:
    use, result = {"toolUse": {"toolUseId": "t"}}, {"toolResult": {"toolUseId": "t"}}
    thought = {"reasoningContent": {"redactedContent": b"\0"}}
    for phase in LIVE[1:]:
        world = call(phase)
        turn = world.machine.conversation.turn
        assert turn is not None
        used = ToolsUsed(1, 9, [thought, use], [result])
        exchange = ToolExchange(1, turn.last_seq, [use], [result])
        assert handle(world, used) == [Record(exchange)]
        assert handle(world, used) == []


def test_what_came_of_a_tool_takes_the_place_of_its_being_unknown() -> None:
    use = {"toolUse": {"toolUseId": "t"}}
    unknown, known = (
        [{"toolResult": {"toolUseId": "t", "status": s}}] for s in ("error", "success")
    )
    world = call(Phase.INTERRUPTED)
    turn = world.machine.conversation.turn
    assert turn is not None
    handle(world, ToolsUsed(1, 0, [use], unknown))
    assert handle(world, ToolsUsed(1, 0, [use], known)) == [
        Record(ToolExchange(1, 0, [use], known))
    ]
    assert [exchange.results for exchange in turn.exchanges] == [known]


def test_an_answer_that_dies_behind_its_last_sentence_is_not_asked_to_go_on() -> None:
    world = call(Phase.THINKING)
    assert handle(world, AnswerSentence(1, 1, "That is all.", ends="end_turn")) == [
        Record(AgentSentence(1, 1, "That is all.")),
        Say(1, 1, "That is all."),
        Record(AnswerComplete(1, "end_turn")),
        SayAll(1),
    ]
    assert handle(world, AnswerFailed(1, "killed")) == []
    assert handle(world, AnswerFinished(1, "end_turn")) == []


def test_a_machine_that_takes_a_call_up_goes_on_with_its_watch_before_anything_else() -> None:
    thinking = call(Phase.THINKING).machine.conversation
    assert TurnMachine(AGENT, thinking).watch() == [StartTimer("wait", 2.0)]
    assert TurnMachine(AGENT).watch() == [StopTimer("wait")]
