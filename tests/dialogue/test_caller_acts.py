"""The turn machine about the caller: a turn in pieces, a goodbye that is taken back."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    AnswerSentence,
    Ask,
    CallerFinished,
    CallerGoesOn,
    CallerInterim,
    CallerMayBeDone,
    CallerSaid,
    CallerSpeaking,
    CloseAsked,
    DigitPressed,
    DropEager,
    Event,
    HungUp,
    Record,
    StartTimer,
    StopTalking,
    StopTimer,
    TalkStopped,
    ToolsUsed,
)
from aybiza.dialogue.journal import (
    CallerSegment,
    CallerTurn,
    Interrupted,
    Joined,
    Reopened,
)
from tests.dialogue.call_world import CallWorld, agent
from tests.dialogue.calls import AWAIT_CALLER, QUIET, call, handle, tell

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
    tell(world, CallerSaid("five five five one"))
    tell(world, CallerFinished())
    assert world.timers["endpoint"] == 0.8
    tell(world, CallerSaid("two three four"), CallerFinished())
    assert world.timers["endpoint"] > 0.8
    tell(world, QUIET)
    number = "five five five one two three four"
    assert Record(CallerTurn(2, number)).entry in [e for _, e in world.journal]


@pytest.mark.parametrize(
    ("asked_for", "said", "waits"),
    [
        ("What is your number?", "five five five", True),
        ("How can I help?", "I would like to", True),
        ("How can I help?", "I want a table and", True),
        ("How can I help?", "I want, um,", True),
        ("How can I help?", "My number is five five five.", False),
        ("How can I help?", "I want a table.", False),
        ("How can I help?", "Where are you at?", False),
        ("How can I help?", "I'd love to.", False),
    ],
)
def test_half_a_sentence_is_not_answered(asked_for: str, said: str, waits: bool) -> None:
    world = asked(asked_for)
    tell(world, CallerSaid(said), CallerFinished())
    assert (world.attached is None) is waits
    if waits:
        tell(world, CallerSaid("and no more."), CallerFinished(), QUIET)
        assert CallerTurn(2, f"{said} and no more.") in [entry for _, entry in world.journal]


def test_no_answer_is_begun_to_half_a_sentence() -> None:
    world = asked("How can I help?")
    tell(world, CallerInterim("I would like to"), CallerMayBeDone("I would like to"))
    assert world.machine.phase is Phase.LISTENING


def test_who_was_asked_for_a_yes_is_answered_at_once() -> None:
    world = asked("Shall I book it?")
    tell(world, CallerSaid("yes"), CallerFinished())
    assert world.attached == 2


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


def test_who_does_not_want_to_be_put_through_stays_with_the_agent() -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, "transfer", "desk"), CallerSaid("No, wait."))
    assert world.machine.phase is Phase.INTERRUPTED
    assert world.machine.conversation.closing is None


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("transfer", "thank you"),
        ("transfer", "no problem"),
        ("transfer", "it is about a bill"),
        ("quota", "wait, one more thing"),
    ],
)
def test_words_take_nothing_else_back(reason: str, words: str) -> None:
    world = tell(call(Phase.SPEAKING), CloseAsked(1, reason), CallerSaid(words))
    assert world.machine.phase is Phase.CLOSING


# An answer that is begun before it is sure that the caller is done


def begun(words: str = "a question", phase: Phase = Phase.LISTENING) -> CallWorld:
    """The recogniser holds the caller's turn for over with these words."""
    world = call(phase)
    if phase is Phase.SPEAKING:
        tell(world, CallerInterim("wait"))
    return tell(world, CallerMayBeDone(words))


@pytest.mark.parametrize("phase", [Phase.LISTENING, Phase.SPEAKING])
def test_an_answer_is_begun_early_and_nothing_is_written_of_it(phase: Phase) -> None:
    world = begun(phase=phase)
    before = list(world.journal)
    assert world.machine.phase is Phase.EAGER
    assert world.eager is not None and world.eager[1] == "a question"
    assert world.journal == before and "endpoint" in world.timers


def test_it_is_taken_when_the_end_comes_with_the_same_words() -> None:
    world = begun("Is it open?")
    handle(world, CallerSaid("is it  OPEN?"))
    commands = handle(world, CallerFinished())
    assert DropEager(1) not in commands and commands[-1] == Ask(1, 0)
    assert world.machine.phase is Phase.THINKING


@pytest.mark.parametrize("end", ["is it open", "Is it open at noon?"])
def test_it_is_dropped_when_the_end_comes_with_other_words(end: str) -> None:
    world = begun("Is it open?")
    commands = [*handle(world, CallerSaid(end)), *handle(world, CallerFinished())]
    assert DropEager(1) in commands and commands[-1] == Ask(1, 0)
    assert commands.index(DropEager(1)) < commands.index(Ask(1, 0))


@pytest.mark.parametrize(
    "event",
    [
        CallerGoesOn(),
        CallerInterim("a question and"),
        CallerSaid("another matter"),
        DigitPressed("4"),
        HungUp(),
    ],
)
def test_a_caller_who_goes_on_has_it_thrown_away(event: Event) -> None:
    world = begun()
    assert DropEager(1) in handle(world, event)
    assert world.machine.phase is not Phase.EAGER


@pytest.mark.parametrize("event", [CallerSpeaking(), CallerInterim("a question"), QUIET])
def test_a_sound_and_the_same_words_leave_it(event: Event) -> None:
    world = begun()
    if event is QUIET:
        tell(world, CallerSaid("a question"))
    assert DropEager(1) not in handle(world, event)


def test_words_that_are_told_are_waited_behind_no_longer_than_any() -> None:
    world = begun("Is it open?")
    policy = world.machine.policy
    said = handle(world, CallerSaid("is it open?"))
    assert StartTimer("endpoint", policy.endpoint) in said
    assert StartTimer("endpoint", policy.eager_endpoint) in handle(
        begun("and now?"), CallerInterim("and now?")
    )


def test_a_turn_has_as_many_of_them_as_the_agent_says() -> None:
    world = begun()
    tell(world, CallerGoesOn(), CallerMayBeDone("a question, please"))
    assert world.eager is None and world.machine.phase is Phase.LISTENING
    tell(world, CallerSaid("a question"), CallerFinished())
    world.answer("sentence")
    world.answer("end")
    world.hear()
    tell(world, CallerMayBeDone("another"))
    assert world.eager is not None
    none = tell(call(Phase.LISTENING, agent(eager_answers=0)), CallerMayBeDone("a question"))
    assert none.eager is None


def test_who_is_heard_out_is_answered_in_thought_meanwhile() -> None:
    world = asked("What is your number?")
    tell(world, CallerSaid("five five five"), CallerFinished())
    assert world.eager is not None and world.eager[1] == "five five five"
    tell(world, CallerSaid("one two"))
    assert world.eager is None
    tell(world, CallerFinished(), QUIET)
    assert Record(CallerTurn(2, "five five five one two")).entry in [e for _, e in world.journal]


def test_an_answer_that_is_begun_early_is_asked_with_what_joined_turns_have_done() -> None:
    world = call(Phase.THINKING)
    tell(world, ToolsUsed(1, 0, [USE], [DONE]), CallerSaid("and Friday"))
    tell(world, CallerMayBeDone("then"))
    assert world.eager is not None
    before = world.machine.conversation.messages_if(world.eager[1])
    tell(world, CallerSaid("then"), CallerFinished())
    assert before == world.machine.conversation.messages()


def test_keys_are_taken_when_their_number_is_full_or_the_last_one_comes() -> None:
    world = call(Phase.LISTENING, agent(keys_most=3, keys_end="#"))
    assert Record(CallerSegment("1")) in handle(world, DigitPressed("1"))
    world = tell(call(Phase.LISTENING, agent(keys_most=3, keys_end="#")), DigitPressed("1"))
    taken = handle(world, DigitPressed("#"))
    assert Record(CallerTurn(1, "1")) in taken and Ask(1, 0) in taken
    world = call(Phase.LISTENING, agent(keys_most=2, keys_end="#"))
    tell(world, DigitPressed("4"))
    assert Record(CallerTurn(1, "4 2")) in handle(world, DigitPressed("2"))


def test_a_voice_that_falls_silent_without_words_is_no_turn() -> None:
    world = call(Phase.LISTENING)
    ordered = handle(world, CallerFinished())
    assert Ask(1, 0) not in ordered
    assert not [one for one in ordered if isinstance(one, Record)]
