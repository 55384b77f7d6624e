"""A long call is told to the model in short, at turn boundaries, and nothing early is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise, takewhile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude.messages import normalise_messages
from aybiza.config.agents import Agent
from aybiza.dialogue.condense import (
    CHARACTERS_A_TOKEN,
    LEFT_OUT,
    SUMMARY_TOKENS,
    Draft,
    condensed,
    summed_up,
    to_shorten,
)
from aybiza.dialogue.conversation import EARLIER, Conversation
from aybiza.dialogue.journal import (
    AgentSentence,
    AnswerComplete,
    CallerTurn,
    Condensed,
    Entry,
    SentenceHeard,
    ToolExchange,
    decode,
    encode,
)
from aybiza.dialogue.prompt import clock_prompt

BUDGET = 2_000


def turn(number: int, said: str, answer: str = "Very well, I have noted that.") -> list[Entry]:
    use = {"toolUse": {"toolUseId": f"t{number}", "name": "look_up", "input": {}}}
    found = {"toolResult": {"toolUseId": f"t{number}", "content": [{"text": "x" * 300}]}}
    return [
        CallerTurn(number, said),
        ToolExchange(number, 0, [use], [found]),
        AgentSentence(number, 1, answer),
        SentenceHeard(number, 1),
        AnswerComplete(number, "end_turn"),
    ]


def size(conversation: Conversation) -> int:
    return len(str(conversation.messages())) // CHARACTERS_A_TOKEN


def talk(turns: int, budget: int = BUDGET) -> tuple[Conversation, list[Entry]]:
    """A call of so many turns, condensed before each answer as a call does it."""
    conversation, journal = Conversation(), list[Entry]()
    for number in range(1, turns + 1):
        said = f"And what about day {number}?" if number > 1 else "I am Ann Lee, number 41573."
        for entry in turn(number, said):
            conversation.apply(entry)
            journal.append(entry)
        if (shorter := condensed(conversation, budget)) is not None:
            conversation.apply(shorter)
            journal.append(shorter)
    return conversation, journal


def test_a_short_call_is_told_word_for_word() -> None:
    conversation, journal = talk(5)
    assert not any(isinstance(entry, Condensed) for entry in journal)
    assert not str(conversation.messages()).count(EARLIER)


def test_a_long_call_stays_within_the_budget_and_keeps_its_beginning() -> None:
    conversation, _ = talk(500)
    assert size(conversation) <= BUDGET * 1.3
    told = str(conversation.messages())
    assert "I am Ann Lee, number 41573." in told
    assert "And what about day 500?" in told
    assert LEFT_OUT in told


def test_the_beginning_of_what_is_told_changes_seldom() -> None:
    conversation = Conversation()
    beginnings = []
    for number in range(1, 201):
        for entry in turn(number, f"And what about day {number}?"):
            conversation.apply(entry)
        if (shorter := condensed(conversation, BUDGET)) is not None:
            conversation.apply(shorter)
        beginnings.append(conversation.messages()[0]["content"][0]["text"])
    changes = sum(one != other for one, other in pairwise(beginnings))
    assert changes < len(beginnings) / 5


def test_the_journal_gives_the_same_conversation_again() -> None:
    conversation, journal = talk(60)
    again = Conversation()
    for entry in journal:
        kept = decode(encode(entry))
        assert kept is not None
        again.apply(kept)
    assert again.messages() == conversation.messages()


def test_answers_are_told_in_short_and_tools_by_name() -> None:
    conversation = Conversation()
    for number in range(1, 30):
        for entry in turn(number, "Tell me all.", "I will tell you everything about it. " * 20):
            conversation.apply(entry)
    shorter = condensed(conversation, BUDGET)
    assert shorter is not None
    assert "You used look_up." in shorter.text
    assert "xxx" not in shorter.text
    assert max(map(len, shorter.text.splitlines())) < 140


@pytest.mark.parametrize("budget", [2_000, 4_000])
@given(st.lists(st.text("abc \n", min_size=1, max_size=4000), min_size=1, max_size=30))
def test_whatever_is_said_the_history_is_one_that_converse_takes(
    budget: int, texts: list[str]
) -> None:
    conversation = Conversation()
    for number, said in enumerate(texts, 1):
        for entry in turn(number, said):
            conversation.apply(entry)
        if (shorter := condensed(conversation, budget)) is not None:
            assert shorter.turn < number
            assert len(shorter.text) <= budget * CHARACTERS_A_TOKEN * 0.25
            conversation.apply(shorter)
    history = normalise_messages(conversation.messages())
    assert normalise_messages(history) == history
    assert history[0]["role"] == "user"


# Summed up by a model


def drafted(turns: int) -> tuple[Conversation, Draft]:
    """A call that is long enough to be summed up."""
    conversation = Conversation()
    for number in range(1, turns + 1):
        said = f"And what about day {number}?" if number > 1 else "I am Ann Lee, number 41573."
        for entry in turn(number, said):
            conversation.apply(entry)
        draft = to_shorten(conversation, BUDGET)
        if draft is not None:
            return conversation, draft
    raise AssertionError("the call was not long enough")


def test_a_summary_is_asked_for_before_the_rules_have_to_shorten() -> None:
    conversation, draft = drafted(100)
    assert condensed(conversation, BUDGET) is None
    assert 0 < draft.turn < max(conversation.turns) - 1
    assert 0 < draft.tokens <= SUMMARY_TOKENS
    assert "Caller: I am Ann Lee, number 41573." in draft.text
    assert "You used look_up." in draft.text and "xxx" in draft.text


def test_the_callers_first_words_stand_before_a_summary() -> None:
    conversation, draft = drafted(100)
    entry = summed_up(draft, "  She wants\tmany days. \n\n  None is booked.")
    assert entry is not None and decode(encode(entry)) == entry
    first, _, rest = entry.text.partition(f"\n{LEFT_OUT}\n")
    assert first.startswith("Caller: I am Ann Lee, number 41573.")
    assert rest == "She wants many days.\nNone is booked."
    conversation.apply(entry)
    assert to_shorten(conversation, BUDGET) is None
    assert rest in conversation.messages()[0]["content"][0]["text"]


@pytest.mark.parametrize("said", ["", " \n ", "\t"])
def test_a_summary_that_says_nothing_is_none(said: str) -> None:
    assert summed_up(drafted(100)[1], said) is None


def test_a_summary_that_is_too_long_is_cut() -> None:
    _, draft = drafted(100)
    entry = summed_up(draft, "word " * 10_000)
    assert entry is not None and len(entry.text) <= draft.room


def test_what_was_withheld_is_not_told_to_the_model_that_sums_up() -> None:
    conversation = Conversation()
    for number in range(1, 40):
        said = "Something terrible." if number == 2 else f"And day {number}?"
        *entries, end = turn(number, said)
        assert isinstance(end, AnswerComplete)
        for entry in (*entries, AnswerComplete(number, "refusal") if number == 2 else end):
            conversation.apply(entry)
    draft = to_shorten(conversation, BUDGET)
    assert draft is not None
    assert "terrible" not in draft.text + draft.first


@given(st.lists(st.text("abc \n", min_size=1, max_size=4000), min_size=1, max_size=30))
def test_whatever_is_said_a_digest_stays_in_its_room(texts: list[str]) -> None:
    conversation = Conversation()
    for number, said in enumerate(texts, 1):
        for entry in turn(number, said):
            conversation.apply(entry)
        draft = to_shorten(conversation, BUDGET)
        if draft is not None and draft.tokens > 0:
            made = summed_up(draft, said * 5)
            if made is not None:
                assert len(made.text) <= draft.room
                conversation.apply(made)
    history = normalise_messages(conversation.messages())
    assert normalise_messages(history) == history


@pytest.mark.parametrize("summed", [True, False])
def test_most_of_a_call_of_two_hours_is_read_from_the_cache(summed: bool) -> None:
    """500 turns: what is the same from the first word on as in the request before."""
    tokens = Agent.model_fields["history_tokens"].default
    conversation, began = Conversation(), datetime(2026, 3, 2, 14, 5, tzinfo=UTC)
    whole = again = 0
    # No object may have the place of another while its size is known by it.
    kept: list[Any] = []
    before: list[Any] = []
    sizes: dict[int, int] = {}

    def size(message: Any) -> int:
        known = sizes.get(id(message))
        return known or sizes.setdefault(id(message), len(str(message)))

    for number in range(1, 501):
        said = f"And what about day {number}, is it free?" if number > 1 else "I am Ann, 41573."
        asked, *others = turn(number, said)
        conversation.apply(asked)
        draft = to_shorten(conversation, tokens) if summed else None
        shorter = summed_up(draft, "She asks for many days. " * 40) if draft else None
        shorter = shorter or condensed(conversation, tokens)
        if shorter is not None:
            conversation.apply(shorter)
        told = [clock_prompt(began, number * 14.4), *conversation.messages()]
        whole += sum(map(size, told))
        same = takewhile(lambda pair: pair[0] == pair[1], zip(before, told, strict=False))
        again += sum(size(message) for message, _ in same)
        kept.append(told)
        before = told
        for entry in others:
            conversation.apply(entry)
    assert again / whole > 0.9
    assert "I am Ann, 41573." in str(before[1])
    assert sum(map(size, before)) / CHARACTERS_A_TOKEN < tokens * 1.4
