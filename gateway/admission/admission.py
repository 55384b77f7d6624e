"""Admission: who may come in by the doors of a node. The whole defence, in the order it is met:

    connection  bounds on connections that owe their request, by address and in all, and on the
                time they have for it, TLS handshake included      `waiting_room`, `entrance`
    headers     at most 16 KB; bodies at most 64 KB                `entrance`, here
    caller      the address behind trusted proxies                 `callers`
    proof       a webhook or a handshake with Twilio's signature, a page with the operator's
                token: comes in, and is not counted, for Twilio calls from few addresses
                                                                   `signature`
    rate        everybody else is counted; beyond the limit 429    `rate_limit`
    signature   a webhook or a handshake that had to be signed: 403
    page        an operator's page, but for this machine: 401
    account     more calls at a time than an account may have: the busy words
                                                                   `account_calls`
    token       a stream's `start` without the token of its TwiML: closed with 1008
                                                                   `stream_token`

`/healthz` and `/readyz` are open and not counted: refusing would cost as much as answering, and an
orchestrator that shares an address with an attacker must not take the node for dead. `/incoming`,
what is below it, and `/status` are the webhooks; whatever other route there is, is an operator's
page. Only Twilio's signature is known here: with an auth token `/incoming`, `/status` and `/media`
must bear it; the webhooks of other carriers (`/incoming/…`, answered only where the operator lets
that carrier in) are counted and their streams need their tokens, so let a proxy admit none but the
carrier's addresses to them.

When what is asked for is a matter of the settings (`Rules.of`): signatures when there is an auth
token; stream tokens when the node is guarded, that is, when there is an auth token or anybody but
this machine can reach the node (`DoorSettings.is_guarded`); the rate limit when it is set or the
node is guarded. So tools on this machine may connect a stream without a webhook to a node that
nobody else can reach, and to no other. A switch of one's own (`AYBIZA_SWITCHES`) has no webhook, so
its streams need no token.

Every refusal is counted, and the log tells of them once a minute (`refusals`). All of this is on
the loop: nothing blocks, nothing waits longer than `rate_limit` for Redis.

Source: Twilio, "Webhooks security"; RFC 6585 (429), RFC 6750 (Bearer).
"""

from __future__ import annotations

import hmac
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self
from urllib.parse import parse_qsl

from aybiza.config.settings import Settings
from aybiza.gateway.admission import signature, stream_token
from aybiza.gateway.admission.account_calls import AccountCalls
from aybiza.gateway.admission.callers import Caller, Callers, limited_as
from aybiza.gateway.admission.rate_limit import RateLimit
from aybiza.gateway.admission.refusals import Refusals
from aybiza.gateway.admission.signature import MAX_PARAMETERS
from aybiza.gateway.admission.stream_token import StreamTokens
from aybiza.gateway.admission.waiting_room import WaitingRoom
from aybiza.gateway.carriers.codec import CLOSE_POLICY_VIOLATION, ProtocolError, Start

SIGNED: Final = frozenset(("/incoming", "/status", "/media"))
OPEN: Final = frozenset(("/healthz", "/readyz"))

HTTP: Final = "http"
MEDIA: Final = "media"

GUARDED_PER_MINUTE: Final = 100


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings ask for; without any, a node that only this machine can reach.

    `http_base`, `media_base`: the URLs by which Twilio comes, without path; None: as requests say.
    """

    auth_token: str | None = field(default=None, repr=False)
    console_token: str | None = field(default=None, repr=False)
    stream_tokens: bool = False
    per_minute: int = 0
    redis_url: str | None = field(default=None, repr=False)
    account_calls: int | None = None
    trusted_proxies: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    http_base: str | None = None
    media_base: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The rules that follow from the settings."""
        auth, console = settings.twilio_auth_token, settings.console_token
        per_minute = settings.rate_limit
        if per_minute is None:
            per_minute = GUARDED_PER_MINUTE if settings.is_guarded else 0
        return cls(
            auth_token=auth.get_secret_value() if auth else None,
            console_token=console.get_secret_value() if console else None,
            stream_tokens=settings.is_guarded,
            per_minute=per_minute,
            redis_url=settings.redis_url,
            account_calls=settings.account_calls,
            trusted_proxies=settings.trusted_proxies,
            switches=settings.switches,
            http_base=settings.public_http_url,
            media_base=settings.public_media_url,
        )


@dataclass(frozen=True, slots=True)
class Knock:
    """A request as it came. `target`: path and query, letter by letter; `path`: as a route is
    found by it, deciphered; header names in lower case.
    """

    peer: str
    secure: bool
    target: str
    path: str
    headers: Mapping[str, str] = field(repr=False)

    @property
    def is_call(self) -> bool:
        """Whether a carrier asks there what to do with a call."""
        return self.path == "/incoming" or self.path.startswith("/incoming/")

    @property
    def is_webhook(self) -> bool:
        """Whether carriers post there."""
        return self.is_call or self.path == "/status"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to who may not come in."""

    status: int
    text: str
    headers: Mapping[str, str]


BUSY: Final = Refusal(200, "", {})
"""The account has its calls: to be answered with the busy words."""


class Admission:
    """The checks of one node, with all they remember; made once, outlives its servers.

    `key`: of the stream tokens, see `stream_token.derived_key`; None: one for this node alone.
    `tls`: the context of both doors, if they speak TLS.
    """

    def __init__(
        self,
        rules: Rules | None = None,
        *,
        key: bytes | None = None,
        tls: ssl.SSLContext | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        self.rules = rules = rules or Rules()
        self.tls = tls
        self.refused = refusals or Refusals()
        self._callers = Callers(rules.trusted_proxies)
        self._switches = Callers(rules.switches)
        self.room = WaitingRoom(self.refused, exempt=self._callers.trusts)
        self._rate = RateLimit(rules.per_minute, rules.redis_url)
        self._accounts = AccountCalls(rules.account_calls)
        self._tokens = StreamTokens(key or secrets.token_bytes(32))

    @property
    def reads_webhooks(self) -> bool:
        """Whether `webhook` has to see the body."""
        return bool(self.rules.auth_token or self.rules.account_calls)

    async def webhook(self, knock: Knock, body: bytes) -> Refusal | None:
        """A POST of Twilio's: None if it may come in, `BUSY`, or the refusal."""
        token, caller = self._auth_token(knock), self._caller(knock)
        url = self._url(self.rules.http_base, HTTP, caller, knock)
        given = knock.headers.get(signature.HEADER, "")
        content_type = knock.headers.get("content-type", signature.FORM)
        if token is None:
            refusal = await self._over_rate(HTTP, caller)
        elif given and signature.is_signed_body(token, given, url, body, content_type):
            refusal = None
        else:
            refusal = await self._over_rate(HTTP, caller) or self._unsigned(HTTP, caller)
        if refusal is None and knock.is_call and not self._reserve(body):
            self.refused(HTTP, "account", caller.address)
            return BUSY
        return refusal

    async def page(self, knock: Knock) -> Refusal | None:
        """Any other request: None if it may come in, or the refusal."""
        if knock.path in OPEN:
            return None
        caller = self._caller(knock)
        if self._has_console_token(knock):
            return None
        refusal = await self._over_rate(HTTP, caller)
        if refusal is None and not caller.local:
            self.refused(HTTP, "console", caller.address)
            text = "This page is for the machine itself, or with the token of the console.\n"
            return Refusal(401, text, {"www-authenticate": "Bearer"})
        return refusal

    async def handshake(self, knock: Knock) -> Refusal | None:
        """A media websocket's handshake: None if it may come in, or the refusal."""
        token, caller = self._auth_token(knock), self._caller(knock)
        if token is None:
            return await self._over_rate(MEDIA, caller)
        given = knock.headers.get(signature.HEADER, "")
        url = self._url(self.rules.media_base, "ws", caller, knock)
        if given and signature.is_signed(token, given, url):
            return None
        return await self._over_rate(MEDIA, caller) or self._unsigned(MEDIA, caller)

    def too_large(self, knock: Knock) -> Refusal:
        """A body beyond the bound."""
        self.refused(HTTP, "too_large", self._caller(knock).address)
        return Refusal(413, "The body is too large.\n", {})

    def parameters(self, call_id: str) -> dict[str, str]:
        """The stream's parameters for a new TwiML: its token, if one will be asked for."""
        if not self.rules.stream_tokens:
            return {}
        return {stream_token.PARAMETER: self._tokens.issue(call_id)}

    def visit(self, address: str, on_start: Callable[[], None] = lambda: None) -> Visit:
        """A media connection from this address; `on_start` is called when it has started."""
        return Visit(self, address, on_start)

    def address_of(self, knock: Knock) -> str:
        """Whose request it is."""
        return self._caller(knock).address

    def start(self, start: Start, address: str) -> Start:
        """A stream's `start` from this address, without its token, which is used up by this.

        Raises ProtocolError (1008) if it may not come in.
        """
        parameters = dict(start.custom_parameters)
        token = parameters.pop(stream_token.PARAMETER, "")
        if self.rules.stream_tokens and not self._switches.trusts(address):
            why = self._tokens.refusal(token, start.call_sid)
            if why is not None:
                self.refused(MEDIA, "token", address)
                raise ProtocolError(CLOSE_POLICY_VIOLATION, f"the stream's token is {why}")
        self._accounts.begin(start.account_sid, start.call_sid)
        return replace(start, custom_parameters=parameters)

    def ended(self, account_id: str, call_id: str) -> None:
        """A stream that had started has ended."""
        self._accounts.end(account_id, call_id)

    async def aclose(self) -> None:
        """Close what is open to Redis."""
        await self._rate.aclose()

    def _auth_token(self, knock: Knock) -> str | None:
        """The token with which the request must be signed, if it must."""
        return self.rules.auth_token if knock.path in SIGNED else None

    def _caller(self, knock: Knock) -> Caller:
        return self._callers.caller(knock.peer, knock.secure, knock.headers)

    def _url(self, base: str | None, scheme: str, caller: Caller, knock: Knock) -> str:
        return caller.url(scheme, knock.target) if base is None else base + knock.target

    async def _over_rate(self, door: str, caller: Caller) -> Refusal | None:
        seconds = await self._rate.hit(limited_as(caller.address))
        if seconds is None:
            return None
        self.refused(door, "rate", caller.address)
        wait = str(round(seconds))
        return Refusal(429, f"Too many requests: wait {wait} s.\n", {"retry-after": wait})

    def _unsigned(self, door: str, caller: Caller) -> Refusal:
        self.refused(door, "signature", caller.address)
        return Refusal(403, "Only Twilio may come in here: the signature does not fit.\n", {})

    def _has_console_token(self, knock: Knock) -> bool:
        token = self.rules.console_token
        scheme, _, given = knock.headers.get("authorization", "").partition(" ")
        return (
            token is not None
            and scheme.lower() == "bearer"
            and hmac.compare_digest(given.strip().encode(errors="replace"), token.encode())
        )

    def _reserve(self, body: bytes) -> bool:
        try:
            text = body.decode("utf-8", "replace")
            form = dict(parse_qsl(text, max_num_fields=MAX_PARAMETERS))
        except ValueError:
            return True  # the route will find no call in it
        return self._accounts.reserve(form.get("AccountSid", ""), form.get("CallSid", ""))


class Visit:
    """One media connection, from its handshake to its end."""

    def __init__(self, admission: Admission, address: str, on_start: Callable[[], None]) -> None:
        self._admission = admission
        self._address = address
        self._on_start = on_start
        self._started: Start | None = None

    def start(self, start: Start) -> Start:
        """As `Admission.start`."""
        self._started = self._admission.start(start, self._address)
        self._on_start()
        return self._started

    def over(self) -> None:
        """The connection is gone."""
        if self._started is not None:
            self._admission.ended(self._started.account_sid, self._started.call_sid)
