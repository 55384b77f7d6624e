"""The Bedrock runtime on a loopback port.

Contract: `POST /model/{modelId}/converse-stream` and `/converse` answer as the service does: the
model id is one percent-encoded path segment, requests are signed, what the service refuses is
refused, a stream is chunked event-stream frames. What is said comes from a responder, when it is
said from `pace`, what goes wrong from `faults`, and `journal` keeps what happened. The same can be
set from outside (`control`).

    async with BedrockEmulator() as emulator:
        client = boto3.client("bedrock-runtime", endpoint_url=emulator.url, …)

Errors: `start` raises `OSError` when the port is taken; a responder that fails is logged and
answered as `InternalServerException`.
Source: Bedrock: Converse, ConverseStream.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import secrets
import string
import time
import uuid
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import unquote

import structlog

from aybiza.emulators.bedrock import catalogue, control, eventstream, sigv4, validation
from aybiza.emulators.bedrock.connection import ClientLeft, Connection, Headers, HttpRequest
from aybiza.emulators.bedrock.continuation import Responder, continuing, text_of
from aybiza.emulators.bedrock.faults import HTTP_ERRORS, Fault, FaultQueue, Pace
from aybiza.emulators.bedrock.journal import (
    CANCELLED,
    COMPLETED,
    FAULT,
    REFUSED,
    Journal,
    Record,
)
from aybiza.emulators.bedrock.reply import (
    Reasoning,
    Reply,
    ToolUse,
    block_tokens,
    converse_answer,
    limited,
    stream_events,
    with_garbage_tool_json,
    with_tool_ids,
)
from aybiza.emulators.bedrock.responder import respond
from aybiza.emulators.bedrock.scripted import from_json
from aybiza.emulators.bedrock.stream import ResponseStream

log = structlog.get_logger(__name__)

RESPONDER_SECONDS = 30.0
KEPT_BODY_BYTES = 64 * 1024

_ROUTE = re.compile(r"/model/(?P<model>[^/]+)/(?P<operation>converse|converse-stream)")
_ID_LETTERS = string.ascii_letters + string.digits + "_-"
_THOUGHT = "The caller is on the phone, so the answer has to be short and to the point."


class Refused(Exception):
    """The request is answered with an HTTP error."""

    def __init__(self, status: int, code: str, message: str, outcome: str = REFUSED) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.outcome = outcome


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
        self.pace = pace or Pace()
        self.faults = FaultQueue()
        self.journal = Journal()
        self._seed = secrets.randbits(64) if seed is None else seed
        self._responder = continuing(responder)
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()

    @property
    def url(self) -> str:
        """Where it listens; what `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` takes."""
        return f"http://{self.host}:{self.port}"

    def answer_with(self, responder: Responder) -> None:
        """Let this responder answer from now on."""
        self._responder = continuing(responder)

    def set_responder(self, members: object) -> None:
        """The same, from the control door's JSON."""
        self.answer_with(from_json(members, respond))

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
        self._connections.add(connection)
        assert connection.task is not None
        connection.task.add_done_callback(lambda _: self._connections.discard(connection))

    async def _handle(self, connection: Connection, http: HttpRequest) -> None:
        path = http.target.path
        if path.startswith(control.PREFIX):
            status, answer = control.handle(self, http.method, path, http.target.query, http.body)
            await connection.answer(status, _headers(), json.dumps(answer).encode())
            return
        route = _ROUTE.fullmatch(path)
        if route is None or http.method != "POST":
            await self._refuse(
                connection, Refused(404, "UnknownOperationException", f"{http.method} {path}")
            )
            return
        model_id = unquote(route["model"])
        record = self.journal.open(route["operation"], model_id, http.arrived)
        try:
            await self._converse(connection, http, record)
        except Refused as refused:
            record.status, record.error_code = refused.status, refused.code
            try:
                await self._refuse(connection, refused)
            finally:
                self.journal.close(record, refused.outcome, time.monotonic())
        except ClientLeft:
            record.client_left = time.monotonic()
            raise
        finally:
            self.journal.close(record, CANCELLED, time.monotonic())

    async def _refuse(self, connection: Connection, refused: Refused) -> None:
        headers = [*_headers(), ("x-amzn-errortype", refused.code)]
        body = json.dumps({"message": str(refused)}).encode()
        await connection.answer(refused.status, headers, body)

    async def _converse(self, connection: Connection, http: HttpRequest, record: Record) -> None:
        body = _checked(http, record)
        chance = random.Random(f"{self._seed}:{record.number}")
        fault = await self._take_fault(record, body)
        header_seconds = self.pace.seconds(self.pace.header_ms, chance)
        await connection.pause(record.arrived + header_seconds - time.monotonic())
        if fault is not None:
            record.fault = fault.kind
            if fault.kind == "slow_header":
                await connection.pause(fault.seconds)
            elif fault.kind == "http_error":
                code = fault.error_code
                raise Refused(HTTP_ERRORS[code], code, fault.error_message, FAULT)
            elif fault.kind == "no_answer":
                connection.close()
                self.journal.close(record, FAULT, time.monotonic())
                return
        reply = await self._reply(record, body, chance)
        if fault is not None and fault.kind == "garbage_tool_json":
            reply = with_garbage_tool_json(reply)
        usage = _usage(body, reply)
        if record.operation == "converse":
            await self._answer_whole(connection, record, reply, usage, chance)
        else:
            stream = ResponseStream(connection, record, self.journal, self.pace, chance, fault)
            await stream.send(reply, usage, _headers(eventstream.CONTENT_TYPE))

    async def _take_fault(self, record: Record, body: dict[str, Any]) -> Fault | None:
        waits_for_tool = any(f.kind == "garbage_tool_json" for f in self.faults.waiting())
        reply = await self._answer(record, body) if waits_for_tool else Reply()
        uses_tool = any(isinstance(block, ToolUse) for block in reply.blocks)
        return self.faults.take(record.model_id, record.operation, record.call, uses_tool=uses_tool)

    async def _answer(self, record: Record, body: dict[str, Any]) -> Reply:
        try:
            async with asyncio.timeout(RESPONDER_SECONDS):
                return await self._responder(body)
        except Exception as error:
            log.exception("bedrock_responder_failed", request=record.number)
            raise Refused(500, "InternalServerException", f"responder: {error!r}") from error

    async def _reply(self, record: Record, body: dict[str, Any], chance: random.Random) -> Reply:
        reply = await self._answer(record, body)
        model = catalogue.find(record.model_id)
        thinks = validation.thinking_mode(model, body) is not None
        if thinks and not any(isinstance(block, Reasoning) for block in reply.blocks):
            reply = Reply((Reasoning(_THOUGHT), *reply.blocks), reply.stop_reason)
        limits = body.get("inferenceConfig", {})
        reply = limited(reply, limits.get("maxTokens"), limits.get("stopSequences", ()))
        record.reply_text = reply.text
        return with_tool_ids(reply, _tool_ids(chance))

    async def _answer_whole(
        self,
        connection: Connection,
        record: Record,
        reply: Reply,
        usage: dict[str, Any],
        chance: random.Random,
    ) -> None:
        record.deltas_total = sum(event.is_delta for event in stream_events(reply, usage))
        first = self.pace.seconds(self.pace.first_token_ms, chance)
        others = [self.pace.per_delta_ms] * (record.deltas_total - 1)
        due = record.arrived + first + sum(self.pace.seconds(ms, chance) for ms in others)
        record.told_first_ms = (due - record.arrived) * 1000.0
        await connection.pause(due - time.monotonic())
        latency_ms = round((time.monotonic() - record.arrived) * 1000)
        answer = converse_answer(reply, usage, latency_ms)
        await connection.answer(200, _headers(), json.dumps(answer).encode())
        record.status = 200
        record.deltas_sent = record.deltas_total
        now = time.monotonic()
        record.header_sent = record.first_event_sent = record.last_event_sent = now
        self.journal.close(record, COMPLETED, now)


def _checked(http: HttpRequest, record: Record) -> dict[str, Any]:
    """The request's body, when the service would take it."""
    record.region = sigv4.region(http.headers)
    unsigned = sigv4.refusal(http.headers)
    if unsigned is not None:
        raise Refused(403, *unsigned)
    try:
        body = json.loads(http.body)
    except ValueError as error:
        raise Refused(400, "SerializationException", f"the body is no JSON: {error}") from error
    refusal = validation.refusal(record.model_id, body)
    if refusal is not None:
        raise Refused(refusal.status, refusal.code, refusal.message)
    if len(http.body) <= KEPT_BODY_BYTES:
        record.body = body
    record.call = {str(k): str(v) for k, v in body.get("requestMetadata", {}).items()}
    record.user_text = text_of(body["messages"][-1])
    checked: dict[str, Any] = body
    return checked


def _headers(content_type: str = "application/json") -> Headers:
    return [("Content-Type", content_type), ("x-amzn-RequestId", str(uuid.uuid4()))]


def _usage(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    asked = sum(
        len(json.dumps(body.get(part, ""))) for part in ("messages", "system", "toolConfig")
    )
    inputs, outputs = max(1, asked // 4), max(1, sum(map(block_tokens, reply.blocks)))
    return {"inputTokens": inputs, "outputTokens": outputs, "totalTokens": inputs + outputs}


def _tool_ids(chance: random.Random) -> Iterator[str]:
    while True:
        yield "tooluse_" + "".join(chance.choices(_ID_LETTERS, k=22))
