"""Converse requests: what is carried, what is dropped; and none is one that Bedrock refuses."""

from __future__ import annotations

import base64
import json
from datetime import date
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude.converse import Guardrail, Thinking, converse_request, tool_result
from aybiza.claude.models import SHIPPED, profile_of
from aybiza.emulators.bedrock import validation
from aybiza.emulators.bedrock.reply import signature
from tests.claude.bedrock_rules import refusals, thinks
from tests.claude.histories import MESSAGES, assistant, text, tool_use, user

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NO_SAMPLING = "global.anthropic.claude-haiku-5-5"
ALWAYS = "global.anthropic.claude-sonnet-5-5"
ADAPTIVE = "global.anthropic.claude-sonnet-4-6"
IN_SERVICE = [
    f"{profile}.{model.id}"
    for model in SHIPPED.models.values()
    if not model.retired(date(2026, 11, 20))
    for profile in model.profiles
]
TOOL = {
    "toolSpec": {
        "name": "book",
        "description": "Book an appointment.",
        "inputSchema": {"json": {"type": "object"}},
    }
}
HELLO = [{"role": "user", "content": [{"text": "Hello"}]}]
SIGNED = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}
ARN = "arn:aws:bedrock:us-east-1:1:guardrail/"
LONG = "Say only what the caller needs to know. " * 500


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


class TestThinking:
    def test_a_budget_is_added_to_the_answers_tokens(self) -> None:
        request = converse_request(HAIKU, HELLO, max_tokens=300, thinking=Thinking(3000))
        assert request["inferenceConfig"] == {"maxTokens": 3300}
        assert request["additionalModelRequestFields"] == {
            "thinking": {"type": "enabled", "budget_tokens": 3000}
        }

    def test_effort_goes_to_a_model_that_thinks_adaptively(self) -> None:
        request = converse_request(ADAPTIVE, HELLO, thinking=Thinking(effort="high"))
        assert request["outputConfig"] == {"effort": "high"}
        assert request["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}

    def test_sampling_is_dropped_while_it_thinks(self) -> None:
        request = converse_request(
            HAIKU, HELLO, thinking=Thinking(), temperature=0.3, top_p=0.9, top_k=5
        )
        assert request["inferenceConfig"].keys() == {"maxTokens"}
        assert request["additionalModelRequestFields"].keys() == {"thinking"}

    def test_a_model_that_thinks_unasked_is_told_not_to(self) -> None:
        request = converse_request(NO_SAMPLING, HELLO)
        assert request["additionalModelRequestFields"] == {"thinking": {"type": "disabled"}}
        assert request["inferenceConfig"] == {"maxTokens": 300}

    def test_a_model_that_always_thinks_has_room_for_it(self) -> None:
        request = converse_request(ALWAYS, HELLO, max_tokens=300)
        assert request["outputConfig"] == {"effort": "low"}
        assert request["inferenceConfig"]["maxTokens"] > 1_000
        assert "additionalModelRequestFields" not in request

    def test_a_budget_does_not_begin_in_the_middle_of_a_tool_loop(self) -> None:
        results = user(tool_result("t1", "done"))
        unthought = [*HELLO, assistant(tool_use("t1")), results]
        thought = [*HELLO, assistant(SIGNED, tool_use("t1")), results]
        assert not thinks(converse_request(HAIKU, unthought, thinking=Thinking()))
        assert thinks(converse_request(HAIKU, thought, thinking=Thinking()))
        assert thinks(converse_request(ADAPTIVE, unthought, thinking=Thinking()))

    def test_a_model_that_does_not_think_is_given_no_reasoning(self) -> None:
        history = [*HELLO, assistant(SIGNED, text("Hi.")), user(text("Go on."))]
        assert converse_request("us.other", history)["messages"][1] == assistant(text("Hi."))

    def test_another_models_reasoning_is_left_out_when_asked(self) -> None:
        history = [*HELLO, assistant(SIGNED, text("Hi.")), user(text("Go on."))]
        kept = converse_request(ADAPTIVE, history)["messages"][1]["content"]
        dropped = converse_request(ADAPTIVE, history, keep_reasoning=False)["messages"][1]
        assert kept == [SIGNED, text("Hi.")]
        assert dropped["content"] == [text("Hi.")]


class TestToolChoice:
    @pytest.mark.parametrize(
        ("choice", "sent"),
        [
            ("auto", {"auto": {}}),
            ("any", {"any": {}}),
            ({"auto": {}}, {"auto": {}}),
            ({"tool": {"name": "book"}}, {"tool": {"name": "book"}}),
        ],
    )
    def test_a_choice_is_the_object_that_converse_wants(self, choice: Any, sent: Any) -> None:
        request = converse_request(HAIKU, HELLO, tools=[TOOL], tool_choice=choice)
        assert request["toolConfig"]["toolChoice"] == sent

    @pytest.mark.parametrize(
        ("model", "thinking"), [(ALWAYS, None), (HAIKU, Thinking()), (ADAPTIVE, Thinking())]
    )
    def test_force_is_dropped_where_it_is_refused(
        self, model: str, thinking: Thinking | None
    ) -> None:
        forced = converse_request(model, HELLO, tools=[TOOL], tool_choice="any", thinking=thinking)
        assert forced["toolConfig"] == {"tools": [TOOL]}
        free = converse_request(model, HELLO, tools=[TOOL], tool_choice="auto", thinking=thinking)
        assert free["toolConfig"]["toolChoice"] == {"auto": {}}

    def test_nothing_is_forced_on_a_model_that_nobody_knows(self) -> None:
        config = converse_request("us.other", HELLO, tools=[TOOL], tool_choice="any")["toolConfig"]
        assert config == {"tools": [TOOL]}

    def test_without_tools_there_is_no_choice(self) -> None:
        assert "toolConfig" not in converse_request(HAIKU, HELLO, tool_choice="any")

    def test_a_tool_that_is_gone_is_never_forced(self) -> None:
        history = [*HELLO, assistant(tool_use("t1")), user(tool_result("t1", "done"))]
        config = converse_request(HAIKU, history, tool_choice="any")["toolConfig"]
        assert "toolChoice" not in config

    @pytest.mark.parametrize(
        "choice", ["none", {"tool": {"name": "sell"}}, {"auto": {}, "any": {}}, {"tool": "book"}]
    )
    def test_a_choice_that_cannot_be_is_named(self, choice: Any) -> None:
        with pytest.raises(ValueError, match="tool_choice"):
            converse_request(HAIKU, HELLO, tools=[TOOL], tool_choice=choice)


class TestPrefill:
    def test_the_answer_is_begun_where_that_is_taken(self) -> None:
        request = converse_request(HAIKU, HELLO, prefill="The appointment is ")
        assert request["messages"][-1] == assistant(text("The appointment is"))

    @pytest.mark.parametrize(
        ("model", "thinking"), [(ADAPTIVE, None), (NO_SAMPLING, None), (HAIKU, Thinking())]
    )
    def test_a_prefill_is_dropped_where_it_is_refused(
        self, model: str, thinking: Thinking | None
    ) -> None:
        request = converse_request(model, HELLO, prefill="The", thinking=thinking)
        assert request["messages"] == HELLO


class TestTheRest:
    def test_a_guardrail_looks_on_beside_the_stream(self) -> None:
        request = converse_request(HAIKU, HELLO, guardrail=Guardrail("abc", "3"))
        assert request["guardrailConfig"] == {
            "guardrailIdentifier": "abc",
            "guardrailVersion": "3",
            "trace": "disabled",
            "streamProcessingMode": "async",
        }

    @pytest.mark.parametrize(
        ("setting", "guardrail"),
        [
            (None, None),
            ("abc:DRAFT", Guardrail("abc", "DRAFT")),
            ("arn:aws:bedrock:us-east-1:1:guardrail/abc:7", Guardrail(f"{ARN}abc", "7")),
        ],
    )
    def test_a_guardrail_is_read_from_its_setting(
        self, setting: str | None, guardrail: Guardrail | None
    ) -> None:
        assert Guardrail.of(setting) == guardrail

    def test_cache_points_are_set_when_asked_for(self) -> None:
        without = converse_request(HAIKU, HELLO, system=LONG)
        assert without["system"] == [text(LONG)]
        cached = converse_request(HAIKU, HELLO, system=LONG, cache="1h")
        assert cached["system"][-1] == {"cachePoint": {"type": "default", "ttl": "1h"}}

    def test_a_profile_is_asked_by_its_own_id(self) -> None:
        arn = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{HAIKU}"
        request = converse_request(profile_of(arn), HELLO, temperature=0.3)
        assert request["modelId"] == arn
        assert request["inferenceConfig"]["temperature"] == 0.3

    def test_a_tools_schema_must_be_an_object(self) -> None:
        schema = {"inputSchema": {"json": {"type": "string"}}}
        with pytest.raises(ValueError, match="'book': inputSchema must be"):
            converse_request(HAIKU, HELLO, tools=[{"toolSpec": {"name": "book", **schema}}])

    def test_a_tools_empty_description_is_left_out(self) -> None:
        tools = [{"toolSpec": {"name": "book", "description": " "}}]
        request = converse_request(HAIKU, HELLO, tools=tools)
        assert request["toolConfig"]["tools"] == [
            {"toolSpec": {"name": "book", "inputSchema": {"json": {"type": "object"}}}}
        ]

    def test_what_is_no_number_is_no_temperature(self) -> None:
        request = converse_request(HAIKU, HELLO, temperature=float("nan"), top_p=0.5)
        assert request["inferenceConfig"] == {"maxTokens": 300, "topP": 0.5}

    def test_a_model_of_the_specification_takes_every_sampling_parameter(self) -> None:
        model = "anthropic.claude-3-5-sonnet-20241022-v2:0"
        request = converse_request(model, HELLO, temperature=0.3, top_p=0.9, top_k=250)
        assert request["inferenceConfig"] == {"maxTokens": 300, "temperature": 0.3, "topP": 0.9}
        assert request["additionalModelRequestFields"] == {"top_k": 250}


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "system": st.sampled_from(["", "Be brief.", LONG, LONG * 2]),
        "tools": st.sampled_from([[], [TOOL], [{"toolSpec": {"name": "look"}}, TOOL]]),
        "tool_choice": st.sampled_from(["auto", "any", {"auto": {}}, {"any": {}}]),
        "max_tokens": st.integers(1, 200_000),
        "temperature": st.floats(),
        "top_p": st.floats(),
        "top_k": st.integers(-5, 1_000),
        "stop_sequences": st.lists(st.sampled_from(["END", " ", ""]), max_size=3),
        "thinking": st.builds(
            Thinking, st.integers(0, 200_000), st.sampled_from([None, "low", "medium", "high"])
        ),
        "prefill": st.sampled_from(["", " ", "The ", "The"]),
        "cache": st.sampled_from(["5m", "1h"]),
        "guardrail": st.just(Guardrail("abc", "DRAFT", trace=True)),
        "keep_reasoning": st.booleans(),
        "call_id": st.text(max_size=3),
        "tenant_id": st.text(max_size=3),
    },
)


@given(
    messages=MESSAGES, model=st.sampled_from([*IN_SERVICE, "other", "us.other"]), options=OPTIONS
)
def test_no_history_and_no_options_make_a_request_that_bedrock_refuses(
    messages: list[dict[str, Any]], model: str, options: dict[str, Any]
) -> None:
    assert refusals(converse_request(model, messages, **options)) == []


@given(messages=MESSAGES, model=st.sampled_from(IN_SERVICE), options=OPTIONS)
def test_no_history_and_no_options_make_a_request_that_the_emulator_refuses(
    messages: list[dict[str, Any]], model: str, options: dict[str, Any]
) -> None:
    request = converse_request(model, messages, **options)
    assert validation.refusal(model, on_the_wire(request)) is None


def on_the_wire(request: dict[str, Any]) -> Any:
    """The body of the request, its thoughts signed by the emulator."""
    body = json.loads(json.dumps(request, default=lambda data: base64.b64encode(data).decode()))
    for message in body["messages"]:
        for block in message["content"]:
            if signed := block.get("reasoningContent", {}).get("reasoningText"):
                signed["signature"] = signature(signed["text"])
    del body["modelId"]
    return body


@given(messages=MESSAGES, model=st.sampled_from(IN_SERVICE), options=OPTIONS)
def test_botocore_finds_nothing_wrong_with_any_request(
    messages: list[dict[str, Any]], model: str, options: dict[str, Any]
) -> None:
    assert complaint(converse_request(model, messages, **options)) == ""


SHAPE = get_session().get_service_model("bedrock-runtime").operation_model("ConverseStream")


def complaint(request: dict[str, Any]) -> str:
    """What the client library would refuse to send."""
    assert SHAPE.input_shape is not None
    return str(ParamValidator().validate(request, SHAPE.input_shape).generate_report())
