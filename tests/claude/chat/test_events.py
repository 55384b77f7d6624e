"""Chunks of a chat completion as events of ConverseStream."""

from __future__ import annotations

import doctest
import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.claude.chat import events
from aybiza.claude.chat.events import ChatEvents, Lines, LineTooLong, error_of
from aybiza.claude.stream import Finished, Sentence, StreamDecoder, ToolUse, Usage
from aybiza.emulators.bedrock.reply import Reply, Text
from aybiza.emulators.bedrock.reply import ToolUse as Use
from aybiza.emulators.chat.service import Chat
from aybiza.emulators.streamed.steps import Piece
from tests.cases import each

USED = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 5}}


def chunk(delta: Any = None, reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta or {}, "finish_reason": reason}], **more}


def call(arguments: str, name: str | None = None, **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return {"tool_calls": [{"function": function, **more}]}


def read(*chunks: dict[str, Any]) -> tuple[list[str], list[tuple[str, Any]], Finished]:
    """The sentences, the tool uses, and the end of an answer of these chunks."""
    ids = itertools.count(1)
    made, decoder = ChatEvents(lambda: f"u{next(ids)}"), StreamDecoder()
    parts = [part for one in chunks for event in made.feed(one) for part in decoder.feed(event)]
    parts += decoder.end()
    (finished,) = [part for part in parts if isinstance(part, Finished)]
    uses = [(part.tool_use_id, part.input) for part in parts if isinstance(part, ToolUse)]
    return [part.text for part in parts if isinstance(part, Sentence)], uses, finished


def test_words_the_reason_and_what_it_has_cost() -> None:
    said, uses, finished = read(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Good "}),
        chunk({"content": "morning. And"}),
        chunk({"content": " then."}),
        chunk(reason="stop"),
        {"choices": [], "usage": USED},
    )
    assert said == ["Good morning.", "And then."] and not uses
    assert (finished.stop_reason, finished.usage) == ("end_turn", Usage(4, 4, 5, 0))


@each(
    (
        ([call("", "f", index=0, id="call_0"), call('{"a"', index=0), call(": 1}", index=0)],),
        # Whole, without an index; whole, without an id.
        ([call('{"a": 1}', "f", id="x")],),
        ([call('{"a": 1}', "f", index=0)],),
        ([call('{"a":', "f", id="x"), call("1}")],),
    )
)
def test_a_tool_call_is_read_in_whatever_pieces_it_comes(deltas: Any) -> None:
    _, uses, finished = read(*map(chunk, deltas), chunk(reason="tool_calls"))
    assert uses == [("u1", {"a": 1})] and finished.stop_reason == "tool_use"


def test_several_calls_have_ids_of_ours_though_theirs_are_the_same() -> None:
    calls = [call("{}", "f", index=at, id="call_0") for at in (0, 1)]
    said, uses, finished = read(
        chunk({"content": "Wait."}), *map(chunk, calls), chunk(reason="stop")
    )
    assert [identity for identity, _ in uses] == ["u1", "u2"]
    assert said == ["Wait."] and finished.stop_reason == "tool_use"


@each(
    (
        ("length", "max_tokens"),
        ("content_filter", "content_filtered"),
        ("something_new", "something_new"),
    )
)
def test_other_reasons(reason: str, expected: str) -> None:
    assert read(chunk({"content": "A"}), chunk(reason=reason))[2].stop_reason == expected


def test_a_service_that_is_done_without_a_reason_has_finished_its_message() -> None:
    events = ChatEvents(lambda: "u1")
    assert events.done() == []
    events.feed(chunk({"content": "Hello."}))
    assert events.done()[-1] == {"messageStop": {"stopReason": "end_turn"}}
    assert events.done() == []


def test_a_refusal_is_said_and_usage_beside_the_reason_counts_once() -> None:
    said, _, finished = read(
        chunk({"refusal": "I cannot do that."}),
        chunk(reason="stop", usage=USED),
        {"choices": None, "usage": {"prompt_tokens": 1}},
    )
    assert said == ["I cannot do that."] and finished.usage.input_tokens == 4


_MEMBERS = (
    "choices delta content tool_calls function name arguments index id usage finish_reason"
    " prompt_tokens prompt_tokens_details"
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_MEMBERS.split()), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=150)
@given(st.lists(st.dictionaries(st.sampled_from(["choices", "usage", "error"]), ODD), max_size=4))
def test_no_chunk_is_a_fault_of_ours(chunks: list[dict[str, Any]]) -> None:
    made, decoder = ChatEvents(lambda: "u"), StreamDecoder()
    for one in chunks:
        error_of(one)
        for event in made.feed(one):
            decoder.feed(event)


WORDS = st.text("abc .é", min_size=1, max_size=20).filter(str.strip)
REPLIES = st.builds(
    lambda text, uses: Reply((*([Text(text)] if text else []), *uses)),
    st.none() | WORDS,
    st.lists(st.builds(Use, st.just("f"), st.dictionaries(WORDS, WORDS, max_size=2)), max_size=2),
).filter(lambda reply: reply.blocks)


@settings(max_examples=60)
@given(REPLIES)
def test_whatever_the_service_says_is_what_is_read(reply: Reply) -> None:
    body = {"model": "m", "messages": [], "stream_options": {"include_usage": True}}
    lines, chunks = Lines(), []
    for step in Chat()._steps(body, reply, "1"):
        if isinstance(step.action, Piece):
            chunks += [json.loads(d) for d in lines.feed(step.action.data) if d != "[DONE]"]
    _, uses, finished = read(*chunks)
    assert [given for _, given in uses] == [u.input for u in reply.blocks if isinstance(u, Use)]
    said = "".join(block["text"] for block in finished.content if "text" in block)
    assert said == reply.text and finished.usage.output_tokens


def test_lines_are_whole_wherever_they_are_cut() -> None:
    stream = b'data: {"a": "\xc3\xa9"}\r\n\r\n: ping\nevent: x\ndata: [DONE]\n\n'
    for at in range(len(stream)):
        lines = Lines()
        assert lines.feed(stream[:at]) + lines.feed(stream[at:]) == ['{"a": "é"}', "[DONE]"]


def test_a_line_without_an_end_is_an_error() -> None:
    with pytest.raises(LineTooLong):
        Lines(most=10).feed(b"data: " + b"x" * 20)


@each(
    (
        ({"error": {"code": "x"}}, {"code": "x"}),
        ({"error": "broken"}, {"message": "broken"}),
        ({"choices": []}, None),
    )
)
def test_an_error_in_place_of_a_chunk(told: Any, expected: Any) -> None:
    assert error_of(told) == expected


def test_the_examples_hold() -> None:
    assert doctest.testmod(events).failed == 0
