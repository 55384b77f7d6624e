"""A stand-in for the model that reads the record of a call: a summary and data by a schema.

    respond = reading(respond)       answers requests for JSON by a schema; others as before

A request is one for JSON where its system prompt speaks of a JSON Schema and has that schema as a
paragraph of its own; its first message is the record, a line a side ("Caller: …", "You: …"). The
summary tells the caller's first words and the agent's last. Data is looked for in the caller's
words: of an `enum` what was said of it, for numbers the first that is within their bounds (digits
or words), for a text the sentence in which the member's name stands, a yes where it was named. What
was not said is left out, or the least that the schema takes where it is required.

Contract: pure; the same request has the same answer. Errors: none; what cannot be filled in does
not fit, as a model's may not.
Source: JSON Schema 2020-12.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Iterator, Mapping
from typing import Any, Final

from aybiza.emulators.bedrock.clinic.words import TEENS, TENS, UNITS
from aybiza.emulators.bedrock.continuation import Body, Responder, text_of
from aybiza.emulators.bedrock.reply import Reply, say

ASKS: Final = "JSON Schema"
SAID_CHARACTERS: Final = 300

_NOTHING: Final = object()
_NUMBERS: Final = UNITS | TEENS | TENS
_NUMBER = re.compile(rf"-?\d+(?:\.\d+)?|\b(?:{'|'.join(_NUMBERS)})\b", re.I)
_SENTENCE = re.compile(r"[^.?!\n]+[.?!]*")
_LEAST: Final[Mapping[str, Any]] = {"boolean": False, "null": None}


def reading(responder: Responder) -> Responder:
    """See the module."""

    def respond(body: Body) -> Reply | Awaitable[Reply]:
        schema = _schema(body)
        if schema is None:
            return responder(body)
        return say(json.dumps(read(schema, text_of(body["messages"][0])), ensure_ascii=False))

    return respond


def read(schema: Mapping[str, Any], record: str) -> Any:
    """What the record has of what the schema asks for.

    >>> read({"properties": {"seats": {"type": "integer"}}}, "Caller: A table for two.")
    {'seats': 2}
    """
    said = _side(record, "Caller")
    found = _found("", schema, "\n".join(said))
    found = {} if found is _NOTHING else found
    if "summary" in schema.get("properties", {}):
        found = {**found, "summary": _summary(said, _side(record, "You"))}
    return found


def _schema(body: Body) -> Mapping[str, Any] | None:
    system = "\n\n".join(str(block.get("text", "")) for block in body.get("system") or ())
    if ASKS not in system:
        return None
    for paragraph in system.split("\n\n"):
        try:
            value = json.loads(paragraph)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, Mapping) and "properties" in value:
            return value
    return None


def _side(record: str, who: str) -> list[str]:
    beginning = f"{who}: "
    lines = record.splitlines()
    return [line.removeprefix(beginning) for line in lines if line.startswith(beginning)]


def _summary(caller: list[str], agent: list[str]) -> str:
    if not caller:
        return "The caller said nothing."
    last = f" The last answer was: {_short(agent[-1])}" if agent else ""
    turns = "once" if len(caller) == 1 else f"{len(caller)} times"
    return f"The caller spoke {turns} and began with: {_short(caller[0])}{last}"


def _short(text: str) -> str:
    return text if len(text) <= SAID_CHARACTERS else text[: SAID_CHARACTERS - 1] + "…"


def _found(name: str, schema: Any, said: str) -> Any:
    """The value that the words have for a member of this name, or `_NOTHING`."""
    if not isinstance(schema, Mapping):
        return _NOTHING
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return next((v for v in schema["enum"] if _named(str(v), said)), _NOTHING)
    match _type(schema):
        case "object":
            return _object(schema, said)
        case "array":
            item = _found(name, schema.get("items"), said)
            return _NOTHING if item is _NOTHING else [item]
        case "integer" | "number" as kind:
            return next(_numbers(schema, said, whole=kind == "integer"), _NOTHING)
        case "boolean":
            return True if _named(name, said) else _NOTHING
        case "string":
            sentences = (part.strip() for part in _SENTENCE.findall(said))
            most = schema.get("maxLength")
            return next((one[:most] for one in sentences if _named(name, one)), _NOTHING)
    return _NOTHING


def _object(schema: Mapping[str, Any], said: str) -> dict[str, Any]:
    required = schema.get("required", ())
    found: dict[str, Any] = {}
    for name, member in schema.get("properties", {}).items():
        value = _found(name, member, said)
        if value is not _NOTHING:
            found[name] = value
        elif name in required:
            found[name] = _least(member)
    return found


def _least(schema: Any) -> Any:
    """The least that fits."""
    if not isinstance(schema, Mapping):
        return ""
    if schema.get("enum"):
        return schema["enum"][-1]
    match _type(schema):
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "array":
            return [_least(schema.get("items"))] * schema.get("minItems", 0)
        case "object":
            return _object(schema, "")
        case kind:
            return _LEAST.get(kind, "-" * schema.get("minLength", 0))


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kinds = kind if isinstance(kind, list) else [kind]
    return next((str(each) for each in kinds if each != "null"), "null")


def _named(name: str, said: str) -> bool:
    words = name.replace("_", " ").strip()
    return bool(words) and re.search(rf"\b{re.escape(words)}", said, re.I) is not None


def _numbers(schema: Mapping[str, Any], said: str, *, whole: bool) -> Iterator[int | float]:
    least, most = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
    for told in _NUMBER.findall(said):
        value = float(_NUMBERS.get(told.lower(), told))
        if least <= value <= most and (value.is_integer() or not whole):
            yield int(value) if value.is_integer() else value
