"""`POST /outbound/calls`: a call is asked for by JSON, and the answer says what became of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from aybiza.actors import names
from aybiza.actors.outbound.outbound_actor import Dial
from aybiza.actors.runtime import VM, GenServer
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.rules import Rules
from aybiza.gateway.http import HttpDoor, http_app
from aybiza.gateway.outbound_api import NOBODY

CALL = {"to": "+14155552671", "agent": "clinic"}


class Places(GenServer):
    """Stands for who places calls."""

    async def init(self) -> None:
        self.asked: list[Any] = []

    async def handle_call(self, request: Any, _: Any) -> dict[str, Any]:
        self.asked.append(request)
        if request.to.endswith("2"):
            return {"refused": "hours", "words": "it is night there"}
        return {"attempt": "a1"}


@pytest_asyncio.fixture
async def vm() -> AsyncIterator[VM]:
    async with VM("api") as vm:
        yield vm


async def asked(vm: VM, body: Any, token: str | None = None, **headers: str) -> tuple[int, Any]:
    rules = Rules(console_token=token)
    board: Any = None
    door = HttpDoor(vm, "ws://n/media", "http://n", board, Admission(rules))
    transport = httpx.ASGITransport(http_app(door), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        content = body if isinstance(body, str) else json.dumps(body)
        sent = {"content-type": "application/json", **headers}
        answer = await client.post("/outbound/calls", content=content, headers=sent)
    found = answer.json() if "json" in answer.headers.get("content-type", "") else answer.text
    return answer.status_code, found


async def test_a_call_is_asked_for_or_refused_in_words(vm: VM) -> None:
    await vm.start(Places, name=names.OUTBOUND)
    assert await asked(vm, CALL) == (202, {"attempt": "a1"})
    refused = {"refused": "hours", "words": "it is night there"}
    body = {**CALL, "to": "+14155552672", "from": "+14155550100"}
    assert await asked(vm, body) == (409, refused)
    process = vm.find(names.OUTBOUND)
    assert process is not None
    server: Any = process.server
    assert server.asked == [
        Dial("+14155552671", "clinic"),
        Dial("+14155552672", "clinic", "+14155550100"),
    ]


async def test_a_node_that_places_no_calls_says_so(vm: VM) -> None:
    assert await asked(vm, CALL) == (503, {"error": NOBODY})


@pytest.mark.parametrize(
    "body", ["[]", "{", {}, {"to": "+1"}, {**CALL, "to": 1}, {**CALL, "from": "x" * 200}]
)
async def test_what_is_no_request_is_refused(vm: VM, body: Any) -> None:
    assert (await asked(vm, body))[0] == 400


async def test_it_is_for_operators(vm: VM) -> None:
    await vm.start(Places, name=names.OUTBOUND)
    assert (await asked(vm, CALL, "secret"))[0] == 401
    assert (await asked(vm, CALL, "secret", authorization="Bearer wrong"))[0] == 401
    assert (await asked(vm, CALL, "secret", authorization="Bearer secret"))[0] == 202
    assert (await asked(vm, CALL, origin="https://evil.example"))[0] == 403
