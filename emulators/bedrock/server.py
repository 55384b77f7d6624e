"""The Bedrock runtime on a loopback port: the sockets in front of `service`.

Contract: `POST /model/{modelId}/converse-stream` and `/converse` answer as the service does: the
model id is one percent-encoded path segment, requests are signed, a stream is chunked event-stream
frames. What is refused and what is answered is decided in `service`; it can be set from outside
too (`control`).

    async with BedrockEmulator() as emulator:
        client = boto3.client("bedrock-runtime", endpoint_url=emulator.url, …)

Errors: `start` raises `OSError` when the port is taken.
Source: Bedrock: Converse, ConverseStream.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from typing import Self
from urllib.parse import unquote

from aybiza.emulators.bedrock import control, sigv4
from aybiza.emulators.bedrock.connection import Connection, HttpRequest
from aybiza.emulators.bedrock.continuation import Responder
from aybiza.emulators.bedrock.faults import FaultQueue, Pace
from aybiza.emulators.bedrock.guardrails import Guardrails
from aybiza.emulators.bedrock.journal import Journal
from aybiza.emulators.bedrock.limits import Limits
from aybiza.emulators.bedrock.responder import respond
from aybiza.emulators.bedrock.service import Bedrock
from aybiza.emulators.bedrock.stream import Performer, headers

_ROUTE = re.compile(r"/model/(?P<model>[^/]+)/(?P<operation>converse|converse-stream)")


class BedrockEmulator:
    """A Bedrock runtime of one's own.

    `port` 0 takes a free one. `responder` answers (default: the clinic's front desk), `pace` says
    how fast; `seed` fixes jitter, padding and tool-use ids.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        responder: Responder = respond,
        pace: Pace | None = None,
        seed: int | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.service = Bedrock(responder=responder, pace=pace, seed=seed)
        self._chance = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self.accepted = 0
        """How many connections were made."""

    @property
    def url(self) -> str:
        """Where it listens; what `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` takes."""
        return f"http://{self.host}:{self.port}"

    @property
    def faults(self) -> FaultQueue:
        return self.service.faults

    @property
    def journal(self) -> Journal:
        return self.service.journal

    @property
    def guardrails(self) -> Guardrails:
        return self.service.guardrails

    @property
    def limits(self) -> Limits:
        return self.service.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self.service.limits = limits

    @property
    def pace(self) -> Pace:
        return self.service.pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        self.service.pace = pace

    def answer_with(self, responder: Responder) -> None:
        """Let this responder answer from now on."""
        self.service.answer_with(responder)

    async def start(self) -> None:
        """Listen. Returns when connections are accepted."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._handle, self._opened), self.host, self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection. Idempotent."""
        if self._server is None:
            return
        self._server.close()
        tasks = [connection.task for connection in self._connections if connection.task]
        for connection in list(self._connections):
            connection.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    def _opened(self, connection: Connection) -> None:
        self.accepted += 1
        self._connections.add(connection)
        assert connection.task is not None
        connection.task.add_done_callback(lambda _: self._connections.discard(connection))

    async def _handle(self, connection: Connection, http: HttpRequest) -> None:
        path = http.target.path
        if path.startswith(control.PREFIX):
            query, body = http.target.query, http.body
            status, answer = control.handle(self.service, http.method, path, query, body)
            await connection.answer(status, headers(), json.dumps(answer).encode())
            return
        route = _ROUTE.fullmatch(path)
        if route is None or http.method != "POST":
            error = ("x-amzn-errortype", "UnknownOperationException")
            message = json.dumps({"message": f"{http.method} {path}"}).encode()
            await connection.answer(404, [*headers(), error], message)
            return
        exchange = await self.service.exchange(
            route["operation"],
            unquote(route["model"]),
            http.body,
            http.arrived,
            region=sigv4.region(http.headers),
            unsigned=sigv4.refusal(http.headers),
        )
        await Performer(connection, self.service.clock, self._chance).perform(exchange)
