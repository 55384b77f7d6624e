"""The HTTP door: Twilio's webhooks, health, metrics. Starlette on uvicorn.

    POST /incoming   a call comes in: TwiML that connects its media stream; behind that stands a
                     `<Redirect>` back to here, so a caller whose stream breaks lands on a live
                     gateway again. A call that has ended is hung up.
    POST /status     Twilio's status callbacks, logged
    GET  /healthz    200 while the loop runs
    GET  /readyz     200 while the node takes calls, 503 with the reason when it does not
    GET  /metrics    Prometheus text

Source: Twilio, TwiML `<Connect>`, `<Stream>`, `<Redirect>`; design, "Doors".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from actors import names
from actors.memory_actor import Load
from actors.runtime import VM, CallExit
from dialogue.journal import Ended, decode
from gateway import twiml
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.errors import SupervisorError

MAX_BODY_BYTES = 64 * 1024
ASK_SECONDS = 1.0

# On the way back from a stream that broke; a first call needs no look into memory.
AGAIN = "again"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HttpDoor:
    """What the routes need: the VM, where Twilio finds the media door and this one, the limit."""

    vm: VM
    media_url: str
    public_url: str
    max_calls: int
    busy_text: str
    draining: Callable[[], bool] = lambda: False


def http_app(door: HttpDoor) -> Starlette:
    """The application that answers the routes of the module."""
    routes = [
        Route("/incoming", door_route(door, incoming), methods=["POST"]),
        Route("/status", door_route(door, status), methods=["POST"]),
        Route("/healthz", door_route(door, healthz)),
        Route("/readyz", door_route(door, readyz)),
        Route("/metrics", door_route(door, metrics)),
    ]
    return Starlette(routes=routes)


def door_route(door: HttpDoor, answer: Callable[[HttpDoor, Request], Any]) -> Any:
    """A Starlette endpoint that hands the door to `answer`."""

    async def endpoint(request: Request) -> Response:
        response: Response = await answer(door, request)
        return response

    return endpoint


async def incoming(door: HttpDoor, request: Request) -> Response:
    """TwiML for a call, new or back from a broken stream."""
    form = await _form(request)
    if form is None:
        return PlainTextResponse("The body is too large.\n", 413)
    call_sid = form.get("CallSid", "")
    if not call_sid:
        return PlainTextResponse("CallSid is missing: this door is for Twilio's webhook.\n", 400)
    again = AGAIN in request.query_params
    if again and await _has_ended(door, call_sid):
        return _twiml(twiml.hangup())
    if not again and await _calls(door) >= door.max_calls:
        log.warning("call_refused", call_id=call_sid, reason="node is full")
        return _twiml(twiml.say_hangup(door.busy_text))
    log.info("call_incoming", call_id=call_sid, again=again)
    parameters = {name: form[name] for name in ("From", "To") if form.get(name)}
    redirect = f"{door.public_url}/incoming?{AGAIN}=1"
    return _twiml(twiml.connect_stream(door.media_url, parameters, redirect))


async def status(door: HttpDoor, request: Request) -> Response:
    """Twilio tells how a call or a stream went."""
    form = await _form(request) or {}
    told = ("CallSid", "CallStatus", "StreamSid", "StreamEvent", "StreamError")
    log.info("twilio_status", **{name: form[name] for name in told if name in form})
    return Response(status_code=204)


async def healthz(door: HttpDoor, request: Request) -> Response:
    """The loop runs, or this would not be answered."""
    return PlainTextResponse("ok\n")


async def readyz(door: HttpDoor, request: Request) -> Response:
    """Whether the node takes calls."""
    if door.draining():
        return PlainTextResponse("draining\n", 503)
    try:
        calls = await _calls(door)
    except CallExit:
        return PlainTextResponse("the call supervisor is restarting\n", 503)
    if calls >= door.max_calls:
        return PlainTextResponse(f"full: {calls} calls\n", 503)
    return PlainTextResponse("ready\n")


async def metrics(door: HttpDoor, request: Request) -> Response:
    """Prometheus text."""
    try:
        text = await names.call_patiently(door.vm, names.METRICS, "render", ASK_SECONDS)
    except CallExit as error:
        return PlainTextResponse(f"metrics are not to be had: {error.reason}\n", 503)
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _form(request: Request) -> dict[str, str] | None:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


async def _calls(door: HttpDoor) -> int:
    try:
        counts = await DynamicSupervisor.count_children(
            door.vm, names.CALL_SUPERVISOR, timeout=ASK_SECONDS
        )
    except SupervisorError:
        return 0
    return counts.active


async def _has_ended(door: HttpDoor, call_sid: str) -> bool:
    try:
        journal = await names.call_patiently(door.vm, names.MEMORY, Load(call_sid), ASK_SECONDS)
    except CallExit:
        return False
    return any(isinstance(decode(body), Ended) for _, body in journal)


def _twiml(document: str) -> Response:
    return Response(document, media_type=twiml.CONTENT_TYPE)
