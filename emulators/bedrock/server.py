"""The Bedrock runtime on a loopback port: the sockets in front of `service`.

Contract: `POST /model/{modelId}/converse-stream` and `/converse` answer as the service does, and
`/invoke` as Titan's embeddings do (`embeddings`): the model id is one percent-encoded path segment,
requests are signed, a stream is chunked event-stream frames. What is refused and what is answered
is decided in `service`; it can be set from outside too (`control`).

    async with BedrockEmulator() as emulator:
        client = boto3.client("bedrock-runtime", endpoint_url=emulator.url, …)

Errors: `start` raises `OSError` when the port is taken.
Source: Bedrock: Converse, ConverseStream.
"""

from __future__ import annotations

import json
import random
import re
from urllib.parse import unquote

from aybiza.emulators import web_pages
from aybiza.emulators.bedrock import control, sigv4
from aybiza.emulators.bedrock.connection import Connection, HttpRequest
from aybiza.emulators.bedrock.continuation import Responder
from aybiza.emulators.bedrock.embeddings import Embeddings
from aybiza.emulators.bedrock.faults import FaultQueue, Pace
from aybiza.emulators.bedrock.guardrails import Guardrails
from aybiza.emulators.bedrock.journal import Journal
from aybiza.emulators.bedrock.limits import Limits
from aybiza.emulators.bedrock.responder import respond
from aybiza.emulators.bedrock.service import Bedrock
from aybiza.emulators.bedrock.stream import Performer, headers
from aybiza.emulators.http_service import HttpService

_ROUTE = re.compile(r"/model/(?P<model>[^/]+)/(?P<operation>converse|converse-stream|invoke)")


class BedrockEmulator(HttpService):
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
        super().__init__(host, port)
        self.service = Bedrock(responder=responder, pace=pace, seed=seed)
        self.embeddings = Embeddings()
        self._chance = random.Random(seed)

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

    async def _handle(self, connection: Connection, request: HttpRequest) -> None:
        path = request.target.path
        if path.startswith(control.PREFIX):
            query, body = request.target.query, request.body
            refused = web_pages.refusal(request.headers)
            status, answer = (
                control.handle(self.service, request.method, path, query, body)
                if refused is None
                else (403, {"error": refused})
            )
            await connection.answer(status, headers(), json.dumps(answer).encode())
            return
        route = _ROUTE.fullmatch(path)
        if route is None or request.method != "POST":
            error = ("x-amzn-errortype", "UnknownOperationException")
            message = json.dumps({"message": f"{request.method} {path}"}).encode()
            await connection.answer(404, [*headers(), error], message)
            return
        if route["operation"] == "invoke":
            await self._embed(connection, request, unquote(route["model"]))
            return
        exchange = await self.service.exchange(
            route["operation"],
            unquote(route["model"]),
            request.body,
            request.arrived,
            region=sigv4.region(request.headers),
            unsigned=sigv4.refusal(request.headers),
        )
        await Performer(connection, self.service.clock, self._chance).perform(exchange)

    async def _embed(self, connection: Connection, request: HttpRequest, model: str) -> None:
        unsigned = sigv4.refusal(request.headers)
        if unsigned is not None:
            status, answer, error = 403, {"message": unsigned[1]}, unsigned[0]
        else:
            status, answer, error = self.embeddings.answer(model, request.body)
            if self.embeddings.seconds:
                await connection.pause(self.embeddings.seconds)
        told = [("x-amzn-errortype", error)] if error else []
        await connection.answer(status, [*headers(), *told], json.dumps(answer).encode())
