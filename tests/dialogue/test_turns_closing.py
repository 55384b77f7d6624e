"""The turn machine: answers that fail, silence, the limit of a call, and how a call closes."""

from __future__ import annotations

import copy

import pytest

from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    AnswerFailed,
    AnswerFinished,
    AnswerSentence,
    Ask,
    CallerFinished,
    CallerSaid,
    CallerSpeaking,
    CancelAnswer,
    CloseAsked,
    DigitPressed,
    EndCall,
    Event,
    Heard,
    LineFailed,
    Record,
    Say,
    SayAll,
    SpeechTroubled,
    Started,
    StartTimer,
    StopTalking,
    TalkStopped,
    TimerFired,
)
from aybiza.dialogue.journal import (
    FAULT,
    AgentSentence,
    AnswerComplete,
    CallerTurn,
    Closing,
    Ended,
    Entry,
    Interrupted,
    SentenceHeard,
    SentenceUnsaid,
    Transferred,
    Transferring,
)
from aybiza.dialogue.turns import TurnMachine
from tests.dialogue.call_invariants import fold
from tests.dialogue.call_world import agent
from tests.dialogue.calls import (
    CLOSE,
    LIVE,
    POLICY,
    SILENCE,
    SILENCE_AGAIN,
    SILENT,
    TOO_LONG,
    call,
    handle,
    tell,
)

AGAIN = "Say that again?"

# The answer


def test_a_sentence_is_kept_before_it_is_said() -> None:
    world = call(Phase.THINKING)
    assert handle(world, AnswerSentence(1, 1, "Yes.")) == [
        Record(AgentSentence(1, 1, "Yes.")),
        Say(1, 1, "Yes."),
    ]
    assert world.machine.phase is Phase.SPEAKING


def test_the_caller_has_the_turn_when_all_was_heard() -> None:
    world = call(Phase.SPEAKING)
    assert handle(world, AnswerFinished(1, "end_turn")) == [
        Record(AnswerComplete(1, "end_turn")),
        SayAll(1),
    ]
    assert handle(world, Heard(1, 2)) == [Record(SentenceHeard(1, 2)), SILENCE]
    assert world.machine.phase is Phase.LISTENING


def test_the_caller_has_the_turn_when_the_answer_ends_behind_its_last_word() -> None:
    world = call(Phase.SPEAKING)
    world.hear()
    assert world.machine.phase is Phase.THINKING
    assert handle(world, AnswerFinished(1, "end_turn"))[-1] == SILENCE


def test_a_mark_of_an_older_turn_is_kept_and_does_not_disturb_the_caller() -> None:
    world = tell(call(Phase.INTERRUPTED), CallerSaid("so"), CallerFinished())
    world.answer("end")
    world.hear()
    assert world.machine.phase is Phase.LISTENING
    assert handle(world, Heard(1, 2)) == [Record(SentenceHeard(1, 2))]


def test_an_answer_without_a_sentence_is_an_error_to_the_caller() -> None:
    assert handle(call(Phase.THINKING), AnswerFinished(1, "max_tokens")) == [
        Record(AgentSentence(1, 1, AGAIN)),
        Say(1, 1, AGAIN),
        Record(AnswerComplete(1, "max_tokens")),
        SayAll(1),
    ]


def test_an_answer_that_broke_off_is_asked_again_behind_what_there_is() -> None:
    assert handle(call(Phase.THINKING), AnswerFailed(1, "throttled")) == [Ask(1, 0)]
    assert handle(call(Phase.SPEAKING), AnswerFailed(1, "throttled")) == [Ask(1, 2)]


@pytest.mark.parametrize(("phase", "seq"), [(Phase.THINKING, 1), (Phase.SPEAKING, 3)])
def test_an_answer_that_broke_off_twice_is_given_up(phase: Phase, seq: int) -> None:
    world = call(phase)
    handle(world, AnswerFailed(1, "throttled"))
    assert handle(world, AnswerFailed(1, "throttled")) == [
        Record(AgentSentence(1, seq, AGAIN)),
        Say(1, seq, AGAIN),
        Record(AnswerComplete(1, "error")),
        SayAll(1),
    ]


def test_each_turn_has_its_attempts() -> None:
    world = call(Phase.THINKING)
    world.answer("fail")
    world.answer("fail")
    world.hear()
    tell(world, CallerSaid("once more"), CallerFinished())
    assert handle(world, AnswerFailed(2, "throttled")) == [Ask(2, 0)]


# Silence


def test_a_silent_caller_is_asked_once_and_then_seen_off() -> None:
    world = call(Phase.LISTENING)
    assert handle(world, SILENT) == [
        Record(CallerTurn(1, "")),
        Record(AgentSentence(1, 1, "Still there?")),
        Record(AnswerComplete(1, "end_turn")),
        Say(1, 1, "Still there?"),
        SayAll(1),
    ]
    assert handle(world, Heard(1, 1))[-1] == SILENCE_AGAIN
    assert handle(world, SILENT)[:2] == [Record(Closing("silence")), CLOSE]
    assert handle(world, Heard(2, 1)) == [
        Record(SentenceHeard(2, 1)),
        Record(Ended("silence")),
        EndCall("silence"),
    ]


def test_a_caller_who_has_answered_is_asked_again_the_next_time() -> None:
    world = tell(call(Phase.LISTENING), SILENT, CallerSaid("yes"), CallerFinished())
    world.answer("end")
    world.hear()
    assert Say(3, 1, "Still there?") in handle(world, SILENT)


def test_a_silent_caller_is_not_asked_again_after_a_crash() -> None:
    world = tell(call(Phase.LISTENING), SILENT)
    world.hear()
    world.restart()
    assert Record(Closing("silence")) in handle(world, SILENT)


def test_the_agent_says_how_long_silence_may_last() -> None:
    world = call(Phase.LISTENING, agent(silence_timeout_s=7.0))
    assert world.timers["silence"] == 7.0


# The limit of the call


def test_too_long_a_call_is_closed_from_the_caller_s_turn() -> None:
    for phase in (Phase.LISTENING, Phase.INTERRUPTED):
        world = tell(call(phase), TOO_LONG)
        assert world.machine.phase is Phase.CLOSING
        world.hear()
        assert world.ended == ["duration"]


def test_too_long_a_call_is_closed_while_an_answer_is_awaited() -> None:
    world = call(Phase.THINKING)
    assert handle(world, TOO_LONG) == [
        CancelAnswer(1),
        Record(AnswerComplete(1, "cancelled")),
        Record(Closing("duration")),
        CLOSE,
        Record(CallerTurn(2, "")),
        Record(AgentSentence(2, 1, "Goodbye now.")),
        Record(AnswerComplete(2, "end_turn")),
        Say(2, 1, "Goodbye now."),
        SayAll(2),
    ]


def test_too_long_a_call_is_closed_in_the_middle_of_a_sentence() -> None:
    world = call(Phase.SPEAKING)
    assert handle(world, TOO_LONG)[0] == StopTalking(1, 2)
    assert handle(world, TalkStopped(1, 2, 0.5)) == [Record(Interrupted(1, 2, 0.5))]
    assert world.machine.phase is Phase.CLOSING
    said = dict(world.machine.conversation.transcript()[1:])
    assert said == {"caller": "a question", "agent": "Goodbye now."}
    assert world.machine.conversation.turns[1].spoken(1, 2) == (
        "a1.1.0 a1.1.1 a1.1.2 a1.1.3 a1.2.0 a1.2.1 …"
    )


def test_last_words_that_are_never_heard_do_not_hold_the_call() -> None:
    for phase in (Phase.THINKING, Phase.SPEAKING):
        world = tell(call(phase), CloseAsked(1, "goodbye"))
        assert world.timers["closing"] == POLICY.closing
        tell(world, TimerFired("closing"))
        assert world.ended == ["goodbye"]


def test_last_words_are_heard_out_at_the_longest_time_unless_they_are_taken_back() -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "transfer", "sales"))
    assert handle(world, TOO_LONG) == [StartTimer("duration", POLICY.closing)]
    assert world.ended == []
    tell(world, TimerFired("closing"))
    assert world.ended == ["transfer"]
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "goodbye"), TOO_LONG)
    tell(world, CallerSaid("No, wait, what about Monday?"), TOO_LONG)
    assert world.machine.conversation.closing == "duration"


def test_a_call_that_closes_when_its_actor_crashes_has_its_time_again() -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "goodbye"))
    world.restart()
    assert world.timers["closing"] == POLICY.closing


# A line on which the caller cannot be heard, or spoken to


@pytest.mark.parametrize("phase", [Phase.LISTENING, Phase.THINKING, Phase.SPEAKING])
def test_a_line_that_fails_ends_in_the_agents_last_words(phase: Phase) -> None:
    world = tell(call(phase), LineFailed("nothing is heard"))
    assert world.machine.phase is Phase.CLOSING
    assert world.timers["closing"] == POLICY.last_words
    world.hear()
    assert world.ended == ["fault"]


@pytest.mark.parametrize("again", [LineFailed("nothing can be said"), TimerFired("closing")])
def test_last_words_that_cannot_be_said_are_not_waited_for(again: Event) -> None:
    world = tell(call(Phase.THINKING), LineFailed("nothing is heard"), again)
    assert world.ended == ["fault"]


def test_who_waits_because_of_the_line_is_told_something_that_is_in_no_history() -> None:
    world = call(Phase.LISTENING)
    before = copy.deepcopy(world.machine.conversation)
    turn = before.turn
    assert turn is not None
    assert handle(world, SpeechTroubled()) == [
        Say(turn.number, 0, world.machine.agent.filler),
        SayAll(turn.number),
        StartTimer("voice", world.machine.policy.voice_lost),
    ]
    assert world.machine.conversation == before


def test_a_voice_has_the_less_time_the_longer_a_caller_was_quiet_who_cannot_be_heard() -> None:
    for quiet, left in ((0.0, 4.0), (3.0, 1.0), (9.0, 0.0)):
        commands = handle(call(Phase.LISTENING), SpeechTroubled(quiet))
        assert commands[-1] == StartTimer("voice", left)


# Goodbye


def test_a_call_that_the_agent_closes_ends_when_all_was_heard() -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "goodbye"))
    world.answer("end")
    assert world.ended == []
    world.hear()
    assert world.ended == ["goodbye"]


def test_a_call_that_was_asked_to_close_twice_closes_once() -> None:
    world = call(Phase.SPEAKING)
    expected = [Record(Closing("goodbye")), StartTimer("closing", POLICY.closing)]
    assert handle(world, CloseAsked(1, "goodbye")) == expected
    assert handle(world, CloseAsked(1, "transfer")) == []


def test_last_words_are_not_interrupted_and_what_is_said_meanwhile_is_not_answered() -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "goodbye"))
    tell(world, CallerSpeaking(), DigitPressed("1"), CallerSaid("thanks"), CallerFinished())
    assert world.machine.phase is Phase.CLOSING
    world.answer("end")
    world.hear()
    assert world.ended == ["goodbye"]
    assert world.machine.conversation.segments == ["1", "thanks"]


@pytest.mark.parametrize(
    ("reason", "words"), [("goodbye", "Goodbye now."), ("transfer", "One moment.")]
)
def test_a_call_is_not_closed_without_a_word(reason: str, words: str) -> None:
    world = tell(call(Phase.THINKING), CloseAsked(1, reason))
    assert Say(1, 1, words) in handle(world, AnswerFinished(1, "end_turn"))


def test_a_call_that_closes_does_not_ask_the_caller_to_say_it_again() -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "goodbye"))
    assert handle(world, AnswerFailed(1, "throttled")) == [
        Record(AnswerComplete(1, "error")),
        SayAll(1),
    ]


def test_a_call_ends_when_its_last_words_were_heard_before_the_answer_ended() -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "goodbye"))
    world.hear()
    assert handle(world, AnswerFinished(1, "end_turn"))[-1] == EndCall("goodbye")


def test_a_stale_timer_finds_nothing_to_do() -> None:
    world = call(Phase.SPEAKING)
    assert handle(world, TimerFired("silence")) == []


def test_a_transfer_is_in_the_journal_before_the_call_ends() -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "transfer", "billing"))
    world.answer("end")
    world.hear()
    entries = [entry for _, entry in world.journal]
    assert entries[-2:] == [Transferring("billing"), Ended("transfer")]
    assert world.ended == ["transfer"]


def test_who_was_put_through_has_not_heard_what_no_voice_has_said() -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "transfer", "billing"))
    turn = world.machine.conversation.turns[1]
    unheard = turn.unheard()
    tell(world, TimerFired("voice"))
    assert unheard and world.ended == ["transfer"]
    assert [e for _, e in world.journal if isinstance(e, SentenceUnsaid)] == [
        SentenceUnsaid(1, seq) for seq in unheard
    ]
    assert not any(turn.sentences[seq] in turn.spoken(1, turn.last_seq) for seq in unheard)
    lost = tell(call(Phase.SPEAKING), CloseAsked(1, "goodbye"), TimerFired("voice"))
    assert not [e for _, e in lost.journal if isinstance(e, SentenceUnsaid)]


def test_a_caller_who_is_back_from_a_transfer_is_told_why_and_may_go_on() -> None:
    entries: list[Entry] = [
        Transferring("billing"),
        Ended("transfer"),
        Transferred("billing", "busy"),
    ]
    conversation = fold([CallerTurn(1, "Hello."), AnswerComplete(1, "end_turn"), *entries])
    machine = TurnMachine(agent(transfer_busy="They are busy."), conversation)
    commands = machine.handle(Started(again=True))
    assert Say(2, 1, "They are busy.") in commands
    assert machine.phase is Phase.SPEAKING and conversation.closing is None
    assert TurnMachine(agent(), fold([*entries])).conversation.returned == "busy"
    assert conversation.returned is None


@pytest.mark.parametrize("phase", LIVE)
def test_a_caller_whom_nothing_can_be_told_leaves_for_the_carriers_words(phase: Phase) -> None:
    world = tell(call(phase), TimerFired("voice"))
    assert world.ended == [FAULT]
    assert world.machine.conversation.closing is None


def test_who_was_to_be_put_through_is_so_though_the_voice_is_lost() -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "transfer", "billing"), TimerFired("voice"))
    assert world.ended == ["transfer"]
