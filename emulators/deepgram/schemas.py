"""The messages that Deepgram sends, as JSON Schemas: data to hold every emulated message against.

Contract: `SCHEMAS` has a schema for each door and message type; members that are not named are not
allowed. `problem` says what is wrong with a message, or None.
Errors: none; a type that a door does not have is a problem like any other.
Source: Deepgram's AsyncAPI document, server messages of /v1/listen, /v2/listen and /v1/speak.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from aybiza.emulators.deepgram.faults import Door

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
UUID: Schema = {"type": "string", "format": "uuid"}
NUMBER: Schema = {"type": "number"}
SECONDS: Schema = {"type": "number", "minimum": 0}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}


def _list(of: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": of, **more}


def _object(required: Mapping[str, Schema], **optional: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _message(kind: str, required: Mapping[str, Schema], **optional: Schema) -> Schema:
    return _object({"type": {"const": kind}, **required}, **optional)


CHANNEL = _list(COUNT, minItems=2, maxItems=2)
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
TERMS: Schema = {"oneOf": [TEXT, _list(TEXT)]}

WORD = _object(
    {"word": TEXT, "start": SECONDS, "end": SECONDS, "confidence": SHARE},
    language=TEXT,
    punctuated_word=TEXT,
    speaker=COUNT,
)
ALTERNATIVE = _object(
    {"transcript": TEXT, "confidence": SHARE, "words": _list(WORD)},
    languages=_list(TEXT),
    languages_hinted=_list(TEXT),
)
MODEL = _object({"name": TEXT, "version": TEXT, "arch": TEXT})
TURN_WORD = _object({"word": TEXT, "confidence": SHARE}, start=SECONDS, end=SECONDS)
TURN_EVENT: Schema = {
    "enum": ["Update", "StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"]
}
SEQUENCE = {"sequence_id": COUNT}
ASKED = {"request_id": UUID, **SEQUENCE}

SCHEMAS: dict[Door, dict[str, Schema]] = {
    "listen": {
        "Results": _message(
            "Results",
            {
                "channel_index": CHANNEL,
                "duration": SECONDS,
                "start": SECONDS,
                "channel": _object({"alternatives": _list(ALTERNATIVE, minItems=1)}),
                "metadata": _object({"request_id": UUID, "model_info": MODEL, "model_uuid": UUID}),
            },
            is_final=FLAG,
            speech_final=FLAG,
            from_finalize=FLAG,
        ),
        "Metadata": _message(
            "Metadata",
            {
                "transaction_key": TEXT,
                "request_id": UUID,
                "sha256": SHA256,
                "created": TIME,
                "duration": SECONDS,
                "channels": COUNT,
            },
        ),
        "UtteranceEnd": _message(
            "UtteranceEnd",
            {"channel": CHANNEL, "last_word_end": {"type": "number", "minimum": -1}},
        ),
        "SpeechStarted": _message("SpeechStarted", {"channel": CHANNEL, "timestamp": SECONDS}),
        "ConfigureSuccess": _message("ConfigureSuccess", {"request_id": UUID}, keyterms=TERMS),
        "ConfigureFailure": _message(
            "ConfigureFailure", {"request_id": UUID, "code": TEXT, "description": TEXT}
        ),
        "Error": _message("Error", {"variant": TEXT, "description": TEXT}, code=TEXT, message=TEXT),
    },
    "flux": {
        "Connected": _message("Connected", ASKED),
        "TurnInfo": _message(
            "TurnInfo",
            {
                **ASKED,
                "event": TURN_EVENT,
                "turn_index": COUNT,
                "audio_window_start": SECONDS,
                "audio_window_end": SECONDS,
                "transcript": TEXT,
                "words": _list(TURN_WORD),
                "end_of_turn_confidence": SHARE,
            },
            trigger={"enum": ["model", "manual", "timeout"]},
            languages=_list(TEXT),
            languages_hinted=_list(TEXT),
        ),
        "ConfigureSuccess": _message(
            "ConfigureSuccess",
            {
                **ASKED,
                "thresholds": _object(
                    {},
                    eot_threshold=SHARE,
                    eager_eot_threshold=SHARE,
                    eot_timeout_ms=COUNT,
                ),
                "keyterms": TERMS,
            },
            language_hints=_list(TEXT),
        ),
        "ConfigureFailure": _message("ConfigureFailure", ASKED, code=TEXT, description=TEXT),
        "Warning": _message("Warning", {**ASKED, "code": TEXT, "description": TEXT}),
        "Error": _message("Error", {**SEQUENCE, "code": TEXT, "description": TEXT}),
    },
    "speak": {
        "Metadata": _message(
            "Metadata",
            {
                "request_id": UUID,
                "model_name": TEXT,
                "model_version": TEXT,
                "model_uuid": UUID,
            },
            additional_model_uuids=_list(UUID),
        ),
        "Flushed": _message("Flushed", SEQUENCE),
        "Cleared": _message("Cleared", SEQUENCE),
        "Warning": _message("Warning", {"code": TEXT, "description": TEXT}),
    },
}


def problem(door: Door, message: Mapping[str, Any]) -> str | None:
    """What is wrong with a message of a door; None when it is as the document has it."""
    kind = str(message.get("type"))
    if kind not in SCHEMAS[door]:
        return f"{door} has no message of type {kind!r:.80}"
    error = next(iter(_validator(door, kind).iter_errors(message)), None)
    return None if error is None else f"{kind}{error.json_path[1:]}: {error.message:.200}"


@lru_cache(maxsize=64)
def _validator(door: Door, kind: str) -> Draft202012Validator:
    return Draft202012Validator(SCHEMAS[door][kind], format_checker=FormatChecker())
