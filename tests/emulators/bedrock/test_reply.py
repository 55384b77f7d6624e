"""Replies and the events that they become."""

import json
import random
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.bedrock import reply as replies
from aybiza.emulators.bedrock.reply import Reasoning, Reply, StreamEvent, Text, ToolUse, say, use

USAGE = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
LONG = "One two three four five six seven. Eight nine ten, eleven twelve thirteen fourteen!"


def events(reply: Reply) -> list[StreamEvent]:
    return list(replies.stream_events(reply, USAGE))


def deltas(reply: Reply) -> list[dict[str, Any]]:
    return [event.payload["delta"] for event in events(reply) if event.is_delta]


def test_text_begins_without_a_block_start_and_ends_with_metadata() -> None:
    kinds = [event.type for event in events(say("Good morning."))]
    assert kinds == [
        "messageStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]


def test_every_block_is_stopped_and_only_tools_are_started() -> None:
    reply = Reply((Reasoning("Hm."), Text("One moment."), ToolUse("look", {}, "id1")))
    stopped = [e.payload for e in events(reply) if e.type == "contentBlockStop"]
    started = [e.payload for e in events(reply) if e.type == "contentBlockStart"]
    assert [payload["contentBlockIndex"] for payload in stopped] == [0, 1, 2]
    tool_use = {"toolUseId": "id1", "name": "look"}
    assert started == [{"start": {"toolUse": tool_use}, "contentBlockIndex": 2}]


@pytest.mark.parametrize(
    ("reply", "stop_reason"),
    [
        (say("Yes."), "end_turn"),
        (use("look", {}), "tool_use"),
        (Reply(), "end_turn"),
        (Reply((Text("Yes."),), "guardrail_intervened"), "guardrail_intervened"),
    ],
)
def test_the_stop_reason_follows_from_the_blocks(reply: Reply, stop_reason: str) -> None:
    stop = next(event for event in events(reply) if event.type == "messageStop")
    assert stop.payload == {"stopReason": stop_reason}


@given(st.text(max_size=400))
def test_text_deltas_add_up_to_the_text_in_three_to_six_words(text: str) -> None:
    pieces = replies.text_deltas(text)
    assert "".join(pieces) == text
    assert all(3 <= len(piece.split()) <= 6 for piece in pieces[:-1])
    assert replies.text_deltas(text) == pieces


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=30), min_size=1, max_size=4))
def test_tool_input_comes_in_fragments_of_json_and_the_first_is_empty(
    tool_input: dict[str, str],
) -> None:
    fragments = [delta["toolUse"]["input"] for delta in deltas(use("look", tool_input))]
    assert fragments[0] == ""
    assert json.loads("".join(fragments)) == tool_input


def test_a_tool_without_input_sends_one_empty_fragment() -> None:
    assert deltas(use("look", {})) == [{"toolUse": {"input": ""}}]


def test_garbage_tool_input_is_no_json() -> None:
    garbage = replies.with_garbage_tool_json(use("look", {"day": "Friday"}, "One moment."))
    fragments = [d["toolUse"]["input"] for d in deltas(garbage) if "toolUse" in d]
    with pytest.raises(json.JSONDecodeError):
        json.loads("".join(fragments))
    assert garbage.text == "One moment."


def test_reasoning_ends_with_its_signature() -> None:
    last = deltas(Reply((Reasoning("Let me think."),)))[-1]
    assert last == {"reasoningContent": {"signature": replies.signature("Let me think.")}}


def test_redacted_reasoning_is_bytes() -> None:
    (delta,) = deltas(Reply((Reasoning("secret", redacted=True),)))
    assert "secret" not in delta["reasoningContent"]["redactedContent"]


def test_tool_uses_without_an_id_are_given_one() -> None:
    reply = Reply((ToolUse("a", {}), ToolUse("b", {}, "own"), ToolUse("c", {})))
    named = replies.with_tool_ids(reply, (f"id{n}" for n in count(1)))
    assert [block.id for block in named.blocks if isinstance(block, ToolUse)] == [
        "id1",
        "own",
        "id2",
    ]


def test_max_tokens_cuts_the_text() -> None:
    cut = replies.limited(say(LONG), 8)
    assert cut.stopped_by == "max_tokens"
    assert LONG.startswith(cut.text)
    assert 1 <= replies.tokens(cut.text) <= 8


def test_max_tokens_cuts_the_input_of_a_tool_that_has_no_room() -> None:
    cut = replies.limited(use("look", {"a": "b" * 100}, "Yes."), 10)
    assert (cut.text, cut.stopped_by) == ("Yes.", "max_tokens")
    (tool,) = [block for block in cut.blocks if isinstance(block, ToolUse)]
    assert tool.fragments is not None
    joined = "".join(tool.fragments)
    assert json.dumps({"a": "b" * 100}).startswith(joined)
    assert 0 < len(joined) < 100


def test_max_tokens_leaves_out_a_tool_for_which_nothing_is_left() -> None:
    cut = replies.limited(use("look", {"a": "b" * 100}, "Yes."), 1)
    assert not any(isinstance(block, ToolUse) for block in cut.blocks)


def test_a_reply_can_stop_after_so_many_deltas() -> None:
    reply = Reply((Text(LONG), ToolUse("look", {"day": "Friday"})))
    pieces = replies.text_deltas(LONG)
    assert replies.stopped(reply, 2, "content_filtered") == Reply(
        (Text("".join(pieces[:2])),), "content_filtered"
    )
    assert replies.stopped(reply, 0, "end_turn") == Reply((), "end_turn")
    whole = replies.stopped(reply, 1000, "tool_use")
    assert (whole.blocks, whole.stop_reason) == (reply.blocks, "tool_use")


@pytest.mark.parametrize("fragments", [0, 1, 2, 1000])
def test_a_tool_that_is_cut_never_has_its_whole_input(fragments: int) -> None:
    cut = replies.with_cut_tool(use("look", {"day": "Friday"}, "Yes."), fragments)
    assert cut.stop_reason == "max_tokens"
    tool = cut.blocks[-1]
    assert isinstance(tool, ToolUse) and tool.fragments is not None
    with pytest.raises(ValueError):
        json.loads("".join(tool.fragments))


def test_a_tool_can_have_the_empty_input() -> None:
    (tool,) = replies.with_empty_tool_input(use("look", {"day": "Friday"})).blocks
    assert isinstance(tool, ToolUse) and tool.fragments == ("",)


def test_a_stop_sequence_ends_the_text_before_itself() -> None:
    cut = replies.limited(say(LONG), 1000, ["ten", "Eight"])
    assert cut.stopped_by == "stop_sequence"
    assert cut.text == "One two three four five six seven. "


def test_a_reply_within_its_limits_stays_as_it_is() -> None:
    reply = use("look", {"day": "Friday"}, "One moment.")
    assert replies.limited(reply, 1000, ["###"]) == reply


def test_padding_is_added_to_the_payload() -> None:
    padded = replies.padded({"role": "assistant"}, random.Random(1))
    assert padded["role"] == "assistant"
    assert len(padded["p"]) >= 1


def test_a_converse_answer_holds_the_whole_message() -> None:
    reply = Reply((Reasoning("Hm."), Text("One moment."), ToolUse("look", {"a": "b"}, "id1")))
    answer = replies.converse_answer(reply, USAGE, 12)
    content = answer["output"]["message"]["content"]
    assert content[0]["reasoningContent"]["reasoningText"]["text"] == "Hm."
    assert content[1:] == [
        {"text": "One moment."},
        {"toolUse": {"toolUseId": "id1", "name": "look", "input": {"a": "b"}}},
    ]
    assert answer["stopReason"] == "tool_use"
    assert answer["metrics"] == {"latencyMs": 12}
