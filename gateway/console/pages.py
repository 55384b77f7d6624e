"""The console's answers at the HTTP door: its files, its stream of events, its actions, its dial.

    GET  /console, /console/phone, /console/…   the files (`assets`)
    GET  /console/events                        a websocket: what happens, as `hub` tells it. The
                                                page says at which call it looks, `{"call": "CA…"}`,
                                                "" for none, and with `"listen": true` that it is to
                                                be heard, as far as it is recorded
    POST /console/act                           JSON in, JSON out: an action (`actions`)
    POST /console/dial                          a call of the softphone: where its websocket goes,
                                                and what its `start` says. `{"call": …}` comes back
                                                to a call of its own that was cut off, `{"route":
                                                …}` has it answered by the agent of that route, and
                                                `{"look": true}` tells the `routes` alone

Who may come in is decided before: `aybiza.gateway.admission.policy`. Errors are told as JSON,
`{"error": text}`. A websocket, and no server-sent events: of those a browser holds six to a node
for all its windows together, and a seventh window would hear nothing.
Source: RFC 6455; Twilio, "Media Streams: WebSocket messages".
"""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from aybiza.actors.measures.events import OPERATOR, emit
from aybiza.config.routes import ROUTE
from aybiza.gateway.carriers.ids import ANY_CALL, CALL_IDS
from aybiza.gateway.carriers.paths import SOFTPHONE, TWILIO
from aybiza.gateway.console.actions import Refused, act
from aybiza.gateway.console.assets import ASSETS, policy_of
from aybiza.gateway.console.console_actor import NAME
from aybiza.gateway.console.hub import Crowded, Hub, Viewer, frame, hub

if TYPE_CHECKING:
    from aybiza.gateway.http import HttpDoor

MOST_BYTES: Final = 32 * 1024
ACCOUNT: Final = "console"
SUBPROTOCOL: Final = "aybiza.console"
AGAIN_LATER: Final = 1013
GOING_AWAY: Final = 1001
ANYWHERE: Final = frozenset(("0.0.0.0", "::"))

_OWN_CALL: Final = CALL_IDS[SOFTPHONE.name]
_NO_STORE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


async def asset(door: HttpDoor, request: Request) -> Response:
    """One of the files."""
    found = ASSETS[request.scope["path"]]
    media = urlsplit(_media_url(door, request))
    headers = policy_of(f"{media.scheme}://{media.netloc}")
    return Response(found.body, media_type=found.media_type, headers=headers)


async def events(door: HttpDoor, socket: WebSocket) -> None:
    """What happens on the node, for as long as somebody looks."""
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None)
    held = hub(door.vm)
    if held is None:
        await socket.close(AGAIN_LATER, "this node has no console")
        return
    try:
        viewer = held.enter("")
    except Crowded:
        await socket.close(AGAIN_LATER, "as many look at this node as may; close another console")
        return
    door.vm.cast(NAME, "look")
    asking = asyncio.ensure_future(_asked(door, socket, held, viewer))
    try:
        with suppress(WebSocketDisconnect):
            while (told := await viewer.next()) is not None:
                await socket.send_text(told)
            if not asking.done():
                await socket.close(GOING_AWAY)
    finally:
        held.leave(viewer)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def _asked(door: HttpDoor, socket: WebSocket, held: Hub, viewer: Viewer) -> None:
    """Take what the page says, until it is gone or says what no page of ours would."""
    # Bytes in place of text are a KeyError of Starlette's.
    with suppress(WebSocketDisconnect, KeyError):
        address = _address(socket)
        while (wish := wish_of(await socket.receive_text())) is not None:
            if wish.listens:
                _listen(door, held, viewer, wish.call_id, address)
            else:
                if wish.call_id != viewer.call_id:
                    _acted(door, "transcript", wish.call_id, address)
                viewer.look_at(wish.call_id)
    viewer.close()


class Wish(NamedTuple):
    """Which call the page looks at, "" for none, and whether it is to be heard."""

    call_id: str
    listens: bool


def wish_of(text: str) -> Wish | None:
    """What the page says; None for what no page of ours would say.

    >>> wish_of('{"call": "CA12", "listen": true}'), wish_of('[]')
    (Wish(call_id='CA12', listens=True), None)
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    call_id = said.get("call") if isinstance(said, dict) else None
    if not isinstance(call_id, str):
        return None
    return Wish(call_id if ANY_CALL.match(call_id) else "", said.get("listen") is True)


def _listen(door: HttpDoor, held: Hub, viewer: Viewer, call_id: str, address: str) -> None:
    """Let an operator hear a call, who has shown the console's token; else say why not."""
    if door.admission.rules.console_token is None:
        why = "to listen in, the console has to have a token (AYBIZA_CONSOLE_TOKEN)"
    elif call_id != viewer.call_id or not held.listen(viewer):
        why = "this call is not recorded, so nobody may listen in"
    else:
        why = ""
        _acted(door, "listen", call_id, address)
    viewer.give(frame("listening", {"id": call_id, "why": why}))


def _acted(door: HttpDoor, did: str, call_id: str, address: str) -> None:
    """Put it in the audit trail that somebody reads or hears a call."""
    if call_id:
        emit(door.vm, OPERATOR, who=f"console {address}", did=did, what=call_id)


async def action(door: HttpDoor, request: Request) -> Response:
    """Do something."""
    if door.console is None:
        return _error("this node takes no actions", 503)
    asked = await json_of(request)
    if asked is None:
        return _error("the body is no JSON object of at most 32 KB", 400)
    try:
        answer = await act(door.console, door.vm, asked, _address(request))
    except Refused as refusal:
        return _error(str(refusal), 409)
    return JSONResponse(answer, headers=_NO_STORE)


async def dial(door: HttpDoor, request: Request) -> Response:
    """What the softphone needs for a call."""
    asked = await json_of(request)
    if asked is None:
        return _error("the body is no JSON object of at most 32 KB", 400)
    routes = [who.route for who in door.switchboard]
    if asked.get("look"):
        return JSONResponse({"routes": routes}, headers=_NO_STORE)
    call_id = asked.get("call")
    if not isinstance(call_id, str) or not _OWN_CALL.match(call_id):
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


async def json_of(request: Request) -> dict[str, Any] | None:
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


def _address(request: HTTPConnection) -> str:
    return request.client.host if request.client is not None else "unknown"


def _error(text: str, status: int) -> Response:
    return JSONResponse({"error": text}, status, headers=_NO_STORE)
