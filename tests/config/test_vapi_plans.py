"""Vapi's plans are carried both ways; what health data do not go with is left out by name."""

from __future__ import annotations

from typing import Any

from aybiza.config.agents import Agent, agent_of
from aybiza.config.vapi import from_vapi, to_vapi
from aybiza.console.agent_file import toml_of
from tests.cases import each

SCHEMA = {
    "type": "object",
    "properties": {
        "outcome": {"enum": ["booked", "none"]},
        "items": {"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": "number"}]}},
    },
    "required": ["outcome"],
}


def agent(**changes: Any) -> Agent:
    given = {"name": "Desk", "greeting": "Hello.", "system_prompt": "Be kind.", **changes}
    return Agent.model_validate(given)


@each(
    [
        {"recording": {}},
        {"health_data": True},
        {"analysis": {"data": SCHEMA, "summary_prompt": "Say\nwhat is open."}},
        {"analysis": {"summary": False, "data": SCHEMA}},
        {"greeting_yields": False, "barge_in_voice_ms": 300, "back_channels": ("okay", "right")},
        {"keys_end": "#", "keys_wait_ms": 2_500},
        {"keys_wait_ms": 2_500},
        {"outbound": {"voicemail": "leave", "message": "Please call us back."}},
        {"second_voice": "elevenlabs:JBFqnCBsd6RMkjVDRZzb"},
    ]
)
def test_a_plan_comes_back_as_it_was(given: dict[str, Any]) -> None:
    own = agent(**given)
    back = from_vapi(to_vapi(own, own.system_prompt).result)
    assert agent_of(toml_of(back.result), "back") == own


@each(
    [
        ({"recordingEnabled": False}, {}, ""),
        ({"artifactPlan": {"recordingEnabled": True}}, {"recording": {}}, "artifactPlan.recording"),
        ({"hipaaEnabled": True}, {"health_data": True}, ""),
        ({"compliancePlan": {"pciEnabled": True}}, {}, "compliancePlan.pciEnabled: set keys_mas"),
        (
            {"analysisPlan": {"structuredDataSchema": {"outcome": "string", "again": "boolean"}}},
            {
                "analysis": {
                    "data": {
                        "type": "object",
                        "properties": {"outcome": {"type": "string"}, "again": {"type": "boolean"}},
                    }
                }
            },
            "",
        ),
        (
            {"analysisPlan": {"structuredDataSchema": {"type": "array"}}},
            {"analysis": {}},
            "analysisPlan.structuredDataSchema: cannot be carried: the schema has to be",
        ),
        (
            {"analysisPlan": {"structuredDataPlan": {"schema": {**SCHEMA, "default": None}}}},
            {"analysis": {}},
            "analysisPlan.structuredDataPlan.schema: cannot be carried: a file has no null",
        ),
        (
            {"analysisPlan": {"structuredDataPlan": {"enabled": False, "schema": SCHEMA}}},
            {"analysis": {}},
            "",
        ),
        ({"firstMessageMode": "assistant-waits-for-user"}, {}, "firstMessageMode: the agent spea"),
        ({"firstMessageMode": "assistant-speaks-first"}, {}, ""),
        ({"firstMessageInterruptionsEnabled": False}, {"greeting_yields": False}, ""),
        ({"firstMessageInterruptionsEnabled": "no"}, {}, "firstMessageInterruptionsEnabled: is n"),
        ({"analysisPlan": "all"}, {}, "analysisPlan: "),
        ({"analysisPlan": {"structuredDataSchema": {}}}, {"analysis": {}}, ""),
        ({"analysisPlan": {"structuredDataPlan": []}}, {"analysis": {}}, ""),
        (
            {"analysisPlan": {"summaryPlan": {"enabled": "yes"}}},
            {"analysis": {}},
            "analysisPlan.summaryPlan.enabled: is neither true nor false",
        ),
        (
            {"analysisPlan": {"summaryPlan": {"messages": {"role": "user", "content": "Sum."}}}},
            {"analysis": {}},
            "analysisPlan.summaryPlan.messages: only what the system says is taken",
        ),
        ({"keypadInputPlan": {"delimiters": "#"}}, {"keys_end": "#"}, ""),
        ({"keypadInputPlan": {"delimiters": []}}, {}, ""),
        ({"model": {"tools": "all"}}, {}, "model.tools: 0: name it in `tools`"),
        ({"model": {"messages": "Be kind."}}, {}, "model.messages: is no list"),
        (
            {"model": {"tools": [{"type": "transferCall", "destinations": [7, {"number": 7}]}]}},
            {},
            "model.tools: transferCall: name it in `tools`",
        ),
        (
            {
                "model": {
                    "tools": [
                        {
                            "type": "transferCall",
                            "destinations": [{"number": "+12025550111"}, {"sipUri": "sip:a@b.c"}],
                        }
                    ]
                }
            },
            {
                "tools": ["transfer_to_person"],
                "transfer_numbers": {"person": "+12025550111", "person 2": "sip:a@b.c"},
            },
            "",
        ),
        ({"voice": "aura"}, {}, "voice: is no object"),
        ({"transcriber": {"provider": "deepgram", "language": 7}}, {}, "transcriber.language: is "),
        ({"keypadInputPlan": {"delimiters": ["#", "*"]}}, {}, "keypadInputPlan.delimiters: one k"),
        ({"voicemailMessage": ""}, {}, "voicemailMessage: is empty"),
        ({"model": {"tools": [{"type": "dtmf"}]}}, {}, "model.tools: dtmf: name it in `tools`"),
        ({"model": {"tools": [{"type": "endCall"}]}}, {"tools": ["end_call"]}, ""),
        (
            {"compliancePlan": {"hipaaEnabled": True}, "recordingEnabled": True},
            {"health_data": True},
            "recordingEnabled: callers are asked",
        ),
    ]
)
def test_a_plan_is_carried_or_named(config: dict[str, Any], table: Any, left: str) -> None:
    carried = from_vapi(config)
    assert carried.result == {"name": "Assistant", **table}
    assert [*carried.left_out, ""][0].startswith(left) and bool(carried.left_out) == bool(left)


def test_what_is_not_said_there_is_not_left_to_their_defaults() -> None:
    there = to_vapi(agent(), "x").result
    assert there["artifactPlan"] == {"recordingEnabled": False}
    assert there["firstMessageInterruptionsEnabled"] is True
    assert to_vapi(agent(health_data=True), "x").result["compliancePlan"] == {"hipaaEnabled": True}


def test_with_health_data_nobody_else_speaks_and_nothing_is_kept() -> None:
    voice = {"provider": "11labs", "voiceId": "JBFqnCBsd6RMkjVDRZzb"}
    config = {"hipaaEnabled": True, "voice": voice, "analysisPlan": {"summaryPrompt": "Sum up."}}
    carried = from_vapi({**config, "firstMessage": "Hello."})
    assert agent_of(toml_of(carried.result), "made").health_data
    assert [line.partition(":")[0] for line in carried.left_out] == ["analysis", "voice"]


def test_of_calls_to_people_only_the_message_for_machines_is_carried() -> None:
    quiet = to_vapi(agent(outbound={"voicemail": "hang_up"}), "x")
    assert "voicemailMessage" not in quiet.result
    assert "outbound: only the message for machines is carried" in quiet.left_out


def test_what_of_an_analysis_has_no_place_there_is_named() -> None:
    own = agent(analysis={"intents": {"booking": ("book",)}}, recording={})
    left = [line.partition(":")[0] for line in to_vapi(own, "x").left_out]
    assert left == ["recording", "analysis.intents", "model.model"]
