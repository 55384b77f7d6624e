"""ConverseStream events decoded: what is spoken, what is run, what goes into the history."""

from __future__ import annotations

import doctest
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude import stream
from aybiza.claude.stream import (
    Finished,
    Reasoning,
    Sentence,
    StreamCut,
    StreamDecoder,
    StreamEvent,
    ToolUse,
    Usage,
    usage_of,
)

Event = dict[str, Any]

START: Event = {"messageStart": {"role": "assistant"}}
METADATA: Event = {
    "metadata": {
        "usage": {"inputTokens": 7, "outputTokens": 5, "cacheReadInputTokens": 3},
        "metrics": {"latencyMs": 12},
    }
}
USAGE = Usage(input_tokens=7, output_tokens=5, cache_read_input_tokens=3)


def delta(value: Event, index: int = 0) -> Event:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": value}}


def text(value: str, index: int = 0) -> Event:
    return delta({"text": value}, index)


def block_stop(index: int = 0) -> Event:
    return {"contentBlockStop": {"contentBlockIndex": index}}


def stop(reason: str = "end_turn") -> Event:
    return {"messageStop": {"stopReason": reason}}


def tool(index: int, tool_use_id: str, name: str, *fragments: str) -> list[Event]:
    start = {"toolUse": {"toolUseId": tool_use_id, "name": name}}
    return [
        {"contentBlockStart": {"contentBlockIndex": index, "start": start}},
        *(delta({"toolUse": {"input": fragment}}, index) for fragment in fragments),
        block_stop(index),
    ]


def decode(events: Iterable[Event], **options: Any) -> list[StreamEvent]:
    decoder = StreamDecoder(**options)
    return [*(out for event in events for out in decoder.feed(event)), *decoder.end()]


def test_text_becomes_numbered_sentences_and_one_finished_message() -> None:
    events = [START, text("Hello. How"), text(" are you? I am"), text(" fine."), block_stop()]
    assert decode([*events, stop(), METADATA]) == [
        Sentence(1, "Hello."),
        Sentence(2, "How are you?"),
        Sentence(3, "I am fine."),
        Finished("end_turn", USAGE, [{"text": "Hello. How are you? I am fine."}]),
    ]


def test_numbers_go_on_from_where_they_are_told_to() -> None:
    decoder = StreamDecoder(first_seq=5)
    assert decoder.feed(text("Why? How?")) == [Sentence(5, "Why?"), Sentence(6, "How?")]
    assert decoder.next_seq == 7


def test_the_last_sentence_goes_at_message_stop_and_the_usage_comes_after_it() -> None:
    decoder = StreamDecoder()
    assert decoder.feed(text("I see.")) == []
    assert decoder.feed(stop()) == [Sentence(1, "I see.")]
    assert decoder.feed(METADATA) == [Finished("end_turn", USAGE, [{"text": "I see."}])]
    assert decoder.end() == []


def test_text_is_spoken_before_the_tool_that_follows_it_starts() -> None:
    decoder = StreamDecoder()
    decoder.feed(text("One moment."))
    start, *rest = tool(1, "t1", "book", "")
    assert decoder.feed(start) == [Sentence(1, "One moment.")]
    assert [out for event in rest for out in decoder.feed(event)] == [ToolUse("t1", "book", {})]


def test_text_is_spoken_before_the_model_starts_to_think() -> None:
    decoder = StreamDecoder()
    decoder.feed(text("Let me think."))
    thought = delta({"reasoningContent": {"text": "hm"}}, 1)
    assert decoder.feed(thought) == [Sentence(1, "Let me think.")]


def test_a_sentence_goes_on_from_one_text_block_into_the_next() -> None:
    events = [text("It costs 3", 0), block_stop(0), text(".50 euros.", 1), block_stop(1), stop()]
    assert decode(events) == [
        Sentence(1, "It costs 3.50 euros."),
        Finished("end_turn", Usage(), [{"text": "It costs 3"}, {"text": ".50 euros."}]),
    ]


def test_tool_input_fragments_are_put_together_and_parsed_once() -> None:
    events = [*tool(0, "t1", "book", "", '{"day": "Mo', 'nday"}'), stop("tool_use"), METADATA]
    use = {"toolUseId": "t1", "name": "book", "input": {"day": "Monday"}}
    assert decode(events) == [
        ToolUse("t1", "book", {"day": "Monday"}),
        Finished("tool_use", USAGE, [{"toolUse": use}], "whole"),
    ]


def test_two_tools_side_by_side_keep_their_own_fragments() -> None:
    first = tool(1, "t1", "book", '{"a":', "1}")
    second = tool(2, "t2", "price", '{"b":', "2}")
    mixed = [event for pair in zip(first, second, strict=True) for event in pair]
    assert decode([*mixed, stop("tool_use")])[:2] == [
        ToolUse("t1", "book", {"a": 1}),
        ToolUse("t2", "price", {"b": 2}),
    ]


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        ('{"day": ', "not JSON"),
        ("[1]", "list, not an object"),
        ('"x"', "str, not an object"),
        ('{"a": NaN}', "not allowed"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_garbage_as_tool_input_is_an_error_on_the_tool_use(garbage: str, reason: str) -> None:
    use, finished = decode([*tool(0, "t1", "book", garbage), stop("tool_use"), METADATA])
    assert isinstance(use, ToolUse) and isinstance(finished, Finished)
    assert use.input == {} and use.error is not None and reason in use.error
    assert finished.content == [{"toolUse": {"toolUseId": "t1", "name": "book", "input": {}}}]


def test_a_tool_block_that_never_stops_ends_with_the_message() -> None:
    *open_block, _ = tool(0, "t1", "book", "{}")
    assert decode([*open_block, stop("max_tokens")])[0] == ToolUse("t1", "book", {})


def test_reasoning_is_kept_for_the_echo_and_never_spoken() -> None:
    events = [
        delta({"reasoningContent": {"text": "The caller "}}, 0),
        delta({"reasoningContent": {"text": "wants. A day."}}, 0),
        delta({"reasoningContent": {"signature": "sig"}}, 0),
        block_stop(0),
        delta({"reasoningContent": {"redactedContent": b"\x01"}}, 1),
        block_stop(1),
        text("Monday?", 2),
        block_stop(2),
        stop(),
        METADATA,
    ]
    signed = {
        "reasoningContent": {
            "reasoningText": {"text": "The caller wants. A day.", "signature": "sig"}
        }
    }
    redacted = {"reasoningContent": {"redactedContent": b"\x01"}}
    assert decode(events) == [
        Reasoning(signed),
        Reasoning(redacted),
        Sentence(1, "Monday?"),
        Finished("end_turn", USAGE, [signed, redacted, {"text": "Monday?"}]),
    ]


def test_a_stream_without_metadata_finishes_without_usage() -> None:
    assert decode([text("Hi"), stop()])[-1] == Finished("end_turn", Usage(), [{"text": "Hi"}])


def test_a_stream_that_ends_early_is_cut_and_says_what_was_not_spoken() -> None:
    events = [text("Hello. I was about"), *tool(1, "t1", "book", '{"a":')[:-1]]
    assert decode(events[:1]) == [
        Sentence(1, "Hello."),
        StreamCut([{"text": "Hello. I was about"}], "I was about"),
    ]
    assert decode(events)[-1] == StreamCut([{"text": "Hello. I was about"}], "")


def test_an_empty_stream_is_cut() -> None:
    assert decode([]) == [StreamCut([], "")]


def test_an_answer_without_text_has_no_text_block() -> None:
    assert decode([text(""), text("\n"), block_stop(), stop()]) == [
        Finished("end_turn", Usage(), [])
    ]


def test_text_started_tells_whether_there_is_something_to_speak() -> None:
    decoder = StreamDecoder()
    decoder.feed(START)
    decoder.feed(delta({"reasoningContent": {"text": "hm"}}, 0))
    assert not decoder.text_started
    decoder.feed(text("Hi", 1))
    assert decoder.text_started


@pytest.mark.parametrize("reason", [None, 5])
def test_a_stop_without_a_reason_still_stops(reason: Any) -> None:
    assert decode([{"messageStop": {"stopReason": reason}}]) == [Finished("unknown", Usage(), [])]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"SDK_UNKNOWN_MEMBER": {"name": "x"}},
        {"newEvent": {"a": 1}},
        {"contentBlockDelta": {}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"citation": {}}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": 5}}},
        {"contentBlockDelta": {"contentBlockIndex": 9, "delta": {"toolUse": {"input": "{}"}}}},
        {"contentBlockStart": {"contentBlockIndex": 0, "start": {"toolUse": {"name": "x"}}}},
        {"contentBlockStart": {"contentBlockIndex": 0, "start": {"image": {}}}},
        {"contentBlockStop": {"contentBlockIndex": 4}},
        {"contentBlockStop": None},
        {"metadata": {"usage": {"inputTokens": 1}}},
    ],
)
def test_events_that_are_unknown_or_malformed_are_ignored(event: Event) -> None:
    decoder = StreamDecoder()
    decoder.feed(text("Hi"))
    assert decoder.feed(event) == []
    assert decoder.feed(stop()) == [Sentence(1, "Hi")]


def test_usage_that_is_no_number_counts_nothing() -> None:
    events = [stop(), {"metadata": {"usage": {"inputTokens": "7", "outputTokens": 5}}}]
    assert decode(events) == [Finished("end_turn", Usage(output_tokens=5), [])]


def test_nothing_comes_after_the_end() -> None:
    decoder = StreamDecoder()
    decoder.feed(stop())
    decoder.feed(METADATA)
    assert decoder.feed(text("more. ")) == []
    assert decoder.end() == []


PARTS = st.lists(
    st.one_of(
        st.tuples(st.just("text"), st.lists(st.sampled_from(["Hi", ". ", "a", "? ", " B", "3."]))),
        st.tuples(st.just("tool"), st.dictionaries(st.text(max_size=3), st.integers(), max_size=3)),
        st.tuples(st.just("thought"), st.text(max_size=5)),
    ),
    max_size=6,
)


@given(parts=PARTS, cut=st.integers(1, 5), first_seq=st.integers(1, 9))
def test_every_answer_comes_out_whole_in_order_and_numbered_without_gap(
    parts: list[tuple[str, Any]], cut: int, first_seq: int
) -> None:
    events = [START]
    for index, (kind, value) in enumerate(parts):
        if kind == "text":
            events += [*(text(piece, index) for piece in value), block_stop(index)]
        elif kind == "tool":
            body = json.dumps(value)
            pieces = [body[at : at + cut] for at in range(0, len(body), cut)]
            events += tool(index, f"t{index}", "book", *pieces)
        else:
            events += [delta({"reasoningContent": {"text": value}}, index), block_stop(index)]
    decoded = decode([*events, stop(), METADATA], first_seq=first_seq)

    sentences = [event for event in decoded if isinstance(event, Sentence)]
    assert [sentence.seq for sentence in sentences] == list(
        range(first_seq, first_seq + len(sentences))
    )
    spoken = "".join("".join(sentence.text.split()) for sentence in sentences)
    written = "".join("".join(value) for kind, value in parts if kind == "text")
    assert spoken == "".join(written.split())
    assert [event.input for event in decoded if isinstance(event, ToolUse)] == [
        value for kind, value in parts if kind == "tool"
    ]
    finished = decoded[-1]
    assert isinstance(finished, Finished)
    kinds = {"text": "text", "toolUse": "tool", "reasoningContent": "thought"}
    assert [kinds[next(iter(block))] for block in finished.content] == [
        kind for kind, value in parts if kind != "text" or "".join(value).strip()
    ]


@given(
    events=st.lists(
        st.recursive(
            st.none() | st.integers() | st.text(max_size=4) | st.binary(max_size=2),
            lambda inner: st.dictionaries(
                st.sampled_from(
                    [
                        "contentBlockDelta",
                        "contentBlockStart",
                        "contentBlockStop",
                        "contentBlockIndex",
                        "messageStop",
                        "metadata",
                        "usage",
                        "delta",
                        "start",
                        "text",
                        "toolUse",
                        "toolUseId",
                        "name",
                        "input",
                        "reasoningContent",
                        "redactedContent",
                        "signature",
                        "stopReason",
                    ]
                ),
                inner,
                max_size=3,
            ),
            max_leaves=8,
        ).filter(lambda value: isinstance(value, dict)),
        max_size=8,
    )
)
def test_no_event_makes_it_raise(events: list[Event]) -> None:
    assert isinstance(decode(events)[-1], Finished | StreamCut)


def test_the_examples_hold() -> None:
    ran = doctest.testmod(stream)
    assert ran.attempted > 0
    assert ran.failed == 0


def thought(value: Event, index: int = 0) -> Event:
    return delta({"reasoningContent": value}, index)


def test_what_comes_for_a_block_of_another_kind_is_passed_over() -> None:
    start = tool(0, "t1", "book")[0]
    said = [START, start, text("Hello."), thought({"text": "hm"}), block_stop(), stop(), METADATA]
    used, finished = decode(said)
    assert used == ToolUse("t1", "book", {})
    assert isinstance(finished, Finished) and finished.unspoken == ""
    assert [list(block) for block in finished.content] == [["toolUse"]]
    late = delta({"toolUse": {"input": "{}"}}, 3)
    assert [type(part) for part in decode([late, text("Hi."), stop(), METADATA])] == [
        Sentence,
        Finished,
    ]


def test_a_thought_of_an_unknown_kind_is_passed_over() -> None:
    events = [thought({"smell": "x"}), thought({"text": "hm"}), thought({"signature": "s"})]
    (reasoning,) = [p for p in decode([*events, block_stop()]) if isinstance(p, Reasoning)]
    assert reasoning.block == {
        "reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}
    }


def test_half_a_sentence_that_the_limit_has_cut_is_not_spoken() -> None:
    events = [text("We open at nine. We also"), block_stop(), stop("max_tokens"), METADATA]
    first, finished = decode(events)
    assert first == Sentence(1, "We open at nine.")
    assert isinstance(finished, Finished) and finished.unspoken == "We also"


def test_a_usage_that_makes_no_sense_costs_nothing() -> None:
    for told in ({"usage": None}, {"usage": {"inputTokens": -5, "outputTokens": "7"}}, None):
        assert usage_of(told) == Usage()
