"""A listen v1 socket: audio and orders in, Deepgram's messages out. Pure: a `Session`.

`Listening` decides what is said to the audio; here is what is said to `KeepAlive`, `Finalize`,
`CloseStream` and to silence on the line, and `Distortion` is asked about all of it.

Source: Deepgram, listen v1, websocket messages; "KeepAlive"; "Finalize".
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from aybiza.emulators.deepgram.distortion import Distortion
from aybiza.emulators.deepgram.engine import Recogniser
from aybiza.emulators.deepgram.faults import Strike, never
from aybiza.emulators.deepgram.identity import Identity
from aybiza.emulators.deepgram.listen import Listening, Message, Parameters
from aybiza.emulators.deepgram.session import Action, Close, Note, earliest, said

SILENCE_SECONDS = 10.0


class ListenSession:
    """One listen v1 socket; after `silence_seconds` without a message it is closed."""

    def __init__(
        self,
        recogniser: Recogniser,
        parameters: Parameters,
        identity: Identity,
        note: Note,
        strike: Strike = never,
        *,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._recogniser = recogniser
        self._identity = identity
        self._listening = Listening(recogniser, parameters, identity)
        self._note = note
        self._strike = strike
        self._distortion = Distortion(strike)
        self._silence = silence_seconds
        self._closes_at = 0.0
        self._digest = hashlib.sha256()

    @property
    def due(self) -> float | None:
        return earliest(self._closes_at, self._distortion.due)

    def opened(self, now: float) -> list[Action]:
        self._closes_at = now + self._silence
        return []

    async def received(self, now: float, message: str | bytes) -> list[Action]:
        self._closes_at = now + self._silence
        if isinstance(message, bytes):
            self._digest.update(message)
            return self._say(now, await self._listening.audio(message))
        try:
            told = json.loads(message)
        except (ValueError, RecursionError):
            told = None
        match told:
            case {"type": "KeepAlive"}:
                return []
            case {"type": "Configure"}:
                return [said(_configured(told, self._identity.request_id))]
            case {"type": "Finalize"}:
                self._note("finalize")
                if self._strike("no_finalize", ""):
                    return []
                return self._say(now, await self._listening.finalize())
            case {"type": "CloseStream"}:
                rest = self._say(now, await self._listening.end())
                return [*rest, self._metadata(), Close(1000)]
        return [Close(1008, "DATA-0000: the message is not understood")]

    def wake(self, now: float) -> list[Action]:
        if now >= self._closes_at:
            reason = "NET-0001: no audio was received in time"
            return [self._metadata(), Close(1011, reason)]
        return [said(message) for message in self._distortion.wake(now)]

    def synthesised(self, now: float, ticket: int, audio: bytes | None) -> list[Action]:
        return []

    async def gone(self) -> None:
        await self._recogniser.close()

    def _say(self, now: float, messages: list[Message]) -> list[Action]:
        out: list[Action] = []
        for message in messages:
            for told in self._distortion.through(now, message):
                self._enter(told)
                out.append(said(told))
        return out

    def _enter(self, message: Message) -> None:
        if message.get("is_final"):
            text = message["channel"]["alternatives"][0]["transcript"]
            self._note("final", text=text, speech_final=message["speech_final"])
        elif message["type"] == "SpeechStarted":
            self._note("speech_started")

    def _metadata(self) -> Action:
        seconds = self._listening.seconds
        return said(self._identity.listen_metadata(seconds, self._digest.hexdigest()))


def _configured(told: dict[str, Any], request_id: str) -> Message:
    """What is said to a `Configure`: the terms are taken, or are no list of texts."""
    terms = told.get("keyterms", [])
    if isinstance(terms, list) and all(isinstance(term, str) for term in terms):
        return {"type": "ConfigureSuccess", "request_id": request_id, "keyterms": terms}
    return {
        "type": "ConfigureFailure",
        "request_id": request_id,
        "code": "CONFIGURE_INTERNAL_ERROR",
        "description": "keyterms has to be a list of texts",
    }
