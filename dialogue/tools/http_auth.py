"""How an HTTP API knows who asks: nothing, a key, a password, or OAuth 2 client credentials.

Contract: `Auth.members(client)` gives the headers and query parameters to add to a request;
`Auth.refused()` is told of a 401 and says whether asking again can help. Secrets are in no repr.
Errors: `ToolError("not_allowed", …)` when no token can be had.
Source: RFC 6750 (bearer), RFC 7617 (basic), RFC 6749 section 4.4 (client credentials).
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

import httpx
import structlog

from aybiza.config import clocks
from aybiza.config.numbers import finite
from aybiza.dialogue.tool_registry import ToolError
from aybiza.dialogue.tools import http_body

_EARLY_SECONDS: Final = 30.0
_DEFAULT_LIFE_SECONDS: Final = 300.0
_TOKEN_BYTES: Final = 64 * 1024
_NO_TOKEN: Final = (
    httpx.HTTPError,
    http_body.TooMuch,
    ValueError,
    RecursionError,
)
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Members:
    """What is added to a request."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


class Auth(Protocol):
    """See the module."""

    async def members(self, client: httpx.AsyncClient) -> Members:
        """What to add to the next request."""

    def refused(self) -> bool:
        """The server answered 401; True: the next `members` are others."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same for every request."""

    always: Members = field(default_factory=Members)

    async def members(self, client: httpx.AsyncClient) -> Members:
        return self.always

    def refused(self) -> bool:
        return False


def anonymous() -> Auth:
    """Nobody in particular."""
    return Fixed()


def bearer(token: str) -> Auth:
    """`Authorization: Bearer …`."""
    return Fixed(Members({"Authorization": f"Bearer {token}"}))


def basic(user: str, password: str) -> Auth:
    """`Authorization: Basic …`."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Fixed(Members({"Authorization": f"Basic {pair}"}))


def api_key(name: str, value: str, where: Literal["header", "query"] = "header") -> Auth:
    """A key in the header, or the query parameter, called `name`."""
    return Fixed(Members({name: value}) if where == "header" else Members({}, {name: value}))


class ClientCredentials:
    """A token that is fetched when there is none, and anew before it expires or when it is refused.

    `client_secret` is sent as HTTP basic, as RFC 6749 prefers. The clock is in seconds.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        scope: str = "",
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self._url = token_url
        self._auth = httpx.BasicAuth(client_id, client_secret)
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._clock = clock
        self._fetching = asyncio.Lock()
        self._token = ""
        self._until = 0.0

    async def members(self, client: httpx.AsyncClient) -> Members:
        # Bounded by the client's time limits, and by the limit of the tool that waits.
        async with self._fetching:
            if not self._token or self._clock() >= self._until:
                await self._fetch(client)
        return Members({"Authorization": f"Bearer {self._token}"})

    def refused(self) -> bool:
        had, self._token = self._token, ""
        return bool(had)

    async def _fetch(self, client: httpx.AsyncClient) -> None:
        try:
            asked = client.stream("POST", self._url, data=self._form, auth=self._auth)
            async with asked as answer:
                answer.raise_for_status()
                self._token, life = token_of(await http_body.read(answer, _TOKEN_BYTES))
        except _NO_TOKEN as failure:
            log.warning(
                "token_refused", host=httpx.URL(self._url).host, kind=type(failure).__name__
            )
            raise ToolError("not_allowed", "The system does not let us in at the moment.") from None
        self._until = self._clock() + max(0.0, life - _EARLY_SECONDS)


def token_of(data: bytes) -> tuple[str, float]:
    """The key that a service gives out, and for how many seconds it is good.

    Raises ValueError and RecursionError. What has other signs than a token has (RFC 6749, A.12)
    would end the header that it is sent in, or be none.

    >>> token_of(b'{"access_token": "abc", "expires_in": "60"}')
    ('abc', 60.0)
    """
    told = json.loads(data)
    token = told.get("access_token") if isinstance(told, dict) else None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ValueError("no token")
    life = told.get("expires_in", _DEFAULT_LIFE_SECONDS)
    return token, max(0.0, finite(float(life) if isinstance(life, str) else life) or 0.0)
