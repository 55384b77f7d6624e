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

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aybiza.config.agents import Agent
from aybiza.config.others import elevenlabs_voice, is_elevenlabs

UNTITLED: Final = "Assistant"
HALF: Final = 2.0

_SPEECH = "calls are heard by Deepgram, and spoken by it or ElevenLabs"
_MODELS = "calls are answered by Claude on Bedrock; AWS_BEDROCK_MODELS has the node's models"
_ENDS = "endpointing_ms and utterance_end_ms say when a turn is over"
_WHY: Final[Mapping[str, str]] = {
    "transcriber.provider": _SPEECH,
    "transcriber.smartFormat": "calls are always heard with it",
    "model.provider": _MODELS,
    "model.model": _MODELS,
    "model.tools": "tools are named in `tools` and set up in AYBIZA_TOOLS_FILE",
    "voice.provider": f"{_SPEECH}; name a voice of it in `voice`",
    "voice.voiceId": f"{_SPEECH}; name a voice of it in `voice`",
    "voice.stability": "voices speak as they were made",
    "voice.similarityBoost": "voices speak as they were made",
    "voice.optimizeStreamingLatency": "the first sentence is always spoken at once",
    "endpointingConfig": _ENDS,
    "recordingEnabled": "set [recording], and AYBIZA_RECORDINGS to a folder for them",
    "hipaaEnabled": "set health_data, and name in health_tools who may have what is said",
    "analysisPlan": "calls are not analysed when they are over",
}
"""Why something of a configuration has no place in an agent."""


@dataclass(slots=True)
class Carried:
    """See the module."""

    result: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def leave(self, what: str, why: str = "") -> None:
        """Something has no place on the other side."""
        reason = why or _WHY.get(what) or _WHY.get(what.partition(".")[0]) or "has no place here"
        self.left_out.append(f"{what}: {reason}")


def from_vapi(config: Mapping[str, Any], name: str = "") -> Carried:
    """The table of an agent's file. `name`: the agent's, if the configuration has none."""
    carried = Carried({"name": name or UNTITLED})
    for key, value in config.items():
        take = _TAKES.get(key)
        if take is not None:
            take(carried, value)
        elif isinstance(value, Mapping) and key not in _WHY:
            for inner in value:
                carried.leave(f"{key}.{inner}")
        else:
            carried.leave(key)
    return carried


def _text(key: str, to: str, most: int) -> Callable[[Carried, Any], None]:
    def take(carried: Carried, value: Any) -> None:
        text = value.strip() if isinstance(value, str) else ""
        if not text:
            carried.leave(key, "is empty, or no text")
        elif len(text) > most:
            carried.leave(key, f"is longer than {most} characters")
        else:
            carried.result[to] = text

    return take


def _number(key: str, to: str, least: float, most: float, kind: type = float) -> Any:
    def take(carried: Carried, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            carried.leave(key, "is no number")
            return
        if not least <= value <= most:
            carried.leave(key, f"{value} is outside of {least:g} to {most:g}: the nearest is taken")
        carried.result[to] = kind(min(max(value, least), most))

    return take


def _parts(key: str, takes: Mapping[str, Callable[[Carried, Any], None]]) -> Any:
    def take(carried: Carried, value: Any) -> None:
        if not isinstance(value, Mapping):
            carried.leave(key, "is no object")
            return
        for name, part in value.items():
            taken = takes.get(name)
            if taken is not None:
                taken(carried, part)
            else:
                carried.leave(f"{key}.{name}")

    return take


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
    for number, message in enumerate(value):
        content = message.get("content") if isinstance(message, Mapping) else None
        if isinstance(content, str) and message.get("role") == "system" and content.strip():
            prompts.append(content.strip())
        else:
            carried.leave(f"model.messages.{number}", "only what the system says is carried")
    if prompts:
        carried.result["system_prompt"] = "\n\n".join(prompts)


def _voice(carried: Carried, value: Any) -> None:
    """Of Deepgram's voices their model, of ElevenLabs' their id; of others nothing."""
    if not isinstance(value, Mapping):
        carried.leave("voice", "is no object")
        return
    rest = dict(value)
    if rest.get("provider") == "deepgram" and isinstance(rest.get("voiceId"), str):
        voice = rest.pop("voiceId")
        model = rest.pop("model", "aura-2")
        del rest["provider"]
        carried.result["voice"] = voice if voice.startswith("aura-") else f"{model}-{voice}-en"
    elif rest.get("provider") == "11labs" and (named := _elevenlabs(rest)) is not None:
        for key in ("provider", "voiceId", "model"):
            rest.pop(key, None)
        carried.result["voice"] = named
    for key in rest:
        carried.leave(f"voice.{key}")


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
    _number("silenceTimeoutSeconds", "silence_timeout_s", 2, 1_200)(carried, value)
    whole = carried.result.get("silence_timeout_s")
    if whole is not None:
        carried.result["silence_timeout_s"] = carried.result["silence_again_s"] = whole / HALF


def _ends_calls(carried: Carried, value: Any) -> None:
    if value is True:
        carried.result.setdefault("tools", []).append("end_call")
    elif value is not False:
        carried.leave("endCallFunctionEnabled", "is neither true nor false")


def _forwards(carried: Carried, value: Any) -> None:
    if not isinstance(value, str):
        carried.leave("forwardingPhoneNumber", "is no text")
        return
    carried.result["transfer_numbers"] = {"person": value}
    carried.result.setdefault("tools", []).append("transfer_to_person")


def _provider(key: str, ours: str) -> Any:
    def take(carried: Carried, value: Any) -> None:
        if value != ours:
            carried.leave(key, f"{value}: {_WHY[key]}")

    return take


_TAKES: Final[Mapping[str, Callable[[Carried, Any], None]]] = {
    "name": _text("name", "name", 100),
    "firstMessage": _text("firstMessage", "greeting", 500),
    "endCallMessage": _text("endCallMessage", "closing", 500),
    "maxDurationSeconds": _number("maxDurationSeconds", "max_duration_s", 10, 14_400),
    "silenceTimeoutSeconds": _silence,
    "endCallFunctionEnabled": _ends_calls,
    "forwardingPhoneNumber": _forwards,
    "transcriber": _parts(
        "transcriber",
        {
            "provider": _provider("transcriber.provider", "deepgram"),
            "model": _transcriber_model,
            "language": _language,
            "keywords": _keywords,
            "keyterm": _keywords,
            "endpointing": _number("transcriber.endpointing", "endpointing_ms", 10, 5_000, int),
        },
    ),
    "model": _parts(
        "model",
        {
            "temperature": _number("model.temperature", "temperature", 0, 1),
            "maxTokens": _number("model.maxTokens", "max_tokens", 1, 4_096, int),
            "messages": _messages,
        },
    ),
    "voice": _voice,
    "stopSpeakingPlan": _parts(
        "stopSpeakingPlan", {"numWords": _number("numWords", "barge_in_words", 0, 10, int)}
    ),
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
    )
)


def _vapi_voice(voice: str) -> dict[str, str]:
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
        "stopSpeakingPlan": {"numWords": agent.barge_in_words},
    }
    if agent.max_duration_s is not None:
        config["maxDurationSeconds"] = agent.max_duration_s
    if agent.silence_timeout_s is not None:
        again = agent.silence_again_s or HALF * agent.silence_timeout_s
        config["silenceTimeoutSeconds"] = agent.silence_timeout_s + again
    carried = Carried(config)
    tools = set(agent.tools)
    if "end_call" in tools:
        config["endCallFunctionEnabled"] = True
        tools.discard("end_call")
    if len(agent.transfer_numbers) == 1 and "transfer_to_person" in tools:
        (config["forwardingPhoneNumber"],) = agent.transfer_numbers.values()
        tools.discard("transfer_to_person")
    carried.leave("model.model", "name one of Vapi's models: the node chooses it for each turn")
    if tools:
        carried.leave("tools", f"set them up at Vapi: {', '.join(sorted(tools))}")
    defaults = type(agent)(name=agent.name, type=agent.type, greeting=agent.greeting)
    for key in sorted(agent.model_fields_set - _CARRIED - {"tools", "type", "custom_instructions"}):
        if key == "transfer_numbers" and "forwardingPhoneNumber" in config:
            continue
        if getattr(agent, key) != getattr(defaults, key):
            carried.leave(key, "Vapi's assistants have nothing of the kind")
    return carried
