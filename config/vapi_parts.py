"""What exchanging assistants with Vapi is made of: what was carried, and takers of one value each.

    carried = Carried({"name": "Desk"})
    text("firstMessage", "greeting", 500)(carried, "Hello.")     carried.result["greeting"]

A taker takes a value of Vapi's over, or leaves it out by name and with the reason.

Contract: pure. Errors: none.
Source: Vapi, API reference, "Assistant".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Take = Callable[["Carried", Any], None]

_SPEECH = "calls are heard by Deepgram, and spoken by it or ElevenLabs"
_MODELS = "calls are answered by Claude on Bedrock; AWS_BEDROCK_MODELS has the node's models"
_ENDS = "endpointing_ms, utterance_end_ms and patience_ms say when a turn is over"
_EVENTS = "what happens on calls is told by the node's records and sinks"
_THEIRS = "is Vapi's own"
WHY: Final[Mapping[str, str]] = {
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
    "voice.fallbackPlan": "only its first voice is carried, if it is of Deepgram or ElevenLabs",
    "endpointingConfig": _ENDS,
    "startSpeakingPlan": _ENDS,
    "firstMessageMode": "the agent speaks first",
    "compliancePlan.pciEnabled": "set keys_masked where card numbers are entered",
    "analysisPlan": "[analysis] has a summary and data by a schema; `aybiza evals` judges goals",
    "serverUrl": _EVENTS,
    "server": _EVENTS,
    "serverMessages": _EVENTS,
    "clientMessages": _EVENTS,
    "id": _THEIRS,
    "orgId": _THEIRS,
    "createdAt": _THEIRS,
    "updatedAt": _THEIRS,
}
"""Why something of a configuration has no place in an agent."""


@dataclass(slots=True)
class Carried:
    """See the module."""

    result: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def leave(self, what: str, why: str = "") -> None:
        """Something has no place on the other side."""
        reason = why or WHY.get(what) or WHY.get(what.partition(".")[0]) or "has no place here"
        self.left_out.append(f"{what}: {reason}")


def text(key: str, to: str, most: int) -> Take:
    def take(carried: Carried, value: Any) -> None:
        text = value.strip() if isinstance(value, str) else ""
        if not text:
            carried.leave(key, "is empty, or no text")
        elif len(text) > most:
            carried.leave(key, f"is longer than {most} characters")
        else:
            carried.result[to] = text

    return take


def number(
    key: str, to: str, least: float, most: float, kind: type = float, times: float = 1
) -> Take:
    """`least` and `most` are of what is carried, which is so many `times` what stands there."""

    def take(carried: Carried, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            carried.leave(key, "is no number")
            return
        if not least <= times * value <= most:
            span = f"{least / times:g} to {most / times:g}"
            carried.leave(key, f"{value} is outside of {span}: the nearest is taken")
        carried.result[to] = kind(min(max(times * value, least), most))

    return take


def parts(key: str, takes: Mapping[str, Take]) -> Take:
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


def texts(key: str, to: str, most: int, longest: int = 100) -> Take:
    """A list of texts of so many characters."""

    def take(carried: Carried, value: Any) -> None:
        given = value if isinstance(value, list) else [None]
        found = [one.strip() for one in given if isinstance(one, str) and len(one.strip()) > 0]
        fitting = [one for one in found if len(one) <= longest][:most]
        if len(fitting) < len(given):
            carried.leave(key, f"only texts of {longest} characters, {most} at most, are carried")
        if fitting:
            carried.result[to] = fitting

    return take


def switch(key: str, on: Take) -> Take:
    """A truth value; `on` is done where it is set."""

    def take(carried: Carried, value: Any) -> None:
        if value is True:
            on(carried, value)
        elif value is not False:
            carried.leave(key, "is neither true nor false")

    return take
