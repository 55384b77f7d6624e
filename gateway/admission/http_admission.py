"""The HTTP door's admission: asks `Admission` about each request before a route sees it.

An ASGI middleware. It reads the body of a webhook (64 KB at most) and hands it on. The path is that
by which the route is found, `scope["path"]`, and no other: what a Host says is no part of it. A
refused connection is closed, for its body may not have been read. A request that tells its length
in two ways is refused: a proxy in front may have read the other one, and take what we read as the
next request for a part of this.

The console's page opens its websocket with the subprotocol `aybiza.console` and, if it has the
console's token, `token.` and the token in base64url beside it: scripts can add no header to a
handshake, and what stands in an address is written down on the way.

Source: ASGI, "HTTP & WebSocket"; RFC 9112, section 6.3; RFC 6455, section 1.9.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aybiza.gateway import twiml
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.policy import HTTP, WEBHOOKS, WEBSOCKET, Proof, door
from aybiza.gateway.admission.rules import BUSY, Knock, Refusal

MAX_BODY_BYTES: Final = 64 * 1024
TOKEN: Final = "token."
"""What stands before the console's token among the subprotocols of a handshake."""

_LENGTHS: Final = frozenset(("content-length", "transfer-encoding"))


class HttpAdmission:
    """See the module. `busy_text` of a webhook's query and body: what a caller hears whose account
    has all its calls."""

    def __init__(
        self, app: ASGIApp, admission: Admission, busy_text: Callable[[bytes, bytes], str]
    ) -> None:
        self._app = app
        self._admission = admission
        self._busy_text = busy_text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "websocket":
            await self._handshake(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        knock, body = _knock(scope), None
        refusal: Refusal | None
        if knock.headers.keys() >= _LENGTHS:
            refusal = self._admission.ambiguous(knock)
        elif door(HTTP, scope["method"], knock.path).proof not in WEBHOOKS:
            refusal = await self._admission.page(knock, scope["method"])
        else:
            try:
                body = await _body(Request(scope, receive))
            except ClientDisconnect:
                return
            if body is None:
                refusal = self._admission.too_large(knock)
            else:
                receive = _again(body, receive)
                refusal = await self._admission.webhook(knock, body)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        words = self._busy_text(scope["query_string"], body or b"") if refusal is BUSY else ""
        await _refused(refusal, words)(scope, receive, send)

    async def _handshake(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request that is to become a websocket."""
        token = _token(scope["subprotocols"])
        knock = _knock(scope, {} if token is None else {"authorization": f"Bearer {token}"})
        refusal = await self._admission.page(knock, WEBSOCKET)
        if refusal is None:
            if door(HTTP, WEBSOCKET, knock.path).proof is Proof.NOBODY:
                self._admission.refused(HTTP, "nobody", knock.peer)
            await self._app(scope, receive, send)
            return
        headers = [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
        start = {"type": "websocket.http.response.start", "status": refusal.status}
        await send({**start, "headers": [*headers, (b"connection", b"close")]})
        await send({"type": "websocket.http.response.body", "body": refusal.text.encode()})


def _token(subprotocols: Iterable[str]) -> str | None:
    """The console's token as a handshake has it, None without one; "" for what is none."""
    given = next((one for one in subprotocols if one.startswith(TOKEN)), None)
    if given is None:
        return None
    encoded = given.removeprefix(TOKEN)
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:  # not base64, not ASCII, or not UTF-8
        return ""


def _refused(refusal: Refusal, words: str) -> Response:
    if refusal is BUSY:
        return Response(twiml.say_hangup(words), media_type=twiml.CONTENT_TYPE)
    headers = {**refusal.headers, "connection": "close"}
    return PlainTextResponse(refusal.text, refusal.status, headers)


def _knock(scope: Scope, more: Mapping[str, str] = {}) -> Knock:
    query = scope["query_string"].decode("latin-1")
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return Knock(
        peer=(scope.get("client") or ("", 0))[0],
        secure=scope["scheme"] in ("https", "wss"),
        target=f"{path}?{query}" if query else path,
        path=scope["path"],
        headers={**headers, **more},
    )


async def _body(request: Request) -> bytes | None:
    """The whole body; None if it is beyond the bound."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that tells a body that has been read already."""
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def told() -> Message:
        return whole.pop() if whole else await receive()

    return told
