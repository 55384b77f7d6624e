"""An HTTP API that tools stand on: one client, its limits, and its errors in a tool's words.

    api = HttpApi("https://crm.example.org/v2", auth=bearer(token))
    found = await api.call("GET", "/customers", query={"identifier": "41573"})

Contract: connections are kept and bounded; connecting, reading and the size of an answer have
limits; redirects are not followed and nothing is tried again, but for one new token after a 401.
Errors: `ToolError` for what the server, or the way to it, says before anything can have been done;
everything else (a time-out, a broken answer, a 5xx) is raised as it is, because a write may have
been done by then. Neither keys nor what is asked stand in the log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx
import structlog

from aybiza.dialogue.tool_registry import ToolError
from aybiza.dialogue.tools.http_auth import Auth, anonymous

_CONNECT_SECONDS: Final = 2.0
_POOL_SECONDS: Final = 1.0
_BODY_BYTES: Final = 256 * 1024
_DETAIL_CHARACTERS: Final = 200

# What a refusal is to the model. Nothing was done then.
_REFUSALS: Final[Mapping[int, tuple[str, str]]] = {
    HTTPStatus.UNAUTHORIZED: ("not_allowed", "The system does not let us in at the moment."),
    HTTPStatus.FORBIDDEN: ("not_allowed", "The system does not allow this."),
    HTTPStatus.NOT_FOUND: ("not_found", "There is no such thing."),
    HTTPStatus.GONE: ("not_found", "There is no such thing any more."),
    HTTPStatus.CONFLICT: ("conflict", "That does not go together with what is there."),
    HTTPStatus.TOO_MANY_REQUESTS: ("busy", "The system is busy. Try again later."),
    HTTPStatus.SERVICE_UNAVAILABLE: ("busy", "The system is not available at the moment."),
}
_OTHER_REFUSAL: Final = ("refused", "The system does not take this.")

log = structlog.get_logger(__name__)


class HttpApi:
    """See the module. `seconds` is the longest silence of the server.

    Make it before the event loop has calls to carry: certificates are read from disk.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: Auth | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 4.0,
        connections: int = 10,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError(f"{base_url!r} is no http or https URL without a query")
        self.host = parts.hostname
        self._base = base_url.rstrip("/")
        self._auth = auth or anonymous()
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(
                seconds, connect=min(_CONNECT_SECONDS, seconds), pool=_POOL_SECONDS
            ),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            headers={"User-Agent": "aybiza", "Accept": "application/json", **(headers or {})},
            follow_redirects=False,
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        idempotency_key: str = "",
    ) -> Any:
        """What the server answers: decoded JSON, a text, or None for no content.

        `path` begins with a slash and is percent-encoded (`segment`); `body` is sent as JSON if it
        is not None. The same `idempotency_key` tells the server that it is the same write.
        """
        sent = dict(headers or {})
        if idempotency_key:
            sent["Idempotency-Key"] = idempotency_key
        status, kind, answer = await self._ask(method, path, query, sent, body)
        if status == HTTPStatus.UNAUTHORIZED and self._auth.refused():
            status, kind, answer = await self._ask(method, path, query, sent, body)
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return _decoded(kind, answer)
        raise self._refusal(status, kind, answer)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        body: Any,
    ) -> tuple[int, str, bytes]:
        members = await self._auth.members(self._client)
        request = self._client.build_request(
            method,
            self._base + path,
            params={**(query or {}), **members.query} or None,
            headers={**headers, **members.headers},
            json=body,
        )
        try:
            response = await self._client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as failure:
            log.warning("tool_host_unreachable", host=self.host, kind=type(failure).__name__)
            message = "The system cannot be reached at the moment."
            raise ToolError("unreachable", message) from None
        except httpx.TimeoutException:
            raise TimeoutError(f"{self.host} is silent") from None
        try:
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            return response.status_code, kind, await _body(response)
        except httpx.TimeoutException:
            raise TimeoutError(f"{self.host} is silent") from None
        finally:
            await response.aclose()

    def _refusal(self, status: int, kind: str, answer: bytes) -> Exception:
        log.warning("tool_host_refused", host=self.host, status=status)
        code, message = _REFUSALS.get(status, _OTHER_REFUSAL)
        if status not in _REFUSALS and not 400 <= status < 500:
            return ConnectionError(f"{self.host} answered {status}")
        detail = _detail(kind, answer)
        return ToolError(code, f"{message} It says: {detail}" if detail else message)


def segment(value: object) -> str:
    """A value as one segment of a path."""
    text = str(value)
    # Dots are not percent-encoded, and would climb.
    return "%2E" * len(text) if text in (".", "..") else quote(text, safe="")


async def _body(response: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > _BODY_BYTES:
            raise ToolError("too_much", "There is more than can be told. Ask for less.")
        parts.append(part)
    return b"".join(parts)


def _decoded(kind: str, answer: bytes) -> Any:
    if not answer:
        return None
    if kind == "application/json" or kind.endswith("+json"):
        return json.loads(answer)
    if kind.startswith("text/"):
        return answer.decode("utf-8", "replace")
    raise ValueError(f"an answer of type {kind or 'unknown'} is of no use")


def _detail(kind: str, answer: bytes) -> str:
    """The server's own sentence about a refusal, if it has one."""
    try:
        told = _decoded(kind, answer)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(told, Mapping):
        return ""
    inner = told.get("error")
    places = [told, inner] if isinstance(inner, Mapping) else [told]
    for place in places:
        for name in ("message", "detail", "title", "error_description", "error"):
            if isinstance(place.get(name), str):
                return str(place[name])[:_DETAIL_CHARACTERS]
    return ""
