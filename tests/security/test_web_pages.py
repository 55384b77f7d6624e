"""A page that an operator opens starts no call and reads nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.call.kit import world
from tests.security.doors import outside

FOREIGN = (
    "https://evil.example",
    "http://evil.example:3000",
    "null",
    "",
    "file://",
    "http://127.0.0.1.evil.example",
    "http://[",
)


async def test_a_websocket_of_somebody_else_s_page_is_refused(tmp_path: Path) -> None:
    async with world(tmp_path) as place:
        url = place.node.media_url
        for origin in FOREIGN:
            with pytest.raises(InvalidStatus) as refusal:
                async with connect(url, proxy=None, additional_headers={"Origin": origin}):
                    pass
            assert refusal.value.response.status_code == 403
        async with connect(url, proxy=None, additional_headers={"Origin": "http://localhost:8000"}):
            pass
        async with connect(url, proxy=None):
            pass


async def test_a_name_that_was_bound_to_this_machine_is_no_name_of_it(tmp_path: Path) -> None:
    async with outside(tmp_path, http_base=None) as node:
        headers = {"origin": "http://evil.example:3000", "host": "evil.example:3000"}
        answer = await node.ask("POST", "/incoming", b"CallSid=CA1", headers, "127.0.0.1")
    assert answer.status_code == 403


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_form_of_somebody_else_s_page_is_refused(tmp_path: Path, origin: str) -> None:
    async with outside(tmp_path, http_base=None) as node:
        headers = {"origin": origin, "host": "127.0.0.1:3000"}
        for method, path in (("POST", "/incoming"), ("POST", "/status"), ("GET", "/metrics")):
            answer = await node.ask(method, path, b"CallSid=CA1", headers, "127.0.0.1")
            assert answer.status_code == 403


async def test_a_page_of_the_public_url_is_ours(tmp_path: Path) -> None:
    async with outside(tmp_path) as node:
        headers = {"origin": "https://phone.example.org"}
        answer = await node.ask("POST", "/incoming", b"CallSid=CA1", headers)
        rebound = {"origin": "http://localhost:8000", "host": "127.0.0.1"}
        other = await node.ask("POST", "/incoming", b"CallSid=CA1", rebound, "127.0.0.1")
    assert (answer.status_code, other.status_code) == (200, 403)
