"""How an answer goes on after each way in which a message may end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from aybiza.claude.messages import ANSWER_NOW
from aybiza.dialogue.conversation import CONTINUE
from aybiza.dialogue.events import AnswerFinished, CloseAsked
from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.toolbox import ToolRun
from aybiza.emulators.bedrock import Fault, Reply, Text, ToolUse, say, use
from aybiza.emulators.bedrock.continuation import Body
from tests.actors.call.answer_kit import stage
from tests.call.kit import AGENT

ERROR = AGENT.error
TRANSFER = "Please put me through."


def in_turn(*replies: Reply | str) -> tuple[Callable[[Body], Reply], list[Body]]:
    """A model that gives these replies one after the other, the last one for ever; and what it was
    asked."""
    asked: list[Body] = []

    def respond(body: Body) -> Reply:
        reply = replies[min(len(asked), len(replies) - 1)]
        asked.append(body)
        return say(reply) if isinstance(reply, str) else reply

    return respond, asked


def words(body: Body) -> list[tuple[str, str]]:
    """The texts of a request, each with its role."""
    return [
        (message["role"], block["text"])
        for message in body["messages"]
        for block in message["content"]
        if "text" in block
    ]


def message(stop_reason: str, *blocks: Text | ToolUse) -> Reply:
    return Reply(tuple(blocks), stop_reason)


class Desk:
    """`look_up` reads, `book` writes."""

    def __init__(self) -> None:
        self.runs: list[str] = []

    def registry(self) -> ToolRegistry:
        return ToolRegistry(
            [
                Tool("look_up", "Look up.", self.run, {"type": "object"}),
                Tool("book", "Book.", self.run, {"type": "object"}, effect="write", confirm=False),
            ]
        )

    async def run(self, given: dict[str, Any], run: ToolRun) -> dict[str, Any]:
        self.runs.append(run.name)
        return {"found": True}


async def test_an_empty_message_after_a_tool_is_asked_for_once_more() -> None:
    respond, asked = in_turn(use("look_up", {}), message("end_turn"), "Here it is.")
    async with stage(responder=respond, toolbox=Desk().registry()) as place:
        told = await place.answer("Where is it?")
    assert told.said == ["Here it is."]
    assert words(asked[2])[-1] == ("user", ANSWER_NOW)
    assert told.events[-1] == AnswerFinished(1, "end_turn")


@pytest.mark.parametrize("signs", ["😀👍", "…", "***"])
async def test_an_answer_without_a_word_is_asked_for_once_more(signs: str) -> None:
    respond, asked = in_turn(signs, "Here it is.")
    async with stage(responder=respond) as place:
        told = await place.answer("Where is it?")
    assert told.said == ["Here it is."]
    assert words(asked[1])[-1] == ("user", ANSWER_NOW)


@pytest.mark.parametrize("reason", ["end_turn", "tool_use", "stop_sequence", "malformed_tool_use"])
async def test_a_model_that_stays_silent_leaves_the_agents_own_words(reason: str) -> None:
    respond, asked = in_turn(message(reason))
    async with stage(responder=respond, toolbox=Desk().registry()) as place:
        told = await place.answer("Hello?")
    assert told.said == [ERROR]
    assert len(asked) == 2


async def test_an_answer_cut_by_max_tokens_goes_on_behind_its_last_whole_sentence() -> None:
    whole = "One is here. Two is here. Three is here."
    respond, _ = in_turn(message("max_tokens", Text(whole.removesuffix(" here."))), whole)
    async with stage(responder=respond) as place:
        told = await place.answer("Count.")
        body = place.requests(told)[1].body
    assert told.said == ["One is here.", "Two is here.", "Three is here."]
    assert body is not None
    assert words(body)[-2:] == [("assistant", "One is here. Two is here."), ("user", CONTINUE)]


async def test_tools_that_are_given_the_same_id_again_are_run_again() -> None:
    desk = Desk()
    same = message("tool_use", ToolUse("book", {}, id="call_0"))
    respond, asked = in_turn(same, same, "Booked twice.")
    async with stage(responder=respond, toolbox=desk.registry()) as place:
        told = await place.answer("Book two.")
    assert (told.said, desk.runs) == (["Booked twice."], ["book", "book"])
    ids = [
        block["toolUse"]["toolUseId"]
        for sent in asked[2]["messages"]
        for block in sent["content"]
        if "toolUse" in block
    ]
    assert ids == ["call_0", "call_0-2"]


@pytest.mark.parametrize("said", ["", "One is here. Two"])
async def test_an_answer_for_which_the_window_was_too_small_goes_on_with_less_history(
    said: str,
) -> None:
    full = message("model_context_window_exceeded", *([Text(said)] if said else []))
    respond, asked = in_turn(full, full, "One is here. Two is here.")
    async with stage(responder=respond) as place:
        told = await place.answer("Count.")
    assert told.said == ["One is here.", "Two is here."]
    assert (len(asked), told.stop_reason) == (3, "end_turn")


async def test_what_a_model_that_is_to_go_on_says_anew_is_heard_once() -> None:
    first = message("max_tokens", Text("One is here. Two is here."))
    respond, asked = in_turn(first, "Two is here. Three is here.")
    async with stage(responder=respond) as place:
        told = await place.answer("Count.")
    assert told.said == ["One is here.", "Two is here.", "Three is here."]
    assert (len(asked), told.stop_reason) == (2, "end_turn")


async def test_an_answer_that_never_ends_is_ended_behind_a_whole_sentence() -> None:
    ones = [f"Number {n} is here." for n in range(9)]
    texts = [" ".join([*ones[: n + 1], "And then there"]) for n in range(9)]
    respond, asked = in_turn(*(message("max_tokens", Text(text)) for text in texts))
    async with stage(responder=respond) as place:
        told = await place.answer("Count.")
    assert told.said == [f"Number {n} is here." for n in range(3)]
    assert (len(asked), told.stop_reason) == (3, "max_tokens")


async def test_one_endless_sentence_is_heard_as_far_as_it_came() -> None:
    respond, _ = in_turn(message("max_tokens", Text("and so on and")))
    async with stage(responder=respond) as place:
        told = await place.answer("Count.")
    assert told.said != [] and not told.said[0].endswith(".")


@pytest.mark.parametrize("fragments", [('{"what": "the open',), ("",), ("{}",)])
async def test_a_tool_that_max_tokens_has_cut_is_asked_for_with_more_room_and_never_run(
    fragments: tuple[str, ...],
) -> None:
    desk = Desk()
    cut = message("max_tokens", ToolUse("book", {}, fragments=fragments))
    respond, asked = in_turn(cut, use("book", {"day": 1}), "Booked.")
    async with stage(responder=respond, toolbox=desk.registry()) as place:
        told = await place.answer("Book it.")
    assert (told.said, desk.runs) == (["Booked."], ["book"])
    first, second = (body["inferenceConfig"]["maxTokens"] for body in asked[:2])
    assert second == 2 * first


async def test_a_tool_that_is_cut_each_time_is_given_up_without_having_run() -> None:
    desk = Desk()
    respond, asked = in_turn(message("max_tokens", ToolUse("book", {}, fragments=("",))))
    async with stage(responder=respond, toolbox=desk.registry()) as place:
        told = await place.answer("Book it.")
    assert (told.said, desk.runs, len(asked)) == ([ERROR], [], 3)


@pytest.mark.parametrize("reason", ["guardrail_intervened", "content_filtered", "refusal"])
@pytest.mark.parametrize(("spoken", "heard"), [("I can't say.", None), ("", AGENT.refusal)])
async def test_an_answer_that_was_withheld_ends_with_what_was_said_in_its_place(
    reason: str, spoken: str, heard: str | None
) -> None:
    respond, asked = in_turn(message(reason, *([Text(spoken)] if spoken else [])))
    async with stage(responder=respond) as place:
        told = await place.answer("Will it rain?")
    assert told.said == [heard or spoken]
    assert (told.stop_reason, len(asked)) == (reason, 1)


async def test_a_history_that_is_too_long_is_asked_with_less_of_it() -> None:
    respond, _ = in_turn("Here you are.")
    async with stage(responder=respond, toolbox=Desk().registry()) as place:
        place.bedrock.faults.add(
            Fault(
                "http_error",
                code="ValidationException",
                message="Input is too long for requested model.",
                times=2,
            )
        )
        told = await place.answer("x" * 8000)
    assert told.said == ["Here you are."]


async def test_after_a_write_nobody_is_invited_to_ask_for_it_again() -> None:
    desk = Desk()
    respond, _ = in_turn(use("book", {}), message("end_turn"))
    async with stage(responder=respond, toolbox=desk.registry()) as place:
        told = await place.answer("Book it, please.")
    assert (told.said, desk.runs) == ([AGENT.error_after_write], ["book"])


async def test_after_a_look_up_the_usual_apology_is_said() -> None:
    respond, _ = in_turn(use("look_up", {}), message("end_turn"))
    async with stage(responder=respond, toolbox=Desk().registry()) as place:
        told = await place.answer("Look it up.")
    assert told.said == [ERROR]
    assert told.of(CloseAsked) == []


def test_the_kinds_of_blocks_are_those_of_the_emulator() -> None:
    blocks: Sequence[object] = (Text("a"), ToolUse("b", {}))
    assert message("end_turn", Text("a"), ToolUse("b", {})).blocks == tuple(blocks)
