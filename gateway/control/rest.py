"""Ends calls by their carrier's HTTP API.

    twilio       POST {api}/2010-04-01/Accounts/{account}/Calls/{call}.json   Status=completed
    signalwire   POST {api}/api/laml/2010-04-01/Accounts/{project}/Calls/{call}.json   the same
    telnyx       POST {api}/v2/calls/{call}/actions/hangup

Contract: connections are kept and bounded, an answer is read up to `BODY_BYTES`. To end a call
twice does no harm, so what may be gone in a moment (no connection, 429, 5xx) is asked once more
while there is time. A call that the carrier does not know, or that is over, has been ended.

Errors: `ControlError`; a refusal says which setting to look at.
Source: Twilio, "Call resource: update"; SignalWire, "Compatibility API: update a call"; Telnyx,
"Call Control: hangup".
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx
import structlog

from aybiza.config.plain_answers import PLAIN, pieces
from aybiza.gateway.carriers.codec import Start
from aybiza.gateway.carriers.telnyx_codec import CONTROL_ID
from aybiza.gateway.control.control import HANG_UP_SECONDS, ControlError

BODY_BYTES: Final = 8 * 1024
ATTEMPTS: Final = 2
AGAIN_SECONDS: Final = 0.25
CONNECTIONS: Final = 10

_GONE: Final = frozenset((404, 410))
_AGAIN: Final = frozenset((408, 425, 429))
_OVER: Final = frozenset(("21220", "90018"))
"""Error codes for a call that is over: Twilio's, which SignalWire has too, and Telnyx's."""
_ACCOUNT: Final = re.compile(r"AC[0-9a-f]{32}\Z", re.ASCII)
_SERVER_ERROR: Final = 500

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Api:
    """One carrier's API: where it is, how it is asked, which settings it stands on."""

    carrier: str
    url: str
    path: Callable[[Start], str]
    auth: tuple[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = None
    settings: str = ""


def twilio(account: str, token: str, url: str) -> Api:
    """Twilio's. The call's own account may be a part of `account`."""

    def path(start: Start) -> str:
        own = start.account_sid if _ACCOUNT.match(start.account_sid) else account
        return f"/2010-04-01/Accounts/{_part(own)}/Calls/{_part(start.call_sid)}.json"

    settings = "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"
    return Api("twilio", url, path, (account, token), form=_COMPLETED, settings=settings)


def signalwire(project: str, token: str, url: str) -> Api:
    """SignalWire's; `url` is the space's."""

    def path(start: Start) -> str:
        account = f"/api/laml/2010-04-01/Accounts/{_part(project)}"
        return f"{account}/Calls/{_part(start.call_sid)}.json"

    settings = "AYBIZA_SIGNALWIRE_PROJECT and AYBIZA_SIGNALWIRE_TOKEN"
    return Api("signalwire", url, path, (project, token), form=_COMPLETED, settings=settings)


def telnyx(key: str, url: str) -> Api:
    """Telnyx's, which knows the call by the id that came with its stream."""

    def path(start: Start) -> str:
        call = start.custom_parameters.get(CONTROL_ID) or start.call_sid
        return f"/v2/calls/{_part(call)}/actions/hangup"

    bearer = {"Authorization": f"Bearer {key}"}
    return Api("telnyx", url, path, headers=bearer, settings="AYBIZA_TELNYX_API_KEY")


_COMPLETED: Final = {"Status": "completed"}


class RestControl:
    """See the module. Make it before the event loop has calls to carry: certificates are read from
    disk."""

    def __init__(self, api: Api, seconds: float | None = None) -> None:
        self._api = api
        self._seconds = seconds = HANG_UP_SECONDS if seconds is None else seconds
        self._client = httpx.AsyncClient(
            base_url=api.url.rstrip("/"),
            auth=api.auth,
            headers={"User-Agent": "aybiza", "Accept": "application/json", **PLAIN, **api.headers},
            limits=httpx.Limits(max_connections=CONNECTIONS),
            timeout=seconds,
            follow_redirects=False,
        )

    async def hang_up(self, start: Start) -> None:
        """See `Control`."""
        problem = "it has not answered in time"
        try:
            async with asyncio.timeout(self._seconds):
                for attempt in range(ATTEMPTS):
                    if attempt:
                        await asyncio.sleep(AGAIN_SECONDS)
                    problem = await self._asked(start)
                    if not problem:
                        return
        except TimeoutError:
            # What was said the time before says more.
            pass
        raise ControlError(f"{self._api.carrier} has not ended the call: {problem}")

    async def aclose(self) -> None:
        """See `Control`."""
        await self._client.aclose()

    async def _asked(self, start: Start) -> str:
        """What stands in the way of it that may be gone in a moment; "" if it is done."""
        path, form = self._api.path(start), self._api.form
        body: dict[str, Any] = {"json": {}} if form is None else {"data": form}
        try:
            async with self._client.stream("POST", path, **body) as response:
                status, text = response.status_code, await _beginning(response)
        except httpx.HTTPError as error:
            return f"it cannot be reached ({type(error).__name__})"
        if response.is_success or status in _GONE:
            return ""
        code = _code(text)
        if code in _OVER:
            return ""
        said = f"it answered {status}{f', code {code}' if code else ''}"
        if status in _AGAIN or status >= _SERVER_ERROR:
            return said
        look = f"; look at {self._api.settings}" if status in (401, 403) else ""
        raise ControlError(f"{self._api.carrier} has not ended the call: {said}{look}")


async def _beginning(response: httpx.Response) -> bytes:
    """What the answer begins with: enough for a code."""
    body = bytearray()
    async for piece in pieces(response):
        body += piece
        if len(body) > BODY_BYTES:
            break
    return bytes(body[:BODY_BYTES])


def _code(body: bytes) -> str:
    """The carrier's own code for an error; "" without one."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    match told:
        case {"errors": [{"code": str() | int() as code}, *_]} | {"code": str() | int() as code}:
            return str(code)[:20]
    return ""


def _part(text: str) -> str:
    return quote(text, safe="")
