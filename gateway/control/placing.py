"""Places calls by a carrier's HTTP API, and looks up what became of them.

    twilio       POST {api}/2010-04-01/Accounts/{account}/Calls.json
    signalwire   POST {api}/api/laml/2010-04-01/Accounts/{project}/Calls.json

The order names two addresses of ours, sealed for the carrier and the account
(`aybiza.gateway.placed`): what to do with the call, and where to tell how it goes. `CARRIERS` is
the table; Telnyx has another API and no row, which `placing` says.

An order is sent once. What was surely not sent (no connection) or surely not taken (429, a key that
does not fit) may be tried again; what may have been taken is nobody's to know, and is looked up: by
the call's id or, without one, among the calls from and to these numbers that were made since. A
carrier that asks to be left alone (`Retry-After`) is given no order meanwhile.

Errors: as `aybiza.actors.outbound.placer` has it. `ValueError` from `placing`: why there is none.
Source: Twilio, "Call resource: create, fetch, read multiple" and "Rate limits"; SignalWire,
"Compatibility API: create a call".
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

import httpx
import structlog
from pydantic import SecretStr

from aybiza.config.asked_waits import Pause
from aybiza.config.plain_answers import PLAIN, pieces
from aybiza.config.settings import Settings
from aybiza.dialogue.outbound.dialler import Answer, Told
from aybiza.dialogue.outbound.ledger import Attempted
from aybiza.gateway.placed import Addresses, told_of

SECONDS: Final = 10.0
CONNECTIONS: Final = 10
MOST_ASKED_SECONDS: Final = 300.0
BODY_BYTES: Final = 256 * 1024
LISTED: Final = 20
CLOCKS_APART: Final = 60.0
"""A call that was made so long before its attempt is another's."""
MOST_SECONDS: Final = 14_400
EVENTS: Final = ("initiated", "ringing", "answered", "completed")
TELNYX: Final = "telnyx"
EMULATED: Final = "emulated"

_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_NOT_TAKEN: Final = frozenset((401, 403, 404, 429))
"""Answers to an order that say nothing of its number: a key, an account, too many requests."""
_BAD: Final = range(400, 500)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Api:
    """One carrier's API: where its calls are, how it is asked, which settings it stands on."""

    carrier: str
    base: str
    account: str
    token: str = field(repr=False)
    settings: str = ""


def _twilio(settings: Settings) -> Api | None:
    account, token = settings.twilio_account_sid, settings.twilio_auth_token
    if settings.emulated:
        # The emulator takes any key. None of the settings, so that the doors are as open as before.
        account, token = account or EMULATED, token or SecretStr(EMULATED)
    if not account or token is None:
        return None
    base = f"{settings.twilio_api.rstrip('/')}/2010-04-01/Accounts/{account}"
    named = "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"
    return Api("twilio", base, account, token.get_secret_value(), named)


def _signalwire(settings: Settings) -> Api | None:
    space, project, token = (
        settings.signalwire_api,
        settings.signalwire_project,
        settings.signalwire_token,
    )
    if not space or not project or token is None:
        return None
    base = f"{space.rstrip('/')}/api/laml/2010-04-01/Accounts/{project}"
    named = "AYBIZA_SIGNALWIRE_API, _PROJECT and _TOKEN"
    return Api("signalwire", base, project, token.get_secret_value(), named)


CARRIERS: Final[Mapping[str, Callable[[Settings], Api | None]]] = {
    "twilio": _twilio,
    "signalwire": _signalwire,
}
_NEEDS: Final = {
    "twilio": "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
    "signalwire": "AYBIZA_SIGNALWIRE_API, AYBIZA_SIGNALWIRE_PROJECT and AYBIZA_SIGNALWIRE_TOKEN",
}


def placing(settings: Settings, carrier: str) -> Api:
    """The API of this carrier as the settings have it; see the module."""
    if settings.emulated and carrier != "twilio":
        raise ValueError(f'emulators call nobody by {carrier}: they have carrier = "twilio"')
    if carrier not in CARRIERS:
        raise ValueError(f"calls cannot be placed by {carrier}: {' and '.join(CARRIERS)} can")
    api = CARRIERS[carrier](settings)
    if api is None:
        raise ValueError(f"to place calls by {carrier}, set {_NEEDS[carrier]}")
    return api


class RestPlacer:
    """See the module. `addresses_of` an attempt; `detect`: whether the carrier listens for machines
    as well. Make it before the event loop has calls to carry: certificates are read from disk."""

    def __init__(
        self,
        api: Api,
        addresses_of: Callable[[Attempted], Addresses],
        *,
        detect: bool = False,
        seconds: float = SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._api = api
        self._addresses_of = addresses_of
        self._detect = detect
        self._pause = Pause(MOST_ASKED_SECONDS)
        self._client = httpx.AsyncClient(
            auth=(api.account, api.token),
            headers={"User-Agent": "aybiza", "Accept": "application/json", **PLAIN},
            limits=httpx.Limits(max_connections=CONNECTIONS),
            timeout=seconds,
            follow_redirects=False,
            transport=transport,
        )

    async def place(self, attempt: Attempted) -> Answer:
        """See `Placer`."""
        if self._pause.left(time.monotonic()):
            return Answer(attempt.id, code="429", words="it asks to be left alone", again=True)
        try:
            status, told = await self._ask("POST", "Calls.json", self._form(attempt))
        except _NOT_SENT as error:
            name = type(error).__name__
            return Answer(attempt.id, code="unreachable", words=name, again=True)
        except httpx.HTTPError as error:
            log.warning("call_order_unanswered", attempt=attempt.id, reason=type(error).__name__)
            return Answer(attempt.id)
        call_id = told.get("sid")
        if status in (200, 201) and isinstance(call_id, str) and call_id:
            return Answer(attempt.id, call_id)
        if status not in _BAD:
            log.warning("call_order_unclear", attempt=attempt.id, status=status)
            return Answer(attempt.id)
        code, words = str(told.get("code") or status)[:20], str(told.get("message", ""))[:200]
        if status in (401, 403, 404):
            log.error("carrier_takes_no_orders", status=status, look_at=self._api.settings)
        return Answer(attempt.id, code=code, words=words, again=status in _NOT_TAKEN)

    async def look_up(self, attempt: Attempted, call_id: str) -> Told | None:
        """See `Placer`."""
        query = {"To": attempt.to, "From": attempt.from_number, "PageSize": str(LISTED)}
        try:
            if call_id:
                status, told = await self._ask("GET", f"Calls/{quote(call_id, safe='')}.json")
                found = told if status == 200 else None
            else:
                status, told = await self._ask("GET", "Calls.json", query)
                found = _since(told.get("calls"), attempt.at - CLOCKS_APART)
        except httpx.HTTPError as error:
            log.warning("call_not_looked_up", attempt=attempt.id, reason=type(error).__name__)
            return None
        if status not in (200, 404):
            log.warning("call_not_looked_up", attempt=attempt.id, status=status)
            return None
        return Told(attempt.id, "") if found is None else told_of(_as_form(found), attempt.id)

    async def aclose(self) -> None:
        """Let go of what is open."""
        await self._client.aclose()

    def _form(self, attempt: Attempted) -> dict[str, str | list[str]]:
        ours = self._addresses_of(attempt)
        form: dict[str, str | list[str]] = {
            "To": attempt.to,
            "From": attempt.from_number,
            "Url": ours.webhook,
            "Method": "POST",
            "StatusCallback": ours.status,
            "StatusCallbackMethod": "POST",
            "StatusCallbackEvent": list(EVENTS),
            "Timeout": str(attempt.ring_seconds),
            "TimeLimit": str(MOST_SECONDS),
        }
        if self._detect:
            form |= {
                "MachineDetection": "Enable",
                "AsyncAmd": "true",
                "AsyncAmdStatusCallback": ours.status,
                "AsyncAmdStatusCallbackMethod": "POST",
            }
        return form

    async def _ask(
        self, method: str, path: str, given: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and body; an empty one for what is no JSON object."""
        sent: dict[str, Any] = {"data" if method == "POST" else "params": given or {}}
        async with self._client.stream(method, f"{self._api.base}/{path}", **sent) as response:
            if response.status_code in (429, 503):
                self._pause.told(response.headers, time.monotonic())
            body = bytearray()
            async for piece in pieces(response):
                body += piece
                if len(body) > BODY_BYTES:
                    break
        try:
            told = json.loads(bytes(body))
        except (ValueError, RecursionError):
            told = None
        return response.status_code, told if isinstance(told, dict) else {}


def _since(calls: Any, since: float) -> dict[str, Any] | None:
    """The first of these calls that was made since then."""
    found = []
    for call in calls if isinstance(calls, list) else []:
        if isinstance(call, dict) and (made := _made(call)) >= since:
            found.append((made, call))
    return min(found, key=lambda one: one[0])[1] if found else None


def _made(call: Mapping[str, Any]) -> float:
    try:
        return parsedate_to_datetime(str(call.get("date_created"))).timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _as_form(call: Mapping[str, Any]) -> dict[str, str]:
    """A call of the API as a status callback would tell of it."""
    names = {
        "CallSid": "sid",
        "CallStatus": "status",
        "CallDuration": "duration",
        "AnsweredBy": "answered_by",
    }
    return {name: str(call[key]) for name, key in names.items() if call.get(key) is not None}
