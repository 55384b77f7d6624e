"""Calls that are placed by Twilio's REST API, and by SignalWire's, which has the same form. Pure.

    calls = PlacedCalls(account, token, own_numbers=("+14155550100",))
    answer = calls.asked(method, path, headers, query or body, now)
    for step in calls.due(now): …            what the carrier does then: `Callback`s, `Pickup`s
    calls.ended(sid, now)                    a call that was picked up is over

Orders are checked as the service does: Basic authentication (401, 20003), the account (404, 20404),
the form (`To` 21201 and 21211, `From` 21213 and 21210, `Url` 21205, callbacks 21609, events 21626,
`Timeout` 21220 for what is no number of seconds), too many requests (429, 20429). Calls beyond
`cps` a second wait in a queue and are placed in their order. `parties` says what a number does:
answer, be busy, not answer, or fail with a SIP code.

Contract: times are handed in, in seconds; nothing is sent. Errors: none; what is refused is an
answer. Source: Twilio, "Call resource", "Call status callbacks", "Error dictionary" and "Calls per
second".
"""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from aybiza.emulators.services.answer import Answer, as_json

ROUTE: Final = re.compile(
    r"(?:/api/laml)?/2010-04-01/Accounts/(?P<account>[^/]+)/Calls(?:/(?P<call>[^/]+))?\.json"
)
FORM: Final = "application/x-www-form-urlencoded"
EVENTS: Final = frozenset(("initiated", "ringing", "answered", "completed"))
RINGS_AFTER: Final = 0.5
DEFAULT_TIMEOUT: Final = 60
MOST_TIMEOUT: Final = 600
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}\Z", re.ASCII)

Does = Literal["answer", "busy", "no_answer", "failed", "stuck"]


@dataclass(frozen=True, slots=True)
class Party:
    """What a number does when it is called. `rings`: seconds until then; `sip`: the code of a
    failure; `answered_by`: what the carrier's own detection takes it for."""

    does: Does = "answer"
    rings: float = 4.0
    sip: int = 503
    answered_by: str = "human"


@dataclass(frozen=True, slots=True)
class Callback:
    """POST this form to this address."""

    url: str
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pickup:
    """Somebody has answered: ask `url` what to do with the call."""

    sid: str
    url: str
    to: str
    from_number: str


Step = Callback | Pickup


@dataclass(slots=True)
class Call:
    """A call; see the module."""

    sid: str
    to: str
    from_number: str
    url: str
    status_url: str
    events: frozenset[str]
    timeout: int
    made: float
    detect: str = ""
    status: str = "queued"
    next_at: float | None = None
    answered: float = 0.0
    seconds: int = 0
    sip: int = 0
    answered_by: str = ""


@dataclass(slots=True)
class PlacedCalls:
    """See the module. `turned_away`: so many of the next orders are one too many; `silent`: the
    carrier tells nothing of its calls of its own accord. `own_numbers`: those of the account;
    None: whichever is shown."""

    account: str
    token: str = field(repr=False)
    own_numbers: tuple[str, ...] | None = ()
    parties: dict[str, Party] = field(default_factory=dict)
    cps: float = 1.0
    turned_away: int = 0
    silent: bool = False
    calls: dict[str, Call] = field(default_factory=dict)
    _slot: float = 0.0
    _sequence: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def asked(
        self, method: str, path: str, headers: Mapping[str, str], given: str, now: float
    ) -> Answer:
        """Answer a request; `given`: its form, or its query."""
        found = ROUTE.fullmatch(path)
        key = base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
        if headers.get("authorization") != f"Basic {key}":
            return _error(401, 20003, "Authenticate")
        if found is None or unquote(found["account"]) != self.account:
            return _error(404, 20404, f"The requested resource {path} was not found")
        if method == "GET":
            return self._told(found["call"], parse_qs(given), now)
        if found["call"] or method != "POST":
            return _error(405, 20004, "Method not allowed")
        if self.turned_away:
            self.turned_away -= 1
            return _error(429, 20429, "Too Many Requests")
        if headers.get("content-type", "").partition(";")[0] != FORM:
            return _error(415, 20016, "Unsupported Media Type")
        return self._order(parse_qs(given, keep_blank_values=True), now)

    def due(self, now: float) -> list[Step]:
        """What happens up to now, in its order."""
        steps: list[Step] = []
        while True:
            waiting = [call for call in self.calls.values() if call.next_at is not None]
            call = min(waiting, key=lambda one: one.next_at or 0.0, default=None)
            if call is None or call.next_at is None or call.next_at > now:
                return steps
            steps += self._step(call, call.next_at)

    def next_at(self) -> float | None:
        """When something happens next."""
        return min((c.next_at for c in self.calls.values() if c.next_at is not None), default=None)

    def ended(self, sid: str, now: float) -> list[Step]:
        """See the module; what there is to tell of it."""
        call = self.calls[sid]
        call.seconds = round(now - call.answered)
        return self._over(call, "completed")

    def _order(self, form: Mapping[str, list[str]], now: float) -> Answer:
        wrong = self._wrong(form)
        if wrong is not None:
            return wrong
        one = {name: values[0] for name, values in form.items()}
        sid = f"CA{next(self._sequence):032x}"
        self._slot = max(self._slot + 1.0 / self.cps, now)
        detect = one.get("AsyncAmdStatusCallback", "") if one.get("MachineDetection") else ""
        call = self.calls[sid] = Call(
            *(sid, one["To"], one["From"], one["Url"], one.get("StatusCallback", "")),
            frozenset(form.get("StatusCallbackEvent", ["completed"])),
            int(one.get("Timeout", DEFAULT_TIMEOUT)),
            now,
            detect,
            next_at=self._slot,
        )
        return as_json(self._json(call), 201)

    def _wrong(self, form: Mapping[str, list[str]]) -> Answer | None:
        to, own = form.get("To", [""])[0], form.get("From", [""])[0]
        if not to:
            return _error(400, 21201, "No 'To' number is specified")
        if not own:
            return _error(400, 21213, "No 'From' number is specified")
        if not _E164.match(to) or to in (self.own_numbers or ()):
            return _error(400, 21211, "The phone number you are attempting to call is not valid")
        if self.own_numbers is not None and own not in self.own_numbers:
            words = f"The source phone number provided, {own}, is not yet verified for your account"
            return _error(400, 21210, words)
        if not _is_url(form.get("Url", [""])[0]):
            return _error(400, 21205, "Url parameter is required.")
        if "StatusCallback" in form and not _is_url(form["StatusCallback"][0]):
            return _error(400, 21609, "The StatusCallback URL is not a valid URL")
        if not EVENTS.issuperset(form.get("StatusCallbackEvent", [])):
            return _error(400, 21626, "Invalid status callback event")
        timeout = form.get("Timeout", ["60"])[0]
        if not (timeout.isdecimal() and 0 < int(timeout) <= MOST_TIMEOUT):
            return _error(400, 21220, "Timeout is not a number of seconds")
        return None

    def _told(self, sid: str | None, query: Mapping[str, list[str]], now: float) -> Answer:
        if sid is not None:
            call = self.calls.get(unquote(sid))
            if call is None:
                return _error(404, 20404, f"The requested resource {sid} was not found")
            return as_json(self._json(call))
        wanted = {name: query[name][0] for name in ("To", "From", "Status") if name in query}
        found = [
            call
            for call in reversed(self.calls.values())
            if wanted.get("To", call.to) == call.to
            and wanted.get("From", call.from_number) == call.from_number
            and wanted.get("Status", call.status) == call.status
        ]
        size = int(query.get("PageSize", ["50"])[0])
        return as_json({"calls": [self._json(call) for call in found[:size]], "page_size": size})

    def _step(self, call: Call, at: float) -> list[Step]:
        party = self.parties.get(call.to, Party())
        match call.status:
            case "queued":
                call.status, call.next_at = "initiated", at + RINGS_AFTER
                return self._tell(call, "initiated")
            case "initiated":
                rings = (
                    min(party.rings, call.timeout) if party.does != "no_answer" else call.timeout
                )
                call.status, call.next_at = "ringing", at + rings
                return self._tell(call, "ringing")
        match party.does:
            case "answer" if party.rings <= call.timeout:
                call.status, call.answered, call.next_at = "in-progress", at, None
                pickup = Pickup(call.sid, call.url, call.to, call.from_number)
                return [*self._tell(call, "answered"), *self._detected(call, party), pickup]
            case "stuck":
                call.next_at = None
                return []
            case "busy":
                call.sip = 486
                return self._over(call, "busy")
            case "failed":
                call.sip = party.sip
                return self._over(call, "failed")
        return self._over(call, "no-answer")

    def _over(self, call: Call, status: str) -> list[Step]:
        call.status, call.next_at = status, None
        return self._tell(call, "completed")

    def _detected(self, call: Call, party: Party) -> list[Step]:
        if not call.detect:
            return []
        call.answered_by = party.answered_by
        form = {"CallSid": call.sid, "AccountSid": self.account, "AnsweredBy": party.answered_by}
        return [Callback(call.detect, form)]

    def _tell(self, call: Call, event: str) -> list[Step]:
        if self.silent or not call.status_url or event not in call.events:
            return []
        return [Callback(call.status_url, self.form(call))]

    def form(self, call: Call) -> dict[str, str]:
        """What is told of a call, as a webhook has it."""
        form = {
            "CallSid": call.sid,
            "AccountSid": self.account,
            "ApiVersion": "2010-04-01",
            "Direction": "outbound-api",
            "From": call.from_number,
            "To": call.to,
            "CallStatus": call.status,
        }
        over = call.status not in ("queued", "initiated", "ringing", "in-progress")
        form |= {"CallDuration": str(call.seconds)} if over else {}
        return form | ({"SipResponseCode": str(call.sip)} if call.sip else {})

    def _json(self, call: Call) -> dict[str, Any]:
        over = call.status not in ("queued", "initiated", "ringing", "in-progress")
        return {
            "sid": call.sid,
            "account_sid": self.account,
            "to": call.to,
            "from": call.from_number,
            "status": call.status,
            "direction": "outbound-api",
            "date_created": formatdate(call.made, usegmt=False),
            "duration": str(call.seconds) if over else None,
            "answered_by": call.answered_by or None,
        }


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _error(status: int, code: int, message: str) -> Answer:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return as_json({"code": code, "message": message, "more_info": more, "status": status}, status)
