"""The console's answers at the HTTP door: its files, its stream of events, its actions, its dial.

    GET  /console, /console/phone, /console/…   the files (`assets`)
    GET  /console/events?call=CA…               server-sent events, as `hub` makes them; with
                                                `call`, the transcript of that call among them
    POST /console/act                           JSON in, JSON out: an action (`actions`)
    POST /console/dial                          a call of the softphone: where its websocket goes,
                                                and what its `start` says. `{"call": …}` comes back
                                                to a call of its own that was cut off, `{"route":
                                                …}` has it answered by the agent of that route, and
                                                `{"look": true}` tells the `routes` alone

Who may come in is decided before: `aybiza.gateway.admission.policy`. Errors are told as JSON,
`{"error": text}`.
Source: WHATWG HTML, "Server-sent events"; Twilio, "Media Streams: WebSocket messages".
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from aybiza.config.routes import ROUTE
from aybiza.gateway.carriers.paths import SOFTPHONE, TWILIO
from aybiza.gateway.console.actions import Refused, act
from aybiza.gateway.console.assets import ASSETS, policy_of
from aybiza.gateway.console.console_actor import NAME
from aybiza.gateway.console.hub import Crowded, Hub, hub

if TYPE_CHECKING:
    from aybiza.gateway.http import HttpDoor

MOST_BYTES: Final = 32 * 1024
ACCOUNT: Final = "console"
ANYWHERE: Final = frozenset(("0.0.0.0", "::"))

_CALL = re.compile(r"CA[0-9A-Za-z_.:-]{1,62}\Z", re.ASCII)
_NO_STORE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


async def asset(door: HttpDoor, request: Request) -> Response:
    """One of the files."""
    found = ASSETS[request.scope["path"]]
    media = urlsplit(_media_url(door, request))
    headers = policy_of(f"{media.scheme}://{media.netloc}")
    return Response(found.body, media_type=found.media_type, headers=headers)


async def events(door: HttpDoor, request: Request) -> Response:
    """What happens on the node, for as long as somebody listens."""
    held = hub(door.vm)
    if held is None:
        return _error("this node has no console", 503)
    call_id = request.query_params.get("call", "")
    try:
        viewer = held.enter(call_id if _CALL.match(call_id) else "")
    except Crowded:
        return _error("as many look at this node as may; close another console", 503)
    door.vm.cast(NAME, "look")

    async def told(held: Hub) -> AsyncIterator[bytes]:
        try:
            while (frame := await viewer.next()) is not None:
                yield frame
        finally:
            held.leave(viewer)

    return StreamingResponse(told(held), media_type="text/event-stream", headers=_NO_STORE)


async def action(door: HttpDoor, request: Request) -> Response:
    """Do something."""
    if door.console is None:
        return _error("this node takes no actions", 503)
    asked = await _json(request)
    if asked is None:
        return _error("the body is no JSON object of at most 32 KB", 400)
    try:
        answer = await act(door.console, door.vm, asked, _address(request))
    except Refused as refusal:
        return _error(str(refusal), 409)
    return JSONResponse(answer, headers=_NO_STORE)


async def dial(door: HttpDoor, request: Request) -> Response:
    """What the softphone needs for a call."""
    asked = await _json(request)
    if asked is None:
        return _error("the body is no JSON object of at most 32 KB", 400)
    routes = [who.route for who in door.switchboard]
    if asked.get("look"):
        return JSONResponse({"routes": routes}, headers=_NO_STORE)
    call_id = asked.get("call")
    if not isinstance(call_id, str) or not _CALL.match(call_id):
        call_id = f"CA{secrets.token_hex(16)}"
    told = {ROUTE: str(asked["route"])} if asked.get("route") in routes else {}
    parameters = {**told, **door.admission.parameters(call_id, SOFTPHONE.name, told=told)}
    answer = {
        "url": _media_url(door, request).removesuffix(TWILIO[0].path) + SOFTPHONE.path,
        "call": call_id,
        "stream": f"MZ{secrets.token_hex(16)}",
        "account": ACCOUNT,
        "parameters": parameters,
    }
    return JSONResponse(answer, headers=_NO_STORE)


def _media_url(door: HttpDoor, request: Request) -> str:
    """The media door as the page reaches it: an interface that is none is the page's own host."""
    parts = urlsplit(door.media_url)
    if (parts.hostname or "") not in ANYWHERE:
        return door.media_url
    host = request.headers.get("host", "127.0.0.1").rpartition(":")[0] or "127.0.0.1"
    return urlunsplit(parts._replace(netloc=f"{host}:{parts.port}"))


async def _json(request: Request) -> dict[str, Any] | None:
    """The body as a JSON object; None for what is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return None
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BYTES:
                return None
        found = json.loads(bytes(body))
    except (ClientDisconnect, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else "unknown"


def _error(text: str, status: int) -> Response:
    return JSONResponse({"error": text}, status, headers=_NO_STORE)
