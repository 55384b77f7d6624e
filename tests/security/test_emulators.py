"""A web page that a developer opens reaches the emulators' ports, and changes and reads nothing."""

from __future__ import annotations

from typing import Final

import httpx
import pytest

from aybiza.emulators.bedrock import BedrockEmulator
from aybiza.emulators.deepgram import DeepgramEmulator

PAGE: Final = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
TRIES: Final = (
    ("POST", "faults", PAGE),  # fetch, as text/plain, for which no browser asks first
    ("GET", "faults", {"sec-fetch-site": "cross-site"}),  # an image, a script, a window
    ("POST", "faults", {"origin": "null"}),  # a frame in a sandbox
    ("DELETE", "faults", {"host": "evil.example"}),  # a name that was made to lead here
    ("OPTIONS", "faults", PAGE),  # what a browser asks first
)


async def tried(url: str, method: str, path: str, headers: dict[str, str], body: str) -> int:
    said = None if method == "GET" else body
    async with httpx.AsyncClient(trust_env=False) as http:
        target = f"{url}/_emulator/{path}"
        answer = await http.request(method, target, headers=headers, content=said)
    assert "access-control-allow-origin" not in answer.headers
    return answer.status_code


@pytest.mark.parametrize(("method", "path", "headers"), TRIES)
async def test_the_model_is_not_theirs_to_break(
    method: str, path: str, headers: dict[str, str]
) -> None:
    async with BedrockEmulator() as bedrock:
        assert await tried(bedrock.url, method, path, headers, '{"kind": "fin"}') == 403
        assert await tried(bedrock.url, "GET", "requests?bodies=1", headers, "") == 403
        assert not bedrock.faults.waiting()


@pytest.mark.parametrize(("method", "path", "headers"), TRIES)
async def test_the_voice_is_not_theirs_to_break(
    method: str, path: str, headers: dict[str, str]
) -> None:
    async with DeepgramEmulator() as deepgram:
        url = deepgram.url.replace("ws", "http", 1)
        body = '{"door": "speak", "kind": "stall"}'
        assert await tried(url, method, path, headers, body) == 403
        assert await tried(url, "GET", "fault?door=speak&kind=stall", headers, "") == 403
        assert await tried(url, "GET", "journal", headers, "") == 403
        assert not deepgram.faults.waiting()
