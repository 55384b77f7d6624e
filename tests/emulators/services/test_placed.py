"""The port that calls people: who answers is in a number's last digit, and the node is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from aybiza.emulators.bedrock.connection import Connection, HttpRequest
from aybiza.emulators.http_service import HttpService
from aybiza.emulators.phone.webhook import signature
from aybiza.emulators.services import placed
from aybiza.emulators.services.placed import MOST, PlacedEmulator, script_of
from aybiza.emulators.services.placed_calls import Party
from tests.slowness import slowness

ACCOUNT, TOKEN, OURS = "AC1", "t0ken", "+14155550100"
PERSON, MACHINE, BUSY = "+14155552671", "+14155552677", "+14155552678"
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"


class Node(HttpService):
    """Takes what it is told of calls, and hangs up on whoever answers."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, dict[str, str]]] = []
        self.signed: list[bool] = []

    async def _handle(self, connection: Connection, request: HttpRequest) -> None:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        path = request.target.path
        wanted = signature(TOKEN, f"{self.url}{path}", form)
        self.signed.append(request.headers.get("x-twilio-signature") == wanted)
        self.told.append((path, form))
        body = b"<Response><Hangup/></Response>" if path == "/placed" else b""
        await connection.answer(200, [("Content-Type", "text/xml")], body)

    async def ended(self, to: str) -> list[str]:
        """What was told of a call, once it is over."""
        async with asyncio.timeout(20 * slowness()):
            while True:
                statuses = [one["CallStatus"] for _, one in self.told if one["To"] == to]
                if statuses and statuses[-1] in ("completed", "busy"):
                    return statuses
                await asyncio.sleep(0.05)


@asynccontextmanager
async def carrier() -> AsyncIterator[tuple[PlacedEmulator, Node, httpx.AsyncClient]]:
    async with (
        PlacedEmulator() as emulator,
        Node() as node,
        httpx.AsyncClient(base_url=emulator.url, auth=(ACCOUNT, TOKEN), trust_env=False) as client,
    ):
        yield emulator, node, client


def order(node: Node, to: str) -> dict[str, Any]:
    events = ["initiated", "ringing", "answered", "completed"]
    told = {"StatusCallback": f"{node.url}/status", "StatusCallbackEvent": events}
    return {"To": to, "From": OURS, "Url": f"{node.url}/placed", **told}


@pytest.mark.real_time
async def test_the_node_is_told_how_each_call_goes_and_asked_when_somebody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parties = {"8": Party("busy", rings=0.1)}
    monkeypatch.setattr(placed, "PARTIES", parties)
    monkeypatch.setattr(placed, "ANYBODY", Party(rings=0.1))
    async with carrier() as (emulator, node, client):
        for to in (PERSON, BUSY):
            assert (await client.post(PATH, data=order(node, to))).status_code == 201
        assert (await node.ended(BUSY))[-1] == "busy"
        answered = await node.ended(PERSON)
        assert answered[:2] == ["initiated", "ringing"] and answered[-1] == "completed"
        (asked,) = [form for path, form in node.told if path == "/placed"]
        assert (asked["AccountSid"], asked["From"], asked["To"]) == (ACCOUNT, OURS, PERSON)
        assert all(node.signed)
        assert emulator.accounts[ACCOUNT].calls[asked["CallSid"]].status == "completed"


async def test_who_has_no_key_orders_nothing_and_too_many_calls_wait() -> None:
    async with carrier() as (emulator, node, client):
        for wrong in ("Basic ?", "Bearer x", ""):
            asked = client.build_request("POST", PATH, headers={"authorization": wrong})
            assert (await client.send(asked, auth=None)).status_code == 401
        emulator._talking = MOST
        assert (await client.post(PATH, data=order(node, PERSON))).status_code == 429


def test_a_person_agrees_and_a_machine_asks_for_a_message() -> None:
    assert [step.label for step in script_of(PERSON).steps][:2] == ["answers", "agrees"]
    assert [step.label for step in script_of(MACHINE).steps] == ["greets", "is full"]
