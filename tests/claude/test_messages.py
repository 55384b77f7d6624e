"""Any history becomes one that Bedrock takes."""

from __future__ import annotations

import copy
import datetime
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given

from aybiza.claude.messages import (
    CALL_BEGINS,
    GO_ON,
    NO_RESULT,
    Kept,
    normalise_messages,
    tool_result,
)
from aybiza.dialogue.journal import ToolExchange
from tests.claude.histories import MESSAGES, assistant, text, tool_use, user


class TestNormaliseMessages:
    def test_a_good_history_is_unchanged(self) -> None:
        history = [
            user(text("Book me in.")),
            assistant(text("One moment."), tool_use("t1")),
            user(tool_result("t1", "Booked.")),
            assistant(text("Done.")),
            user(text("Thanks.")),
        ]
        before = copy.deepcopy(history)
        assert normalise_messages(history) == before
        assert history == before

    def test_an_agent_that_greets_first_is_given_a_caller_before_it(self) -> None:
        history = normalise_messages([assistant(text("Hello.")), user(text("Hi."))])
        assert history == [user(text(CALL_BEGINS)), assistant(text("Hello.")), user(text("Hi."))]

    def test_a_history_that_ends_with_the_agent_is_given_a_user_message(self) -> None:
        history = normalise_messages([user(text("Hi.")), assistant(text("Hello."))])
        assert history[-1] == user(text(GO_ON))

    def test_no_history_at_all_is_a_call_that_begins(self) -> None:
        assert normalise_messages([]) == [user(text(CALL_BEGINS))]

    def test_neighbours_of_one_role_are_merged(self) -> None:
        history = normalise_messages([user(text("a")), user(text("b"))])
        assert history == [user(text("a"), text("b"))]

    def test_empty_texts_and_empty_messages_are_left_out(self) -> None:
        history = normalise_messages(
            [user(text("a"), text(" \n")), assistant(text("")), user(text("b"))]
        )
        assert history == [user(text("a"), text("b"))]

    def test_content_may_be_a_string(self) -> None:
        assert normalise_messages([{"role": "user", "content": "Hi."}]) == [user(text("Hi."))]

    def test_a_tool_use_without_result_gets_an_error_result(self) -> None:
        history = normalise_messages(
            [user(text("a")), assistant(tool_use("t1"), tool_use("t2")), user(text("b"))]
        )
        assert history[2] == user(
            tool_result("t1", NO_RESULT, error=True),
            tool_result("t2", NO_RESULT, error=True),
            text("b"),
        )

    def test_a_tool_use_at_the_very_end_is_answered(self) -> None:
        history = normalise_messages([user(text("a")), assistant(tool_use("t1"))])
        assert history[-1] == user(tool_result("t1", NO_RESULT, error=True))

    def test_results_come_first_and_in_the_order_of_their_uses(self) -> None:
        history = normalise_messages(
            [
                user(text("a")),
                assistant(tool_use("t1"), tool_use("t2")),
                user(text("b"), tool_result("t2", "two"), tool_result("t1", "one")),
            ]
        )
        assert history[-1] == user(tool_result("t1", "one"), tool_result("t2", "two"), text("b"))

    def test_a_result_without_its_use_is_left_out(self) -> None:
        history = normalise_messages([user(text("a"), tool_result("t9", "lost"))])
        assert history == [user(text("a"))]

    def test_a_result_that_nobody_asked_for_is_left_out(self) -> None:
        history = normalise_messages(
            [
                user(text("a")),
                assistant(tool_use("t1")),
                user(tool_result("t1", "one"), tool_result("t1", "two"), tool_result("t9", "x")),
                assistant(tool_result("t1", "mine"), text("Done.")),
                user(text("b")),
            ],
            tools=True,
        )
        assert history == [
            user(text("a")),
            assistant(tool_use("t1")),
            user(tool_result("t1", "one")),
            assistant(text("Done.")),
            user(text("b")),
        ]

    def test_a_result_is_carried_as_bedrock_takes_it(self) -> None:
        use = {"toolUse": {"toolUseId": "t1", "name": "look_up", "input": {}}}
        pieces = [{"json": [1]}, {"json": None}, {"json": float("nan")}, {"video": 1}, "x"]
        given = {"toolResult": {"toolUseId": "t1", "content": pieces}}
        told = normalise_messages([user(text("a")), assistant(use), user(given)], tools=True)
        content = told[-1]["content"][0]["toolResult"]["content"]
        assert content == [{"json": {"result": [1]}}, {"text": "nan"}]

    def test_uses_that_were_given_the_same_id_have_one_each(self) -> None:
        long = "x" * 64
        history = normalise_messages(
            [
                user(text("a")),
                assistant(tool_use("t1"), tool_use("t1")),
                user(tool_result("t1", "one"), tool_result("t1", "again")),
                assistant(text("b"), tool_use("t1"), tool_use(long), tool_use(long)),
            ]
        )
        other = f"{'x' * 58}-2"
        assert history[1:] == [
            assistant(tool_use("t1"), tool_use("t1-2")),
            user(tool_result("t1", "one"), tool_result("t1-2", "again")),
            assistant(text("b"), tool_use("t1-3"), tool_use(long), tool_use(other)),
            user(*(tool_result(one, NO_RESULT, error=True) for one in ("t1-3", long, other))),
        ]

    def test_unsigned_or_trailing_reasoning_is_left_out_and_signed_is_kept_unchanged(self) -> None:
        signed = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}
        redacted = {"reasoningContent": {"redactedContent": b"\x00"}}
        unsigned = {"reasoningContent": {"reasoningText": {"text": "cut"}}}
        history = normalise_messages(
            [
                user(text("a")),
                assistant(signed, redacted, unsigned, tool_use("t1"), signed),
                user(tool_result("t1", "one")),
            ]
        )
        assert history[1] == assistant(signed, redacted, tool_use("t1"))

    def test_reasoning_is_left_out_for_a_model_that_takes_none(self) -> None:
        signed = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}
        history = [user(text("a")), assistant(signed, text("b")), user(text("c"))]
        without = [user(text("a")), assistant(text("b")), user(text("c"))]
        assert normalise_messages(history, reasoning=False) == without

    def test_tools_are_left_out_for_a_model_that_takes_none(self) -> None:
        history = [
            user(text("a")),
            assistant(text("One moment."), tool_use("t1")),
            user(tool_result("t1", "done")),
            assistant(text("Done.")),
        ]
        assert normalise_messages(history, tools=False) == [
            user(text("a")),
            assistant(text("One moment."), text("Done.")),
            user(text(GO_ON)),
        ]

    def test_unknown_blocks_and_roles_are_left_out(self) -> None:
        history = normalise_messages(
            [{"role": "system", "content": "x"}, user({"video": {}}, text("a")), {"role": "user"}]
        )
        assert history == [user(text("a"))]


class TestToolResult:
    @pytest.mark.parametrize(
        ("content", "blocks"),
        [
            ("Booked.", [{"text": "Booked."}]),
            ({"a": 1}, [{"json": {"a": 1}}]),
            ([1, 2], [{"json": {"result": [1, 2]}}]),
            (5, [{"json": {"result": 5}}]),
            ("", [{"text": "[no content]"}]),
            (None, [{"text": "[no content]"}]),
            (float("nan"), [{"text": "nan"}]),
            (datetime.date(2026, 1, 2), [{"text": "2026-01-02"}]),
        ],
    )
    def test_any_value_becomes_content_that_bedrock_takes(
        self, content: object, blocks: list[Any]
    ) -> None:
        result = tool_result("t1", content)
        assert result == {"toolResult": {"toolUseId": "t1", "content": blocks, "status": "success"}}

    def test_an_error_is_marked(self) -> None:
        assert tool_result("t1", "no", error=True)["toolResult"]["status"] == "error"


@given(messages=MESSAGES)
def test_normalising_twice_changes_nothing(messages: list[dict[str, Any]]) -> None:
    once = normalise_messages(messages)
    assert normalise_messages(once) == once


def test_a_kept_block_can_be_made_a_dict_of_as_dataclasses_do() -> None:
    exchange = ToolExchange(1, 1, [Kept(toolUse={"name": "look_up"})], [])
    assert asdict(exchange)["uses"] == [{"toolUse": {"name": "look_up"}}]


def test_thoughts_behind_words_are_left_out_since_a_message_with_thoughts_begins_with_one() -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": [{"text": "Well."}, thought, {"text": "Yes."}]},
        {"role": "user", "content": "And?"},
    ]
    told = normalise_messages(messages)[1]["content"]
    assert told == [{"text": "Well."}, {"text": "Yes."}]
