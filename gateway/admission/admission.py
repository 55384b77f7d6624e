"""Admission: who may come in by the doors of a node. The whole defence, in the order it is met:

    connection  bounds on connections that owe their request, by address and in all, and on the
                time they have for it, TLS handshake included      `waiting_room`, `entrance`
    headers     at most 16 KB; bodies at most 64 KB                `entrance`, `http_admission`
    host        a Host that is no name: 400
    caller      the address behind trusted proxies                 `callers`
    origin      a request that a web page has a browser send: 403, unless the page is ours
    proof       a webhook or a handshake with its carrier's signature, a page with the operator's
                token: comes in, and is not counted, for carriers call from few addresses
                                                `signature`, `carrier_signatures`
    rate        everybody else is counted; beyond the limit 429    `rate_limit`
    guesses     an address from which many wrong console tokens came: 429   `guesses`
    signature   a webhook or a handshake that had to be signed: 403
    page        what only the console's page asks for, from anybody else's page: 403. A websocket,
                which pages of all origins may open, from any other than the one that is asked: 403
                an operator's page without the token, if one is set; without one, from anybody but
                this machine or under another name than its own: 401
    form        a webhook that no carrier would send: 400, 415     `webhook_form`
    seal        the words for somebody whom a caller is put through to, at an address that was not
                given to this carrier and account: 403             `address_seals`
    repeated    a signed request that was answered, while its call has a stream that began behind
                the answer: 409; at another node, `lines`          `answered`
    owner       a call that is another carrier's or account's: 409 `call_owners`
    caller      more calls or minutes an hour than a caller may have: the busy words, and of a
                switch, which asks no webhook, the close of a full node  `caller_limits`
    account     more calls at a time than an account may have: the busy words
                                                                   `account_calls`
    token       a stream's `start` without the token of its TwiML, or that says something else of
                the call than its webhook: closed with 1008        `stream_token`

Which of these a path asks for stands in one table, `policy`; a path that is not in it is nobody's.
`/healthz` and `/readyz` are open and not counted: refusing would cost as much as answering, and an
orchestrator that shares an address with an attacker must not take the node for dead. As soon as one
carrier's key is given, the webhooks of all carriers have to be signed, each with its own. A switch
of one's own (`AYBIZA_SWITCHES`) has no webhook, so its streams need no token; a connection that
says it is made for somebody else is not the switch's.

What is asked for when is `rules`' matter. Every refusal is counted, and the log tells of them once
a minute (`refusals`). All of this is on the loop: nothing blocks, nothing waits longer than
`rate_limit` for Redis.

Source: Twilio, "Webhooks security"; RFC 6585 (429), RFC 6750 (Bearer), RFC 6455, section 10.2.
"""

from __future__ import annotations

import hmac
import secrets
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from aybiza.actors.runtime import VM
from aybiza.config.fields import is_loopback
from aybiza.gateway.admission import signature, stream_token
from aybiza.gateway.admission.account_calls import AccountCalls
from aybiza.gateway.admission.address_seals import AddressSeals
from aybiza.gateway.admission.answered import Answered
from aybiza.gateway.admission.call_owners import CallOwners
from aybiza.gateway.admission.caller_limits import CallerLimits
from aybiza.gateway.admission.callers import Caller, Callers, limited_as
from aybiza.gateway.admission.carrier_signatures import CarrierSignatures, Signed
from aybiza.gateway.admission.guesses import MINUTE, Guesses
from aybiza.gateway.admission.handshakes import IN_A_TURN
from aybiza.gateway.admission.lines import Lines
from aybiza.gateway.admission.policy import HTTP, MEDIA, Door, Proof, door
from aybiza.gateway.admission.rate_limit import RateLimit
from aybiza.gateway.admission.refusals import Refusals
from aybiza.gateway.admission.rules import BUSY, Knock, Refusal, Rules
from aybiza.gateway.admission.stream_token import BOUND, StreamTokens
from aybiza.gateway.admission.turnstile import Turnstile
from aybiza.gateway.admission.waiting_room import WaitingRoom
from aybiza.gateway.admission.webhook_form import FormError, read_form
from aybiza.gateway.arrival import Arrival
from aybiza.gateway.carriers.codec import (
    CLOSE_INVALID_DATA,
    CLOSE_POLICY_VIOLATION,
    CLOSE_TRY_AGAIN_LATER,
    ProtocolError,
    Start,
)
from aybiza.gateway.carriers.paths import CARRIERS, SOFTPHONE

PAGE_HEADER: Final = "x-aybiza-console"
"""What the console's page sends with each request: no page of another origin can, for a browser
asks us first, and is not answered."""

GUESSED: Final = (
    "Too many wrong tokens came from this address: wait a minute, then use AYBIZA_CONSOLE_TOKEN.\n"
)

MAX_PARAMETER_CHARS: Final = 500
"""Of a stream's parameter, its name included, as Twilio has it."""

ACCOUNT_IN_STREAM: Final = ("twilio", "signalwire")
"""Carriers whose streams tell the account by the name that their webhooks have for it."""


class Admission:
    """The checks of one node, with all they remember; made once, outlives its servers.

    `keys`: of the stream tokens, see `stream_token.derived_key`; the first makes them, all are
    taken. None: one for this node alone.
    `tls`: the context of both doors, if they speak TLS. `rate`: who counts requests, in place of
    what the rules ask for. `vm`: the node, which knows the lines of others.
    """

    def __init__(
        self,
        rules: Rules | None = None,
        *,
        keys: Sequence[bytes] = (),
        tls: ssl.SSLContext | None = None,
        refusals: Refusals | None = None,
        rate: RateLimit | None = None,
        vm: VM | None = None,
    ) -> None:
        self.rules = rules = rules or Rules()
        self.tls = tls
        self.refused = refusals or Refusals()
        self._callers = Callers(rules.trusted_proxies)
        self._switches = Callers(rules.switches)
        self.room = WaitingRoom(self.refused, exempt=self._callers.trusts)
        self.turnstile = Turnstile()
        self.handshakes = Turnstile(IN_A_TURN)
        self._rate = rate or RateLimit(rules.per_minute, rules.redis_url)
        self._guesses = Guesses()
        self._signatures = CarrierSignatures(rules.keys)
        self._owners = CallOwners()
        self._answered = Answered()
        self._lines = Lines(vm)
        self._accounts = AccountCalls(rules.account_calls)
        self._limits = CallerLimits(rules.caller_calls, rules.caller_minutes)
        key, *also = keys or [secrets.token_bytes(32)]
        self.seals = AddressSeals([key, *also])
        self._tokens = StreamTokens(key, also=also)
        bases = filter(None, (rules.http_base, rules.media_base))
        self._own_hosts = frozenset(urlsplit(base).netloc.lower() for base in bases)

    async def webhook(self, knock: Knock, body: bytes) -> Refusal | None:
        """A POST of a carrier's: None if it may come in, `BUSY`, or the refusal."""
        row, caller = door(HTTP, "POST", knock.path), self._caller(knock)
        refusal = self._unsound(HTTP, knock, caller)
        if refusal is not None:
            return refusal
        if not self._signatures.asked_for:
            refusal = await self._over_rate(HTTP, caller)
        elif not self._signatures.fits(row.carrier, self._signed(knock, caller, body)):
            refusal = await self._over_rate(HTTP, caller)
            refusal = refusal or self._unsigned(HTTP, caller, row.carrier)
        # Of what is only told nothing follows.
        if refusal is not None or not (row.is_call or row.proof is Proof.SEALED):
            return refusal
        try:
            form = read_form(body, knock.headers, row.carrier, needs_call=False)
        except FormError as error:
            self.refused(HTTP, "form", caller.address)
            return Refusal(error.status, error.text, {})
        if row.proof is Proof.SEALED:
            refusal = self._unsealed(knock, row.carrier, form, caller)
        refusal = refusal or self._repeated(row, knock, form, body, caller)
        if refusal is not None or row.proof is Proof.SEALED:
            return refusal
        return self._over_quota(row.carrier, form, caller)

    async def page(self, knock: Knock, method: str = "GET") -> Refusal | None:
        """Any other request: None if it may come in, or the refusal."""
        proof = door(HTTP, method, knock.path).proof
        if proof is Proof.NONE:
            return None
        caller = self._caller(knock)
        # A page that is served under this very name, and has the token, is ours.
        guarded = self.rules.console_token is not None
        refusal = self._unsound(HTTP, knock, caller, served=guarded)
        if refusal is None and not self._is_of_the_page(proof, knock, caller):
            self.refused(HTTP, "page", caller.address)
            refusal = Refusal(403, "Only the console's own page may ask for this.\n", {})
        if refusal is not None:
            return refusal
        place = limited_as(caller.address)
        # The right one too, or an answer would tell it from those that are refused.
        guesses = self._guesses.full(place)
        if not guesses and self._has_console_token(knock):
            return None
        refusal = await self._over_rate(HTTP, caller)
        if guesses:
            self.refused(HTTP, "guesses", caller.address)
            return refusal or Refusal(429, GUESSED, {"retry-after": str(MINUTE)})
        if self.rules.console_token is not None and "authorization" in knock.headers:
            self._guesses.add(place)
        if proof is Proof.SHELL and self.rules.console_token is not None:
            return refusal
        if refusal is None and not self._is_of_this_machine(caller):
            self.refused(HTTP, "console", caller.address)
            text = "This page is for who has the token of the console (AYBIZA_CONSOLE_TOKEN).\n"
            return Refusal(401, text, {"www-authenticate": "Bearer"})
        return refusal

    async def handshake(self, knock: Knock) -> Refusal | None:
        """A media websocket's handshake: None if it may come in, or the refusal."""
        row, caller = door(MEDIA, "GET", knock.path), self._caller(knock)
        refusal = self._unsound(MEDIA, knock, caller)
        token = self.rules.auth_token
        if refusal is not None:
            return refusal
        if token is None or row.proof is not Proof.SIGNED_STREAM:
            return await self._over_rate(MEDIA, caller)
        given = knock.headers.get(signature.HEADER, "")
        url = self._url(self.rules.media_base, "ws", caller, knock)
        if given and signature.is_signed(token, given, url):
            return None
        return await self._over_rate(MEDIA, caller) or self._unsigned(MEDIA, caller, row.carrier)

    def too_large(self, knock: Knock) -> Refusal:
        """A body beyond the bound."""
        self.refused(HTTP, "too_large", self._caller(knock).address)
        return Refusal(413, "The body is too large.\n", {})

    def ambiguous(self, knock: Knock) -> Refusal:
        """A request that says twice how long it is."""
        self.refused(HTTP, "malformed", self._caller(knock).address)
        return Refusal(400, "The request has both a Content-Length and a Transfer-Encoding.\n", {})

    def parameters(
        self, call_id: str, carrier: str = "twilio", account: str = "", told: Mapping[str, str] = {}
    ) -> dict[str, str]:
        """The stream's parameters for a new TwiML: its token, if one will be asked for.

        `told`: the other parameters; with them, the carrier and the account it is bound.
        """
        if not self.rules.stream_tokens and carrier != SOFTPHONE.name:
            return {}
        bound = {name: told[name] for name in BOUND if name in told}
        bound[stream_token.CARRIER] = carrier
        if account and carrier in ACCOUNT_IN_STREAM:
            bound[stream_token.ACCOUNT] = account
        return {stream_token.PARAMETER: self._tokens.issue(call_id, bound)}

    def visit(
        self,
        address: str,
        on_start: Callable[[], None] = lambda: None,
        *,
        carrier: str = "twilio",
        hidden: bool = False,
    ) -> Visit:
        """A media connection from this address; `on_start` is called when it has started.

        `hidden`: as `Caller` has it.
        """
        return Visit(self, address, on_start, carrier, hidden)

    def caller(self, knock: Knock) -> Caller:
        """Whose request it is."""
        return self._caller(knock)

    def is_switch(self, address: str, *, hidden: bool = False) -> bool:
        """Whether a connection from there is one of a switch of the operator's own."""
        return not hidden and self._switches.trusts(address)

    def start(self, start: Start, address: str, carrier: str, *, hidden: bool = False) -> Start:
        """A stream's `start` from this address, without its token, which is used up by this.

        Raises ProtocolError (1007, 1008, 1013) if it may not come in.
        """
        parameters = dict(start.custom_parameters)
        token = parameters.pop(stream_token.PARAMETER, "")
        _check(parameters)
        account = start.account_sid if carrier in ACCOUNT_IN_STREAM else ""
        given = None
        if carrier == SOFTPHONE.name or (
            self.rules.stream_tokens and not self.is_switch(address, hidden=hidden)
        ):
            told = {**parameters, stream_token.CARRIER: carrier, stream_token.ACCOUNT: account}
            why = self._tokens.refusal(token, start.call_sid, told)
            if why is None and self._lines.has(start.call_sid, stream_token.given_at(token)):
                why = "used at another node"
            if why is not None:
                self.refused(MEDIA, "token", address)
                raise ProtocolError(CLOSE_POLICY_VIOLATION, f"the stream's token is {why}")
            given = stream_token.given_at(token)
            unbound = set(BOUND) - stream_token.bound_names(token)
            parameters = {name: parameters[name] for name in parameters if name not in unbound}
        if not self._owners.may_have(start.call_sid, carrier, account):
            self.refused(MEDIA, "owner", address)
            raise ProtocolError(CLOSE_POLICY_VIOLATION, "the call is another carrier's")
        number = parameters.get("From", "")
        if number and not _asks(carrier) and not self._limits.admit(number, start.call_sid):
            self.refused(MEDIA, "caller", address)
            raise ProtocolError(CLOSE_TRY_AGAIN_LATER, "the caller has had all their calls")
        self._owners.begin(start.call_sid, carrier, account)
        self._answered.begin(start.call_sid)
        if given is not None:
            self._lines.begin(start.call_sid, given)
        self._accounts.begin(start.account_sid, start.call_sid)
        self._limits.begin(number, start.call_sid)
        return replace(start, custom_parameters=parameters)

    def ended(self, start: Start) -> None:
        """A stream that had started has ended."""
        self._accounts.end(start.account_sid, start.call_sid)
        self._limits.end(start.custom_parameters.get("From", ""), start.call_sid)
        self._owners.end(start.call_sid)
        self._answered.end(start.call_sid)

    async def aclose(self) -> None:
        """Close what is open to Redis."""
        await self._rate.aclose()

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

    def _unsigned(self, listener: str, caller: Caller, carrier: str) -> Refusal:
        self.refused(listener, "signature", caller.address)
        text = f"Only {carrier} may come in here: the signature does not fit.\n"
        if listener == HTTP and not self._signatures.knows(carrier):
            text = f"The webhooks of {carrier} are not taken: this node has no key for them.\n"
        return Refusal(403, text, {})

    def _unsealed(
        self, knock: Knock, carrier: str, form: Mapping[str, str], caller: Caller
    ) -> Refusal | None:
        query = knock.target.partition("?")[2]
        if self.seals.fits(query, carrier, form.get("AccountSid", "")):
            return None
        self.refused(HTTP, "seal", caller.address)
        text = "This address was not given to this carrier and account, or too long ago.\n"
        return Refusal(403, text, {})

    def _repeated(
        self, row: Door, knock: Knock, form: Mapping[str, str], body: bytes, caller: Caller
    ) -> Refusal | None:
        call = form.get("CallSid", "")
        # What nobody has to sign may be said in as many ways as one likes.
        if not self._signatures.asked_for:
            return None
        elsewhere = row.gives_a_line and self._lines.are_elsewhere(call)
        older = elsewhere and not self._follows(row.carrier, knock, call)
        signed = signature.signed_part(knock.target, body)
        if not (self._answered.repeats(call, signed) or older):
            return None
        self.refused(HTTP, "repeated", caller.address)
        return Refusal(409, "This was answered, and the call goes on by its stream.\n", {})

    def _follows(self, carrier: str, knock: Knock, call: str) -> bool:
        """Whether a signed request is the way back from a line of the call at another node. That
        has the second of the line in its address, or the one before, for the clock goes on while it
        is answered. Where no address is signed, a time is, which has to be a later one."""
        at = Arrival.of(dict(parse_qsl(knock.target.partition("?")[2])), 0.0).at
        signed_at = self._signatures.signed_at(carrier, knock.headers)
        if signed_at is not None:
            return signed_at > at and self._lines.has(call, at)
        return self._lines.has(call, at) or self._lines.has(call, at + 1)

    def _signed(self, knock: Knock, caller: Caller, body: bytes) -> Signed:
        return Signed(self._url(self.rules.http_base, HTTP, caller, knock), knock.headers, body)

    def _unsound(
        self, listener: str, knock: Knock, caller: Caller, *, served: bool = False
    ) -> Refusal | None:
        """What no carrier and no operator would send. `served`: pages under the name that is asked
        for are ours, whatever it is."""
        if not caller.host_is_sound:
            self.refused(listener, "malformed", caller.address)
            return Refusal(400, "The Host of the request is no name of a host.\n", {})
        origin = knock.headers.get("origin")
        served = served or caller.host_is_loopback
        ours = origin is None or self._is_ours(origin, caller)
        if not ours and not (served and _netloc(origin) == caller.host.lower()):
            self.refused(listener, "origin", caller.address)
            return Refusal(403, "This is not for web pages of others.\n", {})
        return None

    def _is_of_the_page(self, proof: Proof, knock: Knock, caller: Caller) -> bool:
        """Whether the console's own page sends it. Browsers tell whose page has a request sent."""
        if proof not in (Proof.PAGE, Proof.SOCKET):
            return True
        if knock.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = knock.headers.get("origin")
        # Another port of this machine has other pages.
        asked = _netloc(origin) in (caller.host.lower(), *self._own_hosts)
        if proof is Proof.PAGE:
            return bool(knock.headers.get(PAGE_HEADER)) and (origin is None or asked)
        # No header can be added to a websocket's handshake, and no browser asks before it.
        return bool(origin) and asked

    def _is_ours(self, origin: str, caller: Caller) -> bool:
        try:
            parts = urlsplit(origin)
            host = parts.hostname or ""
        except ValueError:
            return False
        if parts.netloc.lower() in self._own_hosts:
            return True
        return self.rules.http_base is None and caller.host_is_loopback and is_loopback(host)

    def _is_of_this_machine(self, caller: Caller) -> bool:
        """Whether a request without the token may be taken for the operator's own."""
        if self.rules.console_token is not None or self.rules.proxied:
            return False
        return caller.local and caller.host_is_loopback

    def _over_quota(self, carrier: str, form: Mapping[str, str], caller: Caller) -> Refusal | None:
        """Whether the call is another's, or one more than its caller or account may have."""
        call, account = form.get("CallSid", ""), form.get("AccountSid", "")
        if not call:
            return None  # the route says so
        if not self._owners.may_have(call, carrier, account):
            self.refused(HTTP, "owner", caller.address)
            return Refusal(409, "The call is another carrier's or account's.\n", {})
        # Who has been let in comes back, from a person or a lost stream, whatever came meanwhile.
        known = self._owners.knows(call)
        if not self._limits.admit(form.get("From", ""), call) and not known:
            self.refused(HTTP, "caller", caller.address)
            return BUSY
        if not self._accounts.reserve(account, call) and not known:
            self.refused(HTTP, "account", caller.address)
            return BUSY
        self._owners.claim(call, carrier, account)
        return None

    def _has_console_token(self, knock: Knock) -> bool:
        token = self.rules.console_token
        scheme, _, given = knock.headers.get("authorization", "").partition(" ")
        return (
            token is not None
            and scheme.lower() == "bearer"
            and hmac.compare_digest(given.strip().encode(errors="replace"), token.encode())
        )


class Visit:
    """One media connection, from its handshake to its end."""

    def __init__(
        self,
        admission: Admission,
        address: str,
        on_start: Callable[[], None],
        carrier: str,
        hidden: bool,
    ) -> None:
        self._admission = admission
        self._address = address
        self._on_start = on_start
        self._carrier = carrier
        self._hidden = hidden
        self._started: Start | None = None

    def start(self, start: Start) -> Start:
        """As `Admission.start`."""
        self._started = self._admission.start(
            start, self._address, self._carrier, hidden=self._hidden
        )
        self._on_start()
        return self._started

    def over(self) -> None:
        """The connection is gone."""
        if self._started is not None:
            self._admission.ended(self._started)


def _asks(carrier: str) -> bool:
    """Whether the carrier asks a webhook, where its callers are counted."""
    found = CARRIERS.get(carrier)
    return found is not None and bool(found.webhook)


def _netloc(origin: str | None) -> str:
    """Host and port of an origin; empty for what is none."""
    try:
        return urlsplit(origin or "").netloc.lower()
    except ValueError:
        return ""


def _check(parameters: Mapping[str, str]) -> None:
    """Raise ProtocolError for parameters that no webhook's answer has."""
    for name, value in parameters.items():
        if len(name) + len(value) > MAX_PARAMETER_CHARS or not (name + value).isprintable():
            raise ProtocolError(
                CLOSE_INVALID_DATA, "start with a parameter that is too long or not printable"
            )
