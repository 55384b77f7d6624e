"""ElevenLabs' streamed speech without sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

from aybiza.emulators.deepgram.engine import ScriptedEngine
from aybiza.emulators.deepgram.speak import Pace
from aybiza.emulators.elevenlabs.service import ElevenLabs
from aybiza.emulators.streamed.faults import Fault
from aybiza.emulators.streamed.steps import Begin, End, Piece, Request, Step, Whole
from tests.cases import each

URL = "http://h/v1/text-to-speech/JBF/stream?output_format=ulaw_8000"
BODY = {"text": "Good morning.", "model_id": "eleven_flash_v2_5"}


def steps(eleven: ElevenLabs, body: Any = BODY, url: str = URL, key: str = "k") -> list[Step]:
    request = Request("POST", urlsplit(url), {"xi-api-key": key}, json.dumps(body).encode())
    return list(asyncio.run(_all(eleven, request)))


async def _all(eleven: ElevenLabs, request: Request) -> list[Step]:
    return list(await eleven.answer(request, 0.0))


def refused(eleven: ElevenLabs, **asked: Any) -> tuple[int, Any]:
    (step,) = steps(eleven, **asked)
    assert isinstance(step.action, Whole)
    detail = json.loads(step.action.body)["detail"]
    return step.action.status, detail["status"] if isinstance(detail, dict) else detail[0]["loc"]


def test_audio_comes_in_pieces_faster_than_it_is_heard() -> None:
    eleven = ElevenLabs(ScriptedEngine(), pace=Pace(200, 4))
    made = steps(eleven)
    assert isinstance(made[0].action, Begin) and isinstance(made[-1].action, End)
    audio = b"".join(step.action.data for step in made if isinstance(step.action, Piece))
    assert made[1].at == 0.2 and made[-1].at == 0.2 + len(audio) / 8000 / 4
    assert eleven.said[-1].text == "Good morning." and eleven.credit == 1_000_000 - 13


@each(
    (
        ({}, {"key": ""}, (401, "invalid_api_key")),
        ({"keys": "other"}, {}, (401, "invalid_api_key")),
        ({"voices": "x*"}, {}, (404, "voice_not_found")),
        ({"credit": 5}, {}, (401, "quota_exceeded")),
        ({"at_a_time": 0}, {}, (429, "too_many_concurrent_requests")),
        ({}, {"url": "http://h/v1/voices"}, (404, "not_found")),
        ({}, {"url": URL.partition("?")[0]}, (400, "invalid_output_format")),
        ({}, {"body": {"text": "x", "model_id": "gpt"}}, (400, "model_not_found")),
        ({}, {"body": {"text": " ", "model_id": "eleven_v3"}}, (400, "empty_text")),
        (
            {},
            {"body": {"text": "x" * 5_001, "model_id": "eleven_v3"}},
            (400, "max_character_limit_exceeded"),
        ),
        ({}, {"body": {"model_id": "eleven_v3"}}, (422, ["body", "text"])),
        ({}, {"body": []}, (422, ["body", "text"])),
    )
)
def test_what_is_not_in_order_is_refused(settings: Any, asked: Any, expected: Any) -> None:
    eleven = ElevenLabs(ScriptedEngine())
    for name, value in settings.items():
        setattr(eleven, name, value)
    assert refused(eleven, **asked) == expected
    assert not eleven.said


def test_a_fault_refuses_in_the_services_form() -> None:
    eleven = ElevenLabs(ScriptedEngine())
    eleven.faults.add(Fault("refuse", code=429))
    assert refused(eleven) == (429, "system_busy")
    assert len(steps(eleven)) > 2


def test_it_is_known_which_texts_were_shortened() -> None:
    eleven = ElevenLabs(ScriptedEngine())
    for kind in ("cut", "short", "slow"):
        eleven.faults.add(Fault(kind))
        steps(eleven, {**BODY, "text": f"Good {kind}."})
    assert list(eleven.shortened) == ["Good short."]
