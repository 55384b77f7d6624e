"""Plans of Vapi's assistants that agents have, too: recording, analysis, speaking, keys, people.

    PLANS["analysisPlan"](carried, value)      what stands there, as the table of an agent's file
    settle(carried)                            what health data do not go with is left out
    plans_of(agent, carried)                   the plans of an agent, as Vapi writes them

Contract: pure. Errors: none.
Source: specification 002, "vapiConfig"; Vapi, API reference, "Assistant" (`analysisPlan`,
`artifactPlan`, `compliancePlan`, `stopSpeakingPlan`, `keypadInputPlan`, `voicemailMessage`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from aybiza.config.agents import Agent
from aybiza.config.analysis import PROMPT_CHARACTERS, Analysis
from aybiza.config.others import is_elevenlabs
from aybiza.config.outgoing import Outgoing
from aybiza.config.vapi_parts import Carried, Take, number, parts, switch, text, texts

_KINDS: Final = frozenset(("string", "number", "integer", "boolean", "array", "object"))
_RECORDED: Final = "callers are asked or told first ([recording]); AYBIZA_RECORDINGS says where to"
_TRANSCRIPT: Final = {"role": "user", "content": "{{transcript}}"}
_NO_NAME: Final = re.compile(r"[^a-z0-9]+")
_MS: Final = 1_000


def _records(key: str) -> Take:
    def on(carried: Carried, _: Any) -> None:
        carried.result["recording"] = {}
        carried.leave(key, _RECORDED)

    return switch(key, on)


def _health(carried: Carried, _: Any) -> None:
    carried.result["health_data"] = True


def _analysis(carried: Carried) -> dict[str, Any]:
    made: dict[str, Any] = carried.result.setdefault("analysis", {})
    return made


def _summary_prompt(carried: Carried, value: Any) -> None:
    inner = Carried()
    text("analysisPlan.summaryPrompt", "summary_prompt", PROMPT_CHARACTERS)(inner, value)
    _analysis(carried).update(inner.result)
    carried.left_out += inner.left_out


def _summary_messages(carried: Carried, value: Any) -> None:
    for message in value if isinstance(value, list) else [value]:
        content = message.get("content") if isinstance(message, Mapping) else None
        if isinstance(content, str) and message.get("role") == "system":
            _summary_prompt(carried, content)
        elif message != _TRANSCRIPT:
            carried.leave("analysisPlan.summaryPlan.messages", "only what the system says is taken")


def _summary(carried: Carried, value: Any) -> None:
    if isinstance(value, bool):
        _analysis(carried)["summary"] = value
    else:
        carried.leave("analysisPlan.summaryPlan.enabled", "is neither true nor false")


def _data(key: str) -> Take:
    def take(carried: Carried, value: Any) -> None:
        if not value:
            return
        schema = _schema(value)
        try:
            Analysis.model_validate({"data": schema})
        except ValidationError as error:
            why = error.errors()[0]["msg"].removeprefix("Value error, ")
            carried.leave(key, f"cannot be carried: {why}")
            return
        if _has_null(schema):
            carried.leave(key, "cannot be carried: a file has no null")
        else:
            _analysis(carried)["data"] = schema

    return take


def _schema(value: Any) -> Any:
    """A JSON Schema; the specification writes one in short, as kinds by name."""
    if not isinstance(value, Mapping) or value.get("type") == "object" or set(value) == {"type"}:
        return value
    if all(isinstance(kind, str) and kind in _KINDS for kind in value.values()):
        members = {name: {"type": kind} for name, kind in value.items()}
        return {"type": "object", "properties": members}
    return value


def _has_null(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_null, value.values()))
    return value is None or (isinstance(value, list) and any(map(_has_null, value)))


def _data_plan(carried: Carried, value: Any) -> None:
    if isinstance(value, Mapping) and value.get("enabled") is not False:
        _DATA_PLAN(carried, value)


def _analysis_plan(carried: Carried, value: Any) -> None:
    if isinstance(value, Mapping):
        _analysis(carried)
    _ANALYSIS(carried, value)


def _nothing(carried: Carried, value: Any) -> None:
    """It says what is so in any case."""


def _speaks_first(carried: Carried, value: Any) -> None:
    if value != "assistant-speaks-first":
        carried.leave("firstMessageMode")


def _yields(carried: Carried, value: Any) -> None:
    if isinstance(value, bool):
        carried.result["greeting_yields"] = value
    else:
        carried.leave("firstMessageInterruptionsEnabled", "is neither true nor false")


def _delimiters(carried: Carried, value: Any) -> None:
    given = value if isinstance(value, list) else [value]
    if len(given) == 1 and given[0] in ("#", "*"):
        carried.result["keys_end"] = given[0]
    elif any(given):
        carried.leave("keypadInputPlan.delimiters", "one key, # or *, ends an entry")


def _voicemail(carried: Carried, value: Any) -> None:
    inner = Carried()
    text("voicemailMessage", "message", 1_000)(inner, value)
    if inner.result:
        carried.result["outbound"] = {"voicemail": "leave", **inner.result}
    carried.left_out += inner.left_out


def tools(carried: Carried, value: Any) -> None:
    """Of a model's tools those that every agent may have: to hang up, and to put through."""
    for at, tool in enumerate(value if isinstance(value, list) else [value]):
        kind = tool.get("type") if isinstance(tool, Mapping) else None
        if kind == "endCall":
            _may(carried, "end_call")
        elif kind == "transferCall" and (people := _people(tool.get("destinations"))):
            carried.result.setdefault("transfer_numbers", {}).update(people)
            _may(carried, "transfer_to_person")
        else:
            why = f"{kind or at}: name it in `tools`, and set it up in a tools' file"
            carried.leave("model.tools", why)


def _people(destinations: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in destinations if isinstance(destinations, list) else ():
        line = (one.get("number") or one.get("sipUri")) if isinstance(one, Mapping) else None
        if isinstance(line, str):
            told = str(one.get("description") or "person").lower()
            name = _NO_NAME.sub(" ", told).strip()[:40].strip() or "person"
            found[name if name not in found else f"{name} {len(found) + 1}"] = line
    return found


def _may(carried: Carried, tool: str) -> None:
    given = carried.result.setdefault("tools", [])
    if tool not in given:
        given.append(tool)


def settle(carried: Carried) -> None:
    """See the module."""
    if "tools" in carried.result:
        carried.result["tools"].sort()
    if not carried.result.get("health_data"):
        return
    for key in ("recording", "analysis"):
        if carried.result.pop(key, None) is not None:
            carried.leave(key, "with health_data nothing that is said is kept")
    for key in ("voice", "second_voice"):
        if is_elevenlabs(carried.result.get(key)):
            carried.leave(key, f"{carried.result.pop(key)}: with health_data Deepgram speaks")


_DATA_PLAN: Final = parts(
    "analysisPlan.structuredDataPlan",
    {"enabled": _nothing, "schema": _data("analysisPlan.structuredDataPlan.schema")},
)
_ANALYSIS: Final = parts(
    "analysisPlan",
    {
        "summaryPrompt": _summary_prompt,
        "structuredDataSchema": _data("analysisPlan.structuredDataSchema"),
        "structuredDataPlan": _data_plan,
        "summaryPlan": parts(
            "analysisPlan.summaryPlan", {"enabled": _summary, "messages": _summary_messages}
        ),
    },
)
PLANS: Final[Mapping[str, Take]] = {
    "recordingEnabled": _records("recordingEnabled"),
    "artifactPlan": parts(
        "artifactPlan", {"recordingEnabled": _records("artifactPlan.recordingEnabled")}
    ),
    "hipaaEnabled": switch("hipaaEnabled", _health),
    "compliancePlan": parts(
        "compliancePlan", {"hipaaEnabled": switch("compliancePlan.hipaaEnabled", _health)}
    ),
    "analysisPlan": _analysis_plan,
    "firstMessageMode": _speaks_first,
    "firstMessageInterruptionsEnabled": _yields,
    "stopSpeakingPlan": parts(
        "stopSpeakingPlan",
        {
            "numWords": number("numWords", "barge_in_words", 0, 10, int),
            "voiceSeconds": number("voiceSeconds", "barge_in_voice_ms", 0, 5_000, int, _MS),
            "acknowledgementPhrases": texts("acknowledgementPhrases", "back_channels", 100),
        },
    ),
    "keypadInputPlan": parts(
        "keypadInputPlan",
        {
            "enabled": _nothing,
            "timeoutSeconds": number("timeoutSeconds", "keys_wait_ms", 500, 15_000, int, _MS),
            "delimiters": _delimiters,
        },
    ),
    "voicemailMessage": _voicemail,
}
"""What takes the plans of an assistant, by the name there."""


def plans_of(agent: Agent, carried: Carried) -> dict[str, Any]:
    """See the module. What of a plan has no place there is left out by name."""
    made: dict[str, Any] = {
        # Without a word there calls are recorded, and the first message is not to be interrupted.
        "artifactPlan": {"recordingEnabled": agent.recording is not None},
        "firstMessageInterruptionsEnabled": agent.greeting_yields,
        "stopSpeakingPlan": {"numWords": agent.barge_in_words},
    }
    if agent.recording is not None:
        carried.leave("recording", "who has to agree is not told there; see its consent plan")
    if agent.health_data:
        made["compliancePlan"] = {"hipaaEnabled": True}
    if agent.barge_in_voice_ms:
        made["stopSpeakingPlan"]["voiceSeconds"] = agent.barge_in_voice_ms / _MS
    if agent.back_channels:
        made["stopSpeakingPlan"]["acknowledgementPhrases"] = list(agent.back_channels)
    if agent.keys_end or agent.keys_wait_ms:
        made["keypadInputPlan"] = {"enabled": True}
        if agent.keys_end:
            made["keypadInputPlan"]["delimiters"] = [agent.keys_end]
        if agent.keys_wait_ms:
            made["keypadInputPlan"]["timeoutSeconds"] = agent.keys_wait_ms / _MS
    if agent.outbound is not None:
        if agent.outbound.message:
            made["voicemailMessage"] = agent.outbound.message
        kept = Outgoing(voicemail=agent.outbound.voicemail, message=agent.outbound.message)
        if agent.outbound != kept or not agent.outbound.message:
            carried.leave("outbound", "only the message for machines is carried")
    if agent.analysis is not None:
        made["analysisPlan"] = _analysis_of(agent.analysis, carried)
    return made


def _analysis_of(analysis: Analysis, carried: Carried) -> dict[str, Any]:
    plan: dict[str, Any] = {"summaryPlan": {"enabled": analysis.summary}}
    if analysis.summary_prompt:
        told = {"role": "system", "content": analysis.summary_prompt}
        plan["summaryPlan"]["messages"] = [told, _TRANSCRIPT]
    if analysis.data:
        plan["structuredDataPlan"] = {"enabled": True, "schema": analysis.data}
    for key in ("sentiment", "intents", "offers"):
        if getattr(analysis, key):
            carried.leave(f"analysis.{key}", "Vapi's assistants have nothing of the kind")
    return plan
