"""ElevenLabs' streamed speech without sockets: what is refused, what is said, and when.

    eleven = ElevenLabs(engine)
    steps = await eleven.answer(request, arrived)      see `aybiza.emulators.streamed.steps`

Contract: `POST /v1/text-to-speech/{voice_id}/stream` is answered with the engine's audio, mu-law at
8000 Hz, in pieces of irregular size and faster than real time (`pace`). What the service refuses is
refused with its status and its code: a key that is missing or none of `keys`, a body that does not
fit (422), an empty text, one over the model's limit, a voice that is none of `voices`, a model that
there is not, more than `at_a_time` requests at once, and more characters than `credit`. Audio in
another format than telephone audio is refused by this stand-in.
Errors: none.
Source: ElevenLabs, "Stream speech", models, errors.
"""

from __future__ import annotations

import json
import random
import re
from collections import deque
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

from aybiza.emulators.deepgram.engine import Engine, SynthesisError
from aybiza.emulators.deepgram.speak import PIECE_BYTES, SAMPLES_A_SECOND, Pace
from aybiza.emulators.streamed.faults import Faults, struck
from aybiza.emulators.streamed.steps import Begin, End, Piece, Request, Step, error

OUTPUT: Final = "ulaw_8000"
MODELS: Final = {
    "eleven_flash_v2_5": 40_000,
    "eleven_flash_v2": 30_000,
    "eleven_turbo_v2_5": 40_000,
    "eleven_multilingual_v2": 10_000,
    "eleven_v3": 5_000,
}
"""Each model with the most characters of a text."""
KEPT: Final = 512
_PATH = re.compile(r"/v1/text-to-speech/([^/]+)/stream")
_CODES: Final = {
    401: "invalid_api_key",
    402: "payment_required",
    404: "voice_not_found",
    429: "system_busy",
}


class Said(NamedTuple):
    """What was asked for."""

    voice: str
    model: str
    text: str


class Refused(Exception):
    """The request is answered with an error of the service's form."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"detail": {"status": code, "message": message}}


class ElevenLabs:
    """See the module. Settings may be changed while it answers. `said` is what was asked for."""

    def __init__(self, engine: Engine, *, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self.faults = Faults()
        self.keys = self.voices = "*"
        self.at_a_time = 10
        self.credit = 1_000_000
        self.said: deque[Said] = deque(maxlen=KEPT)
        # Texts of which a fault has left out the end, in an answer that is whole.
        self.shortened: deque[str] = deque(maxlen=KEPT)
        self._engine = engine
        self._under_way = 0

    async def answer(self, request: Request, arrived: float) -> Iterator[Step]:
        """See the module."""
        try:
            asked = self._checked(request)
            fault = self.faults.take()
            if fault is not None and fault.kind == "refuse":
                code = _CODES.get(fault.code, "internal_error")
                raise Refused(fault.code, code, "refused on demand")
            try:
                # Spoken by itself: what comes before and behind it is no part of its last word.
                audio = await self._engine.synthesise(f"{asked.text} ", asked.voice)
            except SynthesisError:
                raise Refused(500, "internal_error", "the text could not be spoken") from None
        except Refused as refused:
            return error(refused.status, refused.body)
        self.said.append(asked)
        if fault is not None and fault.kind == "short":
            self.shortened.append(asked.text)
        self.credit -= len(asked.text)
        return self._counted(struck(self._steps(asked, audio), fault))

    def _checked(self, request: Request) -> Said:
        key = request.headers.get("xi-api-key", "")
        if not key or not fnmatchcase(key, self.keys):
            raise Refused(401, "invalid_api_key", "Invalid API key")
        found = _PATH.fullmatch(request.target.path)
        if request.method != "POST" or found is None:
            raise Refused(404, "not_found", "Not Found")
        output = parse_qs(request.target.query).get("output_format", ["mp3_44100_128"])
        if output != [OUTPUT]:
            told = f"the stand-in speaks {OUTPUT} only"
            raise Refused(400, "invalid_output_format", told)
        text, model = _body(request.body)
        if not fnmatchcase(found[1], self.voices):
            told = f"A voice with the voice_id {found[1]} was not found."
            raise Refused(404, "voice_not_found", told)
        if model not in MODELS:
            told = f"A model with model ID {model} does not exist"
            raise Refused(400, "model_not_found", told)
        if not text.strip():
            raise Refused(400, "empty_text", "The text is empty.")
        if len(text) > MODELS[model]:
            told = f"The text has more than {MODELS[model]} characters."
            raise Refused(400, "max_character_limit_exceeded", told)
        if len(text) > self.credit:
            told = (
                f"This request exceeds your quota. You have {self.credit} credits remaining, while"
                f" {len(text)} credits are required for this request."
            )
            raise Refused(401, "quota_exceeded", told)
        if self._under_way >= self.at_a_time:
            told = f"You have exceeded your {self.at_a_time} concurrent requests."
            raise Refused(429, "too_many_concurrent_requests", told)
        return Said(found[1], model, text)

    def _steps(self, asked: Said, audio: bytes) -> Iterator[Step]:
        chance = random.Random(asked.text)
        due = self.pace.first_ms / 1000.0
        yield Step(due, Begin(200, [("content-type", "audio/basic")]))
        while audio:
            size = chance.randint(*PIECE_BYTES)
            piece, audio = audio[:size], audio[size:]
            yield Step(due, Piece(piece))
            due += len(piece) / SAMPLES_A_SECOND / self.pace.times_real_time
        yield Step(due, End())

    def _counted(self, steps: Iterator[Step]) -> Iterator[Step]:
        self._under_way += 1
        try:
            yield from steps
        finally:
            self._under_way -= 1


def _body(raw: bytes) -> tuple[str, str]:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    text = body.get("text") if isinstance(body, dict) else None
    model = body.get("model_id", "eleven_multilingual_v2") if isinstance(body, dict) else None
    if isinstance(text, str) and isinstance(model, str):
        return text, model
    refused = Refused(422, "", "a body with `text` and `model_id` is wanted")
    where = ["body", "model_id" if isinstance(text, str) else "text"]
    refused.body = {"detail": [{"loc": where, "msg": "Field required", "type": "missing"}]}
    raise refused
