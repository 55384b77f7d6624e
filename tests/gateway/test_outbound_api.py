"""`/outbound/calls` and `/outbound/campaigns`: asked for by JSON, answered with what came of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from aybiza.actors import names
from aybiza.actors.outbound.outbound_actor import Dial, RunCampaign, Status, StopCampaign
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


class Campaigns(GenServer):
    """Stands for who runs campaigns."""

    async def handle_call(self, request: Any, _: Any) -> dict[str, Any]:
        match request:
            case RunCampaign({"name": "ours"} as spec):
                return {"running": "ours", "numbers": len(spec["numbers"])}
            case StopCampaign("ours"):
                return {"stopped": "ours"}
            case Status("ours" | ""):
                return {"campaigns": [{"name": "ours"}], "attempts": []}
        return {"refused": "campaign", "words": "there is none of that name"}


async def of_campaigns(
    vm: VM, method: str, query: str = "", body: Any = None, **headers: str
) -> tuple[int, Any]:
    board: Any = None
    door = HttpDoor(vm, "ws://n/media", "http://n", board, Admission(Rules(console_token="secret")))
    transport = httpx.ASGITransport(http_app(door), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        sent = {"authorization": "Bearer secret", **headers}
        path = f"/outbound/campaigns{query}"
        answer = await client.request(method, path, json=body, headers=sent)
    found = answer.json() if "json" in answer.headers.get("content-type", "") else answer.text
    return answer.status_code, found


async def test_a_campaign_is_run_looked_at_and_stopped(vm: VM) -> None:
    await vm.start(Campaigns, name=names.OUTBOUND)
    spec = {"name": "ours", "agent": "clinic", "from": "+14155550100", "numbers": ["+14155552671"]}
    none = {"refused": "campaign", "words": "there is none of that name"}
    row = {"campaigns": [{"name": "ours"}], "attempts": []}
    asked_for = of_campaigns
    assert await asked_for(vm, "POST", body=spec) == (202, {"running": "ours", "numbers": 1})
    assert await asked_for(vm, "POST", body={**spec, "name": "other"}) == (409, none)
    assert await asked_for(vm, "GET") == (200, row) == await asked_for(vm, "GET", "?name=ours")
    assert await asked_for(vm, "GET", "?name=other") == (404, none)
    assert await asked_for(vm, "DELETE", "?name=ours") == (200, {"stopped": "ours"})
    assert await asked_for(vm, "DELETE", "?name=other") == (404, none)


async def test_what_is_no_campaign_and_who_is_no_operator_are_refused(vm: VM) -> None:
    assert (await of_campaigns(vm, "GET"))[0] == 503
    await vm.start(Campaigns, name=names.OUTBOUND)
    assert (await of_campaigns(vm, "POST", body=[]))[0] == 400
    assert (await of_campaigns(vm, "POST", body={"numbers": "1" * 40_000}))[0] == 400
    assert (await of_campaigns(vm, "DELETE"))[0] == 400
    for method in ("GET", "POST", "DELETE"):
        assert (await of_campaigns(vm, method, authorization="Bearer wrong"))[0] == 401
    assert (await of_campaigns(vm, "PUT"))[0] in (401, 404, 405)
