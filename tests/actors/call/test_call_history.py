"""A summary is asked for once at a time, no more where none comes, and rules shorten then."""

from __future__ import annotations

from typing import Any

from aybiza.actors.call.call_history import SUMMARIES_MISSED, CallHistory
from aybiza.actors.call.summary_actor import Summarised
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import AgentSentence, CallerTurn, Condensed, SentenceHeard
from tests.call.kit import AGENT


class Asked:
    """Stands for the VM: what was cast."""

    def __init__(self) -> None:
        self.casts: list[Any] = []

    def cast(self, to: Any, request: Any) -> None:
        """Note it."""
        self.casts.append(request)


class Context:
    """Stands for a call's context."""

    agent = AGENT.model_copy(update={"history_tokens": 2_000})


def long_talk() -> Conversation:
    conversation = Conversation()
    for turn in range(1, 21):
        conversation.apply(CallerTurn(turn, "And what about this, please? " * 10))
        conversation.apply(AgentSentence(turn, 1, "It is as it was. " * 10))
        conversation.apply(SentenceHeard(turn, 1))
    return conversation


def history() -> tuple[CallHistory, Asked, Conversation, list[Any]]:
    vm, kept, talk = Asked(), list[Any](), long_talk()
    given: Any = (vm, None, Context(), talk, lambda entries, number: kept.extend(entries))
    return CallHistory(*given), vm, talk, kept


def test_one_summary_is_asked_for_at_a_time_and_kept_when_it_comes() -> None:
    made, vm, talk, kept = history()
    made.sum_up()
    made.sum_up()
    assert len(vm.casts) == 1
    made.summarised(Summarised(15, Condensed(15, "In short.")))
    assert talk.condensed == Condensed(15, "In short.")
    assert [entry["type"] for entry in kept] == ["condensed"]
    made.summarised(Summarised(9, Condensed(9, "Older.")))
    assert talk.condensed.turn == 15


def test_where_none_comes_it_is_not_asked_for_again_until_the_rules_have_shortened() -> None:
    made, vm, talk, _ = history()
    for _ in range(SUMMARIES_MISSED + 2):
        made.sum_up()
        made.summarised(Summarised(1, None))
    assert len(vm.casts) == SUMMARIES_MISSED
    made.shorten()
    assert talk.condensed.turn > 0
    assert "And what about this" in talk.condensed.text
