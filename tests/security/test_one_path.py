"""The path by which a request is let in is the path by which it is answered, whatever Host says."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request

from aybiza.gateway.carriers.paths import WHISPER
from tests.security.doors import FORM, TOKEN, outside

BODY = b"CallSid=CA1&From=%2B14155550123"

HOSTS = (
    "phone.example.org/incoming?",
    "phone.example.org/incoming#",
    "phone.example.org/incoming/telnyx?",
    "user@phone.example.org",
    "phone.example.org:3000/metrics",
    "phone.example.org,evil.example",
    "a b",
    "[::1",
    "phone.example.org:port",
)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/incoming/x", "/incoming", "/status", "/metrics", "/nothing"])
async def test_a_host_does_not_make_another_path(tmp_path: Path, host: str, path: str) -> None:
    async with outside(tmp_path, auth_token=TOKEN) as node:
        for method in ("GET", "POST"):
            answer = await node.ask(method, path, BODY, {"host": host})
            assert answer.status_code in (400, 401, 403, 404, 405)
            assert "<Stream" not in answer.text
            assert "aybiza_" not in answer.text


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("/incoming", "<Stream"),
        ("/incoming?again=1", "<Stream"),
        ("/incoming/whisper", "<Response>"),
        ("/status", ""),
    ],
)
async def test_the_path_of_a_url_is_never_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, answer: str
) -> None:
    def url(self: Request) -> None:
        raise AssertionError("what Host says is in it")

    monkeypatch.setattr(Request, "url", property(url))
    async with outside(tmp_path, auth_token=TOKEN) as node:
        query = node.admission.seals.sealed({"call": "CA1", "node": "here"}, "twilio", "AC1")
        asked = f"{target}?{query}" if target.endswith(WHISPER) else target
        assert answer in (await node.twilio(FORM, asked)).text


@pytest.mark.parametrize(
    "path",
    ["/incoming/x", "/incoming/", "/incoming%2Ftelnyx%00", "/incoming;/x", "/status/", "/%2e%2e/"],
)
async def test_a_path_that_is_nobody_s_answers_nobody(tmp_path: Path, path: str) -> None:
    async with outside(tmp_path) as node:
        answer = await node.ask("POST", path, BODY)
    assert answer.status_code in (401, 404)
