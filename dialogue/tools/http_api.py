"""An HTTP API that tools stand on: one client, its limits, and its errors in a tool's words.

    api = HttpApi("https://crm.example.org/v2", auth=bearer(token))
    found = await api.call("GET", "/customers", query={"identifier": "41573"})

Contract: connections are kept and bounded; connecting, reading and the size of an answer have
limits, the size in decoded bytes as they come; requests go to the host of the base URL and nowhere
else; redirects are not followed and nothing is tried again, but for one new token after a 401. A
server that refuses and asks to be left alone for a while is, for `MOST_ASKED_SECONDS` at most.
Errors: `ToolError` for what the server, or the way to it, says before anything can have been done;
everything else (a time-out, a broken answer, a 5xx) is raised as it is, because a write may have
been done by then. Neither keys nor what is asked stand in the log.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx
import structlog

from aybiza.config.asked_waits import Pause
from aybiza.config.redact import hide_url_password
from aybiza.dialogue.tool_registry import ToolError
from aybiza.dialogue.tools import http_body
from aybiza.dialogue.tools.http_auth import Auth, anonymous
from aybiza.dialogue.tools.http_params import Pair, check_header, segment

__all__ = ["HttpApi", "segment"]

_CONNECT_SECONDS: Final = 2.0
_POOL_SECONDS: Final = 1.0
MOST_ASKED_SECONDS: Final = 60.0
_BODY_BYTES: Final = 256 * 1024
_DETAIL_CHARACTERS: Final = 200
_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"

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
_FOR_A_TIME: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
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
            shown = hide_url_password(base_url)
            raise ValueError(f"{shown!r} is no http or https URL without a query")
        if parts.username is not None or parts.fragment:
            shown = hide_url_password(base_url)
            raise ValueError(
                f"{shown!r} is a URL with a user or a fragment: use `auth` for secrets"
            )
        self._pause = Pause(MOST_ASKED_SECONDS)
        self.host = parts.hostname
        self.base_url = base_url.rstrip("/")
        self._auth = auth or anonymous()
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(
                seconds, connect=min(_CONNECT_SECONDS, seconds), pool=_POOL_SECONDS
            ),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            headers={
                "User-Agent": "aybiza",
                "Accept": "application/json",
                "Accept-Encoding": http_body.ACCEPTED,
                **(headers or {}),
            },
            follow_redirects=False,
            # What a server sets in one caller's call must not go with another's.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            # To read certificates takes longer than the loop may be held.
            verify=parts.scheme == "https",
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | Sequence[Pair] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        form: Sequence[Pair] | None = None,
        content_type: str = "application/json",
        json_parts: Collection[str] = (),
        idempotency_key: str = "",
        on_next: Callable[[str], None] | None = None,
    ) -> Any:
        """What the server answers: decoded JSON, a text, or None for no content.

        `path` begins with a slash and is percent-encoded (`segment`); `body` is sent as JSON, of
        this `content_type`, if it is not None; `form` URL-encoded, or as multipart if the
        `content_type` says so, in which `json_parts` are said to be JSON. What cannot be sent is
        refused by a ToolError before anything is. The same `idempotency_key` tells the server that
        it is the same write. `on_next` is told the address of the next page, if the answer's `Link`
        has one.
        """
        if not path.startswith("/"):
            raise ValueError(f"the path {path[:40]!r} does not begin with a slash")
        sent = dict(headers or {})
        if idempotency_key:
            sent["Idempotency-Key"] = idempotency_key
        for name, value in sent.items():
            check_header(name, value)
        try:
            asked = list(query.items() if isinstance(query, Mapping) else query or ())
            content, kind = _content(body, form, content_type, json_parts)
        except (TypeError, ValueError, RecursionError):
            raise ToolError("bad_input", "That cannot be sent. Nothing was sent.") from None
        if content is not None:
            sent["Content-Type"] = kind
        if left := self._pause.left(time.monotonic()):
            raise ToolError(*_busy(left))
        request = (method, path, asked, sent, content)
        status, kind, answer, following = await self._ask(*request)
        if status == HTTPStatus.UNAUTHORIZED and self._auth.refused():
            status, kind, answer, following = await self._ask(*request)
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            if following and on_next is not None:
                on_next(following)
            return _decoded(kind, answer)
        raise self._refusal(status, kind, answer)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, Any]],
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> tuple[int, str, bytes, str]:
        members = await self._auth.members(self._client)
        given = [(name, value) for name, value in query if name not in members.query]
        try:
            request = self._client.build_request(
                method,
                self.base_url + path,
                params=[*given, *members.query.items()] or None,
                headers={**headers, **members.headers},
                content=content,
            )
        except (UnicodeError, httpx.InvalidURL):
            raise ToolError("bad_input", "That cannot be sent. Nothing was sent.") from None
        if request.url.host != httpx.URL(self.base_url).host:
            raise ValueError("a request would have left its host")
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
            if response.status_code in _FOR_A_TIME:
                self._pause.told(response.headers, time.monotonic())
            body = await http_body.read(response, _BODY_BYTES)
            return response.status_code, kind, body, response.links.get("next", {}).get("url", "")
        except http_body.TooMuch:
            message = "There is more than can be told. Ask for less."
            raise ToolError("too_much", message) from None
        except httpx.TimeoutException:
            raise TimeoutError(f"{self.host} is silent") from None
        finally:
            await response.aclose()

    def _refusal(self, status: int, kind: str, answer: bytes) -> Exception:
        log.warning("tool_host_refused", host=self.host, status=status)
        code, message = _REFUSALS.get(status, _OTHER_REFUSAL)
        if status not in _REFUSALS and not 400 <= status < 500:
            return ConnectionError(f"{self.host} answered {status}")
        if status in _FOR_A_TIME and (left := self._pause.left(time.monotonic())):
            code, message = _busy(left)
        detail = _detail(kind, answer)
        return ToolError(code, f"{message} It says: {detail}" if detail else message)


def _busy(seconds: float) -> tuple[str, str]:
    """What is told of a system that asks to be left alone."""
    return "busy", f"The system is busy. It can be asked again in {math.ceil(seconds)} seconds."


def _content(
    body: Any, form: Sequence[Pair] | None, content_type: str, json_parts: Collection[str]
) -> tuple[bytes | None, str]:
    if form is None:
        made = None if body is None else json.dumps(body, allow_nan=False).encode()
        return made, content_type
    if content_type != _MULTIPART:
        return urlencode(form).encode(), _FORM
    if not form:  # there is no multipart body of no parts
        return None, content_type
    parts: list[tuple[str, Any]] = [
        (
            name,
            (None, value.encode(), "application/json")
            if name in json_parts
            else (None, value.encode()),
        )
        for name, value in form
    ]
    request = httpx.Request("POST", "http://form.invalid", files=parts)
    return request.read(), request.headers["content-type"]


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
