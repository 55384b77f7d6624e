"""Vapi's assistants and agents of ours: what can be carried from one to the other, and what cannot.

    carried = from_vapi(config)       carried.result: the table of an agent's file
    carried = to_vapi(agent)          carried.result: an assistant's configuration
    carried.left_out                  what has no place on the other side, and why; a line each

Contract: pure; `config` is what an API or a file of Vapi's holds, whatever that is: what has a
wrong type is left out by name. What is carried there and back is the same.
Errors: none.
Source: specification 002, "Pattern 1: Vapi.ai Implementation"; Vapi, API reference, "Assistant".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aybiza.config.agents import Agent
from aybiza.config.others import elevenlabs_voice, is_elevenlabs
from aybiza.config.vapi_parts import WHY, Carried, Take, number, parts, switch, text
from aybiza.config.vapi_plans import PLANS, plans_of, settle, tools

UNTITLED: Final = "Assistant"
HALF: Final = 2.0


def from_vapi(config: Mapping[str, Any], name: str = "") -> Carried:
    """The table of an agent's file. `name`: the agent's, if the configuration has none."""
    carried = Carried({"name": name or UNTITLED})
    for key, value in config.items():
        take = _TAKES.get(key)
        if take is not None:
            take(carried, value)
        elif isinstance(value, Mapping) and key not in WHY:
            for inner in value:
                carried.leave(f"{key}.{inner}")
        else:
            carried.leave(key)
    settle(carried)
    return carried


def _keywords(carried: Carried, value: Any) -> None:
    words = [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(words) < len(value):
        carried.leave("transcriber.keywords", "is no list of texts")
    terms = [word.partition(":")[0].strip() for word in words]
    known = carried.result.get("keyterms", [])
    carried.result["keyterms"] = list(dict.fromkeys([*known, *filter(None, terms)]))[:100]
    if any(":" in word for word in words):
        carried.leave("transcriber.keywords", "how much a word is preferred is Deepgram's to judge")


def _transcriber_model(carried: Carried, value: Any) -> None:
    model = str(value)
    if model.startswith(("nova-3", "flux-")):
        carried.result["listen_model"] = model
    else:
        carried.leave("transcriber.model", f"{model}: nova-3, which takes keyterms, is used")


def _messages(carried: Carried, value: Any) -> None:
    if not isinstance(value, list):
        carried.leave("model.messages", "is no list")
        return
    prompts = []
    for at, message in enumerate(value):
        content = message.get("content") if isinstance(message, Mapping) else None
        if isinstance(content, str) and message.get("role") == "system" and content.strip():
            prompts.append(content.strip())
        else:
            carried.leave(f"model.messages.{at}", "only what the system says is carried")
    if prompts:
        carried.result["system_prompt"] = "\n\n".join(prompts)


def _voice(carried: Carried, value: Any) -> None:
    """Of Deepgram's voices their model, of ElevenLabs' their id; of others nothing."""
    if not isinstance(value, Mapping):
        carried.leave("voice", "is no object")
        return
    rest = dict(value)
    named = _named(rest)
    if named is not None:
        carried.result["voice"] = named
        for key in ("provider", "voiceId", "model"):
            rest.pop(key, None)
    match rest.get("fallbackPlan"):
        case {"voices": [{} as second, *more]} if (other := _named(second)) is not None:
            carried.result["second_voice"] = other
            if not more:
                del rest["fallbackPlan"]
    for key in rest:
        carried.leave(f"voice.{key}")


def _named(voice: Mapping[str, Any]) -> str | None:
    """How an agent's file names a voice, if it can."""
    told, model = voice.get("voiceId"), voice.get("model") or "aura-2"
    if voice.get("provider") == "11labs":
        return _elevenlabs(voice)
    if voice.get("provider") != "deepgram" or not isinstance(told, str):
        return None
    return told if told.startswith("aura-") else f"{model}-{told}-en"


def _elevenlabs(voice: Mapping[str, Any]) -> str | None:
    """The name of a voice of ElevenLabs' by its id; Vapi has names of its own for some, too."""
    model = f"/{voice['model']}" if voice.get("model") else ""
    name = f"elevenlabs:{voice.get('voiceId')}{model}"
    return name if is_elevenlabs(name) else None


def _language(carried: Carried, value: Any) -> None:
    if isinstance(value, str):
        carried.result["language"] = value
    else:
        carried.leave("transcriber.language", "is no text")


def _silence(carried: Carried, value: Any) -> None:
    """Half of it until the caller is asked, half until the end."""
    number("silenceTimeoutSeconds", "silence_timeout_s", 2, 1_200)(carried, value)
    whole = carried.result.get("silence_timeout_s")
    if whole is not None:
        carried.result["silence_timeout_s"] = carried.result["silence_again_s"] = whole / HALF


def _ends_calls(carried: Carried, _: Any) -> None:
    tools(carried, {"type": "endCall"})


def _forwards(carried: Carried, value: Any) -> None:
    if not isinstance(value, str):
        carried.leave("forwardingPhoneNumber", "is no text")
        return
    tools(carried, {"type": "transferCall", "destinations": [{"number": value}]})


def _provider(key: str, ours: str) -> Any:
    def take(carried: Carried, value: Any) -> None:
        if value != ours:
            carried.leave(key, f"{value}: {WHY[key]}")

    return take


_TAKES: Final[Mapping[str, Take]] = {
    "name": text("name", "name", 100),
    "firstMessage": text("firstMessage", "greeting", 500),
    "endCallMessage": text("endCallMessage", "closing", 500),
    "maxDurationSeconds": number("maxDurationSeconds", "max_duration_s", 10, 14_400),
    "silenceTimeoutSeconds": _silence,
    "endCallFunctionEnabled": switch("endCallFunctionEnabled", _ends_calls),
    "forwardingPhoneNumber": _forwards,
    "transcriber": parts(
        "transcriber",
        {
            "provider": _provider("transcriber.provider", "deepgram"),
            "model": _transcriber_model,
            "language": _language,
            "keywords": _keywords,
            "keyterm": _keywords,
            "endpointing": number("transcriber.endpointing", "endpointing_ms", 10, 5_000, int),
        },
    ),
    "model": parts(
        "model",
        {
            "temperature": number("model.temperature", "temperature", 0, 1),
            "maxTokens": number("model.maxTokens", "max_tokens", 1, 4_096, int),
            "messages": _messages,
            "tools": tools,
        },
    ),
    "voice": _voice,
    **PLANS,
}

_CARRIED: Final = frozenset(
    (
        "name",
        "system_prompt",
        "greeting",
        "closing",
        "language",
        "listen_model",
        "voice",
        "keyterms",
        "endpointing_ms",
        "barge_in_words",
        "max_tokens",
        "temperature",
        "silence_timeout_s",
        "silence_again_s",
        "max_duration_s",
        "second_voice",
        "health_data",
        "recording",
        "analysis",
        "greeting_yields",
        "barge_in_voice_ms",
        "back_channels",
        "keys_end",
        "keys_wait_ms",
        "outbound",
    )
)


def _transfers(people: Mapping[str, str]) -> dict[str, Any]:
    destinations = [
        {"type": "sip", "sipUri": line, "description": name}
        if line.startswith("sip")
        else {"type": "number", "number": line, "description": name}
        for name, line in people.items()
    ]
    return {"type": "transferCall", "destinations": destinations}


def _vapi_voice(voice: str) -> dict[str, Any]:
    if not is_elevenlabs(voice):
        return {"provider": "deepgram", "voiceId": voice}
    voice_id, model = elevenlabs_voice(voice)
    return {"provider": "11labs", "voiceId": voice_id} | ({"model": model} if model else {})


def to_vapi(agent: Agent, prompt: str) -> Carried:
    """An assistant's configuration. `prompt`: all that the agent's model is told at first."""
    config: dict[str, Any] = {
        "name": agent.name,
        "firstMessage": agent.greeting,
        "endCallMessage": agent.closing,
        "transcriber": {
            "provider": "deepgram",
            "model": agent.listen_model,
            "language": agent.language,
            "keyterm": list(agent.keyterms),
            "endpointing": agent.endpointing_ms,
        },
        "model": {
            "provider": "anthropic",
            "temperature": agent.temperature,
            "maxTokens": agent.max_tokens,
            "messages": [{"role": "system", "content": prompt}],
        },
        "voice": _vapi_voice(agent.voice),
    }
    carried = Carried(config)
    config |= plans_of(agent, carried)
    if agent.second_voice is not None:
        config["voice"]["fallbackPlan"] = {"voices": [_vapi_voice(agent.second_voice)]}
    if agent.max_duration_s is not None:
        config["maxDurationSeconds"] = agent.max_duration_s
    if agent.silence_timeout_s is not None:
        again = agent.silence_again_s or HALF * agent.silence_timeout_s
        config["silenceTimeoutSeconds"] = agent.silence_timeout_s + again
    left = set(agent.tools)
    if "end_call" in left:
        config["endCallFunctionEnabled"] = True
        left.discard("end_call")
    if puts_through := bool(agent.transfer_numbers and "transfer_to_person" in left):
        config["model"]["tools"] = [_transfers(agent.transfer_numbers)]
        left.discard("transfer_to_person")
    carried.leave("model.model", "name one of Vapi's models: the node chooses it for each turn")
    if left:
        carried.leave("tools", f"set them up at Vapi: {', '.join(sorted(left))}")
    told = {"name": agent.name, "type": agent.type, "greeting": agent.greeting}
    defaults = type(agent).model_validate({**told, "language": agent.language})
    for key in sorted(agent.model_fields_set - _CARRIED - {"tools", "type", "custom_instructions"}):
        if key == "transfer_numbers" and puts_through:
            continue
        if getattr(agent, key) != getattr(defaults, key):
            carried.leave(key, "Vapi's assistants have nothing of the kind")
    if agent.type != type(agent).model_fields["type"].default:
        carried.leave("type", "its prompt and its voice are carried; set it again on the way back")
    return carried
