"""Converse requests: their shape, and that no history makes one that Bedrock refuses."""

from __future__ import annotations

import copy
import datetime
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from claude.converse import (
    CALL_BEGINS,
    GO_ON,
    NO_RESULT,
    converse_request,
    normalise_messages,
    tool_result,
)
from tests.claude.bedrock_rules import refusals

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NO_SAMPLING = "global.anthropic.claude-haiku-5-5"
TOOL = {
    "toolSpec": {
        "name": "book",
        "description": "Book an appointment.",
        "inputSchema": {"json": {"type": "object"}},
    }
}
HELLO = [{"role": "user", "content": [{"text": "Hello"}]}]


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def text(value: str) -> dict[str, Any]:
    return {"text": value}


def tool_use(tool_use_id: str, name: str = "book") -> dict[str, Any]:
    return {"toolUse": {"toolUseId": tool_use_id, "name": name, "input": {"day": "Monday"}}}


class TestConverseRequest:
    def test_a_plain_request_has_only_what_it_needs(self) -> None:
        assert converse_request(HAIKU, HELLO, max_tokens=200) == {
            "modelId": HAIKU,
            "messages": HELLO,
            "inferenceConfig": {"maxTokens": 200},
        }

    def test_everything_given_is_carried(self) -> None:
        request = converse_request(
            HAIKU,
            HELLO,
            system=["Be brief.", " ", "Be kind."],
            tools=[TOOL],
            temperature=0.3,
            stop_sequences=["END", " "],
            call_id="CA1",
            tenant_id="clinic",
        )
        assert request["system"] == [{"text": "Be brief."}, {"text": "Be kind."}]
        assert request["toolConfig"] == {"tools": [TOOL]}
        assert request["inferenceConfig"] == {
            "maxTokens": 300,
            "temperature": 0.3,
            "stopSequences": ["END"],
        }
        assert request["requestMetadata"] == {"call": "CA1", "tenant": "clinic"}

    def test_one_system_text_may_be_given_as_a_string(self) -> None:
        assert converse_request(HAIKU, HELLO, system="Be brief.")["system"] == [text("Be brief.")]

    def test_temperature_goes_before_top_p_and_never_with_it(self) -> None:
        both = converse_request(HAIKU, HELLO, temperature=0.2, top_p=0.9)
        assert both["inferenceConfig"] == {"maxTokens": 300, "temperature": 0.2}
        only = converse_request(HAIKU, HELLO, top_p=0.9)
        assert only["inferenceConfig"] == {"maxTokens": 300, "topP": 0.9}

    @pytest.mark.parametrize("model", [NO_SAMPLING, "an-unknown-model"])
    def test_a_model_that_takes_no_sampling_parameter_gets_none(self, model: str) -> None:
        request = converse_request(model, HELLO, temperature=0.2, top_p=0.9)
        assert request["inferenceConfig"] == {"maxTokens": 300}

    @pytest.mark.parametrize(("given", "sent"), [(1.5, 1.0), (-1.0, 0.0)])
    def test_sampling_stays_in_its_range(self, given: float, sent: float) -> None:
        request = converse_request(HAIKU, HELLO, temperature=given)
        assert request["inferenceConfig"]["temperature"] == sent

    def test_max_tokens_is_lowered_to_the_models_limit(self) -> None:
        request = converse_request(HAIKU, HELLO, max_tokens=1_000_000)
        assert request["inferenceConfig"]["maxTokens"] == 64_000

    def test_max_tokens_below_one_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            converse_request(HAIKU, HELLO, max_tokens=0)

    def test_metadata_is_reduced_to_what_is_allowed(self) -> None:
        request = converse_request(HAIKU, HELLO, call_id="CA<1>é" + "x" * 300, tenant_id=" ")
        assert request["requestMetadata"] == {"call": ("CA_1__" + "x" * 300)[:256]}

    def test_a_history_with_tools_brings_a_tool_config_of_its_own(self) -> None:
        history = [*HELLO, assistant(tool_use("t1")), user(tool_result("t1", "done"))]
        request = converse_request(HAIKU, history)
        names = [tool["toolSpec"]["name"] for tool in request["toolConfig"]["tools"]]
        assert names == ["book"]
        assert refusals(request) == []

    @pytest.mark.parametrize(
        ("tools", "message"),
        [
            ([{"name": "book"}], "toolSpec"),
            ([{"toolSpec": {"name": "book an appointment"}}], "letters, digits"),
            ([TOOL, TOOL], "twice"),
        ],
    )
    def test_a_bad_tool_definition_is_named(self, tools: list[Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            converse_request(HAIKU, HELLO, tools=tools)

    def test_botocore_finds_nothing_wrong_with_the_shape(self) -> None:
        history = [
            *HELLO,
            assistant(
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
                text("One moment."),
                tool_use("t1"),
            ),
            user(tool_result("t1", {"free": [9, 10]})),
        ]
        request = converse_request(
            HAIKU, history, system="Be brief.", tools=[TOOL], temperature=0.3, call_id="CA1"
        )
        operation = (
            get_session().get_service_model("bedrock-runtime").operation_model("ConverseStream")
        )
        assert operation.input_shape is not None
        report = ParamValidator().validate(request, operation.input_shape)
        assert not report.has_errors(), report.generate_report()


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

    def test_a_tool_use_id_is_used_once(self) -> None:
        history = normalise_messages(
            [
                user(text("a")),
                assistant(tool_use("t1"), tool_use("t1")),
                user(tool_result("t1", "one"), tool_result("t1", "again")),
                assistant(text("b"), tool_use("t1")),
            ]
        )
        assert history[1:] == [
            assistant(tool_use("t1")),
            user(tool_result("t1", "one")),
            assistant(text("b")),
            user(text(GO_ON)),
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


IDS = st.sampled_from(["t1", "t2", "t3", "bad id!", "", "x" * 80])
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=4)
    | st.just("\ud83d")
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
BLOCKS = st.one_of(
    st.builds(text, st.text(st.characters(), max_size=5) | st.just("\ud83d")),
    st.builds(
        lambda i, n, v: {"toolUse": {"toolUseId": i, "name": n, "input": v}}, IDS, IDS, ANYTHING
    ),
    st.builds(tool_result, IDS, ANYTHING),
    st.builds(lambda i, v: {"toolResult": {"toolUseId": i, "content": v}}, IDS, ANYTHING),
    st.builds(
        lambda i, v: {"toolResult": {"toolUseId": i, "content": [{"json": v}, {"text": " "}]}},
        IDS,
        ANYTHING,
    ),
    st.just({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}),
    st.just({"reasoningContent": {"reasoningText": {"text": "hm"}}}),
    st.just({"reasoningContent": {"redactedContent": b"r"}}),
    st.just({"cachePoint": {"type": "default"}}),
    ANYTHING,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "assistant", "user", "assistant", "system", None]),
            "content": st.lists(BLOCKS, max_size=5) | ANYTHING,
        }
    ),
    max_size=8,
)


@given(messages=MESSAGES, model=st.sampled_from([HAIKU, NO_SAMPLING, "other"]))
def test_no_history_makes_a_request_that_bedrock_refuses(
    messages: list[dict[str, Any]], model: str
) -> None:
    request = converse_request(
        model, messages, temperature=0.5, top_p=0.5, call_id="CA1", system="Be brief."
    )
    assert refusals(request) == []


@given(messages=MESSAGES)
def test_normalising_twice_changes_nothing(messages: list[dict[str, Any]]) -> None:
    once = normalise_messages(messages)
    assert normalise_messages(once) == once
