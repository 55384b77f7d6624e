"""A request of a long call is built in little time, since what was said stays made ready."""

from __future__ import annotations

import time
from typing import Any

from aybiza.claude.converse import converse_request
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import (
    AgentSentence,
    AnswerComplete,
    CallerTurn,
    SentenceHeard,
    ToolExchange,
)

HAIKU = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
TIMES = [f"{hour:02}:{minute:02}" for hour in range(8, 18) for minute in (0, 30)]


def long_call(turns: int) -> Conversation:
    """A call of so many turns, with a tool's result in every second one."""
    call = Conversation()
    for turn in range(1, turns + 1):
        call.apply(CallerTurn(turn, f"Is there something free on Tuesday at ten, {turn}?"))
        if turn % 2 == 0:
            use = {"toolUseId": f"t{turn}", "name": "free_slots", "input": {"day": "tuesday"}}
            result = {"toolUseId": f"t{turn}", "content": [{"json": {"free": TIMES}}]}
            call.apply(ToolExchange(turn, 0, [{"toolUse": use}], [{"toolResult": result}]))
        call.apply(AgentSentence(turn, 1, f"On Tuesday I have ten o'clock, number {turn}."))
        call.apply(SentenceHeard(turn, 1))
        call.apply(AnswerComplete(turn, "end_turn"))
    call.apply(CallerTurn(turns + 1, "And on Friday?"))
    return call


def request(call: Conversation) -> dict[str, Any]:
    return converse_request(HAIKU, call.messages(), system="Be brief.", cache="5m")


def seconds(call: Conversation) -> float:
    """The least processor time of a request among several."""
    spent = []
    for _ in range(7):
        began = time.process_time()
        request(call)
        spent.append(time.process_time() - began)
    return min(spent)


def test_the_next_request_says_the_same_as_one_that_was_made_anew() -> None:
    call = long_call(30)
    request(call)
    assert request(call) == request(long_call(30))


def test_a_request_costs_a_fraction_of_the_first_one() -> None:
    began = time.process_time()
    call = long_call(200)
    request(call)
    first = time.process_time() - began
    assert seconds(call) < first / 3
