"""A node's HTTP door for attackers: the whole application, as strict as its rules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from aybiza.actors import names
from aybiza.actors.measures.metrics_actor import MetricsActor
from aybiza.actors.memory.memory_actor import MemoryActor
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.placement.placement import Limits
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import VM
from aybiza.config.agents import Agent
from aybiza.emulators.phone.webhook import signature
from aybiza.faults.desk import agent
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.rules import Rules
from aybiza.gateway.carriers.paths import CARRIERS
from aybiza.gateway.console.actions import Console
from aybiza.gateway.http import HttpDoor, http_app
from aybiza.supervisors import DynamicSupervisor
from tests.gateway.kit import switchboard

BASE = "https://phone.example.org"
TOKEN = "twilio-auth-token"
SIGNALWIRE_KEY = "signalwire-signing-key"
STRANGER = "203.0.113.9"
CALL = "CA" + "0123456789abcdef" * 2
FORM = {"CallSid": CALL, "AccountSid": "AC1", "From": "+14155550123", "To": "+14155550100"}


class Outside:
    """Who reaches the door from `address`; `admission` is the node's."""

    def __init__(self, app: Any, admission: Admission, vm: VM) -> None:
        self.app = app
        self.admission = admission
        self.vm = vm

    async def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        address: str = STRANGER,
    ) -> httpx.Response:
        """One request, its headers as they are given, Host among them."""
        transport = httpx.ASGITransport(self.app, client=(address, 5000))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.request(method, target, content=body, headers=headers)

    async def open(self, target: str, headers: dict[str, str], address: str = STRANGER) -> int:
        """A handshake: 101 where it is let in, else the status of the refusal."""
        told: list[Any] = []
        names_ = headers.get("sec-websocket-protocol", "").split(",")
        scope = {
            "type": "websocket",
            "scheme": "ws",
            "path": target,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "subprotocols": [one.strip() for one in names_ if one.strip()],
            "client": (address, 5000),
            "extensions": {"websocket.http.response": {}},
        }

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.disconnect" if told else "websocket.connect"}

        async def send(message: dict[str, Any]) -> None:
            told.append(message)

        await self.app(scope, receive, send)
        return 101 if told[0]["type"] == "websocket.accept" else int(told[0]["status"])

    async def twilio(self, form: dict[str, str], target: str = "/incoming") -> httpx.Response:
        """A webhook that Twilio has signed."""
        body = str(httpx.QueryParams(form)).encode()
        headers = {"x-twilio-signature": signature(TOKEN, BASE + target, form)}
        return await self.ask("POST", target, body, headers)

    async def signalwire(self, form: dict[str, str], query: str = "") -> httpx.Response:
        """A webhook that SignalWire has signed."""
        target = f"/incoming/signalwire{query}"
        body = str(httpx.QueryParams(form)).encode()
        headers = {"x-signalwire-signature": signature(SIGNALWIRE_KEY, BASE + target, form)}
        return await self.ask("POST", target, body, headers)


@asynccontextmanager
async def outside(tmp_path: Path, **rules: Any) -> AsyncIterator[Outside]:
    """A node with these rules, all carriers let in; `console` is the node's console, `who` the
    agent."""
    console: Console | None = rules.pop("console", None)
    who: Agent = rules.pop("who", agent(busy="All lines are busy."))
    admission = Admission(Rules(**{"http_base": BASE, **rules}))
    async with VM("here") as vm:
        store = SqliteStore(tmp_path / "memory.sqlite3")
        await vm.start(MetricsActor, name=names.METRICS)
        await vm.start(MemoryActor, store, name=names.MEMORY)
        await vm.start(DynamicSupervisor, max_children=100, name=names.CALL_SUPERVISOR)
        board(vm).limits = Limits(calls=100)
        door = HttpDoor(
            vm,
            media_url="wss://phone.example.org/media",
            public_url=BASE,
            switchboard=switchboard(who),
            admission=admission,
            carriers=tuple(CARRIERS.values()),
            console=console,
        )
        yield Outside(http_app(door), admission, vm)
        store.close()
