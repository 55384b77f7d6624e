"""Agents and Vapi's assistants: what is carried comes back, what is not is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.config.agents import Agent, agent_of
from aybiza.config.vapi import from_vapi, to_vapi
from aybiza.console.agent_file import toml_of
from tests.config.test_js_literal import VALUES

ASSISTANT: dict[str, Any] = {
    "name": "Harbour Hotel",
    "transcriber": {
        "provider": "deepgram",
        "model": "nova-2",
        "language": "en-US",
        "smartFormat": True,
        "keywords": ["Harbour:10", "suite"],
    },
    "model": {
        "provider": "openai",
        "model": "gpt-4",
        "temperature": 0.7,
        "maxTokens": 250,
        "messages": [{"role": "system", "content": "You take bookings.\n\nAsk one question."}],
    },
    "voice": {"provider": "11labs", "voiceId": "abc", "stability": 0.5},
    "firstMessage": "Hi! Thanks for calling Harbour Hotel.",
    "endpointingConfig": {"endpointingSensitivity": 0.5},
    "maxDurationSeconds": 900,
    "silenceTimeoutSeconds": 30,
    "recordingEnabled": True,
    "hipaaEnabled": False,
    "analysisPlan": {"summaryPrompt": "Sum up."},
}


def agent(**changes: Any) -> Agent:
    given = {"name": "Desk", "greeting": "Hello.", "system_prompt": "Be kind.", **changes}
    return Agent.model_validate(given)


def test_an_assistant_becomes_an_agent_that_can_be_used() -> None:
    carried = from_vapi(ASSISTANT)
    made = agent_of(toml_of(carried.result), "made")
    assert made.name == "Harbour Hotel"
    assert made.greeting == ASSISTANT["firstMessage"]
    assert made.system_prompt == "You take bookings.\n\nAsk one question."
    assert (made.keyterms, made.max_tokens, made.temperature) == (("Harbour", "suite"), 250, 0.7)
    assert (made.max_duration_s, made.silence_timeout_s, made.silence_again_s) == (900, 15, 15)
    assert made.listen_model == "nova-3"
    assert made.recording is not None and made.recording.consent == "by_number"
    assert made.analysis is not None and made.analysis.summary_prompt == "Sum up."
    assert not made.health_data


def test_what_has_no_place_is_named_with_its_reason() -> None:
    left = {line.partition(":")[0]: line for line in from_vapi(ASSISTANT).left_out}
    assert set(left) == {
        "transcriber.model",
        "transcriber.smartFormat",
        "transcriber.keywords",
        "model.provider",
        "model.model",
        "voice.provider",
        "voice.voiceId",
        "voice.stability",
        "endpointingConfig",
        "recordingEnabled",
    }
    assert "Claude on Bedrock" in left["model.model"]
    assert all(line.partition(": ")[2] for line in left.values())


def test_what_is_carried_comes_back() -> None:
    own = agent(
        closing="Bye.",
        language="en-GB",
        voice="aura-2-arcas-en",
        keyterms=("Harbour",),
        endpointing_ms=250,
        barge_in_words=2,
        max_tokens=200,
        temperature=0.5,
        max_duration_s=600.0,
        silence_timeout_s=10.0,
        silence_again_s=10.0,
        tools=("end_call", "transfer_to_person"),
        transfer_numbers={"person": "+14155550100"},
    )
    there = to_vapi(own, own.system_prompt)
    back = from_vapi(there.result)
    assert agent_of(toml_of(back.result), "back") == own
    assert [line.partition(":")[0] for line in there.left_out] == ["model.model"]
    assert [line.partition(":")[0] for line in back.left_out] == ["model.provider"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"voiceId": "JBFqnCBsd6RMkjVDRZzb"}, "elevenlabs:JBFqnCBsd6RMkjVDRZzb"),
        (
            {"voiceId": "JBFqnCBsd6RMkjVDRZzb", "model": "eleven_flash_v2_5"},
            "elevenlabs:JBFqnCBsd6RMkjVDRZzb/eleven_flash_v2_5",
        ),
    ],
)
def test_a_voice_of_elevenlabs_is_carried_both_ways(theirs: dict[str, str], ours: str) -> None:
    voice = {"provider": "11labs", **theirs}
    there = from_vapi({**ASSISTANT, "voice": {**voice, "stability": 0.5}})
    assert there.result["voice"] == ours
    named = [line.partition(":")[0] for line in there.left_out if line.startswith("voice")]
    assert named == ["voice.stability"]
    assert to_vapi(agent(voice=ours), "").result["voice"] == voice


def test_what_vapi_has_not_is_named() -> None:
    own = agent(tools=("look_up",), hours={"monday": ("09:00-17:00",)}, filler="Wait.")
    left = [line.partition(":")[0] for line in to_vapi(own, own.system_prompt).left_out]
    assert left == ["model.model", "tools", "filler", "hours"]


@pytest.mark.parametrize("key", ["transcriber", "model", "voice", "silenceTimeoutSeconds"])
@given(value=VALUES)
def test_whatever_stands_there_is_taken_or_named(key: str, value: Any) -> None:
    carried = from_vapi({key: value})
    assert carried.result["name"] == "Assistant"


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=3))
def test_what_is_unknown_is_named(config: dict[str, Any]) -> None:
    carried = from_vapi(config)
    assert len(carried.left_out) >= len([v for v in config.values() if not isinstance(v, dict)])


@pytest.mark.parametrize(
    ("config", "left"),
    [
        ({"firstMessage": ""}, "firstMessage: is empty, or no text"),
        ({"firstMessage": 5}, "firstMessage: is empty, or no text"),
        ({"name": "x" * 101}, "name: is longer than 100 characters"),
        ({"maxDurationSeconds": "long"}, "maxDurationSeconds: is no number"),
        ({"maxDurationSeconds": 5}, "maxDurationSeconds: 5 is outside of 10 to 14400"),
        ({"transcriber": 5}, "transcriber: is no object"),
        ({"transcriber": {"provider": "talkscriber"}}, "transcriber.provider: talkscriber: calls"),
        ({"transcriber": {"keywords": "suite"}}, "transcriber.keywords: is no list of texts"),
        ({"transcriber": {"language": 5}}, "transcriber.language: is no text"),
        ({"model": {"messages": 5}}, "model.messages: is no list"),
        (
            {"model": {"messages": [{"role": "user", "content": "Hi."}, 5]}},
            "model.messages.0: only what the system says is carried",
        ),
        ({"voice": 5}, "voice: is no object"),
        ({"endCallFunctionEnabled": "yes"}, "endCallFunctionEnabled: is neither true nor false"),
        ({"forwardingPhoneNumber": 5}, "forwardingPhoneNumber: is no text"),
        ({"server": {"url": "https://a"}}, "server: what happens on calls is told by"),
    ],
)
def test_a_value_that_cannot_be_is_left_out_by_its_name_there(
    config: dict[str, Any], left: str
) -> None:
    assert from_vapi(config).left_out[0].startswith(left)


def test_what_is_switched_off_there_is_not_here() -> None:
    carried = from_vapi({"endCallFunctionEnabled": False})
    assert (carried.result, carried.left_out) == ({"name": "Assistant"}, [])


def test_a_value_that_is_the_same_as_none_is_not_named_as_lost() -> None:
    own = agent(filler=Agent.model_fields["filler"].default)
    assert [line.partition(":")[0] for line in to_vapi(own, "x").left_out] == ["model.model"]


def test_the_words_that_a_language_has_by_default_are_not_named_as_lost() -> None:
    own = agent(languages=("fr", "en-US"))
    left = [line.partition(":")[0] for line in to_vapi(own, "x").left_out]
    assert left == ["model.model", "languages"]


@pytest.mark.parametrize(
    "people", [{"person": "+14155550100"}, {"sales": "+14155550100", "front desk": "sip:a@b.c"}]
)
def test_whoever_callers_are_put_through_to_is_carried_both_ways(people: dict[str, str]) -> None:
    own = agent(tools=("transfer_to_person",), transfer_numbers=people)
    there = to_vapi(own, own.system_prompt)
    assert agent_of(toml_of(from_vapi(there.result).result), "back") == own
    old = from_vapi({"name": "Desk", "forwardingPhoneNumber": "+14155550100"})
    assert old.result["transfer_numbers"] == {"person": "+14155550100"}
