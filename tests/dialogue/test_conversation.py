"""The conversation: the fold of the journal, and what the model is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.claude.converse import normalise_messages
from aybiza.dialogue.conversation import CONTINUE, Conversation, Phase
from aybiza.dialogue.journal import (
    FAULT,
    AgentSentence,
    AnswerComplete,
    CallerSegment,
    CallerTurn,
    Closing,
    Ended,
    Entry,
    Interrupted,
    Joined,
    Resumed,
    SentenceHeard,
    SentenceUnsaid,
    ToolExchange,
)

GREETING: list[Entry] = [
    AgentSentence(0, 1, "Hello."),
    AnswerComplete(0, "end_turn"),
    SentenceHeard(0, 1),
]
USE = {"toolUse": {"toolUseId": "t1", "name": "look", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "t1", "content": [{"json": {"found": 1}}]}}


def conversation(*entries: Entry) -> Conversation:
    made = Conversation()
    for entry in entries:
        made.apply(entry)
    return made


def answered(number: int, caller: str, *sentences: str) -> list[Entry]:
    """A turn whose answer was given and heard."""
    entries: list[Entry] = [CallerSegment(caller), CallerTurn(number, caller)]
    for seq, text in enumerate(sentences, 1):
        entries += [AgentSentence(number, seq, text), SentenceHeard(number, seq)]
    return [*entries, AnswerComplete(number, "end_turn")]


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": text}]}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"text": text}]}


# apply


def test_a_fault_of_the_line_is_no_end_for_the_next_line_but_a_goodbye_is() -> None:
    faulty = conversation(*GREETING, *answered(1, "Hello?", "Hello."), Ended(FAULT))
    assert faulty.ended == FAULT
    faulty.take_up()
    assert faulty.phase is Phase.LISTENING
    later = conversation(*GREETING, Ended(FAULT), CallerTurn(1, "Hello?"))
    assert (later.ended, later.phase) == (None, Phase.THINKING)
    over = conversation(*GREETING, Ended("goodbye"))
    over.take_up()
    assert over.phase is Phase.ENDED


def test_a_conversation_begins_empty() -> None:
    made = Conversation()
    assert made.turn is None
    assert made.messages() == []
    assert made.transcript() == []


def test_the_turn_that_goes_on_is_the_last() -> None:
    made = conversation(*GREETING, CallerTurn(1, "hi"))
    assert made.turn is made.at(1)
    assert made.turn.number == 1


def test_segments_wait_for_the_caller_s_turn() -> None:
    made = conversation(CallerSegment("I want"), CallerSegment("a check-up"))
    assert made.segments == ["I want", "a check-up"]
    made.apply(CallerTurn(1, "I want a check-up"))
    assert made.segments == []


def test_a_turn_that_the_agent_begins_leaves_the_segments_waiting() -> None:
    made = conversation(CallerSegment("wait"), CallerTurn(1, ""))
    assert made.segments == ["wait"]


def test_a_turn_knows_what_was_not_heard() -> None:
    made = conversation(CallerTurn(1, "hi"), AgentSentence(1, 1, "A."), AgentSentence(1, 2, "B."))
    made.apply(SentenceHeard(1, 1))
    turn = made.at(1)
    assert (turn.last_seq, turn.unheard(), turn.complete) == (2, [2], False)


def test_noise_undoes_an_interruption_and_is_remembered() -> None:
    made = conversation(CallerTurn(1, "hi"), AgentSentence(1, 1, "A."), Interrupted(1, 1, 0.5))
    assert made.at(1).cut == Interrupted(1, 1, 0.5)
    made.apply(Resumed(1))
    assert (made.at(1).cut, made.at(1).resumed) == (None, True)


def test_why_a_call_closes_and_has_ended_is_known() -> None:
    made = conversation(*GREETING, Closing("goodbye"), Ended("hangup"))
    assert (made.closing, made.ended) == ("goodbye", "hangup")


def test_a_journal_that_begins_in_the_midst_of_a_call_can_be_read() -> None:
    made = conversation(SentenceHeard(4, 2), AgentSentence(4, 3, "So."), AnswerComplete(4, "x"))
    assert made.turn is not None
    assert (made.turn.number, made.turn.unheard()) == (4, [3])


# messages


def test_the_model_is_told_who_said_what() -> None:
    made = conversation(*GREETING, *answered(1, "hi", "Yes?", "Go on."), CallerTurn(2, "bye"))
    assert made.messages() == [user("hi"), assistant("Yes? Go on."), user("bye")]


def test_the_greeting_is_not_a_message() -> None:
    assert conversation(*GREETING).messages() == []


@pytest.mark.parametrize(
    ("seq", "fraction", "said"),
    [
        (1, 0.0, None),
        (1, 0.5, "one two …"),
        (1, 0.99, "one two three …"),
        (2, 0.0, "one two three four"),
        (2, 0.5, "one two three four five six …"),
        (3, 0.0, "one two three four five six seven eight"),
        (0, 0.9, None),
    ],
)
def test_the_agent_has_said_what_the_caller_has_heard(
    seq: int, fraction: float, said: str | None
) -> None:
    made = conversation(
        CallerTurn(1, "count"),
        AgentSentence(1, 1, "one two three four"),
        AgentSentence(1, 2, "five six seven eight"),
        Interrupted(1, seq, fraction),
        CallerTurn(2, "stop"),
    )
    expected = [assistant(said)] if said else []
    assert made.messages() == [user("count"), *expected, user("stop")]


def test_a_cut_is_reckoned_by_letters() -> None:
    made = conversation(
        CallerTurn(1, "keys"),
        AgentSentence(1, 1, "You said, What about 5 6 6 0 2 0"),
        Interrupted(1, 1, 0.515),
        CallerTurn(2, "stop"),
    )
    assert made.messages()[1] == assistant("You said, What …")


def test_a_sentence_that_was_heard_counts_whatever_the_cut_says() -> None:
    made = conversation(
        CallerTurn(1, "count"),
        AgentSentence(1, 1, "one two"),
        Interrupted(1, 1, 0.1),
        SentenceHeard(1, 1),
    )
    assert made.messages() == [user("count"), assistant("one two")]


def test_a_sentence_that_only_the_clock_calls_heard_is_told_as_cut_off() -> None:
    question = CallerTurn(1, "book"), AgentSentence(1, 1, "Shall I?")
    by_the_clock = SentenceHeard(1, 1, marked=False)
    made = conversation(*question, by_the_clock, Interrupted(1, 1, 1.0))
    assert made.messages() == [user("book"), assistant("Shall I? …")]
    made = conversation(*question, SentenceHeard(1, 1), Interrupted(1, 1, 1.0))
    assert made.messages() == [user("book"), assistant("Shall I?")]
    made = conversation(*question, by_the_clock, Interrupted(1, 1, 1.0), Resumed(1))
    assert made.turns[1].unheard() == []


def test_tools_stand_between_the_sentences_before_and_behind_them() -> None:
    made = conversation(
        CallerTurn(1, "when?"),
        AgentSentence(1, 1, "Let me see."),
        ToolExchange(1, 1, [USE], [RESULT]),
        AgentSentence(1, 2, "On Friday."),
    )
    assert made.messages() == [
        user("when?"),
        {"role": "assistant", "content": [{"text": "Let me see."}, USE]},
        {"role": "user", "content": [RESULT]},
        assistant("On Friday."),
    ]


def test_tools_before_the_first_sentence_stand_alone() -> None:
    made = conversation(CallerTurn(1, "when?"), ToolExchange(1, 0, [USE], [RESULT]))
    assert made.messages()[1:] == [
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [RESULT]},
    ]


def test_an_answer_that_goes_on_is_asked_to_go_on_behind_all_that_is_to_be_said() -> None:
    made = conversation(CallerTurn(1, "count"), AgentSentence(1, 1, "One."))
    assert made.messages(continuing=True) == [user("count"), assistant("One."), user(CONTINUE)]


def test_an_answer_that_goes_on_behind_its_tools_needs_no_asking() -> None:
    made = conversation(
        CallerTurn(1, "when?"),
        AgentSentence(1, 1, "Let me see."),
        ToolExchange(1, 1, [USE], [RESULT]),
    )
    assert made.messages(continuing=True) == made.messages()


def test_only_the_last_turn_goes_on() -> None:
    made = conversation(*answered(1, "hi", "Yes?"), CallerTurn(2, "count"))
    assert made.messages(continuing=True) == made.messages()


def test_words_of_the_agent_s_own_turns_are_told() -> None:
    made = conversation(*GREETING, CallerTurn(1, ""), AgentSentence(1, 1, "Still there?"))
    made.apply(SentenceHeard(1, 1))
    made.apply(CallerTurn(2, "yes"))
    assert made.messages() == [assistant("Still there?"), user("yes")]
    assert [message["role"] for message in normalise_messages(made.messages())] == [
        "user",
        "assistant",
        "user",
    ]


def test_asking_leaves_the_journal_s_blocks_as_they_are() -> None:
    exchange = ToolExchange(1, 1, [USE], [RESULT])
    made = conversation(CallerTurn(1, "when?"), AgentSentence(1, 1, "Let me see."), exchange)
    made.messages()[1]["content"].append("more")
    assert exchange.uses == [USE]


def test_the_messages_of_a_turn_are_the_same_objects_until_the_turn_changes() -> None:
    made = conversation(CallerTurn(1, "when?"), AgentSentence(1, 1, "At nine."), CallerTurn(2, "a"))
    first, second = made.messages(), made.messages()
    assert all(one is other for one, other in zip(first, second, strict=True))
    made.apply(Interrupted(1, 1, 0.5))
    third = made.messages()
    assert third[1] == assistant("At …")
    assert third[2] is first[2]


# transcript


def test_the_transcript_has_the_greeting_and_what_was_heard() -> None:
    made = conversation(
        *GREETING,
        CallerTurn(1, "count"),
        AgentSentence(1, 1, "one two"),
        Interrupted(1, 1, 0.5),
        CallerTurn(2, "stop"),
    )
    assert made.transcript() == [
        ("agent", "Hello."),
        ("caller", "count"),
        ("agent", "one …"),
        ("caller", "stop"),
    ]


@pytest.mark.parametrize("reason", ["guardrail_intervened", "content_filtered", "refusal"])
def test_words_that_a_filter_has_stopped_are_not_told_to_the_model_again(reason: str) -> None:
    use = {"toolUse": {"toolUseId": "t1", "name": "look_up", "input": {}}}
    result = {"toolResult": {"toolUseId": "t1", "content": [{"text": "weather: rain"}]}}
    conversation = Conversation()
    for entry in (
        CallerTurn(1, "What will the weather be?"),
        ToolExchange(1, 0, [use], [result]),
        AgentSentence(1, 1, "I can't talk about the weather."),
        AnswerComplete(1, reason),
        CallerTurn(2, "When do you open?"),
    ):
        conversation.apply(entry)
    messages = conversation.messages()
    assert "weather" not in str(messages)
    assert [message["role"] for message in messages] == ["user", "assistant", "user"] * 1 + [
        "assistant",
        "user",
    ]
    assert messages[1]["content"] == [use]
    assert messages[-1]["content"] == [{"text": "When do you open?"}]
    assert "weather" in str(conversation.transcript())


def test_what_was_not_heard_to_its_end_was_taken_back() -> None:
    whole: list[Entry] = [
        CallerTurn(1, "Hello"),
        AgentSentence(1, 1, "Shall I?"),
        AnswerComplete(1, "end_turn"),
    ]
    cut = Interrupted(1, 1, 0.5)
    unmarked = SentenceHeard(1, 1, marked=False)
    for entries, taken_back in (
        ([SentenceHeard(1, 1)], set[int]()),
        ([], {1}),
        ([cut], {1}),
        ([Joined(1)], {1}),
        ([SentenceUnsaid(1, 1)], {1}),
        ([unmarked], set()),
        ([unmarked, cut], {1}),
        ([cut, Resumed(1), SentenceHeard(1, 1)], set()),
    ):
        conversation = Conversation()
        for entry in (*whole, *entries, CallerTurn(2, "Yes.")):
            conversation.apply(entry)
        assert conversation.taken_back() == taken_back, entries
